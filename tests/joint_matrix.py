"""What breaks where two facts meet: such faults of the mock, each on one contract; MATRIX=all meets
every one everywhere, each by itself.

Those that few calls show are met one by one, by these calls. Those that many show, and those that
hide nothing, are met several at a time, by a whole gate: of so many each has to be caught by a
clause of its own, and whichever is not, since another hides it, is met by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cancel_contracts.assignment import Options
from cancel_contracts.builtin import mock_target
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Contract
from cancel_contracts.mock.catalogue import FAULTS
from cancel_contracts.mock.entry import Fault
from cancel_contracts.plan.plan import GATE_CALLS
from cancel_contracts.prove import LATEST_SECONDS, intended, profile_of, trial
from cancel_contracts.speaking import Speaking
from cancel_contracts.transport.client import Timeouts
from cancel_contracts.verify import verify
from sampling import EVERY

# Of these each breaks for one fact: test_prove.py draws one of a family.
SINGLE = frozenset("entity,errors,flaky,identity,races,robustness,slow,state,status".split(","))
SINGLE |= {"empty body"}
SMALLEST_FIRST = sorted(map(load, shipped()), key=lambda contract: len(contract.clauses))
# What no shipped contract has is met on one of these.
CASES = [load(path) for path in sorted((Path(__file__).parent / "cases" / "specs").glob("*.yaml"))]
# Faults of which several are met by one run: what takes long to show, with the contract that shows it
# soonest where that is not the smallest, and what others do not hide from a clause of its own. A new
# fault that takes a third of a second of the processor, or more, goes there.
LINES = (Path(__file__).parent / "cases" / "met_together.txt").read_text("utf-8").splitlines()
MET_TOGETHER = {name: on for name, _, on in (line.partition(" ") for line in LINES)}
FEW = 10  # calls that are tried first
SOON = 0.2  # seconds after which a whole run looks again, where that shows it
BRIEF = Options(  # no fault of these needs more, but for what comes late
    timeouts=Timeouts(connect=2.0, read=1.0, total=1.5), effect_seconds=0.4, max_wait=2
)
SEVERAL = 20
FEW_OF_DEEP = (40, 100, 400)  # calls that are tried in turn where others hide a fault
DEEP_CALLS = 300  # that show what `deep` alone catches, of the clauses that speak of it


@dataclass(frozen=True)
class Several:
    """Faults that one server has at once."""

    contract: Contract
    profile: Any
    faults: tuple[Fault, ...]


def joint() -> list[Fault]:
    """Return the faults that break where two facts meet; none where MATRIX=all meets them."""
    return [] if EVERY else [fault for fault in FAULTS if fault.family not in SINGLE]


def alone(fault: Fault) -> bool:
    return fault.name not in MET_TOGETHER or fault.across


def cases(half: int) -> list[Any]:
    """Return every second fault that is met by itself, with the smallest contract that has it."""
    singly = [fault for fault in joint() if alone(fault)]
    return [pytest.param(met_on(fault), fault, id=fault.name) for fault in singly[half::2]]


def several(half: int) -> list[Any]:
    """Return the other faults, some at a time: every second of these groups."""
    return groups()[half::2]


@cache
def groups() -> list[Any]:
    rows: dict[tuple[str, str], tuple[Contract, list[Fault]]] = {}
    for fault in (fault for fault in joint() if not alone(fault)):
        contract = met_on(fault)
        key = contract.name, profile_of(contract, fault)
        rows.setdefault(key, (contract, []))[1].append(fault)
    made = []
    for (name, profile), (contract, faults) in rows.items():
        many = -(-len(faults) // SEVERAL)
        for number in range(many):
            some = Several(contract, profile, tuple(faults[number::many]))
            made.append(pytest.param(some, id=f"{name}-{profile}-{number + 1}"))
    return made


def met_on(fault: Fault) -> Contract:
    on = MET_TOGETHER.get(fault.name, "")
    fits = (c for c in SMALLEST_FIRST if fault.applies(c) and on in ("", c.name))
    others = (c for c in CASES if fault.applies(c) and intended(c, fault))
    return next(fits, None) or next(others)


def check(contract: Contract, fault: Fault) -> None:
    """Hold that a clause which it breaks catches a fault, with as few calls as will do."""
    caught(contract, fault, calls=(FEW, GATE_CALLS))


def caught(contract: Contract, fault: Fault, **how: Any) -> None:
    met = trial(contract, fault, recorded=False, sweep_seconds=SOON, options=BRIEF, **how)
    if met.hole:  # what comes late, or what the clauses of others bring about
        met = trial(contract, fault, recorded=False)
    assert met.hole is None


def check_several(some: Several) -> None:
    """Hold that each of several faults is caught by a clause of its own that it breaks, or by
    itself where others hide it.
    """
    found, deep = violated(some), some.profile == "deep"
    for at in hidden([found & {*intended(some.contract, fault)} for fault in some.faults]):
        caught(some.contract, some.faults[at], whole=not deep, calls=FEW_OF_DEEP)


def violated(some: Several) -> set[str]:
    """Return the clauses that a server with several faults violates."""
    late = any(fault.family == "late" for fault in some.faults)
    options = replace(BRIEF, profile=some.profile, sweep_seconds=LATEST_SECONDS if late else SOON)
    if some.profile == "deep":
        speaking = Speaking(some.contract)
        rows = ((*speaking.intended(f), *speaking.showing(f)) for f in some.faults)
        asked = dict.fromkeys(id_ for row in rows for id_ in row)
        options = replace(options, only=tuple(asked), max_requests=DEEP_CALLS)
    names, quotas = [fault.name for fault in some.faults], some.profile != "deep"
    with mock_target([some.contract], faults=names, quotas=quotas) as target:
        result = verify([some.contract], target, options)
    verdicts = (v for judgement in result.judgements() for v in judgement.verdicts)
    return {v.clause.id for v in verdicts if v.word == "violated"}


def hidden(sought: list[set[str]]) -> list[int]:
    """Return which of some sets no member of its own can be chosen for (Hall; augmenting paths)."""
    owner: dict[str, int] = {}

    def chosen(at: int, tried: set[str]) -> bool:
        for member in sorted(sought[at] - tried):
            tried.add(member)
            if member not in owner or chosen(owner[member], tried):
                owner[member] = at
                return True
        return False

    return [at for at in range(len(sought)) if not chosen(at, set())]
