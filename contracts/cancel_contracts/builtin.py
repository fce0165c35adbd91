"""The built-in mock as a target: a server on a free loopback port, and the target that describes
it.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

import yaml

from cancel_contracts.contract.model import Contract
from cancel_contracts.identity.identities import Identities
from cancel_contracts.mock.server import MockServer
from cancel_contracts.targets.file import Target

ALGORITHM = "HS256"
PLACE = "the built-in mock"


def new_key() -> str:
    return secrets.token_hex(32)


def target_of(
    server: MockServer,
    contracts: Sequence[Contract],
    key: str,
    not_testable: Mapping[str, str] | None = None,
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
    return Target(PLACE, raw, server.base_url)


@contextmanager
def mock_target(
    contracts: Sequence[Contract],
    faults: Sequence[str] = (),
    variants: Sequence[str] = (),
    not_testable: Mapping[str, str] | None = None,
    *,
    quotas: bool = True,
) -> Iterator[Target]:
    """Serve the contracts while the block runs, and say where. Without `quotas` nobody is
    limited.
    """
    key = new_key()
    with MockServer(contracts, key=key, faults=faults, variants=variants, quotas=quotas) as server:
        yield target_of(server, contracts, key, not_testable)


def serve_forever(
    contracts: Sequence[Contract],
    host: str,
    port: int,
    key: str | None,
    faults: Sequence[str],
    variants: Sequence[str],
    say: Callable[[str], None],
) -> None:
    """Serve until interrupted, and say in target.yaml's form how to verify it."""
    own = key or new_key()
    with MockServer(
        contracts, key=own, faults=faults, variants=variants, host=host, port=port
    ) as server:
        target = dict(target_of(server, contracts, own).raw)
        del target["not_testable"]
        if key is not None:
            target["mint"] = {"algorithm": ALGORITHM, "key_env": "CANCEL_CONTRACTS_MOCK_KEY"}
        say("# The mock's own target.yaml; it serves until interrupted.")
        say(yaml.safe_dump(target, sort_keys=False, width=1000).rstrip())
        with suppress(KeyboardInterrupt):
            threading.Event().wait()
