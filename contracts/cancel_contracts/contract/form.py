"""Bodies of the media type application/x-www-form-urlencoded (WHATWG URL, section 5). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from cancel_contracts.contract.entity_schema import problem_of
from cancel_contracts.contract.parameters import ODD, read, text_of

FORM = "application/x-www-form-urlencoded"


def encodes(value: Any) -> bool:
    """Whether a value can be written as a form: names with texts, numbers or truths."""
    return isinstance(value, Mapping) and all(
        isinstance(item, (str, int, float, bool)) for item in value.values()
    )


def encoded(value: Mapping[str, Any]) -> bytes:
    """Return a mapping as the octets of a form."""
    return urlencode({name: text_of(item) for name, item in value.items()}).encode("ascii")


def decoded(octets: bytes) -> dict[str, str] | None:
    """Return the names and texts of a form, or None for what is no UTF-8."""
    try:
        pairs = parse_qsl(octets.decode("utf-8"), keep_blank_values=True, errors="strict")
    except ValueError:
        return None
    return dict(pairs)


def typed(schema: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Any]:
    """Return what a form says to a schema: a number where a property asks for one."""
    parts = schema.get("properties", {})
    return {name: read(parts.get(name, {}), text) for name, text in texts.items()}


def fits_form(schema: Mapping[str, Any], value: Any) -> bool:
    """Whether a value, once it has gone through a form, is what a schema takes."""
    if not encodes(value):
        return False
    texts = decoded(encoded(value))
    return texts is not None and problem_of(schema, typed(schema, texts)) is None


def misfit(schema: Mapping[str, Any], value: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a form like `value` that a schema refuses, or None where it takes every form."""
    less = ({n: v for n, v in value.items() if n != name} for name in value)
    other = ({**value, name: odd} for name in schema.get("properties", {}) for odd in ODD)
    return next((form for form in (*less, *other) if not fits_form(schema, form)), None)
