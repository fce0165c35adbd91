"""The plan's calls: every fact that a clause asks for, as many pairs of kinds as fit, in chains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from itertools import product

import pytest
from cancel_contracts.contract.compose import ASPECTS, Composition, Fact, composed, value
from cancel_contracts.contract.given import asked
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Contract
from cancel_contracts.exchange import Form, Situation
from cancel_contracts.plan.chains import LONGEST, chains
from cancel_contracts.plan.cover import Cover, cover
from cancel_contracts.plan.further import alone, further
from cancel_contracts.plan.histories import histories
from cancel_contracts.plan.kinds import PairsMet, role
from cancel_contracts.plan.plan import Plan, make
from cancel_contracts.plan.steps import Call, Observe, ObserveLast, Scenario

pytestmark = pytest.mark.slow

CONTRACTS = [load(path) for path in shipped()]
each = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.name)


def wanted(contract: Contract, *, deep: bool = False) -> list[Situation]:
    clauses = [c for c in contract.clauses if deep or c.profile == "gate"]
    found = dict.fromkeys(s for clause in clauses for s in asked(contract, clause))
    return [s for s in found if s.call in ("first", "reused")]


def of(contract: Contract, limit: int, *, deep: bool = False) -> Cover:
    return cover(Composition(contract), wanted(contract, deep=deep), limit)


@cache
def read(contract: Contract, limit: int) -> Cover:
    """Return a cover that is made once: it is only read."""
    return of(contract, limit)


@cache
def deeply(contract: Contract) -> tuple[PairsMet, Cover]:
    """Return what the pairs of `deep` come to, and its cover with further calls: only read."""
    found = of(contract, 1000, deep=True)
    met = found.pairs_met()
    further(found, len(found.calls) + 360)
    return met, found


def calls_of(contract: Contract, limit: int) -> list[Situation]:
    return read(contract, limit).calls


def gate_of(contract: Contract) -> Plan:
    return make(contract, [c for c in contract.clauses if c.profile == "gate"], "gate")


def shown(composition: Composition, calls: Iterable[Situation], situation: Situation) -> bool:
    """Whether a call holds the facts of a situation and, beside them, neutral ones alone."""
    facts = composition.facts(situation)
    return any(
        all(
            value(call, a) == value(situation, a)
            if a in facts
            else composition.standing(call, a).kind == "neutral"
            for a in ASPECTS
        )
        for call in calls
    )


@each
def test_every_situation_that_a_clause_asks_for_has_a_call(contract: Contract) -> None:
    composition, calls = Composition(contract), calls_of(contract, 100)
    assert len(calls) <= 100
    missing = [s for s in wanted(contract) if not shown(composition, calls, s)]
    assert not missing


@each
def test_no_call_holds_what_cannot_be_on_the_wire_together(contract: Contract) -> None:
    for call in calls_of(contract, 100):
        assert not (call.body.word == "none" and call.transfer == "chunked"), call
        assert not (call.method == "GET" and call.body.word not in ("documented",)), call


@each
def test_at_most_one_fact_of_a_call_is_not_neutral_beyond_what_is_asked(contract: Contract) -> None:
    composition = Composition(contract)
    asked_for = wanted(contract)
    for call in calls_of(contract, 80):
        odd = [a for a in ASPECTS if composition.standing(call, a).kind != "neutral"]
        if len(odd) > 1:
            assert any(all(value(call, a) == value(s, a) for a in odd) for s in asked_for), call


@each
def test_three_quarters_of_the_pairs_meet_in_a_gate_and_all_of_them_in_deep(
    contract: Contract,
) -> None:
    gate = gate_of(contract)
    assert gate.pairs.met / gate.pairs.possible >= 0.75
    assert sum(len(scenario.calls) for scenario in gate.scenarios) <= 100
    deep, _ = deeply(contract)
    assert deep.met == deep.possible >= gate.pairs.possible


@each
def test_equal_wishes_give_equal_calls(contract: Contract) -> None:
    assert of(contract, 60).calls == calls_of(contract, 60)


@each
def test_chains_hold_every_call_once_and_what_may_cancel_comes_last(contract: Contract) -> None:
    composition, calls = Composition(contract), calls_of(contract, 100)
    found = chains(composition, calls)
    assert sorted(map(str, (call for chain in found for call in chain))) == sorted(map(str, calls))
    for chain in found:
        assert len(chain) <= LONGEST
        owned = {(call.state, call.state and call.owner) for call in chain}
        assert len(owned) == 1, "one resource serves all; an id of nothing is nobody's"
        for call in chain[:-1]:
            kinds = {composition.standing(call, a).kind for a in composition.facts(call)}
            amiss = call.by_owner and composition.served(chain[-1]) and chain[-1].by_owner
            ended = call.resource == "final"
            assert "refused" in kinds or amiss or ended, "whatever may cancel ends its chain"


def test_no_call_is_lost_however_much_an_owner_asks_amiss() -> None:
    contract = next(c for c in CONTRACTS if c.lifecycle.owners)
    composition, calls = Composition(contract), calls_of(contract, 100)
    own = [c for c in calls if c.by_owner and c.state and not composition.refused(c)]
    amiss = next(c for c in own if not composition.served(c))
    many = [replace(amiss, body=Form("json", f'{{"id": {n}}}')) for n in range(4 * LONGEST)]
    served = [c for c in own if composition.served(c) and c.state == amiss.state]
    found = chains(composition, [*many, *served])
    together = [call for row in found for call in row]
    assert sorted(map(str, together)) == sorted(map(str, [*many, *served]))
    assert max(map(len, found)) == LONGEST


def test_what_an_owner_asks_amiss_stands_before_what_the_owner_is_served_with() -> None:
    contract = next(c for c in CONTRACTS if c.lifecycle.owners)
    composition = Composition(contract)
    found = chains(composition, calls_of(contract, 100))
    own = [row for row in found if row[-1].by_owner]
    amiss = [[c for c in row if c.by_owner and not composition.refused(c)] for row in own]
    joined = [row for row in amiss if len(row) > 1]
    assert len({row[-1].state for row in joined}) > 1, "in several states"
    for row in joined:
        assert [composition.served(call) for call in row] == [False] * (len(row) - 1) + [True]
    assert [row for row in amiss if len(row) == 1 and not composition.served(row[0])], "half alone"


@each
def test_a_second_call_follows_one_that_is_served(contract: Contract) -> None:
    composition = Composition(contract)
    found = dict.fromkeys(s for clause in contract.clauses for s in asked(contract, clause))
    seconds = [s for s in found if s.call == "second"]
    calls = cover(composition, wanted(contract), 92, 0.75, seconds=seconds).calls
    made = chains(composition, calls, seconds)
    assert sum(chain[-1].call == "second" for chain in made) == len(seconds)
    for chain in made:
        if chain[-1].call == "second":
            before = chain[-2]
            facts = composition.facts(before)
            assert all(composition.standing(before, a).kind == "neutral" for a in facts)
            assert before.state == chain[-1].state


@each
def test_several_kinds_of_refusals_stand_before_one_call_that_is_served(contract: Contract) -> None:
    """A server may count them, or keep what the first was asked, or who asked."""
    composition = Composition(contract)
    found = chains(composition, calls_of(contract, 92))
    served = [chain for chain in found if composition.served(chain[-1])]
    assert any(len(chain) == 1 for chain in served), "one meets its resource as it was made"
    rows = [[composition.standing(c, "caller") for c in chain[:-1]] for chain in served]
    known = [[s.kind != "refused" or 403 in s.statuses for s in row] for row in rows]
    assert max(map(sum, known)) >= 2, "of callers whom the server knows"
    for row in known:
        assert row == sorted(row, reverse=True), "who is not known comes after who is"
    alone = [chain for chain in found if composition.refused(chain[-1]) and len(chain) > 1]
    assert alone, "what a refusal does later shows where no call follows"


@pytest.mark.parametrize(("served", "refused"), [(1, 2), (1, 30), (3, 3), (3, 30), (0, 4), (2, 0)])
def test_no_refusal_is_lost_however_many_there_are(served: int, refused: int) -> None:
    contract = next(c for c in CONTRACTS if c.name == "machine-action")
    composition = Composition(contract)
    calls = calls_of(contract, 92)
    state = composition.ordinary.state
    here = [c for c in calls if (c.state, c.owner) == (state, None)]
    may = [c for c in here if composition.served(c)][:served]
    not_ = [replace(c, state=state) for c in calls if composition.refused(c) and c.state][:refused]
    open_ = [c for c in here if not composition.refused(c) and not composition.served(c)][:2]
    found = chains(composition, [*open_, *not_, *may])
    together = [call for chain in found for call in chain]
    assert sorted(map(str, together)) == sorted(map(str, [*open_, *not_, *may]))
    assert max(map(len, found)) <= LONGEST
    for chain in found:
        assert all(map(composition.refused, chain[:-1]))


@each
def test_what_is_served_is_looked_at_in_the_end_for_every_caller_in_every_state(
    contract: Contract,
) -> None:
    composition = Composition(contract)
    scenarios = make(contract, contract.clauses, "gate").scenarios

    def kinds(rows: Iterable[Scenario]) -> set[tuple[str | None, ...]]:
        calls = [
            row.subject for row in rows if not row.together and composition.served(row.subject)
        ]
        return {(c.identity.partition(":")[0], c.owner, c.state) for c in calls}

    last = [s for s in scenarios if any(isinstance(step, ObserveLast) for step in s.steps)]
    # A crowd may come after a row of calls, which then is looked at with it.
    ended = {c for s in last for c in s.calls if c.call == "first" and composition.served(c)}
    assert kinds(scenarios) <= {(c.identity.partition(":")[0], c.owner, c.state) for c in ended}
    refused = [s for s in scenarios if s.known and composition.refused(s.subject)]
    stand = [s for s in refused if s.subject.resource == "cancellable" and not s.together]
    assert stand
    assert all(s in last for s in stand)
    # What stands to the end is made early: whatever strikes others later shows there.
    kept = [s for s in scenarios if any(call.keep_alive for call in s.sends)]
    calls = [s for s in scenarios if s.subject.resource == "cancellable" and s not in kept]
    early = [s for s in stand if s not in kept]
    assert calls[1 : 1 + len(early)] == early


# --- what meets, and what is hidden ---------------------------------------------------------------


def meets(found: Cover, call: Situation, *aspects: str) -> bool:
    """Whether two aspects of a call meet in it where all can see it."""
    return bool(found.meeting(found.kind, call, len(aspects), aspects))


@each
def test_beside_what_is_refused_only_that_meets_others(contract: Contract) -> None:
    found = read(contract, 92)
    plain = found.of({})
    assert meets(found, plain, "caller", "transfer"), "all is neutral"
    anonymous = replace(plain, identity="anonymous")
    assert meets(found, anonymous, "caller", "transfer")
    assert not meets(found, anonymous, "resource", "transfer"), "the caller hides it"
    deleted = replace(anonymous, method="DELETE")
    assert meets(found, deleted, "caller", "method"), "two that are not neutral meet each other"
    assert not meets(found, deleted, "caller", "transfer")


@each
def test_a_pair_counts_once_it_is_seen_and_not_before(contract: Contract) -> None:
    found = Cover(Composition(contract))
    found.learn(wanted(contract))
    pair = next(p for p, (c, _) in found.possible.items() if found.composition.served(c))
    call, _ = found.possible[pair]
    found.add(replace(call, identity="anonymous"))
    assert pair not in found.met
    found.add(call)
    assert pair in found.met


@each
def test_deep_meets_two_refusals_every_value_in_every_state_and_three_kinds(
    contract: Contract,
) -> None:
    found = cover(Composition(contract), wanted(contract), 1000)
    before = len(found.calls)
    further(found, 1600)
    more = found.calls[before:]
    assert len(set(map(str, found.calls))) == len(found.calls), "no call twice"
    two = [call for call in more if len(found.odd(call)) == 2]
    assert two
    refused, standings = found.composition.refused, found.composition.read
    lasting = [c for c in two if any(standings(c).standings[a].lasts for a in found.odd(c))]
    assert all(refused(call) or call in lasting for call in two), "else no clause says what is due"
    assert {c.resource for c in lasting} == {"final", "unknown"}
    states = [s for s in found.samples["resource"].values() if s.resource == "cancellable"]
    callers = [s for s in found.samples["caller"].values() if s.identity != "throttled"]
    met = {(c.state, c.identity) for c in found.calls if {*found.odd(c)} <= {"caller"}}
    assert not {(s.state, c.identity) for s in states for c in callers} - met


@each
def test_histories_refuse_thrice_call_again_after_a_cancel_and_mix_on_one_connection(
    contract: Contract,
) -> None:
    found = read(contract, 92)
    rows = [scenario.calls for scenario in histories(found)]
    serves = found.composition.served
    thrice = [row for row in rows if row[0] == row[1] == row[2]]
    assert thrice
    assert all(serves(row[-1]) and not serves(row[0]) for row in thrice)
    after = [row for row in rows if serves(row[0]) and row[-1].call == "second"]
    again = {(call.state, call.identity) for row in after for call in row[1:]}
    for state in contract.lifecycle.cancellable:
        assert {(state, "anonymous"), (state, "no-permission"), (state, "primary")} <= again
    (kept, *_) = [row for row in rows if row[-1].call == "reused"]
    assert [call.call == "reused" for call in kept[1:]] == [False, True] * (len(kept) // 2)
    told = {call.resource for row in rows for call in row if row[-1].call == "reused"}
    assert {"cancellable", "unknown"} <= told


@each
def test_behind_what_is_right_of_a_stranger_comes_what_is_amiss_of_who_may(
    contract: Contract,
) -> None:
    found = read(contract, 92)
    serves, standing = found.composition.served, found.composition.standing
    between = {
        scenario: scenario.calls
        for scenario in histories(found)
        if all(403 in standing(c, "caller").statuses for c in scenario.calls[:-1:2])
        and all(found.odd(c) == ["body"] for c in scenario.calls[1:-1:2])
        and len(scenario.calls) > 2
    }
    assert between
    for scenario, calls in between.items():
        assert serves(calls[-1])
        assert {(c.state, c.owner) for c in calls} == {(calls[0].state, calls[0].owner)}
        assert {(c.identity, c.owner) for c in calls[1::2]} == {
            (calls[-1].identity, calls[0].owner)
        }
        assert all(step.keep_alive for step in scenario.sends) == scenario.keeps
    assert any(scenario.keeps for scenario in between)
    owned = {c.owner for calls in between.values() for c in calls}
    owners = {s.owner for s in found.samples["caller"].values() if s.by_owner}
    assert owned - {None} == owners
    for owner in owners:  # more is asked of them: they come first, with what leaves all out
        assert next(calls for calls in between.values())[1].owner == owner
        left = [c for calls in between.values() for c in calls[1:-1:2] if c.owner == owner]
        assert left[0].body.word == "none"


@each
def test_a_gate_cancels_one_resource_that_nobody_has_looked_at(contract: Contract) -> None:
    gate = gate_of(contract)
    unseen: list[Situation] = []
    for scenario in gate.scenarios:
        seen: set[int] = set()
        for step in scenario.steps:
            seen |= {step.slot} if isinstance(step, Observe) else set()
            if isinstance(step, Call) and step.situation.state and step.slot not in seen:
                unseen.append(step.situation)
    # Without a look before nothing tells an effect where no page names the state after it.
    assert len(unseen) == bool(contract.lifecycle.after)
    assert all(map(composed(contract).served, unseen))


@pytest.mark.parametrize("limit", [200, None])
@each
def test_what_is_planned_for_a_situation_its_clauses_take_so(
    contract: Contract, limit: int | None
) -> None:
    plan = make(contract, contract.clauses, "deep", max_requests=limit)
    assert (len(plan.left_out) > 1) == (limit is not None), (
        "all is asked, or what there is room for"
    )
    composition = composed(contract)
    alike: dict[tuple[Fact, ...], set[Situation]] = {}  # no other call shows a situation
    for call in (call for scenario in plan.scenarios for call in scenario.calls):
        alike.setdefault(composition.read(call).hiding, set()).add(call)
    for clause in contract.clauses:
        for situation in set(asked(contract, clause)) - plan.left_out.keys():
            calls = alike.get(composition.read(situation).hiding, ())
            assert any(composition.exercises(call, situation, [clause]) for call in calls)


METHODS = {"GET", "HEAD", "PUT", "PATCH", "DELETE"}


@each
def test_deep_sends_every_method_in_every_state_to_nothing_and_by_all_who_may_and_may_not(
    contract: Contract,
) -> None:
    plan, composition = make(contract, contract.clauses, "deep"), composed(contract)
    calls = [call for s in plan.scenarios for call in s.calls if call.method in METHODS]

    def beside(aspect: str, *hiding: str) -> set[tuple[str, str]]:
        """Return the methods and an aspect's values, where these and `hiding` alone are odd."""
        odd = {"method", *hiding}
        own = [call for call in calls if hides(composition, call) == odd]
        return {(call.method, f"{value(call, aspect)}") for call in own}

    states, ended = contract.lifecycle.cancellable, contract.lifecycle.final
    assert beside("resource") >= {*product(METHODS, states)}
    assert {m for m, state in beside("resource", "resource") if state in ended} == METHODS
    assert {m for m, id_ in beside("resource", "resource") if "unknown" in id_} == METHODS
    assert beside("caller", "caller") >= {*product(METHODS, ["('anonymous', None)"])}
    kinds = {f"{value(row[0], 'caller')}" for row in read(contract, 92).by_kind("caller")}
    assert len({who for _, who in beside("caller")} & kinds) > 1, "not by the primary alone"


