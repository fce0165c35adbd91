"""A TCP server whose every byte is written in the test: one script per connection, a thread each.

    with RawServer(answer(b"HTTP/1.1 200 OK\\r\\n\\r\\n")) as server:
        ...
        assert server.requests == [...]

Scripts are taken in the order in which connections come; the last one serves all that follow. On
exit everything is closed, every thread joined, and what went wrong in a script is raised.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Self

JOIN_SECONDS = 5.0


class Peer:
    """One accepted connection, as its script sees it."""

    def __init__(self, server: RawServer, sock: socket.socket) -> None:
        self._server, self.sock = server, sock
        self._unread = b""

    def receive(self) -> bytes:
        """Read one whole request and record it; b"" if the client closed instead."""
        request = self._until(lambda data: b"\r\n\r\n" in data)
        if not request:
            return b""
        head, _, _ = request.partition(b"\r\n\r\n")
        fields = [line.partition(b":") for line in head.lower().split(b"\r\n")[1:]]
        headers = {name: value.strip() for name, _, value in fields}
        size = len(head) + 4 + int(headers.get(b"content-length", b"0"))
        if headers.get(b"transfer-encoding") == b"chunked":
            request = self._until(lambda data: data.endswith(b"0\r\n\r\n"))
            size = len(request)
        request = self._until(lambda data: len(data) >= size)
        self._unread = request[size:]
        self._server.requests.append(request[:size])
        return request[:size]

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def reset(self) -> None:
        """Close with RST: what the client has not read yet may be lost, as in life."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def wait(self, seconds: float | None = None) -> bool:
        """Do nothing until the server stops, or for `seconds`. Says whether it stopped."""
        return self._server.stopped.wait(seconds)

    @property
    def stopped(self) -> threading.Event:
        return self._server.stopped

    def start_tls(self, context: ssl.SSLContext) -> None:
        self.sock = context.wrap_socket(self.sock, server_side=True)

    def _until(self, enough: Callable[[bytes], bool]) -> bytes:
        while not enough(self._unread):
            data = self.sock.recv(65536)
            if not data:
                return b""
            self._unread += data
        return self._unread


Script = Callable[[Peer], object]


def answer(*responses: bytes) -> Script:
    """Answer that many requests on the connection, a response each, and close it."""

    def script(peer: Peer) -> None:
        for response in responses:
            if peer.receive():
                peer.send(response)

    return script


class RawServer:
    """`requests`: every whole request, in the order received. `connections`: how many came."""

    def __init__(
        self,
        *scripts: Script,
        tls: ssl.SSLContext | None = None,
        address: tuple[str, int] = ("127.0.0.1", 0),
    ) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.stopped = threading.Event()
        self._scripts, self._tls = scripts, tls
        self._peers: list[Peer] = []
        self._threads: list[threading.Thread] = []
        self._errors: list[BaseException] = []
        self._listener = socket.create_server(address)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._spawn(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stopped.set()
        # shutdown wakes a blocked accept or recv; close alone does not.
        for sock in (self._listener, *(peer.sock for peer in self._peers)):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self._threads:
            thread.join(JOIN_SECONDS)
        self._listener.close()
        alive = [thread for thread in self._threads if thread.is_alive()]
        if error is None:
            assert not alive, "a script does not end"
            for failed in self._errors:
                raise failed

    def _spawn(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            script = self._scripts[min(self.connections, len(self._scripts) - 1)]
            self.connections += 1
            peer = Peer(self, sock)
            self._peers.append(peer)
            self._spawn(partial(self._serve, peer, script))

    def _serve(self, peer: Peer, script: Script) -> None:
        try:
            if self._tls is not None:
                peer.start_tls(self._tls)
            script(peer)
        except OSError:
            pass  # the client went away: what it made of that is the test's to assert
        except Exception as error:  # noqa: BLE001  raised again by the test, on exit
            self._errors.append(error)
        finally:
            peer.sock.close()
