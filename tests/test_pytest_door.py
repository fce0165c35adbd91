"""The pytest door: items, selection, outcomes and exit codes, run as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from cancel_contracts.builtin import mock_target, new_key, target_of
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.mock.server import MockServer
from cancel_contracts.verify import Options, assign

ROOT = Path(__file__).resolve().parent.parent
SPEC = next(p for p in shipped() if p.stem == "security-action")


def run(*args: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *args],
        cwd=cwd, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_each_clause_is_an_item_and_collecting_sends_nothing() -> None:
    done = run(
        "--collect-only", "-q", "specs/security-action.yaml", "--base-url", "http://127.0.0.1:1"
    )
    assert done.returncode == 0, done.stdout
    assert "specs/security-action.yaml::SA-20" in done.stdout


def test_a_selected_clause_sends_only_what_it_needs(tmp_path: Path) -> None:
    contract, key = load(SPEC), new_key()
    with MockServer([contract], key=key) as server:
        target = target_of(server, [contract], key)
        file = tmp_path / "target.yaml"
        file.write_text(json.dumps(target.raw), "utf-8")  # JSON is YAML
        done = run("-q", "specs/security-action.yaml::SA-20", "--target", str(file))
        assert done.returncode == 0, done.stdout + done.stderr
        assert "1 passed" in done.stdout
        (planned,) = assign([contract], target, Options(only=("SA-20",)))
        assert server.requests == planned.cost()


def test_a_violated_clause_fails_with_what_the_page_says(tmp_path: Path) -> None:
    contract = load(SPEC)
    with mock_target([contract], ["unknown-id-answered-200"]) as target:
        file = tmp_path / "target.yaml"
        file.write_text(json.dumps(target.raw), "utf-8")
        report = tmp_path / "junit.xml"
        done = run("specs/security-action.yaml", "--target", str(file), f"--junit-xml={report}")
    assert done.returncode == 1, done.stdout
    assert "SA-20 (must): An id that names no security action is answered 404" in done.stdout
    assert "expected  404" in done.stdout
    failed = [
        c.get("name") for c in ET.parse(report).iter("testcase") if c.find("failure") is not None
    ]
    assert "SA-20" in failed


def test_a_violated_should_clause_warns_and_fails_where_asked_to(tmp_path: Path) -> None:
    contract = load(SPEC)
    with mock_target([contract], ["request-id-missing"]) as target:
        file = tmp_path / "target.yaml"
        file.write_text(json.dumps(target.raw), "utf-8")
        args = ("-q", "specs/security-action.yaml::SA-26", "--target", str(file))
        warned, strict = run(*args), run(*args, "--strict-clauses")
    assert warned.returncode == 0, warned.stdout + warned.stderr
    assert "1 passed, 1 warning" in warned.stdout
    assert "ContractsWarning: SA-26 (should)" in warned.stdout
    line = SPEC.read_text("utf-8").splitlines().index("  - id: SA-26") + 1
    assert f"security-action.yaml:{line}" in warned.stdout
    assert strict.returncode == 1, strict.stdout


def test_a_target_that_is_down_is_never_green() -> None:
    done = run("-q", "specs/security-action.yaml::SA-20", "--base-url", "http://127.0.0.1:9")
    assert done.returncode == 1, done.stdout
    assert "inconclusive" in done.stdout


def test_what_nothing_exercised_fails_unless_it_is_excused(tmp_path: Path) -> None:
    contract = load(SPEC)
    with mock_target([contract]) as target:
        raw = {**target.raw}
        raw.pop("provider_states")
        file = tmp_path / "target.yaml"
        file.write_text(json.dumps(raw), "utf-8")
        done = run("-q", "specs/security-action.yaml::SA-23", "--target", str(file))
        assert done.returncode == 1, done.stdout
        assert "not-exercised" in done.stdout
        raw["not_testable"] = {"SA-23": "no states here"}
        file.write_text(json.dumps(raw), "utf-8")
        done = run("-q", "-rs", "specs/security-action.yaml::SA-23", "--target", str(file))
        assert done.returncode == 0, done.stdout
        assert "no states here" in done.stdout


@pytest.mark.parametrize("args", [("--base-url", "ftp://x"), ("--dialect", "nonsense")])
def test_bad_usage_is_one_line(args: tuple[str, ...]) -> None:
    done = run("-q", "specs/security-action.yaml::SA-20", *args)
    assert done.returncode == 4, done.stdout  # pytest's own code for usage
    assert "Traceback" not in done.stdout + done.stderr


def test_other_yaml_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "values.yaml").write_text("a: 1\n", "utf-8")
    (tmp_path / "test_one.py").write_text("def test_one():\n    pass\n", "utf-8")
    done = run("-q", "-p", "cancel_contracts.pytest_plugin", str(tmp_path), cwd=tmp_path)
    assert "1 passed" in done.stdout, done.stdout + done.stderr
