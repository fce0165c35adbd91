"""What changes by itself, told look by look: it is no effect of a call.

Asked only where no page names the state after a cancel, so that any change may be the effect. A
property that differs from look to look with no call between is *volatile*. After a call that may
have taken effect, one that stands is *still*: believed to be what the call has written. Pure.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from cancel_contracts.contract.states import Lifecycle
from cancel_contracts.exchange import Exchange
from cancel_contracts.sight.observation import observe

SERIES = 256  # series of looks that are followed at a time
# A property that stood so long is no clock that counts seconds.
STILL_SECONDS = 1.2
MOVES = 3  # changes since a call, the state apart, that make a clock of a property


@dataclass
class _Series:
    """Looks at one resource with no call between them. `moves` counts by property."""

    began: int  # how many exchanges there were before it
    former: Exchange
    since: dict[str, float] = field(default_factory=dict)  # when a property was as it is, first
    moves: dict[str, int] = field(default_factory=dict)


class Clocks:
    """The properties that change by themselves. Is shown every exchange in its order."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self.volatile: frozenset[str] = frozenset()
        self.still: frozenset[str] = frozenset()
        self._life, self._shows = lifecycle, frozenset(lifecycle.places)
        self._compared = False
        self._count = 0  # of exchanges so far
        # Calls that may take effect, late too: their scenarios, and the last one on each resource.
        self._acted: set[int] = set()
        self._acted_on: dict[str, int] = {}
        self._series: OrderedDict[tuple[int, str, str, int], _Series] = OrderedDict()

    def note(self, exchange: Exchange) -> None:
        self._count += 1
        if exchange.kind == "observe":
            self._follow(exchange)
        elif not exchange.refused:
            self._acted.add(exchange.scenario)
            self._acted_on[exchange.resource] = self._count

    def _follow(self, look: Exchange) -> None:
        key = (look.scenario, look.role, look.resource, look.position)
        if (series := self._series.get(key)) is None:
            self._series[key] = _Series(self._count, look)
            if len(self._series) > SERIES:
                self._series.popitem(last=False)
            return
        self._series.move_to_end(key)
        former, series.former = series.former, look
        before, after = observe(former, self._life), observe(look, self._life)
        if before is None or after is None or before.entity is None or after.entity is None:
            return
        was, now = before.entity, after.entity
        moved = frozenset(name for name in {*was, *now} if was.get(name) != now.get(name))
        if self._untouched(series):
            # A state may move on once without making it a property that says nothing.
            self.volatile |= moved - self._shows if self._compared else moved
            self._compared = True
            return
        self.still |= {
            name
            for name in {*was, *now} - moved
            if look.started - series.since.setdefault(name, former.started) >= STILL_SECONDS
        }
        for name in moved:
            series.since.pop(name, None)
            # Where the state moves too, an effect may show in several steps.
            series.moves[name] = 0 if moved & self._shows else series.moves.get(name, 0) + 1
        self.volatile |= {name for name in moved if series.moves[name] >= MOVES}

    def _untouched(self, series: _Series) -> bool:
        """Whether no call may have changed the resource: none of the scenario, none meanwhile."""
        acted = self._acted_on.get(series.former.resource, 0) > series.began
        return not acted and series.former.scenario not in self._acted

    def control(self) -> Exchange | None:
        """Return the last look at a resource that no call may have changed, if any is followed:
        what shows otherwise there now changes by itself.
        """
        for series in reversed(self._series.values()):
            look = series.former
            shows = look.status == 200 and look.role == "target" and look.position > 0
            if shows and self._untouched(series):
                return look
        return None
