"""Cover: the calls of a plan, chosen so that as many pairs of facts as possible meet in some call.

What clauses ask for comes first: each fact that is refused or open has a call of its own, neutral
facts share calls. The aspects that a call leaves free are filled with neutral values, those that
meet most pairs that have not met before. Then, while the budget lasts, calls are added for the
pairs that are left, those first in which most meet. Pairs are counted between kinds (kinds.py).
Pure and deterministic.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from heapq import heapify, heappop, heapreplace

from cancel_contracts.contract.compose import Composition, Fact, with_value
from cancel_contracts.contract.model import Clause
from cancel_contracts.exchange import Situation
from cancel_contracts.plan.kinds import Kinds, Meeting, PairsMet, compared, hidden, role

UNSHOWN = 3  # how many pairs a value counts that no call has shown which is served

# Of the extras, those by which a server may choose who answers, or how: beside what has ended, and
# beside an id of nothing, the last first, and each before one of them comes again.
CHOSEN_BY = {"final": ("bare", "browser", "query"), "unknown": ("query", "browser")}

FOR_THE_WAY_IN = 10  # calls that are left to it where enough pairs meet


@dataclass(frozen=True)
class _Choice:
    """A neutral value of an aspect: a situation that has it, its kind and the fact."""

    sample: Situation
    kind: int
    fact: int


@dataclass
class Cover(Kinds):
    """The calls chosen so far and the pairs of kinds that meet in them."""

    share: float = 1.0  # of the pairs that can meet
    calls: list[Situation] = field(default_factory=list)
    met: set[Meeting] = field(default_factory=set)
    asked_for: int = 0  # how many of the calls clauses ask for: the first ones

    def __post_init__(self) -> None:
        super().__post_init__()
        self._used: dict[int, int] = {}
        self._shown: set[int] = set()  # in a call that is to be served
        self._again = Counter[str]()  # the roles of those who call a second time
        self._beside: dict[int, int] = {}  # what each kind met, and each value: of both, as bits
        self._choices: dict[str, list[_Choice]] = {}  # the neutral ones, as they were learned
        self._neutral: dict[str, list[_Choice]] = {}
        self._alike: dict[tuple[Fact, ...], list[Situation]] = {}

    def learn(self, wanted: Iterable[Situation]) -> None:
        super().learn(wanted)
        self._neutral.clear()
        self._choices = {
            aspect: [
                _Choice(sample, self.kind(aspect, sample), self.fact(aspect, sample))
                for sample in samples.values()
                if self.is_neutral(sample, aspect)
            ]
            for aspect, samples in self.samples.items()
        }

    def pairs_met(self) -> PairsMet:
        """Return how many of the pairs that can meet do."""
        possible = self.possible.keys()
        return PairsMet(len(self.met & possible), len(possible))

    def in_place(self, at: int, call: Situation) -> bool:
        """Make a call in place of one that nobody asked for, unless too few pairs would meet."""
        calls = [*self.calls[:at], call, *self.calls[at + 1 :]]
        met = {pair for each in calls for pair in self.pairs(each)}
        spared = at >= self.asked_for and self.enough(met)
        if spared:
            self.calls, self.met = calls, met
        return spared

    def enough(self, met: set[Meeting]) -> bool:
        """Whether so many pairs are the share that is to meet."""
        possible = self.possible.keys()
        return len(met & possible) >= self.share * len(possible)

    def add(self, call: Situation) -> None:
        self.calls.append(call)
        self._alike.setdefault(self.composition.read(call).hiding, []).append(call)
        self._use(call)
        self.met |= self.pairs(call)
        if self.composition.served(call):
            self._shown |= {self.fact(aspect, call) for aspect in self.aspects}
        for one, other in self.meeting(lambda a, x: (self.kind(a, x), self.fact(a, x)), call, 2):
            for some, met in ((one, other), (other, one)):
                bits = 1 << met[0] | 1 << met[1]
                for number in some:
                    self._beside[number] = self._beside.get(number, 0) | bits

    def alike(self, situation: Situation) -> Sequence[Situation]:
        """Return the calls that were added, of whose facts the same are not neutral: no other can
        show the situation.
        """
        return self._alike.get(self.composition.read(situation).hiding, ())

    def _use(self, call: Situation) -> None:
        self._neutral.clear()
        for aspect in self.aspects:
            fact = self.fact(aspect, call)
            self._used[fact] = self._used.get(fact, 0) + 1

    def neutral(self, aspect: str) -> list[_Choice]:
        """Return every neutral value of an aspect, the least used first."""
        if aspect not in self._neutral:
            used = self._used
            by_use = sorted(self._choices[aspect], key=lambda choice: used.get(choice.fact, 0))
            self._neutral[aspect] = by_use
        return self._neutral[aspect]

    def filled(self, base: Situation, fixed: Iterable[str]) -> Situation:
        """Return a call with its free aspects filled with neutral values."""
        kept = list(fixed)
        free = [aspect for aspect in self.aspects if aspect not in kept]
        if odd := self.odd(base):  # beside that nothing else counts
            return self._filled(base, odd, free)
        turns = (free[at:] + free[:at] for at in range(max(1, len(free))))
        tried = [self._filled(base, kept, turn) for turn in turns]
        return max(tried, key=self.new)

    def new(self, call: Situation) -> int:
        """Return how many pairs meet in a call that have met in none before."""
        return len(self.pairs(call) - self.met)

    def second(self, call: Situation) -> Situation:
        """Return a second call in a row, by somebody who may and in neutral ways that few calls
        were made in, such that one of the calls may be the first: by its owner where one was.
        """
        served = filter(self.composition.served, self.calls)
        owners = {first.owner for first in served if first.state == call.state}
        those = [c.sample for c in self.neutral("caller") if c.sample.owner in owners]
        those.sort(key=lambda s: (not s.by_owner, self._again[role(s)]))  # roles in turn
        made = with_value(call, "caller", next(iter(those), call))
        made = self.filled(made, ("resource", "caller", "body", "method"))
        self._again[role(made)] += 1
        self._use(made)
        return made

    def _filled(self, base: Situation, told: list[str], free: list[str]) -> Situation:
        """Return a call with its free aspects filled such that they meet those that are told."""
        call, odd, kinds, facts = base, self.odd(base), 0, 0
        for aspect in told:
            kinds |= 1 << self.kind(aspect, base)
            facts |= 1 << self.fact(aspect, base)
        for aspect in free:
            call = self._best(call, aspect, kinds, facts, odd)
            if not odd:
                kinds |= 1 << self.kind(aspect, call)
                facts |= 1 << self.fact(aspect, call)
        return call

    def _best(
        self, call: Situation, aspect: str, kinds: int, facts: int, odd: Sequence[str]
    ) -> Situation:
        """Return the call with the neutral value of an aspect that meets most new pairs with what
        is settled: of kinds first, then of the values themselves. What no call that is served has
        shown counts most there, for it would need one of its own. Beside what is refused, which
        has few calls, stands rather what is not ordinary, for the rest is tried by everybody: each
        value that is refused meets such a kind, and those of one kind another value each; what has
        ended is asked for by owners, applications and users in turn. `kinds` and `facts` have a bit
        for each number.
        """
        chosen_by = CHOSEN_BY.get(call.resource, ()) if aspect == "extra" and odd else ()
        ended = aspect == "caller" and odd and call.resource == "final"
        here = [c for c in self.calls if c.resource == call.resource] if chosen_by or ended else []
        alike = [c for c in here if chosen_by and self.odd(c) == odd]
        roles = Counter(map(role, here)) if ended else {}
        # Each of these values does another thing, or has ended in another way.
        own = "method" in odd or call.resource in CHOSEN_BY

        def score(choice: _Choice) -> tuple[int, int, bool, int]:
            of_kind = self._beside.get(choice.kind, 0)
            of_value = self._beside.get(choice.fact, 0)
            new = (kinds & ~of_kind).bit_count()
            unmet = (facts & ~of_value).bit_count()
            if odd:
                unlike = facts & ~of_kind != 0 if own and aspect != "resource" else new > 0
                seldom = unlike and choice.fact != self.fact(aspect, self.composition.ordinary)
                fresh = (kinds & ~of_value).bit_count()
                chosen = fresh and choice.sample.extra in chosen_by
                turn = chosen_by.index(choice.sample.extra) if chosen else 0
                again = len(chosen_by) * sum(c.extra == choice.sample.extra for c in alike)
                first = 1 + turn - again if chosen else -(len(chosen_by) ** 2)
                first -= roles.get(role(choice.sample), 0)
                return first, new, seldom, unmet + fresh
            new += UNSHOWN * (choice.fact not in self._shown)
            return 0, 2 * new + (choice.fact not in self._used), False, unmet

        for choice in sorted(self.neutral(aspect), key=score, reverse=True):
            other = with_value(call, aspect, choice.sample)
            if self.composition.can_meet(other) and not hidden(other):
                return other
        return call


def cover(
    composition: Composition,
    wanted: Sequence[Situation],
    limit: int,
    share: float = 1.0,
    may: Callable[[Situation], bool] = lambda _: True,
    seconds: Sequence[Situation] = (),
    beside: Sequence[Situation] = (),
    near: Sequence[Situation] = (),
    clauses: Sequence[Clause] = (),
    for_pairs: int | None = None,
) -> Cover:
    """Return calls for every situation that is wanted, and for as many pairs as `limit` allows, or
    `for_pairs`, up to a `share` of those that can meet in calls that the plan `may` make. Each of
    `seconds` finds one that is served to follow, beside the ordinary call. What is wanted meets
    what stands `beside` it, too. A call serves for a situation where the `clauses` that ask for it
    take it so; one on a connection that was used before for nothing that is `near`: no other
    resource stands there.

    Raises nothing: where `limit` does not reach all that is wanted, the first ones are chosen.
    """
    found = Cover(composition, may, share)
    found.learn([*wanted, *beside])
    standing, facts = composition.standing, composition.facts
    if composition.ordinary in wanted:
        found.add(composition.ordinary)
    wanted = sorted(wanted, key=lambda s: s.call != "reused")  # calls of its own hang on it
    own = [s for s in wanted if any(standing(s, a).kind != "neutral" for a in facts(s))]
    # What is free in the others fills the gaps: in what is safe rather the ordinary.
    own.sort(key=lambda s: (-len(facts(s)), s.method not in ("GET", "HEAD", "OPTIONS")))
    alike = compared(composition.contract)

    def taken(call: Situation, situation: Situation) -> Situation:
        """Return a filled call, or the bare one: what fills it may be what a clause names."""
        return call if composition.exercises(call, situation, clauses) else situation

    for situation in own:
        shown = situation not in alike and any(
            composition.exercises(call, situation, clauses) for call in found.alike(situation)
        )
        if not shown and len(found.calls) < limit:
            fixed = [*facts(situation), *(["extra"] if situation in alike else [])]
            found.add(taken(found.filled(situation, fixed), situation))
    for situation in wanted:
        if situation in own or len(found.calls) >= limit:
            continue
        calls = (c for c in found.alike(situation) if c.call != "reused" or situation not in near)
        if not any(composition.exercises(call, situation, clauses) for call in calls):
            found.add(taken(found.filled(situation, facts(situation)), situation))
    for second in seconds:
        served = (c for c in found.calls if composition.served(c) and c.call == "first")
        firsts = sum(c.state == second.state and c != composition.ordinary for c in served)
        if firsts < sum(other.state == second.state for other in seconds):
            found.add(found.filled(replace(second, call="first"), ["resource"]))
    found.asked_for, more = len(found.calls), _more(found)
    limit = limit if for_pairs is None else for_pairs
    # Where enough pairs meet, the way in has calls left; what is refused shares a resource.
    while len(found.calls) < limit - FOR_THE_WAY_IN * found.enough(found.met) and (
        call := next(more, None)
    ):
        if composition.refused(call) or not found.enough(found.met):
            found.add(call)
    return found


def _more(found: Cover) -> Iterator[Situation]:
    """Yield calls for the pairs that have not met, such that most meet in the next one. A refused
    call may have two pairs less, for it shares a resource; one that needs another beside it has
    more.
    """

    def price(call: Situation) -> int:
        return 2 * ("{neighbour}" in call.body.text) + 2 * (not found.composition.refused(call))

    wishes = list(found.possible.items())

    def row(place: int) -> tuple[int, int, Situation]:
        call, aspects = wishes[place][1]
        best = found.filled(call, {*aspects, *found.composition.facts(call)})
        return price(best) - found.new(best), place, best

    # What a call gains falls as others are made: only the first of the heap is tried anew.
    heap = [row(place) for place in range(len(wishes))]
    heapify(heap)
    while heap:
        gain, place, _ = heap[0]
        if wishes[place][0] in found.met:
            heappop(heap)
        elif (now := row(place))[0] > gain:
            heapreplace(heap, now)
        else:
            heappop(heap)
            yield now[-1]
