"""Further: the calls of `deep` beyond the pairs of kinds, as far as its budget goes.

First every value in every state, for one permission may be read otherwise than the next; callers
who are refused and send no body; and what has ended or does not exist beside one more fact that is
refused or open: the call is refused as either may be, without effect. Then by turns every value
beside each kind of caller, every caller beside each kind of value, two other refusals, and neutral
values beside each other; then three kinds; then all pairs of values. Pure and deterministic.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, combinations, product

from cancel_contracts.contract.compose import Fact
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
    for call in _calls(found):
        if len(found.calls) >= limit:
            return
        found.add(call)


def _calls(found: Cover) -> Iterator[Situation]:
    pairs, triples = (list(combinations(found.aspects, size)) for size in (2, 3))
    values = {aspect: [[s] for s in found.samples[aspect].values()] for aspect in found.aspects}
    kinds = {aspect: found.by_kind(aspect) for aspect in found.aspects}
    neutral = {a: [row for row in values[a] if found.is_neutral(row[0], a)] for a in values}
    states = {**values, "resource": [row for row in values["resource"] if row[0].state]}
    after = found.composition.contract.lifecycle.after
    others = [
        row
        for row in kinds["resource"]
        if row[0].resource == "unknown"
        or (row[0].resource == "final" and row[0].state not in after)
    ]
    callers = [pair for pair in pairs if "caller" in pair and "resource" not in pair]
    of_resources = [pair for pair in pairs if "resource" in pair]
    of_resources.sort(key=lambda pair: "body" not in pair)

    but_caller, but_resource = ({*found.aspects} - {a} for a in ("caller", "resource"))
    meeting = partial(_meeting, found)
    by_value, by_kind = meeting(found.aspects), meeting(())
    # Each method does another thing, on a route of its own: none stands for the next.
    methods = {**kinds, "method": values["method"]}
    # Of what is checked where a body is read nothing is checked without one.
    no_body = [row for row in values["body"] if row[0].body.word == "none"]
    return chain(
        _unmet(found, of_resources, states, by_value),
        _two_refusals(found, [("caller", "body")], {**kinds, "body": no_body}, by_value),
        _two_refusals(found, of_resources, {**values, "resource": others}, meeting(but_resource)),
        _in_turn(
            _unmet(found, callers, {**values, "caller": kinds["caller"]}, meeting(but_caller)),
            _two_refusals(found, pairs, methods, meeting(["method"])),
            _unmet(found, callers, {**kinds, "caller": values["caller"]}, meeting(["caller"])),
            _unmet(found, pairs, neutral, by_value),
        ),
        _unmet(found, triples, kinds, by_kind),
        _unmet(found, pairs, values, by_value),
    )


def _meeting(found: Cover, apart: Collection[str]) -> Meets:
    """Return what says which values meet in a call: those of some aspects one by one, of the others
    by their kinds.
    """

    def told(aspect: str, of: Situation) -> Fact:
        return found.fact(aspect, of) if aspect in apart else found.kind(aspect, of)

    return partial(found.meeting, told)


def _in_turn(*streams: Iterator[Situation]) -> Iterator[Situation]:
    """Yield from each of the streams in its turn, until all have ended."""
    waiting = deque(streams)
    while waiting:
        stream = waiting.popleft()
        for call in stream:
            yield call
            waiting.append(stream)
            break


def alone(call: Situation) -> bool:
    """Whether it needs no other resource, and uses up nobody's quota."""
    return "{neighbour}" not in call.body.text and call.identity != "throttled"


def _two_refusals(
    found: Cover, together: Sequence[Aspects], rows: Rows, meeting: Meets
) -> Iterator[Situation]:
    """Yield calls for what has not met of two facts that are not neutral, one of them refused: with
    another value of each row in every call, but the first of each beside a method.
    """
    met = {some for call in found.calls for some in meeting(call, 2)}
    turn = 0
    for a, b in together:
        for ones, twos in product(rows[a], rows[b]):
            at = 0 if "method" in (a, b) else turn
            values = product(_turned(ones, at), _turned(twos, at))
            calls = (found.of({a: one, b: two}) for one, two in values)
            call = next((c for c in calls if alone(c) and found.can(c)), None)
            if call is None or len(found.odd(call)) != 2 or not found.composition.refused(call):
                continue
            if not meeting(call, 2, (a, b)) <= met:
                turn += 1
                made = found.filled(call, (a, b))
                met |= meeting(made, 2)
                yield made


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
    met: set[Meeting] = set()
    heard = 0  # of the calls, others' among them
    for aspects in together:
        for samples in product(*(rows[aspect] for aspect in aspects)):
            call = found.of({a: own[0] for a, own in zip(aspects, samples, strict=True)})
            if len(found.odd(call)) > 1 or not (alone(call) and found.can(call)):
                continue
            met.update(*(meeting(made, size) for made in found.calls[heard:]))
            heard = len(found.calls)
            if not meeting(call, size, aspects) <= met:
                yield found.filled(call, {*aspects, *found.composition.facts(call)})
