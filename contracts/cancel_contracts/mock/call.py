"""The words of the mock's pipeline: a call, who makes it, what it is answered, why it is refused.

Plain data. Knows no contract's names, no HTTP library and no fault.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal
from urllib.parse import parse_qsl

from cancel_contracts.mock.store import Resource

Headers = tuple[tuple[str, str], ...]
Kind = Literal["cancel", "observe"]


class Missing:
    """The value of a body that is not there, as apart from the JSON value null."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()


@dataclass(frozen=True)
class Caller:
    """What a token says. `trusted` marks the caller that a fault let in without one."""

    sub: str = ""
    kind: Literal["delegated", "application"] = "application"
    permissions: tuple[str, ...] = ()
    administrator: bool = True
    personal: bool = False
    trusted: bool = False

    @property
    def owner_only(self) -> bool:
        """A user who is no administrator may cancel only what is theirs."""
        return self.kind == "delegated" and not self.administrator


@dataclass(frozen=True)
class Reply:
    """One answer. `framed` asks for a Content-Length, `wire` names a script of scripts.py."""

    status: int
    headers: Headers = ()
    body: bytes = b""
    framed: bool = True
    wire: str | None = None

    def header(self, name: str) -> str | None:
        return next((v for k, v in self.headers if k.lower() == name.lower()), None)

    def without(self, *names: str) -> Reply:
        dropped = {name.lower() for name in names}
        return replace(self, headers=tuple(h for h in self.headers if h[0].lower() not in dropped))

    def with_header(self, name: str, value: str) -> Reply:
        kept = self.without(name)
        return replace(kept, headers=(*kept.headers, (name, value)))

    def with_body(self, body: bytes, media: str | None) -> Reply:
        kept = replace(self.without("Content-Type"), body=body)
        return kept.with_header("Content-Type", media) if media else kept

    def with_json(self, value: Any) -> Reply:
        return self.with_body(to_json(value), "application/json")


def to_json(value: Any) -> bytes:
    """Return JSON as UTF-8, with escapes only where a lone surrogate leaves no other way."""
    try:
        return json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value).encode("ascii")


class Refusal(Exception):
    """A check said no. `why` is the slug that faults and variants go by."""

    def __init__(self, status: int, why: str, headers: Headers = ()) -> None:
        self.status, self.why, self.headers = status, why, headers
        super().__init__(f"{status} {why}")


class Replayed(Exception):
    """The request was answered before, and is answered so again."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        super().__init__("replayed")


@dataclass
class Call:
    """One request on its way through the steps, which fill it in."""

    kind: Kind
    method: str
    raw_id: bytes
    headers: Mapping[str, str]  # names in lower case
    body: bytes = b""
    turn: int = 1  # which request on its connection, from 1
    connection: dict[str, Any] = field(default_factory=dict)  # what is kept with the connection
    target: bytes = b""  # path and query as they came
    fields: tuple[tuple[str, str], ...] = ()  # every header line, names in lower case
    version: str = "1.1"
    number: int = 0  # which call on the cancel route of this contract, from 1
    caller: Caller = field(default_factory=lambda: Caller(trusted=True))
    id: str = ""
    resource: Resource | None = None
    json: Any = MISSING
    refusal: Refusal | None = None
    replayed: bool = False  # by its key, as it was answered before
    request_id: str = ""
    segments: Mapping[str, bytes] = field(default_factory=dict)  # of the path, by name

    @property
    def query(self) -> dict[str, str]:
        """The first value of each name in the query."""
        text = self.target.partition(b"?")[2].decode("latin-1")
        return dict(reversed(parse_qsl(text, keep_blank_values=True)))

    @property
    def found(self) -> Resource:
        """The resource, where the step `find` has passed."""
        if self.resource is None:
            raise LookupError("no resource was found for this call")
        return self.resource

    @property
    def why(self) -> str | None:
        """Why the call was refused, or None for a success."""
        return self.refusal.why if self.refusal else None
