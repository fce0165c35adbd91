"""Faults of what a call leaves out or leaves alone: nothing becomes a word, null stands for what is
kept, a date stays as it was, a first cancel's gap is filled, nobody asks for a permission.
"""

from __future__ import annotations

from cancel_contracts.contract.model import Contract
from cancel_contracts.mock import entry, kit, shape
from cancel_contracts.mock.call import Call
from cancel_contracts.mock.desk import Desk, Step
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, all_of, breaks
from cancel_contracts.mock.faults import facts
from cancel_contracts.mock.faults.beside import plain_user
from cancel_contracts.mock.faults.whole import has, text

Entity = dict[str, object]


def emptied(desk: Desk, call: Call, value: Entity) -> Entity:
    """Show null for texts of the resource's own."""
    return {k: None if text(desk.contract, k, v) else v for k, v in value.items()}


def shown_empty(when: kit.When) -> Change:
    return kit.edit(kit.both(kit.succeeded, when), kit.data(emptied))


def nothing_as(word: str, when: kit.When = kit.every) -> Change:
    """Keep a word for what the request did not give."""

    def act(desk: Desk, call: Call) -> None:
        for prop in desk.contract.lifecycle.records:
            if when(desk, call) and call.found.entity.get(prop) is None:
                call.found.entity[prop] = word

    return kit.after("effect", act)


def text_before(desk: Desk) -> None:
    """Keep what the last call gave where one gives nothing, whoever made it."""
    last: dict[str, object] = {}

    def act(_: Desk, call: Call) -> None:
        for prop in desk.contract.lifecycle.records:
            if call.found.entity.get(prop) is None:
                call.found.entity[prop] = last.get(prop)
            else:
                last[prop] = call.found.entity[prop]

    kit.after("effect", act)(desk)


def last_dates(contract: Contract) -> list[str]:
    """Return the dates of the last change, of those that a cancel sets."""
    return [name for name in contract.lifecycle.stamps if shape.is_last_date(name)]


def dates_left(when: kit.When) -> Change:
    """Leave the dates of the last change as they were."""

    def outer(desk: Desk, call: Call, inner: Step) -> None:
        before = {name: call.found.entity.get(name) for name in last_dates(desk.contract)}
        inner(call)
        if when(desk, call):
            call.found.entity |= before

    return kit.around("effect", outer)


def property_left(index: int, when: kit.When) -> Change:
    """Leave one of the properties of the state as it was."""

    def outer(desk: Desk, call: Call, inner: Step) -> None:
        name = desk.contract.lifecycle.shows[index]
        before = call.found.entity.get(name)
        inner(call)
        if when(desk, call):
            call.found.entity[name] = before

    return kit.around("effect", outer)


def administrator(desk: Desk, call: Call) -> bool:
    return facts.delegated(desk, call) and not facts.user(desk, call)


def names_nobody(desk: Desk, call: Call) -> None:
    """Leave out who cancelled from the second of the states."""
    if facts.began(2)(desk, call):
        call.found.entity |= dict.fromkeys(shape.told_in(desk.contract, "who"))


def plain_users_unnamed(desk: Desk, call: Call) -> None:
    """Leave out who cancelled where that is no administrator."""
    if plain_user(desk, call):
        call.found.entity |= dict.fromkeys(shape.told_in(desk.contract, "who"))


def gap_filled(desk: Desk, call: Call) -> None:
    """Keep what a refused call gives, where the one before gave nothing."""
    given = call.json if isinstance(call.json, dict) else {}
    if (found := facts.target(desk, call)) is not None:
        for prop, source in desk.contract.lifecycle.records.items():
            if found.entity.get(prop) is None and isinstance(given.get(source), str):
                found.entity[prop] = given[source]


def bodyless(desk: Desk, call: Call) -> bool:
    """Nothing is sent, though a Content-Type says what."""
    return not call.body.strip() and "json" in call.headers.get("content-type", "")


