"""The HTML report in a real browser: headless Chromium, the file opened from disk."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browsers import CHROMIUM, CONTRAST, Shown, Tab, started
from cancel_contracts.needs import Need
from cancel_contracts.report import figures
from cancel_contracts.report.html import hexdump, render, write_html
from report_sample import HOSTILE, sample, sample_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

WORDS = ("violated", "inconclusive", "not-exercised", "accepted", "upheld")
SHARED = ("thing/EX-01", "other-thing/EX-01")  # an id that two contracts have


@pytest.fixture(scope="module", params=[CHROMIUM])
def tab(request: pytest.FixtureRequest) -> Iterator[Tab]:
    with started(request.param) as browser:
        yield Tab(browser)


class Report:
    """A page with a report."""

    def __init__(self, shown: Shown, url: str) -> None:
        self.page, self.requests, self.messages = shown.page, shown.requests, shown.messages
        self.url = url

    def shown(self) -> list[str]:
        names = self.page.locator("details.clause:visible").evaluate_all(
            "rows => rows.map(row => row.id)"
        )
        return [str(name) for name in names]

    def count(self) -> str:
        return self.page.locator("#shown").inner_text()


@pytest.fixture
def open_report(tab: Tab, tmp_path: Path) -> Iterator[Any]:
    opened: list[Report] = []
    with ExitStack() as stack:

        def open_(written: dict[str, Any] | None = None, **look: Any) -> Report:
            path = tmp_path / f"report-{len(opened)}.html"
            write_html(written or sample(), path)
            url = path.as_uri()
            opened.append(Report(stack.enter_context(tab.opened(url, **look)), url))
            return opened[-1]

        yield open_
        for report in opened:
            assert report.messages == [], "the console must stay empty"
            assert set(report.requests) == {report.url}, "nothing may be loaded"


def opened(page: Page) -> list[str]:
    found = page.locator("details.clause[open]").evaluate_all("rows => rows.map(row => row.id)")
    return [str(name) for name in found]


def address(page: Page) -> str:
    return str(page.evaluate("location.hash"))


def until(page: Page, told: str) -> None:
    """Wait for an expression to be true. The page's policy forbids Playwright's own way, `eval`."""
    deadline = time.monotonic() + 60
    while not page.evaluate(told):
        assert time.monotonic() < deadline, told
        page.wait_for_timeout(20)


def test_the_first_screen_has_verdict_figures_findings_and_lifecycles(open_report: Any) -> None:
    page = open_report(viewport=(1280, 900)).page

    assert page.locator("h1").inner_text() == "Violated"
    told = page.locator(".sentence").inner_text()
    assert told == "2 findings on must-clauses, 1 finding on should-clauses (no failure)"
    assert page.locator("#exit-code").inner_text() == "1"
    assert page.locator(".figures b").all_inner_texts() == ["2 of 5", "5 of 9"]
    first = page.locator(".finding").first
    labels = first.locator("dl > div").all_inner_texts()
    assert [row.split("\n")[0] for row in labels] == ["Expected", "Actual", "Page", "Breaks"]
    assert labels[0] == "Expected\n4xx, no effect"
    assert labels[3] == "Breaks\nEX-02"
    for seen in (first, *page.locator("svg.lifecycle").all()):
        box = seen.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 900


def test_hero_and_tiles_count_the_same(open_report: Any) -> None:
    page = open_report().page
    cells = page.locator("a.cell.must")
    words = cells.locator("span").all_inner_texts()
    judged = [word for word in words if word in ("upheld", "violated", "accepted")]
    chips = page.locator(".chip[data-level=must]").all_inner_texts()
    counted = dict.fromkeys(WORDS, 0)
    for chip in chips:
        number, word = chip.split()
        counted[word] += int(number)

    kept, covered = page.locator(".figures b").all_inner_texts()
    assert kept == f"{words.count('upheld')} of {len(judged)}"
    assert covered == f"{len(judged)} of {len(words)}"
    assert counted == {word: words.count(word) for word in WORDS}
    assert page.locator("a.cell").count() == 12


def test_what_a_should_clause_breaks_looks_otherwise(open_report: Any) -> None:
    page = open_report().page
    look = """e => { const s = getComputedStyle(e);
        return [s.borderTopStyle, s.backgroundColor, s.borderTopColor]; }"""

    must = page.locator("a.cell", has_text="EX-02").evaluate(look)
    should = page.locator("a.cell", has_text="EX-03").evaluate(look)
    assert (must[0], should[0]) == ("solid", "dashed")
    assert must[1] != should[1]
    assert must[2] != should[2]
    assert "should" in page.locator("a.cell", has_text="EX-03").inner_text()
    badges = page.locator(".badge").all_inner_texts()
    assert badges == ["must", "must", "should"]
    tones = page.locator(".badge").evaluate_all("all => all.map(e => getComputedStyle(e).color)")
    assert tones[0] == tones[1] != tones[2]


def test_clauses_stand_under_their_topics(open_report: Any) -> None:
    page = open_report().page
    page.get_by_role("button", name="All", exact=True).click()
    heads = page.locator("[data-contract=thing] section.topic h4").all_inner_texts()

    assert heads == [
        "Which code a call is answered with 4 clauses",
        "What a cancel does, by state and by its place among calls 2 clauses",
        "Who may call 2 clauses",
        "What may be sent 2 clauses",
        "HTTP itself 1 clause",
    ]


def test_the_filter_stands_on_what_is_not_upheld(open_report: Any) -> None:
    report = open_report()

    assert report.count() == "9 of 12 clauses shown"
    assert not {*SHARED, "EX-10"} & set(report.shown())
    assert report.page.locator("[data-contract=other-thing] section.topic:visible").count() == 0
    assert address(report.page) == ""


def test_the_filter_by_verdict(open_report: Any) -> None:
    report = open_report()

    for word in WORDS[1:-1]:
        report.page.get_by_label(word, exact=True).uncheck()

    assert report.shown() == ["EX-03", "EX-02", "EX-11"]
    assert report.count() == "3 of 12 clauses shown"
    assert address(report.page) == "#?verdict=violated"


def test_the_filter_by_level_and_back(open_report: Any) -> None:
    report = open_report()

    report.page.get_by_label("must", exact=True).uncheck()
    assert report.shown() == ["EX-03", "EX-09"]

    report.page.get_by_role("button", name="Not upheld").click()
    assert report.count() == "9 of 12 clauses shown"
    report.page.get_by_role("button", name="All", exact=True).click()
    assert len(report.shown()) == 12


def test_the_filter_by_text_looks_into_the_evidence(open_report: Any) -> None:
    report = open_report()

    report.page.get_by_label("Text").fill("RELEASE 7")
    assert report.shown() == ["EX-08"]

    report.page.get_by_label("Text").fill("timeout")
    assert sorted(report.shown()) == ["EX-07", "EX-11"]

    report.page.get_by_label("Text").fill("no such words")
    assert report.count() == "0 of 12 clauses shown"


def test_the_address_keeps_what_is_open_and_the_filter(open_report: Any) -> None:
    report = open_report()
    report.page.locator("[id='EX-02'] > summary").click()
    until(report.page, "location.hash === '#EX-02'")
    report.page.get_by_label("Text").fill("is kept")
    report.page.get_by_label("info", exact=True).uncheck()
    kept = address(report.page)
    assert kept == "#EX-02?level=must,should&text=is+kept"
    shown = report.shown()

    report.page.goto("about:blank")
    report.requests.clear()
    report.page.goto(report.url + kept)

    assert opened(report.page) == ["EX-02"]
    assert report.shown() == shown
    assert report.page.get_by_label("Text").input_value() == "is kept"
    report.page.locator("[id='EX-02'] > summary").click()
    until(report.page, "!location.hash.includes('EX-02')")
    assert address(report.page) == "#?level=must,should&text=is+kept"


def test_one_clause_and_one_piece_of_evidence_is_open_at_a_time(open_report: Any) -> None:
    page = open_report().page
    assert opened(page) == []

    page.locator("[id='EX-02'] > summary").click()
    pieces = page.locator("[id='EX-02'] details.evidence")
    assert pieces.count() == 3
    assert page.locator("[id='EX-02'] details.evidence[open]").count() == 1
    pieces.nth(1).locator("> summary").click()
    assert [piece.get_attribute("open") is not None for piece in pieces.all()] == [
        False,
        True,
        False,
    ]

    page.locator("[id='EX-11'] > summary").click()
    until(page, "location.hash === '#EX-11'")
    assert opened(page) == ["EX-11"]


def test_the_count_is_announced(open_report: Any) -> None:
    assert open_report().page.get_by_role("status").first.get_attribute("aria-live") == "polite"


def test_a_cell_leads_to_its_clause_even_where_the_filter_hides_it(open_report: Any) -> None:
    report = open_report()
    report.page.get_by_label("Text").fill("no such words")

    report.page.locator("a.cell", has_text="EX-08").click()

    until(report.page, "location.hash.startsWith('#EX-08?')")
    assert report.shown() == opened(report.page) == ["EX-08"]
    assert report.page.evaluate("document.activeElement.parentElement.id") == "EX-08"
    assert report.page.get_by_label("Text").input_value() == "no such words"


@pytest.mark.parametrize(
    ("fragment", "leads"),
    [("EX-10", "EX-10"), ("thing/EX-01", SHARED[0]), ("EX-01", SHARED[0]), (SHARED[1], SHARED[1])],
)
def test_a_link_to_a_clause_opens_it(open_report: Any, fragment: str, leads: str) -> None:
    report = open_report()

    report.page.goto(f"{report.url}#{fragment}")

    until(report.page, "document.querySelector('details.clause[open]')")
    assert opened(report.page) == [leads]
    assert report.page.evaluate("document.activeElement.parentElement.id") == leads


@pytest.mark.parametrize("fragment", ["nobody", "%", "?verdict=nonsense&level=", "EX-02?x=%zz"])
def test_an_address_that_fits_nothing_does_no_harm(open_report: Any, fragment: str) -> None:
    report = open_report()

    report.page.goto(f"{report.url}#{fragment}")

    assert report.page.locator("form.filter").is_visible()
    report.page.get_by_role("button", name="All", exact=True).click()
    assert report.count() == "12 of 12 clauses shown"


def test_all_is_done_by_keyboard(open_report: Any) -> None:
    page = open_report().page

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the clauses"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#clauses"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.value") == "violated"
    page.keyboard.press("Space")
    assert page.locator("#shown").inner_text() == "6 of 12 clauses shown"
    page.locator("[id='EX-08'] > summary").focus()
    page.keyboard.press("Enter")
    assert opened(page) == ["EX-08"]


def test_copy_puts_the_curl_line_on_the_clipboard(open_report: Any) -> None:
    report = open_report()
    curl = sample()["contracts"][0]["clauses"][10]["evidence"][0]["curl"]
    report.page.locator("[id='EX-11'] > summary").click()

    button = report.page.get_by_role("button", name="Copy the curl line of EX-11")
    button.click()

    told = "document.getElementById('copied').textContent !== ''"
    until(report.page, told)
    assert button.inner_text() == "Copied"
    assert report.page.evaluate("navigator.clipboard.readText()") == curl


def test_copy_works_without_the_clipboard_interface(open_report: Any) -> None:
    report = open_report()
    report.page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    report.page.locator("[id='EX-11'] > summary").click()

    report.page.get_by_role("button", name="Copy the curl line of EX-11").click()

    assert report.page.evaluate("getSelection().toString()").startswith("curl -i --path-as-is")


OPEN_ALL = """
addEventListener("toggle", (event) => event.stopPropagation(), true); // else one at a time is open
for (const details of document.querySelectorAll("details")) {
  details.removeAttribute("name");
  details.hidden = false;
  details.open = true;
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_is_legible_in_light_and_dark(open_report: Any, scheme: str) -> None:
    page = open_report(dark=scheme == "dark").page

    red, green, blue = page.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    )
    assert (red + green + blue > 600) is (scheme == "light")
    assert page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("width", [320, 390, 1200])
