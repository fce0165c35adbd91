"""Forecast: which clauses a plan will leave open on its target, and why. Sends nothing.

What the plan has left out is lacking; whatever it makes counts as told.
"""

from __future__ import annotations

from cancel_contracts.assignment import Assignment
from cancel_contracts.contract.compose import composed
from cancel_contracts.contract.expected import FACETS
from cancel_contracts.contract.given import asked, conditional
from cancel_contracts.contract.model import Clause
from cancel_contracts.excuses import excuse
from cancel_contracts.judge.judge import Judgement, Verdict
from cancel_contracts.needs import NO_GET, NO_OBSERVE, NO_STATES, Gap
from cancel_contracts.plan.steps import EXISTING, Acquire


def forecast(assignment: Assignment) -> Judgement:
    """Return the verdicts on what will not be exercised, excused where the target file does; a
    clause that will be exercised is upheld in it, as far as anybody knows.
    """
    contract = assignment.contract
    verdicts = tuple(
        Verdict(clause, "not-exercised", gaps=gaps, reason=gaps[0].says)
        if (gaps := tuple(_gaps(assignment, clause)))
        else Verdict(clause, "upheld")
        for clause in assignment.plan.clauses
    )
    endpoint = assignment.endpoint
    return excuse(Judgement(contract, verdicts, {}), endpoint.not_testable, endpoint.edition)


def _gaps(assignment: Assignment, clause: Clause) -> dict[Gap, None]:
    """Return what keeps a clause from being judged in each situation that it asks for."""
    plan, compose = assignment.plan, composed(assignment.contract)
    if conditional(clause):
        return {}
    planned = {call for scenario in plan.scenarios for call in scenario.calls}
    wanted = asked(assignment.contract, clause)
    missing = [s for s in wanted if not any(compose.shows(call, s) for call in planned)]
    if clause.given.get("any"):  # any call tells; of a resource that exists, where looks are to
        looks = any(FACETS[name].sees == "looks" for name in clause.expect)
        telling = (c for c in planned if c.resource in EXISTING or not looks)
        missing = [] if any(compose.speaks(clause, c, None) for c in telling) else missing
    found = dict.fromkeys(plan.left_out[s] for s in missing if s in plan.left_out)
    if len(missing) < len(wanted):
        # Of several spellings one tells; what only a minted token shows is shown by others.
        minted = (gap for gap in found if gap.need and gap.need.kind == "mint")
        found = {} if "accepts" in clause.expect else dict.fromkeys(found.keys() - set(minted))
    stands = any(isinstance(s, Acquire) for p in plan.scenarios for s in p.steps)
    if "neighbour" in clause.expect and not (missing or stands):
        found[NO_STATES] = None
    if not assignment.observes and clause.expect.keys() & {"effect", "neighbour", "whole"}:
        found[NO_GET if assignment.contract.observe_path else NO_OBSERVE] = None
    return found
