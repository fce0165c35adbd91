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


def refused(number: int, error: Any, situation: Situation) -> Exchange:
    return Exchange(
        CONTRACT.name, number, 1, "cancel", situation, "anonymous", f"{number}-of-its-own",
        Sent("POST", f"http://127.0.0.1/{number}"),
        received=Received(401, headers=JSON, body=json.dumps(error).encode()),
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
