"""Faults of what a body says beside what it is asked: other properties, and ids nearly right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cancel_contracts.contract.model import Contract
from cancel_contracts.mock import entry, kit, shape
from cancel_contracts.mock.call import Call
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, all_of, breaks
from cancel_contracts.mock.faults import facts, kinds
from cancel_contracts.mock.faults.whole import own

Pick = Callable[[Contract, str], bool]


def given(desk: Desk, call: Call) -> dict[str, Any]:
    """Return the object of a body; where none is documented, of whatever is sent."""
    value = kinds.parsed(call) if desk.schema is None else call.json
    return value if isinstance(value, dict) else {}


def written(pick: Pick, when: kit.When = kit.every) -> Change:
    """Write properties of the body into the entity, of some kind."""

    def act(desk: Desk, call: Call) -> None:
        for name, value in given(desk, call).items() if when(desk, call) else ():
            if name in call.found.entity and pick(desk.contract, name):
                call.found.entity[name] = value

    return kit.after("effect", act)


def first(contract: Contract, name: str) -> bool:
    """The first of the properties that a cancel has no business with."""
    return name == next((k for k in shape.entity_example(contract) if own(contract, k)), None)


def dates(contract: Contract, name: str) -> bool:
    return shape.is_date(name) and own(contract, name)


def sets(contract: Contract, name: str) -> bool:
    return name in contract.lifecycle.sets


def records(contract: Contract, name: str) -> bool:
    return name in contract.lifecycle.records


def shows(contract: Contract, name: str) -> bool:
    return name in contract.lifecycle.places


def the_id(contract: Contract, name: str) -> bool:
    return name == "id"


def anything(contract: Contract, name: str) -> bool:
    return own(contract, name)


def some(contract: Contract, name: str) -> bool:
    """What the cancel touches, and what it does not."""
    return own(contract, name) or name in contract.lifecycle.touches


def new_properties(desk: Desk, call: Call) -> None:
    """Take what the entity has no name for into the entity."""
    asked = set(desk.contract.lifecycle.records.values())
    call.found.entity.update({k: v for k, v in given(desk, call).items() if k not in asked and (
        k not in call.found.entity)})  # fmt: skip


def state_decides(desk: Desk) -> None:
    """Cancel from any state, if only the body says that it is in a right one."""

    def when(_: Desk, call: Call) -> bool:
        said = [given(desk, call).get(prop) for prop in desk.contract.lifecycle.places]
        return any(value in desk.contract.lifecycle.cancellable for value in said)

    kit.instead("decide", lambda d, c: None, when)(desk)


def owner_decides(desk: Desk, call: Call) -> bool:
    """The body says that the resource is the caller's."""
    said = given(desk, call)
    return call.caller.sub in (said.get("owner"), said.get("requestor"), said.get("userId"))


def id_in_body(alike: Callable[[Any, str], bool]) -> Change:
    """Take the id of an owner's body for that of the path, if it is like it."""

    def when(desk: Desk, call: Call) -> bool:
        said = given(desk, call)
        return "id" in said and alike(said["id"], call.found.id)

    return kit.forgive("owner-body-schema", "owner-body-id", "bad-property", when=when)


def fault(
    name: str, says: str, broken: Breaks, change: Change, applies: Applies = entry.takes_body
) -> Fault:
    return Fault(name, "assignment", says, (broken,), applies, change)


KEEPS = breaks("keeps whole named assigns", body="json")
OWN = breaks("status effect", identity="user", body="json")
IDS: dict[str, tuple[str, Callable[[Any, str], bool]]] = {
    "empty": ("empty", lambda given, id_: given == ""),
    "cut": ("cut off", lambda given, id_: (
        isinstance(given, str) and len(given) > 7 and id_.startswith(given))),
    "longer": ("longer", lambda given, id_: isinstance(given, str) and given.startswith(id_)),
    "in-a-list": ("in a list", lambda given, id_: isinstance(given, list) and id_ in given),
    "in-an-object": ("in an object", lambda given, id_: (
        isinstance(given, dict) and id_ in given.values())),
    "true": ("true", lambda given, id_: given is True),
}  # fmt: skip
FAULTS: tuple[Fault, ...] = (
    fault("body-writes-the-first-property", "A property of the body is written, one of all.",
          KEEPS, written(first), all_of(entry.takes_body, entry.observable)),
    fault("body-writes-dates", "Dates of the body are written.", KEEPS, written(dates),
          all_of(entry.takes_body, entry.observable)),
    fault("body-writes-who-and-when", "The body says who cancelled, and when.", KEEPS,
          written(sets), all_of(entry.sets, entry.observable)),
    fault("body-writes-what-is-recorded", "The body sets by its name what is to be recorded.",
          KEEPS, written(records), all_of(entry.records, entry.observable)),
    fault("body-writes-the-state", "The body says which state the cancel leads to.",
          breaks("effect assigns", body="json"), written(shows),
          all_of(entry.takes_body, entry.observable)),
    fault("body-writes-the-id", "The body gives the resource another id to show.", KEEPS,
          kit.together(kit.forgive("other-id"), written(the_id)),
          all_of(entry.strict_media, entry.observable)),
    fault("body-writes-anything", "Every property of the body is written.", KEEPS,
          written(anything), all_of(entry.strict_media, entry.observable)),
    fault("body-adds-properties", "What the entity has no name for is kept with it.", KEEPS,
          kit.after("effect", new_properties), all_of(entry.strict_media, entry.observable)),
    fault("unasked-body-is-written", "A body that nobody asks for is written into the entity.",
          breaks("assigns", body="json"), written(some),
          all_of(entry.takes_nothing, entry.observable)),
    fault("unasked-body-of-an-application-is-written",
          "A body that nobody asks for is written into the entity, where an application sends it.",
          breaks("assigns", identity="app", body="json"), written(some, facts.application),
          all_of(entry.takes_nothing, entry.observable, entry.permitted("application"))),
    fault("unasked-body-says-the-state",
          "What is final is cancelled if a body that nobody asks for says that it is not.",
          breaks("status effect", resource="final", body="json"), state_decides,
          all_of(entry.takes_nothing, lambda c: bool(entry.rivals(c)))),
    fault("body-says-the-state-and-is-believed",
          "What is final is cancelled if the body says that it is not.",
          breaks("status effect", resource="final"), state_decides,
          all_of(entry.takes_body, lambda c: bool(entry.rivals(c)))),
    fault("body-says-the-owner-and-is-believed",
          "What is another's is cancelled if the body says that it is the caller's.",
          breaks("status effect", identity="other-user"),
          kit.forgive("not-owner", when=owner_decides), entry.owner_bodies),
    *(fault(f"body-id-{name}-accepted", f"An id in an owner's body that is {what} is accepted.",
            OWN, id_in_body(alike), entry.owner_bodies) for name, (what, alike) in IDS.items()),
    fault("body-id-of-an-administrator-empty-answered-500",
          "An empty id in an administrator's body is answered 500.", breaks("status", body="json"),
          kit.edit(lambda d, c: isinstance(c.json, dict) and c.json.get("id") == "" and (
              not facts.user(d, c)), kit.answer(500)), entry.owner_bodies),
)  # fmt: skip
