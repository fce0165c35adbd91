"""Make a case anew: its scenarios alone, by the performer and the judge of any run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import cycle
from typing import Literal

from cancel_contracts.assignment import Assignment, Options, assign
from cancel_contracts.errors import UsageError
from cancel_contracts.judge.judge import Verdict
from cancel_contracts.plan.steps import (
    EXISTING,
    Acquire,
    Call,
    Name,
    Observe,
    ObserveLast,
    Scenario,
)
from cancel_contracts.reproduce.cases import FEWEST, Case
from cancel_contracts.run.attempt import Stop
from cancel_contracts.targets.file import Target
from cancel_contracts.verify import ContractResult, Result, verify

Word = Literal["deviates", "keeps", "not-told"]
CALLS = 100  # for a clause that takes many, as many as the gate makes at most


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
    times = (case.tries if local else FEWEST) - 2
    scenarios = (
        *(replace(case.scenario) for _ in range(times)),  # a run makes each scenario once
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
        return Again(case, "not-told", result, number, _why(result.results[0]))
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


def _why(made: ContractResult) -> str:
    """Return what kept the calls of a case from being made, or what its clauses lack."""
    journal, verdicts = made.journal, made.judgement.verdicts
    kept = (*journal.broken.values(), *(gap.says for gap in journal.missing.values()))
    reasons = (made.judgement.unusable, *kept, *(v.reason for v in verdicts))
    reason = next(filter(None, reasons), "the answers tell nothing of it")
    return f"{reason}; `verify --only {verdicts[0].clause.id}` asks in every situation"
