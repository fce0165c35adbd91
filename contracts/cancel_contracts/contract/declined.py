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
        self._refused: set[tuple[frozenset[Fact], int]] = set()  # calls that were to be served
        self._known: tuple[int, dict[Fact, set[int]]] = (-1, {})

    def forms(self, situation: Situation) -> list[Fact]:
        """Return the forms of a call that are not the ordinary ones, and are to be served."""
        read = self.composition.read(situation)
        odd = (a for a in FORMS if a in read.odd and read.standings[a].kind == "neutral")
        return [(aspect, read.values[aspect]) for aspect in odd]

    def hear(self, exchange: Exchange) -> None:
        """Take note of how a call was answered in its forms."""
        forms, status = self.forms(exchange.situation), exchange.status
        if exchange.succeeded:
            self._taken.update(forms)
        elif forms and status is not None and self.composition.served(exchange.situation):
            self._refused.add((frozenset(forms), status))

    def _statuses(self) -> dict[Fact, set[int]]:
        """Return the forms that were declined in what was heard so far, with how: of several in a
        call that one which others show to be declined by itself.
        """
        heard = len(self._taken) + len(self._refused)
        if self._known[0] != heard:
            found: dict[Fact, set[int]] = defaultdict(set)
            rows = [(forms - self._taken, status) for forms, status in self._refused]
            for left, status in sorted(
                rows, key=lambda row: (len(row[0]), sorted(map(str, row[0])))
            ):
                if all(status not in found[form] for form in left):
                    for form in left:
                        found[form].add(status)
            self._known = heard, {form: told for form, told in found.items() if told}
        return self._known[1]

    @property
    def any(self) -> bool:
        """Whether a form was declined in what was heard so far."""
        return bool(self._statuses())

    def aspects(self, exchange: Exchange) -> set[str]:
        """Return the aspects of a call whose form was declined, by how it was answered."""
        told = self._statuses()
        forms = self.forms(exchange.situation) if told else []
        return {form[0] for form in forms if exchange.status in told.get(form, ())}
