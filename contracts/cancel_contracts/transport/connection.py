"""Connections that keep every byte: requests picks the way, urllib3 connects, this room writes and
reads.

requests knows proxies and CA bundles, urllib3 pools, tunnels and TLS. What they would do to a
request and its response (normalise the target, add headers, parse, follow, try again) is left out:
the connection is taken from their pool and used here, so that nothing in between can alter or hide
a byte. It must not know of clauses.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.ssl_match_hostname import CertificateError

from cancel_contracts.deadline import Overdue
from cancel_contracts.errors import UsageError
from cancel_contracts.exchange import Failure
from cancel_contracts.hosts import address_of, is_local
from cancel_contracts.transport.reach import reach
from cancel_contracts.transport.record import Bounds, Recording, record, take


@dataclass(frozen=True)
class Dispatch:
    """One request, as it goes out."""

    method: str
    origin: bytes  # scheme and authority: only a forwarding proxy is told
    target: bytes  # with the origin before it in the absolute form
    version: bytes  # of HTTP
    fields: bytes = field(repr=False)  # header lines, each with its CRLF; they hold the token
    pieces: tuple[bytes, ...]  # the body as it goes out, a write each
    bounds: Bounds
    keep_alive: bool
    watched: bool = False  # whether the server keeps the connection is not known yet
    awaits_end: Callable[[int], bool] = lambda _: False  # after an answer of a status


# What connecting raises: sockets and TLS, a proxy's reply to CONNECT, urllib3 on top of them.
_NO_CONNECTION = (OSError, http.client.HTTPException, urllib3.exceptions.HTTPError)
_NO_TRUST = (ssl.SSLError, urllib3.exceptions.SSLError, CertificateError)

IDLE_SECONDS = 1.0  # a shared connection is taken again within these: servers close idle ones
AT_A_TIME = 64  # connections that a pool keeps: more than there are threads
NOT_LOCAL = "which is not local, as the target was when the run began: nothing was sent"


class Unconnected(Exception):
    """No connection to the target. Not an OSError, so that urllib3 and requests let it pass."""

    def __init__(self, failure: Failure, detail: str) -> None:
        self.failure, self.detail = failure, detail
        super().__init__(detail)


class _Recorded(HTTPConnection):
    local_only = shared = False
    _idle_since = 0.0
    _carried = 0  # exchanges on the present socket
    _early = b""
    _late = False  # a proxy took longer than connecting may

    def connect(self) -> None:
        self._carried, self._early, self._late = 0, b"", False
        # http.client bounds each piece of a proxy's answer to CONNECT, and not their number.
        watch = threading.Timer(float(self.timeout or 0), self._give_up)
        try:
            if self.proxy is not None:
                watch.start()
            super().connect()
        except (*_NO_CONNECTION, *_NO_TRUST, ValueError) as error:
            if not self._late:
                raise _unconnected(error, self) from None
        finally:
            watch.cancel()
        if self._late:
            raise Unconnected("unreachable", f"the proxy: no connection in {self.timeout:g} s")

    def _tunnel(self) -> None:
        super()._tunnel()
        if self._late:
            raise TimeoutError  # what it took for the end of the headers was our own end

    def _give_up(self) -> None:
        """End what waits on the socket, which another thread does."""
        self._late = True
        if self.sock is not None:
            with suppress(OSError):
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def _new_conn(self) -> socket.socket:
        """Return a socket that nothing was sent over: its peer is who counts, not its name."""
        sock = reach(self, self._dns_host.strip("[]"), float(self.timeout or 0))
        if self.local_only:
            try:
                peer = str(sock.getpeername()[0])
            except OSError as error:
                sock.close()
                raise Unconnected("unreachable", _reason(error)) from None
            address = address_of(peer)
            if address is None or not is_local(address):
                sock.close()
                raise Unconnected("unreachable", f"its name leads to {peer} now, {NOT_LOCAL}")
        return sock

    @property
    def is_connected(self) -> bool:
        """Whether the pool may give this connection out again. To urllib3 a waiting byte means no.

        A byte that nobody asked for is evidence against the answer before it: it is kept, and read
        as the start of the next answer, as it would be in any client. A connection that is shared
        carries no evidence, and a server may be about to close it: it must be quiet, and fresh.
        """
        sock = self.sock
        idle_seconds = time.monotonic() - self._idle_since
        if sock is None or (self.shared and idle_seconds > IDLE_SECONDS):
            return False
        try:
            data = take(sock, self.blocksize, 0.0)
        except OSError:
            return False
        self._early += data or b""
        return data is None if self.shared else data != b""

    def exchange(self, dispatch: Dispatch, credential: str | None) -> tuple[Recording, bool]:
        """Send, and record what comes; and say whether the connection had carried an exchange
        before. `credential` is for a proxy that forwards. Raises Unconnected.
        """
        if self.sock is None:
            self.connect()
        if time.monotonic() >= dispatch.bounds.deadline:  # better none than one not waited for
            taken = f"connecting took all of the {dispatch.bounds.total_seconds:g} s"
            raise Unconnected("unreachable", taken)
        reused = self._carried > 0
        self._carried += 1
        lines, target = dispatch.fields, dispatch.target
        if self.proxy_is_forwarding:
            # RFC 9112 3.2.2: absolute-form towards a proxy.
            target = target if target.startswith(dispatch.origin) else dispatch.origin + target
            if credential:
                lines += f"Proxy-Authorization: {credential}\r\n".encode("latin-1")
        method, version = dispatch.method.encode("ascii"), dispatch.version
        head = b"%b %b HTTP/%b\r\n%b\r\n" % (method, target, version, lines)
        first, *rest = dispatch.pieces or (b"",)
        send_error = self._write([head + first, *rest], dispatch.bounds)
        early, self._early = self._early, b""
        recording = record(
            self.sock,
            dispatch.method,
            dispatch.bounds,
            keep_alive=dispatch.keep_alive,
            watched=dispatch.watched,
            early=early,
            reused=reused,
            send_error=send_error,
            awaits_end=dispatch.awaits_end,
        )
        self._idle_since = time.monotonic()
        if not recording.reusable:
            self.close()
        return recording, reused

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


class _RecordedTLS(_Recorded, HTTPSConnection):
    pass


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Recorded


class _PoolTLS(urllib3.HTTPSConnectionPool):
    ConnectionCls = _RecordedTLS


_POOLS = {"http": _Pool, "https": _PoolTLS}


class Adapter(HTTPAdapter):
    """The door to requests: its pools, proxied or not, make recorded connections. Nothing is sent
    twice.
    """

    shared = False  # whether a kept connection is anybody's

    def __init__(self, *, local_only: bool = False) -> None:
        self._lock, self._local_only = threading.Lock(), local_only
        super().__init__(max_retries=0, pool_maxsize=AT_A_TIME)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def exchange(
        self,
        request: requests.PreparedRequest,
        dispatch: Dispatch,
        connect_seconds: float,
        verify: bool | str,
        certificate: tuple[str, str] | str | None,
        proxies: dict[str, str],
    ) -> tuple[Recording, bool]:
        """Do what `send` would for a request, on a connection of its pools. Raises Unconnected;
        and what requests and urllib3 raise for an address or a certificate file that is none.
        """
        pool: Any = self.get_connection_with_tls_context(
            request, verify, proxies=proxies, cert=certificate
        )
        self.cert_verify(pool, request.url, verify, certificate)  # type: ignore[no-untyped-call]
        connection = pool._get_conn()
        try:
            connection.timeout, connection.local_only = connect_seconds, self._local_only
            connection.shared = self.shared
            if self._local_only and pool.proxy is not None:
                raise Unconnected("unreachable", f"a proxy stands in between, {NOT_LOCAL}")
            tls = (request.url or "").startswith("https:")
            if pool.proxy is not None and connection.is_closed and tls:
                pool._prepare_proxy(connection)
            credential = pool.proxy_headers.get("Proxy-Authorization")
            made: tuple[Recording, bool] = connection.exchange(dispatch, credential)
        except BaseException:
            connection.close()
            raise
        finally:
            pool._put_conn(connection)
        return made

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
    if isinstance(error, Overdue):
        return "the host name was not resolved in time"
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {error.verify_message}"
    if isinstance(error, OSError) and error.strerror and not isinstance(error, ssl.SSLError):
        return error.strerror
    return re.sub(r" \(_ssl\.c:\d+\)$", "", str(error)) or type(error).__name__
