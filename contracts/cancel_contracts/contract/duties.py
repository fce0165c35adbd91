"""What pages ask of callers: the words that a clause of `party: caller` may expect, one row a word.

Such a clause is judged on recordings of others alone (judge/duties.py). Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Duty:
    """One key of `expect` in a caller's clause, and its values as JSON Schema."""

    name: str
    says: str
    values: Mapping[str, Any]


DUTIES: Mapping[str, Duty] = {
    duty.name: duty
    for duty in (
        Duty("sends", "`nothing`: not one octet of content", {"const": "nothing"}),
        Duty(
            "own-body",
            "JSON pointer to whose resource it is, in what the GET shows. That user, where no"
            " administrator, sends a body that fits `owners`",
            {"type": "string", "pattern": "^/"},
        ),
        Duty(
            "media-type",
            "the body's media type is named: `always`, or `with-body` where there is content",
            {"enum": ["always", "with-body"]},
        ),
        Duty(
            "credentials",
            "`bearer`: Authorization has that scheme and a token",
            {"const": "bearer"},
        ),
        Duty(
            "retry-after",
            "`waited-out`: a call is not made again before the time that its 429 or 503 names",
            {"const": "waited-out"},
        ),
        Duty(
            "repeats",
            "`nothing`: a call that has succeeded is not made again",
            {"const": "nothing"},
        ),
    )
}


def duties_schema() -> dict[str, Any]:
    """Return the schema of `expect` in a caller's clause."""
    return {
        "type": "object", "minProperties": 1, "additionalProperties": False,
        "properties": {d.name: {"description": d.says, **d.values} for d in DUTIES.values()},
    }  # fmt: skip
