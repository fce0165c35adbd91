"""Steps: what is planned is what is counted and what is sent; the way in is a pure search."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from cancel_contracts.assignment import Options as VerifyOptions
from cancel_contracts.builtin import mock_target
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.exchange import Exchange, Form, Situation
from cancel_contracts.identity.identities import Identities
from cancel_contracts.ledger.ledger import Ledger
from cancel_contracts.plan.single import one_at_a_time
from cancel_contracts.plan.steps import (
    Acquire,
    AtOnce,
    Call,
    Close,
    Observe,
    ObserveLast,
    Scenario,
    at_once,
    in_a_row,
    on_one_connection,
)
from cancel_contracts.provider_states.states import ProviderStates
from cancel_contracts.redact.secrets import Redactor
from cancel_contracts.run.attempt import Stop
from cancel_contracts.run.run import Run
from cancel_contracts.run.settings import RunSettings
from cancel_contracts.run.wait_budget import WaitBudget
from cancel_contracts.run.way_in import Chosen, Options, Told, Way, search
from cancel_contracts.transport.client import Transport
from cancel_contracts.verify import verify

CONTRACTS = {c.name: c for c in map(load, shipped())}
CONTRACT = next(c for c in CONTRACTS.values() if c.lifecycle.after and c.quotas)
STATE = CONTRACT.lifecycle.cancellable[0]
FIRST = Situation(state=STATE)
SECOND = replace(FIRST, call="second")
ANONYMOUS = replace(FIRST, identity="anonymous")
FINAL = Situation(resource="final", state=CONTRACT.lifecycle.final[0])


@contextmanager
def run_of(variants: tuple[str, ...] = ()) -> Iterator[Run]:
    with mock_target([CONTRACT], variants=variants, quotas=False) as target, Transport() as wire:
        site = target.endpoint(CONTRACT)
        stop = Stop()
        settings = RunSettings(
            site.base_url, wire, Identities(CONTRACT, site, Redactor()),
            ProviderStates(site, wire), WaitBudget(5, stop), stop, Ledger(),
            effect_seconds=1.0, started=time.monotonic(),
        )  # fmt: skip
        run = Run(CONTRACT, settings)
        yield run
        assert run.tear_down() == []


def made(run: Run, scenario: Scenario) -> list[Exchange]:
    """Run a scenario and what is to be looked at in the end; return its exchanges."""
    first = run.execute(scenario)[0].scenario
    run.settle()
    numbers = range(first, first + scenario.numbers)
    return [x for x in run.journal.exchanges if x.scenario in numbers]


CHAIN = Scenario(
    (
        Acquire(0, STATE),
        Observe(0, FIRST),
        *(step for call in (ANONYMOUS, replace(FIRST, identity="no-permission"), FIRST, SECOND)
          for step in (Call(call), Observe(0, call))),
        ObserveLast(0),
    )
)  # fmt: skip
CROWD = Scenario(
    (
        Acquire(0, STATE),
        Acquire(1, STATE),
        Observe(0, FIRST),
        Observe(1, FIRST),
        AtOnce((*(Call(replace(FIRST, call="concurrent"), slot) for slot in (0, 0, 1, 1)),
                Call(replace(ANONYMOUS, call="concurrent"), 1))),
        Observe(0, FIRST),
        Observe(1, FIRST),
    )
)  # fmt: skip
KEPT = Scenario(
    (
        Acquire(0, STATE),
        Acquire(1, FINAL.state or ""),
        *(Call(replace(call, call="reused"), slot, keep_alive=True)
          for slot, call in ((0, ANONYMOUS), (1, FINAL), (0, FIRST), (1, FINAL), (0, FIRST))),
        Close(),
        Observe(0, FIRST),
        Observe(1, FINAL),
    )
)  # fmt: skip
ODD = Situation(resource="odd", id=Form("word"))
UNKNOWN = Situation(resource="unknown", id=Form("unknown"))


@pytest.mark.parametrize(
    ("scenario", "cost"),
    [
        (in_a_row(FIRST), (1, 2, 2)),
        (in_a_row(FIRST, SECOND, neighbour=FIRST, last=True), (2, 7, 4)),
        (in_a_row(ANONYMOUS, FIRST, neighbour=FIRST), (2, 6, 4)),
        (in_a_row(ANONYMOUS, FIRST, neighbour=FIRST, silent=[ANONYMOUS]), (2, 5, 4)),
        (in_a_row(ANONYMOUS, neighbour=FIRST, silent=[ANONYMOUS]), (1, 4, 4)),
        (in_a_row(FIRST, twice=True), (1, 3, 2)),
        (in_a_row(ODD), (1, 0, 0)),
        (in_a_row(UNKNOWN), (1, 1, 0)),
        (at_once(*[replace(FIRST, call="concurrent")] * 2), (2, 2, 2)),
        (at_once(*[replace(FIRST, call="concurrent")] * 8), (8, 2, 2)),
        (on_one_connection(FIRST, replace(FIRST, call="reused")), (2, 4, 4)),
        (CHAIN, (4, 6, 2)),
        (CROWD, (5, 4, 4)),
        (KEPT, (5, 2, 4)),
    ],
)
def test_what_is_counted_is_what_is_sent(scenario: Scenario, cost: tuple[int, int, int]) -> None:
    counted = scenario.cost(observes=True, handler=True)
    assert (counted["cancel"], counted["observe"], counted["provider_states"]) == cost
    with run_of() as run:
        exchanges = made(run, scenario)
    kinds = Counter(x.kind for x in exchanges)
    assert (kinds["cancel"], kinds["observe"], run.states.calls) == cost
    assert [x.situation for x in exchanges if x.kind == "cancel"] == list(scenario.calls) or any(
        isinstance(step, AtOnce) for step in scenario.steps
    )
    assert not run.journal.missing
    assert not run.journal.broken


def test_a_chain_has_a_position_for_each_call_and_a_look_between() -> None:
    with run_of() as run:
        exchanges = made(run, CHAIN)
    told = [(x.kind, x.position, x.status) for x in exchanges]
    assert [row[:2] for row in told] == [
        ("observe", 0), ("cancel", 1), ("observe", 1), ("cancel", 2), ("observe", 2),
        ("cancel", 3), ("observe", 3), ("cancel", 4), ("observe", 4), ("observe", 5),
    ]  # fmt: skip
    statuses = [status for kind, _, status in told if kind == "cancel"]
    assert statuses[0] == 401
    assert statuses[1] == 403
    assert statuses[2] in (200, 201)
    assert (statuses[3] or 0) // 100 == 4
    sight = run.calls.sight
    calls = sight.scene(exchanges[0].scenario).calls
    assert [sight.effect(x)[0] for x in calls][:3] == ["cancelled"] * 3  # of later looks
    for call in calls[:2]:
        before, after = sight.before(call), sight.after(call)
        assert before is not None
        assert after is not None
        assert sight.unchanged(before, after)
    after = sight.after(calls[2])
    assert after is not None
    assert sight.took_effect(sight.before(calls[2]), after) == "cancelled"


def test_calls_at_once_on_two_resources_have_numbers_and_positions_of_their_own() -> None:
    with run_of() as run:
        exchanges = made(run, CROWD)
    calls = sorted((x.scenario, x.position) for x in exchanges if x.kind == "cancel")
    assert calls == [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3)]
    assert len({x.resource for x in exchanges}) == 2
    looks = [(x.scenario, x.position) for x in exchanges if x.kind == "observe"]
    assert looks == [(1, 0), (2, 0), (1, 2), (2, 3)]
    won = Counter(x.scenario for x in exchanges if x.kind == "cancel" and x.succeeded)
    assert won == {1: 1, 2: 1}


def test_a_kept_connection_carries_calls_of_several_callers_and_outcomes() -> None:
    with run_of() as run:
        exchanges = made(run, KEPT)
    calls = [x for x in exchanges if x.kind == "cancel"]
    assert [x.reused for x in calls][1:] == [True] * 4
    assert [(x.status or 0) // 100 for x in calls] == [4, 4, 2, 4, 4]


def test_one_resource_at_a_time_leaves_out_neighbours_and_sets_up_in_between() -> None:
    near = in_a_row(FIRST, SECOND, neighbour=FIRST)
    alone = one_at_a_time(near)
    assert alone == in_a_row(FIRST, SECOND)
    assert one_at_a_time(in_a_row(ODD)) == in_a_row(ODD)
    kept = one_at_a_time(on_one_connection(FIRST, replace(FIRST, call="reused")))
    assert kept is not None
    kinds = [type(step) for step in kept.steps]
    assert kinds == [
        Acquire, Observe, Call, Observe, Acquire, Observe, Call, Close, Observe,
    ]  # fmt: skip
    between = [s.keep_alive for s in kept.steps if isinstance(s, (Acquire, Observe))]
    assert between == [False, False, True, True, True, False]
    crowd = one_at_a_time(CROWD)
    assert {call.slot for call in crowd.sends} == {0}, "at once with those on the same resource"


# --- The way in ----------------------------------------------------------------------------------

EVERYTHING = Options(prefix="/beta", single=True, caller="app")


def go(target: dict[Way, list[int | None]], options: Options = EVERYTHING) -> tuple[Chosen, int]:
    """Return the way chosen on a target that answers so, one after the other, and the tries."""
    ways, tries = search(options), 1
    way = next(ways)
    while True:
        answers = target.get(way, [404])
        status = answers.pop(0) if len(answers) > 1 else answers[0]
        try:
            way = ways.send(Told(status))
        except StopIteration as end:
            chosen: Chosen = end.value
            return chosen, tries
        tries += 1


BARE, BETA = Way(), Way("/beta")


@pytest.mark.parametrize(
    ("target", "chosen", "tries"),
    [
        ({BARE: [200]}, Chosen(BARE), 1),
        ({BARE: [500]}, Chosen(BARE), 1),
        ({BARE: [None]}, Chosen(BARE), 1),
        ({BARE: [404], BETA: [200]}, Chosen(BETA), 2),
        ({BARE: [404], BETA: [None]}, Chosen(BARE), 3),
        ({BARE: [404]}, Chosen(BARE), 3),
        ({BARE: [404], replace(BARE, single=True): [200]}, Chosen(replace(BARE, single=True)), 4),
        # The second time two are found: one call failed by chance, and is held against the server.
        ({BARE: [404, 200], replace(BARE, single=True): [200]}, Chosen(BARE), 4),
        ({BARE: [403], Way(caller="app"): [200]}, Chosen(Way(caller="app"), BARE), 2),
        ({BARE: [403], Way(caller="app"): [403]}, Chosen(BARE), 2),
        ({BARE: [404], BETA: [401], replace(BETA, caller="app"): [200]},
         Chosen(replace(BETA, caller="app"), BETA), 3),
        ({BARE: [403], Way(caller="app"): [404], Way(single=True, caller="app"): [200]},
         Chosen(Way(single=True, caller="app"), BARE), 4),
    ],
)  # fmt: skip
def test_the_way_in_is_a_question_on_the_answers_so_far(
    target: dict[Way, list[int | None]], chosen: Chosen, tries: int
) -> None:
    assert go(target) == (chosen, tries)


def test_nothing_is_tried_that_may_not_be() -> None:
    assert go({BARE: [404], BETA: [200]}, Options()) == (Chosen(BARE), 1)
    assert go({BARE: [403], Way(caller="app"): [200]}, Options("/beta", True)) == (Chosen(BARE), 1)


@pytest.mark.parametrize(
    ("calls", "numbers"),
    [
        ([FIRST], 1),
        ([FIRST, SECOND], 1),
        ([ANONYMOUS, FIRST], 2),
        ([ANONYMOUS, FIRST, SECOND], 2),
        ([FIRST, replace(FIRST, call="reused")], 2),
        ([ANONYMOUS, replace(FIRST, call="reused"), replace(ANONYMOUS, call="reused")], 3),
    ],
)
def test_each_resource_that_may_be_had_anew_has_a_number(
    calls: list[Situation], numbers: int
) -> None:
    """A call that was to be refused, and is not, leaves nothing for the one that comes next."""
    assert in_a_row(*calls).numbers == numbers


def test_a_caller_that_stays_on_its_connection_is_told_without_a_crash() -> None:
    contract = CONTRACTS["security-action"]
    with mock_target([contract], ["kept-connection-keeps-the-caller"]) as target:
        result = verify([contract], target, VerifyOptions())
    assert result.crashes == ()
    words = {v.clause.id: v.word for j in result.judgements() for v in j.verdicts}
    assert words["SA-10"] == words["SA-11"] == "violated"
