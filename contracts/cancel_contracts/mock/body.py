"""What a request brings: the id in its path, its parameters, its media type and its body.

Raises Refusal 4xx, never anything else. Knows no property by name but `id`, which every entity has.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from cancel_contracts.contract.form import FORM, decoded, typed
from cancel_contracts.contract.parameters import Parameter, fits
from cancel_contracts.mock.call import MISSING, Call, Refusal

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

DEEPEST_NESTING = 64  # far above any documented body, far below Python's own limit
HEX = frozenset(b"0123456789abcdefABCDEF")


def decode_id(raw: bytes) -> str:
    """Return the id of a path segment, or refuse what is no percent-encoded UTF-8."""
    for piece in raw.split(b"%")[1:]:
        if len(piece) < 2 or not HEX.issuperset(piece[:2]):
            raise Refusal(400, "odd-id")
    try:
        return unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        raise Refusal(400, "odd-id") from None


def said(call: Call, parameter: Parameter) -> str | None:
    """Return what a call says for a parameter, or None."""
    if parameter.place == "query":
        return call.query.get(parameter.name)
    if parameter.place == "header":
        return call.headers.get(parameter.name.lower())
    return unquote_to_bytes(call.segments[parameter.name]).decode("utf-8", "replace")


def check_parameters(call: Call, parameters: Iterable[Parameter]) -> None:
    """Refuse a parameter that is missing, or says what its schema refuses; in the path one that
    leads to another place than where all the resources are.
    """
    for each in parameters:
        text = said(call, each)
        if each.place == "path":
            if text != each.value:
                raise Refusal(404, "elsewhere")
        elif text is None and each.required:
            raise Refusal(400, "parameter-missing")
        elif text is not None and not fits(each.schema, text):
            raise Refusal(400, "parameter-invalid")


def media_type(call: Call) -> str:
    return call.headers.get("content-type", "").split(";")[0].strip().lower()


def check_media(call: Call, wanted: str, *, always: bool) -> None:
    """Refuse a body that says it is of another kind; where `always`, a request that says nothing
    too.
    """
    media = media_type(call)
    if always or wanted == FORM:
        wrong = media != wanted and (always or bool(call.body))
    else:
        wrong = bool(call.body) and (media.startswith("text/") or "form" in media)
    if wrong:
        raise Refusal(415, "media" if media else "no-media")


def read_form(schema: Mapping[str, Any], raw: bytes) -> Any:
    """Return what a form says to a schema, or MISSING for no body."""
    if not raw:
        return MISSING
    if (texts := decoded(raw)) is None:
        raise Refusal(400, "bad-json")
    return typed(schema, texts)


def read_object(raw: bytes) -> Any:
    """Return the JSON object of a body, or MISSING for no body."""
    if not raw:
        return MISSING
    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=no_constant)
    except (ValueError, RecursionError):
        raise Refusal(400, "bad-json") from None
    if not isinstance(value, dict):
        raise Refusal(400, "no-object")
    if too_deep(value):
        raise Refusal(400, "bad-json")
    return value


def no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def too_deep(value: Any) -> bool:
    """Whether a value is nested deeper than any sane request, counted without recursion."""
    level: list[Any] = [value]
    for _ in range(DEEPEST_NESTING):
        level = [
            item
            for node in level
            if isinstance(node, (dict, list))
            for item in (node.values() if isinstance(node, dict) else node)
        ]
        if not level:
            return False
    return True


def same_id(call: Call) -> bool:
    """Whether the id in the body, compared without case, is that of the path."""
    return str(call.json.get("id", "")).lower() == decode_id(call.raw_id).lower()


def check_object(schema: Draft202012Validator, call: Call) -> None:
    """An ordinary caller's body may be absent; else it fits the schema and means this resource."""
    if call.json is MISSING:
        return
    if not schema.is_valid(call.json):
        raise Refusal(400, "bad-property")
    if "id" in call.json and not same_id(call):
        raise Refusal(400, "other-id")


def check_owner_body(schema: Draft202012Validator, call: Call) -> None:
    """An owner's body must be there, fit the lifecycle's schema, and mean this resource."""
    if call.json is MISSING:
        raise Refusal(400, "owner-body-missing")
    if not schema.is_valid(call.json):
        raise Refusal(400, "owner-body-schema")
    if not same_id(call):
        raise Refusal(400, "owner-body-id")
