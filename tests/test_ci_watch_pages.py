"""The scheduled workflow that watches the pages: its steps run as shell, on local folders.

What checks out is not run; `gh` and the Python that installs only note what they are asked.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from cancel_contracts.contract.load import load, shipped
from pages_sample import NAME, PAGE, watching

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
WORKFLOW = ROOT / "examples" / "ci" / "watch-pages.yml"
RECORDER = '#!/bin/sh\nprintf "%s\\0" "$@" >>"$NOTES"\nprintf "\\n" >>"$NOTES"\n'
GH = RECORDER + 'case "$1 $2" in "issue list") echo "$OPEN";; esac\n'
PYTHON = RECORDER + 'if [ "$2" = venv ]; then mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; fi\n'


def steps() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"]["pages"][
        "steps"
    ]
    return found


def script(name: str) -> str:
    text: str = next(step["run"] for step in steps() if step.get("name") == name)
    return text


@dataclass(frozen=True)
class Runner:
    """A machine on which steps run, one after another, in `work`."""

    work: Path
    temp: Path
    page: Path

    def run(self, name: str, **environ: str) -> subprocess.CompletedProcess[str]:
        files = {
            key: str(self.temp / key)
            for key in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH")
        }
        path = os.pathsep.join([str(self.temp / "bin"), "/usr/local/bin", "/usr/bin", "/bin"])
        given = {
            "PATH": path, "HOME": str(self.temp), "LC_ALL": "C.UTF-8", "NOTES": str(self.temp / "notes"),
            "RUNNER_TEMP": str(self.temp), "PYTHONPATH": str(ROOT / "contracts"), "OPEN": "", "RUN": "https://a.example/1",
            **files, **environ,
        }  # fmt: skip
        shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script(name)]
        return subprocess.run(
            shell, cwd=self.work, env=given, capture_output=True, text=True, timeout=60, check=False
        )

    def written(self, name: str) -> str:
        return (self.temp / name).read_text("utf-8")

    def calls(self) -> list[list[str]]:
        """Return what was noted, a row a call."""
        rows = self.written("notes").split("\0\n")[:-1]
        return [row.split("\0") for row in rows]


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A machine with the documentation checked out, and a spec that was written from it."""
    work, temp = tmp_path / "work", tmp_path / "temp"
    (temp / "bin").mkdir(parents=True)
    page = work / "docs" / "graph" / "api" / f"{NAME}.md"
    page.parent.mkdir(parents=True)
    page.write_text(PAGE, "utf-8")
    spec = watching(tmp_path).path_of_file
    ours = f"from cancel_contracts.cli import main; sys.exit(main([sys.argv[1], '--spec', {spec!r}, *sys.argv[2:]]))"
    for name, text in (
        ("gh", GH),
        ("python", PYTHON),
        ("cancel-contracts", f"#!{sys.executable}\nimport sys\n{ours}\n"),
    ):
        (temp / "bin" / name).write_text(text, "utf-8")
        (temp / "bin" / name).chmod(0o755)
    (temp / "notes").touch()
    return Runner(work, temp, page)


def test_the_steps_install_the_checkout(runner: Runner) -> None:
    done = runner.run("Install")
    assert done.returncode == 0, done.stderr
    venv, install = runner.calls()
    assert venv == ["-m", "venv", str(runner.temp / "venv")]
    assert install[-3:] == [
        "--constraint",
        "cancel-contracts/.ci/constraints.txt",
        "./cancel-contracts",
    ]
    assert (ROOT / ".ci" / "constraints.txt").is_file()
    assert runner.written("GITHUB_PATH") == f"{runner.temp}/venv/bin\n"
    paths = [step["with"]["path"] for step in steps() if "repository" in step.get("with", {})]
    assert paths == ["cancel-contracts", "docs/graph", "docs/defender"]


def test_nothing_is_opened_while_nothing_has_moved(runner: Runner) -> None:
    done = runner.run("Compare")
    assert done.returncode == 0, done.stderr
    assert runner.written("GITHUB_OUTPUT") == "code=0\n"
    assert "nothing has moved" in runner.written("GITHUB_STEP_SUMMARY")
    (issue,) = [step for step in steps() if step.get("name") == "Open one issue"]
    assert issue["if"] == "steps.compare.outputs.code != '0'"


@pytest.mark.parametrize("number", ["", "17"])
def test_one_issue_tells_what_has_moved(number: str, runner: Runner) -> None:
    runner.page.write_text(PAGE.replace("`202 Accepted`", "`200 OK`"), "utf-8")
    done = runner.run("Compare")
    assert done.returncode == 0, done.stderr
    assert runner.written("GITHUB_OUTPUT") == "code=1\n"
    done = runner.run("Open one issue", OPEN=number)
    assert done.returncode == 0, done.stderr
    body = runner.written("issue.md")
    assert "### changed: Response" in body
    assert body.endswith("The whole of it: https://a.example/1\n")
    verbs = [call[:2] for call in runner.calls()]
    file = ["--body-file", str(runner.temp / "issue.md")]
    if number:
        assert verbs == [["issue", "list"], ["issue", "edit"]]
        assert runner.calls()[1] == ["issue", "edit", "17", *file]
    else:
        assert verbs == [["issue", "list"], ["label", "create"], ["issue", "create"]]
        assert runner.calls()[2][-4:] == ["--label", "pages-moved", *file]


def test_a_page_that_is_gone_is_for_the_issue_and_a_broken_one_ends_the_job(runner: Runner) -> None:
    runner.page.write_bytes(b"\xff\xfe")
    done = runner.run("Compare")
    assert done.returncode == 2
    assert "is no UTF-8 text" in done.stderr
    runner.page.unlink()
    (runner.temp / "GITHUB_OUTPUT").unlink()
    assert runner.run("Compare").returncode == 0
    assert runner.written("GITHUB_OUTPUT") == "code=4\n"


def test_an_issue_has_the_room_that_github_gives_it(runner: Runner) -> None:
    (runner.temp / "pages.md").write_text("Wörter, viele.\n" * 10_000, "utf-8")
    assert runner.run("Open one issue").returncode == 0
    *lines, blank, last = runner.written("issue.md").splitlines()
    assert set(lines) == {"Wörter, viele.", ""}
    assert (blank, last) == ("", "The whole of it: https://a.example/1")
    assert 50_000 < len(runner.written("issue.md")) < 65_536


def test_the_folders_that_are_checked_out_hold_the_pages_of_the_shipped_contracts() -> None:
    folders = {
        folder
        for step in steps()
        for folder in step.get("with", {}).get("sparse-checkout", "").split()
    }
    files = [page.file for path in shipped() for page in load(path).pages.values() if page.file]
    assert len(files) == 3
    assert {file.rpartition("/")[0] for file in files} <= folders
