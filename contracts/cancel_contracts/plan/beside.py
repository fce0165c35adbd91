"""Beside: which calls another resource stands beside, and in which state it is. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import cycle

from cancel_contracts.contract.compose import Composition
from cancel_contracts.contract.states import GONE
from cancel_contracts.exchange import Situation
from cancel_contracts.plan.chains import Chain
from cancel_contracts.plan.steps import EXISTING

EVERY = 3  # of the rows of `deep` have a neighbour


def neighbours(
    composition: Composition, rows: Sequence[Chain], near: Sequence[Situation]
) -> dict[Chain, Situation]:
    """Return the rows that another resource is to stand beside, each with a call on its like: the
    ordinary call, one that names it, the plainest that an owner makes on what is theirs, and few
    and short ones that show what clauses about neighbours ask for (`near`). The ordinary call's
    stands in another state, the last in which a call is served; where no row names it, one stands
    beside that call too.
    """
    found: dict[Chain, Situation] = {}
    owned: dict[str, list[Chain]] = {}
    touching = [row for row in rows if row[-1].resource in EXISTING]
    for row in touching:
        call = row[-1]
        if call.owner is not None and call.by_owner and composition.served(call):
            owned.setdefault(call.owner, []).append(row)
        named = any("{neighbour}" in each.body.text for each in row)
        if named or call == composition.ordinary:
            found[row] = call
    for own in owned.values():
        row = min(own, key=_plain)
        found[row] = row[-1]
    shown = [row for row in rows if row[0].resource != "odd"]
    showing = [{r for r in shown if any(composition.shows(c, s) for c in r)} for s in near]
    while left := [some for some in showing if some and found.keys().isdisjoint(some)]:
        # The one that shows the most of what is left, of these the shortest.
        often = Counter(row for some in left for row in some)
        row = min((r for r in shown if r in often), key=lambda row: (-often[row], len(row)))
        # One that is gone could lose nothing, and an id of nothing has no like.
        found[row] = composition.ordinary if row[-1].state in (GONE, None) else row[-1]
    first = [row for row in found if row == (composition.ordinary,)]
    others = [row for row in touching if any(_served_elsewhere(composition, c) for c in row)]
    if first and others:
        last = composition.contract.lifecycle.cancellable.index
        # Rather one that is nobody's.
        rank = {row: (-last(f"{row[-1].state}"), row[-1].owner or "", len(row)) for row in others}
        other = min(others, key=rank.__getitem__)
        found[first[0]] = other[-1]
        if not any("{neighbour}" in call.body.text for row in found for call in row):
            found.setdefault(other, other[-1])
    return found


def everywhere(
    composition: Composition, rows: Sequence[Chain], found: Mapping[Chain, Situation]
) -> dict[Chain, Situation]:
    """Return the rows that another resource is to stand beside in `deep`: every third one more, in
    one state after the other, those that have ended too.
    """
    life = composition.contract.lifecycle
    states = cycle((life.kind(state), state) for state in life.states if state != GONE)
    more = [row for row in rows if row[0].state and row not in found][::EVERY]
    kinds = (
        replace(row[-1], resource=kind, state=s)
        for row, (kind, s) in zip(more, states, strict=False)
    )
    return dict(zip(more, kinds, strict=True)) | dict(found)


def _plain(row: Chain) -> tuple[bool, ...]:
    """Order rows by what of their last call a target may refuse, though it ought not to."""
    call = row[-1]
    return (call.content_type != "default", call.transfer != "length", call.extra != "none")


def _served_elsewhere(composition: Composition, call: Situation) -> bool:
    """Whether a call is served in another state than the ordinary one's."""
    other = call.state != composition.ordinary.state
    return other and call.call == "first" and composition.served(call)
