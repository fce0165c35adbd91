"""The facets of `expect` that one exchange can answer for: status, body, error, header, wire.

Each is a pure function (context, exchange, argument) -> Told. What is a list in a clause (`error`,
`header`, `entity`, `keeps`) is judged item by item. The table FACETS is the vocabulary; effect.py
and entity.py hold the facets that need looks, overall.py those over many exchanges.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from cancel_contracts.contract.entity_schema import problem_of
from cancel_contracts.contract.given import fits, listed
from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.words import may_miss, right_errors
from cancel_contracts.exchange import RECORDED, Exchange, Part, Received, struck_out
from cancel_contracts.judge.context import Context
from cancel_contracts.judge.documented import body_problem, header_problem
from cancel_contracts.judge.internals import trace
from cancel_contracts.needs import Gap
from cancel_contracts.parse import NO_JSON, http_date, retry_after
from cancel_contracts.transport.framing import framing_faults

SHOWN_BYTES = 120
QUOTED_CHARS = 1000  # of what was expected, and of what came
NO_SERVER_ERROR = "not 5xx"
NOT_RECORDED = Gap("not recorded: the recording lacks what the answer held")
UNTOLD = Gap("whether the answer fits the schema cannot be told")


@dataclass(frozen=True)
class Finding:
    """What one exchange says of one facet. Its words may quote an answer, which may be long."""

    ok: bool
    expected: str
    actual: str

    def __post_init__(self) -> None:
        for name, words in (("expected", self.expected), ("actual", self.actual)):
            if len(words) > QUOTED_CHARS:
                object.__setattr__(self, name, f"{words[:QUOTED_CHARS]}…")


# None where the exchange by its nature tells nothing of the facet; a Gap where it would, had more
# been seen of it.
Told = Finding | Gap | None
Facet = Callable[[Context, Exchange, Any], Told]


def answer(exchange: Exchange) -> str:
    """Return the answer in words: status and size, or the failure."""
    received = exchange.received
    if received is None:
        return f"no answer ({exchange.failure})"
    size = len(received.body) + len(received.stray)
    told = "body not recorded" if "body" in received.unrecorded else count_bytes(size)
    text = f"{received.status or 'no status'}, {told}"
    if away := received.redirect:
        text += f", a redirect to {away[:SHOWN_BYTES]}, which is not followed"
    return f"{text}, {exchange.failure}" if exchange.failure else text


def count_bytes(size: int) -> str:
    return f"{size} byte{'s' if size != 1 else ''}"


def quote(data: bytes) -> str:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "no UTF-8 text"  # packed, it may be: half of that tells nothing, or a secret
    text = repr(data[:SHOWN_BYTES])[1:]
    return text + ("…" if len(data) > SHOWN_BYTES else "")


def wording(wanted: Any) -> str:
    return " or ".join(str(w) for w in listed(wanted))


def status(_: Context, exchange: Exchange, wanted: Any) -> Finding | None:
    if exchange.status is None:
        return None
    if wanted == NO_SERVER_ERROR:
        wanted = [wanted, *right_errors(exchange.situation)]
    return Finding(fits(exchange.status, wanted), wording(wanted), answer(exchange))


def body(context: Context, exchange: Exchange, wanted: str) -> Told:
    received = exchange.received
    if received is None:
        return None
    if wanted == "documented":
        seen = exchange.sent.method != "HEAD" and not exchange.failure
        return _documented(context, received, body_problem, "headers", "body") if seen else None
    if not exchange.succeeded:
        return None
    if "body" in received.unrecorded:
        return NOT_RECORDED
    if wanted == "empty":
        octets = received.body + received.stray
        actual = answer(exchange) + (f": {quote(octets)}" if octets else "")
        return Finding(not octets, "an empty body, zero bytes", actual)
    problem = entity_problem(context, received)
    if problem is False:
        return UNTOLD
    return Finding(problem is None, "the resource as JSON, fit for its schema", problem or "fits")


def _documented(
    context: Context,
    received: Received,
    problem_of_it: Callable[[Contract, Received], str | Literal[False] | None],
    *read: Part,
) -> Told:
    """Hold an answer to what `responses` documents for its status; None where that is nothing."""
    if set(read) & set(received.unrecorded):
        return NOT_RECORDED
    problem = problem_of_it(context.contract, received)
    if problem is False:
        return UNTOLD
    expected = f"what is documented for {received.status}"
    return None if problem == "" else Finding(problem is None, expected, problem or "fits")


def entity_problem(context: Context, received: Received) -> str | Literal[False] | None:
    if not received.body:
        return f"{received.status}, empty body"
    if received.media_type != "application/json" and "headers" not in received.unrecorded:
        return f"Content-Type {received.header('content-type')!r}"
    entity = received.json()
    if entity is NO_JSON:
        return f"no UTF-8 JSON: {quote(received.body)}"
    return problem_of(context.contract.entity_schema, entity)


def error(context: Context, exchange: Exchange, wanted: str) -> Told:
    received = exchange.received
    if received is None or received.status // 100 not in (4, 5) or exchange.sent.method == "HEAD":
        return None
    read = "headers" if wanted == "media-type" else "body"
    lost = read in received.unrecorded
    return NOT_RECORDED if lost else _ERRORS[wanted](context, exchange, received)


def _envelope(context: Context, _: Exchange, received: Received) -> Told:
    expected = "an error envelope: error.code and error.message"
    value = received.json()
    if value is NO_JSON:
        return Finding(False, expected, f"{received.status}, no JSON: {quote(received.body)}")
    problem = problem_of(context.contract.error_schema, value)
    if problem is False:
        return UNTOLD
    return Finding(problem is None, expected, f"{received.status}, {problem or 'fits'}")


def _single(_: Context, __: Exchange, received: Received) -> Finding:
    # Annotations, which have an @ in their names, may stand anywhere in OData.
    value = received.json()
    names = value if isinstance(value, dict) else {}
    others = [name for name in names if name != "error" and "@" not in name]
    actual = f"{received.status}, beside it {', '.join(others)}" if others else "alone"
    return Finding(not others, "a single property named error", actual[:SHOWN_BYTES])


def _media_type(_: Context, __: Exchange, received: Received) -> Finding:
    found = received.media_type
    ok = found == "application/json" or found.endswith("+json")
    actual = f"{received.status}, Content-Type {received.header('content-type')!r}"
    return Finding(ok, "Content-Type application/json", actual)


def _no_internals(_: Context, exchange: Exchange, received: Received) -> Finding:
    found = trace(exchange, received)
    actual = f"{received.status}, {found[:SHOWN_BYTES]!r}" if found else "none"
    return Finding(found is None, "no stack trace and no file path", actual)


_ERRORS: dict[str, Callable[[Context, Exchange, Received], Told]] = {
    "envelope": _envelope,
    "single": _single,
    "media-type": _media_type,
    "no-internals": _no_internals,
}


def header(context: Context, exchange: Exchange, wanted: str) -> Told:
    received = exchange.received
    if received is None:
        return None
    if wanted == "documented":
        return _documented(context, received, header_problem, "headers")
    lost = "headers" in received.unrecorded
    return NOT_RECORDED if lost else _HEADERS[wanted](context, exchange, received)


def _said(value: str | None) -> str:
    """Return a header's value in words."""
    return "is missing" if value is None else repr(value)


