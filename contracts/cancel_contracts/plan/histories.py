"""Histories: what `deep` calls one after the other, for a server may answer by what went before.

After a cancel comes a call of every kind, beside another resource. In turn with that: what is
refused is refused thrice before a call is served, and once to somebody who may before it is to
everybody who may not; on one connection calls are served between refusals of every kind, with no
look between, and followed by every token that is refused, and by those who may not what somebody
may there; what a first call left out, a second one gives; what somebody asks amiss who may,
somebody asked rightly before who may not; everybody calls again after a cancel from every state.
Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import cycle, islice

from cancel_contracts.contract.compose import with_value
from cancel_contracts.contract.credentials import needs_token
from cancel_contracts.exchange import Situation
from cancel_contracts.plan.chains import LONGEST
from cancel_contracts.plan.cover import Cover
from cancel_contracts.plan.further import alone, in_turn
from cancel_contracts.plan.kept import on_one, strangers_of
from cancel_contracts.plan.steps import Scenario, in_a_row, on_one_connection

TIMES = 3  # that a call is refused before another is served
KINDS = 3  # of refusals before one that is served
BODIES = 2  # of each kind that a first call has in place of the documented one
BEFORE = 2  # bodies that are refused to somebody who may, before callers who may not


def histories(found: Cover) -> list[Scenario]:
    """Return the scenarios; none where no resource is asked for."""
    if not found.composition.served(found.of({})):
        return []
    others = in_turn(
        _between_strangers(found),
        _after_other_bodies(found),
        _after_refusals(found),
        _after_who_may(found),
        _on_one_connection(found),
        _of_one_connection(found),
        _lent(found),
        _after_cancels_by_others(found),
    )
    return [*in_turn(_after_cancels(found), others)]


def _rows(found: Cover, aspect: str) -> list[list[Situation]]:
    """Return calls on the ordinary resource, one of each kind of an aspect together."""
    rows = [
        [found.of({aspect: sample}) for sample in samples if sample.owner is None]
        for samples in found.by_kind(aspect)
    ]
    kept = ([call for call in row if alone(call) and found.can(call)] for row in rows)
    return [row for row in kept if row]


def _refused(found: Cover) -> list[Situation]:
    """Return a call of each kind that is refused for one fact, on a resource that exists."""
    rows = (row for a in found.aspects if a != "resource" for row in _rows(found, a))
    return [row[0] for row in rows if found.composition.refused(row[0])]


def _callers(found: Cover) -> Iterator[Situation]:
    """Yield calls that are to be served, by one caller after the other, without end."""
    callers = [call for row in _rows(found, "caller") for call in row]
    served = [call for call in callers if found.composition.served(call)]
    return cycle(served or [found.of({})])


def _cancellable(found: Cover) -> list[Situation]:
    """Return a situation in each state that can be cancelled."""
    return [s for s in found.samples["resource"].values() if s.resource == "cancellable"]


def _states(found: Cover) -> Iterator[Situation]:
    """Yield situations in one state after the other that can be cancelled, without end."""
    return cycle(_cancellable(found))


def _after_refusals(found: Cover) -> Iterator[Scenario]:
    refused, served, states = _refused(found), _callers(found), _states(found)
    for at in range(0, len(refused), KINDS):
        calls = [call for call in refused[at : at + KINDS] for _ in range(TIMES)]
        yield _in_state(found, next(states), [*calls, next(served)])


def _after_who_may(found: Cover) -> Iterator[Scenario]:
    """Behind what somebody asks who may, with bodies that may be refused, everybody who may not."""
    rows = [row for aspect in ("body", "content_type") for row in _rows(found, aspect)]
    bodies = cycle([row[0] for row in rows if not found.composition.served(row[0])])
    callers = [call for row in _rows(found, "caller") for call in row if needs_token(call.identity)]
    known = [c for c in callers if 403 in found.composition.standing(c, "caller").statuses]
    may_not, served = list(filter(found.composition.refused, known)), _callers(found)
    for turn, state in enumerate(_cancellable(found) if may_not else ()):
        some = list(islice(bodies, BEFORE))
        at = turn * (LONGEST - BEFORE - 1) % len(may_not)
        then = [*may_not[at:], *may_not[:at]][: LONGEST - BEFORE - 1]
        if some:
            yield _in_state(found, state, [*some, *then, next(served)])


def _after_other_bodies(found: Cover) -> Iterator[Scenario]:
    """Behind a call whose body may be taken or not, and may leave something out, the documented
    one by somebody else.
    """
    served, states = _callers(found), _states(found)
    for row in _rows(found, "body"):
        for first in row[:BODIES]:
            if found.composition.standing(first, "body").kind == "open" and not first.body.drawn:
                second = replace(next(served), call="second")
                yield _in_state(found, next(states), [first, second])


def _between_strangers(found: Cover) -> Iterator[Scenario]:
    """Behind what is right but for who asks, each kind of body that may be amiss of who may, of an
    owner first, and in the end what is right: by turns on one connection.
    """
    samples, composition = found.samples["caller"].values(), found.composition
    owners = [found.of({"caller": s}) for s in samples if s.by_owner]
    for own in (*filter(composition.served, owners), found.of({})):
        others = [found.of({"caller": s}) for s in samples if s.owner == own.owner]
        known = (c for c in others if 403 in composition.standing(c, "caller").statuses)
        strangers = cycle([c for c in known if composition.refused(c) and needs_token(c.identity)])
        rows: dict[int, Situation] = {}
        # What leaves everything out stands for its kind.
        for call in sorted(found.calls, key=lambda call: call.body.word != "none"):
            alike = call.owner == own.owner and call.by_owner == own.by_owner
            if alike and found.odd(call) == ["body"] and alone(call):
                amiss = found.of({"caller": own, "body": call})
                rows.setdefault(found.kind("body", call), amiss)
        between = [call for two in zip(strangers, rows.values(), strict=False) for call in two]
        for turn, at in enumerate(range(0, len(between), LONGEST - 2)):
            calls = [*between[at : at + LONGEST - 2], own]
            scenario = in_a_row(*calls, act=composition.ordinary.method)
            yield scenario if turn % 2 else on_one(scenario, first=True)


def _after_cancels(found: Cover) -> Iterator[Scenario]:
    """Once a resource was cancelled: calls of every kind, dealt out over the states, and in each of
    them one without a body.
    """
    states, rows = _cancellable(found), [_known_once(row) for row in _rows(found, "caller")]
    others = [r for a in found.aspects if a not in ("resource", "caller") for r in _rows(found, a)]
    first = [row[0] for row in others]
    bare = [call for call in first if call.body.word == "none"][:1]
    every = [*in_turn(iter(_somebody(rows, 0)), iter(first))]
    dealt = [every[at :: len(states)] for at in range(len(states))]
    yield from _called_again(found, [[*bare, *(c for c in d if c not in bare)] for d in dealt])
    yield from _by_owners(found)


def _after_cancels_by_others(found: Cover) -> Iterator[Scenario]:
    """Once a resource was cancelled: everybody, in one state after the other."""
    rows, turns = _rows(found, "caller"), range(len(_cancellable(found)))
    yield from _called_again(found, [_somebody(rows, turn) for turn in turns])


def _somebody(rows: Sequence[Sequence[Situation]], turn: int) -> list[Situation]:
    """Return the first of each kind, and of some others one more, another each turn."""
    more = (row[1 + turn % (len(row) - 1)] for row in rows if len(row) > 1)
    return [*(row[0] for row in rows), *more]


def _known_once(row: list[Situation]) -> list[Situation]:
    """Return calls of one kind, a token that was good once second: it may be remembered."""
    return [*row[:1], *sorted(row[1:], key=lambda call: call.identity != "expired")]


def _called_again(found: Cover, again: Sequence[Sequence[Situation]]) -> Iterator[Scenario]:
    """Yield rows of second calls behind one that is served, those of each state together."""
    served = _callers(found)
    for state, calls in zip(_cancellable(found), again, strict=True):
        for at in range(0, len(calls), LONGEST - 1):
            then = [replace(call, call="second") for call in calls[at : at + LONGEST - 1]]
            yield _in_state(found, state, [next(served), *then], neighbour=state)


def _by_owners(found: Cover) -> Iterator[Scenario]:
    """On what is somebody's: a call by one who may, then by the others."""
    states = _states(found)
    owned = [s for s in found.samples["caller"].values() if s.owner is not None]
    for first in owned:
        call = found.of({"caller": first})
        then = [s for s in owned if s.owner == first.owner and s.identity != first.identity]
        if found.composition.served(call) and then:
            seconds = [replace(with_value(call, "caller", s), call="second") for s in then]
            yield _in_state(found, next(states), [call, *seconds])


