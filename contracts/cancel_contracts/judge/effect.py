"""The facets that need to know what became of the resource: effect, neighbour, accepts.

Pure. An effect is read from the GET of the resource alone. Where a target has none, nobody knows:
how another call is answered shows that something is remembered, not that anything was cancelled.
"""

from __future__ import annotations

from typing import Any

from cancel_contracts.contract.given import permission_of
from cancel_contracts.contract.states import Lifecycle
from cancel_contracts.exchange import Exchange
from cancel_contracts.judge.context import Context
from cancel_contracts.judge.facets import SHOWN_BYTES, Facet, Finding, Told, answer
from cancel_contracts.needs import NO_GET, NO_OBSERVE, NO_STATES, Gap, Need
from cancel_contracts.sight.observation import (
    Entity,
    Observation,
    describe,
    effect_seconds,
    is_between,
    is_cancelled,
    is_open,
    left_out,
    marks,
    told_by,
)


def effect(context: Context, exchange: Exchange, wanted: str) -> Told:
    if exchange.situation.resource == "odd":
        return None
    if wanted == "as-answered":
        if exchange.status is None:
            return None
        wanted = "cancelled" if exchange.succeeded else "none"
    return {"cancelled": cancelled, "none": _none, "kept": _kept}[wanted](context, exchange)


def cancelled(context: Context, exchange: Exchange) -> Told:
    life, sight = context.contract.lifecycle, context.sight
    told, look = sight.effect(exchange)
    if look is None or not sight.observable:
        return _unseen(context, exchange)
    if told == "cancelled" and (last := sight.lost(exchange)):
        actual = f"{answer(exchange)}; it took effect, and in the end the GET shows"
        fewer = "".join(f", fewer {name}" for name in sight.shortened(exchange))
        return Finding(False, "the effect lasts", f"{actual} {describe(life, last)}{fewer}")
    before, seen = sight.before(exchange), describe(life, look)
    last = next(reversed(sight.later(exchange)), look)
    waited = before is not None and _passed(exchange, last) >= effect_seconds(life)
    if told == "cancelled" and waited and context.ends.stays(before, last):
        actual = f"{answer(exchange)}; in the end the GET shows still {describe(life, last)}"
        return Finding(False, "another state, as others from this one", actual)
    same = " still" if before and not sight.differs(before, look) else ""
    expected = told_by(life) or "the effect shows"
    actual = f"{answer(exchange)}; the GET shows{same} {seen}"
    if life.within is not None:
        expected, passed = f"within {life.within:g} s {expected}", _passed(exchange, look)
        actual = f"{actual}, {passed:.1f} s after" if told != "cancelled" else actual
    elif told != "cancelled" and look.entity and is_cancelled(life, look.entity):
        wrong = left_out(life, look.entity)[0]
        actual = f"{actual}, with {wrong} {look.entity.get(wrong)!r:.{SHOWN_BYTES}}"
    return Finding(told == "cancelled", expected, actual)


def _passed(exchange: Exchange, look: Observation) -> float:
    """Return the seconds from the answer to a look."""
    return max(0.0, look.exchange.started - exchange.started - exchange.seconds)


def _unseen(context: Context, exchange: Exchange) -> Gap:
    """Return why no look tells of an effect."""
    life, sight = context.contract.lifecycle, context.sight
    if context.contract.observe_path is None:
        return NO_OBSERVE
    looks = [*sight.later(exchange), *filter(None, [sight.before(exchange)])]
    blank = any(o.entity is not None and not marks(life, o.entity) for o in looks)
    if sight.observable and blank and life.after and life.places:
        return Gap(f"the GET shows nothing at {' or '.join(life.places)}", NO_GET.need)
    return NO_GET


def _none(context: Context, exchange: Exchange) -> Told:
    life, sight = context.contract.lifecycle, context.sight
    before, after = sight.before(exchange), sight.after(exchange)
    if exchange.situation.resource == "unknown":
        return _still_unknown(context, exchange, next(reversed(sight.later(exchange)), None))
    if exchange.situation.call == "concurrent":
        return None  # what shows may be the other call's doing
    if before is None or after is None or not sight.observable:
        return _unseen(context, exchange)
    if before.gone and not sight.vanished(exchange):
        return NO_GET
    if _blank(context, before) and _blank(context, after):
        return _unseen(context, exchange)
    ok = sight.unchanged(before, after)
    if not ok and not sight.settled(exchange):
        return None  # what shows may be the late effect of a call before
    if ok and _performed_later(context, exchange, before):
        after = sight.last(exchange) or after
        ok = False
    expected = f"no effect: {describe(life, before)}"
    return Finding(ok, expected, f"{answer(exchange)}; the GET shows {describe(life, after)}")


def _still_unknown(context: Context, exchange: Exchange, after: Observation | None) -> Told:
    """A GET that is refused shows nothing under the id either: 404 is not the only way."""
    expected, refused = "the id still names nothing", context.refused_look(exchange)
    if after is not None:
        told = describe(context.contract.lifecycle, after)
        return Finding(after.gone, expected, f"{answer(exchange)}; the GET shows {told}")
    if refused is not None:
        return Finding(True, expected, f"{answer(exchange)}; the GET is answered {refused}")
    return NO_GET if context.contract.observe_path else NO_OBSERVE


def _blank(context: Context, look: Observation) -> bool:
    """Whether the state is named, and shows nowhere in what is there."""
    life = context.contract.lifecycle
    named = bool(life.after and life.places) and look.entity is not None
    return named and not marks(life, look.entity)


