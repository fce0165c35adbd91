"""A request that is sent again with its key is known in a plan, on the wire and in a recording."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cancel_contracts.assignment import Options
from cancel_contracts.contract.given import asked
from cancel_contracts.contract.load import load
from cancel_contracts.exchange import Received, told_by_limit
from cancel_contracts.journal import Exchanges, Journal
from cancel_contracts.judge.judge import judge
from cancel_contracts.parse import epoch
from cancel_contracts.plan.plan import make
from cancel_contracts.replay import judge_recording
from cancel_contracts.run.wait_budget import seconds_asked
from recordings import entry, har

SPEC = Path(__file__).parent / "cases" / "specs" / "payment-void.yaml"
PAYMENTS = load(SPEC)
URL = "https://payments.example/v1/payments/p-1"


def test_a_plan_sends_the_request_and_then_the_same_again() -> None:
    plan = make(PAYMENTS, PAYMENTS.clauses, "gate")
    (row,) = [s.calls for s in plan.scenarios if any(c.call == "repeated" for c in s.calls)]
    assert [call.call for call in row] == ["first", "repeated"]
    clause = PAYMENTS.clause("PV-4")
    assert clause is not None
    assert row[1] in asked(PAYMENTS, clause)


def payment(status: str, at: str | None = None) -> dict[str, Any]:
    return {"id": "p-1", "status": status, "amount": 5, "voided_at": at}


def void(status: int, at: float, key: str, body: Any) -> Any:
    return entry("POST", f"{URL}/void", status, body, at, asked={
        "Authorization": "Bearer x", "Idempotency-Key": key})  # fmt: skip


def look(at: float, body: Any) -> Any:
    return entry("GET", URL, 200, body, at)


NO = {"error": {"code": "too_late", "message": "No."}}
DONE, MOVED = payment("voided", "2024-05-01T10:00:01Z"), payment("voided", "2024-05-01T10:00:09Z")


def violated(tmp_path: Path, *entries: Any) -> list[str]:
    path = tmp_path / "t.har"
    path.write_text(har([look(0, payment("authorised")), *entries]), "utf-8")
    (judgement,) = judge_recording(path, [PAYMENTS], Options()).judgements()
    return [v.clause.id for v in judgement.verdicts if v.word == "violated"]


def test_a_recorded_retry_is_no_second_call(tmp_path: Path) -> None:
    """It is answered as before, where a second call is refused."""
    first, again = void(200, 1, "k", DONE), void(200, 20, "k", DONE)
    assert violated(tmp_path, first, look(10, DONE), again, look(30, DONE)) == []


def test_a_recorded_second_call_is_no_retry(tmp_path: Path) -> None:
    first, second = void(200, 1, "k", DONE), void(200, 20, "k2", DONE)
    assert "PV-3" in violated(tmp_path, first, look(10, DONE), second, look(30, DONE))
    refused = void(402, 20, "k2", NO)
    assert violated(tmp_path, first, look(10, DONE), refused, look(30, DONE)) == []


def test_a_recorded_retry_that_is_answered_otherwise_deviates(tmp_path: Path) -> None:
    """Why it was refused nobody tells, where it was."""
    first = void(200, 1, "k", DONE)
    for status, body, found in ((200, MOVED, ["PV-1", "PV-4"]), (402, NO, []), (500, NO, [])):
        again = void(status, 20, "k", body)
        assert violated(tmp_path, first, look(10, DONE), again, look(30, DONE)) == found


@pytest.mark.parametrize("told", ["REDACTED", "<masked>"])
def test_a_key_that_was_struck_out_tells_no_retry_from_a_second_call(
    told: str, tmp_path: Path
) -> None:
    first, again = void(200, 1, told, DONE), void(200, 20, told, MOVED)
    assert violated(tmp_path, first, look(10, DONE), again, look(30, MOVED)) == []


def test_nothing_is_said_of_a_retry_whose_first_call_nobody_saw() -> None:
    clause = PAYMENTS.clause("PV-4")
    assert clause is not None
    journal = Journal(PAYMENTS.name, Exchanges([]))
    (verdict,) = judge(PAYMENTS, journal, [clause]).verdicts
    assert verdict.word == "not-exercised"


# --- A limit --------------------------------------------------------------------------------------


def answered(status: int, **headers: str) -> Received:
    return Received(status, headers=tuple((k.replace("_", "-"), v) for k, v in headers.items()))


@pytest.mark.parametrize(
    ("received", "statuses", "limit"),
    [
        (answered(429), (429,), True),
        (answered(429), (429, 403), True),
        (answered(403), (429, 403), False),
        (answered(403, Retry_After="1"), (429, 403), True),
        (answered(403, Retry_After="1"), (429,), False),
        (answered(403, X_RateLimit_Remaining="0"), (429, 403), True),
        (answered(403, X_RateLimit_Remaining="12"), (429, 403), False),
        (answered(404, Retry_After="1"), (429, 403), False),
    ],
)
def test_another_status_tells_of_a_limit_where_it_says_so(
    received: Received, statuses: tuple[int, ...], limit: bool
) -> None:
    assert told_by_limit(received, statuses) is limit


def test_a_reset_stands_for_retry_after_beside_another_status() -> None:
    date = "Wed, 01 May 2024 10:00:00 GMT"  # 1714557600
    reset = answered(403, Date=date, X_RateLimit_Reset="1714557607")
    assert seconds_asked(reset) == 7
    assert seconds_asked(answered(403, Date=date, X_RateLimit_Reset="soon")) == 1
    assert seconds_asked(answered(429, Date=date, X_RateLimit_Reset="1714557607")) == 1
    assert seconds_asked(answered(403, Retry_After="3", X_RateLimit_Reset="1714557607")) == 3
    assert epoch("1" * 30) is None
