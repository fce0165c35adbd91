"""Pace: no more calls than the quota allows, every window of it at once.

The count is the run's own, or a Redis's that parallel runs on one tenant share. Opens a connection
to that alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cancel_contracts.contract.model import Contract
from cancel_contracts.errors import Broken, UsageError
from cancel_contracts.targets.safety import is_loopback
from cancel_contracts.targets.url import place_of

if TYPE_CHECKING:  # slow to load, and a run on loopback needs none of it
    from pyrate_limiter import Limiter, Rate

UNITS = {"s": 1, "sec": 1, "second": 1, "min": 60, "minute": 60, "h": 3600, "hour": 3600}
RATE = re.compile(r"^([1-9][0-9]*)/([a-z]+)$")
STORE_PATH = re.compile(r"/?[0-9]*")  # the number of a database
STORE_SECONDS = 5.0  # for the store to answer
Wait = Callable[[float], bool]  # waits so many seconds; whether to give up


class StoreLost(Broken):
    """The store of the quota cannot be asked: nobody knows whether another call is within it."""


def parse_rate(text: str) -> Rate:
    """Return a rate such as 100/min. Raises UsageError."""
    from pyrate_limiter import Rate

    found = RATE.match(text.strip())
    if not found or found.group(2) not in UNITS:
        raise UsageError("--rate", f"{text!r} is no rate", "write it as 100/min, 5/s or 1500/h")
    return Rate(int(found.group(1)), UNITS[found.group(2)] * 1000)


def check_store(url: str) -> None:
    """Raise UsageError where a quota store is no URL of a Redis."""
    try:
        parts = urlsplit(url)
        if parts.scheme in ("redis", "rediss"):
            number = STORE_PATH.fullmatch(parts.path) is not None
            fine = bool(parts.hostname) and parts.port != 0 and number
        else:
            fine = parts.scheme == "unix" and len(parts.path) > 1
    except ValueError:  # an address in half a bracket, a port that is none
        fine = False
    if not fine or "://" not in url:
        place, fix = f"--quota-store {place_of(url)}", "give redis://HOST:PORT/DB"
        raise UsageError(place, "is no URL of a Redis", fix)


def rates_of(contract: Contract, base_url: str, rate: str | None) -> list[Rate]:
    """Return the rates to keep, the shortest window first. A loopback target has only those that
    are asked for.
    """
    rates = [] if rate is None else [parse_rate(rate)]
    if contract.quotas and not is_loopback(base_url, [contract]):
        from pyrate_limiter import Rate

        rates += [Rate(q.calls, q.seconds * 1000) for q in contract.quotas]
    return sorted(rates, key=lambda r: r.interval)


def paced(contract: Contract, base_url: str, rate: str | None) -> int | None:
    """Return how many calls the narrowest rate allows at once; None without a rate."""
    return min((r.limit for r in rates_of(contract, base_url, rate)), default=None)


def seconds_for(calls: int, rates: Sequence[Rate]) -> float:
    """Return how long so many calls take at least: the last one waits for every window."""
    moments: list[float] = []
    for number in range(calls):
        due = [moments[number - r.limit] + r.interval / 1000 for r in rates if number >= r.limit]
        moments.append(max(due, default=0.0))
    return moments[-1] if moments else 0.0


def pacer(
    contract: Contract,
    base_url: str,
    rate: str | None,
    store: str | None = None,
    wait: Wait | None = None,
) -> Callable[[], None]:
    """Return what to call before each call: it returns when the call is due, or `wait` gives up.

    `store` is the URL of a Redis that counts for several runs. Raises UsageError where it cannot be
    reached; what is returned raises StoreLost.
    """
    rates = rates_of(contract, base_url, rate)
    if not rates:
        return lambda: None
    limiter, lost = _limiter(contract, base_url, rates, store)
    pause = min(0.05, *(r.interval / r.limit / 2000 for r in rates))

    def pace() -> None:
        try:
            while not limiter.try_acquire(contract.name, blocking=False):
                if wait is not None and wait(pause):
                    return
        except lost as err:
            raise StoreLost(f"the quota store is lost ({type(err).__name__})") from None

    return pace


def _limiter(
    contract: Contract, base_url: str, rates: list[Rate], store: str | None
) -> tuple[Limiter, Any]:
    """Return the limiter, and what it raises when its store is lost."""
    from pyrate_limiter import InMemoryBucket, Limiter, SingleBucketFactory

    # What is out of every window is dropped at the start: no thread outlives the run for it.
    if store is None:
        return Limiter(SingleBucketFactory(InMemoryBucket(rates), schedule_leak=False)), ()
    place = f"--quota-store {place_of(store)}"
    try:
        import redis
    except ImportError:
        fix = "pip install 'cancel-contracts[redis]'"
        raise UsageError(place, "needs the package redis", fix) from None
    from pyrate_limiter import RedisBucket

    # The count is that of one service of one tenant: whoever calls it, from wherever.
    key = f"cancel-contracts:{urlsplit(base_url).netloc}:{contract.name}"
    try:
        client = redis.Redis.from_url(
            store, socket_timeout=STORE_SECONDS, socket_connect_timeout=STORE_SECONDS
        )
        bucket = RedisBucket.init(rates, client, key)
        bucket.leak(bucket.now())
    except (redis.RedisError, ValueError) as err:
        problem = f"cannot be used ({type(err).__name__})"
        raise UsageError(
            place, problem, "give redis://HOST:PORT/DB of a server that runs"
        ) from None
    return Limiter(SingleBucketFactory(bucket, schedule_leak=False)), redis.RedisError
