"""An entry that somebody else recorded, as a call: what the recorder meant, and whose answer it is.

Pure. Recorders differ; HAR 1.2 leaves much open. What is not there is unrecorded, never empty. Must
not raise for any entry: one that cannot be read is set aside.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from cancel_contracts.contract.model import Contract
from cancel_contracts.exchange import (
    Headers,
    Part,
    Received,
    Sent,
    struck_out,
)
from cancel_contracts.foreign import WORKER, Heard, Left, Route, route
from cancel_contracts.har.body import (
    BODY_BYTES,
    cleaned,
    content_of,
    form_of,
    length_of,
    mapping_of,
    number_of,
    text_of,
)
from cancel_contracts.har.caller import caller_of
from cancel_contracts.har.secrets import veil_answer, veil_request, veil_url
from cancel_contracts.parse import http_date
from cancel_contracts.transport.proxies import answered_by_proxy

DAMAGED = Left("damaged or not as HAR 1.2 has it")
NO_ANSWER = Left("without an answer (broken off)")
NEVER_LEFT = Left("that never left the client", may_have_acted=False)
CACHED = Left("answered from a cache", may_have_acted=False)
CACHED_WRITE = Left(CACHED.why)  # no cache answers a POST (RFC 9111 section 4): who knows
OWN_REDIRECT = Left("redirected by the browser itself", may_have_acted=False)
FULFILLED = Left("answered by the recorder", may_have_acted=False)
PROXY = "answered by a proxy"
GATEWAY = Left("of a gateway whose headers were not recorded: it may be a proxy's answer")
INTERIM = Left("interim (1xx)", may_have_acted=False)
NAMELESS = Left("on a resource whose id was struck out")
PART = Left("looked at a part of the resource ($select)")
SELECTS = re.compile(r"[?&](?:\$|%24)select=", re.IGNORECASE)
LATEST_SECONDS = 1e11  # a larger number counts milliseconds
READS = ("GET", "HEAD", "OPTIONS")

# Chromium's, Firefox', WebKit's and proxies' words for a call that no server can have taken.
UNSENT = re.compile(
    r"BLOCKED(?!_BY_(?:RESPONSE|ORB))|INTERNET_DISCONNECTED|OFFLINE|NAME_NOT_RESOLVED|UNKNOWN_HOST"
    r"|NAME_RESOLUTION|CONNECTION_REFUSED|UNREACHABLE|TUNNEL|PROXY_CONNECTION|ERR_CERT|UNSAFE_PORT"
    r"|INVALID_URL|DISALLOWED|CSP|MIXED|COULD NOT (?:BE FOUND|CONNECT)|NOT KNOWN|ECONNREFUSED"
    r"|UNABLE TO (?:CONNECT|RESOLVE)|CONNECT CALL FAILED|ENOTFOUND",
    re.IGNORECASE,
)
TIMINGS = ("blocked", "dns", "connect", "send", "wait", "receive")  # "connect" includes "ssl"
TROUBLE = ("_error", "_errorMessage", "_failureText", "_blocked", "_blockedReason", "_aborted")


def calls(contracts: Sequence[Contract], entry: Any) -> Iterator[Heard]:
    """Yield the calls that an entry tells of: one, or those of a batch; none off the routes."""
    request = mapping_of(mapping_of(entry).get("request"))
    url, method = request.get("url"), request.get("method")
    if not isinstance(url, str) or not isinstance(method, str):
        yield unreadable(entry)
        return
    where = route(contracts, method.upper(), url)
    if where is None:
        if not _is_url(url):
            yield unreadable(entry)
        return
    try:
        started = moment(entry)
    except (KeyError, ValueError, TypeError, OverflowError):
        yield Heard(where, Sent(method.upper(), veil_url(url)), None, -math.inf, left=DAMAGED)
        return
    try:
        sent = request_of(request)
        left, received = left_out(entry), None
        if left is None:
            received = response_of(mapping_of(entry.get("response")), sent.method)
            left = _not_the_servers(received, where, url)
        if struck_out(where.id):  # it may be on any
            yield Heard(None, sent, None, started, seconds(entry), NAMELESS)
        else:
            scheme = where.contract.scheme
            caller = caller_of(headers_of(request.get("headers"))[0], scheme, url)
            yield Heard(where, sent, received, started, seconds(entry), left, caller)
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError, OverflowError):
        sent = Sent(method.upper(), veil_url(url))
        yield Heard(where, sent, None, started, seconds(entry), DAMAGED)


def _is_url(url: str) -> bool:
    try:
        return bool(urlsplit(url))
    except ValueError:
        return False


def unreadable(entry: Any = None) -> Heard:
    """Return a call that may have been any: where its moment is not told, before all others."""
    try:
        started = moment(entry)
    except (KeyError, ValueError, TypeError, OverflowError):
        started = -math.inf
    return Heard(None, Sent("", ""), None, started, left=DAMAGED)


def moment(entry: Mapping[str, Any]) -> float:
    """Return when an entry began, as seconds since 1970. Some tell these, or milliseconds."""
    told = entry["startedDateTime"]
    if (number := _positive(told)) is not None:
        return number / 1000 if number > LATEST_SECONDS else number
    text = str(told).strip()
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        if (dated := http_date(text)) is None:
            raise
        found = dated
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def seconds(entry: Mapping[str, Any]) -> float:
    """Return how long an entry took; 0 where that is not told."""
    if (whole := _positive(entry.get("time"))) is not None:
        return whole / 1000
    parts = mapping_of(entry.get("timings"))
    return sum(_positive(parts.get(name)) or 0.0 for name in TIMINGS) / 1000


def _positive(value: Any) -> float | None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if number and math.isfinite(value) and value >= 0 else None


def left_out(entry: Mapping[str, Any]) -> Left | None:
    """Return why the answer of an entry is none of the server's, by what the recorder says."""
    response = mapping_of(entry.get("response"))
    status, headers = _status(response), headers_of(response.get("headers"))[0]
    reads = str(mapping_of(entry["request"]).get("method")).upper() in READS
    if entry.get("_wasAborted"):  # Playwright's, for what the test itself stopped
        return NEVER_LEFT
    if trouble := next((str(r[n]) for r in (response, entry) for n in TROUBLE if r.get(n)), None):
        return NEVER_LEFT if UNSENT.search(trouble) else NO_ANSWER
    if str(response.get("_charlesStatus") or "complete").lower() != "complete":
        return NO_ANSWER  # what stands there is what had come until then
    source = str(entry.get("_fetchType")).lower()  # Safari's word
    if entry.get("_wasFulfilled") or "override" in source:
        return FULFILLED
    if _names(entry, response, "_fromCache", "_fromDiskCache", "fromCache") or "cache" in source:
        return CACHED if reads else CACHED_WRITE
    if any(name.lower() == "non-authoritative-reason" for name, _ in headers) or (
        status == 307 and str(response.get("statusText")).lower() == "internal redirect"
    ):
        return OWN_REDIRECT
    worker = ("_fetchedViaServiceWorker", "_fromServiceWorker")
    if _names(entry, response, *worker) or "worker" in source:
        return WORKER
    return CACHED if status == 304 and reads else None


