"""Shrink: of drawn calls that violate, find the smallest that still does, within a budget.

Hypothesis looks for it among the parts of what was drawn. The journal keeps every try.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from hypothesis import HealthCheck, Phase, Verbosity, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from cancel_contracts.contract.compose import Composition, composed, with_value
from cancel_contracts.exchange import Exchange, Form, Situation
from cancel_contracts.plan.steps import in_a_row
from cancel_contracts.run.draw import Drawing
from cancel_contracts.run.run import Run

SHRINKS = 200
STEPS = 20  # of a walk
SHRINK_CALLS = 20  # for the smallest of what a plan drew
ALONE = 4  # drawn values of a plan that are tried by themselves
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


def quietly(examples: int, *phases: Phase) -> settings:
    """Return the settings of Hypothesis for so many examples: it prints and keeps nothing."""
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


def size(situation: Situation) -> int:
    return len(situation.id.text) + len(situation.body.text)


def smaller(situation: Situation) -> st.SearchStrategy[Situation]:
    """Return a strategy of what is in a call: fewer properties, shorter texts, that call itself."""
    if situation.id.drawn:
        octets = _part(unquote_to_bytes(situation.id.text))
        return octets.map(lambda part: replace(situation, id=Form("raw", quote(part, safe=""))))
    word = situation.body.word
    return _part(json.loads(situation.body.text)).map(
        lambda part: replace(situation, body=Form(word, json.dumps(part, sort_keys=True)))
    )


def _part(value: Any) -> st.SearchStrategy[Any]:
    """Return a strategy of the parts of a JSON value, or of octets."""
    if isinstance(value, dict) and value:
        kept = {key: st.none() | _part(inner).map(lambda x: [x]) for key, inner in value.items()}
        return st.fixed_dictionaries(kept).map(_without_none)
    if isinstance(value, (str, list, bytes)):
        return st.integers(0, len(value)).map(lambda size: value[:size])
    return st.just(value)


def _without_none(parts: dict[str, list[Any] | None]) -> dict[str, Any]:
    return {key: part[0] for key, part in parts.items() if part is not None}


def shrink(
    run: Run,
    budget: Budget,
    found: Situation,
    known: dict[Situation, bool],
    violates: Violates,
    alike: Callable[[Situation], bool],
) -> None:
    """Look for the smallest call that violates as `found` does. `known` are those tried so far."""

    def condition(situation: Situation) -> bool:
        if not alike(situation):
            return False
        if situation not in known:
            if run.calls.stopped or not budget.take(1):
                return False
            known[situation] = violates(run.execute(in_a_row(situation, act=run.contract.method)))
        return known[situation]

    with suppress(NoSuchExample):
        find(
            smaller(found), condition, random=Random(run.seed),  # noqa: S311
            settings=quietly(SHRINKS, Phase.generate, Phase.shrink),
        )  # fmt: skip


def shrink_planned(run: Run, left: int | None, violates: Violates) -> bool:
    """Of what was drawn for a plan's calls, find the smallest that violates by itself; return
    whether that took calls. It takes few, of those that are `left` and that the quotas allow.

    Nothing is tried where the ordinary call violates: whatever is in a call does then.
    """
    made = run.journal.exchanges.kinds["cancel"]
    room = [calls for calls in (left, SHRINK_CALLS) if calls is not None]
    budget = Budget(min([*room, *(quota.calls - made for quota in run.contract.quotas)]))
    composition = composed(run.contract)
    known: dict[Situation, bool] = {}
    for situation, deviates in _alone(run, composition, violates):
        known[situation] = known.get(situation, False) or deviates
    if known.pop(composition.ordinary, False):
        return False
    suspects = sorted((s for s, bad in known.items() if bad), key=size)
    alike = Drawing(run.contract, run.seed).alike
    for situation in suspects[:ALONE]:
        if run.calls.stopped or not budget.take(1):
            break
        if violates(run.execute(in_a_row(situation, act=run.contract.method))):
            shrink(run, budget, situation, {situation: True}, violates, alike)
            break
    return run.journal.exchanges.kinds["cancel"] > made


def _alone(
    run: Run, composition: Composition, violates: Violates
) -> Iterator[tuple[Situation, bool]]:
    """Yield the first ordinary call, and what was drawn for each in an ordinary call, with whether
    its scenario violates.
    """
    exchanges, told = run.journal.exchanges, dict[int, bool]()
    ordinary = False
    for x in list(exchanges):
        if x.kind != "cancel" or x.way_in:
            continue
        forms = {"body": x.situation.body, "resource": x.situation.id}
        values = [with_value(composition.ordinary, a, x.situation) for a in forms if forms[a].drawn]
        if x.situation == composition.ordinary and not ordinary:
            ordinary, values = True, [composition.ordinary]
        if values and x.scenario not in told:
            told[x.scenario] = violates(exchanges.of_scenario(x.scenario))
        for each in values:
            yield each, told[x.scenario]
