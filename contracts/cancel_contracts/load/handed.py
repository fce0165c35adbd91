"""What passes under load hand in, and the result over all of them. Pure but for the drawing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise

from cancel_contracts.assignment import Assignment, Options
from cancel_contracts.exchange import Exchange, Situation
from cancel_contracts.excuses import excuse
from cancel_contracts.identity.identities import Identities
from cancel_contracts.journal import Journal
from cancel_contracts.judge.judge import Judgement, Verdict, judge
from cancel_contracts.needs import Gap
from cancel_contracts.plan.near import near_ids
from cancel_contracts.plan.plan import Plan
from cancel_contracts.plan.steps import Scenario
from cancel_contracts.plan.vary import leaves_open
from cancel_contracts.redact.secrets import Redactor
from cancel_contracts.run.run import Run
from cancel_contracts.run.way_in import Way
from cancel_contracts.targets.file import Target
from cancel_contracts.verify import ContractResult, Result

TWICE = "the provider-state handler gives one resource to two users; load needs one for each"


@dataclass(frozen=True)
class Handed:
    """What one pass saw. `started` of its exchanges counts from the epoch. `scenarios` says of each
    number which scenario of the plan it belongs to, and the first of that one's numbers.
    """

    contract: str
    base_url: str
    way: Way
    exchanges: tuple[Exchange, ...]
    scenarios: Mapping[int, tuple[int, int]]
    missing: Mapping[Situation, Gap]
    broken: Mapping[Situation, str]
    notes: tuple[str, ...]
    setups: int
    stopped: str | None = None
    not_torn_down: tuple[str, ...] = ()

    @classmethod
    def of(cls, run: Run, plan: Plan, not_torn_down: Sequence[str]) -> Handed:
        """Take what a run saw that has ended."""
        journal, places = run.journal, {id(s): at for at, s in enumerate(plan.scenarios)}
        # Ids that name nothing were made nearly those of a resource, where one was known.
        own, known = run.contract.id, run.calls.known
        made = {near_ids(s, own, known): at for at, s in enumerate(plan.scenarios)}
        return cls(
            run.contract.name, run.calls.base_url, run.way, tuple(journal.exchanges),
            {
                n: (places[id(s)] if id(s) in places else made[s], first)
                for n, (s, first) in run.scenarios.items()
            },
            journal.missing, journal.broken, tuple(journal.notes), journal.setups, journal.stopped,
            tuple(not_torn_down),
        )  # fmt: skip


def filled_plan(assignment: Assignment, seed: int) -> Plan:
    """Return the plan with what its calls leave open drawn: the same in each process."""
    plan = assignment.plan
    if not any(leaves_open(call) for s in plan.scenarios for call in s.calls):
        return plan
    from cancel_contracts.run.draw import filled  # Hypothesis: slow to load

    return filled(plan, seed)


def joined(
    target: Target,
    options: Options,
    assignments: Sequence[Assignment],
    callers: Sequence[Identities],
    handed: Iterable[Handed],
    redactor: Redactor,
    began: float,
    ended: float,
    *,
    refused: str | None = None,
    crashes: Sequence[str] = (),
    warnings: Sequence[str] = (),
) -> Result:
    """Return one result over everything that was handed in, judged as one journal a contract.

    `began` and `ended` are seconds since the epoch; `refused` says why nothing can be told.
    """
    rows: dict[str, list[Handed]] = defaultdict(list)
    for one in handed:
        rows[one.contract].append(one)
    results, faults = [], list(crashes)
    for assignment, who in zip(assignments, callers, strict=True):
        name = assignment.contract.name
        own = rows[name]
        results.append(_contract(assignment, who, own, options, began, ended, refused))
        faults += [f"{name}: {text}" for one in own for text in one.not_torn_down]
        notes = dict.fromkeys(note for one in own for note in one.notes)
        ends = dict.fromkeys(f"a pass ended early: {o.stopped}" for o in own if o.stopped)
        warnings = [*warnings, *(f"{name}: {text}" for text in (*notes, *ends))]
    return Result(
        target.base_url or assignments[0].endpoint.base_url, options, tuple(results),
        datetime.fromtimestamp(began, UTC), ended - began, redactor, tuple(warnings), tuple(faults),
        tuple(crashes), described_by=target.place, target_name=target.name,
        target_version=target.version,
    )  # fmt: skip


def _contract(
    assignment: Assignment, identities: Identities, handed: Sequence[Handed], options: Options,
    began: float, ended: float, refused: str | None,
) -> ContractResult:  # fmt: skip
    contract, endpoint = assignment.contract, assignment.endpoint
    plan = filled_plan(assignment, options.seed)
    journal = Journal(contract.name, minted=identities.minted, began=began)
    journal.missing.update(plan.left_out)
    scenarios: dict[int, tuple[Scenario, int]] = {}
    base = 0
    for one in handed:
        for x in one.exchanges:
            moved = replace(x, scenario=x.scenario + base, started=x.started - began)
            journal.exchanges.append(moved)
        for n, (at, first) in one.scenarios.items():
            scenarios[n + base] = (plan.scenarios[at], first + base)
        base += max([0, *one.scenarios, *(x.scenario for x in one.exchanges)])
        journal.missing.update(one.missing)
        journal.broken = {**one.broken, **journal.broken}
        journal.setups += one.setups
    if len({at for one in handed for at, _ in one.scenarios.values()}) < len(plan.scenarios):
        journal.stopped = "the load ended before every scenario was performed"
    pinned = options.pinned.get(contract.name, ())
    judgement = judge(contract, journal, plan.clauses, pinned)
    if told := refused or _twice(journal):
        open_ = (Verdict(c, "inconclusive", reason=told) for c in plan.clauses)
        judgement = Judgement(contract, tuple(open_), {}, told)
    return ContractResult(
        contract, handed[0].base_url if handed else endpoint.base_url, journal,
        excuse(judgement, endpoint.not_testable, endpoint.edition), ended - began,
        endpoint.not_testable, endpoint.edition, pairs=plan.pairs,
        way=handed[0].way if handed else Way(), scenarios=scenarios,
    )  # fmt: skip


def _twice(journal: Journal) -> str | None:
    """Return that a resource was had by two scenarios at a time, where one was: a handler may give
    an id again once it is torn down, but not before.
    """
    spans: dict[str, dict[int, tuple[float, float]]] = defaultdict(dict)
    for x in journal.exchanges:
        if x.situation.resource in ("cancellable", "final"):
            row, end = spans[x.resource.casefold()], x.started + x.seconds
            first, last = row.get(x.scenario, (x.started, end))
            row[x.scenario] = (min(first, x.started), max(last, end))
    for row in spans.values():
        if any(after[0] < before[1] for before, after in pairwise(sorted(row.values()))):
            return TWICE
    return None
