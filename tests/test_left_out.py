"""What a call leaves out or leaves alone: nulls in an answer, words for nothing, dates that stay."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.exchange import Exchange, Received, Sent, Situation
from cancel_contracts.journal import Exchanges, Journal
from cancel_contracts.judge.context import Context
from cancel_contracts.judge.dated import now
from cancel_contracts.judge.entity import entity, keeps
from cancel_contracts.judge.facets import Finding
from cancel_contracts.judge.whole import whole

MACHINE = next(c for c in map(load, shipped()) if c.lifecycle.records)
LONG_AGO, BEGAN = "2023-11-14T20:00:00.000Z", 1_700_000_000.0
WAS = {
    "id": "action-1", "status": "Pending", "machineId": "m-1", "requestorComment": "why",
    "relatedFileInfo": {"fileIdentifier": "f"}, "cancellationComment": None,
    "cancellationDateTimeUtc": None, "lastUpdateDateTimeUtc": LONG_AGO,
}  # fmt: skip
DONE = WAS | {
    "status": "Cancelled", "cancellationDateTimeUtc": "2023-11-14T22:13:20Z",
    "lastUpdateDateTimeUtc": "2023-11-14T22:13:20Z",
}  # fmt: skip


def exchange(number: int, kind: Any, body: Any, sent: Any = None, **more: Any) -> Exchange:
    told = Received(200, headers=(("Content-Type", "application/json"),), body=dumped(body))
    return Exchange(
        MACHINE.name, number, more.pop("position", 1), kind, Situation(state="Pending"), "primary",
        f"action-{number}", Sent("POST", "http://127.0.0.1/x", body=dumped(sent)), received=told,
        started=number + 0.1, **more,
    )  # fmt: skip


def dumped(value: Any) -> bytes:
    return b"" if value is None else json.dumps(value).encode()


def around(
    answer: Any, sent: Any = None, *, was: Any = WAS, shown: Any = DONE, number: int = 1
) -> list[Exchange]:
    """Return a call with a look before and after it."""
    return [
        exchange(number, "observe", was, position=0),
        exchange(number, "cancel", answer, sent),
        exchange(number, "observe", shown),
    ]


def context(exchanges: list[Exchange]) -> Context:
    journal = Journal(MACHINE.name, Exchanges(exchanges), minted=True, began=BEGAN)
    return Context(MACHINE, journal)


def ok(told: Any) -> bool | None:
    return told.ok if isinstance(told, Finding) else None


NAMES = ("machineId", "requestorComment", "relatedFileInfo")


@pytest.mark.parametrize("name", NAMES)
def test_null_in_an_answer_for_what_stays_contradicts_the_get(name: str) -> None:
    made = [*around(DONE | {name: None}), *around(DONE, number=2)]  # others tell it
    assert ok(entity(context(made), made[1], "agrees")) is False


@pytest.mark.parametrize("name", NAMES)
def test_what_an_answer_leaves_out_or_nobody_knew_before_is_no_contradiction(name: str) -> None:
    left_out = around({k: v for k, v in DONE.items() if k != name})
    assert ok(entity(context(left_out), left_out[1], "agrees")) is True
    learnt = around(DONE | {name: None}, was=WAS | {name: None})  # it came to be known meanwhile
    assert ok(entity(context(learnt), learnt[1], "agrees")) is True
    masked = around(DONE, was=WAS | {name: None}, shown=DONE | {name: None})  # to who looks
    assert ok(entity(context(masked), masked[1], "agrees")) is True


@pytest.mark.parametrize("sent", [None, {}, {"Comment": None}], ids=str)
@pytest.mark.parametrize(
    ("kept", "right"),
    [("null", False), ("None", False), (" undefined", False), (None, True), ("", True),
     ("None was given.", True), ("Cancelled by the house", True)],
)  # fmt: skip
def test_nothing_is_kept_as_nothing(sent: Any, kept: str | None, right: bool) -> None:
    shown = DONE | {"cancellationComment": kept}
    for made in (around(shown, sent, shown=shown), around(None, sent, shown=shown)):
        assert ok(entity(context(made), made[1], "recorded")) is right


def test_a_word_for_nothing_that_was_sent_is_kept() -> None:
    shown = DONE | {"cancellationComment": "null"}
    made = around(shown, {"Comment": "null"}, shown=shown)
    assert ok(entity(context(made), made[1], "recorded")) is True


def dates(*moved: bool, was: str = LONG_AGO) -> list[bool | None]:
    """Judge cancels each of which moves the date of the last change, or does not."""
    made: list[Exchange] = []
    for number, moves in enumerate(moved):
        shown = DONE if moves else DONE | {"lastUpdateDateTimeUtc": was}
        before = WAS | {"lastUpdateDateTimeUtc": was}
        made += around(shown, was=before, shown=shown, number=number)
    calls = [x for x in made if x.kind == "cancel"]
    found = now(context(made), calls, "now")
    return [ok(found.get(i)) for i in range(len(calls))]


def test_a_date_of_the_last_change_that_some_cancels_leave_is_told() -> None:
    assert dates(True, True, True, False) == [True, True, True, False]
    assert dates(False, False, True, True, True, False)[:3] == [False, False, True]


def test_a_date_that_no_cancel_moves_or_that_is_young_is_no_matter() -> None:
    assert dates(False, False, False, False) == [True] * 4
    assert dates(True, True, False, False) == [True] * 4  # two tell nothing yet
    assert dates(True, True, True, False, was="2023-11-14T22:13:05Z") == [True] * 4


def test_a_second_call_that_is_refused_fills_no_gap() -> None:
    filled = DONE | {"cancellationComment": "late"}
    said = {"Comment": "late"}
    first = around(DONE)
    refused = replace(
        exchange(1, "cancel", None, said, position=2), situation=Situation(call="second")
    )
    refused = replace(refused, received=Received(400))
    made = [*first, refused, exchange(1, "observe", filled, position=2)]
    assert ok(keeps(context(made), refused, "cancellationComment")) is False
    kept = [*first, refused, exchange(1, "observe", DONE, position=2)]
    assert ok(keeps(context(kept), refused, "cancellationComment")) is True


def told_whole(exchanges: list[Exchange]) -> list[bool | None]:
    calls = [x for x in exchanges if x.kind == "cancel"]
    return [ok(whole(context(exchanges), x, True)) for x in calls]


LOST = DONE | {"machineId": None}
REFUSED = Received(401)


def refused(position: int) -> Exchange:
    return replace(exchange(1, "cancel", None, position=position), received=REFUSED)


def test_what_is_lost_is_the_doing_of_the_call_that_was_served_before_the_look() -> None:
    looked = [exchange(1, "observe", WAS, position=0), refused(1), exchange(1, "observe", WAS)]
    served = [exchange(1, "cancel", DONE, position=2), exchange(1, "observe", LOST, position=2)]
    late = exchange(1, "observe", LOST, position=3)
    assert told_whole([*looked, *served]) == [True, False]
    assert told_whole([*looked, *served, late]) == [True, False]  # seen again in the end
    end = [exchange(1, "observe", DONE, position=2), late]  # lost by then
    assert told_whole([*looked, served[0], *end]) == [None, False]


def test_between_two_looks_the_served_call_is_to_blame_before_a_refused_one() -> None:
    first, look = exchange(1, "observe", WAS, position=0), exchange(1, "observe", LOST, position=2)
    served = exchange(1, "cancel", DONE, position=1)
    assert told_whole([first, served, refused(2), look]) == [False, None]
    late = [refused(1), exchange(1, "cancel", DONE, position=2)]
    assert told_whole([first, *late, look]) == [None, False]


def test_a_refusal_is_to_blame_where_no_call_was_served() -> None:
    first, look = exchange(1, "observe", WAS, position=0), exchange(1, "observe", LOST, position=2)
    assert told_whole([first, refused(1), refused(2), look]) == [None, False]
