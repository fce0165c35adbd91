"""The id of a resource, as its parameter and what is shown describe it. Inside it is a text.

An id that is *nearly* a resource's own is written as a path segment with names in it: {id} for the
id, {cut} for it without its end, {twice} for it encoded twice, {like} for another that begins
alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote
from uuid import UUID

from cancel_contracts.contract.parameters import examples_of, fits, fresh, read, text_of

HUGE = "9" * 24  # beyond 64 bits
CUT_CHARS, NEW_DIGITS = 4, 6  # at the end of an id
# An id whose end is drawn, as of a UUID. Of one that is counted up, a part may be another's.
DRAWN_END = re.compile(r"(?i)(?=[0-9-]*[a-f])[0-9a-f-]{24,}$")
NAME = re.compile(r"\{(id|cut|twice|like)\}")
# Of a path segment: its first character and hyphens, which need no escape; letters of no escape.
PLAIN = re.compile(r"\A[A-Za-z0-9._]|-")
LETTER = re.compile(r"(?<!%)(?<!%[0-9A-Fa-f])[A-Za-z]")


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

    def can_be_near(self, segment: str, known: str) -> bool:
        """Whether a segment with names in it can be filled for the id of a resource: not where what
        comes of it may be the id of another.
        """
        names = set(NAME.findall(segment))
        drawn = DRAWN_END.search(known) is not None
        if "like" in names:
            some = (UUID(int=number) for number in (0, 2**128 - 1))
            return drawn and all(self.fits(_like(known, by)) for by in some)
        return bool(names) and (drawn or "cut" not in names)

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


def near(segment: str, known: str, by: UUID) -> str:
    """Return a segment with its names filled for the id of a resource, percent-encoded; each UUID
    gives another {like}. One without names stays as it is.
    """
    return NAME.sub(lambda found: _NEAR[found[1]](known, by), segment)


def _twice(known: str, _: UUID) -> str:
    first = "".join(f"%25{octet:02X}" for octet in known[:1].encode("utf-8"))
    return first + quote(known[1:], safe="")


def _like(known: str, by: UUID) -> str:
    """Return an id that differs in its last digits, of which the first becomes a letter: one that
    is counted up has a nought there.
    """
    made, digits = list(known), by.hex[-NEW_DIGITS:]
    at = [place for place, char in enumerate(known) if char != "-"][-NEW_DIGITS:]
    letters = [letter for letter in "abcdef" if letter != known[at[0]].lower()]
    for place, digit in zip(at, [letters[by.int % len(letters)], *digits[1:]], strict=True):
        made[place] = digit if known == known.lower() else digit.upper()
    return "".join(made)


_NEAR: Mapping[str, Callable[[str, UUID], str]] = {
    "id": lambda known, _: quote(known, safe=""),
    "cut": lambda known, _: quote(known[:-CUT_CHARS], safe=""),
    "twice": _twice,
    "like": _like,
}


def respelled(segment: str, how: str) -> str:
    """Return the path segment of an id in another spelling: `encoded`, with escapes that it needs
    not and that stand for the same (RFC 3986 section 2.3), or `cased`, with its letters in the
    other case. A name in a script, ~ID_1~, stays as it is.
    """
    if segment.startswith("~"):
        return segment
    if how == "encoded":
        return PLAIN.sub(lambda found: f"%{ord(found[0]):02X}", segment)
    return LETTER.sub(lambda found: found[0].swapcase(), segment) if how == "cased" else segment


def property_of(schema: Any, name: str) -> Mapping[str, Any]:
    """Return the schema of a property of an object's schema, or of one of its parts."""
    if not isinstance(schema, Mapping):
        return {}
    parts = (part for key in ("allOf", "anyOf", "oneOf") for part in schema.get(key) or ())
    own = (schema.get("properties") or {}).get(name)
    return own or next(filter(None, (property_of(part, name) for part in parts)), {})
