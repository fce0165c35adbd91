"""What a marked answer leaves the server as: head and body turned into steps on the socket.

Bytes only. What is wrong with them is wrong on purpose; the RFC section that forbids it stands
above each.
"""

from __future__ import annotations

import enum
import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime


class End(enum.Enum):
    """How a script may leave the connection. Without one it stays as HTTP has it."""

    CLOSE = "close"
    RESET = "reset"
    HANG = "hang"


Step = bytes | float | End
Script = Callable[[bytes, bytes], Sequence[Step]]
REST = b"; and more"  # bytes that belong to no message


def drop(head: bytes, *names: str) -> bytes:
    """Return a head without the lines of some headers."""
    for name in names:
        head = re.sub(rb"(?im)^" + name.encode() + rb":[^\r\n]*\r\n", b"", head)
    return head


def add(head: bytes, *lines: bytes) -> bytes:
    """Return a head with more header lines at its end."""
    return head[:-2] + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def length(head: bytes, *values: int) -> bytes:
    """Return a head that declares these lengths and no other framing."""
    lines = [b"Content-Length: %d" % value for value in values]
    return add(drop(head, "content-length", "transfer-encoding"), *lines)


def chunked(head: bytes) -> bytes:
    return add(drop(head, "content-length", "transfer-encoding"), b"Transfer-Encoding: chunked")


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def status_line(head: bytes, line: bytes) -> bytes:
    return line + head[head.index(b"\r\n") :]


def lower_names(head: bytes) -> bytes:
    return re.sub(rb"(?m)^[A-Za-z0-9-]+:", lambda m: m[0].lower(), head)


def old(head: bytes) -> bytes:
    """Return the head as HTTP/1.0 has it."""
    closing = add(drop(head, "connection", "transfer-encoding"), b"Connection: close")
    return closing.replace(b"HTTP/1.1", b"HTTP/1.0", 1)


def content(head: bytes, body: bytes) -> bytes:
    """Return what a body holds: it may stand in chunks, which HTTP/1.0 does not have."""
    if b"chunked" not in head.lower():
        return body
    found = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        found, body = found + body[: int(size, 16)], body[int(size, 16) + 2 :]
    return found


def dated(form: Callable[[datetime], str]) -> Script:
    """Write the Date of an answer in another form."""

    def written(found: re.Match[bytes]) -> bytes:
        return found[1] + form(parsedate_to_datetime(found[2].decode("ascii"))).encode("ascii")

    return lambda h, b: [re.sub(rb"(?im)^(date: )([^\r\n]*)", written, h), b]


