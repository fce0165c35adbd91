"""Faults of bodies that are to be empty: payloads that a lenient reader takes for nothing."""

from __future__ import annotations

from collections.abc import Mapping

from cancel_contracts.mock import entry, kit
from cancel_contracts.mock.call import Call
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Change, Fault, all_of, breaks, empty

NOT_EMPTY = (breaks("body", resource="cancellable"),)
UNSOUND = (breaks("wire", resource="cancellable"),)

# name -> bytes, media type
PAYLOADS: Mapping[str, tuple[bytes, str | None]] = {
    "null": (b"null", "application/json"),
    "empty-object": (b"{}", "application/json"),
    "empty-string": (b'""', "application/json"),
    "space": (b" ", None),
    "newline": (b"\n", None),
    "crlf": (b"\r\n", None),
    "bom": (b"\xef\xbb\xbf", "application/json"),
    "html": (b"<!doctype html><title>OK</title>", "text/html"),
}


def last_state(desk: Desk, call: Call) -> bool:
    return call.resource is not None and (
        call.resource.first_state == desk.contract.lifecycle.cancellable[-1]
    )


def fault(
    name: str,
    says: str,
    change: Change,
    applies: Applies = empty,
    broken: tuple[entry.Breaks, ...] = NOT_EMPTY,
) -> Fault:
    return Fault(name, "empty body", says, broken, applies, change)


def on_success(*touches: kit.Touch) -> Change:
    return kit.edit(kit.succeeded, *touches)


FAULTS: tuple[Fault, ...] = (
    *(fault(f"success-with-{name}",
            f"The body of a success is not empty: {name.replace('-', ' ')}.",
            on_success(kit.payload(data, media))) for name, (data, media) in PAYLOADS.items()),
    fault("success-with-the-entity",
          "A success returns the entity, where nothing is to be returned.",
          on_success(kit.with_entity)),
    fault("success-with-one-byte-chunk", "The body of a success is one byte in a chunk.",
          on_success(kit.wire("one-byte-chunk"))),
    fault("success-with-body-in-one-state", "Success from one of the states has a body.",
          kit.edit(kit.both(kit.succeeded, last_state), kit.payload(b"{}")),
          all_of(empty, entry.cancellable_states(2))),
    *(fault(f"204-with-{name}", f"The success is a 204 with {what}.",
            on_success(kit.wire(f"204-{script}")), entry.documents(204), (*broken, *UNSOUND))
      for name, script, what, broken in (
          ("framed-bytes", "framed-bytes", "a body that Content-Length declares", NOT_EMPTY),
          ("unframed-bytes", "unframed-bytes", "bytes after it", NOT_EMPTY),
          ("content-length", "content-length", "Content-Length: 0", ()),
          ("transfer-encoding", "chunked", "Transfer-Encoding: chunked", ()),
      )),
)  # fmt: skip
