"""Further: the calls of `deep` beyond the pairs of kinds, as far as its budget goes.

First everybody who is known in every state, those who may where it has ended as well, for one
permission may be read otherwise than the next; what has ended without a body; each method beside
whoever may call; every media type in every state; callers who are refused and send no body; what
has ended or does not exist beside one more fact that is refused or open, every method there; by
turns with that every method beside whoever may not, every body in every state, and from owners,
applications and users, every caller in every state, and those who are refused beside another
spelling of the path. Then by turns the other values in every state, two other refusals, and every
value beside each kind of the others; then three kinds; then all pairs of
values. Pure, deterministic.

Of two facts that are not neutral each stands in a call with another value of its kind; what is
refused alike is one kind there where both are many.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, combinations, product
from typing import TypeVar

from cancel_contracts.contract.credentials import needs_token
from cancel_contracts.contract.declined import FORMS
from cancel_contracts.contract.extras import EXTRAS
from cancel_contracts.exchange import Situation
from cancel_contracts.plan.cover import Cover
from cancel_contracts.plan.kinds import Meeting, role

Aspects = tuple[str, ...]
Rows = Mapping[str, Sequence[Sequence[Situation]]]
Told = Callable[[str, Situation], int]  # the number of what an aspect's value is taken for
Keep = Callable[[str, Situation], bool]  # whether a value of an aspect counts
Item = TypeVar("Item")


def _any(aspect: str, of: Situation) -> bool:
    return True


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
    pairs.sort(key=lambda pair: ("resource" not in pair, "method" not in pair, "body" in pair))
    of_resources = [pair for pair in pairs if "resource" in pair]
    of_callers = [pair for pair in pairs if "caller" in pair]
    of_methods = [("resource", "method"), ("caller", "method")]
    unmet, refusals = partial(_unmet, found), partial(_two_refusals, found)

    kind, value = found.kind, found.fact

    def by_role(_: str, of: Situation) -> int:
        return found.numbered(("role", role(of)))

    def may(aspect: str, of: Situation) -> bool:
        return aspect != "caller" or found.is_neutral(of, aspect)

    def known(aspect: str, of: Situation) -> bool:
        """Whoever a server knows, where it may look at who calls and at the state."""
        if aspect == "caller":
            return 401 not in found.composition.standing(of, aspect).statuses
        return _that_exists(aspect, of)

    # Each method does another thing, on a route of its own: none stands for the next.
    methods = _told(kind, method=value)
    alike = _told(kind, method=value, caller=found.refusal, resource=found.refusal)
    by_path = _told(found.refusal, extra=value)
    ended = refusals(of_resources, methods, _ended_or_unknown)  # twice in each turn
    return chain(
        unmet([("resource", "caller")], value, known),
        _without_body_once_ended(found),
        unmet(of_methods, methods),
        unmet([("resource", "content_type")], value, _in_a_state),
        # Of what is checked where a body is read nothing is checked without one.
        refusals([("caller", "body")], kind, _without_body),
        refusals([("resource", form) for form in FORMS], _told(kind, resource=value), _ended),
        in_turn(
            ended,
            ended,
            in_turn(
                refusals([("caller", "method")], alike, _plain),
                unmet([("resource", "body")], value, _in_a_state),
                unmet([("caller", "body")], _told(value, caller=by_role), may),
                in_turn(
                    unmet([("resource", "caller")], value, _in_a_state),
                    # Another spelling of the path is the usual way around what guards it.
                    refusals([("caller", "extra")], by_path, _on_another_path),
                ),
            ),
        ),
        in_turn(
            refusals([("resource", "method"), ("resource", "caller")], alike, _plain),
            unmet(of_resources, value, _in_a_state),
            refusals(of_callers, alike, _plain),
            refusals([("caller", form) for form in FORMS], kind),
            refusals(pairs, methods),
            refusals(of_resources, _told(value, resource=kind), _ended_or_unknown),
            unmet(of_callers, _told(value, caller=kind)),
            unmet(of_callers, _told(kind, caller=value)),
            unmet(pairs, value, lambda aspect, of: found.is_neutral(of, aspect)),
        ),
        unmet(triples, kind),
        unmet(pairs, value),
    )


def _told(others: Told, **of: Told) -> Told:
    """Return what some aspects are told apart by, and all others by another."""
    return lambda aspect, situation: of.get(aspect, others)(aspect, situation)


def _in_a_state(aspect: str, of: Situation) -> bool:
    return aspect != "resource" or of.resource == "cancellable"


def _that_exists(aspect: str, of: Situation) -> bool:
    return aspect != "resource" or of.resource in ("cancellable", "final")


def _ended(aspect: str, of: Situation) -> bool:
    return aspect != "resource" or of.resource == "final"


def _ended_or_unknown(aspect: str, of: Situation) -> bool:
    return aspect != "resource" or of.resource in ("final", "unknown")


def _plain(aspect: str, of: Situation) -> bool:
    """Of those who have no token at all, whoever has no credentials stands for the others."""
    return aspect != "caller" or of.identity == "anonymous" or needs_token(of.identity)


def _on_another_path(aspect: str, of: Situation) -> bool:
    return aspect != "extra" or EXTRAS[of.extra].wire.path is not str


def _without_body(aspect: str, of: Situation) -> bool:
    return aspect != "body" or of.body.word == "none"


def _without_body_once_ended(found: Cover) -> Iterator[Situation]:
    """Yield calls without a body on what has ended, by one of each role: a server may ask for one
    of some, and does not look at the state before.
    """
    roles: dict[str, Situation] = {}
    for sample in found.samples["caller"].values():
        if found.is_neutral(sample, "caller"):
            roles.setdefault(role(sample), sample)
    ended = [s for s in found.samples["resource"].values() if _ended("resource", s)]
    bare = [s for s in found.samples["body"].values() if _without_body("body", s)]
    for state, who, body in product(ended, roles.values(), bare):
        call = found.of({"resource": state, "caller": who, "body": body})
        if found.can(call) and _due(found, call) and call not in found.calls:
            yield call


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


def _met(found: Cover, told: Told, size: int) -> Callable[[], set[Meeting]]:
    """Return what tells which of so many values together have met so far, in others' calls too."""
    met: set[Meeting] = set()
    heard = 0

    def now() -> set[Meeting]:
        nonlocal heard
        met.update(*(found.meeting(told, made, size) for made in found.calls[heard:]))
        heard = len(found.calls)
        return met

    return now


