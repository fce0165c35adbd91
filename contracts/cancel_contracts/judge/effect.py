"""The facets that need to know what became of the resource: effect, neighbour, accepts, connection.

Pure. An effect is read from the GET of the resource; where a target has none, from how a second
call is answered.
"""

from __future__ import annotations

from typing import Any

from cancel_contracts.contract.given import permission_of
from cancel_contracts.contract.model import canonical
from cancel_contracts.exchange import Exchange
from cancel_contracts.judge.context import Context
from cancel_contracts.judge.facets import SHOWN_BYTES, Facet, Finding, answer
from cancel_contracts.sight.observation import Observation, describe, is_cancelled, shown


def effect(context: Context, exchange: Exchange, wanted: str) -> Finding | None:
    if exchange.situation.resource == "odd":
        return None
    if wanted == "as-answered":
        if exchange.status is None:
            return None
        wanted = "cancelled" if exchange.succeeded else "none"
    return {"cancelled": _cancelled, "none": _none, "kept": _kept}[wanted](context, exchange)


def _cancelled(context: Context, exchange: Exchange) -> Finding | None:
    life, sight = context.contract.lifecycle, context.sight
    told, look = sight.effect(exchange)
    if look is None or not sight.observable:
        return _by_contrast(context, exchange)
    if told == "cancelled" and (last := sight.lost(exchange)):
        actual = f"{answer(exchange)}; it took effect, and in the end the GET shows"
        return Finding(False, "the effect lasts", f"{actual} {describe(life, last)}")
    before, seen = sight.before(exchange), describe(life, look)
    same = " still" if before and not sight.differs(before, look) else ""
    expected = "the effect shows" if not life.after else f"the GET shows {' or '.join(life.after)}"
    actual = f"{answer(exchange)}; the GET shows{same} {seen}"
    return Finding(told == "cancelled", expected, actual)


def _by_contrast(context: Context, exchange: Exchange) -> Finding | None:
    """Without a GET: a call that is refused once the same call has succeeded shows that the first
    took effect.
    """
    calls = context.sight.scene(exchange.scenario).calls
    again = [x for x in calls if x.position > exchange.position and x.situation.call == "second"]
    if not exchange.succeeded or not again or not again[0].refused or again[0].limited:
        return None
    return Finding(True, "the effect shows", f"the same call again is answered {again[0].status}")


def _none(context: Context, exchange: Exchange) -> Finding | None:
    life, sight = context.contract.lifecycle, context.sight
    before, after = sight.before(exchange), sight.after(exchange)
    if exchange.situation.resource == "unknown":
        if after is None:
            return None
        actual = f"{answer(exchange)}; the GET shows {describe(life, after)}"
        return Finding(after.gone, "the id still names nothing", actual)
    if before is None or after is None or before.gone or not sight.observable:
        return None
    if exchange.situation.call == "concurrent":
        return None  # what shows may be the other call's doing
    ok = sight.unchanged(before, after)
    if ok and _performed_later(context, exchange, before):
        after = sight.last(exchange) or after
        ok = False
    expected = f"no effect: {describe(life, before)}"
    return Finding(ok, expected, f"{answer(exchange)}; the GET shows {describe(life, after)}")


def _performed_later(context: Context, exchange: Exchange, before: Observation) -> bool:
    """Whether a cancel shows at the end of the run, though no call of the scenario succeeded."""
    life, last = context.contract.lifecycle, context.sight.last(exchange)
    if last is None or last.entity is None or before.entity is None:
        return False
    calls = context.sight.scene(exchange.scenario).calls
    refused = all(call.status is not None and not call.succeeded for call in calls)
    return refused and is_cancelled(life, last.entity) and not is_cancelled(life, before.entity)


def _kept(context: Context, exchange: Exchange) -> Finding | None:
    """What the first call did still stands. Its effect may show late; it must not show and then be
    gone.
    """
    life, sight = context.contract.lifecycle, context.sight
    first = sight.scene(exchange.scenario).calls[0]
    start, mid, end = sight.before(first), sight.before(exchange), sight.after(exchange)
    if start is None or mid is None or end is None or start.gone or not sight.observable:
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
    taken_back = not sight.unchanged(start, mid) and (
        sight.unchanged(start, end) or (moved and bool(open_again))
    )
    return Finding(not taken_back, expected, actual)


def whole(context: Context, exchange: Exchange, _: Any) -> Finding | None:
    """What is documented and neither set nor touched by a cancel is as before."""
    sight = context.sight
    before, after = sight.before(exchange), sight.after(exchange)
    if exchange.situation.resource == "odd" or before is None or after is None:
        return None
    if before.entity is None or after.entity is None:
        return None
    expected = "the rest of the resource is as before"
    if not (names := sight.disturbed(before, after)):
        return Finding(True, expected, "as before")
    was, now = before.entity.get(names[0]), after.entity.get(names[0])
    told = f"{names[0]} was {was!r:.{SHOWN_BYTES}} and is {now!r:.{SHOWN_BYTES}}"
    return Finding(False, expected, f"{answer(exchange)}; {told}")


def neighbour(context: Context, exchange: Exchange, _: Any) -> Finding | None:
    sight = context.sight
    before = sight.before(exchange, "neighbour")
    if before is None or before.gone:
        return None
    after = sight.after(exchange, "neighbour", before.exchange.resource)
    if after is None:
        return None
    life = context.contract.lifecycle
    expected = f"another resource stays {describe(life, before)}"
    actual = f"it shows {describe(life, after)}"
    if lost := sight.disturbed(before, after):
        return Finding(False, expected, f"{actual}, another {lost[0]}")
    return Finding(sight.unchanged(before, after), expected, actual)


def accepts(context: Context, exchange: Exchange, permission: str) -> Finding | None:
    """The identity with this permission succeeds; one with another may, or is refused without
    effect.
    """
    if exchange.status is None:
        return None
    own = permission_of(exchange.situation.identity) in (None, permission)
    if exchange.succeeded:
        return _cancelled(context, exchange) or Finding(True, "accepted", answer(exchange))
    if own or exchange.status not in (401, 403):
        return Finding(False, f"accepted with {permission}", answer(exchange))
    return _none(context, exchange) or Finding(True, "refused", answer(exchange))


def connection(context: Context, exchange: Exchange, _: Any) -> Finding | None:
    """The call after a success, on the same connection, is answered."""
    expected = "the next call on the connection is answered 2xx"
    if exchange.received is not None:
        ok = exchange.received.error is None and exchange.succeeded
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
    "whole": whole,
    "accepts": accepts,
    "connection": connection,
}
