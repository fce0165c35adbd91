"""Connections that carry more than one exchange."""

from __future__ import annotations

import threading
import time

import pytest
from cancel_contracts.exchange import Sent
from cancel_contracts.transport.client import Transport
from cancel_contracts.transport.record import LINGER_SECONDS
from rawserver import Peer, RawServer, answer

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.mark.parametrize(
    "response",
    [
        OK,
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    ],
)
def test_two_requests_on_one_connection(response: bytes) -> None:
    with RawServer(answer(response, response)) as server, Transport(environ={}) as transport:
        first = transport.send(Sent("POST", server.url + "/1"), keep_alive=True)
        second = transport.send(Sent("POST", server.url + "/2"), keep_alive=True)

    assert server.connections == 1
    assert [x.split(b" ")[1] for x in server.requests] == [b"/1", b"/2"]
    assert (first.reused, second.reused) == (False, True)
    for got in (first, second):
        assert got.failure is None
        assert got.received is not None
        assert (got.received.wire, got.received.error) == (response, None)
        assert "connection" not in dict(got.sent.headers)
    assert b"connection:" not in server.requests[0].lower()


def test_the_next_request_takes_the_kept_connection_and_may_end_it() -> None:
    with RawServer(answer(OK, OK), answer(OK)) as server, Transport(environ={}) as transport:
        transport.send(Sent("POST", server.url + "/1"), keep_alive=True)
        second = transport.send(Sent("GET", server.url + "/2"))
        third = transport.send(Sent("GET", server.url + "/3"))

    assert (second.reused, third.reused) == (True, False)
    assert server.connections == 2
    assert b"Connection: close" in server.requests[1]


def test_head_leaves_the_connection_usable() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
    with RawServer(answer(head, OK)) as server, Transport(environ={}) as transport:
        transport.send(Sent("HEAD", server.url + "/"), keep_alive=True)
        second = transport.send(Sent("GET", server.url + "/"), keep_alive=True)

    assert second.reused
    assert second.received is not None
    assert second.received.body == b"ok"


def test_a_connection_that_the_server_closed_in_between_is_replaced() -> None:
    with RawServer(answer(OK)) as server, Transport(environ={}) as transport:
        transport.send(Sent("POST", server.url + "/1"), keep_alive=True)
        while server.connections == 1:  # until the close is seen; each send is answered anyway
            got = transport.send(Sent("POST", server.url + "/2"), keep_alive=True)

    assert (got.failure, got.reused) == (None, False)
    assert got.received is not None


def test_a_connection_that_the_server_reset_in_between_is_replaced() -> None:
    def script(peer: Peer) -> None:
        peer.receive()
        peer.send(OK)
        peer.wait(0.05)
        peer.reset()
        ended.set()

    ended = threading.Event()
    with RawServer(script, answer(OK)) as server, Transport(environ={}) as transport:
        transport.send(Sent("POST", server.url + "/1"), keep_alive=True)
        assert ended.wait(5)
        second = transport.send(Sent("POST", server.url + "/2"), keep_alive=True)

    assert (second.failure, second.reused, server.connections) == (None, False, 2)


@pytest.mark.parametrize("ending", ["close", "reset"])
def test_a_reused_connection_that_gives_nothing_is_closed(ending: str) -> None:
    def script(peer: Peer) -> None:
        peer.receive()
        peer.send(OK)
        peer.receive()
        if ending == "reset":
            peer.reset()

    with RawServer(script) as server, Transport(environ={}) as transport:
        transport.send(Sent("POST", server.url + "/1"), keep_alive=True)
        second = transport.send(Sent("POST", server.url + "/2"), keep_alive=True)

        assert server.connections == 1
    assert (second.failure, second.reused, second.received) == ("closed", True, None)
    assert len(server.requests) == 2, "a POST is never sent again"


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokSTRAY",
        b"HTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_a_connection_that_may_not_be_reused_is_not(response: bytes) -> None:
    def script(peer: Peer) -> None:
        peer.receive()
        peer.send(response)
        peer.wait()

    with RawServer(script, answer(OK)) as server, Transport(environ={}) as transport:
        first = transport.send(Sent("POST", server.url + "/1"), keep_alive=True)
        second = transport.send(Sent("POST", server.url + "/2"), keep_alive=True)

    assert server.connections == 2
    assert not second.reused
    assert first.received is not None
    assert first.received.wire == response


def test_bytes_that_come_between_two_requests_are_read_as_the_second_answer() -> None:
    def script(peer: Peer) -> None:
        peer.receive()
        peer.send(b"HTTP/1.1 204 No Content\r\n\r\n")
        peer.wait(0.05)
        peer.send(b"late")  # the body that a 204 must not have
        sent.set()
        peer.receive()
        peer.send(OK)
        peer.wait()

    sent = threading.Event()
    with RawServer(script) as server, Transport(environ={}) as transport:
        first = transport.send(Sent("POST", server.url + "/1"), keep_alive=True)
        assert sent.wait(5)
        second = transport.send(Sent("POST", server.url + "/2"), keep_alive=True)

    assert first.received is not None
    assert first.received.error is None
    assert second.reused
    assert second.received is not None
    assert (second.received.status, second.received.wire) == (0, b"late" + OK)
    assert second.received.error == "illegal status line: b'lateHTTP/1.1 200 OK'"


def test_keep_alive_does_not_wait_for_stray_bytes() -> None:
    def script(peer: Peer) -> None:
        while peer.receive():
            peer.send(OK)

    with RawServer(script) as server, Transport(environ={}) as transport:
        started = time.monotonic()
        for _ in range(100):
            transport.send(Sent("GET", server.url + "/"), keep_alive=True)
        seconds = time.monotonic() - started

    assert server.connections == 1
    assert seconds < 100 * LINGER_SECONDS / 2


def test_closing_the_transport_closes_what_it_kept() -> None:
    ended: list[bytes] = []

    def script(peer: Peer) -> None:
        peer.receive()
        peer.send(OK)
        ended.append(peer.sock.recv(1))

    with RawServer(script) as server:
        with Transport(environ={}) as transport:
            transport.send(Sent("GET", server.url + "/"), keep_alive=True)
            assert ended == []
        for thread in server._threads[1:]:
            thread.join(5)

        assert ended == [b""]
