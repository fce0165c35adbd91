"""An entry that somebody else recorded, as a call: what the recorder meant, and whose answer it is.

Pure. Recorders differ; HAR 1.2 leaves much open. What is not there is unrecorded, never empty. Must
not raise for any entry: one that cannot be read is set aside.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from cancel_contracts.contract.model import Contract
from cancel_contracts.exchange import Headers, Part, Received, Sent, answered_by_proxy
from cancel_contracts.foreign import WORKER, Heard, Left, route
from cancel_contracts.har.secrets import veil_answer, veil_request, veil_url
from cancel_contracts.transport.coding import decode

BODY_BYTES = 256 * 1024  # of a body that is kept; a longer one counts as not recorded
DAMAGED = Left("damaged or not as HAR 1.2 has it")
NO_ANSWER = Left("without an answer (broken off)")
NEVER_LEFT = Left("that never left the client", may_have_acted=False)
CACHED = Left("answered from a cache", may_have_acted=False)
OWN_REDIRECT = Left("redirected by the browser itself", may_have_acted=False)
FULFILLED = Left("answered by the recorder", may_have_acted=False)
PROXY = "answered by a proxy"
INTERIM = Left("interim (1xx)", may_have_acted=False)

# Chromium's, Firefox' and others' words for a call that no server can have taken.
UNSENT = re.compile(
    r"BLOCKED(?!_BY_(?:RESPONSE|ORB))|INTERNET_DISCONNECTED|OFFLINE|NAME_NOT_RESOLVED|UNKNOWN_HOST"
    r"|NAME_RESOLUTION|CONNECTION_REFUSED|UNREACHABLE|TUNNEL|PROXY_CONNECTION|ERR_CERT|UNSAFE_PORT"
    r"|INVALID_URL|DISALLOWED|CSP|MIXED",
    re.IGNORECASE,
)
TROUBLE = ("_error", "_failureText", "_blocked", "_blockedReason", "_wasAborted", "_aborted")
NO_CONTENT = (204, 304)


def calls(contracts: Sequence[Contract], entry: Any) -> Iterator[Heard]:
    """Yield the calls that an entry tells of: one, or those of a batch; none off the routes."""
    request = _mapping(_mapping(entry).get("request"))
    url, method = request.get("url"), request.get("method")
    if not isinstance(url, str) or not isinstance(method, str):
        yield unreadable(entry)
        return
    where = route(contracts, method.upper(), url)
    if where is None:
        return
    try:
        started = moment(entry)
    except (KeyError, ValueError, TypeError, OverflowError):
        yield Heard(where, Sent(method.upper(), veil_url(url)), None, -math.inf, left=DAMAGED)
        return
    try:
        sent = request_of(request)
        response = _mapping(entry.get("response"))
        received = None if left_out(entry) else response_of(response, sent.method)
        left = left_out(entry) or (NO_ANSWER if received is None else _not_the_servers(received))
        yield Heard(where, sent, received, started, seconds(entry), left)
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError, OverflowError):
        sent = Sent(method.upper(), veil_url(url))
        yield Heard(where, sent, None, started, seconds(entry), DAMAGED)


def unreadable(entry: Any = None) -> Heard:
    """Return a call that may have been any: where its moment is not told, before all others."""
    try:
        started = moment(entry)
    except (KeyError, ValueError, TypeError, OverflowError):
        started = -math.inf
    return Heard(None, Sent("", ""), None, started, left=DAMAGED)


def moment(entry: Mapping[str, Any]) -> float:
    """Return when an entry began, as seconds since 1970."""
    found = datetime.fromisoformat(str(entry["startedDateTime"]).strip())
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def seconds(entry: Mapping[str, Any]) -> float:
    """Return how long an entry took; 0 where that is not told."""
    time = entry.get("time")
    fine = isinstance(time, (int, float)) and math.isfinite(time) and time > 0
    return float(time) / 1000 if fine else 0.0  # type: ignore[arg-type]


def left_out(entry: Mapping[str, Any]) -> Left | None:
    """Return why the answer of an entry is none of the server's, by what the recorder says."""
    response = _mapping(entry.get("response"))
    status, headers = _status(response), headers_of(response.get("headers"))[0]
    if trouble := next((str(r[n]) for r in (response, entry) for n in TROUBLE if r.get(n)), None):
        return NEVER_LEFT if UNSENT.search(trouble) else NO_ANSWER
    if entry.get("_wasFulfilled"):
        return FULFILLED
    if _names(entry, response, "_fromCache", "_fromDiskCache", "fromCache"):
        return CACHED
    if any(name.lower() == "non-authoritative-reason" for name, _ in headers) or (
        status == 307 and str(response.get("statusText")).lower() == "internal redirect"
    ):
        return OWN_REDIRECT
    if _names(entry, response, "_fetchedViaServiceWorker", "_fromServiceWorker"):
        return WORKER
    method = str(_mapping(entry["request"]).get("method")).upper()
    if status == 304 and method in ("GET", "HEAD"):
        return CACHED
    return None


