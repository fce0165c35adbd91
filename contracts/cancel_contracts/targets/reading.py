"""Read a target file: YAML by its JSON Schema, complaints without the values. Opens no socket."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cancel_contracts.contract.yaml_file import parse_yaml, place_in
from cancel_contracts.errors import UsageError
from cancel_contracts.schemas import complaint, shape
from cancel_contracts.targets.url import check_urls


def read(path: Path) -> dict[str, Any]:
    """Return a target file, checked against its schema. Raises UsageError."""
    raw = parse_yaml(path)
    if not isinstance(raw, dict):
        raise UsageError(str(path), "is no mapping", "start from `cancel-contracts init`")
    raw = _without_empty(raw)
    if found := complaint(shape("target").errors(raw)):
        keys, problem, fix = found
        raise UsageError(place_in(path, keys), problem, fix or "see `cancel-contracts init`")
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
