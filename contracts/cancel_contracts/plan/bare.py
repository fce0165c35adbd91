"""Bare: calls without a body, beside what is to be refused for something else. Pure.

What a server checks where it reads a body it does not check where there is none: whether what is
called for has ended, or whether the caller is one who may. In a gate one call each shows that.
"""

from __future__ import annotations

from dataclasses import replace

from cancel_contracts.exchange import Situation
from cancel_contracts.plan.cover import Cover

CALLERS = 2  # kinds of those who are refused that call without a body


def bare(found: Cover, limit: int) -> None:
    """Have what has ended called for without a body, and callers who may not call so: in place of
    calls that nobody asked for, or as one more where the limit allows.
    """
    if not any(s.body.word == "none" for s in found.samples["body"].values()):
        return
    composition, calls = found.composition, found.calls
    ended = [c for c in calls if found.odd(c) == ["resource"] and c.resource == "final"]
    ended = [c for c in ended if composition.refused(c) and not c.by_owner]
    kinds: dict[int, list[Situation]] = {}
    for call in calls:
        known = found.odd(call) == ["caller"] and not call.by_owner
        if known and 403 in composition.standing(call, "caller").statuses:
            kinds.setdefault(found.kind("caller", call), []).append(call)
    for call in [*ended[-1:], *(of_kind[-1] for of_kind in [*kinds.values()][:CALLERS])]:
        made = _without_body(call)
        if not found.in_place(found.calls.index(call), made) and len(found.calls) < limit:
            found.add(made)


def _without_body(call: Situation) -> Situation:
    plain = Situation()
    return replace(
        call,
        body=replace(plain.body, word="none"),
        content_type=plain.content_type,
        transfer=plain.transfer,
        extra=plain.extra,
    )
