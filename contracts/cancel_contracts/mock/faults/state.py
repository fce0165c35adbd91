"""Faults of the lifecycle: what may be cancelled, what a cancel does, and to what."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import Any

from cancel_contracts.mock import entry, kit
from cancel_contracts.mock.call import Call, Refusal, Reply
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, always, breaks
from cancel_contracts.mock.store import Resource

FINAL = kit.refused("final", "gone")
FINAL_HOLDS = (breaks("status effect", resource="final"),)
TAKES_EFFECT = (breaks("effect", resource="cancellable"),)
SECOND = (breaks("status effect keeps", resource="cancellable", call="second"),)


def in_state(index: int) -> kit.When:
    """The resource began in the nth cancellable state, counted from 1."""

    def when(desk: Desk, call: Call) -> bool:
        states = desk.contract.lifecycle.cancellable
        return len(states) >= index and call.found.state == states[index - 1]

    return when


def in_rival(index: int) -> kit.When:
    """The resource is in the nth final state that is not the one after a cancel."""

    def when(desk: Desk, call: Call) -> bool:
        states = entry.rivals(desk.contract)
        return len(states) >= index and call.found.state == states[index - 1]

    return when


def in_any_rival(desk: Desk, call: Call) -> bool:
    return call.found.state in entry.rivals(desk.contract)


def repeated(desk: Desk, call: Call) -> bool:
    """The resource was cancelled by an earlier call."""
    return call.resource is not None and call.resource.changed_at > 0


def others(desk: Desk, call: Call) -> list[Resource]:
    """Other resources that can be cancelled, the youngest first."""
    states = desk.contract.lifecycle.cancellable
    found = [r for r in desk.store if r is not call.resource and r.state in states]
    return found[::-1]


def neighbours_too(desk: Desk, call: Call) -> None:
    for resource in others(desk, call):
        desk.perform(call, resource)


def all_of_the_owner(desk: Desk, call: Call) -> None:
    for resource in others(desk, call):
        if resource.owner is not None and resource.owner == call.caller.sub:
            desk.perform(call, resource)


def neighbour_instead(desk: Desk, call: Call) -> None:
    for resource in others(desk, call)[:1]:
        desk.perform(call, resource)


def nothing(desk: Desk, call: Call) -> None:
    """A step that does nothing."""


def to_wrong_state(desk: Desk, call: Call) -> None:
    wrong = entry.rivals(desk.contract) or list(desk.contract.lifecycle.cancellable[::-1])
    desk.perform(call, call.found, state=wrong[0])


def resurrect(desk: Desk, call: Call, reply: Reply) -> Reply:
    reset(desk, call.found)
    return reply


def delete(desk: Desk, call: Call, reply: Reply) -> Reply:
    desk.store.drop(call.found.id)
    return reply


def refusals_performed_later(desk: Desk) -> None:
    """Perform what was refused once the resource has been looked at."""
    waiting: dict[str, Call] = {}

    def keep(desk: Desk, call: Call, reply: Reply) -> Reply:
        with suppress(Refusal):  # of an id that names nothing
            waiting[desk.lookup(call).id] = call
        return reply

    def view(resource: Resource, entity: dict[str, Any]) -> dict[str, Any]:
        call = waiting.pop(resource.id, None)
        if call is not None and resource.state in desk.contract.lifecycle.cancellable:
            desk.perform(call, resource)
        return entity

    kit.edit(kit.failed, keep)(desk)
    desk.views.append(view)


def success_undone_later(desk: Desk) -> None:
    """Take a cancel back once it has been looked at a second time."""
    looks: Counter[str] = Counter()

    def view(resource: Resource, entity: dict[str, Any]) -> dict[str, Any]:
        looks[resource.id] += resource.changed_at > 0
        if looks[resource.id] == 2:
            reset(desk, resource)
        return entity

    desk.views.append(view)


def reset(desk: Desk, resource: Resource) -> None:
    """Put a resource back as it was made."""
    desk.put_state(resource, resource.first_state)
    resource.entity = dict(resource.first_entity)
    resource.changed_at = 0.0


def create_unknown(desk: Desk, call: Call, reply: Reply) -> Reply:
    desk.create(desk.contract.lifecycle.cancellable[0], None, call.id)
    return reply


def shown_as_cancelled(desk: Desk, call: Call, reply: Reply) -> Reply:
    """Answer with the entity in the state after a cancel, and keep the one before."""
    shows = desk.signs(desk.after)
    return kit.data(lambda d, c, v: {**v, **shows})(desk, call, kit.as_success(desk, call, reply))


def again(desk: Desk, call: Call) -> None:
    """Cancel what is cancelled already once more."""
    if not repeated(desk, call):
        raise Refusal(409, "final")


def fault(
    name: str, says: str, broken: tuple[Breaks, ...], change: Change, applies: Applies = always
) -> Fault:
    return Fault(name, "state", says, broken, applies, change)


FAULTS: tuple[Fault, ...] = (
    fault("every-final-state-cancelled", "Final states are cancelled as if they were not.",
          FINAL_HOLDS, kit.instead("decide", nothing, in_any_rival), entry.rival_states(1)),
    fault("first-final-state-cancelled", "The first of the final states is cancelled anyway.",
          FINAL_HOLDS, kit.instead("decide", nothing, in_rival(1)), entry.rival_states(1)),
    fault("second-final-state-cancelled", "The second of the final states is cancelled anyway.",
          FINAL_HOLDS, kit.instead("decide", nothing, in_rival(2)), entry.rival_states(2)),
    *(fault(f"cancellable-state-{n}-refused", f"The {word} of the cancellable states is refused.",
            (breaks("status effect", resource="cancellable"),),
            kit.refuse("decide", in_state(n), 409, "final"), entry.cancellable_states(n))
      for n, word in enumerate(("first", "second", "third", "fourth"), start=1)),
    fault("success-without-effect", "Success changes nothing.", TAKES_EFFECT,
          kit.instead("effect", nothing), entry.observable),
    fault("neighbour-cancelled-too", "A cancel strikes other resources as well.",
          (breaks("neighbour", resource="cancellable"),),
          kit.after("effect", neighbours_too), entry.observable),
    fault("all-of-an-owner-cancelled", "A cancel strikes all that is the caller's own.",
          (breaks("neighbour", identity="user"),),
          kit.after("effect", all_of_the_owner), entry.all_of(entry.owners, entry.observable)),
    fault("neighbour-cancelled-instead", "A cancel strikes another resource.",
          (breaks("neighbour effect", resource="cancellable"),),
          kit.instead("effect", neighbour_instead), entry.observable),
    fault("wrong-state-after", "Success leads to another state than the documented one.",
          TAKES_EFFECT,
          kit.instead("effect", to_wrong_state), entry.all_of(entry.named_after, entry.observable)),
    fault("final-refused-but-changed", "A final state is refused, and cancelled all the same.",
          (breaks("effect", resource="final"),),
          kit.edit(FINAL, kit.performed), entry.all_of(entry.observable, entry.rival_states(1))),
    fault("final-answered-as-success", "A final state is answered as a success, without effect.",
          (breaks("status", resource="final"),),
          kit.edit(FINAL, kit.as_success), entry.all_of(entry.named_after, entry.rival_states(1))),
    fault("final-shown-as-cancelled", "A final state is answered as cancelled, and stays.",
          (breaks("status", resource="final"),), kit.edit(FINAL, shown_as_cancelled),
          entry.all_of(entry.entity, entry.named_after, entry.rival_states(1))),
    fault("final-answered-500", "A final state is answered 500.",
          (breaks("status", resource="final"),),
          kit.together(kit.recode("final", 500), kit.recode("gone", 500))),
    fault("second-cancel-resurrects", "A second cancel takes the first back.", SECOND,
          kit.edit(kit.both(FINAL, repeated), resurrect), entry.observable),
    fault("second-cancel-answered-500", "A second cancel is answered 500.", SECOND,
          kit.edit(kit.both(FINAL, repeated), kit.answer(500))),
    fault("second-cancel-deletes", "A second cancel deletes the resource.", SECOND,
          kit.edit(kit.both(FINAL, repeated), delete),
          entry.all_of(entry.observable, entry.remains)),
    fault("second-cancel-overwrites",
          "A second cancel is done again: its text and time replace the first's.",
          (breaks("keeps effect", resource="cancellable", call="second"),),
          kit.instead("decide", again, repeated), entry.all_of(entry.records, entry.observable)),
    fault("second-cancel-refused-but-overwrites",
          "A second cancel is refused, yet its text and time are kept.",
          (breaks("keeps effect", resource="cancellable", call="second"),),
          kit.edit(kit.both(FINAL, repeated), kit.performed),
          entry.all_of(entry.records, entry.observable)),
    fault("refusal-performed-later", "What was refused is cancelled a while after.",
          (breaks("effect", resource="cancellable"),), refusals_performed_later,
          entry.all_of(entry.named_after, entry.observable)),
    fault("success-undone-later", "What was cancelled comes back a while after.",
          TAKES_EFFECT, success_undone_later,
          entry.all_of(entry.named_after, entry.observable, entry.remains)),
    fault("unknown-id-creates", "A cancel of an unknown id is refused and creates the resource.",
          (breaks("effect", resource="unknown"),),
          kit.edit(kit.refused("unknown"), create_unknown), entry.observable),
    fault("cancel-deletes", "A cancel deletes the resource.", TAKES_EFFECT,
          kit.edit(kit.succeeded, delete), entry.all_of(entry.observable, entry.remains)),
)  # fmt: skip
