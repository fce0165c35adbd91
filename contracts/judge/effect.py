"""The facets that need to know what became of the resource: effect, neighbour, entity, keeps.

Pure. An effect is read from the GET of the resource; where a target has none, from how a second
call is answered.
"""

from __future__ import annotations

import json
from typing import Any

from contracts.exchange import Exchange
from contracts.judge.context import Context
from contracts.judge.facets import SHOWN_BYTES, Facet, Finding, answer
from contracts.observation import (
    Observation,
    describe,
    differs,
    is_cancelled,
    shown,
    took_effect,
    unchanged,
)
from contracts.spec.given import permission_of
from contracts.spec.model import canonical


def effect(context: Context, exchange: Exchange, wanted: str) -> Finding | None:
    if exchange.situation.resource == "odd":
        return None
    if wanted == "as-answered":
        if exchange.status is None:
            return None
        wanted = "cancelled" if exchange.status // 100 == 2 else "none"
    return {"cancelled": _cancelled, "none": _none, "kept": _kept}[wanted](context, exchange)


def _cancelled(context: Context, exchange: Exchange) -> Finding | None:
    life = context.contract.lifecycle
    before, looks = context.before(exchange), context.later(exchange)
    told = [(o, took_effect(life, before, o, context.volatile)) for o in looks]
    known = [(o, effect) for o, effect in told if effect is not None]
    if not known or not context.observable:
        return _by_contrast(context, exchange)
    done = any(effect for _, effect in known)
    seen = describe(life, known[-1][0])
    same = " still" if before and not differs(before, known[-1][0], context.volatile) else ""
    expected = "the effect shows" if not life.after else f"the GET shows {' or '.join(life.after)}"
    return Finding(done, expected, f"{answer(exchange)}; the GET shows{same} {seen}")


def _by_contrast(context: Context, exchange: Exchange) -> Finding | None:
    """Without a GET: a call that is refused once the same call has succeeded shows that the first
    took effect.
    """
    calls = context.scene(exchange.scenario).calls
    again = [x for x in calls if x.position > exchange.position and x.situation.call == "second"]
    if exchange.status is None or exchange.status // 100 != 2 or not again:
        return None
    if again[0].status is None or again[0].status // 100 != 4 or again[0].status == 429:
        return None
    return Finding(True, "the effect shows", f"the same call again is answered {again[0].status}")


def _none(context: Context, exchange: Exchange) -> Finding | None:
    life = context.contract.lifecycle
    before, after = context.before(exchange), context.after(exchange)
    if exchange.situation.resource == "unknown":
        if after is None:
            return None
        actual = f"{answer(exchange)}; the GET shows {describe(life, after)}"
        return Finding(after.gone, "the id still names nothing", actual)
    if before is None or after is None or before.gone or not context.observable:
        return None
    if exchange.situation.call == "concurrent":
        return None  # what shows may be the other call's doing
    ok = unchanged(life, before, after, context.volatile)
    expected = f"no effect: {describe(life, before)}"
    return Finding(ok, expected, f"{answer(exchange)}; the GET shows {describe(life, after)}")


def _kept(context: Context, exchange: Exchange) -> Finding | None:
    """What the first call did still stands. Its effect may show late; it must not show and then be
    gone.
    """
    life = context.contract.lifecycle
    first = context.scene(exchange.scenario).calls[0]
    start, mid, end = context.before(first), context.before(exchange), context.after(exchange)
    if start is None or mid is None or end is None or start.gone or not context.observable:
        return None
    actual = f"{answer(exchange)}; the GET shows {describe(life, end)}"
    expected = f"what the first call left: {describe(life, mid)}"
    if end.entity is None:
        return Finding(mid.gone, expected, actual)
    if life.after and mid.entity is not None:
        lost = is_cancelled(life, mid.entity) and not is_cancelled(life, end.entity)
        return Finding(not lost, expected, actual)
    # Where no page names the state after, it may go through several. It must not come back to one
    # that can be cancelled.
    open_again = {canonical(state) for state in life.cancellable} & set(shown(life, end.entity))
    moved = mid.entity is not None and shown(life, mid.entity) != shown(life, end.entity)
    taken_back = not unchanged(life, start, mid, context.volatile) and (
        unchanged(life, start, end, context.volatile) or (moved and bool(open_again))
    )
    return Finding(not taken_back, expected, actual)


def neighbour(context: Context, exchange: Exchange, _: Any) -> Finding | None:
    before = context.before(exchange, "neighbour")
    if before is None or before.gone:
        return None
    after = context.after(exchange, "neighbour", before.exchange.resource)
    if after is None:
        return None
    life = context.contract.lifecycle
    ok = unchanged(life, before, after, context.volatile)
    expected = f"another resource stays {describe(life, before)}"
    return Finding(ok, expected, f"it shows {describe(life, after)}")


