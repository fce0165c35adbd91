"""A word of the vocabulary: one row of a table. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

# What a word asks of a target beside an address: an identity by that name, a key to mint with.
Need = Literal["identities", "mint"]


@dataclass(frozen=True)
class Word:
    """One value of an axis. `says` explains it, `reads` stands in a sentence about a call.

    `near` is an id on the wire where a resource is known: one that is nearly its own (ids.py).
    """

    name: str
    says: str
    reads: str = ""
    wire: Any = None  # what it is on the wire: octets, a path segment, a form, header lines
    need: Need | None = None
    near: str = ""
    errors: tuple[int, ...] = ()  # of the 5xx, those that are a right answer to it


def table(*rows: Word) -> dict[str, Word]:
    return {row.name: row for row in rows}
