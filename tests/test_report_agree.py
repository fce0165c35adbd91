"""Every report says the same of every clause, and the same exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import derive
import pytest
from cancel_contracts.assignment import Options
from cancel_contracts.builtin import mock_target
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.gate import decide
from cancel_contracts.report.annotations import lines
from cancel_contracts.report.html import write_html
from cancel_contracts.report.json_report import write_json
from cancel_contracts.report.junit import write_junit
from cancel_contracts.report.markdown import write_markdown
from cancel_contracts.report.record import record
from cancel_contracts.schemas import schema
from cancel_contracts.verify import verify
from jsonschema import Draft202012Validator
from report_sample import CONTRACT, every_verdict, outcome_of, result_of, sample, sample_of, screen


def all_of(written: dict[str, Any], folder: Path) -> dict[str, derive.Derived]:
    writers = {"json": write_json, "xml": write_junit, "md": write_markdown, "html": write_html}
    for suffix, write in writers.items():
        write(written, folder / f"report.{suffix}")
    texts = {s: (folder / f"report.{s}").read_text("utf-8") for s in writers}
    return {
        "json": derive.from_json(texts["json"]),
        "junit": derive.from_junit(texts["xml"]),
        "markdown": derive.from_markdown(texts["md"]),
        "html": derive.from_html(texts["html"]),
        "terminal": derive.from_terminal(screen(written, verbose=True)),
    }


@pytest.mark.parametrize("strict", [False, True])
def test_all_reports_agree_on_a_run_with_every_kind_of_verdict(
    tmp_path: Path, strict: bool
) -> None:
    found = all_of(sample(strict), tmp_path)

    verdicts, code = found["json"]
    assert code == 1
    assert len(verdicts) == 12
    assert set(verdicts.values()) == {
        "upheld", "violated", "not-exercised", "inconclusive", "accepted",
    }  # fmt: skip
    assert verdicts["thing", "EX-01"] == verdicts["other-thing", "EX-01"] == "upheld"
    for name, derived in found.items():
        assert derived == (verdicts, code), name


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("upheld",), 0),
        (("upheld", "accepted"), 0),
        (("upheld", "not-exercised"), 4),
        (("upheld", "inconclusive"), 4),
        (("violated", "inconclusive"), 1),
    ],
)
def test_all_reports_agree_on_the_exit_code(
    tmp_path: Path, words: tuple[str, ...], code: int
) -> None:
    found = all_of(sample_of(*words), tmp_path)

    assert {name: derived[1] for name, derived in found.items()} == dict.fromkeys(found, code)
    assert len({frozenset(derived[0].items()) for derived in found.values()}) == 1


def test_a_stale_baseline_entry_fails_in_every_report(tmp_path: Path) -> None:
    journal, verdicts = every_verdict()
    result = result_of([(CONTRACT, journal, verdicts[:1])])
    outcome = decide(result.judgements(), stale=["b.yaml:3: EX-01 is upheld again; delete it"])

    found = all_of(record(result, outcome), tmp_path)

    assert found == dict.fromkeys(found, ({("thing", "EX-01"): "upheld"}, 1))
    rows = lines(record(result, outcome), {"GITHUB_ACTIONS": "true"})
    assert rows[0].startswith("::error title=violated::1 stale baseline entries")


def test_nothing_selected_reads_as_nothing_selected_everywhere(tmp_path: Path) -> None:
    result = result_of([])

    found = all_of(record(result, outcome_of(result)), tmp_path)

    assert found == dict.fromkeys(found, ({}, 5))


@pytest.mark.slow
def test_all_reports_agree_on_a_run_against_the_mock(tmp_path: Path) -> None:
    contracts = [c for c in map(load, shipped()) if c.quotas][:1]
    with mock_target(contracts, faults=["unknown-id-answered-200"]) as target:
        result = verify(contracts, target, Options())
    written = record(result, outcome_of(result))

    Draft202012Validator(schema("report")).validate(written)
    found = all_of(written, tmp_path)
    verdicts, code = found["json"]
    assert code == 1
    assert "violated" in verdicts.values()
    assert len(verdicts) == len(contracts[0].clauses)
    for name, derived in found.items():
        assert derived == (verdicts, code), name
    states = written["contracts"][0]["lifecycle"]["states"]
    assert {s["verdict"] for s in states} == {"upheld"}
    key = target.raw["mint"]["key"]
    assert all(key not in path.read_text("utf-8") for path in tmp_path.iterdir())
