"""Look again where no plan can foresee how often: at effects that are late, and at the end.

Asks Sight what is due, and nothing else.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from cancel_contracts.exchange import Exchange
from cancel_contracts.plan.waits import pauses
from cancel_contracts.provider_states.states import ProviderStates
from cancel_contracts.run.attempt import Attempt, Resource, Role
from cancel_contracts.run.calls import Calls
from cancel_contracts.run.performed import LastLook
from cancel_contracts.sight.clocks import STILL_SECONDS

MOMENT_SECONDS = 0.01


@dataclass(frozen=True)
class Look:
    """A look that is to be made: for which exchange, at what, and at which position."""

    at: Exchange
    resource: Resource
    position: int
    role: Role = "target"


# Does something for each look, several at a time maybe; what comes of it in their order.
Each = Callable[[Callable[[Look], list[Exchange]], Sequence[Look]], Iterable[list[Exchange]]]


class Late:
    """The late looks of one contract's run. `seconds` is how long an effect may take to show."""

    def __init__(self, calls: Calls, states: ProviderStates, seconds: float, each: Each) -> None:
        self.calls, self.states, self.seconds, self._each = calls, states, seconds, each

    def _observe(self, looks: Sequence[Look], when: str) -> list[Exchange]:
        """Make looks and return them as the journal has them, in this order. `when` tells them
        from others.
        """

        def one(look: Look) -> list[Exchange]:
            kept: list[Exchange] = []
            if not self.calls.stop.asked and self.calls.sight.observable is not False:
                attempt = self.calls.attempt(look.at.scenario, kept.append)
                attempt = replace(attempt, seed=f"{self.calls.seed}/{when}")
                situation, at = look.at.situation, look.position
                self.calls.observe(attempt, situation, at, look.resource, look.role)
            return kept

        made = [exchange for kept in self._each(one, looks) for exchange in kept]
        for exchange in made:
            self.calls.keep(exchange)
        return made

    def await_effects(self, exchanges: Iterable[Exchange]) -> list[Exchange]:
        """Look again at what these calls should have cancelled, until it shows or time is over;
        return the looks.
        """
        sight, within = self.calls.sight, self.calls.contract.lifecycle.within
        made: list[Exchange] = []
        due = [x for x in exchanges if sight.due(x)]
        awaited, begun = list(due), time.monotonic()
        wait, round_ = pauses(within), 0
        while due and time.monotonic() < begun + self.seconds and not self.calls.stop.asked:
            left = max(MOMENT_SECONDS, begun + self.seconds - time.monotonic())
            self.calls.stop.wait(next(wait) if within is None else min(next(wait), left))
            # Whether a property is a clock one resource tells of all, but for what it is alone in.
            every = time.monotonic() > begun + STILL_SECONDS
            again = {x.resource: x for x in due if every or sight.due(x) == "not"}
            if (doubtful := next((x for x in due if x.resource not in again), None)) is not None:
                again[doubtful.resource] = doubtful
                if not self.states.single and (control := sight.control()):
                    again[control.resource] = control
            looks = [
                Look(
                    x,
                    Resource.of(x.resource),
                    x.position if x.kind == "observe" else sight.scene(x.scenario).end,
                )
                for x in again.values()
            ]
            round_ += 1
            made += self._observe(looks, f"late/{round_}")
            due = [x for x in due if sight.due(x)]
        return made + (self._look_beside(awaited) if within is not None else [])

    def _look_beside(self, exchanges: Sequence[Exchange]) -> list[Exchange]:
        """Look again at what stood beside calls whose effect was late: it may be struck as late."""
        sight = self.calls.sight
        looks = [
            Look(x, Resource.of(near.exchange.resource), x.position, "neighbour")
            for x in exchanges
            if x.position == sight.scene(x.scenario).end
            for near in sight.neighbours(x)
        ]
        return self._observe(looks, "beside")

    def settle(self, exchanges: Iterable[Exchange], last: Iterable[LastLook], pause: float) -> None:
        """Look a last time, `pause` seconds after the last call, and await what is due: before that
        where a page gives effects their time.
        """
        within = self.calls.contract.lifecycle.within
        if within is not None:
            self.await_effects(exchanges)
        self.look_last(last, pause)
        if within is None:
            self.await_effects(exchanges)

    def look_last(self, wanted: Iterable[LastLook], pause: float) -> None:
        """Look once more, `pause` seconds after the last call, at resources that one scenario alone
        was given.
        """
        handed = Counter(map(str.casefold, self.states.handed))
        sight, wanted = self.calls.sight, list(wanted)
        if wanted and sight.observable and not self.calls.stopped:
            self.calls.stop.wait(max(0.0, pause - self.calls.idle_seconds))
        looks = []
        for last in sorted(wanted, key=lambda last: last.call.scenario):
            calls = sight.scene(last.call.scenario).calls
            again = handed[last.resource.id.casefold()] > 1
            if not (again or not calls or any(sight.due(x) for x in calls)):
                looks.append(Look(last.call, last.resource, last.call.position + 1, last.role))
        if not self.calls.stopped:
            self._observe(looks, "last")

    def conclude(self, live: Callable[[], Attempt]) -> None:
        """Where calls went unanswered to the end, tell a target that hangs from one that is
        gone.
        """
        journal = self.calls.journal
        if any(x.kind == "cancel" and x.unavailable for x in journal.exchanges):
            told = "calls were answered 503 with Retry-After and made again: no evidence of it"
            journal.note(told)
        if self.calls.stop.asked:
            return
        if any(x.received is None and x.failure == "timeout" for x in journal.exchanges[-1:]):
            self.calls.probe(live())

    def tell(self, exchanges: Iterable[Exchange]) -> None:
        """Tell what was cancelled for sure: there is nothing to undo."""
        sight = self.calls.sight
        for x in exchanges:
            if sight.cancels(x) and self.calls.contract.lifecycle.vanishes:
                self.states.vanished.add(x.resource)
            if sight.cancels(x) and sight.effect(x)[0] == "cancelled" and sight.due(x) is None:
                self.states.cancelled(x.resource)
