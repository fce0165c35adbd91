"""Every report says the same of every clause, and the same exit code."""

from __future__ import annotations

import html
import io
import json
import re
import warnings
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import derive
import pytest
from cancel_contracts.assignment import Options
from cancel_contracts.builtin import mock_target
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.gate import decide
from cancel_contracts.journal import Exchanges, Journal
from cancel_contracts.judge.judge import Verdict
from cancel_contracts.report.annotations import lines
from cancel_contracts.report.html import write_html
from cancel_contracts.report.json_report import write_json
from cancel_contracts.report.junit import write_junit
from cancel_contracts.report.markdown import write_markdown
from cancel_contracts.report.record import record
from cancel_contracts.schemas import schema
from cancel_contracts.verify import verify
from jsonschema import Draft202012Validator
from report_sample import (
    CONTRACT,
    answer,
    every_verdict,
    evidence,
    exchange,
    look,
    outcome_of,
    result_of,
    sample,
    sample_of,
    screen,
)
from sampling import only_of_all


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


class Items:
    """A plugin of pytest that keeps what became of each item of the door."""

    def __init__(self) -> None:
        self.verdicts: dict[tuple[str, str], str] = {}
        self.failed: set[tuple[str, str]] = set()
        self.texts: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call":
            return
        file, _, id_ = report.nodeid.rpartition("::")
        place = (Path(file).stem, id_)
        self.verdicts[place] = str(dict(report.user_properties)["verdict"])
        if report.failed:
            self.failed.add(place)
            if self.verdicts[place] == "violated":
                self.texts.append(str(report.longrepr))

    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        if type(warning_message.message).__name__ == "ContractsWarning":
            self.texts.append(str(warning_message.message))


