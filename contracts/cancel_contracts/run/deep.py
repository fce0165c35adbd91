"""What `deep` adds to the matrix: property-based cases and walks through the lifecycle, within a
fixed budget.

Calls are drawn from pools that Hypothesis and schemathesis fill; Hypothesis finds the smallest of
those that violate, and walks. A spent budget makes a rule do nothing; it never raises. Judging is
done by whoever reads the journal; `violates` only tells what to shrink.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random
from typing import Any
from urllib.parse import quote, unquote

from hypothesis import HealthCheck, Phase, Verbosity, find, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from hypothesis.stateful import Bundle, RuleBasedStateMachine, rule, run_state_machine_as_test

from cancel_contracts.exchange import Exchange, Form, Situation
from cancel_contracts.plan.plan import Plan
from cancel_contracts.plan.steps import in_a_row
from cancel_contracts.run.run import Run
from cancel_contracts.run.strategies import bodies
from cancel_contracts.run.walk import Walker

ROUNDS = 25  # of fresh seeds, where one round of Hypothesis leaves budget over
STEPS = 10
BATCH = 40  # calls that are judged together
DOUBLES = 5  # batches in a row without a new call: there are no more
SHRINKS = 200
UNKNOWN = Situation(resource="unknown", id=Form("unknown"))
# One contract at a time. Hypothesis parses the source of strategies, and in CPython before 3.11.10
# two threads that parse at once may end in "AST constructor recursion depth mismatch".
_TURN = threading.Lock()
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
    """Spend the plan's property and walk budgets. May be called from several threads."""
    budget = Budget(plan.property_calls)
    with _TURN:
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


class Drawing:
    """Calls to try: odd ids, bodies that fit the schema and bodies that do not. Seeded."""

    def __init__(self, run: Run) -> None:
        self._random = Random(f"{run.seed}/{run.contract.name}/properties")  # noqa: S311
        self._states = run.contract.lifecycle.cancellable
        self._bodies = bodies(run.contract, run.seed)
        self._kinds = [self._odd, self._invalid]
        if self._bodies.fitting:
            self._kinds.append(self._valid)

    def __call__(self) -> Situation:
        return self._random.choice(self._kinds)()

    def _odd(self) -> Situation:
        text = "".join(self._random.choices(self._bodies.texts, k=2))
        return _odd(text) or self._odd()

    def _invalid(self) -> Situation:
        return _call(self._state(), "invalid", self._bodies.invalid(self._random))

    def _valid(self) -> Situation:
        return _call(self._state(), "valid", self._bodies.valid(self._random))

    def alike(self, situation: Situation) -> bool:
        """Whether a body is what it is called: a part of a valid one need not be valid."""
        form = situation.body
        if form.word not in ("valid", "invalid"):
            return True
        of_kind = self._bodies.fits if form.word == "valid" else self._bodies.misfits
        return of_kind(json.loads(form.text))

    def _state(self) -> str:
        return self._random.choice(self._states)


def _odd(text: str) -> Situation | None:
    """Return a call with this text for an id; None where it may be read as another path.

    A server that decodes the slash first has an empty or a dot segment to do away with, and may
    redirect.
    """
    if {"", ".", ".."} & set(text.split("/")):
        return None
    return Situation(resource="odd", id=Form("raw", quote(text, safe="")))


def _call(state: str | None, kind: str, value: Any) -> Situation:
    body = json.dumps(value, ensure_ascii=True, sort_keys=True)
    return Situation(state=state, body=Form(kind, body))


def smaller(situation: Situation) -> st.SearchStrategy[Situation | None]:
    """Return a strategy of what is in a call: fewer properties, shorter texts, that call itself."""
    if situation.resource == "odd":
        return _part(unquote(situation.id.text)).map(_odd)
    form = situation.body
    return _part(json.loads(form.text)).map(lambda part: _call(situation.state, form.word, part))


def _part(value: Any) -> st.SearchStrategy[Any]:
    """Return a strategy of the parts of a JSON value."""
    if isinstance(value, dict) and value:
        kept = {key: st.none() | _part(inner).map(lambda x: [x]) for key, inner in value.items()}
        return st.fixed_dictionaries(kept).map(_without_none)
    if isinstance(value, (str, list)):
        return st.integers(0, len(value)).map(lambda size: value[:size])
    return st.just(value)


def _without_none(parts: dict[str, list[Any] | None]) -> dict[str, Any]:
    return {key: part[0] for key, part in parts.items() if part is not None}


def properties(run: Run, budget: Budget, violates: Violates) -> None:
    """Try drawn calls until the budget is spent; of one that violates find the smallest."""
    draw = Drawing(run)
    known: dict[Situation, bool] = {}
    doubles = 0
    while budget.left > 0 and not run.calls.stopped and doubles < DOUBLES:
        batch = {
            s: None for s in (draw() for _ in range(min(BATCH, budget.left))) if s not in known
        }
        doubles = 0 if batch else doubles + 1
        budget.take(len(batch))
        ran = run.execute_all([in_a_row(situation) for situation in batch], reuse=True)
        made = dict(zip(batch, ran, strict=True))
        bad = violates([x for exchanges in made.values() for x in exchanges])
        for situation, exchanges in made.items():
            known[situation] = bad and violates(exchanges)
        if found := [situation for situation in made if known[situation]]:
            shrink(run, budget, min(found, key=_size), known, violates, draw.alike)
            return


def _size(situation: Situation) -> int:
    return len(situation.id.text) + len(situation.body.text)


def shrink(
    run: Run,
    budget: Budget,
    found: Situation,
    known: dict[Situation, bool],
    violates: Violates,
    alike: Callable[[Situation], bool],
) -> None:
    """Look for the smallest call that violates as `found` does. The journal keeps them all."""

    def condition(situation: Situation | None) -> bool:
        if situation is None or not alike(situation):
            return False
        if situation not in known:
            if run.calls.stopped or not budget.take(1):
                return False
            known[situation] = violates(run.execute(in_a_row(situation)))
        return known[situation]

    with suppress(NoSuchExample):
        find(
            smaller(found), condition, random=Random(run.seed),  # noqa: S311
            settings=_settings(SHRINKS, Phase.generate, Phase.shrink),
        )  # fmt: skip


def walks(run: Run, budget: Budget) -> None:
    """Walk through the lifecycle until the budget is spent."""
    for round_ in range(ROUNDS):
        if budget.left <= 0 or run.calls.stopped:
            return
        machine = seed(run.seed * ROUNDS + round_)(machine_of(run, budget))
        # Few enough that no round is left walking with nothing to spend.
        examples = budget.left // STEPS
        run_state_machine_as_test(machine, settings=_settings(examples, Phase.generate))
    while not run.calls.stopped and budget.take(1):  # what no walk happened to take
        run.execute(in_a_row(UNKNOWN))


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
                run.execute(in_a_row(UNKNOWN))

        @rule(number=resources)
        def observe(self, number: int) -> None:
            if number >= 0:
                self.walker.observe(number)

        def teardown(self) -> None:
            self.walker.end()

    return Walk
