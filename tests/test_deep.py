"""What `deep` adds: a deviation that no planned call meets is found, and shown at its smallest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cancel_contracts import gate
from cancel_contracts.assignment import Options
from cancel_contracts.builtin import mock_target
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.exchange import Form, Situation
from cancel_contracts.run import deep, strategies
from cancel_contracts.run.draw import Drawing, one_segment
from cancel_contracts.run.run import Run
from cancel_contracts.run.shrink import Budget
from cancel_contracts.run.walk import Walker
from cancel_contracts.verify import Result, verify
from servers.faults_state import NeighbourCancelledToo
from servers.front import Request, Response, Written
from servers.pages import PAGES
from servers.service import Call, Service
from servers.trial import conforming, contract_of, target_of
from shares import explored

pytestmark = pytest.mark.slow

CALLS = 200
SEED = 1  # of tests that do not mind: what is drawn by it is drawn once


class ChokesOnLists(Service):
    """Answers 500 where a body holds a list without a text, whatever its name: no page speaks of
    one.
    """

    def check_content(self, call: Call) -> Response | None:
        refusal = super().check_content(call)
        document = call.document
        if isinstance(document, dict) and any(map(self.chokes, document.values())):
            if document.get("Comment") and not isinstance(document["Comment"], list):
                return Response(500, b"")
        return refusal

    @staticmethod
    def chokes(value: Any) -> bool:
        return isinstance(value, list) and not any(isinstance(item, str) for item in value)


def run(service: Service, **options: Any) -> Result:
    contract = contract_of(service.page)
    chosen = Options(effect_seconds=1.0, **options)
    with Written(service) as front:
        try:
            return verify([contract], target_of(service, front.url), chosen, environ={})
        finally:
            service.stopped.set()


@pytest.fixture
def mostly_drawn() -> Iterator[None]:
    """Have most calls drawn."""
    with explored(properties=1.0):
        yield


def test_contracts_that_are_explored_at_once_do_not_disturb_each_other() -> None:
    """Up to Python 3.11.9 two threads that parse at once may end in a SystemError: most runs did."""
    strategies.bodies.cache_clear()  # each is to fill its pools
    contracts = [load(path) for path in shipped()]
    # One clause of the matrix each, so that the calls go into what is explored.
    few = ("MA-48", "SA-40", "AP-62")
    chosen = Options(profile="deep", max_requests=60, jobs=3, seed=SEED, only=few)
    with mock_target(contracts, quotas=False) as target:
        result = verify(contracts, target, chosen)
    assert gate.decide(result.judgements()).exit_code == 0
    assert [row.requests()["cancel"] for row in result.results] == [60] * 3
    assert not result.crashes


@pytest.mark.usefixtures("mostly_drawn")
def test_a_body_that_no_page_names_is_found_and_shrunk() -> None:
    planned = run(conforming("MA", ChokesOnLists))
    assert gate.decide(planned.judgements()).exit_code == 0, "the gate does not meet it"
    # One clause alone, so that the calls go into what is drawn.
    asked: dict[str, Any] = {"profile": "deep", "max_requests": CALLS, "only": ("MA-48",)}
    result = run(conforming("MA", ChokesOnLists), **asked)
    assert gate.decide(result.judgements()).exit_code == 1
    verdicts = {v.clause.id: v for v in result.judgements()[0].verdicts}
    assert verdicts["MA-48"].word == "violated"
    smallest = json.loads(verdicts["MA-48"].violations[0].exchange.sent.body)
    assert len(smallest) == 2, smallest
    assert smallest["Comment"], smallest
    assert [] in smallest.values(), smallest
    broken = [x.exchange for verdict in verdicts.values() for x in verdict.violations]
    assert {exchange.status for exchange in broken} == {500}, "nothing else is found wrong"
    assert result.results[0].requests()["cancel"] <= CALLS


class TellsOwnersNothing(Service):
    """Whoever is no administrator is told alike of what is another's and of what is nobody's."""

    def check_existence(self, call: Call) -> Response | None:
        refusal = super().check_existence(call)
        if refusal is not None and not call.caller.admin:
            return self.refuse(403, "Forbidden", "You may cancel requests of your own.")
        return refusal


def test_to_an_owner_an_unknown_id_may_be_forbidden() -> None:
    result = run(
        conforming("AP", TellsOwnersNothing),
        profile="deep",
        max_requests=100,
        seed=SEED,
        only=("AP-35", "AP-25", "AP-20"),
    )
    outcome = gate.decide(result.judgements())
    assert outcome.exit_code == 0, outcome.sentence
    told = result.results[0].journal.exchanges
    unknown = [x for x in told if x.kind == "cancel" and x.situation.resource == "unknown"]
    assert 403 in {x.status for x in unknown if x.situation.identity == "user"}


class PerformsAndAsksToWait(Service):
    """Cancels and answers that the limit is reached, three times in a row: each of these calls is
    made again, and on a resource that no plan has foreseen.
    """

    def post(self, request: Request, id_: str) -> Response:
        answer = super().post(request, id_)
        return self.limit("0") if self.calls % 7 < 3 else answer


def test_what_ends_before_each_of_its_calls_is_no_fault_of_the_run() -> None:
    result = run(conforming("AP", PerformsAndAsksToWait), max_wait=30)
    assert not result.faults_of_the_run
    assert gate.decide(result.judgements()).exit_code == 1
    words = {v.clause.id: v.word for v in result.judgements()[0].verdicts}
    assert words["AP-49"] == "violated"


def test_a_conforming_server_passes_with_several_jobs() -> None:
    few = ("AP-20", "AP-25", "AP-26", "AP-62")
    result = run(conforming("AP"), profile="deep", max_requests=40, jobs=4, seed=SEED, only=few)
    outcome = gate.decide(result.judgements())
    assert outcome.exit_code == 0, outcome.sentence
    # What is for an identity that is not offered takes nothing of the budget.
    assert result.results[0].requests()["cancel"] == 40


def test_what_a_walk_does_to_a_neighbour_in_the_meantime_is_not_held_against_the_first_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def walk(at: Run, budget: Budget) -> None:
        walker = Walker(at)
        one, other = (walker.provision(at.contract.lifecycle.cancellable[0]) for _ in range(2))
        for number in (one, other, one):
            walker.cancel(number)

    monkeypatch.setattr(deep, "walks", walk)
    asked: dict[str, Any] = {"profile": "deep", "max_requests": 5, "only": ("MA-06",)}
    assert gate.decide(run(conforming("MA"), **asked).judgements()).exit_code == 0
    struck = run(conforming("MA", NeighbourCancelledToo), **asked)
    assert gate.decide(struck.judgements()).exit_code == 1


def test_no_id_is_drawn_that_may_be_read_as_another_path() -> None:
    for text in ("", ".", "..", "/", "a/", "/a", "a//b", "a/../b", " ", "a\\", "%2F", "a%5c"):
        assert not one_segment(text), "a server that decodes it first may well redirect"
    assert one_segment("a%2Fb")
    assert one_segment("%FF%FE")


def test_the_working_directory_stays_as_it_was(tmp_path: Path) -> None:
    work, caches = tmp_path / "work", tmp_path / "caches"
    work.mkdir()
    environ = os.environ | {"XDG_CACHE_HOME": str(caches)}
    del environ["HYPOTHESIS_STORAGE_DIRECTORY"]
    command = [str(Path(sys.executable).with_name("cancel-contracts")), "verify"]
    command += ["--contract", "security-action", "--profile", "deep", "--max-requests", "30"]
    command += ["--only", "SA-22"]
    done = subprocess.run(command, cwd=work, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(work.iterdir()) == []
    assert [path.name for path in caches.iterdir()] == ["cancel-contracts"]


def test_a_part_of_a_body_is_tried_only_where_it_is_of_the_same_kind() -> None:
    contract = contract_of(PAGES["MA"])
    drawing = Drawing(contract, 0)

    def alike(kind: str, body: object) -> bool:
        return drawing.alike(Situation(body=Form(kind, json.dumps(body))))

    assert alike("valid", {"Comment": "x"})
    assert alike("invalid", {"Comment": 7})
    assert not alike("valid", {"Comment": 7})
    assert not alike("invalid", {}), "nothing may be sent where there is nothing to say"
    assert alike("text", {"Comment": "x"})
    assert not alike("text", {"Comment": " "}), "blanks alone are no text that people write"
    assert drawing.alike(Situation(resource="odd", id=Form("raw", "x")))
    assert not drawing.alike(Situation(resource="odd", id=Form("raw", "")))
