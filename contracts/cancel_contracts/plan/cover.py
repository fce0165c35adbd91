"""Cover: the calls of a plan, chosen so that as many pairs of facts as possible meet in some call.

What clauses ask for comes first: each fact that is refused or open has a call of its own, neutral
facts share calls. The aspects that a call leaves free are filled with neutral values, those that
meet most pairs that have not met before. Then, while the budget lasts, calls are added for the
pairs that are left.

Pairs are counted between *kinds* of values: those that one clause names together are one kind (the
seven permissions, the comments that are kept), but each state that can be cancelled is its own.
Pure and deterministic.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from cancel_contracts.contract.compose import Composition, Fact, value, with_value
from cancel_contracts.exchange import Situation

Pair = frozenset[tuple[str, Any]]
FREE = ("resource", "caller", "body", "content_type", "transfer", "extra", "method")


@dataclass(frozen=True)
class PairsMet:
    """Pairs of kinds of facts: how many meet in some call, of those that can."""

    met: int
    possible: int


@dataclass
class Cover:
    """The calls chosen so far and the pairs of kinds that meet in them."""

    composition: Composition
    calls: list[Situation] = field(default_factory=list)
    met: set[Pair] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._kinds: dict[Fact, Any] = {}
        self._samples: dict[str, dict[Any, Situation]] = {aspect: {} for aspect in FREE}
        self._used: dict[Fact, int] = {}

    # --- facts and kinds --------------------------------------------------------------------------

    def learn(self, wanted: Iterable[Situation]) -> None:
        """Take note of the values that occur in what is wanted, and of the ordinary ones; but of
        no resource that nobody asks for: it may be one that is to be left alone.
        """
        wanted = list(wanted)
        for aspect in FREE:
            ordinary = [] if aspect == "resource" else [self.composition.ordinary]
            for situation in [*ordinary, *wanted]:
                self._samples[aspect].setdefault(value(situation, aspect), situation)

    def kind(self, aspect: str, of: Situation) -> tuple[str, Any]:
        """Return the kind of a situation's value of an aspect."""
        fact = (aspect, value(of, aspect))
        if fact not in self._kinds:
            own = aspect == "resource" and of.resource in ("cancellable", "unknown")
            deciding = None if own else self.composition.decided_by.get(fact)
            self._kinds[fact] = deciding or fact[1]
        return (aspect, self._kinds[fact])

    def pairs(self, call: Situation) -> set[Pair]:
        """Return the pairs of kinds that meet in a call."""
        kinds = [self.kind(aspect, call) for aspect in FREE]
        return {frozenset(two) for two in combinations(kinds, 2)}

    def possible(self) -> dict[Pair, tuple[Situation, list[str]]]:
        """Return the pairs that can meet, each with a call in which it does and its aspects.

        Of two facts that are not neutral one hides the other: whichever is looked at first decides.
        They meet on a resource that is asked for: a plan without any that exists names none.
        """
        found: dict[Pair, tuple[Situation, list[str]]] = {}
        resources = [*self.neutral("resource"), *self._samples["resource"].values()]
        if not resources:
            return found
        base = with_value(self.composition.ordinary, "resource", resources[0])
        for a, b in combinations(FREE, 2):
            for one in self._samples[a].values():
                for two in self._samples[b].values():
                    call = with_value(with_value(base, a, one), b, two)
                    hidden = self.odd(call) > 1
                    if self.composition.can_meet(call) and not hidden:
                        pair = frozenset((self.kind(a, call), self.kind(b, call)))
                        found.setdefault(pair, (call, [a, b]))
        return found

    def odd(self, call: Situation) -> int:
        """Return how many facts of a call are not neutral."""
        standing = self.composition.standing
        return sum(standing(call, a).kind != "neutral" for a in self.composition.facts(call))

    def pairs_met(self) -> PairsMet:
        """Return how many of the pairs that can meet do."""
        possible = self.possible().keys()
        return PairsMet(len(self.met & possible), len(possible))

    # --- choosing ---------------------------------------------------------------------------------

    def add(self, call: Situation) -> None:
        self.calls.append(call)
        self.met |= self.pairs(call)
        for aspect in FREE:
            fact = (aspect, value(call, aspect))
            self._used[fact] = self._used.get(fact, 0) + 1

    def neutral(self, aspect: str) -> list[Situation]:
        """Return a situation for every neutral value of an aspect, the least used first."""
        samples = [
            s
            for s in self._samples[aspect].values()
            if self.composition.standing(s, aspect).kind == "neutral"
        ]
        return sorted(samples, key=lambda s: self._used.get((aspect, value(s, aspect)), 0))

    def filled(self, base: Situation, fixed: Iterable[str]) -> Situation:
        """Return a call with its free aspects filled with neutral values."""
        kept = list(fixed)
        free = [aspect for aspect in FREE if aspect not in kept]
        turns = (free[at:] + free[:at] for at in range(max(1, len(free))))
        tried = [self._filled(base, kept, turn) for turn in turns]
        return max(tried, key=lambda call: len(self.pairs(call) - self.met))

    def _filled(self, base: Situation, fixed: list[str], free: list[str]) -> Situation:
        call, settled = base, [*fixed]
        for aspect in free:
            call = self._best(call, aspect, settled)
            settled.append(aspect)
        return call

    def _best(self, call: Situation, aspect: str, settled: Sequence[str]) -> Situation:
        """Return the call with the neutral value of an aspect that meets most new pairs."""
        best, most = call, -1
        for sample in self.neutral(aspect):
            other = with_value(call, aspect, sample)
            if not self.composition.can_meet(other):
                continue
            kind = self.kind(aspect, other)
            new = sum(frozenset((kind, self.kind(s, other))) not in self.met for s in settled)
            unseen = (aspect, value(other, aspect)) not in self._used
            if (score := 2 * new + unseen) > most:
                best, most = other, score
        return best


def cover(
    composition: Composition, wanted: Sequence[Situation], limit: int, share: float = 1.0
) -> Cover:
    """Return calls for every situation that is wanted, and for as many pairs as `limit` allows, up
    to a `share` of those that can meet.

    Raises nothing: where `limit` does not reach all that is wanted, the first ones are chosen.
    """
    found = Cover(composition)
    found.learn(wanted)
    standing, facts = composition.standing, composition.facts
    if composition.ordinary in wanted:
        found.add(composition.ordinary)
    own = [s for s in wanted if any(standing(s, a).kind != "neutral" for a in facts(s))]
    for situation in own:
        if len(found.calls) < limit:
            found.add(found.filled(situation, facts(situation)))
    for situation in wanted:
        if situation in own or len(found.calls) >= limit:
            continue
        if not any(composition.shows(call, situation) for call in found.calls):
            found.add(found.filled(situation, facts(situation)))
    possible = found.possible().keys()
    for call in _more(found):
        if len(found.calls) >= limit or len(found.met & possible) >= share * len(possible):
            break
        found.add(call)
    return found


def _more(found: Cover) -> Iterator[Situation]:
    """Yield calls for the pairs that have not met. Refused ones first: they share a resource; those
    that need another resource beside them last.
    """
    left = [(call, aspects) for pair, (call, aspects) in found.possible().items()]

    def price(row: tuple[Situation, list[str]]) -> int:
        return 2 * ("{neighbour}" in row[0].body.text) + (not found.composition.refused(row[0]))

    for call, aspects in sorted(left, key=price):
        if not found.pairs(call) <= found.met:
            yield found.filled(call, {*aspects, *found.composition.facts(call)})
