"""What the mock keeps: resources by id. No HTTP, no rules."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Resource:
    """One resource. `state` is spelled as the spec does; `entity` is what a GET shows."""

    id: str
    state: str
    owner: str | None
    entity: dict[str, Any]
    first_state: str = ""
    first_entity: dict[str, Any] = field(default_factory=dict)
    entity_before: dict[str, Any] = field(default_factory=dict)  # the last effect
    changed_at: float = 0.0  # monotonic seconds of the last effect; 0 means none
    # What is still to come of a cancel: when (monotonic seconds), and what is done then.
    ahead: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    def come_of_age(self, now: float) -> None:
        """Do what is due by now."""
        while self.ahead and self.ahead[0][0] <= now:
            self.ahead.pop(0)[1]()


class Store:
    """Resources of one contract. `fold` decides which spellings of an id are one id."""

    def __init__(self) -> None:
        self.fold: Callable[[str], str] = str
        self._rows: dict[str, Resource] = {}

    def add(self, resource: Resource) -> None:
        self._rows[self.fold(resource.id)] = resource

    def get(self, id_: str) -> Resource | None:
        if (row := self._rows.get(self.fold(id_))) is not None:
            row.come_of_age(time.monotonic())
        return row

    def drop(self, id_: str) -> bool:
        return self._rows.pop(self.fold(id_), None) is not None

    def __iter__(self) -> Iterator[Resource]:
        for row in list(self._rows.values()):
            row.come_of_age(time.monotonic())
            yield row


def fresh_id() -> str:
    return str(uuid.uuid4())