def keeps(context: Context, exchange: Exchange, names: list[str]) -> Finding | None:
    before, after = context.before(exchange), context.after(exchange)
    if before is None or after is None or before.entity is None or after.entity is None:
        return None
    sent = _sent(exchange)
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
    found = [f for kind in wanted if (f := _ENTITY[kind](context, exchange)) is not None]
    return next((f for f in found if not f.ok), found[0] if found else None)


def _returned(exchange: Exchange) -> dict[str, Any] | None:
    try:
        value = exchange.received.json() if exchange.received else None
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _sent(exchange: Exchange) -> dict[str, Any]:
    try:
        value = json.loads(exchange.sent.body.decode("utf-8"))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _id(_: Context, exchange: Exchange) -> Finding | None:
    if (value := _returned(exchange)) is None:
        return None
    found = value.get("id")
    ok = isinstance(found, str) and found.casefold() == exchange.resource.casefold()
    return Finding(ok, f"id {exchange.resource!r}", f"id {found!r:.{SHOWN_BYTES}}")


def _state(context: Context, exchange: Exchange) -> Finding | None:
    if (value := _returned(exchange)) is None:
        return None
    life = context.contract.lifecycle
    actual = ", ".join(f"{p} {value.get(p)!r:.{SHOWN_BYTES}}" for p in life.shows)
    return Finding(is_cancelled(life, value), f"the state {' or '.join(life.after)}", actual)


def _set(context: Context, exchange: Exchange) -> Finding | None:
    if (value := _returned(exchange)) is None:
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
    sent, returned, look = _sent(exchange), _returned(exchange), _settled(context, exchange)
    told: Finding | None = None
    for name, source in context.contract.lifecycle.records.items():
        if not isinstance(sent.get(source), str):
            continue
        places = (("the answer", returned), ("the GET", look.entity if look else None))
        shows = [(where, found[name]) for where, found in places if found and name in found]
        expected = f"{name} {sent[source]!r:.{SHOWN_BYTES}}"
        if not shows and returned is not None:
            return Finding(False, expected, f"{name} is nowhere")
        for where, value in shows:
            if value != sent[source]:
                return Finding(False, expected, f"{where} says {value!r:.{SHOWN_BYTES}}")
        if shows:
            told = Finding(True, expected, "as sent")
    return told


def _agrees(context: Context, exchange: Exchange) -> Finding | None:
    returned, look = _returned(exchange), _settled(context, exchange)
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


_ENTITY = {"id": _id, "state": _state, "recorded": _recorded, "set": _set, "agrees": _agrees}


def not_recorded(context: Context, exchange: Exchange, _: Any) -> Finding | None:
    """What was sent under another name is not kept under this one."""
    if exchange.status is None or exchange.status // 100 != 2:
        return None
    sent = set(map(str, _sent(exchange).values()))
    look = _settled(context, exchange)
    for found in (_returned(exchange), look.entity if look else None):
        for name in context.contract.lifecycle.records:
            if found and found.get(name) in sent:
                return Finding(False, f"{name} without what was sent", f"{name} {found[name]!r}")
    return Finding(True, "not kept", "not kept")


def accepts(context: Context, exchange: Exchange, permission: str) -> Finding | None:
    """The identity with this permission succeeds; one with another may, or is refused without
    effect.
    """
    if exchange.status is None:
        return None
    own = permission_of(exchange.situation.identity) in (None, permission)
    if exchange.status // 100 == 2:
        return _cancelled(context, exchange) or Finding(True, "accepted", answer(exchange))
    if own or exchange.status not in (401, 403):
        return Finding(False, f"accepted with {permission}", answer(exchange))
    return _none(context, exchange) or Finding(True, "refused", answer(exchange))


def connection(context: Context, exchange: Exchange, _: Any) -> Finding | None:
    """The call after a success, on the same connection, is answered."""
    expected = "the next call on the connection is answered 2xx"
    if exchange.received is not None:
        ok = exchange.received.error is None and exchange.received.status // 100 == 2
        return Finding(ok, expected, answer(exchange))
    if exchange.failure == "closed" and exchange.reused:
        # RFC 9112 section 9.5: a server may close an idle connection at any time. One that has done
        # what the call
        # asked for has read it, and owes the answer.
        done = _cancelled(context, exchange)
        if done is None or not done.ok:
            return Finding(True, expected, "the server closed the idle connection")
        return Finding(False, expected, "the call took effect and was not answered")
    return Finding(False, expected, answer(exchange))


EFFECTS: dict[str, Facet] = {
    "effect": effect,
    "neighbour": neighbour,
    "keeps": keeps,
    "entity": entity,
    "not-recorded": not_recorded,
    "accepts": accepts,
    "connection": connection,
}
