"""Faults of error answers: the envelope, its media type, what it gives away, its headers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from cancel_contracts.mock import entry, kit, leeway, shape
from cancel_contracts.mock.call import Call, Reply
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, all_of, always, breaks

HTML = b"<!doctype html><html><head><title>Error</title></head><body><h1>Error</h1></body></html>"
TRACE = (
    "Traceback (most recent call last):\n"
    '  File "/srv/app/actions.py", line 42, in cancel\n'
    "KeyError: 'id'"
)
DOTNET = (
    "Object reference not set to an instance of an object.\n"
    "   at Service.Actions.Cancel(String id) in D:\\src\\Actions.cs:line 42"
)
PATH = "Cannot open /var/lib/service/actions.db"

ENVELOPE = "envelope media-type"
TOLD = ("message", "detail", "error_description", "title", "error", "reason")  # where words stand


def message(text: str) -> kit.Touch:
    """Put a text where the message of an error is, in JSON or in words."""
    in_json = kit.data(lambda desk, call, value: said(value, text))

    def touch(desk: Desk, call: Call, reply: Reply) -> Reply:
        words = (reply.header("Content-Type") or "").startswith("text/") and reply.body
        return replace(reply, body=text.encode()) if words else in_json(desk, call, reply)

    return touch


def said(value: Any, text: str) -> Any:
    """Return JSON of an error with a text for its message, or for the first text in it."""
    if isinstance(value.get("error"), dict) or "message" in value:
        return _with(value, "message", text)
    names = [name for name in TOLD if isinstance(value.get(name), str)]
    names += [name for name, old in value.items() if isinstance(old, str)]
    return _with(value, names[0] if names else "message", text)


def _with(value: Any, key: str, text: Any) -> Any:
    error = value.get("error")
    inside = isinstance(error, dict)
    return {**value, "error": {**error, key: text}} if inside else {**value, key: text}


def _without(value: Any, key: str) -> Any:
    error = value.get("error")
    if not isinstance(error, dict):
        return {k: v for k, v in value.items() if k != key}
    return {**value, "error": {k: v for k, v in error.items() if k != key}}


def flat(value: Any) -> Any:
    """JSON, but no envelope."""
    return {"reason": "refused"}


def _in_json(change: Callable[[Any], Any]) -> kit.Touch:
    return kit.data(lambda desk, call, value: change(value))


# name -> what it is, the touch
OTHERWISE: Mapping[str, tuple[str, kit.Touch]] = {
    "html": ("an HTML page", kit.payload(HTML, "text/html; charset=utf-8")),
    "text": ("plain text", kit.payload(b"refused", "text/plain")),
    "empty": ("nothing", kit.payload(b"", None)),
    "wrong-media-type": ("JSON that says it is text", kit.header("Content-Type", "text/plain")),
}
# name -> what it is, what becomes of the JSON
MISSHAPEN: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "json-without-envelope": ("JSON without the envelope", flat),
    "envelope-without-code": ("an envelope without code", lambda value: _without(value, "code")),
    "error-as-string": ("an envelope whose error is a string", lambda value: {"error": "no"}),
}

# status -> the facts of a call that is refused so
REFUSED: Mapping[int, Mapping[str, str]] = {
    404: {"resource": "unknown"},
    401: {"identity": "anonymous"},
}


def fault(
    name: str, says: str, broken: tuple[Breaks, ...], change: Change, applies: Applies = always
) -> Fault:
    return Fault(name, "errors", says, broken, applies, change)


def shapes(status: int) -> tuple[Fault, ...]:
    facts = REFUSED[status]
    known = entry.tokens if status == 401 else always

    def row(name: str, what: str, touch: kit.Touch, applies: Applies) -> Fault:
        told = "media-type" if name == "wrong-media-type" else ENVELOPE
        broken = (breaks("error", told, **facts), breaks("body", "documented", **facts))
        return fault(f"{status}-as-{name}", f"A {status} is {what}.", broken,
                     kit.edit(kit.answered(status), touch), all_of(applies, known))  # fmt: skip

    return (
        *(row(name, what, touch, leeway.told_in_json(status))
          for name, (what, touch) in OTHERWISE.items()),
        *(row(name, what, _in_json(change), leeway.error_misfits(status, change))
          for name, (what, change) in MISSHAPEN.items()),
    )  # fmt: skip


def leak(name: str, says: str, text: str) -> Fault:
    return fault(name, says, (breaks("error", "no-internals", resource="unknown"),),
                 kit.edit(kit.answered(404), message(text)))  # fmt: skip


FAULTS: tuple[Fault, ...] = (
    *shapes(404),
    *shapes(401),
    fault("final-refusal-as-html", "The refusal of a final state is an HTML page.",
          (breaks("error", ENVELOPE, resource="final"),
           breaks("body", "documented", resource="final")),
          kit.edit(kit.refused("final"), OTHERWISE["html"][1]),
          lambda c: leeway.told_in_json(shape.final_status(c))(c)),
    fault("bad-body-refusal-as-text", "The refusal of a bad body is plain text.",
          (breaks("error", ENVELOPE, body="malformed-json array json empty-object"),
           breaks("body", "documented", body="malformed-json array json empty-object")),
          kit.edit(kit.answered(400), OTHERWISE["text"][1]),
          all_of(leeway.told_in_json(400), entry.takes_body)),
    leak("stack-trace-in-message", "A 404 shows a stack trace.", TRACE),
    leak("foreign-stack-trace-in-message", "A 404 shows a stack trace of another language.",
         DOTNET),
    leak("file-path-in-message", "A 404 shows a path of the server's file system.", PATH),
    fault("405-without-allow", "A 405 does not say which methods are allowed.",
          (breaks("header", "allow", method="GET PUT PATCH DELETE"),),
          kit.edit(kit.answered(405), kit.drop("Allow"))),
    fault("405-with-wrong-allow", "A 405 names the refused methods as allowed, and POST not.",
          (breaks("header", "allow", method="GET PUT PATCH DELETE"),),
          kit.edit(kit.answered(405), kit.header("Allow", "GET, PUT, PATCH, DELETE"))),
    fault("405-with-allow-in-lower-case", "A 405 names the method post, which is none.",
          (breaks("header", "allow", method="GET PUT PATCH DELETE"),),
          kit.edit(kit.answered(405), kit.header("Allow", "post"))),
    fault("401-without-challenge", "A 401 carries no WWW-Authenticate.",
          (breaks("header", "challenge documented", identity="anonymous"),),
          kit.edit(kit.answered(401), kit.drop("WWW-Authenticate")), entry.tokens),
    fault("401-with-another-challenge", "A 401 challenges to a Basic login, which opens nothing.",
          (breaks("header", "bearer", identity="anonymous"),),
          kit.edit(kit.answered(401), kit.header("WWW-Authenticate", 'Basic realm="Bearer"')),
          entry.tokens),
    fault("404-with-more-beside-error", "An envelope has other properties beside error.",
          (breaks("error", "single", resource="unknown"),),
          kit.edit(kit.answered(404), kit.data(lambda d, c, v: {**v, "status": 404})),
          entry.traced),
    fault("error-target-constant", "Every error has the same target.",
          (breaks("distinct", resource="unknown"),),
          kit.edit(kit.failed, kit.data(lambda d, c, v: _with(v, "target", "cancel"))),
          entry.has_target),
    fault("client-request-id-not-echoed", "The caller's client-request-id does not come back.",
          (breaks("echo"),), kit.finish(kit.drop("client-request-id")), entry.traced),
    fault("request-id-missing", "Answers carry no request-id.",
          (breaks("echo"),), kit.finish(kit.drop("request-id")), entry.traced),
)  # fmt: skip
