"""What commands share: loading contracts, checking names, opening a target, the options of
reports.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cancel_contracts.cli.completing import CLAUSES, CONTRACTS
from cancel_contracts.errors import UsageError
from cancel_contracts.pipes import is_pipe
from cancel_contracts.report.files import STDOUT

if TYPE_CHECKING:
    from cancel_contracts.contract.model import Contract
    from cancel_contracts.targets.file import Target


class _Path(click.Path):
    """A path. No system takes a NUL in one, and Python says so by a traceback."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if "\0" in str(value):
            self.fail("holds a NUL; name a file without one", param, ctx)
        return super().convert(value, param, ctx)


PATH = _Path(path_type=Path)


class Finite(click.FloatRange):
    """A number of `unit` that can be counted with: not without end, and not NaN."""

    unit = "percent"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value} is no number of {self.unit}; give one", param, ctx)
        return found


class Seconds(Finite):
    unit = "seconds"


class Edition(click.ParamType[date]):
    """An edition, as its last day."""

    name = "edition"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        from cancel_contracts.contract.edition import last_day

        return value if isinstance(value, date) else last_day("--edition", value)


# Flag -> what it writes. The order is that of the help.
REPORTS = {
    "--report-json": "Write the JSON report here; - is the standard output.",
    "--report-junit": "Write JUnit XML here.",
    "--report-markdown": "Write a Markdown summary here.",
    "--report-html": "Write a self-contained HTML page here.",
    "--record": "Write the traffic here, as HAR 1.2.",
}
BUNDLE = "--bundle"  # what it takes to judge a run again: of `verify` alone


def verdict_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what decides how the evidence is read and when a run fails."""
    command = click.option(
        "--min-covered",
        type=Finite(min=0, max=100),
        default=0.0,
        metavar="PERCENT",
        help="Exit 4 where less of the must-clauses was judged.",
    )(command)
    told = "A violated should-clause fails too."
    command = click.option("--strict", is_flag=True, help=told)(command)
    told, name = "Pin the reading of a contradiction.", "dialects"
    return click.option("--dialect", name, multiple=True, metavar="CONTRACT=DIALECT", help=told)(
        command
    )


def clause_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what selects clauses."""
    from cancel_contracts.contract.choice import SOURCES
    from cancel_contracts.contract.topics import TOPICS
    from cancel_contracts.report.text import LEVELS

    rows = (
        ("--level", "levels", click.Choice(LEVELS), "Only clauses of this level."),
        ("--topic", "topics", click.Choice(list(TOPICS)), "Only clauses about this."),
        ("--source", "sources", click.Choice(SOURCES), "Only what this source says."),
        ("--skip", "skip", CLAUSES, "Not these: ids and patterns, with commas."),
        ("--only", "only", CLAUSES, "Only these: ids and patterns (MA-3*), with commas."),
    )
    for flag, name, kind, told in rows:
        metavar = "CLAUSES" if kind is CLAUSES else None
        command = click.option(
            flag, name, multiple=True, type=kind, metavar=metavar, help=told
        )(command)  # fmt: skip
    return edition_option(command)


def edition_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--edition", type=Edition(), metavar="DATE",
        help="The clauses and dialects of this day (2021, 2021-05, 2021-05-10), not of today.",
    )(command)  # fmt: skip


def report_options(command: Callable[..., Any]) -> Callable[..., Any]:
    told = "Show every clause with its evidence."
    command = click.option("--verbose", is_flag=True, help=told)(command)
    for flag, text in reversed(REPORTS.items()):
        command = click.option(flag, type=PATH, metavar="FILE", help=text)(command)
    return command


def check_reports(flags: dict[str, Any]) -> dict[str, Path]:
    """Take the report paths out of a command's flags, checked before any traffic. A `-` is the
    standard output.
    """
    paths: dict[str, Path] = {}
    ledger = flags.get("ledger")
    for flag in (*REPORTS, BUNDLE):
        path = flags.pop(flag.removeprefix("--").replace("-", "_"), None)
        if path is None:
            continue
        if path != STDOUT:
            check_writable(flag, path)
        elif flag in ("--record", BUNDLE):
            raise UsageError(flag, "is written entry by entry", "name a file")
        others = {**paths, **({"--ledger": ledger} if ledger else {})}
        for other, taken in others.items():
            if taken.resolve() == path.resolve():
                raise UsageError(f"{flag} {path}", f"is the file of {other} too", "name another")
        paths[flag] = path
    return paths


