"""A board as files: the page, the same as data, a badge a target and the feed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cancel_contracts import TOOL, serial, version
from cancel_contracts.board import feed
from cancel_contracts.board.matrix import matrix
from cancel_contracts.board.page import render
from cancel_contracts.board.reading import SCHEMA_VERSION, Found
from cancel_contracts.board.targets import Standing, Target, targets
from cancel_contracts.errors import UsageError
from cancel_contracts.report import files

COLOURS = {"violated": "red", "inconclusive": "orange", "nothing-selected": "lightgrey"}


def write(found: Found, folder: Path, title: str) -> list[Target]:
    """Write the board into a folder, which is made if need be, and return its targets.

    Raises UsageError where something cannot be written.
    """
    rows = targets(found.runs)
    try:
        (folder / "badges").mkdir(parents=True, exist_ok=True)
    except OSError as err:
        problem = err.strerror or "cannot be written"
        raise UsageError(str(folder), problem, "name a folder that can be written") from None
    files.write(folder / "index.html", render(rows, found.says, title))
    files.write(folder / "board.json", dump(document(rows, found, title)))
    files.write(folder / feed.NAME, feed.atom(rows, title))
    for target in rows:
        files.write(folder / "badges" / f"{target.slug}.json", dump(badge(target)))
    return rows


def dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"


def badge(target: Target) -> dict[str, Any]:
    """Return a target's badge as shields.io reads it: https://shields.io/badges/endpoint-badge."""
    best = all(part.count == part.of for part in (target.kept, target.covered))
    good = "brightgreen" if best and target.judged_whole else "yellowgreen"
    return {
        "schemaVersion": 1,
        "label": TOOL,
        "message": told(target),
        "color": COLOURS.get(target.outcome, good),
    }


def told(target: Target) -> str:
    """Return the two figures in words; that they are of a selection is never left out."""
    kept, covered = target.kept, target.covered
    of = "" if target.judged_whole else " (a selection)"
    return f"kept {kept.count} of {kept.of}, covered {covered.count} of {covered.of}{of}"


def document(rows: Sequence[Target], found: Found, title: str) -> dict[str, Any]:
    """Return board.json: what the page shows, and the runs, so that a later board can begin
    with it.
    """
    return {
        "schemaVersion": SCHEMA_VERSION,
        "tool": {"name": TOOL, "version": version()},
        "title": title,
        "targets": [_target(target) for target in rows],
        "clauses": _clauses(rows, found.says),
        "runs": [_without_nothing(serial.dump(run)) for run in found.runs],
    }


def _target(target: Target) -> dict[str, Any]:
    return {
        "name": target.name,
        "slug": target.slug,
        "url": target.latest.url,
        "version": ", ".join(target.versions) or None,
        "outcome": target.outcome,
        "kept": asdict(target.kept),
        "covered": asdict(target.covered),
        "whole": target.judged_whole,
        "dialects": target.dialects,
        "suites": target.suites,
        "started": target.standing_runs[0].started,
        "badge": f"badges/{target.slug}.json",
        "contracts": [_standing(standing) for standing in target.standings],
        "changes": [asdict(change) for change in target.steps[-1].changes],
    }


def _standing(standing: Standing) -> dict[str, Any]:
    run, judged = standing.run, standing.judged
    return {
        "name": judged.name,
        "kept": asdict(judged.kept),
        "covered": asdict(judged.covered),
        "selected": asdict(judged.selected) if judged.selected else None,
        "dialects": list(judged.dialects),
        "spec_sha256": judged.spec_sha256,
        "suite": run.suite,
        "profile": run.profile,
        "seed": run.seed,
        "started": run.started,
    }


def _clauses(
    rows: Sequence[Target], says: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, Any]]:
    """Return the clauses by contract and id, each with the verdict of every target that was judged
    by it, by slug.
    """
    return {
        name: {
            row.id: {
                "level": row.level,
                "says": row.says,
                "verdicts": {
                    target.slug: mark.verdict
                    for target, mark in zip(rows, row.marks, strict=True)
                    if mark
                },
            }
            for row in table
        }
        for name, table in matrix(rows, says).items()
    }


def _without_nothing(value: Any) -> Any:
    """Return a JSON value without what says no more than that it is absent: null and false."""
    if isinstance(value, dict):
        rows = ((key, _without_nothing(row)) for key, row in value.items())
        return {key: row for key, row in rows if row is not None and row is not False}
    return [_without_nothing(row) for row in value] if isinstance(value, list) else value
