"""`python -m benchmarks`: measure, and write RESULTS.md."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import click

from benchmarks import peers, results
from benchmarks.measure import Row, measure
from benchmarks.node_tools import Dredd, Portman, Specmatic
from benchmarks.ours import Ours
from benchmarks.prism import Prism
from benchmarks.sample import SAMPLE, TINY, subjects
from benchmarks.schemathesis_runs import Default, Expert
from benchmarks.tool import Tool

TOOLS: tuple[type[Tool], ...] = (Ours, Default, Expert, Specmatic, Dredd, Portman, Prism)


@click.command()
@click.option("--tiny", is_flag=True, help="One contract, two faults, one variant.")
@click.option("--tool", "names", multiple=True, help="Only this tool beside ours (repeatable).")
@click.option("--jobs", type=click.IntRange(1, 8), default=1, show_default=True)
@click.option(
    "--results",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=results.RESULTS,
    help="The page to fill.",
)
@click.option("--raw", type=click.Path(path_type=Path), help="Keep what was measured in this file.")
def main(tiny: bool, names: tuple[str, ...], jobs: int, path: Path, raw: Path | None) -> None:
    """Run the tools side by side on the same faulty servers and fill RESULTS.md."""
    tools = [kind() for kind in TOOLS]
    chosen = [t for t in tools[1:] if not names or any(n in t.name.lower() for n in names)]
    missing = [(t, why) for t in chosen if (why := t.missing())]
    ready = [tools[0], *(t for t in chosen if not t.missing())]

    def say(row: Row) -> None:
        told = ", ".join(sorted(row.said.complaints)) or "nothing"
        subject = row.subject
        click.echo(
            f"{subject.contract} {subject.kind} {subject.entry} | {row.tool} | {row.requests} | "
            f"{told[:100]}",
            err=True,
        )

    measured = measure(ready, subjects(TINY if tiny else SAMPLE), jobs, say)
    if raw is not None:
        raw.write_bytes(pickle.dumps(measured))
    if path != results.RESULTS:
        path.write_text(results.RESULTS.read_text("utf-8"), "utf-8")
    results.fill("machine", peers.machine(jobs), path)
    results.fill("peers", peers.peers(measured, missing), path)
    results.fill("subjects", peers.subjects(measured), path)
    ours = measured[0]
    held = len(ours.caught()) == len(ours.of("fault")) and not ours.wrongly_failed()
    for other in measured[1:]:
        if isinstance(other.tool, Default) and not isinstance(other.tool, Expert):
            held = held and ours.requests < other.requests and ours.seconds < other.seconds
    if ours.failed_conforming() or not held:
        click.echo("What must hold does not: see the table.", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
