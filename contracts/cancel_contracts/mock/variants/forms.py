"""Variants of which forms of a request are taken, and which refused before a look at the call."""

from __future__ import annotations

import re
from dataclasses import replace

from cancel_contracts.mock import kit
from cancel_contracts.mock.call import Call, Reply
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Variant, always
from cancel_contracts.mock.faults import facts
from cancel_contracts.mock.faults.requests import odd_method, old

SENSITIVE = ("authorization", "cookie", "proxy-authorization")


def cleaned(path: bytes) -> bytes:
    """Return a path as nginx passes it on: slashes merged, dot segments gone."""
    path = re.sub(rb"/{2,}", b"/", path)
    path = re.sub(rb"/(\./)+", b"/", path)
    return re.sub(rb"/[^/]+/\.\.(?=/)", b"", path)


def echoed(desk: Desk, call: Call, reply: Reply) -> Reply:
    """RFC 9110, section 9.3.8: send the request back, without what is to be kept."""
    lines = [f"{name}: {value}" for name, value in call.fields if name not in SENSITIVE]
    head = f"TRACE {call.target.decode('latin-1')} HTTP/{call.version}"
    sent = "\r\n".join([head, *lines, "", ""]).encode("latin-1")
    return replace(Reply(200), framed=True).with_body(sent, "message/http")


VARIANTS: tuple[Variant, ...] = (
    Variant("paths-cleaned", "Doubled slashes and dot segments of a path make no difference.",
            always, kit.read_as(cleaned)),
    Variant("foreign-origin-refused", "A call that names the origin of another site is refused.",
            always, kit.refuse("method", facts.has("origin"), 403)),
    *(Variant(f"http-1.0-answered-{code}", f"HTTP/1.0 is refused with {code}.", always,
              kit.refuse("method", old, code), settles="HTTP/1.0") for code in (426, 505)),
    Variant("unheard-of-methods-answered-501", "Methods that nobody knows are not implemented.",
            always, kit.refuse("method", facts.either(odd_method, kit.method("TRACE")), 501,
            "method"), settles="seldom methods"),
    Variant("trace-answered", "TRACE is answered with the request, without its credentials.",
            always, kit.edit(kit.both(kit.refused("method"), kit.method("TRACE")), echoed),
            settles="seldom methods"),
)  # fmt: skip