def hides(composition: Composition, call: Situation) -> set[str]:
    """Return the aspects of a call that are not neutral."""
    return {a for a in ASPECTS if composition.standing(call, a).kind != "neutral"}


@each
def test_what_has_ended_or_names_nothing_meets_every_kind_of_caller_and_body(
    contract: Contract,
) -> None:
    _, found = deeply(contract)
    two = [call for call in found.calls if len(found.odd(call)) == 2]
    for resource in ("final", "unknown"):
        ended = [call for call in two if call.resource == resource]
        for aspect in ("caller", "body"):
            met = {found.kind(aspect, call) for call in ended if aspect in found.odd(call)}
            for row in found.by_kind(aspect):
                calls = [found.of({"resource": ended[0], aspect: sample}) for sample in row]
                due = any(alone(call) and found.can(call) for call in calls)
                if due and not found.is_neutral(row[0], aspect):
                    assert found.kind(aspect, row[0]) in met, (resource, row[0])


@each
def test_what_has_ended_meets_everybody_who_may_and_nothing_else(contract: Contract) -> None:
    """One permission may be read otherwise than the next, and a body before the state."""
    _, found = deeply(contract)
    plain = {(c.state, c.identity, c.owner) for c in found.calls if found.odd(c) == ["resource"]}
    ended = [s for s in found.samples["resource"].values() if s.resource == "final"]
    for state, who in product(ended, found.samples["caller"].values()):
        if found.is_neutral(who, "caller") and not found.is_neutral(state, "resource"):
            assert (state.state, who.identity, who.owner) in plain
    bare = {(c.state, role(c)) for c in found.calls if c.body.word == "none" and c.state}
    final = {(s.state, name) for s in ended for name in ("owner", "application", "user")}
    lasts = {s.state for s in ended if found.composition.standing(s, "resource").lasts}
    roles = {role(w) for w in found.samples["caller"].values() if found.is_neutral(w, "caller")}
    if any(sample.body.word == "none" for sample in found.samples["body"].values()):
        assert {(state, name) for state, name in final if state in lasts and name in roles} <= bare


