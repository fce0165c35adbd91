"""Composing a request: every byte that goes out, except what only a proxy is told.

Pure. The target and the headers go out as given; what HTTP cannot carry is refused. No header value
may stand in a message: it may be a token.
"""

from __future__ import annotations

import re

import requests

from cancel_contracts.errors import UsageError
from cancel_contracts.exchange import USER_AGENT, Headers, Sent
from cancel_contracts.hosts import Origin, read

_TOKEN = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")  # RFC 9110 5.6.2
# RFC 9110 8.6: say Content-Length: 0 where the method expects content and there is none.
_EXPECT_CONTENT = frozenset({"POST", "PUT", "PATCH"})


def prepare(request: Sent) -> tuple[requests.PreparedRequest, Origin, bytes]:
    """Return what requests needs to find the way, the origin, and the target to send.

    Raises UsageError.
    """
    # requests sees the origin alone: it would rewrite `%zz`, `%2e%2e` and the like in the target.
    try:
        origin, target = read(request.url)
    except ValueError as err:
        raise UsageError("URL", f"it {err}", "write http://host:port") from None
    if not _TOKEN.fullmatch(request.method):
        raise UsageError("method", "it is no HTTP token", "use letters")
    if re.search(r"[\x00-\x20\x7f\ud800-\udfff]", target):
        problem = "a space or control character in the path or query"
        raise UsageError("URL", problem, "percent-encode it")
    prepared = requests.PreparedRequest()
    prepared.method = request.method
    prepared.headers = requests.structures.CaseInsensitiveDict()
    prepared.url = f"{origin.url}/"
    target = target if target.startswith("/") else f"/{target}"
    return prepared, origin, f"{origin.url if request.absolute else ''}{target}".encode()


def full_headers(request: Sent, origin: Origin, *, keep_alive: bool, chunked: bool) -> Headers:
    """Return the headers to send: ours where the request has none of that name, then its own."""
    defaults = [
        ("Host", origin.field),
        ("User-Agent", USER_AGENT),
        ("Accept-Encoding", "identity"),  # the bytes in a report should be legible
    ]
    if not keep_alive:
        defaults.append(("Connection", "close"))
    given = {name.lower() for name in (*dict(request.headers), *request.without)}
    # RFC 9112 6.2: one way of framing. What the request itself says stands, right or wrong.
    if given.isdisjoint({"content-length", "transfer-encoding"}):
        if chunked:
            defaults.append(("Transfer-Encoding", "chunked"))
        elif request.body or request.method in _EXPECT_CONTENT:
            defaults.append(("Content-Length", str(len(request.body))))
    return (*((k, v) for k, v in defaults if k.lower() not in given), *request.headers)


def field_line(name: str, value: str) -> bytes:
    """Return one header line with its CRLF. Raises UsageError if it would not be just one."""
    if not _TOKEN.fullmatch(name):
        raise UsageError("request header", "a name that is no HTTP token", "check the header names")
    # Never the value in the message: it may be a token.
    if re.search(r"[\x00\r\n]", value):
        raise UsageError(f"request header {name}", "a line break or NUL in its value", "remove it")
    try:
        return f"{name}: {value}\r\n".encode("latin-1")
    except UnicodeEncodeError:
        problem, fix = "a character beyond Latin-1 in its value", "encode it"
        raise UsageError(f"request header {name}", problem, fix) from None


def chunks(body: bytes) -> tuple[bytes, ...]:
    """Return the body in chunked coding, a chunk each: of a longer one five of several sizes, among
    them a single byte; as many as it has bytes of a shorter one.

    RFC 9112 7.1: a size is one or more hexadecimal digits, in either case, zeros before them or
    not.
    """
    size = len(body)
    ends = {size // 3, size // 3 + 1, size // 2 + 1, 5 * size // 6, size} - {0}
    begin, coded = 0, list[bytes]()
    for at, end in enumerate(sorted(end for end in ends if end <= size)):
        length = (b"%X", b"0%x")[at % 2] % (end - begin)
        coded.append(length + b"\r\n%b\r\n" % body[begin:end])
        begin = end
    return (*coded, b"0\r\n\r\n")
