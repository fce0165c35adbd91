"""Connections for requests that keep every byte: urllib3 connects, this room writes and reads.

Between requests (which picks proxy, CA bundle and pool) and the socket, urllib3 and http.client
would normalise the target, add headers, and parse the response. Our connections take the request
from a context variable and hand the recording back the same way, so nothing in between can alter or
hide a byte. It must not know of clauses.
"""

from __future__ import annotations

import http.client
import io
import re
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.ssl_match_hostname import CertificateError

from contracts.errors import UsageError
from contracts.exchange import Failure
from contracts.transport.record import Bounds, Recording, record, take


@dataclass
class Dispatch:
    """One request on its way down, and what the connection found out on the way up."""

    method: str
    origin: bytes  # scheme and authority: only a forwarding proxy is told
    target: bytes
    fields: bytes = field(repr=False)  # header lines, each with its CRLF; they hold the token
    pieces: tuple[bytes, ...]  # the body as it goes out, a write each
    bounds: Bounds
    keep_alive: bool
    reused: bool = False
    recording: Recording | None = None


# What connecting raises: sockets and TLS, a proxy's reply to CONNECT, urllib3 on top of them.
_NO_CONNECTION = (OSError, http.client.HTTPException, urllib3.exceptions.HTTPError)
_NO_TRUST = (ssl.SSLError, urllib3.exceptions.SSLError, CertificateError)

current: ContextVar[Dispatch] = ContextVar("dispatch")


class Unconnected(Exception):
    """No connection to the target. Not an OSError, so that urllib3 and requests let it pass."""

    def __init__(self, failure: Failure, detail: str) -> None:
        self.failure, self.detail = failure, detail
        super().__init__(detail)


class _Recorded(HTTPConnection):
    _carried = 0  # exchanges on the present socket
    _early = b""

    def connect(self) -> None:
        self._carried, self._early = 0, b""
        try:
            super().connect()
        except (*_NO_CONNECTION, *_NO_TRUST) as error:
            raise _unconnected(error, self) from None

    @property
    def is_connected(self) -> bool:
        """Whether the pool may give this connection out again. To urllib3 a waiting byte means no.

        A byte that nobody asked for is evidence against the answer before it: it is kept, and read
        as the start of the next answer, as it would be in any client.
        """
        sock = self.sock
        if sock is None:
            return False
        try:
            data = take(sock, self.blocksize, 0.0)
        except OSError:
            return False
        self._early += data or b""
        return data != b""

    def request(self, method: str, url: str, *_: Any, **options: Any) -> None:
        """Send the current dispatch. Of what urllib3 passes only a proxy's credential counts."""
        dispatch = current.get()
        if self.sock is None:
            self.connect()
        if time.monotonic() >= dispatch.bounds.deadline:
            # Better no request than one whose answer is not waited for.
            total = dispatch.bounds.total_seconds
            raise Unconnected("unreachable", f"connecting took all of the {total:g} s")
        dispatch.reused = self._carried > 0
        self._carried += 1
        lines, target = dispatch.fields, dispatch.target
        if self.proxy_is_forwarding:
            # RFC 9112 3.2.2: absolute-form towards a proxy.
            target = dispatch.origin + target
            headers: Mapping[str, str] = options.get("headers") or {}
            if credential := headers.get("Proxy-Authorization"):
                lines += f"Proxy-Authorization: {credential}\r\n".encode("latin-1")
        head = b"%b %b HTTP/1.1\r\n%b\r\n" % (method.encode("ascii"), target, lines)
        first, *rest = dispatch.pieces or (b"",)
        self._send_error = self._write([head + first, *rest], dispatch.bounds)

    def _write(self, pieces: list[bytes], bounds: Bounds) -> OSError | None:
        # RFC 9112 9.5: a server may answer and close before it has read the whole request, so what
        # stops us from sending must not stop us from reading.
        try:
            for piece in pieces:
                left = min(bounds.silence_seconds, bounds.deadline - time.monotonic())
                self.sock.settimeout(max(left, 0.001))
                self.sock.sendall(piece)
        except OSError as error:
            return error
        return None

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]
        """Record the answer in the dispatch. The response returned is blank: none may act on it."""
        dispatch = current.get()
        early, self._early = self._early, b""
        dispatch.recording = record(
            self.sock,
            dispatch.method,
            dispatch.bounds,
            keep_alive=dispatch.keep_alive,
            early=early,
            reused=dispatch.reused,
            send_error=self._send_error,
        )
        if not dispatch.recording.reusable:
            self.close()
        return urllib3.HTTPResponse(
            body=io.BytesIO(b""),
            status=200,
            reason="",
            version=11,
            version_string="HTTP/1.1",
            preload_content=False,
            request_method=dispatch.method,
        )


class _RecordedTLS(_Recorded, HTTPSConnection):
    pass


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Recorded


class _PoolTLS(urllib3.HTTPSConnectionPool):
    ConnectionCls = _RecordedTLS

    def _validate_conn(self, conn: Any) -> None:
        # Urllib3's own warns at each request when verification is off. The user turned it off by
        # name.
        if conn.is_closed:
            conn.connect()


_POOLS = {"http": _Pool, "https": _PoolTLS}


class Adapter(HTTPAdapter):
    """The door to requests: its pools, proxied or not, make recorded connections. Never a retry."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        if not proxy.lower().startswith(("http://", "https://")):
            # SOCKS has connection classes of its own; ours in their place would go round the proxy.
            raise UsageError(
                "proxy",
                "only http and https proxies are known",
                "set NO_PROXY for the target's host",
            )
        with self._lock:
            manager = super().proxy_manager_for(proxy, **kwargs)
            manager.pool_classes_by_scheme = _POOLS
        return manager


def _unconnected(error: Exception, connection: HTTPConnection) -> Unconnected:
    cause = error.__cause__ or error
    if connection.proxy is not None and not connection.has_connected_to_proxy:
        return Unconnected("unreachable", f"the proxy: {_reason(cause)}")
    if isinstance(error, urllib3.exceptions.ConnectTimeoutError) and not isinstance(
        error, urllib3.exceptions.NewConnectionError
    ):
        return Unconnected("unreachable", f"no connection within {connection.timeout:g} s")
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        kind: Failure = "refused" if isinstance(cause, ConnectionRefusedError) else "unreachable"
        return Unconnected(kind, _reason(cause))
    if isinstance(error, urllib3.exceptions.LocationParseError):
        return Unconnected("unreachable", "the host is no valid name")
    if isinstance(error, _NO_TRUST):
        return Unconnected("tls", _reason(cause))
    if "Tunnel connection failed" in str(error) or isinstance(error, http.client.HTTPException):
        return Unconnected("unreachable", f"the proxy: {_reason(error)}")
    # Connected, and cut off or silent in the handshake.
    return Unconnected("tls", f"during the TLS handshake: {_reason(cause)}")


def _reason(error: BaseException) -> str:
    if isinstance(error, socket.gaierror):
        return f"the host name is not known ({error.strerror})"
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {error.verify_message}"
    if isinstance(error, OSError) and error.strerror and not isinstance(error, ssl.SSLError):
        return error.strerror
    return re.sub(r" \(_ssl\.c:\d+\)$", "", str(error)) or type(error).__name__