def spec_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--spec", "specs", multiple=True, type=PATH, metavar="FILE",
        help="A contract from this file instead of the shipped ones (repeatable).",
    )(command)  # fmt: skip


class ContractNames(click.Option):
    """The option that names contracts. Its help has those that no run takes without being asked."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        from cancel_contracts.contract.load import every_shipped, load

        named = ", ".join(c.name for c in map(load, every_shipped()) if not c.default)
        self.help = f"Only this contract (repeatable). Run only when named: {named}."
        return super().get_help_record(ctx)


def spec_options(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option(
        "--contract",
        "names",
        cls=ContractNames,
        multiple=True,
        type=CONTRACTS,
        metavar="NAME",
    )(command)
    return spec_option(command)


def cacert_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--cacert", type=PATH, metavar="FILE",
        help="CA certificates (PEM) that the target is trusted by, instead of the usual ones.",
    )(command)  # fmt: skip


def every_contract(specs: Sequence[Path], edition: date | None = None) -> list[Contract]:
    """Return the contracts of the given files, or all shipped ones: whatever may be named. Of an
    edition, where one is named.
    """
    from cancel_contracts.contract.load import every_shipped, load

    contracts = [load(path, edition) for path in (specs or every_shipped())]
    known = [c.name for c in contracts]
    for name in known:
        if known.count(name) > 1:
            raise UsageError("--spec", f"two files give the contract {name!r}", "name one of them")
    return contracts


def load_contracts(
    specs: Sequence[Path], names: Sequence[str], edition: date | None = None
) -> list[Contract]:
    """Return the contracts that are named; where none is, those of the given files, or those of the
    shipped ones that a run takes without being asked. Of an edition, where one is named.
    """
    from cancel_contracts.contract.load import every_shipped

    if not specs and names:  # of those shipped, no other need be read
        specs = [path for path in every_shipped() if path.stem in names]
        specs = specs if {path.stem for path in specs} == {*names} else ()
    contracts = every_contract(specs, edition)
    known = [c.name for c in contracts]
    for name in names:
        if name not in known:
            raise UsageError(
                "--contract", f"no contract is named {name!r}", f"use one of {', '.join(known)}"
            )
    if names:
        return [c for c in contracts if c.name in names]
    return [c for c in contracts if specs or c.default]


def put(text: str, *, nl: bool = True) -> None:
    """Print what a command is there to print. Raises UsageError where that is lost."""
    click.echo(text, nl=nl)
    if lost := getattr(sys.stdout, "lost", None):
        raise UsageError("standard output", lost, "have it written where there is room")


def check_file(flag: str, path: Path) -> None:
    """Raise where a pipe is given for what is read more than once, or is to be kept."""
    if is_pipe(path):
        raise UsageError(f"{flag} {path}", "is a pipe", "name a file")


def check_writable(flag: str, path: Path) -> None:
    """Raise before any traffic where a report could not be written after it."""
    try:
        if path.is_dir():
            raise UsageError(f"{flag} {path}", "is a folder", "name a file")
        if not path.parent.is_dir():
            raise UsageError(f"{flag} {path}", "its folder does not exist", "make it first")
        if is_pipe(path):
            return  # to be opened once, when there is something to write
        fresh = not path.exists()
        with path.open("ab"):
            pass
        if fresh:
            path.unlink()
    except OSError as err:
        raise UsageError(
            f"{flag} {path}", err.strerror or "cannot be written", "name another"
        ) from None


def open_target(
    contracts: Sequence[Contract], base_url: str | None, file: Path | None, *, quotas: bool = True
) -> AbstractContextManager[Target]:
    """Return a context manager that yields the target. `quotas` is the built-in mock's."""
    from cancel_contracts.targets import file as target_file

    if file is not None:
        target = target_file.load(file)
        return nullcontext(target.at(base_url) if base_url else target)
    if base_url is not None:
        return nullcontext(target_file.of_url(base_url))
    from cancel_contracts.builtin import mock_target

    return mock_target(contracts, quotas=quotas)
