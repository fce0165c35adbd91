"""A documented path with one {parameter}, as OpenAPI writes it: one reading for whoever fills it,
matches it, or takes it in other spellings. Pure.
"""

from __future__ import annotations

import re
from functools import cache

ONE_PARAMETER = re.compile(r"([^{}]*)\{[^{}]+\}([^{}]*)")


def halves(template: str) -> tuple[str, str]:
    """Return what stands before the id and behind it; raise ValueError unless there is one id."""
    if (found := ONE_PARAMETER.fullmatch(template)) is None:
        raise ValueError("has not exactly one {parameter}")
    return found[1], found[2]


def filled(template: str, segment: str) -> str:
    """Return the path of a resource. The segment is percent-encoded already."""
    return segment.join(halves(template))


@cache
def pattern(template: str, *, any_case: bool = False) -> re.Pattern[bytes]:
    """Return what the octets of such a path match: the id is any one segment, also an empty one."""
    before, after = (re.escape(half.encode()) for half in halves(template))
    return re.compile(before + rb"([^/]*)" + after, re.IGNORECASE if any_case else 0)
