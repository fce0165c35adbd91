"""The facet of the rest of the resource: what no cancel has any business with. Pure."""

from __future__ import annotations

from cancel_contracts.exchange import Exchange
from cancel_contracts.judge.context import Context
from cancel_contracts.judge.facets import SHOWN_BYTES, Facet, Finding, Told, answer
from cancel_contracts.needs import NO_GET
from cancel_contracts.sight.ended import is_over, lost, moved
from cancel_contracts.sight.observation import (
    Observation,
    has_ended,
    is_cancelled,
    marks,
)


def whole(context: Context, exchange: Exchange, wanted: bool | str) -> Told:
    """What is documented and neither set nor touched by a cancel is as before; with `ended`, a
    refusal changes nothing else either of what has ended, and what is taken no date of its past.
    """
    sight, contract = context.sight, context.contract
    before, after = sight.before(exchange), _next(context, exchange)
    if exchange.situation.resource not in ("cancellable", "final"):
        return None
    if after is not None and after.gone and contract.lifecycle.vanishes:
        return None  # nothing is left of it
    was = before.entity if before is not None else None
    goes_on = was is not None and not is_over(contract, was)
    if wanted == "ended" and (goes_on or not (exchange.refused or exchange.succeeded)):
        return None  # whatever a look after it shows, or whether there is one
    if before is None or after is None or before.entity is None or after.entity is None:
        return NO_GET
    if wanted == "ended":
        life = contract.lifecycle
        on_its_way = not has_ended(life, was) and not is_cancelled(life, was)
        if on_its_way and marks(life, was) != marks(life, after.entity):
            return None  # as what it changed may be
        names = moved(context.telling, before.entity, after.entity)
        if exchange.succeeded:  # it may be noted, or end anew what had ended otherwise
            same = marks(life, was) == marks(life, after.entity)
            past = [n for n in life.moments if same and before.entity.get(n) is not None]
            names = [n for n in names if n in past]
        return _as_before(exchange, before, after, names, "nothing else of it is changed")
    names = sight.disturbed(before, after) or lost(contract, before.entity, after.entity)
    if not names and (last := sight.last(exchange)) and last.entity is not None:
        # What the looks between the calls showed is the doing of one of these.
        ended = sight.ended(exchange) or after
        known = sight.disturbed(before, ended)
        names = [n for n in sight.disturbed(before, last) if n not in known]
        if ended.entity is not None and (fewer := lost(contract, ended.entity, last.entity)):
            names, before = fewer, ended  # what was there is gone again
        after = last
    if names and sight.others_doing(exchange, after):
        return None
    return _as_before(exchange, before, after, names, "the rest of the resource is as before")


def _next(context: Context, exchange: Exchange) -> Observation | None:
    """Return the look after a call; behind one that was served, the next there is: of what it
    shows the served call is to blame, rather than those that were refused meanwhile.
    """
    sight = context.sight
    after = sight.after(exchange)
    if after is not None or not exchange.succeeded or exchange.situation.call == "concurrent":
        return after
    looks = (o for o in sight.later(exchange) if o.exchange.resource == exchange.resource)
    return next(looks, None)


def _as_before(
    exchange: Exchange, before: Observation, after: Observation, names: list[str], expected: str
) -> Finding:
    if not names or before.entity is None or after.entity is None:
        return Finding(True, expected, "as before")
    was, now = before.entity.get(names[0]), after.entity.get(names[0])
    told = f"{names[0]} was {was!r:.{SHOWN_BYTES}} and is {now!r:.{SHOWN_BYTES}}"
    return Finding(False, expected, f"{answer(exchange)}; {told}")


WHOLE: dict[str, Facet] = {"whole": whole}
