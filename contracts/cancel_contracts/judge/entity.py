"""The facets of the entity: what a success returned of the resource, what a GET shows of the same,
and what is kept of a request in it.

Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cancel_contracts.contract.places import opened, place
from cancel_contracts.contract.states import Lifecycle, canonical, folded
from cancel_contracts.exchange import Exchange
from cancel_contracts.judge.context import Context
from cancel_contracts.judge.facets import NOT_RECORDED, SHOWN_BYTES, Facet, Finding, Told
from cancel_contracts.judge.moments import answered, in_order, same_moment
from cancel_contracts.judge.sent import sent_object
from cancel_contracts.needs import NO_GET, Gap
from cancel_contracts.parse import identifier
from cancel_contracts.sight.digest import stands_for
from cancel_contracts.sight.observation import Observation, is_between, is_cancelled

TELLING_NUMBER, TELLING_CHARS = 1000, 4
# What languages write for nothing, where a text is wanted.
NOTHING = frozenset({"null", "none", "nil", "undefined", "nan", "(null)", "<null>"})


def keeps(context: Context, exchange: Exchange, name: str) -> Told:
    """Whether a call leaves a property alone; a GET that does not show it tells nothing of it."""
    name = place(name)
    before, after = context.sight.before(exchange), context.sight.after(exchange)
    if before is None and after is not None and after.entity and name not in after.entity:
        return None
    if before is None or after is None or before.entity is None or after.entity is None:
        return NO_GET
    if name not in before.entity and name not in after.entity:
        return None
    was, now = before.entity.get(name), after.entity.get(name)
    ours = now is not None and now in sent_object(context.contract, exchange).values()
    ok = now == was or (was is None and not ours)
    return Finding(ok, f"{name} stays {was!r}", f"{name} is {now!r:.{SHOWN_BYTES}}")


def entity(context: Context, exchange: Exchange, wanted: str) -> Told:
    """Judge the resource that a success returned, and what the GET shows of the same."""
    if not exchange.succeeded:
        return None
    told = _MEMBERS[wanted](context, exchange)
    lost = exchange.received is not None and "body" in exchange.received.unrecorded
    return NOT_RECORDED if told is None and lost else told


def returned_object(exchange: Exchange) -> dict[str, Any] | None:
    value = exchange.received.json() if exchange.received else None
    return value if isinstance(value, dict) else None


def returned_entity(context: Context, exchange: Exchange) -> dict[str, Any] | None:
    """Return the entity of an answer, opened as the lifecycle has it, or None."""
    value = returned_object(exchange)
    return None if value is None else opened(value, context.contract.lifecycle.ways)


def _id(context: Context, exchange: Exchange) -> Finding | None:
    if (value := returned_entity(context, exchange)) is None:
        return None
    found = value.get("id")
    ok = (identifier(found) or "").casefold() == exchange.resource.casefold()
    ok = ok and context.contract.id.is_shown_as(found)
    return Finding(ok, f"id {exchange.resource!r}", f"id {found!r:.{SHOWN_BYTES}}")


def _state(context: Context, exchange: Exchange) -> Finding | None:
    if (value := returned_entity(context, exchange)) is None:
        return None
    life = context.contract.lifecycle
    actual = ", ".join(f"{p} {value.get(p)!r:.{SHOWN_BYTES}}" for p in life.places)
    ok = is_cancelled(life, value) or is_between(life, value)
    return Finding(ok, f"the state {' or '.join((*life.after, *life.through))}", actual)


def _set(context: Context, exchange: Exchange) -> Finding | None:
    if (value := returned_entity(context, exchange)) is None:
        return None
    empty = [name for name in context.contract.lifecycle.sets if not value.get(name)]
    expected = " and ".join(context.contract.lifecycle.sets) + " set"
    return Finding(not empty, expected, f"{', '.join(empty)} not set" if empty else "set")


def settled(context: Context, exchange: Exchange) -> Observation | Gap | None:
    """Return the look after this call, or None where that does not show the cancel done."""
    life = context.contract.lifecycle
    after = context.sight.after(exchange)
    if after is None or after.entity is None:
        return None if after is not None and context.sight.observable else NO_GET
    return after if not life.after or is_cancelled(life, after.entity) else None


def _places(context: Context, exchange: Exchange) -> tuple[dict[str, Mapping[str, Any]], bool]:
    """Return the entity as the answer and the GET show it, and whether there was a look."""
    look, returned = settled(context, exchange), returned_entity(context, exchange)
    places: dict[str, Mapping[str, Any]] = {}
    if returned is not None:
        places["the answer"] = returned
    if isinstance(look, Observation) and look.entity is not None:
        places["the GET"] = look.entity
    return places, not isinstance(look, Gap)


def _recorded(context: Context, exchange: Exchange) -> Told:
    """A sent value is kept: in the entity returned and in the GET, wherever these show the
    property. Where none is sent, a word for nothing is not kept as a text, nor what a call for
    another resource gave.
    """
    sent = sent_object(context.contract, exchange)
    places, looked = _places(context, exchange)
    told: Told = None
    for name, source in context.contract.lifecycle.records.items():
        shows = [(where, found[name]) for where, found in places.items() if name in found]
        if sent.get(source) is None:
            for where, value in shows:
                if isinstance(value, str) and value.strip().casefold() in NOTHING:
                    return Finding(False, f"{name} as without one", f"{where} says {value!r}")
                if (kept := _kept_under(context, exchange, name, value)) is not None:
                    return Finding(False, f"{name} as without one", f"{where} says what {kept} is")
                given = context.given.get(value, ()) if isinstance(value, str) else ()
                if given and exchange.resource not in given:
                    actual = f"{where} says what another call gave, {value!r:.{SHOWN_BYTES}}"
                    return Finding(False, f"{name} as without one", actual)
                told = Finding(True, f"{name} as without one", "none is made up")
            continue
        if not isinstance(sent[source], str):
            continue
        expected = f"{name} {sent[source]!r:.{SHOWN_BYTES}}"
        if not shows and len(places) == 2:
            return Finding(False, expected, f"{name} is nowhere")
        for where, value in shows:
            if not stands_for(value, sent[source]):
                return Finding(False, expected, f"{where} says {value!r:.{SHOWN_BYTES}}")
        if shows:
            told = Finding(True, expected, "as sent")
        elif not looked:
            return NO_GET
    return told


def _kept_under(context: Context, exchange: Exchange, name: str, value: Any) -> str | None:
    """Return under which other name the resource kept a text before the call, or None."""
    before = context.sight.before(exchange)
    if before is None or not before.entity or not isinstance(value, str):
        return None
    kept = (n for n, v in before.entity.items() if n != name and v == value)
    return next(kept, None) if value and before.entity.get(name) != value else None


def _agrees(context: Context, exchange: Exchange) -> Told:
    returned, look = returned_entity(context, exchange), settled(context, exchange)
    if returned is None or look is None:
        return None
    if isinstance(look, Gap):
        return look
    life, shown = context.contract.lifecycle, look.entity or {}
    before = context.sight.before(exchange)
    was = (before.entity if before else None) or {}
    alike = context.contract.properties - {*life.touches, *context.sight.volatile}
    alike |= {*life.places, *life.records}
    if is_between(life, returned) or (life.within and not is_cancelled(life, returned)):
        alike -= {*life.places, *life.leaves, *life.sets}  # answered while it was under way
    for name in sorted(alike):
        said, kept = returned.get(name), shown.get(name)
        # What one of the two leaves out, or does not know yet, is no contradiction. That there is
        # nothing where other answers tell it, and the GET before and after, is one.
        emptied = name in returned and said is None and was.get(name) == kept
        if kept is None or (said is None and not (emptied and name in context.answering)):
            continue
        same = stands_for(kept, said)
        if name in life.places:
            same = canonical(str(said)) == canonical(str(kept))
        if not same and not same_moment(said, kept):
            return Finding(False, f"the GET agrees: {name} {said!r:.{SHOWN_BYTES}}", f"{kept!r}")
    return Finding(True, "the GET agrees", "agrees")


def _ordered(context: Context, exchange: Exchange) -> Told:
    """Dates come in their order, in the answer and in the GET after it."""
    look, before = settled(context, exchange), context.sight.before(exchange)
    shown = None if look is None or isinstance(look, Gap) else look.entity
    was, now = (before.entity if before else None) or {}, answered(context, exchange)
    found = [
        in_order(context.contract.lifecycle, entity, was, now)
        for entity in (returned_entity(context, exchange), shown)
        if entity is not None
    ]
    told = [one for one in found if one is not None]
    return next((one for one in told if not one.ok), told[-1] if told else None)


_MEMBERS: dict[str, Callable[[Context, Exchange], Told]] = {
    "id": _id,
    "state": _state,
    "recorded": _recorded,
    "set": _set,
    "agrees": _agrees,
    "ordered": _ordered,
}


def not_recorded(context: Context, exchange: Exchange, _: Any) -> Told:
    """What was sent under another name is not kept under this one."""
    if not exchange.succeeded:
        return None
    sent = set(map(str, sent_object(context.contract, exchange).values()))
    places, looked = _places(context, exchange)
    for found in places.values():
        for name in context.contract.lifecycle.records:
            if isinstance(found.get(name), str) and found[name] in sent:
                return Finding(False, f"{name} without what was sent", f"{name} {found[name]!r}")
    return Finding(True, "not kept", "not kept") if places or looked else NO_GET


def assigns(context: Context, exchange: Exchange, _: Any) -> Told:
    """What a body says of the resource is not written into it: a value that was not there before
    shows nowhere under its name (mass assignment). What is recorded, and the state that a cancel
    leads to, may.
    """
    life, sent = context.contract.lifecycle, sent_object(context.contract, exchange)
    said = {
        name: value
        for name, value in opened(sent, life.ways).items()
        if _telling(value) and not _due(life, name, value, exchange.succeeded)
    }
    before, after = context.sight.before(exchange), context.sight.after(exchange)
    if not said or (after is not None and after.gone and life.vanishes):
        return None
    if exchange.situation.state is None:
        return None  # under its id there is nothing to write into
    if before is None or after is None or before.entity is None or after.entity is None:
        return NO_GET
    expected = "nothing that the body says is written"
    for entity in (after.entity, returned_entity(context, exchange) or {}):
        for name, value in said.items():
            if entity.get(name) == value and before.entity.get(name) != value:
                return Finding(False, expected, f"{name} is {value!r:.{SHOWN_BYTES}}")
    return Finding(True, expected, "as before")


def _due(life: Lifecycle, name: str, value: Any, done: bool) -> bool:
    """Whether a cancel, or time, may bring about what a body says: what is recorded of it, the
    state that a cancel leads to, and any state of what was not cancelled.
    """
    if name in life.records.values() or life.leaves.get(name) == value:
        return True
    if name in life.places and not (done and life.after):
        return True
    ends = (*life.after, *life.through)
    if any(folded(sign.get(name)) == folded(value) for end in ends for sign in life.signs(end)):
        return True  # a state that several properties tell
    return isinstance(value, str) and canonical(value) in map(canonical, ends)


def _telling(value: Any) -> bool:
    """Whether a value is unlikely to come about by itself, as null, true, 0 or a word may."""
    if isinstance(value, (bool, int, float)):
        return abs(value) >= TELLING_NUMBER
    return bool(value) and (not isinstance(value, str) or len(value) >= TELLING_CHARS)


ENTITY: dict[str, Facet] = {
    "entity": entity,
    "keeps": keeps,
    "assigns": assigns,
    "not-recorded": not_recorded,
}
