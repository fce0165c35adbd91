"""Faults against what `responses` documents: the code, its content, its header fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.responses import content_of, required_headers, response_for
from cancel_contracts.mock import entry, kit, leeway, shape
from cancel_contracts.mock.call import Call, Reply, to_json
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, all_of, breaks, not_
from cancel_contracts.mock.envelope import form_of
from cancel_contracts.mock.filler import fits

SHAPES: tuple[Any, ...] = ([], {"done": True}, {"status": 0, "id": 0}, "done", None)
FIELDS = ("", "?", "no such value", "-1", "x" * 5000)


def own_body(contract: Contract) -> bool:
    """A success has JSON of its own, which is not the resource."""
    return shape.successes(contract)[0][1] and not entry.entity(contract)


def misfit(contract: Contract) -> Any:
    """Return a JSON value that a success may not be, or the ellipsis where all may."""
    schema = shape.success_row(contract, shape.successes(contract)[0][0]).get("schema")
    return next((value for value in SHAPES if not fits(schema, value)), ...)


def misshapen(desk: Desk, call: Call, reply: Reply) -> Reply:
    return reply.with_body(to_json(misfit(desk.contract)), reply.header("Content-Type"))


def fields(contract: Contract) -> Mapping[str, Mapping[str, Any]]:
    """Return the header fields that a success has to have."""
    return required_headers(response_for(contract.operation, shape.successes(contract)[0][0]))


def wrong_field(contract: Contract) -> tuple[str, str] | None:
    """Return a field of a success and a value that it may not have."""
    for name, row in fields(contract).items():
        schema = row.get("schema") or {}
        if schema.get("type", "string") == "string":
            if (text := next((t for t in FIELDS if not fits(schema, t)), None)) is not None:
                return name, text
    return None


def without_field(desk: Desk, call: Call, reply: Reply) -> Reply:
    return reply.without(*list(fields(desk.contract))[:1])


def with_wrong_field(desk: Desk, call: Call, reply: Reply) -> Reply:
    name, text = wrong_field(desk.contract) or ("", "")
    return reply.with_header(name, text)


def in_words(contract: Contract) -> bool:
    """A 404 is documented in another media type than JSON."""
    content = content_of(response_for(contract.operation, 404))
    return bool(content) and not form_of(contract, 404).json


def other_code(desk: Desk) -> None:
    """Refuse final states with a code that fits as well, and is not the documented one."""
    kit.recode("final", 422 if desk.final_status != 422 else 409)(desk)


def fault(name: str, says: str, broken: Breaks, change: Change, applies: Applies) -> Fault:
    return Fault(name, "documented answers", says, (broken,), applies, change)


def on_success(touch: kit.Touch) -> Change:
    return kit.edit(kit.succeeded, touch)


BODY = breaks("body", "documented", resource="cancellable")
FIELD = breaks("header", "documented", resource="cancellable")
UNKNOWN = breaks("body", "documented", resource="unknown")
JSON_ERROR = kit.payload(b'{"error": "not found"}')

FAULTS: tuple[Fault, ...] = (
    fault("success-misshapen", "The JSON of a success is of another shape.", BODY,
          on_success(misshapen), all_of(own_body, lambda c: misfit(c) is not ...)),
    fault("success-without-its-body", "A success comes without the documented body.", BODY,
          on_success(kit.payload(b"", None)), own_body),
    fault("success-as-a-page", "A success is told in HTML.", BODY,
          on_success(kit.payload(b"<!doctype html><title>OK</title>", "text/html")), own_body),
    fault("success-without-a-header", "A documented header field of a success is missing.", FIELD,
          on_success(without_field), lambda c: bool(fields(c))),
    fault("success-with-a-wrong-header", "A header field of a success is not of its form.", FIELD,
          on_success(with_wrong_field), lambda c: wrong_field(c) is not None),
    fault("404-in-json", "A 404 is JSON, where another media type is documented.", UNKNOWN,
          kit.edit(kit.answered(404), JSON_ERROR), in_words),
    fault("404-in-no-words", "A 404 says nothing, where words are documented.", UNKNOWN,
          kit.edit(kit.answered(404), kit.payload(b"", None)), in_words),
    fault("final-answered-with-another-code", "A final state is refused with an undocumented code.",
          breaks("status", resource="final"), other_code,
          all_of(not_(leeway.final_is_open), entry.rival_states(1))),
)  # fmt: skip
