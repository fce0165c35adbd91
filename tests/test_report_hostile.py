"""What a target sends stays text, in every format."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from cancel_contracts.report.annotations import lines
from cancel_contracts.report.html import render
from cancel_contracts.report.junit import write_junit
from cancel_contracts.report.markdown import append_summary, write_markdown
from cancel_contracts.report.text import plain, tame
from markdown_it import MarkdownIt
from report_sample import HOSTILE, sample, sample_of, screen


def hostile() -> dict[str, Any]:
    """A record whose every text is hostile, as far as a target or its handler has a say."""
    written = sample()
    for contract in written["contracts"]:
        for row in contract["clauses"]:
            row["reason"] = row["reason"] and HOSTILE
            row["excused"] = row["excused"] and HOSTILE
            for piece in row["evidence"]:
                piece["scenario"] = piece["actual"] = piece["identity"] = HOSTILE
                piece["request"]["url"] += HOSTILE
                piece["curl"] = f"curl {HOSTILE}"
                piece["observed"] = [{"when": "before", "role": "target", "shows": HOSTILE}]
                if piece["response"]:
                    piece["response"]["headers"] = [["Content-Type", HOSTILE], [HOSTILE, "x"]]
                    piece["response"] |= {"stray": HOSTILE, "error": HOSTILE, "cut": HOSTILE}
        contract["stopped"] = HOSTILE
    written["target"] |= {"name": HOSTILE, "version": HOSTILE}
    return written | {"warnings": [HOSTILE], "faults_of_the_run": [f"thing: {HOSTILE}"]}


@pytest.mark.parametrize("settings", [{}, {"force_terminal": True, "no_color": False}])
def test_no_control_character_of_the_target_reaches_the_terminal(settings: dict[str, Any]) -> None:
    shown = screen(hostile(), **settings)

    shown = re.sub(r"\x1b\[[0-9;]*m", "", shown)  # rich's own colours
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2028]", shown)
    assert r"\x1b[31mred" in shown
    assert r"\u202egnp.exe" in shown


def test_no_colour_of_the_target_reaches_the_terminal() -> None:
    assert "\x1b" not in screen(hostile())


def test_markup_of_rich_stays_text() -> None:
    written = hostile()
    written["warnings"] = ["[bold red]not bold[/bold red] :smile: [link=http://x]y[/link]"]

    assert "[bold red]not bold[/bold red] :smile: [link=http://x]y[/link]" in screen(written)


@pytest.mark.parametrize("width", [20, 37, 80, 81, 200])
def test_no_line_of_the_terminal_is_a_command_to_a_ci_system(width: int) -> None:
    # The runners of GitHub trim a line before they look for `::`, and look for `##[` anywhere.
    for row in screen(hostile(), width=width).splitlines():
        assert not re.match(r"\s*::[a-z-]+( [^:]*)?::", row), row
        assert not re.search(r"##(vso)?\[", row), row


@pytest.mark.parametrize(
    ("text", "tamed"),
    [
        ("http://[::1]:8080/a::b", "http://[::1]:8080/a::b"),
        ("::error::x", "\\x3a:error::x"),
        ("::add-mask file=a::x", "\\x3a:add-mask file=a::x"),
        ("##[group]", "\\x23#[group]"),
        ("###[group]", "#\\x23#[group]"),
        ("## heading", "## heading"),
    ],
)
def test_commands_are_tamed_and_the_rest_is_left(text: str, tamed: str) -> None:
    assert tame(text) == tamed


def test_plain_text_holds_no_hidden_character() -> None:
    assert plain("a\x1bb\u202ec\ud800\U000e0001 é🛑") == "a\\x1bb\\u202ec\\ud800\\U000e0001 é🛑"
    assert plain("a\nb\tc", keep="\n") == "a\nb\\x09c"


def test_the_junit_file_is_well_formed_and_holds_no_forbidden_character(tmp_path: Path) -> None:
    write_junit(hostile(), tmp_path / "junit.xml")

    text = (tmp_path / "junit.xml").read_text("utf-8")
    root = ET.fromstring(text)
    (case,) = (c for c in root.iter("testcase") if c.get("name") == "EX-02")
    assert not re.search(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
    told = case[-1].text or ""
    assert "<script>window.pwned = 1</script>" in told
    assert "]]>&amp;" in told
    assert {e.tag for e in root.iter()} <= {
        "testsuites", "testsuite", "testcase", "properties", "property", "failure", "error",
        "skipped", "system-err",
    }  # fmt: skip


def markdown(path: Path) -> str:
    write_markdown(hostile(), path)
    return path.read_text("utf-8")


def test_markdown_sees_no_markup_of_the_target(tmp_path: Path) -> None:
    parser = MarkdownIt("gfm-like", {"linkify": False}).disable("linkify")
    tokens = parser.parse(markdown(tmp_path / "report.md"))

    inline = [child for token in tokens for child in token.children or []]
    assert not {t.type for t in inline} & {
        "link_open", "image", "strong_open", "em_open", "s_open", "code_inline",
    }  # fmt: skip
    tags = {t.content for t in inline if t.type == "html_inline"}
    assert tags <= {"<code>", "</code>", "<pre>", "</pre>"}
    blocks = "".join(t.content for t in tokens if t.type == "html_block")
    assert not re.search(r"<(?!/?(details|summary|pre)>)", blocks)
    assert {t.tag for t in tokens if t.type == "heading_open"} == {"h1", "h2", "h3"}


def test_every_table_of_the_markdown_keeps_its_columns(tmp_path: Path) -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown(tmp_path / "report.md"))

    # GFM drops surplus cells without a word: count the bars that are not escaped instead.
    rows = [r for r in markdown(tmp_path / "again.md").splitlines() if r.startswith("|")]
    widths = {len(re.findall(r"(?<!\\)\|", r)) for r in rows}
    assert sum(t.type == "table_open" for t in tokens) >= 7
    assert widths == {3, 6, 8}


def test_no_address_or_name_becomes_a_link_on_github(tmp_path: Path) -> None:
    text = markdown(tmp_path / "report.md")
    outside = re.sub(r"<pre>.*?</pre>", "", text, flags=re.DOTALL)

    assert "://" not in outside
    assert "@" not in outside


def test_the_summary_is_as_harmless_as_the_report(tmp_path: Path) -> None:
    append_summary(hostile(), {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary")})

    assert (tmp_path / "summary").read_text("utf-8") == markdown(tmp_path / "report.md")


def test_an_annotation_is_one_command_on_one_line() -> None:
    for row in lines(hostile(), {"GITHUB_ACTIONS": "true"}):
        assert re.fullmatch(r"::(error|warning) title=[^:,\n]+::[^\n\r]*", row)
        assert "::" not in row.split("::", 2)[2].replace("::now", "")


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.handlers += [n for n, _ in attrs if n.startswith("on") or n in ("src", "style")]


def test_the_html_has_no_element_of_the_target() -> None:
    page = _Tags()
    page.feed(render(hostile()))

    assert page.tags.count("script") == page.tags.count("style") == 1
    assert "img" not in page.tags
    assert page.handlers == []


def test_the_html_shows_what_it_hides() -> None:
    text = render(sample_of("violated"))

    assert "\\u202egnp.exe" in text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2028]", text)
