"""What may be tried where a first call is turned away, on the target at hand. Sends nothing."""

from __future__ import annotations

from cancel_contracts.errors import NoIdentity
from cancel_contracts.plan.steps import Scenario
from cancel_contracts.provider_states.states import ProviderStates
from cancel_contracts.run.calls import Calls
from cancel_contracts.run.way_in import Options


def options(calls: Calls, states: ProviderStates, scenario: Scenario) -> Options:
    """Return what may be tried where the first call of a scenario is turned away."""
    contract = calls.contract
    prefix = contract.server_path
    caller = "app" if any(p.kind == "application" for p in contract.permissions) else None
    if states.endpoint.primary or scenario.calls[0].identity != "primary":
        caller = None
    if caller is not None:
        try:
            calls.identities.credentials(caller)
        except NoIdentity:
            caller = None
    return Options(
        prefix="" if calls.base_url.endswith(prefix) else prefix,
        single=scenario.pair and states.endpoint.handler is not None,
        caller=caller,
    )
