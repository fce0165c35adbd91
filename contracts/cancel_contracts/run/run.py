"""Run scenarios against a target, one after the other or several at a time (pool.py).

Sends what the plan says; knows no clause and judges nothing. By itself it waits a 429 out and makes
the call again, and looks again for an effect that shows late, or no longer in the end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, groupby

from cancel_contracts.contract.given import kind_of
from cancel_contracts.contract.model import Contract
from cancel_contracts.exchange import Exchange
from cancel_contracts.journal import Journal
from cancel_contracts.plan.near import near_ids
from cancel_contracts.plan.plan import Plan
from cancel_contracts.plan.single import one_at_a_time
from cancel_contracts.plan.spare import after_way_in
from cancel_contracts.plan.steps import Acquire, Scenario
from cancel_contracts.plan.vary import leaves_open
from cancel_contracts.run.attempt import Attempt
from cancel_contracts.run.calls import Calls
from cancel_contracts.run.late import Late
from cancel_contracts.run.limits import by_proxies
from cancel_contracts.run.perform import Performance
from cancel_contracts.run.performed import LastLook, Performed, sentinel
from cancel_contracts.run.pool import FAR_SECONDS, MOST, Item, Made, in_doubt
from cancel_contracts.run.settings import RunSettings
from cancel_contracts.run.way_in import Chosen, Told, Way, search
from cancel_contracts.run.ways import options
from cancel_contracts.sight.observation import effect_seconds


class Run:
    """One contract's run. `execute` may be called many times; `settle` and `tear_down` end it."""

    def __init__(self, contract: Contract, settings: RunSettings) -> None:
        self.contract, self.settings, self.states = contract, settings, settings.states
        # Ids of a target file, and what is created, are dealt out in the order of the scenarios.
        in_order = bool(self.states.endpoint.ids or self.states.provisioner)
        self.pool, self._most = settings.pool, 1 if in_order else settings.most or MOST
        self._jobs = settings.pool.jobs or 1  # how many scenarios at a time
        self.seed = settings.seed
        self.calls = Calls(contract, settings)
        seconds = effect_seconds(contract.lifecycle, settings.effect_seconds)
        self.late = Late(self.calls, self.states, seconds, self._each)
        self._numbers, self._lock = 1, threading.Lock()
        self.last_looks: list[LastLook] = []
        self.way, self._begun = Way(), list[Scenario]()
        # By each number of the journal: the scenario, and the first of its numbers.
        self.scenarios: dict[int, tuple[Scenario, int]] = {}

    @property
    def journal(self) -> Journal:
        return self.calls.journal

    def begin(self, plan: Plan, way: Way | None = None) -> Plan:
        """Run a plan's first scenario, which finds the way in; return the plan, all of it drawn."""
        self.journal.missing.update(plan.left_out)
        if any(leaves_open(call) for s in plan.scenarios for call in s.calls):
            from cancel_contracts.run.draw import filled  # Hypothesis: slow to load

            plan = filled(plan, self.seed)
        if way is not None:
            self._go(way, self.calls.base_url, self.calls.identities.primary)
            self.journal.single = way.single
        beside = not any(scenario.known for scenario in plan.scenarios)
        for scenario in plan.scenarios:
            if not self._begun and scenario.known and way is None:
                beside = self._find_way_in(scenario)
            else:
                self.execute(scenario)
            self._begun.append(scenario)
            if self.pool.jobs is not None or not in_doubt(self._answer_seconds()):
                break
        self._measure(beside)
        return plan

    def _answer_seconds(self) -> list[float]:
        return [x.seconds for x in self.journal.exchanges if x.received is not None]

    def _measure(self, beside: bool) -> None:
        """Have as many scenarios at a time, and connections kept, as the way is long. One at a time
        where it was not seen that resources stand `beside` each other.
        """
        seconds = min(self._answer_seconds(), default=0.0)
        worth = self.pool.measured(seconds)
        if beside or self.pool.jobs is not None:
            self._jobs = worth
        if seconds >= FAR_SECONDS:
            self.calls.transport.keep_connections(seconds)
            calls = (x.seconds for x in self.journal.exchanges if x.kind == "cancel" and x.received)
            self.calls.usual_seconds = min(calls, default=seconds)

    def go_on(self, plan: Plan) -> None:
        """Run a plan's other scenarios."""
        spent = sum(x.way_in and x.kind == "cancel" for x in self.journal.exchanges)
        rest = [s for s in after_way_in(plan, spent) if not any(s is b for b in self._begun)]
        if self.at_a_time > 1:
            self._set_up_ahead(rest[: self.at_a_time])
        for alone, some in groupby(rest, key=lambda s: s.races):
            self.execute_all(list(some), alone=alone)

    def _set_up_ahead(self, scenarios: Sequence[Scenario]) -> None:
        """Set up what the next scenarios acquire, all of it before the first call: a handler that
        gives a resource twice is found out before that does harm.
        """
        steps = (step for scenario in scenarios for step in scenario.steps)
        kinds = [(s.state, s.owner) for s in steps if isinstance(s, Acquire)]
        if not self.calls.stopped and not self.states.prepare(kinds, self._each):
            self._jobs = 1

    def _find_way_in(self, scenario: Scenario) -> bool:
        """Make the first scenario on one way after another, until one is found to go. Return
        whether one resource was seen to stand while another did.

        The journal keeps all of it; what was made on other ways is marked, for it stands for
        nothing. But where another caller was found, the first call was the primary identity's own.
        """
        bare, primary = self.calls.base_url, self.calls.identities.primary
        ways = search(options(self.calls, self.states, scenario))
        made: list[tuple[Way, list[Exchange], Performed]] = []
        chosen: Chosen | None = None
        way = next(ways)
        while chosen is None:
            self._go(way, bare, primary)
            self.calls.start_over([])
            exchanges, performed = self._perform(scenario, self.number(scenario.numbers))
            made.append((way, exchanges, performed))
            try:
                way = ways.send(Told.by(exchanges, scenario.calls[0]))
            except StopIteration as end:
                chosen = end.value
        kept = next(row for row in made if row[0] == chosen.way)
        own = next((row for row in made if row[0] == chosen.refused), None)
        journal: list[Exchange] = []
        for row in made:
            exchanges = row[1]
            if row is own:  # what the primary identity was refused
                who = [replace(x.situation, identity=primary) for x in exchanges]
                exchanges = [replace(x, situation=s) for x, s in zip(exchanges, who, strict=True)]
            beside = row is not kept
            journal += [
                replace(x, way_in=beside and (row is not own or x.position > 1)) for x in exchanges
            ]
        self.calls.start_over(journal)
        self._go(replace(chosen.way, single=False), bare, primary)
        self._note(scenario, kept[2])
        if chosen.way.prefix:
            self.journal.note(f"routed under {chosen.way.prefix}, which the base URL leaves out")
        if chosen.way.single or kept[2].single:
            self.keep_to_one()
        if chosen.way.caller:
            told = f"{primary} was refused; ordinary calls are made as {chosen.way.caller}"
            self.journal.note(told)
        seen = Told.by(kept[1], scenario.calls[0])
        return scenario.pair and not self.states.single and (seen.seen or seen.served)

    def _go(self, way: Way, bare: str, primary: str) -> None:
        self.way = way
        self.calls.base_url = bare + way.prefix
        self.states.single = way.single
        self.calls.identities.primary = way.caller or primary

    def execute(self, scenario: Scenario) -> list[Exchange]:
        """Run one scenario and return its exchanges."""
        return self.execute_all([scenario])[0]

    def execute_all(
        self, scenarios: Sequence[Scenario], *, alone: bool = False, reuse: bool = False
    ) -> list[list[Exchange]]:
        """Run independent scenarios and return the exchanges of each.

        As many at a time as there are `jobs`, unless they want to be `alone`; the journal has them
        in the order of the scenarios. `reuse` has a resource that a refused call left as it was
        acquired again.
        """
        numbered = [(scenario, self.number(scenario.numbers)) for scenario in scenarios]
        jobs = 1 if alone else min(self.at_a_time, len(scenarios))
        made = []
        each = self.pool.map(lambda row: self._perform(*row, live=jobs <= 1), numbered, jobs)
        for scenario, (exchanges, performed) in zip(scenarios, each, strict=True):
            made.append(exchanges)
            for exchange in exchanges if jobs > 1 else ():
                self.calls.keep(exchange)
            self._note(scenario, performed)
            for state, owner, id_ in performed.idle if reuse else ():
                self.states.give_back(state, owner, id_)
        return made

    @property
    def at_a_time(self) -> int:
        """How many scenarios, or looks, may be under way here."""
        return 1 if self.states.single else min(self._jobs, self._most)

    def _each(self, do: Callable[[Item], Made], items: Sequence[Item]) -> Iterator[Made]:
        return self.pool.map(do, items, self.at_a_time)

    def keep_to_one(self) -> None:
        """Have one resource at a time from now on."""
        self.states.single = self.journal.single = True
        self.way = replace(self.way, single=True)
        told = "the provider-state handler keeps one resource at a time: neighbours go unseen"
        self.journal.note(told)

    def number(self, count: int = 1) -> int:
        """Return the first of `count` numbers of the journal that are free."""
        with self._lock:
            self._numbers += count
            return self._numbers - count

    def _perform(
        self, scenario: Scenario, number: int, *, live: bool = True
    ) -> tuple[list[Exchange], Performed]:
        """Perform a scenario and return its exchanges; nothing where the run has ended.

        Calls that belong together are all made again, on fresh resources, where a 429 hit one.
        `live` puts the exchanges into the journal as they are made.
        """
        exchanges: list[Exchange] = []

        def keep(exchange: Exchange) -> None:
            exchanges.append(exchange)
            if live:
                self.calls.keep(exchange)

        performed, tries = Performed(), 0
        while not self.calls.stopped:
            scenario = near_ids(scenario, self.contract.id, self.calls.known)
            steps = one_at_a_time(scenario) if self.states.single else scenario
            at, tries = len(exchanges), tries + 1
            attempts = self._attempts(scenario, number, keep)
            performed = Performance(self.calls, self.states, steps, attempts, self.settings).go()
            if performed.single:
                self.keep_to_one()
            if performed.shared:
                # The handler hands out again what is in use: one at a time, it does no harm.
                exchanges[at:] = [replace(x, way_in=True) for x in exchanges[at:]]
                self.pool.alone()
                number = self.number(scenario.numbers)
                continue
            made = [x for x in exchanges[at:] if x.kind == "cancel"]
            limited = [x for x in made if x.put_off]
            lone = performed.single and not made  # two were needed side by side
            if not lone and not (scenario.together and limited):
                break
            one_of_two = len(limited) < len(made)
            if limited and not self.calls.wait_out(limited[0], tries, one_of_two=one_of_two):
                break
            number = self.number(scenario.numbers)
        if self.states.single:
            exchanges += self.late.await_effects(exchanges)  # the next set-up may end what is due
        return exchanges, performed

    def _attempts(
        self, scenario: Scenario, number: int, keep: Callable[[Exchange], None]
    ) -> Iterator[Attempt]:
        """Yield an attempt for each number of a scenario, then for others: a call that was put off
        though it took effect is made again on a resource that nobody foresaw.
        """
        planned = range(number, number + scenario.numbers)
        for each in chain(planned, iter(self.number, None)):
            self.scenarios[each] = (scenario, number)
            yield self.calls.attempt(each, keep)

    def _note(self, scenario: Scenario, performed: Performed) -> None:
        """Note what could not be brought about, and what is to be looked at in the end."""
        kinds = [kind_of(call) for call in scenario.calls]
        if performed.missing is not None:
            self.journal.missing.update(dict.fromkeys(kinds, performed.missing))
        if performed.broken is not None:
            found = dict.fromkeys(kinds, performed.broken)
            self.journal.broken = found | self.journal.broken  # the first reason tells the most
        if performed.note is not None:
            self.journal.note(performed.note)
        self.last_looks += performed.last
        self.calls.known = sentinel(self.last_looks)

    def live(self, number: int | None = None) -> Attempt:
        """Return an attempt whose exchanges go into the journal as they are made."""
        return self.calls.attempt(self.number() if number is None else number, self.calls.keep)

    def settle(self) -> None:
        """Look a last time where the plan asks for it, and again for effects that are due."""
        if not self.states.single:
            sweep = self.settings.sweep_seconds
            self.late.settle(self.journal.exchanges, self.last_looks, sweep)
        self.late.tell(self.journal.exchanges)
        self.journal.setups = self.states.calls

    def tear_down(self) -> list[str]:
        """Undo the set-ups; return what failed, in words."""
        failures = self.states.tear_down(each=self._each)
        self.journal.notes += [*self.states.orphans, *by_proxies(self.journal.exchanges)]
        self.journal.setups = self.states.calls
        return failures
