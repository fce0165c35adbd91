"""The identities that a target file may give a token for. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from cancel_contracts.contract.credentials import IDENTITIES
from cancel_contracts.contract.given import identity_name, listed, permission_of
from cancel_contracts.contract.model import Contract

# Whoever has a forged token at hand may lend it; else it takes a key to mint one.
ROLES = tuple(name for name, word in IDENTITIES.items() if word.need == "identities")
FORGED = tuple(name for name, word in IDENTITIES.items() if word.need == "mint")


def names(contracts: Iterable[Contract]) -> list[str]:
    """Return every name: the roles, and each permission that a contract documents or asks with."""
    found = dict.fromkeys((*ROLES, *FORGED))
    for contract in contracts:
        found |= dict.fromkeys(permission.name for permission in contract.permissions)
        for clause in contract.clauses:
            asked = map(identity_name, listed(clause.given.get("identity", [])))
            found |= dict.fromkeys(name for i in asked if (name := permission_of(i)))
    return list(found)
