"""What a plan can do without leaves every clause its calls, and every call its looks."""

from __future__ import annotations

import pytest
from cancel_contracts.contract.compose import composed
from cancel_contracts.contract.given import asked
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Contract
from cancel_contracts.plan.plan import GATE_CALLS, make
from cancel_contracts.plan.spare import after_way_in
from cancel_contracts.plan.steps import Call, Observe

CONTRACTS = [*map(load, shipped())]


@pytest.mark.parametrize("more", [1, 2])
@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: str(contract.name))
def test_what_goes_no_clause_needs(contract: Contract, more: int) -> None:
    plan, composition = make(contract, contract.clauses, "gate"), composed(contract)
    over = plan.room + more
    rest = after_way_in(plan, over)
    planned = [call for s in plan.scenarios for call in s.calls]
    kept = [*plan.scenarios[0].calls, *(call for s in rest for call in s.calls)]
    assert len(kept) + over <= GATE_CALLS < len(planned) + over, "there was something to leave out"
    for clause, situation in ((c, s) for c in plan.clauses for s in asked(contract, c)):
        if any(composition.exercises(call, situation, (clause,)) for call in planned):
            still = any(composition.exercises(call, situation, (clause,)) for call in kept)
            assert still, (clause.id, situation)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: str(contract.name))
def test_a_row_that_lost_a_call_is_looked_at_as_before(contract: Contract) -> None:
    plan = make(contract, contract.clauses, "gate")
    whole = {scenario.steps for scenario in plan.scenarios}
    changed = [s for s in after_way_in(plan, plan.room + 4) if s.steps not in whole]
    for scenario in changed:
        assert not scenario.pair, "what stands beside may be looked at there alone"
        before = next(steps for steps in whole if {*scenario.steps} < {*steps})
        assert (scenario.steps[0], scenario.steps[-1]) == (before[0], before[-1])
        for step in {*before} - {*scenario.steps}:
            assert isinstance(step, Call | Observe)
            assert step.situation not in scenario.calls, "no look of a call that is kept is lost"