def _performed_later(context: Context, exchange: Exchange, before: Observation) -> bool:
    """Whether a cancel shows at the end of the run, or what was final can be cancelled again,
    though no call of the scenario succeeded.
    """
    life, last = context.contract.lifecycle, context.sight.last(exchange)
    if last is None or (last.gone and not life.vanishes) or (before.gone and last.gone):
        return False
    calls = context.sight.scene(exchange.scenario).calls
    refused = all(call.status is not None and not call.succeeded for call in calls)
    was, now = before.entity, last.entity
    done = (_begun(life, now) and not _begun(life, was)) or context.ends.done(before, last)
    return refused and (done or (is_open(life, now) and not is_open(life, was)))


def _begun(life: Lifecycle, entity: Entity) -> bool:
    """Whether a cancel shows, or is seen to be under way."""
    between = is_between(life, entity) and not is_open(life, entity)
    return is_cancelled(life, entity) or between


def _kept(context: Context, exchange: Exchange) -> Told:
    """What the first call did still stands. Its effect may show late; it must not show and then be
    gone.
    """
    life, sight = context.contract.lifecycle, context.sight
    calls = sight.scene(exchange.scenario).calls
    first = next(
        (x for x in reversed(calls) if x.position < exchange.position and x.succeeded), calls[0]
    )
    start, mid, end = sight.before(first), sight.before(exchange), sight.after(exchange)
    if mid is None or end is None or not sight.observable:
        return _unseen(context, exchange)
    if (start.gone and not sight.vanished(first)) if start is not None else not life.after:
        return NO_GET
    if _blank(context, mid) and _blank(context, end):
        return _unseen(context, exchange)
    actual = f"{answer(exchange)}; the GET shows {describe(life, end)}"
    expected = f"what the first call left: {describe(life, mid)}"
    if end.entity is None and not life.vanishes:
        return Finding(mid.gone, expected, actual)
    if life.after and (mid.entity is not None or life.vanishes):
        lost = is_cancelled(life, mid.entity) and not is_cancelled(life, end.entity)
        return Finding(not lost, expected, actual)
    # Where no page names the state after, it may go through several. It must not come back to one
    # that can be cancelled.
    open_again = is_open(life, end.entity)
    moved = mid.entity is not None and marks(life, mid.entity) != marks(life, end.entity)
    if start is None:
        return NO_GET
    taken_back = not sight.unchanged(start, mid) and (
        sight.unchanged(start, end) or (moved and open_again)
    )
    return Finding(not taken_back, expected, actual)


def neighbour(context: Context, exchange: Exchange, _: Any) -> Told:
    sight = context.sight
    before = sight.before(exchange, "neighbour")
    if before is None and context.journal.single:
        return None  # there is no other resource that could be changed
    if before is None and not any(x.situation.state for x in context.journal.exchanges):
        return NO_STATES
    if before is None and sight.observable and sight.before(exchange) is not None:
        need = Need("state", exchange.situation.state or "")
        return Gap("no other resource stood beside it", need)
    if before is None or before.gone:
        return NO_GET
    told: Told = None
    for near in sight.neighbours(exchange):
        told = _stays(context, exchange, near)
        if isinstance(told, Finding) and not told.ok:
            return told
    return told


def _stays(context: Context, exchange: Exchange, before: Observation) -> Told:
    """Whether one that stood beside a call stays as it was."""
    life, sight = context.contract.lifecycle, context.sight
    after = sight.after(exchange, "neighbour", before.exchange.resource)
    if after is None:
        return NO_GET
    expected = f"another resource stays {describe(life, before)}"
    actual = f"it shows {describe(life, after)}"
    if lost := sight.disturbed(before, after):
        return Finding(False, expected, f"{actual}, another {lost[0]}")
    if not sight.unchanged(before, after):
        return Finding(False, expected, actual)
    last = sight.last(exchange, "neighbour")
    if last is not None and _struck(context, before, last):
        # Which of all calls that lay between did it, those of other contracts too, nobody knows.
        told = f"in the end, after the calls on all others, it shows {describe(life, last)}"
        return Finding(False, expected, told)
    return Finding(True, expected, actual)


def _struck(context: Context, before: Observation, last: Observation) -> bool:
    """Whether a resource was cancelled or lost something that it may not lose by itself."""
    life, sight = context.contract.lifecycle, context.sight
    if before.entity is None or last.entity is None:
        return before.gone != last.gone
    begun = _begun(life, last.entity) and not _begun(life, before.entity)
    cancelled = begun or context.ends.done(before, last)
    return cancelled or bool(sight.disturbed(before, last))


def accepts(context: Context, exchange: Exchange, permission: str) -> Told:
    """The identity with this permission succeeds; one with another may, or is refused without
    effect. How another fares tells nothing of this one.
    """
    if exchange.status is None:
        return None
    own = permission_of(exchange.situation.identity) in (None, permission)
    if not exchange.succeeded and (own or exchange.status not in (401, 403)):
        return Finding(False, f"accepted with {permission}", answer(exchange))
    told = cancelled(context, exchange) if exchange.succeeded else _none(context, exchange)
    return told if own or (isinstance(told, Finding) and not told.ok) else None


EFFECTS: dict[str, Facet] = {
    "effect": effect,
    "neighbour": neighbour,
    "accepts": accepts,
}
