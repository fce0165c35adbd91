"""Crowds: which calls are made at once, on which resources, by whom. Pure.

Of three calls on one resource, one is the primary identity's, one of somebody else who may and one
of somebody who may not: each two of them may meet badly. At the same time goes a call that the plan
makes anyway, on a resource of its own. `deep` has more of them, on resources in different states,
and who may not calls on one alone, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle, islice, takewhile

from cancel_contracts.contract.compose import Composition, with_value
from cancel_contracts.contract.credentials import IDENTITIES
from cancel_contracts.exchange import Situation
from cancel_contracts.plan.steps import AtOnce, Call, Close, Observe, Scenario, Step, at_once

TOGETHER = 3
MORE = ((3, 2), (4, 2), (6, 2))  # how many in `deep`, on one resource and on another


def crowds(
    composition: Composition, call: Situation, callers: Sequence[Situation], *, deep: bool = False
) -> list[Scenario]:
    """Return the scenarios of calls at once; `callers` are those that the plan asks for."""
    act = composition.ordinary.method
    own = [s for s in callers if composition.facts(s) == ["caller"] and s.owner is None]
    others = [s for s in own if composition.served(s) and _somebody_else(s.identity)][:2]
    served = [call, *(with_value(call, "caller", other) for other in others)]
    refused = [with_value(call, "caller", s) for s in own if s.identity == "no-permission"]
    made = [at_once(*islice(cycle(served[:2]), TOGETHER - len(refused)), *refused, act=act)]
    if not deep:
        return made
    elsewhere = composition.contract.lifecycle.cancellable[-1]
    for here, there in MORE:
        first = islice(cycle(served), here - len(refused))
        second = islice(cycle(reversed(served)), there)
        # Who may not is let in beside the others, or on what nobody else cancels before.
        beside = [[replace(s, state=elsewhere) for s in second]]
        beside += [[s] for s in refused]
        made.append(at_once(*first, *refused, others=beside, act=act))
    return made


def accompanied(composition: Composition, scenarios: Sequence[Scenario]) -> list[Scenario]:
    """Return the scenarios with one call that is served, alone on a resource of its own, made at
    the same time as the first crowd on one resource. It is judged as it is by itself.
    """
    crowd = next((s for s in scenarios if s.races and not s.pair), None)
    rows = [s for s in reversed(scenarios[1:]) if _alone(composition, s)]
    row = max(rows, key=_looked_at, default=None)  # one that is not stays by itself
    if crowd is None or row is None:
        return [*scenarios]
    own = [replace(s, slot=1) for s in row.steps if not isinstance(s, (AtOnce, Close))]
    at = next(place for place, step in enumerate(own) if isinstance(step, Call))
    steps: list[Step] = [*own[:at]]
    for step in crowd.steps:
        made = (replace(row.sends[0], slot=1),)
        steps.append(AtOnce((*made, *step.calls)) if isinstance(step, AtOnce) else step)
    together = Scenario((*steps, *own[at + 1 :]))
    return [together if s is crowd else s for s in scenarios if s is not row]


def _alone(composition: Composition, scenario: Scenario) -> bool:
    """Whether a scenario is one call on one resource, which is served."""
    call = scenario.subject
    alone = len(scenario.sends) == 1 and not (scenario.pair or scenario.together)
    return alone and scenario.known and call.call == "first" and composition.served(call)


def _looked_at(scenario: Scenario) -> bool:
    """Whether the resource is looked at before the call."""
    steps = takewhile(lambda step: not isinstance(step, Call), scenario.steps)
    return any(isinstance(step, Observe) for step in steps)


def _somebody_else(identity: str) -> bool:
    """Whether an identity has a token of its own, and does not carry the primary's otherwise."""
    return identity not in IDENTITIES or IDENTITIES[identity].wire is None
