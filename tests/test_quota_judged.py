"""A 429 is held against a server only where nothing else explains it, and few calls show no quota."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace

import pytest
from cancel_contracts.assignment import Options
from cancel_contracts.builtin import new_key, target_of
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Quota
from cancel_contracts.exchange import Exchange, Received, Sent, Situation
from cancel_contracts.gate import decide
from cancel_contracts.journal import Exchanges, Journal
from cancel_contracts.judge.judge import Verdict, judge
from cancel_contracts.mock.server import MockServer
from cancel_contracts.verify import verify
from cancel_contracts.windows import within
from servers.front import Request, Response
from servers.service import Service
from servers.trial import conforming
from servers.trial import judge as run

pytestmark = pytest.mark.slow

CONTRACT = next(c for c in map(load, shipped()) if len(c.quotas) > 1)
MINUTE, HOUR = CONTRACT.quotas
CLAUSE = next(c for c in CONTRACT.clauses if "quota" in c.expect)
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


def call(at: float, status: int = 200, *headers: tuple[str, str], place: int = 1) -> Exchange:
    """Return a call that began at a moment: the same one again where `place` is more than one."""
    situation = Situation(state=CONTRACT.lifecycle.cancellable[0])
    sent = Sent("POST", "http://127.0.0.1/x")
    received = Received(status, headers=headers)
    number = int(at * 1000) if place == 1 else 0
    return Exchange(
        CONTRACT.name, number, place, "cancel", situation, "admin", "1", sent,
        received=received, started=at, seconds=0.01,
    )  # fmt: skip


def refused(*moments: float, after: str | None) -> list[Exchange]:
    """Return the same call, made at each moment and refused each time."""
    headers = (("Retry-After", after),) if after is not None else ()
    return [
        replace(call(at, 429, *headers, place=n), scenario=0)
        for n, at in enumerate(moments, start=1)
    ]


def verdict(calls: Iterable[Exchange], *quotas: Quota) -> Verdict:
    contract = replace(CONTRACT, quotas=quotas) if quotas else CONTRACT
    journal = Journal(contract.name, Exchanges(calls))
    (found,) = judge(contract, journal, [CLAUSE]).verdicts
    return found


def granted(count: int, seconds: float = 1.0, start: float = 0.0) -> list[Exchange]:
    return [call(start + i * seconds / max(count, 1)) for i in range(count)]


@pytest.mark.parametrize(
    ("calls", "word"),
    [
        # Few calls show nothing, many within one window do.
        (granted(1), "not-exercised"),
        (granted(2), "not-exercised"),
        (granted(33), "not-exercised"),
        (granted(34), "upheld"),
        (granted(97, 50), "upheld"),
        (granted(97, 900), "not-exercised"),
        # A limit that stands though everybody waits as told.
        (granted(4) + refused(2, 3.1, 4.2, after="1"), "violated"),
        (granted(50) + refused(2, 2.2, after="0.1"), "violated"),
        (granted(50) + refused(2, 62.1, after="60"), "violated"),
        # Nobody has waited: others may have spent it.
        (granted(50) + refused(2, after="30"), "inconclusive"),
        (granted(50) + refused(2, 3.1, after="30"), "inconclusive"),
        # Longer than the minute asks for: the hour's limit, or one that no page names.
        (granted(50) + refused(2, after="3000"), "inconclusive"),
        (granted(50) + refused(2, 70, after="61"), "inconclusive"),
        (granted(50) + refused(2, 3.1, 4.2, after=None), "inconclusive"),
        (granted(50) + refused(2, 3.1, 4.2, after="soon"), "inconclusive"),
        # The same call was served in the end.
        (granted(50) + refused(2, 3.1, after="1") + [call(5)], "upheld"),
        # Spent: by the minute, and by the hour though each minute has room.
        (granted(100) + refused(2, 3.1, 4.2, after="1"), "upheld"),
        (granted(1500, 1600) + refused(1601, 1602.1, after="1"), "upheld"),
        # Nothing was granted: credentials, or a quota that others have spent.
        (refused(1, 2.1, 3.2, after="1"), "inconclusive"),
    ],
)  # fmt: skip
def test_what_a_429_is_held_to_be(calls: list[Exchange], word: str) -> None:
    found = verdict(calls)
    assert found.word == word, found.reason
    if word == "not-exercised":
        assert found.conditional, "nobody can demand more calls: it is no gap"
    if word == "inconclusive" and calls[0].status == 200:
        assert "another limit, or other callers, may be behind it" in str(found.reason)


def test_a_date_is_read_by_the_clock_of_the_answer() -> None:
    later = "Sun, 06 Nov 1994 08:49:38 GMT"
    headers = (("Retry-After", later), ("Date", DATE))
    again = [
        replace(call(at, 429, *headers, place=n), scenario=0) for n, at in ((1, 2.0), (2, 3.1))
    ]
    assert verdict(granted(50) + again).word == "violated"
    undated = [replace(x, received=Received(429, headers=headers[:1])) for x in again]
    assert verdict(granted(50) + undated).word == "inconclusive"


@pytest.mark.parametrize("quotas", [(MINUTE, HOUR), (HOUR, MINUTE)])
def test_the_order_of_the_windows_does_not_matter(quotas: tuple[Quota, ...]) -> None:
    assert verdict(granted(97), *quotas).word == "upheld"
    assert verdict(granted(50) + refused(2, 3.1, after="1"), *quotas).word == "violated"
    assert verdict(granted(50) + refused(2, after="3000"), *quotas).word == "inconclusive"


def test_a_window_ends_where_it_says() -> None:
    assert within([], 60) == []
    assert within([0, 0, 59.9, 60, 119], 60) == [1, 2, 3, 2, 3]


# --- The same on servers --------------------------------------------------------------------------


class HourIsSpent(Service):
    """Grants what is left of the hour, and then says when the next one begins."""

    room, after = 20, "2700"

    def post(self, request: Request, id_: str) -> Response:
        return self.limit(self.after) if self.calls > self.room else super().post(request, id_)


@pytest.mark.parametrize(("room", "after"), [(20, "2700"), (60, "61"), (5, "3600")])
def test_the_hours_limit_is_not_taken_for_the_minutes(room: int, after: str) -> None:
    outcome = run(conforming("MA", HourIsSpent, room=room, after=after))
    assert (outcome.exit_code, outcome.violated) == (4, {}), str(outcome)
    assert "429" in outcome.open[CLAUSE.id]


def test_the_mock_kept_running_never_fails_its_own_suite() -> None:
    """As at the 23rd run within an hour: the hour is all but spent, the minute is not."""
    key = new_key()
    with MockServer([CONTRACT], key=key) as server:
        window = server._app.desks[CONTRACT.name].window
        now = time.monotonic()
        for number in range(HOUR.calls - 40):
            assert window.ask(now - 1800 + number) is None
        result = verify([CONTRACT], target_of(server, [CONTRACT], key), Options())
    outcome = decide(result.judgements())
    words = {v.clause.id: v.word for j in result.judgements() for v in j.verdicts}
    assert outcome.exit_code == 4, outcome.sentence
    assert "violated" not in words.values()
    assert words[CLAUSE.id] == "inconclusive"


def test_one_call_upholds_no_quota() -> None:
    outcome = run(conforming("MA"), only=[CLAUSE.id])
    assert (outcome.exit_code, outcome.violated, outcome.open) == (0, {}, {})
    assert CLAUSE.id not in outcome.upheld
    assert CLAUSE.id in run(conforming("MA")).upheld, "a whole gate does"
