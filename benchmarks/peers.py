"""The tables of the comparison, from what was measured. Ratios, no absolute times."""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Sequence

from benchmarks.measure import Row, Rows
from benchmarks.results import table
from benchmarks.tool import Tool


def peers(measured: Sequence[Rows], missing: Sequence[tuple[Tool, str]]) -> str:
    """Return the table of the tools, and how each was configured. The first is what ratios refer to."""
    base = measured[0]
    rows = []
    for tool in measured:
        rows.append(
            [
                tool.tool.name,
                f"{len(tool.caught())} of {len(tool.of('fault'))}",
                f"{len(tool.wrongly_failed())} of {len(tool.of('variant'))}",
                f"{len(tool.failed_conforming())} of {len(tool.of('conforming'))}",
                str(tool.requests),
                f"{tool.seconds / base.seconds:.1f}",
            ]
        )
    head = ["tool", "faults caught", "variants failed", "conforming failed", "requests", "time"]
    parts = [table(head, rows, right=5)]
    parts += ["Requests to the conforming server of each contract:", _by_contract(measured)]
    parts += [f"Not run: {tool.name} ({why})." for tool, why in missing]
    conforming = [row for tool in measured for row in tool.failed_conforming()]
    if conforming:
        parts.append("What was said of servers that conform:")
        parts.append("\n".join(f"- {_words(row)}" for row in conforming))
    wrongly = [row for tool in measured for row in tool.wrongly_failed()]
    if wrongly:
        parts.append("What was said of variants, which conform too:")
        parts.append("\n".join(f"- {_words(row)}" for row in wrongly))
    parts.append("How each was configured:")
    how = [f"- **{t.tool.name}** {t.tool.version()}: {t.tool.how}" for t in measured]
    parts.append("\n".join(how))
    return "\n\n".join(parts)


def _by_contract(measured: Sequence[Rows]) -> str:
    conforming = measured[0].of("conforming")
    head = ["tool", *(row.subject.contract for row in conforming), "together"]
    rows = []
    for tool in measured:
        counts = [row.requests for row in tool.of("conforming")]
        rows.append([tool.tool.name, *map(str, counts), str(sum(counts))])
    return table(head, rows, right=len(head) - 1)


def _words(row: Row) -> str:
    said = "; ".join(sorted(row.said.complaints))
    entry = f" `{row.subject.entry}`" if row.subject.entry else ""
    return f"{row.tool}, {row.subject.contract}{entry}: {said[:200]}"


def subjects(measured: Sequence[Rows]) -> str:
    """Return which tool caught which fault."""
    base = measured[0]
    rows = []
    for at, row in enumerate(base.rows):
        if row.subject.kind != "fault":
            continue
        told = ["yes" if tool.told(tool.rows[at]) else "" for tool in measured]
        rows.append([row.subject.contract, f"`{row.subject.entry}`", *told])
    return table(["contract", "fault", *(t.tool.name for t in measured)], rows)


def machine(jobs: int) -> str:
    """Return what it ran on, as far as it bears on the numbers."""
    lines = [f"Python {platform.python_version()}"]
    for command in (["node", "--version"], ["java", "-version"]):
        if shutil.which(command[0]):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            first = (done.stdout or done.stderr).splitlines()[0]
            lines.append(f"{command[0]} {first}")
    return f"{', '.join(lines)}; {platform.system()}, {jobs} server(s) at a time."
