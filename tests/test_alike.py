"""What is told of one resource is told of any, in whatever form a vendor writes its errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from cancel_contracts.contract.given import asked
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.exchange import Exchange, Received, Sent, Situation
from cancel_contracts.journal import Exchanges, Journal
from cancel_contracts.judge.judge import judge

CONTRACT, CLAUSE = next(
    (contract, clause)
    for contract in map(load, shipped())
    for clause in contract.clauses
    if "message" in clause.expect.get("alike", ()) and clause.given.get("identity") == "anonymous"
)
JSON = (("Content-Type", "application/json"),)
Write = Callable[[str], Any]


Fields = tuple[tuple[str, str], ...]


def refused(number: int, error: Any, situation: Situation, fields: Fields = ()) -> Exchange:
    return Exchange(
        CONTRACT.name, number, 1, "cancel", situation, "anonymous", f"{number}-of-its-own",
        Sent("POST", f"http://127.0.0.1/{number}"),
        received=Received(401, headers=(*JSON, *fields), body=json.dumps(error).encode()),
        started=float(number), seconds=0.01,
    )  # fmt: skip


def word(write: Write, known: str, unknown: str) -> str:
    """Return the verdict where the anonymous are told so of what exists, and of what does not."""
    calls = [
        refused(n, write((unknown if s.resource == "unknown" else known).format(n)), s)
        for n, s in enumerate(asked(CONTRACT, CLAUSE), start=1)
    ]
    (found,) = judge(CONTRACT, Journal(CONTRACT.name, Exchanges(calls)), [CLAUSE]).verdicts
    return found.word


FORMS: dict[str, Write] = {
    "an envelope": lambda text: {"error": {"code": "Unauthorized", "message": text}},
    "no envelope": lambda text: {"message": text, "documentation_url": "https://docs.example"},
    "a message of parts": lambda text: {
        "code": "Unauthorized", "message": {"lang": "en-us", "value": text},
    },
    "parts in an envelope": lambda text: {"error": {"message": {"lang": "en-us", "value": text}}},
    "an error that is a text": lambda text: {"error": "unauthorized", "message": text},
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_message_that_tells_what_exists_is_seen_in_each_form(form: str) -> None:
    assert word(FORMS[form], "Sign in.", "Sign in.") == "upheld"
    assert word(FORMS[form], "Sign in to cancel it.", "There is nothing here.") == "violated"


@pytest.mark.parametrize("form", FORMS)
def test_the_id_of_a_call_is_its_own(form: str) -> None:
    """Each call is told its own id: that is no difference."""
    said = "No token for {}-of-its-own."
    assert word(FORMS[form], said, said) == "upheld"


def headers(*of_each: Fields) -> str:
    """Return the verdict where the calls are answered with these fields beside, one after the other."""
    calls = [
        refused(
            n,
            {"error": {"code": "Unauthorized", "message": "Sign in."}},
            s,
            of_each[n % len(of_each)],
        )
        for n, s in enumerate(asked(CONTRACT, CLAUSE))
    ]
    (found,) = judge(CONTRACT, Journal(CONTRACT.name, Exchanges(calls)), [CLAUSE]).verdicts
    return found.word


STATES = CONTRACT.lifecycle.states


@pytest.mark.parametrize(
    "fields",
    [
        [(("X-State", STATES[0]),), (("X-State", "none"),)],
        [
            (("X-Resource", f"it is {STATES[0].upper()};"),),
            (("X-Resource", f"it is {STATES[-1]}"),),
        ],
        [(("X-Owner", "me"),), ()],
    ],
)
def test_a_field_that_tells_what_exists_or_its_state_is_seen(fields: list[Fields]) -> None:
    assert headers(*fields) == "violated"


@pytest.mark.parametrize(
    "fields",
    [
        [(("X-Stage", STATES[0]),)],  # the server's own, throughout
        [(("X-Node", "blue"),), (("X-Node", "green"),)],
        [(("X-RateLimit-Remaining", "3"), ("Set-Cookie", "a=b")), ()],
        [(("Date", "Thu, 26 Nov 2026 21:00:00 GMT"), ("X-Request-Id", "1")), (("X-Runtime", "1"),)],
    ],
)
def test_a_field_of_the_server_or_of_the_moment_tells_nothing(fields: list[Fields]) -> None:
    assert headers(*fields) == "upheld"
