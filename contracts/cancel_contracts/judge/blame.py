"""Blame: which of the facts that met in a call made it deviate. Pure.

A call may hold several neutral facts: a permission, a text, chunks. Where it is not served, each of
their clauses would be violated, and those of the ordinary call too. The smallest set of its facts
with which no call was served is to blame: one fact, where all calls with it fail; two, where only
their meeting does; none of them, where no call is served at all. Of several that are as small,
those are that explain most of the calls that deviate: what a fact met once, beside one that always
fails, tells nothing of it. Where even the same facts were served another time, nobody can tell, and
all of them are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import combinations

from cancel_contracts.contract.compose import ASPECTS, Composition, Fact, fact
from cancel_contracts.contract.model import Clause
from cancel_contracts.exchange import Exchange, Situation

Facts = frozenset[Fact]
# Facets that hold where a call is served: what keeps one from it keeps it from the other.
SERVED = {"connection": "status", "accepts": "status"}


class Blame:
    """What was served and what deviated, facet by facet, in which facts."""

    def __init__(self, composition: Composition) -> None:
        self.composition = composition
        self._served: dict[str, set[Facts]] = defaultdict(set)
        self._deviating: dict[str, set[Facts]] = defaultdict(set)
        self._facts: dict[Situation, Facts | None] = {}

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

    def note(self, facet: str, exchange: Exchange) -> None:
        """Take note that a facet holds in a call; of those that were served, that counts."""
        if exchange.succeeded and (facts := self.facts(exchange.situation)) is not None:
            self._served[SERVED.get(facet, facet)].add(facts)

    def foreign(self, clause: Clause, facet: str, situation: Situation) -> bool:
        """Take note that a facet does not hold in a call, and return whether that call holds
        no fact to refuse, and some that the clause does not name.
        """
        facts = self.facts(situation)
        if facts is None or clause.given.get("any"):
            return False
        self._deviating[SERVED.get(facet, facet)].add(facts)
        return not {aspect for aspect, _ in facts} <= self._own(clause)

    @staticmethod
    def _own(clause: Clause) -> set[str]:
        return {a for a, keys in ASPECTS.items() if clause.given.keys() & set(keys)}

    def blames(self, clause: Clause, facet: str, situation: Situation) -> bool:
        """Whether a deviation of a facet in a call is held against a clause."""
        suspects = self._suspects(facet, self.facts(situation) or frozenset())
        own = self._own(clause)
        return not suspects or any(aspect in own for aspect, _ in suspects)

    def _suspects(self, facet: str, facts: Facts) -> Facts:
        facet = SERVED.get(facet, facet)
        served, deviating = self._served[facet], self._deviating[facet]
        for size in range(len(facts) + 1):
            sets = map(frozenset, combinations(sorted(facts, key=str), size))
            if guilty := [some for some in sets if not _held(some, served)]:
                explained = [sum(some <= other for other in deviating) for some in guilty]
                most = max(explained)
                kept = (g for g, n in zip(guilty, explained, strict=True) if n == most)
                return frozenset().union(*kept)
        return facts


def _held(some: Facts, served: Iterable[Facts]) -> bool:
    """Whether a call with these facts was served."""
    return any(some <= facts for facts in served)
