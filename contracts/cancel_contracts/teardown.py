"""Tear down what a ledger says is left: the flow behind `cancel-contracts ledger FILE --tear-down`.

Asks the provider-state handler of the target file, or cancels what a documented call created, and
writes into the ledger what was done. Run twice it does nothing twice.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from cancel_contracts.contract.model import Contract
from cancel_contracts.errors import UsageError
from cancel_contracts.identity.identities import Identities
from cancel_contracts.ledger.account import Account, SetUp
from cancel_contracts.ledger.ledger import Ledger
from cancel_contracts.provider_states.handler import Made
from cancel_contracts.provider_states.states import ProviderStates
from cancel_contracts.redact.secrets import Redactor, learn_proxies
from cancel_contracts.run.provisioned import provisioner
from cancel_contracts.targets.file import Target
from cancel_contracts.targets.pace import pacer
from cancel_contracts.targets.url import place_of
from cancel_contracts.transport.certificates import trusted
from cancel_contracts.transport.client import Transport


def tear_down(
    account: Account,
    contracts: Sequence[Contract],
    target: Target,
    environ: Mapping[str, str] | None = None,
    cacert: Path | None = None,
) -> list[str]:
    """Undo the set-ups that are left, newest first; return what failed, in words.

    Raises UsageError before anything is sent where the target file is not that of the run.
    """
    redactor, rows = Redactor(), defaultdict(list)
    learn_proxies(redactor, os.environ if environ is None else environ)
    for row in account.left:
        contract = next((c for c in contracts if c.name == row.contract), None)
        if contract is None:
            place = f"{account.path}: {row.contract}"
            raise UsageError(place, "no contract of that name is at hand", "name it with --spec")
        endpoint = target.endpoint(contract)
        where = endpoint.handler if row.how == "handler" else endpoint.base_url
        if where is None or place_of(where) != row.where:
            raise UsageError(
                f"{target.place}: {'provider_states' if row.how == 'handler' else 'base_url'}",
                f"is not {row.where}, where the ledger's run set up",
                "name the target file of that run",
            )
        rows[contract.name].append(row)
    chosen = [c for c in contracts if c.name in rows]
    callers = [Identities(c, target.endpoint(c), redactor, environ) for c in chosen]
    failures: list[str] = []
    if not rows:
        return failures
    trust = trusted(cacert)
    with Ledger(account.path, redactor) as ledger:
        account.reopen(ledger)
        for contract, caller in zip(chosen, callers, strict=True):
            endpoint, left = target.endpoint(contract), rows[contract.name]
            pace = pacer(contract, endpoint.base_url, None)
            with Transport(
                verify=trust, along=caller.fields, certificate=caller.certificate
            ) as transport:
                maker = provisioner(contract, endpoint, transport, caller, ledger, pace)
                states = ProviderStates(endpoint, transport, ledger, maker)
                failures += [f"{contract.name}: {text}" for text in _undo(states, left)]
    return [redactor.text(text) for text in failures]


def _undo(states: ProviderStates, left: list[SetUp]) -> list[str]:
    """Undo one contract's set-ups."""
    unknown = []
    for row in left:
        if row.how == "handler":
            states.adopt([Made(row.number, row.state, {**row.params, **(row.values or {})})])
        elif states.provisioner is not None:
            assert row.id is not None
            states.provisioner.adopt(row.number, row.id, row.state, "owner" in row.params)
        else:
            unknown.append(f"{row.id} is left: the target file has no provision any more")
    return states.tear_down(gone_is_fine=True) + unknown
