"""Kept: which rows of calls go over one connection, and which odd ids share one. Pure.

A server that leaves part of a request unread, or remembers of a connection what is of one call, is
found out by the next one there. Calls on connections of their own show what comes after an answer,
and that a call needs nothing of the one before. So about half of the rows are kept.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import pairwise

from cancel_contracts.contract.compose import Composition
from cancel_contracts.contract.credentials import needs_token
from cancel_contracts.contract.given import permission_of
from cancel_contracts.exchange import Situation
from cancel_contracts.plan.chains import LONGEST, Chain
from cancel_contracts.plan.steps import (
    EXISTING,
    Acquire,
    Call,
    Close,
    Name,
    Observe,
    ObserveLast,
    Scenario,
    Step,
    in_a_row,
    on_one_connection,
)

QUOTED = ("unicode", "raw")  # what an answer quotes in more octets than characters
LONG = "{long}"  # of a text that is longer than any other
SERVED = 4  # calls that are served on one connection, the first no later than the fourth


def kept_rows(composition: Composition, rows: Sequence[Chain]) -> list[Chain]:
    """Return the rows to make on one connection each, those that end with a success first: of those
    of several calls about half, and any that goes on after a refusal for an aspect of a call which
    no row before was refused for, or of a HEAD, whose answer ends with its head (RFC 9110 section
    9.3.2); and one in which an owner calls after somebody who may do more.
    """
    found: list[Chain] = []
    aspects, more = set[tuple[str, bool]](), 0
    for row in sorted(rows, key=lambda row: not composition.served(row[-1])):
        if len(row) < 2:
            continue
        new = {a for call in row[:-1] for a in _refused_for(composition, call)}
        if any(composition.served(a) and b.by_owner > a.by_owner for a, b in pairwise(row)):
            new.add(("lent", True))
        new -= aspects
        if new or more <= 0:
            found.append(row)
            aspects |= new
        more += len(row) if row in found[-1:] else -len(row)
    return found


def deepest_first(composition: Composition, row: Chain) -> Chain:
    """Return a row with what is refused for its body before what is refused for anything else: what
    a server found right in one call, the connection may lend to the next.
    """

    def body(call: Situation) -> bool:
        return ("body", False) in _refused_for(composition, call)

    refused = next((at for at, c in enumerate(row) if not composition.refused(c)), len(row))
    first = sorted(row[:refused], key=lambda call: not body(call))
    return (*first, *row[refused:])


def _refused_for(composition: Composition, call: Situation) -> list[tuple[str, bool]]:
    """Return the aspects of a call that have it refused, or may, and whether it is a HEAD."""
    read, head = composition.read(call), call.method == "HEAD"
    return [(a, head) for a in read.odd if read.standings[a].kind != "neutral"]


def on_one(scenario: Scenario, *, first: bool) -> Scenario:
    """Return a row of calls on one connection, and the looks between them, for a server may serve
    one at a time. `first`: the look before them too, so that a call is the fourth request on it.
    """
    steps: list[Step] = []
    begun = first
    for step in scenario.steps:
        begun |= isinstance(step, Call)
        if isinstance(step, ObserveLast) and Close() not in steps:
            steps.append(Close())
        if isinstance(step, (Call, Observe)) and begun:
            step = replace(step, keep_alive=True)
        steps.append(step)
    return Scenario((*steps, *(() if Close() in steps else (Close(),))))


def followed(
    scenario: Scenario, calls: Sequence[Situation], *, last: Collection[Chain], act: str
) -> Scenario:
    """Return a scenario on one connection with more calls there, on a resource of its own each. At
    that of the first nobody looks before it; at those of `last` once more when the run ends.
    """
    slot = 1 + max(step.slot for step in scenario.steps if isinstance(step, (Acquire, Name)))
    at = scenario.steps.index(Close())
    acquired, looks, made, after = list[Step](), list[Step](), list[Step](), list[Step]()
    for own, call in enumerate(calls, slot):
        acquire, *_ = in_a_row(call, act=act).steps
        assert isinstance(acquire, Acquire)
        acquired.append(replace(acquire, slot=own))
        looks += [Observe(own, call)] if made else []
        made.append(Call(call, own, keep_alive=True))
        after += [Observe(own, call), *([ObserveLast(own)] if (call,) in last else [])]
    before, closed = scenario.steps[:at], scenario.steps[at:]
    return Scenario((*acquired, *looks, *before, *made, *closed, *after))


def odd_ones(rows: Sequence[Chain]) -> list[Chain]:
    """Return the rows of one call on an odd id that go over one connection.

    What an answer may quote comes first: octets too many are the beginning of the next answer.
    """
    odd: list[Chain] = [row for row in rows if len(row) == 1 and _is_odd(row[0])]
    odd.sort(key=lambda row: row[0].id.word not in QUOTED)
    quoted = sum(row[0].id.word in QUOTED for row in odd)
    some = [*odd[:quoted], *odd[quoted::2]][:LONGEST]
    # What is drawn is drawn once in a scenario.
    drawn = [row for row in some if row[0].id.drawn]
    return [row for row in some if row not in drawn[1:]]


def refused_and_served(composition: Composition, rows: Sequence[Chain]) -> list[Chain]:
    """Return a few rows of one call, each on another resource, that go over one connection.

    What no row of several goes on after comes first, a call for each aspect that has it refused;
    then some that are served, the longest body first, for of a buffer that is used again its end
    may be left; last one without the text that is kept of a call. After one by somebody who may
    do more comes one by an owner that may be refused for what it does not say. One that is served
    stays by itself: it may be made at the same time as others.
    """
    met = {a for row in rows for call in row[:-1] for a in _refused_for(composition, call)}
    singles = [row for row in rows if len(row) == 1 and row[0].resource in EXISTING]
    found: list[Chain] = []
    for row in singles:
        aspects = _refused_for(composition, row[0])
        if len(aspects) == 1 and met.isdisjoint(aspects):
            found.append(row)
            met |= set(aspects)
    served: list[Chain] = [row for row in singles if composition.served(row[0])]
    served = sorted(
        served[:-1],
        key=lambda row: (LONG not in row[0].body.text, -len(row[0].body.text)),
    )
    bare: list[Chain] = [row for row in singles if _says_too_little(composition, row[0])]
    bare.sort(key=lambda row: row[0].body.word == "none")  # some ask for JSON
    kept = bool(composition.contract.lifecycle.records)
    untold = [row for row in bare if kept and row[0].body.word in ("none", "empty-object")]
    # What one who may do more leaves behind, an owner is not to be taken for.
    owners = [row for row in bare if row[0].by_owner and row not in untold]
    lent = [row for row in served[:SERVED] if not row[0].by_owner][-1:] if owners else []
    owners, last = owners[: len(lent)], untold[:1]
    found = [row for row in found if row not in owners]
    some = [*found[: SERVED - 1], *lent, *owners, *served[:SERVED]]
    if not served:  # what says too little shows what a refusal leaves as well
        last = bare[:1] if found else []
    return [*dict.fromkeys(row for row in some if row not in last), *last]


def strangers_of(composition: Composition, calls: Sequence[Situation]) -> list[Situation]:
    """Return the calls on what is another's by somebody who may call, refused for that alone."""
    return [
        call
        for call in calls
        if call.owner is not None
        and [aspect for aspect, _ in composition.read(call).hiding] == ["caller"]
        and 403 in composition.standing(call, "caller").statuses
        and needs_token(call.identity)
        and permission_of(call.identity) is None
    ]


