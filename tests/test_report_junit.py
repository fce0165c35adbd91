"""The JUnit file: what GitLab, Jenkins and GitHub's reporters read of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from cancel_contracts.errors import UsageError
from cancel_contracts.report.junit import write_junit
from cancel_contracts.report.record import record
from report_sample import outcome_of, result_of, sample, sample_of


@pytest.fixture
def root(tmp_path: Path) -> ET.Element:
    return read(sample(), tmp_path)


def read(written: dict[str, Any], folder: Path) -> ET.Element:
    write_junit(written, folder / "junit.xml")
    return ET.parse(folder / "junit.xml").getroot()


def ending(root: ET.Element, id_: str) -> ET.Element | None:
    case = root.find(f".//testcase[@name='{id_}']")
    assert case is not None
    return next((c for c in case if c.tag != "properties"), None)


@pytest.mark.parametrize(
    ("id_", "tag", "begins"),
    [
        ("EX-02", "failure", "EX-02 violated (must)"),
        ("EX-03", "skipped", "EX-03 violated (should)"),
        ("EX-04", "error", "EX-04 not-exercised (must)"),
        ("EX-05", "skipped", "EX-05 not-exercised (must)"),
        ("EX-06", "skipped", "EX-06 not-exercised (must)"),
        ("EX-07", "error", "EX-07 inconclusive (must)"),
        ("EX-08", "skipped", "EX-08 accepted (must)"),
        ("EX-09", "skipped", "EX-09 not-exercised (info)"),
        ("EX-11", "failure", "EX-11 violated (must)"),
    ],
)
def test_each_verdict_has_its_element(root: ET.Element, id_: str, tag: str, begins: str) -> None:
    found = ending(root, id_)

    assert found is not None
    assert found.tag == tag
    assert (found.text or "").startswith(begins)
    assert found.get("message", "").startswith(begins)


def test_upheld_has_none(root: ET.Element) -> None:
    assert ending(root, "EX-01") is None
    assert ending(root, "EX-10") is None


def test_a_should_clause_fails_under_strict(tmp_path: Path) -> None:
    found = ending(read(sample(strict=True), tmp_path), "EX-03")

    assert found is not None
    assert found.tag == "failure"


def test_the_attributes_that_the_readers_use(root: ET.Element) -> None:
    case = root.find(".//testcase[@name='EX-02']")

    assert case is not None
    assert case.get("classname") == "thing"
    assert case.get("file") == "specs/thing.yaml"
    assert float(case.get("time", "")) == pytest.approx(0.012)
    suite = root.find("testsuite")
    assert suite is not None
    assert suite.get("timestamp") == "2026-11-22T01:02:03"
    told = {p.get("name"): p.get("value") for p in suite.findall("properties/property")}
    assert told["seed"] == "0"
    assert told["dialect"] == "prose"


def test_the_sums_are_right(root: ET.Element) -> None:
    numbers = {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")}

    assert numbers == {"tests": "12", "failures": "2", "errors": "2", "skipped": "5"}


def test_the_text_is_the_whole_story(root: ET.Element) -> None:
    found = ending(root, "EX-11")

    assert found is not None
    rows = (found.text or "").splitlines()
    sentence = sample()["defects"][1]["sentence"]
    assert rows[1] == f"finding: 2. {sentence}"
    case = root.find(".//testcase[@name='EX-11']/properties/property[@name='defect']")
    assert case is not None
    assert case.get("value") == f"2. {sentence}"
    assert "says: Promise number 11 is kept." in rows
    assert "where: cancel-thing, Response" in rows
    assert "actual: no answer (timeout)" in rows
    assert any(row.startswith("curl: curl -i") for row in rows)


def test_the_text_says_where_the_promise_is_to_be_read(tmp_path: Path) -> None:
    written = sample()
    url = "https://www.rfc-editor.org/rfc/rfc9110.html#section-15.5.2"
    source = written["contracts"][0]["clauses"][10]["source"]
    source["links"] = [{"text": "RFC 9110, 15.5.2", "url": url}]
    found = ending(read(written, tmp_path), "EX-11")

    assert found is not None
    assert f"read at: {url}" in (found.text or "").splitlines()


def test_faults_of_the_run_stand_beside_the_cases(root: ET.Element) -> None:
    assert [e.text for e in root.iter("system-err")] == ["thing: tear-down of 1 was answered 500"]


def test_a_file_without_cases_is_an_error_and_never_green(tmp_path: Path) -> None:
    result = result_of([])

    root = read(record(result, outcome_of(result)), tmp_path)

    assert (root.get("tests"), root.get("errors")) == ("1", "1")


def test_a_run_that_conforms_has_neither_failure_nor_error(tmp_path: Path) -> None:
    root = read(sample_of("upheld"), tmp_path)

    assert (root.get("failures"), root.get("errors"), root.get("skipped")) == ("0", "0", "0")


def test_a_path_that_cannot_be_written_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        write_junit(sample(), tmp_path / "missing" / "junit.xml")
