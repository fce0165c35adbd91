"""The terminal report: its golden example, plain surroundings, gaps, and progress."""

from __future__ import annotations

import os
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from cancel_contracts.report.record import record
from cancel_contracts.report.terminal import Bar, show
from report_sample import CONTRACT, every_verdict, outcome_of, result_of, sample, sample_of, screen
from rich.console import Console

GOLDEN = Path(__file__).with_name("test_report_terminal.golden.txt")


def lines_after(shown: str, title: str) -> list[str]:
    rows = shown.splitlines()
    start = rows.index(title) + 1
    return rows[start : rows.index("", start)]


def test_the_golden_example() -> None:
    """UPDATE_GOLDEN=1 writes it anew; read the difference before it is kept."""
    shown = screen(sample())
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(shown, encoding="utf-8")

    assert shown == GOLDEN.read_text(encoding="utf-8")


def test_every_line_but_curl_fits_into_80_columns_and_ends_without_blanks() -> None:
    for row in screen(sample()).splitlines():
        assert row == row.rstrip()
        assert len(row) <= 80 or row.lstrip().startswith("curl ")


def test_words_stand_without_colour_and_colour_only_beside_words() -> None:
    coloured = screen(sample(), force_terminal=True, no_color=False, color_system="truecolor")
    bare = screen(sample())

    assert "\x1b[" in coloured
    assert "\x1b[" not in bare
    assert Console().render_str(coloured) is not None
    stripped = "".join(p.partition("m")[2] for p in ("m" + coloured).split("\x1b["))
    assert [r.rstrip() for r in stripped.splitlines()] == bare.splitlines()


def test_a_terminal_that_knows_ascii_alone_gets_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    written = sample()
    written["contracts"][0]["clauses"][0]["says"] = "größer als 取消 " * 10

    buffer = StringIO()
    console = Console(file=buffer, width=80, no_color=True)
    monkeypatch.setattr(type(console), "encoding", property(lambda self: "ascii"))
    show(written, console, verbose=True)

    assert buffer.getvalue().isascii()
    assert "gr\\xf6\\xdfer" in buffer.getvalue()


def test_a_sentence_in_the_table_is_whole() -> None:
    written = sample()
    written["contracts"][0]["clauses"][0]["says"] = "word " * 100

    assert screen(written, verbose=True).count("word") >= 100


def test_violations_are_counted() -> None:
    shown = screen(sample(), verbose=True)

    assert "  seen in    5 of 14 exchanges" in shown
    assert "  seen in    1 of 1 exchange\n" in shown


def test_the_curl_line_is_never_broken() -> None:
    (curl,) = {e["curl"] for e in sample()["contracts"][0]["clauses"][1]["evidence"]}

    assert f"\n  {curl}\n" in screen(sample(), width=40, verbose=True)


def test_a_curl_line_of_a_huge_body_is_left_to_the_files() -> None:
    written = sample()
    clause = next(c for c in written["contracts"][0]["clauses"] if c["evidence"])
    clause["evidence"][0]["curl"] = "curl " + "x" * 3000

    assert "a curl line of 3,005 characters" in " ".join(screen(written, verbose=True).split())


def test_verbose_shows_the_evidence_of_every_clause() -> None:
    buffer = StringIO()
    show(sample(), Console(file=buffer, width=80, no_color=True), verbose=True)

    assert buffer.getvalue().count("\n  expected ") == 9
    assert screen(sample()).count("\n  expected ") == 0


def test_the_dialect_seen() -> None:
    assert lines_after(screen(sample()), "Dialects seen") == [
        "  thing",
        "    prose: answers 200: follows the prose; the example says 204",
    ]


def test_the_lines_that_would_excuse_a_gap_are_yaml_to_paste() -> None:
    shown = screen(sample_of("upheld", "not-exercised"))

    title = "These lines in the target file would excuse what was not exercised:"
    text = "\n".join(lines_after(shown, title))
    assert yaml.safe_load(text) == {"not_testable": {"EX-04": "the target offers no identity app"}}
    assert text.startswith("not_testable:\n")


def test_a_long_reason_is_not_broken() -> None:
    journal, verdicts = every_verdict()
    long = "a 'reason': with # what YAML minds, " * 10
    gap = type(verdicts[3])(verdicts[3].clause, "not-exercised", reason=long)
    result = result_of([(CONTRACT, journal, [gap])])

    shown = screen(record(result, outcome_of(result)))

    text = "\n".join(lines_after(shown, "These lines in the target file would excuse what was not"
                                 " exercised:"))  # fmt: skip
    assert yaml.safe_load(text) == {"not_testable": {"EX-04": long}}


def test_a_target_that_refused_us_has_nothing_to_excuse() -> None:
    journal, verdicts = every_verdict()
    result = result_of([(CONTRACT, journal, [verdicts[3]])], unusable="every call was refused")

    shown = screen(record(result, outcome_of(result)))

    assert "would excuse" not in shown
    last = "inconclusive: every call was refused; kept 0 of 0, covered 0 of 1 (exit code 4)\n"
    assert shown.endswith(last)


