"""Which forms a target declines: those that a call is to be served in as in the ordinary one
(chunks, a media type, a header), and none was. Pure.

What is answered in such a form as calls were that were to be served tells of that form alone. Fed
the same exchanges, the plan and the judge see it alike.
"""

from __future__ import annotations

from collections import defaultdict

from cancel_contracts.contract.compose import Composition, Fact
from cancel_contracts.exchange import Exchange, Situation

FORMS = ("content_type", "transfer", "extra")  # the aspects of how a call is written


class Declined:
    """The forms that a target declined, call by call."""

    def __init__(self, composition: Composition) -> None:
        self.composition = composition
        self._taken: set[Fact] = set()
        self._refused: dict[Fact, set[int]] = defaultdict(set)  # calls that were to be served

    def forms(self, situation: Situation) -> list[Fact]:
        """Return the forms of a call that are not the ordinary ones, and are to be served."""
        read = self.composition.read(situation)
        odd = (a for a in FORMS if a in read.odd and read.standings[a].kind == "neutral")
        return [(aspect, read.values[aspect]) for aspect in odd]

    def hear(self, exchange: Exchange) -> None:
        """Take note of how a call was answered in its forms."""
        situation, status = exchange.situation, exchange.status
        for form in self.forms(situation):
            if exchange.succeeded:
                self._taken.add(form)
            elif status is not None and self.composition.served(situation):
                self._refused[form].add(status)

    @property
    def any(self) -> bool:
        """Whether a form was declined in what was heard so far."""
        return not self._refused.keys() <= self._taken

    def aspects(self, exchange: Exchange) -> set[str]:
        """Return the aspects of a call whose form was declined, by how it was answered."""
        if not self.any:
            return set()
        forms = (form for form in self.forms(exchange.situation) if form not in self._taken)
        return {form[0] for form in forms if exchange.status in self._refused.get(form, ())}
