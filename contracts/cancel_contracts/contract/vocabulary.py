"""The JSON Schema of `given` and `expect`, as the tables have them. Pure."""

from __future__ import annotations

from typing import Any

from cancel_contracts.contract.expected import FACETS, STATUSES
from cancel_contracts.contract.words import AXES, axis_schema


def vocabulary() -> dict[str, Any]:
    """Return the `$defs` of the schema of spec files that follow from the tables."""
    given = {key: axis_schema(axis) for key, axis in AXES.items()}
    given |= {
        "any": {"const": "call", "description": "every exchange on the route"},
        "answer": {"description": "only exchanges that were answered so", **STATUSES},
    }
    expect = {name: {"description": f.says, **f.values} for name, f in FACETS.items()}
    return {
        "given": {"type": "object", "additionalProperties": False, "properties": given},
        "expect": {
            "type": "object", "minProperties": 1, "additionalProperties": False,
            "properties": expect,
        },
    }  # fmt: skip
