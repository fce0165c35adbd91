"""Turn a situation into the bytes of a request: ids, bodies, headers. Pure.

Tables first: what each odd id and each misuse of the body is on the wire.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from cancel_contracts.contract.model import Contract
from cancel_contracts.exchange import Sent, Situation

LONG_ID_CHARS = 2000
LONG_TEXT_CHARS = 10_000
DEEP_LEVELS = 10_000

# Kind of odd id -> the path segment, percent-encoded as it goes out.
ODD_IDS: Mapping[str, str] = {
    "word": "no-such-id",
    "number": "123123123",
    "long": "a" * LONG_ID_CHARS,
    "unicode": quote("größe-取消-🛑"),
    "nul": "abc%00def",
    "quotes": "%27%22%3B--",
    "encoded-slash": "a%2Fb",
    "broken-percent": "%zz%",
    "space": "%20",
    "dots": "%2e%2e",
    "empty": "",
}
# Kind of body -> its bytes.
BODIES: Mapping[str, bytes] = {
    "none": b"",
    "malformed-json": b"{not json}",
    "truncated-json": b'{"key": "val',
    "bad-utf8": b'{"key": "\xff\xfe\xc3"}',
    "deep-json": b"[" * DEEP_LEVELS + b"]" * DEEP_LEVELS,
    "array": b"[]",
    "string": b'"text"',
    "number": b"1",
    "null": b"null",
    "empty-object": b"{}",
}


@dataclass(frozen=True)
class Names:
    """What stands in for the placeholders of a body: ids, and a text that no other call carries."""

    id: str = ""
    neighbour: str = ""
    unique: str = ""


def fill(value: Any, names: Names) -> Any:
    """Return a JSON value with {id}, {neighbour}, {unique} and {long} replaced in its strings."""
    if isinstance(value, str):
        text = value.replace("{id}", names.id).replace("{neighbour}", names.neighbour)
        text = text.replace("{unique}", names.unique)
        if "{long}" in text:
            text = text.replace("{long}", (f"{names.unique} " * LONG_TEXT_CHARS)[:LONG_TEXT_CHARS])
        return text
    if isinstance(value, dict):
        return {key: fill(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, names) for item in value]
    return value


def body_bytes(contract: Contract, situation: Situation, names: Names) -> bytes:
    kind, _, rest = situation.body.partition(":")
    if kind in BODIES:
        return BODIES[kind]
    if kind in ("json", "valid", "invalid"):
        value = fill(json.loads(rest), names)
    elif not contract.bodies:
        return b""
    elif kind == "documented":
        value = fill(next(iter(contract.bodies.values())), names)
        if situation.call in ("second", "concurrent"):
            value = _told_apart(contract, value, names)
    else:
        value = fill(contract.bodies[rest], names)
    # Indented as the page shows it; not ASCII-escaped, so that encodings are put to the test.
    return json.dumps(value, ensure_ascii=False).encode("utf-8")


def _told_apart(contract: Contract, value: Any, names: Names) -> Any:
    """Of two calls in a row the second's recorded text is its own, so that it shows whose
    was kept.
    """
    for source in contract.lifecycle.records.values():
        if isinstance(value, dict) and isinstance(value.get(source), str):
            value = {**value, source: f"{value[source]} {names.unique}"}
    return value


def content_type(contract: Contract, situation: Situation, body: bytes) -> str | None:
    if situation.content_type == "none":
        return None
    if situation.content_type != "default":
        return situation.content_type
    return "application/json" if body or contract.bodies else None


def route(template: str, segment: str) -> str:
    """Return a path with its one {parameter} replaced by an encoded segment."""
    start, end = template.index("{"), template.index("}")
    return template[:start] + segment + template[end + 1 :]


def cancel_request(
    contract: Contract,
    base_url: str,
    situation: Situation,
    segment: str,
    names: Names,
    authorization: str | None,
    request_id: str,
) -> Sent:
    """Return the request on the cancel route for a situation."""
    body = b"" if situation.method in ("GET", "HEAD", "OPTIONS", "DELETE") else None
    if body is None:
        body = body_bytes(contract, situation, names)
    headers = [("Accept", "application/json"), ("client-request-id", request_id)]
    if authorization is not None:
        headers.insert(0, ("Authorization", authorization))
    if (media := content_type(contract, situation, body)) and situation.method not in (
        "GET",
        "HEAD",
    ):
        headers.append(("Content-Type", media))
    url = base_url + route(contract.path, segment)
    return Sent(situation.method, url, tuple(headers), body)


def observe_request(
    contract: Contract, base_url: str, id_: str, authorization: str | None, request_id: str
) -> Sent:
    """Return the GET of a resource. The contract must have one."""
    assert contract.observe_path is not None
    headers = [("Accept", "application/json"), ("client-request-id", request_id)]
    if authorization is not None:
        headers.insert(0, ("Authorization", authorization))
    url = base_url + route(contract.observe_path, quote(id_, safe=""))
    return Sent("GET", url, tuple(headers))
