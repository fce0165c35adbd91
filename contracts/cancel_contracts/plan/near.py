"""Near: ids that name nothing, made nearly that of a resource which stands. Pure.

What a word of `id` is near a resource stands in its row (contract/words.py). A server that takes
such an id for the resource's own says so in its answer, and strikes a resource that no call names.
"""

from __future__ import annotations

from dataclasses import replace

from cancel_contracts.contract.ids import Id
from cancel_contracts.contract.words import IDS
from cancel_contracts.exchange import Form
from cancel_contracts.plan.steps import Acquire, Name, Scenario, Step


def near_ids(scenario: Scenario, own: Id, known: str | None) -> Scenario:
    """Return a scenario whose ids that name nothing are said to be nearly that of a resource, as
    far as the form of ids allows. What was drawn stays.
    """
    if known is None or not any(isinstance(step, Name) for step in scenario.steps):
        return scenario
    return Scenario(tuple(_near(step, own, known) for step in scenario.steps))


def _near(step: Step, own: Id, known: str) -> Step:
    if not isinstance(step, Name) or step.id.text:
        return step
    form = IDS[step.id.word].near
    return replace(step, id=Form(step.id.word, form)) if own.can_be_near(form, known) else step


def with_resource(scenario: Scenario, state: str) -> Scenario:
    """Return a scenario of ids that are nearly a resource's with such a resource set up first: for
    one that is made alone.
    """
    if not any(isinstance(step, Name) and says_near(step) for step in scenario.steps):
        return scenario
    last = max(step.slot for step in scenario.steps if isinstance(step, (Acquire, Name)))
    return Scenario((Acquire(last + 1, state), *scenario.steps))


def says_near(step: Name) -> bool:
    """Whether a step names an id that is nearly a resource's own."""
    return bool(step.id.text) and step.id.text == IDS[step.id.word].near