def _in_state(
    found: Cover,
    state: Situation,
    calls: Sequence[Situation],
    *,
    neighbour: Situation | None = None,
) -> Scenario:
    act = found.composition.ordinary.method
    row = (with_value(call, "resource", state) for call in calls)
    return in_a_row(*row, act=act, neighbour=neighbour)


def _on_one_connection(found: Cover) -> Iterator[Scenario]:
    """Between calls that are served, on a resource each, one of every kind that is not."""
    refused, states, served = _refused(found), _states(found), _callers(found)
    elsewhere = [row[0] for row in found.by_kind("resource") if found.composition.refused(row[0])]
    refused += [found.of({"resource": s}) for s in elsewhere if s.resource != "odd"]
    for at in range(0, len(refused), LONGEST // 2):
        some = refused[at : at + LONGEST // 2]
        between = [
            replace(with_value(call, "resource", next(states)), call="reused")
            for call in islice(served, len(some))
        ]
        turns = [call for two in zip(some, between, strict=True) for call in two]
        yield on_one_connection(found.of({}), *turns, act=found.composition.ordinary.method)


def _of_one_connection(found: Cover) -> Iterator[Scenario]:
    """Behind a call that is served, each caller whose token is not: a server may ask who calls, or
    what the time is, when a connection opens.
    """
    callers = [call for row in _rows(found, "caller") for call in row if needs_token(call.identity)]
    refused, states = list(filter(found.composition.refused, callers)), _states(found)
    for at in range(0, len(refused), LONGEST - 1):
        some, state = refused[at : at + LONGEST - 1], next(states)
        then = [with_value(call, "resource", state) for call in some]
        yield on_one_connection(found.of({}), then=then, act=found.composition.ordinary.method)


def _lent(found: Cover) -> Iterator[Scenario]:
    """Behind a call by one who may on what is another's, those who may not: a server may take who
    calls, or what they may, from the connection.
    """
    owned = [found.of({"caller": s}) for s in found.samples["caller"].values() if s.owner]
    for first in filter(found.composition.served, owned):
        others = [s for s in strangers_of(found.composition, owned) if s.owner == first.owner]
        if others and not first.by_owner:
            yield on_one_connection(first, *others, act=found.composition.ordinary.method)
