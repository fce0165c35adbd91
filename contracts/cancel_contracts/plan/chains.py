"""Chains: calls that one resource serves one after the other, with a look between each.

Calls that are to be refused leave a resource as it is, so several stand before the one that may
cancel it: what a refusal leaves behind shows, and fewer set-ups and looks are needed. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from cancel_contracts.contract.compose import Composition
from cancel_contracts.exchange import Situation

FEW = 6  # refusals that none of is kept apart where others are
LONGEST = 12  # calls on one resource: what goes wrong in one should not reach many
Chain = tuple[Situation, ...]


def chains(
    composition: Composition, calls: Iterable[Situation], seconds: Sequence[Situation] = ()
) -> list[Chain]:
    """Return the calls in chains, in the order of their last. `seconds` follow a call that served
    their like, one each; one that finds none follows an ordinary call of its own.
    """
    found: list[Chain] = []
    lots: dict[tuple[str | None, str | None], list[Situation]] = {}
    for call in calls:
        if call.resource == "odd" or "{neighbour}" in call.body.text:
            found.append((call,))
        else:
            # An id of nothing is nobody's.
            lots.setdefault((call.state, call.owner if call.state else None), []).append(call)
    left = list(seconds)
    refusals = [sum(map(composition.refused, lot)) for lot in lots.values()]
    few = FEW if max(refusals, default=0) > FEW else 0
    for lot in lots.values():
        found += _lot(composition, lot, left, few)
    found += [(replace(second, call="first"), second) for second in left]
    return found


def _lot(
    composition: Composition, calls: Sequence[Situation], seconds: list[Situation], few: int
) -> list[Chain]:
    """Return the chains of calls on resources in one state and of one owner.

    Half of what is to be refused stands before what may cancel: what a refusal leaves behind shows
    there. The other half stands alone: what a refusal does later shows there. Up to `few` all
    stand before. The first of several that may cancel meets its resource as it was made.
    """
    ends = [call for call in calls if not composition.refused(call)]
    # What a second call is refused with may quote what the first has left: octets beyond ASCII.
    ends.sort(key=lambda call: (not composition.served(call), "\\u" not in call.body.text))
    refused = [call for call in calls if composition.refused(call)]
    before, alone = (refused[::2], refused[1::2]) if ends else ([], refused)
    if ends and len(refused) <= few:
        before, alone = refused, []
    found: list[Chain] = []
    for place, end in enumerate(ends):
        share = min(-(-len(before) // (len(ends) - place)), LONGEST - 2)
        if place == 0 and len(ends) > 1:
            share = 0
        chain, before = [*before[:share], end], before[share:]
        second = next((s for s in seconds if follows(composition, s, end)), None)
        if second is not None:
            seconds.remove(second)
            chain.append(second)
        found.append(tuple(chain))
    alone = [*before, *alone]
    return found + [tuple(alone[at : at + LONGEST]) for at in range(0, len(alone), LONGEST)]


def follows(composition: Composition, second: Situation, call: Situation) -> bool:
    """Whether a second call follows from a call: one on the same state that is served."""
    same = (call.state, call.owner) == (second.state, second.owner)
    return same and composition.served(call)
