"""WaitBudget: how long a run waits for a target that asks it to (429, Retry-After)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from cancel_contracts.exchange import Received
from cancel_contracts.parse import http_date
from cancel_contracts.run.attempt import Stop

WAIT_SECONDS = 1.0  # after a 429 that does not say how long


class WaitBudget:
    """The seconds that may still be waited, in all. Safe to use from several threads.

    Who is asked to wait steps `aside` first, until nothing else is under way: what a target puts
    off is too much at a time. The seconds that this takes are waited already.
    """

    def __init__(
        self, seconds: float, stop: Stop, aside: Callable[[], float] = lambda: 0.0
    ) -> None:
        self._left, self.stop, self._aside = seconds, stop, aside
        self._lock = threading.Lock()

    def wait(self, seconds: float) -> bool:
        """Wait so long, where so much is left; whether the wait is over and the run goes on."""
        if seconds > self._left:
            return False
        seconds = max(0.0, seconds - self._aside())
        with self._lock:
            if seconds > self._left:
                return False
            self._left -= seconds
        self.stop.wait(seconds)
        return not self.stop.asked

    def wait_as_asked(self, received: Received) -> bool:
        return self.wait(seconds_asked(received))


def seconds_asked(received: Received | None) -> float:
    """Return how long an answer asks to wait."""
    asked = received.come_again if received else None
    if received is None or asked is None:
        return WAIT_SECONDS
    if isinstance(asked, float):
        return asked
    # By the target's own clock, where it tells: ours may go differently.
    now = http_date(received.header("date") or "") or datetime.now(UTC)
    return max(0.0, (asked - now).total_seconds())
