"""Faults across contracts: a cancel of one kind of thing touches, or finds, another."""

from __future__ import annotations

from cancel_contracts.mock import entry, kit
from cancel_contracts.mock.call import Call, Refusal
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Breaks, Change, Fault, breaks
from cancel_contracts.mock.faults import facts
from cancel_contracts.mock.faults.pairs import nothing
from cancel_contracts.mock.store import Resource


def others(desk: Desk) -> list[tuple[Desk, Resource]]:
    return [(other, resource) for other in desk.beside for resource in other.store]


def strike(desk: Desk, call: Call) -> None:
    """Cancel the youngest that can be cancelled of each other kind."""
    for other in desk.beside:
        states = other.contract.lifecycle.cancellable
        for resource in [r for r in other.store if r.state in states][-1:]:
            other.perform(call, resource)


def strike_all(desk: Desk, call: Call) -> None:
    for other, resource in others(desk):
        if resource.state in other.contract.lifecycle.cancellable:
            other.perform(call, resource)


def delete_cancelled(desk: Desk, call: Call) -> None:
    for other, resource in others(desk):
        if resource.changed_at:
            other.store.drop(resource.id)


def find_elsewhere(desk: Desk) -> None:
    """Find an id of another kind on this route, and cancel what it names."""
    exact = desk.lookup

    def lookup(call: Call) -> Resource:
        try:
            return exact(call)
        except Refusal:
            found = [r for _, r in others(desk) if r.id == call.id]
            if not found or call.kind != "cancel":
                raise
            return found[0]

    desk.lookup = lookup  # type: ignore[method-assign]
    foreign = lambda d, c: facts.target(d, c) not in [*d.store, None]  # noqa: E731
    kit.instead("decide", nothing, foreign)(desk)

    def act(_: Desk, call: Call) -> None:
        for other, resource in others(desk):
            if resource is call.found:
                other.perform(call, resource)

    kit.instead("effect", act, foreign)(desk)


def fault(name: str, says: str, broken: Breaks, change: Change) -> Fault:
    return Fault(name, "across", says, (broken,), entry.observable, change, across=True)


NEIGHBOUR = breaks("neighbour", resource="cancellable")
FAULTS: tuple[Fault, ...] = (
    fault("across-strikes-the-youngest", "A cancel strikes the youngest of another kind.",
          NEIGHBOUR, kit.edit(kit.succeeded, kit.doing(strike))),
    fault("across-strikes-all", "A cancel strikes everything of another kind.", NEIGHBOUR,
          kit.edit(kit.succeeded, kit.doing(strike_all))),
    fault("across-strikes-at-a-404", "An unknown id strikes everything of another kind.",
          breaks("effect neighbour", resource="unknown"),
          kit.edit(kit.refused("unknown"), kit.doing(strike_all))),
    fault("across-deletes-what-was-cancelled", "A cancel deletes what was cancelled of another.",
          NEIGHBOUR, kit.edit(kit.succeeded, kit.doing(delete_cancelled))),
    fault("across-finds-another-kind", "An id of another kind is found, and cancelled.",
          breaks("status effect", resource="unknown"), find_elsewhere),
)  # fmt: skip
