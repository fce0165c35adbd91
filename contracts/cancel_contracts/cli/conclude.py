"""From a result to its reports and the exit code, whatever becomes of the files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cancel_contracts.cli.options import BUNDLE
from cancel_contracts.errors import SUITE_FAILED, UsageError, crash
from cancel_contracts.pipes import is_pipe, write_bytes

if TYPE_CHECKING:
    from cancel_contracts.baseline import Entry
    from cancel_contracts.cli.papers import Papers
    from cancel_contracts.gate import Outcome
    from cancel_contracts.report.screen import Outlet
    from cancel_contracts.verify import Result


def decided(result: Result, entries: list[Entry], today: date) -> tuple[Result, Outcome]:
    """Return a result with its baseline applied as of a day, and what it comes to."""
    from cancel_contracts import gate
    from cancel_contracts.baseline import apply

    stale: list[str] = []
    stale_excuses = result.stale_excuses()
    warnings = list(result.warnings)
    results = []
    for one in result.results:
        judgement, old, expired = apply(one.judgement, entries, today)
        results.append(replace(one, judgement=judgement))
        stale += old
        warnings += expired
    result = replace(result, results=tuple(results), warnings=(*warnings, *stale, *stale_excuses))
    options = result.options
    outcome = gate.decide(
        result.judgements(),
        strict=options.strict,
        stale=stale,
        stale_excuses=stale_excuses,
        min_covered=options.min_covered,
        crashes=result.crashes,
        nothing=result.nothing,
        caller=options.caller,
    )
    return result, outcome


def conclude(
    result: Result,
    entries: list[Entry],
    reports: dict[str, Path],
    screen: Outlet,
    interrupted: int = 0,
    papers: Papers | None = None,
) -> int:
    """Apply the baseline, decide, write every report from one record, return the exit code.

    That of an interruption goes before that of the outcome. A report that cannot be written loses
    neither the verdict nor the other reports. `papers` are what a bundle holds beside them.
    """
    from cancel_contracts.report.files import STDOUT
    from cancel_contracts.report.record import record
    from cancel_contracts.report.terminal import show

    result, outcome = decided(result, entries, datetime.now(UTC).date())
    outcome = replace(outcome, exit_code=interrupted or outcome.exit_code)
    written = record(result, outcome)
    saved = reports.get("--report-json")
    show(written, screen, screen.verbose, str(saved) if saved not in (None, STDOUT) else None)
    whole = _write(written, result, reports, screen.stderr, papers)
    return outcome.exit_code or (0 if whole else SUITE_FAILED)


def _write(
    written: dict[str, Any],
    result: Result,
    reports: dict[str, Path],
    aside: bool,
    papers: Papers | None,
) -> bool:
    """Write every report; whether all could be written. Those that could not are named."""
    from cancel_contracts.replay import write_recording
    from cancel_contracts.report import annotations, markdown
    from cancel_contracts.report.json_report import write_json
    from cancel_contracts.report.junit import write_junit

    def write_page(path: Path) -> None:
        from cancel_contracts.report.html import write_html  # loads the template engine

        write_html(written, path)

    def write_record(path: Path) -> None:
        if not is_pipe(path):
            write_recording(result, path)
            return
        # A recording is written entry by entry, and whoever reads a pipe may stop at any of them.
        with tempfile.TemporaryDirectory() as folder:
            write_recording(result, whole := Path(folder) / "recording.har")
            write_bytes(path, whole.read_bytes())

    def write_bundle(path: Path) -> None:
        from cancel_contracts.cli.papers import write

        if papers is not None:
            write(written, result, papers, path)

    writers: dict[str, Callable[[Path], None]] = {
        "--report-json": lambda path: write_json(written, path),
        "--report-junit": lambda path: write_junit(written, path),
        "--report-markdown": lambda path: markdown.write_markdown(written, path),
        "--report-html": write_page,
        "--record": write_record,
        BUNDLE: write_bundle,
    }
    whole = True
    for flag, path in reports.items():
        try:
            writers[flag](path)
        except (OSError, UsageError) as err:
            whole = False
            why = err.strerror if isinstance(err, OSError) else err.problem
            click.echo(f"cancel-contracts: {flag} {path} was not written: {why}", err=True)
        except Exception as err:  # noqa: BLE001 - told, and the others are written
            whole = False
            told = f"{flag} {path} was not written: {crash(err)}"
            click.echo(f"cancel-contracts: {told}", err=True)
    try:
        markdown.append_summary(written, os.environ)
    except UsageError as err:
        click.echo(f"warning: {err}", err=True)  # a lost summary is no lost verdict
    for line in annotations.lines(written, os.environ):
        click.echo(line, err=aside)
    return whole