def test_nothing_sticks_out_of_the_page(open_report: Any, width: int) -> None:
    page = open_report(viewport=(width, 800)).page
    page.get_by_role("button", name="All", exact=True).click()
    page.evaluate(OPEN_ALL)

    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_a_telephone_the_diagram_fits_and_ids_do_not_break(open_report: Any) -> None:
    page = open_report(viewport=(360, 800)).page

    for figure in page.locator("svg.lifecycle").all():
        box = figure.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
    lines = page.locator(".id:visible").evaluate_all(
        "all => all.map(e => e.getClientRects().length)"
    )
    assert lines
    assert set(lines) == {1}


def test_the_print_has_no_controls_and_is_light(open_report: Any) -> None:
    page = open_report(dark=True).page

    page.emulate_media(media="print")

    assert not page.locator("form.filter").is_visible()
    assert not page.get_by_role("button").first.is_visible()
    assert page.locator(".finding").first.is_visible()
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert colour == "rgb(255, 255, 255)"


def test_twenty_violations_fit_on_six_pages_with_margins(open_report: Any) -> None:
    written = sample()
    contract, rows = written["contracts"][0], written["defects"]
    clauses = contract["clauses"]
    for number in range(20, 38):
        clauses.append(clauses[1] | {"id": f"EX-{number}"})
        clause = {"contract": "thing", "id": f"EX-{number}", "level": "must"}
        long = {"sentence": rows[0]["sentence"][:300], "clauses": [clause]}
        rows.append(rows[0] | long)
    page = open_report(written).page
    assert page.locator("details.clause.violated.must:visible").count() == 20

    pages = re.findall(rb"/Type\s*/Page\b(?!s)", page.pdf(prefer_css_page_size=True))

    assert 2 <= len(pages) <= 6
    rules = """[...document.styleSheets].flatMap(s => [...s.cssRules])
        .filter(r => r instanceof CSSPageRule).map(r => r.style.margin)"""
    assert page.evaluate(rules) == ["16mm 14mm"]


