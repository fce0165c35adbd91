"""Known deviations are accepted until they are mended, and two runs are compared clause by clause."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from cancel_contracts.builtin import mock_target
from cancel_contracts.cli import main
from cancel_contracts.compare import Change, compare, worse
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.report.changes import render

Capture = pytest.CaptureFixture[str]
CONTRACT = load(next(p for p in shipped() if p.stem == "security-action"))


def run(
    tmp_path: Path, fault: str | None, *flags: str, name: str = "r"
) -> tuple[int, dict[str, Any]]:
    report = tmp_path / f"{name}.json"
    with mock_target([CONTRACT], [fault] if fault else []) as target:
        file = tmp_path / "target.yaml"
        file.write_text(json.dumps(target.raw), "utf-8")
        code = main(
            ["verify", "--contract", CONTRACT.name, "--target", str(file),
             "--only", "SA-20", "--only", "SA-22", "--report-json", str(report), *flags]
        )  # fmt: skip
    return code, json.loads(report.read_text("utf-8"))


def baseline(tmp_path: Path, *rows: dict[str, str], kind: str = "violations") -> Path:
    path = tmp_path / "baseline.yaml"
    path.write_text(yaml.safe_dump({kind: list(rows)}), "utf-8")
    return path


ROW = {"contract": CONTRACT.name, "clause": "SA-20", "reason": "the stub knows every id"}
FAULT = "unknown-id-answered-200"


def verdicts(report: dict[str, Any]) -> dict[str, str]:
    return {c["id"]: c["verdict"] for c in report["contracts"][0]["clauses"]}


def test_a_listed_violation_is_accepted(tmp_path: Path) -> None:
    code, report = run(tmp_path, FAULT, "--baseline", str(baseline(tmp_path, ROW)))
    assert code == 0
    assert verdicts(report) == {"SA-22": "upheld", "SA-20": "accepted"}


def test_a_listed_clause_that_is_upheld_again_fails_and_names_the_line(
    tmp_path: Path, capsys: Capture
) -> None:
    path = baseline(tmp_path, ROW)
    code, report = run(tmp_path, None, "--baseline", str(path))
    assert code == 1
    assert f"{path}:2: SA-20 is upheld again" in " ".join(report["warnings"])
    assert "stale" in report["sentence"]


def test_an_expired_entry_counts_no_more(tmp_path: Path) -> None:
    path = baseline(tmp_path, {**ROW, "expires": "2020-01-31"})
    code, report = run(tmp_path, FAULT, "--baseline", str(path))
    assert code == 1
    assert verdicts(report)["SA-20"] == "violated"
    assert any("2020-01-31" in w for w in report["warnings"])


def test_what_is_listed_as_not_exercised_is_excused_until_it_is(tmp_path: Path) -> None:
    row = {"contract": CONTRACT.name, "clause": "SA-08", "reason": "no such account here"}
    path = baseline(tmp_path, row, kind="not_exercised")
    raw = {"base_url": "http://127.0.0.1:1", "identities": {"admin": {"token": "admin-token"}}}
    with mock_target([CONTRACT]) as target:
        base = {k: v for k, v in target.raw.items() if k not in ("mint", "contracts")}
        (tmp_path / "t.yaml").write_text(json.dumps(raw | base), "utf-8")
        code = main(["verify", "--contract", CONTRACT.name, "--target", str(tmp_path / "t.yaml"),
                     "--only", "SA-08", "--baseline", str(path)])  # fmt: skip
        assert code == 0
        (tmp_path / "t.yaml").write_text(json.dumps(target.raw), "utf-8")
        code = main(["verify", "--contract", CONTRACT.name, "--target", str(tmp_path / "t.yaml"),
                     "--only", "SA-08", "--baseline", str(path)])  # fmt: skip
        assert code == 1


@pytest.mark.parametrize(
    "row",
    [
        {**ROW, "clause": "XX-1"},
        {**ROW, "contract": "nothing"},
        {**ROW, "reason": ""},
        {**ROW, "reason": "  "},
        {**ROW, "expires": "soon"},
        {**ROW, "until": "2027-01-31"},
        {k: v for k, v in ROW.items() if k != "reason"},
        {**ROW, "issue": "number five"},
    ],
)
def test_a_bad_entry_is_one_line_and_exit_2(
    row: dict[str, str], tmp_path: Path, capsys: Capture
) -> None:
    path = baseline(tmp_path, row)
    assert main(["verify", "--baseline", str(path)]) == 2
    err = capsys.readouterr().err.strip()
    assert "\n" not in err
    assert str(path) in err


def test_the_same_clause_twice_is_refused(tmp_path: Path) -> None:
    assert main(["verify", "--baseline", str(baseline(tmp_path, ROW, ROW))]) == 2


def test_a_draft_is_a_baseline_that_loads_and_accepts(tmp_path: Path, capsys: Capture) -> None:
    run(tmp_path, FAULT)
    path = tmp_path / "drafted.yaml"
    assert main(["baseline", str(tmp_path / "r.json"), "--output", str(path)]) == 0
    code, _ = run(tmp_path, FAULT, "--baseline", str(path))
    assert code == 0


def test_compare_tells_what_became_worse_and_exits_by_it(tmp_path: Path, capsys: Capture) -> None:
    run(tmp_path, None, name="a")
    run(tmp_path, FAULT, name="b")
    a, b = str(tmp_path / "a.json"), str(tmp_path / "b.json")
    capsys.readouterr()
    assert main(["compare", a, b]) == 1
    out = capsys.readouterr().out
    assert "newly violated: security-action SA-20: upheld -> violated" in out
    assert "B is laxer: security-action SA-20" in out
    assert main(["compare", b, a]) == 0
    assert "newly upheld" in capsys.readouterr().out
    assert main(["compare", a, a]) == 0
    capsys.readouterr()
    assert main(["compare", a, b, "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out)["worse"] is True
    assert main(["compare", a, b, "--format", "markdown"]) == 1
    assert "| newly violated |" in capsys.readouterr().out


def test_a_clause_or_contract_that_is_missing_in_b_is_worse(tmp_path: Path) -> None:
    _, report = run(tmp_path, None)
    fewer = json.loads(json.dumps(report))
    del fewer["contracts"][0]["clauses"][0]
    assert worse(compare(report, fewer))
    assert worse(compare(report, {**report, "contracts": []}))
    assert not worse(compare(fewer, report))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"schema_version": 2}'])
def test_what_is_no_report_is_one_line_and_exit_2(
    text: str, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, "utf-8")
    assert main(["compare", str(path), str(path)]) == 2
    assert "\n" not in capsys.readouterr().err.strip()


@pytest.mark.parametrize("hostile", ["a | b", "a\n| b", "<img src=x>", "[x](http://y)", "`|`"])
def test_a_hostile_value_stays_in_its_cell(hostile: str) -> None:
    change = Change("evidence changed", "c", "C-1", "must", hostile, "200", worse=False)
    table = render([change], "markdown").splitlines()[:3]
    assert [row.count("|") for row in table] == [7, 7, 7]
    assert not set("<[`") & set(table[2])
