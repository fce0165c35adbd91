"""Spare: what a plan can do without, where finding the way in took calls that it needs. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache

from cancel_contracts.contract.compose import composed
from cancel_contracts.contract.given import asked, kind_of
from cancel_contracts.exchange import Situation
from cancel_contracts.plan.plan import Plan
from cancel_contracts.plan.steps import Call, Observe, Scenario, Step


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
        found = []
        for clause, own in clauses:
            stands = composition.stands_for(clause, call)
            if stands in own and composition.exercises(call, stands, (clause,)):
                found.append((clause.id, stands))
        return found

    often = Counter(one for s in plan.scenarios for call in s.calls for one in told(kind_of(call)))

    def spared(calls: Sequence[Situation]) -> bool:
        """Whether other calls tell all that these do; then they are counted no more."""
        own = Counter(one for call in calls for one in told(kind_of(call)))
        if all(often[one] > count for one, count in own.items()):
            often.subtract(own)
            return True
        return False

    for at in reversed(range(len(rest))):
        if over > 0 and spared(rest[at].calls):
            over -= len(rest.pop(at).calls)
    for at in reversed(range(len(rest))):
        if rest[at].together or rest[at].pair:  # what stands beside may be looked at there alone
            continue
        for call in rest[at].calls[:-1]:  # beside the last there are looks
            if over > 0 and composition.refused(call) and spared([call]):
                rest[at], over = _without(rest[at], call), over - 1
    return rest


def _without(scenario: Scenario, call: Situation) -> Scenario:
    """Return a row of calls without one of them and the looks after it."""
    steps: list[Step] = []
    left = False
    for step in scenario.steps:
        left = (isinstance(step, Call) or (left and isinstance(step, Observe))) and (
            step.situation == call
        )
        if not left:
            steps.append(step)
    return Scenario(tuple(steps))
