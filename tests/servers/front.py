"""HTTP at the front of a service: bytes in, `Request`; `Response`, bytes out.

Two stacks: `Written` writes every byte itself over socketserver, `Stdlib10` and `Stdlib11` are
http.server's. No front knows what is served. An exception in a service is raised on exit.
"""

from __future__ import annotations

import socket
import socketserver
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from io import BufferedIOBase
from types import TracebackType
from typing import Any, ClassVar, Protocol, Self

HANG_SECONDS = 5.0  # longer than any client of the tests waits
REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True)
class Request:
    """A request as it came. Header names are in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""
    chunked: bool = False
    version: str = "HTTP/1.1"
    connection: dict[str, Any] = field(default_factory=dict)  # what is kept with the connection
    names: tuple[str, ...] = ()  # of its header fields, as they came


@dataclass(frozen=True)
class Response:
    """What a service answers. `wire` replaces every byte; `hang_up`: "close", "reset", "hang"."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    chunked: bool = False
    wire: bytes | None = None
    hang_up: str = ""


class Serves(Protocol):
    """What a front asks of a service. `stopped` is set when nobody will ask any more."""

    stopped: threading.Event

    def answer(self, request: Request) -> Response: ...

    def encode(self, response: Response, request: Request, close: bool) -> bytes: ...


@dataclass
class Front:
    """A listening server on a free loopback port, within `with`."""

    service: Serves
    one_at_a_time: ClassVar[bool] = False  # no second connection before the first is closed
    listener: Any = field(init=False)
    errors: list[BaseException] = field(default_factory=list)

    def handler(self) -> type[socketserver.BaseRequestHandler]:
        raise NotImplementedError

    def __enter__(self) -> Self:
        front = self

        class Listener(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def server_bind(self) -> None:
                socketserver.TCPServer.server_bind(self)  # HTTPServer would look its name up

            def process_request(self, request: Any, client_address: Any) -> None:
                threads = HTTPServer if front.one_at_a_time else ThreadingHTTPServer
                threads.process_request(self, request, client_address)

            def handle_error(self, request: Any, client_address: Any) -> None:
                error = sys.exc_info()[1]
                if error is not None and not isinstance(error, ConnectionError):
                    front.errors.append(error)

        self.listener = Listener(("127.0.0.1", 0), self.handler())
        threading.Thread(target=self.listener.serve_forever, args=(0.02,), daemon=True).start()
        return self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.server_address[1]}"

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        stopping = threading.Thread(target=self.listener.shutdown)
        stopping.start()
        with suppress(OSError):  # it looks whether to stop when somebody comes, or after a while
            socket.create_connection(self.listener.server_address).close()
        stopping.join()
        self.listener.server_close()
        if self.errors and error is None:
            raise self.errors[0]


class Written(Front):
    """HTTP/1.1 by hand: request lines read, response bytes written, connections kept alive."""

    def handler(self) -> type[socketserver.BaseRequestHandler]:
        service = self.service

        class Handler(socketserver.StreamRequestHandler):
            disable_nagle_algorithm = True
            timeout = 10

            def handle(self) -> None:
                kept: dict[str, Any] = {}
                while (request := read(self.rfile, self.connection.sendall)) is not None:
                    close = "close" in request.headers.get("connection", "").lower()
                    close = close or request.version == "HTTP/1.0"
                    response = service.answer(replace(request, connection=kept))
                    self.connection.sendall(service.encode(response, request, close))
                    if response.hang_up == "hang":
                        service.stopped.wait(HANG_SECONDS)
                    if response.hang_up == "reset":
                        linger = struct.pack("ii", 1, 0)
                        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                        self.connection.close()
                    if close or response.hang_up:
                        return

            def finish(self) -> None:
                try:
                    super().finish()
                except OSError:
                    pass  # a connection that was reset

        return Handler


def read(stream: BufferedIOBase, write: Callable[[bytes], Any] = len) -> Request | None:
    """Read one request, or None where the peer has closed. `write` lets who waits go on."""
    line = stream.readline().decode("latin-1").strip()
    if not line:
        return None
    method, target, version = line.split(" ")
    headers, names = {}, []
    while field_line := stream.readline().decode("latin-1").strip():
        name, _, value = field_line.partition(":")
        headers[name.lower()] = value.strip()
        names.append(name)
    if headers.get("expect", "").lower() == "100-continue":  # RFC 9110, section 10.1.1
        write(b"HTTP/1.1 100 Continue\r\n\r\n")
    chunked = headers.get("transfer-encoding", "").lower() == "chunked"
    body = unchunk(stream) if chunked else stream.read(int(headers.get("content-length", "0")))
    return Request(method, target, headers, body, chunked, version, names=tuple(names))


def unchunk(stream: BufferedIOBase) -> bytes:
    """RFC 9112 section 7.1: chunks until one of size zero, then trailers."""
    body = b""
    while size := int(stream.readline().split(b";")[0], 16):
        body += stream.read(size)
        stream.readline()
    while stream.readline().strip():
        pass
    return body


def written(response: Response, request: Request, close: bool, lower: bool = False) -> bytes:
    """RFC 9112: status line, fields, framing. No framing field and no content on a 204."""
    if response.wire is not None:
        return response.wire
    fields = list(response.headers)
    bodiless = response.status == 204 or response.status < 200
    if response.chunked:
        fields.append(("Transfer-Encoding", "chunked"))
    elif not bodiless:
        fields.append(("Content-Length", str(len(response.body))))
    if (close or response.hang_up) and not any(n.lower() == "connection" for n, _ in fields):
        fields.append(("Connection", "close"))
    head = f"HTTP/1.1 {response.status} {REASONS.get(response.status, 'Unknown')}\r\n"
    head += "".join(f"{n.lower() if lower else n}: {v}\r\n" for n, v in fields) + "\r\n"
    if request.method == "HEAD" or bodiless:
        return head.encode("latin-1")
    body = response.body
    if response.chunked:
        body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"
    return head.encode("latin-1") + body


class Stdlib11(Front):
    """http.server speaking HTTP/1.1, a thread per connection."""

    version = "HTTP/1.1"

    def handler(self) -> type[socketserver.BaseRequestHandler]:
        service, version = self.service, self.version

        class Handler(BaseHTTPRequestHandler):
            protocol_version = version
            wbufsize = -1  # one segment an answer
            disable_nagle_algorithm = True
            server_version = "IndependentMock/1.0"
            timeout = 10

            def dispatch(self) -> None:
                chunked = self.headers.get("Transfer-Encoding", "").lower() == "chunked"
                length = int(self.headers.get("Content-Length") or 0)
                body = unchunk(self.rfile) if chunked else self.rfile.read(length)
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, self.path, headers, body, chunked)
                response = service.answer(request)
                self.send_response(response.status)
                for name, value in response.headers:
                    self.send_header(name, value)
                if response.status != 204:
                    self.send_header("Content-Length", str(len(response.body)))
                self.end_headers()
                if self.command != "HEAD" and response.status != 204:
                    self.wfile.write(response.body)
                self.wfile.flush()

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = dispatch

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler


class Stdlib10(Stdlib11):
    """http.server speaking HTTP/1.0: the connection ends with the answer."""

    version = "HTTP/1.0"


class OneAtATime(Written):
    """A single thread: who keeps a connection open keeps everybody else waiting."""

    one_at_a_time = True