def half(body: bytes) -> bytes:
    return body[: max(1, len(body) // 2)] if body else b""


SCRIPTS: Mapping[str, Script] = {
    # --- Faults: RFC 9112, sections 6.3 and 8: a message shorter than it declares is incomplete ---
    "length-too-long": lambda h, b: [length(h, len(b) + 7), b, End.CLOSE],
    "length-too-short": lambda h, b: [length(h, max(0, len(b) - 1)), b],
    # RFC 9112, 6.3: several differing lengths, or a length beside chunked, are unrecoverable
    "two-lengths": lambda h, b: [length(h, len(b), len(b) + 1), b],
    "length-and-chunked": lambda h, b: [
        add(
            drop(h, "content-length"),
            b"Content-Length: %d" % (len(b) + 1),
            b"Transfer-Encoding: chunked",
        ),
        (chunk(b) if b else b"") + b"0\r\n\r\n",
    ],
    "unterminated-chunks": lambda h, b: [chunked(h), chunk(b) if b else b"", End.CLOSE],
    # RFC 9112, 5.1: no space between name and colon; 5: a field line has a colon
    "space-before-colon": lambda h, b: [h.replace(b"Date:", b"Date :", 1), b],
    "line-without-colon": lambda h, b: [add(h, b"X-Broken"), b],
    # RFC 9112, 2.1: lines end in CRLF; 5.2: no value goes over several lines
    "bare-line-ends": lambda h, b: [h.replace(b"\r\n", b"\n"), b],
    "folded-value": lambda h, b: [add(h, b"X-Folded: one", b" two"), b],
    # RFC 9110, 5.5: of the control characters a value may hold the tab alone
    "control-character": lambda h, b: [add(h, b"X-Note: a\x01b"), b],
    # RFC 9112, 4: a space follows the status code; the code is three digits
    "no-space-after-the-code": lambda h, b: [re.sub(rb"^(HTTP/1\.1 \d{3})[^\r\n]*", rb"\1", h), b],
    # RFC 9112, 6.1: transfer codings are HTTP/1.1
    "chunked-http-1.0": lambda h, b: [
        chunked(old(h)), (chunk(b) if b else b"") + b"0\r\n\r\n", End.CLOSE,
    ],
    # RFC 9112, 6.1: and none is for a request of HTTP/1.0
    "chunks": lambda h, b: [chunked(h), (chunk(b) if b else b"") + b"0\r\n\r\n", End.CLOSE],
    # RFC 9110, 8.6: a length counts octets
    "length-in-characters": lambda h, b: [length(h, len(b.decode("utf-8", "replace"))), b],
    # RFC 9110, 5.3: a field that is no list comes once
    "content-type-twice": lambda h, b: [
        add(h, b"Content-Type: application/json", b"Content-Type: application/json"), b,
    ],
    # RFC 9110, 5.6.7: what is no HTTP-date
    "date-in-iso-8601": dated(lambda moment: f"{moment:%Y-%m-%dT%H:%M:%SZ}"),
    "date-in-seconds": dated(lambda moment: f"{moment.timestamp():.0f}"),
    # RFC 9110, 6.2: a version that the server keeps, of the request's major number at most
    "http-9.9": lambda h, b: [h.replace(b"HTTP/1.1", b"HTTP/9.9", 1), b],
    "status-2000": lambda h, b: [status_line(h, b"HTTP/1.1 2000 OK"), b],
    # RFC 9112, 6.3: what follows a message is the next message
    "bytes-after": lambda h, b: [h, b, REST],
    "second-answer": lambda h, b: [h, b, h, b],
    "reset-in-the-middle": lambda h, b: [length(h, len(b) + 7), half(b), 0.02, End.RESET],
    "reset-at-once": lambda h, b: [End.RESET],
    "hang-before-head": lambda h, b: [End.HANG],
    "hang-in-body": lambda h, b: [length(h, len(b) + 7), half(b), End.HANG],
    # RFC 9110, 15.3.5 and 8.6: a 204 has no content, no length and no coding
    "204-framed-bytes": lambda h, b: [length(status_line(h, b"HTTP/1.1 204 No Content"), 2), b"{}"],
    "204-unframed-bytes": lambda h, b: [
        drop(status_line(h, b"HTTP/1.1 204 No Content"), "content-length"), b"{}",
    ],
    "204-content-length": lambda h, b: [length(status_line(h, b"HTTP/1.1 204 No Content"), 0)],
    "204-chunked": lambda h, b: [
        chunked(status_line(h, b"HTTP/1.1 204 No Content")), b"0\r\n\r\n",
    ],
    # RFC 9110, 9.3.2: HEAD is answered without content
    "head-with-body": lambda h, b: [length(h, 2), b"{}"],
    "one-byte-chunk": lambda h, b: [chunked(h), chunk(b" ") + b"0\r\n\r\n"],
    # --- Variants: all of these are sound ---------------------------------------------------------
    "http-1.0": lambda h, b: [old(h), content(h, b), End.CLOSE],
    "early-hints": lambda h, b: [
        b"HTTP/1.1 103 Early Hints\r\nLink: </hint>; rel=preload\r\n\r\n", h, b,
    ],
    "lower-case-names": lambda h, b: [lower_names(h), b],
    # RFC 9110, 5.6.7 and 6.6.1: the forms of old are HTTP-dates, and who has no clock tells none
    "date-in-asctime": dated(lambda moment: time.asctime(moment.utctimetuple())),
    "date-in-rfc-850": dated(lambda moment: f"{moment:%A, %d-%b-%y %H:%M:%S GMT}"),
    "no-date": lambda h, b: [drop(h, "date"), b],
    "no-reason": lambda h, b: [re.sub(rb"^(HTTP/1\.1 \d{3} )[^\r\n]*", rb"\1", h), b],
}  # fmt: skip
