"""Patience: how long a run waits for a target that asks it to (429, Retry-After)."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

from cancel_contracts.exchange import Received
from cancel_contracts.retry_after import seconds
from cancel_contracts.run.attempt import Stop

WAIT_SECONDS = 1.0  # after a 429 that does not say how long


class Patience:
    """The seconds that may still be waited, in all. Safe to use from several threads."""

    def __init__(self, seconds: float, stop: Stop) -> None:
        self._left, self._stop = seconds, stop
        self._lock = threading.Lock()

    def wait(self, seconds: float) -> bool:
        """Wait so long, where so much is left; whether the wait is over and the run goes on."""
        with self._lock:
            if seconds > self._left:
                return False
            self._left -= seconds
        self._stop.wait(seconds)
        return not self._stop.asked

    def wait_at_most(self, seconds: float) -> None:
        """Wait so long, or as long as is left. What is left stays: it is for the calls."""
        self._stop.wait(min(seconds, self._left))

    def wait_as_asked(self, received: Received) -> bool:
        return self.wait(seconds_asked(received))


def seconds_asked(received: Received | None) -> float:
    """Return how long an answer asks to wait."""
    header = received.header("retry-after") if received else None
    asked = None if header is None else seconds(header, datetime.now(UTC))
    return WAIT_SECONDS if asked is None else asked
