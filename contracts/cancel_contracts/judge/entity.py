"""The facets of the entity: what a success returned of the resource, what a GET shows of the same,
and what is kept of a request in it.

Pure.
"""

from __future__ import annotations

from typing import Any

from cancel_contracts.contract.model import canonical
from cancel_contracts.exchange import Exchange
from cancel_contracts.judge.context import Context
from cancel_contracts.judge.facets import SHOWN_BYTES, Facet, Finding
from cancel_contracts.observation import Observation, is_cancelled
from cancel_contracts.parse import json_value


def keeps(context: Context, exchange: Exchange, names: list[str]) -> Finding | None:
    before, after = context.before(exchange), context.after(exchange)
    if before is None or after is None or before.entity is None or after.entity is None:
        return None
    sent = sent_object(exchange)
    told = False
    for name in names:
        if name not in before.entity and name not in after.entity:
            continue
        told = True
        was, now = before.entity.get(name), after.entity.get(name)
        ours = now is not None and any(now == value for value in sent.values())
        if now != was and (was is not None or ours):
            return Finding(False, f"{name} stays {was!r}", f"{name} is {now!r:.{SHOWN_BYTES}}")
    return Finding(True, "kept", "kept") if told else None


def entity(context: Context, exchange: Exchange, wanted: list[str]) -> Finding | None:
    """Judge the resource that a success returned, and what the GET shows of the same."""
    if exchange.status is None or exchange.status // 100 != 2:
        return None
    found = [f for kind in wanted if (f := _MEMBERS[kind](context, exchange)) is not None]
    return next((f for f in found if not f.ok), found[0] if found else None)


def returned_entity(exchange: Exchange) -> dict[str, Any] | None:
    value = exchange.received.json() if exchange.received else None
    return value if isinstance(value, dict) else None


def sent_object(exchange: Exchange) -> dict[str, Any]:
    value = json_value(exchange.sent.body)
    return value if isinstance(value, dict) else {}


def _id(_: Context, exchange: Exchange) -> Finding | None:
    if (value := returned_entity(exchange)) is None:
        return None
    found = value.get("id")
    ok = isinstance(found, str) and found.casefold() == exchange.resource.casefold()
    return Finding(ok, f"id {exchange.resource!r}", f"id {found!r:.{SHOWN_BYTES}}")


def _state(context: Context, exchange: Exchange) -> Finding | None:
    if (value := returned_entity(exchange)) is None:
        return None
    life = context.contract.lifecycle
    actual = ", ".join(f"{p} {value.get(p)!r:.{SHOWN_BYTES}}" for p in life.shows)
    return Finding(is_cancelled(life, value), f"the state {' or '.join(life.after)}", actual)


def _set(context: Context, exchange: Exchange) -> Finding | None:
    if (value := returned_entity(exchange)) is None:
        return None
    empty = [name for name in context.contract.lifecycle.sets if not value.get(name)]
    expected = " and ".join(context.contract.lifecycle.sets) + " set"
    return Finding(not empty, expected, f"{', '.join(empty)} not set" if empty else "set")


def _settled(context: Context, exchange: Exchange) -> Observation | None:
    """Return the look after this call that shows the cancel done, if any."""
    life = context.contract.lifecycle
    after = context.after(exchange)
    if after is None or after.entity is None:
        return None
    return after if not life.after or is_cancelled(life, after.entity) else None


def _recorded(context: Context, exchange: Exchange) -> Finding | None:
    """A sent value is kept: in the entity returned and in the GET, wherever these show the
    property.
    """
    sent, returned, look = (
        sent_object(exchange),
        returned_entity(exchange),
        _settled(context, exchange),
    )
    told: Finding | None = None
    for name, source in context.contract.lifecycle.records.items():
        if not isinstance(sent.get(source), str):
            continue
        places = (("the answer", returned), ("the GET", look.entity if look else None))
        shows = [(where, found[name]) for where, found in places if found and name in found]
        expected = f"{name} {sent[source]!r:.{SHOWN_BYTES}}"
        if not shows and returned is not None and look is not None:
            return Finding(False, expected, f"{name} is nowhere")
        for where, value in shows:
            if value != sent[source]:
                return Finding(False, expected, f"{where} says {value!r:.{SHOWN_BYTES}}")
        if shows:
            told = Finding(True, expected, "as sent")
    return told


def _agrees(context: Context, exchange: Exchange) -> Finding | None:
    returned, look = returned_entity(exchange), _settled(context, exchange)
    if returned is None or look is None or look.entity is None:
        return None
    life = context.contract.lifecycle
    for name in (*life.shows, *life.records):
        if name not in returned or name not in look.entity:
            continue
        said, kept = returned[name], look.entity[name]
        same = canonical(str(said)) == canonical(str(kept)) if name in life.shows else said == kept
        if not same:
            return Finding(False, f"the GET agrees: {name} {said!r:.{SHOWN_BYTES}}", f"{kept!r}")
    return Finding(True, "the GET agrees", "agrees")


_MEMBERS = {"id": _id, "state": _state, "recorded": _recorded, "set": _set, "agrees": _agrees}


def not_recorded(context: Context, exchange: Exchange, _: Any) -> Finding | None:
    """What was sent under another name is not kept under this one."""
    if exchange.status is None or exchange.status // 100 != 2:
        return None
    sent = set(map(str, sent_object(exchange).values()))
    look = _settled(context, exchange)
    for found in (returned_entity(exchange), look.entity if look else None):
        for name in context.contract.lifecycle.records:
            if found and found.get(name) in sent:
                return Finding(False, f"{name} without what was sent", f"{name} {found[name]!r}")
    return Finding(True, "not kept", "not kept")


ENTITY: dict[str, Facet] = {"entity": entity, "keeps": keeps, "not-recorded": not_recorded}
