"""The command line: the single edge where errors become a message and an exit code.

Imports little at the top: `--help` and `clauses` load neither Hypothesis nor schemathesis nor a server.
"""

from __future__ import annotations

import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from contracts.errors import ContractsError, UsageError
from contracts.spec.model import Contract

SUITE_FAILED = 3
PATH = click.Path(path_type=Path)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        code = cli.main(args=list(argv) if argv is not None else None, standalone_mode=False)
        return code if isinstance(code, int) else 0
    except UsageError as err:
        return _complain(str(err), err.exit_code)
    except ContractsError as err:
        return _complain(str(err), err.exit_code)
    except click.exceptions.NoArgsIsHelpError as err:
        click.echo(err.ctx.get_help())
        return 2
    except click.UsageError as err:
        where = f"`{err.ctx.command_path} --help`" if err.ctx else "`cancel-contracts --help`"
        return _complain(f"{err.format_message().rstrip('.')}; see {where}", 2)
    except click.ClickException as err:
        return _complain(err.format_message(), 2)
    except (KeyboardInterrupt, click.Abort):
        return _complain("interrupted", 130)
    except BrokenPipeError:
        return 0
    except Exception as err:  # noqa: BLE001 - the edge: a fault of the suite is said, never hidden
        place = traceback.extract_tb(err.__traceback__)[-1]
        what = f"{type(err).__name__} at {Path(place.filename).name}:{place.lineno}"
        return _complain(f"the suite itself failed: {what}; please report it", SUITE_FAILED)


def _complain(text: str, code: int) -> int:
    click.echo("cancel-contracts: " + " ".join(text.split()), err=True)
    return code


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="cancel-contracts")
def cli() -> None:
    """Tell whether a server keeps the documented contract of a cancel endpoint.

    \b
    Exit codes: 0 conforms, 1 a clause is violated, 2 bad usage, 3 the suite itself failed,
    4 inconclusive (unreachable, refused, throttled, or something not exercised), 5 nothing selected.
    """


