"""What `deep` adds to the matrix: property-based cases and walks through the lifecycle, within a
fixed budget.

Plans are data and their execution is remembered, so that Hypothesis shrinks for free where it can
and within the
budget where it cannot. A spent budget makes a rule do nothing; it never raises. Judging is done by
whoever reads the
journal; `violates` only tells Hypothesis what to shrink.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, rule, run_state_machine_as_test

from contracts.exchange import Exchange, Situation
from contracts.explore.plan import Plan, Scenario
from contracts.explore.run import Run
from contracts.explore.walk import Walker
from contracts.spec.strategies import bodies

ROUNDS = 25  # of fresh seeds, where one round of Hypothesis leaves budget over
STEPS = 10
UNKNOWN = Situation(resource="unknown", id="unknown")
Violates = Callable[[Sequence[Exchange]], bool]


class Budget:
    """Calls that may still be made. Asking for more than is left answers False and takes
    nothing.
    """

    def __init__(self, calls: int) -> None:
        self.left = calls

    def take(self, calls: int) -> bool:
        if calls > self.left:
            return False
        self.left -= calls
        return True


def explore(run: Run, plan: Plan, violates: Violates) -> None:
    """Spend the plan's property and walk budgets."""
    budget = Budget(plan.property_calls)
    properties(run, budget, violates)
    walks(run, Budget(plan.walk_calls + budget.left))


def _settings(examples: int, *phases: Phase) -> settings:
    return settings(
        max_examples=max(1, examples),
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=phases,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )


def situations(run: Run) -> st.SearchStrategy[Situation]:
    """Return a strategy of calls: odd ids, bodies that fit the schema and bodies that do not."""
    contract = run.contract
    state = st.sampled_from(contract.lifecycle.cancellable)
    fitting, misfit = bodies(contract)

    def body(kind: str, value: Any) -> str:
        return f"{kind}:" + json.dumps(value, ensure_ascii=True, sort_keys=True)

    def call(of: str, name: str) -> Situation:
        return Situation(state=of, body=name)

    ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
    odd = ids.map(lambda text: "raw:" + quote(text, safe="")).filter(
        lambda name: name not in ("raw:.", "raw:..")
    )
    return st.one_of(
        odd.map(lambda name: Situation(resource="odd", id=name)),
        st.builds(call, state, fitting.map(lambda value: body("valid", value))),
        st.builds(call, state, misfit.map(lambda value: body("invalid", value))),
    )


def properties(run: Run, budget: Budget, violates: Violates) -> None:
    """Try generated calls until the budget is spent; on a violation shrink it with what is left."""
    remembered: dict[Situation, bool] = {}

    def attempt(situation: Situation) -> bool:
        if situation not in remembered:
            if run.journal.stopped or not budget.take(1):
                return False
            remembered[situation] = violates(run.execute(Scenario((situation,))))
        return remembered[situation]

    strategy = situations(run)
    for round_ in range(ROUNDS):
        before = budget.left

        @seed(run.seed * ROUNDS + round_)
        @_settings(budget.left, Phase.generate, Phase.shrink)
        @given(situation=strategy)
        def holds(situation: Situation) -> None:
            assert not attempt(situation)

        if budget.left <= 0 or run.journal.stopped:
            return
        try:
            holds()
        except AssertionError:
            return  # found, and shrunk as far as the budget went: the journal has it
        if budget.left == before:
            return  # a finite domain, walked through


def walks(run: Run, budget: Budget) -> None:
    """Walk through the lifecycle until the budget is spent."""
    for round_ in range(ROUNDS):
        if budget.left <= 0 or run.journal.stopped:
            return
        machine = seed(run.seed * ROUNDS + round_)(machine_of(run, budget))
        run_state_machine_as_test(machine, settings=_settings(budget.left, Phase.generate))
    while not run.journal.stopped and budget.take(1):  # what no walk happened to take
        run.execute(Scenario((UNKNOWN,)))


def machine_of(run: Run, budget: Budget) -> type[RuleBasedStateMachine]:
    """Return a state machine whose rules are the contract's lifecycle. It asserts nothing."""
    states = run.contract.lifecycle.states

    class Walk(RuleBasedStateMachine):
        resources = Bundle("resources")

        def __init__(self) -> None:
            super().__init__()
            self.walker = Walker(run)

        @rule(target=resources, state=st.sampled_from(states))
        def provision(self, state: str) -> int:
            return self.walker.provision(state) if budget.left > 0 else -1

        @rule(number=resources)
        def cancel(self, number: int) -> None:
            if number >= 0 and budget.take(1):
                self.walker.cancel(number)

        @rule(number=resources)
        def cancel_twice(self, number: int) -> None:
            if number >= 0 and budget.take(2):
                self.walker.cancel(number)
                self.walker.cancel(number)

        @rule(number=resources)
        def cancel_without_token(self, number: int) -> None:
            if number >= 0 and budget.take(1):
                self.walker.cancel(number, identity="anonymous")

        @rule()
        def cancel_unknown(self) -> None:
            if budget.take(1):
                run.execute(Scenario((UNKNOWN,)))

        @rule(number=resources)
        def observe(self, number: int) -> None:
            if number >= 0:
                self.walker.observe(number)

    return Walk
