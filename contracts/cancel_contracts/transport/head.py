"""The head of a response, line by line, as it stood on the wire.

h11 decides whether a message is sound, but it folds equal Content-Length lines into one and hands
out nothing of a head that it refuses. This module only says what the lines were. Pure; it must not
know what a line is allowed to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cancel_contracts.exchange import Headers

# Where h11 ends a head and how it cuts lines: a bare LF does as well as CRLF (RFC 9112 2.2 allows a
# reader that).
_BARE_LF = re.compile(rb"(?<!\r)\n")
_BLANK_LINE = re.compile(rb"\n\r?\n")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
# RFC 9112 4: status-line = HTTP-version SP status-code SP [ reason-phrase ]. Like h11 we read a
# line whose last SP is missing; control characters in the reason are h11's to refuse.
_STATUS_LINE = re.compile(rb"HTTP/([0-9]\.[0-9]) ([0-9]{3})(?: ([^\x00]*))?", re.DOTALL)


@dataclass(frozen=True)
class Head:
    """One head. `status` is None while the status line is missing, unfinished or illegible."""

    line: bytes
    size: int  # in bytes
    line_whole: bool  # the line end of the status line was seen
    status: int | None = None
    reason: str = ""
    version: str = ""
    headers: Headers = ()
    bare_lf: bool = False  # a line ended in LF alone
    folded: bool = False  # a value went over several lines
    spaced: bool = True  # a space followed the status code
    control: bool = False  # a control character stands in the reason or in a value

    @property
    def interim(self) -> bool:
        # RFC 9110 15.2: 1xx come before the final response. 101 is final: what follows it is no
        # longer HTTP.
        return self.status is not None and 100 <= self.status < 200 and self.status != 101


def heads(wire: bytes) -> list[Head]:
    """Return the interim heads that open `wire` and the one after them, whole or not."""
    found: list[Head] = []
    start = 0
    while start < len(wire):
        end = _BLANK_LINE.search(wire, start)
        head = _head(wire[start : end.end() if end else len(wire)])
        found.append(head)
        if not end or not head.interim:
            break
        start = end.end()
    return found


def _head(block: bytes) -> Head:
    # A header line whose end was not seen is half a line: it says nothing yet.
    *lines, rest = (line.removesuffix(b"\r") for line in block.split(b"\n"))
    line = lines[0] if lines else rest
    match = _STATUS_LINE.fullmatch(line) if lines else None
    if match is None:
        return Head(line, len(block), line_whole=bool(lines))
    version, status, reason = match.groups()
    return Head(
        line,
        len(block),
        line_whole=True,
        status=int(status),
        reason=(reason or b"").decode("latin-1"),
        version=version.decode("ascii"),
        headers=tuple(_fields(lines[1:])),
        bare_lf=_BARE_LF.search(block) is not None,
        folded=any(line[:1] in (b" ", b"\t") for line in lines[2:]),
        spaced=reason is not None,
        control=_CONTROL.search(b"".join(lines)) is not None,
    )


def _fields(lines: list[bytes]) -> Iterator[tuple[str, str]]:
    name, parts = None, [""]
    for text in (line.decode("latin-1") for line in lines if line):
        if text[0] in " \t" and name is not None:
            # RFC 9112 5.2, obs-fold: one value over several lines, read as h11 reads it.
            parts.append(text.strip(" \t"))
            continue
        if name is not None:
            yield name, " ".join(parts)
        name, _, value = text.partition(":")
        parts = [value.strip(" \t")]
    if name is not None:
        yield name, " ".join(parts)
