"""Spare: what a plan can do without, where finding the way in took calls that it needs. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from cancel_contracts.contract.compose import composed
from cancel_contracts.contract.given import asked, kind_of
from cancel_contracts.exchange import Situation
from cancel_contracts.plan.plan import Plan
from cancel_contracts.plan.steps import Scenario


def after_way_in(plan: Plan, spent: int) -> list[Scenario]:
    """Return all scenarios but the first, so that they and the calls `spent` beside it stay within
    the budget: what goes, the last first, is what no clause needs. It is made for pairs of facts,
    or once more.
    """
    over, rest = spent - plan.room, list(plan.scenarios[1:])
    if over <= 0:
        return rest
    composition = composed(plan.contract)
    clauses = [(c, frozenset(asked(plan.contract, c))) for c in plan.clauses]

    def told(scenarios: Iterable[Scenario]) -> set[tuple[str, Situation]]:
        """Return the situations of each clause that the calls stand for, as the judge has it."""
        calls = {call for scenario in scenarios for call in scenario.calls}
        every = (
            (c.id, composition.stands_for(c, kind_of(call)), own)
            for c, own in clauses
            for call in calls
        )
        return {(id_, stands) for id_, stands, own in every if stands in own}

    for at in reversed(range(len(rest))):
        others = [*plan.scenarios[:1], *rest[:at], *rest[at + 1 :]]
        if over > 0 and told([rest[at]]) <= told(others):
            over -= len(rest.pop(at).calls)
    return rest
