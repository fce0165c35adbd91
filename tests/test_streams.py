"""Standard streams that cannot be written, and Ctrl-C while modules load: no verdict changes."""

from __future__ import annotations

import subprocess
import sys
from itertools import cycle, product
from pathlib import Path

import pytest
from sampling import EVERY, only_of_all

GUARD_SECONDS = 60
CODE = "from cancel_contracts.cli import console_main; console_main()"
ONE = "--contract security-action"  # where the others would only be read
CONFORMS = f"verify {ONE} --only SA-20"
DEVIATES = f"{CONFORMS} --target deviates.yaml"  # nobody is there: 4
VERDICTS = {CONFORMS: 0, DEVIATES: 4}
PRINTS = [f"clauses {ONE}", f"explain SA-20 {ONE}", "init", f"mock --list {ONE}", f"mock {ONE}",
          "schema target", f"{CONFORMS} --plan"]  # fmt: skip
pytestmark = [
    pytest.mark.slow,  # a process each
    pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full"),
]


def shell(command: str, streams: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a shell whose redirections are `streams`."""
    (folder / "deviates.yaml").write_text("base_url: http://127.0.0.1:1\n", "utf-8")
    return subprocess.run(
        ["bash", "-c", f"'{sys.executable}' -c '{CODE}' {command} {streams}"],
        capture_output=True, text=True, timeout=GUARD_SECONDS, check=False, cwd=folder,
    )  # fmt: skip


STREAMS = ["2>/dev/full", "2> >(true)", "2>&-", ">&-", ">/dev/full", "> >(true)",
           ">/dev/full 2>&1", ">&- 2>&-"]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "streams"),
    [*(product(VERDICTS, STREAMS) if EVERY else zip(cycle(VERDICTS), STREAMS, strict=False))],
)
def test_a_verdict_is_the_same_whatever_the_streams(
    streams: str, command: str, tmp_path: Path
) -> None:
    report = "--report-json report.json"
    done = shell(f"{command} {report} --debug", streams, tmp_path)
    assert done.returncode == VERDICTS[command], done.stderr
    assert (tmp_path / "report.json").stat().st_size > 0
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.parametrize("command", PRINTS)
def test_who_only_prints_says_that_it_could_not(command: str, tmp_path: Path) -> None:
    done = shell(command, ">/dev/full", tmp_path)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("cancel-contracts: standard output: No space left on device; ")


def test_a_closed_output_and_a_reader_who_has_left(tmp_path: Path) -> None:
    done = shell(f"explain SA-20 {ONE}", ">&-", tmp_path)
    assert (done.returncode, "Bad file descriptor" in done.stderr) == (2, True)
    done = shell("clauses", "> >(true)", tmp_path)  # whoever reads no more has had enough
    assert (done.returncode, done.stderr) == (0, "")
    done = shell(
        "clauses --format json", "2>&- | head -c 1 >/dev/null; exit ${PIPESTATUS[0]}", tmp_path
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_bad_usage_on_a_full_device_is_bad_usage(tmp_path: Path) -> None:
    for command in (f"explain NO-SUCH {ONE}", "verify --no-such-flag"):
        assert shell(command, "2>/dev/full", tmp_path).returncode == 2


INTERRUPTS = """
import importlib.abc, os, signal, sys
class AtImport(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, AtImport())
from cancel_contracts.cli import console_main
module, *sys.argv[1:] = sys.argv[1:]
sys.argv.insert(1, module)
argv = sys.argv[2:]
import cancel_contracts.cli as cli
run = cli.main
cli.main = lambda: run(argv)
console_main()
"""


@pytest.mark.parametrize(
    "module",
    ["click", "cancel_contracts.cli.edge", "requests", "cancel_contracts.verify",
     "cancel_contracts.run.run", *only_of_all("cancel_contracts.errors", "yaml", "joserfc",
     "rich.console")],
)  # fmt: skip
def test_ctrl_c_while_modules_load(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTS, module, *CONFORMS.split()],
        capture_output=True, text=True, timeout=GUARD_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 130, done.stderr
    assert done.stderr == "cancel-contracts: interrupted\n"