def spec_options(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option(
        "--contract", "names", multiple=True, metavar="NAME", help="Only this contract (repeatable)."
    )(command)
    return click.option(
        "--spec", "specs", multiple=True, type=PATH, metavar="FILE",
        help="A contract from this file instead of the shipped ones (repeatable).",
    )(command)  # fmt: skip


def load_contracts(specs: Sequence[Path], names: Sequence[str]) -> list[Contract]:
    """Return the contracts of the given files, or the shipped ones, narrowed by name."""
    from contracts.spec.load import load, shipped

    contracts = [load(path) for path in (specs or shipped())]
    known = [c.name for c in contracts]
    for name in known:
        if known.count(name) > 1:
            raise UsageError("--spec", f"two files give the contract {name!r}", "name one of them")
    for name in names:
        if name not in known:
            raise UsageError("--contract", f"no contract is named {name!r}", f"use one of {', '.join(known)}")
    return [c for c in contracts if not names or c.name in names]


def check_clauses(contracts: Sequence[Contract], flag: str, ids: Sequence[str]) -> None:
    for id_ in ids:
        if any(c.clause(id_) for c in contracts):
            continue
        row = next((r for c in contracts for r in c.not_testable if r.id == id_), None)
        problem = f"{id_} cannot be tested ({row.reason})" if row else f"no clause has the id {id_!r}"
        raise UsageError(flag, problem, "see `cancel-contracts clauses`")


def pinned_dialects(contracts: Sequence[Contract], values: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the dialects pinned by `--dialect CONTRACT=DIALECT`, by contract."""
    pinned: dict[str, tuple[str, ...]] = {}
    for value in values:
        name, _, dialect = value.partition("=")
        contract = next((c for c in contracts if c.name == name), None)
        if contract is None:
            names = ", ".join(c.name for c in contracts)
            raise UsageError("--dialect", f"no contract is named {name!r}", f"write CONTRACT=DIALECT with one of {names}")
        known = {d.name: d.of for d in contract.dialects}
        if dialect not in known:
            mend = f"use one of {', '.join(known)}" if known else "it has no dialects"
            raise UsageError("--dialect", f"{name} has no dialect {dialect!r}", mend)
        if any(known[other] == known[dialect] and other != dialect for other in pinned.get(name, ())):
            raise UsageError("--dialect", f"{dialect} excludes another one pinned", "pin one of them")
        pinned[name] = (*pinned.get(name, ()), dialect)
    return pinned


@cli.command()
@click.argument("base_url", required=False)
@click.option("--target", "target_file", type=PATH, metavar="FILE", help="The target's description.")
@spec_options
@click.option("--only", multiple=True, metavar="CLAUSE", help="Only this clause (repeatable).")
@click.option("--skip", multiple=True, metavar="CLAUSE", help="Not this clause (repeatable).")
@click.option("--profile", type=click.Choice(["smoke", "gate", "deep"]), default="gate", show_default=True,
              help="smoke touches nothing that exists; gate exercises every clause; deep adds properties and walks.")
@click.option("--max-requests", type=click.IntRange(min=1), metavar="N", help="At most N cancel calls per contract.")
@click.option("--rate", metavar="R", help="At most this many cancel calls, such as 100/min.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N")
@click.option("--dialect", "dialects", multiple=True, metavar="C=D", help="Pin the reading of a contradiction.")
@click.option("--strict", is_flag=True, help="A violated should-clause fails too.")
@click.option("--allow-destructive", is_flag=True, help="Cancel resources on a target that is not local.")
@click.option("--timeout", type=click.FloatRange(min=0.1, max=600), default=10.0, show_default=True,
              metavar="SECONDS", help="Silence on the wire after which a call counts as unanswered.")
@click.option("--max-wait", type=click.FloatRange(min=0), default=60.0, show_default=True,
              metavar="SECONDS", help="Waits that the target asks for with 429, in all.")
@click.option("--report-json", type=PATH, metavar="FILE")
@click.option("--plan", "plan_only", is_flag=True, help="Say what would be sent, and send nothing.")
def verify(base_url: str | None, target_file: Path | None, specs: tuple[Path, ...], names: tuple[str, ...],
           plan_only: bool, report_json: Path | None, dialects: tuple[str, ...], timeout: float,
           **flags: Any) -> int:  # fmt: skip
    """Verify a target: BASE_URL, --target FILE, or without either the built-in mock."""
    from contracts.target.pace import parse_rate
    from contracts.transport.client import Timeouts
    from contracts.verify import Options

    contracts = load_contracts(specs, names)
    check_clauses(contracts, "--only", flags["only"])
    check_clauses(contracts, "--skip", flags["skip"])
    if flags["rate"]:
        parse_rate(flags["rate"])
    options = Options(
        pinned=pinned_dialects(contracts, dialects),
        timeouts=Timeouts(connect=min(5.0, timeout), read=timeout, total=2 * timeout),
        **flags,
    )
    reports = {"--report-json": report_json}
    for flag, path in reports.items():
        if path is not None:
            check_writable(flag, path)
    deep = options.profile == "deep"
    with open_target(contracts, base_url, target_file, quotas=not deep) as target:
        if plan_only:
            return show_plan(contracts, target, options)
        return run(contracts, target, options, report_json)


def check_writable(flag: str, path: Path) -> None:
    """Raise before any traffic where a report could not be written after it."""
    if path.is_dir():
        raise UsageError(f"{flag} {path}", "is a folder", "name a file")
    if not path.parent.is_dir():
        raise UsageError(f"{flag} {path}", "its folder does not exist", "make it first")
    try:
        fresh = not path.exists()
        with path.open("ab"):
            pass
        if fresh:
            path.unlink()
    except OSError as err:
        raise UsageError(f"{flag} {path}", err.strerror or "cannot be written", "name another") from None


def open_target(
    contracts: Sequence[Contract], base_url: str | None, file: Path | None, *, quotas: bool = True
) -> Any:
    """Return a context manager that yields the target. `quotas` is the built-in mock's."""
    from contextlib import nullcontext

    from contracts.target import file as target_file

    if file is not None:
        target = target_file.load(file)
        return nullcontext(target.at(base_url) if base_url else target)
    if base_url is not None:
        return nullcontext(target_file.of_url(base_url))
    from contracts.builtin import mock_target

    return mock_target(contracts, quotas=quotas)


def console() -> Any:
    from rich.console import Console

    return Console(highlight=False)


def show_plan(contracts: Sequence[Contract], target: Any, options: Any) -> int:
    from contracts.report.plan import show
    from contracts.verify import assign

    assignments = assign(contracts, target, options)
    show(assignments, console())
    return 0 if any(a.plan.clauses for a in assignments) else 5


def run(contracts: Sequence[Contract], target: Any, options: Any, report_json: Path | None) -> int:
    """Verify, report and return the exit code."""
    from contracts import gate
    from contracts.report.json_report import write_json
    from contracts.report.record import record
    from contracts.report.terminal import Bar, show
    from contracts.verify import assign
    from contracts.verify import verify as verify_target

    screen = console()
    signal.signal(signal.SIGTERM, _terminated)
    totals = {a.contract.name: a.cost()["cancel"] for a in assign(contracts, target, options)}
    with Bar(screen, totals) as bar:
        result = verify_target(contracts, target, options, bar.progress)
    outcome = gate.decide(result.judgements(), strict=options.strict)
    written = record(result, outcome)
    show(written, screen)
    if report_json is not None:
        write_json(written, report_json)
    return outcome.exit_code


def _terminated(signum: int, frame: object) -> None:
    sys.exit(128 + signum)


@cli.command("clauses")
@spec_options
@click.option("--format", "form", type=click.Choice(["table", "json", "markdown"]), default="table")
def clauses_command(specs: tuple[Path, ...], names: tuple[str, ...], form: str) -> None:
    """List every clause, its level and its source."""
    from contracts.report.clauses import listing

    click.echo(listing(load_contracts(specs, names), form))


@cli.command()
@click.argument("clause")
@spec_options
def explain(clause: str, specs: tuple[Path, ...], names: tuple[str, ...]) -> None:
    """Say of one clause what the page says, how it is exercised and what violates it."""
    from contracts.report.clauses import explanation

    contracts = load_contracts(specs, names)
    if not any(c.knows(clause) for c in contracts):
        check_clauses(contracts, "CLAUSE", [clause])
    click.echo(explanation(contracts, clause))


@cli.command()
@spec_options
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0 takes a free one.")
@click.option("--key", envvar="CANCEL_CONTRACTS_MOCK_KEY", help="Trust JWTs signed with this (HS256).")
@click.option("--fault", "faults", multiple=True, metavar="NAME", help="Deviate deliberately.")
@click.option("--variant", "variants", multiple=True, metavar="NAME", help="Differ and still conform.")
@click.option("--list", "list_", is_flag=True, help="List the faults and variants.")
def mock(specs: tuple[Path, ...], names: tuple[str, ...], host: str, port: int, key: str | None,
         faults: tuple[str, ...], variants: tuple[str, ...], list_: bool) -> None:  # fmt: skip
    """Serve the contracts' faithful mock until interrupted."""
    from contracts.builtin import serve_forever
    from contracts.report.clauses import catalogue

    contracts = load_contracts(specs, names)
    if list_:
        click.echo(catalogue(contracts))
        return
    serve_forever(contracts, host, port, key, faults, variants, click.echo)


@cli.command()
@click.option("--output", type=PATH, metavar="FILE", help="Write it there instead of printing it.")
def init(output: Path | None) -> None:
    """Print a commented target.yaml to start from."""
    from importlib import resources

    text = resources.files("contracts.target").joinpath("target.example.yaml").read_text("utf-8")
    if output is None:
        click.echo(text, nl=False)
        return
    if output.exists():
        raise UsageError(str(output), "exists already", "name another file or remove it")
    check_writable("--output", output)
    output.write_text(text, encoding="utf-8")
    click.echo(f"wrote {output}")


def console_main() -> None:
    """The installed command."""
    sys.exit(main())


if __name__ == "__main__":
    console_main()
