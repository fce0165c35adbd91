"""What a run says of the lifecycle's transitions, and when each request was sent. Pure.

A transition is what the ordinary call does to one state: a cancellable state is left, a final one
refuses. It is judged by the clauses whose `expect` speaks of the answer or its effect, never by
those about wording or framing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from contracts.exchange import Exchange, Journal, Situation
from contracts.judge.judge import Judgement, Verdict
from contracts.spec.given import matches
from contracts.spec.model import Clause, Quota

TELLING = frozenset({"status", "effect", "constant"})


def transitions(judgement: Judgement, journal: Journal) -> dict[str, Any]:
    """Return the lifecycle with a verdict for each state, in the spec's order."""
    life = judgement.contract.lifecycle
    return {
        "cancellable": list(life.cancellable),
        "final": list(life.final),
        "after": list(life.after),
        "states": [_transition(judgement, journal, state) for state in life.states],
    }


def _transition(judgement: Judgement, journal: Journal, state: str) -> dict[str, Any]:
    contract = judgement.contract
    kind = contract.lifecycle.kind(state)
    ordinary = Situation(resource=kind, state=state)
    calls = [x for x in journal.cancels() if x.situation == ordinary]
    telling = [
        v
        for v in judgement.verdicts
        if _tells(v.clause) and any(matches(contract, v.clause, x) for x in calls)
    ]
    words = {v.clause.id: _word(v, calls) for v in telling}
    return {
        "name": state,
        "kind": kind,
        "verdict": _overall([w for w in words.values() if w], calls),
        "exercised": sum(1 for x in calls if x.received is not None),
        "answers": sorted({x.status for x in calls if x.status}),
        "clauses": [id_ for id_, word in words.items() if word],
        "violated": [id_ for id_, word in words.items() if word in ("violated", "accepted")],
    }


def _tells(clause: Clause) -> bool:
    return any(TELLING & set(e) for e in (clause.expect, *clause.readings.values()))


def _word(verdict: Verdict, calls: Sequence[Exchange]) -> str | None:
    """Return what one clause says of these calls, or None where its verdict comes from others."""
    if verdict.word in ("violated", "accepted"):
        here = any(e.exchange is x for e in verdict.violations for x in calls)
        return verdict.word if here else None
    return verdict.word if verdict.word in ("upheld", "inconclusive") else None


def _overall(words: Sequence[str], calls: Sequence[Exchange]) -> str:
    for word in ("violated", "accepted", "inconclusive"):
        if word in words:
            return word
    if words:
        return "upheld"
    return "inconclusive" if calls and all(x.received is None for x in calls) else "not-exercised"


def timeline(exchanges: Sequence[Exchange], quotas: Sequence[Quota]) -> dict[str, Any]:
    """Return when each request was sent, and how full the busiest window of each quota was.

    Seconds count from this contract's first request.
    A request is [seconds, kind, status or null], as short as can be: a deep run has thousands.
    """
    ordered = sorted(exchanges, key=lambda x: x.started)
    zero = ordered[0].started if ordered else 0.0
    calls = [x.started - zero for x in ordered if x.kind == "cancel"]
    return {
        "requests": [[round(x.started - zero, 4), x.kind, x.status] for x in ordered],
        "quotas": [
            {
                "calls": q.calls,
                "seconds": q.seconds,
                "documented": q.documented,
                "peak": peak(calls, q.seconds),
            }
            for q in quotas
        ],
    }


def peak(moments: Sequence[float], seconds: float) -> int:
    """Return the most calls within any window of so many seconds. `moments` is in order."""
    most, start = 0, 0
    for end, moment in enumerate(moments):
        while moment - moments[start] >= seconds:
            start += 1
        most = max(most, end - start + 1)
    return most
