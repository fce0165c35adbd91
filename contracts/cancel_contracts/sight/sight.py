"""Sight: what the looks at resources show, told exchange by exchange.

The run holds one while it goes, the judge builds one from the journal: fed the same exchanges in
the same order, both come to the same answers, so that nothing is decided twice. Pure.

Where a page names the state that a cancel leads to, that state is its effect. Where none does, any
change is, but for what changes by itself (*volatile*): running numbers, and properties that were
seen to differ from look to look with no call between. A change of the state is believed at once,
any other (`servedAt`, `updatedAt`, `upFor: 12 s`) when it was seen to stand still.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Literal, TypeVar

from cancel_contracts.contract.model import Contract
from cancel_contracts.exchange import Exchange
from cancel_contracts.journal import Exchanges
from cancel_contracts.sight.observation import (
    Observation,
    changed,
    is_cancelled,
    observe,
    shown,
    substance,
)

Effect = Literal["cancelled", "not", "unknown"]
Key = TypeVar("Key")
Row = TypeVar("Row")

SCENES = 16  # scenarios whose looks are kept at hand
SERIES = 256  # series of looks that are followed at a time
# A property that stood so long is no clock that counts seconds.
STILL_SECONDS = 1.2
MOVES = 3  # changes since a call, the state apart, that make a clock of a property


@dataclass(frozen=True)
class Scene:
    """One scenario: its calls, and its looks by the role of what was looked at."""

    calls: Sequence[Exchange]
    looks: Mapping[str, Sequence[Observation]]

    @property
    def end(self) -> int:
        """The position of its last call."""
        return max((call.position for call in self.calls), default=0)


@dataclass
class _Series:
    """Looks at one resource with no call between them. `moves` counts by property."""

    began: int  # how many exchanges there were before it
    former: Exchange
    since: dict[str, float] = field(default_factory=dict)  # when a property was as it is, first
    moves: dict[str, int] = field(default_factory=dict)


class Sight:
    """What the exchanges of one contract, shown in their order, tell of resources."""

    def __init__(self, contract: Contract, exchanges: Exchanges) -> None:
        """Take the exchanges that looks are to be read from; each is to be noted once it is in."""
        self.life, self._exchanges = contract.lifecycle, exchanges
        # None: never tried; False: the target has no GET that shows a resource which exists.
        self.observable: bool | None = None
        self.volatile: frozenset[str] = frozenset()
        self._still: frozenset[str] = frozenset()
        self._compared = False
        self._blind: set[int] = set()  # scenarios with a look that went unanswered
        self._mute: set[int] = set()  # and with one that was put off, or failed
        self._calls_on: dict[str, list[float]] = {}  # when calls on a resource began
        self._scenes: OrderedDict[int, Scene] = OrderedDict()
        self._count = 0  # of exchanges so far
        # Calls that may take effect, late too: their scenarios, and the last one on each resource.
        self._acted: set[int] = set()
        self._acted_on: dict[str, int] = {}
        self._series: OrderedDict[tuple[int, str, str, int], _Series] = OrderedDict()

    def note(self, exchange: Exchange) -> None:
        """Take the next exchange."""
        if exchange.way_in:
            return
        self._scenes.pop(exchange.scenario, None)
        self._count += 1
        if exchange.kind == "cancel":
            if exchange.situation.resource == "cancellable":
                self._calls_on.setdefault(exchange.resource, []).append(exchange.started)
            if not exchange.refused:
                self._acted.add(exchange.scenario)
                self._acted_on[exchange.resource] = self._count
            return
        if exchange.unanswered:
            self._blind.add(exchange.scenario)
        elif exchange.status in (401, 429) or (exchange.status or 0) >= 500:
            self._mute.add(exchange.scenario)
        if not self.observable and exchange.position == 0 and _exists(exchange):
            seen = observe(exchange)
            if not exchange.unanswered:
                self.observable = seen is not None and not seen.gone
        if not self.life.after:
            self._follow(exchange)

    # What changes by itself. Asked only where any change may be an effect.

    def _follow(self, look: Exchange) -> None:
        key = (look.scenario, look.role, look.resource, look.position)
        series = self._series.get(key)
        if series is None:
            _touch(self._series, key, _Series(self._count, look), SERIES)
            return
        self._series.move_to_end(key)
        former, series.former = observe(series.former), look
        seen = observe(look)
        if former is None or seen is None or former.entity is None or seen.entity is None:
            return
        was, now = former.entity, seen.entity
        names = frozenset(name for name in {*was, *now} if was.get(name) != now.get(name))
        if self._untouched(series):
            # A state may move on once without making it a property that says nothing.
            self.volatile |= names - set(self.life.shows) if self._compared else names
            self._compared = True
        else:
            self._time(series, former.exchange.started, look.started, {*was, *now}, names)

    def _untouched(self, series: _Series) -> bool:
        """Whether no call may have changed the resource: none of the scenario, none meanwhile."""
        acted = self._acted_on.get(series.former.resource, 0) > series.began
        return not acted and series.former.scenario not in self._acted

    def _time(
        self, series: _Series, was: float, now: float, every: set[str], moved: frozenset[str]
    ) -> None:
        """Tell a clock from what a cancel has written, while its effect may be due."""
        for name in every:
            if name not in moved:
                if now - series.since.setdefault(name, was) >= STILL_SECONDS:
                    self._still |= {name}
                continue
            series.since.pop(name, None)
            steps = bool(moved & set(self.life.shows))  # an effect may show in several
            series.moves[name] = 0 if steps else series.moves.get(name, 0) + 1
            if series.moves[name] >= MOVES:
                self.volatile |= {name}

    def control(self) -> Exchange | None:
        """Return the last look at a resource that no call may have changed, if any is followed:
        what shows otherwise there now changes by itself.
        """
        for series in reversed(self._series.values()):
            look = series.former
            if look.role == "target" and look.position and self._untouched(series):
                return look
        return None

    # The looks around a call.

    def scene(self, scenario: int) -> Scene:
        """Return a scenario as far as it has come."""
        if (found := self._scenes.get(scenario)) is None:
            calls: list[Exchange] = []
            looks: dict[str, list[Observation]] = defaultdict(list)
            for exchange in self._exchanges.of_scenario(scenario):
                if exchange.kind == "cancel":
                    calls.append(exchange)
                elif (seen := observe(exchange)) is not None:
                    looks[exchange.role].append(seen)
            found = Scene(calls, looks)
        _touch(self._scenes, scenario, found, SCENES)
        return found

    def _looks(self, exchange: Exchange, role: str = "target") -> Sequence[Observation]:
        return self.scene(exchange.scenario).looks.get(role, ())

    def before(self, exchange: Exchange, role: str = "target") -> Observation | None:
        """Return the last look before the call. Between calls at once nothing is looked at."""
        looks = reversed(self._looks(exchange, role))
        return next((o for o in looks if o.exchange.position < exchange.position), None)

    def after(
        self, exchange: Exchange, role: str = "target", resource: str | None = None
    ) -> Observation | None:
        """Return the last look after the call and before the next, at one resource where that is
        named: in a walk it may have been called by itself since, and what shows then is of that.
        """
        began = exchange.started
        own = (at for at in self._calls_on.get(resource or "", ()) if at > began)
        end = min(own, default=inf)
        return next(
            (
                o
                for o in reversed(self._looks(exchange, role))
                if o.exchange.position == exchange.position
                and (
                    resource is None
                    or (o.exchange.resource == resource and o.exchange.started < end)
                )
            ),
            None,
        )

    def later(self, exchange: Exchange) -> list[Observation]:
        """Return every look since the call."""
        return [o for o in self._looks(exchange) if o.exchange.position >= exchange.position]

    def last(self, exchange: Exchange) -> Observation | None:
        """Return what showed at the end of the run, beyond the last call of the scenario."""
        end = self.scene(exchange.scenario).end
        looks = reversed(self._looks(exchange))
        return next((o for o in looks if o.exchange.position > end and not o.gone), None)

    def unseen(self, exchange: Exchange) -> bool:
        """Whether something of the call may have gone unseen, which a GET would have shown."""
        number = exchange.scenario
        return number in self._blind or (bool(self.observable) and number in self._mute)

    # What they tell.

    def took_effect(self, before: Observation | None, after: Observation) -> Effect:
        """Return whether a cancel shows in `after`."""
        if after.entity is None:
            return "not"
        if self.life.after:
            if not shown(self.life, after.entity):
                return "unknown"
            return "cancelled" if is_cancelled(self.life, after.entity) else "not"
        if before is None or before.entity is None:
            return "unknown"
        names = changed(before.entity, after.entity, self.volatile)
        if names & (self._still | set(self.life.shows)):
            return "cancelled"
        return "unknown" if names else "not"

    def differs(self, before: Observation, after: Observation) -> bool:
        """Whether anything observable has changed, dates included."""
        if before.entity is None or after.entity is None:
            return before.gone != after.gone
        return bool(changed(before.entity, after.entity, self.volatile))

    def unchanged(self, before: Observation, after: Observation) -> bool:
        """Whether a resource is as it was: its state, and what a cancel would have written into it.

        Where no page names the state after, that is anything but its dates.
        """
        if before.entity is None or after.entity is None:
            return before.gone == after.gone
        if shown(self.life, before.entity) != shown(self.life, after.entity):
            return False
        if self.life.after:
            written = (*self.life.records, *self.life.sets)
            return all(before.entity.get(name) == after.entity.get(name) for name in written)
        return substance(before.entity, self.volatile) == substance(after.entity, self.volatile)

    def effect(self, exchange: Exchange) -> tuple[Effect, Observation | None]:
        """Return whether a look since the call shows a cancel, and the last look that tells."""
        before = self.before(exchange)
        told = [(o, self.took_effect(before, o)) for o in self.later(exchange)]
        known = [(o, effect) for o, effect in told if effect != "unknown"]
        if not known:
            return "unknown", None
        done = any(effect == "cancelled" for _, effect in known)
        return "cancelled" if done else "not", known[-1][0]

    def lost(self, exchange: Exchange) -> Observation | None:
        """Return the last look of the run where it shows no more what the call led to."""
        last = self.last(exchange)
        return last if last and self.took_effect(self.before(exchange), last) == "not" else None

    def due(self, exchange: Exchange) -> Effect | None:
        """Return what the last look tells of a success whose effect is to be looked for again.

        None where there is nothing to look for: the call was not to take effect, another one of the
        scenario had succeeded before, it shows, or no look could show it.
        """
        cancels = exchange.situation.resource == "cancellable" and exchange.sent.method == "POST"
        if exchange.kind != "cancel" or not exchange.succeeded or not cancels:
            return None
        before, looks = self.before(exchange), self.later(exchange)
        if before is None or before.gone or not looks or looks[-1].gone:
            return None
        calls = self.scene(exchange.scenario).calls
        if any(x.succeeded and x.position <= before.exchange.position for x in calls):
            return None
        effect = self.took_effect(before, looks[-1])
        open_ = effect == "not" or (effect == "unknown" and not self.life.after)
        return effect if open_ else None


def _exists(look: Exchange) -> bool:
    """Whether a look was at a resource that there is, as far as anybody knows."""
    return look.situation.resource not in ("unknown", "odd")


def _touch(table: OrderedDict[Key, Row], key: Key, row: Row, limit: int) -> None:
    """Put a row at the end of a table that holds so many."""
    table[key] = row
    table.move_to_end(key)
    if len(table) > limit:
        table.popitem(last=False)
