"""A page that sources name: where it is to be read, and how it stood when the clauses were written.

Of its text only hashes are kept, of sections and of sentences: enough to tell which have come, gone
or stayed.
Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TITLE, INTRODUCTION = "(title)", "(introduction)"  # what stands above the first section
ASIDE = re.compile(r"\([^)]*\)")  # which edition, which row: no part of a heading
BOTH = re.compile(r" and (?=[A-Z(])")  # "Response and Examples"; not "Reliability and support"


@dataclass(frozen=True)
class Read:
    """A section as it was read on a day (`YYYY-MM-DD`): the hash of its text, by which it is
    compared, and those of its sentences, in order, by which a change is told.
    """

    day: str
    hash: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """A page's address, its file in the vendor's repository, and its sections by heading.

    Without `sections` the page is not watched.
    """

    url: str
    file: str | None = None
    sections: Mapping[str, Read] = field(default_factory=dict)


def headings(section: str) -> tuple[str, ...]:
    """Return the headings that a source's section names. What stands in brackets beside one, or
    alone, is none: the title and the introduction apart.
    """
    parts = (part.strip() for part in BOTH.split(section))
    named = (p if p in (TITLE, INTRODUCTION) else ASIDE.sub("", p).strip() for p in parts)
    return tuple(filter(None, named))


def folded(heading: str) -> str:
    """Return a heading as headings are compared: case and white space do not count."""
    return " ".join(heading.casefold().split())


def read_pages(document: Mapping[str, Any]) -> dict[str, Page]:
    """Return the pages of a spec's document (`x-pages`) by name."""
    found = {}
    for name, row in document.get("x-pages", {}).items():
        sections = {
            heading: Read(read["read"], read["hash"], tuple(read["sentences"].split()))
            for heading, read in row.get("sections", {}).items()
        }
        found[name] = Page(row["url"], row.get("file"), sections)
    return found
