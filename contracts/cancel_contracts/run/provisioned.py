"""What a run creates for itself by documented calls: how many of each, and how each is undone."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from urllib.parse import quote

from cancel_contracts.contract.model import Contract
from cancel_contracts.errors import Refused
from cancel_contracts.exchange import Sent, Situation
from cancel_contracts.identity.identities import Identities
from cancel_contracts.ledger.ledger import Ledger
from cancel_contracts.plan.plan import Plan, demand
from cancel_contracts.provider_states.provision import Provisioner, choose
from cancel_contracts.run.patience import Patience
from cancel_contracts.run.requests import Names, cancel_request
from cancel_contracts.targets.file import Site
from cancel_contracts.transport.client import Transport

Creates = Counter[tuple[str, str | None]]


def creates(plan: Plan, site: Site) -> Creates:
    """Return how many resources the plan has created at most, by state and owner."""
    found: Creates = Counter()
    if site.provision is None:
        return found
    wanted = demand(plan.scenarios)
    generated = plan.property_calls + plan.walk_calls
    if generated:
        wanted.update({(state, None): generated for state in plan.contract.lifecycle.states})
    for (state, owner), count in wanted.items():
        try:
            choose(plan.contract, site, state, owner)
        except Refused:
            continue
        listed = 0 if owner else len(site.ids.get(state, ()))
        found[state, owner] = max(0, count - listed)
    return +found


def provisioner(
    contract: Contract,
    site: Site,
    transport: Transport,
    identities: Identities,
    ledger: Ledger,
    pace: Callable[[], None] = lambda: None,
    allowed: Mapping[tuple[str, str | None], int] | None = None,
    patience: Patience | None = None,
) -> Provisioner | None:
    """Return what creates resources for a contract, or None where the target file asks for none."""
    if site.provision is None:
        return None

    def cancel(id_: str) -> Sent:
        situation, names = Situation(), Names(id_, id_, "undo")
        carried = identities.credentials(situation.identity)
        segment, request = quote(id_, safe=""), str(uuid.uuid4())
        return cancel_request(contract, site.base_url, situation, segment, names, carried, request)

    made = (contract, site, transport, identities, ledger, cancel, pace, allowed)
    if patience is None:
        return Provisioner(*made)
    return Provisioner(*made, patience.wait_as_asked, lambda: patience.stop.asked)