@each
def test_after_a_cancel_comes_a_call_of_every_kind(contract: Contract) -> None:
    plan = make(contract, contract.clauses, "deep")
    again = [c for s in plan.scenarios for c in s.calls if c.call == "second"]
    found = read(contract, 92)
    for aspect in ("caller", "body", "transfer", "method", "content_type"):
        met = {found.kind(aspect, call) for call in again}
        for row in found.by_kind(aspect):
            calls = [found.of({aspect: sample}) for sample in row if sample.owner is None]
            if any(alone(call) and found.can(call) for call in calls):
                assert found.kind(aspect, row[0]) in met, (aspect, row[0])
    bare = {call.state for call in again if call.body.word == "none"}
    sends = any(sample.body.word == "none" for sample in found.samples["body"].values())
    assert bare == ({*contract.lifecycle.cancellable} if sends else set())


@each
def test_where_few_clauses_are_chosen_a_plan_is_about_them(contract: Contract) -> None:
    for aspect, key in (("method", "method"), ("caller", "identity")):
        refusing = [
            c for c in contract.clauses if {*c.given} == {key} and c.expect.get("effect") == "none"
        ]
        chosen = [c for c in contract.clauses if c.given.get("any")] + refusing[:1]
        plan = make(contract, chosen, "deep", max_requests=100)
        calls = [c for s in plan.scenarios for c in s.calls if c.call == "first"]
        composition = composed(contract)
        odd = [c for c in calls if composition.standing(c, aspect).kind != "neutral"]
        assert len(odd) * 2 > len(calls), f"{len(odd)} of {len(calls)} for {chosen[-1].id}"


