"""A server to be measured on, and what its owner tells the tools: address, token, ids, document.

The server counts what it is sent. What it takes to set it up is not counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml
from cancel_contracts.builtin import new_key, target_of
from cancel_contracts.contract.model import Contract
from cancel_contracts.identity.identities import Identities
from cancel_contracts.mock.server import MockServer
from cancel_contracts.redact.secrets import Redactor

from benchmarks.sample import Subject

POOL = 150  # ids of resources that can be cancelled, for the tools that are told ids
UNKNOWN = "6f1b0e8e-5f0c-4e0a-9a53-0d6a8c5b7e11"


@dataclass
class Site:
    """What a tool is told. `folder` is its own to write to."""

    subject: Subject
    contract: Contract
    server: MockServer
    token: str
    target: dict[str, Any]
    folder: Path

    @property
    def url(self) -> str:
        return self.server.base_url

    def sent(self) -> int:
        return self.server.requests.total()

    def ids(self, count: int = POOL) -> list[str]:
        """Make resources that can be cancelled, each state in turn, and return their ids."""
        states, found = self.contract.lifecycle.cancellable, []
        with requests.Session() as http:
            for at in range(count):
                params = {"contract": self.contract.name, "state": states[at % len(states)]}
                asked = {"action": "setup", "params": params}
                answer = http.post(self.server.provider_states, json=asked, timeout=10)
                found.append(answer.json()["id"])
        return found

    def write(self, name: str, value: Any) -> Path:
        """Write a file for a tool, as JSON or as text, and return its path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value if isinstance(value, str) else json.dumps(value, indent=1), "utf-8")
        return path

    def target_file(self, **changes: Any) -> Path:
        return self.write("target.yaml", yaml.safe_dump({**self.target, **changes}))


@contextmanager
def served(subject: Subject, contract: Contract, folder: Path) -> Iterator[Site]:
    """Serve a subject while the block runs."""
    key = new_key()
    server = MockServer([contract], key=key, faults=subject.faults, variants=subject.variants)
    with server:
        target = target_of(server, [contract], key)
        identities = Identities(contract, target.endpoint(contract), Redactor())
        delegated = any(p.kind == "delegated" for p in contract.permissions)
        both = {p.kind for p in contract.permissions} == {"delegated", "application"}
        who = "app" if both or not delegated else "admin"
        token = identities.credentials(who).secret
        yield Site(subject, contract, server, token, dict(target.raw), folder)
