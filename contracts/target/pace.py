"""Pace: no more calls than the quota allows, every window of it at once."""

from __future__ import annotations

import re
from collections.abc import Callable

from pyrate_limiter import Limiter, Rate

from contracts.errors import UsageError
from contracts.spec.model import Contract
from contracts.target.safety import is_loopback

UNITS = {"s": 1, "sec": 1, "second": 1, "min": 60, "minute": 60, "h": 3600, "hour": 3600}
RATE = re.compile(r"^([1-9][0-9]*)/([a-z]+)$")


def parse_rate(text: str) -> Rate:
    """Return a rate such as 100/min. Raises UsageError."""
    found = RATE.match(text.strip())
    if not found or found.group(2) not in UNITS:
        raise UsageError("--rate", f"{text!r} is no rate", "write it as 100/min, 5/s or 1500/h")
    return Rate(int(found.group(1)), UNITS[found.group(2)] * 1000)


def pacer(contract: Contract, base_url: str, rate: str | None) -> Callable[[], None]:
    """Return what to call before each cancel call. A loopback target is not paced unless a rate is
    given.
    """
    rates = [Rate(q.calls, q.seconds * 1000) for q in contract.quotas]
    if is_loopback(base_url, [contract]):
        rates = []
    if rate is not None:
        rates = [*rates, parse_rate(rate)]
    if not rates:
        return lambda: None
    limiter = Limiter(sorted(rates, key=lambda r: r.interval))

    def pace() -> None:
        limiter.try_acquire(contract.name)

    return pace
