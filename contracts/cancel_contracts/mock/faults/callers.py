"""Faults of others than the caller and the resource: neighbours of several kinds and owners."""

from __future__ import annotations

from collections.abc import Callable

from cancel_contracts.mock import entry, kit
from cancel_contracts.mock.call import Call, Reply
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, all_of, breaks, observable
from cancel_contracts.mock.faults import facts
from cancel_contracts.mock.faults.state import reset
from cancel_contracts.mock.store import Resource

Choice = Callable[[Desk, Call, Resource], bool]
Does = Callable[[Desk, Call, Resource], object]


def cancel(desk: Desk, call: Call, resource: Resource) -> None:
    desk.perform(call, resource)


def delete(desk: Desk, call: Call, resource: Resource) -> None:
    desk.store.drop(resource.id)


def revive(desk: Desk, call: Call, resource: Resource) -> None:
    reset(desk, resource)


def can_be_cancelled(desk: Desk, call: Call, resource: Resource) -> bool:
    return resource.state in desk.contract.lifecycle.cancellable


def strike(when: kit.When, which: Choice, does: Does) -> Change:
    """Do something to others than the resource of the call, once it is answered."""

    def touch(desk: Desk, call: Call, reply: Reply) -> Reply:
        own = facts.target(desk, call)
        for resource in list(desk.store):
            if resource is not own and which(desk, call, resource):
                does(desk, call, resource)
        return reply

    return kit.edit(when, touch)


def in_other_states(desk: Desk, call: Call, resource: Resource) -> bool:
    return can_be_cancelled(desk, call, resource) and (
        resource.state != desk.contract.lifecycle.cancellable[0]
    )


def of_another_owner(desk: Desk, call: Call, resource: Resource) -> bool:
    own = facts.target(desk, call)
    return can_be_cancelled(desk, call, resource) and (
        own is not None and resource.owner != own.owner
    )


def ended(desk: Desk, call: Call, resource: Resource) -> bool:
    return resource.state in entry.rivals(desk.contract)


def was_cancelled(desk: Desk, call: Call, resource: Resource) -> bool:
    return resource.changed_at > 0


def rewrite(desk: Desk, call: Call, resource: Resource) -> None:
    """Write the text of the call into another resource, and leave its state."""
    given = call.json if isinstance(call.json, dict) else {}
    for prop, source in desk.contract.lifecycle.records.items():
        resource.entity[prop] = given.get(source)


def lose(desk: Desk, call: Call, resource: Resource) -> None:
    """Lose the last property of another resource."""
    kept = [name for name in resource.entity if name not in ("id", *desk.contract.lifecycle.places)]
    for name in kept[-1:]:
        del resource.entity[name]


def fault(
    name: str, says: str, broken: Breaks, change: Change, applies: Applies = observable
) -> Fault:
    return Fault(name, "other callers", says, (broken,), all_of(applies, observable), change)


ORDINARY = breaks("neighbour", resource="cancellable")
FORBIDDEN = kit.refused("no-permission", "wrong-kind", "personal", "not-owner")
FAULTS: tuple[Fault, ...] = (
    fault("neighbours-in-other-states-cancelled",
          "A cancel strikes others that are in other states than the first.",
          breaks("neighbour effect", resource="cancellable"),  # as if what was refused were done
          strike(kit.succeeded, in_other_states, cancel), entry.cancellable_states(2)),
    fault("neighbours-of-another-owner-cancelled",
          "A cancel strikes what belongs to somebody else.", ORDINARY,
          strike(kit.succeeded, of_another_owner, cancel), entry.owners),
    fault("neighbours-cancelled-by-an-application",
          "An application's cancel strikes all others.", ORDINARY,
          strike(kit.both(kit.succeeded, facts.application), can_be_cancelled, cancel),
          entry.permitted("application")),
    fault("neighbours-cancelled-from-the-second-state",
          "A cancel from the second of the states strikes all others.", ORDINARY,
          strike(kit.both(kit.succeeded, facts.began(2)), can_be_cancelled, cancel),
          entry.cancellable_states(2)),
    fault("neighbours-that-ended-cancelled",
          "A cancel turns what has ended into cancelled.", ORDINARY,
          strike(kit.succeeded, ended, cancel), lambda c: bool(entry.rivals(c))),
    fault("neighbours-that-were-cancelled-resurrected",
          "A cancel brings back what was cancelled before.",
          breaks("effect neighbour", resource="cancellable"),
          strike(kit.succeeded, was_cancelled, revive)),
    fault("neighbours-cancelled-at-a-refusal",
          "A caller without permission is refused, and all others are cancelled.",
          breaks("effect neighbour", identity="no-permission permission"),
          strike(FORBIDDEN, can_be_cancelled, cancel), lambda c: bool(c.permissions)),
    fault("neighbours-cancelled-at-an-unknown-id",
          "An unknown id is answered 404, and the youngest of the others is cancelled.",
          breaks("effect neighbour", resource="unknown"),
          strike(kit.refused("unknown"), lambda d, c, r: can_be_cancelled(d, c, r) and (
              r is [*d.store][-1]), cancel)),
    fault("neighbours-cancelled-at-a-second-cancel",
          "A second cancel strikes the others.", breaks(
              "neighbour", resource="cancellable", call="second"),
          strike(kit.both(kit.refused("final"), facts.cancelled), can_be_cancelled, cancel)),
    fault("neighbours-deleted", "A cancel deletes what was cancelled before.",
          breaks("effect neighbour", resource="cancellable"),
          strike(kit.succeeded, was_cancelled, delete), entry.remains),
    fault("neighbours-get-the-text", "The text of a cancel is written beside others, too.",
          ORDINARY, strike(kit.succeeded, lambda d, c, r: r.changed_at == 0, rewrite),
          entry.records),
    fault("neighbours-lose-a-property", "A cancel takes a property from the others.",
          ORDINARY, strike(kit.succeeded, can_be_cancelled, lose)),
)  # fmt: skip
