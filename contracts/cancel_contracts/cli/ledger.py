"""The command `ledger`: what a run has left behind, and its tear-down."""

from __future__ import annotations

from pathlib import Path

import click

from cancel_contracts.cli.options import PATH, cacert_option, load_contracts, spec_option
from cancel_contracts.errors import UsageError


@click.command()
@click.argument("file", type=PATH)
@click.option("--tear-down", is_flag=True, help="Undo the set-ups that are left.")
@click.option(
    "--target", "target_file", type=PATH, metavar="FILE", help="The target's description."
)
@spec_option
@cacert_option
def ledger(file: Path, tear_down: bool, target_file: Path | None, specs: tuple[Path, ...],
           cacert: Path | None) -> int:  # fmt: skip
    """Say what a run has left behind, and what it cancelled for good. Exit 1 where something is
    left.
    """
    from cancel_contracts.ledger.account import read
    from cancel_contracts.report.ledger import text

    account = read(file)
    failures: list[str] = []
    if tear_down and account.left:
        from cancel_contracts.targets.file import load
        from cancel_contracts.teardown import tear_down as undo

        if target_file is None:
            raise UsageError("--tear-down", "needs the run's target file", "add --target FILE")
        failures = undo(account, load_contracts(specs, ()), load(target_file), cacert=cacert)
        account = read(file)
    for failure in failures:
        click.echo(f"warning: {failure}", err=True)
    click.echo(text(account))
    return 1 if account.left or account.maybe_left else 0
