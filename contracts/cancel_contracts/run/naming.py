"""What an id that names nothing is in a run: the target file's, a fresh one, or an odd one."""

from __future__ import annotations

from urllib.parse import unquote

from cancel_contracts.contract.ids import near
from cancel_contracts.contract.model import Contract
from cancel_contracts.plan.near import says_near
from cancel_contracts.plan.steps import Name
from cancel_contracts.run.attempt import Attempt, Resource
from cancel_contracts.run.requests import odd_segment


def named(
    contract: Contract, step: Name, attempt: Attempt, known: str | None, given: str | None
) -> Resource:
    """Return what a step names. `known` is a resource that the id may nearly be that of, `given`
    the target file's id of nothing.
    """
    unknown, nearly = step.id.word == "unknown", says_near(step)
    if unknown and given and (nearly or not step.id.text):
        return Resource.of(given)
    if known and nearly:
        segment = near(step.id.text, known, attempt.drawn())
        return Resource(unquote(segment) if unknown else segment, segment, known)
    if unknown:
        return Resource.of(step.id.text or attempt.fresh(contract.id))
    segment = odd_segment(contract, step.id)
    return Resource(segment, segment)
