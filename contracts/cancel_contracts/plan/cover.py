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

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations, product
from typing import Any

from cancel_contracts.contract.compose import Composition, Fact, value, with_value
from cancel_contracts.contract.given import asked
from cancel_contracts.contract.model import Contract
from cancel_contracts.exchange import Situation

Pair = frozenset[tuple[str, Any]]
FREE = ("resource", "caller", "body", "content_type", "transfer", "extra", "method")


@dataclass(frozen=True)
class PairsMet:
    """Pairs of kinds of facts: how many meet in some call, of those that can."""

    met: int
    possible: int


@dataclass(frozen=True)
class _Choice:
    """A neutral value of an aspect: a situation that has it, its kind and the fact."""

    sample: Situation
    kind: tuple[str, Any]
    fact: Fact


@dataclass
class Cover:
    """The calls chosen so far and the pairs of kinds that meet in them. `may` says whether a call
    is one that this plan makes: what nobody asked for is held to it too.
    """

    composition: Composition
    may: Callable[[Situation], bool] = lambda _: True
    calls: list[Situation] = field(default_factory=list)
    met: set[Pair] = field(default_factory=set)

    def __post_init__(self) -> None:
        # Where no clause names a parameter, each call has them alike.
        named = any("parameter" in c.given for c in self.composition.contract.clauses)
        self._free = (*FREE, "parameter") if named else FREE
        self._kinds: dict[Fact, tuple[str, Any]] = {}
        self._samples: dict[str, dict[Any, Situation]] = {aspect: {} for aspect in self._free}
        self._used: dict[Fact, int] = {}
        # What each kind met, and what each value did.
        self._beside: dict[tuple[str, Any], set[tuple[str, Any]]] = {}
        self._near: dict[Fact, set[Fact]] = {}
        self._neutral: dict[str, list[_Choice]] = {}

    # --- facts and kinds --------------------------------------------------------------------------

    def learn(self, wanted: Iterable[Situation]) -> None:
        """Take note of the values that occur in what is wanted, and of the ordinary ones; but of
        no resource that nobody asks for: it may be one that is to be left alone.
        """
        wanted = list(wanted)
        self._neutral.clear()
        for aspect in self._free:
            ordinary = [] if aspect == "resource" else [self.composition.ordinary]
            for situation in [*ordinary, *wanted]:
                self._samples[aspect].setdefault(value(situation, aspect), situation)

    def kind(self, aspect: str, of: Situation) -> tuple[str, Any]:
        """Return the kind of a situation's value of an aspect."""
        fact = (aspect, value(of, aspect))
        if fact not in self._kinds:
            own = aspect == "resource" and of.resource in ("cancellable", "unknown")
            deciding = None if own else self.composition.decided_by.get(fact)
            self._kinds[fact] = (aspect, deciding or fact[1])
        return self._kinds[fact]

    def pairs(self, call: Situation) -> set[Pair]:
        """Return the pairs of kinds that meet in a call."""
        kinds = [self.kind(aspect, call) for aspect in self._free]
        return {frozenset(two) for two in combinations(kinds, 2)}

    @cached_property
    def possible(self) -> dict[Pair, tuple[Situation, list[str]]]:
        """The pairs that can meet, each with a call in which it does and its aspects.

        Of two facts that are not neutral one hides the other: whichever is looked at first decides.
        They meet on a resource that is asked for: a plan without any that exists names none.
        """
        kinds: dict[str, dict[tuple[str, Any], list[Situation]]] = {}
        for aspect, samples in self._samples.items():
            rows = kinds.setdefault(aspect, {})
            for sample in samples.values():
                rows.setdefault(self.kind(aspect, sample), []).append(sample)
        found: dict[Pair, tuple[Situation, list[str]]] = {}
        resources = list(self._samples["resource"].values())
        if not resources:
            return found
        neutral = next((s for s in resources if self._is_neutral(s, "resource")), resources[0])
        base = with_value(self.composition.ordinary, "resource", neutral)
        for a, b in combinations(self._free, 2):
            for (one, ones), (two, twos) in product(kinds[a].items(), kinds[b].items()):
                halves = (with_value(base, a, x) for x in ones)
                calls = (with_value(half, b, y) for half, y in product(halves, twos))
                call = next((c for c in calls if self._meets(c)), None)
                if call is not None:
                    found[frozenset((one, two))] = (call, [a, b])
        return found

    def _is_neutral(self, of: Situation, aspect: str) -> bool:
        return self.composition.standing(of, aspect).kind == "neutral"

    def _meets(self, call: Situation) -> bool:
        able = self.composition.can_meet(call) and not _hidden(call)
        return able and self.odd(call) <= 1 and self.may(call)

    def odd(self, call: Situation) -> int:
        """Return how many facts of a call are not neutral."""
        standing = self.composition.standing
        return sum(standing(call, a).kind != "neutral" for a in self.composition.facts(call))

    def pairs_met(self) -> PairsMet:
        """Return how many of the pairs that can meet do."""
        possible = self.possible.keys()
        return PairsMet(len(self.met & possible), len(possible))

    # --- choosing ---------------------------------------------------------------------------------

    def add(self, call: Situation) -> None:
        self.calls.append(call)
        self._use(call)
        if self.odd(call) > 1:
            return  # of two that are not neutral one hides what the other meets
        self.met |= self.pairs(call)
        kinds = {self.kind(aspect, call) for aspect in self._free}
        facts = {(aspect, value(call, aspect)) for aspect in self._free}
        for kind in kinds:
            self._beside.setdefault(kind, set()).update(kinds)
        for fact in facts:
            self._near.setdefault(fact, set()).update(facts)

    def _use(self, call: Situation) -> None:
        self._neutral.clear()
        for aspect in self._free:
            fact = (aspect, value(call, aspect))
            self._used[fact] = self._used.get(fact, 0) + 1

    def neutral(self, aspect: str) -> list[_Choice]:
        """Return every neutral value of an aspect, the least used first."""
        if aspect not in self._neutral:
            samples = self._samples[aspect].items()
            self._neutral[aspect] = sorted(
                (
                    _Choice(sample, self.kind(aspect, sample), (aspect, own))
                    for own, sample in samples
                    if self._is_neutral(sample, aspect)
                ),
                key=lambda choice: self._used.get(choice.fact, 0),
            )
        return self._neutral[aspect]

    def filled(self, base: Situation, fixed: Iterable[str]) -> Situation:
        """Return a call with its free aspects filled with neutral values."""
        kept = list(fixed)
        free = [aspect for aspect in self._free if aspect not in kept]
        turns = (free[at:] + free[:at] for at in range(max(1, len(free))))
        tried = [self._filled(base, kept, turn) for turn in turns]
        return max(tried, key=lambda call: len(self.pairs(call) - self.met))

    def second(self, call: Situation) -> Situation:
        """Return a second call in a row, by somebody who may and in neutral ways that few calls
        were made in, such that one of the calls may be the first.
        """
        served = filter(self.composition.served, self.calls)
        owners = {first.owner for first in served if first.state == call.state}
        callers = (choice.sample for choice in self.neutral("caller"))
        caller = next((s for s in callers if s.owner in owners), call)
        made = with_value(call, "caller", caller)
        made = self.filled(made, ("resource", "caller", "body", "method"))
        self._use(made)
        return made

    def _filled(self, base: Situation, fixed: list[str], free: list[str]) -> Situation:
        call = base
        kinds = {self.kind(s, base) for s in fixed}
        facts = {(s, value(base, s)) for s in fixed}
        for aspect in free:
            call = self._best(call, aspect, kinds, facts)
            kinds.add(self.kind(aspect, call))
            facts.add((aspect, value(call, aspect)))
        return call

    def _best(
        self, call: Situation, aspect: str, kinds: set[tuple[str, Any]], facts: set[Fact]
    ) -> Situation:
        """Return the call with the neutral value of an aspect that meets most new pairs with what
        is settled: of kinds first, then of the values themselves.
        """

        def score(choice: _Choice) -> tuple[int, int]:
            new = len(kinds - self._beside.get(choice.kind, set()))
            unmet = len(facts - self._near.get(choice.fact, set()))
            return (2 * new + (choice.fact not in self._used), unmet)

        for choice in sorted(self.neutral(aspect), key=score, reverse=True):
            other = with_value(call, aspect, choice.sample)
            if self.composition.can_meet(other):
                return other
        return call


