"""The id of a resource, as its parameter and what is shown describe it. Inside it is a text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

from cancel_contracts.contract.parameters import examples_of, fits, fresh, read, text_of

HUGE = "9" * 24  # beyond 64 bits


@dataclass(frozen=True, eq=False)
class Id:
    """The path parameter that names the resource. `row` is it as OpenAPI has it, `shown` the schema
    of the property `id` in what a GET or a success shows.
    """

    name: str = "id"
    row: Mapping[str, Any] = field(default_factory=dict)
    shown: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def schema(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.row.get("schema", {})
        return found

    @property
    def is_number(self) -> bool:
        return not isinstance(read(self.schema, "1"), str)

    def fits(self, text: str) -> bool:
        """Whether a text may be an id."""
        return fits(self.schema, text)

    def fresh(self, by: UUID) -> str:
        """Return an id that names nothing, another for each UUID."""
        examples = [*map(text_of, examples_of(self.row)), None]
        return fresh(self.schema, examples[0], by) or str(by)

    def odd(self, segment: str) -> str:
        """Return an odd segment; in place of a number, where ids are numbers, one too large."""
        return HUGE if self.is_number and self.fits(segment) else segment

    def is_shown_as(self, value: Any) -> bool:
        """Whether a value is of the type that an id has in what is shown: a text, or a number."""
        types = self.shown.get("type", ["string", "integer"])
        wanted = types if isinstance(types, list) else [types]
        return ("integer" if isinstance(value, int) else "string") in wanted

    def written(self, text: str) -> str | int:
        """Return an id as it stands in what is shown."""
        number = text.isdecimal() and self.is_shown_as(0) and not self.is_shown_as("")
        return int(text) if number else text


ANY_ID = Id()


def property_of(schema: Any, name: str) -> Mapping[str, Any]:
    """Return the schema of a property of an object's schema, or of one of its parts."""
    if not isinstance(schema, Mapping):
        return {}
    parts = (part for key in ("allOf", "anyOf", "oneOf") for part in schema.get(key) or ())
    own = (schema.get("properties") or {}).get(name)
    return own or next(filter(None, (property_of(part, name) for part in parts)), {})
