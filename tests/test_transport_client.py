"""What goes out byte for byte, and what comes back when the target answers at all."""

from __future__ import annotations

import gzip
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from cancel_contracts.errors import UsageError
from cancel_contracts.exchange import Sent
from cancel_contracts.transport import record
from cancel_contracts.transport.client import Answer, Timeouts, Transport
from cancel_contracts.transport.compose import chunks
from cancel_contracts.transport.framing import framing_faults
from rawserver import Peer, RawServer, Script, answer

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def exchange(response: bytes, method: str = "POST") -> Answer:
    with RawServer(answer(response)) as server, Transport(environ={}) as transport:
        return transport.send(Sent(method, server.url + "/"))


# -- what goes out ------------------------------------------------------------------------------


def test_the_request_as_it_stands_on_the_wire() -> None:
    with RawServer(answer(OK)) as server, Transport(environ={}) as transport:
        got = transport.send(
            Sent("POST", server.url + "/a?b=c", (("X-Id", "1"), ("X-ID", "2")), b"body")
        )

    host = f"127.0.0.1:{server.port}"
    assert server.requests == [
        b"POST /a?b=c HTTP/1.1\r\n"
        b"Host: " + host.encode() + b"\r\n"
        b"User-Agent: cancel-contracts\r\n"
        b"Accept-Encoding: identity\r\n"
        b"Connection: close\r\n"
        b"Content-Length: 4\r\n"
        b"X-Id: 1\r\n"
        b"X-ID: 2\r\n"
        b"\r\n"
        b"body"
    ]
    assert got.sent == Sent(
        "POST",
        server.url + "/a?b=c",
        (
            ("Host", host),
            ("User-Agent", "cancel-contracts"),
            ("Accept-Encoding", "identity"),
            ("Connection", "close"),
            ("Content-Length", "4"),
            ("X-Id", "1"),
            ("X-ID", "2"),
        ),
        b"body",
    )
    assert got.received is not None
    assert (got.received.status, got.received.body, got.received.wire) == (200, b"ok", OK)
    assert (got.failure, got.detail, got.reused) == (None, "", False)
    assert 0 < got.seconds < 5


@pytest.mark.parametrize(
    "target",
    [
        "/a/%zz/c",
        "/a/..%2fb/c",
        "/a/../b/./c",
        "/a/%2e%2e/c",
        "/a/%00/c",
        "/a/%27%22/c",
        "/a/'\"<>|^`{}/c",
        "/a/%F0%9F%98%80/c",
        "/a/%f0%9f%98%80/c",
        "//a//c",
        "/a//c",
        "/a/c/",
        "/a/" + "x" * 5000 + "/c",
        "/a?b=%zz&c=..%2f&d='",
        "/a?",
        "/a;b=c,d:e@f",
    ],
)
def test_the_target_goes_out_byte_for_byte(target: str) -> None:
    with RawServer(answer(OK)) as server, Transport(environ={}) as transport:
        transport.send(Sent("POST", server.url + target))

    line, _, _ = server.requests[0].partition(b"\r\n")
    assert line == f"POST {target} HTTP/1.1".encode()


@pytest.mark.parametrize(
    ("end", "target"),
    [("", b"/"), ("?a=b", b"/?a=b"), ("/a#b", b"/a"), ("/a/é", b"/a/\xc3\xa9")],
)
def test_the_target_where_the_url_leaves_it_open(end: str, target: bytes) -> None:
    with RawServer(answer(OK)) as server, Transport(environ={}) as transport:
        transport.send(Sent("GET", server.url + end))

    assert server.requests[0].startswith(b"GET " + target + b" HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("method", "body", "line"),
    [
        ("POST", b"", b"Content-Length: 0"),
        ("PUT", b"", b"Content-Length: 0"),
        ("PATCH", b"", b"Content-Length: 0"),
        ("GET", b"", None),
        ("HEAD", b"", None),
        ("OPTIONS", b"", None),
        ("DELETE", b"", None),
        ("GET", b"{}", b"Content-Length: 2"),
        ("DELETE", b"{}", b"Content-Length: 2"),
    ],
)
def test_the_length_of_the_body(method: str, body: bytes, line: bytes | None) -> None:
    with RawServer(answer(OK)) as server, Transport(environ={}) as transport:
        transport.send(Sent(method, server.url + "/", body=body))

    lines = server.requests[0].partition(b"\r\n\r\n")[0].split(b"\r\n")
    framing = [x for x in lines if x.startswith((b"Content-Length", b"Transfer-Encoding"))]
    assert framing == ([line] if line else [])
    assert server.requests[0].endswith(b"\r\n\r\n" + body)


