"""The JSON Schemas that ship with the package, each beside the room that reads by it."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

# Kind of file -> the folder of the package ("" the package itself), and the schema in it.
SCHEMAS = {
    "spec": ("contract", "extensions.schema.json"),
    "target": ("targets", "target.schema.json"),
    "baseline": ("", "baseline.schema.json"),
    "report": ("report", "report.schema.json"),
    "ledger": ("ledger", "ledger.schema.json"),
}


@cache
def schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema of a kind of file."""
    room, name = SCHEMAS[kind]
    package = f"cancel_contracts.{room}".rstrip(".")
    found: dict[str, Any] = json.loads(resources.files(package).joinpath(name).read_text("utf-8"))
    return found


@cache
def validator(kind: str) -> Draft202012Validator:
    """Return a validator of a kind of file."""
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema(kind))
