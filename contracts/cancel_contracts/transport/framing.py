"""The rules of framing: what in an answer breaks RFC 9110 or 9112. Pure.

Each rule is a function that yields what it finds. It must not know who sent the bytes and why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from cancel_contracts.exchange import Headers, Received
from cancel_contracts.transport.head import Head, heads

FACTS_KEPT = 256  # answers: those of a gate


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


# RFC 9112 9.6: a server that receives "close" MUST close the connection after its final response.
def _left_open(facts: _Facts) -> Iterator[str]:
    if facts.received.left_open:
        yield "the connection stays open, though the request says Connection: close"


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
    _left_open,
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
