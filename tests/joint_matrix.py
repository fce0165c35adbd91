"""What breaks where two facts meet: such faults of the mock, each on one contract. All are met that
few calls show, and one of each family of the others; MATRIX=all meets every one everywhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Contract
from cancel_contracts.mock.catalogue import FAULTS
from cancel_contracts.mock.entry import Fault
from cancel_contracts.plan.plan import GATE_CALLS
from cancel_contracts.prove import intended, trial
from sampling import EVERY

# Of these each breaks for one fact: test_prove.py draws one of a family.
SINGLE = frozenset("entity,errors,flaky,identity,races,robustness,slow,state,status".split(","))
SINGLE |= {"empty body"}
SMALLEST_FIRST = sorted(map(load, shipped()), key=lambda contract: len(contract.clauses))
# What no shipped contract has is met on one of these.
CASES = [load(path) for path in sorted((Path(__file__).parent / "cases" / "specs").glob("*.yaml"))]
# What takes long to show, mostly a hundred calls or more: of each family the first is met. A new
# fault that takes a third of a second of the processor, or more, goes there.
MANY_CALLS = (Path(__file__).parent / "cases" / "many_calls.txt").read_text("utf-8").split()
FEW = 10  # calls that are tried first
SOON = 0.2  # seconds after which a whole run looks again, where that shows it


def cases(half: int) -> list[Any]:
    """Return every second fault with the smallest contract that has it; none where MATRIX=all meets
    them.
    """
    joint = [] if EVERY else chosen()
    return [pytest.param(met_on(fault), fault, id=fault.name) for fault in joint[half::2]]


def chosen() -> list[Fault]:
    joint = [fault for fault in FAULTS if fault.family not in SINGLE]
    many = [fault for fault in joint if fault.name in MANY_CALLS]
    first = {fault.family: fault for fault in reversed(many)}
    return [f for f in joint if f.name not in MANY_CALLS or f is first[f.family]]


def met_on(fault: Fault) -> Contract:
    fits = (contract for contract in SMALLEST_FIRST if fault.applies(contract))
    others = (c for c in CASES if fault.applies(c) and intended(c, fault))
    return next(fits, None) or next(others)


def check(contract: Contract, fault: Fault) -> None:
    """Hold that a clause which it breaks catches a fault, with as few calls as will do."""
    calls = (FEW, GATE_CALLS)
    met = trial(contract, fault, calls=calls, sweep_seconds=SOON)
    if met.hole:  # what comes late, or what the clauses of others bring about
        met = trial(contract, fault)
    assert met.hole is None