@pytest.mark.parametrize(
    ("body", "coded"),
    [
        (b"hello", b"1\r\nh\r\n01\r\ne\r\n1\r\nl\r\n01\r\nl\r\n1\r\no\r\n0\r\n\r\n"),
        (b"{}", b"1\r\n{\r\n01\r\n}\r\n0\r\n\r\n"),
        # RFC 9112 section 7.1: hexadecimal, in either case.
        (
            b"a" * 62,
            b"14\r\n"
            + b"a" * 20
            + b"\r\n01\r\na\r\nB\r\n"
            + b"a" * 11
            + b"\r\n013\r\n"
            + b"a" * 19
            + b"\r\nB\r\n"
            + b"a" * 11
            + b"\r\n0\r\n\r\n",
        ),
        (b"x", b"1\r\nx\r\n0\r\n\r\n"),
        (b"", b"0\r\n\r\n"),
    ],
)
def test_a_body_in_chunks(body: bytes, coded: bytes) -> None:
    with RawServer(answer(OK)) as server, Transport(environ={}) as transport:
        got = transport.send(Sent("POST", server.url + "/", body=body), chunked=True)

    head, _, sent = server.requests[0].partition(b"\r\n\r\n")
    assert sent == coded
    assert b"\r\nTransfer-Encoding: chunked" in head
    assert b"Content-Length" not in head
    assert got.sent.body == body
    assert got.received is not None


@pytest.mark.parametrize("size", [0, 1, 2, 4, 5, 6, 64, 5000])
def test_chunks_of_several_sizes_are_the_body(size: int) -> None:
    body = bytes(at % 251 for at in range(size))
    found, sizes = b"", []
    for coded in chunks(body):
        line, _, rest = coded.partition(b"\r\n")
        sizes.append(int(line, 16))
        found += rest[: sizes[-1]]
        assert rest[sizes[-1] :] == b"\r\n"
    assert found == body
    assert sizes.pop() == 0
    assert len(sizes) == min(size, 5)
    assert not sizes or 1 in sizes


def test_given_headers_take_the_place_of_ours() -> None:
    given = (
        ("host", "elsewhere"),
        ("User-agent", "me"),
        ("accept", "text/plain"),
        ("accept-encoding", "gzip"),
        ("connection", "Close"),
        ("content-length", "0"),
        ("Authorization", ""),
        ("X-Latin", "é"),
    )
    with RawServer(answer(OK)) as server, Transport(environ={}) as transport:
        got = transport.send(Sent("POST", server.url + "/", given))

    lines = b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in given)
    assert server.requests == [b"POST / HTTP/1.1\r\n" + lines + b"\r\n"]
    assert got.sent.headers == given


def test_neither_netrc_nor_the_url_adds_a_credential(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with RawServer(answer(OK)) as server, Transport() as transport:
        transport.send(Sent("POST", server.url + "/"))
        with pytest.raises(UsageError, match="URL: it carries a user or password") as refused:
            transport.send(Sent("POST", server.url.replace("//", "//me:secret@")))

    assert b"authorization" not in server.requests[0].lower()
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (Sent("POST", "/relative"), "URL: it does not start with http"),
        (Sent("POST", "ftp://127.0.0.1/"), "URL: it does not start with http"),
        (Sent("POST", "http:///a"), "URL: it has no host"),
        (Sent("POST", "http://127.0.0.1:99999/"), "URL: it has no port from 1 to 65535"),
        (Sent("POST", "http://127.0.0.1\\a/"), "URL: it has no host, or one that is no name"),
        (Sent("POST", "http://127.0.0.1/a b"), "URL: a space or control character"),
        (Sent("POST", "http://127.0.0.1/a\r\nX: y"), "URL: a space or control character"),
        (Sent("PO ST", "http://127.0.0.1/"), "method: it is no HTTP token"),
        (Sent("POST", "http://127.0.0.1/", (("X Y", "1"),)), "request header: a name"),
        (
            Sent("POST", "http://127.0.0.1/", (("Authorization", "Bearer s3cret\r\nX: y"),)),
            "request header Authorization: a line break",
        ),
        (
            Sent("POST", "http://127.0.0.1/", (("Authorization", "Bearer s3cret\u2026"),)),
            "request header Authorization: a character beyond",
        ),
    ],
)
def test_what_cannot_be_sent_is_refused_and_not_quoted(request_: Sent, message: str) -> None:
    with Transport(environ={}) as transport, pytest.raises(UsageError) as refused:
        transport.send(request_)

    assert str(refused.value).startswith(message)
    assert "s3cret" not in str(refused.value)


