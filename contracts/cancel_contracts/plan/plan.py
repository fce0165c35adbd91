"""Plan: which scenarios exercise the selected clauses, and exactly how many requests that takes.

Derived from the clauses' `given` alone; sends nothing. Equal situations are planned once, however
many clauses ask
for them, and a scenario of two calls serves those that ask for its first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from cancel_contracts.contract.given import asked, conditional, listed
from cancel_contracts.contract.model import Clause, Contract
from cancel_contracts.exchange import KNOWN, Situation
from cancel_contracts.needs import NO_STATES, Gap

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
class Scenario:
    """Calls on one resource. `calls` is in order; two `concurrent` ones are sent at once."""

    calls: tuple[Situation, ...]
    neighbour: bool = False
    last_look: bool = False  # its resource is looked at once more when the run ends

    @property
    def subject(self) -> Situation:
        return self.calls[-1]

    @property
    def known(self) -> bool:
        """Whether it takes a resource that exists."""
        return self.subject.resource in ("cancellable", "final")


@dataclass(frozen=True)
class Plan:
    """What will be sent for one contract. `left_out` says why a situation is not in it."""

    contract: Contract
    clauses: tuple[Clause, ...]
    scenarios: tuple[Scenario, ...]
    left_out: dict[Situation, Gap] = field(default_factory=dict)
    property_calls: int = 0
    walk_calls: int = 0

    def cost(self, *, observes: bool, handler: bool) -> Counter[str]:
        """Return the exact number of requests by kind, on a conforming target; `deep` adds its
        fixed budgets.
        """
        total: Counter[str] = Counter()
        for index, scenario in enumerate(self.scenarios):
            total += cost(self.contract, scenario, observes=observes, handler=handler)
            if observes and index == 0 and looks_twice(self.contract, scenario):
                total["observe"] += 1
        total["cancel"] += self.property_calls + self.walk_calls
        return total


def demand(scenarios: Sequence[Scenario]) -> Counter[tuple[str, str | None]]:
    """Return how many resources the scenarios ask for, by state and owner."""
    found: Counter[tuple[str, str | None]] = Counter()
    for scenario in scenarios:
        if scenario.known and scenario.subject.state:
            pair = scenario.neighbour or scenario.subject.call == "reused"
            found[scenario.subject.state, scenario.subject.owner] += 2 if pair else 1
    return found


def resources(scenarios: Sequence[Scenario]) -> Counter[str]:
    """Return how many resources in each state the scenarios ask for: what a target file
    needs ids for.
    """
    found: Counter[str] = Counter()
    for (state, _), count in demand(scenarios).items():
        found[state] += count
    return found


def looks_twice(contract: Contract, scenario: Scenario) -> bool:
    """Whether a second look tells what changes by itself: needed where any change is an effect."""
    return scenario.known and not contract.lifecycle.after


def cost(contract: Contract, scenario: Scenario, *, observes: bool, handler: bool) -> Counter[str]:
    """Return what one scenario sends: cancel, observe and provider_states requests."""
    resources = (1 + scenario.neighbour) if scenario.known else 0
    if scenario.subject.call == "reused":
        resources = 2
    rounds = 1 + (1 if scenario.subject.call == "concurrent" else len(scenario.calls))
    if scenario.subject.call == "reused":
        looks = 4
    elif scenario.known:
        looks = rounds * resources + scenario.last_look
    else:
        looks = len(scenario.calls) if scenario.subject.resource == "unknown" else 0
    if contract.observe_path is None or not observes:
        looks = 0
    return Counter(
        cancel=len(scenario.calls),
        observe=looks,
        provider_states=2 * resources if handler else 0,
    )


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
    if situation.resource not in ("cancellable", "final"):
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
    scenarios: list[Scenario] = []
    for first, second in leads.items():
        scenarios.append(Scenario((first, second), neighbour=_ordinary(first)))
    for situation in wanted:
        if situation in leads or situation.call == "second":
            continue
        if situation.call == "concurrent":
            scenarios.extend([Scenario((situation, situation))] * RACES)
        elif situation.call == "reused":
            scenarios.append(Scenario((replace(situation, call="first"), situation)))
        else:
            near = "{neighbour}" in situation.body.text or _ordinary(situation) or _own(situation)
            scenarios.append(Scenario((situation,), neighbour=near and situation.id == KNOWN))
    scenarios.sort(key=lambda s: not _ordinary(s.calls[0]))
    return _with_last_looks(scenarios) if contract.lifecycle.after else scenarios


def _with_last_looks(scenarios: list[Scenario]) -> list[Scenario]:
    """Have a refusal that is performed later, and a success that does not last, looked for at the
    end: once for every kind of caller, method and resource.

    Only where a page names the state after a cancel: any other a resource may come to by itself.
    """
    met: set[tuple[str | None, ...]] = set()
    found = []
    for scenario in scenarios:
        call = scenario.calls[0]
        kind = (call.resource, call.method, call.identity.partition(":")[0], call.owner)
        alone = scenario.subject.call in ("first", "second")
        if scenario.known and alone and kind not in met:
            met.add(kind)
            scenario = replace(scenario, last_look=True)
        found.append(scenario)
    return found


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
