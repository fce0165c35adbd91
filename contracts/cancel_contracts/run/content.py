"""The content of a request: a body from its form, with names in its placeholders. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from cancel_contracts.contract import form
from cancel_contracts.contract.ids import CUT_CHARS
from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.words import BODIES, LENGTHS, Tail
from cancel_contracts.exchange import Situation
from cancel_contracts.parse import NO_JSON, json_value

BEYOND_THE_BMP = re.compile(r"[^\u0000-\ud7ff\ue000-\uffff]")  # and halves of a surrogate pair
RESPELLED_BYTES = 4096  # of the longest body that is spelled in another way: none is nested deep


@dataclass(frozen=True)
class Names:
    """What stands in for the placeholders of a body: ids, and a text that no other call carries."""

    id: str = ""
    neighbour: str = ""
    unique: str = ""
    cut: str | None = None  # the id without its end, where that is no text of so many characters


def fill(value: Any, names: Names) -> Any:
    """Return a JSON value with its placeholders replaced: those of `names`, and the LENGTHS."""
    if isinstance(value, str):
        text = value.replace("{id}", names.id).replace("{neighbour}", names.neighbour)
        cut = names.id[:-CUT_CHARS] if names.cut is None else names.cut
        text = text.replace("{unique}", names.unique).replace("{cut}", cut)
        for name, chars in LENGTHS.items():
            if name in text:
                text = text.replace(name, (f"{names.unique} " * chars)[:chars])
        return text
    if isinstance(value, dict):
        return {key: fill(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, names) for item in value]
    return value


def body_bytes(contract: Contract, situation: Situation, names: Names) -> bytes:
    said, wire = situation.body, BODIES[situation.body.word].wire
    if isinstance(wire, bytes):
        return wire
    tail = wire.data if isinstance(wire, Tail) else b""
    if said.text and (said.word == "json" or said.drawn):
        value = fill(json.loads(said.text), names)
    elif not contract.bodies:
        return _octets(tail)
    elif said.word == "example":
        value = fill(contract.bodies[said.text], names)
    else:
        value = fill(next(iter(contract.bodies.values())), names)
        if situation.call in ("second", "concurrent"):
            value = _told_apart(contract, value, names)
    body = (_form if contract.media == form.FORM else _json)(value, tail)
    return wire(body) if callable(wire) else body


def _octets(text: str | bytes) -> bytes:
    """Return octets as they are; of a text those of UTF-8, half a surrogate pair as if it were."""
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")


def _form(value: Any, tail: str | bytes) -> bytes:
    """Return a form, with a tail at the end of its last text."""
    return form.encoded(value) + quote(_octets(tail)).encode("ascii")


def _json(value: Any, tail: str | bytes) -> bytes:
    """Return a JSON text, with a tail at the end of its last string: characters as escapes."""
    # Indented as the page shows it; not ASCII-escaped, so that encodings are put to the test.
    text = json.dumps(value, ensure_ascii=False).encode("utf-8")
    octets = tail if isinstance(tail, bytes) else json.dumps(tail)[1:-1].encode("ascii")
    at = text.rfind(b'"')
    return text[:at] + octets + text[at:] if octets and at >= 0 else octets or text


def _told_apart(contract: Contract, value: Any, names: Names) -> Any:
    """Of two calls in a row the second's recorded text is its own, so that it shows whose
    was kept.
    """
    for source in contract.lifecycle.records.values():
        if isinstance(value, dict) and isinstance(value.get(source), str):
            value = {**value, source: f"{value[source]} {names.unique}"}
    return value


def spelled_otherwise(body: bytes, indent: int) -> bytes:
    """Return JSON in another spelling (RFC 8259 sections 2, 4, 7), and what is none as it is. Of
    the characters beyond ASCII those are escaped that take two escapes, no others.
    """
    if len(body) > RESPELLED_BYTES or (value := json_value(body)) is NO_JSON:
        return body
    value = dict(reversed(value.items())) if isinstance(value, dict) else value
    text = json.dumps(value, indent=indent, ensure_ascii=False) + "\n"
    text = BEYOND_THE_BMP.sub(lambda m: json.dumps(m[0])[1:-1], text)
    return re.sub(r'(?<!\\)"([A-Za-z])', lambda m: f'"\\u{ord(m[1]):04x}', text).encode("utf-8")