def _challenge(_: Context, __: Exchange, received: Received) -> Finding:
    # RFC 9110 section 11.6.1: one challenge at least, and a challenge begins with the name of a
    # scheme.
    found = received.header("www-authenticate")
    ok = found is not None and re.match(r"\s*[!#$%&'*+.^_`|~0-9A-Za-z-]+", found) is not None
    return Finding(
        ok, "401 with WWW-Authenticate", f"{received.status}, WWW-Authenticate {_said(found)}"
    )


def _bearer(_: Context, exchange: Exchange, received: Received) -> Told:
    # RFC 9110 section 15.5.2: a challenge applicable to the resource, and RFC 6750 section 3: of
    # the scheme Bearer, whatever others stand beside it. Quoted strings name no scheme.
    if not (lines := received.headers_named("www-authenticate")):
        return None
    if exchange.identity == RECORDED and any(struck_out(line) for line in lines):
        return NOT_RECORDED
    bare = (re.sub(r'"(?:[^"\\]|\\.)*"', '""', line) for line in lines)
    ok = any(re.search(r"(?:^|,)\s*Bearer\s*(?:$|[\s,])", text, re.IGNORECASE) for text in bare)
    return Finding(ok, "a challenge for Bearer", f"{received.status}, {', '.join(lines)!r}")


