"""Verify: the whole flow for a target, from contracts to a result. The command line and pytest both
call this.

load -> plan -> run -> journal -> judge -> excuse; the gate decides over the result.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from threading import BoundedSemaphore

from cancel_contracts.assignment import Assignment, Options, assign, in_flight
from cancel_contracts.contract.model import Contract
from cancel_contracts.errors import contained
from cancel_contracts.exchange import Exchange
from cancel_contracts.excuses import Excused, excuse, stale
from cancel_contracts.identity.identities import Identities
from cancel_contracts.journal import Journal
from cancel_contracts.judge.judge import Judge, Judgement, unjudged
from cancel_contracts.ledger.ledger import Ledger, default_path
from cancel_contracts.plan.apart import apart
from cancel_contracts.plan.kinds import PairsMet
from cancel_contracts.plan.spread import within
from cancel_contracts.plan.steps import Scenario
from cancel_contracts.provider_states.states import ProviderStates
from cancel_contracts.redact.secrets import Redactor, learn_proxies
from cancel_contracts.run.attempt import Stop
from cancel_contracts.run.pool import Pool, in_turn, together
from cancel_contracts.run.provisioned import provisioner
from cancel_contracts.run.run import Run
from cancel_contracts.run.settings import Progress, RunSettings
from cancel_contracts.run.wait_budget import WaitBudget
from cancel_contracts.run.way_in import Way
from cancel_contracts.targets.file import Target
from cancel_contracts.targets.pace import paced, pacer
from cancel_contracts.transport.certificates import trusted
from cancel_contracts.transport.client import Transport


@dataclass(frozen=True)
class ContractResult:
    """One contract's run: what was sent, what came, what is to be said of it."""

    contract: Contract
    base_url: str
    journal: Journal
    judgement: Judgement
    seconds: float
    not_testable: Mapping[str, str] = field(default_factory=dict)
    held_to: date | None = None  # the edition of the target file
    crashes: tuple[str, ...] = ()  # faults of the suite itself
    not_torn_down: tuple[str, ...] = ()
    pairs: PairsMet = field(default_factory=lambda: PairsMet(0, 0))
    way: Way = field(default_factory=Way)
    # By each number of the journal: the scenario, and the first of its numbers. None of a recording
    scenarios: Mapping[int, tuple[Scenario, int]] = field(default_factory=dict)

    def around(self, number: int) -> list[Exchange]:
        """Return the exchanges of the whole scenario that a number of the journal belongs to."""
        exchanges = self.journal.exchanges
        if number not in self.scenarios:
            return exchanges.of_scenario(number)
        scenario, first = self.scenarios[number]
        numbers = range(first, first + scenario.numbers)
        every = (x for n in numbers for x in exchanges.of_scenario(n))
        return sorted(every, key=lambda x: x.started)

    def requests(self) -> Counter[str]:
        sent = {kind: self.journal.exchanges.kinds[kind] for kind in ("cancel", "observe")}
        return Counter(**sent, provider_states=self.journal.setups)


@dataclass(frozen=True)
class Result:
    """A whole run, from which every report derives."""

    base_url: str
    options: Options
    results: tuple[ContractResult, ...]
    started: datetime
    seconds: float
    redactor: Redactor
    warnings: tuple[str, ...] = ()
    faults_of_the_run: tuple[str, ...] = ()
    crashes: tuple[str, ...] = ()  # faults of the suite itself, told among those of the run
    recorded: bool = False  # by somebody else: nothing was sent
    nothing: str | None = None  # why there is nothing to judge
    described_by: str = ""  # the target file, or what stood in for one
    target_name: str = ""  # `name` and `version` of the target file
    target_version: str = ""

    def judgements(self) -> list[Judgement]:
        return [r.judgement for r in self.results]

    def stale_excuses(self) -> list[str]:
        """Return the excuses of the target file that excuse nothing any more, in words."""
        return stale(Excused(r.judgement, r.journal, r.not_testable) for r in self.results)


