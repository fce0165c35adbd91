"""A clock that goes wrong, ours or the target's: minted tokens are what their names say by both."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from cancel_contracts.exchange import Received
from cancel_contracts.identity import clock as clocks
from cancel_contracts.identity.clock import LIFETIME_SECONDS, Clock
from hypothesis import given
from hypothesis import strategies as st
from servers import tokens as servers_tokens
from servers.front import Request, Response
from servers.service import Service
from servers.trial import conforming, judge

HOUR = 3600.0
ONLY = ("MA-07", "MA-21", "MA-34")  # the ordinary call, who is refused, an id that names nothing


def answer(moment: float) -> Received:
    date = datetime.fromtimestamp(moment, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    return Received(200, headers=(("Date", date),))


@given(ahead=st.integers(-86_000, 86_000), heard=st.booleans())
def test_times_hold_by_both_clocks(ahead: int, heard: bool) -> None:
    ours = 1_800_000_000.0
    clock = Clock(lambda: ours)
    if heard:
        clock.learn(answer(ours + ahead))
    elif abs(ahead) > clocks.MARGIN_SECONDS:
        return
    for now in (ours, ours + ahead):
        ordinary = clock.times("admin")
        assert ordinary["iat"] <= ordinary["nbf"] <= now < ordinary["exp"] - LIFETIME_SECONDS / 2
        assert clock.times("expired")["exp"] < now
        assert clock.times("not-yet-valid")["nbf"] > now
        assert clock.times("not-yet-valid")["exp"] > clock.times("not-yet-valid")["nbf"]


@pytest.mark.parametrize(
    ("ahead", "told"),
    [(0.0, None), (200.0, None), (-200.0, None), (5400.0, "90 minutes ahead of ours"),
     (-5400.0, "90 minutes behind ours"), (5e8, "it is not heeded"), (-5e8, "it is not heeded")],
)  # fmt: skip
def test_a_clock_that_differs_is_told_once(ahead: float, told: str | None) -> None:
    clock = Clock(lambda: 1_800_000_000.0)
    said = clock.learn(answer(1_800_000_000.0 + ahead))
    assert (said is None) == (told is None)
    assert told is None or (said and told in said)
    assert clock.learn(answer(1_900_000_000.0)) is None


@pytest.mark.parametrize("date", [None, "yesterday", "Mon, 01 Jan 20240000000 00:00:00 GMT"])
def test_an_answer_without_a_date_tells_nothing(date: str | None) -> None:
    clock = Clock(lambda: 0.0)
    headers = () if date is None else (("Date", date),)
    assert clock.learn(Received(200, headers=headers)) is None
    assert clock.learn(None) is None
    assert clock.ahead == 0.0


class Skewed(Service):
    """Has a clock of its own, and says so in each Date."""

    ahead = 0.0
    date: str | None = None

    def answer(self, request: Request) -> Response:
        response = super().answer(request)
        moment = datetime.fromtimestamp(time.time() + self.ahead, UTC)
        date = self.date or moment.strftime("%a, %d %b %Y %H:%M:%S GMT")
        kept = tuple(pair for pair in response.headers if pair[0].lower() != "date")
        return Response(response.status, response.body, (*kept, ("Date", date)))


@pytest.mark.parametrize("ahead", [-1.5 * HOUR, 1.5 * HOUR, -11 * HOUR, 11 * HOUR])
def test_a_conforming_server_passes_whatever_its_clock(
    ahead: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = time.time

    class Theirs:
        time = staticmethod(lambda: ours() + ahead)

    monkeypatch.setattr(servers_tokens, "time", Theirs)
    outcome = judge(conforming("MA", Skewed, ahead=ahead), only=ONLY)
    assert outcome.exit_code == 0, outcome


@pytest.mark.parametrize("date", ["Mon, 01 Jan 2024 00:00:00 GMT", "no date"])
def test_a_date_that_stands_still_is_no_clock(date: str) -> None:
    assert judge(conforming("MA", Skewed, date=date), only=ONLY).exit_code == 0
