"""The target: where to send, as whom, and what it cannot be asked. Read from target.yaml or a bare
URL.

Knows no contract beyond the names it is told of. Opens no socket. Every complaint is a UsageError,
exit code 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from cancel_contracts.contract.edition import last_day
from cancel_contracts.contract.lifecycle import hurried
from cancel_contracts.contract.load import every_shipped
from cancel_contracts.contract.load import load as load_spec
from cancel_contracts.contract.model import Contract
from cancel_contracts.errors import UsageError
from cancel_contracts.targets.fields import (
    CertificateSource,
    FieldSource,
    certificate_of,
    handler_of,
    headers_of,
    ids_of,
)
from cancel_contracts.targets.names import PRIMARY, wrong
from cancel_contracts.targets.parameters import check_headers, parameters_of
from cancel_contracts.targets.reading import read
from cancel_contracts.targets.url import check_url

ENTRIES = 1000  # of one mapping of a target file; identities are a dozen
BARE = "BASE_URL"  # the place of a target that has no file


@dataclass(frozen=True)
class TokenSource:
    """Where a token comes from: `kind` is token, token_env, token_file, token_command or azure."""

    kind: str
    value: str | tuple[str, ...] | Mapping[str, Any] = field(repr=False)
    place: str = ""


@dataclass(frozen=True)
class MintSource:
    """The key that the target trusts: `kind` is key, key_env or key_file."""

    algorithm: str
    kind: str
    value: str = field(repr=False)
    place: str = ""


@dataclass(frozen=True)
class Endpoint:
    """The target as one contract sees it: overrides applied."""

    contract: str
    base_url: str
    handler: str | None = None
    ids: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unknown_id: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)  # this target's own values
    identities: Mapping[str, TokenSource] = field(default_factory=dict)
    mint: MintSource | None = None
    primary: str | None = None
    not_testable: Mapping[str, str] = field(default_factory=dict)
    headers: tuple[FieldSource, ...] = ()  # go with every call to the target
    handler_headers: tuple[FieldSource, ...] = ()
    client_certificate: CertificateSource | None = None
    # What the create calls of the spec are to be filled with; None: nothing is to be created.
    provision: Mapping[str, tuple[str, ...]] | None = None
    edition: date | None = None  # that it holds to: its last day

    @property
    def has_states(self) -> bool:
        return bool(self.handler or self.ids or self.provision is not None)


@dataclass(frozen=True)
class Target:
    """A validated target file. `raw` holds it as written, but for what is empty; `endpoint` applies
    the overrides of one contract.
    """

    place: str
    raw: Mapping[str, Any]
    base_url: str

    @property
    def name(self) -> str:
        """What the target is called where several stand side by side; empty where nobody says."""
        return str(self.raw.get("name", ""))

    @property
    def version(self) -> str:
        """Which version of it is there, as the file says; empty where it does not."""
        return str(self.raw.get("version", ""))

    def endpoint(self, contract: Contract) -> Endpoint:
        own = self.raw.get("contracts", {}).get(contract.name, {})
        # Who has resources created for a contract wants no handler of the others for it.
        general = None if "provision" in own else self.raw.get("provider_states")
        states = own.get("provider_states", general)
        primary = own.get("primary", self.raw.get("primary", {}).get(contract.name))
        base = own.get("base_url", self.base_url)
        if not base:
            raise UsageError(self.place, "gives no base_url", "add `base_url:` or name a BASE_URL")
        identities = {**self.raw.get("identities", {}), **own.get("identities", {})}
        handler, handler_headers = handler_of(self.place, states)
        headers = {**self.raw.get("headers", {}), **own.get("headers", {})}
        certificate = own.get("client_certificate", self.raw.get("client_certificate"))
        endpoint = Endpoint(
            contract=contract.name,
            base_url=base.rstrip("/"),
            handler=handler,
            ids=ids_of(self.place, states) if handler is None and states else {},
            unknown_id=str(own["unknown_id"]) if "unknown_id" in own else None,
            parameters=parameters_of(self.place, self.raw, contract),
            identities={n: _token(self.place, n, row) for n, row in identities.items()},
            mint=_mint(self.place, own.get("mint", self.raw.get("mint"))),
            primary=primary,
            not_testable={**self.raw.get("not_testable", {}), **own.get("not_testable", {})},
            provision=_listed(own["provision"]) if "provision" in own else None,
            headers=headers_of(self.place, headers),
            handler_headers=handler_headers,
            client_certificate=certificate_of(self.place, certificate),
            edition=self._edition(contract),
        )
        check_headers(contract, endpoint.headers)
        self._check_states(contract, endpoint)
        if endpoint.provision is not None:
            self._check_provision(contract, endpoint)
        return endpoint

    def _edition(self, contract: Contract) -> date | None:
        own = self.raw.get("contracts", {}).get(contract.name, {})
        place = f"contracts/{contract.name}/edition" if "edition" in own else "edition"
        edition = own.get("edition", self.raw.get("edition"))
        return None if edition is None else last_day(f"{self.place}: {place}", str(edition))

    def check_primary(self, contract: Contract, endpoint: Endpoint) -> None:
        """Raise where nobody could make the ordinary calls. A bare target needs no token at all."""
        given = endpoint.primary is not None
        name = endpoint.primary or PRIMARY
        if endpoint.mint or name in endpoint.identities or not (given or endpoint.identities):
            return
        own = "primary" in self.raw.get("contracts", {}).get(contract.name, {})
        place = f"{self.place}: contracts/{contract.name}" if own else self.place
        problem = f"{name}, who makes the ordinary calls for {contract.name}, has no source"
        others = (
            [f"name another {'primary' if given else 'as primary'}"] if endpoint.identities else []
        )
        fix = " or ".join([f"give identities/{name}", *others])
        raise UsageError(f"{place}{'/' if own else ': '}primary", problem, fix)

    def _check_states(self, contract: Contract, endpoint: Endpoint) -> None:
        for state in endpoint.ids:
            if state not in contract.lifecycle.states:
                known = ", ".join(contract.lifecycle.states)
                place = f"{self.place}: contracts/{contract.name}/provider_states"
                raise UsageError(
                    place, f"{contract.name} has no state {state!r}", f"use one of {known}"
                )

    def _check_provision(self, contract: Contract, endpoint: Endpoint) -> None:
        place = f"{self.place}: contracts/{contract.name}/provision"
        assert endpoint.provision is not None
        if endpoint.handler is not None:
            raise UsageError(place, "stands beside a handler", "keep one of the two")
        if not contract.provisions:
            raise UsageError(place, f"{contract.name} documents no create call", "leave it out")
        known = {name for row in contract.provisions for name in row.needs}
        for name in endpoint.provision:
            if name not in known:
                fix = f"use one of {', '.join(sorted(known))}" if known else "leave it empty"
                raise UsageError(place, f"no create call holds {name!r}", fix)
        if not any(row.needs.keys() <= endpoint.provision.keys() for row in contract.provisions):
            wanted = " or ".join(", ".join(row.needs) for row in contract.provisions)
            raise UsageError(place, "fills no create call", f"give {wanted}")

    def check_names(self, contracts: Sequence[Contract]) -> None:
        """Raise where the file speaks of a contract, an identity or a need that does not exist.

        A run of one contract may use a file that describes the target for all.
        """
        if any(wrong(self.place, self.raw, contracts)):
            everything = [*contracts, *map(load_spec, every_shipped())]
            if problem := next(wrong(self.place, self.raw, everything), None):
                raise problem

    def narrowed(self, contracts: Sequence[Contract]) -> list[Contract]:
        """Return those that the target serves. Raises UsageError where it serves none of them."""
        serves = self.raw.get("serves")
        found = [c for c in contracts if serves is None or c.name in serves]
        if not found and contracts:
            problem = f"names none of {', '.join(c.name for c in contracts)}"
            fix = "add one, leave `serves` out, or choose a contract (--contract)"
            raise UsageError(f"{self.place}: serves", problem, fix)
        return [hurried(contract, self.within(contract.name)) for contract in found]

    def within(self, name: str) -> float | None:
        """Return the seconds that effects take here at most, where the file says so."""
        own = self.raw.get("contracts", {}).get(name, {})
        found: float | None = own.get("within", self.raw.get("within"))
        return found

    def at(self, base_url: str) -> Target:
        """Return this target at another URL: the BASE_URL of the command line wins."""
        return replace(self, base_url=check_url(BARE, base_url))


def of_url(base_url: str) -> Target:
    """Return the target of a bare URL: no provider states, no identities."""
    return Target(BARE, {}, check_url(BARE, base_url))


def load(path: Path) -> Target:
    """Return the target of a file."""
    raw = read(path)
    return Target(str(path), raw, raw.get("base_url", "").rstrip("/"))


def _token(place: str, name: str, row: Mapping[str, Any]) -> TokenSource:
    ((kind, value),) = row.items()
    return TokenSource(
        kind, tuple(value) if isinstance(value, list) else value, f"{place}: identities/{name}"
    )


def _listed(row: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {k: tuple(v) if isinstance(v, list) else (v,) for k, v in row.items()}


def _mint(place: str, row: Mapping[str, Any] | None) -> MintSource | None:
    if row is None:
        return None
    kind = next(k for k in ("key", "key_env", "key_file") if k in row)
    return MintSource(row["algorithm"], kind, row[kind], f"{place}: mint/{kind}")
