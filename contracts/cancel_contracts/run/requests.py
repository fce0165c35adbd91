"""Turn a situation into the bytes of a request: ids, bodies, headers. Pure.

What each word is on the wire stands in its row (contract/words.py, credentials.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from cancel_contracts.contract.compose import BODILESS
from cancel_contracts.contract.credentials import Carried
from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.path_template import filled
from cancel_contracts.contract.words import BODIES, EXTRAS, LONG_TEXT_CHARS
from cancel_contracts.exchange import Sent, Situation
from cancel_contracts.parse import NO_JSON, json_value
from cancel_contracts.targets.url import joined

RESPELLED_BYTES = 4096  # of the longest body that is spelled in another way: none is nested deep


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
    form = situation.body
    octets: bytes | None = BODIES[form.word].wire
    if octets is not None and form.word != "bad-octets":
        return octets
    if form.text and (form.word == "json" or form.drawn):
        value = fill(json.loads(form.text), names)
    elif not contract.bodies:
        return octets or b""
    elif form.word == "example":
        value = fill(contract.bodies[form.text], names)
    else:
        value = fill(next(iter(contract.bodies.values())), names)
        if situation.call in ("second", "concurrent"):
            value = _told_apart(contract, value, names)
    # Indented as the page shows it; not ASCII-escaped, so that encodings are put to the test.
    text = json.dumps(value, ensure_ascii=False).encode("utf-8")
    return text if octets is None else _within(text, octets)


def _within(text: bytes, octets: bytes) -> bytes:
    """Return a JSON text with octets at the end of its last string."""
    at = text.rfind(b'"')
    return text[:at] + octets + text[at:] if at >= 0 else octets


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


def cancel_request(
    contract: Contract,
    base_url: str,
    situation: Situation,
    segment: str,
    names: Names,
    credentials: Carried,
    request_id: str,
) -> Sent:
    """Return the request on the cancel route for a situation."""
    body = b"" if situation.method in BODILESS else body_bytes(contract, situation, names)
    headers = [*credentials.headers, ("Accept", "application/json")]
    headers.append(("client-request-id", request_id))
    media = content_type(contract, situation, body)
    if media and situation.method not in ("GET", "HEAD", "TRACE"):
        headers.append(("Content-Type", media))
    query = [credentials.query] if credentials.query else []
    extra = EXTRAS[situation.extra].wire
    if isinstance(extra, str):
        query.append(extra)
    elif isinstance(extra, Mapping):
        body = _respelled(body, **extra)
    elif callable(extra):
        headers = [(extra(name), text) for name, text in headers]
    elif extra:
        headers = with_extra(headers, extra)
    url = joined(base_url, filled(contract.path, segment))
    url += "?" + "&".join(query) if query else ""
    return Sent(situation.method, url, tuple(headers), body)


def _respelled(body: bytes, indent: int) -> bytes:
    """Return the same JSON in another spelling (RFC 8259 sections 2, 7), and no JSON as it is."""
    if len(body) > RESPELLED_BYTES or (value := json_value(body)) is NO_JSON:
        return body
    text = json.dumps(value, indent=indent)
    return re.sub(r'(?<!\\)"([A-Za-z])', lambda m: f'"\\u{ord(m[1]):04x}', text).encode("ascii")


def with_extra(
    headers: list[tuple[str, str]], extra: Sequence[tuple[str, str | None]]
) -> list[tuple[str, str]]:
    """Return header lines with others in place of those of the same name; None takes one away."""
    own = {name.lower() for name, _ in extra if name != "Cookie"}
    kept = [line for line in headers if line[0].lower() not in own]
    return kept + [(name, text) for name, text in extra if text is not None]


def observe_request(
    contract: Contract, base_url: str, id_: str, credentials: Carried, request_id: str
) -> Sent:
    """Return the GET of a resource. The contract must have one."""
    assert contract.observe_path is not None
    headers = [*credentials.headers, ("Accept", "application/json")]
    headers.append(("client-request-id", request_id))
    url = joined(base_url, filled(contract.observe_path, quote(id_, safe="")))
    return Sent("GET", url, tuple(headers))


def masked(sent: Sent, carried: Carried, who: str) -> Sent:
    """Say whose token it was in place of it: the token goes no further than the wire."""
    own, secret = {name.lower(): value for name, value in carried.headers}, carried.secret
    headers = []
    for name, value in sent.headers:
        if value and own.get(name.lower()) == value:
            scheme, _, token = value.partition(" ")
            value = f"{scheme} <{who}>" if token else f"<{who}>" if secret else value
            if name.lower() != "authorization":
                value = f"<{who}>"
        headers.append((name, value))
    url = sent.url
    if secret and carried.query:
        url = url.replace(carried.query, carried.query.partition("=")[0] + f"=<{who}>")
    return replace(sent, url=url, headers=tuple(headers))
