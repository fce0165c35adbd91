"""The body of an answer that somebody else recorded: what came, or that nobody knows.

Pure. What is not there is unrecorded, never empty.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlencode

from cancel_contracts.contract.form import FORM
from cancel_contracts.exchange import Headers, struck_out
from cancel_contracts.transport.coding import decode

BODY_BYTES = 256 * 1024  # of a body that is kept; a longer one counts as not recorded
NO_CONTENT = (204, 304)
STRUCK_OUT_WITHIN = re.compile(
    r':\s*"(?:\W{0,3}(?:[\w./+-]+ )?redacted\W{0,3}|\*{3,})"', re.IGNORECASE
)


def content_of(
    response: Mapping[str, Any], headers: Headers, told: bool, status: int, method: str
) -> bytes | None:
    """Return the body of an answer, or None where it was not recorded."""
    content = mapping_of(response.get("content"))
    size = max(number_of(content.get("size")), number_of(response.get("bodySize")))
    text = text_of(content.get("text"))
    if not text:
        if method == "HEAD" or status in NO_CONTENT:
            return b""
        return b"" if _surely_empty(content, text, size, headers, told) else None
    body = _uncoded(_decoded(text, content, headers), headers)
    if body is None or cleaned(text):
        return None
    cut = len(body) < number_of(content.get("size")) and not _is_json(body)
    return None if cut or len(body) > BODY_BYTES else body


def cleaned(text: str) -> bool:
    """Whether a text, or a value within it, was replaced by whoever recorded or cleaned it."""
    return struck_out(text) or STRUCK_OUT_WITHIN.search(text) is not None


def _uncoded(body: bytes, headers: Headers) -> bytes | None:
    """Return a body without its content codings, which most recorders undo and some do not; None
    where it is in one that cannot be undone here.
    """
    told = [value for name, value in headers if name.lower() == "content-encoding"]
    codings = [word.strip().lower() for line in told for word in line.split(",") if word.strip()]
    if not codings:
        return body
    content, fault = decode(body, codings)
    if fault is None and content != body:
        return content
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return body


def _surely_empty(
    content: Mapping[str, Any], text: str | None, size: int, headers: Headers, told: bool
) -> bool:
    if size > 0 or number_of(content.get("size"), 0) < 0 or not told or content.get("_file"):
        return False
    length = length_of(headers)
    if length >= 0:
        return length == 0
    # Neither text nor length: where there are signs of a body, it is the recorder that has none. An
    # empty text says more than a media type, and less than chunks: proxies that let them stream by
    # keep none.
    signs = {"content-type", "content-encoding", "transfer-encoding"}
    if text is not None and number_of(content.get("size")) == 0:
        signs = {"transfer-encoding"}
    return "size" in content and not any(name.lower() in signs for name, _ in headers)


def form_of(posted: Mapping[str, Any]) -> bytes:
    """Return the form that a recorder keeps as names and values, and not as a text."""
    rows = posted.get("params")
    rows = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    pairs = [(text_of(row.get("name")) or "", text_of(row.get("value")) or "") for row in rows]
    kind = str(posted.get("mimeType")).partition(";")[0].strip().lower()
    return urlencode(pairs, errors="replace").encode("ascii") if pairs and kind == FORM else b""


def length_of(headers: Headers) -> int:
    """Return the Content-Length, or -1."""
    told = next((value for name, value in headers if name.lower() == "content-length"), "")
    return int(told) if told.isascii() and told.isdecimal() and len(told) < 16 else -1


def _decoded(text: str, content: Mapping[str, Any], headers: Headers) -> bytes:
    """Return the octets of a text, undoing base64 where it is that, whether or not it says so."""
    plain = text.encode("utf-8", "surrogatepass")
    octets = _base64(text)
    if octets is None:
        return plain
    media = str(content.get("mimeType") or dict(headers).get("Content-Type") or "").lower()
    if content.get("encoding") == "base64":
        size = number_of(content.get("size"))
        meant = len(plain) == size != len(octets) or ("json" in media and _is_json(plain))
        return plain if meant and not (_is_json(octets) and "json" in media) else octets
    wrapped = "json" in media and not _is_json(plain) and isinstance(_json(octets), dict)
    return octets if wrapped else plain


def _base64(text: str) -> bytes | None:
    joined = "".join(text.split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(joined + "=" * (-len(joined) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _json(octets: bytes) -> Any:
    try:
        return json.loads(octets.decode("utf-8"))
    except (ValueError, RecursionError):
        return ValueError


def _is_json(octets: bytes) -> bool:
    return _json(octets) is not ValueError


def text_of(value: Any) -> str | None:
    """Return a text; some recorders write the JSON value itself."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def number_of(value: Any, other: int = 0) -> int:
    fine = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return int(value) if fine else other


def mapping_of(value: Any) -> Mapping[str, Any]:
    return cast(Mapping[str, Any], value) if isinstance(value, Mapping) else {}