def _allow(context: Context, exchange: Exchange, received: Received) -> Finding:
    lines = received.headers_named("allow")
    # RFC 9110 section 9.1: names of methods are case-sensitive.
    named = {method.strip() for line in lines for method in line.split(",")}
    method, act = exchange.sent.method, context.contract.method
    # The act is answered so where an odd id has led to another resource, which does not allow it.
    ok = bool(lines) and method not in named and (act in named or method == act)
    lists = f"leaves {act} out" if method == act else f"lists {act} and not {method}"
    expected = f"405 with an Allow that {lists}"
    return Finding(
        ok, expected, f"{received.status}, Allow {', '.join(lines) if lines else 'absent'}"
    )


def _retry_after(_: Context, __: Exchange, received: Received) -> Finding:
    found = received.header("retry-after")
    ok = found is not None and retry_after(found) is not None
    expected = "429 with a Retry-After" if received.status == 429 else "a Retry-After"
    return Finding(ok, expected, f"{received.status}, Retry-After {_said(found)}")


_HEADERS: dict[str, Callable[[Context, Exchange, Received], Told]] = {
    "challenge": _challenge,
    "bearer": _bearer,
    "allow": _allow,
    "retry-after": _retry_after,
}


def wire(_: Context, exchange: Exchange, __: Any) -> Finding | None:
    if exchange.received is None or not exchange.received.wire:
        return None  # no answer, or one that somebody else recorded without its octets
    if exchange.failure in ("timeout", "too-large") and not exchange.received.stray:
        return None  # cut short by us: MA-60 and its like speak of it
    faults = framing_faults(exchange.sent.method, exchange.received, exchange.sent.version)
    dates = exchange.received.headers_named("date")  # RFC 9110 section 5.6.7
    faults += [f"Date {date!r} is no HTTP-date" for date in dates if http_date(date) is None]
    return Finding(not faults, "one sound HTTP message", "; ".join(faults) or "sound")


def answered(context: Context, exchange: Exchange, _: Any) -> Finding | None:
    if context.dead(exchange) or (exchange.failure == "closed" and exchange.reused):
        return None
    bad = exchange.failure is not None or exchange.received is None
    end = "; from then on nobody was there" if exchange.started == context.fatal else ""
    return Finding(not bad, "an answer, in full and in time", answer(exchange) + end)


def echo(_: Context, exchange: Exchange, __: Any) -> Told:
    sent = next((v for k, v in exchange.sent.headers if k.lower() == "client-request-id"), None)
    if exchange.received is None or sent is None or may_miss(exchange.situation):
        return None  # whoever stands before the service writes its own
    if "headers" in exchange.received.unrecorded:
        return NOT_RECORDED
    found = exchange.received.header("client-request-id")
    own = exchange.received.header("request-id")
    ok = found is not None and found.lower() == sent.lower() and own is not None
    back = "as sent" if found and found.lower() == sent.lower() else _said(found)
    actual = f"client-request-id {back}, request-id {'given' if own is not None else _said(own)}"
    return Finding(ok, "client-request-id as sent, and a request-id", actual)


FACETS: dict[str, Facet] = {
    "status": status,
    "body": body,
    "error": error,
    "header": header,
    "wire": wire,
    "answered": answered,
    "echo": echo,
}