def test_without_scripts_everything_is_there_and_no_dead_control(open_report: Any) -> None:
    page = open_report(scripts=False).page

    assert page.locator("details.clause").count() == 12
    assert page.locator("form.filter:visible").count() == 0
    assert page.locator("button:visible").count() == 0


def test_a_hostile_body_is_inert(open_report: Any) -> None:
    report = open_report()
    report.page.evaluate(OPEN_ALL)

    assert report.page.evaluate("window.pwned") is None
    assert report.page.locator("img").count() == 0
    assert report.page.locator("script").count() == 1
    body = report.page.locator("[id='EX-02'] pre").nth(1).inner_text()
    assert "<script>window.pwned = 1</script>" in body
    assert "\\x1b[31mred" in body


def test_the_policy_alone_would_stop_a_script(tab: Tab, tmp_path: Path) -> None:
    text = render(sample()).replace(
        "<main>", "<main><script>window.pwned = 1</script><img src='http://127.0.0.1:9/x.png'>", 1
    )
    (tmp_path / "report.html").write_text(text, encoding="utf-8")
    with tab.opened((tmp_path / "report.html").as_uri()) as shown:
        assert shown.page.evaluate("window.pwned") is None
        blocked = [text for text in shown.messages if "Content Security Policy" in text]
    assert len(blocked) == 2


