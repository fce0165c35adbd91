"""Faults below HTTP: successes that leave the server as unsound messages."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from urllib.parse import unquote

from cancel_contracts.contract.model import Contract
from cancel_contracts.mock import entry, kit, shape
from cancel_contracts.mock.call import Call
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, all_of, always, breaks
from cancel_contracts.mock.faults import facts
from cancel_contracts.mock.faults.requests import old

UNSOUND = (breaks("wire", resource="cancellable"),)
CUT = (breaks("wire answered", resource="cancellable"),)


def can_have_length(contract: Contract) -> bool:
    return shape.successes(contract)[0][0] != 204


def packs(desk: Desk, call: Call) -> bool:
    return "gzip" in call.headers.get("accept-encoding", "")


def named(desk: Desk, call: Call) -> str:
    """Return the id of a call as it was meant."""
    return unquote(call.raw_id.decode("latin-1"))


def kept(desk: Desk, call: Call) -> str:
    """Return the text that the resource of a call keeps of a cancel."""
    texts = (call.found.entity.get(name) for name in desk.contract.lifecycle.records)
    return next((text for text in texts if isinstance(text, str)), "")


def in_characters(why: kit.When, text: Callable[[Desk, Call], str]) -> Change:
    """Quote a text beyond ASCII in some refusals, the length of which counts characters."""
    return kit.edit(
        lambda desk, call: why(desk, call) and not text(desk, call).isascii(),
        kit.data(lambda desk, call, value: value | {"@quoted": text(desk, call)}),
        kit.wire("length-in-characters"),
    )


def large_chunk(desk: Desk, call: Call) -> bool:
    """A chunk of the body has a size of two digits."""
    return facts.chunked(desk, call) and len(call.body) > 31


# script -> what the success has, what that breaks, where it can occur
ROWS: tuple[tuple[str, str, tuple[Breaks, ...], Applies], ...] = (
    ("length-too-long", "a longer length than its body", CUT, can_have_length),
    (
        "length-too-short",
        "a shorter length than its body",
        UNSOUND,
        all_of(entry.entity, can_have_length),
    ),
    ("two-lengths", "two lengths that differ", UNSOUND, can_have_length),
    ("length-and-chunked", "a length and chunked coding", UNSOUND, can_have_length),
    ("unterminated-chunks", "chunks without an end", CUT, can_have_length),
    ("space-before-colon", "a space before the colon of a header", UNSOUND, always),
    ("line-without-colon", "a header line without a colon", UNSOUND, always),
    ("http-9.9", "the version HTTP/9.9", UNSOUND, always),
    ("status-2000", "the status 2000", UNSOUND, always),
    ("bare-line-ends", "lines that end in LF alone", UNSOUND, always),
    ("folded-value", "a header value over two lines", UNSOUND, always),
    ("control-character", "a control character in a header value", UNSOUND, always),
    ("no-space-after-the-code", "no space after the status code", UNSOUND, always),
    ("chunked-http-1.0", "chunks in HTTP/1.0", UNSOUND, can_have_length),
    ("date-in-iso-8601", "a Date in ISO 8601", UNSOUND, always),
    ("content-type-twice", "Content-Type twice", UNSOUND, always),
    ("bytes-after", "bytes after it", UNSOUND, always),
    ("second-answer", "itself once more after it", UNSOUND, always),
    ("reset-in-the-middle", "a reset in its middle", CUT, can_have_length),
)

# What comes after a success on the same connection: RFC 9112, section 9.3.
NEXT = (breaks("connection", resource="cancellable", call="reused"),)

FAULTS: tuple[Fault, ...] = (
    *(Fault(f"wire-{script}", "wire", f"A success has {what}.", broken, applies,
            kit.edit(kit.succeeded, kit.wire(script)))
      for script, what, broken, applies in ROWS),
    Fault("next-call-on-the-connection-refused", "wire",
          "The second call on a connection is answered 400, as if the first had not ended.",
          NEXT, always, kit.refuse("method", kit.later_turn, 400)),
    Fault("next-call-on-the-connection-hangs", "wire",
          "The second call on a connection is never answered.",
          NEXT, always, kit.edit(kit.later_turn, kit.wire("hang-before-head"))),
    Fault("fourth-request-on-the-connection-done-and-not-answered", "wire",
          "A cancel that is each fourth request on its connection is done, and hung up on.",
          NEXT, always,
          kit.edit(kit.both(kit.succeeded, lambda _, call: call.turn % 4 == 0),
                   kit.wire("reset-at-once"))),
    Fault("chunks-to-http-1.0", "wire", "Answers are chunked, those to HTTP/1.0 too.",
          (breaks("wire", extra="http-1.0"),), always, kit.edit(old, kit.wire("chunks"))),
    Fault("length-counts-characters", "wire",
          "A refusal quotes the id, and its length counts characters.",
          (breaks("wire", resource="odd"),), entry.has_envelope,
          in_characters(lambda _, call: call.why is not None, named)),
    Fault("length-counts-characters-of-a-text", "wire",
          "A second cancel is refused with the text that was kept; the length counts characters.",
          (breaks("wire", call="second"),), all_of(entry.has_envelope, entry.records),
          in_characters(kit.refused("final"), kept)),
    Fault("refusal-dated-in-seconds", "wire", "The Date of what is refused is a number.",
          (breaks("wire", resource="unknown", answer="4xx"),), always,
          kit.edit(kit.failed, kit.wire("date-in-seconds"))),
    Fault("end-dated-in-iso-8601", "wire", "The Date of what has ended is in ISO 8601.",
          (breaks("wire", resource="final"),), always,
          kit.edit(kit.refused("final", "gone"), kit.wire("date-in-iso-8601"))),
    Fault("gzip-not-said", "wire", "Where gzip is taken an answer is packed, without saying so.",
          (breaks("wire", extra="browser"),), always,
          kit.edit(kit.both(packs, lambda _, call: call.method != "HEAD"),
                   kit.raw(lambda body: gzip.compress(body, mtime=0) if body else b""))),
    Fault("chunk-of-two-digits-answered-400", "wire",
          "The size of a chunk is read as a decimal number: one of two digits is not understood.",
          (breaks("status alike", transfer="chunked"),), always,
          kit.refuse("method", large_chunk, 400)),
)  # fmt: skip
