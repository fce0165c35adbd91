"""The built-in mock as a target: a server on a free loopback port, and the target that describes
it.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import yaml

from cancel_contracts.contract.callers import ROLES
from cancel_contracts.contract.lifecycle import hurried
from cancel_contracts.contract.model import Contract
from cancel_contracts.identity.clock import LIFETIME_SECONDS
from cancel_contracts.identity.identities import Identities
from cancel_contracts.mock.server import MockServer
from cancel_contracts.mock.tls import certified
from cancel_contracts.redact.secrets import Redactor
from cancel_contracts.targets.file import Target

ALGORITHM = "HS256"
PLACE = "the built-in mock"
WITHIN = 1.5  # seconds that effects may take on it, where a page gives more


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
        "name": PLACE,
        "base_url": server.base_url,
        "provider_states": server.provider_states,
        "mint": {"algorithm": ALGORITHM, "key": key},
        "within": WITHIN,
        "not_testable": dict(not_testable or {}),
        "contracts": {
            c.name: {"identities": {"throttled": {"token": Identities.throttled_token(c, key)}}}
            for c in contracts
        },
    }
    return Target(PLACE, raw, server.base_url)


def _ready(
    server: MockServer, contracts: Sequence[Contract], key: str, ca_file: Path | None
) -> Iterator[str]:
    """Yield what it takes to call a mock by hand: whom to trust, resources, tokens."""
    trust = f" --cacert {ca_file}" if ca_file else ""
    if ca_file:
        yield f"Its certificate is vouched for by {ca_file}: `curl{trust}`, `verify{trust}`,"
        yield f"NODE_EXTRA_CA_CERTS={ca_file}, SSL_CERT_FILE={ca_file}."
    at = f"--base-url {server.base_url}{trust}"
    for contract in contracts:
        state = contract.lifecycle.cancellable[0]
        yield f"A resource: cancel-contracts mock new {contract.name} {state} {at}"
    target = target_of(server, contracts, key)
    yield f"Tokens, good for {LIFETIME_SECONDS // 60} minutes:"
    for contract in contracts:
        who = Identities(contract, target.endpoint(contract), Redactor())
        for role in ROLES:
            yield f"{contract.name}, {role}: {who.credentials(role).secret}"


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
    key, contracts = new_key(), [hurried(contract, WITHIN) for contract in contracts]
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
    ca_file: Path | None = None,
) -> None:
    """Serve until interrupted, and say in target.yaml's form how to verify it; beside that, as
    comments, a token for each role and how a resource is made. `ca_file`: over TLS, by an authority
    whose certificate is written there.
    """
    own = key or new_key()
    context = certified(host, ca_file) if ca_file else None
    with MockServer(
        contracts, key=own, faults=faults, variants=variants, host=host, port=port, tls=context
    ) as server:
        target = dict(target_of(server, contracts, own).raw)
        del target["not_testable"]
        if key is not None:
            target["mint"] = {"algorithm": ALGORITHM, "key_env": "CANCEL_CONTRACTS_MOCK_KEY"}
        say("# The mock's own target.yaml; it serves until interrupted.")
        say(yaml.safe_dump(target, sort_keys=False, width=1000).rstrip())
        for line in _ready(server, contracts, own, ca_file):
            say(f"# {line}")
        with suppress(KeyboardInterrupt):
            threading.Event().wait()
