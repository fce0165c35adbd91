"""Single: scenarios for a target that keeps one resource. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from cancel_contracts.plan.steps import Acquire, AtOnce, Close, Name, Observe, Scenario, Step


def one_at_a_time(scenario: Scenario) -> Scenario:
    """Return the scenario for a target that keeps one resource: without neighbours, at once with
    calls on one, and with each resource set up when the one before is done with.

    What comes between two calls on one connection takes that connection where it can: a server may
    serve one at a time, and would wait on it for ever.
    """
    if not scenario.pair:
        return scenario
    beside = {s.slot for s in scenario.steps if isinstance(s, Acquire) and s.beside is not None}
    lots = {s.slot: s for s in scenario.steps if isinstance(s, Acquire) and s.beside is None}
    if len(lots) == 1:
        return scenario.without(beside)
    if any(isinstance(s, AtOnce) for s in scenario.steps):
        return _one_after_the_other(scenario, [slot for slot in lots if slot])
    steps: list[Step] = [step for step in scenario.steps if isinstance(step, Name)]
    kept = False
    for call in scenario.sends:
        if (lot := lots.pop(call.slot, None)) is not None:
            steps.append(Acquire(lot.slot, lot.state, lot.owner, lot.spends, keep_alive=kept))
            steps.append(Observe(lot.slot, call.situation, keep_alive=kept))
        kept = call.keep_alive
        steps += [call, Observe(call.slot, call.situation, keep_alive=kept)]
    last = steps.pop()
    assert isinstance(last, Observe)
    return Scenario((*steps, Close(), replace(last, keep_alive=False)))


def _one_after_the_other(scenario: Scenario, others: Sequence[int]) -> Scenario:
    """Return calls at once on the first resource alone, and after them those that are made at the
    same time on others, but are no calls at once by themselves.
    """
    rows = (scenario.without({0, *others} - {slot}) for slot in others)
    alone = (row for row in rows if row.subject.call != "concurrent")
    steps = [step for row in alone for step in _in_a_row(row)]
    return Scenario((*scenario.without(others).steps, *steps))


def _in_a_row(scenario: Scenario) -> Iterator[Step]:
    for step in scenario.steps:
        yield from step.calls if isinstance(step, AtOnce) else [step]
