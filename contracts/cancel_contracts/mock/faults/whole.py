"""Faults in parts of the entity that a cancel has no business with, kept or shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cancel_contracts.contract.model import Contract
from cancel_contracts.mock import entry, kit, shape
from cancel_contracts.mock.call import Call, Reply
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, all_of, breaks
from cancel_contracts.mock.faults import facts
from cancel_contracts.mock.store import Resource

Pick = Callable[[Contract, str, Any], bool]
Make = Callable[[Any], Any]
GONE = object()


def own(contract: Contract, name: str) -> bool:
    """A property that a cancel neither sets, records, shows nor touches."""
    life = contract.lifecycle
    taken = ("id", *life.places, *life.leaves, *life.sets, *life.records, *life.touches)
    return name not in taken and not name.startswith("@") and not shape.is_last_date(name)


def text(contract: Contract, name: str, value: Any) -> bool:
    return own(contract, name) and isinstance(value, str) and not shape.is_date(name)


def date(contract: Contract, name: str, value: Any) -> bool:
    return own(contract, name) and isinstance(value, str) and shape.is_date(name)


def nothing_yet(contract: Contract, name: str, value: Any) -> bool:
    return own(contract, name) and value is None


def structure(contract: Contract, name: str, value: Any) -> bool:
    return own(contract, name) and isinstance(value, (list, dict))


def flag(contract: Contract, name: str, value: Any) -> bool:
    return own(contract, name) and isinstance(value, bool)


def has(pick: Pick, count: int = 1) -> Applies:
    """The example of the entity has so many of such properties."""

    def applies(contract: Contract) -> bool:
        entity = shape.entity_example(contract)
        return sum(pick(contract, name, value) for name, value in entity.items()) >= count

    return applies


def altered(desk: Desk, entity: dict[str, Any], pick: Pick, make: Make, which: int = 0) -> None:
    """Change one property of an entity, the nth of those that are picked."""
    names = [name for name, value in entity.items() if pick(desk.contract, name, value)]
    if names:
        name = names[which]
        made = make(entity[name])
        if made is GONE:
            del entity[name]
        else:
            entity[name] = made


def stored(when: kit.When, pick: Pick, make: Make, which: int = 0) -> Change:
    """Change what is kept of the resource, once the call is answered."""

    def touch(desk: Desk, call: Call, reply: Reply) -> Reply:
        if (found := facts.target(desk, call)) is not None:
            altered(desk, found.entity, pick, make, which)
        return reply

    return kit.edit(when, touch)


def told(pick: Pick, make: Make, which: int = 0) -> Change:
    """Change what the answer of a success tells, and keep the truth."""

    def change(desk: Desk, call: Call, value: dict[str, Any]) -> dict[str, Any]:
        altered(desk, value, pick, make, which)
        return value

    return kit.edit(kit.succeeded, kit.data(change))


def afterwards(pick: Pick, make: Make, which: int = 0) -> Change:
    """Change what a GET shows of what was cancelled, and nothing else."""

    def change(desk: Desk) -> None:
        def view(resource: Resource, entity: dict[str, Any]) -> dict[str, Any]:
            if resource.changed_at:
                altered(desk, entity, pick, make, which)
            return entity

        desk.views.append(view)

    return change


def set_on_refusal(desk: Desk, call: Call, reply: Reply) -> Reply:
    """Note who and when, as of a cancel, and leave the state."""
    if (found := facts.target(desk, call)) is not None:
        for prop in desk.contract.lifecycle.sets:
            found.entity[prop] = desk.filled_in(prop, shape.now_text(), call.caller.sub)
    return reply


def dates_become(value: str) -> kit.Act:
    def act(desk: Desk, call: Call) -> None:
        for prop in shape.told_in(desk.contract, "when"):
            call.found.entity[prop] = value

    return act


def canceller_is(make: Callable[[Desk, Call], Any]) -> kit.Act:
    def act(desk: Desk, call: Call) -> None:
        for prop in shape.told_in(desk.contract, "who"):
            call.found.entity[prop] = make(desk, call)

    return act


def first_canceller(desk: Desk) -> None:
    """Write down everybody under the name of whoever cancelled first."""
    first: list[str] = []

    def name(_: Desk, call: Call) -> str:
        first[1:] = []
        first.append(call.caller.sub)
        return first[0]

    kit.after("effect", canceller_is(name))(desk)


def who_started(desk: Desk, call: Call) -> Any:
    """Name the second of the resource's own texts."""
    return [v for k, v in call.found.entity.items() if text(desk.contract, k, v)][1]


def reversed_(value: Any) -> Any:
    return f"{value}-2"


def fault(name: str, says: str, change: Change, applies: Applies, broken: Breaks) -> Fault:
    return Fault(name, "whole entity", says, (broken,), all_of(applies, entry.observable), change)


