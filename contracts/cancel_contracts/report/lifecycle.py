"""What a run says of the lifecycle's transitions, and when each request was sent. Pure.

A transition is what a call does to one state where nothing else in it matters (Composition.shows):
a cancellable state is left, a final one refuses. It is judged by the clauses whose `expect` speaks
of the answer or its effect, never by those about wording or framing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from cancel_contracts.contract.compose import Composition, composed
from cancel_contracts.contract.model import Clause, Quota
from cancel_contracts.exchange import Exchange, Situation
from cancel_contracts.journal import Journal
from cancel_contracts.judge.judge import Judgement, Verdict
from cancel_contracts.windows import within

TELLING = frozenset({"status", "effect", "constant"})


def transitions(judgement: Judgement, journal: Journal) -> dict[str, Any]:
    """Return the lifecycle with a verdict for each state, in the spec's order."""
    life = judgement.contract.lifecycle
    composition = composed(judgement.contract)
    usual = composition.ordinary
    ordinary = {s: replace(usual, resource=life.kind(s), state=s) for s in life.states}
    answers: dict[str, Counter[int | None]] = defaultdict(Counter)
    for x in journal.exchanges:
        if x.kind != "cancel" or x.way_in or (state := x.situation.state) not in ordinary:
            continue
        if composition.shows(x.situation, ordinary[state]):
            answers[state][x.status] += 1
    return {
        "cancellable": list(life.cancellable),
        "final": list(life.final),
        "after": list(life.after),
        "through": list(life.through),
        "within": life.within,
        "states": [
            _transition(judgement, composition, ordinary[name], name, answers[name])
            for name in life.states
        ],
    }


def _transition(
    judgement: Judgement,
    composition: Composition,
    ordinary: Situation,
    state: str,
    answers: Counter[int | None],
) -> dict[str, Any]:
    """Return a state's transition; `answers` counts the calls that show it by status."""
    speaks = composition.speaks
    telling = [
        v
        for v in judgement.verdicts
        if _tells(v.clause) and any(speaks(v.clause, ordinary, a) for a in answers)
    ]
    words = {v.clause.id: _word(v, composition, ordinary) for v in telling}
    return {
        "name": state,
        "kind": ordinary.resource,
        "verdict": _overall([w for w in words.values() if w], answers),
        "exercised": answers.total() - answers[None],
        "answers": sorted(status for status in answers if status),
        "clauses": [id_ for id_, word in words.items() if word],
        "violated": [id_ for id_, word in words.items() if word in ("violated", "accepted")],
    }


def _tells(clause: Clause) -> bool:
    return any(TELLING & set(e) for e in (clause.expect, *clause.readings.values()))


def _word(verdict: Verdict, composition: Composition, ordinary: Situation) -> str | None:
    """Return what one clause says of such calls, or None where its verdict comes from others."""
    if verdict.word in ("violated", "accepted"):
        here = any(composition.shows(e.exchange.situation, ordinary) for e in verdict.violations)
        return verdict.word if here else None
    return verdict.word if verdict.word in ("upheld", "inconclusive") else None


def _overall(words: Sequence[str], answers: Counter[int | None]) -> str:
    for word in ("violated", "accepted", "inconclusive"):
        if word in words:
            return word
    if words:
        return "upheld"
    return "inconclusive" if set(answers) == {None} else "not-exercised"


def timeline(exchanges: Iterable[Exchange], quotas: Sequence[Quota]) -> dict[str, Any]:
    """Return when each request was sent, and how full the busiest window of each quota was.

    Seconds count from this contract's first request.
    A request is [seconds, kind, status or null], as short as can be: a deep run has thousands.
    """
    ordered = sorted(((x.started, x.kind, x.status) for x in exchanges), key=lambda row: row[0])
    zero = ordered[0][0] if ordered else 0.0
    calls = [started - zero for started, kind, _ in ordered if kind == "cancel"]
    return {
        "requests": [[round(started - zero, 4), kind, status] for started, kind, status in ordered],
        "quotas": [
            {
                "calls": q.calls,
                "seconds": q.seconds,
                "documented": q.documented,
                "peak": max(within(calls, q.seconds), default=0),
            }
            for q in quotas
        ],
    }
