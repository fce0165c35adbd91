"""Blame: which of the facts that met in a call made it deviate. Pure.

A call may hold several neutral facts: a permission, a text, chunks. Where it is not served, each of
their clauses would be violated, and those of the ordinary call too. The smallest set of its facts
with which no call was served is to blame: one fact, where all calls with it fail; two, where only
their meeting does; none of them, where no call is served at all. Of several those are that explain
most of the calls that deviate, two facts in place of one as well: what a fact met once, beside two
that always fail, tells nothing of it. That is so where a promise (must) that names one of the two
deviates: somebody has to say so. Where even the same facts were served another time, or no promise
that deviates names what is to blame, nobody can tell, and all of them are. That other resources
stay as they are holds whatever a call holds.

Of a call that is to be refused a form may be to blame as well (chunks, a media type, a header): one
in which no call was served, and calls that were to be served were answered with the same status.
What is answered so tells of that form alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from functools import cached_property
from itertools import combinations

from cancel_contracts.contract.compose import ASPECTS, Composition, Fact, fact
from cancel_contracts.contract.declined import Declined
from cancel_contracts.contract.model import Clause
from cancel_contracts.exchange import Exchange, Situation
from cancel_contracts.judge.facets import FACETS

Facts = frozenset[Fact]
MEETING = 2  # facts that may be to blame where fewer are as well
# Facets that hold where a call is served: what keeps one from it keeps it from the other.
SERVED = {"connection": "status", "accepts": "status"}
ALWAYS = frozenset({"neighbour"})  # facets that no fact of a call is to blame for


class Blame:
    """What was served and what deviated, facet by facet, in which facts."""

    def __init__(self, composition: Composition) -> None:
        self.composition = composition
        self._served: dict[str, set[Facts]] = defaultdict(set)
        self._deviating: dict[str, set[Facts]] = defaultdict(set)
        self._facts: dict[Situation, Facts | None] = {}
        self._suspected: set[tuple[str, Facts, frozenset[str]]] = set()  # with what a clause names
        self.forms = Declined(composition)

    def facts(self, situation: Situation) -> Facts | None:
        """Return the facts in which a call is not the ordinary one; None where one of them has it
        refused.
        """
        if situation not in self._facts:
            aspects = self.composition.facts(situation)
            refused = self.composition.refused(situation)
            found = frozenset(fact(situation, a) for a in aspects)
            self._facts[situation] = None if refused else found
        return self._facts[situation]

    def declined(self, clause: Clause, exchange: Exchange) -> bool:
        """Whether a call was refused for a form that a clause does not name."""
        named = self._own(clause) if self.forms.any else frozenset()
        return bool(self.forms.aspects(exchange) - named) and not clause.given.get("any")

    def note(self, facet: str, exchange: Exchange) -> None:
        """Take note that a facet holds in a call; of those that were served, that counts."""
        if exchange.succeeded and (facts := self.facts(exchange.situation)) is not None:
            self._served[SERVED.get(facet, facet)].add(facts)

    def foreign(self, clause: Clause, facet: str, situation: Situation) -> bool:
        """Take note that a facet does not hold in a call, and return whether something may be to
        blame that the clause does not name: of a call that is to be refused, a form.
        """
        facts = self.facts(situation)
        if facet in ALWAYS or clause.given.get("any"):
            return False
        if facts is None:
            return facet in FACETS and bool(self.forms.forms(situation))
        self._deviating[SERVED.get(facet, facet)].add(facts)
        own = self._own(clause)
        if clause.level == "must":
            self._suspected.add((facet, facts, own))
        return not {aspect for aspect, _ in facts} <= own

    @staticmethod
    def _own(clause: Clause) -> frozenset[str]:
        return frozenset(a for a, keys in ASPECTS.items() if clause.given.keys() & set(keys))

    @cached_property
    def _named(self) -> frozenset[Facts]:
        """The sets of facts to blame of which a clause names one that deviates by them."""
        found = (
            (self._suspects(facet, facts, MEETING), own) for facet, facts, own in self._suspected
        )
        return frozenset(some for some, own in found if _names(own, some))

    def blames(self, clause: Clause, facet: str, situation: Situation) -> bool:
        """Whether a deviation of a facet in a call is held against a clause."""
        facts, own = self.facts(situation), self._own(clause)
        if facts is None:
            return True  # what was declined for its form is told apart call by call
        suspects = self._suspects(facet, facts, MEETING)
        if suspects not in self._named:
            suspects = self._suspects(facet, facts)
        return not self._told(facet, suspects) or _names(own, suspects)

    def _told(self, facet: str, suspects: Facts) -> bool:
        """Whether a promise that names one of the suspects deviates where they are."""
        of = SERVED.get(facet, facet)
        rows = ((met, own) for name, met, own in self._suspected if SERVED.get(name, name) == of)
        return any(suspects <= met and _names(own, suspects) for met, own in rows)

    def _suspects(self, facet: str, facts: Facts, least: int = 0) -> Facts:
        """Return the facts to blame: of the smallest sets, and of all up to the `least` size."""
        facet = SERVED.get(facet, facet)
        served, deviating = self._served[facet], self._deviating[facet]
        found: list[Facts] = []
        for size in range(len(facts) + 1):
            if found and size > least:
                break
            sets = map(frozenset, combinations(sorted(facts, key=str), size))
            fresh = [some for some in sets if not any(known <= some for known in found)]
            found += [some for some in fresh if not _held(some, served)]
        explained = {some: sum(some <= other for other in deviating) for some in found}
        best = max(((n, -len(some)) for some, n in explained.items()), default=None)
        kept = [some for some, n in explained.items() if (n, -len(some)) == best]
        return frozenset().union(*kept) if kept else facts


def _names(own: Collection[str], facts: Facts) -> bool:
    return any(aspect in own for aspect, _ in facts)


def _held(some: Facts, served: Iterable[Facts]) -> bool:
    """Whether a call with these facts was served."""
    return any(some <= facts for facts in served)
