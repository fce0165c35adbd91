"""The facet `connection`: what a kept connection carries after a call. Pure.

RFC 9112 sections 9.3 and 9.5: a server reads all of a request or closes the connection after its
answer; it may close one after any answer, and an idle one at any time. Then it has carried no
second call, and nothing is known of it.
"""

from __future__ import annotations

from itertools import pairwise

from cancel_contracts.exchange import Exchange
from cancel_contracts.judge.context import Context
from cancel_contracts.judge.effect import cancelled
from cancel_contracts.judge.facets import Finding, Told, answer
from cancel_contracts.needs import choice

# RFC 9110 sections 15.5.9 and 15.5.20: the connection is to be closed, or is none for this request.
ELSEWHERE = (408, 421)
CLOSED = choice("the server closed the connection: it carried no second call")
FRESH = "what a connection of its own is answered"


def connection(context: Context, exchange: Exchange, wanted: str) -> Told:
    return {"usable": _usable, "alike": _alike}[wanted](context, exchange)


def _usable(context: Context, exchange: Exchange) -> Told:
    """The call after a success, on the same connection, is answered."""
    expected = "the next call on the connection is answered 2xx"
    if exchange.reused and exchange.status in ELSEWHERE:
        return CLOSED
    if exchange.received is not None:
        ok = exchange.received.error is None and exchange.succeeded
        return CLOSED if ok and not exchange.reused else Finding(ok, expected, answer(exchange))
    if exchange.failure == "closed" and exchange.reused:
        return _closed(context, exchange)
    return Finding(False, expected, answer(exchange))


def _closed(context: Context, exchange: Exchange) -> Told:
    """One that has done what the call asked for has read it, and owes the answer. What a call did
    that was made in its place shows later.
    """
    sight = context.sight
    if context.made_anew(exchange) is None:
        done = cancelled(context, exchange)
        took = isinstance(done, Finding) and done.ok
    else:
        before, after = sight.before(exchange), sight.after(exchange)
        took = after is not None and sight.took_effect(before, after) == "cancelled"
    earlier = (x for x in sight.scene(exchange.scenario).calls if x.position < exchange.position)
    if not took or any(x.succeeded for x in earlier):
        return CLOSED
    return Finding(False, "an answer", "the call took effect and was not answered")


def _alike(context: Context, exchange: Exchange) -> Told:
    """A call, and the look after it, is answered as on a connection of its own: what the run made
    anew tells. Of others nothing came that was not expected.
    """
    if (other := _look_astray(context, exchange)) is not None:
        told = f"{answer(exchange)}; the look after it on the connection {answer(other)}"
        return Finding(False, FRESH, told)
    if not exchange.reused:
        return CLOSED
    if exchange.situation.call != "reused" or exchange.succeeded:
        return Finding(True, FRESH, answer(exchange))
    if exchange.failure == "closed":
        return _closed(context, exchange)
    if exchange.status in ELSEWHERE:
        return CLOSED
    if (again := context.made_anew(exchange)) is None or again.unanswered:
        return None
    told = f"{answer(exchange)}; on its own {answer(again)}"
    return None if again.status == exchange.status else Finding(False, FRESH, told)


def _look_astray(context: Context, exchange: Exchange) -> Exchange | None:
    """Return the look after a call that was answered on its connection alone otherwise than on the
    next one.
    """
    looks = [
        x
        for x in context.journal.exchanges.of_scenario(exchange.scenario)
        if x.kind == "observe" and x.position == exchange.position
    ]
    for first, again in pairwise(looks):
        same = first.resource == again.resource and first.sent.url == again.sent.url
        heard = first.succeeded and not first.unanswered
        lost = first.reused and not heard and first.status not in ELSEWHERE
        if same and lost and again.succeeded:
            return first
    return None
