"""What a run creates for itself by documented calls: how many of each, and how each is undone."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import quote

from cancel_contracts.contract.given import ordinary
from cancel_contracts.contract.model import Contract
from cancel_contracts.exchange import Sent
from cancel_contracts.identity.identities import Identities
from cancel_contracts.ledger.ledger import Ledger
from cancel_contracts.plan.plan import Plan
from cancel_contracts.plan.steps import Acquire
from cancel_contracts.plan.supply import Supply
from cancel_contracts.provider_states.provision import Provisioner, no_more
from cancel_contracts.run.content import Names
from cancel_contracts.run.requests import cancel_request
from cancel_contracts.run.wait_budget import WaitBudget
from cancel_contracts.targets.file import Endpoint
from cancel_contracts.transport.client import Transport

Creates = Counter[tuple[str, str | None]]


def supply(contract: Contract, endpoint: Endpoint) -> Supply | None:
    """Return what the ids of a target file, and calls that create some, bring about; None where a
    handler makes as many as it is asked for.
    """
    if endpoint.handler is not None:
        return None
    ids = {state: len(listed) for state, listed in endpoint.ids.items()}
    return Supply(ids, partial(no_more, contract, endpoint))


def creates(plan: Plan, endpoint: Endpoint) -> Creates:
    """Return how many resources the plan has created at most, by state and owner.

    Those that no call may have cancelled are used again. What that saves is there for calls that
    are made again after a 429, and for finding the way in.
    """
    found: Creates = Counter()
    if endpoint.provision is None:
        return found
    for scenario in plan.scenarios:
        found.update((s.state, s.owner) for s in scenario.steps if isinstance(s, Acquire))
    generated = plan.property_calls + plan.walk_calls
    if generated:
        found.update({(state, None): generated for state in plan.contract.lifecycle.states})
    for state, owner in list(found):
        listed = 0 if owner else len(endpoint.ids.get(state, ()))
        found[state, owner] -= listed
        if no_more(plan.contract, endpoint, state, owner) is not None:
            del found[state, owner]
    return +found


def provisioner(
    contract: Contract,
    endpoint: Endpoint,
    transport: Transport,
    identities: Identities,
    ledger: Ledger,
    pace: Callable[[], None] = lambda: None,
    allowed: Mapping[tuple[str, str | None], int] | None = None,
    wait_budget: WaitBudget | None = None,
) -> Provisioner | None:
    """Return what creates resources for a contract, or None where the target file asks for none."""
    if endpoint.provision is None:
        return None

    def cancel(id_: str) -> Sent:
        situation, names = ordinary(contract), Names(id_, id_, "undo")
        carried = identities.credentials(situation.identity)
        segment, request = quote(id_, safe=""), str(uuid.uuid4())
        return cancel_request(
            contract,
            endpoint.base_url,
            situation,
            segment,
            names,
            carried,
            request,
            endpoint.parameters,
        )

    made = (contract, endpoint, transport, identities, ledger, cancel, pace, allowed)
    if wait_budget is None:
        return Provisioner(*made)
    return Provisioner(*made, wait_budget.wait_as_asked, lambda: wait_budget.stop.asked)