# -- what comes back ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "stray"),
    [
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", b"hello"),
        (b"HTTP/1.1 204 No Content\r\n\r\nhello", b"hello"),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", b""),
        (
            b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            b"5\r\nhello\r\n0\r\n\r\n",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nSTRAY", b"STRAY"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabcdef", b"cdef"),
        (OK + OK, OK),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", b""),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"2\r\nok\r\n0\r\n\r\n",
            b"",
        ),
        (b"HTTP/1.1 200 OK\r\nX-Bad : 1\r\nContent-Length: 0\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", b""),
        (b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n", b""),
        (bytes(range(256)) * 8, b""),
        (b"HTTP/1.1 20", b""),
    ],
)
def test_every_wire_fault_reaches_the_judge(response: bytes, stray: bytes) -> None:
    got = exchange(response)

    assert got.failure is None
    assert got.received is not None
    assert (got.received.wire, got.received.stray) == (response, stray)
    assert framing_faults("POST", got.received) != []


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nServer: old\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    ],
)
def test_every_legal_way_of_being_empty(response: bytes) -> None:
    got = exchange(response)

    assert got.failure is None
    assert got.received is not None
    assert (got.received.wire, got.received.body, got.received.error) == (response, b"", None)
    assert framing_faults("POST", got.received) == []


def test_the_response_after_an_interim_one_may_take_its_time() -> None:
    def script(peer: Peer) -> None:
        peer.receive()
        peer.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        peer.wait(0.2)
        peer.send(OK)

    with RawServer(script) as server, Transport(environ={}) as transport:
        got = transport.send(Sent("POST", server.url + "/"))

    assert got.received is not None
    assert (got.received.status, got.received.interim) == (200, (103,))


def test_head_with_a_body() -> None:
    got = exchange(OK, "HEAD")

    assert got.received is not None
    assert (got.received.body, got.received.stray) == (b"", b"ok")
    assert framing_faults("HEAD", got.received) == [
        "2 bytes of content after the head of the response to HEAD"
    ]


def test_dripping_stray_bytes_are_not_waited_for_long() -> None:
    def script(peer: Peer) -> None:
        peer.receive()
        peer.send(b"HTTP/1.1 204 No Content\r\n\r\n")
        while not peer.wait(0.01):
            peer.send(b".")

    with RawServer(script) as server, Transport(environ={}) as transport:
        started = time.monotonic()
        got = transport.send(Sent("POST", server.url + "/"))

    assert time.monotonic() - started < 5
    assert (got.failure, got.received and got.received.status) == (None, 204)


@pytest.mark.parametrize(
    "response", [OK, b"HTTP/1.1 200 OK\r\nX-Bad : 1\r\nContent-Length: 0\r\n\r\n"]
)
def test_a_server_that_keeps_the_connection_open_costs_a_short_wait(response: bytes) -> None:
    def script(peer: Peer) -> None:
        peer.receive()
        peer.send(response)
        peer.wait()

    with RawServer(script) as server, Transport(environ={}) as transport:
        started = time.monotonic()
        got = transport.send(Sent("POST", server.url + "/"))
        seconds = time.monotonic() - started

    assert (got.failure, got.received and got.received.status) == (None, 200)
    assert 0.1 <= seconds < 5
    assert got.seconds < seconds - 0.05, "the wait for stray bytes is not the target's time"


def test_a_gzip_body_is_unpacked() -> None:
    got = exchange(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b'{"id": "1"}')
    )

    assert got.received is not None
    assert got.received.json() == {"id": "1"}


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    response = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n"
    with RawServer(answer(OK)) as other, Transport(environ={}) as transport:
        with RawServer(answer(response % other.url.encode())) as server:
            got = transport.send(Sent("POST", server.url + "/"))

        assert (server.connections, other.connections) == (1, 0)
    assert got.received is not None
    assert (got.received.status, got.received.header("location")) == (307, other.url)


@pytest.mark.parametrize("status", [b"429 Slow Down", b"503 Away", b"413 Big"])
def test_a_response_that_asks_to_come_again_is_not_obeyed(status: bytes) -> None:
    response = b"HTTP/1.1 %s\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n" % status
    with RawServer(answer(response)) as server, Transport(environ={}) as transport:
        transport.send(Sent("GET", server.url + "/"))

    assert server.connections == 1