def with_ledger(assignments: Sequence[Assignment], options: Options) -> Options:
    """Return the options with a ledger named, where the run may change something on a target that
    is not local.
    """
    risky = any(not a.harmless and a.touches and a.not_local for a in assignments)
    if options.ledger is not None or not risky:
        return options
    return replace(options, ledger=default_path())


def verify(
    contracts: Sequence[Contract],
    target: Target,
    options: Options,
    progress: Callable[[str], Progress] = lambda name: lambda kind, count: None,
    environ: Mapping[str, str] | None = None,
    stop: Stop | None = None,
    redactor: Redactor | None = None,
    assignments: Sequence[Assignment] | None = None,
) -> Result:
    """Plan, run and judge the contracts against a target. `stop` may be asked from outside;
    `redactor` is told every secret; `assignments` are what was planned already of all this.
    """
    begun, clock = datetime.now(UTC), time.monotonic()
    redactor = redactor or Redactor()
    learn_proxies(redactor, os.environ if environ is None else environ)
    warnings: list[str] = []
    failures: list[str] = []
    crashes: list[str] = []
    if assignments is None:
        assignments = assign(contracts, target, options)
    options = with_ledger(assignments, options)
    # Every token is read before the first call: a missing one must not end a run half-way.
    callers = [Identities(a.contract, a.endpoint, redactor, environ) for a in assignments]
    with Ledger(options.ledger, redactor) as ledger:
        ledger.begin()
        flights = BoundedSemaphore(in_flight(assignments, options))
        common = _Common(options, clock, ledger, stop or Stop(), Pool(options.jobs), flights)
        runs = [
            _ContractRun(assignment, who, progress(assignment.contract.name), common)
            for assignment, who in zip(assignments, callers, strict=True)
        ]
        # All calls before all late looks: one pause does for every contract.
        try:
            # What stands beside the first call of each is there while all others are called.
            in_turn([run.send() for run in runs], common.pool)
        finally:
            results = together(_ContractRun.finish, runs, common.pool)
        ledger.end()
    for assignment, result in zip(assignments, results, strict=True):
        name = assignment.contract.name
        crashes += [f"{name}: {text}" for text in result.crashes]
        failures += [f"{name}: {text}" for text in (*result.crashes, *result.not_torn_down)]
        warnings += [f"{name}: {note}" for note in result.journal.notes]
        if (notice := assignment.notice) and options.profile != "smoke":
            warnings.append(notice)
    base = target.base_url or (results[0].base_url if results else "")
    return Result(
        base, options, tuple(results), begun, time.monotonic() - clock, redactor,
        tuple(warnings), tuple(failures), tuple(crashes), described_by=target.place,
        target_name=target.name, target_version=target.version,
    )  # fmt: skip


@dataclass(frozen=True)
class _Common:
    """What the contracts of a run share. `clock` is when it began, `flights` bounds how many
    requests are under way, `sentinels` are ids of resources that no call may touch, by contract.
    """

    options: Options
    clock: float
    ledger: Ledger
    stop: Stop
    pool: Pool
    flights: BoundedSemaphore
    sentinels: dict[str, str] = field(default_factory=dict)


