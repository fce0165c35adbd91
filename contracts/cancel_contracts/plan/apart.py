"""What is asked anew where a call in which several neutral facts met was not served. Pure.

Each of its facts that no call was served with is asked by itself: the answer tells which of them is
to blame, and the clauses about the others are not left open. What is to be refused, and was for a
form alone (chunks, a media type), is asked without that form.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from cancel_contracts.contract.compose import Composition, Fact, composed, fact, with_value
from cancel_contracts.contract.declined import Declined
from cancel_contracts.contract.given import asked, kind_of
from cancel_contracts.contract.model import Contract
from cancel_contracts.exchange import Exchange, Form, Situation
from cancel_contracts.plan.steps import Scenario, in_a_row, on_one_connection


def apart(contract: Contract, exchanges: Iterable[Exchange]) -> list[Scenario]:
    """Return the calls to make after these, one fact each or as many as a clause names together,
    and second calls in a row again whose first was refused; none where not even the ordinary call
    was served.
    """
    composition = composed(contract)
    forms, refused = Declined(composition), list[Exchange]()
    served: set[Fact] = set()
    done: set[Situation] = set()
    failed: dict[Situation, None] = {}
    begun: set[tuple[int, str]] = set()  # scenarios and resources on which a call was served
    seconds: dict[Situation, Scenario] = {}
    followed: set[Situation] = set()  # elsewhere, by a second call that stands for the plain one
    ordinary = False
    for exchange in exchanges:
        call, where = exchange.situation, (exchange.scenario, exchange.resource)
        told = exchange.kind == "cancel" and exchange.status is not None
        if not told or exchange.put_off or exchange.way_in:
            continue
        plain = with_value(composition.ordinary, "resource", call)
        again = replace(plain, call="second")
        if call.call == "second" and where not in begun:
            seconds[plain] = in_a_row(plain, again, act=composition.ordinary.method)
        elif call.call == "second" and composition.exercises(call, again, contract.clauses):
            followed.add(plain)
        if exchange.succeeded:
            begun.add(where)
        forms.hear(exchange)
        if composition.refused(call):
            refused += [exchange] if forms.forms(call) else []
            continue
        if exchange.succeeded:
            ordinary |= call == composition.ordinary
            done.add(call)
            # Beside what no page decides a call stands for that alone.
            all_neutral = composition.served(call)
            served |= {
                f for f in _facts(composition, call) if all_neutral or not _neutral(composition, f)
            }
        elif call.resource == composition.ordinary.resource:  # no other can be served
            failed[call] = None
    if not ordinary:
        return []
    every = dict.fromkeys(s for clause in contract.clauses for s in asked(contract, clause))
    anew: dict[Situation, None] = {}
    for call in failed:
        # A second call is none without a first: `seconds` has those to be made again.
        open_ = {f for f in _facts(composition, call) - served if f != ("call", "second")}
        if not composition.served(call):  # what was drawn is not what had it refused
            open_ = {(a, v) for a, v in open_ if not (isinstance(v, Form) and v.drawn)}
        if any(_neutral(composition, each) for each in open_):
            for aspect, _ in sorted(open_, key=str):
                alone = with_value(composition.ordinary, aspect, call)
                if kind_of(alone) in every:
                    anew[alone] = None
            anew |= dict.fromkeys(_together(every, composition, call, done))
    for exchange in refused:
        plain = exchange.situation
        for aspect in forms.aspects(exchange):
            plain = with_value(plain, aspect, composition.ordinary)
        if plain != exchange.situation and plain.call == "first":
            anew[plain] = None
    rows = (row for plain, row in seconds.items() if plain not in followed)
    return [*(_alone(composition, s) for s in anew if s not in failed), *rows]


def _together(
    every: Iterable[Situation],
    composition: Composition,
    call: Situation,
    done: Iterable[Situation],
) -> list[Situation]:
    """Return what clauses ask for that of all calls this one shows: several facts together, or one
    of a caller whom the calls that were served with it are not by. What they leave open to be drawn
    is what was drawn for this one.
    """
    own = [s for s in every if s.call == "first" and composition.facts(s)]
    shown = (s for s in own if composition.shows(call, s))
    clauses = composition.contract.clauses
    left = (s for s in shown if not any(composition.exercises(x, s, clauses) for x in done))
    return sorted((_drawn(s, call) for s in left), key=str)


def _drawn(situation: Situation, call: Situation) -> Situation:
    """Return a situation with what it leaves open as it is in a call that shows it."""
    body, id_ = (
        theirs if own.drawn and not own.text else own
        for own, theirs in ((situation.body, call.body), (situation.id, call.id))
    )
    return replace(situation, body=body, id=id_)


def _facts(composition: Composition, call: Situation) -> set[Fact]:
    return {fact(call, aspect) for aspect in composition.facts(call)}


def _neutral(composition: Composition, found: Fact) -> bool:
    aspect, value = found
    kind = value.kind if isinstance(value, Form) else value
    standing = composition.standings.get((aspect, kind))
    return standing is not None and standing.kind == "neutral"


def _alone(composition: Composition, call: Situation) -> Scenario:
    act = composition.ordinary.method
    if call.call == "reused":
        return on_one_connection(composition.ordinary, then=[call], act=act)
    return in_a_row(call, neighbour=call if call.owner else None, act=act)
