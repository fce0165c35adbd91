"""Record a run as a HAR file, and judge such a file, or a foreign one, without network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from cancel_contracts import har
from cancel_contracts.assignment import Options, select
from cancel_contracts.contract.model import Contract
from cancel_contracts.excuses import excuse
from cancel_contracts.judge.judge import judge
from cancel_contracts.redact.secrets import Redactor
from cancel_contracts.verify import ContractResult, Result


def write_recording(result: Result, path: Path) -> None:
    """Write a run's traffic, with what it takes to come to the same verdicts again."""
    settings = {
        "base_url": result.base_url,
        "profile": result.options.profile,
        "seed": result.options.seed,
        "seconds": result.seconds,
        "started": result.started.isoformat(),
        "pinned": {name: list(names) for name, names in result.options.pinned.items()},
        "contracts": {
            r.contract.name: {
                "base_url": r.base_url,
                "clauses": [v.clause.id for v in r.judgement.verdicts],
                "not_testable": dict(r.not_testable),
                "seconds": r.seconds,
            }
            for r in result.results
        },
    }
    journals = [r.journal for r in result.results]
    from cancel_contracts.report.record import version

    har.write(path, journals, settings, result.started, version(), result.redactor)


def judge_recording(path: Path, contracts: Sequence[Contract], options: Options) -> Result:
    """Return the result of a recording: the same verdicts as the run that made it.

    Raises UsageError where the file is no HAR.
    """
    recording = har.read(path, contracts)
    settings = recording.settings
    rows = settings.get("contracts", {})
    pinned = {name: tuple(names) for name, names in settings.get("pinned", {}).items()}
    options = replace(
        options,
        pinned={**pinned, **options.pinned},
        profile=settings.get("profile", options.profile),
        seed=settings.get("seed", options.seed),
    )
    results = []
    for contract in contracts:
        journal = recording.journals[contract.name]
        row = rows.get(contract.name, {})
        if not journal.exchanges and not row:
            continue
        clauses = [
            c for c in select(contract, options) if not row or c.id in set(row.get("clauses", ()))
        ]
        judgement = judge(contract, journal, clauses, options.pinned.get(contract.name, ()))
        excuses = row.get("not_testable", {})
        base = row.get("base_url", "")
        results.append(
            ContractResult(
                contract,
                base,
                journal,
                excuse(judgement, excuses),
                row.get("seconds", 0.0),
                excuses,
            )
        )
    warnings = [f"{r.contract.name}: {note}" for r in results for note in r.journal.notes]
    if recording.ignored:
        warnings.append(f"{recording.ignored} recorded exchanges on other routes were ignored")
    started = settings.get("started")
    return Result(
        base_url=settings.get("base_url", f"recorded in {path.name}"),
        options=options,
        results=tuple(results),
        started=datetime.fromisoformat(started) if started else datetime.now(UTC),
        seconds=float(settings.get("seconds", 0.0)),
        redactor=Redactor(),
        warnings=tuple(warnings),
    )
