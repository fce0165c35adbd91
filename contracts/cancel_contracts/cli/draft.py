"""The command `new-contract`: a spec file to be finished by hand."""

from __future__ import annotations

from pathlib import Path

import click

from cancel_contracts.cli.options import PATH, check_writable, put
from cancel_contracts.errors import UsageError
from cancel_contracts.report.files import write

NAME = "my-contract"  # of a draft that is printed


@click.command("new-contract")
@click.argument("source", metavar="PAGE.md|OPENAPI.yaml", type=PATH)
@click.option(
    "--operation", metavar="ID|METHOD PATH",
    help="Which operation of an OpenAPI document; without it the one that looks like a cancel.",
)  # fmt: skip
@click.option(
    "-o", "--output", type=PATH, metavar="FILE",
    help="Write it there instead of printing it; the file's name is the contract's.",
)  # fmt: skip
def new_contract(source: Path, operation: str | None, output: Path | None) -> None:
    """Draft a contract from a page in Markdown, or from an OpenAPI document (3.0 or 3.1).

    What is a guess, or in the page's words, is marked TO DO. Exit 2 where the draft does not load
    yet, with what it lacks.
    """
    from cancel_contracts.contract.yaml_file import read_file
    from cancel_contracts.draft.draft import check, drafted

    if output is not None:
        if output.exists():
            raise UsageError(str(output), "exists already", "name another file or remove it")
        check_writable("--output", output)
    written = drafted(source, read_file(source), operation)
    path = output or Path(f"{NAME}.yaml")
    if output is None:
        put(written, nl=False)
    else:
        write(output, written)
    check(path, written)
    if output is not None:
        marks = written.count("# TO DO:")
        click.echo(f"wrote {output}: {marks} lines are marked TO DO")
