"""Connections that keep every byte: requests picks the way, urllib3 connects, this room writes and
reads.

requests knows proxies and CA bundles, urllib3 pools, tunnels and TLS. What they would do to a
request and its response (normalise the target, add headers, parse, follow, try again) is left out:
the connection is taken from their pool and used here, so that nothing in between can alter or hide
a byte. It must not know of clauses.
"""

from __future__ import annotations

import http.client
import socket
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

from cancel_contracts.errors import UsageError
from cancel_contracts.hosts import address_of, is_local
from cancel_contracts.transport.reach import reach
from cancel_contracts.transport.record import Bounds, Recording, record, take
from cancel_contracts.transport.unconnected import NO_TRUST, Unconnected, reason, unconnected


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

IDLE_SECONDS = 1.0  # a shared connection is taken again within these: servers close idle ones
AT_A_TIME = 64  # connections that a pool keeps: more than there are threads
NOT_LOCAL = "which is not local, as the target was when the run began: nothing was sent"


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
        except (*_NO_CONNECTION, *NO_TRUST, ValueError) as error:
            if not self._late:
                raise unconnected(error, self) from None
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
                raise Unconnected("unreachable", reason(error)) from None
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
        self._pools: dict[bytes, Any] = {}  # by origin: to ask requests takes as long as to send
        super().__init__(max_retries=0, pool_maxsize=AT_A_TIME)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def close(self) -> None:
        self._pools.clear()  # urllib3 closes the connections of pools that nobody holds
        super().close()

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
        pool: Any = self._pools.get(dispatch.origin)
        if pool is None:
            pool = self.get_connection_with_tls_context(
                request, verify, proxies=proxies, cert=certificate
            )
            self.cert_verify(pool, request.url, verify, certificate)  # type: ignore[no-untyped-call]
            self._pools[dispatch.origin] = pool
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
