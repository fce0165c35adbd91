"""What h11 reads from recorded bytes, and which framing rules it finds broken."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from cancel_contracts.exchange import Received
from cancel_contracts.transport.coding import DECODED_KEPT_BYTES, DECODED_LIMIT_BYTES
from cancel_contracts.transport.framing import framing_faults
from cancel_contracts.transport.wire import HEAD_BYTES, INTERIM_KEPT, Reader, read
from hypothesis import given, settings
from hypothesis import strategies as st

# name: (method, bytes up to an orderly close, what is read, what is found wrong)
SOUND: dict[str, tuple[str, bytes, dict[str, Any]]] = {
    "length": (
        "POST",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        {"status": 200, "reason": "OK", "body": b"ok"},
    ),
    "empty by length": (
        "POST",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        {"status": 200, "body": b""},
    ),
    "empty by chunks": (
        "POST",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        {"status": 200, "body": b""},
    ),
    "chunks with extension and trailer": (
        "POST",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n"
        b"2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nX-Sum: 1\r\n\r\n",
        {"body": b"hello", "headers": (("transfer-encoding", "Chunked"),)},
    ),
    "ended by the close": (
        "POST",
        b"HTTP/1.1 200 OK\r\n\r\nhello",
        {"body": b"hello"},
    ),
    "http 1.0": (
        "GET",
        b"HTTP/1.0 200 OK\r\nServer: old\r\n\r\nhello",
        {"version": "1.0", "body": b"hello"},
    ),
    "204": ("POST", b"HTTP/1.1 204 No Content\r\n\r\n", {"status": 204, "body": b""}),
    "304 may name a length": (
        "GET",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
        {"status": 304},
    ),
    "head may name a length": (
        "HEAD",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        {"status": 200, "body": b""},
    ),
    "100 first": (
        "POST",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        {"status": 200, "interim": (100,), "body": b"ok"},
    ),
    "103 and 102 first": (
        "POST",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
        b"HTTP/1.1 204 No Content\r\n\r\n",
        {"status": 204, "interim": (103, 102), "headers": ()},
    ),
    "no reason": (
        "POST",
        b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n",
        {"status": 200, "reason": ""},
    ),
    "header names as sent": (
        "POST",
        b"HTTP/1.1 200 OK\r\ncontent-TYPE: a\r\nX-One:\tb \r\nEmpty:\r\nContent-Length: 0\r\n\r\n",
        {
            "headers": (
                ("content-TYPE", "a"),
                ("X-One", "b"),
                ("Empty", ""),
                ("Content-Length", "0"),
            )
        },
    ),
    "gzip": (
        "GET",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b'{"a": 1}'),
        {"body": b'{"a": 1}'},
    ),
    "gzip in two members": (
        "GET",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: x-gzip\r\n\r\n"
        + gzip.compress(b"one ")
        + gzip.compress(b"two"),
        {"body": b"one two"},
    ),
    "deflate": (
        "GET",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n" + zlib.compress(b"hello"),
        {"body": b"hello"},
    ),
    "deflate without its wrapping": (
        "GET",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n"
        + zlib.compress(b"hello", wbits=-15),
        {"body": b"hello"},
    ),
    "deflate then gzip": (
        "GET",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate, identity\r\nContent-Encoding: gzip\r\n\r\n"
        + gzip.compress(zlib.compress(b"hello")),
        {"body": b"hello"},
    ),
    "a coding we do not know": (
        "GET",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\n\x01\x02\x03",
        {"body": b"\x01\x02\x03"},
    ),
    "gzip of nothing, unwrapped": (
        "HEAD",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n",
        {"body": b""},
    ),
    "a large head": (
        "GET",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\nContent-Length: 0\r\n\r\n",
        {"status": 200},
    ),
}

FAULTY: dict[str, tuple[str, bytes, dict[str, Any], list[str]]] = {
    "bare LF": (
        "POST",
        b"HTTP/1.1 200 OK\nContent-Length: 2\nX: y\n\nok",
        {"body": b"ok", "headers": (("Content-Length", "2"), ("X", "y"))},
        ["a line of the head ends in LF alone"],
    ),
    "a version that is none": (
        "POST",
        b"HTTP/9.9 200 OK\r\nContent-Length: 0\r\n\r\n",
        {"status": 200, "version": "9.9"},
        ["version HTTP/9.9 in answer to HTTP/1.1"],
    ),
    "a control character in a value": (
        "POST",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: a\x01b\r\n\r\n",
        {"headers": (("Content-Length", "0"), ("X", "a\x01b"))},
        ["a control character in the head"],
    ),
    "a tab and UTF-8 in a value": (
        "POST",
        "HTTP/1.1 200 Größe\r\nContent-Length: 0\r\nX: a\tö\r\n\r\n".encode(),
        {"body": b""},
        [],
    ),
    "no space after the status code": (
        "POST",
        b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
        {"status": 200, "reason": ""},
        ["no space after the status code"],
    ),
    "headers as sent, twice and folded": (
        "POST",
        b"HTTP/1.1 200 OK\r\ncontent-TYPE: a\r\nContent-Type:\tb \r\nX-Fold: one\r\n  two\r\n"
        b"Empty:\r\nContent-Length: 0\r\n\r\n",
        {
            "headers": (
                ("content-TYPE", "a"),
                ("Content-Type", "b"),
                ("X-Fold", "one two"),
                ("Empty", ""),
                ("Content-Length", "0"),
            )
        },
        ["a header value goes over several lines", "Content-Type is sent twice"],
    ),
    "chunks in an old version": (
        "POST",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        {"status": 200, "version": "1.0"},
        ["Transfer-Encoding in HTTP/1.0"],
    ),
    "204 with length and body": (
        "POST",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello",
        {"status": 204, "body": b"", "stray": b"hello", "error": None},
        ["Content-Length on a 204", "5 bytes of content after the head of a 204"],
    ),
    "204 with a body": (
        "POST",
        b"HTTP/1.1 204 No Content\r\n\r\nhello",
        {"stray": b"hello", "error": None},
        ["5 bytes of content after the head of a 204"],
    ),
    "204 with length 0": (
        "POST",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
        {"stray": b"", "error": None},
        ["Content-Length on a 204"],
    ),
    "204 in chunks": (
        "POST",
        b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        {"body": b"", "stray": b"5\r\nhello\r\n0\r\n\r\n", "error": None},
        ["Transfer-Encoding on a 204", "15 bytes of content after the head of a 204"],
    ),
    "304 with a body": (
        "GET",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\nno",
        {"stray": b"no"},
        ["2 bytes of content after the head of a 304"],
    ),
    "length 0 and more": (
        "POST",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nSTRAY",
        {"status": 200, "body": b"", "stray": b"STRAY", "error": None},
        ["5 bytes after the end of the message"],
    ),
    "length 2 and six bytes": (
        "POST",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabcdef",
        {"body": b"ab", "stray": b"cdef", "error": None},
        ["4 bytes after the end of the message"],
    ),
    "a second response": (
        "POST",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
        {
            "status": 200,
            "body": b"ok",
            "stray": b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
        },
        ["40 bytes after the end of the message"],
    ),
    "bytes after a response that closes": (
        "POST",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nokmore",
        {"body": b"ok", "stray": b"more", "error": None},
        ["4 bytes after the end of the message"],
    ),
    "bytes after the last chunk": (
        "POST",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nmore",
        {"body": b"ok", "stray": b"more", "error": None},
        ["4 bytes after the end of the message"],
    ),
    "head with a body": (
        "HEAD",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        {"status": 200, "body": b"", "stray": b"hello"},
        ["5 bytes of content after the head of the response to HEAD"],
    ),
    "truncated by length": (
        "POST",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
        {
            "status": 200,
            "body": b"hel",
            "error": "peer closed connection without sending complete message body "
            "(received 3 bytes, expected 5)",
        },
        [
            "peer closed connection without sending complete message body "
            "(received 3 bytes, expected 5)"
        ],
    ),
    "truncated chunk": (
        "POST",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        {"status": 200, "body": b"hel"},
        ["peer closed connection without sending complete message body (incomplete chunked read)"],
    ),
    "no last chunk": (
        "POST",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        {"body": b"hello"},
        ["peer closed connection without sending complete message body (incomplete chunked read)"],
    ),
    "chunk longer than it says": (
        "POST",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n",
        {"status": 200, "body": b"he"},
        ["malformed chunk footer"],
    ),
    "chunk size no number": (
        "POST",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nhello\r\n0\r\n\r\n",
        {"status": 200, "body": b""},
        ["illegal chunk header: b'xyz\\r\\n'"],
    ),
    "length twice, equal": (
        "POST",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\ncontent-length: 0\r\n\r\n",
        {
            "status": 200,
            "headers": (("Content-Length", "0"), ("content-length", "0")),
            "error": None,
        },
        ["2 values of Content-Length: 0, 0"],
    ),
    "length twice on one line": (
        "POST",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok",
        {"headers": (("Content-Length", "2, 2"),), "body": b"ok", "error": None},
        ["2 values of Content-Length: 2, 2"],
    ),
    "length twice, different": (
        "POST",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        {
            "status": 200,
            "headers": (("Content-Length", "2"), ("Content-Length", "3")),
            "body": b"",
        },
        ["conflicting Content-Length headers", "2 values of Content-Length: 2, 3"],
    ),
    "length no number": (
        "POST",
        b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok",
        {"status": 200, "headers": (("Content-Length", "two"),)},
        ["bad Content-Length"],
    ),
    "length and chunks": (
        "POST",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5\r\nhello\r\n0\r\n\r\n",
        {
            "body": b"hello",
            "headers": (("Content-Length", "5"), ("Transfer-Encoding", "chunked")),
            "error": None,
        },
        ["both Content-Length and Transfer-Encoding"],
    ),
    "chunked twice": (
        "POST",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\n",
        {"status": 200},
        ["multiple Transfer-Encoding headers"],
    ),
    "length on a 103": (
        "POST",
        b"HTTP/1.1 103 Early Hints\r\nContent-Length: 0\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
        {"status": 204, "interim": (103,), "error": None},
        ["Content-Length on a 103"],
    ),
    "a 100 and no more": (
        "POST",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        {"status": 0, "interim": (100,)},
        ["status 000 is outside 100 to 599", "no final response came"],
    ),
    "101 unasked": (
        "POST",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nxyz",
        {"status": 101, "interim": (), "headers": (("Upgrade", "x"),)},
        ["Received server _SWITCH_UPGRADE event without a pending proposal"],
    ),
    "space before the colon": (
        "POST",
        b"HTTP/1.1 200 OK\r\nX-Bad : 1\r\nContent-Length: 0\r\n\r\n",
        {"status": 200, "headers": (("X-Bad ", "1"), ("Content-Length", "0"))},
        ["illegal header line: b'X-Bad : 1'"],
    ),
    "a line without a colon": (
        "POST",
        b"HTTP/1.1 200 OK\r\ngarbage\r\nContent-Length: 0\r\n\r\n",
        {"status": 200, "headers": (("garbage", ""), ("Content-Length", "0"))},
        ["illegal header line: b'garbage'"],
    ),
    "cut in the head": (
        "POST",
        b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Le",
        {"status": 200, "headers": (("Server", "x"),)},
        ["peer unexpectedly closed connection"],
    ),
    "cut in the status line": (
        "POST",
        b"HTTP/1.1 20",
        {"status": 0, "version": ""},
        ["status 000 is outside 100 to 599", "unfinished status line: b'HTTP/1.1 20'"],
    ),
    "status 2000": (
        "POST",
        b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
        {"status": 0},
        ["status 000 is outside 100 to 599", "illegal status line: b'HTTP/1.1 2000 OK'"],
    ),
    "status 999": (
        "POST",
        b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n",
        {"status": 999, "error": None},
        ["status 999 is outside 100 to 599"],
    ),
    "status 099": (
        "POST",
        b"HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n",
        {"status": 99},
        [
            "status 099 is outside 100 to 599",
            "InformationalResponse status_code should be in range [100, 200), not 99",
        ],
    ),
    "an empty line first": (
        "POST",
        b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        {"status": 0},
        ["status 000 is outside 100 to 599", "illegal status line: b''"],
    ),
    "no http": (
        "POST",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        {"status": 0},
        ["status 000 is outside 100 to 599", "illegal status line: b'SSH-2.0-OpenSSH_9.2'"],
    ),
    "a TLS alert": (
        "POST",
        b"\x15\x03\x01\x00\x02\x02\x46",
        {"status": 0},
        [
            "status 000 is outside 100 to 599",
            "unfinished status line: b'\\x15\\x03\\x01\\x00\\x02\\x02F'",
        ],
    ),
    "no gzip": (
        "GET",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
        {"body": b"hello"},
        ["content coding gzip: the data are not of that format"],
    ),
    "half a gzip": (
        "GET",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"hello" * 99)[:-9],
        {"status": 200},
        ["content coding gzip: the data end too early"],
    ),
    "codings without end": (
        "GET",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip, gzip, gzip, gzip, gzip\r\n\r\nhello",
        {"body": b"hello"},
        ["more than 5 content codings"],
    ),
}
ALL = {name: case[:2] for name, case in (SOUND | FAULTY).items()}


@pytest.mark.parametrize("name", SOUND)
def test_sound(name: str) -> None:
    method, data, expected = SOUND[name]

    received = read(method, data)

    assert received is not None
    assert {key: getattr(received, key) for key in expected} == expected
    assert (received.error, received.stray, received.wire) == (None, b"", data)
    assert framing_faults(method, received) == []


@pytest.mark.parametrize("coding", ["chunked", "gzip, chunked"])
def test_no_transfer_coding_is_for_a_request_of_http_1_0(coding: str) -> None:
    head = f"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: {coding}\r\n\r\n".encode()
    received = read("POST", head + b"2\r\n{}\r\n0\r\n\r\n")
    assert received is not None
    told = "Transfer-Encoding in answer to HTTP/1.0"
    assert told in framing_faults("POST", received, "1.0")
    assert told not in framing_faults("POST", received)


@pytest.mark.parametrize(
    ("fields", "sound"),
    [
        (b"Content-Type: application/json\r\n", False),
        (b"", False),
        (b"Content-Encoding: gzip\r\n", True),
        (b"Content-Type: application/gzip\r\n", True),
    ],
)
def test_what_is_packed_says_so(fields: bytes, sound: bool) -> None:
    body = gzip.compress(b'{"id": 1}')
    head = b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n" % (fields, len(body))
    received = read("POST", head + body)
    assert received is not None
    told = [] if sound else ["a gzip without Content-Encoding"]
    assert framing_faults("POST", received) == told


@pytest.mark.parametrize("name", FAULTY)
def test_faulty(name: str) -> None:
    method, data, expected, faults = FAULTY[name]

    received = read(method, data)

    assert received is not None
    assert {key: getattr(received, key) for key in expected} == expected
    assert received.wire == data
    assert framing_faults(method, received) == faults


def _in_pieces(method: str, pieces: list[bytes]) -> tuple[Received | None, bool, bool]:
    reader = Reader(method)
    for piece in pieces:
        reader.feed(piece)
    ended, reusable = reader.ended, reader.reusable
    return reader.finish(), ended, reusable


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_the_cut_of_the_bytes_does_not_show(name: str) -> None:
    method, data = ALL[name]
    whole = _in_pieces(method, [data])
    sizes = (1, 2, 3, 7) if len(data) < 1000 else (1000,)

    for size in sizes:
        assert _in_pieces(method, [data[i : i + size] for i in range(0, len(data), size)]) == whole
    for cut in range(0, min(len(data), 1000), 1 if len(data) < 1000 else 9):
        assert _in_pieces(method, [data[:cut], data[cut:]]) == whole


_WORDS = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 103 Hi\r\n",
        b"HTTP/1.0 204 \r\n",
        b"HTTP/1.1 2",
        b"Content-Length: 3\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b" folded\r\n",
        b"X : y\r\n",
        b"X: y\n",
        b"\r\n",
        b"\r",
        b"\n",
        b"\x00",
        b"3\r\nabc\r\n",
        b"0\r\n\r\n",
        b"abc",
    ]
)


@settings(deadline=None)
@given(words=st.lists(_WORDS, max_size=12), cuts=st.lists(st.integers(0, 150), max_size=6))
def test_any_bytes_in_any_cut_are_read_alike(words: list[bytes], cuts: list[int]) -> None:
    data = b"".join(words)
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[a:b] for a, b in pairwise(edges)]

    result = _in_pieces("POST", pieces)

    assert result == _in_pieces("POST", [data])
    received, ended, _ = result
    assert (received is None) == (data == b"")
    assert complete("POST", data) == ended
    if received:
        assert received.wire == data
        assert framing_faults("POST", received) or received.error is None


def test_no_bytes_are_no_response() -> None:
    assert read("POST", b"") is None
    assert read("POST", b"", eof=False) is None


def test_a_body_that_only_the_close_can_end_is_not_whole_without_it() -> None:
    received = read("POST", b"HTTP/1.1 200 OK\r\n\r\nhel", eof=False)

    assert received is not None
    assert (received.status, received.body) == (200, b"hel")
    assert received.error == "the message was not complete after 22 bytes, when reading stopped"


def test_a_head_that_stops_is_read_as_far_as_it_goes() -> None:
    received = read("POST", b"HTTP/1.1 200 OK\r\nServer: x\r\nX-Ha", eof=False)

    assert received is not None
    assert (received.status, received.headers) == (200, (("Server", "x"),))
    assert received.error == "the message was not complete after 32 bytes, when reading stopped"


def complete(method: str, data: bytes) -> bool:
    reader = Reader(method)
    reader.feed(data)
    return reader.ended


@pytest.mark.parametrize("more", [0, 1, 5000])
def test_of_interim_responses_the_first_are_kept_and_the_others_counted(more: int) -> None:
    heads = [b"HTTP/1.1 103 Early Hints\r\n\r\n"] + [b"HTTP/1.1 102 P\r\n\r\n"] * INTERIM_KEPT
    wire = b"".join(heads[:-1]) + heads[-1] * more
    for end in (b"HTTP/1.1 204 No Content\r\n\r\n", b""):
        received = read("POST", wire + end)
        assert received is not None
        assert received.interim == (103, *[102] * (INTERIM_KEPT - 1))
        assert received.more_interim == more
        # Each of them costs more than its bytes: a run of such answers comes to its end.
        assert received.weight_bytes - len(wire) >= 200 * (INTERIM_KEPT + more)


def test_what_breaks_the_rules_in_an_interim_response_beyond_those_that_are_kept() -> None:
    wire = b"HTTP/1.1 102 P\r\n\r\n" * (INTERIM_KEPT + 7) + b"HTTP/1.1 102 P\r\nX: y\n\r\n"
    received = read("POST", wire + b"HTTP/1.1 204 No Content\r\n\r\n")
    assert received is not None
    assert framing_faults("POST", received) == ["a line of the head ends in LF alone"]


HEADS: dict[str, Callable[[int], bytes]] = {
    "a reason": lambda size: b"HTTP/1.1 200 " + b"y" * (size - 15),
    "words": lambda size: b"HTTP/1.1 200 OK\r\nX:" + b" y" * ((size - 20) // 2) + b"y" * (size % 2),
    "a name": lambda size: b"HTTP/1.1 200 OK\r\n" + b"y" * (size - 20) + b":",
}


@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"])
@pytest.mark.parametrize("piece", [9999, 65536, 2**20])
@pytest.mark.parametrize("kind", HEADS)
def test_a_head_without_measure_is_not_read(kind: str, piece: int, before: bytes) -> None:
    """However it is cut. Read by h11, a reason of a mebibyte takes two hundred."""

    def told(data: bytes) -> str | None:
        reader = Reader("GET")
        for at in range(0, len(data), piece):
            reader.feed(data[at : at + piece])
        received = reader.finish()
        assert received is not None
        return received.error

    end = b"\r\nContent-Length: 0\r\n\r\n"
    for more in (1, 2, 70_000, 600_000):
        head = HEADS[kind](HEAD_BYTES + more - len(end) + 2)
        assert told(before + head + end) == f"a head of more than {HEAD_BYTES} bytes"
    assert told(before + HEADS[kind](HEAD_BYTES - len(end)) + end) is None
    # An answer may be longer, if its head is not.
    body = b"\r\nContent-Length: %d\r\n\r\n" % (3 * HEAD_BYTES) + b"y" * (3 * HEAD_BYTES)
    assert told(before + b"HTTP/1.1 200 OK" + body) is None


def test_complete() -> None:
    assert complete("POST", b"HTTP/1.1 204 No Content\r\n\r\n")
    assert complete("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
    assert not complete("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell")
    assert not complete("GET", b"HTTP/1.1 200 OK\r\n\r\nhello")
    assert not complete("GET", b"HTTP/1.1 103 Early Hints\r\n\r\n")
    assert not complete("GET", b"")


@pytest.mark.parametrize(
    ("head", "reusable"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: Close\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nSTRAY", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 0\r\n\r\n", False),
    ],
)
def test_which_connections_may_be_used_again(head: bytes, reusable: bool) -> None:
    reader = Reader("POST")
    reader.feed(head)

    assert reader.reusable is reusable


def test_a_gzip_bomb_stops_at_the_bound() -> None:
    bomb = gzip.compress(b"\0" * (DECODED_LIMIT_BYTES * 3))
    received = read("GET", b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + bomb)

    assert received is not None
    assert len(received.body) == DECODED_KEPT_BYTES
    assert received.error == (
        f"content coding gzip: more than {DECODED_LIMIT_BYTES} bytes when decoded"
    )


def test_a_gzip_of_very_many_members_is_not_unpacked() -> None:
    many = gzip.compress(b"") * 100_000  # each unpacked would cost a copy of the rest
    received = read("GET", b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + many)

    assert received is not None
    assert received.error == "content coding gzip: more than 64 members"


def test_what_the_target_wrote_is_quoted_in_brief() -> None:
    received = read("GET", b"HTTP/1.1 200 OK\r\n" + b"x" * 10_000 + b"\r\n\r\n")

    assert received is not None
    assert received.error is not None
    assert len(received.error) == 200


def test_a_record_without_wire_bytes_is_judged_by_what_it_has() -> None:
    # As from a HAR: the recorder has already taken the content for the body.
    received = Received(status=204, headers=(("Content-Length", "5"),), body=b"hello")

    assert framing_faults("POST", received) == [
        "Content-Length on a 204",
        "5 bytes of content after the head of a 204",
    ]
    assert framing_faults("GET", Received(status=200, body=b"hello")) == []
