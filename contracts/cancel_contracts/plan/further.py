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
from typing import TypeVar

from cancel_contracts.exchange import Situation
from cancel_contracts.plan.cover import Cover
from cancel_contracts.plan.kinds import Meeting

Aspects = tuple[str, ...]
Rows = Mapping[str, Sequence[Sequence[Situation]]]
Numbers = Callable[[str, Situation], int]  # of a value, or of its kind
Item = TypeVar("Item")


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
    pairs.sort(key=lambda pair: (set(pair) != {"resource", "body"}, "resource" not in pair))
    of_resources = [pair for pair in pairs if "resource" in pair]

    but_caller, but_resource = ({*found.aspects} - {a} for a in ("caller", "resource"))
    apart = partial(_numbers, found)
    by_value, by_kind = apart(found.aspects), apart(())
    # Each method does another thing, on a route of its own: none stands for the next.
    methods = {**kinds, "method": values["method"]}
    # Of what is checked where a body is read nothing is checked without one.
    no_body = [row for row in values["body"] if row[0].body.word == "none"]
    return chain(
        _unmet(found, of_resources, states, by_value),
        _two_refusals(found, [("caller", "body")], {**kinds, "body": no_body}, by_value),
        _two_refusals(found, of_resources, {**values, "resource": others}, apart(but_resource)),
        in_turn(
            _unmet(found, callers, {**values, "caller": kinds["caller"]}, apart(but_caller)),
            _two_refusals(found, pairs, methods, apart(["method"])),
            _unmet(found, callers, {**kinds, "caller": values["caller"]}, apart(["caller"])),
            _unmet(found, pairs, neutral, by_value),
        ),
        _unmet(found, triples, kinds, by_kind),
        _unmet(found, pairs, values, by_value),
    )


def _numbers(found: Cover, apart: Collection[str]) -> Numbers:
    """Return what numbers the values of some aspects one by one, those of the others by kinds."""

    def number(aspect: str, of: Situation) -> int:
        return found.fact(aspect, of) if aspect in apart else found.kind(aspect, of)

    return number


def in_turn(*streams: Iterator[Item]) -> Iterator[Item]:
    """Yield from each of the streams in its turn, until all have ended."""
    waiting = deque(streams)
    while waiting:
        stream = waiting.popleft()
        for item in stream:
            yield item
            waiting.append(stream)
            break


def alone(call: Situation) -> bool:
    """Whether it needs no other resource, and uses up nobody's quota."""
    return "{neighbour}" not in call.body.text and call.identity != "throttled"


def _two_refusals(
    found: Cover, together: Sequence[Aspects], rows: Rows, number: Numbers
) -> Iterator[Situation]:
    """Yield calls for what has not met of two facts that are not neutral, one of them refused: with
    another value of each row in every call, but the first of each beside a method.
    """
    meeting = partial(found.meeting, number)
    met = {some for call in found.calls for some in meeting(call, 2)}
    odd = {
        aspect: [row for row in own if not all(found.is_neutral(s, aspect) for s in row)]
        for aspect, own in rows.items()
    }
    turn = 0
    for a, b in together:
        # Beside a resource that is not neutral, something neutral may be one of two.
        some = odd if found.serves or "resource" in (a, b) else rows
        for ones, twos in product(some[a], some[b]):
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
    found: Cover, together: Sequence[Aspects], rows: Rows, number: Numbers
) -> Iterator[Situation]:
    """Yield calls for what has not met of some aspects together. `rows` holds the values of each,
    those that are taken for one together; `number` says which they are.
    """
    size = len(together[0])
    met: set[Meeting] = set()
    heard = 0  # of the calls, others' among them
    for aspects in filter(found.tells, together):
        marked = (
            [(row[0], number(a, row[0]), not found.is_neutral(row[0], a)) for row in rows[a]]
            for a in aspects
        )
        for several in product(*marked):
            if sum(odd for _, _, odd in several) > 1:
                continue  # one hides the other
            met.update(*(found.meeting(number, made, size) for made in found.calls[heard:]))
            heard = len(found.calls)
            if frozenset(own for _, own, _ in several) in met:
                continue
            call = found.of({a: own[0] for a, own in zip(aspects, several, strict=True)})
            if alone(call) and found.can(call):
                yield found.filled(call, {*aspects, *found.composition.facts(call)})
