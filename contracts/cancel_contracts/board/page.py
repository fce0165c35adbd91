"""The board as one HTML page: it opens from disk, loads nothing and runs only its own script.

What keeps a hostile name harmless is told in report/document.py. Without the script everything is
there but the filter and the choice of two runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cancel_contracts import TOOL, version
from cancel_contracts.board.matrix import Row, matrix, reasons
from cancel_contracts.board.model import Mark, Run
from cancel_contracts.board.targets import SHA256_DIGITS, Target
from cancel_contracts.compare import RANK
from cancel_contracts.report import document
from cancel_contracts.report.text import VERDICTS

PACKAGE = "cancel_contracts.board"
RECENT = 20  # runs of a history that stand open
SHOWN_CHANGES = 50  # of one run
# Beside the word, never alone: neither colour nor shape is needed to read it.
GLYPHS = {
    "upheld": "✓",
    "conforms": "✓",
    "violated": "✗",
    "inconclusive": "?",
    "not-exercised": "○",
    "nothing-selected": "○",
    "accepted": "≈",
}


def render(found: Sequence[Target], says: Mapping[str, Mapping[str, str]], title: str) -> str:
    """Return the page."""
    style, script = document.style(PACKAGE, "board.css"), document.part(PACKAGE, "board.js")
    tables = matrix(found, says)
    runs = [run for target in found for run in target.runs]
    return document.environment(PACKAGE).get_template("board.html.j2").render(
        title=title,
        tool=f"{TOOL} {version()}",
        targets=found,
        runs=len(runs),
        newest=max(runs, key=lambda run: run.started, default=None),
        matrix=tables,
        reasons=reasons,
        verdicts=VERDICTS,
        glyphs=GLYPHS,
        recent=RECENT,
        digits=SHA256_DIGITS,
        most=SHOWN_CHANGES,
        data=_data(found, tables),
        style=style,
        script=script,
        policy=document.policy(style, script),
    )  # fmt: skip


def _data(found: Sequence[Target], tables: Mapping[str, Sequence[Row]]) -> dict[str, Any]:
    """Return what the script needs: the verdicts of each run as a string a contract, a digit a
    clause: its place among the words, beyond them where the clause is not held against the target.
    """
    runs: list[dict[str, Any]] = []
    targets: list[dict[str, Any]] = []
    for target in found:
        first = len(runs)
        for run in reversed(target.runs):
            told = f", version {run.version}" if run.version else ""
            label = f"{run.started[:19].replace('T', ' ')}{told}"
            runs.append({"label": label, "verdicts": _digits(run, tables)})
        targets.append({"name": target.name, "runs": list(range(first, len(runs)))})
    clauses = {name: [(r.id, r.level, r.says) for r in rows] for name, rows in tables.items()}
    return {
        "targets": targets, "runs": runs, "clauses": clauses,
        "words": VERDICTS, "rank": RANK, "glyphs": GLYPHS,
    }  # fmt: skip


def _digits(run: Run, tables: Mapping[str, Sequence[Row]]) -> dict[str, str]:
    found = {}
    for judged in run.contracts:
        marks = (judged.clauses.get(row.id) for row in tables.get(judged.name, ()))
        found[judged.name] = "".join(_digit(mark) if mark else "-" for mark in marks)
    return found


def _digit(mark: Mark) -> str:
    aside = mark.newer or mark.excused
    return str(VERDICTS.index(mark.verdict) + aside * len(VERDICTS))