def cover(
    composition: Composition,
    wanted: Sequence[Situation],
    limit: int,
    share: float = 1.0,
    may: Callable[[Situation], bool] = lambda _: True,
) -> Cover:
    """Return calls for every situation that is wanted, and for as many pairs as `limit` allows, up
    to a `share` of those that can meet in calls that the plan `may` make.

    Raises nothing: where `limit` does not reach all that is wanted, the first ones are chosen.
    """
    found = Cover(composition, may)
    found.learn([composition.ordinary, *wanted])
    standing, facts = composition.standing, composition.facts
    if composition.ordinary in wanted:
        found.add(composition.ordinary)
    own = [s for s in wanted if any(standing(s, a).kind != "neutral" for a in facts(s))]
    own.sort(key=lambda s: -len(facts(s)))  # what is free in the others fills the gaps
    compared = _compared(composition.contract)
    for situation in own:
        if len(found.calls) < limit:
            fixed = [*facts(situation), *(["extra"] if situation in compared else [])]
            found.add(found.filled(situation, fixed))
    for situation in wanted:
        if situation in own or len(found.calls) >= limit:
            continue
        if not any(composition.shows(call, situation) for call in found.calls):
            found.add(found.filled(situation, facts(situation)))
    possible = found.possible.keys()
    for call in _more(found):
        if len(found.calls) >= limit or len(found.met & possible) >= share * len(possible):
            break
        found.add(call)
    ordinary = composition.ordinary
    found.calls = [with_value(c, "caller", ordinary) if _hidden(c) else c for c in found.calls]
    return found


def _hidden(call: Situation) -> bool:
    """Whether what an odd id is read as does not show: its caller may touch but their own."""
    return call.resource == "odd" and call.owner is not None


def _compared(contract: Contract) -> set[Situation]:
    """Return the situations whose answers are held against each other: what is sent beside them is
    the same.
    """
    clauses = (clause for clause in contract.clauses if "alike" in clause.expect)
    return {situation for clause in clauses for situation in asked(contract, clause)}


def _more(found: Cover) -> Iterator[Situation]:
    """Yield calls for the pairs that have not met. Refused ones first: they share a resource; those
    that need another resource beside them last.
    """
    left = [(call, aspects) for pair, (call, aspects) in found.possible.items()]

    def price(row: tuple[Situation, list[str]]) -> int:
        return 2 * ("{neighbour}" in row[0].body.text) + (not found.composition.refused(row[0]))

    for call, aspects in sorted(left, key=price):
        if not found.pairs(call) <= found.met:
            yield found.filled(call, {*aspects, *found.composition.facts(call)})