CANCEL = breaks("keeps whole", resource="cancellable", answer="2xx")
REFUSAL = breaks("keeps effect whole", resource="cancellable final", answer="4xx")
ANSWER = breaks("entity", "agrees", resource="cancellable", answer="2xx")
SETS = breaks("entity named", "set ordered alike apart", resource="cancellable", answer="2xx")
OK, REFUSED = kit.succeeded, kit.failed

FAULTS: tuple[Fault, ...] = (
    fault("cancel-rewrites-a-text", "A cancel changes a text that is none of its own.",
          stored(OK, text, reversed_), has(text), CANCEL),
    fault("cancel-empties-a-text", "A cancel empties the last of the resource's own texts.",
          stored(OK, text, lambda v: "", -1), has(text), CANCEL),
    fault("cancel-loses-a-text", "A cancel drops a property that held a text.",
          stored(OK, text, lambda v: GONE), has(text), CANCEL),
    fault("cancel-moves-the-creation", "A cancel moves the date of creation.",
          stored(OK, date, lambda v: shape.now_text()), has(date), CANCEL),
    fault("cancel-loses-the-creation", "A cancel drops the date of creation.",
          stored(OK, date, lambda v: None), has(date), CANCEL),
    fault("cancel-fills-what-was-empty", "A cancel fills a property that was null.",
          stored(OK, nothing_yet, lambda v: "cancelled", 1), has(nothing_yet, 2), CANCEL),
    fault("cancel-loses-a-structure", "A cancel takes away a list or an object.",
          stored(OK, structure, lambda v: None), has(structure), CANCEL),
    fault("cancel-fills-a-structure", "A cancel puts something into a list or an object.",
          stored(OK, structure, lambda v: [*v, {"name": "x", "value": "y"}] if isinstance(v, list)
          else {**v, "provider": "another"}), has(structure), CANCEL),
    fault("cancel-turns-a-flag", "A cancel changes a flag.", stored(OK, flag, lambda v: not v),
          has(flag), CANCEL),
    fault("second-cancel-rewrites-a-text", "A second cancel changes a text of the resource's own.",
          stored(kit.both(kit.refused("final"), facts.cancelled), text, reversed_), has(text),
          breaks("keeps whole", resource="cancellable", call="second")),
    fault("refusal-rewrites-a-text", "A refused call changes a text of the resource's own.",
          stored(kit.refused("no-permission", "wrong-kind", "not-owner"), text, reversed_),
          has(text), REFUSAL),
    fault("refusal-loses-a-property", "A call with a bad token takes a property away.",
          stored(kit.answered(401), text, lambda v: GONE, -1), has(text), REFUSAL),
    fault("final-refusal-moves-the-creation",
          "What is final is refused, and its date of creation is moved.",
          stored(kit.both(kit.refused("final"), facts.final), date, lambda v: shape.now_text()),
          has(date), REFUSAL),
    fault("refusal-notes-who-and-when", "A refused call is noted as a cancel, but for the state.",
          kit.edit(kit.refused("no-permission", "wrong-kind"), set_on_refusal), entry.sets,
          REFUSAL),
    fault("bad-body-loses-a-structure", "A call with a bad body takes a list or object away.",
          stored(kit.answered(400), structure, lambda v: None),
          all_of(has(structure), entry.takes_body), REFUSAL),
    fault("other-method-rewrites-a-text", "Another method is refused, and a text is changed.",
          stored(kit.refused("method"), text, reversed_), has(text),
          breaks("effect keeps whole", method="PUT PATCH DELETE")),
    fault("answer-of-another-text", "The answer tells another text than the GET.",
          told(text, reversed_), all_of(entry.entity, has(text)), ANSWER),
    fault("answer-of-another-creation", "The answer tells another date of creation.",
          told(date, lambda v: "2024-01-01T00:00:00Z"), all_of(entry.entity, has(date)), ANSWER),
    fault("get-after-a-cancel-loses-a-property", "A GET shows less after a cancel than before.",
          afterwards(text, lambda v: GONE, -1), has(text), CANCEL),
    fault("get-after-a-cancel-of-another-text", "A GET shows another text after a cancel.",
          afterwards(text, reversed_, -1), has(text), CANCEL),
    fault("cancelled-before-it-was-created", "The date of the cancel is before the creation.",
          kit.after("effect", dates_become("2001-01-01T00:00:00Z")), entry.tells("when"), SETS),
    fault("cancelled-in-the-future", "The date of the cancel is years ahead.",
          kit.after("effect", dates_become("2099-01-01T00:00:00Z")), entry.tells("when"), SETS),
    fault("canceller-is-who-started-it", "Who started it is noted as who cancelled.",
          kit.after("effect", canceller_is(who_started)),
          all_of(entry.tells("who"), has(text, 2)), SETS),
    fault("canceller-is-who-came-first", "Everybody is noted under one name.",
          first_canceller, entry.tells("who"), SETS),
    fault("canceller-is-another-at-each-call", "One caller is noted under another name each time.",
          kit.after("effect", canceller_is(lambda d, c: f"caller {d.calls}")),
          entry.tells("who"), SETS),
)  # fmt: skip
