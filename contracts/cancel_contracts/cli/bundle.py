"""`recheck`: the traffic of a bundle judged anew, and where the verdicts part."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cancel_contracts.cli.options import (
    PATH,
    check_file,
    check_writable,
    edition_option,
    every_contract,
    put,
    spec_option,
)
from cancel_contracts.errors import UsageError
from cancel_contracts.report.files import STDOUT

if TYPE_CHECKING:
    from cancel_contracts.bundle.reading import Bundle
    from cancel_contracts.contract.model import Contract

CLAUSES = ("bundled", "installed")
SHOWN_CHARS = 300  # of a difference


@click.command()
@click.argument("bundle", type=PATH)
@click.option(
    "--clauses", type=click.Choice(CLAUSES), default="bundled", show_default=True,
    help="Judge by the spec files in the bundle, or by those installed here (or --spec).",
)  # fmt: skip
@spec_option
@edition_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.option("--report-json", type=PATH, metavar="FILE", help="Write the report of now here.")
def recheck(bundle: Path, clauses: str, specs: tuple[Path, ...], edition: date | None, form: str,
            report_json: Path | None) -> int:  # fmt: skip
    """Judge the traffic of a bundle anew, without network, and say where the verdicts part.

    By the clauses in it nothing may part; --clauses installed holds the traffic against what is
    installed here, of today or of an --edition. Exit 1 where verdicts part, or where a file is not
    the one that the bundle's statement names; 2 where it is no bundle.
    """
    from cancel_contracts.bundle import parts
    from cancel_contracts.bundle.reading import opened
    from cancel_contracts.compare import load
    from cancel_contracts.report.json_report import write_json

    check_file("BUNDLE", bundle)
    if report_json == STDOUT:
        raise UsageError("--report-json", "stands beside what is told here", "name a file")
    if report_json is not None:
        check_writable("--report-json", report_json)
    bundled = clauses == "bundled" and not specs
    if bundled and edition is not None:
        problem = "is the run's where the clauses in the bundle judge"
        raise UsageError("--edition", problem, "add --clauses installed")
    with opened(bundle) as found:
        then = load(found.file(parts.REPORT))
        contracts = every_contract(found.specs if bundled else specs, edition)
        now = _judged(found, contracts, None if bundled else every_contract(found.specs))
        if report_json is not None:
            write_json(now, report_json)
        return _told(bundle, found, then, now, bundled, form)


def _judged(
    found: Bundle, contracts: Sequence[Contract], bundled: Sequence[Contract] | None
) -> dict[str, Any]:
    """Return the report of a bundle's traffic, judged now. `bundled` are the contracts in it, where
    others judge.
    """
    from cancel_contracts.assignment import Options
    from cancel_contracts.baseline import load
    from cancel_contracts.bundle import parts
    from cancel_contracts.cli.conclude import decided
    from cancel_contracts.replay import judge_recording
    from cancel_contracts.report.record import record

    known = None if bundled is None else {id_ for c in bundled for id_ in c.whole.ids}
    options = Options(strict=found.about["strict"], min_covered=found.about["min_covered"])
    result = judge_recording(found.file(parts.RECORDING), contracts, options, known)
    entries = load(found.file(parts.BASELINE), bundled or contracts)
    return record(*decided(result, entries, date.fromisoformat(found.about["judged"])))


def _told(
    path: Path, found: Bundle, then: dict[str, Any], now: dict[str, Any], bundled: bool, form: str
) -> int:
    """Print where two reports part, and return the exit code."""
    from cancel_contracts import version
    from cancel_contracts.bundle.parting import dump, ended, parted, verdicts
    from cancel_contracts.errors import clip
    from cancel_contracts.report.text import count, line

    old, new = (verdicts(report, whole=ended(then)) for report in (then, now))
    rows = parted(old, new, alike=bundled)
    same = dump(old) == dump(new)
    bad = bool(found.changed) or any(row.counts for row in rows)
    if form == "json":
        document = {
            "clauses": CLAUSES[not bundled],
            "suite": {"then": str(found.about.get("suite")), "now": version()},
            "changed": list(found.changed),
            "parted": [asdict(row) for row in rows],
            "same": same,
        }
        put(json.dumps(document, ensure_ascii=False, indent=1))
        return int(bad)
    put(line(f"{path}: {count(len(found.names), 'file')}"))
    for text in found.changed:
        put(line(f"! {text}"))
    asked = sum(len(contract["clauses"]) for contract in now["contracts"])
    by = "in it" if bundled else "installed here"
    suites = f"made by {found.about.get('suite')}, judged by {version()}"
    put(line(f"{count(asked, 'clause')} judged anew, by the clauses {by} ({suites})"))
    for row in rows:
        put(("! " if row.counts else "  ") + clip(line(row.sentence()), SHOWN_CHARS))
    parts = "the same verdicts, byte for byte" if same else "no verdict is another"
    if any(row.counts for row in rows):
        parts = f"the verdicts part in {count(sum(row.counts for row in rows), 'place')}"
    put(f"{parts}{'; the bundle was changed' if found.changed else ''} (exit code {int(bad)})")
    return int(bad)
