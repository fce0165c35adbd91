"""Measure: every tool on every subject, a fresh server each time, and what came of it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from cancel_contracts.contract.load import load, shipped

from benchmarks.sample import Subject
from benchmarks.site import served
from benchmarks.tool import Said, Tool


@dataclass(frozen=True)
class Row:
    """One run of a tool: what it said, what the server was sent, and how long it took."""

    tool: str
    subject: Subject
    said: Said
    requests: int
    seconds: float


@dataclass
class Rows:
    """The runs of one tool."""

    tool: Tool
    rows: list[Row] = field(default_factory=list)

    def of(self, kind: str) -> list[Row]:
        return [row for row in self.rows if row.subject.kind == kind]

    def usual(self, subject: Subject) -> Said:
        """Return what the tool says of the conforming server of the same contract."""
        contract = subject.contract
        return next(r.said for r in self.of("conforming") if r.subject.contract == contract)

    def told(self, row: Row) -> bool:
        """Whether the tool says something of a server that it does not say of the conforming one."""
        return row.said.failed and bool(row.said.complaints - self.usual(row.subject).complaints)

    def caught(self) -> list[Row]:
        return [row for row in self.of("fault") if self.told(row)]

    def wrongly_failed(self) -> list[Row]:
        return [row for row in self.of("variant") if row.said.failed]

    def failed_conforming(self) -> list[Row]:
        return [row for row in self.of("conforming") if row.said.failed]

    @property
    def requests(self) -> int:
        return sum(row.requests for row in self.rows)

    @property
    def seconds(self) -> float:
        return sum(row.seconds for row in self.rows)


def measure(
    tools: Sequence[Tool],
    subjects: Sequence[Subject],
    jobs: int = 1,
    say: Callable[[Row], None] = lambda _: None,
) -> list[Rows]:
    """Run every tool on every subject. `jobs` subjects are measured at a time, each tool after the
    other, so that all tools meet the same load.
    """
    contracts = {c.name: c for c in map(load, shipped())}

    def one(subject: Subject) -> list[Row]:
        found = []
        for tool in tools:
            with TemporaryDirectory() as folder:
                with served(subject, contracts[subject.contract], Path(folder)) as site:
                    tool.prepare(site)
                    before, start = site.sent(), time.perf_counter()
                    try:
                        said = tool.run(site)
                    except subprocess.TimeoutExpired:
                        said = Said(True, frozenset({"did not end"}))
                    seconds = time.perf_counter() - start
                    row = Row(tool.name, subject, said, site.sent() - before, seconds)
            say(row)
            found.append(row)
        return found

    with ThreadPoolExecutor(jobs) as pool:
        rows = [row for found in pool.map(one, subjects) for row in found]
    return [Rows(tool, [row for row in rows if row.tool == tool.name]) for tool in tools]
