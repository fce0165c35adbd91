"""Read `x-lifecycle` into a Lifecycle, and check it against what the schemas show of the resource.

Each check yields (place, problem, fix). Pure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from itertools import combinations
from math import isnan
from typing import Any

from cancel_contracts.contract.entity_schema import problem_of
from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.places import documented, in_list, lies_within, opened, place, ways
from cancel_contracts.contract.states import GONE, Lifecycle, canonical

Problem = tuple[str, str, str]
Bad = Callable[[str, str, str], Exception]
WHERE = "x-lifecycle"


def nearest(word: str, known: Mapping[str, Any] | tuple[str, ...]) -> str:
    """Return the fix for a word that is unknown: the nearest one, or where they are listed."""
    near = get_close_matches(word, list(known), n=1)
    return f"did you mean {near[0]!r}?" if near else "see docs/clauses-vocabulary.md"


def read_lifecycle(
    life: Mapping[str, Any], method: str, kept: Iterator[str], bad: Bad
) -> Lifecycle:
    """Return the lifecycle of a file, whose cancel is of that method; `kept` are the places that
    clauses name beside.
    """

    def spelled(key: str, text: str) -> str:
        try:
            return place(text)
        except ValueError as err:
            raise bad(f"{WHERE}/{key}", str(err), "write it as RFC 6901 has it") from None

    def row(key: str, found: Mapping[str, Any]) -> dict[str, Any]:
        return {spelled(key, at): value for at, value in found.items()}

    def names(key: str) -> tuple[str, ...]:
        return tuple(spelled(key, at) for at in life.get(key, ()))

    values = {state: row("states", found) for state, found in life.get("states", {}).items()}
    valued = dict.fromkeys(at for found in values.values() for at in found)
    records, leaves = row("records", life.get("records", {})), row("leaves", life.get("leaves", {}))
    shows, caller = names("shows") or tuple(valued), life.get("caller")
    caller = spelled("caller", caller) if caller is not None else None
    sets, touches, moments = names("sets"), names("touches"), names("moments")
    listed = tuple(at for at in names("stamps") if in_list(at))
    stamps = tuple(at for at in names("stamps") if at not in listed)
    own = (*shows, *valued, *records, *sets, *touches, *moments, *stamps, *leaves)
    found = Lifecycle(
        shows=shows,
        cancellable=tuple(life["cancellable"]),
        final=tuple(life["final"]),
        after=tuple(life["after"]),
        records=records,
        sets=sets,
        touches=touches,
        moments=moments,
        stamps=stamps,
        listed=listed,
        caller=caller,
        owners=life.get("owners"),
        method=method,
        values=values,
        through=tuple(life.get("through", ())),
        within=life.get("within"),
        leaves=leaves,
        ways=ways((*own, *listed, *((caller,) if caller else ()), *kept)),
    )
    for where, problem, fix in _states(found, "shows" in life):
        raise bad(where, problem, fix)
    return found


def _states(life: Lifecycle, shows: bool) -> Iterator[Problem]:
    """Yield what is wrong with the states by themselves."""
    named = tuple(dict.fromkeys((*life.states, *life.after, *life.through)))
    for state in sorted(set(life.cancellable) & set(life.final)):
        yield WHERE, f"{state!r} is both cancellable and final", "keep one"
    for state in sorted(set(life.through) & set(life.after)):
        yield f"{WHERE}/through", f"{state!r} is what a cancel leads to (after)", "keep one"
    for key in ("cancellable", "through"):
        if GONE in getattr(life, key):
            told = f"{GONE!r} means that the GET answers 404: it goes with `after` and `final`"
            yield f"{WHERE}/{key}", told, "give the state another name"
    if life.within is not None and isnan(life.within):
        yield f"{WHERE}/within", "is no number", "give the seconds"
    if not life.after and not life.final:
        yield f"{WHERE}/after", "no state tells what a cancel leads to", "name one, or a final one"
    if GONE in life.values:
        told = f"{GONE!r} means that the GET answers 404: it has no values"
        yield f"{WHERE}/states", told, "leave it out, or give the state another name"
    for state in life.values:
        if state not in named:
            yield f"{WHERE}/states", f"no state is named {state!r}", nearest(state, named)
    untold = [state for state in named if state not in life.values and state != GONE]
    if untold and not shows:
        told = f"nothing tells where {untold[0]!r} shows"
        yield WHERE, told, "give `shows`, or its values in `states`"
    if life.leaves and set(life.after) == {GONE}:
        yield f"{WHERE}/leaves", "what is gone holds nothing", "leave it out"
    for one, other in combinations([s for s in named if s != GONE], 2):
        if canonical(one) != canonical(other) and (both := _alike(life, one, other)):
            yield (
                f"{WHERE}/states",
                f"what shows {both[0]!r} shows {both[1]!r} too",
                "tell it apart",
            )


def _alike(life: Lifecycle, *states: str) -> tuple[str, str] | None:
    """Return two states of which the second shows wherever the first does, or None."""
    a, b = ([sign for name, sign in life.rows if name == canonical(s)] for s in states)
    if any(x.items() <= y.items() for x in a for y in b):
        return states[1], states[0]
    if any(y.items() <= x.items() for x in a for y in b):
        return states[0], states[1]
    return None


def is_shown(contract: Contract, at: str) -> bool:
    """Whether a schema shows a place, or an object that it lies in and does not list. Where none
    shows anything, nobody knows.
    """
    if not contract.properties or at in contract.properties:
        return True
    schemas = (contract.entity_schema, contract.observed_schema)
    life = contract.lifecycle
    if at in (life.caller, *life.listed) and (inner := in_list(at)):
        every = (documented(schema, life.ways) for schema in schemas)
        items = [s.get("items") for rows in every for name, s in rows if name == inner[0]]
        return any(inner[1] in dict(documented(item, frozenset())) for item in items)
    rows = (row for schema in schemas for row in documented(schema, life.ways))
    return lies_within(at, (name for name, schema in rows if _may_hold(schema)))


def _may_hold(schema: Any) -> bool:
    """Whether a value may be an object that holds what the schema does not list."""
    types = schema.get("type", "object") if isinstance(schema, Mapping) else "object"
    return "object" in (types if isinstance(types, list) else [types])


def lifecycle_problems(contract: Contract, example: Any) -> Iterator[Problem]:
    """Yield the places that no schema shows, and the values that do not fit it. Where the GET's
    answer has no schema its `example` stands for it.
    """
    life = contract.lifecycle
    known = tuple(contract.properties)
    if not known and isinstance(example, dict):
        known = tuple(opened(example, life.ways))
    named: dict[str, tuple[str, ...]] = {
        "states": tuple(at for found in life.values.values() for at in found),
        "shows": life.shows,
        "records": tuple(life.records),
        "sets": life.sets,
        "touches": life.touches,
        "moments": life.moments,
        "stamps": (*life.stamps, *life.listed),
        "caller": (life.caller,) if life.caller else (),
        "leaves": tuple(life.leaves),
    }
    for key, places in named.items():
        for at in places:
            untold = not contract.properties and at not in known
            if not is_shown(contract, at) or (known and untold):
                yield f"{WHERE}/{key}", f"no schema shows {at!r}", nearest(at, known)
    schemas = dict(documented(contract.observed_schema, life.ways))
    rows = [("leaves", life.leaves), *((f"states/{s}", row) for s, row in life.values.items())]
    for key, row in rows:
        for at, value in row.items():
            if at in schemas and problem_of(schemas[at], value):
                told = f"{json.dumps(value)} at {at} does not fit the schema of the GET"
                yield f"{WHERE}/{key}", told, "write it as the schema has it"


def hurried(contract: Contract, seconds: float | None) -> Contract:
    """Return a contract whose effects may take no more than some seconds: a server that is known to
    be quick is not given the minutes that a page gives.
    """
    life = contract.lifecycle
    if seconds is None or life.within is None or not seconds < life.within:  # nor NaN
        return contract
    return replace(contract, lifecycle=replace(life, within=seconds))
