"""What a target file offers of callers: decided by its names alone, no token is read. Pure."""

from __future__ import annotations

from cancel_contracts.contract.given import permission_of
from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.words import IDENTITIES, needs_token
from cancel_contracts.needs import Gap, Need
from cancel_contracts.targets.file import Site


def lacking(contract: Contract, site: Site, identity: str, primary: str) -> Gap | None:
    """Return why nobody can call as an identity, or None. `primary` is who makes ordinary calls."""
    row = IDENTITIES.get(identity)
    if row is not None and row.wire is not None:
        if not needs_token(identity):
            return None
        if gap := lacking(contract, site, "primary", primary):
            return gap
        # Where no identities are given a placeholder calls: what is made of it tells nothing.
        placeholder = site.mint is None and primary not in site.identities
        told = "the target offers no identity to make it from"
        bare = placeholder and identity != "lower-case-scheme"
        return Gap(told, Need("identity")) if bare else None
    name = primary if identity == "primary" else identity
    known = permission_of(name) or name
    if known in site.identities or (site.mint is not None and name != "throttled"):
        return None
    minted = name in IDENTITIES and IDENTITIES[name].need == "mint"
    documented = {p.name for p in contract.permissions}
    if minted or (known not in documented and known != name):
        return Gap(f"needs a minted token: {name}", Need("mint", known))
    if name == primary and not site.identities:
        return None
    return Gap(f"the target offers no identity {known}", Need("identity", known))