def _says_too_little(composition: Composition, call: Situation) -> bool:
    """Whether all that may have a call refused is that its body is JSON and lacks something."""
    odd = [aspect for aspect, _ in composition.read(call).hiding]
    words = ("none", "empty-object", "json")
    return odd == ["body"] and call.body.word in words and "{long}" not in call.body.text


def of_one_connection(rows: Sequence[Chain], last: Sequence[bool], act: str) -> Scenario:
    """Return rows of one call as a scenario on one connection.

    `last`: which of their resources are looked at when the run ends. Of the looks before the calls
    so many are on the connection too that the last call is the fourth request there, or a later.
    """
    scenario = on_one_connection(*(row[0] for row in rows), act=act)
    steps = [s for s in scenario.steps if not (isinstance(s, Observe) and _is_odd(s.situation))]
    begin = next(at for at, step in enumerate(steps) if isinstance(step, Call))
    for at in range(max(0, begin - max(0, SERVED - len(rows))), begin):
        step = steps[at]
        steps[at] = replace(step, keep_alive=True) if isinstance(step, Observe) else step
    steps += [ObserveLast(slot) for slot, wanted in enumerate(last) if wanted]
    return Scenario(tuple(steps))


def _is_odd(call: Situation) -> bool:
    return call.resource == "odd"
