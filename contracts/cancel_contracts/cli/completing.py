"""What a shell is offered at the TAB key: contracts, clauses, identities, the mock's entries.

Loads a room only when it is asked; a spec that cannot be read offers nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click
from click.shell_completion import CompletionItem

from cancel_contracts.errors import ContractsError


class Names(click.ParamType[str]):
    """A text of which the names of a `kind` are offered: nothing is refused here."""

    name = "text"

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return what begins so, after the last comma where there are several."""
        before, comma, begun = incomplete.rpartition(",")
        try:
            rows = list(_rows(self.kind, ctx.params))
        except ContractsError:
            return []
        return [
            CompletionItem(f"{before}{comma}{name}", help=says)
            for name, says in rows
            if name.casefold().startswith(begun.casefold())
        ]


CONTRACTS, CLAUSES, IDENTITIES = Names("contracts"), Names("clauses"), Names("identities")
FAULTS, VARIANTS, ENTRIES = Names("faults"), Names("variants"), Names("entries")


def _rows(kind: str, params: dict[str, Any]) -> Iterable[tuple[str, str]]:
    if kind in ("faults", "variants", "entries"):
        from cancel_contracts.mock import catalogue

        if kind != "variants":
            yield from ((entry.name, entry.says) for entry in catalogue.FAULTS)
        if kind != "faults":
            yield from ((entry.name, entry.says) for entry in catalogue.VARIANTS)
        return
    if kind == "identities":
        from cancel_contracts.contract.credentials import IDENTITIES as rows

        yield from ((name, row.says) for name, row in rows.items())
        return
    from cancel_contracts.contract.load import load, shipped

    names = params.get("names") or ()
    contracts = [load(path) for path in params.get("specs") or shipped()]
    contracts = [c for c in contracts if not names or c.name in names or kind == "contracts"]
    if kind == "contracts":
        yield from ((c.name, c.title) for c in contracts)
    else:
        yield from ((clause.id, clause.says) for c in contracts for clause in c.clauses)
