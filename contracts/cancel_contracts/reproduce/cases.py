"""The findings of a report as cases: what is to be made anew, and held to what. Sends nothing.

A report holds the scenarios of its violations as steps. Which identity, which resource and which
token they take is the target file's to say, as ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import islice
from math import ceil
from typing import Any

from cancel_contracts import serial
from cancel_contracts.contract.edition import at, last_day
from cancel_contracts.contract.model import Contract
from cancel_contracts.errors import UsageError
from cancel_contracts.judge.overall import calls_to_tell
from cancel_contracts.plan.near import with_resource
from cancel_contracts.plan.steps import Scenario
from cancel_contracts.redact.secrets import MASK
from cancel_contracts.run.way_in import Way

# How often a scenario is made anew before it is said to deviate no more: what deviated in one of n
# exchanges shows in 3n tries nineteen times of twenty. On a target that is not local as few as may
# be.
FEWEST, MOST = 3, 12
OTHERS = 8  # further scenarios of a finding's evidence


@dataclass(frozen=True)
class Case:
    """One finding of a report, or one violated clause of it: what is to be made anew, and what it
    is to be held to, the most telling clause first. `others` are further scenarios of its evidence,
    `tries` says how often to make the first, `many` from how many calls on those of its clauses
    tell that no scenario tells of alone.
    """

    name: str
    contract: Contract
    clauses: tuple[str, ...]
    sentence: str
    scenario: Scenario
    way: Way
    seed: int
    pinned: Mapping[str, tuple[str, ...]]
    others: tuple[Scenario, ...] = ()
    tries: int = FEWEST
    many: Mapping[str, int] = field(default_factory=dict)


def cases(
    report: Mapping[str, Any], contracts: Sequence[Contract], which: str | None
) -> list[Case]:
    """Return the findings of a report, or the one that is asked for by its number or by a clause.

    Raises UsageError where it names none, or the report does not say how it was made.
    """
    rows = list(enumerate(report["defects"], 1))
    if which is None:
        if not rows:
            raise UsageError("REPORT", "has no finding", "name a report of a run that ended 1")
        return [_of_defect(report, contracts, number, row) for number, row in rows]
    if which.isdecimal():
        found = next((row for number, row in rows if number == int(which)), None)
        if found is None:
            fix = f"use 1 to {len(rows)}" if rows else "there is nothing to make anew"
            raise UsageError("DEFECT", f"the report has no finding {which}", fix)
        return [_of_defect(report, contracts, int(which), found)]
    return [_of_clause(report, contracts, which.upper())]


def _of_defect(
    report: Mapping[str, Any], contracts: Sequence[Contract], number: int, row: Mapping[str, Any]
) -> Case:
    lead = row["clauses"][0]["contract"]
    ids = tuple(c["id"] for c in row["clauses"] if c["contract"] == lead)
    return _case(report, contracts, str(number), lead, ids, row["sentence"], row["evidence"])


def _of_clause(report: Mapping[str, Any], contracts: Sequence[Contract], id_: str) -> Case:
    rows = {c["id"]: (of["name"], c) for of in report["contracts"] for c in of["clauses"]}
    if id_ not in rows:
        near = get_close_matches(id_, rows, 1)
        fix = f"did you mean {near[0]}?" if near else "name a finding by its number"
        raise UsageError("CLAUSE", f"the report has no clause {id_}", fix)
    name, clause = rows[id_]
    if not clause["violations"] or not clause["evidence"]:
        told = f"{id_} is {clause['verdict']} in this report: there is no deviation to make anew"
        raise UsageError("CLAUSE", told, "name a violated clause")
    piece = clause["evidence"][0]
    told = f"{piece['scenario']}: {piece['actual']}; expected {piece['expected']}"
    return _case(report, contracts, id_, name, (id_,), told, piece)


def _case(
    report: Mapping[str, Any],
    contracts: Sequence[Contract],
    name: str,
    of: str,
    clauses: tuple[str, ...],
    sentence: str,
    evidence: Mapping[str, Any],
) -> Case:
    row: Mapping[str, Any] = next((c for c in report["contracts"] if c["name"] == of), {})
    contract = next((c for c in contracts if c.name == of), None)
    if contract is None:
        raise UsageError("REPORT", f"is of {of}, which no spec describes", "add --spec FILE")
    if edition := row.get("edition"):
        contract = at(contract, last_day(f"REPORT: {of}/edition", edition))
    steps = row.get("scenarios", {}).get(str(evidence.get("number")))
    if steps is None:
        told = f"does not say how {name} was made: it is of a recording, or of an older version"
        raise UsageError("REPORT", told, "write it again with `verify --report-json`")
    if MASK in str(steps):
        told = f"{name} was made with a text that is left out of reports"
        raise UsageError("REPORT", told, f"run `verify --only {clauses[0]}` instead")
    known = tuple(id_ for id_ in clauses if contract.clause(id_))
    violated = {c["id"]: c for c in row["clauses"] if c["id"] in known}
    beside = _beside(row, violated.values(), steps)
    try:
        scenario, *others = (serial.load(Scenario, one, "steps") for one in (steps, *beside))
        way = serial.load(Way, row.get("way", {}), "way")
    except ValueError as err:
        told = f"holds a scenario that cannot be read: {err}"
        raise UsageError("REPORT", told, "write it again with `verify --report-json`") from None
    # What stood beside the first call of the run, whose id these were nearly, is gone.
    state = contract.lifecycle.cancellable[0]
    scenario, *others = (with_resource(one, state) for one in (scenario, *others))
    if not violated or not all(one.calls for one in (scenario, *others)):
        raise UsageError("REPORT", f"{name} speaks of no clause of {of}", "write it again")
    lead = violated[known[0]]
    tries = ceil(3 * lead["exercised"] / max(1, lead["violations"]))
    told_by = {c.id: calls_to_tell(contract, c) for c in contract.clauses if c.id in violated}
    many = {id_: max(n, violated[id_]["requests"]) for id_, n in told_by.items() if n}
    return Case(
        name, contract, known, sentence, scenario, way, report["seed"],
        {of: tuple(d["name"] for d in row.get("dialects", ()))},
        tuple(others), min(MOST, max(FEWEST, tries)), many,
    )  # fmt: skip


def _beside(
    row: Mapping[str, Any], clauses: Iterable[Mapping[str, Any]], lead: Any
) -> Iterator[Any]:
    """Yield the steps of the other scenarios that the evidence of clauses names."""
    numbers = dict.fromkeys(str(e.get("number")) for c in clauses for e in c["evidence"])
    found = (row["scenarios"].get(number) for number in numbers)
    return islice((s for s in found if s and s != lead and MASK not in str(s)), OTHERS)
