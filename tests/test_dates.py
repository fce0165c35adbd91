"""Dates and lists that a cancel may change, who is named in them, and what a refusal gives away."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.places import in_list, ways
from cancel_contracts.errors import UsageError
from cancel_contracts.exchange import Exchange, Received, Sent, Situation
from cancel_contracts.journal import Exchanges, Journal
from cancel_contracts.judge.callers import named, private
from cancel_contracts.judge.context import Context
from cancel_contracts.judge.dated import now
from cancel_contracts.judge.entity import entity
from cancel_contracts.judge.facets import Finding
from cancel_contracts.judge.whole import whole

SECURITY = next(c for c in map(load, shipped()) if in_list(c.lifecycle.caller or ""))
MACHINE = next(c for c in map(load, shipped()) if c.lifecycle.sets)
KNOWN = Situation(state=MACHINE.lifecycle.cancellable[0])
OPEN, ENDED = Situation(state="Running"), Situation(resource="final", state="Completed")
BEGAN = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
DATE = "2023-11-14T20:00:00.000Z"
FORM = "%Y-%m-%dT%H:%M:%SZ"


def exchange(number: int, kind: Any, who: str, situation: Situation, **more: Any) -> Exchange:
    """Return an exchange of the scenario of that number, on a resource of its own."""
    status, body = more.pop("status", 200), more.pop("body", {})
    position = more.pop("position", 1)
    headers = (("Content-Type", "application/json"), *more.pop("headers", ()))
    sent = (("client-request-id", more.pop("id")),) if "id" in more else ()
    return replace(
        Exchange(
            SECURITY.name, number, position, kind, replace(situation, identity=who), who,
            f"resource-{number}", Sent("POST", "http://127.0.0.1/x", sent),
            received=Received(status, headers=headers, body=json.dumps(body).encode()),
            started=number + position / 10, seconds=0.01,
        ),
        **more,
    )  # fmt: skip


def around(
    number: int,
    was: dict[str, Any],
    is_: dict[str, Any],
    who: str = "primary",
    situation: Situation = OPEN,
    **more: Any,
) -> list[Exchange]:
    """Return a call with a look before and after it."""
    return [
        exchange(number, "observe", "admin", situation, position=0, body=was),
        exchange(number, "cancel", who, situation, **more),
        exchange(number, "observe", "admin", situation, body=is_),
    ]  # fmt: skip


def context(exchanges: list[Exchange], contract: Contract = SECURITY) -> Context:
    return Context(
        contract,
        Journal(contract.name, Exchanges(exchanges), minted=True, began=BEGAN.timestamp()),
    )


def judged(facet: Any, exchanges: list[Exchange], wanted: Any) -> list[bool | None]:
    """Return of each call whether it keeps a facet of many; None where that is not told."""
    calls = [x for x in exchanges if x.kind == "cancel"]
    found = facet(context(exchanges), calls, wanted)
    told = [found.get(i) for i in range(len(calls))]
    return [f.ok if isinstance(f, Finding) else None for f in told]


# --- When -----------------------------------------------------------------------------------------


def ends(*seconds: float, date: bool = True, form: str = FORM) -> list[bool | None]:
    """Judge cancels whose end is dated so many seconds after their answers."""
    made = []
    for number, off in enumerate(seconds):
        at = BEGAN + timedelta(seconds=number)
        text = (at + timedelta(seconds=off)).strftime(form)
        was = {"id": "x", "status": "Running", "completedDateTime": None}
        headers = (("Date", format_datetime(at, usegmt=True)),) if date else ()
        is_ = was | {"status": "Failed", "completedDateTime": text}
        made += around(number, was, is_, headers=headers)
    return judged(now, made, "now")


def test_what_is_hours_off_the_date_of_its_answer_is_told_even_if_all_are() -> None:
    assert ends(7200.0, 7200.0, 7200.0) == [False] * 3
    assert ends(-19800.0) == [False]  # in India
    assert ends(0.0, 1.0, 0.0) == [True] * 3


def test_what_is_off_otherwise_than_the_others_is_told() -> None:
    assert ends(0.0, -400.0, 0.0, 0.0) == [True, False, True, True]
    assert ends(0.0, 0.0, 7200.0, 7200.0, date=False) == [True, True, False, False]
    assert ends(0.0, 250.0, 0.0, 0.0) == [True] * 4  # the clocks of two nodes
    assert ends(-9e6, 0.0, 0.0, 0.0) == [False, True, True, True]


def test_a_clock_that_is_wrong_a_zone_that_is_not_told_and_a_stub_are_none() -> None:
    assert ends(2220.0, 2221.0, 2220.0) == [True] * 3
    assert ends(7200.0, 7200.0, 7200.0, date=False) == [True] * 3
    assert ends(7200.0, 7200.0, 7200.0, form="%Y-%m-%d %H:%M:%S") == [True] * 3
    assert ends(-9e6, -9e6 - 3000, -9e6) == [True] * 3
    assert ends(3.0) == [None]  # one alone does not tell


# --- What is left as it is ------------------------------------------------------------------------


def kept(wanted: bool | str, *rows: list[Exchange]) -> list[bool | None]:
    """Return whether the rest of the resource is as before, of the last call first."""
    exchanges = [x for row in rows for x in row]
    seen = context(exchanges)
    found = [whole(seen, x, wanted) for x in exchanges if x.kind == "cancel"]
    return [f.ok if isinstance(f, Finding) else None for f in found]


DONE = {"id": "x", "status": "Completed", "lastActionDateTime": DATE, "states": [{"user": "a"}]}
RUNS = DONE | {"status": "Running"}
MOVED = {"lastActionDateTime": "2023-11-14T22:13:20Z"}


@pytest.mark.parametrize(
    "more", [MOVED, {"states": []}, {"states": [{"user": "b"}]}, {"completedDateTime": DATE}]
)
def test_a_refusal_changes_nothing_of_what_has_ended(more: dict[str, Any]) -> None:
    refused = around(1, DONE, DONE | more, situation=ENDED, status=409)
    assert kept("ended", refused) == [False]
    assert kept("ended", around(1, DONE, DONE, situation=ENDED, status=409)) == [True]


def test_an_audit_what_moves_by_itself_and_what_is_added_are_none() -> None:
    moves = around(1, DONE, DONE | MOVED, situation=ENDED, status=409)
    noted = around(2, RUNS, RUNS | MOVED, status=403)
    assert kept("ended", moves, noted) == [True, None]
    again = exchange(
        3, "observe", "admin", ENDED, position=2, body=DONE | {"lastActionDateTime": "x"}
    )
    still = exchange(3, "observe", "admin", ENDED, position=1, body=DONE)
    assert kept("ended", moves, [still, again]) == [True]
    added = DONE | {"states": [{"user": "b"}, {"user": "a"}]}
    assert kept("ended", around(1, DONE, added, situation=ENDED, status=409)) == [True]
    assert kept("ended", around(1, RUNS, RUNS | MOVED, status=409)) == [None]  # has not ended


def test_a_cancel_takes_nothing_away_from_a_list() -> None:
    assert kept(True, around(1, RUNS, RUNS | {"status": "Failed", "states": []})) == [False]
    assert kept(True, around(1, RUNS, RUNS | {"status": "Failed", "states": None})) == [False]
    more = RUNS | {"status": "Failed", "states": [{"user": "c"}, {"user": "d"}]}
    assert kept(True, around(1, RUNS, more)) == [True]


def test_nor_is_anything_of_it_taken_away_later() -> None:
    grown = RUNS | {"status": "Failed", "states": [{"user": "b"}, {"user": "a"}]}
    for later, ok in ((grown, True), (grown | {"states": [{"user": "b"}]}, False)):
        look = exchange(1, "observe", "admin", OPEN, position=2, body=later)
        assert kept(True, [*around(1, RUNS, grown), look]) == [ok]


def answered(*rows: tuple[dict[str, Any], dict[str, Any]]) -> list[bool | None]:
    """Return whether answers agree with the GETs after them: what each tells."""
    exchanges = []
    for number, (answer, shown) in enumerate(rows):
        was = shown | {"status": MACHINE.lifecycle.cancellable[0]}
        exchanges += around(number, was, shown, situation=KNOWN, body=answer)
    seen = context(exchanges, MACHINE)
    found = [entity(seen, x, "agrees") for x in exchanges if x.kind == "cancel"]
    return [f.ok if isinstance(f, Finding) else None for f in found]


def test_a_null_in_an_answer_is_one_where_other_answers_tell_what_the_get_shows() -> None:
    whole_ = {"status": "Cancelled", "machineId": "abc", "title": None}
    empty, short = whole_ | {"machineId": None}, {"status": "Cancelled"}
    assert answered((whole_, whole_), (empty, whole_)) == [True, False]
    assert answered((empty, whole_), (empty, whole_)) == [True, True]  # it loads none
    assert answered((whole_, whole_), (short, whole_)) == [True, True]
    assert answered((whole_, whole_), (empty, short)) == [True, True]


# --- Who ------------------------------------------------------------------------------------------


def listed(*rows: tuple[str, list[str]]) -> list[Exchange]:
    """Return cancels, by whom and whom the list of states names then."""
    made = []
    for number, (who, names) in enumerate(rows):
        was = RUNS | {"states": [{"user": "service"}]}
        states = [*({"user": name} for name in names), {"user": "service"}]
        made += around(number, was, was | {"status": "Failed", "states": states}, who)
    return made


def test_what_a_cancel_adds_to_a_list_names_whoever_cancels() -> None:
    right = listed(("admin", ["a"]), ("app", ["b"]), ("admin", ["a"]), ("app", ["b"]))
    assert judged(named, right, "alike") == judged(named, right, "apart") == [True] * 4
    late = listed(("admin", ["a"]), ("admin", ["a"]), ("app", ["a"]), ("admin", ["b"]))
    assert judged(named, late, "alike") == [True, True, True, False]
    assert judged(named, late, "apart")[2] is False


def noted(of_end: list[float], notes: list[float], form: str = FORM) -> list[bool | None]:
    """Judge cancels that date their end, and what they add to the list, so many seconds late."""
    made = []
    for number, offs in enumerate(zip(of_end, notes, strict=True)):
        end, note = (BEGAN + timedelta(seconds=number + off) for off in offs)
        was: dict[str, Any] = {
            "id": "x",
            "status": "Running",
            "completedDateTime": None,
            "states": [],
        }
        states = [{"user": "a", "updatedDateTime": f"{note:{form}}"}]
        is_ = was | {"completedDateTime": f"{end:{FORM}}", "states": states}
        made += around(number, was, is_ | {"status": "Failed"})
    return judged(now, made, "now")


def test_what_a_cancel_adds_to_a_list_is_of_the_clock_of_its_other_dates() -> None:
    hours, years = [7200.0 - 5, 7200, 7200], [-1e8, -1e8 - 40, -1e8]
    assert noted([0.0] * 3, [0.0] * 3) == [True] * 3
    assert noted([0.0] * 3, hours) == [False] * 3
    assert noted(hours, hours) == [True] * 3
    assert noted([0.0] * 3, [2220.0] * 3) == [True] * 3, "another clock, which goes wrong"
    assert noted([0.0] * 3, years) == [True] * 3, "a stub's, written once"
    assert noted([0.0] * 3, [0.0, 0.0, -1300.0]) == [True, True, False]


def test_an_item_that_is_changed_or_tells_of_what_was_before_keeps_its_date() -> None:
    old, made = (
        [],
        {"user": "service", "status": "Running", "updatedDateTime": "2019-03-01T00:00:00Z"},
    )
    for number in range(3):
        now_ = {"user": "a", "updatedDateTime": f"{BEGAN + timedelta(seconds=number):{FORM}}"}
        told = {"user": "service", "updatedDateTime": "2021-03-01T00:00:00Z"}
        was = RUNS | {"states": [made]}
        is_ = {"status": "Failed", "states": [now_, told, made | {"status": "Completed"}]}
        old += around(number, was, was | is_)
    assert judged(now, old, "now") == [True] * 3


def test_whoever_wrote_into_the_list_before_and_a_list_that_stays_tell_nothing() -> None:
    beside = listed(("admin", ["service", "a"]), ("app", ["service", "b"]))
    assert judged(named, beside, "apart") == [True, True]
    assert judged(named, listed(("admin", []), ("app", [])), "apart") == [None, None]


def test_a_place_in_a_list_is_read_of_its_items_and_has_to_be_shown(tmp_path: Path) -> None:
    assert in_list("/a/b/-/c~1d") == ("/a/b", "c/d")
    assert in_list("/states/-/user") == ("states", "user")
    assert in_list("/states/user") is None
    assert ways(["/a/b/-/c"]) == {"/a"}
    spec = Path(SECURITY.path_of_file).read_text("utf-8")
    for was, is_ in (
        ("caller: /states/-/user", "caller: /states/-/nobody"),
        ("/states/-/updatedDateTime]", "/states/-/touched]"),
    ):
        assert was in spec
        path = tmp_path / "spec.yaml"
        path.write_text(spec.replace(was, is_), "utf-8")
        with pytest.raises(UsageError, match="no schema shows '/states/-/"):
            load(path)


# --- What is given away ---------------------------------------------------------------------------

WORDS = "blocked for the case 4711 of the house"


def refusals(*rows: tuple[str, str, int, str], **more: Any) -> list[bool | None]:
    """Judge refusals: who is told what, by which status, of a resource that shows which words."""
    made = []
    for number, (who, says, status, shows) in enumerate(rows):
        body, shown = {"error": {"code": "No", "message": says}}, RUNS | {"actionReason": shows}
        made += around(number, shown, shown, who, status=status, body=body, **more)
    return judged(private, made, True)


def test_a_refusal_tells_nothing_that_the_resource_alone_shows() -> None:
    other = ("no-permission", "No.", 403, "blocked for another reason")
    for status in (401, 403, 404):
        assert refusals(("no-permission", f"No: {WORDS}!", status, WORDS), other)[0] is False
    assert refusals(("no-permission", f"No: {WORDS}!", 409, WORDS), other)[0] is True
    assert refusals(("admin", f"No: {WORDS}!", 403, WORDS), other)[0] is True  # looked at it


def test_what_others_show_too_or_are_told_as_well_is_not_of_the_resource() -> None:
    told = ("no-permission", f"No: {WORDS}!", 403, WORDS)
    assert refusals(told, ("no-permission", "No.", 403, WORDS))[0] is True
    assert refusals(told, ("no-permission", f"No: {WORDS}!", 403, "another reason")) == [True] * 2
    assert refusals(told) == [True]  # of one resource nobody knows what all would show


def test_whose_request_has_no_id_is_told_none_of_another() -> None:
    id_ = "4bc2a1f0-0000-4000-8000-00000000000a"
    first = exchange(1, "cancel", "admin", OPEN, id=id_)
    for body in ({}, {"error": {"innerError": {"client-request-id": id_.upper()}}}):
        headers = () if body else (("client-request-id", id_),)
        bare = exchange(1, "cancel", "anonymous", OPEN, status=401, body=body, headers=headers)
        assert judged(private, [first, bare], True) == [True, False]
        own = exchange(2, "cancel", "anonymous", OPEN, status=401, id=id_, headers=headers)
        assert judged(private, [first, own], True)[1] is True
    made = (("client-request-id", id_[:-1] + "b"),)
    bare = exchange(1, "cancel", "anonymous", OPEN, status=401, headers=made)
    assert judged(private, [first, bare], True) == [True, True]
