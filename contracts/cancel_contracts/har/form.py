"""What `--record` adds to a HAR file: the settings of the run, and the form of the `_contracts`
fields. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

EXCHANGES = "exchanges"  # of a journal: written entry by entry, apart from the rest
FORMAT = 2  # of the _contracts fields


@dataclass(frozen=True)
class Selected:
    """What a run did of one contract: the clauses that it judged, what was excused, its seconds,
    how many pairs of facts met in its plan, of those that can, the seconds that effects might take;
    the edition that was named, and the one that the target holds to, as ISO 8601 dates.
    """

    base_url: str = ""
    clauses: tuple[str, ...] = ()
    not_testable: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    pairs: tuple[int, int] = (0, 0)
    within: float | None = None
    edition: str | None = None
    held_to: str | None = None

    def __post_init__(self) -> None:
        for day in filter(None, (self.edition, self.held_to)):
            date.fromisoformat(day)  # what somebody altered is told where it is read


@dataclass(frozen=True)
class Settings:
    """What a run was made with. `started` is an ISO 8601 moment, `contracts` is by name."""

    base_url: str
    profile: Literal["smoke", "gate", "deep"]
    seed: int
    seconds: float
    started: str
    pinned: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    contracts: Mapping[str, Selected] = field(default_factory=dict)
