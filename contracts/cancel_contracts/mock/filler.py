"""Values that fit a JSON Schema, made from it alone: the same each time, the plainest that fit.

What a schema gives as an example, a default or one of a list is taken before anything is made up.
Knows the formats of JSON Schema, and no pattern but by trying. No state.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from cancel_contracts.contract.entity_schema import problem_of

DEEPEST = 8  # levels in which properties that are not required are filled
FORMATS: Mapping[str, str] = {
    "date-time": "2024-10-21T11:25:48Z",
    "date": "2024-10-21",
    "time": "11:25:48Z",
    "duration": "PT1M",
    "uuid": "43f4cb08-8fac-4b65-9db1-745c2ae65f3a",
    "uri": "https://example.com/",
    "uri-reference": "/",
    "url": "https://example.com/",
    "email": "somebody@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "byte": "dGV4dA==",
    "regex": "a",
    "json-pointer": "/a",
}
# What is tried on a pattern, the shortest that fits: letters, digits, what ids look like.
TEXTS = (
    *("text", "Text", "TEXT", "a", "A", "1", "0123456789", "a1", "A1", "true"),
    *FORMATS.values(),
    *("0" * 24, "0" * 32, "a" * 40, "v1", "en", "en-US", "1.0", "1.0.0", "+491701234567"),
)
PARTS = ("allOf", "oneOf", "anyOf")


def value_of(schema: Any, depth: int = 0) -> Any:
    """Return a value that fits a schema, the plainest; null where none is found."""
    if not isinstance(schema, Mapping):
        return {}
    tried = None
    for value in _candidates(schema, depth):
        if fits(schema, value):
            return value
        tried = value if tried is None else tried
    return tried


def fits(schema: Any, value: Any) -> bool:
    """Whether a value fits a schema whose references are resolved."""
    return not isinstance(schema, Mapping) or problem_of(schema, value) is None


def _candidates(schema: Mapping[str, Any], depth: int) -> Iterable[Any]:
    for key in ("const", "example", "default"):
        if key in schema:
            yield schema[key]
    yield from schema.get("examples") or ()
    yield from (value for value in schema.get("enum") or () if value is not None)
    if schema.keys() & set(PARTS):
        for flat in _alternatives(schema):
            yield from _candidates(flat, depth)
        return
    kinds = schema.get("type") or _kind(schema)
    for kind in sorted([kinds] if isinstance(kinds, str) else kinds, key="null".__eq__):
        yield from _of(kind, schema, depth)


def _alternatives(schema: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """Yield a schema without one of PARTS: what all of allOf say, or a branch each."""
    parts = next(key for key in PARTS if key in schema)
    rest = {key: value for key, value in schema.items() if key != parts}
    every = [part for part in schema[parts] if isinstance(part, Mapping)]
    for group in [every] if parts == "allOf" else ([part] for part in every):
        merged = rest
        for part in group:
            merged = _merged(merged, part)
        yield merged


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    found = {**other, **one}
    for key in ("required", *PARTS):
        if key in one and key in other:
            found[key] = [*one[key], *other[key]]
    if "properties" in one and "properties" in other:
        theirs, ours = other["properties"], one["properties"]
        both = {name: {"allOf": [ours[name], theirs[name]]} for name in ours.keys() & theirs.keys()}
        found["properties"] = {**theirs, **ours, **both}
    return found


def _kind(schema: Mapping[str, Any]) -> str:
    """Return the type that a schema without one speaks of."""
    if {"properties", "required", "additionalProperties"} & schema.keys():
        return "object"
    if "items" in schema or "minItems" in schema:
        return "array"
    return "number" if {"minimum", "maximum", "multipleOf"} & schema.keys() else "string"


def _of(kind: str, schema: Mapping[str, Any], depth: int) -> Iterable[Any]:
    match kind:
        case "object":
            yield _object(schema, depth)
        case "array":
            item = value_of(schema.get("items") or {"type": "string"}, depth + 1)
            yield [item] * max(1 if depth < DEEPEST else 0, schema.get("minItems", 0))
            yield []
        case "string":
            yield from _texts(schema)
        case "integer" | "number":
            yield from _numbers(schema)
        case "boolean":
            yield from (True, False)
        case "null":
            yield None


def _object(schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
    properties = schema.get("properties") or {}
    required = schema.get("required") or []
    names = [*properties, *(name for name in required if name not in properties)]
    more = schema.get("additionalProperties")
    return {
        name: value_of(properties.get(name, more or {"type": "string"}), depth + 1)
        for name in names
        if name in required or (depth < DEEPEST and not _sent_only(properties[name]))
    }


def _sent_only(schema: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get("writeOnly") is True


def _texts(schema: Mapping[str, Any]) -> Iterable[str]:
    if (text := FORMATS.get(str(schema.get("format")))) is not None:
        yield text
    least, most = schema.get("minLength", 0), schema.get("maxLength", 1 << 20)
    for text in TEXTS:
        yield text
        yield (text * (least // len(text) + 1))[: max(least, min(len(text), most))]
    if (pattern := schema.get("pattern")) and re.fullmatch(r"\^?[\w-]+\$?", pattern):
        yield pattern.strip("^$")


def _numbers(schema: Mapping[str, Any]) -> Iterable[float]:
    step = schema.get("multipleOf", 1)
    bounds = [schema[k] for k in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
              if k in schema]  # fmt: skip
    for start in (1, 0, *bounds, *(b + 1 for b in bounds), *(b - 1 for b in bounds)):
        yield start
        yield -(-start // step) * step
        yield start // step * step
    yield from (sum(bounds) / len(bounds) for _ in bounds[:1])
