"""`pages`: has the ground of clauses moved? The vendor's pages against what the specs keep of
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cancel_contracts.cli.completing import PAGES
from cancel_contracts.cli.options import PATH, load_contracts, put, spec_options
from cancel_contracts.errors import UsageError

if TYPE_CHECKING:
    from cancel_contracts.contract.model import Contract
    from cancel_contracts.pages.find import Found

INCONCLUSIVE = 4
DAY = "%Y-%m-%d"


@click.command()
@click.argument("places", metavar="FILE|FOLDER...", nargs=-1, required=True, type=PATH)
@spec_options
@click.option(
    "--page", type=PAGES, metavar="NAME",
    help="Only this page; of a file whose name and title do not tell, that it is this one.",
)  # fmt: skip
@click.option(
    "--since", "older", multiple=True, type=PATH, metavar="FILE|FOLDER",
    help="An older copy of a page, to show what was there (repeatable).",
)  # fmt: skip
@click.option(
    "--accept", is_flag=True,
    help="Write into the spec how the page stands now. One page at a time, after review.",
)  # fmt: skip
@click.option(
    "--read", "day", type=click.DateTime([DAY]), metavar="DATE",
    help="With --accept: the day on which the page stood so; today without it.",
)  # fmt: skip
@click.option(
    "--coverage", is_flag=True,
    help="Print the page with what rests on each sentence, instead of comparing it.",
)  # fmt: skip
@click.option(
    "--report", type=PATH, metavar="REPORT.json", help="With --coverage: the verdicts of this run."
)
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text")
def pages(places: tuple[Path, ...], specs: tuple[Path, ...], names: tuple[str, ...],
          page: str | None, older: tuple[Path, ...], accept: bool, day: datetime | None,
          coverage: bool, report: Path | None, form: str) -> int:  # fmt: skip
    """Tell which clauses stand on text that has changed: pages of the vendor's documentation, in
    files, in folders such as a checkout, or - for standard input.

    Exit 1 where the ground of a must-clause has moved, 4 where a page could not be compared. Sends
    nothing.
    """
    from cancel_contracts.pages.compare import compare
    from cancel_contracts.pages.find import find, named, sentences
    from cancel_contracts.pages.ground import unwatched
    from cancel_contracts.report.pages import Watch, render

    if accept and coverage:
        raise UsageError("--accept", "goes without --coverage", "leave one out")
    if older and (accept or coverage):
        raise UsageError("--since", "shows what has changed", "leave it out")
    for flag, given, needs, there in (("--read", day, "--accept", accept),
                                      ("--report", report, "--coverage", coverage)):  # fmt: skip
        if given is not None and not there:
            raise UsageError(flag, f"says something of {needs}", f"add {needs}")
    contracts = load_contracts(specs, names)
    known = named(contracts)
    if page is not None and page not in known:
        told = ", ".join(known) or "none"
        raise UsageError("--page", f"no page is named {page!r}", f"use one of {told}")
    found = find(places, known, page)
    if accept:
        return _accept(contracts, found, f"{day or datetime.now(UTC):{DAY}}")
    if coverage:
        return _cover(contracts, found, report, form)
    before = sentences(older, known)
    rows = []
    for copy in found.copies:
        made = [row for c in contracts if (row := compare(c, copy, before))]
        if not made:
            problem = f"is a page that no contract watches ({copy.name})"
            raise UsageError(copy.place, problem, "--accept begins to watch it")
        rows += made
    watch = Watch(rows, found.untranslated, found.absent, unwatched(contracts))
    put(render(watch, form))
    return 1 if watch.moved else INCONCLUSIVE if watch.incomplete else 0


def _cover(
    contracts: Sequence[Contract], found: Found, report: Path | None, form: str
) -> int:  # fmt: skip
    from cancel_contracts.compare import load
    from cancel_contracts.pages.coverage import cover, verdicts
    from cancel_contracts.report.pages import coverage

    document = load(report) if report is not None else {"contracts": []}
    rows = [
        cover(c, copy, verdicts(document, c.name))
        for copy in found.copies for c in contracts if copy.name in c.pages
    ]  # fmt: skip
    if not rows:
        told = [f"{file} in {locale} alone" for file, locale in found.untranslated]
        problem = f"found no page to show{': ' if told else ''}{', '.join(told)}"
        raise UsageError("--coverage", problem, "name a page of these contracts")
    put(coverage(rows, form))
    return 0


def _accept(contracts: Sequence[Contract], found: Found, day: str) -> int:
    """Write one page into every spec that names it; none is written where one cannot be made."""
    from cancel_contracts.contract.yaml_file import read_file
    from cancel_contracts.pages.accept import accept, sections
    from cancel_contracts.report.files import write

    if len(found.copies) != 1:
        names = ", ".join(copy.place for copy in found.copies) or "no page"
        raise UsageError("--accept", f"takes one page, and found {names}", "name one file")
    (copy,) = found.copies
    texts = {}
    for contract in contracts:
        if copy.name in contract.pages:
            file = Path(contract.path_of_file)
            wanted = sections(contract, copy, day)
            texts[file] = accept(read_file(file), contract, copy.name, wanted)
    for file, text in texts.items():
        write(file, text)
        click.echo(f"{file}: {copy.name} as {copy.place} has it")
    return 0
