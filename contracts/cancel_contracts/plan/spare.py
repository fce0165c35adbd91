"""Spare: what a plan can do without, where finding the way in took calls that it needs. Pure."""

from __future__ import annotations

from collections import Counter
from functools import cache

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

    @cache
    def told(call: Situation) -> list[tuple[str, Situation]]:
        """Return the situation of each clause that a call stands for, as the judge has it."""
        stands = ((c.id, composition.stands_for(c, call), own) for c, own in clauses)
        return [(id_, situation) for id_, situation, own in stands if situation in own]

    tells = [{one for call in s.calls for one in told(kind_of(call))} for s in plan.scenarios]
    often = Counter(one for found in tells for one in found)
    for at in reversed(range(len(rest))):
        found = tells[at + 1]
        if over > 0 and all(often[one] > 1 for one in found):
            often.subtract(found)
            over -= len(rest.pop(at).calls)
    return rest
