"""Further: the calls of `deep` beyond the pairs of kinds, as far as its budget goes.

First two facts that are not neutral, one of which is refused: the call is refused as either may
be, and has no effect. Then every value in every state, for one permission may be read otherwise
than the next; then three kinds; then all pairs of values. Pure and deterministic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations, product

from cancel_contracts.exchange import Situation
from cancel_contracts.plan.cover import Cover
from cancel_contracts.plan.kinds import Meeting

Aspects = tuple[str, ...]
Rows = Mapping[str, Sequence[Sequence[Situation]]]
Meets = Callable[..., set[Meeting]]


def further(found: Cover, limit: int) -> None:
    """Add calls until there are `limit`, or nothing is left to meet."""
    if not found.possible:
        return
    pairs, triples = (list(combinations(found.aspects, size)) for size in (2, 3))
    values = {aspect: [[s] for s in found.samples[aspect].values()] for aspect in found.aspects}
    kinds = {aspect: found.by_kind(aspect) for aspect in found.aspects}
    by_value, by_kind = partial(found.meeting, found.fact), partial(found.meeting, found.kind)
    for calls in (
        _two_refusals(found),
        _unmet(found, [pair for pair in pairs if "resource" in pair], values, by_value),
        _unmet(found, triples, kinds, by_kind),
        _unmet(found, pairs, values, by_value),
    ):
        for call in calls:
            if len(found.calls) >= limit:
                return
            found.add(call)


def alone(call: Situation) -> bool:
    """Whether it needs no other resource, and uses up nobody's quota."""
    return "{neighbour}" not in call.body.text and call.identity != "throttled"


def _two_refusals(found: Cover) -> Iterator[Situation]:
    turn = 0
    # Each method does another thing, on a route of its own: none stands for the next.
    rows = {a: found.by_kind(a) for a in found.aspects}
    rows["method"] = [[sample] for sample in found.samples["method"].values()]
    for a, b in sorted(combinations(found.aspects, 2), key=lambda two: "method" not in two):
        for ones, twos in product(rows[a], rows[b]):
            at = 0 if b == "method" else turn
            values = product(_turned(ones, at), _turned(twos, at))
            calls = (found.of({a: one, b: two}) for one, two in values)
            call = next((c for c in calls if alone(c) and found.can(c)), None)
            if call and len(found.odd(call)) == 2 and found.composition.refused(call):
                turn += 1  # the next pair has other values of these kinds
                yield found.filled(call, (a, b))


def _turned(samples: Sequence[Situation], turn: int) -> list[Situation]:
    at = turn % len(samples)
    return [*samples[at:], *samples[:at]]


def _unmet(
    found: Cover, together: Sequence[Aspects], rows: Rows, meeting: Meets
) -> Iterator[Situation]:
    """Yield calls for what has not met of some aspects together. `rows` holds the values of each,
    those that are taken for one together; `meeting` says which of them meet in a call.
    """
    size = len(together[0])
    met = {some for call in found.calls for some in meeting(call, size)}
    for aspects in together:
        for samples in product(*(rows[aspect] for aspect in aspects)):
            call = found.of({a: own[0] for a, own in zip(aspects, samples, strict=True)})
            if len(found.odd(call)) > 1 or not (alone(call) and found.can(call)):
                continue
            if not meeting(call, size, aspects) <= met:
                made = found.filled(call, {*aspects, *found.composition.facts(call)})
                met |= meeting(made, size)
                yield made
