"""One attempt at a scenario, and the wish that everything ends early.

Holds what belongs to one attempt alone, so that several may be made at a time. Sends nothing.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Literal
from urllib.parse import quote, unquote

from cancel_contracts.contract.extras import USED_ID
from cancel_contracts.contract.ids import Id
from cancel_contracts.exchange import Exchange

Role = Literal["target", "neighbour"]  # which resource a look is at


@dataclass
class Attempt:
    """One attempt at a scenario: its number in the journal, and who keeps what comes of it."""

    number: int
    seed: str
    keep: Callable[[Exchange], None]
    _random: Random = field(init=False)
    _uniques: list[str] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._random = Random(f"{self.seed}/{self.number}")  # noqa: S311 - no secret

    def unique(self, text: str, *, again: bool) -> str:
        """Return a call's own text; that of the call before where the same is sent `again`."""
        if not again or not self._uniques:
            self._uniques.append(text)
        return self._uniques[-1]

    def drawn(self) -> uuid.UUID:
        """Return a UUID that seed and number determine."""
        return uuid.UUID(int=self._random.getrandbits(128), version=4)

    def uuid(self) -> str:
        return str(self.drawn())

    def request_id(self) -> str:
        """Return a client-request-id; that of the first call others use once more."""
        own = self.uuid()
        return USED_ID if self.number == 1 else own

    def fresh(self, own: Id) -> str:
        """Return an id of a contract that names nothing."""
        return own.fresh(self.drawn())


class Stopped(Exception):
    """A call was due when the run had been asked to stop: it was not sent."""


class Stop:
    """Asked from outside, a run ends early: nothing more is sent but what tears down."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.reason = ""

    def ask(self, reason: str) -> None:
        self.reason = reason
        self._event.set()

    @property
    def asked(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait, but not for a run that is to end; whether it is."""
        return self._event.wait(seconds)


@dataclass(frozen=True)
class Resource:
    """A resource: its id, and the id as it stands in a path, percent-encoded. `near` is the id of
    another which it is nearly.
    """

    id: str
    segment: str
    near: str = ""

    @property
    def text(self) -> str:
        """What the segment says once it is decoded: of an odd id the text, not the spelling."""
        return unquote(self.segment)

    @classmethod
    def of(cls, id_: str) -> Resource:
        return cls(id_, quote(id_, safe=""))
