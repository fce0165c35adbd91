"""Kept: which rows of calls go over one connection, and which odd ids share one. Pure.

A server that leaves part of a request unread, or remembers of a connection what is of one call, is
found out by the next one there. Calls on connections of their own show what comes after an answer,
and that a call needs nothing of the one before. So about half of the rows are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cancel_contracts.contract.compose import Composition
from cancel_contracts.exchange import Situation
from cancel_contracts.plan.chains import LONGEST, Chain
from cancel_contracts.plan.steps import Call, Close, Name, Observe, ObserveLast, Scenario, Step

QUOTED = ("unicode", "raw")  # what an answer quotes in more octets than characters


def kept_rows(composition: Composition, rows: Sequence[Chain]) -> list[Chain]:
    """Return the rows to make on one connection each: every second one of several calls, and any
    that goes on after a refusal for an aspect of a call which no row before was refused for, or of
    a HEAD, whose answer ends with its head (RFC 9110 section 9.3.2).
    """
    found: list[Chain] = []
    aspects, turn = set[tuple[str, bool]](), 0
    for row in rows:
        if len(row) < 2:
            continue
        new = {a for call in row[:-1] for a in _refused_for(composition, call)} - aspects
        turn += 1
        if new or turn % 2:
            found.append(row)
            aspects |= new
    return found


def _refused_for(composition: Composition, call: Situation) -> list[tuple[str, bool]]:
    """Return the aspects of a call that have it refused, and whether it is a HEAD."""
    read, head = composition.read(call), call.method == "HEAD"
    return [(a, head) for a in read.odd if read.standings[a].kind == "refused"]


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


def shared(rows: Sequence[Chain]) -> tuple[list[Scenario], list[Chain]]:
    """Return calls on odd ids as a scenario on one connection, and the rows that are not of it.

    What an answer may quote comes first: octets too many are the beginning of the next answer.
    """
    odd = [row for row in rows if len(row) == 1 and row[0].resource == "odd"]
    odd.sort(key=lambda row: row[0].id.word not in QUOTED)
    quoted = sum(row[0].id.word in QUOTED for row in odd)
    some = [*odd[:quoted], *odd[quoted::2]][:LONGEST]
    if len(some) < 2:
        return [], list(rows)
    calls = [call for row in some for call in row]
    names = (Name(slot, call.id) for slot, call in enumerate(calls))
    made = (Call(call, slot, keep_alive=True) for slot, call in enumerate(calls))
    return [Scenario((*names, *made, Close()))], [row for row in rows if row not in some]
