"""The pytest door: items, selection, outcomes and exit codes, run as a user runs it.

Runs are made in this process, which has imported all that they need; those that alter the package,
or are held against runs without it, in one of their own.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from cancel_contracts.assignment import Options, assign
from cancel_contracts.builtin import mock_target, new_key, target_of
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.mock.server import MockServer
from cancel_contracts.pytest_plugin import workers
from cancel_contracts.pytest_plugin.settings import SETTINGS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
PLUGIN = ("-p", "cancel_contracts.pytest_plugin")  # as an installed package brings it
TWO = ("-p", "xdist", "-n", "2")
STRICT = ("--contracts-strict",)
SPEC = next(p for p in shipped() if p.stem == "security-action")


@dataclass(frozen=True)
class Done:
    """What came of a run."""

    returncode: int
    stdout: str
    stderr: str


def run(*args: str, cwd: Path = ROOT) -> Done:
    """Run pytest in this process, without what would warn of others' loose ends."""
    out, err = io.StringIO(), io.StringIO()
    quick = ("-p", "no:cacheprovider", "-p", "no:unraisableexception")
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(cwd)
        patch.setattr(sys, "path", [*sys.path])
        code = pytest.main([*quick, *args])
    return Done(int(code), out.getvalue(), err.getvalue())


