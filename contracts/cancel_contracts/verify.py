"""Verify: the whole flow for a target, from contracts to a result. The command line and pytest both
call this.

load -> plan -> run -> journal -> judge -> excuse; the gate decides over the result.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from cancel_contracts.contract.model import Clause, Contract
from cancel_contracts.errors import contained
from cancel_contracts.excuses import Excused, excuse, stale
from cancel_contracts.identity.identities import Identities
from cancel_contracts.journal import Journal
from cancel_contracts.judge.judge import Judge, Judgement, unjudged
from cancel_contracts.ledger.ledger import Ledger, default_path
from cancel_contracts.plan.plan import Plan, Profile, make, selectable
from cancel_contracts.provider_states.states import ProviderStates
from cancel_contracts.redact.secrets import Redactor, learn_proxies
from cancel_contracts.run.attempt import Stop
from cancel_contracts.run.patience import Patience
from cancel_contracts.run.provisioned import Creates, creates, provisioner
from cancel_contracts.run.run import Run
from cancel_contracts.run.settings import Progress, RunSettings
from cancel_contracts.targets import safety
from cancel_contracts.targets.file import Site, Target
from cancel_contracts.targets.pace import pacer
from cancel_contracts.transport.client import Timeouts, Transport, trusted


@dataclass(frozen=True)
class Options:
    """How to verify. `pinned` holds dialect names by contract; times are in seconds."""

    profile: Profile = "gate"
    max_requests: int | None = None
    rate: str | None = None
    seed: int = 0
    pinned: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    strict: bool = False
    min_covered: float = 0.0  # percentage of the must-clauses
    allow_destructive: bool = False
    timeouts: Timeouts = field(default_factory=Timeouts)
    max_wait: float = 60.0
    ledger: Path | None = None  # None: none on a local target, a new one on any other
    cacert: Path | None = None  # CA certificates of the target, in place of the usual ones
    quota_store: str | None = None  # the URL of a Redis that counts for several runs
    jobs: int = 1  # contracts and scenarios at a time
    effect_seconds: float = 4.0  # how long after a success its effect may take to show


@dataclass(frozen=True)
class ContractResult:
    """One contract's run: what was sent, what came, what is to be said of it."""

    contract: Contract
    base_url: str
    journal: Journal
    judgement: Judgement
    seconds: float
    not_testable: Mapping[str, str] = field(default_factory=dict)
    crashes: tuple[str, ...] = ()  # faults of the suite itself
    not_torn_down: tuple[str, ...] = ()

    def requests(self) -> Counter[str]:
        kinds = self.journal.exchanges.kinds
        return Counter(
            cancel=kinds["cancel"],
            observe=kinds["observe"],
            provider_states=self.journal.setups,
        )


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

    def judgements(self) -> list[Judgement]:
        return [r.judgement for r in self.results]

    def stale_excuses(self) -> list[str]:
        """Return the excuses of the target file that excuse nothing any more, in words."""
        return stale(Excused(r.judgement, r.journal, r.not_testable) for r in self.results)


@dataclass(frozen=True)
class Assignment:
    """A contract with its site, its selected clauses and its plan."""

    contract: Contract
    site: Site
    plan: Plan
    harmless: bool
    observes: bool
    not_local: str | None = None  # why the target does not count as local

    @property
    def notice(self) -> str | None:
        """Say that only harmless calls are made, where that was not asked for."""
        if not self.harmless:
            return None
        return (
            f"{self.contract.name}: {self.site.base_url} {self.not_local}: only calls that can"
            " cancel nothing are made (--allow-destructive and provider states lift that)"
        )

    @property
    def touches(self) -> bool:
        """Whether the plan names a resource that exists."""
        return any(scenario.known for scenario in self.plan.scenarios)

    def cost(self) -> Counter[str]:
        """Return the requests by kind. What is created by documented calls is an upper bound:
        resources that no call has touched are used again.
        """
        handler, unknown_id = self.site.handler is not None, self.site.unknown_id is not None
        total = self.plan.cost(observes=self.observes, handler=handler, unknown_id=unknown_id)
        total["provider_states"] += self.creates.total()
        if self.site.unknown_id and total["observe"]:  # looked at before each call on it
            total["observe"] += sum(s.subject.resource == "unknown" for s in self.plan.scenarios)
        return total

    @property
    def creates(self) -> Creates:
        return creates(self.plan, self.site)


def select(contract: Contract, options: Options) -> list[Clause]:
    """Return the clauses that --only and --skip leave, as far as the profile can exercise them."""
    return [
        clause
        for clause in contract.clauses
        if (not options.only or clause.id in options.only)
        and clause.id not in options.skip
        and selectable(clause, options.profile, contract)
    ]


