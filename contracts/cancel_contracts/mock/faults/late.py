"""Faults that show seconds after the call: undone, performed, struck or gone when nobody looks."""

from __future__ import annotations

import asyncio

from cancel_contracts.mock import entry, kit
from cancel_contracts.mock.call import Call, Reply
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, all_of, always, breaks
from cancel_contracts.mock.faults import facts
from cancel_contracts.mock.faults.history import back, delete
from cancel_contracts.mock.faults.pairs import create
from cancel_contracts.mock.faults.state import neighbours_too

SECONDS = 2.5  # until it happens


def perform(desk: Desk, call: Call) -> None:
    found = facts.target(desk, call)
    if found is not None and found.state in desk.contract.lifecycle.cancellable:
        desk.perform(call, found)


def lose_text(desk: Desk, call: Call) -> None:
    if (found := facts.target(desk, call)) is not None:
        found.entity.update(dict.fromkeys(desk.contract.lifecycle.records))


def reopen(desk: Desk, call: Call) -> None:
    """Put what has ended back into the first of the states."""
    if (found := facts.target(desk, call)) is not None:
        desk.put_state(found, desk.contract.lifecycle.cancellable[0])


def last_property_back(desk: Desk, call: Call) -> None:
    """Have the last of the properties of the state tell what the resource was made in."""
    if (found := facts.target(desk, call)) is not None:
        at = desk.contract.lifecycle.shows[-1]
        found.entity[at] = desk.signs(found.first_state)[at]


def in_a_while(when: kit.When, act: kit.Act) -> Change:
    """Do something to the desk some seconds after the call is answered."""

    def touch(desk: Desk, call: Call, reply: Reply) -> Reply:
        asyncio.get_running_loop().call_later(SECONDS, act, desk, call)
        return reply

    return kit.edit(when, touch)


def fault(name: str, says: str, broken: Breaks, change: Change, applies: Applies = always) -> Fault:
    return Fault(name, "late", says, (broken,), all_of(applies, entry.observable), change)


DONE = breaks("effect", resource="cancellable")
FORBIDDEN = kit.refused("no-permission", "wrong-kind", "personal", "not-owner")
FAULTS: tuple[Fault, ...] = (
    fault("late-success-undone", "A success is taken back seconds after.", DONE,
          in_a_while(kit.succeeded, back)),
    fault("late-forbidden-performed", "What was forbidden is done seconds after.",
          breaks("effect", identity="no-permission permission"),
          in_a_while(FORBIDDEN, perform), lambda c: bool(c.permissions)),
    fault("late-unauthenticated-performed", "What nobody signed is done seconds after.",
          breaks("effect", identity="anonymous expired bad-signature"),
          in_a_while(kit.answered(401), perform), entry.tokens),
    fault("late-bad-body-performed", "What came with a bad body is done seconds after.",
          breaks("effect", body="malformed-json array string number json"),
          in_a_while(kit.answered(400), perform), entry.takes_body),
    fault("late-other-method-performed", "What another method asked for is done seconds after.",
          breaks("effect", method="GET HEAD PUT PATCH DELETE"),
          in_a_while(kit.refused("method"), perform)),
    fault("late-unknown-created", "An unknown id is a resource seconds after.",
          breaks("effect", resource="unknown"), in_a_while(kit.refused("unknown"), create)),
    fault("late-neighbours-struck", "All others are cancelled seconds after.",
          breaks("neighbour", resource="cancellable"), in_a_while(kit.succeeded, neighbours_too)),
    fault("late-cancelled-gone", "What was cancelled is gone seconds after.", DONE,
          in_a_while(kit.succeeded, delete), entry.remains),
    fault("late-final-reopened", "What was final can be cancelled again seconds after.",
          breaks("effect", resource="final"),
          in_a_while(kit.both(kit.refused("final"), facts.final), reopen),
          lambda c: bool(entry.rivals(c))),
    fault("late-text-lost", "What the request gave is lost seconds after.",
          breaks("entity", "recorded", body="documented json"),
          in_a_while(kit.succeeded, lose_text), entry.records),
    fault("late-last-property-taken-back",
          "The last of the properties of the state is as before seconds after.", DONE,
          in_a_while(kit.succeeded, last_property_back), entry.shows_several),
)  # fmt: skip