def fault(
    name: str, says: str, change: Change, applies: Applies, *broken: Breaks, seen: bool = True
) -> Fault:
    asks = all_of(applies, entry.observable) if seen else applies
    return Fault(name, "left", says, broken, asks, change)


ANSWER = all_of(entry.entity, has(text))
AGREES = breaks("entity", "agrees", resource="cancellable", answer="2xx")
KEPT = breaks("entity", "recorded", resource="cancellable", body="none empty-object null json")
STAMPED = breaks("dated", resource="cancellable", answer="2xx")
ALIKE = breaks("constant", "state", identity="user", answer="2xx")
SKIPS = breaks("status effect", identity="no-permission", content_type="application/json")
TWO_STATES = entry.cancellable_states(2)


def dated(contract: Contract) -> bool:
    return bool(last_dates(contract))


FAULTS: tuple[Fault, ...] = (
    fault("entity-empty-in-the-second-state",
          "Cancelled from the second of the states the answer has null for what is kept.",
          shown_empty(facts.began(2)), all_of(ANSWER, TWO_STATES), AGREES),
    fault("entity-empty-to-applications", "An application's answer has null for what is kept.",
          shown_empty(facts.application), all_of(ANSWER, entry.permitted("application")), AGREES),
    fault("no-text-kept-as-null", "Where no text comes, the word null is kept.",
          nothing_as("null"), entry.records, KEPT),
    fault("no-text-kept-as-none", "Where an object without a text comes, the word None is kept.",
          nothing_as("None", lambda d, c: isinstance(c.json, dict)), entry.records, KEPT),
    fault("no-text-kept-as-the-last-one",
          "Where no text comes, that of the last call that gave one is kept.",
          text_before, entry.records, KEPT),
    fault("last-date-left-in-the-second-state",
          "A cancel from the second of the states leaves the date of the last change.",
          dates_left(facts.began(2)), all_of(dated, TWO_STATES), STAMPED),
    fault("last-date-left-by-applications",
          "An application's cancel leaves the date of the last change.",
          dates_left(facts.application), all_of(dated, entry.permitted("application")), STAMPED),
    fault("last-property-left-by-the-owner",
          "A user's cancel leaves the last of the properties of the state as it was.",
          property_left(-1, facts.user), all_of(entry.shows_several, entry.owners), ALIKE),
    fault("first-property-left-by-the-owner",
          "A user's cancel leaves the first of the properties of the state as it was.",
          property_left(0, facts.user), all_of(entry.shows_several, entry.owners), ALIKE),
    fault("last-property-left-in-the-second-state-by-an-administrator",
          "An administrator's cancel from the second of the states leaves the last of its "
          "properties as it was.",
          property_left(-1, kit.both(administrator, facts.began(2))),
          all_of(entry.shows_several, entry.owners, TWO_STATES),
          breaks("constant", "state", resource="cancellable", answer="2xx")),
    fault("canceller-left-out-in-the-second-state",
          "Who cancelled from the second of the states is told nowhere.",
          kit.after("effect", names_nobody), all_of(entry.tells("who"), TWO_STATES),
          breaks("named", resource="cancellable", answer="2xx")),
    fault("canceller-left-out-of-plain-users",
          "Of a user who is no administrator it is told nowhere that they cancelled.",
          kit.after("effect", plain_users_unnamed), entry.tells("who"),
          breaks("named", "apart", identity="user other-user", answer="2xx")),
    fault("second-fills-what-the-first-left-out",
          "A second cancel is refused, and its text kept where the first gave none.",
          kit.edit(kit.both(kit.refused("final"), facts.cancelled), kit.doing(gap_filled)),
          entry.records, breaks("keeps", resource="cancellable", call="second")),
    fault("no-body-needs-no-permission",
          "Where a Content-Type stands over nothing, nobody asks for a permission.",
          kit.forgive("no-permission", "wrong-kind", when=bodyless), entry.asks_permission, SKIPS,
          seen=False),
)  # fmt: skip
