"""Plan: which scenarios exercise the selected clauses, and exactly how many requests that takes.

Derived from the clauses' `given` alone; sends nothing. A call serves every clause that asks for one
of its facts (cover.py), and a resource serves several calls (chains.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Literal

from cancel_contracts.contract.compose import Fact, composed
from cancel_contracts.contract.expected import FACETS
from cancel_contracts.contract.given import asked, callers, conditional, listed
from cancel_contracts.contract.model import Clause, Contract
from cancel_contracts.exchange import Situation
from cancel_contracts.needs import NO_STATES, Gap
from cancel_contracts.plan.crowds import accompanied
from cancel_contracts.plan.kinds import PairsMet
from cancel_contracts.plan.spread import Chosen, spread
from cancel_contracts.plan.steps import EXISTING, Acquire, Scenario
from cancel_contracts.plan.supply import Supply, needed
from cancel_contracts.plan.waits import most_looks

Profile = Literal["smoke", "gate", "deep"]
SMOKE_CALLS = 20
DEEP_CALLS = 1000
GATE_CALLS = 100
# What of the pairs that can meet is enough for a gate: the last ones take a resource each.
GATE_PAIRS = 0.75
PROPERTY_SHARE = 0.5  # of the calls that `deep` has left then; the rest goes to walks
DRAWN_CALLS = 4  # that a small budget leaves, too: for ids of elsewhere
PLANS = 64  # that are kept at hand: `prove` asks for the same ones again and again


@dataclass(frozen=True)
class Plan:
    """What will be sent for one contract. `left_out` says why a situation is not in it."""

    contract: Contract
    clauses: tuple[Clause, ...]
    scenarios: tuple[Scenario, ...]
    left_out: dict[Situation, Gap] = field(default_factory=dict)
    needed: Counter[str] = field(default_factory=Counter)  # resources, by state
    pairs: PairsMet = field(default_factory=lambda: PairsMet(0, 0))
    property_calls: int = 0
    walk_calls: int = 0
    room: int = 0  # calls that the budget has left

    @property
    def late_looks(self) -> int:
        """How many looks come on top where effects take as long as a page lets them, at most."""
        within = self.contract.lifecycle.within
        if within is None:
            return 0
        taken = [s for p in self.scenarios for s in p.steps if isinstance(s, Acquire)]
        beside = sum(step.beside is not None for step in taken)
        return beside + most_looks(within) * sum(s.spends for s in taken)

    def cost(self, *, observes: bool, handler: bool, unknown_id: bool = False) -> Counter[str]:
        """Return the exact number of requests by kind, on a conforming target; `deep` adds its
        fixed budgets.
        """
        total: Counter[str] = Counter()
        for scenario in self.scenarios:
            total += scenario.cost(observes=observes, handler=handler, unknown_id=unknown_id)
        total["cancel"] += self.property_calls + self.walk_calls
        return total


def make(
    contract: Contract,
    clauses: Sequence[Clause],
    profile: Profile,
    *,
    max_requests: int | None = None,
    harmless: bool = False,
    states: bool = True,
    lacks: Mapping[str, Gap] = MappingProxyType({}),
    supply: Supply | None = None,
) -> Plan:
    """Return the plan for the selected clauses.

    `harmless` keeps to calls that cannot cancel anything that exists. `states` says whether the
    target offers provider states, `lacks` which identities it does not offer and why, `supply`
    what its ids bring about where it has no handler. What it excuses is asked all the same. The
    same question has the same plan: it is not to be changed.
    """
    build = _made if supply else _remembered
    rest = (profile, max_requests, harmless, states, frozenset(lacks.items()), supply)
    return build(contract, tuple(c for c in clauses if _asks(profile, c)), *rest)


def _made(
    contract: Contract,
    clauses: tuple[Clause, ...],
    profile: Profile,
    max_requests: int | None,
    harmless: bool,
    states: bool,
    lacking: frozenset[tuple[str, Gap]],
    supply: Supply | None,
) -> Plan:
    lacks = dict(lacking)
    limit = {"smoke": SMOKE_CALLS, "gate": GATE_CALLS, "deep": DEEP_CALLS}[profile]
    limit = max_requests if max_requests is not None else limit
    composition = composed(contract)
    against = partial(_against, contract, profile=profile, harmless=harmless, states=states)
    left_out: dict[Situation, Gap] = {}
    wanted: list[Situation] = []
    every = dict.fromkeys(s for clause in clauses for s in asked(contract, clause))
    if _asks_app(contract, every, lacks):
        every[replace(composition.ordinary, identity="app")] = None

    def without(situation: Situation) -> Gap | None:
        gap = against(situation) or lacks.get(situation.identity)
        if gap is None and supply is not None and situation.state is not None:
            gap = supply.never(situation.state, situation.owner)
        return gap

    for situation in every:
        if gap := without(situation):
            left_out[situation] = gap
        else:
            wanted.append(situation)
    # Where few clauses are chosen, they are to hold beside all that the contract knows.
    others = contract.clauses if profile == "deep" else ()
    known = (s for clause in others for s in asked(contract, clause))
    beside = [s for s in known if s.call == "first" and not without(s)]
    share = 1.0 if profile == "deep" else GATE_PAIRS
    some = profile == "deep" and 0 < len(clauses) < len(contract.clauses)

    speaking = [c for c in clauses if not c.given.get("any")] or clauses

    @lru_cache(None)
    def may(situation: Situation) -> bool:
        return against(situation) is None

    @lru_cache(None)
    def first(situation: Situation) -> bool:
        return may(situation) and any(composition.decides(c, situation) for c in speaking)

    about = [c for c in clauses if _about_others(c) and not against(composition.ordinary)]
    near = [s for clause in about for s in asked(contract, clause)]
    draws = profile == "deep" and not harmless and states
    drawn = min(DRAWN_CALLS, limit // 6) if draws else 0
    chosen = Chosen(composition, clauses, wanted, near, beside, may, first if some else may)
    scenarios, pairs = spread(chosen, limit - drawn, share)
    demanded = needed(scenarios)
    dropped: dict[Situation, Gap] = {}
    scenarios = _fitted(scenarios, supply, dropped) if supply else scenarios
    scenarios = accompanied(composition, scenarios)
    planned: dict[tuple[Fact, ...], set[Situation]] = {}
    for call in (call for scenario in scenarios for call in scenario.calls):
        planned.setdefault(composition.read(call).hiding, set()).add(call)
    for situation in wanted:
        alike = planned.get(composition.read(situation).hiding, ())
        if not any(composition.exercises(call, situation, clauses) for call in alike):
            gaps = (gap for call, gap in dropped.items() if composition.shows(call, situation))
            budget = Gap(f"the budget of {limit} calls does not reach it")
            left_out[situation] = next(gaps, budget)
    plan = Plan(contract, clauses, tuple(scenarios), left_out, demanded, pairs)
    left = limit - sum(len(s.calls) for s in scenarios)
    if draws:
        properties = int(left * PROPERTY_SHARE)
        return replace(plan, property_calls=properties, walk_calls=left - properties)
    return replace(plan, room=left)


_remembered = lru_cache(PLANS)(_made)


def _asks_app(contract: Contract, wanted: Collection[Situation], lacks: Mapping[str, Gap]) -> bool:
    """Whether applications are to be asked for by the identity `app`, which has every permission:
    where clauses ask for single ones and the target offers none of these.
    """
    single = {s.identity for s in wanted} & callers(contract, "application")
    found = any(s.identity == "app" for s in wanted) or "app" in lacks
    return bool(single) and single <= lacks.keys() and not found


def _against(
    contract: Contract, situation: Situation, profile: Profile, harmless: bool, states: bool
) -> Gap | None:
    """Return why a situation is left out of the plan, or None."""
    # RFC 9110 section 9.3.4: PUT creates what is not there, where the path names that alone.
    creates = situation.method == "PUT" and contract.path.endswith(f"{{{contract.id.name}}}")
    if creates and (profile == "smoke" or harmless):
        return Gap("this plan creates nothing, and PUT on this path may")
    if situation.resource not in EXISTING:
        return None
    if profile == "smoke" or harmless:
        return Gap("this plan touches nothing that exists")
    return None if states else NO_STATES


def _fitted(
    scenarios: Sequence[Scenario], supply: Supply, dropped: dict[Situation, Gap]
) -> list[Scenario]:
    """Return the scenarios that a target's ids can bring about; note why others cannot be."""
    found: list[Scenario] = []
    for scenario in scenarios:
        fitting = supply.fit(scenario)
        if isinstance(fitting, Scenario):
            found.append(fitting)
        else:
            dropped |= dict.fromkeys(scenario.calls, fitting)
    return supply.look_last(found)


def _about_others(clause: Clause) -> bool:
    """Whether a clause says what becomes of another resource."""
    return any("neighbour" in each for each in (clause.expect, *clause.readings.values()))


def selectable(clause: Clause, profile: Profile, contract: Contract) -> bool:
    """Whether a profile can exercise a clause. `smoke` asks in the usual form, of what is not."""
    if profile != "smoke" or not _asks(profile, clause):
        return _asks(profile, clause)
    asks, plain = asked(contract, clause), composed(contract).ordinary.extra
    harmless = [s for s in asks if s.resource not in EXISTING and s.extra == plain]
    if conditional(clause):
        return bool(harmless)
    if clause.given.get("any"):
        return not _needs_looks(clause)
    if _about_others(clause):
        return False
    return len(harmless) == len(asks) and not _mutes(clause)


def _asks(profile: Profile, clause: Clause) -> bool:
    return profile == "deep" or clause.profile != "deep"


def _needs_looks(clause: Clause) -> bool:
    """Whether a part of it is judged by how an existing resource looks, before and after."""
    return any(FACETS[name].sees == "looks" for name in clause.expect)


def _mutes(clause: Clause) -> bool:
    return "any" in listed(clause.given.get("method", []))
