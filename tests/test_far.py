"""A target that is far away: scenarios at a time, with the verdicts and the journal of one by one.

Loopback is made far by what counts as far, so that the odd servers of tests/servers can be met at
no cost of time.
"""

from __future__ import annotations

import io
import threading
from dataclasses import replace
from typing import Any

import pytest
from cancel_contracts.assignment import Options, assign, in_flight
from cancel_contracts.builtin import mock_target
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Contract
from cancel_contracts.report.plan import show
from cancel_contracts.run import pool, run
from cancel_contracts.run.pool import MOST, Pool
from cancel_contracts.targets.file import Target
from cancel_contracts.verify import Result, verify
from rich.console import Console
from servers import variants_handler as handler
from servers import variants_wire as wire
from servers.front import Front, OneAtATime, Request, Response, Stdlib10, Written
from servers.service import Service
from servers.trial import conforming, judge

CONTRACTS = [load(path) for path in shipped()]
LIMITED = next(c for c in CONTRACTS if c.quotas)


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have any answer come late enough, and no server get slower for what it is sent."""
    monkeypatch.setattr(pool, "EACH_SECONDS", 1e-5)
    monkeypatch.setattr(run, "FAR_SECONDS", 0.0)
    heard = Pool.heard
    monkeypatch.setattr(Pool, "heard", lambda self, ratio: heard(self, 1.0))


def told(result: Result) -> dict[str, Any]:
    """Return what a run says, and what it sent: ids and times left out."""
    return {
        r.contract.name: (
            {v.clause.id: (v.word, v.exercised, v.deviations) for v in r.judgement.verdicts},
            [
                (x.scenario, x.position, x.kind, x.role, x.situation, x.status)
                for x in r.journal.exchanges
                if x.situation.call != "concurrent"
            ],
            r.requests(),
        )
        for r in result.results
    }


def few(contract: Contract) -> tuple[str, ...]:
    return tuple(c.id for c in contract.clauses[::6])


@pytest.mark.slow
@pytest.mark.usefixtures("far")
def test_a_far_target_is_told_the_same_of_as_one_by_one() -> None:
    options = Options(only=tuple(id_ for c in CONTRACTS for id_ in few(c)), seed=7)
    with mock_target(CONTRACTS, quotas=False) as target:
        several = verify(CONTRACTS, target, options)
        one = verify(CONTRACTS, target, replace(options, jobs=1))
    assert told(several) == told(one)
    assert several.faults_of_the_run == ()
    looks = [x for r in several.results for x in r.journal.exchanges if x.kind == "observe"]
    assert sum(x.reused for x in looks) > len(looks) / 2


@pytest.mark.slow
@pytest.mark.usefixtures("far")
def test_a_far_target_that_is_wrong_is_told_the_same_of() -> None:
    faults = ("unknown-id-answered-200", "text-truncated", "first-final-state-cancelled")
    broken = {"MA-08", "MA-34", "MA-36", "MA-47", "MA-57"}
    only = (*broken, *few(LIMITED))  # all of them, by several jobs: tests/test_verify.py
    made = []
    for jobs in (None, 1):
        with mock_target([LIMITED], faults, quotas=False) as target:
            made.append(told(verify([LIMITED], target, Options(jobs=jobs, seed=7, only=only))))
    assert made[0] == made[1]
    words = made[0][LIMITED.name][0].items()
    assert {id_ for id_, (word, _, _) in words if word == "violated"} == broken


class Counting(Service):
    """Counts the requests under way, and holds each a little."""

    now = most = 0
    hold_seconds = 0.06

    def answer(self, request: Request) -> Response:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.stopped.wait(self.hold_seconds)
        try:
            return super().answer(request)
        finally:
            with self.lock:
                self.now -= 1


FEW = ("SA-16", "SA-19", "SA-33", "SA-23", "SA-50")


def test_several_are_under_way_and_never_more_than_the_plan_tells() -> None:
    service = conforming("SA", Counting)
    outcome = judge(service, only=FEW)
    assert outcome.exit_code == 0, str(outcome)
    assert 2 < service.most <= MOST  # type: ignore[attr-defined]


def test_a_target_that_answers_at_once_is_sent_one_request_after_the_other() -> None:
    counting = type("AtOnce", (Counting,), {"stopped": threading.Event()})
    service = conforming("SA", counting)
    service.stopped.set()
    assert judge(service, only=("SA-16",)).exit_code == 0
    assert service.most == 1  # type: ignore[attr-defined]


def test_the_plan_tells_how_many_are_under_way() -> None:
    target = Target("target.yaml", {}, "http://127.0.0.1:9/beta")
    several = assign(CONTRACTS, target, Options(profile="smoke"))

    def shown(**chosen: Any) -> str:
        console = Console(record=True, width=200, file=io.StringIO())
        show(several, console, Options(profile="smoke", **chosen))
        return next(x for x in console.export_text().splitlines() if "at a time" in x)

    assert shown().strip() == (
        "At most 16 of them are under way at a time; 1 on a target that answers at once"
    )
    assert shown(jobs=5).strip() == "At most 5 of them are under way at a time"
    states = Target("target.yaml", {"provider_states": "http://127.0.0.1:9/s"}, target.base_url)
    racing = assign(CONTRACTS, states, Options())
    assert [in_flight(racing, Options(jobs=jobs)) for jobs in (None, 1, 2, 5)] == [16, 2, 2, 5]


MANY = 30  # more than are set up ahead


class HandsOutAgain(Service):
    """Many resources, and after these two in turn."""

    made = 0

    def new_id(self) -> str:
        self.made += 1
        return handler.FIXED.format(self.made if self.made <= MANY else MANY + self.made % 2)


class LimitsWhatIsUnderWay(Counting):
    """Answers 429 where more than four requests are under way, whichever they are: so many go at
    the same time in a crowd, which would be put off again and again where fewer are let in.
    """

    hold_seconds = 0.005

    def answer(self, request: Request) -> Response:
        # Before it does anything: what the limit refuses has no effect.
        return self.limit("0") if self.now >= 4 else super().answer(request)


ODD: dict[str, tuple[type[Service], type[Front]]] = {
    "one resource per state": (handler.OneResourcePerState, Written),
    "five in turn": (handler.FiveInTurn, Written),
    "a single thread": (Service, OneAtATime),
    "one resource and a single thread": (handler.OneResource, OneAtATime),
    "HTTP/1.0": (Service, Stdlib10),
    "ends by closing": (wire.EndsByClosing, Written),
    "429 on any request": (wire.ThrottlesAll, Written),
    "429 from the handler": (wire.ThrottlesTheHandler, Written),
    "too many at once": (LimitsWhatIsUnderWay, Written),
}


@pytest.mark.slow
@pytest.mark.usefixtures("far")
@pytest.mark.parametrize("name", ODD)
def test_no_odd_server_fails_for_it(name: str) -> None:
    service, front = ODD[name]
    outcome = judge(conforming("SA", service), front)
    assert (outcome.exit_code, outcome.violated) == (0, {}), str(outcome)
    assert outcome.cancels - outcome.again <= 100


@pytest.mark.slow
@pytest.mark.usefixtures("far")
def test_a_handler_that_gives_again_what_is_in_use_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alone, times = Pool.alone, [0]

    def counted(self: Pool) -> float:
        times[0] += 1
        return alone(self)

    monkeypatch.setattr(Pool, "alone", counted)
    outcome = judge(conforming("AP", HandsOutAgain))
    assert (outcome.exit_code, outcome.violated) == (0, {}), str(outcome)
    assert times[0] >= 1