def run_apart(*args: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run pytest in a process of its own, where nothing is installed: tests/test_wheel.py has the
    plugins that are.
    """
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *args],
        cwd=cwd, env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}, capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip


def test_each_clause_is_an_item_and_collecting_sends_nothing() -> None:
    done = run(
        "--collect-only",
        "-q",
        "specs/security-action.yaml",
        "--contracts-base-url",
        "http://127.0.0.1:1",
    )
    assert done.returncode == 0, done.stdout
    assert "specs/security-action.yaml::SA-20" in done.stdout, done.stdout


def test_contracts_unlike_the_three_are_items_too() -> None:
    done = run("-q", *(f"tests/cases/specs/{n}.yaml" for n in ("order-cancel", "payment-void")))
    assert done.returncode == 0, done.stdout
    assert "10 passed" in done.stdout, done.stdout


def test_a_folder_does_not_name_what_is_run_only_when_named() -> None:
    done = run("--collect-only", "-q", "specs")
    assert "specs/security-action.yaml::SA-20" in done.stdout, done.stdout
    assert "AR-36" not in done.stdout
    for named in ("specs/assignment-request.yaml", "specs/assignment-request.yaml::AR-36"):
        done = run("--collect-only", "-q", named)
        assert "specs/assignment-request.yaml::AR-36" in done.stdout, done.stdout


def test_a_selected_clause_sends_only_what_it_needs(tmp_path: Path) -> None:
    contract, key = load(SPEC), new_key()
    with MockServer([contract], key=key) as server:
        target = target_of(server, [contract], key)
        file = tmp_path / "target.yaml"
        file.write_text(json.dumps(target.raw), "utf-8")  # JSON is YAML
        done = run("-q", "specs/security-action.yaml::SA-20", "--contracts-target", str(file))
        assert done.returncode == 0, done.stdout + done.stderr
        assert "1 passed" in done.stdout, done.stdout
        (planned,) = assign([contract], target, Options(only=("SA-20",)))
        assert server.requests == planned.cost()


def test_a_violated_clause_fails_with_what_the_page_says(tmp_path: Path) -> None:
    contract = load(SPEC)
    with mock_target([contract], ["unknown-id-answered-200"]) as target:
        file = tmp_path / "target.yaml"
        file.write_text(json.dumps(target.raw), "utf-8")
        report = tmp_path / "junit.xml"
        done = run(
            "specs/security-action.yaml", "--contracts-target", str(file), f"--junit-xml={report}"
        )
    assert done.returncode == 1, done.stdout
    rows = done.stdout.splitlines()
    at = rows.index(next(row for row in rows if re.match(r"_+ SA-20: ", row)))
    told = dict(row.split(maxsplit=1) for row in rows[at + 2 : at + 12] if row.startswith("  "))
    assert re.fullmatch(r".+ cancels an unknown id.*: 200.*; expected 404", rows[at + 1]), rows[
        at + 1
    ]
    assert told["breaks"].startswith("SA-20; also ")
    assert told["says"].startswith("SA-20 (must): An id that names no security action is answered")
    assert told["expected"] == "404"
    failed = [
        c.get("name") for c in ET.parse(report).iter("testcase") if c.find("failure") is not None
    ]
    assert "SA-20" in failed


def test_a_violated_should_clause_warns_and_fails_where_asked_to(tmp_path: Path) -> None:
    contract = load(SPEC)
    with mock_target([contract], ["request-id-missing"]) as target:
        file = tmp_path / "target.yaml"
        file.write_text(json.dumps(target.raw), "utf-8")
        args = ("-q", "specs/security-action.yaml::SA-26", "--contracts-target", str(file))
        warned, strict = run(*args), run(*args, "--contracts-strict")
    assert warned.returncode == 0, warned.stdout + warned.stderr
    assert "1 passed, 1 warning" in warned.stdout
    assert "ContractsWarning: admin cancels " in warned.stdout
    assert "SA-26 (should): A client-request-id" in warned.stdout
    line = SPEC.read_text("utf-8").splitlines().index("  - id: SA-26") + 1
    assert f"security-action.yaml:{line}" in warned.stdout
    assert strict.returncode == 1, strict.stdout


def test_a_target_that_is_down_is_never_green() -> None:
    done = run(
        "-q", "specs/security-action.yaml::SA-20", "--contracts-base-url", "http://127.0.0.1:9"
    )
    assert done.returncode == 1, done.stdout
    assert "inconclusive" in done.stdout, done.stdout


def test_what_nothing_exercised_fails_unless_it_is_excused(tmp_path: Path) -> None:
    contract = load(SPEC)
    with mock_target([contract]) as target:
        raw = {**target.raw}
        raw.pop("provider_states")
        file = tmp_path / "target.yaml"
        file.write_text(json.dumps(raw), "utf-8")
        done = run("-q", "specs/security-action.yaml::SA-23", "--contracts-target", str(file))
        assert done.returncode == 1, done.stdout
        assert "not-exercised" in done.stdout, done.stdout
        raw["not_testable"] = {"SA-23": "no states here"}
        file.write_text(json.dumps(raw), "utf-8")
        done = run(
            "-q", "-rs", "specs/security-action.yaml::SA-23", "--contracts-target", str(file)
        )
        assert done.returncode == 0, done.stdout
        assert "no states here" in done.stdout, done.stdout


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--contracts-base-url", "ftp://x"), "--contracts-base-url: "),
        (("--contracts-base-url", ""), "--contracts-base-url: "),
        (("--contracts-dialect", "nonsense"), "--contracts-dialect: no contract is named"),
        (("--contracts-target", ""), "directory"),  # of a variable that is not set
        (("-o", "contracts_target="), "directory"),
        (("-o", "contracts_profile=gat"), "contracts_profile: 'gat' is none; use one of smoke, "),
    ],
    ids=str,
)
def test_bad_usage_is_one_line(args: tuple[str, ...], says: str) -> None:
    done = run("-q", "specs/security-action.yaml::SA-20", *args)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR, done.stdout
    assert says in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


# --- settings -----------------------------------------------------------------------------------


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Path]:
    """A project with a spec file and, in `ci`, the target file of a server that breaks SA-26 (should)."""
    contract = load(SPEC)
    (tmp_path / "ci").mkdir()
    (tmp_path / SPEC.name).write_bytes(SPEC.read_bytes())
    with mock_target([contract], ["request-id-missing"]) as target:
        (tmp_path / "ci" / "target.yaml").write_text(json.dumps(target.raw), "utf-8")
        yield tmp_path


@pytest.mark.parametrize(
    ("strict", "flags", "outcome"),
    [("true", (), "1 failed"), ("false", (), "1 passed"), ("false", STRICT, "1 failed")],
)
@pytest.mark.parametrize("folder", [".", "ci"])
def test_an_ini_file_sets_what_a_flag_sets(
    beside: Path, folder: str, strict: str, flags: tuple[str, ...], outcome: str
) -> None:
    """A file named there lies beside it, wherever pytest is run; and a flag wins."""
    (beside / "pytest.ini").write_text(
        f"[pytest]\ncontracts_target = ci/target.yaml\ncontracts_strict = {strict}\n", "utf-8"
    )
    done = run("-q", f"{beside / SPEC.name}::SA-26", *PLUGIN, *flags, cwd=beside / folder)
    assert outcome in done.stdout, done.stdout + done.stderr


def test_a_file_that_a_flag_names_lies_where_pytest_is_run(beside: Path) -> None:
    (beside / "pytest.ini").write_text("[pytest]\ncontracts_target = nowhere.yaml\n", "utf-8")
    args = ("-q", f"../{SPEC.name}::SA-26", *PLUGIN, *STRICT, "--contracts-target", "target.yaml")
    done = run(*args, cwd=beside / "ci")
    assert "1 failed" in done.stdout, done.stdout + done.stderr


def test_every_setting_is_a_prefixed_flag_and_ini_key(pytestconfig: pytest.Config) -> None:
    for row in SETTINGS.values():
        assert pytestconfig.getoption(f"--contracts-{row.name}") is None
        assert row.key.startswith("contracts_")
        if row.ini is not None:
            assert not pytestconfig.getini(row.key)
    assert "allow-destructive" not in {row.name for row in SETTINGS.values() if row.ini}


# --- runs of others -----------------------------------------------------------------------------

FOREIGN = """
from pathlib import Path

def pytest_addoption(parser):
    for name in {names}:
        parser.addoption("--" + name, action="store", dest=name.replace("-", "_"))
        parser.addini(name.replace("-", "_"), "theirs")
"""


def test_a_run_of_others_is_as_without_the_plugin(tmp_path: Path) -> None:
    """Their options may be named as those of the command line; their YAML may hold any keys."""
    names = [*SETTINGS.keys() - {"strict"}, "contracts"]  # pytest has a --strict itself
    (tmp_path / "conftest.py").write_text(FOREIGN.format(names=names), "utf-8")
    (tmp_path / "values.yaml").write_text("x-clauses:\n  - id: MA-1\nother: [\n", "utf-8")
    (tmp_path / "latin.yaml").write_bytes(b"x-clauses:\n\xe9\n")
    (tmp_path / "test_one.py").write_text(
        "def test_one(pytestconfig):\n"
        "    assert pytestconfig.option.target == 'x'\n    assert not pytestconfig.getini('dialect')\n",
        "utf-8",
    )
    theirs = ("-q", "--target", "x", "--base-url", "y", "-W", "error", str(tmp_path))
    alone = run_apart(*theirs, cwd=tmp_path)
    beside = run_apart(*theirs, *PLUGIN, cwd=tmp_path)
    assert (beside.returncode, beside.stderr) == (alone.returncode, alone.stderr)
    assert told_of(beside) == told_of(alone)
    assert "1 passed" in told_of(beside), beside.stdout


def told_of(done: subprocess.CompletedProcess[str]) -> str:
    return re.sub(r"in [\d.]+s", "", done.stdout)


def test_a_file_that_is_named_is_taken_up_whatever_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "values.yaml").write_text("x-clauses: []\n", "utf-8")
    done = run("-q", *PLUGIN, str(tmp_path / "values.yaml"), cwd=tmp_path)
    assert done.returncode == pytest.ExitCode.INTERRUPTED, done.stdout
    assert "values.yaml:1: x-clauses: must not be empty" in done.stdout, done.stdout


@pytest.mark.parametrize(
    ("breaks", "says"),
    [
        (
            "cancel_contracts.verify.verify",
            "the suite itself failed: RuntimeError at conftest.py:4",
        ),
        (
            "cancel_contracts.verify.assign",
            "the suite itself failed: RuntimeError at conftest.py:4",
        ),
    ],
)
def test_where_the_suite_fails_its_own_items_fail(tmp_path: Path, breaks: str, says: str) -> None:
    (tmp_path / SPEC.name).write_bytes(SPEC.read_bytes())
    (tmp_path / "test_one.py").write_text("def test_one():\n    pass\n", "utf-8")
    module, _, name = breaks.rpartition(".")
    (tmp_path / "conftest.py").write_text(
        f"import {module} as room\n\ndef broken(*args, **kwargs):\n"
        f"    raise RuntimeError('a secret')\n\nroom.{name} = broken\n",
        "utf-8",
    )
    items = (f"{SPEC.name}::SA-20", "test_one.py")
    done = run_apart("-q", *PLUGIN, *items, cwd=tmp_path)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    assert "1 failed, 1 passed" in done.stdout, done.stdout
    assert says in done.stdout, done.stdout
    assert "a secret" not in done.stdout, done.stdout


@pytest.mark.parametrize(
    ("excuses", "flags", "code", "told"),
    [
        ({}, (), 0, "must-clauses: kept 2 of 2, covered 2 of 2"),
        ({"personal": "none"}, (), 1, "not_testable: personal is exercised now"),
        ({"SA-20": "so I thought"}, (), 1, "not_testable: SA-20 is exercised now"),
        ({"observe": "no GET"}, (), 0, "must-clauses: kept 0 of 0, covered 0 of 2; excused: obs"),
        ({"observe": "no GET"}, ("--contracts-min-covered", "50"), 1, "0.0 % covered, less than"),
        ({"observe": "no GET"}, ("--contracts-min-covered", "0"), 0, "covered 0 of 2"),
        ({}, ("--contracts-min-covered", "nan"), 4, "is no number from 0 to 100"),
    ],
)
def test_what_no_item_shows_fails_the_session(
    excuses: dict[str, str], flags: tuple[str, ...], code: int, told: str, tmp_path: Path
) -> None:
    contract = load(SPEC)
    with mock_target([contract]) as target:
        file = tmp_path / "target.yaml"
        file.write_text(json.dumps({**target.raw, "not_testable": excuses}), "utf-8")
        items = [f"specs/security-action.yaml::{id_}" for id_ in ("SA-20", "SA-08")]
        done = run("-q", *items, "--contracts-target", str(file), *flags)
    assert done.returncode == code, done.stdout + done.stderr
    assert told in done.stdout + done.stderr


CLAUSES = tuple(f"specs/security-action.yaml::SA-{n}" for n in ("16", "19", "20", "23", "26"))


def outcomes(report: Path) -> dict[str, tuple[bool, str]]:
    """Return of each item whether it failed, and with what, ids left out."""
    found = {}
    for case in ET.parse(report).iter("testcase"):
        text = "".join(f.get("message", "") for f in case.iter("failure"))
        found[case.get("name", "")] = (bool(text), re.sub(r"[0-9a-f-]{36}", "ID", text))
    return found


def test_of_several_workers_one_makes_the_traffic(tmp_path: Path) -> None:
    contract, key = load(SPEC), new_key()
    with MockServer([contract], key=key, faults=["unknown-id-answered-200"]) as server:
        file = tmp_path / "target.yaml"
        file.write_text(json.dumps(target_of(server, [contract], key).raw), "utf-8")
        args = (*CLAUSES, "--contracts-target", str(file), "--contracts-ledger")
        one = run(*args, str(tmp_path / "one.jsonl"), f"--junit-xml={tmp_path / 'one.xml'}")
        sent = server.requests.copy()
        several = run_apart(
            *TWO, *args, str(tmp_path / "two.jsonl"), f"--junit-xml={tmp_path / 'two.xml'}"
        )
        assert server.requests - sent == sent, several.stdout
    assert (one.returncode, several.returncode) == (1, 1)
    told = outcomes(tmp_path / "one.xml")
    assert outcomes(tmp_path / "two.xml") == told
    assert {name for name, (failed, _) in told.items() if failed} == {"SA-20"}
    assert several.stdout.count("= contracts =") == 1, several.stdout
    assert several.stdout.count("must-clauses:") == 1, several.stdout
    assert sorted(p.name for p in tmp_path.glob("*.jsonl")) == ["one.jsonl", "two.jsonl"]


def test_an_error_in_the_target_file_is_one_line_for_all_workers(tmp_path: Path) -> None:
    file = tmp_path / "target.yaml"
    file.write_text("base_url: http://127.0.0.1:1\nprovider_stats: http://x\n", "utf-8")
    one = run("-q", *CLAUSES, "--contracts-target", str(file))
    several = run_apart("-q", *TWO, *CLAUSES, "--contracts-target", str(file))
    assert (one.returncode, several.returncode) == (4, 4), several.stdout
    assert several.stderr == one.stderr
    assert "INTERNALERROR" not in several.stdout
    assert several.stderr.strip().startswith(f"ERROR: {file}")


class Config:
    """A worker's, as far as it is asked."""

    def __init__(self, folder: Path, number: str) -> None:
        self.option = SimpleNamespace(basetemp=str(folder / number))
        self.workerinput = {"testrunuid": "abc"}


def test_workers_that_come_at_once_run_once(tmp_path: Path) -> None:
    ran: list[int] = []

    def made() -> dict[str, int]:
        ran.append(1)
        time.sleep(0.1)
        return {"ran": len(ran)}

    with ThreadPoolExecutor(3) as pool:
        each = [Config(tmp_path, f"gw{n}") for n in range(3)]
        found = list(pool.map(lambda config: workers.once(config, made), each))
    assert found == [{"ran": 1}] * 3


def test_where_a_worker_dies_the_next_one_runs(tmp_path: Path) -> None:
    def dies() -> dict[str, int]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        workers.once(Config(tmp_path, "gw0"), dies)  # type: ignore[arg-type]
    assert workers.once(Config(tmp_path, "gw1"), lambda: {"ran": 2}) == {"ran": 2}  # type: ignore[arg-type]
    assert workers.once(Config(tmp_path, "gw2"), dies) == {"ran": 2}  # type: ignore[arg-type]


def test_what_fails_the_session_beside_its_items_does_with_workers(tmp_path: Path) -> None:
    contract = load(SPEC)
    with mock_target([contract]) as target:
        file = tmp_path / "target.yaml"
        raw = {**target.raw, "not_testable": {"SA-20": "never"}}
        file.write_text(json.dumps(raw), "utf-8")
        done = run_apart("-q", *TWO, *CLAUSES, "--contracts-target", str(file))
    assert done.returncode == 1, done.stdout
    assert "5 passed" in done.stdout, done.stdout
    assert "SA-20" in done.stdout.partition("= contracts =")[2]
