"""Faults of an effect that takes time, has several values, or leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.states import GONE
from cancel_contracts.mock import entry, kit
from cancel_contracts.mock.call import Call
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, all_of, breaks
from cancel_contracts.mock.store import Resource

TAKES_EFFECT = breaks("effect", resource="cancellable")


def through(contract: Contract) -> bool:
    """States are named that a cancel goes through."""
    return bool(contract.lifecycle.through)


def within(contract: Contract) -> bool:
    """A page says how long an effect may take."""
    return contract.lifecycle.within is not None


def leaves(count: int) -> Applies:
    """A cancelled resource holds so many values beside its state."""
    return lambda contract: len(contract.lifecycle.leaves) >= count


def ending(change: Callable[[Desk, Resource], None]) -> Change:
    """Do something once a cancel has come to its end."""

    def apply(desk: Desk) -> None:
        end = desk.end

        def ended(resource: Resource, state: str) -> None:
            end(resource, state)
            change(desk, resource)

        desk.end = ended  # type: ignore[method-assign]

    return apply


def never(desk: Desk) -> None:
    """Stay in the last state between."""
    desk.end = lambda resource, state: None  # type: ignore[method-assign]


def as_before(desk: Desk, resource: Resource) -> None:
    desk.show_state(resource, resource.first_state)


def too_late(desk: Desk) -> None:
    desk.takes = 2 * (desk.contract.lifecycle.within or 0.0) + 0.5


def values(contract: Contract) -> dict[str, Any]:
    """Return the values of the state after a cancel, where it is told by several."""
    life = contract.lifecycle
    found = life.values.get(next(iter(life.after), ""), {})
    return dict(found) if len(found) > 1 else {}


def value_kept(index: int) -> Change:
    """Let one of the values of the state be as it was."""

    def change(desk: Desk, resource: Resource) -> None:
        at = [*values(desk.contract)][index]
        resource.entity[at] = resource.first_entity.get(at)

    return ending(change)


def changes(index: int) -> Applies:
    """One of the values of the state is another before a cancel."""

    def applies(contract: Contract) -> bool:
        rows = [*values(contract).items()]
        life = contract.lifecycle
        before = [life.values.get(state, {}) for state in life.cancellable]
        at, value = rows[index] if rows else ("", None)
        return bool(rows) and all(at in row and row[at] != value for row in before)

    return applies


def left(index: int, make: Callable[[Any], Any]) -> Change:
    """Leave another value than the documented one."""

    def change(desk: Desk, resource: Resource) -> None:
        at = [*desk.contract.lifecycle.leaves][index]
        resource.entity[at] = make(resource.entity[at])

    return ending(change)


def another(value: Any) -> Any:
    return (not value) if isinstance(value, bool) else f"{value} or so"


def nothing_left(desk: Desk, resource: Resource) -> None:
    for at in desk.contract.lifecycle.leaves:
        resource.entity.pop(at, None)


def shown_all_the_same(desk: Desk) -> None:
    desk.hides = lambda resource: resource.first_state == GONE


def refused_as_gone(desk: Desk, call: Call) -> bool:
    return call.why == "gone"


def fault(name: str, says: str, broken: Breaks, change: Change, applies: Applies) -> Fault:
    return Fault(name, "effects", says, (broken,), all_of(applies, entry.observable), change)


FAULTS: tuple[Fault, ...] = (
    fault("effect-stays-under-way", "A cancel never comes to its end.", TAKES_EFFECT, never,
          through),
    fault("effect-under-way-and-back", "A cancel goes its way, and all is as it was.", TAKES_EFFECT,
          ending(as_before), through),
    fault("effect-too-late", "A cancel takes longer than is documented.", TAKES_EFFECT, too_late,
          within),
    fault("first-value-of-the-state-kept", "The first value of the state is as it was.",
          TAKES_EFFECT, value_kept(0), changes(0)),
    fault("last-value-of-the-state-kept", "The last value of the state is as it was.",
          TAKES_EFFECT, value_kept(-1), changes(-1)),
    fault("nothing-left-behind", "What a cancelled resource should hold beside is not there.",
          TAKES_EFFECT, ending(nothing_left), leaves(1)),
    fault("another-value-left", "The first of what a cancelled resource should hold is another.",
          TAKES_EFFECT, left(0, another), leaves(1)),
    fault("last-value-left-is-null", "The last of what a cancelled resource should hold is null.",
          TAKES_EFFECT, left(-1, lambda value: None),
          all_of(leaves(1), lambda c: [*c.lifecycle.leaves.values()][-1] is not None)),
    fault("gone-yet-shown", "What is gone is shown by the GET all the same.", TAKES_EFFECT,
          shown_all_the_same, lambda c: c.lifecycle.vanishes),
    fault("gone-deleted-again", "A second cancel of what is gone is answered as a success.",
          breaks("status", resource="cancellable", call="second"),
          kit.edit(refused_as_gone, kit.as_success), lambda c: c.lifecycle.vanishes),
)  # fmt: skip
