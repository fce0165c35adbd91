"""The tables of docs/third-party-mocks.md, from the board that examples/board.json keeps: what each example came to when
`python tests/third_party.py` last ran it. The tests of the examples hold their own runs against it.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cancel_contracts.board.matrix import reasons
from cancel_contracts.board.output import told as figures
from cancel_contracts.board.reading import Found, read
from cancel_contracts.board.targets import Standing, Target, targets

ROOT = Path(__file__).resolve().parent.parent
BOARD = ROOT / "examples" / "board.json"
# The folder of each example, and what its target file calls it.
MOCKS = {"mockoon": "Mockoon", "mountebank": "mountebank", "prism": "Prism", "wiremock": "WireMock"}


@cache
def kept() -> Found:
    return read([BOARD])


def row(name: str) -> Target:
    """Return the row that an example has on the board."""
    return next(target for target in targets(kept().runs) if target.name == MOCKS[name])


def found(report: dict[str, Any]) -> Found:
    """Return what a board reads of a report."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        path.write_text(json.dumps(report), "utf-8")
        return read([path])


def overview() -> str:
    """Return a row a mock."""
    rows = ["| mock | version | must-clauses | dialects |", "|---|---|---|---|"]
    for name in MOCKS:
        target = row(name)
        link = f"[{target.name}](#{target.name.lower()})"
        dialects = ", ".join(f"`{dialect}`" for dialect in target.dialects)
        rows.append(f"| {link} | {target.versions[0]} | {figures(target)} | {dialects} |")
    return "\n".join(rows)


def told(name: str, target: Target) -> str:
    """Return what the page says of one mock: how much it keeps, and why not the rest."""
    rows = [
        f"`{package(name)[0]}` {target.versions[0]}, [set up here](../examples/{name}/README.md):",
        "",
        "| contract | must-clauses kept | covered | should-clauses kept | not kept | not asked |",
        "|---|---|---|---|---|---|",
    ]
    why: dict[tuple[str, str], list[str]] = {}
    for standing in target.standings:
        rows.append(_contract(standing))
        for kind, reason, ids in reasons(standing.judged):
            why.setdefault((kind, reason), []).extend(ids)
    rest = sorted((kind, sorted(ids), reason) for (kind, reason), ids in why.items())
    lines = [f"- {kind}, {', '.join(ids)}: {reason}." for kind, ids, reason in rest]
    return "\n".join([*rows, *([""] if lines else []), *lines])


def _contract(standing: Standing) -> str:
    judged = standing.judged
    parts = (judged.kept, judged.covered, judged.level("should"))
    aside: dict[str, list[str]] = {"not kept": [], "not asked": []}
    for kind, _, ids in reasons(judged):
        aside[kind] += ids
    cells = (
        f"`{judged.name}`",
        *(f"{part.count} of {part.of}" for part in parts),
        *(", ".join(sorted(ids)) or "-" for ids in aside.values()),
    )
    return f"| {' | '.join(cells)} |"


def package(name: str) -> tuple[str, str]:
    """Return the npm package of an example, and its version."""
    text = (ROOT / "examples" / name / "package.json").read_text("utf-8")
    dependencies: dict[str, str] = json.loads(text)["dependencies"]
    return next(iter(dependencies.items()))
