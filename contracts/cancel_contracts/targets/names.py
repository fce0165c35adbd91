"""The names in a target file: of contracts, identities, and of what it excuses. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from cancel_contracts.contract import callers
from cancel_contracts.contract.credentials import IDENTITIES
from cancel_contracts.contract.given import permission_of
from cancel_contracts.contract.model import Contract
from cancel_contracts.errors import UsageError
from cancel_contracts.needs import GROUPS

PRIMARY = "admin"  # who makes ordinary calls where the file names nobody
SHOWN = 6  # names that are offered where none is near


def wrong(
    place: str, raw: Mapping[str, Any], contracts: Sequence[Contract]
) -> Iterator[UsageError]:
    """Yield a complaint for each name in the file that means nothing to these contracts."""
    names = [c.name for c in contracts]
    identities = callers.names(contracts)
    needs = [*GROUPS.values(), *identities]
    needs += [state for c in contracts for state in c.lifecycle.states]
    own = raw.get("contracts", {})
    for section in ("contracts", "primary", "serves"):
        for name in raw.get(section, {}):
            if name not in names:
                problem = f"no contract is named {name!r}"
                yield UsageError(f"{place}: {section}", problem, _nearest(name, names))
    for at, row, of in _with_parameters(place, raw, contracts):
        known = [p.name for c in of for p in (*c.parameters, *c.observe_parameters)]
        for name in row.get("parameters", {}):
            if name not in known:
                problem = f"no operation has a parameter {name!r}"
                fix = _nearest(name, known) if known else "leave it out"
                yield UsageError(f"{at}parameters", problem, fix)
    sections = [(f"{place}: ", raw)]
    sections += [(f"{place}: contracts/{name}/", row) for name, row in own.items()]
    for at, row in sections:
        for name in row.get("identities", {}):
            if name not in identities:
                problem = f"no identity is named {name!r}"
                yield UsageError(f"{at}identities", problem, _nearest(name, identities))
        primary = row.get("primary", {})
        for name in [primary] if isinstance(primary, str) else primary.values():
            if name not in identities:
                problem = f"no identity is named {name!r}"
                yield UsageError(f"{at}primary", problem, _nearest(name, identities))
        for name in row.get("not_testable", {}):
            if name not in needs and not any(c.knows(name) for c in contracts):
                problem = f"{name!r} is no clause and no need"
                ids = [clause.id for c in contracts for clause in c.clauses]
                fix = _nearest(name, [*needs, *ids], "a clause id or ")
                yield UsageError(f"{at}not_testable", problem, fix)


def _with_parameters(
    place: str, raw: Mapping[str, Any], contracts: Sequence[Contract]
) -> Iterator[tuple[str, Mapping[str, Any], Sequence[Contract]]]:
    """Yield each part of a file that may give parameters, with the contracts that it is of."""
    yield f"{place}: ", raw, contracts
    for name, row in raw.get("contracts", {}).items():
        yield f"{place}: contracts/{name}/", row, [c for c in contracts if c.name == name]


def check_identity(name: str, contracts: Iterable[Contract]) -> None:
    """Raise UsageError for a name that no identity, forged or derived ones too, and no permission
    has.
    """
    known = list(dict.fromkeys([*IDENTITIES, *callers.names(contracts)]))
    if (permission_of(name) or name) not in known:
        raise UsageError("IDENTITY", f"no identity is named {name!r}", _nearest(name, known))


def _nearest(name: str, known: Iterable[str], before: str = "") -> str:
    """Return what to write instead: the name that is nearest, or the first of all."""
    rows = list(dict.fromkeys(known))
    if near := get_close_matches(name, rows, 1):
        return f"use {near[0]}"
    folded = {row.casefold(): row for row in rows}
    if near := get_close_matches(name.casefold(), folded, 1):
        return f"use {folded[near[0]]}"
    return f"use {before}one of {', '.join(rows[:SHOWN])}" + (" …" if len(rows) > SHOWN else "")
