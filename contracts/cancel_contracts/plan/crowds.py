"""Crowds: which calls are made at once, on which resources, by whom. Pure.

Of three calls on one resource, two are the primary identity's and one is of somebody else who may:
three pairs of calls, each of which may meet badly. `deep` has more of them, on two resources in
different states, and somebody who may not among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle, islice

from cancel_contracts.contract.compose import Composition, with_value
from cancel_contracts.contract.credentials import IDENTITIES
from cancel_contracts.exchange import Situation
from cancel_contracts.plan.steps import Scenario, at_once

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
    made = [at_once(*islice(cycle([*served[:2], call]), TOGETHER), act=act)]
    if not deep:
        return made
    refused = [with_value(call, "caller", s) for s in own if s.identity == "no-permission"]
    elsewhere = composition.contract.lifecycle.cancellable[-1]
    for here, there in MORE:
        first = islice(cycle(served), here - len(refused))
        second = islice(cycle(reversed(served)), there)
        made.append(
            at_once(*first, *refused, others=[replace(s, state=elsewhere) for s in second], act=act)
        )
    return made


def _somebody_else(identity: str) -> bool:
    """Whether an identity has a token of its own, and does not carry the primary's otherwise."""
    return identity not in IDENTITIES or IDENTITIES[identity].wire is None
