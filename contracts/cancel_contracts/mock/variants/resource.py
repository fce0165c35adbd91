"""Variants of the resource: how states are spelled, what a GET shows, how ids are compared."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from cancel_contracts.contract.model import Contract
from cancel_contracts.mock import entry, shape
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Change, Variant, all_of, always, not_, observable
from cancel_contracts.mock.store import Resource

DELAY = 1.0  # seconds until a GET shows the effect
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
    return lambda contract: any(how(state) != state for state in contract.lifecycle.states)


def shows_several(contract: Contract) -> bool:
    return len(contract.lifecycle.shows) > 1


def late(desk: Desk) -> None:
    """Let a GET show the effect of a cancel a second after it."""

    def view(resource: Resource, entity: Entity) -> Entity:
        if resource.changed_at and time.monotonic() - resource.changed_at < DELAY:
            return dict(resource.first_entity)
        return entity

    desk.views.insert(0, view)  # what others do to a GET, they do to what it was as well


def least(desk: Desk) -> None:
    """Show the id and the state, and nothing else."""
    kept = ("id", *desk.contract.lifecycle.shows)
    desk.views.append(lambda resource, entity: {k: v for k, v in entity.items() if k in kept})


def one_property(index: int) -> Change:
    """Show the state in one property alone; the others stay as the example has them."""

    def change(desk: Desk) -> None:
        shows, example = desk.contract.lifecycle.shows, shape.entity_example(desk.contract)
        rest = {name: example[name] for name in shows if name != shows[index] and name in example}
        desk.views.append(lambda resource, entity: {**entity, **rest})

    return change


def elsewhere(desk: Desk) -> None:
    """Show a cancel in a property of its own, and leave the state as it was."""

    def view(resource: Resource, entity: Entity) -> Entity:
        if not resource.changed_at:
            return entity
        return {**resource.first_entity, "cancellationRequested": True}

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
            all_of(observable, shows_several), one_property(0), settles="property of the state"),
    Variant("state-in-the-last-property", "The state shows in the last of its properties alone.",
            all_of(observable, shows_several), one_property(-1), settles="property of the state"),
    Variant("effect-visible-after-a-second", "A GET shows the effect a second later.", observable,
            late),
    Variant("effect-in-another-property", "A cancel shows in a property beside the state.",
            all_of(observable, not_(entry.named_after)), elsewhere, settles="what a GET shows"),
    Variant("least-entity", "A GET shows the id and the state alone.", observable, least,
            settles="what a GET shows"),
    Variant("time-of-the-look", "A GET tells when it was answered, to the second.", observable,
            timed),
    Variant("no-get-route", "The resource has no GET route.",
            observable, hidden, {"observe": "no GET route"}),
    Variant("ids-compared-without-case", "Ids are compared without case.", always, folded,
            settles="what ids are alike"),
)  # fmt: skip
