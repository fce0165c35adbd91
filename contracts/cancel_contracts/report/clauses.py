"""List clauses, and the mock's catalogue: what the specs say, without any traffic."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from io import StringIO
from typing import Any

from rich.console import Console

from cancel_contracts.contract.given import listed
from cancel_contracts.contract.links import links
from cancel_contracts.contract.model import Clause, Contract, NotTestable, Source
from cancel_contracts.report.screen import plain_table

ASKED = "Run only when it is named (`--contract`)."


def rows(contract: Contract) -> list[Clause | NotTestable]:
    """Return clauses and untestable promises by number."""
    return sorted(contract.promises, key=lambda r: int(r.id.rsplit("-", 1)[1]))


def level(row: Clause | NotTestable, contract: Contract) -> str:
    if isinstance(row, NotTestable):
        return "not testable"
    if row in contract.duties:
        return f"{row.level} (callers)"
    return f"{row.level} (deep)" if row.profile == "deep" else row.level


def listing(contracts: Sequence[Contract], form: str) -> str:
    """Return every clause as a table, JSON or Markdown."""
    if form == "json":
        document = [
            {
                "contract": c.name,
                "id": r.id,
                "level": level(r, c),
                "says": r.says,
                "source": {
                    "page": r.source.page,
                    "section": r.source.section,
                    "links": [{"text": link.text, "url": link.url} for link in links(c, r.source)],
                },
                **(
                    {"reason": r.reason}
                    if isinstance(r, NotTestable)
                    else {"since": day(r.since), "until": day(r.until), "profile": r.profile}
                ),
            }
            for c in contracts
            for r in rows(c)
        ]
        return json.dumps(document, indent=2, ensure_ascii=False)
    if form == "markdown":
        lines = []
        for c in contracts:
            lines += [f"## {c.name}", "", *([] if c.default else [ASKED, ""])]
            lines += ["| clause | level | says | source |", "|---|---|---|---|"]
            lines += [
                f"| {r.id} | {level(r, c)} | {cell(says(r))} | {_where(c, r.source)} |"
                for r in rows(c)
            ]
            lines.append("")
        return "\n".join(lines).rstrip()
    buffer = StringIO()
    console = Console(file=buffer, width=110, highlight=False)
    for c in contracts:
        table = plain_table(f"{c.name} ({c.title})")
        for name in ("clause", "level", "says", "source"):
            table.add_column(name, no_wrap=name == "clause")
        for r in rows(c):
            table.add_row(r.id, level(r, c), says(r), str(r.source))
        console.print(table)
    return buffer.getvalue().rstrip()


def day(when: date | None) -> str | None:
    """Return a day as data."""
    return when.isoformat() if when else None


def says(row: Clause | NotTestable) -> str:
    return row.says if isinstance(row, Clause) else f"{row.says} ({row.reason})"


def _where(contract: Contract, source: Source) -> str:
    """Return where a promise stands, as links if its page has an address."""
    found = (f"[{cell(link.text)}]({link.url})" for link in links(contract, source))
    return " and ".join(found) or cell(str(source))


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def expectation(expect: Mapping[str, Any]) -> list[str]:
    """Return what is expected, a line a facet: one of several statuses, all of anything else."""
    lines = []
    for facet, wanted in expect.items():
        between = " or " if facet in ("status", "answer") else " and "
        shown = between.join(map(str, listed(wanted)))
        lines.append(f"{facet}: {shown}")
    return lines


def catalogue(contracts: Sequence[Contract]) -> str:
    """Return the mock's faults and variants, with the contracts they apply to."""
    from cancel_contracts.mock.catalogue import FAULTS, VARIANTS

    lines = []
    for title, entries in (("Faults", FAULTS), ("Variants", VARIANTS)):
        lines.append(f"{title} ({len(entries)}):")
        for entry in entries:
            names = [c.name for c in contracts if entry.applies(c)]
            where = (
                "" if len(names) == len(contracts) else f" [{', '.join(names) or 'none of these'}]"
            )
            lines.append(f"  {entry.name}: {entry.says}{where}")
    families = sorted({fault.family for fault in FAULTS})
    lines.append(f"Families of faults, as x-prove may name them: {', '.join(families)}.")
    return "\n".join(lines)
