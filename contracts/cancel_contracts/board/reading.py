"""Files to runs: JSON reports, of this version of the suite and of earlier ones, and board.json.

A report is reduced to what a board shows as soon as it is read, so that hundreds need little. Every
text goes through `clean`: what a target may have had a say in cannot steer a page, a feed or a
reader's eye. Raises UsageError for what is no report.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from cancel_contracts import serial
from cancel_contracts.board.model import Mark, Part, Run
from cancel_contracts.compare import document
from cancel_contracts.errors import UsageError
from cancel_contracts.gate import tally
from cancel_contracts.report.text import line
from cancel_contracts.schemas import complaint, shape

SCHEMA_VERSION = 1  # of board.json
TEXT_CHARS = 400  # of any one text that is kept
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
FIX = "name JSON reports, or the board.json of an earlier board"


@dataclass
class Found:
    """What the files hold: each run once, the oldest first, and what the clauses say."""

    runs: list[Run] = field(default_factory=list)
    says: dict[str, dict[str, str]] = field(default_factory=dict)  # contract -> id -> sentence


def read(paths: Iterable[Path]) -> Found:
    """Return what the files hold. A run that is in several counts once."""
    known: dict[str, list[Run]] = {}  # by their moment
    told: dict[tuple[str, str], tuple[datetime, str]] = {}
    shared: dict[Mark, Mark] = {}
    for path in paths:
        for run, says in _runs(path):
            slim, at = _slim(run, shared), moment(run)
            others = known.setdefault(run.started, [])
            if slim not in others:
                others.append(slim)
            for name, rows in says.items():
                for id_, text in rows.items():
                    if (name, id_) not in told or told[name, id_][0] <= at:
                        told[name, id_] = at, text
    found = Found(sorted(chain.from_iterable(known.values()), key=moment))
    for (name, id_), (_, text) in told.items():
        found.says.setdefault(name, {})[id_] = text
    return found


def moment(run: Run) -> datetime:
    return datetime.fromisoformat(run.started)


def clean(value: Any) -> Any:
    """Return a JSON value whose every text is one short line of characters that show."""
    if isinstance(value, str):
        return _short(value[: TEXT_CHARS + 1])
    if isinstance(value, list):
        return [clean(row) for row in value]
    if isinstance(value, dict):
        return {clean(key): clean(row) for key, row in value.items()}
    return value


@lru_cache(4096)  # run after run has the same
def _short(text: str) -> str:
    text = line(text)
    return text if len(text) <= TEXT_CHARS else text[: TEXT_CHARS - 1] + "…"


def _slim(run: Run, shared: dict[Mark, Mark]) -> Run:
    """Return the run with its ids and marks shared with those of others."""
    contracts = tuple(
        replace(
            judged,
            clauses={sys.intern(i): shared.setdefault(m, m) for i, m in judged.clauses.items()},
        )
        for judged in run.contracts
    )
    return replace(run, contracts=contracts)


def _runs(path: Path) -> Iterator[tuple[Run, dict[str, dict[str, str]]]]:
    found = document(path)
    if isinstance(found, dict) and "schemaVersion" in found:
        yield from _board(path, found)
        return
    if wrong := complaint(shape("board-reading").errors(found)):
        where = "/".join(map(str, wrong[0])) or "(top level)"
        raise UsageError(f"{path}: {where}", f"is no report: {wrong[1]}", FIX)
    says = {
        clean(c["name"]): {clean(r["id"]): clean(r["says"]) for r in c["clauses"] if "says" in r}
        for c in found["contracts"]
    }
    yield _loaded(path, "", _row(found)), says


def _board(path: Path, found: dict[str, Any]) -> Iterator[tuple[Run, dict[str, dict[str, str]]]]:
    """Yield the runs of a board.json; what its clauses say comes with each."""
    if found["schemaVersion"] != SCHEMA_VERSION or not isinstance(found.get("runs"), list):
        problem = f"is no board of schemaVersion {SCHEMA_VERSION}"
        raise UsageError(f"{path}: schemaVersion", problem, FIX)
    clauses = found.get("clauses")
    says = {
        clean(name): {
            clean(id_): clean(row["says"])
            for id_, row in rows.items()
            if isinstance(row, dict) and isinstance(row.get("says"), str)
        }
        for name, rows in (clauses if isinstance(clauses, dict) else {}).items()
        if isinstance(rows, dict)
    }
    for number, row in enumerate(found["runs"]):
        yield _loaded(path, f"runs/{number}/", row), says


def _loaded(path: Path, place: str, row: Any) -> Run:
    try:
        run = serial.load(Run, clean(row), place)
    except (ValueError, RecursionError) as err:
        raise UsageError(f"{path}: {place}", f"is no run: {err}", FIX) from None
    try:
        if not MOMENT.fullmatch(run.started):
            raise ValueError
        moment(run)
    except ValueError:
        problem = "is no moment in UTC, such as 2026-11-22T01:02:03Z"
        raise UsageError(f"{path}: {place}started", problem, FIX) from None
    return run


def _row(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return a report as the row of a run. Of an earlier version it lacks some keys."""
    target = report["target"]
    return {
        "started": report["started"],
        "suite": report["tool"]["version"],
        "profile": report.get("profile", ""),
        "seed": report.get("seed", 0),
        "outcome": report["outcome"],
        "exit_code": report["exit_code"],
        "url": target["base_url"],
        "name": target.get("name") or None,
        "version": target.get("version") or None,
        "contracts": [_contract(contract) for contract in report["contracts"]],
    }


def _contract(row: Mapping[str, Any]) -> dict[str, Any]:
    clauses = row["clauses"]
    upheld, judged, selected = tally((c["level"], c["verdict"]) for c in clauses)
    counted = Part(upheld, judged), Part(judged, selected)
    kept, covered = (
        {key: row[name][key] for key in ("count", "of")} if name in row else serial.dump(part)
        for name, part in zip(("kept", "covered"), counted, strict=True)
    )
    chosen = row.get("selected")
    return {
        "name": row["name"],
        "kept": kept,
        "covered": covered,
        "dialects": [dialect["name"] for dialect in row.get("dialects", [])],
        "spec_sha256": row.get("spec_sha256"),
        "selected": chosen and {key: chosen[key] for key in ("count", "of")},
        "clauses": {
            c["id"]: {
                "level": c["level"],
                "verdict": c["verdict"],
                "why": c.get("excused") or c.get("reason"),
                "excused": bool(c.get("excused")),
                "gap": c.get("gap", False),
                "newer": bool(c.get("newer")),
            }
            for c in clauses
        },
    }
