"""Which identities a target offers for a contract, told from its file alone: no source is read."""

from __future__ import annotations

from cancel_contracts.contract.credentials import IDENTITIES, needs_token
from cancel_contracts.contract.given import permission_of
from cancel_contracts.contract.model import Contract
from cancel_contracts.needs import Gap, Need
from cancel_contracts.targets.file import Endpoint


def lacking(contract: Contract, endpoint: Endpoint, identity: str, primary: str) -> Gap | None:
    """Return why nobody can call so, or None. `primary` is who makes ordinary calls."""
    row = IDENTITIES.get(identity)
    derived = row is not None and row.wire is not None
    if derived and not needs_token(identity):
        return None
    name = primary if derived or identity == "primary" else identity
    known = permission_of(name) or name
    if known in endpoint.identities or (endpoint.mint is not None and name != "throttled"):
        return None
    documented = {p.name for p in contract.permissions}
    forged = name in IDENTITIES and IDENTITIES[name].need == "mint"
    if forged or (known not in documented and known != name):
        return Gap(f"needs a minted token: {name}", Need("mint", known))
    if name == primary and not endpoint.identities:
        told = "the target offers no identity to make it from"
        return Gap(told, Need("identity")) if derived else None
    return Gap(f"the target offers no identity {known}", Need("identity", known))