def _two_refusals(
    found: Cover, together: Sequence[Aspects], told: Told, keep: Keep = _any
) -> Iterator[Situation]:
    """Yield calls for what has not met of two facts that are not neutral, where a clause says what
    comes of them: with another value of each row in every call.
    """
    met = _met(found, told, 2)
    rows = _rows(found, told, keep)
    odd = {
        aspect: [row for row in own if not all(found.is_neutral(s, aspect) for s in row)]
        for aspect, own in rows.items()
    }
    # What a server may do for anybody at all is the worst that can be.
    odd["caller"].sort(key=lambda row: needs_token(row[0].identity))
    turn = 0
    for a, b in together:
        # Beside a resource that is not neutral, something neutral may be one of two.
        some = odd if found.serves or "resource" in (a, b) else rows
        for ones, twos in product(some[a], some[b]):
            if frozenset((told(a, ones[0]), told(b, twos[0]))) in met():
                continue
            values = product(_turned(ones, turn), _turned(twos, turn))
            calls = (found.of({a: one, b: two}) for one, two in values)
            call = next((c for c in calls if alone(c) and found.can(c)), None)
            if call is None or len(found.odd(call)) != 2 or not _due(found, call):
                continue
            if {*found.odd(call)} <= {a, b}:
                turn += 1
                yield found.filled(call, (a, b))


def _due(found: Cover, call: Situation) -> bool:
    """Whether a clause says what comes of a call two facts of which are not neutral."""
    read = found.composition.read(call)
    return found.composition.refused(call) or any(read.standings[a].lasts for a in read.odd)


def _rows(found: Cover, told: Told, keep: Keep) -> Rows:
    """Return the values of each aspect, those that are taken for one together."""
    rows: dict[str, list[list[Situation]]] = {}
    for aspect in found.aspects:
        alike: dict[int, list[Situation]] = {}
        for sample in found.samples[aspect].values():
            if keep(aspect, sample):
                alike.setdefault(told(aspect, sample), []).append(sample)
        rows[aspect] = [*alike.values()]
    return rows


def _turned(samples: Sequence[Situation], turn: int) -> list[Situation]:
    at = turn % len(samples)
    return [*samples[at:], *samples[:at]]


def _unmet(
    found: Cover, together: Sequence[Aspects], told: Told, keep: Keep = _any
) -> Iterator[Situation]:
    """Yield calls for what has not met of some aspects together, as `told` takes it."""
    size, rows = len(together[0]), _rows(found, told, keep)
    met = _met(found, told, size)
    for aspects in filter(found.tells, together):
        marked = (
            [(row[0], told(a, row[0]), not found.is_neutral(row[0], a)) for row in rows[a]]
            for a in aspects
        )
        for several in product(*marked):
            if sum(odd for _, _, odd in several) > 1:
                continue  # one hides the other
            if frozenset(own for _, own, _ in several) in met():
                continue
            call = found.of({a: own[0] for a, own in zip(aspects, several, strict=True)})
            if alone(call) and found.can(call):
                yield found.filled(call, {*aspects, *found.composition.facts(call)})
