"""Plan: which scenarios exercise the selected clauses, and exactly how many requests that takes.

Derived from the clauses' `given` alone; sends nothing. Equal situations are planned once, however
many clauses ask
for them, and a scenario of two calls serves those that ask for its first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from cancel_contracts.contract.given import asked, conditional, listed
from cancel_contracts.contract.model import Clause, Contract
from cancel_contracts.exchange import KNOWN, Situation
from cancel_contracts.needs import NO_STATES, Gap
from cancel_contracts.plan.steps import (
    EXISTING,
    Acquire,
    Scenario,
    at_once,
    in_a_row,
    on_one_connection,
)

Profile = Literal["smoke", "gate", "deep"]
SMOKE_CALLS = 20
DEEP_CALLS = 1000
GATE_CALLS = 100
# How many simultaneous pairs: one may be lucky.
RACES = 2
# Of the calls that `deep` has left after the matrix, this part goes to properties, the rest to
# walks.
PROPERTY_SHARE = 0.6


@dataclass(frozen=True)
class Plan:
    """What will be sent for one contract. `left_out` says why a situation is not in it."""

    contract: Contract
    clauses: tuple[Clause, ...]
    scenarios: tuple[Scenario, ...]
    left_out: dict[Situation, Gap] = field(default_factory=dict)
    property_calls: int = 0
    walk_calls: int = 0

    def cost(self, *, observes: bool, handler: bool, unknown_id: bool = False) -> Counter[str]:
        """Return the exact number of requests by kind, on a conforming target; `deep` adds its
        fixed budgets.
        """
        total: Counter[str] = Counter()
        for scenario in self.scenarios:
            total += scenario.cost(observes=observes, handler=handler, unknown_id=unknown_id)
        total["cancel"] += self.property_calls + self.walk_calls
        return total


def demand(scenarios: Sequence[Scenario]) -> Counter[tuple[str, str | None]]:
    """Return how many resources the scenarios ask for, by state and owner."""
    return Counter(
        (step.state, step.owner)
        for scenario in scenarios
        for step in scenario.steps
        if isinstance(step, Acquire)
    )


def resources(scenarios: Sequence[Scenario]) -> Counter[str]:
    """Return how many resources in each state the scenarios ask for: what a target file
    needs ids for.
    """
    found: Counter[str] = Counter()
    for (state, _), count in demand(scenarios).items():
        found[state] += count
    return found


def make(
    contract: Contract,
    clauses: Sequence[Clause],
    profile: Profile,
    *,
    max_requests: int | None = None,
    harmless: bool = False,
    states: bool = True,
) -> Plan:
    """Return the plan for the selected clauses.

    `harmless` keeps to calls that cannot cancel anything that exists. `states` says whether the
    target offers provider states. What it excuses is asked all the same.
    """
    limit = {"smoke": SMOKE_CALLS, "gate": GATE_CALLS, "deep": DEEP_CALLS}[profile]
    limit = max_requests if max_requests is not None else limit
    wanted: dict[Situation, None] = {}
    for clause in clauses:
        wanted |= dict.fromkeys(asked(contract, clause))
    left_out: dict[Situation, Gap] = {}
    for situation in list(wanted):
        if gap := _against(situation, profile, harmless, states):
            left_out[situation] = gap
            del wanted[situation]
    scenarios = []
    left = limit
    for scenario in _scenarios(contract, list(wanted)):
        if len(scenario.calls) > left:
            left_out[scenario.subject] = Gap(f"the budget of {limit} calls does not reach it")
            continue
        left -= len(scenario.calls)
        scenarios.append(scenario)
    plan = Plan(contract, tuple(clauses), tuple(scenarios), left_out)
    if profile == "deep" and not harmless and states:
        properties = int(left * PROPERTY_SHARE)
        plan = replace(plan, property_calls=properties, walk_calls=left - properties)
    return plan


def _against(situation: Situation, profile: Profile, harmless: bool, states: bool) -> Gap | None:
    """Return why a situation is left out of the plan, or None."""
    if situation.resource not in EXISTING:
        return None
    if profile == "smoke" or harmless:
        return Gap("this plan touches nothing that exists")
    return None if states else NO_STATES


def _scenarios(contract: Contract, wanted: list[Situation]) -> list[Scenario]:
    """Merge situations into scenarios, the ordinary one first."""
    leads: dict[Situation, Situation] = {}
    for situation in wanted:
        if situation.call == "second":
            leads[replace(situation, call="first")] = situation
    if any(s.call == "concurrent" for s in wanted) and not leads:
        # How a second call in a row is answered tells what a race may end in.
        state = contract.lifecycle.cancellable[0]
        ordinary = Situation(state=state)
        leads[ordinary] = replace(ordinary, call="second")
    rows: list[tuple[Situation, ...]] = [*leads.items()]
    for situation in wanted:
        if situation not in leads and situation.call != "second":
            rows.append((situation,))
    rows.sort(key=lambda row: not _ordinary(row[0]))
    last = _last_looks(contract)
    scenarios: list[Scenario] = []
    for row in rows:
        first = row[0]
        if first.call == "concurrent":
            scenarios.extend([at_once(first, first)] * RACES)
        elif first.call == "reused":
            scenarios.append(on_one_connection(replace(first, call="first"), first))
        else:
            near = "{neighbour}" in first.body.text or _ordinary(first)
            near = near or (len(row) == 1 and _own(first))
            # Where any change is an effect, a second look tells what changes by itself.
            twice = not scenarios and not contract.lifecycle.after
            scenarios.append(
                in_a_row(*row, neighbour=near and first.id == KNOWN, twice=twice, last=last(first))
            )
    return scenarios


def _last_looks(contract: Contract) -> Callable[[Situation], bool]:
    """Return what tells whether a refusal that is performed later, and a success that does not
    last, are to be looked for at the end: once for every kind of caller, method and resource.

    Only where a page names the state after a cancel: any other a resource may come to by itself.
    """
    met: set[tuple[str | None, ...]] = set()

    def wanted(call: Situation) -> bool:
        kind = (call.resource, call.method, call.identity.partition(":")[0], call.owner)
        new = bool(contract.lifecycle.after) and call.resource in EXISTING and kind not in met
        met.update({kind} if new else ())
        return new

    return wanted


def _ordinary(situation: Situation) -> bool:
    return situation == Situation(state=situation.state) and situation.state is not None


def _own(situation: Situation) -> bool:
    """Whether an owner cancels what is theirs, in the ordinary way."""
    owner = situation.owner
    ordinary = replace(situation, owner=None, identity="primary")
    return owner is not None and situation.identity == owner and _ordinary(ordinary)


def selectable(clause: Clause, profile: Profile, contract: Contract) -> bool:
    """Whether a profile can exercise a clause at all. `smoke` knows no resource that exists."""
    if profile != "smoke":
        return True
    harmless = [s for s in asked(contract, clause) if s.resource in ("unknown", "odd")]
    if conditional(clause):
        return bool(harmless)
    if clause.given.get("any"):
        return "effect" not in clause.expect
    return len(harmless) == len(asked(contract, clause)) and not _mutes(clause)


def _mutes(clause: Clause) -> bool:
    return "any" in listed(clause.given.get("method", []))
