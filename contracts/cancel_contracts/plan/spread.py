"""Spread: how the calls of a plan's budget are spread over what there is to ask, and in which
scenarios they are made. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from cancel_contracts.contract.compose import Composition
from cancel_contracts.contract.model import Clause
from cancel_contracts.exchange import Situation
from cancel_contracts.plan.arrange import arranged, refused_between
from cancel_contracts.plan.bare import bare
from cancel_contracts.plan.cover import cover
from cancel_contracts.plan.crowds import crowds
from cancel_contracts.plan.further import further
from cancel_contracts.plan.histories import histories
from cancel_contracts.plan.kinds import PairsMet
from cancel_contracts.plan.steps import Scenario, in_a_row
from cancel_contracts.plan.vary import packed, varied

# Of the calls of `deep` so many meet what no gate has the calls for, and tell what went before.
FURTHER_SHARE, HISTORIES_SHARE = 0.71, 0.2
FEW = 0.25  # where few clauses are chosen, pairs are added up to so many: others meet further


@dataclass(frozen=True)
class Chosen:
    """What a plan is to ask: what the clauses want, among it what is to be `near` another resource,
    and what else is known `beside` it. It `may` make some calls, and `first` those that the clauses
    decide.
    """

    composition: Composition
    clauses: Sequence[Clause]
    wanted: Sequence[Situation]
    near: Sequence[Situation]
    beside: Sequence[Situation]
    may: Callable[[Situation], bool]
    first: Callable[[Situation], bool]


def spread(chosen: Chosen, limit: int, share: float) -> tuple[list[Scenario], PairsMet]:
    """Return scenarios of at most `limit` calls, and the pairs of facts that meet in them: of those
    that can, such a `share`, all of them in `deep`.
    """
    composition, wanted, near = chosen.composition, chosen.wanted, chosen.near
    single = [s for s in wanted if s.call in ("first", "reused")]
    plain = composition.served  # a second call that is refused for more is a history's
    seconds = [s for s in wanted if s.call == "second" and plain(replace(s, call="first"))]
    act, deep = composition.ordinary.method, share == 1.0
    again = [in_a_row(replace(s, call="first"), s, act=act) for s in wanted if s.call == "repeated"]
    races = [
        crowd
        for s in wanted
        if s.call == "concurrent"
        for crowd in crowds(composition, s, single, deep=deep)
    ]
    if races and not seconds:
        # How a second call in a row is answered tells what a race may end in.
        seconds.append(replace(composition.ordinary, call="second"))
    kept = refused_between(composition, single) if any(s.call == "reused" for s in single) else []
    twice = [s for s in kept if s.resource != "unknown"]  # before the last success and after it
    apart = [*races, *again]
    reserved = len(seconds) + sum(len(row.calls) for row in apart) + len(kept) + len(twice)
    while True:
        room = max(0, limit - reserved)
        for_pairs = room if chosen.first == chosen.may else int(room * FEW)
        found = cover(
            composition,
            single,
            room,
            share,
            chosen.first,
            seconds,
            chosen.beside,
            near,
            chosen.clauses,
            for_pairs,
        )
        stories: list[Scenario] = []
        if deep:
            for found.may in dict.fromkeys((chosen.first, chosen.may)):
                further(found, int(room * FURTHER_SHARE))
            stories = within(histories(found), int(limit * HISTORIES_SHARE))
        else:
            bare(found, room)
        found.calls = varied(composition, packed(composition, found.calls))
        others = [found.second(call) for call in seconds]
        rows = partial(arranged, composition, found, others, kept, near, deep=deep)
        made = [*rows(), *apart, *stories]
        over = sum(len(scenario.calls) for scenario in made) - limit
        if over < 0 and not deep:  # a server may count the calls on one resource
            made = [*rows(thirds=1), *apart]
        if over <= 0 or reserved >= limit:
            break
        reserved += over  # a call that follows none of these has one before it made for it
    return within(made, limit), found.pairs_met()


def within(scenarios: Iterable[Scenario], calls: int | None) -> list[Scenario]:
    """Return the first of the scenarios that take no more than so many calls together."""
    found: list[Scenario] = []
    for scenario in scenarios:
        if calls is None or len(scenario.calls) <= calls:
            calls = None if calls is None else calls - len(scenario.calls)
            found.append(scenario)
    return found
