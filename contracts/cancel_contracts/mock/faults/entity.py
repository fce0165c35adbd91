"""Faults of the entity that a success returns: shape, id, state, and what the request gave."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable
from typing import Any

from cancel_contracts.contract.model import Contract
from cancel_contracts.mock import entry, kit, shape
from cancel_contracts.mock.call import Call
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, breaks
from cancel_contracts.mock.filler import fits
from cancel_contracts.mock.shape import is_date
from cancel_contracts.mock.store import fresh_id

Entity = dict[str, Any]
SHAPE = (breaks("body", resource="cancellable"),)
ID = (breaks("entity", "id", resource="cancellable"), *SHAPE)
STATE = (breaks("entity", "state", resource="cancellable"), *SHAPE)
LONGEST_KEPT = 255  # characters that a careless column holds


def only_entity(change: Callable[[Desk, Call, Entity], Any]) -> Change:
    """Change what a success shows, not what is kept."""
    return kit.edit(kit.succeeded, kit.data(change))


def without(*properties: str) -> Callable[[Desk, Call, Entity], Entity]:
    return lambda desk, call, value: {k: v for k, v in value.items() if k not in properties}


def state_shown(make: Callable[[Desk, Call], str | None]) -> Change:
    """Show another state than the one that is kept, or none."""

    def change(desk: Desk, call: Call, value: Entity) -> Entity:
        shown, life = make(desk, call), desk.contract.lifecycle
        kept = {name: v for name, v in value.items() if name not in life.places}
        for sign in life.signs(shown) if shown is not None else ():
            kept |= sign
        return kept

    return only_entity(change)


AMERICAN, NO_DAY = "10/21/2024 11:25:48 AM", "2024-02-30T11:25:48Z"


def american_dates(desk: Desk, call: Call, value: Entity) -> Entity:
    return {k: AMERICAN if is_date(k) and v else v for k, v in value.items()}


def no_such_day(desk: Desk, call: Call, value: Entity) -> Entity:
    return {k: NO_DAY if is_date(k) and v else v for k, v in value.items()}


def no_date_is(text: str) -> Applies:
    """A success returns the entity, and the schema of a date in it refuses such a text."""

    def applies(contract: Contract) -> bool:
        dates = [s for k, s in shape.entity_properties(contract).items() if is_date(k)]
        return entry.entity(contract) and any(not fits(schema, text) for schema in dates)

    return applies


def latin_1(desk: Desk, call: Call, value: Entity) -> Entity:
    return {**value, "note": "résumé"}


def kept_as(change: Callable[[Desk, str], Any], when: kit.When = kit.every) -> Change:
    """Keep something else than the text that the request gave."""

    def act(desk: Desk, call: Call) -> None:
        if not when(desk, call):
            return
        for prop in desk.contract.lifecycle.records:
            if isinstance(text := call.found.entity.get(prop), str):
                call.found.entity[prop] = change(desk, text)

    return kit.after("effect", act)


def namesakes(contract: Contract, prop: str) -> list[str]:
    """Return the other texts of the entity that end in the same word, such as Comment."""
    word = re.findall("[A-Z]?[a-z]+$", prop)[0]
    entity = shape.entity_example(contract)
    return [k for k, v in entity.items() if k != prop and k.endswith(word) and isinstance(v, str)]


def has_namesakes(contract: Contract) -> bool:
    return any(namesakes(contract, prop) for prop in contract.lifecycle.records)


def over_own_text(desk: Desk, call: Call) -> None:
    for prop in desk.contract.lifecycle.records:
        for name in namesakes(desk.contract, prop):
            call.found.entity[name] = call.found.entity[prop]


def with_charset(desk: Desk, call: Call) -> bool:
    return "charset" in call.headers.get("content-type", "")


def unset(desk: Desk, call: Call) -> None:
    for prop in desk.contract.lifecycle.sets:
        call.found.entity[prop] = None


def shown_not_stored(desk: Desk) -> None:
    """Show the text in the answer and keep nothing of it."""

    def touch(call: Call, value: Entity) -> Entity:
        for prop in desk.contract.lifecycle.records:
            call.found.entity[prop] = None
        return value

    only_entity(lambda desk_, call, value: touch(call, value))(desk)


def stored_not_shown(desk: Desk, call: Call, value: Entity) -> Entity:
    return {**value, **dict.fromkeys(desk.contract.lifecycle.records)}


def previous_text(desk: Desk) -> None:
    """Keep the text of the call before."""
    last: list[str] = [""]

    def change(_: Desk, text: str) -> str:
        last.append(text)
        return last[-2]

    kept_as(change)(desk)


def to_latin_1(body: bytes) -> bytes:
    return body.decode("utf-8").encode("latin-1", "replace")


def mojibake(text: str) -> str:
    return text.encode("utf-8", "replace").decode("latin-1")


def fault(
    name: str,
    says: str,
    broken: tuple[Breaks, ...],
    change: Change,
    applies: Applies = entry.entity,
) -> Fault:
    return Fault(name, "entity", says, broken, applies, change)


def text_fault(name: str, says: str, change: Change) -> Fault:
    broken = (breaks("entity", "recorded agrees", body="documented json"),)
    return fault(name, says, broken, change, entry.all_of(entry.records, entry.entity))


FAULTS: tuple[Fault, ...] = (
    fault("entity-without-id", "The entity has no id.", ID, only_entity(without("id"))),
    fault("entity-with-numeric-id", "The id of the entity is a number.", ID,
          only_entity(lambda d, c, v: {**v, "id": 42})),
    fault("entity-of-another-id", "The entity has another resource's id.", ID,
          only_entity(lambda d, c, v: {**v, "id": fresh_id()})),
    fault("entity-with-unknown-state", "The entity shows a state that the page does not list.",
          STATE, state_shown(lambda d, c: "Zapped")),
    fault("entity-with-former-state", "The entity shows the state before the cancel.", STATE,
          state_shown(lambda d, c: c.found.first_state)),
    fault("entity-without-state", "The entity shows no state.", STATE,
          state_shown(lambda d, c: None)),
    fault("entity-with-american-dates", "Dates in the entity are not ISO 8601.", SHAPE,
          only_entity(american_dates), no_date_is(AMERICAN)),
    fault("entity-with-a-day-that-is-none", "A date in the entity is that of no day.", SHAPE,
          only_entity(no_such_day), no_date_is(NO_DAY)),
    fault("entity-as-text", "The entity comes as text/plain.", SHAPE,
          kit.edit(kit.succeeded, kit.header("Content-Type", "text/plain"))),
    fault("entity-in-a-list", "The entity comes in a list.", SHAPE,
          only_entity(lambda d, c, v: [v])),
    fault("entity-in-a-value", "The entity comes in the wrapper of a collection.", SHAPE,
          only_entity(lambda d, c, v: {"value": [v]})),
    fault("entity-as-broken-json", "The JSON of the entity breaks off.", SHAPE,
          kit.edit(kit.succeeded, kit.raw(lambda body: body[:-1]))),
    fault("entity-empty-object", "The entity is {}.", SHAPE, only_entity(lambda d, c, v: {})),
    fault("entity-left-out", "A success has no body, where the entity is to be returned.", SHAPE,
          kit.edit(kit.succeeded, kit.payload(b"", None))),
    fault("entity-in-latin-1", "The entity is encoded as Latin-1.", SHAPE,
          kit.edit(kit.succeeded, kit.data(latin_1), kit.raw(to_latin_1))),
    fault("dates-not-set", "The entity does not say when and by whom it was cancelled.",
          (breaks("entity", "set", resource="cancellable"),),
          kit.after("effect", unset), entry.all_of(entry.sets, entry.entity)),
    text_fault("text-lost", "What the request gave is not kept.", kept_as(lambda d, t: None)),
    fault("text-lost-beside-a-charset", "With a charset parameter the text is not kept.",
          (breaks("entity", "recorded", content_type="application/json; charset=utf-8"),),
          kept_as(lambda d, t: None, with_charset), entry.all_of(entry.records, entry.entity)),
    fault("entity-with-a-number-that-is-none", "The entity has a NaN.", SHAPE,
          only_entity(lambda d, c, v: {**v, "score": float("nan")})),
    fault("text-over-that-of-another",
          "What the request gave is kept over a text of the resource's own, too.",
          (breaks("keeps", resource="cancellable", answer="2xx"),),
          kit.after("effect", over_own_text),
          entry.all_of(entry.records, entry.entity, has_namesakes)),
    text_fault("text-truncated", f"What the request gave is cut at {LONGEST_KEPT} characters.",
               kept_as(lambda d, t: t[:LONGEST_KEPT])),
    text_fault("text-as-mojibake", "What the request gave is read as Latin-1.",
               kept_as(lambda d, t: mojibake(t))),
    text_fault("text-with-astral-replaced", "Characters beyond U+FFFF become question marks.",
               kept_as(lambda d, t: "".join("?" if ord(c) > 0xFFFF else c for c in t))),
    text_fault("text-html-escaped", "What the request gave is kept with HTML escapes.",
               kept_as(lambda d, t: html.escape(t))),
    text_fault("text-trimmed", "Blanks at the ends of what the request gave are taken away.",
               kept_as(lambda d, t: t.strip())),
    text_fault("text-composed", "What the request gave is kept in Unicode's composed form.",
               kept_as(lambda d, t: unicodedata.normalize("NFC", t))),
    text_fault("text-of-the-previous-call", "What the previous request gave is kept.",
               previous_text),
    text_fault("text-shown-not-stored", "The answer shows it, a later GET does not.",
               shown_not_stored),
    text_fault("text-stored-not-shown", "A later GET shows it, the answer does not.",
               only_entity(stored_not_shown)),
)  # fmt: skip
