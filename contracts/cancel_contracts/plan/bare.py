"""Bare: calls without a body, beside what is to be refused for something else. Pure.

What a server checks where it reads a body it does not check where there is none: whether what is
called for has ended, or whether the caller is one who may. In a gate one call each shows that.
"""

from __future__ import annotations

from dataclasses import replace

from cancel_contracts.contract.compose import with_value
from cancel_contracts.exchange import Situation
from cancel_contracts.plan.cover import CHOSEN_BY, Cover
from cancel_contracts.plan.kinds import role

CALLERS = 1  # of those who are refused calls without a body


def bare(found: Cover, limit: int) -> None:
    """Have what has ended called for without a body and by others, and callers who may not call so,
    in place of calls that nobody asked for, or as one more where the limit allows.
    """
    bodies = {sample.body.word: sample for sample in found.samples["body"].values()}
    none, empty = bodies.get("none"), bodies.get("empty-object")
    if none is None:
        return
    # Some ask for JSON before they look at anything: to them nothing is said by an empty object.
    alike = empty and found.kind("body", empty) == found.kind("body", none)
    nothing = empty if empty and alike else none
    composition, plain = found.composition, Situation()
    ended = [c for c in found.calls if found.odd(c) == ["resource"] and c.resource == "final"]
    ended = [c for c in ended if composition.refused(c) and not c.by_owner]
    kinds: dict[int, Situation] = {}
    for call in found.calls:
        known = found.odd(call) == ["caller"] and not call.by_owner
        if known and 403 in composition.standing(call, "caller").statuses:
            kinds[found.kind("caller", call)] = call  # the last of them
    # What a body is read for is who calls: an application has no name of its own there.
    first = sorted(kinds.values(), key=lambda call: call.identity != "app")
    callers = [(call, call, none) for call in first[:CALLERS]]
    said = [(call, _by_another(found, call), nothing) for call in ended[-1:]]
    for call, by, body in [*said, *callers]:
        made = with_value(with_value(call, "caller", by), "body", body)
        made = replace(made, content_type=plain.content_type, transfer=plain.transfer)
        made = replace(made, extra=plain.extra)
        if not found.in_place(found.calls.index(call), made) and len(found.calls) < limit:
            found.add(made)
    # Who comes third to what has ended is somebody else: a server may count, or ask who it is.
    for call in ended[-1:] if len(found.calls) < limit else ():
        here = [c for c in found.calls if c.state == call.state]
        met = {found.kind("caller", c) for c in here}
        others = (choice for choice in found.neutral("caller") if choice.sample.owner == call.owner)
        other = next((choice.sample for choice in others if choice.kind not in met), None)
        beside = {choice.sample.extra for choice in found.neutral("extra")}
        beside -= {c.extra for c in here}
        extra = next((name for name in CHOSEN_BY["final"] if name in beside), call.extra)
        found.add(replace(with_value(call, "caller", other or call), extra=extra))


def _by_another(found: Cover, call: Situation) -> Situation:
    """Return who may call as well, and goes by another branch of a server, or who calls."""
    rows = (c.sample for c in found.neutral("caller") if c.sample.owner == call.owner)
    return next((other for other in rows if role(other) != role(call)), call)
