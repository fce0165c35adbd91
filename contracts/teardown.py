"""Tear down what a ledger says is left: the flow behind `cancel-contracts ledger FILE --tear-down`.

Asks the provider-state handler of the target file, and writes into the ledger what was done. Run
twice it does nothing twice.
"""

from __future__ import annotations

from collections.abc import Sequence

from contracts.errors import UsageError
from contracts.spec.model import Contract
from contracts.target.account import Account, SetUp
from contracts.target.file import Target
from contracts.target.ledger import Ledger, place_of
from contracts.target.states import Made, ProviderStates
from contracts.transport.client import Transport


def tear_down(account: Account, contracts: Sequence[Contract], target: Target) -> list[str]:
    """Undo the set-ups that are left, newest first; return what failed, in words.

    Raises UsageError before anything is sent where the target file is not that of the run.
    """
    named = {s.contract for s in account.left}
    sites = {c.name: target.site(c) for c in contracts if c.name in named}
    rows: dict[str, list[SetUp]] = {}
    for row in account.left:
        site = sites.get(row.contract)
        if site is None:
            place = f"{account.path}: {row.contract}"
            raise UsageError(place, "no contract of that name is at hand", "name it with --spec")
        if site.handler is None or place_of(site.handler) != row.where:
            raise UsageError(
                f"{target.place}: provider_states",
                f"is not {row.where}, where the ledger's run set up",
                "name the target file of that run",
            )
        rows.setdefault(row.contract, []).append(row)
    failures: list[str] = []
    if not rows:
        return failures
    with Ledger(account.path) as ledger, Transport() as transport:
        account.reopen(ledger)
        for name, left in rows.items():
            states = ProviderStates(sites[name], transport, ledger)
            # Without values (the run never saw an answer) a tear-down names the state alone.
            states.adopt([Made(r.number, r.state, {**r.params, **(r.values or {})}) for r in left])
            failures += [f"{name}: {text}" for text in states.tear_down(gone_is_fine=True)]
    return failures
