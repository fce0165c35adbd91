"""A file of flows, as mitmproxy and mitmdump write it, as HAR entries.

The format is a row of typed netstrings (https://tnetstrings.info), one a flow: `length:data` and a
letter for the type. mitmproxy itself is not asked: its releases pin packages that this project has
in other versions. Pure but for reading the file that it is given.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import IO, Any

SIZE_BYTES = 64 * 2**20  # of one flow; a longer one is passed over as damaged
DIGITS = 12
DEPTH = 30


def looks_like_flows(start: bytes) -> bool:
    """Whether a file begins as one of flows: a length, then a mapping's first key."""
    length, colon, rest = start.partition(b":")
    return bool(colon) and length.isdigit() and len(length) <= DIGITS and rest[:1].isdigit()


def entries(file: IO[bytes]) -> Iterator[Any]:
    """Yield an HTTP flow each as a HAR entry. Raises ValueError where the file breaks off."""
    while data := _piece(file):
        flow, rest = _value(data, 0)
        if rest or not isinstance(flow, dict):
            raise ValueError("a flow that is no mapping")
        if flow.get("type", "http") == "http":
            yield _entry(flow)


def _piece(file: IO[bytes]) -> bytes:
    """Return the next netstring whole, its length and type included; empty at the end."""
    head = b""
    while not head.endswith(b":"):
        letter = file.read(1)
        if not letter and not head:
            return b""
        head += letter
        if not letter or len(head) > DIGITS + 1:
            raise ValueError("a flow without a length")
    if not head[:-1].isdigit() or int(head[:-1]) > SIZE_BYTES:
        raise ValueError("a flow without a length that will do")
    size = int(head[:-1]) + 1
    data = file.read(size)
    if len(data) < size:
        raise ValueError("a flow that ends too early")
    return head + data


def _value(data: bytes, depth: int) -> tuple[Any, bytes]:
    """Return the first value, and what follows it."""
    length, colon, rest = data.partition(b":")
    if not colon or not length.isdigit() or depth > DEPTH:
        raise ValueError("a flow that is no netstring")
    size = int(length)
    body, kind, rest = rest[:size], rest[size : size + 1], rest[size + 1 :]
    if len(body) < size:
        raise ValueError("a flow that ends too early")
    match kind:
        case b",":
            return body, rest
        case b";":
            return body.decode("utf-8", "replace"), rest
        case b"#":
            return int(body), rest
        case b"^":
            return float(body), rest
        case b"!":
            return body == b"true", rest
        case b"~":
            return None, rest
        case b"]":
            return _list(body, depth), rest
        case b"}":
            items = _list(body, depth)
            keys = [k.decode("utf-8", "replace") if isinstance(k, bytes) else k for k in items[::2]]
            return dict(zip(keys, items[1::2], strict=True)), rest
    raise ValueError("a flow with a type that is not known")


def _list(body: bytes, depth: int) -> list[Any]:
    found = []
    while body:
        value, body = _value(body, depth + 1)
        found.append(value)
    return found


def _entry(flow: dict[str, Any]) -> dict[str, Any]:
    request, response = flow.get("request") or {}, flow.get("response")
    error = flow.get("error")
    started = float(request.get("timestamp_start") or 0)
    end = float((response or {}).get("timestamp_end") or request.get("timestamp_end") or started)
    return {
        "startedDateTime": datetime.fromtimestamp(started, UTC).isoformat(),
        "time": max(0.0, end - started) * 1000,
        "request": {
            "method": _str(request.get("method")),
            "url": _url(request),
            "headers": _headers(request.get("headers")),
            "bodySize": len(request.get("content") or b""),
            "postData": {"text": (request.get("content") or b"").decode("utf-8", "replace")},
        },
        "response": response and _response(response),
        "_error": error and str(error.get("msg") or "error"),
        "_wasFulfilled": response and not response.get("timestamp_start"),
    }


def _response(response: dict[str, Any]) -> dict[str, Any]:
    content = response.get("content")  # None: it was not kept
    row: dict[str, Any] = {"size": -1}
    if content is not None:
        # As it came: content codings are undone where the entry is read.
        text = base64.b64encode(content).decode("ascii")
        row = {"size": len(content), "text": text, "encoding": "base64"}
    return {
        "status": response.get("status_code"),
        "statusText": _str(response.get("reason")),
        "headers": _headers(response.get("headers")),
        "content": row,
    }


def _url(request: dict[str, Any]) -> str:
    headers = {name.lower(): value for name, value in _pairs(request.get("headers"))}
    scheme = _str(request.get("scheme")) or "http"
    authority = headers.get("host") or _str(request.get("authority"))
    if not authority:
        authority = f"{_str(request.get('host'))}:{request.get('port')}"
    path = _str(request.get("path"))
    return path if "://" in path else f"{scheme}://{authority}{path}"


def _headers(rows: Any) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in _pairs(rows)]


def _pairs(rows: Any) -> list[tuple[str, str]]:
    return [(_str(name), _str(value)) for name, value in rows or ()]


def _str(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")