def assign(contracts: Sequence[Contract], target: Target, options: Options) -> list[Assignment]:
    """Plan every contract. Sends nothing."""
    target.check_names(contracts)
    found = []
    for contract in contracts:
        clauses = select(contract, options)
        if not clauses:
            continue
        site = target.site(contract)
        not_local = safety.why_site_is_not_local(site, contracts)
        harmless = not_local is not None and not (options.allow_destructive and site.has_states)
        plan = make(
            contract,
            clauses,
            options.profile,
            max_requests=options.max_requests,
            harmless=harmless,
            states=site.has_states,
        )
        observes = "observe" not in site.not_testable and contract.observe_path is not None
        found.append(Assignment(contract, site, plan, harmless, observes, not_local))
    return found


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
) -> Result:
    """Plan, run and judge the contracts against a target. `stop` may be asked from outside;
    `redactor` is told every secret.
    """
    begun, clock = datetime.now(UTC), time.monotonic()
    redactor = redactor or Redactor()
    learn_proxies(redactor, os.environ if environ is None else environ)
    warnings: list[str] = []
    failures: list[str] = []
    crashes: list[str] = []
    assignments = assign(contracts, target, options)
    options = with_ledger(assignments, options)
    # Every token is read before the first call: a missing one must not end a run half-way.
    callers = [Identities(a.contract, a.site, redactor, environ) for a in assignments]
    jobs = min(options.jobs, len(assignments)) or 1  # the contracts share what there is
    with Ledger(options.ledger, redactor) as ledger, ThreadPoolExecutor(jobs) as pool:
        ledger.begin()
        common = _Common(options, clock, ledger, stop or Stop(), options.jobs // jobs)

        def one(assignment: Assignment, callers: Identities) -> ContractResult:
            return _one(assignment, callers, progress(assignment.contract.name), common)

        results = list((pool.map if jobs > 1 else map)(one, assignments, callers))
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
        tuple(warnings), tuple(failures), tuple(crashes),
    )  # fmt: skip


@dataclass(frozen=True)
class _Common:
    """What the contracts of a run share. `clock` is when it began, `jobs` how many scenarios each
    may run at a time.
    """

    options: Options
    clock: float
    ledger: Ledger
    stop: Stop
    jobs: int


def _one(
    assignment: Assignment,
    identities: Identities,
    progress: Progress,
    common: _Common,
) -> ContractResult:
    contract, site, options = assignment.contract, assignment.site, common.options
    ledger = common.ledger
    began = time.monotonic()
    verify_by, local = trusted(options.cacert), assignment.not_local is None
    with Transport(options.timeouts, verify=verify_by, local_only=local) as transport:
        store, wait = options.quota_store, common.stop.wait
        pace = pacer(contract, site.base_url, options.rate, store, wait)
        patience = Patience(options.max_wait, common.stop)
        maker = provisioner(
            contract, site, transport, identities, ledger, pace, assignment.creates, patience
        )
        states = ProviderStates(site, transport, ledger, maker, patience.wait_as_asked)
        settings = RunSettings(
            site.base_url,
            transport,
            identities,
            states,
            patience,
            common.stop,
            ledger,
            unknown_id=site.unknown_id,
            local=local,
            observes=assignment.observes,
            seed=options.seed,
            effect_seconds=options.effect_seconds,
            started=common.clock,
            progress=progress,
            pace=pace,
            jobs=common.jobs,
        )
        run = Run(contract, settings)
        torn: list[str] = []
        crashes: list[str] = []
        try:
            with contained(crashes):
                run.plan(assignment.plan)
                if options.profile == "deep" and not run.calls.stopped:
                    # Hypothesis and schemathesis: slow to load
                    from cancel_contracts.run.deep import explore

                    explore(run, assignment.plan, Judge(contract, assignment.plan.clauses).deviates)
                run.conclude()
                run.settle()
        finally:
            with contained(crashes):
                torn = run.tear_down()
    if crashes and not run.journal.stopped:
        run.journal.stopped = f"{crashes[0]}; the rest was not sent"
    judgement = unjudged(contract, assignment.plan.clauses)
    with contained(crashes):
        pinned = options.pinned.get(contract.name, ())
        judgement = Judge(contract, assignment.plan.clauses, pinned).judge(run.journal)
    judgement = excuse(judgement, site.not_testable)
    seconds = time.monotonic() - began
    return ContractResult(
        contract, run.calls.base_url, run.journal, judgement, seconds, site.not_testable,
        tuple(crashes), tuple(torn),
    )  # fmt: skip
