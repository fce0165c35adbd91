"""Recorded bytes to `Received`, with h11 as the only reader, and the rules of framing.

Pure: bytes in, frozen data out. It must not know of sockets, of clocks, or of who sent the bytes
and why. How the bytes were cut on their way here must not show in what comes out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import h11

from cancel_contracts.exchange import Headers, Received
from cancel_contracts.transport.coding import decode
from cancel_contracts.transport.head import Head, heads

# Of one head: curl takes 300 KiB, .NET 64 KiB. For each byte of a reason h11 takes two hundred. It
# gives up on a head that is longer only if it comes in pieces.
HEAD_BYTES = 2**18
_TOO_LONG = f"a head of more than {HEAD_BYTES} bytes"
# What h11 is told of the request. RFC 9112 6.3: HEAD is the one method sent here that changes how
# its response is framed. It must not say `Connection: close`, or h11 takes bytes after the message
# for an error and keeps them back.
_GET, _HEAD = (h11.Request(method=m, target="/", headers=[("Host", "-")]) for m in ("GET", "HEAD"))
_END = h11.EndOfMessage()
FACTS_KEPT = 256  # answers: those of a gate
INTERIM_KEPT = 100  # of one answer; the others are counted
_SHOWN = 200  # characters of the target's bytes in one message


class Reader:
    """One response, fed as it arrives; `finish` when nothing more will come.

    `ended`: the message is complete. `settled`: more bytes can change nothing but `stray`.
    """

    def __init__(self, method: str) -> None:
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES)
        self._h11.send(_HEAD if method == "HEAD" else _GET)
        self._h11.send(_END)
        self._wire, self._body = bytearray(), bytearray()
        self._stray = 0  # bytes after the end of the message
        self._fault: str | None = None
        self.ended = False

    @property
    def size(self) -> int:
        return len(self._wire)

    @property
    def settled(self) -> bool:
        return self.ended or self._fault is not None

    @property
    def reusable(self) -> bool:
        """Whether the connection may carry another exchange (RFC 9112 9.3)."""
        return self.ended and not self._stray and self._h11.their_state is h11.DONE

    def first(self, size: int) -> bytes:
        return bytes(self._wire[:size])

    def feed(self, data: bytes) -> None:
        self._wire += data
        if self.ended:
            self._stray += len(data)
        elif data and not self.settled:
            self._h11.receive_data(data)
            self._pump()

    def finish(self, *, eof: bool = True) -> Received | None:
        """Return what was read, or None if there was not one byte. Call once.

        `eof`: the peer closed the connection in good order, which ends a body that has no other
        end.
        """
        if not self._wire:
            return None
        if eof and not self.settled:
            self._h11.receive_data(b"")
            self._pump()
        wire = bytes(self._wire)
        seen = heads(wire)
        final = None if seen[-1].interim else seen[-1]
        statuses = [head.status for head in seen if head.interim and head.status is not None]
        interim, more = tuple(statuses[:INTERIM_KEPT]), max(0, len(statuses) - INTERIM_KEPT)
        if any(head.size > HEAD_BYTES for head in seen):
            self._fault = _TOO_LONG
        error = self._error(final)
        if final is None or final.status is None:
            return Received(
                status=0, version="", interim=interim, more_interim=more, error=error, wire=wire
            )
        values = [value for name, value in final.headers if name.lower() == "content-encoding"]
        codings = [word.strip().lower() for value in values for word in value.split(",")]
        body, undecoded = bytes(self._body), None
        if body:
            body, undecoded = decode(body, [coding for coding in codings if coding])
        return Received(
            status=final.status,
            reason=final.reason,
            version=final.version,
            headers=final.headers,
            body=body,
            interim=interim,
            more_interim=more,
            stray=wire[len(wire) - self._stray :],
            error=error or undecoded,
            wire=wire,
        )

    def _pump(self) -> None:
        while not self.settled:
            try:
                event = self._h11.next_event()
            except h11.RemoteProtocolError as error:
                self._fault = _plain(str(error))
                return
            if isinstance(event, h11.Data):
                self._body += event.data
            elif isinstance(event, h11.EndOfMessage):
                self.ended = True
                self._stray = len(self._h11.trailing_data[0])
            elif event in (h11.NEED_DATA, h11.PAUSED):
                return

    def _error(self, final: Head | None) -> str | None:
        # The status line is judged on the whole of it: h11 refuses one early by its first byte, if
        # that comes alone.
        if final is None:
            return "no final response came"
        if final.status is None:
            kind = "illegal" if final.line_whole else "unfinished"
            return f"{kind} status line: {final.line!r}"[:_SHOWN]
        if self._fault is None and not self.ended:
            return f"the message was not complete after {self.size} bytes, when reading stopped"
        return self._fault


def _plain(complaint: str) -> str:
    # h11 quotes as many bytes of a wrong chunk end as had arrived, and shows its own buffer type.
    if complaint.startswith("malformed chunk footer"):
        return "malformed chunk footer"
    if complaint == "Receive buffer too long":
        return _TOO_LONG
    return re.sub(r"bytearray\((.*)\)$", r"\1", complaint, flags=re.DOTALL)[:_SHOWN]


def read(method: str, data: bytes, *, eof: bool = True) -> Received | None:
    """Return the response to `method` that `data` holds, or None if `data` is empty.

    What is wrong with it stands in `error`; a status line that cannot be read gives status 0. `eof`
    says whether the connection was closed in good order after `data`.
    """
    reader = Reader(method)
    reader.feed(data)
    return reader.finish(eof=eof)


@dataclass(frozen=True)
class _Facts:
    method: str
    asked: str  # the version of HTTP of the request
    received: Received
    heads: tuple[Head, ...]  # as they stood on the wire, interim first; empty where none was kept

    @property
    def framings(self) -> list[tuple[int, Headers]]:
        """Status and headers of every head, interim first."""
        interim = [(head.status or 0, head.headers) for head in self.heads if head.interim]
        return [*interim, (self.received.status, self.received.headers)]

    def values(self, name: str) -> list[str]:
        return [x.strip() for value in self.received.headers_named(name) for x in value.split(",")]


# RFC 9110 8.6 (Content-Length), RFC 9112 6.1 (Transfer-Encoding): a server MUST NOT send either on
# 1xx or 204.
def _framed_where_no_body_is(facts: _Facts) -> Iterator[str]:
    for status, headers in facts.framings:
        if status == 204 or 100 <= status < 200:
            for name in ("Content-Length", "Transfer-Encoding"):
                if any(key.strip().lower() == name.lower() for key, _ in headers):
                    yield f"{name} on a {status}"


# RFC 9112 6.2: a sender MUST NOT send Content-Length in a message that contains Transfer-Encoding.
def _framed_in_two_ways(facts: _Facts) -> Iterator[str]:
    if facts.values("content-length") and facts.values("transfer-encoding"):
        yield "both Content-Length and Transfer-Encoding"


# RFC 9110 8.6: Content-Length = 1*DIGIT, one value. A reader may take equal ones for one; a sender
# may not send them.
def _more_than_one_length(facts: _Facts) -> Iterator[str]:
    if len(lengths := facts.values("content-length")) > 1:
        yield f"{len(lengths)} values of Content-Length: {', '.join(lengths)}"


# RFC 9110 6.2: the major version is not above the request's, and the server is conformant to it.
def _version_that_is_none(facts: _Facts) -> Iterator[str]:
    if facts.heads and facts.received.version and not facts.received.version.startswith("1."):
        yield f"version HTTP/{facts.received.version} in answer to HTTP/1.1"


# RFC 9110 15: statuses outside 100 to 599 are invalid.
def _status_out_of_range(facts: _Facts) -> Iterator[str]:
    if not 100 <= facts.received.status <= 599:
        yield f"status {facts.received.status:03d} is outside 100 to 599"


# RFC 9110 9.3.2 (HEAD), 15.3.5 (204), 15.4.5 (304): no content, whatever the headers say. RFC 9112
# 6.3, 9.2: bytes after the end of a message belong to no response. A record without wire bytes
# (HAR) shows the first as a body.
def _content_where_none_may_be(facts: _Facts) -> Iterator[str]:
    received, status = facts.received, facts.received.status
    if facts.method == "HEAD" or status in (204, 304):
        if count := len(received.stray or received.body):
            what = "the response to HEAD" if facts.method == "HEAD" else f"a {status}"
            yield f"{count} bytes of content after the head of {what}"
    elif received.stray:
        yield f"{len(received.stray)} bytes after the end of the message"


# RFC 9112 8: a message that is cut short or cannot be read is incomplete.
def _not_whole(facts: _Facts) -> Iterator[str]:
    if facts.received.error is not None:
        yield facts.received.error


# RFC 9112 2.1: lines end in CRLF. A reader may take LF for it (2.2); a sender may not send it.
def _bare_line_end(facts: _Facts) -> Iterator[str]:
    if any(head.bare_lf for head in facts.heads):
        yield "a line of the head ends in LF alone"


# RFC 9112 5.2: a sender MUST NOT generate a field value over several lines.
def _folded_line(facts: _Facts) -> Iterator[str]:
    if any(head.folded for head in facts.heads):
        yield "a header value goes over several lines"


# RFC 9112 4: the space after the status code MUST be sent, with or without a reason.
def _no_space_after_the_code(facts: _Facts) -> Iterator[str]:
    if not all(head.spaced for head in facts.heads):
        yield "no space after the status code"


# RFC 9110 5.5, RFC 9112 4: of the control characters only the tab may stand in a value or a reason.
def _control_character(facts: _Facts) -> Iterator[str]:
    if any(head.control for head in facts.heads):
        yield "a control character in the head"


# RFC 9112 6.1: transfer codings came with HTTP/1.1; with an older version the framing is faulty.
def _coded_in_an_old_version(facts: _Facts) -> Iterator[str]:
    if facts.received.version == "1.0" and facts.values("transfer-encoding"):
        yield "Transfer-Encoding in HTTP/1.0"
    # And it MUST NOT be sent unless the request says that it is of HTTP/1.1.
    elif facts.asked == "1.0" and facts.values("transfer-encoding"):
        yield "Transfer-Encoding in answer to HTTP/1.0"


# RFC 9110 8.4: whoever has applied a content coding MUST say so. RFC 1952 2.3: how a gzip begins.
def _packed_and_not_said(facts: _Facts) -> Iterator[str]:
    received = facts.received
    packed = received.body.startswith(b"\x1f\x8b\x08") and "gzip" not in received.media_type
    if packed and not facts.values("content-encoding"):
        yield "a gzip without Content-Encoding"


# RFC 9110 5.3: a field that is no list MUST NOT be sent twice. These decide how an answer is read.
def _sent_twice(facts: _Facts) -> Iterator[str]:
    for name in ("Content-Type", "Location", "Retry-After"):
        if len(facts.received.headers_named(name)) > 1:
            yield f"{name} is sent twice"


_RULES: tuple[Callable[[_Facts], Iterator[str]], ...] = (
    _version_that_is_none,
    _status_out_of_range,
    _not_whole,
    _framed_where_no_body_is,
    _framed_in_two_ways,
    _more_than_one_length,
    _content_where_none_may_be,
    _bare_line_end,
    _folded_line,
    _no_space_after_the_code,
    _control_character,
    _coded_in_an_old_version,
    _packed_and_not_said,
    _sent_twice,
)


def framing_faults(method: str, received: Received, asked: str = "1.1") -> list[str]:
    """Return what in the response breaks RFC 9110 or 9112 on framing; empty if nothing does.
    `asked` is the version of HTTP of the request.
    """
    return list(_faults(method, asked, received))


@lru_cache(FACTS_KEPT)
def _faults(method: str, asked: str, received: Received) -> tuple[str, ...]:
    # Each clause on framing asks this of each answer, which may have thousands of heads.
    facts = _Facts(method, asked, received, tuple(heads(received.wire)))
    return tuple(fault for rule in _RULES for fault in rule(facts))
