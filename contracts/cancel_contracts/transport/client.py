"""Transport: one request out, one `Answer` back, whatever happens in between.

The only room that opens a socket towards a target. It sends what it is given and nothing twice,
follows nothing, remembers nothing between requests but a kept-alive connection, and never waits
without a bound. It must not know of clauses, resources or identities; no header value stands in any
text it makes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

import urllib3

from cancel_contracts.errors import UsageError
from cancel_contracts.exchange import Failure, Headers, Received, Sent
from cancel_contracts.hosts import proxies
from cancel_contracts.transport.certificates import certificates
from cancel_contracts.transport.compose import chunks, field_line, full_headers, prepare
from cancel_contracts.transport.connection import Adapter, Dispatch
from cancel_contracts.transport.kept import Kept
from cancel_contracts.transport.proxies import answered_by_proxy, signatures
from cancel_contracts.transport.record import Bounds
from cancel_contracts.transport.unconnected import Unconnected

# Of one answer, head and all. These APIs answer kilobytes.
LIMIT_BYTES = 4 * 2**20  # a text of a million characters, in chunks that are small


@dataclass(frozen=True)
class Timeouts:
    """Seconds. `read` bounds the silence between two bytes, `total` the whole exchange.

    `connect` bounds the resolver and all addresses of a name together; a handshake of TLS has as
    much again.
    """

    connect: float = 5.0
    read: float = 10.0
    total: float = 20.0


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back. `received` and `failure` may both be set: an answer that broke off half-way.

    `sent` is the request as it went out, with every header but a proxy's credential; what went
    along stands as <name>. `seconds` runs from connecting to the end of the message. `reused`: the
    connection had carried an exchange before. `by_proxy` is the status that a proxy between
    answered.
    """

    sent: Sent
    received: Received | None = None
    failure: Failure | None = None
    detail: str = ""
    seconds: float = 0.0
    reused: bool = False
    by_proxy: int | None = None

    @property
    def why(self) -> str:
        """Return why no whole answer came, in words, whatever came of it."""
        if self.failure is None:
            return (self.received.error if self.received else None) or "closed"
        return f"{self.failure}: {self.detail}" if self.detail else self.failure


