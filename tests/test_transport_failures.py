"""What comes back when no whole answer comes: a name for the failure, in bounded time."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
from cancel_contracts import hosts
from cancel_contracts.exchange import NOBODY_THERE, Sent
from cancel_contracts.targets.safety import why_not_local
from cancel_contracts.transport import reach
from cancel_contracts.transport.client import Answer, Timeouts, Transport
from cancel_contracts.transport.record import KEPT_BYTES, LINGER_SECONDS, Bounds, record
from rawserver import Peer, RawServer, Script, answer

SHORT = Timeouts(connect=5.0, read=0.3, total=5.0)  # only where the silence is the test
GUARD_SECONDS = 20  # many times what any test waits for
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
PART = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"


def send(server: RawServer, limits: Timeouts | None = None, max_bytes: int = 2**20) -> Answer:
    with Transport(limits, max_bytes, environ={}) as transport:
        return transport.send(Sent("POST", server.url + "/", (("Authorization", "s3cret"),)))


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Transport(environ={}) as transport:
        got = transport.send(
            Sent("POST", f"http://127.0.0.1:{port}/", (("Authorization", "s3cret"),))
        )

    assert (got.failure, got.detail, got.received) == ("refused", "Connection refused", None)
    assert ("Authorization", "s3cret") in got.sent.headers


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 63 + ".invalid"])
def test_no_such_host(host: str) -> None:
    with Transport(SHORT, environ={}) as transport:
        got = transport.send(Sent("POST", f"http://{host}/"))

    assert got.failure == "unreachable", got.detail
    assert got.failure in NOBODY_THERE
    assert got.detail


@contextmanager
def full() -> Iterator[tuple[str, int]]:
    """Yield the address of a listener whose backlog is full: Linux drops what comes, as a firewall
    does.
    """
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(address)
        try:
            yield address
        finally:
            for sock in waiting:
                sock.close()


@pytest.mark.parametrize("limits", [Timeouts(connect=0.3), Timeouts(total=0.3)])
def test_a_host_that_does_not_take_the_connection(limits: Timeouts) -> None:
    with full() as address, Transport(limits, environ={}) as transport:
        got = transport.send(Sent("POST", f"http://127.0.0.1:{address[1]}/"))

    assert (got.failure, got.detail) == ("unreachable", "no connection within 0.3 s")
    assert got.seconds < 4


def test_closed_without_a_byte_and_not_sent_again() -> None:
    with RawServer(lambda peer: peer.receive()) as server:
        got = send(server)

        assert (len(server.requests), server.connections) == (1, 1)
    assert (got.failure, got.received, got.reused) == ("closed", None, False)
    assert got.detail == "the connection was closed before the first byte"


def test_reset_without_a_byte_and_not_sent_again() -> None:
    def script(peer: Peer) -> None:
        peer.receive()
        peer.reset()

    with RawServer(script) as server:
        got = send(server)

        assert (len(server.requests), server.connections) == (1, 1)
    assert (got.failure, got.received) == ("reset", None)


@pytest.mark.parametrize(
    ("part", "status", "body"),
    [
        (b"HTTP/1.1 2", 0, b""),
        (b"HTTP/1.1 200 OK\r\nContent-Le", 200, b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", 200, b"half"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", 200, b"hel"),
        (b"HTTP/1.1 200 OK\r\n\r\nhalf", 200, b"half"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n", 0, b""),
    ],
)
@pytest.mark.parametrize("ending", ["reset", "hang"])
def test_broken_off_half_way(part: bytes, status: int, body: bytes, ending: str) -> None:
    def script(peer: Peer) -> None:
        peer.receive()
        peer.send(part)
        if ending == "hang":
            peer.wait()
        peer.wait(0.1)  # a reset takes along what the client has not read yet
        peer.reset()

    with RawServer(script) as server:
        got = send(server, SHORT if ending == "hang" else None)

    assert got.failure == {"reset": "reset", "hang": "timeout"}[ending]
    assert got.received is not None
    assert (got.received.status, got.received.body, got.received.wire) == (status, body, part)
    assert got.received.error is not None
    assert got.detail.endswith(f"after {len(part)} bytes")


def test_a_whole_answer_stays_whole_when_a_reset_follows() -> None:
    def script(peer: Peer) -> None:
        peer.receive()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        peer.wait(0.03)
        peer.reset()

    with RawServer(script) as server:
        got = send(server)

    assert (got.failure, got.received and got.received.error) == (None, None)


def test_silence_before_the_head() -> None:
    with RawServer(lambda peer: peer.receive() and peer.wait()) as server:
        got = send(server, SHORT)

    assert (got.failure, got.received) == ("timeout", None)
    assert got.detail == "nothing came for 0.3 s, before the first byte"
    assert 0.3 <= got.seconds < 4


def test_a_slow_drip_ends_with_the_total() -> None:
    def script(peer: Peer) -> None:
        peer.receive()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not peer.wait(0.05):
            peer.send(b".")

    with RawServer(script) as server:
        got = send(server, Timeouts(read=0.6, total=0.8))

    assert got.failure == "timeout"
    assert got.detail.startswith("no complete answer within 0.8 s, after ")
    assert got.received is not None
    assert (got.received.status, got.received.body[:3]) == (200, b"...")
    assert 0.8 <= got.seconds < 4


def test_no_time_is_left_to_read() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        past = Bounds(silence_seconds=1.0, deadline=0.0, total_seconds=2.0, max_bytes=100)
        got = record(ours, "POST", past, keep_alive=False)

    assert (got.failure, got.received, got.reusable) == ("timeout", None, False)
    assert got.detail == "no complete answer within 2 s, before the first byte"


def test_a_drip_that_ends_in_time_is_an_answer() -> None:
    def script(peer: Peer) -> None:
        peer.receive()
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok":
            peer.send(bytes([byte]))
            peer.wait(0.005)

    with RawServer(script) as server:
        got = send(server)

    assert (got.failure, got.received and got.received.body) == (None, b"ok")


@pytest.mark.parametrize("framing", [b"", b"Content-Length: 999999999\r\n"])
def test_a_body_past_the_cap(framing: bytes) -> None:
    def script(peer: Peer) -> None:
        peer.receive()
        peer.send(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n")
        while not peer.wait(0):
            peer.send(b"x" * 65536)

    with RawServer(script) as server:
        got = send(server, max_bytes=100_000)

    assert (got.failure, got.detail) == ("too-large", "more than 100000 bytes")
    assert got.received is not None
    assert (got.received.status, len(got.received.wire)) == (200, KEPT_BYTES)
    assert got.received.error == "more than 100000 bytes"


@pytest.mark.slow
def test_endless_interim_responses_are_bounded_too() -> None:
    def script(peer: Peer) -> None:
        peer.receive()
        for _ in count():
            peer.send(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)

    with RawServer(script) as server:
        got = send(server, max_bytes=100_000)

    assert got.failure == "too-large"
    assert got.received is not None
    assert (got.received.status, got.received.interim[:2]) == (0, (103, 103))


def test_endless_stray_bytes_take_nothing_from_the_answer() -> None:
    def script(peer: Peer) -> None:
        peer.receive()
        peer.send(b"HTTP/1.1 204 No Content\r\n\r\n")
        while not peer.wait(0):
            peer.send(b"x" * 1000)

    with RawServer(script) as server:
        got = send(server, max_bytes=100_000)

    assert got.failure is None
    assert got.received is not None
    assert got.received.status == 204
    assert len(got.received.stray) > 1000


def test_a_cap_exactly_as_large_as_the_answer() -> None:
    response = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with RawServer(answer(response)) as server:
        got = send(server, max_bytes=len(response))

    assert (got.failure, got.received and got.received.body) == (None, b"ok")


def test_a_server_that_never_reads_the_request() -> None:
    with (
        RawServer(lambda peer: peer.wait()) as server,
        Transport(SHORT, environ={}) as transport,
    ):
        started = time.monotonic()
        got = transport.send(Sent("POST", server.url + "/", body=b"x" * 20_000_000))

    assert (got.failure, got.received) == ("timeout", None)
    assert got.detail == f"nothing came for {LINGER_SECONDS:g} s, before the first byte"
    assert time.monotonic() - started < 5


def test_no_header_value_stands_in_a_detail() -> None:
    scripts: tuple[Script, ...] = (
        answer(b"garbage"),
        answer(PART),
        lambda peer: peer.reset(),
        lambda peer: peer.wait(),
    )
    for script in scripts:
        with RawServer(script) as server:
            assert "s3cret" not in send(server, SHORT).detail


class Resolver:
    """The system's resolver, replaced: it leads every name to some addresses, or to nobody."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *addresses: tuple[str, int]) -> None:
        self.asked, self.release = 0, threading.Event()
        own = socket.getaddrinfo

        def resolve(host: str, port: Any, *args: Any, **kwargs: Any) -> Any:
            if not host.endswith(".invalid"):
                return own(host, port, *args, **kwargs)
            self.asked += 1
            if not addresses:
                self.release.wait(GUARD_SECONDS)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", row) for row in addresses]

        monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.mark.parametrize("limits", [Timeouts(connect=0.2), Timeouts(total=0.2)])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_resolver_that_does_not_answer(
    scheme: str, limits: Timeouts, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolver = Resolver(monkeypatch)
    began = time.monotonic()
    with Transport(limits, environ={}) as transport:
        got = transport.send(Sent("POST", f"{scheme}://slow.invalid/"))
    resolver.release.set()

    assert (got.failure, got.detail) == ("unreachable", "the host name was not resolved in time")
    assert time.monotonic() - began < GUARD_SECONDS


def test_a_resolver_that_does_not_answer_for_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = Resolver(monkeypatch)
    environ = {"http_proxy": "http://proxy.invalid:3128"}
    with Transport(Timeouts(connect=0.2), environ=environ) as transport:
        got = transport.send(Sent("POST", "http://target.example/"))
    resolver.release.set()

    assert got.failure == "unreachable"
    # Whichever of the two bounds comes first.
    assert got.detail in (
        "the proxy: the host name was not resolved in time", "the proxy: no connection in 0.2 s",
    )  # fmt: skip


def test_whether_a_name_is_local_is_asked_once_of_a_resolver_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolver = Resolver(monkeypatch)
    monkeypatch.setattr(hosts, "RESOLVE_SECONDS", 0.05)
    told = [why_not_local("http://mute.invalid/x") for _ in range(3)]
    resolver.release.set()

    assert told == ["does not resolve, so nobody knows whether it is local"] * 3
    assert resolver.asked == 1


class Slow:
    """A clock that moves only while a connection is waited for that nobody takes: what a share of
    the time is, is told however busy the machine.
    """

    now = 0.0

    def __init__(self, monkeypatch: pytest.MonkeyPatch, silent: tuple[str, int]) -> None:
        clock = self

        class Socket(socket.socket):
            def connect(self, address: Any) -> None:
                if address == silent:
                    clock.now += self.gettimeout() or 0.0
                    raise TimeoutError
                super().connect(address)

        monkeypatch.setattr(reach, "time", self)
        monkeypatch.setattr(socket, "socket", Socket)

    def monotonic(self) -> float:
        return self.now


SILENT = ("127.0.0.1", 9)
LONG = Timeouts(connect=60.0, total=60.0)


@pytest.mark.parametrize("others", [1, 3, 30])
def test_the_addresses_of_a_name_share_the_time(
    others: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RawServer(answer(OK)) as server:
        clock = Slow(monkeypatch, SILENT)
        Resolver(monkeypatch, *[SILENT] * others, ("127.0.0.1", server.port))
        with Transport(LONG, environ={}) as transport:
            got = transport.send(Sent("POST", "http://many.invalid/"))
    assert (got.failure, got.received and got.received.status) == (None, 200)
    assert clock.now == pytest.approx(60.0 * others / (others + 1))


def test_addresses_none_of_which_answers_take_no_longer_than_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Slow(monkeypatch, SILENT)
    Resolver(monkeypatch, *[SILENT] * 50)
    with Transport(LONG, environ={}) as transport:
        got = transport.send(Sent("POST", "http://many.invalid/"))
    assert (got.failure, got.detail) == ("unreachable", "no connection within 60 s")
    assert clock.now == pytest.approx(60.0)
