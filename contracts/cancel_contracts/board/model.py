"""A run as a board keeps it: who was judged, when and by what, and the verdict on each clause.

The serialiser writes and reads it (`runs` of board.json), so every field is told here alone. No
text of it holds a character that does not show: `reading` sees to that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Level = Literal["must", "should", "info"]
Word = Literal["upheld", "violated", "not-exercised", "inconclusive", "accepted"]
Ending = Literal["conforms", "violated", "inconclusive", "nothing-selected"]


@dataclass(frozen=True)
class Part:
    """So many of so many."""

    count: int
    of: int


@dataclass(frozen=True)
class Mark:
    """What a run says of one clause. `why` is its reason, the excuse's where it is excused; what is
    `newer` than the edition that the target holds to is not held against it.
    """

    level: Level
    verdict: Word
    why: str | None = None
    excused: bool = False
    gap: bool = False
    newer: bool = False


@dataclass(frozen=True)
class Judged:
    """What a run says of one contract: two figures of its must-clauses, and a mark a clause.

    `spec_sha256` and `selected` are None in reports of a suite that did not tell.
    """

    name: str
    kept: Part
    covered: Part
    clauses: Mapping[str, Mark]
    dialects: tuple[str, ...] = ()
    spec_sha256: str | None = None
    selected: Part | None = None

    def level(self, level: Level) -> Part:
        """Return how many clauses of a level are upheld, of all of that level."""
        rows = [mark.verdict == "upheld" for mark in self.clauses.values() if mark.level == level]
        return Part(sum(rows), len(rows))

    @property
    def outcome(self) -> Ending:
        """What it comes to by itself, whatever else the run judged."""
        rows = self.clauses.values()
        musts = [mark for mark in rows if mark.level == "must" and not mark.newer]
        if any(mark.verdict == "violated" for mark in musts):
            return "violated"
        return "inconclusive" if any(mark.gap for mark in musts) else "conforms"


@dataclass(frozen=True)
class Run:
    """A run. `started` is a moment of RFC 3339 in UTC, `suite` the version that judged."""

    started: str
    suite: str
    profile: str
    seed: int
    outcome: Ending
    exit_code: int
    url: str
    contracts: tuple[Judged, ...]
    name: str | None = None
    version: str | None = None
