"""How a clause speaks of a call that holds more facts than it asks for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cancel_contracts.contract.compose import Composition
from cancel_contracts.contract.given import asked, fits, listed
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Clause, Contract
from cancel_contracts.exchange import Situation

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
