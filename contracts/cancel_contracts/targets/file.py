"""The target: where to send, as whom, and what it cannot be asked. Read from target.yaml or a bare
URL.

Knows no contract beyond the names it is told of. Opens no socket. Every complaint is a UsageError,
exit code 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from jsonschema.exceptions import best_match

from cancel_contracts.contract.load import load as load_spec
from cancel_contracts.contract.load import shipped
from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.yaml_file import parse_yaml
from cancel_contracts.errors import UsageError
from cancel_contracts.schemas import validator
from cancel_contracts.targets.names import PRIMARY, wrong
from cancel_contracts.targets.url import check_url, check_urls

ENTRIES = 1000  # of one mapping of a target file; identities are a dozen
IDS_OF_A_PATTERN = 10_000


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
class Site:
    """The target as one contract sees it: overrides applied."""

    contract: str
    base_url: str
    handler: str | None = None
    ids: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unknown_id: str | None = None
    identities: Mapping[str, TokenSource] = field(default_factory=dict)
    mint: MintSource | None = None
    primary: str | None = None
    not_testable: Mapping[str, str] = field(default_factory=dict)
    # What the create calls of the spec are to be filled with; None: nothing is to be created.
    provision: Mapping[str, tuple[str, ...]] | None = None

    @property
    def has_states(self) -> bool:
        return bool(self.handler or self.ids or self.provision is not None)


@dataclass(frozen=True)
class Target:
    """A validated target file. `raw` holds it as written; `site` applies the overrides of one
    contract.
    """

    place: str
    raw: Mapping[str, Any]
    base_url: str

    def site(self, contract: Contract) -> Site:
        own = self.raw.get("contracts", {}).get(contract.name, {})
        # Who has resources created for a contract wants no handler of the others for it.
        general = None if "provision" in own else self.raw.get("provider_states")
        states = own.get("provider_states", general)
        primary = own.get("primary", self.raw.get("primary", {}).get(contract.name))
        base = own.get("base_url", self.base_url)
        if not base:
            raise UsageError(self.place, "gives no base_url", "add `base_url:` or name a BASE_URL")
        identities = {**self.raw.get("identities", {}), **own.get("identities", {})}
        site = Site(
            contract=contract.name,
            base_url=base.rstrip("/"),
            handler=states if isinstance(states, str) else None,
            ids=_ids(self.place, states) if isinstance(states, dict) else {},
            unknown_id=own.get("unknown_id"),
            identities={n: _token(self.place, n, row) for n, row in identities.items()},
            mint=_mint(self.place, own.get("mint", self.raw.get("mint"))),
            primary=primary,
            not_testable={**self.raw.get("not_testable", {}), **own.get("not_testable", {})},
            provision=_listed(own["provision"]) if "provision" in own else None,
        )
        self._check_primary(contract, site)
        self._check_states(contract, site)
        if site.provision is not None:
            self._check_provision(contract, site)
        return site

    def _check_primary(self, contract: Contract, site: Site) -> None:
        """Raise where nobody could make the ordinary calls. A bare target needs no token at all."""
        given = site.primary is not None
        name = site.primary or PRIMARY
        if site.mint or name in site.identities or not (given or site.identities):
            return
        own = "primary" in self.raw.get("contracts", {}).get(contract.name, {})
        place = f"{self.place}: contracts/{contract.name}" if own else self.place
        problem = f"{name}, who makes the ordinary calls for {contract.name}, has no source"
        others = [f"name another {'primary' if given else 'as primary'}"] if site.identities else []
        mend = " or ".join([f"give identities/{name}", *others])
        raise UsageError(f"{place}{'/' if own else ': '}primary", problem, mend)

    def _check_states(self, contract: Contract, site: Site) -> None:
        for state in site.ids:
            if state not in contract.lifecycle.states:
                known = ", ".join(contract.lifecycle.states)
                place = f"{self.place}: contracts/{contract.name}/provider_states"
                raise UsageError(
                    place, f"{contract.name} has no state {state!r}", f"use one of {known}"
                )

    def _check_provision(self, contract: Contract, site: Site) -> None:
        place = f"{self.place}: contracts/{contract.name}/provision"
        assert site.provision is not None
        if site.handler is not None:
            raise UsageError(place, "stands beside a handler", "keep one of the two")
        if not contract.provisions:
            raise UsageError(place, f"{contract.name} documents no create call", "leave it out")
        known = {name for row in contract.provisions for name in row.needs}
        for name in site.provision:
            if name not in known:
                mend = f"use one of {', '.join(sorted(known))}" if known else "leave it empty"
                raise UsageError(place, f"no create call holds {name!r}", mend)
        if not any(row.needs.keys() <= site.provision.keys() for row in contract.provisions):
            wanted = " or ".join(", ".join(row.needs) for row in contract.provisions)
            raise UsageError(place, "fills no create call", f"give {wanted}")

    def check_names(self, contracts: Sequence[Contract]) -> None:
        """Raise where the file speaks of a contract, an identity or a need that does not exist.

        A run of one contract may use a file that describes the target for all.
        """
        if any(wrong(self.place, self.raw, contracts)):
            everything = [*contracts, *map(load_spec, shipped())]
            if problem := next(wrong(self.place, self.raw, everything), None):
                raise problem

    def at(self, base_url: str) -> Target:
        """Return this target at another URL: the BASE_URL of the command line wins."""
        return replace(self, base_url=check_url("BASE_URL", base_url))


def of_url(base_url: str) -> Target:
    """Return the target of a bare URL: no provider states, no identities."""
    return Target("BASE_URL", {}, check_url("BASE_URL", base_url))


def load(path: Path) -> Target:
    """Return the target of a file."""
    raw = parse_yaml(path)
    if not isinstance(raw, dict):
        raise UsageError(str(path), "is no mapping", "start from `cancel-contracts init`")
    if crowded := _crowded(raw):
        problem = f"holds more than {ENTRIES} entries"
        raise UsageError(f"{path}: {crowded}", problem, "leave what is not used out")
    if errors := sorted(
        validator("target").iter_errors(raw),
        key=lambda e: list(map(str, e.absolute_path)),
    ):
        error = best_match(errors[0].context) if errors[0].context else errors[0]
        where = "/".join(map(str, [*errors[0].absolute_path])) or "(top level)"
        if error is not errors[0] and error.absolute_path:
            where = "/".join(map(str, error.absolute_path))
        raise UsageError(f"{path}: {where}", _message(error), "see `cancel-contracts init`")
    check_urls(path, raw)
    return Target(str(path), raw, raw.get("base_url", "").rstrip("/"))


def _crowded(raw: Mapping[str, Any]) -> str | None:
    """Return the first mapping that holds more than any target needs, by its keys."""
    below = [("(top level)", raw)]
    while below:
        where, row = below.pop()
        if len(row) > ENTRIES:
            return where
        below += [
            (f"{where}/{key}".removeprefix("(top level)/"), value)
            for key, value in row.items()
            if isinstance(value, Mapping)
        ]
    return None


def _message(error: Any) -> str:
    """Say what is wrong without repeating the value: it may hold a token."""
    if error.validator == "additionalProperties":
        return str(error.message)
    words = {
        "type": f"must be of type {error.validator_value}",
        "enum": f"must be one of {error.validator_value}",
        "minLength": "must not be empty",
        "minItems": "must not be empty",
        "not": "names two ways to one thing: keep one of them",
        "dependentRequired": str(error.message),
        "minProperties": "must name one source",
        "maxProperties": "must name one source only",
        "required": str(error.message),
        "oneOf": "fits none, or more than one, of the forms allowed here",
        "uniqueItems": "holds a value twice",
    }
    return words.get(error.validator, f"breaks the rule {error.validator!r}")


def _ids(place: str, states: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Return the ids of each state, in order. A pattern stands for many: its run of # is a number,
    from 1 up, padded with zeros.
    """
    return {
        state: tuple(
            i for id_ in given for i in _numbered(f"{place}: provider_states/{state}", id_)
        )
        for state, given in states.items()
    }


def _numbered(place: str, id_: str) -> list[str]:
    width = id_.count("#")
    if width == 0:
        return [id_]
    if "#" * width not in id_:
        mend = "leave one run of #, which stands for a number"
        raise UsageError(place, f"{id_!r} has # in two places", mend)
    numbers = range(1, min(10**width, IDS_OF_A_PATTERN + 1))
    return [id_.replace("#" * width, f"{number:0{width}}") for number in numbers]


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
