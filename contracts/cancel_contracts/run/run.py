"""Run scenarios against a target, one after the other or several at a time.

Sends what the plan says; knows no clause and judges nothing. What it decides by itself:
- a 429 is waited out (Retry-After, within `max_wait`) and the call made again, as a call of its
  own;
- an effect that does not show at once, or no longer at the end, is looked for again then, for
  `effect_seconds`.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import groupby

from cancel_contracts.contract.model import Contract
from cancel_contracts.exchange import Exchange
from cancel_contracts.identity.identities import Identities
from cancel_contracts.journal import Journal
from cancel_contracts.ledger.ledger import Ledger
from cancel_contracts.plan.plan import Plan, Scenario
from cancel_contracts.provider_states.states import ProviderStates
from cancel_contracts.run.attempt import Attempt, Stop
from cancel_contracts.run.calls import THROTTLED_CALLS, Calls, Progress, Resource
from cancel_contracts.run.entrance import find_caller, find_place, find_route
from cancel_contracts.run.perform import Performance
from cancel_contracts.transport.client import Transport

LOOK_AGAIN_SECONDS = 0.25


def _together(scenario: Scenario) -> bool:
    """Whether two calls belong together: at once, or on one connection."""
    return scenario.subject.call in ("concurrent", "reused")


class Run:
    """One contract's run. `execute` may be called many times; `settle` and `tear_down` end it."""

    def __init__(
        self,
        contract: Contract,
        base_url: str,
        transport: Transport,
        identities: Identities,
        states: ProviderStates,
        *,
        unknown_id: str | None = None,
        local: bool = True,
        observes: bool = True,
        seed: int = 0,
        max_wait: float = 60.0,
        effect_seconds: float = 4.0,
        started: float | None = None,
        progress: Progress = lambda kind, count: None,
        pace: Callable[[], None] = lambda: None,
        ledger: Ledger | None = None,
        stop: Stop | None = None,
        jobs: int = 1,
    ) -> None:
        self.contract, self.states = contract, states
        # Ids of a target file, and what is created, are dealt out in the order of the scenarios.
        self.jobs = 1 if states.site.ids or states.provisioner else jobs
        self.calls = Calls(
            contract,
            base_url,
            transport,
            identities,
            observes=observes,
            seed=seed,
            max_wait=max_wait,
            started=time.monotonic() if started is None else started,
            progress=progress,
            pace=pace,
            ledger=ledger or Ledger(),
            stop=stop or Stop(),
        )
        states.waited = self.calls.patience.wait_as_asked
        if states.provisioner is not None:
            states.provisioner.waited = self.calls.patience.wait_as_asked
            states.provisioner.stopped = lambda: self.calls.stop.asked
        self.unknown_id, self.local = unknown_id, local
        self.seed, self.effect_seconds = seed, effect_seconds
        self._numbers, self._lock = 1, threading.Lock()
        self.thrifty = False  # whether a resource that a refused call left as it was is used again
        self.last_looks: list[tuple[Exchange, Resource]] = []

    @property
    def journal(self) -> Journal:
        return self.calls.journal

    def plan(self, plan: Plan) -> None:
        """Run a plan's scenarios. The first finds the way in and is run by itself."""
        self.journal.missing.update(plan.left_out)
        for scenario in plan.scenarios[:1]:
            self.execute(scenario)
            if scenario.known:
                find_route(self, scenario)
                find_place(self, scenario)
                find_caller(self, scenario)
        for together, some in groupby(plan.scenarios[1:], key=_together):
            self.execute_all(list(some), alone=together)

    def execute(self, scenario: Scenario) -> list[Exchange]:
        """Run one scenario and return its exchanges."""
        return self.execute_all([scenario])[0]

    def execute_all(
        self, scenarios: Sequence[Scenario], *, alone: bool = False
    ) -> list[list[Exchange]]:
        """Run independent scenarios and return the exchanges of each.

        As many at a time as there are `jobs`, unless they want to be `alone`; the journal has them
        in the order of the scenarios.
        """
        numbers = [self.number(2 if _together(scenario) else 1) for scenario in scenarios]
        jobs = 1 if alone or self.states.single else min(self.jobs, len(scenarios))
        made = []
        with ExitStack() as stack:
            each: Iterable[list[Exchange]]
            if jobs > 1:
                pool = stack.enter_context(ThreadPoolExecutor(jobs))
                each = pool.map(partial(self._perform, live=False), scenarios, numbers)
            else:
                each = map(self._perform, scenarios, numbers)
            for exchanges in each:
                made.append(exchanges)
                if jobs > 1:
                    for exchange in exchanges:
                        self.calls.keep(exchange)
                if self.states.single:
                    self.await_effects(exchanges)  # the next set-up may end what is due
        return made

    def keep_to_one(self) -> None:
        """Have one resource at a time from now on."""
        self.states.single = self.journal.single = True
        self.note("the provider-state handler keeps one resource at a time: neighbours go unseen")

    def note(self, text: str) -> None:
        """Tell something beside the verdicts, once."""
        if text not in self.journal.notes:
            self.journal.notes.append(text)

    def number(self, count: int = 1) -> int:
        """Return the first of `count` numbers of the journal that are free."""
        with self._lock:
            self._numbers += count
            return self._numbers - count

    def _perform(self, scenario: Scenario, number: int, *, live: bool = True) -> list[Exchange]:
        """Perform a scenario and return its exchanges; nothing where the run has ended.

        Two calls that belong together are both made again, on fresh resources, where a 429 hit one.
        `live` puts the exchanges into the journal as they are made.
        """
        exchanges: list[Exchange] = []

        def keep(exchange: Exchange) -> None:
            exchanges.append(exchange)
            if live:
                self.calls.keep(exchange)

        for attempt in range(1, THROTTLED_CALLS + 1):
            if self.calls.stopped:
                break
            at = len(exchanges)
            pair = (self.calls.attempt(n, keep) for n in (number, number + 1))
            Performance(self, scenario, *pair).go()
            made = [x for x in exchanges[at:] if x.kind == "cancel"]
            limited = [x for x in made if x.limited]
            if not _together(scenario) or not limited:
                break
            alone = len(limited) < len(made)
            if not self.calls.wait_out(limited[0], attempt, one_of_two=alone):
                break
            number = self.number(2)
        return exchanges

    def note_last_look(self, exchange: Exchange, target: Resource) -> None:
        """Remember a resource to be looked at once more when the run ends."""
        self.last_looks.append((exchange, target))

    def live(self, number: int | None = None) -> Attempt:
        """Return an attempt whose exchanges go into the journal as they are made."""
        number = self.number() if number is None else number
        return self.calls.attempt(number, self.calls.keep)

    def conclude(self) -> None:
        """Where calls went unanswered to the end, tell a target that hangs from one that is
        gone.
        """
        last = self.journal.exchanges[-1:]
        if self.calls.stop.asked:
            return
        if last and last[0].received is None and last[0].failure == "timeout":
            self.calls.knock(self.live())

    def settle(self) -> None:
        """Look a last time where the plan asks for it, and again at what has not shown its effect,
        until it shows or its time is over. What was cancelled for sure needs no undoing.
        """
        if not self.states.single:
            self._look_last()
            self.await_effects(self.journal.exchanges)
        for exchange in self.journal.exchanges:
            cancels = exchange.kind == "cancel" and exchange.situation.resource == "cancellable"
            if cancels and exchange.succeeded and self._cancelled(exchange):
                self.states.cancelled(exchange.resource)

    def _cancelled(self, exchange: Exchange) -> bool:
        sight = self.calls.sight
        return sight.effect(exchange)[0] == "cancelled" and sight.due(exchange) is None

    def await_effects(self, exchanges: Iterable[Exchange]) -> None:
        """Look again at what these calls should have cancelled."""
        sight = self.calls.sight
        due = [x for x in exchanges if sight.due(x)]
        deadline = time.monotonic() + self.effect_seconds
        while due and time.monotonic() < deadline and not self.calls.stop.asked:
            self.calls.stop.wait(LOOK_AGAIN_SECONDS)
            again = {x.resource: x for x in due if sight.due(x) == "not"}
            # Whether a property is a clock one resource tells of all.
            if (doubtful := next((x for x in due if x.resource not in again), None)) is not None:
                again[doubtful.resource] = doubtful
                if not self.states.single and (control := sight.control()):
                    again[control.resource] = control
            for x in again.values():
                attempt = replace(self.live(x.scenario), seed=f"{self.seed}/late")
                position = x.position if x.kind == "observe" else sight.scene(x.scenario).end
                self.calls.observe(attempt, x.situation, position, Resource.of(x.resource))
            due = [x for x in due if sight.due(x)]

    def _look_last(self) -> None:
        """Look once more, beyond the last call, at resources that one scenario alone was given."""
        handed = Counter(map(str.casefold, self.states.handed))
        sight = self.calls.sight
        for exchange, target in sorted(self.last_looks, key=lambda it: it[0].scenario):
            if self.calls.stopped or not sight.observable:
                return
            calls = sight.scene(exchange.scenario).calls
            again = handed[target.id.casefold()] > 1
            if again or not calls or any(sight.due(x) for x in calls):
                continue
            attempt = replace(self.live(exchange.scenario), seed=f"{self.seed}/last")
            self.calls.observe(attempt, exchange.situation, exchange.position + 1, target)

    def tear_down(self) -> list[str]:
        """Undo the set-ups; return what failed, in words."""
        failures = self.states.tear_down()
        self.journal.notes += self.states.orphans
        self.journal.setups = self.states.calls
        return failures
