"""A target file as it may be shown: whatever may be a secret is left out. Pure.

Of an identity, of the key, of a header and of a password stays where they come from, an environment
variable or a file; what stands in the file itself does not, nor do the arguments of a command.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

LEFT_OUT = "[redacted]"
USERINFO = re.compile(r"(?<=://)[^/?#@\s]+@")


def without_secrets(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a target file, which was checked, without secrets."""
    found: dict[str, Any] = {}
    for key, value in raw.items():
        match key:
            case "identities":
                found[key] = {name: _source(row, "token") for name, row in value.items()}
            case "mint":
                found[key] = _source(value, "key")
            case "headers":
                found[key] = {name: _text(row) for name, row in value.items()}
            case "provider_states":
                found[key] = _states(value)
            case "contracts":
                found[key] = {name: without_secrets(row) for name, row in value.items()}
            case "base_url":
                found[key] = _url(value)
            case _:
                found[key] = value
    return found


def _source(row: Mapping[str, Any], secret: str) -> dict[str, Any]:
    found = {key: LEFT_OUT if key == secret else value for key, value in row.items()}
    if command := found.get("token_command"):
        found["token_command"] = [command[0], *[LEFT_OUT] * len(command[1:])]
    return found


def _text(value: Any) -> Any:
    return LEFT_OUT if isinstance(value, str) else value


def _states(value: Any) -> Any:
    if isinstance(value, str):
        return _url(value)
    if "url" not in value:
        return value
    found = {**value, "url": _url(value["url"])}
    if "headers" in value:
        found["headers"] = {name: _text(row) for name, row in value["headers"].items()}
    if "basic" in value:
        found["basic"] = {**value["basic"], "password": _text(value["basic"]["password"])}
    return found


def _url(url: str) -> str:
    return USERINFO.sub(f"{LEFT_OUT}@", url)
