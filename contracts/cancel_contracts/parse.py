"""Parsing what comes from outside: a value comes back, or that it is not understood. None raises.

Whatever a target, its handler, a proxy or a token says in a header, a date or JSON is read here.
Pure.
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Final

NO_JSON: Final = object()  # bytes that are none, a pointer to nothing; null is a value
BOM = b"\xef\xbb\xbf"
DEPTH = 100  # levels of nesting; an entity has a handful
LARGEST_ID = 2**64  # of those that are numbers; Python writes none of thousands of digits
LONGEST_ID = 2048  # characters; servers take URIs of 8000 octets (RFC 9110 section 4.1)
SHORT_BYTES = 4096
DATE_CHARS = 64  # an HTTP-date has 29 (RFC 9110 section 5.6.7), the longest of the old forms 33


def json_value(data: bytes, *, mark: bool = False) -> Any:
    """Return what UTF-8 JSON says (RFC 8259), or NO_JSON. Nested deeper than DEPTH is none.

    `mark`: a byte order mark in front is passed over, as section 8.1 allows.
    """
    if mark:
        data = data.removeprefix(BOM)
    try:
        value = _JSON.decode(data.decode("utf-8"))
    except (ValueError, RecursionError):
        return NO_JSON
    brackets = data.count(b"[") + data.count(b"{")
    return NO_JSON if brackets > DEPTH and _too_deep(value) else value


def json_read(data: bytes) -> Any:
    """Return what `json_value` does, of a short text the same value each time: a judge asks for the
    bodies of a run a dozen times over.
    """
    return _known(data) if len(data) <= SHORT_BYTES else json_value(data)


_known = lru_cache(256)(json_value)


def pointed(value: Any, pointer: str) -> Any:
    """Return what stands at a JSON pointer (RFC 6901), or NO_JSON where nothing does."""
    for token in pointer.split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")  # in this order: RFC 6901 section 4
        if isinstance(value, list) and re.fullmatch("0|[1-9][0-9]*", key):
            value = value[int(key)] if int(key) < len(value) else NO_JSON
        else:
            value = value.get(key, NO_JSON) if isinstance(value, dict) else NO_JSON
    return value


def success(status: int | None) -> bool:
    """Whether a call was answered 2xx (RFC 9110 section 15); without an answer it was not."""
    return status is not None and status // 100 == 2


def refusal(status: int | None) -> bool:
    """Whether a call was answered 4xx, 429 included."""
    return status is not None and status // 100 == 4


def _no_number(word: str) -> None:
    # RFC 8259 section 6: NaN and the infinities are no JSON, though Python reads them.
    raise ValueError(f"{word} is no JSON")


_JSON = json.JSONDecoder(parse_constant=_no_number)  # to make one takes longer than to use it


def _too_deep(value: Any) -> bool:
    """Walk level by level: whoever reads a value goes down by calls, of which Python has few."""
    level = [value]
    for _ in range(DEPTH):
        values = [x.values() if type(x) is dict else x for x in level if type(x) in (dict, list)]
        level = [x for inside in values for x in inside if type(x) in (dict, list)]
        if not level:
            return False
    return True


def identifier(value: object) -> str | None:
    """Return the id of a resource, a text or a whole number, as a text; or None for what cannot
    stand in a path as one.

    A lone surrogate has no UTF-8, and a segment of dots is a step in the path, however it is
    written (RFC 3986 section 5.2.4).
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < LARGEST_ID else None
    if not isinstance(value, str) or value in ("", ".", "..") or len(value) > LONGEST_ID:
        return None
    return value if is_text(value) else None


def is_text(value: str) -> bool:
    """Whether a text can be written as UTF-8."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def number(value: object) -> float | None:
    """Return a number of JSON as a finite float, or None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def http_date(text: str) -> datetime | None:
    """Return the moment that a date of a header names, or None."""
    if len(text) > DATE_CHARS:
        return None
    try:
        moment = parsedate_to_datetime(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except Exception:  # noqa: BLE001 - of a hostile date email.utils raises half a dozen kinds
        return None


def retry_after(text: str) -> float | datetime | None:
    """Return the seconds, or the moment, that a Retry-After names; None for what is neither.

    RFC 9110 section 10.2.3 knows whole seconds and HTTP-dates; the vendor's own sample has a
    fraction of a second.
    """
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text.strip()):
        return float(text)
    return http_date(text)


def epoch(text: str) -> datetime | None:
    """Return the moment that a number of seconds since 1970 names, or None."""
    if re.fullmatch(r"[0-9]{9,11}", text.strip()) is None:
        return None
    return datetime.fromtimestamp(int(text), UTC)
