"""Where facts meet in a call that deviates, the smallest set of them that explains it is blamed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from cancel_contracts.contract.compose import composed
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.exchange import Exchange, Form, Received, Sent, Situation
from cancel_contracts.journal import Exchanges, Journal
from cancel_contracts.judge.blame import Blame
from cancel_contracts.judge.judge import Judge

MACHINE = load(next(path for path in shipped() if path.stem == "machine-action"))
SCAN, ISOLATE = "application:Machine.Scan", "application:Machine.Isolate"
PLAIN, HTML = (
    Form("json", '{"Comment": "plain {unique}"}'),
    Form("json", '{"Comment": "2024-01-01T00:00:00Z"}'),
)
CHARSET = "application/json; charset=utf-8"
STATUS_ONLY = (
    "MA-01",
    "MA-07",
    "MA-15",
    "MA-16",
    "MA-28",
    "MA-45",
    "MA-54",
    "MA-55",
    "MA-68",
    "MA-21",
    "MA-25",
)


Call = tuple[dict[str, Any], int]


def exchange(number: int, situation: Situation, status: int) -> Exchange:
    return Exchange(
        contract=MACHINE.name, scenario=number, position=1, kind="cancel", situation=situation,
        identity="admin", resource=f"id-{number}", sent=Sent("POST", "http://127.0.0.1/"),
        received=Received(status), started=float(number),
    )  # fmt: skip


def violated(*calls: Call) -> set[str]:
    """The clauses about statuses that are violated by calls with these facts and answers."""
    exchanges = [
        exchange(number, Situation(**{"state": "Pending", **facts}), status)
        for number, (facts, status) in enumerate(calls, 1)
    ]
    found = Judge(MACHINE, MACHINE.clauses).judge(Journal(MACHINE.name, Exchanges(exchanges)))
    return {v.clause.id for v in found.verdicts if v.word == "violated"} & set(STATUS_ONLY)


def test_one_fact_whose_calls_all_fail_is_to_blame() -> None:
    found = violated(
        ({}, 200),
        ({"identity": SCAN, "body": PLAIN}, 403),
        ({"identity": SCAN, "transfer": "chunked"}, 403),
        ({"identity": ISOLATE, "body": PLAIN, "transfer": "chunked"}, 200),
    )
    assert found == {"MA-15"}


def test_two_facts_that_fail_where_they_meet_alone_are_both_to_blame() -> None:
    found = violated(
        ({}, 200),
        ({"identity": SCAN, "transfer": "chunked"}, 403),
        ({"identity": SCAN, "body": PLAIN}, 200),
        ({"identity": ISOLATE, "transfer": "chunked"}, 200),
    )
    assert found == {"MA-15", "MA-54"}


def test_two_facts_are_to_blame_before_one_that_met_them_alone() -> None:
    meeting: dict[str, Any] = {"identity": SCAN, "state": "InProgress"}
    served: list[Call] = [({}, 200), ({"identity": SCAN}, 200), ({"state": "InProgress"}, 200)]
    several: list[Call] = [
        ({**meeting, "body": PLAIN}, 403),
        ({**meeting, "content_type": CHARSET}, 403),
    ]
    assert violated(*served, *several) == {"MA-01", "MA-07", "MA-15"}
    assert violated(*served, several[0]) == {"MA-28"}  # the one may be the cause as well
    body = [
        ({"identity": ISOLATE, "body": PLAIN}, 403),
        ({"transfer": "chunked", "body": PLAIN}, 403),
    ]
    assert violated(*served, *several, *body, ({"transfer": "chunked"}, 200)) >= {"MA-28"}


def test_one_fact_is_to_blame_where_no_clause_speaks_of_the_two() -> None:
    clauses = {c.id: c for c in MACHINE.clauses}
    meeting = Situation(identity=SCAN, state="InProgress")
    bodies = [replace(meeting, body=Form(word)) for word in ("none", "empty-object")]

    def seen() -> Blame:
        blame = Blame(composed(MACHINE))
        for one in (Situation(identity=SCAN, state="Pending"), Situation(state="InProgress")):
            blame.note("status", exchange(1, one, 200))
        assert all(blame.foreign(clauses["MA-25"], "status", situation) for situation in bodies)
        return blame

    assert seen().blames(clauses["MA-25"], "status", bodies[0])  # else nobody would say so
    spoken_of = seen()
    assert spoken_of.foreign(clauses["MA-15"], "status", meeting)
    assert not spoken_of.blames(clauses["MA-25"], "status", bodies[0])
    assert spoken_of.blames(clauses["MA-15"], "status", meeting)


@pytest.mark.parametrize("extra", ["bare", "accept-any"])
def test_where_no_clause_names_what_is_to_blame_somebody_says_so_all_the_same(extra: str) -> None:
    """What the entity shows is promised of any body, caller and transfer; of no header."""
    clauses = {c.id: c for c in MACHINE.clauses}
    blame = Blame(composed(MACHINE))
    blame.note("entity", exchange(1, Situation(state="Pending"), 200))
    met = Situation(state="Pending", extra=extra)
    assert blame.foreign(clauses["MA-31"], "entity", met)
    assert blame.blames(clauses["MA-31"], "entity", met)


@pytest.mark.parametrize(
    "facts", [{"identity": SCAN}, {"identity": "user"}, {"body": PLAIN, "transfer": "chunked"}]
)
@pytest.mark.parametrize("state", ["Succeeded", "Pending"])
def test_no_fact_of_a_call_is_to_blame_where_another_resource_is_struck(
    facts: dict[str, Any], state: str
) -> None:
    call = exchange(1, Situation(**{"state": "InProgress", **facts}), 200)

    def look(position: int, shows: str) -> Exchange:
        body = json.dumps({"id": "near", "status": shows}).encode()
        return replace(
            call, kind="observe", position=position, resource="near", role="neighbour",
            received=Received(200, body=body), started=1.0 + position,
        )  # fmt: skip

    def told(after: str) -> set[str]:
        own = [replace(x, resource="id-1", role="target") for x in (look(0, "InProgress"),)]
        rows = [*own, look(0, state), call, look(1, after)]
        found = Judge(MACHINE, MACHINE.clauses).judge(Journal(MACHINE.name, Exchanges(rows)))
        return {v.clause.id for v in found.verdicts if v.word == "violated"}

    assert "MA-06" in told("Cancelled")
    assert "MA-06" not in told(state)


def test_the_ordinary_call_is_to_blame_where_no_call_is_served() -> None:
    found = violated(({}, 404), ({"identity": SCAN, "body": PLAIN}, 404))
    assert {"MA-01", "MA-07", "MA-15", "MA-28"} <= found


def test_somebody_is_to_blame_where_the_same_facts_were_served_another_time() -> None:
    facts = {"identity": SCAN, "body": PLAIN}
    assert violated(({}, 200), (facts, 200), (facts, 403)) == {"MA-15", "MA-28"}
    assert "MA-01" in violated(({}, 200), ({}, 403))


def test_what_is_refused_and_served_is_held_against_its_clause_whatever_else_met() -> None:
    found = violated(
        ({}, 200), ({"identity": "anonymous"}, 401),
        ({"identity": "anonymous", "state": "InProgress", "transfer": "chunked"}, 200),
    )  # fmt: skip
    assert found == {"MA-21"}


def test_a_refusal_tells_nothing_good_of_the_facts_beside_it() -> None:
    found = violated(
        ({}, 200), ({"identity": "anonymous", "transfer": "chunked"}, 401),
        ({"transfer": "chunked", "identity": SCAN}, 403), ({"identity": SCAN}, 200),
    )  # fmt: skip
    assert found == {"MA-54"}


CHUNKS_REFUSED: tuple[Call, Call] = (({}, 200), ({"transfer": "chunked"}, 411))


def test_a_form_that_no_call_is_served_in_is_to_blame_for_a_wrong_refusal_too() -> None:
    anonymous, third = {"identity": "anonymous"}, {"identity": SCAN, "transfer": "chunked"}
    refused = ({**anonymous, "transfer": "chunked"}, 411)
    assert violated(*CHUNKS_REFUSED, (anonymous, 401), refused) == {"MA-54"}
    served = violated(*CHUNKS_REFUSED, (third, 200), (anonymous, 401), refused)
    assert served == {"MA-21", "MA-54"}, "a call in that form was served"
    other = violated(*CHUNKS_REFUSED, ({**anonymous, "transfer": "chunked"}, 400))
    assert other == {"MA-21", "MA-54"}, "that is not what the form is answered"
    assert violated(*CHUNKS_REFUSED, (anonymous, 411)) == {"MA-21", "MA-54"}, "no such form"


def test_a_form_is_not_to_blame_where_what_is_refused_takes_effect() -> None:
    done = ({"identity": "anonymous", "transfer": "chunked"}, 200)
    assert violated(*CHUNKS_REFUSED, done) == {"MA-21", "MA-54"}


def test_what_met_a_fact_that_always_fails_once_is_not_blamed_with_it() -> None:
    found = violated(
        ({}, 200),
        ({"identity": SCAN, "content_type": CHARSET}, 400),
        ({"transfer": "chunked", "content_type": CHARSET}, 400),
        ({"body": PLAIN, "content_type": CHARSET}, 400),
    )
    assert found == {"MA-45"}
    found = violated(
        ({}, 200),
        ({"identity": SCAN, "content_type": CHARSET}, 403),
        ({"identity": SCAN, "transfer": "chunked"}, 403),
        ({"identity": SCAN, "body": PLAIN}, 403),
    )
    assert found == {"MA-15"}


def test_two_facts_that_fail_each_by_itself_are_both_blamed_where_they_met_too() -> None:
    found = violated(
        ({}, 200),
        ({"identity": SCAN, "content_type": CHARSET}, 400),
        ({"identity": SCAN, "body": PLAIN}, 403),
        ({"identity": ISOLATE, "content_type": CHARSET}, 400),
        ({"body": HTML, "content_type": CHARSET}, 400),
        ({"identity": ISOLATE, "body": PLAIN}, 200), ({"body": HTML}, 200),
    )  # fmt: skip
    assert found == {"MA-15", "MA-45"}


def test_a_call_that_its_own_fact_fails_says_nothing_of_the_connection() -> None:
    reused = {"call": "reused", "identity": SCAN}
    assert "MA-55" not in violated(
        ({}, 200),
        ({"identity": SCAN, "body": PLAIN}, 403),
        ({"identity": SCAN}, 403),
        ({"body": PLAIN}, 200),
        (reused, 403),
    )
    assert "MA-55" in violated(({}, 200), ({"identity": SCAN}, 200), (reused, 403))
