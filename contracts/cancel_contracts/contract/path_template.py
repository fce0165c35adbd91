"""A documented path with {parameters}, as OpenAPI writes it: one reading for whoever fills it,
matches it, or takes it in other spellings. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

PARAMETER = re.compile(r"\{([^{}]+)\}")


@cache
def pieces(template: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the literal pieces of a path, and the names that stand between them; raise ValueError
    where it has none, one twice, or a brace alone.
    """
    found = PARAMETER.split(template)
    literal, names = tuple(found[::2]), tuple(found[1::2])
    if not names or len({*names}) < len(names) or set("{}") & set("".join(literal)):
        raise ValueError("has no {parameter}, or one twice")
    return literal, names


def filled(template: str, segments: Mapping[str, str]) -> str:
    """Return a path with segments, percent-encoded already, for some or all of its names."""
    return PARAMETER.sub(lambda found: segments.get(found[1], found[0]), template)


@cache
def pattern(template: str, *, any_case: bool = False) -> re.Pattern[bytes]:
    """Return what the octets of such a path match: each name, by its place a group, is any one
    segment, also an empty one.
    """
    literal = (re.escape(piece.encode()) for piece in pieces(template)[0])
    return re.compile(rb"([^/]*)".join(literal), re.IGNORECASE if any_case else 0)
