"""The target's clock, as far as the Date of its answers tells it. Minted tokens mind it.

Whose clock is wrong nobody knows, and a Date may be a constant of a stub. So times of a token are
such that they hold by both clocks, with MARGIN_SECONDS to spare before the first answer has come.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from cancel_contracts.contract.credentials import oddity
from cancel_contracts.exchange import Received
from cancel_contracts.parse import http_date

LIFETIME_SECONDS = 3600
MARGIN_SECONDS = 7200  # an hour that somebody has forgotten to set forward, and as much again
TOLD_SECONDS = 300  # as much as services commonly let pass; a wider gap is worth a warning
BELIEVED_SECONDS = 86400  # a Date further off is none of a clock


class Clock:
    """Ours, and how far the target's is ahead of it. Safe to use from several threads."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now, self._ahead = now, 0.0
        self._known = False
        self._lock = threading.Lock()

    def learn(self, received: Received | None) -> str | None:
        """Take the Date of the first answer that has one; return what is to be told of it."""
        moment = http_date(received.header("date") or "") if received is not None else None
        with self._lock:
            if self._known or moment is None:
                return None
            self._known = True
            ahead = moment.timestamp() - self._now()
            believed = abs(ahead) <= BELIEVED_SECONDS
            self._ahead = ahead if believed else 0.0
        if abs(ahead) <= TOLD_SECONDS:
            return None
        where = "ahead of" if ahead > 0 else "behind"
        told = f"the clock of the target is {abs(ahead) / 60:.0f} minutes {where} ours, by its Date"
        return f"{told}: minted tokens hold by both" if believed else f"{told}: it is not heeded"

    @property
    def ahead(self) -> float:
        return self._ahead

    def times(self, name: str) -> dict[str, int]:
        """Return the claims that tell when a token of an identity was made and holds."""
        now = int(self._now())
        earliest = now + int(min(0.0, self._ahead)) - MARGIN_SECONDS
        latest = now + int(max(0.0, self._ahead)) + MARGIN_SECONDS
        if oddity(name) == "expired":
            return {
                "iat": earliest - 2 * LIFETIME_SECONDS,
                "nbf": earliest - 2 * LIFETIME_SECONDS,
                "exp": earliest - LIFETIME_SECONDS,
            }
        if oddity(name) == "not-yet-valid":
            begins = latest + LIFETIME_SECONDS
            return {"iat": earliest, "nbf": begins, "exp": begins + LIFETIME_SECONDS}
        return {"iat": earliest, "nbf": earliest, "exp": latest + LIFETIME_SECONDS}
