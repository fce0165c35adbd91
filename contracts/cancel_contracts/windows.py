"""A sliding window over moments: how many fall into it. Pure."""

from __future__ import annotations

from collections.abc import Sequence


def within(moments: Sequence[float], seconds: float) -> list[int]:
    """Return, at each moment, how many fall into the window of `seconds` that ends with it.

    `moments` are in order. One that lies a whole window back is in it no more.
    """
    found, start = [], 0
    for end, moment in enumerate(moments):
        while moment - moments[start] >= seconds:
            start += 1
        found.append(end - start + 1)
    return found
