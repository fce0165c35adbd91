"""The JSON Schemas that ship with the package, each beside the room that reads by it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache, cached_property
from importlib import resources
from itertools import groupby
from typing import TYPE_CHECKING, Any

import jsonschema_rs

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

KEY = r"[A-Za-z][A-Za-z_-]{0,24}"  # what looks like a key, and no token
# Kind of file -> the folder of the package ("" the package itself), and the schema in it.
SCHEMAS = {
    "spec": ("contract", "extensions.schema.json"),
    "target": ("targets", "target.schema.json"),
    "baseline": ("", "baseline.schema.json"),
    "report": ("report", "report.schema.json"),
    "ledger": ("ledger", "ledger.schema.json"),
    "board": ("board", "board.schema.json"),
}
# What no person writes or keeps: how much is asked of a report of any version.
_INNER = {"board-reading": ("board", "reading.schema.json")}


@cache
def schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema of a kind of file."""
    room, name = (SCHEMAS | _INNER)[kind]
    package = f"cancel_contracts.{room}".rstrip(".")
    found: dict[str, Any] = json.loads(resources.files(package).joinpath(name).read_text("utf-8"))
    return found


class Shape:
    """A JSON Schema by two validators: a quick one, by which nearly everything fits, and one whose
    errors can be told, which is loaded where the quick one finds some.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        self.schema, self._quick = schema, jsonschema_rs.Draft202012Validator(schema)

    @cached_property
    def validator(self) -> Draft202012Validator:
        from jsonschema import Draft202012Validator

        return Draft202012Validator(self.schema)

    def errors(self, value: Any) -> list[ValidationError]:
        try:
            if self._quick.is_valid(value):
                return []
        except ValueError:  # YAML has what JSON has not: a key that is no text
            pass
        return list(self.validator.iter_errors(value))


@cache
def shape(kind: str) -> Shape:
    """Return the shape of a kind of file."""
    return Shape(schema(kind))


def complaint(found: Sequence[ValidationError]) -> tuple[tuple[str | int, ...], str, str] | None:
    """Return the most telling of a value's errors: the keys of its place, what is wrong there, and
    the fix where the error tells it, else "".

    None where there is no error. No value is repeated: it may hold a token.
    """
    if not found:
        return None
    error = min(found, key=lambda e: (not e.absolute_path, list(map(str, e.absolute_path))))
    while error.context and not _keys(error.validator_value):
        error = _meant(error.context)
    return tuple(error.absolute_path), _problem(error), "quote it" if _reads_as(error) else ""


def _meant(context: Sequence[ValidationError]) -> ValidationError:
    """Return the most telling error of the alternative that fits deepest: it was the one meant."""
    from jsonschema.exceptions import relevance

    branches = [list(rows) for _, rows in groupby(context, lambda e: e.relative_schema_path[0])]
    meant = max(branches, key=lambda rows: (max(len(e.path) for e in rows), -len(rows)))
    return max(meant, key=relevance)


def _keys(forms: Any) -> list[str]:
    """Return the keys of which one is required, where alternatives differ in nothing else."""
    if not all(isinstance(form, dict) and form.keys() == {"required"} for form in forms):
        return []
    return [key for form in forms for key in form["required"]]


def _problem(error: ValidationError) -> str:
    asked: Any = error.validator_value
    known: Any = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
    found: Any = error.instance
    match error.validator:
        case "additionalProperties":
            odd = [str(key) for key in found if key not in known]
            # A key that is none may be a token whose colon was forgotten.
            extra = next((key for key in odd if re.fullmatch(KEY, key)), None)
            if extra is None:
                return "holds a key that it does not know"
            near = get_close_matches(extra, known, n=1)
            return f"has no key {extra!r}" + (f"; did you mean {near[0]!r}?" if near else "")
        case "required" | "dependentRequired":
            return str(error.message)  # names keys alone
        case "type" if reads := _reads_as(error):
            return f"is read as {reads} where a text is wanted"
        case "type":
            return f"must be of type {asked if isinstance(asked, str) else ' or '.join(asked)}"
        case "enum":
            return f"must be one of {', '.join(map(str, asked))}"
        case "const":
            return f"must be {json.dumps(asked)}"
        case "minimum":
            return f"must be {asked} or more"
        case "pattern":
            return "must be an http or https URL" if "https?" in asked else f"must fit {asked}"
        case "minLength" | "minItems":
            return "must not be empty"
        case "minProperties":
            return f"must have one of {', '.join(known)}" if known else f"must have {asked} keys"
        case "maxProperties":
            return f"must have only one of {', '.join(known)}"
        case "uniqueItems":
            return "holds a value twice"
        case "not":
            return "names two ways to one thing: keep one of them"
        case "oneOf" if keys := _keys(asked):
            return f"must have exactly one of {', '.join(keys)}"
        case "oneOf":
            return "fits none, or more than one, of the forms allowed here"
        case rule:
            return f"breaks the rule {rule!r}"


def _reads_as(error: ValidationError) -> str | None:
    """Return what YAML reads an unquoted text as, where a text is wanted."""
    wanted: Any = error.validator_value
    value: Any = error.instance
    texts = "string" in (wanted if isinstance(wanted, list) else [wanted])
    if error.validator != "type" or not texts:
        return None
    if isinstance(value, bool):
        return "yes or no"
    if isinstance(value, (int, float)):
        return "a number"
    # What YAML reads without quotes and JSON does not know is a date or a time.
    return None if value is None or isinstance(value, (str, list, dict)) else "a date"
