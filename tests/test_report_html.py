"""The HTML report in a real browser: headless Chromium, the file opened from disk."""

from __future__ import annotations

import base64
import re
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cancel_contracts.report import figures
from cancel_contracts.report.html import hexdump, render, write_html
from report_sample import HOSTILE, sample, sample_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WORDS = ("violated", "inconclusive", "not-exercised", "accepted", "upheld")


CHROMIUM = pytest.param(NAMES, marks=pytest.mark.outside("|".join(NAMES)), id="chromium")


@pytest.fixture(scope="module", params=[CHROMIUM])
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    executable = next(path for name in request.param if (path := shutil.which(name)))
    with sync_playwright() as playwright:
        # Root has no sandbox; the page is ours.
        found = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield found
        found.close()


class Report:
    """A page with a report, and whatever it did beyond showing itself."""

    def __init__(self, page: Page, path: Path, written: dict[str, Any]) -> None:
        self.page = page
        self.messages: list[str] = []
        self.requests: list[str] = []
        write_html(written, path)
        page.on("console", lambda message: self.messages.append(message.text))
        page.on("pageerror", lambda error: self.messages.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(path.as_uri())

    def shown(self) -> list[str]:
        names = self.page.locator("details.clause:visible").evaluate_all(
            "rows => rows.map(row => row.id)"
        )
        return [str(name) for name in names]

    def count(self) -> str:
        return self.page.locator("#shown").inner_text()


@pytest.fixture
def open_report(browser: Browser, tmp_path: Path) -> Iterator[Any]:
    opened: list[Report] = []
    contexts = []

    def open_(written: dict[str, Any] | None = None, **settings: Any) -> Report:
        context = browser.new_context(permissions=["clipboard-read", "clipboard-write"], **settings)
        context.set_default_timeout(60_000)  # milliseconds; CI machines are shared
        contexts.append(context)
        path = tmp_path / f"report-{len(opened)}.html"
        report = Report(context.new_page(), path, written or sample())
        opened.append(report)
        return report

    yield open_
    for report in opened:
        assert report.messages == [], "the console must stay empty"
        assert report.requests == [report.page.url.partition("#")[0]], "nothing may be loaded"
    for context in contexts:
        context.close()


def test_the_verdict_at_a_glance(open_report: Any) -> None:
    page = open_report().page

    assert page.locator("h1").inner_text() == "Violated"
    assert page.locator("#exit-code").inner_text() == "1"
    assert page.locator("a.cell").count() == 12
    cells = page.locator("#matrix section").first.locator("a.cell").all_inner_texts()
    assert [cell.split() for cell in cells[:4]] == [
        ["EX-01", "upheld"],
        ["EX-02", "violated"],
        ["EX-03", "violated"],
        ["EX-04", "not-exercised"],
    ]


def test_violations_are_open_and_the_rest_is_closed(open_report: Any) -> None:
    page = open_report().page

    opened = page.locator("details.clause[open]").evaluate_all("rows => rows.map(row => row.id)")
    assert opened == ["thing/EX-02", "thing/EX-03", "thing/EX-11"]


def test_the_filter_by_verdict(open_report: Any) -> None:
    report = open_report()
    assert report.count() == "12 of 12 clauses shown"

    for word in WORDS[1:]:
        report.page.get_by_label(word, exact=True).uncheck()

    assert report.shown() == ["thing/EX-02", "thing/EX-03", "thing/EX-11"]
    assert report.count() == "3 of 12 clauses shown"
    assert report.page.locator("li.filtered").count() == 9


def test_the_filter_by_level_and_back(open_report: Any) -> None:
    report = open_report()

    report.page.get_by_label("must", exact=True).uncheck()
    assert report.shown() == ["thing/EX-03", "thing/EX-09", "thing/EX-10"]

    report.page.get_by_role("button", name="Reset").click()
    assert report.count() == "12 of 12 clauses shown"
    assert len(report.shown()) == 12


def test_the_filter_by_text_looks_into_the_evidence(open_report: Any) -> None:
    report = open_report()

    report.page.get_by_label("Text").fill("RELEASE 7")
    assert report.shown() == ["thing/EX-08"]

    report.page.get_by_label("Text").fill("timeout")
    assert report.shown() == ["thing/EX-07", "thing/EX-11"]

    report.page.get_by_label("Text").fill("no such words")
    assert report.count() == "0 of 12 clauses shown"


def test_the_count_is_announced(open_report: Any) -> None:
    assert open_report().page.get_by_role("status").first.get_attribute("aria-live") == "polite"


def test_a_cell_leads_to_its_clause_even_where_the_filter_hides_it(open_report: Any) -> None:
    report = open_report()
    report.page.get_by_label("Text").fill("no such words")

    report.page.locator("a.cell", has_text="EX-08").click()

    clause = report.page.locator("[id='thing/EX-08']")
    clause.wait_for()  # a browser tells of a new fragment a moment later
    assert clause.get_attribute("open") is not None
    assert report.page.evaluate("document.activeElement.parentElement.id") == "thing/EX-08"


def test_a_link_to_a_clause_opens_it(open_report: Any) -> None:
    report = open_report()

    report.page.goto(report.page.url + "#thing/EX-01")

    assert report.page.locator("[id='thing/EX-01']").get_attribute("open") is not None


def test_all_is_done_by_keyboard(open_report: Any) -> None:
    page = open_report().page

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the clauses"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#clauses"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.value") == "violated"
    page.keyboard.press("Space")
    assert page.locator("#shown").inner_text() == "9 of 12 clauses shown"
    page.locator("[id='thing/EX-01'] > summary").focus()
    page.keyboard.press("Enter")
    assert page.locator("[id='thing/EX-01']").get_attribute("open") is not None


def test_the_buttons_open_and_close_what_is_shown(open_report: Any) -> None:
    page = open_report().page

    page.get_by_role("button", name="Open all shown").click()
    assert page.locator("details.clause[open]").count() == 12
    page.get_by_role("button", name="Close all").click()
    assert page.locator("details.clause[open]").count() == 0


def test_copy_puts_the_curl_line_on_the_clipboard(open_report: Any) -> None:
    report = open_report()
    curl = sample()["contracts"][0]["clauses"][10]["evidence"][0]["curl"]

    button = report.page.get_by_role("button", name="Copy the curl line of EX-11")
    button.click()

    told = "document.getElementById('copied').textContent !== ''"
    report.page.wait_for_function(told, polling=50)
    assert button.inner_text() == "Copied"
    assert report.page.evaluate("navigator.clipboard.readText()") == curl


def test_copy_works_without_the_clipboard_interface(open_report: Any) -> None:
    report = open_report()
    report.page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")

    report.page.get_by_role("button", name="Copy the curl line of EX-11").click()

    assert report.page.evaluate("getSelection().toString()").startswith("curl -i --path-as-is")


# The contrast of WCAG 2.1, 1.4.3, computed from what the browser would paint.
CONTRAST = """
() => {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (colour) => {
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (colour) => rgb(colour)
    .map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if (!/, 0\\)$|transparent/.test(colour)) return colour;
    }
    return "white";
  };
  const poor = [];
  for (const details of document.querySelectorAll("details")) details.open = true;
  for (const element of document.querySelectorAll("body *:not(script):not(style)")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const colour = element.closest("svg") ? style.fill : style.color;
    const [a, b] = [luminance(colour), luminance(behind(element))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) {
      poor.push(`${element.tagName} ${element.className} ${colour} ${behind(element)}`);
    }
  }
  return [...new Set(poor)];
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_is_legible_in_light_and_dark(open_report: Any, scheme: str) -> None:
    page = open_report(color_scheme=scheme).page

    red, green, blue = page.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    )
    assert (red + green + blue > 600) is (scheme == "light")
    assert page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("width", [320, 390, 1200])
def test_nothing_sticks_out_of_the_page(open_report: Any, width: int) -> None:
    page = open_report(viewport={"width": width, "height": 800}).page
    page.get_by_role("button", name="Open all shown").click()

    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_print_has_no_controls_and_is_light(open_report: Any) -> None:
    page = open_report(color_scheme="dark").page

    page.emulate_media(media="print")

    assert not page.locator("form.filter").is_visible()
    assert not page.get_by_role("button").first.is_visible()
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert colour == "rgb(255, 255, 255)"


def test_without_scripts_everything_is_there_and_no_dead_control(open_report: Any) -> None:
    page = open_report(java_script_enabled=False).page

    assert page.locator("details.clause").count() == 12
    assert page.locator("form.filter:visible").count() == 0
    assert page.locator("button:visible").count() == 0


def test_a_hostile_body_is_inert(open_report: Any) -> None:
    report = open_report()
    report.page.get_by_role("button", name="Open all shown").click()

    assert report.page.evaluate("window.pwned") is None
    assert report.page.locator("img").count() == 0
    assert report.page.locator("script").count() == 1
    body = report.page.locator("[id='thing/EX-02'] pre").nth(1).inner_text()
    assert "<script>window.pwned = 1</script>" in body
    assert "\\x1b[31mred" in body


def test_the_policy_alone_would_stop_a_script(browser: Browser, tmp_path: Path) -> None:
    text = render(sample()).replace(
        "<main>", "<main><script>window.pwned = 1</script><img src='http://127.0.0.1:9/x.png'>", 1
    )
    (tmp_path / "report.html").write_text(text, encoding="utf-8")
    page = browser.new_page()
    blocked: list[str] = []
    page.on("console", lambda message: blocked.append(message.text))
    page.goto((tmp_path / "report.html").as_uri())

    assert page.evaluate("window.pwned") is None
    assert len([text for text in blocked if "Content Security Policy" in text]) == 2
    page.close()


def test_the_outline_for_screen_readers(open_report: Any) -> None:
    page = open_report().page

    for role in ("banner", "main", "contentinfo", "search"):
        assert page.get_by_role(role).count() == 1, role
    levels = page.locator("h1, h2, h3, h4, h5").evaluate_all(
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
    rows = page.locator("[data-contract=thing] g.transition")

    assert rows.locator(".label").all_text_contents() == [
        "upheld · answered 200",
        "accepted · answered 409",
        "violated · answered 200",
        "not-exercised",
    ]
    dashes = rows.locator(".edge").evaluate_all(
        "lines => lines.map(l => getComputedStyle(l).strokeDasharray)"
    )
    assert len(set(dashes)) == 4


def test_the_time_line_stands_against_the_quota(open_report: Any) -> None:
    page = open_report().page
    told = page.locator("[data-contract=thing] figcaption").nth(1).inner_text()

    assert told == (
        "Requests over time against the quota of 100 per minute. Busiest minute: 6 of 100 cancel"
        " calls. Busiest hour: 6 of 1,500 cancel calls."
    )
    assert page.locator("[data-contract=thing] svg.timeline path.quota").count() == 1
    other = page.locator("[data-contract=other-thing] figcaption").nth(1).inner_text()
    assert other == "Requests over time. No page names a quota."


def test_the_wire_is_shown_in_hexadecimal(open_report: Any) -> None:
    page = open_report().page
    wire = page.locator("[id='thing/EX-03'] .wire")
    wire.locator("summary").click()

    assert wire.locator("pre").inner_text().splitlines()[0] == (
        "000000  48 54 54 50 2f 31 2e 31  20 35 30 30 20 52 65 61  HTTP/1.1 500 Rea"
    )


# --- without a browser -------------------------------------------------------------------------


def test_a_hexdump_ends_with_what_is_left_out() -> None:
    rows = hexdump(base64.b64encode(bytes(5000)).decode()).splitlines()

    assert len(rows) == 257
    assert rows[-1] == "[904 bytes more: see the JSON report]"


def test_the_same_record_gives_the_same_file() -> None:
    assert render(sample()) == render(sample())


def test_a_run_without_clauses_and_a_run_that_conforms() -> None:
    assert "No clause was selected." in render(sample_of() | {"contracts": []})
    assert '<h1 class="outcome conforms">Conforms</h1>' in render(sample_of("upheld"))


def test_the_excuses_stand_where_the_run_is_inconclusive() -> None:
    assert "EX-04: the target offers no identity app" in render(sample_of("not-exercised"))
    assert "What would excuse the gaps" not in render(sample())


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


def test_thousands_of_requests_make_a_small_figure() -> None:
    written = sample()
    contract = written["contracts"][0]
    contract["timeline"]["requests"] = [[n / 50, "cancel", 200] for n in range(6000)]

    assert len(figures.timeline(contract)["cancels"]) <= 700
    assert len(figures.timeline(contract)["points"]) < 60_000
