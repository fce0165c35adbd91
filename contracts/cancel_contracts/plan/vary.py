"""Vary: where a plan leaves the text of a body free, so that it may be drawn. Pure.

A cover fills calls with the texts that a clause writes out, most of them several times. Each is
needed once, in a call that is served; in the others a text is drawn where the clause asks for drawn
ones too: at no call more, every run meets texts that stand on no list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from cancel_contracts.contract.compose import Composition
from cancel_contracts.exchange import Form, Situation
from cancel_contracts.plan.steps import AtOnce, Call, Name, Observe, Scenario, Step

DRAWN_TEXT = Form("text")
PACKS = "browser"  # what is sent beside a call that takes gzip


def varied(composition: Composition, calls: Iterable[Situation]) -> list[Situation]:
    """Return the calls in their order, the texts that come again left to be drawn."""
    calls = list(calls)
    clause = composition.decided_by.get(("body", DRAWN_TEXT))
    if clause is None:
        return calls
    met: set[Form] = set()
    found: list[Situation] = []
    for call in calls:
        free = (
            composition.decided_by.get(("body", call.body)) == clause and call.body.word == "json"
        )
        if free and composition.served(call) and call.body not in met:
            met.add(call.body)
            free = False
        found.append(replace(call, body=DRAWN_TEXT) if free else call)
    return found


def packed(composition: Composition, calls: Iterable[Situation]) -> list[Situation]:
    """Return the calls such that one with a text that is longer than any other takes gzip: what is
    long is packed. It changes its extra with a call on something that is not to be served.
    """
    calls = list(calls)
    long = [at for at, call in enumerate(calls) if "{long}" in call.body.text]
    for at, call in enumerate(calls if long else ()):
        here = calls[long[0]]
        two = (replace(here, extra=call.extra), replace(call, extra=here.extra))
        taken = call.extra == PACKS and call.resource == "cancellable"
        taken = taken and not composition.served(call)
        if taken and here.extra != PACKS and all(map(composition.can_meet, two)):
            calls[long[0]], calls[at] = two
            break
    return calls


def leaves_open(situation: Situation) -> bool:
    """Whether a call leaves something to be drawn."""
    return any(form.drawn and not form.text for form in (situation.body, situation.id))


def with_calls(scenario: Scenario, make: Callable[[Situation], Situation]) -> Scenario:
    """Return a scenario in which other calls are made, one for each of those that leave something
    open, and what belongs to them is theirs.
    """
    if not any(map(leaves_open, scenario.calls)):
        return scenario
    made: dict[Situation, Situation] = {}

    def anew(call: Call) -> Call:
        if not leaves_open(call.situation):
            return call
        made[call.situation] = make(call.situation)
        return replace(call, situation=made[call.situation])

    steps: list[Step] = []
    for step in scenario.steps:
        if isinstance(step, AtOnce):
            steps.append(AtOnce(tuple(map(anew, step.calls))))
        else:
            steps.append(anew(step) if isinstance(step, Call) else step)
    ids = {call.id: other.id for call, other in made.items()}
    for at, step in enumerate(steps):
        if isinstance(step, Observe):
            steps[at] = replace(step, situation=made.get(step.situation, step.situation))
        elif isinstance(step, Name):
            steps[at] = replace(step, id=ids.get(step.id, step.id))
    return Scenario(tuple(steps))