@each
def test_other_callers_than_the_ordinary_one_try_what_changes_by_another_method(
    contract: Contract,
) -> None:
    plan = gate_of(contract)
    calls = [call for scenario in plan.scenarios for call in scenario.calls]
    plain = value(Composition(contract).ordinary, "caller")
    unsafe = {c.method: value(c, "caller") for c in calls if c.method in ("PUT", "PATCH", "DELETE")}
    assert sum(caller != plain for caller in unsafe.values()) >= 2
    assert len({call.extra for call in calls if call.method in unsafe}) >= 2


@each
def test_what_has_ended_or_is_nothing_is_asked_for_by_browsers_and_with_a_query(
    contract: Contract,
) -> None:
    found = read(contract, 100)
    alone = [call for call in found.calls if len(found.odd(call)) == 1]
    ended = {call.extra for call in alone if call.resource in ("final", "unknown")}
    assert {"browser", "query"} <= ended
    callers = {value(c, "caller") for c in alone if c.resource == "final"}
    assert len(callers) > 1


@each
def test_owners_applications_and_users_ask_in_turn_for_what_has_ended(contract: Contract) -> None:
    found = read(contract, 100)
    ended = [c for c in found.calls if c.resource == "final" and found.odd(c) == ["resource"]]
    told = Counter(map(role, ended))
    assert {*told} == {role(choice.sample) for choice in found.neutral("caller")}
    assert max(told.values()) - min(told.values()) <= 2, "some of them stand for a clause's own"