def test_no_cookie_is_kept() -> None:
    response = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"
    with RawServer(answer(response)) as server, Transport(environ={}) as transport:
        for _ in range(2):
            transport.send(Sent("POST", server.url + "/"))

    assert len(server.requests) == 2
    assert b"cookie" not in server.requests[1].lower()


@pytest.mark.slow
def test_an_answer_before_the_body_is_sent_is_read() -> None:
    early = b"HTTP/1.1 413 Too Big\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig"

    def script(peer: Peer) -> None:
        peer.sock.recv(100)
        peer.send(early)  # and close, with most of the request unread: the kernel sends RST

    body = b"x" * 20_000_000
    with RawServer(script) as server, Transport(environ={}) as transport:
        for chunked in (False, True) * 3:
            got = transport.send(Sent("POST", server.url + "/", body=body), chunked=chunked)

            assert got.received is not None, got.detail
            assert (got.received.status, got.received.body) == (413, b"big")
            assert (got.received.error, got.failure) == (None, None)


@pytest.mark.slow
def test_an_answer_while_the_server_reads_no_more() -> None:
    def script(peer: Peer) -> None:
        peer.sock.recv(100)
        peer.send(OK)
        peer.wait()  # neither reads nor closes

    limits = Timeouts(read=0.5)
    with RawServer(script) as server, Transport(limits, environ={}) as transport:
        got = transport.send(Sent("POST", server.url + "/", body=b"x" * 20_000_000))

    assert (got.failure, got.received and got.received.body) == (None, b"ok")


def test_two_threads_use_two_connections_at_once() -> None:
    both = threading.Barrier(2, timeout=5)

    def script(peer: Peer) -> None:
        request = peer.receive()
        both.wait()  # breaks unless the other request is under way too
        name = request.split(b" ")[1]
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(name), name))

    answers: dict[str, Answer] = {}
    with RawServer(script) as server, Transport(environ={}) as transport:

        def send(path: str) -> None:
            answers[path] = transport.send(Sent("POST", server.url + path))

        threads = [threading.Thread(target=send, args=(path,)) for path in ("/one", "/two")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert server.connections == 2
    for path, got in answers.items():
        assert got.received is not None
        assert got.received.body == path.encode()
        assert got.sent.url.endswith(path)


# -- the end of a connection --------------------------------------------------------------------


def stays(status: int, seconds: float | None = None) -> Script:
    """Answer, and close after some seconds, or once the server stops."""

    def script(peer: Peer) -> None:
        peer.receive()
        peer.send(b"HTTP/1.1 %d X\r\nContent-Length: 2\r\n\r\nok" % status)
        if seconds is None:
            peer.wait()
        else:
            peer.wait(seconds)

    return script


def ends(server: RawServer, *requests: Sent, keep_alive: bool = False) -> list[bool]:
    """Return of which answers the connection was left open, though it was to be closed."""
    with server, Transport(environ={}) as transport:
        made = [replace(sent, url=f"{server.url}/") for sent in requests]
        answers = [transport.send(s, keep_alive=keep_alive, closing="a contract") for s in made]
    received = [answer.received for answer in answers]
    assert all(one is not None for one in received)
    faults = [framing_faults("POST", one) for one in received if one]
    assert [bool(row) for row in faults] == [one.left_open for one in received if one]
    return [one.left_open for one in received if one]


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "CLOSE_SECONDS", 0.2)


ASK = Sent("POST", "")


@pytest.mark.usefixtures("soon")
def test_a_connection_that_stays_open_is_told_once_after_a_success_and_once_after_another() -> None:
    server = RawServer(*(stays(status) for status in (200, 201, 404, 500)))
    assert ends(server, *[ASK] * 4) == [True, False, True, False]


def test_who_closes_at_once_or_a_little_later_closes() -> None:
    assert ends(RawServer(answer(OK)), ASK, ASK) == [False, False]
    assert ends(RawServer(stays(200, 0.3), stays(403, 0.3)), ASK, ASK) == [False, False]


@pytest.mark.usefixtures("soon")
def test_of_what_may_stay_open_nothing_is_told() -> None:
    assert ends(RawServer(stays(200)), ASK, keep_alive=True) == [False]
    assert ends(RawServer(stays(200)), replace(ASK, version="1.0")) == [False]
