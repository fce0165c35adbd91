"""Runs the command block of an example's README as it stands, and tells what came of it.

    with clone("mountebank") as copy:
        run = copy.run()
        assert run.code == 0

What runs is the block itself, in a copy of the example that looks like a fresh clone. Three things differ: the line that
installs this project is left out (the copy's `.venv` runs this checkout instead), the ports are free ones, and each
verify also writes its JSON report.

`python tests/third_party.py` runs every example, keeps what it came to in examples/board.json, and has the tables of
docs/third-party-mocks.md written from it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import generated
import mock_tables
import yaml
from cancel_contracts.board.output import document, dump
from cancel_contracts.board.reading import Found, moment
from cancel_contracts.board.targets import targets

ROOT = generated.ROOT
EXAMPLES = ROOT / "examples"
# The line that begins each block: a fresh clone has no cancel-contracts yet.
INSTALL = "python3 -m venv .venv && .venv/bin/python -m pip install -q -c .ci/constraints.txt ."
NPM = "npm ci --prefix examples/{name} --prefer-offline --no-audit --no-fund --ignore-scripts"
SECONDS = 300
QUICK_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx256m"  # it lives for seconds
ROOM = 2**30
AGAIN = "run `python tests/third_party.py`"
# What the resources of the examples do not show: dates and lists of states. And each refuses a call without its Comment.
UNSHOWN = {
    **dict.fromkeys(
        ("AP-161", "AP-162", "SA-161", "SA-162", "SA-163", "SA-164"),
        "the answers tell nothing of it",
    ),
    "MA-200": "no answer was 2xx in this situation",
}
COMMAND = """#!/bin/sh
"{python}" -c 'from cancel_contracts.cli import console_main; console_main()' "$@" {flags} --report-json "{report}"
echo $? > "{code}"
"""


def block(name: str) -> list[str]:
    """Return the lines of the README's one command block."""
    text = (EXAMPLES / name / "README.md").read_text("utf-8")
    found: list[str] = re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert len(found) == 1, f"the README of {name} has one command block"
    return found[0].splitlines()


def ports(lines: list[str]) -> dict[str, str]:
    """Return a free port for each port that the lines name."""
    named = set(re.findall(r"(?:127\.0\.0\.1:|port )(\d+)", "\n".join(lines)))
    with ExitStack() as stack:  # all are held until the last is found, so that no two are the same
        sockets = {port: stack.enter_context(socket.socket()) for port in sorted(named)}
        for one in sockets.values():
            one.bind(("127.0.0.1", 0))
        return {port: str(one.getsockname()[1]) for port, one in sockets.items()}


@dataclass(frozen=True)
class Run:
    """What became of a block: verify's exit code (None: it never came to that) and report, and all that was printed."""

    code: int | None
    report: dict[str, Any]
    output: str

    def clauses(self) -> list[dict[str, Any]]:
        return [clause for contract in self.report["contracts"] for clause in contract["clauses"]]

    def violated(self, level: str = "must") -> set[str]:
        rows = self.clauses()
        return {c["id"] for c in rows if c["verdict"] == "violated" and c["level"] == level}


@dataclass(frozen=True)
class Clone:
    """A copy of the example, in which its block can be run."""

    name: str
    folder: Path
    lines: list[str] = field(repr=False)

    @property
    def example(self) -> Path:
        return self.folder / "examples" / self.name

    def edit(self, file: str, old: str, new: str) -> None:
        """Change one place of one file of the copy."""
        text = (self.example / file).read_text("utf-8")
        assert text.count(old) == 1, f"{file} of {self.name} holds once: {old}"
        (self.example / file).write_text(text.replace(old, new), "utf-8")

    def run(self, *flags: str, install: bool = True) -> Run:
        """Run the block, with flags added to its verify; without `install` what npm installed is taken as it is."""
        lines = [line for line in self.lines if install or not line.startswith("npm ")]
        replaced = ports([*lines, (self.example / "target.yaml").read_text("utf-8")])
        for old, new in replaced.items():
            lines = [re.sub(rf"\b{old}\b", new, line) for line in lines]
        with _texts(self.example, replaced):
            run = self._run("\n".join(lines), flags)
        for old, new in replaced.items():  # the report names the target as its file does
            if target := run.report.get("target"):
                target["base_url"] = re.sub(rf"\b{new}\b", old, target["base_url"])
        return run

    def _run(self, script: str, flags: tuple[str, ...]) -> Run:
        report, code = self.folder / "report.json", self.folder / "code"
        command = self.folder / ".venv" / "bin" / "cancel-contracts"
        command.parent.mkdir(parents=True, exist_ok=True)
        for path in (report, code):
            path.unlink(missing_ok=True)
        command.write_text(
            COMMAND.format(python=sys.executable, flags=" ".join(flags), report=report, code=code)
        )
        command.chmod(0o755)
        process = subprocess.Popen(
            ["bash", "-c", script],
            cwd=self.folder,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT / "contracts"),
                "JAVA_TOOL_OPTIONS": QUICK_JAVA,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:  # it ends when the last process that holds its output does: the mocks too
            output, _ = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired as late:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            raise AssertionError(f"not over after {SECONDS} s:\n{output[-4000:]}") from late
        assert code.is_file(), f"the block never came to its verify:\n{output[-4000:]}"
        found = json.loads(report.read_text("utf-8")) if report.is_file() else {}
        return Run(int(code.read_text()), found, output)


