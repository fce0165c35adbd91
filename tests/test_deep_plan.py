"""What the plans of `deep` hold. They are made once, here, for each takes a second."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from cancel_contracts.contract.compose import Composition, composed
from cancel_contracts.contract.extras import SPELLED
from cancel_contracts.contract.load import every_shipped, load, shipped
from cancel_contracts.contract.model import Contract
from cancel_contracts.exchange import Form, Situation
from cancel_contracts.plan.plan import Profile, make
from cancel_contracts.plan.steps import AtOnce
from cancel_contracts.plan.vary import DRAWN_TEXT
from cancel_contracts.run.content import Names, body_bytes
from cancel_contracts.run.walk import VARIED, changes

pytestmark = pytest.mark.slow

CONTRACTS = [load(path) for path in shipped()]
MACHINE = next(c for c in CONTRACTS if c.name == "machine-action")
each = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.name)


@each
@pytest.mark.parametrize("profile", ["gate", "deep"])
def test_what_is_no_json_is_not_spelled_in_another_way(
    contract: Contract, profile: Profile
) -> None:
    """It would go out as it is without that, and count as another call."""
    clauses = [c for c in contract.clauses if profile == "deep" or c.profile == "gate"]
    calls = [call for s in make(contract, clauses, profile).scenarios for call in s.calls]
    spelled = {call.body.word for call in calls if call.extra == "respelled"}
    assert spelled <= {*SPELLED, DRAWN_TEXT.word}, "which is the documented body"
    assert spelled or contract.name == "security-action", "its calls have no body"
    composition, plain = composed(contract), Composition(contract).ordinary
    for word in ("none", "malformed-json", "truncated-json", "bad-utf8", "deep-json"):
        respelled = replace(plain, extra="respelled", body=Form(word))
        assert not composition.can_meet(respelled), word


def groups(contract: Contract, profile: Profile) -> list[AtOnce]:
    scenarios = make(contract, contract.clauses, profile).scenarios
    return [step for s in scenarios for step in s.steps if isinstance(step, AtOnce)]


@each
def test_three_are_made_at_once_and_up_to_nine_in_deep(contract: Contract) -> None:
    (gate,) = groups(contract, "gate")
    crowd = [call for call in gate.calls if call.situation.call == "concurrent"]
    callers = Counter(call.situation.identity for call in crowd)
    assert (callers["primary"], callers["no-permission"], callers.total()) == (1, 1, 3)
    beside = [call for call in gate.calls if call not in crowd]
    assert len(beside) == 1, "served, and alone on its resource"
    assert {call.slot for call in crowd}.isdisjoint(call.slot for call in beside)
    assert all(composed(contract).served(call.situation) for call in beside)
    deep = groups(contract, "deep")
    assert {len(step.calls) for step in deep} - {3, 4} == {6, 7, 9}
    assert {call.slot for step in deep for call in step.calls} == {0, 1, 2}
    who = [{c.situation.identity for c in step.calls if c.slot == 2} for step in deep]
    assert who.count({"no-permission"}) == 3, "on a resource of its own, where it shows"


def test_a_walk_varies_all_that_a_plan_does() -> None:
    found = changes(make(MACHINE, MACHINE.clauses, "deep"))
    assert {aspect for aspect, _ in found} == set(VARIED)
    kinds = {(aspect, Composition(MACHINE).standing(call, aspect).kind) for aspect, call in found}
    assert {("caller", "refused"), ("caller", "neutral"), ("body", "open")} <= kinds
    assert not [call for _, call in found if call.owner or call.identity == "throttled"]


def test_deep_calls_again_with_a_text_where_the_first_call_had_none() -> None:
    plan = make(MACHINE, MACHINE.clauses, "deep")
    rows = [[c.body for c in s.calls] for s in plan.scenarios if len(s.calls) == 2]
    follows = {str(row[0]) for row in rows if row[1] == Situation().body}
    assert {"none", "empty-object"} <= follows


def test_nobody_expects_to_be_told_to_go_on_with_nothing() -> None:
    """RFC 9110 section 10.1.1: some servers wait for the content for ever."""
    for contract in map(load, every_shipped()):
        planned = [c for s in make(contract, contract.clauses, "deep").scenarios for c in s.calls]
        expecting = [c for c in planned if c.extra == "expect"]
        sent = [
            body_bytes(contract, call, Names("an-id", "another", "1-2-3")) for call in expecting
        ]
        assert expecting
        assert all(sent)


def test_an_expectation_is_planned_where_it_goes_with_content() -> None:
    composition = Composition(MACHINE)
    planned = [c for s in make(MACHINE, MACHINE.clauses, "deep").scenarios for c in s.calls]
    expecting = [c for c in planned if c.extra == "expect"]
    assert expecting
    assert all(composition.can_meet(c) for c in expecting)
    read = [composition.read(call) for call in expecting]
    assert any({aspect for aspect, _ in facts.hiding} == {"extra"} for facts in read)
