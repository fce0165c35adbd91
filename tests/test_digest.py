"""Large looks are kept as digests, and say what the looks themselves would have said."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.exchange import Received
from cancel_contracts.sight.digest import LARGE_BYTES, Digests
from cancel_contracts.sight.observation import changed, substance
from hypothesis import given, settings
from hypothesis import strategies as st
from servers.front import Request, Response
from servers.service import Service
from servers.trial import conforming, judge

pytestmark = pytest.mark.slow

CONTRACTS = {c.name: c for c in map(load, shipped())}
LIFE = CONTRACTS["machine-action"].lifecycle
HISTORY = [{"at": n, "text": f"line {n}", "on": "2024-10-21T11:25:48Z"} for n in range(2000)]


def look(entity: Any) -> Received:
    body = json.dumps(entity).encode()
    return Received(200, body=body, wire=b"HTTP/1.1 200 OK\r\n\r\n" + body)


def kept(digests: Digests, entity: Any, resource: str = "x") -> Any:
    return digests.kept(resource, look(entity)).json()


def test_a_small_look_is_kept_as_it_came() -> None:
    received = look({"status": "Pending", "history": HISTORY[:3]})
    assert Digests(LIFE).kept("x", received) is received


def test_a_large_look_takes_little_and_keeps_what_is_read() -> None:
    state = {"status": "Pending", "requestorComment": "c" * 5000}
    digests = Digests(LIFE)
    received = digests.kept("x", look({**state, "history": HISTORY, "note": "n"}))
    assert received.weight_bytes < 8000
    entity = received.json()
    assert {name: entity[name] for name in ("status", "note")} == {"status": "Pending", "note": "n"}
    for name in (*LIFE.records, *LIFE.sets):
        assert kept(digests, {name: "c" * 9000, "history": HISTORY}, "y")[name] == "c" * 9000


def test_of_a_large_look_no_part_is_kept_whole() -> None:
    large = look({"status": "Pending", "history": HISTORY})
    headers = tuple((f"X-{n}", "y" * 500) for n in range(1000))
    for told in ({"reason": "r" * 900_000}, {"headers": headers}):
        assert Digests(LIFE).kept("x", replace(large, **told)).weight_bytes < 40_000
    # Whatever it consists of, it weighs: a run of such answers comes to its end.
    assert Received(200, reason="r" * 900_000).weight_bytes >= 900_000


CHANGES: dict[str, tuple[Any, bool, bool]] = {
    # What is done to the history -> whether it is another, and whether what lasts is another.
    "nothing": (lambda rows: rows, False, False),
    "a line more": (lambda rows: [*rows, {"text": "new"}], True, True),
    "a text in the middle": (lambda rows: [*rows[:9], {**rows[9], "text": "new"}, *rows[10:]], True, True),
    "a date": (lambda rows: [{**rows[0], "on": "2025-01-01T00:00:00Z"}, *rows[1:]], True, False),
    "a running number": (lambda rows: [{**rows[0], "at": 77}, *rows[1:]], True, False),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_digests_differ_as_the_values_do(what: str) -> None:
    change, differs, lasts = CHANGES[what]
    digests, nothing = Digests(LIFE), frozenset[str]()
    before, after = {"history": HISTORY}, {"history": change(HISTORY)}
    short = [kept(digests, entity) for entity in (before, after)]
    assert (
        bool(changed(before, after, nothing))
        == bool(changed(short[0], short[1], nothing))
        == differs
    )
    assert (substance(before, nothing) != substance(after, nothing)) == lasts
    assert (substance(short[0], nothing) != substance(short[1], nothing)) == lasts


@given(
    st.dictionaries(
        st.text(max_size=4), st.text(max_size=9) | st.integers() | st.none(), max_size=4
    ),
    st.dictionaries(
        st.text(max_size=4), st.text(max_size=9) | st.integers() | st.none(), max_size=4
    ),
)
@settings(deadline=None, max_examples=50)
def test_whatever_stands_in_a_large_value(one: dict[str, Any], other: dict[str, Any]) -> None:
    digests, nothing = Digests(LIFE), frozenset[str]()
    pad = ["x" * LARGE_BYTES]
    before, after = {"v": [one, pad]}, {"v": [other, pad]}
    short = [kept(digests, entity) for entity in (before, after)]
    assert changed(before, after, nothing) == changed(short[0], short[1], nothing)
    same = substance(before, nothing) == substance(after, nothing)
    assert same == (substance(short[0], nothing) == substance(short[1], nothing))


def test_a_look_that_grows_past_the_bound_is_held_against_those_before() -> None:
    """A running number or a date may carry an entity over the bound: that is no change."""
    digests, nothing = Digests(LIFE), frozenset[str]()
    rows: list[dict[str, Any]] = [{"text": "y" * 100, "at": n} for n in range(230)]
    short = kept(digests, {"rows": rows})
    assert look({"rows": rows}).weight_bytes < LARGE_BYTES
    longer = {"rows": [{**row, "at": row["at"] + 10**60} for row in rows]}
    assert look(longer).weight_bytes > LARGE_BYTES
    assert substance(short, nothing) == substance(kept(digests, longer), nothing)


MANY = {f"k{n}": n for n in range(60_000)}
MEMBERS_CHANGED: dict[str, tuple[dict[str, Any], bool]] = {
    "nothing": ({}, False),
    "one of the first": ({"k1": "other"}, True),
    "one of the last": ({"k59999": "other"}, True),
    "one more": ({"new": "x"}, True),
    "a running number": ({"k59999": 60_001}, False),
}


@pytest.mark.parametrize("what", MEMBERS_CHANGED)
def test_of_very_many_members_most_stand_as_one(what: str) -> None:
    change, lasts = MEMBERS_CHANGED[what]
    digests, nothing = Digests(LIFE), frozenset[str]()
    before, after = {**MANY, "status": "Pending"}, {**MANY, "status": "Pending", **change}
    short = [kept(digests, entity) for entity in (before, after)]
    assert all(len(entity) < 5000 and entity["status"] == "Pending" for entity in short)
    assert bool(changed(short[0], short[1], nothing)) == bool(change)
    assert (substance(short[0], nothing) != substance(short[1], nothing)) == lasts
    assert (substance(before, nothing) != substance(after, nothing)) == lasts


def test_what_is_no_entity_is_cut() -> None:
    received = look(["x"] * 100_000)
    assert len(Digests(LIFE).kept("x", received).body) <= LARGE_BYTES
    headers = tuple((f"X-{n}", "y" * 100) for n in range(1000))
    cut = Digests(LIFE).kept("x", replace(look({"status": "Pending"}), headers=headers))
    assert cut.json() == {"status": "Pending"}
    assert cut.weight_bytes < LARGE_BYTES


class Bulky(Service):
    """Shows a history of some size beside the state."""

    rows = 9000

    def answer(self, request: Request) -> Response:
        response = super().answer(request)
        if request.method != "GET" or response.status != 200:
            return response
        entity = json.loads(response.body) | {"history": [{"n": n} for n in range(self.rows)]}
        return replace(response, body=json.dumps(entity).encode())


@pytest.mark.parametrize("short", ["MA", "SA"])
def test_a_conforming_server_of_large_entities_passes(short: str) -> None:
    clauses = [c.id for c in CONTRACTS[conforming(short).page.contract].clauses][:12]
    outcome = judge(conforming(short, Bulky), only=clauses)
    assert outcome.exit_code == 0, outcome
