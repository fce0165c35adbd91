"""Exchange: what was sent, in which situation, and every byte that came back.

The only thing that passes from the rooms that send to the rooms that judge. Frozen data: no I/O, no
clock, no knowledge of clauses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from cancel_contracts.parse import epoch, json_read, refusal, retry_after, success

Headers = tuple[tuple[str, str], ...]

# Why no complete answer came back. `refused`, `unreachable` and `tls` say nothing about the
# contract (nobody was
# there to keep it); the others are answers of a kind.
Failure = Literal[
    "refused", "unreachable", "tls", "proxy", "timeout", "reset", "closed", "too-large"
]
NOBODY_THERE: frozenset[str] = frozenset({"refused", "unreachable", "tls", "proxy"})
USER_AGENT = "cancel-contracts"  # of a request that says nothing else
HEADER_BYTES = 200  # what a header, or an interim response, costs beside its text
Part = Literal["headers", "body"]
# The words of bodies and ids whose text is drawn when the run begins.
DRAWN = frozenset({"text", "valid", "invalid", "raw"})
RECORDED = "recorded"  # a fact of the situation that an exchange made by others does not tell
STRUCK_OUT_CHARS = 80  # longer ones are not looked at
_STRUCK_OUT = re.compile(
    r"\W*(?:[\w./+-]+ )?(?:redacted|removed|masked|scrubbed|sanitized)\W*|\*+", re.IGNORECASE
)


def struck_out(text: str) -> bool:
    """Whether it is what recorders, or those who clean recordings, write in place of a secret."""
    return len(text) <= STRUCK_OUT_CHARS and _STRUCK_OUT.fullmatch(text) is not None


@dataclass(frozen=True)
class Form:
    """A body or an id: a word of the vocabulary and, where the word says not all, its text.

    `json` goes with a JSON text, `example` with the example's name, those of DRAWN with what was
    drawn for them: a JSON text, or a path segment.
    """

    word: str
    text: str = ""

    @property
    def drawn(self) -> bool:
        """Whether a strategy draws its text, or has."""
        return self.word in DRAWN

    @property
    def kind(self) -> Form:
        """The form without what was drawn."""
        return Form(self.word) if self.drawn else self

    @classmethod
    def read(cls, text: str) -> Form:
        """Return the form that `str` wrote."""
        word, _, rest = text.partition(":")
        return cls(word, rest)

    def __str__(self) -> str:
        return f"{self.word}:{self.text}" if self.text else self.word


DOCUMENTED, KNOWN = Form("documented"), Form("known")


@dataclass(frozen=True)
class Situation:
    """The facts a clause's `given` speaks of. Defaults are the ordinary case: a first, documented
    call, by the method of most contracts.
    """

    resource: str = "cancellable"  # cancellable | final | unknown | odd
    state: str | None = None  # the provider state, as the spec spells it
    owner: str | None = None  # the identity the resource was provisioned for
    id: Form = KNOWN  # known | unknown | a kind of odd id
    identity: str = "primary"
    body: Form = DOCUMENTED
    content_type: str = "default"
    transfer: str = "length"  # length | chunked
    method: str = "POST"
    call: str = "first"  # first | second | repeated | concurrent | reused
    extra: str = "none"  # what is sent beside it that nobody asks for
    parameter: tuple[str, str] | None = None  # the one that is omitted, invalid or other, and how

    @property
    def by_owner(self) -> bool:
        """Whether who calls may touch but what is their own."""
        return self.owner is not None and self.owner == self.identity

    @property
    def follows(self) -> bool:
        """Whether it comes after another call on its resource."""
        return self.call in ("second", "repeated")

    @property
    def drawn(self) -> tuple[Form, ...]:
        """Those of its body and id that were drawn."""
        return tuple(form for form in (self.body, self.id) if form.drawn)


@dataclass(frozen=True)
class Sent:
    """One request as it was handed to the wire."""

    method: str
    url: str
    headers: Headers = ()
    body: bytes = b""
    unrecorded: tuple[Part, ...] = ()  # of a request that somebody else recorded in part
    without: tuple[str, ...] = ()  # fields that go out with every other request
    absolute: bool = False  # whether the request line held the URL whole (RFC 9112 section 3.2.2)
    version: str = "1.1"  # of HTTP


@dataclass(frozen=True)
class Received:
    """Everything the target sent on the connection, and how h11 reads it.

    `body` is the content after transfer and content decoding; `wire` is every byte received;
    `stray` is what came after the message ended; `interim` lists the first 1xx statuses, and
    `more_interim` counts those after them; `error` says why h11 could not read it whole.
    """

    status: int
    reason: str = ""
    version: str = "1.1"
    headers: Headers = ()
    body: bytes = b""
    interim: tuple[int, ...] = ()
    more_interim: int = 0
    stray: bytes = b""
    error: str | None = None
    wire: bytes = b""
    unrecorded: tuple[Part, ...] = ()  # of an answer that somebody else recorded in part
    left_open: bool = False  # the connection, for seconds after it, that was to be closed

    def header(self, name: str) -> str | None:
        """Return the first value of a header, compared without case, or None."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def headers_named(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def come_again(self) -> float | datetime | None:
        """Return when the answer asks to come again: in seconds, or the moment. None where it does
        not say. Beside a 429, x-ratelimit-reset may stand for Retry-After, in seconds since 1970.
        """
        if (text := self.header("retry-after")) is not None or self.status == 429:
            return retry_after(text or "")
        return epoch(self.header("x-ratelimit-reset") or "")

    @property
    def unavailable(self) -> bool:
        """Whether it is a 503 with a Retry-After: nobody serves now (RFC 9110 section 15.6.4)."""
        return self.status == 503 and bool(self.header("retry-after"))

    @property
    def redirect(self) -> str | None:
        """Return where a redirect leads, or None for any other answer."""
        return self.header("location") if self.status // 100 == 3 else None

    @property
    def weight_bytes(self) -> int:
        """Return about how much memory it takes."""
        fields = sum(HEADER_BYTES + len(name) + len(value) for name, value in self.headers)
        heads = HEADER_BYTES * (len(self.interim) + self.more_interim)
        texts = len(self.reason) + len(self.wire) + len(self.body) + len(self.stray)
        return heads + fields + texts

    @property
    def media_type(self) -> str:
        return (self.header("content-type") or "").split(";")[0].strip().lower()

    def json(self) -> Any:
        """Return the body read as UTF-8 JSON, or NO_JSON. It is not to be changed."""
        return json_read(self.body)


