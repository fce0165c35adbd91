"""The schemas of a spec, run on what a target sent: in bounded time, whatever either of them holds.

The regular expressions of JSON Schema are those of ECMA 262. Python's `re` knows another dialect
and backtracks without end; jsonschema-rs translates them, runs in linear time all that it can, and
counts the steps of the rest (look-around, back-references). The bound is of steps, not of seconds:
so that a recording is judged as the run was, on any machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from jsonschema_rs import FancyRegexOptions, ValidationError, ValidationErrorKind, validator_for

STEPS = 100_000  # of backtracking, for one regular expression on one text; some milliseconds
SHOWN_CHARS = 120
VALUES = ("example", "examples", "default", "const", "enum")  # members that hold no schema

# By the schema's id, and whether formats count; holds the schema, so that it stays.
_compiled: dict[tuple[int, bool], tuple[Any, Any]] = {}


def problem_of(schema: Any, value: Any, *, formats: bool = False) -> str | Literal[False] | None:
    """Return the first thing that a schema says against a JSON value, or None; False where a
    regular expression came to no end. `formats` counts what `format` says too.
    """
    key = (id(schema), formats)
    if key not in _compiled:
        _compiled[key] = (schema, _validator(schema, formats))
    try:
        _compiled[key][1].validate(value)
    except ValidationError as err:
        if isinstance(err.kind, ValidationErrorKind.BacktrackLimitExceeded):
            return False
        return f"{_path(err.instance_path)}: {err.message[:SHOWN_CHARS]}"
    except ValueError:  # a lone surrogate, which no text of Unicode holds
        return "$: a text that is no Unicode"
    return None


def _validator(schema: Any, formats: bool = False) -> Any:
    options = FancyRegexOptions(backtrack_limit=STEPS)
    return validator_for(schema, pattern_options=options, validate_formats=formats)


def _path(parts: list[str | int]) -> str:
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)


def bad_patterns(node: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Yield the place of each regular expression in a document that does not compile, and it."""
    if isinstance(node, list):
        for at, item in enumerate(node):
            yield from bad_patterns(item, f"{where}/{at}")
    if not isinstance(node, Mapping):
        return
    for key, item in node.items():
        place = f"{where}/{key}".removeprefix("/")
        found: list[Any] = []
        if key == "pattern" and isinstance(item, str):
            found = [item]
        elif key == "patternProperties" and isinstance(item, Mapping):
            found = list(item)
        yield from ((place, str(pattern)) for pattern in found if not _compiles(pattern))
        if key not in VALUES:
            yield from bad_patterns(item, place)


def _compiles(pattern: Any) -> bool:
    try:
        _validator({"pattern": pattern})
    except (ValidationError, ValueError):
        return False
    return True
