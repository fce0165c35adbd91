"""What `deep` adds to the matrix: property-based cases and walks through the lifecycle, within a
fixed budget.

Calls are drawn from pools that Hypothesis and schemathesis fill; Hypothesis finds the smallest of
those that violate, and walks. A spent budget makes a rule do nothing; it never raises. Judging is
done by whoever reads the journal; `violates` only tells what to shrink.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import Phase, seed
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)

from cancel_contracts.contract.given import ordinary
from cancel_contracts.contract.model import Contract
from cancel_contracts.exchange import Form, Situation
from cancel_contracts.plan.plan import Plan
from cancel_contracts.plan.steps import Name, Observe, Scenario, Step, in_a_row
from cancel_contracts.run.draw import FEW, TURN, Drawing
from cancel_contracts.run.run import Run
from cancel_contracts.run.shrink import STEPS, Budget, Violates, quietly, shrink, size
from cancel_contracts.run.strategies import POOL
from cancel_contracts.run.walk import Change, Walker, changes

ROUNDS = 25  # of fresh seeds, where one round of Hypothesis leaves budget over
BATCH = 40  # calls that are judged together
ALIVE = 4  # resources of a walk: each is looked at around every call
DOUBLES = 5  # batches in a row without a new call: there are no more
UNKNOWN = Form("unknown")


def explore(run: Run, plan: Plan, violates: Violates, elsewhere: Sequence[str] = ()) -> None:
    """Spend the plan's property and walk budgets. May be called from several threads.

    `elsewhere` are ids that name something under other contracts, and nothing under this one.
    """
    budget = Budget(plan.property_calls)
    for id_ in elsewhere:
        if run.contract.id.fits(id_) and budget.take(1):
            run.execute(under(run.contract, id_))
    with TURN:
        properties(run, budget, violates)
        walks(run, Budget(plan.walk_calls + budget.left), changes(plan))


def unknown(contract: Contract) -> Scenario:
    """Return an ordinary call under an id that names nothing."""
    return in_a_row(replace(ordinary(contract), resource="unknown", id=UNKNOWN))


def under(contract: Contract, id_: str) -> Scenario:
    """Return a call under an id that is to name nothing."""
    steps: list[Step] = []
    for step in unknown(contract).steps:
        if isinstance(step, Name):
            steps.append(replace(step, id=Form("unknown", id_)))
        elif not (isinstance(step, Observe) and step.given):
            steps.append(step)
    return Scenario(tuple(steps))


def properties(run: Run, budget: Budget, violates: Violates) -> None:
    """Try drawn calls until the budget is spent; of one that violates find the smallest."""
    draw = Drawing(run.contract, run.seed, max(FEW, min(POOL, budget.left)))
    known: dict[Situation, bool] = {}
    doubles = 0
    while budget.left > 0 and not run.calls.stopped and doubles < DOUBLES:
        batch = {
            s: None for s in (draw() for _ in range(min(BATCH, budget.left))) if s not in known
        }
        doubles = 0 if batch else doubles + 1
        budget.take(len(batch))
        ran = run.execute_all([in_a_row(s, act=run.contract.method) for s in batch], reuse=True)
        made = dict(zip(batch, ran, strict=True))
        bad = violates([x for exchanges in made.values() for x in exchanges])
        for situation, exchanges in made.items():
            known[situation] = bad and violates(exchanges)
        if found := [situation for situation in made if known[situation]]:
            shrink(run, budget, min(found, key=size), known, violates, draw.alike)
            return


def walks(run: Run, budget: Budget, varied: Sequence[Change] = ()) -> None:
    """Walk through the lifecycle until the budget is spent."""
    for round_ in range(ROUNDS):
        if budget.left <= 0 or run.calls.stopped:
            return
        machine = seed(run.seed * ROUNDS + round_)(machine_of(run, budget, varied))
        # Few enough that no round is left walking with nothing to spend.
        examples = budget.left // STEPS
        run_state_machine_as_test(machine, settings=quietly(examples, Phase.generate))
    while not run.calls.stopped and budget.take(1):  # what no walk happened to take
        run.execute(unknown(run.contract))


def machine_of(
    run: Run, budget: Budget, varied: Sequence[Change] = ()
) -> type[RuleBasedStateMachine]:
    """Return a state machine whose rules are the contract's lifecycle. It asserts nothing."""
    states, open_ = run.contract.lifecycle.states, run.contract.lifecycle.cancellable
    # By their place: Hypothesis may write a strategy out, with all that it is drawn from.
    places = st.lists(st.sampled_from(range(len(varied))), max_size=4) if varied else st.just([])
    some = places.map(lambda chosen: [varied[place] for place in chosen])

    class Walk(RuleBasedStateMachine):
        resources = Bundle("resources")

        def __init__(self) -> None:
            super().__init__()
            self.walker = Walker(run)

        @initialize(target=resources, keep_alive=st.booleans(), state=st.sampled_from(open_))
        def begin(self, keep_alive: bool, state: str) -> MultipleResults[int]:
            self.walker = Walker(run, keep_alive=keep_alive)
            return self.made(state)

        @rule(target=resources, state=st.sampled_from(states))
        def provision(self, state: str) -> MultipleResults[int]:
            return self.made(state)

        def made(self, state: str) -> MultipleResults[int]:
            room = budget.left > 0 and len(self.walker.lives) < ALIVE
            number = self.walker.provision(state) if room else -1
            return multiple(number) if number >= 0 else multiple()

        @rule(number=resources, changes=some)
        def call(self, number: int, changes: list[Change]) -> None:
            if budget.take(1):
                self.walker.cancel(number, changes)

        @rule(number=resources, changes=some)
        def cancel_and_call(self, number: int, changes: list[Change]) -> None:
            if budget.take(2):
                self.walker.cancel(number)
                self.walker.cancel(number, changes)

        def teardown(self) -> None:
            self.walker.end()

    return Walk