@dataclass(frozen=True)
class Caller:
    """What a recording tells of who called. It holds no credentials.

    `key` is the same for equal credentials and tells nothing else; `scheme` is that of
    Authorization in lower case, "none" where a recorded head has no such field, "bare" for a JSON
    Web Token without one, "" where that is not told. `subject` and `roles` are the object id and
    the directory roles that the token of a user names; None where it names no roles.
    """

    key: str = ""
    scheme: str = ""
    subject: str = ""
    roles: tuple[str, ...] | None = None


def told_by_limit(received: Received, statuses: tuple[int, ...] = (429,)) -> bool:
    """Whether an answer is that of a limit: a 429, or another of the statuses that tell of one
    where it says when to come again, or that nothing is left.
    """
    if received.status == 429 or received.status not in statuses:
        return received.status == 429
    left = received.header("x-ratelimit-remaining")
    return received.header("retry-after") is not None or (left or "").strip() == "0"


def put_off(received: Received, statuses: tuple[int, ...] = (429,)) -> bool:
    """Whether an answer asks to call again later, and says nothing of the call itself."""
    return told_by_limit(received, statuses) or received.unavailable


@dataclass(frozen=True)
class Exchange:
    """One request and what became of it.

    `kind` is "cancel" for any method on the cancel route and "observe" for the GET of the resource.
    `scenario` numbers the scenario within the contract's journal; `position` counts the cancel
    calls of that scenario, this one included, so an observation at position 0 was made before the
    first call. `role` says which resource it names.
    """

    contract: str
    scenario: int
    position: int
    kind: Literal["cancel", "observe"]
    situation: Situation
    identity: str
    resource: str
    sent: Sent
    role: Literal["target", "neighbour"] = "target"
    received: Received | None = None
    failure: Failure | None = None
    detail: str = ""  # of the failure, in words
    started: float = 0.0  # seconds since the run began
    seconds: float = 0.0
    reused: bool = False  # sent on a connection that had carried an exchange before
    echoed: bool = False  # the answer holds the token that the request carried
    limit_statuses: tuple[int, ...] = (429,)  # by which the contract's limits are told
    way_in: bool = False  # made to find out how the target is to be called: stands for nothing

    @property
    def status(self) -> int | None:
        return self.received.status if self.received else None

    @property
    def succeeded(self) -> bool:
        """Whether it was answered 2xx."""
        return success(self.status)

    @property
    def refused(self) -> bool:
        """Whether it was answered 4xx, 429 included: whatever is no refusal may take effect."""
        return refusal(self.status)

    @property
    def limited(self) -> bool:
        """Whether it was answered by a limit, which says nothing of the call itself."""
        return self.received is not None and told_by_limit(self.received, self.limit_statuses)

    @property
    def unavailable(self) -> bool:
        """Whether it was answered 503 with a Retry-After."""
        return self.received is not None and self.received.unavailable

    @property
    def put_off(self) -> bool:
        """Whether the answer asks to call again later, and says nothing of the call itself."""
        return self.received is not None and put_off(self.received, self.limit_statuses)

    @property
    def unanswered(self) -> bool:
        """Whether no answer came that can be read to its end."""
        return self.received is None or bool(self.failure or self.received.error)

    @property
    def why(self) -> str:
        """Return why no whole answer came, in words; empty where one did."""
        return f"{self.failure}: {self.detail}" if self.detail else self.failure or ""


@dataclass(frozen=True)
class Overheard:
    """An exchange of somebody else as one of a caller's. `resource` tells one from all others,
    `ended` is when its answer had come at the latest, in seconds as `started`.
    """

    exchange: Exchange
    caller: Caller
    resource: tuple[str, str, str]
    ended: float
