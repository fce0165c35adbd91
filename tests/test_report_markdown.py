"""The Markdown report, the step's summary and the annotations of GitHub Actions."""

from __future__ import annotations

from pathlib import Path

import pytest
from cancel_contracts.errors import UsageError
from cancel_contracts.report.annotations import command, lines
from cancel_contracts.report.markdown import SUMMARY_BYTES, append_summary, fit, write_markdown
from cancel_contracts.report.record import record
from markdown_it import MarkdownIt
from report_sample import outcome_of, result_of, sample, sample_of

ACTIONS = {"GITHUB_ACTIONS": "true"}


def text(folder: Path) -> str:
    write_markdown(sample(), folder / "report.md")
    return (folder / "report.md").read_text("utf-8")


def test_the_glance_comes_first(tmp_path: Path) -> None:
    rows = text(tmp_path).splitlines()

    assert rows[0] == "# cancel-contracts: violated (exit code 1)"
    assert rows[2] == "EX-02, EX-11"
    told = "answers 200: follows the prose; the example says 204"
    assert f"| thing | 2 | 1 | 4 | 1 | 3 | {told} |" in rows
    assert "| other-thing | 1 | 0 | 0 | 0 | 0 | none seen |" in rows


def test_each_violation_is_told(tmp_path: Path) -> None:
    report = text(tmp_path)

    assert "### EX-11 violated (must)\n" in report
    assert "| actual | <code>no answer (timeout)</code> |" in report
    assert "<pre>curl -i --path-as-is" in report
    assert "### EX-08 accepted (must)\n" in report
    assert "| reason | <code>fixes with release 7</code> |" in report


def test_what_is_not_known_says_why(tmp_path: Path) -> None:
    report = text(tmp_path)

    told = "the target offers no identity app"
    assert f"| EX-04 | must | not-exercised | yes | <code>{told}</code> |" in report
    assert (
        "| EX-05 | must | not-exercised | no | <code>the mock checks no tokens</code> |" in report
    )


def test_a_promise_links_to_its_page(tmp_path: Path) -> None:
    written = sample()
    url = "https://example.com/a_(b)?x=[1]&y=<script>|`#response"
    source = written["contracts"][0]["clauses"][1]["source"]
    source["links"] = [{"text": "a page, Response", "url": url}]
    written["defects"][0]["source"] = source
    write_markdown(written, tmp_path / "report.md")

    tokens = (
        MarkdownIt("commonmark", {"html": True})
        .enable("table")
        .parse((tmp_path / "report.md").read_text("utf-8"))
    )
    links = [c for t in tokens for c in t.children or [] if c.type == "link_open"]
    told = "https://example.com/a_%28b%29?x=%5B1%5D&y=%3Cscript%3E%7C%60#response"
    assert [link.attrGet("href") for link in links] == [told, told]


def test_what_would_help_stands_beside_a_gap(tmp_path: Path) -> None:
    written = sample_of("not-exercised")
    written["contracts"][0]["gaps"][0]["fix"] = "give app a token (identities)"
    write_markdown(written, tmp_path / "report.md")

    row = "- 1 must-clause: <code>the target offers no identity app</code>; to exercise: give app"
    assert row in (tmp_path / "report.md").read_text("utf-8")


def test_the_excuses_stand_where_the_run_is_inconclusive(tmp_path: Path) -> None:
    write_markdown(sample_of("not-exercised"), tmp_path / "report.md")

    told = "<pre>not_testable:\n  EX-04: the target offers no identity app</pre>"
    assert told in (tmp_path / "report.md").read_text("utf-8")
    assert "not_testable" not in text(tmp_path)


def test_the_summary_is_appended(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    path.write_text("# Another step\n")

    append_summary(sample(), {"GITHUB_STEP_SUMMARY": str(path)})

    assert path.read_text("utf-8") == "# Another step\n" + text(tmp_path)


def test_no_summary_without_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    append_summary(sample(), {})
    append_summary(sample(), {"GITHUB_STEP_SUMMARY": ""})

    assert list(tmp_path.iterdir()) == []


def test_a_summary_that_cannot_be_written_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="GITHUB_STEP_SUMMARY"):
        append_summary(sample(), {"GITHUB_STEP_SUMMARY": str(tmp_path)})


@pytest.mark.slow
def test_a_summary_stays_below_the_limit_and_says_what_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    written = sample()
    rows = written["contracts"][0]["clauses"]
    rows += [rows[1] | {"id": f"EX-{n}"} for n in range(100, 1500)]

    append_summary(written, {"GITHUB_STEP_SUMMARY": str(path)})
    first = path.read_text("utf-8")
    append_summary(written, {"GITHUB_STEP_SUMMARY": str(path)})

    assert len(first.encode()) <= SUMMARY_BYTES
    assert len(first.encode()) > SUMMARY_BYTES * 0.9
    assert first.startswith("# cancel-contracts: violated")
    assert first.endswith("see the full report.*\n")
    assert path.stat().st_size <= SUMMARY_BYTES


def test_sections_are_kept_whole() -> None:
    parts = ["a" * 50, "b" * 50, "c" * 50]

    assert fit(parts, 10_000) == "\n".join(parts)
    assert fit(parts, 180).startswith("a" * 50 + "\n" + "b" * 50 + "\n\n*The rest")
    assert fit(parts, 0) == fit(parts, -5) == ""


def test_no_annotation_outside_of_github() -> None:
    assert lines(sample(), {}) == []
    assert lines(sample(), {"GITHUB_ACTIONS": "false"}) == []


def test_errors_come_before_warnings() -> None:
    found = lines(sample(), ACTIONS)

    assert [row.split("::")[1] for row in found] == [
        "error title=EX-02 violated (thing)",
        "error title=EX-11 violated (thing)",
        "error title=EX-04 not-exercised (thing)",
        "error title=EX-07 inconclusive (thing)",
        "warning title=EX-03 violated (thing)",
        "warning title=fault of the run",
    ]
    assert found[1].endswith(
        "::admin cancels an Open resource, in chunks: no answer (timeout); expected an answer in full"
        "%0APromise number 11 is kept.%0ABreaks EX-11"
    )


def test_a_should_clause_is_an_error_under_strict() -> None:
    assert "::error title=EX-03 violated (thing)" in "\n".join(lines(sample(strict=True), ACTIONS))


def test_at_most_ten_lines_and_the_last_counts_the_rest() -> None:
    written = sample()
    rows = written["defects"]
    rows += [rows[1]] * 20

    found = lines(written, ACTIONS)

    assert len(found) == 10
    told = "and 17 more findings: see the step's summary or the reports"
    assert found[-1] == f"::error title=cancel-contracts::{told}"


def test_a_run_that_conforms_has_no_annotation_but_the_fault_of_its_tear_down() -> None:
    assert [r.split("::")[1] for r in lines(sample_of("upheld"), ACTIONS)] == [
        "warning title=fault of the run"
    ]


def test_nothing_selected_is_an_error() -> None:
    result = result_of([])

    assert lines(record(result, outcome_of(result)), ACTIONS)[0].startswith("::error ")


def test_what_would_end_a_command_early_is_escaped() -> None:
    assert command("error", "a,b: c%", "50%\nx") == "::error title=a%2Cb%3A c%25::50%25%0Ax"