def _names(entry: Mapping[str, Any], response: Mapping[str, Any], *names: str) -> bool:
    return any(row.get(name) for row in (entry, response) for name in names)


def _aged(received: Received) -> bool:
    """Whether a cache between has answered (RFC 9111 section 5.1)."""
    age = (received.header("age") or "").strip()
    return age.isascii() and age.isdecimal() and int(age[:9]) > 0


def _not_the_servers(received: Received | None, where: Route, url: str) -> Left | None:
    """Return why an answer is none of the server's, or no whole one, by what it holds."""
    if received is None:
        return NO_ANSWER
    if received.status < 200:
        return INTERIM
    if "headers" in received.unrecorded and received.status in (502, 503, 504):
        return GATEWAY
    if (why := answered_by_proxy(received)) is not None:
        return Left(f"{PROXY} ({why})", may_have_acted=received.status in (502, 504))
    if where.kind == "observe" and received.status == 200:
        return PART if SELECTS.search(url) else CACHED if _aged(received) else None
    return None


def request_of(request: Mapping[str, Any]) -> Sent:
    headers, told = headers_of(request.get("headers"))
    unrecorded: list[Part] = [] if told else ["headers"]
    posted = mapping_of(request.get("postData"))
    text, media = text_of(posted.get("text")), posted.get("mimeType")
    if media and isinstance(media, str) and all(n.lower() != "content-type" for n, _ in headers):
        headers = (*headers, ("Content-Type", media))  # so the recorder says, without the field
    body = (text or "").encode("utf-8", "surrogatepass") or form_of(posted)
    size, length = number_of(request.get("bodySize"), -1), length_of(headers)
    # Neither a text nor a size of 0: it may have had one.
    untold = not body and (max(size, length) > 0 or (text is None and max(size, length) < 0))
    if untold or len(body) > BODY_BYTES or (text and cleaned(text)):
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
