"""Recorded bytes to `Received`, with h11 as the only reader.

Pure: bytes in, frozen data out. It must not know of sockets, of clocks, or of who sent the bytes
and why. How the bytes were cut on their way here must not show in what comes out.
"""

from __future__ import annotations

import re

import h11

from cancel_contracts.exchange import Received
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
