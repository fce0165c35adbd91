"""Variants of the resource: how states are spelled, what a GET shows, how ids are compared."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.states import GONE
from cancel_contracts.mock import entry, kit, leeway, shape
from cancel_contracts.mock.call import Call
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Change, Variant, all_of, always, not_, observable
from cancel_contracts.mock.faults.dates import REPEATED, listed, moving, off_by, stamped
from cancel_contracts.mock.faults.left import (
    dated,
    dates_left,
    last_dates,
    nothing_as,
    property_left,
)
from cancel_contracts.mock.faults.whole import has, text, told
from cancel_contracts.mock.store import Resource

DELAY = 1.0  # seconds until a GET shows the effect
LATE = 0.7  # at most, where a page says how long it may take
Entity = dict[str, Any]


def words(state: str) -> list[str]:
    return re.findall(r"[A-Z]+[a-z]*|[a-z]+|[0-9]+", state)


def pascal(state: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in words(state))


def camel(state: str) -> str:
    written = pascal(state)
    return written[:1].lower() + written[1:]


def other_l(state: str) -> str:
    """Write cancelled with one l for two, or the other way round."""
    if re.search("cancelled", state, re.IGNORECASE):
        return re.sub("(?i)(cancel)l(ed)", r"\1\2", state)
    return re.sub("(?i)(cance)l(ed)", r"\1ll\2", state)


def spelled(how: Callable[[str], str]) -> Change:
    return lambda desk: setattr(desk, "spell", how)


def spelling(how: Callable[[str], str]) -> Applies:
    """Some state of the contract is written otherwise so."""
    return lambda contract: (
        leeway.states_may(how)(contract)
        and any(how(state) != state for state in contract.lifecycle.states if state != GONE)
    )


def late(seconds: Callable[[Contract], float]) -> Change:
    """Let a GET show the effect of a cancel so many seconds after it."""

    def change(desk: Desk) -> None:
        delay, hides = seconds(desk.contract), desk.hides

        def waits(resource: Resource) -> bool:
            changed_at = resource.changed_at
            return changed_at > 0 and time.monotonic() - changed_at < delay

        def view(resource: Resource, entity: Entity) -> Entity:
            return dict(resource.entity_before) if waits(resource) else entity

        desk.views.insert(0, view)  # what others do to a GET, they do to what it was as well
        desk.hides = lambda resource: hides(resource) and not waits(resource)

    return change


def a_second_is_in_time(contract: Contract) -> bool:
    within = contract.lifecycle.within
    return within is None or within > 1.5 * DELAY


def in_time(contract: Contract) -> float:
    """Return how long an effect takes that is late and within what a page gives it, in seconds."""
    return min(LATE, 0.6 * (contract.lifecycle.within or 0.0))


def at_once(desk: Desk) -> None:
    desk.takes = 0.0


def gone_for_good(desk: Desk) -> None:
    desk.gone_status = 410


def told_elsewhere(contract: Contract) -> bool:
    """What a cancel records is told by its answer, where anything is recorded."""
    return not contract.lifecycle.records or entry.entity(contract)


def least(desk: Desk) -> None:
    """Show the id, the state and what a cancel leaves, and nothing else."""
    kept = ("id", *desk.contract.lifecycle.places, *desk.contract.lifecycle.leaves)
    desk.views.append(lambda resource, entity: {k: v for k, v in entity.items() if k in kept})


def one_property(index: int) -> Change:
    """Show the state in one property alone; the others stay as the example has them."""

    def change(desk: Desk) -> None:
        shows, example = desk.contract.lifecycle.shows, shape.entity_example(desk.contract)
        rest = {name: example[name] for name in shows if name != shows[index] and name in example}
        desk.views.append(lambda resource, entity: {**entity, **rest})

    return change


def last_property(word: Callable[[Desk, Call], str]) -> Change:
    """Write the last of the properties of the state in words of the house, at each cancel."""

    def act(desk: Desk, call: Call) -> None:
        call.found.entity[desk.contract.lifecycle.shows[-1]] = word(desk, call)

    return kit.after("effect", act)


def in_turns(desk: Desk, call: Call) -> str:
    return desk.after.upper() if call.number % 2 else desk.after.lower()


def from_where(desk: Desk, call: Call) -> str:
    return f"{desk.after}From{pascal(call.found.first_state)}"


def several(word: str) -> Applies:
    """Several properties show the state, and the last may hold this word."""

    def shown(contract: Contract) -> bool:
        last = contract.lifecycle.shows[-1]
        return leeway.shows_may(lambda entity: {**entity, last: word})(contract)

    return all_of(observable, entry.named_after, entry.shows_several, shown)


def list_repeat(desk: Desk, call: Call) -> None:
    """Put who repeats a cancel into the list of those who made one."""
    shape.add_to_list(call.found.entity, desk.contract.lifecycle, call.caller.sub)


def done_again(change: Change) -> Change:
    """Answer a repeat as done, once something is noted of it."""
    return kit.together(change, kit.edit(REPEATED, kit.as_success))


def elsewhere(desk: Desk) -> None:
    """Show a cancel in a property of its own, and leave the state as it was."""

    def view(resource: Resource, entity: Entity) -> Entity:
        if not resource.changed_at:
            return entity
        return {**resource.entity_before, "cancellationRequested": True}

    desk.views.insert(0, view)


def timed(desk: Desk) -> None:
    """Tell in a GET, to the second, when it was looked: the same twice, then another.

    The seconds are counted in looks, so that it does not take luck to see one end.
    """
    looks = [0]

    def view(resource: Resource, entity: Entity) -> Entity:
        looks[0] += 1
        moment = f"2024-10-21T11:{looks[0] // 180 % 60:02}:{looks[0] // 3 % 60:02}Z"
        return {**entity, "servedAt": moment, "cache": {"node": "a", "filled": moment}}

    desk.views.append(view)


def hidden(desk: Desk) -> None:
    desk.observable = False


def folded(desk: Desk) -> None:
    desk.store.fold = str.lower


VARIANTS: tuple[Variant, ...] = (
    Variant("states-in-pascal-case", "States are spelled in PascalCase.", spelling(pascal),
            spelled(pascal), settles="spelling of states"),
    Variant("states-in-camel-case", "States are spelled in camelCase.", spelling(camel),
            spelled(camel), settles="spelling of states"),
    Variant("cancelled-in-the-other-spelling", "Cancelled has one l for two, or two for one.",
            all_of(entry.named_after, spelling(other_l)), spelled(other_l),
            settles="spelling of states"),
    Variant("state-in-the-first-property", "The state shows in the first of its properties alone.",
            all_of(observable, entry.shows_several), one_property(0),
            settles="property of the state"),
    Variant("state-in-the-last-property", "The state shows in the last of its properties alone.",
            all_of(observable, entry.shows_several), one_property(-1),
            settles="property of the state"),
    Variant("last-property-left-alone",
            "A cancel leaves the last of the properties of the state as it was.",
            several("submitted"), property_left(-1, kit.every), settles="property of the state"),
    Variant("last-property-in-either-case",
            "The last of the properties of the state comes in capitals or in small letters.",
            several("CANCELED"), last_property(in_turns), settles="property of the state"),
    Variant("last-property-tells-from-where",
            "The last of the properties of the state says which was cancelled.",
            several("canceledFromAccepted"), last_property(from_where),
            settles="property of the state"),
    Variant("effect-visible-after-a-second", "A GET shows the effect a second later.",
            all_of(observable, a_second_is_in_time), late(lambda contract: DELAY),
            settles="when the effect shows"),
    Variant("effect-late-but-in-time",
            "A GET shows the effect late, and within the time that is documented.",
            all_of(observable, lambda c: c.lifecycle.within is not None), late(in_time),
            settles="when the effect shows"),
    Variant("effect-at-once", "A cancel takes effect at once, without a state between.",
            all_of(observable, lambda c: bool(c.lifecycle.through)), at_once,
            settles="when the effect shows"),
    Variant("gone-answered-410", "The GET of what is gone is answered 410.",
            all_of(observable, lambda c: GONE in (*c.lifecycle.after, *c.lifecycle.final)),
            gone_for_good),
    Variant("effect-in-another-property", "A cancel shows in a property beside the state.",
            all_of(observable, not_(entry.named_after)), elsewhere, settles="what a GET shows"),
    Variant("least-entity", "A GET shows the id and the state alone.",
            all_of(observable, told_elsewhere), least,
            settles="what a GET shows"),
    Variant("last-date-left-alone", "A cancel does not count as a change of the last date.",
            all_of(dated, observable), dates_left(kit.every)),
    Variant("repeats-done-and-noted", "A repeat is answered as done, and moves the last date.",
            all_of(dated, observable, leeway.final_is_open),
            done_again(moving(REPEATED, lambda contract: tuple(last_dates(contract))))),
    Variant("repeats-done-and-listed", "A repeat is answered as done, and stands in the list.",
            all_of(listed, observable, leeway.final_is_open),
            done_again(kit.edit(REPEATED, kit.doing(list_repeat)))),
    Variant("words-where-no-text-comes", "Where no text comes, a sentence is kept.",
            all_of(entry.records, observable), nothing_as("No reason was given.")),
    Variant("answer-loads-nothing", "An answer has null for texts that a GET shows.",
            all_of(entry.entity, has(text)), told(text, lambda v: None, -1)),
    Variant("clock-of-its-own", "The dates of a cancel are by a clock that goes wrong.",
            all_of(stamped, observable), off_by(minutes=37)),
    Variant("time-of-the-look", "A GET tells when it was answered, to the second.", observable,
            timed),
    Variant("no-get-route", "The resource has no GET route.",
            observable, hidden, {"observe": "no GET route"}),
    Variant("ids-compared-without-case", "Ids are compared without case.", always, folded,
            settles="what ids are alike"),
)  # fmt: skip
