"""Plan: which scenarios exercise the selected clauses, and exactly how many requests that takes.

Derived from the clauses' `given` alone; sends nothing. A call serves every clause that asks for one
of its facts (cover.py), and a resource serves several calls (chains.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from cancel_contracts.contract.compose import Composition
from cancel_contracts.contract.given import asked, conditional, listed
from cancel_contracts.contract.model import Clause, Contract
from cancel_contracts.exchange import Situation
from cancel_contracts.needs import Gap
from cancel_contracts.plan.chains import chains
from cancel_contracts.plan.cover import PairsMet, cover
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
# What of the pairs that can meet is enough for a gate: the last ones take a resource each.
GATE_PAIRS = 0.9
NOTHING_EXISTS = Gap("this plan touches nothing that exists")
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
    pairs: PairsMet = field(default_factory=lambda: PairsMet(0, 0))
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


Lacks = Callable[[Situation], Gap | None]


def make(
    contract: Contract,
    clauses: Sequence[Clause],
    profile: Profile,
    *,
    max_requests: int | None = None,
    harmless: bool = False,
    lacks: Lacks = lambda situation: None,
) -> Plan:
    """Return the plan for the selected clauses.

    `harmless` keeps to calls that cannot cancel anything that exists. `lacks` says what the target
    lacks for a situation, as far as its file tells. What it excuses is asked all the same.
    """
    limit = {"smoke": SMOKE_CALLS, "gate": GATE_CALLS, "deep": DEEP_CALLS}[profile]
    limit = max_requests if max_requests is not None else limit
    left_out: dict[Situation, Gap] = {}
    wanted: dict[str, list[Situation]] = {"single": [], "second": [], "concurrent": []}
    for situation in dict.fromkeys(s for clause in clauses for s in asked(contract, clause)):
        gap = NOTHING_EXISTS if _touches(situation) and (profile == "smoke" or harmless) else None
        if gap := gap or lacks(situation):
            left_out[situation] = gap
        else:
            kind = situation.call if situation.call in wanted else "single"
            wanted[kind].append(situation)
    composition = Composition(contract)
    if wanted["concurrent"] and not wanted["second"]:
        # How a second call in a row is answered tells what a race may end in.
        wanted["second"].append(replace(composition.ordinary, call="second"))
    races = [at_once(s, s) for s in wanted["concurrent"]] * RACES
    reserved = len(wanted["second"]) + sum(len(race.calls) for race in races)
    share = 1.0 if profile == "deep" else GATE_PAIRS
    found = cover(composition, wanted["single"], max(0, limit - reserved), share)
    scenarios: list[Scenario] = []
    left = limit
    for scenario in [*_scenarios(composition, found.calls, wanted["second"]), *races]:
        if len(scenario.calls) <= left:
            left -= len(scenario.calls)
            scenarios.append(scenario)
    planned = {call for scenario in scenarios for call in scenario.calls}
    for situation in (s for row in wanted.values() for s in row):
        if not any(composition.shows(call, situation) for call in planned):
            left_out[situation] = Gap(f"the budget of {limit} calls does not reach it")
    plan = Plan(contract, tuple(clauses), tuple(scenarios), left_out, found.pairs_met())
    if profile == "deep" and not harmless and not lacks(composition.ordinary):
        properties = int(left * PROPERTY_SHARE)
        plan = replace(plan, property_calls=properties, walk_calls=left - properties)
    return plan


def _touches(situation: Situation) -> bool:
    return situation.resource in EXISTING


def _scenarios(
    composition: Composition, calls: Sequence[Situation], seconds: Sequence[Situation]
) -> list[Scenario]:
    """Return the scenarios of calls, the ordinary one first: it finds the way in."""
    ordinary, last, near = composition.ordinary, _Last(composition), _Near(composition)
    others = [call for call in calls if call.call != "reused"]
    pairs: list[Scenario] = []
    for call in calls:
        if call.call == "reused":
            # Whatever is served may be what the connection carried before.
            served = (s for s in others if composition.served(s) and s != ordinary)
            first = next((s for s in served if s.owner is None), None)
            if first is not None:
                others.remove(first)
            pairs.append(on_one_connection(first or replace(call, call="first"), call))
    rows = chains(composition, [call for call in others if call != ordinary], seconds)
    if ordinary in others:
        rows.insert(0, (ordinary,))
    found: list[Scenario] = []
    for row in rows:
        # Where any change is an effect, a second look tells what changes by itself.
        twice = not found and not composition.contract.lifecycle.after
        beside, later = near.wanted(row), last.wanted(row)
        found.append(in_a_row(*row, neighbour=beside, twice=twice, last=later))
    return [*found, *pairs]


class _Near:
    """Where another resource is to stand beside: beside the ordinary call, one that names it, and
    the first that an owner makes on what is theirs.
    """

    def __init__(self, composition: Composition) -> None:
        self.composition = composition
        self._own: set[str] = set()

    def wanted(self, row: Sequence[Situation]) -> bool:
        call = row[-1]
        if not _touches(call):
            return False
        own = call.owner is not None and call.owner == call.identity
        if own and call.owner not in self._own and self.composition.served(call):
            self._own.add(str(call.owner))
            return True
        named = any("{neighbour}" in call.body.text for call in row)
        return named or call == self.composition.ordinary


class _Last:
    """Which resources are looked at once more when the run ends: those that nothing was to cancel,
    and of others one for every kind of caller.
    """

    def __init__(self, composition: Composition) -> None:
        self.composition = composition
        self._met: set[tuple[str | None, ...]] = set()

    def wanted(self, row: Sequence[Situation]) -> bool:
        call = row[-1]
        if not _touches(call):
            return False
        kind = (call.resource, call.identity.partition(":")[0], call.owner)
        new = kind not in self._met
        self._met.add(kind)
        return new or self.composition.refused(call)


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
