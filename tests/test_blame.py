"""Where facts meet in a call that deviates, the smallest set of them that explains it is blamed."""

from __future__ import annotations

from typing import Any

from cancel_contracts.contract.load import load, shipped
from cancel_contracts.exchange import Exchange, Form, Received, Sent, Situation
from cancel_contracts.journal import Exchanges, Journal
from cancel_contracts.judge.judge import Judge

MACHINE = load(next(path for path in shipped() if path.stem == "machine-action"))
SCAN, ISOLATE = "application:Machine.Scan", "application:Machine.Isolate"
PLAIN, HTML = (
    Form("json", '{"Comment": "plain {unique}"}'),
    Form("json", '{"Comment": "2024-01-01T00:00:00Z"}'),
)
CHARSET = "application/json; charset=utf-8"
STATUS_ONLY = ("MA-01", "MA-07", "MA-15", "MA-16", "MA-28", "MA-45", "MA-54", "MA-68", "MA-21")


def violated(*calls: tuple[dict[str, Any], int]) -> set[str]:
    """The clauses about statuses that are violated by calls with these facts and answers."""
    exchanges = [
        Exchange(
            contract=MACHINE.name, scenario=number, position=1, kind="cancel",
            situation=Situation(**{"state": "Pending", **facts}), identity="admin",
            resource=f"id-{number}", sent=Sent("POST", "http://127.0.0.1/"),
            received=Received(status), started=float(number),
        )
        for number, (facts, status) in enumerate(calls, 1)
    ]  # fmt: skip
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
