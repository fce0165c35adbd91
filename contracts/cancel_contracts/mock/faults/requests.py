"""Faults of the request side of HTTP: old versions, other forms, methods that are seldom met."""

from __future__ import annotations

from dataclasses import replace

from cancel_contracts.mock import entry, kit
from cancel_contracts.mock.call import Call, Reply
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, always, breaks
from cancel_contracts.mock.faults import facts
from cancel_contracts.mock.faults.methods import other
from cancel_contracts.mock.faults.pairs import fails, without_effect


def old(desk: Desk, call: Call) -> bool:
    return call.version == "1.0"


def absolute(desk: Desk, call: Call) -> bool:
    return not call.target.startswith(b"/")


def expects(desk: Desk, call: Call) -> bool:
    return "expect" in call.headers


def odd_method(desk: Desk, call: Call) -> bool:
    """A method that no list of the usual ones has."""
    return call.method not in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


def trace(desk: Desk, call: Call, reply: Reply) -> Reply:
    """Send the request back with all that it holds, as TRACE does; RFC 9110, section 9.3.8, has a
    client keep credentials out of it, and a server leave them out.
    """
    lines = [f"{name}: {value}" for name, value in call.fields]
    head = f"TRACE {call.target.decode('latin-1')} HTTP/{call.version}"
    sent = "\r\n".join([head, *lines, "", ""]).encode("latin-1")
    return replace(Reply(200), framed=True).with_body(sent, "message/http")


def fault(name: str, says: str, broken: Breaks, change: Change, applies: Applies = always) -> Fault:
    return Fault(name, "requests", says, (broken,), applies, change)


def is_method(name: str) -> kit.When:
    return kit.both(kit.refused("method"), kit.method(name))


FAULTS: tuple[Fault, ...] = (
    fault("http-1.0-request-answered-500", "A request of HTTP/1.0 is answered 500.",
          breaks("status", extra="http-1.0"), fails(old)),
    fault("http-1.0-request-without-effect", "A request of HTTP/1.0 changes nothing.",
          breaks("effect", extra="http-1.0"), without_effect(old), entry.observable),
    fault("http-1.0-success-empty", "A success to HTTP/1.0 has no body.",
          breaks("body", extra="http-1.0", answer="2xx"),
          kit.edit(kit.both(kit.succeeded, old), kit.raw(lambda _: b"")), entry.entity),
    fault("absolute-form-refused", "A target in the absolute form is not found.",
          breaks("status effect", extra="absolute-form"),
          kit.refuse("find", absolute, 404, "unknown")),
    fault("absolute-form-needs-no-token", "A target in the absolute form needs no token.",
          breaks("status effect", identity="anonymous", extra="absolute-form"),
          kit.forgive("anonymous", when=absolute), entry.tokens),
    fault("expect-continue-answered-500", "Expect: 100-continue is answered 500.",
          breaks("status", extra="expect"), fails(expects)),
    fault("expect-continue-without-effect", "Who waits for the 100 changes nothing.",
          breaks("effect", extra="expect"), without_effect(expects), entry.observable),
    fault("trace-shows-the-token", "TRACE sends the token back.",
          breaks("private", method="TRACE"), kit.edit(is_method("TRACE"), trace),
          entry.tokens),
    fault("trace-performs", "TRACE is a cancel.", breaks("effect", method="TRACE"),
          kit.edit(is_method("TRACE"), kit.performed, kit.as_success)),
    fault("trace-answered-500", "TRACE is answered 500.", breaks("status", method="TRACE"),
          kit.edit(is_method("TRACE"), kit.answer(500))),
    fault("unheard-of-method-performs", "A method that nobody has heard of is a cancel.",
          breaks("status effect", method="CANCEL PURGE"),
          kit.edit(kit.both(kit.refused("method"), odd_method), kit.performed, kit.as_success)),
    fault("unheard-of-method-answered-500", "A method that nobody has heard of is answered 500.",
          breaks("status", method="CANCEL PURGE"),
          kit.edit(kit.both(kit.refused("method"), odd_method), kit.answer(500))),
    fault("get-with-a-body-performs", "GET with a body is a cancel.",
          breaks("status effect", method="GET", extra="method-override"),
          kit.edit(kit.both(is_method("GET"), lambda d, c: bool(c.body)), kit.performed,
          kit.as_success), entry.all_of(other("GET"), entry.takes_body)),
    fault("unknown-in-http-1.0-answered-200", "An unknown id in HTTP/1.0 is answered 200.",
          breaks("status", resource="unknown", extra="http-1.0"),
          kit.edit(kit.both(kit.refused("unknown"), facts.either(old)), kit.answer(200))),
)  # fmt: skip
