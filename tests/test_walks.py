"""Walks: histories that no planned chain has, judged as the plan's calls are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from cancel_contracts import gate
from cancel_contracts.assignment import Options
from cancel_contracts.exchange import Exchange
from cancel_contracts.plan.plan import make
from cancel_contracts.verify import Result, verify
from sampling import only_of_all
from servers.front import Front, OneAtATime, Request, Response, Written
from servers.pages import PAGES
from servers.service import Call, Service
from servers.trial import conforming, contract_of, target_of
from servers.variants_effect import OneSecondLate
from servers.variants_habits import OthersBeginToRun
from servers.variants_wire import AlwaysCloses
from shares import explored

ONLY = (
    "MA-01",
    "MA-05",
    "MA-06",
    "MA-07",
    "MA-15",
    "MA-19",
    "MA-21",
    "MA-22",
    "MA-24",
    "MA-39",
    "MA-68",
    "MA-69",
)
CALLS = 180
FOUND_CALLS = 150  # of which the plan for two clauses that ask for little leaves 140 to walks


class PutBringsBack(Service):
    """PUT on what is cancelled puts it back, and is answered 405."""

    def other_method(self, request: Request, id_: str) -> Response:
        resource = self.find(id_)
        if request.method == "PUT" and resource and resource.state == self.page.cancelled:
            resource.state = self.page.cancellable[0]
        return super().other_method(request, id_)


class BadBodyStrikesTheOther(Service):
    """A body that does not fit, on what is cancelled, cancels something else. Not so where the
    comment is a number: that the gate meets.
    """

    def refused(self, call: Call, refusal: Response) -> Response:
        resource = self.find(call.id)
        if (
            refusal.status == self.body_status
            and b": 42" not in call.request.body
            and resource
            and resource.state == self.page.cancelled
        ):
            for other in [r for r in self.resources.values() if self.cancellable(r.state)][-1:]:
                self.cancel(other, call)
        return super().refused(call, refusal)


class TextBringsBack(Service):
    """What is no JSON puts back what is cancelled."""

    def refused(self, call: Call, refusal: Response) -> Response:
        resource = self.find(call.id)
        done = resource is not None and resource.state == self.page.cancelled
        if refusal.status == self.content_status and resource and done:
            resource.state = self.page.cancellable[0]
        return super().refused(call, refusal)


@pytest.fixture
def mostly_walks() -> Iterator[None]:
    """Have most calls walk."""
    with explored(properties=0.0):
        yield


def run(service: Service, front: type[Front] = Written, **options: Any) -> Result:
    contract = contract_of(service.page)
    asked: dict[str, Any] = {"profile": "deep", "max_requests": CALLS, "only": ONLY, **options}
    with front(service) as running:
        try:
            target = target_of(service, running.url)
            return verify([contract], target, Options(**asked), environ={})
        finally:
            service.stopped.set()


def walked(result: Result) -> list[Exchange]:
    """Return the calls on resources that lived through many kinds of them."""
    exchanges = result.results[0].journal.exchanges
    return [x for x in exchanges if x.kind == "cancel" and x.position > 1]


@pytest.mark.slow
@pytest.mark.usefixtures("mostly_walks")
@pytest.mark.parametrize(
    ("kind", "only"),
    [
        (PutBringsBack, ("MA-05", "MA-39")),
        (BadBodyStrikesTheOther, ("MA-24", "MA-152")),
        (TextBringsBack, ("MA-22", "MA-39")),
    ],
)
def test_what_takes_a_history_is_found(kind: type[Service], only: tuple[str, ...]) -> None:
    contract = contract_of(PAGES["MA"])
    clauses = [clause for clause in contract.clauses if clause.id in only]
    planned_for = make(contract, clauses, "deep", max_requests=FOUND_CALLS)
    assert planned_for.walk_calls > 0.9 * FOUND_CALLS, "what is found a walk finds"
    # What is drawn also depends on which modules are loaded: Hypothesis tries their constants.
    runs = (
        run(conforming("MA", kind), seed=seed, only=only, max_requests=FOUND_CALLS)
        for seed in range(4)
    )
    assert any(gate.decide(result.judgements()).exit_code == 1 for result in runs)


@pytest.mark.slow
def test_what_takes_a_history_is_not_met_by_a_gate() -> None:
    """None of the three, which stand in each other's way nowhere."""
    every = type("Every", (PutBringsBack, BadBodyStrikesTheOther, TextBringsBack), {})
    planned = run(conforming("MA", every), profile="gate", only=())
    assert gate.decide(planned.judgements()).exit_code == 0


@pytest.mark.slow
@pytest.mark.usefixtures("mostly_walks")
@pytest.mark.parametrize(
    ("kind", "front"),
    [
        (Service, OneAtATime),
        (type("LateAndCloses", (OneSecondLate, AlwaysCloses), {}), Written),
        (OthersBeginToRun, Written),
    ],
)
def test_a_conforming_server_passes(kind: type[Service], front: type[Front]) -> None:
    result = run(conforming("MA", kind), front)
    outcome = gate.decide(result.judgements())
    assert outcome.exit_code == 0, outcome.sentence
    assert result.results[0].requests()["cancel"] <= CALLS
    assert len({x.situation for x in walked(result)}) > 10


@pytest.mark.slow
@pytest.mark.usefixtures("mostly_walks")
@pytest.mark.parametrize(("short", "calls"), [("SA", 260), *only_of_all(("AP", 400))])
def test_it_passes_on_every_contract(short: str, calls: int) -> None:
    result = run(conforming(short), only=(), max_requests=calls, seed=1)
    outcome = gate.decide(result.judgements())
    assert outcome.exit_code == 0, outcome.sentence
