"""The board in a real browser: headless Chromium, the page opened from disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from board_sample import OF_BEFORE, contract, report, saved, upheld
from browsers import CHROMIUM, CONTRAST, Shown, Tab, started
from cancel_contracts.board.output import write
from cancel_contracts.board.reading import read
from report_sample import HOSTILE

if TYPE_CHECKING:
    from playwright.sync_api import Page

BROKEN = contract(upheld(EX_02="violated", EX_04="violated"))
REPORTS = (
    OF_BEFORE | {"target": {"base_url": "http://127.0.0.1:9"}},
    report(2, version="1.0"),
    report(3, BROKEN, version="1.1"),
    report(4, contract(upheld(EX_03="accepted")), name="Other"),
)
OLD, MOCK, OTHER = "http://127.0.0.1:9", "Mock", "Other"


@pytest.fixture(scope="module", params=[CHROMIUM])
def tab(request: pytest.FixtureRequest) -> Iterator[Tab]:
    with started(request.param) as browser:
        yield Tab(browser)


@pytest.fixture
def open_board(tab: Tab, tmp_path: Path) -> Iterator[Any]:
    url = (tmp_path / "site" / "index.html").as_uri()
    opened: list[Shown] = []
    with ExitStack() as stack:

        def open_(*reports: Any, **look: Any) -> Page:
            write(read(saved(tmp_path, *(reports or REPORTS))), tmp_path / "site", "Board")
            opened.append(stack.enter_context(tab.opened(url, **look)))
            return opened[-1].page

        yield open_
        for shown in opened:
            assert shown.messages == [], "the console must stay empty"
            assert set(shown.requests) == {url}, "nothing may be loaded"


def cells(page: Page, selector: str) -> list[list[str]]:
    found: list[list[str]] = page.locator(selector).evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.innerText.replace(/\\s+/g, ' ').trim()))"
    )
    return found


def test_a_row_a_target(open_board: Any) -> None:
    page = open_board(viewport=(1280, 900))

    assert cells(page, ".rows tbody tr") == [
        [OLD, "not told", "✗ violated", "1 of 3", "3 of 4", "prose", "0.0.9", "not told", "2026-11-01 08:00"],
        [MOCK, "1.1", "✗ violated", "2 of 3", "3 of 3", "prose", "0.1.0", "a" * 12, "2026-11-03 12:00"],
        [OTHER, "not told", "✓ conforms 1 accepted", "2 of 3", "3 of 3", "prose", "0.1.0", "a" * 12, "2026-11-04 12:00"],
    ]  # fmt: skip
    heads = page.locator(".rows thead th").all_inner_texts()
    assert heads == [
        "Target", "Version", "Outcome", "Kept", "Covered", "Dialects", "Suite", "Spec", "Date (UTC)",
    ]  # fmt: skip
    page.get_by_role("link", name=MOCK, exact=True).click()
    assert page.evaluate("location.hash").startswith("#target-mock-")


def test_the_matrix_has_a_word_in_each_cell_and_its_heads_stay_in_sight(open_board: Any) -> None:
    page = open_board(viewport=(700, 240))

    assert cells(page, ".matrix tbody tr") == [
        ["EX-01", "✓ upheld", "✓ upheld", "✓ upheld"],
        ["EX-02", "✗ violated", "✗ violated", "✓ upheld"],
        ["EX-03", "≈ accepted", "✓ upheld", "≈ accepted"],
        ["EX-04 should", "○ not-exercised", "✗ violated", "✓ upheld"],
        ["EX-05 should", "✓ upheld", "· not in the run", "· not in the run"],
    ]
    head, corner = page.locator(".matrix thead th").nth(1), page.locator(".matrix tbody th").first
    page.locator(".matrix").evaluate("e => { e.style.maxHeight = '90px'; e.scrollTop = 60; }")
    region = page.locator(".matrix").bounding_box()
    assert region is not None
    at = head.bounding_box()
    assert at is not None
    assert abs(at["y"] - region["y"]) < 3
    assert corner.evaluate("e => getComputedStyle(e).left") == "0px"


def test_only_what_somebody_does_not_uphold(open_board: Any) -> None:
    page = open_board()
    told = page.locator(".filter .shown")
    assert told.inner_text() == "5 of 5 clauses shown"

    page.get_by_label("Only clauses that some target does not uphold").check()

    assert told.inner_text() == "3 of 5 clauses shown"
    shown = page.locator(".matrix tbody tr:visible th .id").all_inner_texts()
    assert shown == ["EX-02", "EX-03", "EX-04"]


def choose(page: Page, a: str, b: str) -> None:
    for name, label in (("a", a), ("b", b)):
        page.locator(f"select[name={name}]").select_option(label=label)


def test_any_two_runs_can_be_compared(open_board: Any) -> None:
    page = open_board()
    told = page.locator("#compare .told")
    labels = page.locator("select[name=a] option").all_inner_texts()
    assert labels == [
        f"{OLD}, 2026-11-01 08:00:00",
        f"{MOCK}, 2026-11-03 12:00:00, version 1.1",
        f"{MOCK}, 2026-11-02 12:00:00, version 1.0",
        f"{OTHER}, 2026-11-04 12:00:00",
    ]

    choose(page, labels[2], labels[1])
    assert (
        told.inner_text() == "2 clauses judged otherwise, 1 of the must-clauses for the worse in B."
    )
    assert cells(page, "#compare tbody tr") == [
        ["EX-02", "must", "✓ upheld", "✗ violated (worse)", "EX-02 is kept."],
        ["EX-04", "should", "✓ upheld", "✗ violated", "EX-04 is kept."],
    ]

    choose(page, labels[1], labels[3])
    assert told.inner_text().startswith("3 clauses judged otherwise, 1 of the must-clauses for the")
    assert cells(page, "#compare tbody tr")[1][:4] == [
        "EX-03",
        "must",
        "✓ upheld",
        "≈ accepted (worse)",
    ]

    choose(page, labels[1], labels[1])
    assert (
        told.inner_text() == "0 clauses judged otherwise, 0 of the must-clauses for the worse in B."
    )
    assert page.locator("#compare table:visible").count() == 0

    choose(page, labels[0], labels[2])
    assert "1 clause in one of the two runs only" in told.inner_text()


def test_what_is_not_held_against_a_target_is_never_called_worse(open_board: Any) -> None:
    newer, excused = (contract(upheld(EX_02="violated")) for _ in range(2))
    newer["clauses"][1]["newer"] = True
    excused["clauses"][1] |= {
        "verdict": "not-exercised",
        "excused": "cannot be asked",
        "gap": False,
    }
    page = open_board(report(1), report(2, newer, version="2"), report(3, excused, version="3"))
    told = page.locator("#compare .told")
    before, new, out = reversed(page.locator("select[name=a] option").all_inner_texts())

    for label in (new, out):
        choose(page, before, label)
        assert (
            told.inner_text()
            == "1 clause judged otherwise, 0 of the must-clauses for the worse in B."
        )
    assert cells(page, ".matrix tbody tr")[1] == ["EX-02", "○ not-exercised"]


def test_history_and_changes_of_each_target(open_board: Any) -> None:
    page = open_board()
    mock = page.locator(".target", has=page.get_by_role("heading", name=MOCK, exact=True))

    rows = mock.locator(".history tbody tr")
    assert rows.locator("[data-label='Target version']").all_inner_texts() == ["1.1", "1.0"]
    last = rows.locator("td:last-child").all_inner_texts()
    assert last == ["2 changes, 1 for the worse\ntarget version: 1.0 → 1.1", "the first run"]
    assert mock.locator("> .changes li").all_inner_texts() == [
        "worse: newly violated: thing EX-02: upheld → violated",
        "newly violated: thing EX-04: upheld → violated",
    ]
    rows.first.locator("summary").focus()
    page.keyboard.press("Enter")
    assert rows.first.locator(".changes li:visible").count() == 2


def test_without_a_script_nothing_is_lost_but_the_choice(open_board: Any) -> None:
    page = open_board(scripts=False)

    assert page.locator("form:visible").count() == 0
    assert page.locator("#compare:visible").count() == 0
    assert page.locator(".rows tbody tr:visible").count() == 3
    assert page.locator(".matrix tbody tr:visible").count() == 5
    assert page.locator(".target > .changes li:visible").count() == 2


@pytest.mark.parametrize("width", [320, 400])
def test_a_telephone_needs_no_sideways_scrolling(open_board: Any, width: int) -> None:
    long = report(5, name="a-very-long-name-without-any-place-to-break-it-" * 3, version="9" * 60)
    page = open_board(*REPORTS, long, viewport=(width, 800))

    assert page.evaluate("document.documentElement.scrollWidth") == width
    labels = (
        page.locator(".rows tbody tr")
        .first.locator("td")
        .evaluate_all("all => all.map(e => getComputedStyle(e, '::before').content)")
    )
    assert labels[2] == '"Kept"'
    box = page.locator(".matrix").bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_is_legible_in_light_and_dark(open_board: Any, scheme: str) -> None:
    page = open_board(dark=scheme == "dark")
    assert page.evaluate(CONTRAST) == []


def test_the_keyboard_reaches_everything_in_the_order_of_reading(open_board: Any) -> None:
    page = open_board()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the clauses"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "odd"
    page.keyboard.press("Space")
    assert page.locator(".filter .shown").inner_text() == "3 of 5 clauses shown"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == (
        "Clauses of thing by target"
    )
    unreachable = page.locator(".scroll").evaluate_all(
        "all => all.filter(e => e.tabIndex < 0).length"
    )
    assert unreachable == 0


def test_on_paper_there_are_tables_and_no_forms(open_board: Any) -> None:
    page = open_board(viewport=(760, 1000))
    page.emulate_media(media="print", color_scheme="dark")

    assert page.locator("form:visible").count() == 0
    assert page.locator(".rows thead:visible").count() == 1
    style = page.locator(".matrix").evaluate(
        "e => [getComputedStyle(e).overflow, getComputedStyle(document.body).backgroundColor]"
    )
    assert style == ["visible", "rgb(255, 255, 255)"]


def test_a_hostile_name_does_nothing(open_board: Any) -> None:
    rows = contract(upheld(EX_02="accepted"), name=HOSTILE)
    for row in rows["clauses"]:
        row |= {"says": HOSTILE, "reason": HOSTILE}
    page = open_board(
        report(1, rows, name=HOSTILE), report(2, rows, name=f"</script>{HOSTILE}", version=HOSTILE)
    )

    assert page.evaluate("window.pwned") is None
    assert page.locator("img").count() == 0
    assert page.locator("select[name=a] option").count() == 2
    assert page.locator("#compare .told").inner_text().startswith("0 clauses judged otherwise")
