"""Files and variables that unfold without measure, or hold what is not of its type: one line each."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from cancel_contracts.cli import main
from cancel_contracts.contract.entity_schema import problem_of
from cancel_contracts.contract.load import load
from cancel_contracts.exchange import Exchange, Form, Received, Sent, Situation
from cancel_contracts.journal import Exchanges, Journal
from cancel_contracts.judge.judge import Judge

pytestmark = pytest.mark.slow

Capture = pytest.CaptureFixture[str]
GUARD_SECONDS = 20  # a bomb would take years
URL = "base_url: http://127.0.0.1:1\n"


def bomb(last: str, first: str = "[x, x, x, x, x, x, x, x, x, x]") -> str:
    rows = [f"  - &a0 {first}"]
    rows += [f"  - &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    return "\n".join(["bomb:", *rows, f"{last}: *a29", ""])


MAPPINGS = "\n".join(
    ["a0: &a0 {k0: x, k1: x}",
     *(f"a{n}: &a{n} {{" + ", ".join(f"k{m}: *a{n - 1}" for m in range(10)) + "}" for n in range(1, 30))]
)  # fmt: skip
CHAIN = "\n".join(["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 3000))])
TARGETS = {
    "a bomb of lists": URL + bomb("provider_states"),
    "a bomb under not_testable": URL + bomb("not_testable"),
    "a bomb of mappings": URL + MAPPINGS + "\nidentities: *a29\n",
    "a bomb of merges": URL + MAPPINGS + "\nidentities: {<<: [*a29, *a28]}\n",
    "a chain of aliases": URL + CHAIN + "\ncontracts: *a2999\n",
    "an alias within itself": URL + "contracts: &a {x: *a}\n",
    "a list within itself": URL + "not_testable: &a [*a]\n",
    "20,000 identities": URL + "identities:\n" + "".join(
        f"  user{n}: {{token: x{n}}}\n" for n in range(20_000)
    ),
    "20,000 contracts": URL + "contracts:\n" + "".join(f"  c{n}: {{}}\n" for n in range(20_000)),
    "no timestamp": URL + "primary: !!timestamp x\n",
    "no boolean": URL + "primary: !!bool x\n",
    "no number": URL + "primary: !!int x\n",
    "no float": URL + "primary: {machine-action: !!float x}\n",
    "no base64": URL + "identities: {admin: {token: !!binary é}}\n",
    "no pairs": URL + "primary: !!pairs x\n",
    "no ordered mapping": URL + "primary: !!omap [x]\n",
    "a date beyond all": URL + "primary: 9999-99-99\n",
    "a date of a zone beyond all": URL + "primary: 2001-01-01 00:00:00 +99:99\n",
    "a set": URL + "primary: !!set {a}\n",
}  # fmt: skip


def one_line(argv: list[str], capsys: Capture) -> str:
    began = time.monotonic()
    assert main(argv) == 2
    assert time.monotonic() - began < GUARD_SECONDS
    (line,) = capsys.readouterr().err.splitlines()
    assert len(line) < 1500
    assert "suite itself" not in line
    return line


@pytest.mark.parametrize("what", TARGETS)
def test_a_target_file_without_measure(what: str, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "target.yaml"
    path.write_text(TARGETS[what], "utf-8")
    assert str(path) in one_line(["verify", "--only", "SA-20", "--target", str(path)], capsys)


BASELINES = {
    "a bomb": bomb("violations"),
    "a bomb of rows": bomb("violations", "{contract: security-action, clause: SA-20, reason: x}"),
    "no timestamp": "violations: [{contract: c, clause: d, reason: e, expires: !!timestamp x}]\n",
    "an alias within itself": "violations: &a [*a]\n",
}


@pytest.mark.parametrize("what", BASELINES)
def test_a_baseline_without_measure(what: str, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "baseline.yaml"
    path.write_text(BASELINES[what], "utf-8")
    assert str(path) in one_line(["verify", "--only", "SA-20", "--baseline", str(path)], capsys)


def test_aliases_of_a_measure_are_read(tmp_path: Path) -> None:
    path = tmp_path / "target.yaml"
    path.write_text(URL + "not_testable: {mint: &why no key, observe: *why}\n", "utf-8")
    assert main(["verify", "--plan", "--only", "SA-20", "--target", str(path)]) == 0


@pytest.mark.parametrize("columns", ["999999999", "0", "-5", "x"])
def test_columns_without_measure(
    columns: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    began = time.monotonic()
    assert main(["verify", "--only", "SA-20"]) == 0
    assert main(["verify", "--plan"]) == 0
    assert time.monotonic() - began < GUARD_SECONDS
    assert max(map(len, capsys.readouterr().out.splitlines())) < 2000


STORES = ["redis://[::1", "redis://", "redis:///0", "rediss://", "redis:here", "redis://h:port",
          "redis://h:0", "redis://h/zero", "unix://", "unix:", "http://h", "://", "redis://:x@"]  # fmt: skip


@pytest.mark.parametrize("store", STORES)
def test_a_store_that_is_none(store: str, capsys: Capture) -> None:
    line = one_line(["verify", "--only", "SA-20", "--quota-store", store], capsys)
    assert "--quota-store" in line
    assert "is no URL of a Redis" in line


@pytest.mark.parametrize(
    "store", ["redis://h", "redis://[::1]:1/0", "rediss://:p@h/15", "unix:///s"]
)
def test_a_store_that_may_be_one(store: str) -> None:
    from cancel_contracts.targets.pace import check_store

    check_store(store)


PATTERNS = ["(", "[a", "a{2,1}", "(?<n", "*"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_of_a_spec_that_does_not_compile(
    pattern: str, tmp_path: Path, capsys: Capture
) -> None:
    path = _spec_with(tmp_path, pattern)
    line = one_line(["verify", "--spec", str(path)], capsys)
    assert "components/schemas" in line
    assert "is no regular expression" in line


def _spec_with(folder: Path, pattern: str) -> Path:
    """Write the machine-action spec, the shape of its error codes a pattern."""
    import yaml
    from cancel_contracts.contract.load import shipped

    (path,) = [p for p in shipped() if p.stem == "machine-action"]
    document = yaml.safe_load(path.read_text("utf-8"))
    schemas = document["components"]["schemas"]
    (name,) = [n for n, s in schemas.items() if "error" in s.get("properties", {})]
    error = schemas[name]["properties"]["error"]
    error["properties"]["message"]["pattern"] = pattern
    made = folder / path.name
    made.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
    return made


LINEAR = [r"^(a+)+$", r"^(\w+\s?)+$", r"^(a|aa)+$", r"^(.*a){25}$"]
COUNTED = [r"^(?:(a|aa)(?=a|!|$))+$", r"^(a|aa)+(?!b)c\1$"]
LONG = "a" * 5000 + "!"


@pytest.mark.parametrize("pattern", LINEAR)
def test_a_pattern_that_would_backtrack_for_years_is_run_in_linear_time(pattern: str) -> None:
    began = time.monotonic()
    told = problem_of({"pattern": pattern}, LONG)
    assert told
    assert told.startswith("$: ")
    assert problem_of({"pattern": pattern}, "a" * 50) is None
    assert time.monotonic() - began < GUARD_SECONDS


@pytest.mark.parametrize("pattern", COUNTED)
def test_a_pattern_that_comes_to_no_end_tells_nothing(pattern: str) -> None:
    began = time.monotonic()
    assert problem_of({"pattern": pattern}, "a" * 80 + "!?") is False
    assert time.monotonic() - began < GUARD_SECONDS


@pytest.mark.parametrize(
    ("text", "exercised", "deviating"), [("a" * 80 + "!?", 0, 0), ("aaa", 1, 0), ("b", 1, 1)]
)
def test_what_nobody_can_tell_is_neither_upheld_nor_violated(
    text: str, exercised: int, deviating: int, tmp_path: Path
) -> None:
    """A 404 whose message the envelope's pattern is never done with."""
    contract = load(_spec_with(tmp_path, COUNTED[0]))
    body = json.dumps({"error": {"code": "NotFound", "message": text}}).encode()
    headers = (("Content-Type", "application/json"),)
    received = Received(404, headers=headers, body=body)
    situation = Situation(resource="unknown", id=Form("unknown"))
    sent = Sent("POST", "http://127.0.0.1/api/machineactions/x/cancel")
    one = Exchange(contract.name, 1, 1, "cancel", situation, "admin", "x", sent, received=received)
    journal = Journal(contract.name, Exchanges([one]))
    verdicts = Judge(contract, contract.clauses).judge(journal).verdicts
    told = {v.clause.id: (v.exercised, v.deviating) for v in verdicts}
    assert told["MA-35"] == (exercised, deviating)
