"""What breaks where two facts meet: every such fault of the mock, each on one contract."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Contract
from cancel_contracts.mock.catalogue import FAULTS
from cancel_contracts.mock.entry import Fault
from cancel_contracts.plan.plan import GATE_CALLS
from cancel_contracts.prove import intended, profile_of, trial
from sampling import EVERY

# Of these each breaks for one fact: test_prove.py draws one of a family.
SINGLE = frozenset("entity,errors,flaky,identity,races,robustness,slow,state,status".split(","))
SINGLE |= {"empty body"}
SMALLEST_FIRST = sorted(map(load, shipped()), key=lambda contract: len(contract.clauses))
# What no shipped contract has is met on one of these.
CASES = [load(path) for path in sorted((Path(__file__).parent / "cases" / "specs").glob("*.yaml"))]
# And of these fewer calls show it on another contract.
ELSEWHERE = {
    "machine-action": frozenset(
        (
            "kept-connection-keeps-the-caller",
            "kept-connection-lends-its-caller",
            "kept-connection-repeats-a-refusal",
            "pair-chunked-anonymous-accepted",
            "pair-chunked-final-cancelled",
            "pair-no-accept-final-answered-500",
            "pair-no-permission-second-state-accepted",
            "second-cancel-chunked-resurrects",
        )
    ),
    "access-package-assignment-request": frozenset(
        (
            "body-says-the-state-and-is-believed",
            "every-ninth-success-strikes-neighbours",
            "json-escaped-text-answered-500",
            "kept-connection-permission-looked-at-once",
            "pair-chunked-no-permission-accepted",
            "pair-chunked-unknown-as-text",
            "pair-foreign-media-second-state-accepted",
            "pair-unknown-bad-body-answered-500",
            "path-with-parameter-answered-500",
            "path-with-trailing-slash-answered-500",
            "scopes-beside-a-role-not-read",
            "unknown-without-a-body-answered-as-done",
        )
    ),
}
FEW, MANY = 10, 300  # calls that are tried first, and of `deep` last
SOON = 0.2  # seconds after which a whole run looks again, where that shows it


def cases(half: int) -> list[Any]:
    """Return every second fault with the smallest contract that has it; none where MATRIX=all meets
    them.
    """
    joint = [] if EVERY else [fault for fault in FAULTS if fault.family not in SINGLE]
    return [pytest.param(met_on(fault), fault, id=fault.name) for fault in joint[half::2]]


def met_on(fault: Fault) -> Contract:
    fits = [contract for contract in SMALLEST_FIRST if fault.applies(contract)]
    fits = fits or [c for c in CASES if fault.applies(c) and intended(c, fault)]
    rather = (contract for contract in fits if fault.name in ELSEWHERE.get(contract.name, ()))
    return next(rather, fits[0])


def check(contract: Contract, fault: Fault) -> None:
    """Hold that a clause which it breaks catches a fault, with as few calls as will do."""
    calls = (FEW, GATE_CALLS, *((MANY,) if profile_of(contract, fault) == "deep" else ()))
    met = trial(contract, fault, calls=calls, sweep_seconds=SOON)
    if met.hole:  # what comes late, or what the clauses of others bring about
        met = trial(contract, fault)
    assert met.hole is None
