"""Scenes: the exchanges of one scenario, its looks read. Pure."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from cancel_contracts.contract.states import Lifecycle
from cancel_contracts.exchange import Exchange
from cancel_contracts.journal import Exchanges
from cancel_contracts.sight.observation import Observation, observe

SCENES = 16  # scenarios whose looks are kept at hand
SCENES_BYTES = 2**18  # of what they show; read, it takes many times as much


@dataclass(frozen=True)
class Scene:
    """One scenario: its calls, and its looks by the role of what was looked at."""

    calls: Sequence[Exchange]
    looks: Mapping[str, Sequence[Observation]]

    @property
    def end(self) -> int:
        """The position of its last call."""
        return max((call.position for call in self.calls), default=0)

    @cached_property
    def weight_bytes(self) -> int:
        """How much its looks show."""
        shown = (x.exchange.received for looks in self.looks.values() for x in looks)
        return sum(len(received.body) for received in shown if received)


class Scenes:
    """Scenes, read from the exchanges as they are asked for. Some are kept at hand."""

    def __init__(self, exchanges: Exchanges, lifecycle: Lifecycle) -> None:
        self._exchanges, self._life = exchanges, lifecycle
        self._kept: OrderedDict[int, Scene] = OrderedDict()

    def forget(self, scenario: int) -> None:
        """Read a scenario anew when it is asked for: another exchange has come."""
        self._kept.pop(scenario, None)

    def of(self, scenario: int) -> Scene:
        """Return a scenario as far as it has come."""
        if (found := self._kept.get(scenario)) is not None:
            return found
        calls: list[Exchange] = []
        looks: dict[str, list[Observation]] = defaultdict(list)
        for exchange in self._exchanges.of_scenario(scenario):
            if exchange.kind == "cancel":
                calls.append(exchange)
            elif (seen := observe(exchange, self._life)) is not None:
                looks[exchange.role].append(seen)
        found = self._kept[scenario] = Scene(calls, looks)
        while len(self._kept) > 1 and not self._at_hand():
            self._kept.popitem(last=False)
        return found

    def _at_hand(self) -> bool:
        """Whether as many may be kept at hand as are."""
        weight = sum(scene.weight_bytes for scene in list(self._kept.values()))
        return len(self._kept) <= SCENES and weight <= SCENES_BYTES
