"""Variants of how an answer is written: framing, headers, JSON, error codes, limits, time."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from time import time
from typing import Any

from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.responses import JSON, is_json
from cancel_contracts.mock import entry, kit, leeway, shape
from cancel_contracts.mock.call import Call, Refusal, Reply
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Change, Variant, all_of, always
from cancel_contracts.mock.envelope import Envelope
from cancel_contracts.mock.faults import facts
from cancel_contracts.mock.faults.errors import message, said
from cancel_contracts.mock.faults.limits import told_otherwise
from cancel_contracts.mock.faults.repeats import keyed, replayed

CODE, TYPE = "request_not_cancellable", "Example.Cancel.RefusedError"
MORE: dict[str, Any] = {"details": [], "helpUrl": "https://example.com/help"}
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


def annotated(value: Any) -> Any:
    return {
        **value, "@odata.etag": 'W/"1"', "undocumented": {"nested": [1, None]}, "anotherOne": None,
    }  # fmt: skip


def parametrised(desk: Desk, call: Call, reply: Reply) -> Reply:
    """Add parameters to the media type, those that its own definition has or that OData knows."""
    media = reply.header("Content-Type")
    if not reply.body or media is None:
        return reply
    odata = "; odata.metadata=minimal" if media == JSON else ""
    return reply.with_header("Content-Type", f"{media}{odata}; charset=utf-8")


def compressed(desk: Desk, call: Call, reply: Reply) -> Reply:
    """Compress, where the caller takes it (RFC 9110, section 12.5.3)."""
    if not reply.body or "gzip" not in call.headers.get("accept-encoding", ""):
        return reply
    packed = replace(reply, body=gzip.compress(reply.body, mtime=0))
    return packed.with_header("Content-Encoding", "gzip").with_header("Vary", "Accept-Encoding")


def in_error(**members: Any) -> kit.Touch:
    """Set members of the error object of an envelope."""
    return kit.data(lambda desk, call, value: erring(value, **members))


def erring(value: Any, **members: Any) -> Any:
    error = value.get("error")
    return {**value, "error": {**error, **members}} if isinstance(error, dict) else value


def may_err(**members: Any) -> Applies:
    return leeway.errors_may(lambda value: erring(value, **members))


def zoned(desk: Desk, call: Call, value: Any) -> Any:
    """Give the inner error's date a zone."""
    inner = value.get("error", {}).get("innerError")
    if not isinstance(inner, dict) or "date" not in inner:
        return value
    return {
        **value,
        "error": {**value["error"], "innerError": {**inner, "date": inner["date"] + "Z"}},
    }


def bare(value: Any) -> Any:
    """Leave the envelope nothing but code and message."""
    if not isinstance(value.get("error"), dict):
        return value
    return {"error": {k: v for k, v in value["error"].items() if k in ("code", "message")}}


def dated(contract: Contract) -> bool:
    """Errors of the contract tell when."""
    error = Envelope(contract).example.get("error")
    return isinstance(error, dict) and "date" in (error.get("innerError") or {})


def occasional(retry_after: Callable[[], str]) -> Change:
    """Refuse a call now and then with 429."""
    return occasionally(lambda desk: Refusal(429, "throttled", (("Retry-After", retry_after()),)))


def until(desk: Desk) -> Refusal:
    """Return the refusal of a limit that tells when it ends, and no seconds to wait."""
    refusal = desk.limited("1")
    told = (("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", str(int(time()) + 1)))
    return Refusal(refusal.status, refusal.why, told)


def occasionally(refusal: Callable[[Desk], Refusal]) -> Change:
    """Refuse a call now and then by the limit."""

    def change(desk: Desk) -> None:
        asked = [0]

        def act(_: Desk, call: Call) -> None:
            asked[0] += 1
            if asked[0] % OCCASION == 0:
                raise refusal(desk)

        kit.before("throttle", act)(desk)

    return change


def says(tells: Callable[[Desk, Call], str]) -> Change:
    def touch(desk: Desk, call: Call, reply: Reply) -> Reply:
        in_json = is_json(reply.header("Content-Type") or "")
        return message(tells(desk, call))(desk, call, reply) if in_json else reply

    return kit.edit(kit.failed, touch)


# What is told in words may be told in others, where errors are JSON and their schema lets it.
SAYABLE = leeway.errors_may(lambda value: said(value, "The request for a%2Fb was refused."))


def query_quoted(desk: Desk, call: Call) -> str:
    """Quote what the query says, but for tokens."""
    said = [f"{k}={v}" for k, v in call.query.items() if "token" not in k]
    return f"The call was refused. It said: {' '.join(said) or 'nothing'}."


