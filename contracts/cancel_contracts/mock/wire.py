"""Below HTTP: a marked answer leaves the server as other bytes than the HTTP library wrote.

The application marks an answer with a header that names a script; the mark is taken off and the
script turns head and body into steps: bytes to send, seconds to wait, or an end. Unmarked answers
leave in one piece, interim ones at once.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

from cancel_contracts.mock.scripts import SCRIPTS, End, Step

MARK = "x-mock-wire"
_LINE = f"{MARK}: ".encode()


class Tap:
    """Stands between the protocol and its transport."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._held: bytearray | None = None
        self._playing = self._closing = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Keep bytes until the answer is complete; pass an interim one on."""
        if self._held is None and data.startswith(b"HTTP/1.") and data[9:10] != b"1":
            self._held = bytearray()
        if self._held is not None:
            self._held += data
        elif not self._playing:
            self._transport.write(data)

    def is_closing(self) -> bool:
        return self._closing or self._transport.is_closing()

    def close(self) -> None:
        self._closing = True
        self.flush()
        if not self._playing:
            self._transport.close()

    def flush(self) -> None:
        """Send the answer that is complete now, by its script if it bears a mark."""
        if self._held is None:
            return
        answer = bytes(self._held)
        self._held = None
        head, _, body = answer.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        mark = next((line for line in lines if line.startswith(_LINE)), None)
        if mark is None:
            if not self._playing:
                self._transport.write(answer)
            return
        lines.remove(mark)
        script = SCRIPTS[mark.removeprefix(_LINE).decode()]
        self._playing = True
        self._play(list(script(b"\r\n".join(lines) + b"\r\n\r\n", body)))

    def _play(self, steps: list[Step]) -> None:
        while steps:
            step = steps.pop(0)
            if step is End.HANG or self._transport.is_closing():
                return
            if isinstance(step, bytes):
                self._transport.write(step)
            elif isinstance(step, float):
                asyncio.get_running_loop().call_later(step, self._play, steps)
                return
            elif step is End.CLOSE:
                self._transport.close()
                return
            else:
                self._reset()
                return
        self._playing = False
        if self._closing:
            self._transport.close()

    def _reset(self) -> None:
        """Close with RST: no lingering, and what the kernel still holds is thrown away."""
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()


class TappedProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol with a tap on its transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # Goes into the scope of every request: counter and dictionary are the connection's own.
        self.app_state = {"turns": itertools.count(1), "connection": {}}
        self.transport = cast(asyncio.Transport, Tap(transport))

    def on_response_complete(self) -> None:
        cast(Tap, self.transport).flush()
        super().on_response_complete()
