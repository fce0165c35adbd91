"""The values that a call cannot do without, made up from the schemas where none is given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cancel_contracts.contract.openapi import resolve
from cancel_contracts.draft.half import Half
from cancel_contracts.mock.filler import value_of

MEDIA = ("application/json", "application/x-www-form-urlencoded")  # that a spec may send
MADE_UP = "made up: write values that exist"


def fill(half: Half) -> None:
    """Give each required parameter but the id a value, and the body of the call an example. What
    cannot be read of references that are broken stays as it is: loading the draft tells.
    """
    ids = re.findall(r"\{([^{}]*)\}", half.path)[-1:]
    made: dict[str, None] = {}
    for item in half.document["paths"].values():
        for operation in item.values():
            for row in operation.get("parameters", ()):
                if _parameter(half, half.followed(row), ids):
                    made[half.followed(row)["name"]] = None
    if made:
        told = f"the values of {', '.join(made)} are {MADE_UP}"
        half.todo.setdefault("paths", []).append(told)
    _body(half)


def _parameter(half: Half, row: dict[str, Any], ids: list[str]) -> bool:
    """Give a parameter an example; return whether it was made up."""
    schema = _resolved(half, row.get("schema", {}))
    if not row.get("required") or (row.get("in") == "path" and row.get("name") in ids):
        return False
    said = ("example", "examples", "default", "const")
    if any(key in row for key in said[:2]) or any(key in schema for key in said):
        return False
    value = value_of(schema)
    row["example"] = row["name"] if value in (None, "", "text") else value
    return True


def _body(half: Half) -> None:
    content = half.content
    name = next((name for name in MEDIA if name in content), None)
    if name is None:
        return
    for other in [other for other in content if other != name]:
        del content[other]
    media = content[name]
    if media.get("examples"):
        return
    if "example" in media:
        media["examples"] = {"page": {"value": media.pop("example")}}
        return
    value = value_of(_resolved(half, media.get("schema", {})))
    media["examples"] = {"draft": {"value": value if value is not None else {}}}
    half.todo.setdefault("paths", []).append(f"the example of the body is {MADE_UP}")


def _resolved(half: Half, schema: Any) -> Mapping[str, Any]:
    try:
        found = resolve(half.document, schema)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
