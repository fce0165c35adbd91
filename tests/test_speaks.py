"""How a clause speaks of a call that holds more facts than it asks for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from cancel_contracts.contract.compose import Composition
from cancel_contracts.contract.given import asked, fits, listed
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Clause, Contract
from cancel_contracts.exchange import Form, Situation

CONTRACTS = {contract.name: contract for contract in map(load, shipped())}
MACHINE = CONTRACTS["machine-action"]


def clause_of(contract: Contract, id_: str) -> Clause:
    return next(clause for clause in contract.clauses if clause.id == id_)


def bad_body() -> tuple[Composition, Clause, Situation]:
    """Return a clause that refuses a body, and a call with that body."""
    clause = clause_of(MACHINE, "MA-24")
    return Composition(MACHINE), clause, asked(MACHINE, clause)[0]


def allowed(composition: Composition, clause: Clause, call: Situation) -> list[object]:
    speaks = composition.speaks(clause, call, 200)
    assert speaks is not None
    return listed((speaks.expect or clause.expect)["status"])


def test_a_repeat_may_be_answered_as_done_before_its_body_is_read() -> None:
    composition, clause, first = bad_body()
    assert not fits(200, allowed(composition, clause, first)), "the first one is refused"
    again = replace(first, call="second")
    assert fits(200, allowed(composition, clause, again))
    speaks = composition.speaks(clause, again, 200)
    assert speaks is not None
    assert speaks.expect is not None
    assert speaks.expect["effect"] == "none"


@pytest.mark.parametrize("who", ["no-permission", "anonymous"])
def test_whoever_may_not_is_refused_a_repeat_too(who: str) -> None:
    composition, _, first = bad_body()
    again = replace(first, call="second", identity=who, body=composition.ordinary.body)
    told = [
        allowed(composition, clause, again)
        for clause in MACHINE.clauses
        if clause.level == "must" and "status" in clause.expect and "identity" in clause.given
        if composition.speaks(clause, again, 200) is not None
    ]
    assert told
    assert any(not fits(200, statuses) for statuses in told)


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=lambda c: c.name)
def test_a_clause_about_others_speaks_of_them_whatever_else_a_call_holds(
    contract: Contract,
) -> None:
    composition = Composition(contract)
    about = [c for c in contract.clauses if "neighbour" in c.expect and c.level == "must"]
    plain = next(c for c in about if set(c.given) == {"resource"})
    ordinary = composition.ordinary
    for call in (
        replace(ordinary, identity="anonymous"),
        replace(ordinary, method="DELETE"),
        replace(ordinary, identity="no-permission", extra="method-override"),
    ):
        speaks = composition.speaks(plain, call, 401)
        assert speaks is not None, call
        facets = plain.expect if speaks.expect is None else speaks.expect
        assert facets["neighbour"] == "unchanged", call


# By an anonymous caller, in another form, of another method, in chunks, without a body: facts of
# which some contract says that they are neutral, some that they are refused, and some nothing.
OTHERWISE: list[dict[str, Any]] = [
    {"identity": "anonymous"},
    {"identity": "nobody-has-heard-of"},
    {"extra": "http-1.0"},
    {"method": "DELETE"},
    {"method": "TRACE"},
    {"transfer": "chunked"},
    {"body": Form("none")},
    {"transfer": "chunked", "identity": "no-permission"},
]


@pytest.mark.parametrize("otherwise", OTHERWISE, ids=str)
@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=lambda c: c.name)
def test_what_has_ended_or_was_cancelled_stays_whatever_else_a_call_is(
    contract: Contract, otherwise: dict[str, Any]
) -> None:
    composition = Composition(contract)
    plain = composition.ordinary
    again = replace(plain, call="second", **otherwise)
    ended = [
        replace(plain, resource="final", state=state, **otherwise)
        for state in contract.lifecycle.final
        if composition.standings["resource", state].lasts  # else readings of it part
    ]
    assert ended
    ended += [replace(plain, resource="unknown", state=None, id=Form("unknown"), **otherwise)]
    for call, effect in [*((call, "none") for call in ended), (again, "kept")]:
        spoken = [(contract.clause(id_), of) for id_, of, _ in composition.speaking(call, 599)]
        told = [
            clause.expect if of.expect is None else of.expect
            for clause, of in spoken
            if clause is not None and clause.level == "must" and not clause.given.get("any")
        ]
        due = [expect for expect in told if expect.get("effect") == effect]
        assert due, (call.state, otherwise)
        assert not any(fits(500, expect.get("status", [])) for expect in due), "no error is due"


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=lambda c: c.name)
def test_a_clause_about_a_call_that_is_served_says_nothing_beside_what_is_not(
    contract: Contract,
) -> None:
    composition = Composition(contract)
    anonymous = replace(composition.ordinary, identity="anonymous")
    serving = [
        clause
        for clause in contract.clauses
        if clause.expect.get("effect") == "cancelled"
        and clause.given.keys().isdisjoint(("answer", "identity"))
    ]
    assert serving
    for clause in serving:
        speaks = composition.speaks(clause, anonymous, 200)
        assert speaks is None or speaks.expect == {"neighbour": "unchanged"}, clause.id


def test_beside_what_nobody_decides_what_has_ended_may_be_answered_as_done() -> None:
    composition, clause = Composition(MACHINE), clause_of(MACHINE, "MA-43")
    call = replace(composition.ordinary, resource="final", state="Cancelled", method="TRACE")
    assert fits(200, allowed(composition, clause, call))
    anonymous = replace(call, method="POST", identity="anonymous")
    assert fits(401, allowed(composition, clause, anonymous))
    assert not fits(302, allowed(composition, clause, anonymous))
