"""The built-in mock as a target: a server on a free loopback port, and the target that describes it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from contracts.mock.server import MockServer
from contracts.spec.model import Contract
from contracts.target.file import Target
from contracts.target.identities import Identities

ALGORITHM = "HS256"


def new_key() -> str:
    return secrets.token_hex(32)


def target_of(
    server: MockServer, contracts: Sequence[Contract], key: str, not_testable: Mapping[str, str] | None = None
) -> Target:
    """Return the target that a running mock is: provider states, identities, the key it trusts."""
    raw = {
        "base_url": server.base_url,
        "provider_states": server.provider_states,
        "mint": {"algorithm": ALGORITHM, "key": key},
        "not_testable": dict(not_testable or {}),
        "contracts": {
            c.name: {"identities": {"throttled": {"token": Identities.throttled_token(c, key)}}}
            for c in contracts
        },
    }
    return Target("the built-in mock", raw, server.base_url)


@contextmanager
def mock_target(
    contracts: Sequence[Contract],
    faults: Sequence[str] = (),
    variants: Sequence[str] = (),
    not_testable: Mapping[str, str] | None = None,
) -> Iterator[Target]:
    """Serve the contracts while the block runs, and say where."""
    key = new_key()
    with MockServer(contracts, key=key, faults=faults, variants=variants) as server:
        yield target_of(server, contracts, key, not_testable)
