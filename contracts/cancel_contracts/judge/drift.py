"""What a GET shows otherwise from look to look, with no call between them: it tells nothing of a
call.

Pure. Asked only where no page names the state after a cancel, so that any change may be the effect.
"""

from __future__ import annotations

from cancel_contracts.contract.model import Lifecycle
from cancel_contracts.exchange import Exchange
from cancel_contracts.observation import observe


class Drift:
    """Names of properties that change by themselves. Is shown a journal in its order."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self.names: set[str] = set()
        self._lifecycle = lifecycle
        self._scenario = -1
        self._looks: dict[tuple[str, str, int], Exchange] = {}  # the last ones of the scenario
        self._acted = self._begun = False

    def note(self, exchange: Exchange) -> None:
        if exchange.scenario != self._scenario:
            self._scenario, self._acted = exchange.scenario, False
            self._looks.clear()
        if exchange.kind == "cancel":
            # Whatever is no refusal may take effect late.
            self._acted |= exchange.status is None or exchange.status // 100 != 4
            return
        place = (exchange.role, exchange.resource, exchange.position)
        former, self._looks[place] = self._looks.get(place), exchange
        if former is not None and not self._acted:
            self._compare(former, exchange)

    def _compare(self, former: Exchange, exchange: Exchange) -> None:
        was, now = observe(former), observe(exchange)
        if was is None or now is None or was.entity is None or now.entity is None:
            return
        names = {*was.entity, *now.entity}
        names = {name for name in names if was.entity.get(name) != now.entity.get(name)}
        # A state may move on once without making it a property that says nothing.
        self.names |= names - set(self._lifecycle.shows) if self._begun else names
        self._begun = True
