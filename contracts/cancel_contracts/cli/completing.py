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
PAGES = Names("pages")
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
    from cancel_contracts.contract.load import every_shipped, load

    names, specs = params.get("names") or (), params.get("specs")
    contracts = [load(path) for path in specs or every_shipped()]
    if kind == "contracts":
        asked = " (run only when named)"
        yield from ((c.name, c.title if specs or c.default else c.title + asked) for c in contracts)
    elif kind == "pages":
        yield from ((name, page.url) for c in contracts for name, page in c.pages.items())
    else:
        contracts = [c for c in contracts if (c.name in names if names else specs or c.default)]
        yield from ((clause.id, clause.says) for c in contracts for clause in c.clauses)