def preference_told(desk: Desk, call: Call, reply: Reply) -> Reply:
    """RFC 7240, section 3: tell which of the caller's preferences was honoured."""
    shows = desk.has_entity and kit.succeeded(desk, call)
    wish = "return=representation" if shows else "handling=lenient"
    asked = wish in call.headers.get("prefer", "")
    return reply.with_header("Preference-Applied", wish) if asked else reply


def in_language(desk: Desk, call: Call, reply: Reply) -> Reply:
    if not call.headers.get("accept-language", "").startswith("de"):
        return reply
    in_json = is_json(reply.header("Content-Type") or "")
    return message("Die Anfrage wurde abgelehnt.")(desk, call, reply) if in_json else reply


VARIANTS: tuple[Variant, ...] = (
    Variant("other-success-code", "The second documented success is the one given, throughout.",
            entry.readings, other_success),
    Variant("chunked-answers", "Bodies come in chunks, empty ones too.", always,
            kit.finish(kit.unframed)),
    Variant("lower-case-header-names", "Names of headers are written in lower case.",
            always, kit.finish(kit.wire("lower-case-names")), settles="octets of the head"),
    Variant("extra-properties", "Entities carry annotations and properties that no page lists.",
            all_of(lambda c: entry.entity(c) or entry.observable(c), leeway.shows_may(annotated)),
            kit.finish(lambda d, c, r: (
                r if c.refusal else kit.data(lambda d, c, v: annotated(v))(d, c, r)))),
    Variant("media-type-with-parameters", "The media type has parameters.", always,
            kit.finish(parametrised)),
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
    *(Variant(script, says, always, kit.finish(kit.wire(script)), settles="octets of the head")
      for script, says in (
          ("date-in-asctime", "Date is in the form of asctime."),
          ("date-in-rfc-850", "Date is in the form of RFC 850."),
          ("no-date", "Answers have no Date."))),
    Variant("latency", "Each answer takes 100 ms.", always, kit.pause("method", LATENCY)),
    Variant("other-error-codes", "Error codes are spelled in another way.",
            may_err(code=CODE), kit.edit(kit.every, in_error(code=CODE)),
            settles="codes of errors"),
    Variant("empty-error-codes", "Error codes are the empty string.",
            may_err(code=""), kit.edit(kit.every, in_error(code="")), settles="codes of errors"),
    Variant("extra-in-errors", "Errors carry members that no page lists.", may_err(**MORE),
            kit.edit(kit.every, in_error(**MORE))),
    Variant("helpful-errors", "Messages have lines, links and positions; codes look like names.",
            may_err(code=TYPE, message=HELP),
            kit.edit(kit.every, in_error(code=TYPE, message=HELP)),
            settles="codes of errors"),
    Variant("errors-name-what-was-asked", "An error quotes the id of the path.", SAYABLE,
            says(lambda d, c: f"The request for {c.raw_id[:80].decode('latin-1')} was refused.")),
    Variant("errors-quote-the-query", "An error quotes what the query says.", SAYABLE,
            says(query_quoted)),
    Variant("preferences-told", "An answer tells which preference it honours.", always,
            kit.finish(preference_told)),
    Variant("errors-name-the-caller", "An error tells a caller who that is.", SAYABLE,
            says(lambda d, c: f"Caller {facts.caller(d, c).sub or 'unknown'} was refused.")),
    Variant("errors-in-the-callers-language", "Messages are in the language that is asked for.",
            SAYABLE, kit.edit(kit.failed, in_language)),
    Variant("least-envelope", "Errors have a code and a message, and nothing else.",
            all_of(entry.traced, leeway.errors_may(bare)),
            kit.edit(kit.every, kit.data(lambda d, c, v: bare(v)))),
    Variant("error-date-with-zone", "The date in an error has a zone.",
            dated, kit.edit(kit.every, kit.data(zoned))),
    Variant("occasional-429-in-seconds", "A 429 now and then; Retry-After is an integer.",
            always, occasional(lambda: "1")),
    Variant("occasional-429-with-fraction", "A 429 now and then; Retry-After has a fraction.",
            always, occasional(lambda: "2.128")),
    Variant("occasional-limit-by-its-code", "The documented code of the limit now and then.",
            told_otherwise, occasionally(lambda desk: desk.limited("1"))),
    Variant("repeat-told-in-a-header", "An answer that was given before says that it is.", keyed,
            kit.edit(replayed, kit.header("Idempotent-Replayed", "true"))),
    Variant("limit-until-a-moment", "What the limit refuses tells when nothing is left no more.",
            told_otherwise, occasionally(until)),
    Variant("occasional-429-with-date", "A 429 now and then; Retry-After is an HTTP date.",
            always, occasional(lambda: formatdate(time() + 1, usegmt=True))),
)  # fmt: skip
