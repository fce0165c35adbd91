"""Load: a plan performed again and again by users at the same time, each scenario judged at once.

Knows no engine that makes the users. Each pass through a plan is a run of its own, which sets up
its resources and tears them down; what it saw is handed in (handed.py).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from cancel_contracts.assignment import Assignment, Options
from cancel_contracts.contract.edition import newer
from cancel_contracts.contract.model import Clause
from cancel_contracts.errors import UsageError, contained
from cancel_contracts.exchange import Exchange
from cancel_contracts.identity.identities import Identities
from cancel_contracts.judge.judge import Judge
from cancel_contracts.ledger.ledger import Ledger
from cancel_contracts.load.handed import TWICE, Handed, filled_plan
from cancel_contracts.plan.steps import Scenario
from cancel_contracts.provider_states.states import ProviderStates
from cancel_contracts.run.attempt import Stop
from cancel_contracts.run.pool import Pool
from cancel_contracts.run.run import Run
from cancel_contracts.run.settings import RunSettings
from cancel_contracts.run.wait_budget import WaitBudget
from cancel_contracts.run.way_in import Way
from cancel_contracts.transport.certificates import trusted
from cancel_contracts.transport.client import Transport

KEPT = 50_000  # exchanges of a process that are handed in whatever they tell
GOLDEN = 0.6180339887  # multiples of it, modulo 1, lie far apart, however many
SHARED = "quota"  # what calls of all users together decide: one pass does not tell


@dataclass(frozen=True)
class Failure:
    """A call that violates a clause, and the clause."""

    clause: Clause
    exchange: Exchange


@dataclass
class Work:
    """What the users of one process do for one contract. `name` is the process's own; `refused`
    says why no more is to be done.
    """

    assignment: Assignment
    options: Options
    identities: Identities
    ledger: Ledger
    stop: Stop
    name: str = ""
    refused: str | None = None
    way: Way | None = None
    passes: int = 0
    kept: int = 0
    unkept: int = 0  # exchanges that were judged and are not handed in
    handed: list[Handed] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    taken: dict[str, Pass] = field(default_factory=dict)  # by id, of the passes under way
    violated: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.contract = self.assignment.contract
        check(self.assignment)
        self.plan = filled_plan(self.assignment, self.options.seed)
        pinned = self.options.pinned.get(self.contract.name, ())
        clauses = [c for c in self.plan.clauses if SHARED not in c.expect]
        self.judge = Judge(self.contract, clauses, pinned)
        self.failing = ("must", "should") if self.options.strict else ("must",)

    def begin(self) -> Pass:
        """Return the next pass. It begins at a scenario far from where the others began, so that
        all of them are soon performed.
        """
        self.passes += 1
        random = Random(f"{self.options.seed}/{self.name}/{self.passes}")  # noqa: S311
        first = Random(f"{self.options.seed}/{self.name}").random()  # noqa: S311
        return Pass(self, random.getrandbits(48), (first + self.passes * GOLDEN) % 1)

    def hand_in(self, handed: Handed, violated: set[str]) -> None:
        """Keep what a pass saw, as long as there is room; from then on what is new alone, without
        what was put off: the calls that would explain it are not all there.
        """
        if self.kept < KEPT:
            self.kept += len(handed.exchanges)
        elif violated <= self.violated:
            self.unkept += len(handed.exchanges)
            return
        else:
            cut = (replace(x, way_in=x.way_in or x.limited) for x in handed.exchanges)
            handed = replace(handed, exchanges=tuple(cut))
        self.violated |= violated
        self.handed.append(handed)


def check(assignment: Assignment) -> None:
    """Raise UsageError where a target cannot be put under load."""
    place = f"the target of {assignment.contract.name}"
    if assignment.endpoint.handler is None:
        fix = "give `provider_states:` a URL"
        raise UsageError(place, "has no provider-state handler, and load needs resources", fix)
    if assignment.not_local is not None:
        problem = f"{assignment.not_local}: load is made on local targets alone"
        raise UsageError(place, problem, "have it served on loopback or a private address")


class Pass:
    """One user's pass through a contract's plan. `step` performs a scenario, `end` ends it."""

    def __init__(self, work: Work, seed: int, begins: float) -> None:
        """`seed` marks what is sent; `begins` says where in the plan, as a part of it below 1."""
        self.work, endpoint, options = work, work.assignment.endpoint, work.options
        self.transport = Transport(
            options.timeouts, verify=trusted(options.cacert), local_only=True,
            along=work.identities.fields, certificate=work.identities.certificate,
        )  # fmt: skip
        waits = WaitBudget(options.max_wait, work.stop)
        settings = RunSettings(
            endpoint.base_url,
            self.transport,
            work.identities,
            ProviderStates(endpoint, self.transport, work.ledger, waited=waits.wait_as_asked),
            waits,
            work.stop,
            work.ledger,
            parameters=endpoint.parameters,
            unknown_id=endpoint.unknown_id,
            observes=work.assignment.observes,
            seed=seed,
            effect_seconds=options.effect_seconds,
            started=time.monotonic() - time.time(),  # one clock for all processes
            pool=Pool(1),
        )
        self.run = Run(work.contract, settings)
        self._begins, self._told = begins, set[tuple[str, int, float]]()
        self._rest: Iterator[Scenario] | None = None
        self._violated: set[str] = set()
        self._ids = 0
        self.over = False  # nothing is left to be performed

    @property
    def exchanges(self) -> Sequence[Exchange]:
        return self.run.journal.exchanges

    def step(self) -> tuple[list[Exchange], list[Failure]]:
        """Perform the next scenario; return what was sent, and which calls violate a clause."""
        at, work = len(self.exchanges), self.work
        with contained(work.crashes):
            if self._rest is None:
                self._rest = self._begin()
            elif scenario := next(self._rest, None):
                self.run.execute(scenario)
            else:
                self.over = True
            self._look_out()
            made = list(self.exchanges[at:])
            self.over = self.over or self.run.calls.stopped is not None or bool(work.refused)
            if made and not work.refused and work.judge.deviates(made):
                return made, self._failures()
            return made, []
        self.over = True
        return [], []

    def _begin(self) -> Iterator[Scenario]:
        """Perform the first scenario and return the others. The first of all passes finds the way
        in, with a resource to be cancelled, while the others wait.
        """
        work, scenarios = self.work, self.work.plan.scenarios
        with work.lock:
            if work.way is None:
                self.run.begin(work.plan)
                work.way = None if self.run.calls.stopped else self.run.way
                return iter(scenarios[1:])
        at = int(self._begins * len(scenarios))
        scenarios = scenarios[at:] + scenarios[:at]
        self.run.begin(replace(work.plan, scenarios=scenarios), work.way)
        return iter(scenarios[1:])

    def _look_out(self) -> None:
        """Give up where a resource is set up for two at a time: what it shows tells nothing."""
        handed, taken = self.run.states.handed, self.work.taken
        for id_ in map(str.casefold, handed[self._ids :]):
            if taken.setdefault(id_, self) is not self:
                self.work.refused = TWICE
        self._ids = len(handed)
        if self.run.states.single:
            self.work.refused = TWICE

    def _failures(self) -> list[Failure]:
        """Return the calls that violate a clause by all that this pass saw, each once."""
        found = []
        held_to = self.work.assignment.endpoint.edition
        for verdict in self.work.judge.judge(self.run.journal).verdicts:
            clause = verdict.clause
            held = verdict.word == "violated" and not newer(clause, held_to)
            for evidence in verdict.violations if held else ():
                x = evidence.exchange
                key = (clause.id, x.scenario, x.started)
                if clause.level in self.work.failing and key not in self._told:
                    self._told.add(key)
                    self._violated.add(clause.id)
                    found.append(Failure(clause, x))
        return found

    def end(self) -> list[Failure]:
        """Look at what is late, judge the whole, tear down and hand in what was seen."""
        work, run, found, torn = self.work, self.run, list[Failure](), list[str]()
        with self.transport:
            try:
                with contained(work.crashes):
                    run.settle()
                    found = [] if work.refused else self._failures()
            finally:
                with contained(work.crashes):
                    torn = run.tear_down()
        work.taken = {id_: by for id_, by in work.taken.items() if by is not self}
        work.hand_in(Handed.of(run, work.plan, torn), self._violated)
        return found
