"""Rows of calls on one connection: which they are, what is made anew, and what is held against it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import combinations, pairwise, takewhile
from typing import Any

import pytest
from cancel_contracts.contract.compose import composed
from cancel_contracts.contract.load import every_shipped, load, shipped
from cancel_contracts.contract.model import Contract
from cancel_contracts.exchange import Exchange, Form, Received, Sent, Situation
from cancel_contracts.plan.kept import deepest_first, on_one, strangers_of
from cancel_contracts.plan.plan import Plan, make, selectable
from cancel_contracts.plan.steps import Acquire, Call, Close, Observe, Scenario, in_a_row
from cancel_contracts.run.kept import CLOSED, astray
from servers.front import Request, Response
from servers.service import Service
from servers.trial import conforming, judge
from test_steps import ANONYMOUS, FIRST, UNKNOWN

pytestmark = pytest.mark.slow

CONTRACTS = [*map(load, every_shipped())]
SHIPPED = {load(path).name for path in shipped()}
AT_ONCE = {"effect_seconds": 0.3}


def gate(contract: Contract) -> Plan:
    return make(contract, [c for c in contract.clauses if selectable(c, "gate", contract)], "gate")


def turns(scenario: Scenario) -> list[tuple[int, Situation]]:
    """Return the calls on the kept connection, and as which request on it each goes out."""
    kept = [s for s in scenario.steps if isinstance(s, (Call, Observe)) and s.keep_alive]
    return [(at, s.situation) for at, s in enumerate(kept, 1) if isinstance(s, Call)]


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: str(contract.name))
def test_a_gate_keeps_connections_after_every_kind_of_refusal(contract: Contract) -> None:
    composition, plan = composed(contract), gate(contract)
    before: set[Any] = set()
    rows = [turns(scenario) for scenario in plan.scenarios]
    for row in rows:
        for _, call in row[:-1]:
            read = composition.read(call)
            before |= {a for a in read.odd if read.standings[a].kind != "neutral"}
            before |= {call.method}
    assert {"caller", "method"} <= before
    assert "HEAD" in before or contract.name not in SHIPPED, "its answer ends with its head"
    assert "content_type" in before or not contract.bodies
    served = {at for row in rows for at, call in row if composition.served(call)}
    assert len(served - {1}) > 1, "a server may count its requests"
    alone = [call for s in plan.scenarios for call in s.sends if not call.keep_alive]
    assert len(alone) > sum(map(len, rows)) / 2, "what follows an answer shows on others"


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: str(contract.name))
def test_an_id_beyond_ascii_is_not_the_last_on_its_connection(contract: Contract) -> None:
    row = next(r for r in map(turns, gate(contract).scenarios) if r and r[0][1].resource == "odd")
    words = [call.id.word for _, call in row]
    assert words[0] == "unicode"
    assert len(words) == len(set(words)) > 2


@pytest.mark.parametrize("name", ["machine-action", "security-action"])
def test_the_longest_text_is_sent_where_gzip_is_taken(name: str) -> None:
    contract = next(c for c in CONTRACTS if c.name == name)
    calls = [call for scenario in gate(contract).scenarios for call in scenario.calls]
    assert {call.extra for call in calls if "{long}" in call.body.text} >= {"browser"}


@pytest.mark.parametrize("first", [True, False])
def test_a_kept_row_costs_what_it_cost(first: bool) -> None:
    row = in_a_row(ANONYMOUS, FIRST, neighbour=FIRST, last=True, sentinel=True)
    kept = on_one(row, first=first)
    assert kept.cost(observes=True, handler=True) == row.cost(observes=True, handler=True)
    assert [at for at, _ in turns(kept)] == ([3, 6] if first else [1, 4])
    assert sum(step == Close() for step in kept.steps) == 1
    assert not kept.together, "each is made again by itself after a 429"


def exchange(status: int | None, situation: Situation = FIRST, **more: Any) -> Exchange:
    received = None if status is None else Received(status=status)
    facts: dict[str, Any] = {"reused": True, "failure": None if received else "closed"} | more
    return Exchange(
        "machine-action", 1, 1, "cancel", situation, "admin", "id", Sent("POST", "http://h/"),
        received=received, **facts,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("made", "wrong"),
    [
        (exchange(200), False),
        (exchange(400), True),
        (exchange(404), True),
        (exchange(500), True),
        (exchange(None), True),
        (exchange(None, failure="timeout"), True),
        (exchange(None, reused=False), False),
        (exchange(400, reused=False), False),
        (exchange(401, ANONYMOUS), False),
        (exchange(400, ANONYMOUS), True),
        (exchange(200, ANONYMOUS), False),  # let in: that is judged as it stands
        (exchange(404, UNKNOWN), False),
        (exchange(400, UNKNOWN), True),
        (exchange(429), False),
        (exchange(501, replace(FIRST, method="PURGE")), False),
    ],
)
def test_what_is_no_answer_to_a_call_is_astray(made: Exchange, wrong: bool) -> None:
    contract = next(c for c in CONTRACTS if c.name == "machine-action")
    assert astray(composed(contract), made) == wrong


class ClosesWithoutAWord(Service):
    """Each connection ends with its answer, which does not say so."""

    def answer(self, request: Request) -> Response:
        return replace(super().answer(request), hang_up="close")

    def encode(self, response: Response, request: Request, close: bool) -> bytes:
        return super().encode(replace(response, hang_up=""), request, False)


class HangsUpOnWhateverIsKept(Service):
    """The second request of a connection is never answered, and never done."""

    def answer(self, request: Request) -> Response:
        turn = request.connection["turn"] = request.connection.get("turn", 0) + 1
        done = Response(200, wire=b"", hang_up="close")
        return done if turn > 1 else super().answer(request)


@pytest.mark.parametrize("kind", [ClosesWithoutAWord, HangsUpOnWhateverIsKept])
def test_who_closes_without_a_word_is_not_blamed(kind: type[Service]) -> None:
    """RFC 9112 section 9.5: at any time. It costs a few calls, until nothing is kept any more."""
    outcome = judge(conforming("SA", kind), options=AT_ONCE)
    assert (outcome.exit_code, outcome.violated) == (0, {}), str(outcome)
    contract = next(c for c in CONTRACTS if c.name == "security-action")
    planned = sum(len(s.calls) for s in gate(contract).scenarios)
    assert outcome.cancels <= planned + CLOSED + 12


class HeadWithABody(Service):
    """On a kept connection an answer to HEAD has its body; on others it ends with its head."""

    def encode(self, response: Response, request: Request, close: bool) -> bytes:
        data = super().encode(response, request, close)
        return data + b'{"error": {}}' if request.method == "HEAD" and not close else data


def test_what_is_astray_is_held_against_the_connection_alone() -> None:
    outcome = judge(conforming("MA", HeadWithABody), options=AT_ONCE)
    assert outcome.exit_code == 1, str(outcome)
    assert set(outcome.violated) <= {"MA-49", "MA-180"}, str(outcome)


def test_every_contract_is_asked_about_its_connections() -> None:
    words = Counter(
        c.expect["connection"] for k in CONTRACTS for c in k.clauses if "connection" in c.expect
    )
    assert words == {"usable": 2 * len(CONTRACTS), "alike": len(CONTRACTS)}


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: str(contract.name))
def test_what_a_connection_may_lend_is_asked_for_right_after_on_it(contract: Contract) -> None:
    composition = composed(contract)
    rows = [[call for _, call in turns(scenario)] for scenario in gate(contract).scenarios]
    two = [pair for row in rows for pair in pairwise(row) if composition.served(pair[0])]
    texts = [
        bare
        for told, bare in two
        if told.body.word in ("json", "text") and bare.body.word in ("none", "empty-object")
    ]
    assert bool(texts) == bool(contract.lifecycle.records), "without the text of the one before"
    lent = [(one, two) for one, two in two if not one.by_owner and two.by_owner]
    asked = any("owner" in clause.given for clause in contract.clauses)
    assert any(not composition.served(call) for _, call in lent) == asked, "as one who may do more"


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: str(contract.name))
def test_behind_an_id_of_nothing_a_gate_is_served_on_the_same_connection(
    contract: Contract,
) -> None:
    composition = composed(contract)
    rows = [[call for _, call in turns(scenario)] for scenario in gate(contract).scenarios]
    behind = [
        (before, call)
        for row in rows
        for before, call in combinations(row, 2)
        if before.resource == "unknown" and composition.refused(before)
    ]
    assert any(composition.served(call) for _, call in behind)
    if contract.lifecycle.owners:
        lent = [
            (before, call)
            for row in rows
            for before, call in combinations(row, 2)
            if composition.served(before) and before.owner is None
        ]
        others = strangers_of(composition, [call for _, call in lent])
        assert others, "behind somebody who may do more"


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: str(contract.name))
def test_on_one_connection_what_is_refused_for_its_body_comes_first(contract: Contract) -> None:
    """What a server found right in one call the connection may lend to the next."""
    composition = composed(contract)
    met = 0
    for scenario in gate(contract).scenarios:
        row = [call for _, call in turns(scenario)]
        taken = [s for s in scenario.steps if isinstance(s, Acquire) and s.beside is None]
        refused = list(takewhile(composition.refused, row)) if len(taken) == 1 else []
        if refused and refused[0].state:
            amiss = ["body" in [a for a, _ in composition.read(call).hiding] for call in refused]
            assert amiss == sorted(amiss, reverse=True)
            met += any(amiss) and not all(amiss)
    assert met or not contract.bodies or contract.lifecycle.owners, "an owner's may be taken"


def test_a_row_is_reordered_as_far_as_it_is_refused() -> None:
    contract = next(c for c in CONTRACTS if c.name == "machine-action")
    composition, ordinary = composed(contract), composed(contract).ordinary
    typed = replace(ordinary, content_type="text/plain")
    amiss = replace(ordinary, body=Form("array"))
    row = (typed, replace(ordinary, identity="no-permission"), amiss, ordinary, amiss)
    assert deepest_first(composition, row) == (amiss, *row[:2], ordinary, amiss)
