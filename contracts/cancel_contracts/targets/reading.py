"""Read a target file: YAML by its JSON Schema, complaints without the values. Opens no socket."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jsonschema.exceptions import best_match

from cancel_contracts.contract.yaml_file import parse_yaml
from cancel_contracts.errors import UsageError
from cancel_contracts.schemas import validator
from cancel_contracts.targets.url import check_urls


def read(path: Path) -> dict[str, Any]:
    """Return a target file, checked against its schema. Raises UsageError."""
    raw = parse_yaml(path)
    if not isinstance(raw, dict):
        raise UsageError(str(path), "is no mapping", "start from `cancel-contracts init`")
    raw = _without_empty(raw)
    if errors := sorted(
        validator("target").iter_errors(raw),
        key=lambda e: list(map(str, e.absolute_path)),
    ):
        error = best_match(errors[0].context) if errors[0].context else errors[0]
        where = "/".join(map(str, [*errors[0].absolute_path])) or "(top level)"
        if error is not errors[0] and error.absolute_path:
            where = "/".join(map(str, error.absolute_path))
        mend = "quote it" if _reads_as(error) else "see `cancel-contracts init`"
        raise UsageError(f"{path}: {where}", _message(error), mend)
    check_urls(path, raw)
    return raw


def _without_empty(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the sections that hold nothing: to YAML one whose lines are all commented out is
    null. What is null below them stays, and is an error.
    """
    found = {key: value for key, value in raw.items() if value is not None}
    if isinstance(own := found.get("contracts"), dict):
        found["contracts"] = {
            name: _without_empty(row or {}) if isinstance(row or {}, dict) else row
            for name, row in own.items()
        }
    if isinstance(states := found.get("provider_states"), dict):
        empty: Any = {} if "url" in states else []  # a handler's fields, or the ids of a state
        found["provider_states"] = {k: empty if v is None else v for k, v in states.items()}
    return found


def _reads_as(error: Any) -> str | None:
    """Return what YAML reads an unquoted text as, where a text is wanted."""
    wanted, value = error.validator_value, error.instance
    if error.validator != "type" or "string" not in (
        wanted if isinstance(wanted, list) else [wanted]
    ):
        return None
    if isinstance(value, bool):
        return "yes or no"
    if isinstance(value, (int, float)):
        return "a number"
    # What YAML reads without quotes and JSON does not know is a date or a time.
    return None if value is None or isinstance(value, (str, list, dict)) else "a date"


def _message(error: Any) -> str:
    """Say what is wrong without repeating the value: it may hold a token."""
    if found := _reads_as(error):
        return f"is read as {found} where a text is wanted"
    if error.validator == "additionalProperties":
        # A key that is none may be a token whose colon was forgotten: shown is what looks like one.
        known = error.schema.get("properties", {})
        odd = [str(key) for key in error.instance if key not in known]
        named = [key for key in odd if re.fullmatch(r"[a-z_]{1,20}", key)]
        return f"knows no key {named[0]!r}" if named else "holds a key that it does not know"
    words = {
        "type": f"must be of type {error.validator_value}",
        "enum": f"must be one of {error.validator_value}",
        "minLength": "must not be empty",
        "minItems": "must not be empty",
        "not": "names two ways to one thing: keep one of them",
        "dependentRequired": str(error.message),
        "minProperties": "must name one source",
        "maxProperties": "must name one source only",
        "required": str(error.message),
        "oneOf": "fits none, or more than one, of the forms allowed here",
        "uniqueItems": "holds a value twice",
    }
    return words.get(error.validator, f"breaks the rule {error.validator!r}")
