"""Faults of the status code: unknown ids, and successes under another code."""

from __future__ import annotations

from dataclasses import replace

from cancel_contracts.mock import entry, kit, shape
from cancel_contracts.mock.call import Call, Reply
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, always, breaks, not_

UNKNOWN = kit.refused("unknown")
NOT_FOUND_ELSE = (breaks("status", resource="unknown"),)
SUCCESS_ELSE = (
    breaks("status", resource="cancellable"),
    breaks("constant", resource="cancellable"),
)


def other_success(desk: Desk) -> int:
    """Return another success: the second documented one, else a 2xx that is not documented."""
    documented = [code for code, _ in shape.successes(desk.contract)]
    return documented[1] if len(documented) > 1 else 204 if desk.status == 202 else 202


def otherwise(when: kit.When) -> Change:
    """Answer some successes under the other code."""

    def touch(desk: Desk, call: Call, reply: Reply) -> Reply:
        return kit.status(other_success(desk))(desk, call, reply)

    return kit.edit(kit.both(kit.succeeded, when), touch)


def from_second_state(desk: Desk, call: Call) -> bool:
    states = desk.contract.lifecycle.cancellable
    return call.found.first_state in states[1:]


def of_other_identity(desk: Desk, call: Call) -> bool:
    caller = call.caller
    return caller.owner_only if desk.contract.lifecycle.owners else caller.kind == "delegated"


class Alternating:
    """True for every second success."""

    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, desk: Desk, call: Call) -> bool:
        self.seen += 1
        return self.seen % 2 == 0


def alternating(desk: Desk) -> None:
    otherwise(Alternating())(desk)


def located(desk: Desk, call: Call, reply: Reply) -> Reply:
    moved = replace(reply.without("Content-Type"), status=302, body=b"")
    return moved.with_header("Location", "/")


def fault(
    name: str, says: str, broken: tuple[Breaks, ...], change: Change, applies: Applies = always
) -> Fault:
    return Fault(name, "status", says, broken, applies, change)


FAULTS: tuple[Fault, ...] = (
    fault("unknown-id-answered-200", "An unknown id is answered 200 without a body.",
          NOT_FOUND_ELSE, kit.edit(UNKNOWN, kit.answer(200))),
    fault("unknown-id-answered-with-entity",
          "An unknown id is answered 200 with an entity of that id.",
          NOT_FOUND_ELSE, kit.edit(UNKNOWN, kit.with_entity)),
    fault("unknown-id-answered-204", "An unknown id is answered 204.",
          NOT_FOUND_ELSE, kit.edit(UNKNOWN, kit.answer(204))),
    *(fault(f"unknown-id-answered-{code}", f"An unknown id is answered {code} in the envelope.",
            NOT_FOUND_ELSE, kit.recode("unknown", code)) for code in (400, 403, 410, 500)),
    *(fault(f"success-as-{code}", f"Success is answered {code}.", SUCCESS_ELSE,
            kit.edit(kit.succeeded, kit.status(code)), not_(entry.documents(code)))
      for code in (201, 202, 204)),
    fault("success-as-302", "Success is answered with a redirect.", SUCCESS_ELSE,
          kit.edit(kit.succeeded, located)),
    fault("success-as-500", "Success is answered 500, after the effect.",
          (breaks("status", resource="cancellable"),),
          kit.edit(kit.succeeded, kit.answer(500))),
    fault("success-code-by-state", "The code of a success depends on the state before.",
          (breaks("status constant", resource="cancellable"),),
          otherwise(from_second_state), entry.cancellable_states(2)),
    fault("success-code-by-identity", "The code of a success depends on who calls.",
          (breaks("status constant", resource="cancellable"),), otherwise(of_other_identity),
          entry.permitted("delegated")),
    fault("success-code-alternates", "Every second success has another code.",
          (breaks("status constant", resource="cancellable"),), alternating),
)  # fmt: skip
