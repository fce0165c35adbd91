"""Kinds of odd ids, bodies and media types, so that a fault can trip over one kind alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from cancel_contracts.contract.form import FORM, decoded
from cancel_contracts.mock.body import media_type
from cancel_contracts.mock.call import Call
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.kit import When

LONG_ID, LONG_TEXT = 200, 5000  # from how many characters on
UUID = re.compile(rb"(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
WORD = re.compile(rb"[A-Za-z0-9_-]{1,100}")
ID = Callable[[bytes], bool]

IDS: Mapping[str, ID] = {
    "no-uuid": lambda raw: WORD.fullmatch(raw) is not None and UUID.fullmatch(raw) is None,
    "long": lambda raw: len(raw) > LONG_ID,
    "unicode": lambda raw: re.search(rb"(?i)%[c-f][0-9a-f]", raw) is not None,
    "nul": lambda raw: b"%00" in raw,
    "quotes": lambda raw: re.search(rb"(?i)%27|%22|'", raw) is not None,
    "encoded-slash": lambda raw: b"%2f" in raw.lower(),
    "dots": lambda raw: re.fullmatch(rb"(?i)(\.|%2e){1,2}", raw) is not None,
    "broken-percent": lambda raw: re.search(rb"%(?![0-9A-Fa-f]{2})", raw) is not None,
}  # fmt: skip

# kind -> words of the vocabulary
ID_WORDS: Mapping[str, str] = {**{kind: kind for kind in IDS}, "no-uuid": "word number"}


def odd_id(kind: str) -> When:
    """An id of a kind, which names nothing: what is odd elsewhere may be how ids are here."""

    def when(desk: Desk, call: Call) -> bool:
        named = desk.store.get(unquote_to_bytes(call.raw_id).decode("utf-8", "replace"))
        return IDS[kind](call.raw_id) and named is None

    return when


def parsed(call: Call) -> Any:
    """Return the JSON of a body, or the exception's name where there is none."""
    try:
        return json.loads(call.body.decode("utf-8"))
    except (ValueError, RecursionError):
        return ValueError


def said(desk: Desk, call: Call) -> Any:
    """Return what a body says, by the media type of the operation."""
    if desk.contract.media != FORM:
        return parsed(call)
    texts = decoded(call.body)
    return ValueError if texts is None else texts


def texts(value: Any) -> Iterator[str]:
    """Yield the texts that stand directly in an object."""
    if isinstance(value, dict):
        yield from (text for text in value.values() if isinstance(text, str))


def deep(call: Call) -> bool:
    return call.body.count(b"[") + call.body.count(b"{") > 64


def malformed(desk: Desk, call: Call) -> bool:
    return bool(call.body) and not deep(call) and parsed(call) is ValueError


def wrong_type(desk: Desk, call: Call) -> bool:
    """An object that does not fit the documented schema."""
    value = parsed(call)
    return desk.schema is not None and isinstance(value, dict) and not desk.schema.is_valid(value)


def has_text(test: Callable[[str], bool]) -> When:
    return lambda desk, call: any(test(text) for text in texts(said(desk, call)))


BODIES: Mapping[str, When] = {
    "malformed-json": malformed,
    "deep-json": lambda desk, call: deep(call),
    "array": lambda desk, call: isinstance(parsed(call), list) and not deep(call),
    "string-or-number": lambda desk, call: isinstance(parsed(call), (str, int, float)),
    "wrong-type": wrong_type,
    "null": lambda desk, call: call.body.strip() == b"null",
    "none": lambda desk, call: call.body == b"",
    "empty-object": lambda desk, call: parsed(call) == {},
    "long-text": has_text(lambda text: len(text) >= LONG_TEXT),
    "emoji": has_text(lambda text: any(ord(c) > 0xFFFF for c in text)),
    "quotes": has_text(lambda text: '"' in text or "'" in text),
}

BODY_WORDS: Mapping[str, str] = {
    **{kind: kind for kind in BODIES},
    "malformed-json": "malformed-json truncated-json bad-utf8",
    "string-or-number": "string number",
    **dict.fromkeys(("wrong-type", "long-text", "emoji", "quotes"), "json"),
}

MEDIA: Mapping[str, When] = {
    "missing": lambda desk, call: not media_type(call),
    "foreign": lambda desk, call: media_type(call) not in ("", desk.contract.media),
}

MEDIA_WORDS: Mapping[str, str] = {
    "missing": "none",
    "foreign": "text/plain application/x-www-form-urlencoded",
}
