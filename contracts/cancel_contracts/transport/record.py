"""Reading a socket until the response is there, or until it is certain that it will not come.

Every wait is bounded: by silence, by the end of the exchange, by the cap on bytes. Whatever arrives
is kept. It must not know how the connection was made or what the request was, nor raise for
anything that a peer can do.
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from cancel_contracts.exchange import Failure, Received
from cancel_contracts.transport.wire import Reader, read

# How long a connection that ought to be closed is watched for stray bytes once the response is
# whole. On loopback stray bytes follow within a millisecond; a server that keeps the connection
# open costs every call this much.
LINGER_SECONDS = 0.1
# RFC 9112 9.6: a server MUST close the connection after its answer to a request that says so. So
# long one is waited for that has not within the time above, once for each of few calls.
CLOSE_SECONDS = 3.0
_PIECE_BYTES = 65536
# Of an answer past the cap, or that cannot be read: enough to see what it was. It is not whole,
# whatever is kept.
KEPT_BYTES = 65536

# Why reading ended -> the failure if not one byte had come, and if the message was not whole.
_End = Literal["settled", "eof", "quiet", "late", "reset", "tls", "full"]
_FAILURES: dict[_End, tuple[Failure | None, Failure | None]] = {
    "settled": (None, None),
    "eof": ("closed", None),  # cut short: `Received.error` says so
    "quiet": ("timeout", "timeout"),
    "late": ("timeout", "timeout"),
    "reset": ("reset", "reset"),
    "tls": ("tls", "reset"),  # TLS 1.3 refuses a client this late
    "full": ("too-large", "too-large"),
}

# The alerts that refuse a client (RFC 8446 section 6.2): nobody has read its request. Whatever else
# is wrong with TLS once the request is out may have come after it was carried out.
_REFUSAL = re.compile(r"ALERT_(?:\w*CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE|DECRYPT)")


class Stream(Protocol):
    """What is asked of a socket; plain, TLS and TLS inside TLS have it."""

    def settimeout(self, seconds: float | None, /) -> None: ...
    def recv(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class Bounds:
    silence_seconds: float
    deadline: float  # on the monotonic clock
    total_seconds: float  # for the message alone
    max_bytes: int


@dataclass(frozen=True)
class Recording:
    received: Received | None
    failure: Failure | None
    detail: str
    finished: float  # on the monotonic clock: when the message was whole, or when we gave up
    reusable: bool


def take(stream: Stream, size: int, seconds: float) -> bytes | None:
    """Return up to `size` bytes, b"" at the end, None if nothing came in time. Raises OSError."""
    stream.settimeout(max(seconds, 0.0))
    try:
        return stream.recv(size)
    except (TimeoutError, BlockingIOError, ssl.SSLWantReadError):
        return None


def record(
    stream: Stream,
    method: str,
    bounds: Bounds,
    *,
    keep_alive: bool,
    watched: bool = False,
    early: bytes = b"",
    reused: bool = False,
    send_error: OSError | None = None,
    awaits_end: Callable[[int], bool] = lambda _: False,
) -> Recording:
    """Read one response.

    `watched` watches a connection that is to be kept as if it were to be closed. `early` came
    before the request was sent; `send_error` kept part of the request from being sent; `awaits_end`
    says after which answer to wait for a connection that is to be closed.
    """
    reader = Reader(method)
    reader.feed(early[: bounds.max_bytes])
    # The peer does not take our bytes: all that can still be had is what it has already said.
    silence = bounds.silence_seconds
    if isinstance(send_error, TimeoutError):
        silence = min(silence, LINGER_SECONDS)
    end, finished = _drain(stream, reader, bounds, silence, keep_alive and not watched)
    if end == "eof" and send_error is not None and not isinstance(send_error, TimeoutError):
        end = "reset"  # the kernel reports a reset once, and sending has had it
    nothing, unfinished = _FAILURES[end]
    if not reader.size:
        # RFC 9112 9.3.1: a kept connection may be closed at any time, by FIN or by RST; both are
        # the same news.
        failure: Failure | None = "closed" if reused and end in ("eof", "reset") else nothing
    else:
        failure = None if reader.settled else unfinished
    size, usable = reader.size, end == "settled" and send_error is None and reader.reusable
    if failure == "too-large":
        kept = read(method, reader.first(KEPT_BYTES), eof=False)
        received = kept and replace(kept, error=f"more than {bounds.max_bytes} bytes")
    elif (received := reader.finish(eof=end == "eof")) and received.error is not None:
        body, wire = received.body[:KEPT_BYTES], received.wire[:KEPT_BYTES]
        received = replace(received, body=body, wire=wire)
    open_still = end == "settled" and failure is None and send_error is None and not keep_alive
    if open_still and received is not None and awaits_end(received.status):
        received = replace(received, left_open=_left_open(stream))
    return Recording(
        received=received,
        failure=failure,
        detail="" if failure is None else _detail(failure, end, size, silence, bounds),
        finished=finished,
        reusable=keep_alive and usable,
    )


def _left_open(stream: Stream) -> bool:
    """Whether nobody closes a connection in time, whatever comes on it."""
    until = time.monotonic() + CLOSE_SECONDS
    try:
        while (left := until - time.monotonic()) > 0:
            if take(stream, _PIECE_BYTES, left) == b"":
                return False
    except OSError:
        return False
    return True


def _drain(
    stream: Stream, reader: Reader, bounds: Bounds, silence: float, keep_alive: bool
) -> tuple[_End, float]:
    settled_at: float | None = None
    while True:
        now = time.monotonic()
        if reader.settled and settled_at is None:
            settled_at = now
        if settled_at is None:
            wait = min(silence, bounds.deadline - now)
            if wait <= 0:
                return "late", now
        elif keep_alive and reader.reusable:
            wait = 0.0  # what is there already, no more
        else:
            wait = settled_at + LINGER_SECONDS - now
            if wait <= 0:
                return "settled", settled_at
        room = bounds.max_bytes - reader.size
        if room <= 0:
            return ("full", now) if settled_at is None else ("settled", settled_at)
        end: _End | None = None
        try:
            data = take(stream, min(room, _PIECE_BYTES), wait)
        except ssl.SSLError as error:
            end = "tls" if _REFUSAL.search(getattr(error, "reason", "") or "") else "reset"
        except OSError:
            end = "reset"
        else:
            if data:
                reader.feed(data)
                continue
            if data is None:
                late = settled_at is None and time.monotonic() >= bounds.deadline
                end = "settled" if settled_at is not None else "late" if late else "quiet"
            else:
                end = "eof"
        return end, time.monotonic() if settled_at is None else settled_at


def _detail(failure: Failure, end: _End, size: int, silence: float, bounds: Bounds) -> str:
    so_far = f"after {size} bytes" if size else "before the first byte"
    if failure == "timeout":
        if end == "late":
            return f"no complete answer within {bounds.total_seconds:g} s, {so_far}"
        return f"nothing came for {silence:g} s, {so_far}"
    if failure == "too-large":
        return f"more than {bounds.max_bytes} bytes"
    if failure == "closed":
        return f"the connection was closed {so_far}"
    if failure == "tls":
        return "the TLS connection broke off before the first byte of the answer"
    return f"the connection was reset {so_far}"
