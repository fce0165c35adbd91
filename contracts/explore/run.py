"""Run scenarios against a target: provision, look, call, look again.

Sends what the plan says, in its order; knows no clause and judges nothing. What it decides by
itself:
- a 429 is waited out (Retry-After, within `max_wait`) and the call made again, as a call of its
  own;
- an effect that does not show at once is looked for again at the end, for `effect_seconds`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from contracts.exchange import Exchange, Situation
from contracts.explore.calls import THROTTLED_CALLS, Calls, Progress, Resource
from contracts.explore.entrance import find_caller, find_route
from contracts.explore.plan import Plan, Scenario, looks_twice
from contracts.explore.requests import ODD_IDS
from contracts.journal import Journal
from contracts.observation import Observation, is_cancelled, took_effect
from contracts.spec.model import Contract
from contracts.target.identities import Identities, NoIdentity
from contracts.target.ledger import Ledger
from contracts.target.states import Broken, ProviderStates, Refused
from contracts.transport.client import Transport

LOOK_AGAIN_SECONDS = 0.25
# Whoever calls so must be refused: an id of the target file is not used up by it.
REFUSED = ("anonymous", "empty-header", "bare-scheme", "garbage-token", "basic-scheme")


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
        observes: bool = True,
        seed: int = 0,
        max_wait: float = 60.0,
        effect_seconds: float = 4.0,
        started: float | None = None,
        progress: Progress = lambda kind, count: None,
        pace: Callable[[], None] = lambda: None,
        ledger: Ledger | None = None,
    ) -> None:
        self.contract, self.states = contract, states
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
        )
        self.unknown_id, self.seed, self.effect_seconds = unknown_id, seed, effect_seconds
        self.scenario = 0
        self.due: list[tuple[Exchange, Observation | None, Resource]] = []

    @property
    def journal(self) -> Journal:
        return self.calls.journal

    def plan(self, plan: Plan) -> None:
        """Run a plan's scenarios."""
        self.journal.missing.update(plan.left_out)
        for index, scenario in enumerate(plan.scenarios):
            if self.journal.stopped:
                break
            self.execute(scenario)
            if index == 0 and scenario.known:
                find_route(self, scenario)
                find_caller(self, scenario)

    def execute(self, scenario: Scenario) -> list[Exchange]:
        """Run one scenario and return its exchanges.

        Two calls that belong together are both made again, on fresh resources, where a 429 hit one.
        """
        at = len(self.journal.exchanges)
        together = scenario.subject.call in ("concurrent", "reused")
        for attempt in range(1, THROTTLED_CALLS + 1):
            made = self._once(scenario)
            limited = [x for x in made if x.status == 429]
            if not together or not limited:
                break
            alone = len(limited) < len(made)
            if not self.calls.wait_out(limited[0], attempt, one_of_two=alone):
                break
        return self.journal.exchanges[at:]

    def _once(self, scenario: Scenario) -> list[Exchange]:
        self.scenario += 1
        at = len(self.journal.exchanges)
        try:
            for situation in scenario.calls:
                self.calls.identities.authorization(situation.identity, situation.owner)
            resources = self._resources(scenario)
            if scenario.subject.call == "reused":
                self._on_one_connection(scenario, resources)
            elif scenario.subject.call == "concurrent":
                self._at_once(scenario, resources[0])
            else:
                self._in_a_row(scenario, resources)
        except (NoIdentity, Refused) as err:
            self.journal.missing.update(dict.fromkeys(scenario.calls, str(err)))
            return []
        except Broken as err:
            self.journal.broken.update(dict.fromkeys(scenario.calls, str(err)))
            return []
        return [x for x in self.journal.exchanges[at:] if x.kind == "cancel"]

    def _resources(self, scenario: Scenario) -> list[Resource]:
        subject = scenario.subject
        if subject.resource == "odd":
            segment = ODD_IDS.get(subject.id, subject.id.removeprefix("raw:"))
            return [Resource(segment, segment)]
        if subject.resource == "unknown":
            return [Resource.of(self.unknown_id or self.calls.uuid())]
        assert subject.state is not None
        spends = subject.resource == "cancellable" and subject.identity not in REFUSED
        spends = spends and subject.method == "POST"
        ids: list[str] = []
        for _ in range(2 if scenario.neighbour or subject.call == "reused" else 1):
            first = not ids or subject.call == "reused"
            try:
                made = self.states.acquire(
                    subject.state,
                    subject.owner,
                    spends=spends and first,
                    offset=0 if spends else len(ids),
                )
            except Refused:
                if not ids or "{neighbour}" in subject.body or subject.call == "reused":
                    raise
                break  # a neighbour is worth having, not worth doing without the rest
            ids.append(made)
        return [Resource.of(i) for i in ids]

    def _look(
        self, situation: Situation, position: int, target: Resource, neighbour: Resource | None
    ) -> Observation | None:
        """Look at the resource and its neighbour; return what the resource shows."""
        seen = self.calls.observe(self.scenario, situation, position, target)
        if neighbour is not None:
            self.calls.observe(self.scenario, situation, position, neighbour, "neighbour")
        return seen

    def _in_a_row(self, scenario: Scenario, resources: list[Resource]) -> None:
        target = resources[0]
        neighbour = resources[1] if len(resources) > 1 else None
        before = self._look(scenario.subject, 0, target, neighbour) if scenario.known else None
        self._refuse_spent(scenario.subject, before)
        if self.scenario == 1 and looks_twice(self.contract, scenario):
            self.calls.observe(self.scenario, scenario.subject, 0, target)
        position = 0
        for situation in scenario.calls:
            for attempt in range(1, THROTTLED_CALLS + 1):
                if self.journal.stopped:
                    return
                position += 1
                exchange = self.calls.cancel(self.scenario, situation, position, target, neighbour)
                if scenario.known or situation.resource == "unknown":
                    after = self._look(situation, position, target, neighbour)
                    self.note_due(exchange, before, after, target)
                if exchange.status != 429 or situation.identity == "throttled":
                    break
                if not self.calls.wait_out(exchange, attempt):
                    break

    def _refuse_spent(self, situation: Situation, before: Observation | None) -> None:
        """Raise Broken for an id of the target file that a former run has used up."""
        if self.states.site.handler or situation.resource != "cancellable":
            return
        if before is not None and before.entity is not None:
            if is_cancelled(self.contract.lifecycle, before.entity):
                raise Broken("an id of the target file is cancelled already: give fresh ones")

    def _at_once(self, scenario: Scenario, target: Resource) -> None:
        barrier = threading.Barrier(2)
        before = self._look(scenario.subject, 0, target, None)
        self._refuse_spent(scenario.subject, before)

        def call(position: int) -> Exchange:
            barrier.wait(5)
            return self.calls.cancel(self.scenario, scenario.calls[position - 1], position, target)

        with ThreadPoolExecutor(2) as pool:
            pair = list(pool.map(call, (1, 2)))
        after = self._look(scenario.subject, 2, target, None)
        for exchange in pair:
            self.note_due(exchange, before, after, target)

    def _on_one_connection(self, scenario: Scenario, resources: list[Resource]) -> None:
        """Two calls on two resources, the second on the connection that carried the first."""
        numbers = (self.scenario, self.scenario + 1)
        self.scenario += 1
        lots = list(zip(numbers, scenario.calls, resources, strict=True))
        before = [self.calls.observe(number, call, 0, it) for number, call, it in lots]
        # The second asks to close: a server that serves one connection at a time would wait on it.
        made = [
            self.calls.cancel(number, call, 1, it, keep_alive=number == numbers[0])
            for number, call, it in lots
        ]
        for (number, call, it), start, exchange in zip(lots, before, made, strict=True):
            after = self.calls.observe(number, call, 1, it)
            self.note_due(exchange, start, after, it)

    def note_due(
        self,
        exchange: Exchange,
        before: Observation | None,
        after: Observation | None,
        target: Resource,
    ) -> None:
        """Remember a success whose effect does not show yet."""
        success = exchange.status is not None and exchange.status // 100 == 2
        cancels = exchange.situation.resource == "cancellable" and exchange.sent.method == "POST"
        if not success or not cancels or before is None or before.gone:
            return
        if after is None or after.gone:
            return
        if took_effect(self.contract.lifecycle, before, after, frozenset()) is False:
            self.due.append((exchange, before, target))

    def conclude(self) -> None:
        """Where calls went unanswered to the end, tell a target that hangs from one that is
        gone.
        """
        last = self.journal.exchanges[-1:]
        if last and last[0].received is None and last[0].failure == "timeout":
            self.calls.knock(self.scenario + 1)

    def settle(self) -> None:
        """Look again at what has not shown its effect, until it shows or its time is over."""
        last: dict[int, int] = {}
        for number in {exchange.scenario for exchange, _, _ in self.due}:
            made = self.journal.exchanges.of_scenario(number)
            last[number] = max(x.position for x in made)
        deadline = time.monotonic() + self.effect_seconds
        while self.due and time.monotonic() < deadline:
            time.sleep(LOOK_AGAIN_SECONDS)
            still = []
            for exchange, before, target in self.due:
                number = exchange.scenario
                seen = self.calls.observe(number, exchange.situation, last[number], target)
                if seen is not None and not took_effect(
                    self.contract.lifecycle, before, seen, frozenset()
                ):
                    still.append((exchange, before, target))
            self.due = still

    def tear_down(self) -> list[str]:
        """Undo the set-ups; return what failed, in words."""
        failures = self.states.tear_down()
        self.journal.setups = self.states.calls
        return failures
