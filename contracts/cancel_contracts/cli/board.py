"""`board`: many reports on one page."""

from __future__ import annotations

from pathlib import Path

import click

from cancel_contracts.cli.options import PATH
from cancel_contracts.report.text import count

TITLE = "Who keeps the cancel contracts"


@click.command()
@click.argument("reports", type=PATH, nargs=-1, required=True, metavar="REPORT...")
@click.option(
    "-o", "--output", "folder", type=PATH, required=True, metavar="FOLDER",
    help="Where the page and its files are written; made if need be.",
)  # fmt: skip
@click.option(
    "--title", default=TITLE, show_default=True, metavar="TEXT", help="The page's heading."
)
def board(reports: tuple[Path, ...], folder: Path, title: str) -> None:
    """Put many JSON reports on one static page: targets, clauses, history, what changed.

    REPORT is a JSON report of any version, or the board.json of an earlier board, whose runs are
    then the history. Beside the page are written board.json, a badge for each target and a feed.
    """
    from cancel_contracts.board.output import told, write
    from cancel_contracts.board.reading import clean, read

    found = read(reports)
    for target in write(found, folder, clean(title)):
        runs = count(len(target.runs), "run")
        click.echo(f"{target.name}: {target.outcome}, {told(target)}, {runs}")
    click.echo(f"wrote {folder / 'index.html'}")