@each
def test_deep_has_what_is_wrong_with_a_body_in_every_state_and_from_every_kind_of_caller(
    contract: Contract,
) -> None:
    composition, plan = Composition(contract), make(contract, contract.clauses, "deep")
    calls = [call for scenario in plan.scenarios for call in scenario.calls]
    # What else is wrong with a call would hide it.
    amiss = [c for c in calls if {a for a, _ in composition.read(c).hiding} == {"body"}]
    bodies, roles = {call.body.kind for call in amiss}, {role(call) for call in amiss}
    assert (len(bodies) > 12, len(roles)) == (True, 2)
    states = {*product(bodies, contract.lifecycle.cancellable)}
    unmet = states - {(call.body.kind, call.state) for call in amiss}
    assert len(unmet) <= len(states) / 6, "four states have more than there are calls for"
    assert len(contract.lifecycle.cancellable) > 2 or not unmet
    assert {*product(bodies, roles)} == {(call.body.kind, role(call)) for call in amiss}


@each
def test_a_gate_calls_without_a_body_where_something_else_is_to_refuse_it(
    contract: Contract,
) -> None:
    plan = gate_of(contract)
    roomy = make(contract, plan.clauses, "gate", max_requests=104)
    composition = Composition(contract)
    calls = [call for scenario in plan.scenarios for call in scenario.calls]
    bare = [c for c in calls if c.body.word in ("none", "empty-object")]
    refused = [call for call in bare if composition.refused(call)]
    odd = [{aspect for aspect, _ in composition.read(call).hiding} for call in refused]
    named = any(call.body.word == "none" for call in bare)
    assert all(two in odd for two in ({"body", "caller"}, {"body", "resource"})) == named
    assert named == (contract.name != "security-action"), "its calls have none anyway"
    more = [call for scenario in roomy.scenarios for call in scenario.calls]
    ended = [c for c in more if c.resource == "final" and c.call == "first"]
    # What a clause about bodies asks for is none of these.
    asked_for = {c for c in ended if c.body.word == "json" and not composition.refused(c)}
    times = Counter(c.state for c in ended if c.identity != "anonymous" and c not in asked_for)
    assert (max(times.values()) == 3) == named, "where calls are left for it"


def test_only_a_call_that_nobody_asked_for_makes_room_and_only_where_enough_pairs_meet() -> None:
    found = Cover(Composition(CONTRACTS[0]), share=0.0)
    found.learn(wanted(CONTRACTS[0]))
    plain = found.of({})
    other = replace(plain, identity="anonymous")
    for call in (plain, replace(plain, transfer="chunked")):
        found.add(call)
    found.asked_for = 1
    before = set(found.met)
    assert not found.in_place(0, other), "a clause asks for it"
    found.share = 1.0
    assert not found.in_place(1, other), "too few would meet"
    assert (found.calls[0], found.met) == (plain, before)
    found.share = 0.0
    assert found.in_place(1, other)
    assert found.calls == [plain, other]
    assert found.met == found.pairs(plain) | found.pairs(other)
