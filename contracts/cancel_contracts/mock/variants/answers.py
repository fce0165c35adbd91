"""Variants of how an answer is written: framing, headers, JSON, error codes, limits, time."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from time import time
from typing import Any

from cancel_contracts.contract.model import Contract
from cancel_contracts.mock import entry, kit, shape
from cancel_contracts.mock.call import Call, Refusal, Reply
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Change, Variant, always
from cancel_contracts.mock.envelope import Envelope

OCCASION = 13  # which call an occasionally throttling server refuses
LATENCY = 0.1  # seconds before an answer
# What a helpful server may say: lines, links, positions in the caller's body, names of its types.
HELP = (
    "The request is invalid:\r\n\tbody:\tno JSON at offset(12), line 1\r\nSee "
    "https://portal.example.com/app/errors.html (#example.graph.publicError). "
    "To have the stack trace looked up, tell the time."
)


def other_success(desk: Desk) -> None:
    """Follow the second documented success throughout."""
    kit.edit(kit.succeeded, kit.status(shape.successes(desk.contract)[1][0]))(desk)


def annotated(desk: Desk, call: Call, value: Any) -> Any:
    extra = {"@odata.etag": 'W/"1"', "undocumented": {"nested": [1, None]}, "anotherOne": None}
    return {**value, **extra} if "error" not in value else value


def compressed(desk: Desk, call: Call, reply: Reply) -> Reply:
    """Compress, where the caller takes it (RFC 9110, section 12.5.3)."""
    if not reply.body or "gzip" not in call.headers.get("accept-encoding", ""):
        return reply
    packed = replace(reply, body=gzip.compress(reply.body, mtime=0))
    return packed.with_header("Content-Encoding", "gzip").with_header("Vary", "Accept-Encoding")


def in_error(**members: Any) -> kit.Touch:
    """Set members of the error object of an envelope."""

    def apply(desk: Desk, call: Call, value: Any) -> Any:
        return {**value, "error": {**value["error"], **members}} if "error" in value else value

    return kit.data(apply)


def zoned(desk: Desk, call: Call, value: Any) -> Any:
    """Give the inner error's date a zone."""
    inner = value.get("error", {}).get("innerError")
    if not isinstance(inner, dict) or "date" not in inner:
        return value
    return {
        **value,
        "error": {**value["error"], "innerError": {**inner, "date": inner["date"] + "Z"}},
    }


def bare(desk: Desk, call: Call, value: Any) -> Any:
    """Leave the envelope nothing but code and message."""
    if "error" not in value:
        return value
    return {"error": {k: v for k, v in value["error"].items() if k in ("code", "message")}}


def dated(contract: Contract) -> bool:
    """Errors of the contract tell when."""
    error = Envelope(contract).example.get("error")
    return isinstance(error, dict) and "date" in (error.get("innerError") or {})


def occasional(retry_after: Callable[[], str]) -> Change:
    """Refuse a call now and then by the limit."""

    def change(desk: Desk) -> None:
        asked = [0]

        def act(_: Desk, call: Call) -> None:
            asked[0] += 1
            if asked[0] % OCCASION == 0:
                raise Refusal(429, "throttled", (("Retry-After", retry_after()),))

        kit.before("throttle", act)(desk)

    return change


VARIANTS: tuple[Variant, ...] = (
    Variant("other-success-code", "The second documented success is the one given, throughout.",
            entry.readings, other_success),
    Variant("chunked-answers", "Bodies come in chunks, empty ones too.", always,
            kit.finish(kit.unframed)),
    Variant("lower-case-header-names", "Names of headers are written in lower case.",
            always, kit.finish(kit.wire("lower-case-names")), settles="octets of the head"),
    Variant("extra-properties", "Entities carry annotations and properties that no page lists.",
            lambda c: entry.entity(c) or entry.observable(c),
            kit.together(kit.edit(kit.succeeded, kit.data(annotated)),
            kit.finish(kit.data(annotated)))),
    Variant("media-type-with-parameters", "The media type has parameters.", always,
            kit.finish(lambda d, c, r: r.with_header(
                "Content-Type", "application/json; odata.metadata=minimal; charset=utf-8")
                if r.body else r)),
    Variant("compressed-answers", "Bodies are compressed where the caller takes it.",
            always, kit.finish(compressed)),
    Variant("connection-close", "Each answer ends its connection.",
            always, kit.finish(kit.header("Connection", "close")), settles="connection"),
    Variant("connection-keep-alive", "Each answer says that the connection stays.",
            always, kit.finish(kit.header("Connection", "keep-alive"),
                               kit.header("Keep-Alive", "timeout=5")), settles="connection"),
    Variant("http-1.0", "The server speaks HTTP/1.0.", always, kit.finish(kit.wire("http-1.0")),
            settles="octets of the head"),
    Variant("early-hints", "A 103 goes before each answer.", always,
            kit.finish(kit.wire("early-hints")), settles="octets of the head"),
    Variant("no-reason-phrase", "The status line has no reason.", always,
            kit.finish(kit.wire("no-reason")), settles="octets of the head"),
    Variant("latency", "Each answer takes 100 ms.", always, kit.pause("method", LATENCY)),
    Variant("other-error-codes", "Error codes are spelled in another way.",
            entry.has_envelope, kit.edit(kit.every, in_error(code="request_not_cancellable")),
            settles="codes of errors"),
    Variant("empty-error-codes", "Error codes are the empty string.",
            entry.has_envelope, kit.edit(kit.every, in_error(code="")), settles="codes of errors"),
    Variant("extra-in-errors", "Errors carry members that no page lists.", entry.has_envelope,
            kit.edit(kit.every, in_error(details=[], helpUrl="https://example.com/help"))),
    Variant("helpful-errors", "Messages have lines, links and positions; codes look like names.",
            entry.has_envelope,
            kit.edit(kit.every, in_error(code="Example.Cancel.RefusedError", message=HELP)),
            settles="codes of errors"),
    Variant("least-envelope", "Errors have a code and a message, and nothing else.",
            lambda c: entry.traced(c), kit.edit(kit.every, kit.data(bare))),
    Variant("error-date-with-zone", "The date in an error has a zone.",
            dated, kit.edit(kit.every, kit.data(zoned))),
    Variant("occasional-429-in-seconds", "A 429 now and then; Retry-After is an integer.",
            always, occasional(lambda: "1")),
    Variant("occasional-429-with-fraction", "A 429 now and then; Retry-After has a fraction.",
            always, occasional(lambda: "2.128")),
    Variant("occasional-429-with-date", "A 429 now and then; Retry-After is an HTTP date.",
            always, occasional(lambda: formatdate(time() + 1, usegmt=True))),
)  # fmt: skip
