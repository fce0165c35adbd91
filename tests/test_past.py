"""What an answer and a resource say of the past, and a state that is told twice: judged by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.exchange import Exchange, Received, Situation
from cancel_contracts.judge.facets import Finding, wire
from cancel_contracts.judge.overall import constant
from test_dates import DATE, DONE, ENDED, MOVED, OPEN, RUNS, around, context, exchange, kept

TWICE = next(c for c in map(load, shipped()) if len(c.lifecycle.shows) > 1)
STATUS, STATE = TWICE.lifecycle.shows

# --- The Date of an answer ------------------------------------------------------------------------


def sound(*dates: str, status: int = 200) -> bool | None:
    """Return whether an answer with these values of Date is a sound one."""
    head = "".join(f"Date: {date}\r\n" for date in dates)
    text = f"HTTP/1.1 {status} X\r\n{head}Content-Length: 0\r\n\r\n".encode()
    headers = (*(("Date", date) for date in dates), ("Content-Length", "0"))
    call = exchange(1, "cancel", "primary", OPEN)
    call = replace(call, received=Received(status, headers=headers, wire=text))
    found = wire(context([call]), call, "sound")
    return found.ok if isinstance(found, Finding) else None


@pytest.mark.parametrize(
    "date",
    [
        "Tue, 14 Nov 2023 22:13:20 GMT",
        "Tue Nov 14 22:13:20 2023",
        "Tuesday, 14-Nov-23 22:13:20 GMT",
    ],
)
def test_three_forms_are_dates_of_http(date: str) -> None:
    assert sound(date)
    assert sound(date, status=404)


@pytest.mark.parametrize(
    "date",
    [
        "2023-11-14T22:13:20Z",
        "2023-11-14 22:13:20",
        "1700000000",
        "1700000000.25",
        "14/Nov/2023:22:13:20 +0000",
        "14.11.2023 22:13:20",
        "Tue, 14 Nov 2023 25:13:20 GMT",
        "now",
        "",
    ],
)
def test_others_are_none(date: str) -> None:
    assert sound(date) is False
    assert sound(date, status=401) is False


def test_no_date_is_told_nothing_of() -> None:
    assert sound() is True


# --- What has ended -------------------------------------------------------------------------------

END = {"completedDateTime": DATE}
LATER = {"completedDateTime": "2023-11-14T22:13:20Z"}
GONE = {"completedDateTime": None}


@pytest.mark.parametrize("more", [LATER, GONE, LATER | MOVED])
def test_no_success_moves_the_end_of_what_has_ended(more: dict[str, Any]) -> None:
    assert kept("ended", around(1, DONE | END, DONE | END | more, situation=ENDED)) == [False]


@pytest.mark.parametrize("more", [{}, MOVED, {"states": [{"user": "b"}, {"user": "a"}]}])
def test_a_success_may_note_that_it_was_and_who_made_it(more: dict[str, Any]) -> None:
    assert kept("ended", around(1, DONE | END, DONE | END | more, situation=ENDED)) == [True]


def test_an_end_that_was_not_told_may_be_told() -> None:
    assert kept("ended", around(1, DONE | GONE, DONE | LATER, situation=ENDED)) == [True]
    assert kept("ended", around(1, DONE, DONE | LATER, situation=ENDED)) == [True]


def test_what_ends_in_another_way_ends_now() -> None:
    """No page says that a Completed action is not cancelled."""
    other = DONE | {"status": "Failed"} | LATER
    assert kept("ended", around(1, DONE | END, other, situation=ENDED)) == [True]


def test_what_goes_on_ends_by_a_success() -> None:
    assert kept("ended", around(1, RUNS, RUNS | {"status": "Failed"} | LATER)) == [None]


def test_a_second_success_is_one_of_what_has_ended() -> None:
    failed = RUNS | {"status": "Failed"} | END
    second = replace(OPEN, call="second")
    for is_, expected in ((failed, True), (failed | LATER, False)):
        rows = [
            exchange(1, "observe", "admin", OPEN, position=0, body=RUNS),
            exchange(1, "cancel", "primary", OPEN, position=1),
            exchange(1, "observe", "admin", OPEN, position=1, body=failed),
            exchange(1, "cancel", "app", second, position=2),
            exchange(1, "observe", "admin", OPEN, position=2, body=is_),
        ]
        assert kept("ended", rows) == [None, expected]


# --- A state told twice ---------------------------------------------------------------------------

Pair = tuple[Any, Any]
MADE: Pair = ("Accepted", "Submitted")
BOTH: Pair = ("Canceled", "Canceled")
LEFT: Pair = ("Canceled", "Submitted")


def twice(*rows: tuple[Pair, ...]) -> list[bool | None]:
    """Judge cancels, each by what shows before it, after it and, where that is told, at the end."""
    made: list[Exchange] = []
    for number, (was, is_, *end) in enumerate(rows):
        situation = Situation(state="accepted")
        before, after = ({"id": "x", STATUS: pair[0], STATE: pair[1]} for pair in (was, is_))
        row = around(number, before, after, situation=situation)
        for pair in end:
            shown = {"id": "x", STATUS: pair[0], STATE: pair[1]}
            row.append(exchange(number, "observe", "admin", situation, position=9, body=shown))
        made += [replace(x, contract=TWICE.name) for x in row]
    calls = [x for x in made if x.kind == "cancel"]
    found = constant(context(made, TWICE), calls, "state")
    told = [found.get(i) for i in range(len(calls))]
    return [f.ok if isinstance(f, Finding) else None for f in told]


def test_the_rarer_way_of_leaving_a_state_is_told() -> None:
    assert twice((MADE, BOTH), (MADE, BOTH), (MADE, LEFT)) == [True, True, False]
    assert twice((MADE, LEFT), (MADE, LEFT), (MADE, BOTH)) == [True, True, False]
    assert twice((MADE, BOTH), (MADE, BOTH), (MADE, ("Accepted", "Canceled"))) == [
        True,
        True,
        False,
    ]
    assert twice((MADE, BOTH), (MADE, BOTH), (MADE, ("Canceled", "Gone"))) == [True, True, False]
    assert twice((MADE, BOTH), (MADE, BOTH), (MADE, ("Canceled", None))) == [True, True, False]


def test_one_way_throughout_is_none_whichever_it_is() -> None:
    assert twice((MADE, LEFT), (MADE, LEFT)) == [True, True]
    assert twice((MADE, BOTH), (MADE, ("CANCELLED", "canceled"))) == [True, True]
    assert twice((("accepted", "SUBMITTED"), BOTH), (MADE, BOTH)) == [True, True]
    assert twice((MADE, BOTH)) == [None]  # one alone does not tell


def test_what_showed_before_may_show_in_the_word_after() -> None:
    waits: Pair = ("PendingApproval", "PendingApproval")
    own, other = ("Canceled", "SubmittedCanceled"), ("Canceled", "PendingCanceled")
    rows = ((MADE, own), (MADE, own), (waits, other), (waits, other))
    assert twice(*rows) == [True] * 4
    assert twice(*rows, (waits, own)) == [True] * 4 + [False]


def test_one_property_may_follow_the_other() -> None:
    slow, soon = (MADE, LEFT, BOTH), (MADE, BOTH, BOTH)
    assert twice(slow, soon, slow) == [True] * 3
    assert twice(slow, soon, soon, (MADE, LEFT)) == [True] * 3 + [None], "it may follow yet"
    assert twice(slow, soon, soon, (MADE, LEFT, LEFT)) == [True] * 3 + [None]
    assert twice(soon, soon, (MADE, LEFT, LEFT)) == [True, True, False], "none was seen to"
    assert twice(slow, soon, (MADE, LEFT, ("Canceled", "Gone"))) == [True, True, False]
