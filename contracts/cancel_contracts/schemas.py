"""The JSON Schemas that ship with the package, each beside the room that reads by it."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

from jsonschema import Draft202012Validator


@cache
def shipped_schema(room: str, name: str) -> dict[str, Any]:
    """Return the JSON Schema `name` of a room, "" for the package itself."""
    package = f"cancel_contracts.{room}".rstrip(".")
    text = resources.files(package).joinpath(name).read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


@cache
def validator(room: str, name: str) -> Draft202012Validator:
    """Return a validator of the JSON Schema `name` of a room."""
    return Draft202012Validator(shipped_schema(room, name))