class _ContractRun:
    """One contract's run: everything is sent, then looked at once more, torn down and judged."""

    def __init__(
        self, assignment: Assignment, identities: Identities, progress: Progress, common: _Common
    ) -> None:
        self.assignment, self.options = assignment, common.options
        self.sentinels = common.sentinels
        contract, endpoint, options = assignment.contract, assignment.endpoint, common.options
        local = assignment.not_local is None
        self.transport = Transport(
            options.timeouts, verify=trusted(options.cacert), local_only=local,
            along=identities.fields, certificate=identities.certificate, flights=common.flights,
        )  # fmt: skip
        pace = pacer(
            contract, endpoint.base_url, options.rate, options.quota_store, common.stop.wait
        )
        wait_budget = WaitBudget(options.max_wait, common.stop, common.pool.alone)
        ledger, creates = common.ledger, assignment.creates
        maker = provisioner(
            contract, endpoint, self.transport, identities, ledger, pace, creates, wait_budget
        )
        settings = RunSettings(
            endpoint.base_url,
            self.transport,
            identities,
            ProviderStates(endpoint, self.transport, ledger, maker, wait_budget.wait_as_asked),
            wait_budget,
            common.stop,
            ledger,
            parameters=endpoint.parameters, unknown_id=endpoint.unknown_id, local=local,
            observes=assignment.observes,
            seed=options.seed,
            effect_seconds=options.effect_seconds,
            sweep_seconds=options.sweep_seconds,
            started=common.clock,
            progress=progress,
            pace=pace,
            pool=common.pool,
            most=paced(contract, endpoint.base_url, options.rate),
        )  # fmt: skip
        self.run = Run(contract, settings)
        pinned = options.pinned.get(contract.name, ())
        self.judge = Judge(contract, assignment.plan.clauses, pinned)
        self.crashes: list[str] = []
        self.seconds = 0.0

    def send(self) -> Iterator[None]:
        """Send what the plan says, and what `deep` draws; yield once after the first scenario."""
        began, run = time.monotonic(), self.run
        with contained(self.crashes):
            plan = run.begin(self.assignment.plan, self.assignment.way)
            if (id_ := run.calls.known) and self.assignment.endpoint.handler:
                self.sentinels[plan.contract.name] = id_
            yield
            run.go_on(plan)
            more = within(apart(plan.contract, run.journal.exchanges), self._left())
            run.execute_all(more)
            plan = replace(plan, walk_calls=plan.walk_calls - sum(len(s.calls) for s in more))
            if self.options.profile == "deep" and not run.calls.stopped:
                from cancel_contracts.run.deep import explore  # slow to load

                own = plan.contract.name
                elsewhere = [id_ for name, id_ in self.sentinels.items() if name != own]
                explore(run, plan, self.judge.deviates, elsewhere)
            run.late.conclude(run.live)
        self.seconds += time.monotonic() - began

    def _left(self) -> int | None:
        """Return how many calls may be made beside the plan; None: any. `deep` walks the less."""
        most, made = self.options.max_requests, self.run.journal.exchanges.kinds["cancel"]
        return self.assignment.plan.walk_calls or (None if most is None else max(0, most - made))

    def _shrunk(self, judgement: Judgement) -> bool:
        """Where a call violates that held something drawn, look for the smallest that does."""
        evidence = (e.exchange for v in judgement.verdicts for e in v.violations)
        ended = self.run.calls.stopped or judgement.unusable or self.options.profile == "deep"
        if ended or not any(exchange.situation.drawn for exchange in evidence):
            return False
        from cancel_contracts.run.shrink import shrink_planned  # Hypothesis: slow to load

        return shrink_planned(self.run, self._left(), self.judge.deviates)

    def finish(self) -> ContractResult:
        """Look at what is late, tear down, and judge."""
        began, run, crashes = time.monotonic(), self.run, self.crashes
        own = self.assignment
        contract, plan, endpoint = own.contract, own.plan, own.endpoint
        torn: list[str] = []
        judgement: Judgement | None = None
        with self.transport:
            try:
                with contained(crashes):
                    run.settle()
                    judgement = self.judge.judge(run.journal)
                    if self._shrunk(judgement):
                        judgement = None
            finally:
                with contained(crashes):
                    torn = run.tear_down()
        if crashes and not run.journal.stopped:
            run.journal.stopped, judgement = f"{crashes[0]}; the rest was not sent", None
        if judgement is None:
            judgement = unjudged(contract, plan.clauses)
            with contained(crashes):
                judgement = self.judge.judge(run.journal)
        judgement = excuse(judgement, endpoint.not_testable, endpoint.edition)
        self.seconds += time.monotonic() - began
        pairs = PairsMet(0, 0) if run.journal.stopped else plan.pairs  # how many met nobody counted
        crashes, excused = [*dict.fromkeys(crashes)], endpoint.not_testable
        return ContractResult(
            contract, run.calls.base_url, run.journal, judgement, self.seconds, excused,
            endpoint.edition, tuple(crashes), tuple(torn), pairs, run.way, run.scenarios,
        )  # fmt: skip
