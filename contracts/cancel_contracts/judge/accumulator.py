"""Accumulator: one clause, under one reading, held against one exchange after the other.

Keeps counts, and of the exchanges only what a verdict shows. Pure.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard, overload

from cancel_contracts.contract.given import kind_of
from cancel_contracts.contract.model import Clause
from cancel_contracts.exchange import Exchange, Situation
from cancel_contracts.journal import Exchanges
from cancel_contracts.judge.blame import Blame
from cancel_contracts.judge.callers import Findings
from cancel_contracts.judge.connection import connection
from cancel_contracts.judge.context import Context
from cancel_contracts.judge.effect import EFFECTS
from cancel_contracts.judge.entity import ENTITY
from cancel_contracts.judge.facets import FACETS, Facet, Finding, Told
from cancel_contracts.judge.overall import OVERALL
from cancel_contracts.judge.whole import WHOLE
from cancel_contracts.needs import NO_GET, Gap, inconclusive

SINGLE: dict[str, Facet] = {
    **FACETS,
    **EFFECTS,
    **ENTITY,
    **WHOLE,
    "connection": connection,
}
# Facets whose value lists what is to be judged item by item.
LISTED = frozenset({"error", "header", "entity", "keeps"})
UNSEEN = inconclusive(
    "a look at the resource went unanswered or was refused: not all of it is known"
)
# Deviations are shown one a situation. The plan's own come first, what `deep` draws after them.
SITUATIONS = 200


@dataclass(frozen=True)
class Evidence:
    """One exchange that a clause is judged by, what was expected of it and what came. `facets`
    are those that deviate.
    """

    exchange: Exchange
    expected: str
    actual: str
    facets: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int, int]:
        """How much there is to read: the least is shown first."""
        x = self.exchange
        return (x.position, len(x.sent.body) + len(x.sent.url), x.scenario)


class Spoken(Sequence[Exchange]):
    """The exchanges of a journal that a clause speaks of, read as they are asked for."""

    def __init__(self, exchanges: Exchanges) -> None:
        self._exchanges = exchanges
        self._at = array("L")

    def append(self, at: int) -> None:
        self._at.append(at)

    def drop(self, unwanted: Callable[[Exchange], bool]) -> None:
        self._at = array("L", (at for at in self._at if not unwanted(self._exchanges[at])))

    def __len__(self) -> int:
        return len(self._at)

    @overload
    def __getitem__(self, at: int) -> Exchange: ...

    @overload
    def __getitem__(self, at: slice) -> list[Exchange]: ...

    def __getitem__(self, at: int | slice) -> Exchange | list[Exchange]:
        if isinstance(at, slice):
            return [self._exchanges[i] for i in self._at[at]]
        return self._exchanges[self._at[at]]

    def __iter__(self) -> Iterator[Exchange]:
        return (self._exchanges[at] for at in self._at)


@dataclass
class Accumulator:
    """What came of a clause. `wanted` are the situations that it asks for.

    An exchange upholds the clause where each item of each facet was judged, but for those that it
    tells nothing of by its nature. Where one could not be judged the gap is kept: by situation for
    those wanted, and once of each kind for all.
    """

    clause: Clause
    reading: str | None
    expect: Mapping[str, Any]
    wanted: frozenset[Situation]
    spoken: Spoken
    good: int = 0
    part: int = 0  # exchanges of which some facets were judged, and none deviates
    bad: int = 0
    witness: Evidence | None = None
    _rank: tuple[bool, tuple[int, int, int]] = (True, (0, 0, 0))  # of the witness
    deviations: dict[Situation, Evidence] = field(default_factory=dict)
    told: set[Situation] = field(default_factory=set)  # of those wanted: what was judged whole
    gaps: dict[Situation, dict[Gap, None]] = field(default_factory=dict)  # of those wanted
    seen_gaps: dict[Gap, None] = field(default_factory=dict)
    doubts: dict[Gap, None] = field(default_factory=dict)  # of the whole, whatever else is good
    tried: dict[Situation, Exchange] = field(default_factory=dict)  # of those wanted
    own: set[Situation] = field(default_factory=set)  # that stand for one of those wanted
    suspected: dict[tuple[str, Situation], list[Evidence]] = field(default_factory=dict)

    @property
    def overall(self) -> bool:
        """Whether no single exchange can answer for it: it is judged at the end."""
        return any(name in OVERALL for name in self.expect)

    @property
    def of_connections(self) -> bool:
        """Whether it speaks of any call, or of connections: what was made anew it takes too."""
        return bool(self.clause.given.get("any")) or "connection" in self.expect

    def take(
        self,
        context: Context,
        blame: Blame,
        at: int,
        exchange: Exchange,
        instead: Mapping[str, Any] | None = None,
        stands: Situation | None = None,
    ) -> None:
        """Take one exchange that the clause speaks of; `instead` is what it expects of a call that
        is refused for another reason too, `stands` the situation that the call stands for.
        """
        stands = stands or kind_of(exchange.situation)
        self.spoken.append(at)
        if stands in self.wanted:
            self.own.add(exchange.situation)
            self.tried.setdefault(stands, exchange)
        if not self.overall:
            self._weigh(context, exchange, stands, instead or self.expect, [], blame)

    def close(self, context: Context, blame: Blame) -> None:
        """Judge what only the whole can show, of calls that no form was declined in."""
        if not self.overall:
            return
        if blame.forms.any:
            self.spoken.drop(lambda exchange: blame.declined(self.clause, exchange))
        tables: dict[str, Findings] = {
            name: OVERALL[name](context, self.spoken, wanted)
            for name, wanted in self.expect.items()
            if name in OVERALL
        }
        for at, exchange in enumerate(self.spoken):
            over = [(name, row.get(at)) for name, row in tables.items()]
            stands = context.composition.stands_for(self.clause, kind_of(exchange.situation))
            self._weigh(context, exchange, stands, self.expect, over)

    def _weigh(
        self,
        context: Context,
        exchange: Exchange,
        stands: Situation,
        expect: Mapping[str, Any],
        over: Sequence[tuple[str, Told]],
        blame: Blame | None = None,
    ) -> None:
        if exchange.failure == "proxy":  # whether the target has seen the call nobody knows
            gap = inconclusive(f"no answer of the target ({exchange.detail})")
            return self._lacks(False, stands, [gap])
        checked = [(name, facet(context, exchange, item)) for name, facet, item in _checks(expect)]
        rows = [*checked, *over]
        every = [told for _, told in rows]
        findings = [told for told in every if isinstance(told, Finding)]
        if failed := next((f for f in findings if not f.ok), None):
            facets = (name for name, told in rows if isinstance(told, Finding) and not told.ok)
            names = tuple(dict.fromkeys(facets))
            found = Evidence(exchange, failed.expected, failed.actual, names)
            if blame and blame.foreign(self.clause, names[0], exchange.situation):
                self.suspected.setdefault((names[0], exchange.situation), []).append(found)
            else:
                self.bad += 1
                self._deviates(found)
        elif gaps := [told for told in every if isinstance(told, Gap)]:
            self.doubts |= {told: None for _, told in over if _doubt(told)}
            self.part += bool(findings)
            self._lacks(context.sight.unseen(exchange), stands, gaps)
        elif findings:
            self.good += 1
            found = Evidence(exchange, findings[0].expected, findings[0].actual)
            own = kind_of(exchange.situation) in self.wanted  # rather than one that stands for it
            if self.witness is None or (not own, found.size) < self._rank:
                self.witness, self._rank = found, (not own, found.size)
            if stands in self.wanted:
                self.told.add(stands)
        if blame and not failed:
            for name, told in checked:
                # That nothing changes, or stays as it was, tells of no call that took effect.
                idle = name == "effect" and expect[name] in ("none", "kept")
                if isinstance(told, Finding) and not idle:
                    blame.note(name, exchange)

    def convict(self, blame: Blame) -> None:
        """Decide of the deviations in calls with other facts whether they are the clause's own."""
        for (facet, situation), suspected in self.suspected.items():
            found = [e for e in suspected if not blame.declined(self.clause, e.exchange)]
            if found and blame.blames(self.clause, facet, situation):
                self.bad += len(found)
                for evidence in found:
                    self._deviates(evidence)

    def _lacks(self, unseen: bool, stands: Situation, gaps: Sequence[Gap]) -> None:
        for gap in gaps:
            found = UNSEEN if gap == NO_GET and unseen else gap
            if len(self.seen_gaps) < SITUATIONS:
                self.seen_gaps[found] = None
            if stands in self.wanted:
                self.gaps.setdefault(stands, {})[found] = None

    def _deviates(self, found: Evidence) -> None:
        situation = found.exchange.situation
        known = self.deviations.get(situation)
        if known is None and len(self.deviations) >= SITUATIONS:
            return
        if known is None or found.size < known.size:
            self.deviations[situation] = found

    def violations(self) -> tuple[Evidence, ...]:
        """Return a deviation for each situation that has one, the shortest first: of those that
        the clause asks for before others.
        """
        rows = sorted(self.deviations.items(), key=lambda r: (r[0] not in self.own, r[1].size))
        return tuple(found for _, found in rows)


def _doubt(told: Told) -> TypeGuard[Gap]:
    return isinstance(told, Gap) and told.word == "inconclusive"


def _checks(expect: Mapping[str, Any]) -> Iterator[tuple[str, Facet, Any]]:
    """Yield what a single exchange is held against, item by item, with the facet's name."""
    for name, value in expect.items():
        if name in SINGLE:
            for item in value if name in LISTED else [value]:
                yield name, SINGLE[name], item