def test_the_outline_for_screen_readers(open_report: Any) -> None:
    page = open_report().page

    for role in ("banner", "main", "contentinfo", "search"):
        assert page.get_by_role(role).count() == 1, role
    levels = page.locator("h1, h2, h3, h4, h5, h6").evaluate_all(
        "heads => heads.map(h => Number(h.tagName[1]))"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    for before, after in pairwise(levels):
        assert after <= before + 1
    assert page.locator("svg:not([role=img])").count() == 0
    assert page.locator("th:not([scope])").count() == 0
    identifiers = page.locator("[id]").evaluate_all("all => all.map(e => e.id)")
    assert len(identifiers) == len(set(identifiers))
    referred = page.locator("[aria-labelledby]").evaluate_all(
        "all => all.flatMap(e => e.getAttribute('aria-labelledby').split(' '))"
    )
    assert set(referred) <= set(identifiers)


def test_the_lifecycle_shows_each_transition_in_words_and_lines(open_report: Any) -> None:
    page = open_report().page
    rows = page.locator(".life").first.locator("g.transition")

    assert rows.locator(".label").all_text_contents() == [
        "upheld · 200",
        "accepted · 409",
        "violated · 200",
        "not-exercised",
    ]
    dashes = rows.locator(".edge").evaluate_all(
        "lines => lines.map(l => getComputedStyle(l).strokeDasharray)"
    )
    assert len(set(dashes)) == 4


def test_the_time_line_is_folded_and_accuses_nobody(open_report: Any) -> None:
    page = open_report().page
    told = page.locator("summary[id^=time-]")

    assert told.all_inner_texts() == [
        "Requests over time against the quota of 100 per minute",
        "Requests over time",
    ]
    assert page.locator("svg.timeline:visible").count() == 0
    told.first.click()
    assert page.locator("svg.timeline:visible").count() == 1
    assert page.locator("[data-contract=thing] svg.timeline path.quota").count() == 1
    assert "busiest" not in page.content().lower()


def test_the_wire_is_shown_in_hexadecimal(open_report: Any) -> None:
    page = open_report().page
    page.locator("[id='EX-03'] > summary").click()
    wire = page.locator("[id='EX-03'] .wire")
    wire.locator("summary").click()

    assert wire.locator("pre").inner_text().splitlines()[0] == (
        "000000  48 54 54 50 2f 31 2e 31  20 35 30 30 20 52 65 61  HTTP/1.1 500 Rea"
    )


def test_what_is_open_is_told_before_it_is_excused(open_report: Any) -> None:
    written = sample_of("not-exercised", "inconclusive")
    row = next(r for r in written["contracts"][0]["gaps"] if r["clauses"] == ["EX-04"])
    row["fix"] = Need("identity", "app").fix
    page = open_report(written).page
    said = page.locator("#open").inner_text()

    assert (
        page.locator(".sentence").inner_text() == "2 must-clauses are open: nothing tells of them"
    )
    why, fix, lines = "no identity app", "To exercise it: give", "not_testable:"
    assert said.index(why) < said.index(fix) < said.index(lines)
    button = page.get_by_role("button", name="Copy the lines for the target file")
    button.click()
    until(page, "document.getElementById('copied').textContent !== ''")
    lines = "not_testable:\n  EX-04: the target offers no identity app"
    assert page.evaluate("navigator.clipboard.readText()") == lines


# --- without a browser -------------------------------------------------------------------------


def test_a_hexdump_ends_with_what_is_left_out() -> None:
    rows = hexdump(base64.b64encode(bytes(5000)).decode()).splitlines()

    assert len(rows) == 257
    assert rows[-1] == "[904 bytes more: see the JSON report]"


def test_nobody_is_told_what_to_give_to_a_recording() -> None:
    written = sample_of("not-exercised")
    written["contracts"][0]["gaps"][0]["fix"] = "give app a token (identities)"

    assert "To exercise it: give app a token (identities)." in render(written)
    assert "give app a token" not in render(written | {"recorded": True})


def test_one_fact_about_several_contracts_is_told_once() -> None:
    written = sample_of("inconclusive")
    contract = written["contracts"][0] | {"unusable": "connection refused at 127.0.0.1:9"}
    written["contracts"] = [contract, contract | {"name": "other-thing", "stopped": "gave up"}]
    page = render(written)
    told = page[page.index('id="open"') : page.index('id="clauses"')]

    assert told.count("connection refused") == 1
    assert "(thing, other-thing)" in told
    assert "gave up <span" in told


def test_the_same_record_gives_the_same_file() -> None:
    assert render(sample()) == render(sample())


def test_a_run_without_clauses_and_a_run_that_conforms() -> None:
    assert "No clause was selected." in render(sample_of() | {"contracts": []})
    assert '<h1 class="outcome conforms">Conforms</h1>' in render(sample_of("upheld"))


def test_the_excuses_stand_where_the_run_is_inconclusive() -> None:
    assert "EX-04: the target offers no identity app" in render(sample_of("not-exercised"))
    assert "not_testable" not in render(sample())


def test_nothing_in_the_file_names_an_address_to_load() -> None:
    text = render(sample()).replace(HOSTILE, "")

    assert not re.search(r"<(link|img|iframe|object|embed|video|audio|base)\b", text)
    assert not re.search(r"\b(src|srcset|action|formaction|poster)=", text.split("<main>")[0])
    assert "url(" not in text.split("</style>")[0]
    assert "@import" not in text.split("</style>")[0]


@pytest.mark.parametrize(
    ("last", "ticks"),
    [
        (0.001, [0.0, 0.0002, 0.0004, 0.0006, 0.0008, 0.001]),
        (1.36, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2]),
        (3600.0, [0.0, 1000.0, 2000.0, 3000.0]),
    ],
)
def test_ticks_are_round_numbers(last: float, ticks: list[float]) -> None:
    assert figures.ticks(last) == ticks


@pytest.mark.slow
def test_thousands_of_requests_make_a_small_figure() -> None:
    written = sample()
    contract = written["contracts"][0]
    contract["timeline"]["requests"] = [[n / 50, "cancel", 200] for n in range(6000)]

    assert len(figures.timeline(contract)["cancels"]) <= 700
    assert len(figures.timeline(contract)["points"]) < 60_000