@contextmanager
def clone(name: str) -> Iterator[Clone]:
    """Copy one example and what it needs of the checkout, as a fresh clone has it."""
    lines = block(name)
    assert INSTALL in (ROOT / "README.md").read_text("utf-8"), "the main README installs likewise"
    assert lines[:2] == [INSTALL, NPM.format(name=name)], f"how the block of {name} begins"
    with TemporaryDirectory(prefix=f"{name}-", dir=_roomy(), ignore_cleanup_errors=True) as folder:
        clone = Clone(name, Path(folder), lines[1:])
        shutil.copytree(
            EXAMPLES / name, clone.example, ignore=shutil.ignore_patterns("node_modules")
        )
        shutil.copytree(ROOT / "specs", Path(folder) / "specs")
        yield clone


def _roomy() -> str | None:
    """Return a folder in memory, where there is one with room: npm writes ten thousand small files."""
    memory = Path("/dev/shm")  # noqa: S108
    fits = memory.is_dir() and shutil.disk_usage(memory).free > ROOM
    return str(memory) if fits and os.access(memory, os.W_OK) else None


@contextmanager
def _texts(folder: Path, replaced: dict[str, str]) -> Iterator[None]:
    """Put other ports into the files of the example while the block runs."""
    old = {
        p: p.read_text("utf-8") for p in folder.iterdir() if p.suffix in (".yaml", ".json", ".ejs")
    }
    old = {path: text for path, text in old.items() if path.name != "package-lock.json"}
    try:
        for path, text in old.items():
            for before, after in replaced.items():
                text = re.sub(rf"\b{before}\b", after, text)
            path.write_text(text, "utf-8")
        yield
    finally:
        for path, text in old.items():
            path.write_text(text, "utf-8")


# --- the page -----------------------------------------------------------------------------------


def compare(name: str, run: Run) -> None:
    """Hold a run against the row that the page shows: its figures and its reasons, clause by clause."""
    (target,) = targets(mock_tables.found(run.report).runs)
    row = mock_tables.row(name)
    assert [mock_tables.package(name)[1]] == target.versions == row.versions
    assert mock_tables.told(name, target) == mock_tables.told(name, row), AGAIN
    ran, stands = ([s.judged.clauses for s in one.standings] for one in (target, row))
    assert ran == stands, AGAIN


def excuses(name: str) -> dict[str, str]:
    """Return what the example's target file excuses, clause by clause."""
    target = yaml.safe_load((EXAMPLES / name / "target.yaml").read_text("utf-8"))
    own = (c.get("not_testable", {}) for c in target.get("contracts", {}).values())
    found: dict[str, str] = {}
    for rows in (target.get("not_testable", {}), *own):
        found |= rows
    return found


def main() -> None:
    names = sys.argv[1:] or list(mock_tables.MOCKS)
    known = mock_tables.kept() if mock_tables.BOARD.exists() else Found()
    others = {mock_tables.MOCKS[name] for name in mock_tables.MOCKS if name not in names}
    runs, says = [run for run in known.runs if run.name in others], dict(known.says)
    for name in names:
        with clone(name) as copy:
            run = copy.run()
        sys.stdout.write(f"{name}: {run.report.get('sentence') or run.output[-4000:]}\n")
        found = mock_tables.found(run.report)
        runs += found.runs
        says |= found.says
    board = Found(sorted(runs, key=moment), says)
    text = dump(document(targets(board.runs), board, "Third-party mocks"))
    mock_tables.BOARD.write_text(text, "utf-8")
    mock_tables.kept.cache_clear()
    generated.main()


if __name__ == "__main__":
    main()
