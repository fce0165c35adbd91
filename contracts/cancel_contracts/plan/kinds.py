"""Kinds: the values that the calls of a plan may have, and which of them meet in a call.

Values that one clause names together are one kind (the seven permissions, the comments that are
kept), but each state that can be cancelled is its own. What is not neutral hides how the others go
together: a call that is refused for its body tells nothing of what its caller may do in that state.
Beside one such fact each meets that alone; two of them meet each other alone. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product
from typing import Any, TypeVar

from cancel_contracts.contract.compose import Composition, Fact, value, with_value
from cancel_contracts.contract.credentials import needs_token
from cancel_contracts.contract.given import asked
from cancel_contracts.contract.model import Contract
from cancel_contracts.exchange import Situation

Meeting = frozenset[int]  # the numbers of facts, or of kinds of them, that meet
Told = TypeVar("Told")  # by what the facts of a call are told
FREE = ("resource", "caller", "body", "content_type", "transfer", "extra", "method")


@dataclass(frozen=True)
class PairsMet:
    """Pairs of kinds of facts: how many meet in some call, of those that can."""

    met: int
    possible: int


@dataclass
class Kinds:
    """The values that occur in what is wanted. `may` says whether a call is one that the plan
    makes: what nobody asked for is held to it too.
    """

    composition: Composition
    may: Callable[[Situation], bool] = lambda _: True

    def __post_init__(self) -> None:
        # Where no clause names a parameter, each call has them alike.
        named = any("parameter" in c.given for c in self.composition.contract.clauses)
        self.aspects = (*FREE, "parameter") if named else FREE
        self.samples: dict[str, dict[Any, Situation]] = {aspect: {} for aspect in self.aspects}
        self._kinds: dict[Fact, int] = {}
        self._numbers: dict[Fact, int] = {}  # compared and hashed far faster than the facts

    def learn(self, wanted: Iterable[Situation]) -> None:
        """Take note of the values that occur in what is wanted, and of the ordinary ones; but of
        no resource that nobody asks for: it may be one that is to be left alone.
        """
        wanted = list(wanted)
        for aspect in self.aspects:
            ordinary = [] if aspect == "resource" else [self.composition.ordinary]
            for situation in [*ordinary, *wanted]:
                self.samples[aspect].setdefault(value(situation, aspect), situation)

    def kind(self, aspect: str, of: Situation) -> int:
        """Return the number of the kind of a situation's value of an aspect."""
        fact = (aspect, value(of, aspect))
        if fact not in self._kinds:
            own = aspect == "resource" and of.resource in ("cancellable", "unknown")
            deciding = None if own else self.composition.decided_by.get(fact)
            self._kinds[fact] = self.numbered((aspect, deciding or fact[1]))
        return self._kinds[fact]

    def fact(self, aspect: str, of: Situation) -> int:
        """Return the number of a situation's value of an aspect."""
        return self.numbered((aspect, value(of, aspect)))

    def refusal(self, aspect: str, of: Situation) -> int:
        """Return the number of what is done to a call for a value that is not neutral, the same for
        all that are refused alike; of a neutral one that of its kind.
        """
        standing = self.composition.standing(of, aspect)
        if standing.kind == "neutral":
            return self.kind(aspect, of)
        # Nobody's call, and one on nothing, take another way through a server.
        way = {"caller": needs_token(of.identity), "resource": of.resource}.get(aspect)
        return self.numbered((aspect, (standing, way)))

    def numbered(self, fact: Fact) -> int:
        """Return the number of a fact, or of a kind of them: the same each time."""
        return self._numbers.setdefault(fact, len(self._numbers))

    def meeting(
        self,
        of: Callable[[str, Situation], Told],
        call: Situation,
        size: int,
        among: Sequence[str] = (),
    ) -> set[frozenset[Told]]:
        """Return the facts of a call, or their kinds (`of`), that meet in it, so many together,
        `among` some aspects or all.
        """
        aspects, odd = among or self.aspects, self.odd(call)
        if len(odd) > size or not {*odd}.issubset(aspects):
            return set()
        always = [of(aspect, call) for aspect in odd]
        others = [of(aspect, call) for aspect in aspects if aspect not in odd]
        return {frozenset((*always, *some)) for some in combinations(others, size - len(odd))}

    def pairs(self, call: Situation) -> set[Meeting]:
        """Return the pairs of kinds that meet in a call."""
        return self.meeting(self.kind, call, 2)

    def by_kind(self, aspect: str) -> list[list[Situation]]:
        """Return a situation with each value of an aspect, those of one kind together."""
        rows: dict[int, list[Situation]] = {}
        for sample in self.samples[aspect].values():
            rows.setdefault(self.kind(aspect, sample), []).append(sample)
        return [*rows.values()]

    def of(self, values: Mapping[str, Situation]) -> Situation:
        """Return an ordinary call with some aspects as situations have them, on a resource that is
        asked for: a plan without any that exists names none.
        """
        call = self._base
        for aspect, other in values.items():
            call = with_value(call, aspect, other)
        return call

    @cached_property
    def _base(self) -> Situation:
        asked_for = [*self.samples["resource"].values()]
        neutral = next((s for s in asked_for if self.is_neutral(s, "resource")), asked_for[0])
        return with_value(self.composition.ordinary, "resource", neutral)

    @cached_property
    def possible(self) -> dict[Meeting, tuple[Situation, Sequence[str]]]:
        """The pairs of kinds that can meet, each with a call in which it does and its aspects.

        Of two facts that are not neutral one hides the other: whichever is looked at first decides.
        """
        if not self.samples["resource"]:
            return {}
        found: dict[Meeting, tuple[Situation, Sequence[str]]] = {}
        rows = {
            aspect: [[(s, not self.is_neutral(s, aspect)) for s in row] for row in own]
            for aspect, own in ((aspect, self.by_kind(aspect)) for aspect in self.aspects)
        }
        for a, b in combinations(self.aspects, 2):
            most = int(self.tells((a, b)))
            for ones, twos in product(rows[a], rows[b]):
                both = product(ones, twos)
                shown = ((one, two) for (one, odd), (two, other) in both if odd + other <= most)
                calls = (self.of({a: one, b: two}) for one, two in shown)
                if (call := next(filter(self.can, calls), None)) is not None:
                    met = self.meeting(self.kind, call, 2, (a, b))
                    found |= dict.fromkeys(met, (call, (a, b)))
        return found

    def tells(self, aspects: Iterable[str]) -> bool:
        """Whether a call with some aspects changed hides none of these where one of its facts is
        not neutral: the resource of an ordinary call is neutral, or is one of them.
        """
        return self.serves or "resource" in aspects

    @cached_property
    def serves(self) -> bool:
        """Whether the resource of an ordinary call is neutral."""
        return self.is_neutral(self._base, "resource")

    def is_neutral(self, of: Situation, aspect: str) -> bool:
        return self.composition.standing(of, aspect).kind == "neutral"

    def can(self, call: Situation) -> bool:
        """Whether a call can be made, by this plan."""
        return self.composition.can_meet(call) and self.may(call) and not hidden(call)

    def odd(self, call: Situation) -> list[str]:
        """Return the aspects of a call that are not neutral."""
        return [aspect for aspect, _ in self.composition.read(call).hiding]


def role(call: Situation) -> str:
    """Return by which branch of a server a caller goes: as owner, as application or as a user."""
    if call.by_owner:
        return "owner"
    return "application" if call.identity.partition(":")[0] in ("app", "application") else "user"


def hidden(call: Situation) -> bool:
    """Whether what an odd id is read as does not show: its caller may touch but their own."""
    return call.resource == "odd" and call.owner is not None


def compared(contract: Contract) -> set[Situation]:
    """Return the situations whose answers are held against each other: what is sent beside them is
    the same.
    """
    clauses = (clause for clause in contract.clauses if "alike" in clause.expect)
    return {situation for clause in clauses for situation in asked(contract, clause)}