class Transport:
    """Safe to use from several threads: each exchange has a connection of its own while it lasts.

    `verify`: False, True or a path to CA certificates; True lets REQUESTS_CA_BUNDLE or
    CURL_CA_BUNDLE name one. `environ` (default: the process's) also names proxies: HTTP_PROXY,
    HTTPS_PROXY, ALL_PROXY, NO_PROXY. `local_only`: nothing is sent over a connection whose peer is
    not local, nor over a proxy. `along`: header fields that go with every request to a URL and what
    is below it; they hold secrets. `certificate`: the PEM files of a client certificate and of its
    key, or the one of both. `flights` is held while an exchange lasts: it bounds how many are
    under way. Raises UsageError for what cannot be sent as HTTP at all.
    """

    def __init__(
        self,
        timeouts: Timeouts | None = None,
        max_bytes: int = LIMIT_BYTES,
        verify: bool | str = True,
        environ: Mapping[str, str] | None = None,
        *,
        local_only: bool = False,
        along: Mapping[str, Headers] | None = None,
        certificate: tuple[str, str] | str | None = None,
        flights: AbstractContextManager[object] | None = None,
    ) -> None:
        self._timeouts = timeouts or Timeouts()
        self._max_bytes = max_bytes
        self._environ = os.environ if environ is None else environ
        self._verify = certificates(verify, self._environ)
        self._proxies: dict[str, dict[str, str]] = {}
        self._ends = set[tuple[str, bool]]()  # of connections that were waited for
        self._signed: dict[str, set[str]] = {}  # by origin: see proxies.signatures
        # The longest first: a handler may be below the target.
        self._along = sorted((along or {}).items(), key=lambda row: -len(row[0]))
        self._certificate, self._local_only = certificate, local_only
        self._flights = flights or nullcontext()
        # No session around it: cookies, redirects, netrc and the environment are none of ours.
        self._adapter = Adapter(local_only=local_only)
        self._kept = Kept(local_only=local_only)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self._kept.adapter.close()

    def close(self) -> None:
        """Close the connections that `send` has kept. What is sent later opens new ones."""
        self._adapter.close()

    def lane(self) -> Transport:
        """Return a transport to the same, the kept connections of whose `send` are its own."""
        other = copy(self)
        other._adapter = Adapter(local_only=self._local_only)
        return other

    def proxied(self, url: str) -> bool:
        """Whether a proxy stands between, which may make of a kept connection what it likes."""
        return bool(self._proxies_for(url))

    def keep_connections(self, usual_seconds: float) -> None:
        """Have `beside` keep connections from now on: the target is so far away that opening one
        takes its time. An exchange on a new one usually takes `usual_seconds`.
        """
        self._kept.begin(usual_seconds, self._timeouts.read)

    @property
    def serves_one(self) -> bool:
        """Whether the server was seen to serve one connection at a time."""
        return self._kept.serves_one

    def beside(self, request: Sent) -> Answer:
        """Send once what stands beside the calls, on a shared connection where these are kept."""
        origin = prepare(request)[1].url
        if not self._kept.wants(origin):
            return self.send(request)
        watched = not self._kept.known(origin)
        return self._send(request, self._kept.adapter, keep_alive=True, watched=watched)

    def send(
        self, request: Sent, *, keep_alive: bool = False, chunked: bool = False, closing: str = ""
    ) -> Answer:
        """Send once and return what came of it.

        `keep_alive` leaves out `Connection: close` and keeps the connection for the next request to
        the same origin, whichever that is. `chunked` sends the body in chunks, several where it
        has several bytes. `closing` names what is asked: once for each a connection that was to be
        closed is waited for after a success, and once after another answer; none by a proxy.
        """
        closing = "" if keep_alive or request.version != "1.1" else closing
        return self._send(
            request, self._adapter, keep_alive=keep_alive, chunked=chunked, closing=closing
        )

    def _send(
        self,
        request: Sent,
        adapter: Adapter,
        *,
        keep_alive: bool,
        chunked: bool = False,
        watched: bool = False,
        closing: str = "",
    ) -> Answer:
        with self._flights, self._kept.watch():
            return self._exchange(
                request,
                adapter,
                keep_alive=keep_alive,
                chunked=chunked,
                watched=watched,
                closing=closing,
            )

    def _exchange(
        self,
        request: Sent,
        adapter: Adapter,
        *,
        keep_alive: bool,
        chunked: bool,
        watched: bool,
        closing: str,
    ) -> Answer:
        started = time.monotonic()
        prepared, origin, target = prepare(request)
        along = next((row for url, row in self._along if _is_below(request.url, url)), ())
        full = replace(request, headers=(*request.headers, *along))
        headers = full_headers(full, origin, keep_alive=keep_alive, chunked=chunked)
        secret = {name: f"<{name}>" for name, _ in along}
        told = tuple((name, secret.get(name, value)) for name, value in headers)
        sent = replace(request, headers=told)
        limits = self._timeouts
        dispatch = Dispatch(
            method=request.method,
            origin=origin.url.encode("ascii"),
            target=target,
            version=request.version.encode("ascii"),
            fields=b"".join(field_line(name, value) for name, value in headers),
            pieces=chunks(request.body) if chunked else (request.body,),
            bounds=Bounds(limits.read, started + limits.total, limits.total, self._max_bytes),
            keep_alive=keep_alive,
            watched=watched,
            awaits_end=partial(self._awaits_end, closing, origin.url),
        )
        try:
            recording, reused = adapter.exchange(
                prepared,
                dispatch,
                connect_seconds=min(limits.connect, limits.total),
                verify=self._verify,
                certificate=self._certificate,
                proxies=self._proxies_for(origin.url),
            )
        except Unconnected as error:
            seconds = time.monotonic() - started
            return Answer(sent=sent, failure=error.failure, detail=error.detail, seconds=seconds)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            # Raised before anything was sent, for the proxy's address or the CA bundle. The text
            # may quote a proxy's password. (RequestException is an OSError.)
            problem = f"requests refuses it ({type(error).__name__})"
            raise UsageError(origin.url, problem, "check the proxy and CA settings") from None
        seconds = recording.finished - started
        if adapter is self._kept.adapter:
            self._kept.learn(origin.url, reusable=recording.reusable)
        received = recording.received
        if received and (why := self._by_proxy(received, origin.url)):
            # The target has not answered; what a proxy says of it is no answer of the target.
            detail = f"a proxy between answered: {why}"
            return Answer(
                sent=sent, failure="proxy", detail=detail, seconds=seconds, reused=reused,
                by_proxy=received.status,
            )  # fmt: skip
        return Answer(
            sent=sent,
            received=received,
            failure=recording.failure,
            detail=recording.detail,
            seconds=seconds,
            reused=reused,
        )

    def _awaits_end(self, closing: str, origin: str, status: int) -> bool:
        """Whether to wait for a connection that was to be closed: the first time of its kind."""
        kind = (closing, 200 <= status < 300)
        if not closing or kind in self._ends or self._proxies_for(origin):
            return False
        self._ends.add(kind)
        return True

    def _by_proxy(self, received: Received, origin: str) -> str | None:
        """Return how an answer shows that a proxy between made it, or None. What signs the answers
        of a target that is asked directly, good ones too, is part of it.
        """
        usual = self._signed.setdefault(origin, set())
        if received.status < 500 and not self._proxies_for(origin):
            usual |= signatures(received)
        return answered_by_proxy(received, usual)

    def _proxies_for(self, origin: str) -> dict[str, str]:
        if origin not in self._proxies:
            self._proxies[origin] = proxies(origin, self._environ)
        return self._proxies[origin]


def _is_below(url: str, base: str) -> bool:
    return url.startswith(base) and url[len(base) : len(base) + 1] in ("", "/", "?")
