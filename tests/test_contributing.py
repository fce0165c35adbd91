"""What CONTRIBUTING.md says holds: its sessions, its switches, and what a missing program does."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
NOXFILE = (ROOT / "noxfile.py").read_text("utf-8")
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
QUICK = ("-m", "not slow and not outside")


def sessions() -> set[str]:
    found = [node for node in ast.parse(NOXFILE).body if isinstance(node, ast.FunctionDef)]
    return {node.name for node in found if node.decorator_list}


def test_every_session_of_nox_is_written_of_and_no_other() -> None:
    named = {
        word for row in re.findall(r"`\.venv/bin/nox -s ([a-z ]+)`", PAGE) for word in row.split()
    }
    assert named == sessions()


def test_every_switch_of_the_tests_is_written_of() -> None:
    read = set()
    for path in (ROOT / "tests").glob("*.py"):
        read |= set(re.findall(r'os\.environ\.get\("(\w+)"', path.read_text("utf-8")))
    assert read
    assert read == set(re.findall(r"^\| `(\w+)=", PAGE, re.MULTILINE))


def test_the_hooks_before_a_commit_run_what_nox_runs() -> None:
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    entries = {hook["id"]: hook["entry"].split() for hook in local["hooks"]}
    assert entries["ruff-check"][:2] == [".venv/bin/ruff", "check"]
    assert entries["ruff-format"][:2] == [".venv/bin/ruff", "format"]
    assert entries["mypy"] == [".venv/bin/mypy"]
    assert {hook["language"] for hook in local["hooks"]} == {"system"}


def test_the_coverage_gate_stands_at_90_or_above() -> None:
    assert SETTINGS["coverage"]["run"]["branch"] is True
    assert SETTINGS["coverage"]["report"]["fail_under"] >= 90


def run(cwd: Path, path: str, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *args],
        cwd=cwd, env={**os.environ, "PATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


NEEDY = """
import pytest

CURL = pytest.param("curl", marks=pytest.mark.outside("no-such-curl|no-other-curl"))

@pytest.mark.outside("{there}")
def test_it_is_there(): pass

@pytest.mark.outside("no-such-java")
def test_it_is_missing(): raise SystemError("it was begun")

@pytest.fixture(params=[CURL])
def curl(request): raise SystemError("it was begun")

def test_a_fixture_misses_it(curl): pass

def test_it_needs_nothing(): pass
"""


@pytest.fixture
def needy(tmp_path: Path) -> Path:
    """A project with the conftest.py of this one, and tests that need programs."""
    there = tmp_path / "bin" / "there"
    there.parent.mkdir()
    there.touch(0o755)
    (tmp_path / "conftest.py").write_bytes((ROOT / "conftest.py").read_bytes())
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nmarkers =\n  slow: x\n  outside(*programs): x\naddopts = --strict-markers\n",
        "utf-8",
    )
    (tmp_path / "test_needy.py").write_text(NEEDY.format(there="missing|there"), "utf-8")
    return tmp_path


@pytest.mark.slow
def test_a_missing_program_is_a_failure_and_no_skip(needy: Path) -> None:
    done = run(needy, str(needy / "bin"))
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    assert "2 passed, 2 errors" in done.stdout
    assert "no-such-java is not on the PATH; install it" in done.stdout
    assert "no-such-curl|no-other-curl is not on the PATH" in done.stdout
    assert "it was begun" not in done.stdout


@pytest.mark.slow
def test_the_quick_selection_needs_no_program(needy: Path) -> None:
    assert re.search(r'QUICK = \["-m", "not slow and not outside",', NOXFILE)
    done = run(needy, "", *QUICK)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed, 3 deselected" in done.stdout


@pytest.mark.slow
def test_files_with_slow_tests_begin_first(needy: Path) -> None:
    (needy / "test_z.py").write_text(
        "import pytest\ndef test_first(): pass\n@pytest.mark.slow\ndef test_second(): pass\n",
        "utf-8",
    )
    (needy / "test_a.py").write_text("def test_third(): pass\n", "utf-8")
    done = run(needy, "", "--collect-only")
    rows = [row for row in done.stdout.splitlines() if "::" in row]
    assert rows[:2] == ["test_z.py::test_first", "test_z.py::test_second"]
    assert rows[-1] == "test_a.py::test_third", "after those that start other programs"
    assert len(rows) == 7
