"""Faults of requests that are sent again with the same key."""

from __future__ import annotations

from typing import Any

from cancel_contracts.contract.model import Contract
from cancel_contracts.mock import entry, kit
from cancel_contracts.mock.call import Call, Reply
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, all_of, always, breaks
from cancel_contracts.mock.faults.history import back


def keyed(contract: Contract) -> bool:
    """Requests carry a key by which they are known again."""
    return bool(contract.keys)


def replayed(desk: Desk, call: Call) -> bool:
    return call.replayed


def forgotten(desk: Desk, call: Call) -> None:
    """Know no key again."""


def again(desk: Desk, call: Call) -> None:
    desk.perform(call, call.found)


def told_otherwise(desk: Desk, call: Call, reply: Reply) -> Reply:
    def other(_: Desk, __: Call, value: Any) -> Any:
        return {**value, "repeated": True}

    if not reply.body:
        return reply.with_json({})
    return kit.data(other)(desk, call, reply)


def other_success(desk: Desk, call: Call, reply: Reply) -> Reply:
    return kit.status(201 if reply.status == 200 else 200)(desk, call, reply)


def fault(name: str, says: str, broken: Breaks, change: Change, applies: Applies = always) -> Fault:
    return Fault(name, "repeats", says, (broken,), all_of(keyed, applies), change)


ANSWER = breaks("status alike", call="repeated")
FAULTS: tuple[Fault, ...] = (
    fault("repeat-not-recognised", "A request that is sent again is taken for a new one.", ANSWER,
          kit.instead("replay", forgotten)),
    fault("repeat-answered-500", "A request that is sent again is answered 500.", ANSWER,
          kit.edit(replayed, kit.answer(500))),
    fault("repeat-answered-with-another-success", "A repeated request has another success.",
          ANSWER, kit.edit(replayed, other_success)),
    fault("repeat-told-otherwise", "A repeated request is answered with another body.",
          breaks("alike", "body", call="repeated"), kit.edit(replayed, told_otherwise)),
    fault("repeat-brings-back", "A repeated request takes the cancel back.",
          breaks("effect", call="repeated"), kit.edit(replayed, kit.doing(back)),
          entry.observable),
    fault("repeat-performed-again", "A repeated request is performed twice.",
          breaks("keeps", call="repeated"), kit.edit(replayed, kit.doing(again)),
          all_of(entry.observable, entry.tells("when"))),
)  # fmt: skip