def test_a_run_that_is_violated_offers_no_excuse() -> None:
    assert "would excuse" not in screen(sample())


@pytest.mark.parametrize(
    ("words", "last"),
    [
        (
            ("upheld",),
            "conforms: 2 clauses upheld, none violated; kept 1 of 1, covered 1 of 1 (exit code 0)",
        ),
        (
            ("upheld", "not-exercised"),
            "inconclusive: 1 must-clause remains open: EX-04; kept 1 of 1, covered 1 of 4;"
            " excused: EX-05 (exit code 4)",
        ),
        (("violated",), "violated: EX-02, EX-11; kept 0 of 2, covered 2 of 2 (exit code 1)"),
        (
            ("violated", "accepted"),
            "violated: EX-02, EX-11; kept 0 of 3, covered 3 of 3 (exit code 1)",
        ),
        ((), "nothing-selected: no clause was selected (exit code 5)"),
    ],
)
def test_the_last_line_is_the_outcome(words: tuple[str, ...], last: str) -> None:
    assert screen(sample_of(*words), width=200).splitlines()[-1] == last


def bar(console: Console, totals: dict[str, int] | None = None) -> str:
    with Bar(console, totals or {"thing": 3, "other": 1}) as shown:
        sent = shown.progress("thing")
        for kind in ("observe", "cancel", "observe", "cancel", "cancel"):
            sent(kind, 1)
        shown.progress("other")("cancel", 1)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_a_short_run_says_nothing_of_its_progress_where_there_is_no_terminal() -> None:
    """What was sent stands in the report."""
    assert bar(Console(file=StringIO())) == ""
    assert bar(Console(file=StringIO(), force_terminal=True, no_color=True)) == ""


def test_progress_is_a_bar_on_a_terminal_and_leaves_nothing_behind() -> None:
    shown = bar(Console(file=StringIO(), force_terminal=True, color_system="standard", width=80))

    assert "3/3" in shown
    assert "calls sent" not in shown
    assert shown.rstrip("\n").endswith(("\x1b[2K", "\x1b[?25h", "\x1b[1A\x1b[2K"))


def test_a_slow_run_says_now_and_then_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cancel_contracts.report.progress.LINE_SECONDS", 0.0)

    assert bar(Console(file=StringIO())).splitlines() == [
        "thing: 1 of 3 calls sent",
        "thing: 2 of 3 calls sent",
        "thing: 3 of 3 calls sent",
        "other: 1 of 1 calls sent",
    ]


def test_progress_survives_a_contract_that_nobody_planned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cancel_contracts.report.progress.LINE_SECONDS", 0.0)
    assert bar(Console(file=StringIO()), {"x": 1}).startswith("thing: 1 calls sent\n")


def test_progress_ends_when_the_run_fails() -> None:
    console: Any = Console(file=StringIO(), force_terminal=True, color_system="standard", width=80)

    def fail() -> None:
        with Bar(console, {"thing": 3}) as shown:
            shown.progress("thing")("cancel", 2)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert console.file.getvalue().rstrip("\n").endswith(("\x1b[2K", "\x1b[?25h", "\x1b[1A\x1b[2K"))


# --- what fits on a screen ------------------------------------------------------------------------


def test_numbers_and_their_nouns_stay_on_a_line() -> None:
    written = sample()
    written["contracts"][0]["pairs"] = {"count": 690, "of": 787}
    for width in range(50, 100):
        shown = screen(written, width=width)
        assert "pairs 690/787" in shown
        assert "kept 2 of 5, covered 5 of 9" in shown


def test_one_fact_is_told_once() -> None:
    """Whatever keeps every contract from being judged stands in the last line alone."""
    journal, verdicts = every_verdict()
    why = "the target cannot be reached (refused)"
    journal.stopped = "3 calls could not be made (refused); the rest was not sent"
    result = result_of([(CONTRACT, journal, [verdicts[3]])] * 2, unusable=why)

    shown = screen(record(result, outcome_of(result)))

    assert shown.count("cannot be reached") == 1
    assert "could not be made" not in shown
    assert shown.count("thing  not judged\n") == 2
    assert len(shown.splitlines()) <= 13  # warnings and faults of the sample among them


def test_a_finding_takes_eight_lines_at_most() -> None:
    written = sample()
    for row in written["defects"]:
        row["sentence"] = "word " * 200
        row["says"] = "A page says so much of it " * 4
        row["clauses"] *= 40
        row["situations"] = [
            f"admin cancels a Pending resource, the way number {i}" for i in range(20)
        ]
        row["in_all"] = 33
    shown = screen(written)
    heads = [at for at, text in enumerate(shown.splitlines()) if re.match(r"\d\. ", text)]
    lines = shown.splitlines()
    for at in heads:
        assert (
            lines.index("", at) - at <= 11
        )  # four of them the sentence's, cut at its 300 characters
    assert "such as: admin cancels a Pending resource, the way number 1;" in " ".join(shown.split())
    assert "and 27 more" in shown
    assert "number 1…" not in shown