FAULTY = {
    "machine-action": ["every-final-state-cancelled", "401-without-challenge", "text-truncated"],
    "security-action": ["success-as-201", "request-id-missing", "404-as-html"],
    "access-package-assignment-request": ["unknown-id-answered-200", "405-without-allow"],
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "dropped"),
    [
        ("machine-action", ""),
        *only_of_all(("security-action", ""), ("access-package-assignment-request", "")),
        ("machine-action", "provider_states"),
    ],
    ids=str,
)
def test_no_verdict_and_no_finding_differs_between_any_two_outputs(
    name: str, dropped: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = next(path for path in shipped() if path.stem == name)
    contract = load(path)
    with mock_target([contract], FAULTY[name]) as whole:
        target = replace(whole, raw={k: v for k, v in whole.raw.items() if k != dropped})
        result = verify([contract], target, Options())
    written = record(result, outcome_of(result))
    Draft202012Validator(schema("report")).validate(written)
    found = all_of(written, tmp_path)
    assert all(
        whole.raw["mint"]["key"] not in path.read_text("utf-8") for path in tmp_path.iterdir()
    )
    texts = {
        s: (tmp_path / f"report.{s}").read_text("utf-8") for s in ("json", "md", "html", "xml")
    }

    # The same run behind the door of pytest, whose items are the clauses.
    items, file = Items(), tmp_path / "target.yaml"
    file.write_text(json.dumps(target.raw), "utf-8")
    monkeypatch.setattr("cancel_contracts.verify.verify", lambda *_: result)
    alone = (
        "-p",
        "no:cacheprovider",
        "-p",
        "no:unraisableexception",
        "--contracts-target",
        str(file),
    )
    with redirect_stdout(out := io.StringIO()):
        code = pytest.main([*alone, str(path)], plugins=[items])

    verdicts, exit_code = found["json"]
    assert exit_code == (1 if "violated" in verdicts.values() else 4)
    assert {name: derived for name, derived in found.items() if derived != found["json"]} == {}
    assert items.verdicts == verdicts, out.getvalue()
    assert code == pytest.ExitCode.TESTS_FAILED
    failures = ET.fromstring(texts["xml"])
    red = {
        c.get("name")
        for c in failures.iter("testcase")
        if {"failure", "error"} & {e.tag for e in c}
    }
    assert {id_ for _, id_ in items.failed} == red

    told = {
        "markdown": derive.findings_markdown(texts["md"]),
        "html": derive.findings_html(texts["html"]),
        "terminal": derive.findings_terminal(screen(written, width=4000)),
        "annotations": derive.findings_annotations(lines(written, {"GITHUB_ACTIONS": "true"})),
    }
    findings = derive.findings_json(texts["json"])
    assert {name: rows for name, rows in told.items() if rows != findings} == {}
    unordered = sorted((sentence, sorted(ids)) for sentence, ids in findings)
    junit, doors = derive.findings_junit(texts["xml"]), derive.findings_pytest(items.texts)
    assert sorted((sentence, sorted(ids)) for sentence, ids in junit) == unordered
    assert sorted((sentence, sorted(ids)) for sentence, ids in doors) == unordered
    violated = [id_ for (_, id_), word in verdicts.items() if word == "violated"]
    assert sorted(id_ for _, ids in findings for id_ in ids) == sorted(violated)
    if not dropped:
        assert len(findings) >= 2


def test_every_report_shows_the_whole_scenario(tmp_path: Path) -> None:
    first = exchange(answer(200), 1, state="Done", resource="final", owner="user")
    again = exchange(answer(409), 2, state="Done", resource="final", owner="user", call="second")
    made = [look("Open", 0), first, look("Gone", 1), again, look("Open", 2)]
    verdict = Verdict(CONTRACT.clauses[1], "violated", 1, (evidence(again, "no effect"),))
    result = result_of([(CONTRACT, Journal("thing", Exchanges(made)), [verdict])])
    written = record(result, outcome_of(result))
    all_of(written, tmp_path)

    contract = written["contracts"][0]
    (piece,) = contract["clauses"][0]["evidence"]
    assert piece["begins"] == "a Done resource, owned by user"
    shown = [(step["method"], step["judged"], step["shows"]) for step in piece["steps"]]
    assert [judged for _, judged, _ in shown] == [False, False, False, True, False]
    assert [told for _, _, told in shown][1::2] == ["answered 200", "answered 409"]
    steps = [f"{step['says']}: {step['method']} " for step in piece["steps"]]
    texts = {
        "terminal": screen(written, verbose=True, width=4000),
        "junit": html.unescape((tmp_path / "report.xml").read_text("utf-8")),
        "markdown": html.unescape((tmp_path / "report.md").read_text("utf-8")),
        "html": re.sub(r"</?(span|code)[^>]*>", "", (tmp_path / "report.html").read_text("utf-8")),
    }
    texts["html"] = html.unescape(texts["html"]).replace(" POST ", ": POST ")
    for name, text in texts.items():
        places = [re.search(f"(?s){re.escape(step)}.*?{re.escape(told)}", text)
                  for step, (_, _, told) in zip(steps, shown, strict=True)]  # fmt: skip
        assert all(places), (name, places)
        assert "a Done resource, owned by user" in text, name


@pytest.mark.parametrize(
    ("name", "version", "told"),
    [("our mock", "1.4.2", "our mock 1.4.2"), ("our mock", None, "our mock"), (None, "7", "7")],
)
def test_every_file_names_the_target_as_its_file_does(
    name: str | None, version: str | None, told: str, tmp_path: Path
) -> None:
    written = sample()
    written["target"] |= {"name": name, "version": version}
    written["contracts"][0]["spec_sha256"] = "a" * 64
    all_of(written, tmp_path)

    page = (tmp_path / "report.html").read_text("utf-8")
    assert f'<span class="break">{told}</span>' in page
    assert f"Target <code>{told}</code> at <code>" in (tmp_path / "report.md").read_text("utf-8")
    suites = ET.parse(tmp_path / "report.xml").getroot().iter("testsuite")
    first = {p.get("name"): p.get("value") for p in next(suites).iter("property")}
    assert (first["target"], first["spec_sha256"]) == (told, "a" * 64)
