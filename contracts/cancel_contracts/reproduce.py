"""Make a finding of a report anew: its scenario alone, by the performer and the judge of any run.

A report holds the scenarios of its violations as steps. Which identity, which resource and which
token they take is the target file's to say, as ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from itertools import cycle, islice
from math import ceil
from typing import Any, Literal

from cancel_contracts import serial
from cancel_contracts.assignment import Assignment, Options, assign
from cancel_contracts.contract.model import Contract
from cancel_contracts.errors import UsageError
from cancel_contracts.judge.judge import Verdict
from cancel_contracts.judge.overall import calls_to_tell
from cancel_contracts.plan.steps import (
    EXISTING,
    Acquire,
    Call,
    Name,
    Observe,
    ObserveLast,
    Scenario,
)
from cancel_contracts.redact.secrets import MASK
from cancel_contracts.run.attempt import Stop
from cancel_contracts.run.way_in import Way
from cancel_contracts.targets.file import Target
from cancel_contracts.verify import ContractResult, Result, verify

Word = Literal["deviates", "keeps", "not-told"]
# How often a scenario is made anew before it is said to deviate no more: what deviated in one of n
# exchanges shows in 3n tries nineteen times of twenty. On a target that is not local as few as may
# be.
FEWEST, MOST = 3, 12
OTHERS = 8  # further scenarios of a finding's evidence
CALLS = 100  # for a clause that takes many, as many as the gate makes at most


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


@dataclass(frozen=True)
class Again:
    """What came of a case when it was made anew, in so many scenarios. `why` says what keeps it
    from being told.
    """

    case: Case
    word: Word
    result: Result
    scenarios: int
    why: str = ""

    @property
    def made(self) -> ContractResult:
        return self.result.results[0]

    @property
    def violated(self) -> list[Verdict]:
        return [v for v in self.made.judgement.verdicts if v.word == "violated"]


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


def assignment(case: Case, target: Target, options: Options) -> Assignment:
    """Return what is to be done for a case on a target. Raises UsageError where it may not be."""
    options = replace(options, only=case.clauses)
    (found,) = assign([case.contract], target, options)
    # The steps are a file's to say, and a drawn id may be one that exists.
    every = (case.scenario, *case.others)
    touches = any(s.known or any(c.resource in EXISTING for c in s.calls) for s in every)
    drawn = any(isinstance(step, Name) and step.id.text for s in every for step in s.steps)
    if touches and not found.endpoint.has_states:
        told = f"gives no provider states for {case.contract.name}"
        raise UsageError(target.place, told, "add `provider_states:`")
    if (touches or drawn) and found.harmless:
        told = f"{found.endpoint.base_url} {found.not_local}, and {case.name} may cancel something"
        raise UsageError(target.place, told, "add --allow-destructive where that may be")
    plan = replace(
        found.plan, scenarios=(case.scenario,), left_out={}, property_calls=0, walk_calls=0
    )
    return replace(found, plan=plan, way=case.way)


def again(case: Case, target: Target, options: Options, stop: Stop | None = None) -> Again:
    """Make a case anew, tear down, and say whether it still deviates.

    Where it does not at once it is made again, with whatever else its evidence names: some
    deviations show now and then, others beside like calls alone.
    """
    every = (case.scenario, *case.others)
    last = any(isinstance(step, ObserveLast) for scenario in every for step in scenario.steps)
    options = replace(
        options,
        seed=case.seed,
        pinned={**case.pinned, **options.pinned},
        sweep_seconds=options.sweep_seconds if last else 0.0,
    )
    todo = assignment(case, target, options)
    found = _once(case, (case.scenario,), todo, target, options, stop)
    if found.word == "deviates" or (stop and stop.asked):
        return found
    local = todo.not_local is None
    scenarios = (
        *(case.scenario,) * ((case.tries if local else FEWEST) - 2),
        *map(_looked_at, every),
        *_asked(case, target, options, local=local),
    )
    more = _once(case, scenarios, todo, target, options, stop)
    more = replace(more, scenarios=more.scenarios + 1)
    return found if more.word == "not-told" and not case.many else more


def _asked(case: Case, target: Target, options: Options, *, local: bool) -> list[Scenario]:
    """Return what the clauses on many exchanges ask for, in as many calls as tell of them: on a
    target that is not local once.
    """
    if not case.many:
        return []
    (found,) = assign([case.contract], target, replace(options, only=tuple(case.many)))
    planned = found.plan.scenarios
    scenarios, calls = list(planned), sum(len(s.calls) for s in planned)
    for scenario in cycle(planned) if local else ():
        calls += len(scenario.calls)
        if calls > min(CALLS, max(case.many.values())):
            break
        scenarios.append(scenario)
    return scenarios


def _looked_at(scenario: Scenario) -> Scenario:
    """Return a scenario with a look before its first call: some do without, and then nobody can
    tell that all is well.
    """
    steps = scenario.steps
    at = next((i for i, step in enumerate(steps) if isinstance(step, Call)), 0)
    looked = {step.slot for step in steps[:at] if isinstance(step, Observe)}
    slots = [s.slot for s in steps[:at] if isinstance(s, Acquire) and s.slot not in looked]
    looks = tuple(Observe(slot, scenario.calls[0]) for slot in slots)
    return Scenario((*steps[:at], *looks, *steps[at:]))


def _once(
    case: Case,
    scenarios: tuple[Scenario, ...],
    todo: Assignment,
    target: Target,
    options: Options,
    stop: Stop | None,
) -> Again:
    calls = sum(len(scenario.calls) for scenario in scenarios)
    todo = replace(todo, plan=replace(todo.plan, scenarios=scenarios))
    options = replace(options, max_requests=calls)
    result = verify([case.contract], target, options, stop=stop, assignments=[todo])
    verdicts, number = result.results[0].judgement.verdicts, len(scenarios)
    if any(v.word == "violated" for v in verdicts):
        return Again(case, "deviates", result, number)
    if result.crashes:
        return Again(case, "not-told", result, number, result.crashes[0])
    if not _told(case, result.results[0]):
        return Again(case, "not-told", result, number, _why(verdicts))
    return Again(case, "keeps", result, number)


def _told(case: Case, made: ContractResult) -> bool:
    """Whether it is told that nothing deviates: a clause was exercised, those on many exchanges are
    upheld, or what nobody can demand did not come.
    """
    verdicts = made.judgement.verdicts
    many = [v for v in verdicts if v.clause.id in case.many]
    if made.judgement.unusable or any(v.word != "upheld" for v in many):
        return False
    answered = any(x.kind == "cancel" and x.status is not None for x in made.journal.exchanges)
    free = all(v.conditional and v.word == "not-exercised" for v in verdicts)
    return any(v.exercised for v in verdicts) or (answered and free)


def _why(verdicts: Sequence[Verdict]) -> str:
    reason = next((v.reason for v in verdicts if v.reason), "the answers tell nothing of it")
    return f"{reason}; `verify --only {verdicts[0].clause.id}` asks in every situation"
