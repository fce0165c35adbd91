"""What `responses` documents of a status is held against the answer, and nothing else is.

On small servers that share nothing with the package: a conforming one, odd ones that conform as
well, and wrong ones, each of which a clause catches.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cancel_contracts import gate
from cancel_contracts.assignment import Options
from cancel_contracts.contract.load import load
from cancel_contracts.contract.model import Contract
from cancel_contracts.exchange import Received
from cancel_contracts.judge.documented import body_problem, header_problem
from cancel_contracts.targets.file import Target
from cancel_contracts.verify import verify
from servers.booths import JSON, PROBLEM, STATES, Answer, Booth, Orders, Payments, Tickets, served

pytestmark = pytest.mark.slow

SPECS = Path(__file__).parent / "cases" / "specs"
ORDERS, TICKETS = load(SPECS / "order-cancel.yaml"), load(SPECS / "ticket-revoke.yaml")
PAYMENTS = load(SPECS / "payment-void.yaml")


class Spent(Tickets):
    def cancel(self, id_: str) -> str:
        return "limit" if self.headers.get("Authorization") else "token"


QUICK = Options(effect_seconds=0.1, sweep_seconds=0.0)
TICKET_TOKENS: dict[str, Any] = {
    "identities": {
        "admin": {"token": "token-of-admin-0"},
        "user": {"token": "token-of-user-00"},
        "other-user": {"token": "token-of-other-0"},
        "throttled": {"token": "token-of-the-hasty"},
    }
}
SOURCES: dict[type[Booth], dict[str, Any]] = {
    Orders: {"identities": {"admin": {"token": Orders.token}}},
    Spent: TICKET_TOKENS,
    Payments: {"identities": {"admin": {"token": Payments.token}}},
    Tickets: TICKET_TOKENS,
}


def judged(
    contract: Contract, kind: type[Booth], wrong: Mapping[str, Answer] | None = None,
    odd: tuple[str, ...] = (), **own: Any,
) -> tuple[set[str], int]:  # fmt: skip
    """Return the clauses that a service violates, and the exit code."""
    server = served(kind, wrong, odd, **own)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        raw = {"provider_states": url + STATES, **SOURCES[kind]}
        result = verify([contract], Target("target.yaml", raw, url), QUICK, environ={})
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    judgements = result.judgements()
    violated = {v.clause.id for j in judgements for v in j.verdicts if v.word == "violated"}
    return violated, gate.decide(judgements).exit_code


def test_small_services_conform() -> None:
    assert judged(ORDERS, Orders) == (set(), 0)
    assert judged(TICKETS, Tickets) == (set(), 0)


ODD: dict[str, Mapping[str, Answer]] = {
    "a type in capitals": {"done": (202, ("Content-Type: APPLICATION/JSON", "location: /o"), b"{}")},
    "blanks in the object": {"done": (202, (JSON, "Location: /orders/1"), b" {\r\n} ")},
    "a problem with members of its own": {
        "final": (422, (PROBLEM,), b'{"type":"about:blank","title":"No","status":422,"more":[]}')
    },
    "other words": {"unknown": (404, ("Content-Type: text/plain",), "No … here.".encode())},
    "a problem that says where": {"token": (401, (PROBLEM,), (
        b'{"type": "about:blank", "title": "x", "status": 401, "instance": "/orders/{id}"}'))},
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_what_is_told_otherwise_and_fits_is_no_deviation(name: str) -> None:
    assert judged(ORDERS, Orders, ODD[name]) == (set(), 0)


WRONG: dict[str, tuple[Mapping[str, Answer], str]] = {
    "a member too many": ({"done": (202, (JSON, "Location: /o"), b'{"a": 1}')}, "OR-1"),
    "an array": ({"done": (202, (JSON, "Location: /o"), b"[]")}, "OR-1"),
    "nothing": ({"done": (202, ("Location: /o",), b"")}, "OR-1"),
    "no JSON": ({"done": (202, (JSON, "Location: /o"), b"{")}, "OR-1"),
    "another type": ({"done": (202, ("Content-Type: text/html", "Location: /o"), b"{}")}, "OR-1"),
    "no type": ({"done": (202, ("Location: /o",), b"{}")}, "OR-1"),
    "no Location": ({"done": (202, (JSON,), b"{}")}, "OR-1"),
    "another Location": ({"done": (202, (JSON, "Location: orders"), b"{}")}, "OR-1"),
    "another code for what is final": ({"final": (409, (PROBLEM,), b"{}")}, "OR-2"),
    "a problem without its title": (
        {"final": (422, (PROBLEM,), b'{"type": "about:blank", "status": 422}')}, "OR-2",
    ),
    "a problem of a type that is none": (
        {"final": (422, (PROBLEM,), b'{"type": "no", "title": "x", "status": 422}')}, "OR-2",
    ),
    "a problem that says it is JSON": (
        {"final": (422, (JSON,), b'{"type": "about:blank", "title": "x", "status": 422}')}, "OR-2",
    ),
    "JSON for words": ({"unknown": (404, (JSON,), b'{"error": "No order"}')}, "OR-3"),
    "words that are others": (
        {"unknown": (404, ("Content-Type: text/plain",), b"Nothing here")}, "OR-3",
    ),
    "a login page": ({"token": (401, ("Content-Type: text/html",), b"<p>Log in")}, "OR-4"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_a_deviation(name: str) -> None:
    wrong, clause = WRONG[name]
    assert judged(ORDERS, Orders, wrong) == ({clause}, 1)


def test_an_owner_cancels_without_a_body_and_nobody_elses() -> None:
    assert judged(TICKETS, Tickets, odd=("anybody",)) == ({"TR-6"}, 1)
    refused = {"done": (200, (JSON,), b'{"id": "{id}", "revoked": false}')}
    assert judged(TICKETS, Tickets, refused) == ({"TR-1", "TR-5"}, 1)


def test_a_spent_quota_is_told_by_its_documented_code() -> None:
    """Nothing was judged of a server that refuses every call by its limit."""
    limit = (403, (JSON, "Retry-After: 3600"), b'{"message": "Slow down"}')
    for answer in (limit, (429, *limit[1:])):
        assert judged(TICKETS, Spent, {"limit": answer}) == (set(), 4)


def test_a_limit_is_told_by_its_documented_code() -> None:
    """A call that the limit refuses is made again; as an ordinary refusal it would be judged."""
    assert judged(TICKETS, Tickets, granted=4) == (set(), 0)
    nothing_left = (403, (JSON, "x-ratelimit-remaining: 0"), b'{"message": "Slow down"}')
    violated, code = judged(TICKETS, Tickets, {"limit": nothing_left}, granted=4)
    assert (violated, code) == ({"TR-8"}, 1), "no Retry-After"
    plain = (403, (JSON,), b'{"message": "Slow down"}')
    violated, code = judged(TICKETS, Tickets, {"limit": plain}, granted=4)
    assert violated - {"TR-8"}, "an ordinary refusal of somebody who may"
    assert code == 1
    other = (429, (JSON, "Retry-After: 1"), b'{"message": "Slow down"}')
    assert judged(TICKETS, Tickets, {"limit": other}) == ({"TR-8"}, 1)


# --- A request that is sent again -----------------------------------------------------------------


@pytest.mark.parametrize("odd", [(), ("marked",), ("respelled", "marked")])
def test_a_repeated_request_may_be_answered_from_memory(odd: tuple[str, ...]) -> None:
    assert judged(PAYMENTS, Payments, odd=odd) == (set(), 0)


LOOKS_VOIDED = b'{"id": "p", "status": "voided", "amount": 700, "voided_at": null}'
REPEATS: dict[str, tuple[Mapping[str, Answer], tuple[str, ...]]] = {
    "taken for a new one": ({}, ("forgets",)),
    "done again": ({}, ("performs",)),
    "undone": ({}, ("undoes",)),
    "answered 409": ({"again": (409, (JSON,), b'{"error": {"code": "", "message": ""}}')}, ()),
    "answered 201": ({"again": (201, (JSON,), LOOKS_VOIDED)}, ()),
    "answered with another's": ({"again": (200, (JSON,), LOOKS_VOIDED)}, ()),
    "answered with nothing": ({"again": (200, (), b"")}, ()),
}


@pytest.mark.parametrize("name", REPEATS)
def test_a_repeated_request_is_answered_as_before_and_done_once(name: str) -> None:
    wrong, odd = REPEATS[name]
    violated, code = judged(PAYMENTS, Payments, wrong, odd)
    assert "PV-4" in violated
    assert code == 1


# --- One answer -----------------------------------------------------------------------------------


def received(status: int, body: bytes = b"", **headers: str) -> Received:
    lines = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Received(status, headers=lines, body=body)


def responses(**rows: Any) -> Contract:
    """Return a contract with other responses."""
    document = {**ORDERS.document, "paths": {**ORDERS.document["paths"]}}
    codes = {code.lstrip("_"): row for code, row in rows.items()}
    document["paths"][ORDERS.path] = {"post": {"responses": codes}}
    return replace(ORDERS, document=document)


TEXT = {"content": {"text/plain": {"schema": {"type": "string", "maxLength": 3}}}}
NUMBER = {"content": {"application/json": {"schema": {"type": "integer"}}}}


@pytest.mark.parametrize(
    ("rows", "answer", "problem"),
    [
        ({"_200": NUMBER}, received(200, b"1", content_type="application/json"), None),
        ({"_200": NUMBER}, received(200, b"1", content_type="application/vnd.a+json"), "documented"),
        ({"_2XX": NUMBER}, received(204), None),
        ({"_200": NUMBER, "_201": TEXT}, received(201, b"abcd", content_type="text/plain"), "201"),
        ({"_200": NUMBER, "default": TEXT}, received(201, b"1"), ""),
        ({"default": NUMBER}, received(201, b"x", content_type="application/json"), "no UTF-8"),
        ({"_200": NUMBER, "default": TEXT}, received(404, b"abcd", content_type="text/plain"), "404"),
        ({"_200": NUMBER, "_4XX": TEXT}, received(500, b"abcd"), ""),
        ({"_200": {"description": "nothing"}}, received(200, b"x"), "none documented"),
        ({"_200": {"description": "nothing"}}, received(200), None),
        ({"_404": {"description": "not found"}}, received(404, b"whatever"), ""),
        ({"_404": {"content": {}}}, received(404, b"whatever"), "none documented"),
        ({"_200": {"content": {"text/*": {}}}}, received(200, b"x", content_type="text/csv"), None),
        ({"_200": {"content": {"*/*": {}}}}, received(200, b"\xff"), None),
        ({"_200": {"content": {"image/png": {}}}}, received(200, b"x", content_type="image/png"), None),
    ],
)  # fmt: skip
def test_the_row_of_its_status_and_media_type_decides(
    rows: dict[str, Any], answer: Received, problem: str | None
) -> None:
    told = body_problem(responses(**rows), answer)
    assert told == problem if not problem else problem in str(told)


def header(schema: Any, required: bool = True) -> dict[str, Any]:
    return {"headers": {"X-Left": {"required": required, "schema": schema}}}


@pytest.mark.parametrize(
    ("row", "answer", "problem"),
    [
        (header({"type": "integer"}), received(200, x_left="7"), None),
        (header({"type": "integer"}), received(200, X_LEFT="7.5"), "X-Left"),
        (header({"type": "integer"}), received(200), "X-Left is missing"),
        (header({"type": "string", "pattern": "^[0-9]$"}), received(200, x_left="7"), None),
        (header({"type": "array", "minItems": 2}), received(200, x_left="a, b"), None),
        (header({"type": "boolean"}), received(200, x_left="yes"), "X-Left"),
        (header({"type": "integer"}, required=False), received(200), ""),
        ({"headers": {"Content-Type": {"required": True}}}, received(200), ""),
        (header({"type": "integer"}), received(404), ""),
    ],
)
def test_a_required_header_field_is_there_and_fits(
    row: dict[str, Any], answer: Received, problem: str | None
) -> None:
    told = header_problem(responses(_200=row), answer)
    assert told == problem if not problem else problem in str(told)
