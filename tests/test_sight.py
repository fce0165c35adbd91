"""Sight: what the looks show is decided once, for the run as for the judge of its recording."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from cancel_contracts.assignment import Options
from cancel_contracts.builtin import mock_target
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Contract
from cancel_contracts.exchange import Exchange, Received, Sent, Situation
from cancel_contracts.gate import decide
from cancel_contracts.journal import Exchanges
from cancel_contracts.replay import judge_recording, write_recording
from cancel_contracts.sight.clocks import STILL_SECONDS
from cancel_contracts.sight.ended import lost
from cancel_contracts.sight.observation import OVERDUE_SECONDS
from cancel_contracts.sight.sight import Sight
from cancel_contracts.verify import Result, verify
from sampling import EVERY
from servers.entities import Resource
from servers.faults_state import NoEffect
from servers.service import Service
from servers.trial import conforming, judge
from servers.variants_effect import OneSecondLate, TouchesOnlyTheDate
from servers.variants_handler import EmptiesTheStore, OneResource

CONTRACTS = {c.name: c for c in map(load, shipped())}
ANY_CHANGE = next(c for c in CONTRACTS.values() if not c.lifecycle.after)
NAMED = next(c for c in CONTRACTS.values() if c.lifecycle.after)


# --- The run and the judge come to one answer ----------------------------------------------------


def verdicts(result: Result) -> dict[str, str]:
    return {v.clause.id: v.word for j in result.judgements() for v in j.verdicts}


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ({"commands": []}, {}, True),
        ({"commands": ["a"]}, {"commands": None}, True),
        ({"commands": ["a", "b"]}, {"commands": ["b"]}, True),
        ({"commands": []}, {"commands": None}, False),
        ({"commands": ["a"]}, {"commands": ["a", "b"]}, False),
        ({"commands": None}, {}, False),
        ({}, {}, False),
        ({"errorHResult": 0}, {}, False),
    ],
)
def test_a_list_that_is_shorter_or_shown_no_more_has_lost_something(
    was: dict[str, Any], now: dict[str, Any], told: bool
) -> None:
    assert lost(CONTRACTS["machine-action"], was, now) == (["commands"] if told else [])


@pytest.mark.slow
@pytest.mark.parametrize(
    "variants",
    [
        # The first two of these alone, and others in twos: tests/test_prove.py.
        ("effect-visible-after-a-second", "time-of-the-look", "effect-in-another-property"),
        ("time-of-the-look", "least-entity"),
    ],
)
def test_what_changes_by_itself_hides_no_late_effect(
    variants: tuple[str, ...], tmp_path: Path
) -> None:
    with mock_target([ANY_CHANGE], variants=variants, quotas=False) as target:
        result = verify([ANY_CHANGE], target, Options())
    assert decide(result.judgements()).exit_code == 0, verdicts(result)
    har = tmp_path / "run.har"
    write_recording(result, har)
    assert verdicts(judge_recording(har, [ANY_CHANGE], Options())) == verdicts(result)


class Clock(Service):
    """A GET tells the second of the look."""

    def entity(self, resource: Resource) -> dict[str, Any]:
        return super().entity(resource) | {"servedAt": datetime.now(UTC).strftime("%FT%TZ")}


class UpFor(Service):
    """A GET tells in words for how long the server has been up: no date, and no number."""

    begun = time.monotonic()

    def entity(self, resource: Resource) -> dict[str, Any]:
        return super().entity(resource) | {"upFor": f"{time.monotonic() - self.begun:.0f} s"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("moving", "short"),
    [(m, s) for m in (Clock, UpFor) for s in ("SA", "MA") if EVERY or (m is Clock) == (s == "SA")],
)
def test_a_clock_in_the_entity_is_no_deviation_and_no_effect(
    moving: type[Service], short: str
) -> None:
    late = type("Late", (moving, OneSecondLate), {})
    outcome = judge(conforming(short, late))
    assert (outcome.exit_code, outcome.violated) == (0, {}), str(outcome)
    idle = type("Idle", (moving, NoEffect), {})
    effect = {"SA": "SA-09", "MA": "MA-15"}[short]
    outcome = judge(conforming(short, idle), only=[effect])
    assert (outcome.exit_code, set(outcome.violated)) == (1, {effect}), str(outcome)


def test_a_date_that_alone_shows_the_effect_is_one_beside_a_clock_too() -> None:
    outcome = judge(conforming("SA", type("Mixed", (Clock, TouchesOnlyTheDate), {})))
    assert (outcome.exit_code, outcome.violated) == (0, {}), str(outcome)


# --- What the looks tell -------------------------------------------------------------------------

Step = tuple[Literal["look", "call"], Any, float]  # what it shows, or the status; when it began


def feed(
    found: Sight, exchanges: Exchanges, scenario: int, resource: str, steps: Sequence[Step],
    position: int = 0,
) -> Exchange | None:  # fmt: skip
    """Show what came of a scenario, or more of it; return its last call."""
    call = None
    for kind, value, at in steps:
        status = 200 if kind == "look" else value
        body = json.dumps(value).encode() if kind == "look" else b""
        position += kind == "call"
        exchange = Exchange(
            "c", scenario, position, "observe" if kind == "look" else "cancel",
            Situation(state=NAMED.lifecycle.cancellable[0]), "admin", resource,
            Sent("GET" if kind == "look" else "POST", "http://x"), started=at,
            received=Received(status, body=body) if value is not None else None,
            failure=None if value is not None else "timeout",
        )  # fmt: skip
        exchanges.append(exchange)
        found.note(exchange)
        call = exchange if kind == "call" else call
    return call


def sight(contract: Contract, *steps: Step) -> tuple[Sight, Exchange]:
    """Return what was seen of one resource, and its last call."""
    exchanges = Exchanges()
    found = Sight(contract, exchanges)
    call = feed(found, exchanges, 1, "r1", steps)
    assert call is not None
    return found, call


def entity(contract: Contract, **more: Any) -> dict[str, Any]:
    return {contract.lifecycle.shows[0]: contract.lifecycle.cancellable[0], **more}


T = [f"2024-10-21T11:25:{second:02}Z" for second in range(10)]


def dated(*moments: str) -> tuple[Sight, Exchange]:
    """Return what a date showed before the call, and a second apart after it."""
    rows: Sequence[Step] = [("look", entity(ANY_CHANGE, updatedAt=m), float(at)) for at, m in
                            enumerate(moments)]  # fmt: skip
    return sight(ANY_CHANGE, rows[0], ("call", 200, 0.5), *rows[1:])


@pytest.mark.parametrize(
    ("moments", "effect"),
    [
        ((T[0], T[0]), "not"),
        ((T[0], T[1]), "unknown"),  # it may be a clock
        ((T[0], T[1], T[2]), "unknown"),  # it may be one, or an effect that came in two steps
        ((T[0], T[1], T[2], T[3], T[4]), "not"),  # it is one
        ((T[0], T[1], T[1], T[1]), "cancelled"),
        ((T[0], T[1], T[2], T[2], T[2]), "cancelled"),
    ],
)
def test_a_date_tells_an_effect_once_it_stands_still(moments: tuple[str, ...], effect: str) -> None:
    assert STILL_SECONDS > 1, "a clock that counts seconds would pass"
    found, call = dated(*moments)
    assert found.effect(call)[0] == effect
    assert found.due(call) == (None if effect == "cancelled" else effect)


def test_a_number_that_runs_is_no_effect_and_a_flag_is_one() -> None:
    shown = [entity(ANY_CHANGE, views=n) for n in range(3)]
    found, call = sight(ANY_CHANGE, ("look", shown[0], 0), ("call", 200, 1), ("look", shown[1], 2))
    assert found.effect(call)[0] == "not"
    flagged = {**shown[2], "cancelRequested": True}
    rows: list[Step] = [("look", shown[0], 0), ("call", 200, 1), ("look", flagged, 2)]
    found, call = sight(ANY_CHANGE, *rows, ("look", flagged, 4))
    assert found.effect(call)[0] == "cancelled"


def test_what_moves_on_a_resource_that_nothing_cancelled_is_no_effect_elsewhere() -> None:
    exchanges = Exchanges()
    found = Sight(ANY_CHANGE, exchanges)
    first: list[Step] = [
        ("look", entity(ANY_CHANGE, upFor="1 s"), 0), ("call", 403, 1),
        ("look", entity(ANY_CHANGE, upFor="1 s"), 1.2),
    ]  # fmt: skip
    feed(found, exchanges, 1, "r1", first)
    rows: list[Step] = [
        ("look", entity(ANY_CHANGE, upFor="1 s"), 1.5), ("call", 200, 1.6),
        ("look", entity(ANY_CHANGE, upFor="2 s"), 2),
    ]  # fmt: skip
    call = feed(found, exchanges, 2, "r2", rows)
    assert call is not None
    assert found.effect(call)[0] == "unknown"
    control = found.control()
    assert control is not None
    assert (control.resource, control.position) == ("r1", 1)
    feed(found, exchanges, 1, "r1", [("look", entity(ANY_CHANGE, upFor="3 s"), 3)], position=1)
    assert found.volatile == {"upFor"}
    assert found.effect(call)[0] == "not"


@pytest.mark.parametrize("status", [200, 500, None])
def test_a_resource_that_a_call_may_have_cancelled_is_no_control(status: int | None) -> None:
    exchanges = Exchanges()
    found = Sight(ANY_CHANGE, exchanges)
    feed(found, exchanges, 9, "r9", [("call", 404, 0), ("look", None, 0)])
    assert found.control() is None, "a look that shows nothing is none either"
    refused: list[Step] = [
        ("look", entity(ANY_CHANGE, note="a"), 0), ("call", 403, 1),
        ("look", entity(ANY_CHANGE, note="a"), 2),
    ]  # fmt: skip
    feed(found, exchanges, 1, "r1", refused)
    assert found.control() is not None
    feed(found, exchanges, 2, "r1", [("call", status, 3)])  # the same resource, in another scenario
    assert found.control() is None
    feed(found, exchanges, 1, "r1", [("look", entity(ANY_CHANGE, note="b"), 4)], position=1)
    assert found.volatile == frozenset()


def test_what_differs_between_looks_without_a_call_is_volatile_and_a_refused_call_is_none() -> None:
    nodes = [entity(ANY_CHANGE, node=n) for n in ("a", "b", "a")]
    found, call = sight(
        ANY_CHANGE, ("look", nodes[0], 0), ("look", nodes[1], 1), ("call", 200, 2),
        ("look", nodes[2], 3),
    )  # fmt: skip
    assert found.volatile == {"node"}
    assert found.effect(call)[0] == "not"
    before, after = found.before(call), found.after(call)
    assert before is not None
    assert after is not None
    assert found.unchanged(before, after)
    # The same across a call that was refused is the call's own until looks tell otherwise.
    rows: list[Step] = [("look", nodes[0], 0), ("call", 403, 1), ("look", nodes[1], 2)]
    found, call = sight(ANY_CHANGE, *rows)
    assert found.volatile == frozenset()
    found, call = sight(ANY_CHANGE, *rows, ("look", nodes[2], 3))
    assert found.volatile == {"node"}


@pytest.mark.parametrize("contract", [ANY_CHANGE, NAMED])
def test_a_late_effect_is_not_held_against_the_refused_call_after_it(contract: Contract) -> None:
    life = contract.lifecycle
    start = entity(contract)
    done = {**start, life.shows[0]: life.after[0] if life.after else life.final[0]}
    rows: list[Step] = [("look", start, 0), ("call", 200, 1), ("look", start, 2)]
    found, call = sight(contract, *rows, ("call", 403, 3), ("look", done, 4))
    assert not found.settled(call)
    found, call = sight(contract, *rows[:2], ("look", done, 2), ("call", 403, 3), ("look", done, 4))
    assert found.settled(call)
    found, call = sight(contract, rows[0], ("call", 403, 1), ("look", start, 2), ("call", 403, 3))
    assert found.settled(call), "a refused call has nothing to show"


def test_of_two_properties_that_tell_a_state_one_may_follow_the_other() -> None:
    one, other = NAMED.lifecycle.shows
    after, start = NAMED.lifecycle.after[0], entity(NAMED)
    half, done = {**start, one: after}, {**start, one: after, other: after.upper()}

    def settled(first: dict[str, Any], then: dict[str, Any], status: int = 200) -> bool:
        rows: list[Step] = [("look", start, 0), ("call", status, 1), ("look", first, 2)]
        found, call = sight(NAMED, *rows, ("call", 403, 3), ("look", then, 4))
        return found.settled(call)

    assert not settled(half, done)
    assert settled(half, half)
    assert settled(half, {**half, other: "Denied"}), "that is none after a cancel"
    assert settled({**half, other: "Denied"}, done), "it had moved before"
    assert settled(done, half)
    assert settled(half, start)
    assert settled(half, done, status=403), "no call has had an effect before"


def test_where_no_state_is_named_an_effect_may_go_through_several_but_not_back() -> None:
    life = ANY_CHANGE.lifecycle
    start = entity(ANY_CHANGE)

    def after(*states: str, status: int = 200) -> bool:
        first, then = ({**start, life.shows[0]: state} for state in states)
        rows: list[Step] = [("look", start, 0), ("call", status, 1), ("look", first, 2)]
        found, call = sight(ANY_CHANGE, *rows, ("call", 401, 3), ("look", then, 4))
        return found.settled(call)

    assert not after("Cancelling", "Cancelled")
    assert not after("Cancelling", life.final[0])
    assert after("Cancelling", life.cancellable[0]), "the refused call has brought it back"
    assert after("Cancelled", "Cancelled")
    assert after("Cancelling", "Cancelled", status=401), "no call has had an effect before"


def test_what_shows_after_calls_at_once_is_of_none_of_them() -> None:
    found, call = sight(NAMED, ("look", entity(NAMED), 0), ("call", 200, 1), ("look", {}, 2))
    assert found.after(call) is not None
    at_once = replace(call, situation=replace(call.situation, call="concurrent"))
    assert found.after(at_once) is None


def test_where_a_state_is_named_it_alone_is_the_effect() -> None:
    life = NAMED.lifecycle
    start, moved = entity(NAMED, note="a"), entity(NAMED, note="b")
    done = {**moved, life.shows[0]: life.after[0]}
    for shown, effect, due in ((moved, "not", "not"), (done, "cancelled", None)):
        found, call = sight(NAMED, ("look", start, 0), ("call", 200, 1), ("look", shown, 2))
        assert (found.effect(call)[0], found.due(call)) == (effect, due)
    found, call = sight(NAMED, ("look", start, 0), ("call", 200, 1), ("look", {"id": "r1"}, 2))
    assert (found.effect(call)[0], found.due(call)) == ("unknown", None)  # no look will ever tell
    found, call = sight(
        NAMED, ("look", start, 0), ("call", 200, 1), ("look", done, 2), ("look", start, 3)
    )
    assert found.due(call) == "not", "what shows no more is looked for again"


@pytest.mark.parametrize(
    ("late", "effect"),
    [(OVERDUE_SECONDS - 0.5, "cancelled"), (OVERDUE_SECONDS + 0.5, "not"), (60.0, "not")],
)
def test_an_effect_that_shows_much_later_than_others_take_has_not_shown_in_time(
    late: float, effect: str
) -> None:
    """Another cache tells of it at last: nobody waits for that. Who did not look has seen none."""
    start, done = entity(NAMED), entity(NAMED) | {NAMED.lifecycle.shows[0]: "Cancelled"}
    rows: list[Step] = [("look", start, 0), ("call", 200, 1), ("look", start, 1.1)]
    found, call = sight(NAMED, *rows, ("look", start, 1 + late), ("look", done, 90))
    assert found.effect(call)[0] == effect
    found, call = sight(NAMED, *rows, ("look", done, 90))
    assert found.effect(call)[0] == "cancelled"


def test_only_the_first_success_of_a_scenario_is_due() -> None:
    start = entity(ANY_CHANGE)
    looks: list[Step] = [("look", start, 0), ("call", 200, 1), ("look", start, 2)]
    found, first = sight(ANY_CHANGE, *looks)
    assert found.due(first) == "not"
    found, second = sight(ANY_CHANGE, *looks, ("call", 200, 3), ("look", start, 4))
    assert found.due(second) is None
    assert found.due(found.scene(1).calls[0]) == "not"
    assert found.due(replace(second, sent=Sent("PUT", "http://x"))) is None


@pytest.mark.parametrize(
    ("shown", "observable"),
    [([None], None), ([{}], True), ([None, {}], True)],
)
def test_a_resource_is_observable_once_a_look_has_shown_it(
    shown: list[dict[str, Any] | None], observable: bool | None
) -> None:
    looks: list[Step] = [("look", x if x is None else entity(NAMED), 0.0) for x in shown]
    found, _ = sight(NAMED, *looks, ("call", 200, 1))
    assert found.observable is observable


@pytest.mark.slow
@pytest.mark.parametrize(
    ("short", "handler"), [("MA", OneResource), ("SA", EmptiesTheStore)], ids=["MA", "SA"]
)
def test_where_one_resource_stands_at_a_time_a_late_effect_of_the_first_call_is_awaited(
    short: str, handler: type[Service]
) -> None:
    late = type("Late", (handler, OneSecondLate), {})
    outcome = judge(conforming(short, late), options={"effect_seconds": 1.5, "max_requests": 20})
    assert outcome.violated == {}, str(outcome)