def _names(entry: Mapping[str, Any], response: Mapping[str, Any], *names: str) -> bool:
    return any(row.get(name) for row in (entry, response) for name in names)


def _not_the_servers(received: Received) -> Left | None:
    if received.status < 200:
        return INTERIM
    if (why := answered_by_proxy(received)) is None:
        return None
    return Left(f"{PROXY} ({why})", may_have_acted=received.status in (502, 504))


def request_of(request: Mapping[str, Any]) -> Sent:
    headers, told = headers_of(request.get("headers"))
    unrecorded: list[Part] = [] if told else ["headers"]
    body = b""
    if (text := _text(_mapping(request.get("postData")).get("text"))) is not None:
        body = text.encode("utf-8", "surrogatepass")
    size = _number(request.get("bodySize"))
    length = _length(headers)
    if (not body and max(size, length) > 0) or len(body) > BODY_BYTES:
        unrecorded.append("body")
    return Sent(
        str(request["method"]).upper(), veil_url(str(request["url"])), veil_request(headers),
        body[:BODY_BYTES], tuple(unrecorded),
    )  # fmt: skip


def response_of(response: Mapping[str, Any], method: str) -> Received | None:
    """Return the answer as far as it was recorded, or None where none came."""
    if (status := _status(response)) <= 0:
        return None
    headers, told = headers_of(response.get("headers"))
    body = content_of(response, headers, told, status, method)
    unrecorded: list[Part] = [] if told else ["headers"]
    if body is None:
        unrecorded.append("body")
    return Received(
        status=status,
        reason=str(response.get("statusText") or ""),
        headers=veil_answer(headers),
        body=body or b"",
        unrecorded=tuple(unrecorded),
    )


def headers_of(rows: Any) -> tuple[Headers, bool]:
    """Return headers, and whether they were recorded at all. Every answer has some, so an empty
    list is none. Lists of pairs and objects are read as well; pseudo-headers of HTTP/2 are none.
    """
    if isinstance(rows, Mapping):
        rows = [{"name": name, "value": value} for name, value in rows.items()]
    if not isinstance(rows, list):
        return (), False
    found: list[tuple[str, str]] = []
    for row in rows:
        name, value = (row.get("name"), row.get("value")) if isinstance(row, Mapping) else row
        if not isinstance(name, str) or name.startswith(":"):
            continue
        for one in value if isinstance(value, list) else [value]:
            text = "" if one is None else str(one)
            # CDP joins the values of repeated fields by line breaks, which no value can hold.
            found += [(name, line.strip()) for line in re.split(r"[\r\n]+", text)]
    return tuple(found), bool(found)


def content_of(
    response: Mapping[str, Any], headers: Headers, told: bool, status: int, method: str
) -> bytes | None:
    """Return the body of an answer, or None where it was not recorded."""
    content = _mapping(response.get("content"))
    size = max(_number(content.get("size")), _number(response.get("bodySize")))
    text = _text(content.get("text"))
    if not text:
        if method == "HEAD" or status in NO_CONTENT:
            return b""
        return b"" if _surely_empty(content, text, size, headers, told) else None
    body = _uncoded(_decoded(text, content, headers), headers)
    if body is None:
        return None
    cut = len(body) < _number(content.get("size")) and not _is_json(body)
    return None if cut or len(body) > BODY_BYTES else body


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
    if size > 0 or _number(content.get("size"), 0) < 0 or not told or content.get("_file"):
        return False
    length = _length(headers)
    if length >= 0:
        return length == 0
    if text is not None and _number(content.get("size")) == 0:
        return True
    # Neither text nor length: where there are signs of a body, it is the recorder that has none.
    signs = ("content-type", "transfer-encoding", "content-encoding")
    return "size" in content and not any(name.lower() in signs for name, _ in headers)


def _length(headers: Headers) -> int:
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
        size = _number(content.get("size"))
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


def _text(value: Any) -> str | None:
    """Return a text; some recorders write the JSON value itself."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _status(response: Mapping[str, Any]) -> int:
    status = response.get("status")
    if isinstance(status, str) and status.strip().lstrip("-").isdecimal():
        status = int(status)
    if status is None:
        return 0
    if isinstance(status, bool) or not isinstance(status, (int, float)) or status != int(status):
        raise ValueError("status")
    if status > 999:
        raise ValueError("status")
    return int(status)


def _number(value: Any, other: int = 0) -> int:
    fine = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return int(value) if fine else other


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast(Mapping[str, Any], value) if isinstance(value, Mapping) else {}
