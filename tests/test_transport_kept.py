"""Connections that are kept for what stands beside the calls of a far target."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from cancel_contracts.exchange import Sent
from cancel_contracts.transport import connection, kept
from cancel_contracts.transport.client import Answer, Timeouts, Transport
from rawserver import Peer, RawServer, Script, answer

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LOOK = "/look"


def endless(peer: Peer) -> None:
    while peer.receive():
        peer.send(OK)


@contextmanager
def far(*scripts: Script, seconds: float = 10.0) -> Iterator[tuple[RawServer, Transport]]:
    timeouts = Timeouts(read=seconds, total=2 * seconds)
    with RawServer(*scripts) as server, Transport(timeouts, environ={}) as transport:
        transport.keep_connections(0.02)
        yield server, transport


def look(server: RawServer, transport: Transport) -> Answer:
    return transport.beside(Sent("GET", server.url + LOOK))


def test_looks_share_a_connection_and_calls_have_one_each() -> None:
    with far(endless) as (server, transport):
        made = [look(server, transport).reused, look(server, transport).reused]
        made += [transport.send(Sent("POST", server.url + "/call")).reused for _ in range(2)]
        made += [look(server, transport).reused]
    assert made == [False, True, False, False, True]
    assert server.connections == 3
    assert [b"onnection: close" in r for r in server.requests] == [False, False, True, True, False]


def test_nothing_is_kept_before_it_is_said() -> None:
    with RawServer(endless) as server, Transport(environ={}) as transport:
        assert [look(server, transport).reused for _ in range(2)] == [False, False]
    assert server.connections == 2
    assert all(b"Connection: close" in request for request in server.requests)


def test_a_lane_keeps_what_is_its_own() -> None:
    with far(endless) as (server, transport):
        lanes = [transport.lane(), transport.lane()]
        look(server, transport)
        made = [
            lane.send(Sent("POST", server.url + "/call"), keep_alive=True).reused
            for lane in lanes * 2
        ]
        for lane in lanes:
            lane.close()
        made += [
            look(server, transport).reused,
            transport.lane().send(Sent("GET", server.url)).reused,
        ]
    assert made == [False, False, True, True, True, False]


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(answer(OK), id="closes without a word"),
        pytest.param(answer(OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n")), id="says so"),
        pytest.param(answer(OK.replace(b"/1.1", b"/1.0")), id="speaks HTTP/1.0"),
        pytest.param(answer(OK + b"STRAY"), id="has more to say"),
    ],
)
def test_a_server_that_keeps_no_connection_is_asked_to_keep_none(script: Script) -> None:
    with far(script) as (server, transport):
        made = [look(server, transport) for _ in range(4)]
    assert [(x.reused, x.failure) for x in made] == [(False, None)] * 4
    closing = [b"Connection: close" in request for request in server.requests]
    assert closing == [False, True, True, True]


def test_one_that_was_idle_is_not_taken_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "IDLE_SECONDS", 0.05)
    with far(endless) as (server, transport):
        look(server, transport)
        time.sleep(0.1)
        assert not look(server, transport).reused
    assert server.connections == 2


def test_one_that_has_more_to_say_is_not_taken_again() -> None:
    sent = threading.Event()

    def stray(peer: Peer) -> None:
        peer.receive()
        peer.send(OK)
        peer.receive()
        peer.send(OK)
        peer.wait(0.05)
        peer.send(b"late")
        sent.set()
        peer.wait()

    with far(stray, endless) as (server, transport):
        look(server, transport)
        assert look(server, transport).reused
        assert sent.wait(5)
        third = look(server, transport)
    assert third.received is not None
    assert (third.reused, third.received.error, third.received.wire) == (False, None, OK)


@pytest.mark.parametrize("kind", ["call", "look elsewhere"])
def test_a_server_that_serves_one_at_a_time_is_noticed(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "WAIT_SECONDS", 0.8)
    turn = threading.Lock()

    def one_at_a_time(peer: Peer) -> None:
        with turn:
            endless(peer)

    with far(one_at_a_time) as (server, transport):
        look(server, transport)
        other = transport.lane() if kind == "look elsewhere" else transport
        second = other.send(Sent("POST", server.url + "/call"))
        assert (second.failure, second.reused) == (None, False)
        assert transport.serves_one
        made = [look(server, transport).reused for _ in range(2)]
    assert made == [False, False], "nothing is kept any more"
    assert all(b"Connection: close" in request for request in server.requests[1:])


def test_a_server_that_is_slow_by_itself_is_not_taken_for_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kept, "WAIT_SECONDS", 0.1)

    def slow(peer: Peer) -> None:
        peer.receive()
        peer.wait(0.8)
        peer.send(OK)

    with far(endless, slow) as (server, transport):
        look(server, transport)
        assert transport.send(Sent("POST", server.url + "/call")).failure is None
        assert not transport.serves_one


def test_a_call_that_is_never_answered_is_given_up_as_ever() -> None:
    def silent(peer: Peer) -> None:
        peer.receive()
        peer.wait()

    with far(endless, silent, seconds=0.4) as (server, transport):
        look(server, transport)
        got = transport.send(Sent("POST", server.url + "/call"))
        assert (got.failure, got.received) == ("timeout", None)
        assert len(server.requests) == 2, "nothing is sent again"


def test_flights_bound_what_is_under_way() -> None:
    now, most, lock = [0], [0], threading.Lock()

    def counting(peer: Peer) -> None:
        peer.receive()
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        peer.wait(0.05)
        with lock:
            now[0] -= 1
        peer.send(OK)

    flights = threading.BoundedSemaphore(2)
    with RawServer(counting) as server, Transport(environ={}, flights=flights) as transport:
        ways = [transport, transport.lane(), transport.lane(), transport, transport]
        threads = [
            threading.Thread(target=way.send, args=(Sent("POST", server.url),)) for way in ways
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert (len(server.requests), most) == (5, [2])
