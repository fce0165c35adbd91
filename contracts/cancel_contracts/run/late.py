"""Look again where no plan can foresee how often: at effects that are late, and at the end.

Asks Sight what is due, and nothing else.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from cancel_contracts.exchange import Exchange
from cancel_contracts.provider_states.states import ProviderStates
from cancel_contracts.run.attempt import Attempt, Resource
from cancel_contracts.run.calls import Calls
from cancel_contracts.run.performed import LastLook
from cancel_contracts.sight.clocks import STILL_SECONDS

LOOK_AGAIN_SECONDS = 0.25


class Late:
    """The late looks of one contract's run. `seconds` is how long an effect may take to show."""

    def __init__(self, calls: Calls, states: ProviderStates, seconds: float) -> None:
        self.calls, self.states, self.seconds = calls, states, seconds

    def _attempt(self, scenario: int, when: str) -> Attempt:
        attempt = self.calls.attempt(scenario, self.calls.keep)
        return replace(attempt, seed=f"{self.calls.seed}/{when}")

    def await_effects(self, exchanges: Iterable[Exchange]) -> None:
        """Look again at what these calls should have cancelled, until it shows or time is over."""
        sight = self.calls.sight
        due = [x for x in exchanges if sight.due(x)]
        begun = time.monotonic()
        attempts: dict[int, Attempt] = {}
        while due and time.monotonic() < begun + self.seconds and not self.calls.stop.asked:
            self.calls.stop.wait(LOOK_AGAIN_SECONDS)
            # Whether a property is a clock one resource tells of all, but for what it is alone in.
            every = time.monotonic() > begun + STILL_SECONDS
            again = {x.resource: x for x in due if every or sight.due(x) == "not"}
            if (doubtful := next((x for x in due if x.resource not in again), None)) is not None:
                again[doubtful.resource] = doubtful
                if not self.states.single and (control := sight.control()):
                    again[control.resource] = control
            for x in again.values():
                attempt = attempts.setdefault(x.scenario, self._attempt(x.scenario, "late"))
                position = x.position if x.kind == "observe" else sight.scene(x.scenario).end
                self.calls.observe(attempt, x.situation, position, Resource.of(x.resource))
            due = [x for x in due if sight.due(x)]

    def look_last(self, wanted: Iterable[LastLook], pause: float) -> None:
        """Look once more, `pause` seconds after the last call, at resources that one scenario alone
        was given.
        """
        handed = Counter(map(str.casefold, self.states.handed))
        sight, wanted = self.calls.sight, list(wanted)
        if wanted and sight.observable and not self.calls.stopped:
            self.calls.stop.wait(max(0.0, pause - self.calls.idle_seconds))
        for look in sorted(wanted, key=lambda look: look.call.scenario):
            exchange, target = look.call, look.resource
            if self.calls.stopped or sight.observable is False:
                return
            calls = sight.scene(exchange.scenario).calls
            again = handed[target.id.casefold()] > 1
            if again or not calls or any(sight.due(x) for x in calls):
                continue
            attempt = self._attempt(exchange.scenario, "last")
            at = exchange.position + 1
            self.calls.observe(attempt, exchange.situation, at, target, look.role)

    def tell(self, exchanges: Iterable[Exchange]) -> None:
        """Tell what was cancelled for sure: there is nothing to undo."""
        sight = self.calls.sight
        for x in exchanges:
            cancels = x.kind == "cancel" and x.situation.resource == "cancellable" and x.succeeded
            if cancels and sight.effect(x)[0] == "cancelled" and sight.due(x) is None:
                self.states.cancelled(x.resource)
