"""The parameters of an operation: where each stands, what it says, and texts that its schema takes
or refuses.

On the wire a value is a text (OpenAPI 3.1, styles simple and form); what the schema says of a
number is read back from it. Pure.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from random import Random
from typing import Any, Literal

from cancel_contracts.contract.entity_schema import problem_of
from cancel_contracts.parse import NO_JSON, json_value

UNIQUE = "{unique}"  # in a value, for a text that no other call carries
ODD = ("no-such-value", "-1", "0.5", "!" * 300)
NUMBERS = ("integer", "number", "boolean")
LIKE_TRIES = 8
SMALL, LARGE = 10**9, 10**14  # numbers from there on name nothing: below 2**31, and below 2**53


@dataclass(frozen=True, eq=False)
class Parameter:
    """A parameter of an operation, the id apart. `value` is what an ordinary call says, None where
    it says nothing.
    """

    name: str
    place: Literal["path", "query", "header"]
    required: bool
    schema: Mapping[str, Any]
    value: str | None = None
    examples: tuple[str, ...] = ()

    def filled(self, value: str, unique: str) -> str:
        """Return a value as one call carries it."""
        text = value.replace(UNIQUE, unique)
        if UNIQUE in value and not fits(self.schema, text):
            return str(uuid.uuid5(uuid.NAMESPACE_URL, unique))
        return text

    def invalid(self) -> str | None:
        """Return a value that the schema refuses, or None where it takes every one."""
        return next((text for text in ODD if not fits(self.schema, text)), None)

    def other(self, value: str) -> str | None:
        """Return another value that the schema takes, or None where there is but one."""
        usual = text_of(self.schema.get("default", ""))
        named = [*map(text_of, self.schema.get("enum", ())), *self.examples]
        made = [
            *_beside(value or usual),
            fresh(self.schema, value, uuid.uuid5(uuid.NAMESPACE_URL, value)),
        ]
        every = (text for text in (*named, *made) if text is not None and text != value)
        return next((text for text in every if fits(self.schema, text)), None)


def text_of(value: Any) -> str:
    """Return a value of a spec as it goes out."""
    return value if isinstance(value, str) else json.dumps(value)


def read(schema: Mapping[str, Any], text: str) -> Any:
    """Return what a text on the wire says to a schema: a number where it asks for one."""
    value = json_value(text.encode("utf-8", "surrogatepass"))
    types = schema.get("type", "string")
    wanted = any(name in NUMBERS for name in (types if isinstance(types, list) else [types]))
    if "type" not in schema:
        named = [*schema.get("enum", ()), schema.get("const"), schema.get("default")]
        wanted = any(isinstance(one, (int, float)) for one in named)
    return value if wanted and isinstance(value, (int, float)) else text


def fits(schema: Mapping[str, Any], text: str) -> bool:
    """Whether a schema takes a text, what its format says included."""
    return problem_of(schema, read(schema, text), formats=True) is None


def fresh(schema: Mapping[str, Any], example: str | None, by: uuid.UUID) -> str | None:
    """Return a text that a schema takes and that names nothing, another for each UUID; None where
    neither that nor anything like the example fits.
    """
    numbers = [str(LARGE + by.int % (9 * LARGE)), str(SMALL + by.int % SMALL)]
    made = [str(by), *numbers[schema.get("format") == "int32" :]]
    return next((text for text in chain(made, _like(example, by)) if fits(schema, text)), None)


def _like(example: str | None, by: uuid.UUID) -> Iterator[str]:
    """Yield texts like an example: as much of its end as can be is drawn anew, a digit for a
    digit, a letter for a letter of its case.
    """
    random, text = Random(by.int), example or ""  # noqa: S311 - no secret
    hexadecimal = all(c in "0123456789abcdefABCDEF" for c in text if c.isalnum())
    letters = "abcdef" if hexadecimal else "abcdefghijklmnopqrstuvwxyz"

    def drawn(c: str) -> str:
        if c.isdigit():
            return random.choice("123456789")
        if not c.isascii() or not c.isalpha():
            return c
        letter = random.choice(letters)
        return letter if c.islower() else letter.upper()

    for kept in range(len(text)):
        for _ in range(LIKE_TRIES):
            made = text[:kept] + "".join(map(drawn, text[kept:]))
            if made != text:
                yield made


def _beside(value: str) -> Iterator[str]:
    """Yield values near another: the next number, the other truth."""
    number = json_value(value.encode("utf-8", "surrogatepass"))
    if isinstance(number, bool):
        yield text_of(not number)
    elif number is not NO_JSON and isinstance(number, int):
        yield from (str(number + 1), str(number - 1))


def examples_of(row: Mapping[str, Any]) -> list[Any]:
    """Return the examples of an OpenAPI parameter, then those of its schema."""
    schema = row.get("schema", {})
    named = [each.get("value") for each in (row.get("examples") or {}).values()]
    own = [row["example"]] if "example" in row else []
    of_schema = [schema["example"]] if "example" in schema else []
    return [*own, *named, *of_schema, *(schema.get("examples") or [])]
