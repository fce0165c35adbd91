"""Commands that look at contracts, reports or the mock, and verify no target."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import click

from cancel_contracts.cli.completing import CLAUSES, ENTRIES
from cancel_contracts.cli.options import (
    PATH,
    check_writable,
    edition_option,
    every_contract,
    load_contracts,
    put,
    spec_options,
)
from cancel_contracts.errors import UsageError
from cancel_contracts.report.files import write
from cancel_contracts.schemas import SCHEMAS
from cancel_contracts.schemas import schema as schema_of


@click.command("clauses")
@spec_options
@edition_option
@click.option("--format", "form", type=click.Choice(["table", "json", "markdown"]), default="table")
def clauses(specs: tuple[Path, ...], names: tuple[str, ...], edition: date | None,
            form: str) -> None:  # fmt: skip
    """List every clause, its level and its source."""
    from cancel_contracts.report.clauses import listing

    put(listing(load_contracts(specs, names, edition), form))


@click.command()
@click.argument("clause", type=CLAUSES)
@spec_options
def explain(clause: str, specs: tuple[Path, ...], names: tuple[str, ...]) -> None:
    """Say of one clause what the page says, how it is exercised and what violates it."""
    from cancel_contracts.contract.choice import nearest
    from cancel_contracts.report.explain import explanation

    # To look one up is not to run it: without a name all shipped contracts are looked through.
    contracts = load_contracts(specs, names) if names else every_contract(specs)
    id_ = clause.upper()
    if not any(c.knows(id_) for c in contracts):
        ids = [i for c in contracts for i in c.ids]
        raise UsageError("CLAUSE", f"no clause has the id {clause!r}", nearest(clause, ids))
    put(explanation(contracts, id_))


@click.command()
@spec_options
@click.option(
    "--only",
    multiple=True,
    type=ENTRIES,
    metavar="NAME",
    help="Only this fault or variant (repeatable).",
)
@click.option(
    "--whole",
    is_flag=True,
    help="Send the whole gate at every fault, not what its clauses ask for.",
)
@click.option(
    "--pairs",
    type=click.IntRange(1),
    metavar="N",
    help="Draw N pairs of variants that one server can have both of, and prove that each passes.",
)
@click.option("--seed", type=int, default=0, metavar="N", help="Seed of --pairs.")
@click.option("--jobs", type=click.IntRange(1, 64), default=4, show_default=True, metavar="N")
@click.option("--report-json", type=PATH, metavar="FILE")
@click.option("--report-markdown", type=PATH, metavar="FILE")
def prove(specs: tuple[Path, ...], names: tuple[str, ...], only: tuple[str, ...], whole: bool,
          pairs: int | None, seed: int, jobs: int, report_json: Path | None,
          report_markdown: Path | None) -> int:  # fmt: skip
    """Print the kill matrix: each fault is caught by a clause it breaks, each variant passes. Exit
    1 on any hole.
    """
    from cancel_contracts import prove as proving
    from cancel_contracts.report import matrix

    contracts = load_contracts(specs, names)
    for flag, path in (("--report-json", report_json), ("--report-markdown", report_markdown)):
        if path is not None:
            check_writable(flag, path)
    work = proving.pairs(contracts, pairs, seed, only) if pairs else proving.jobs(contracts, only)
    proof = proving.prove(
        contracts, work, jobs, lambda trials: click.echo(matrix.row(trials)), whole=whole
    )
    click.echo(matrix.ending(proof))
    if report_json is not None:
        write(report_json, matrix.as_json(proof))
    if report_markdown is not None:
        write(report_markdown, matrix.markdown(proof))
    return 1 if proof.holes else 0


@click.command()
@click.argument("a", type=PATH)
@click.argument("b", type=PATH)
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text")
def compare(a: Path, b: Path, form: str) -> int:
    """Compare two JSON reports clause by clause. Exit 1 where B is worse than A."""
    from cancel_contracts import compare as comparing
    from cancel_contracts.report.changes import render

    changes = comparing.compare(comparing.load(a), comparing.load(b))
    click.echo(render(changes, form))
    return 1 if comparing.worse(changes) else 0


@click.command()
@click.argument("report", type=PATH)
@click.option("--output", type=PATH, metavar="FILE", help="Write it there instead of printing it.")
def baseline(report: Path, output: Path | None) -> None:
    """Write a baseline for the violations and gaps of a JSON report; the reasons are yours
    to give.
    """
    from cancel_contracts import baseline as baselines
    from cancel_contracts.compare import load

    text = baselines.draft(load(report))
    _put_or_write(text, output)


@click.command()
@click.argument("kind", type=click.Choice(list(SCHEMAS)))
def schema(kind: str) -> None:
    """Print the JSON Schema of a kind of file, for an editor."""
    from cancel_contracts.contract.load import spec_schema

    document = spec_schema() if kind == "spec" else schema_of(kind)
    put(json.dumps(document, ensure_ascii=False, indent=2))


@click.command()
@spec_options
@click.option(
    "--handler",
    "how",
    flag_value="handler",
    help="Write one to be filled in: resources come from a provider-state handler.",
)
@click.option("--ids", "how", flag_value="ids", help="The same, for a stub that has given ids.")
@click.option("--output", type=PATH, metavar="FILE", help="Write it there instead of printing it.")
def init(specs: tuple[Path, ...], names: tuple[str, ...], how: str | None,
         output: Path | None) -> None:  # fmt: skip
    """Print a commented target.yaml to start from: one with every key or, with --handler or --ids,
    a short one for the contracts that are named.
    """
    from cancel_contracts.targets.draft import draft, example

    if how is None and (names or specs):
        raise UsageError("init", "is asked for one contract", "add --handler or --ids")
    contracts = load_contracts(specs, names) if how else []
    text = draft(contracts, how, whole=not names) if how else example()
    _put_or_write(text, output)


def _put_or_write(text: str, output: Path | None) -> None:
    """Print a text, or write it to a new file; raise UsageError where there is one."""
    if output is None:
        put(text, nl=False)
        return
    if output.exists():
        raise UsageError(str(output), "exists already", "name another file or remove it")
    check_writable("--output", output)
    write(output, text)
    click.echo(f"wrote {output}")
