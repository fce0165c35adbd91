"""Waits: when to look again for an effect that may take its time, and how often. Pure."""

from __future__ import annotations

from collections.abc import Iterator

EVEN_SECONDS = 0.25  # between looks, where no page says how long an effect may take
FIRST_SECONDS, LONGEST_SECONDS = 0.05, 2.0  # the first wait, and the longest, where one does


def pauses(within: float | None) -> Iterator[float]:
    """Yield how long to wait before each look, in seconds: ever longer where a page says how long
    an effect may take.
    """
    pause = EVEN_SECONDS if within is None else FIRST_SECONDS
    while True:
        yield pause
        if within is not None:
            pause = min(2 * pause, LONGEST_SECONDS)


def most_looks(within: float) -> int:
    """Return how often one resource is looked at again, at most."""
    waited, looks = 0.0, 0
    for pause in pauses(within):
        if waited >= within:
            return looks
        waited, looks = waited + pause, looks + 1
    raise AssertionError("pauses never end")
