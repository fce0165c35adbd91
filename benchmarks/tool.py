"""What a tool is to the benchmark: a way to run it at a site, and what it then says is wrong."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from benchmarks.site import Site

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BIN = HERE / "node_modules" / ".bin"
PATIENCE_SECONDS = 300


@dataclass(frozen=True)
class Said:
    """What a tool said of a site: whether it failed, and each thing it complains of by a name that
    is the same in every run.
    """

    failed: bool
    complaints: frozenset[str] = field(default_factory=frozenset)


class Tool(Protocol):
    """A tool. `how` says how it was configured, in a sentence or two; `wants` what must be there."""

    name: str
    how: str

    def version(self) -> str: ...

    def missing(self) -> str | None:
        """Return why the tool cannot be run here, or None."""

    def prepare(self, site: Site) -> None:
        """Write what the tool is told: not counted, neither in requests nor in time."""

    def run(self, site: Site) -> Said: ...


def call(command: list[str], site: Site, **environ: str) -> tuple[int, str]:
    """Run a command in the site's folder. Return its exit code and all it printed.

    Raises TimeoutExpired when it takes too long; it and its children are ended then.
    """
    with (site.folder / "output.txt").open("w+", encoding="utf-8", errors="replace") as out:
        started = subprocess.Popen(
            command,
            cwd=site.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **environ},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = started.wait(PATIENCE_SECONDS)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)
            started.wait()
        out.seek(0)
        return code, out.read()


def python(name: str) -> str:
    """Return a command that was installed beside this Python."""
    return str(Path(sys.executable).with_name(name))


def no_node(name: str) -> str | None:
    if (BIN / name).exists() and shutil.which("node"):
        return None
    return "not installed: `npm ci` in benchmarks/"
