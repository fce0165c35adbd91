"""What one value of a fact does to a call: a must-clause about it alone decides. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from cancel_contracts.contract.given import listed
from cancel_contracts.contract.model import Clause, Contract
from cancel_contracts.contract.words import right_errors
from cancel_contracts.exchange import Situation

Kind = Literal["neutral", "refused", "open"]
CLAUSES = 1024  # whose standing is kept at hand


@dataclass(frozen=True)
class Standing:
    """What one value does to a call; `statuses` are those that may refuse it. It `lasts` where a
    clause says of what cannot be cancelled, or was before, that a call has no effect on it: which
    holds whatever else the call is.
    """

    kind: Kind
    statuses: tuple[Any, ...] = ()
    lasts: bool = False


NEUTRAL, OPEN = Standing("neutral"), Standing("open", ("4xx",))


@lru_cache(CLAUSES)
def standing_of(clause: Clause, cancellable: tuple[str, ...]) -> Standing:
    """Return what the facts of a clause do to a call, where some states can be cancelled."""
    expect, lasting = clause.expect, _lasts(clause, cancellable)
    if expect.get("connection"):
        return NEUTRAL
    if clause.level != "must" or "status" not in expect:
        return replace(OPEN, lasts=lasting)
    statuses = tuple(listed(expect["status"]))
    classes = {str(word)[:1] for word in statuses}
    if classes == {"2"}:
        return NEUTRAL
    if "4" in classes and not classes & {"2", "3"}:
        return Standing("refused", statuses, lasting)
    others = tuple(word for word in statuses if str(word)[:1] not in "24")
    return Standing("open", (*OPEN.statuses, *others), lasting)


def _lasts(clause: Clause, cancellable: Collection[str]) -> bool:
    given, effect = clause.given, clause.expect.get("effect")
    if clause.level != "must" or "answer" in given:
        return False
    if effect == "kept":
        return listed(given.get("call", "first")) == ["second"]
    others = {"cancellable", "odd", "any", *cancellable}
    return effect == "none" and others.isdisjoint(listed(given.get("resource", "any")))


def beside_others(
    contract: Contract,
    situation: Situation,
    named: Collection[str],
    others: Mapping[str, Standing],
) -> list[Any]:
    """Return the statuses that a clause about some aspects (`named`) lets pass beside others that
    are not neutral, by what these may be answered with.
    """
    met = [standing for standing in others.values() if standing.kind != "neutral"]
    statuses = [word for standing in met for word in standing.statuses]
    if situation.method != contract.method and "method" in others:
        # Another method asks for something else, which may be granted (RFC 9110 section 9.3.7).
        statuses += _granted(contract, situation.method)
    statuses += right_errors(situation)
    # What is cancelled already may be answered as done, where a page leaves that open, before a
    # server reads what the clause is about: the body and its form.
    late = {"body", "content_type", "transfer"}.issuperset(named)
    done = situation.follows and late and "call" in others and others["call"].kind == "open"
    return [*statuses, *(["2xx"] if done else [])]


def _granted(contract: Contract, method: str) -> list[Any]:
    """Return the statuses with which a must-clause lets another method pass, without effect."""
    return [
        word
        for clause in contract.clauses
        if clause.level == "must" and method in listed(clause.given.get("method", []))
        for word in listed(clause.expect.get("status", []))
        if str(word)[:1] == "2"
    ]
