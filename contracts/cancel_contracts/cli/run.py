"""Commands that come to a verdict: `verify` on a target, `judge` on recorded traffic."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cancel_contracts.cli.choosing import chosen, pinned_dialects
from cancel_contracts.cli.conclude import conclude
from cancel_contracts.cli.grouped import Grouped
from cancel_contracts.cli.options import (
    BUNDLE,
    PATH,
    Seconds,
    cacert_option,
    check_file,
    check_reports,
    check_writable,
    clause_options,
    every_contract,
    load_contracts,
    open_target,
    put,
    report_options,
    spec_options,
    verdict_options,
)
from cancel_contracts.errors import ContractsError

if TYPE_CHECKING:
    from cancel_contracts.assignment import Options
    from cancel_contracts.baseline import Entry
    from cancel_contracts.cli.papers import Papers
    from cancel_contracts.contract.model import Contract
    from cancel_contracts.redact.secrets import Redactor
    from cancel_contracts.report.screen import Outlet
    from cancel_contracts.targets.file import Target

PROFILES = (
    "smoke touches nothing that exists; gate exercises every clause; "
    "deep adds properties and walks."
)


@click.command(cls=Grouped)
@click.argument("base_url", required=False)
@click.option(
    "--target", "target_file", type=PATH, metavar="FILE", help="The target's description."
)
@spec_options
@clause_options
@click.option(
    "--profile",
    type=click.Choice(["smoke", "gate", "deep"]),
    default="gate",
    show_default=True,
    help=PROFILES,
)
@click.option(
    "--max-requests",
    type=click.IntRange(min=1),
    metavar="N",
    help="At most N cancel calls per contract.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    metavar="N",
    help="Scenarios at a time. By default one, and more where the target is far away or slow.",
)
@click.option("--rate", metavar="R", help="At most this many cancel calls, such as 100/min.")
@click.option(
    "--quota-store",
    metavar="URL",
    help="A Redis that counts the calls of several runs on one tenant together.",
)
@click.option(
    "--wait",
    type=Seconds(min=0, max=3600),
    default=0.0,
    metavar="SECONDS",
    help="Wait so long for a server that is starting.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="N",
    help="Decides the drawn texts and ids: the same seed sends the same.",
)
@verdict_options
@click.option(
    "--allow-destructive", is_flag=True, help="Cancel resources on a target that is not local."
)
@click.option(
    "--timeout",
    type=Seconds(min=0.1, max=600),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="Silence on the wire after which a call counts as unanswered.",
)
@cacert_option
@click.option(
    "--max-wait",
    type=Seconds(min=0, max=86400),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Waits that the target asks for with 429, in all, for each contract.",
)
@click.option(
    "--baseline", "baseline_file", type=PATH, metavar="FILE", help="Known deviations to accept."
)
@report_options
@click.option(
    BUNDLE,
    type=PATH,
    metavar="FILE",
    help="Write report, traffic, specs and target file (without secrets) here, as a zip that"
    " `recheck` judges again.",
)
@click.option(
    "--ledger",
    type=PATH,
    metavar="FILE",
    help="Write here what may be changed, before it is sent. By default a new file where the"
    " target is not local, and none where it is.",
)
@click.option(
    "--debug", is_flag=True, help="Tell each exchange, and where the suite fails, on stderr."
)
@click.option("--plan", "plan_only", is_flag=True, help="Say what would be sent, and send nothing.")
def verify(base_url: str | None, target_file: Path | None, specs: tuple[Path, ...],
           names: tuple[str, ...], plan_only: bool, baseline_file: Path | None,
           dialects: tuple[str, ...], timeout: float, debug: bool, wait: float,
           edition: date | None, **flags: Any) -> int:  # fmt: skip
    """Verify a target: BASE_URL, --target FILE, or without either the built-in mock."""
    from cancel_contracts.assignment import SWEEP_SECONDS, Options
    from cancel_contracts.cli.before import keep_tables_apart, wait_for_servers
    from cancel_contracts.cli.debug import debugging
    from cancel_contracts.cli.papers import Papers
    from cancel_contracts.targets.pace import check_store, parse_rate
    from cancel_contracts.transport.certificates import trusted
    from cancel_contracts.transport.client import Timeouts, Transport

    contracts = load_contracts(specs, names, edition)
    few = bool(flags["only"])
    flags["only"], flags["skip"] = chosen(contracts, flags)
    if flags["rate"]:
        parse_rate(flags["rate"])
    if flags["quota_store"]:
        check_store(flags["quota_store"])
    Transport(verify=trusted(flags["cacert"])).close()  # a bad file is said at once
    reports = check_reports(flags)
    screen = _console(flags.pop("verbose"), reports)
    if flags["ledger"]:
        check_file("--ledger", flags["ledger"])
        check_writable("--ledger", flags["ledger"])
    entries = _baseline(baseline_file, contracts, specs)
    options = Options(
        sweep_seconds=0.0 if few else SWEEP_SECONDS,
        pinned=pinned_dialects(contracts, dialects),
        timeouts=Timeouts(connect=min(5.0, timeout), read=timeout, total=2 * timeout),
        **flags,
    )
    quotas = options.profile != "deep"
    with (
        debugging(debug) as redactor,
        open_target(contracts, base_url, target_file, quotas=quotas) as target,
    ):
        if plan_only:
            return _show_plan(contracts, target, options, screen)
        if wait:
            wait_for_servers(target, contracts, wait)
        if options.profile == "deep":
            keep_tables_apart()
        papers = Papers.of(contracts, target, entries) if BUNDLE in reports else None
        return _run(contracts, target, options, entries, reports, screen, redactor, papers)


@click.command(cls=Grouped)
@click.argument("traffic", type=PATH)
@spec_options
@clause_options
@verdict_options
@click.option(
    "--baseline", "baseline_file", type=PATH, metavar="FILE", help="Known deviations to accept."
)
@click.option("--caller", is_flag=True, help="What the recorded callers break fails too.")
@report_options
def judge(traffic: Path, specs: tuple[Path, ...], names: tuple[str, ...],
          baseline_file: Path | None, dialects: tuple[str, ...], edition: date | None,
          **flags: Any) -> int:  # fmt: skip
    """Judge recorded traffic (HAR, mitmproxy; - is standard input) by the same clauses, without
    network."""
    from cancel_contracts.assignment import Options
    from cancel_contracts.cli.interrupt import orderly
    from cancel_contracts.replay import judge_recording

    contracts = load_contracts(specs, names, edition)
    flags["only"], flags["skip"] = chosen(contracts, flags)
    check_file("TRAFFIC", traffic)
    reports = check_reports(flags)
    screen = _console(flags.pop("verbose"), reports)
    entries = _baseline(baseline_file, contracts, specs)
    options = Options(pinned=pinned_dialects(contracts, dialects), **flags)
    result = judge_recording(traffic, contracts, options)
    with orderly():  # half-written files are put away
        return conclude(result, entries, reports, screen)


def _baseline(
    file: Path | None, contracts: Sequence[Contract], specs: Sequence[Path]
) -> list[Entry]:
    if file is None:
        return []
    from cancel_contracts.baseline import load

    return load(file, [*contracts, *every_contract(specs)])


def _console(verbose: bool, reports: dict[str, Path]) -> Outlet:
    """Return where the report for the eye goes: beside a report on the standard output."""
    from cancel_contracts.report.files import STDOUT
    from cancel_contracts.report.screen import Outlet

    return Outlet(verbose, stderr=STDOUT in reports.values())


def _show_plan(
    contracts: Sequence[Contract], target: Target, options: Options, screen: Outlet
) -> int:
    from cancel_contracts.assignment import assign
    from cancel_contracts.report.plan import show

    assignments = assign(contracts, target, options)
    show(assignments, screen, options)
    put("", nl=False)  # it is there to print, and says where that was lost
    return 0 if any(a.plan.clauses for a in assignments) else 5


def _run(
    contracts: Sequence[Contract],
    target: Target,
    options: Options,
    entries: list[Entry],
    reports: dict[str, Path],
    screen: Outlet,
    redactor: Redactor,
    papers: Papers | None,
) -> int:
    """Verify, report and return the exit code."""
    from cancel_contracts.assignment import assign
    from cancel_contracts.cli.interrupt import interruptible
    from cancel_contracts.report.terminal import Bar
    from cancel_contracts.verify import verify as verify_target
    from cancel_contracts.verify import with_ledger

    assignments = assign(contracts, target, options)
    options = with_ledger(assignments, options)
    if options.ledger is not None:
        click.echo(f"ledger: {options.ledger}", err=True)
    totals = {a.contract.name: a.cost()["cancel"] for a in assignments}
    with interruptible() as stop:
        try:
            with Bar(screen, totals) as bar:
                result = verify_target(
                    contracts, target, options, bar.progress,
                    stop=stop, redactor=redactor, assignments=assignments,
                )  # fmt: skip
        except ContractsError as err:
            if not stop.code:
                raise
            # Ctrl-C reaches a token command as well: that it failed is not the news.
            click.echo(f"cancel-contracts: interrupted; {err}", err=True)
            return stop.code
        return conclude(result, entries, reports, screen, stop.code, papers)
