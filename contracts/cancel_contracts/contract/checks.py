"""What a spec file says that its schema cannot refuse: words, names, references that fit nothing.

Each check yields (place, problem, fix). Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from cancel_contracts.contract import request_checks
from cancel_contracts.contract.duties import DUTIES
from cancel_contracts.contract.expected import FACETS
from cancel_contracts.contract.given import asked, listed, permission_of, values
from cancel_contracts.contract.lifecycle import Problem, is_shown, lifecycle_problems, nearest
from cancel_contracts.contract.model import Clause, Contract
from cancel_contracts.contract.places import place
from cancel_contracts.contract.responses import content_of, json_of, required_headers
from cancel_contracts.contract.words import AXES
from cancel_contracts.exchange import Situation

RESOURCES = ("any", *AXES["resource"].words)


def unknown_words(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield the words of `given` and `expect` that no table has."""
    clauses = document.get("x-clauses")
    for number, row in enumerate(clauses if isinstance(clauses, list) else []):
        if not isinstance(row, dict):
            continue
        where = f"x-clauses/{row.get('id', number)}"
        given = row.get("given")
        for key, wanted in given.items() if isinstance(given, dict) else ():
            if key in AXES:
                yield from _unknown_values(f"{where}/given/{key}", key, wanted)
            elif key not in ("any", "answer"):
                yield where, f"given has no key {key!r}", nearest(str(key), tuple(AXES))
        if "party" in row and "given" in row:
            yield where, "what callers owe has no `given`", "leave it out"
        expect = row.get("expect")
        known = tuple(DUTIES) if "party" in row else (*FACETS, "readings")
        for facet in expect if isinstance(expect, dict) else ():
            if facet not in known:
                yield where, f"expect has no facet {facet!r}", nearest(str(facet), known)


def _unknown_values(where: str, key: str, wanted: Any) -> Iterator[Problem]:
    axis = AXES[key]
    if any("pattern" in form or "x-is" in form for form in axis.forms):
        return  # any text of the kind will do
    if axis.named:
        said = [row for row in listed(wanted) if isinstance(row, dict)]
        wanted = [word for row in said for words in row.values() for word in listed(words)]
    for word in listed(wanted):
        if isinstance(word, str) and word not in (*axis.words, "any"):
            yield where, f"no {key} is named {word!r}", nearest(word, axis.words)


def problems(contract: Contract, example: Any = None) -> Iterator[Problem]:
    """Yield what is wrong with a contract whose words are all known. `example` is of what the GET
    shows.
    """
    seen: set[str] = set()
    for id_ in contract.ids:
        if id_ in seen:
            yield f"x-clauses/{id_}", "the id stands twice", "ids are never reused"
        seen.add(id_)
    yield from lifecycle_problems(contract, example)
    yield from _pages(contract)
    yield from request_checks.of_contract(contract)
    for duty in contract.duties:
        yield from request_checks.of_duty(contract, duty)
        if "own-body" in duty.expect and contract.owners_schema is None:
            problem = "expects a body of owners, but x-lifecycle names no schema of it (owners)"
            yield f"x-clauses/{duty.id}", problem, "add it"
    for clause in contract.clauses:
        yield from _given(contract, clause)
        yield from request_checks.of_clause(contract, clause)
        for reading in clause.readings:
            if reading not in {d.name for d in contract.dialects}:
                yield (
                    f"x-clauses/{clause.id}", f"no dialect is named {reading!r}",
                    "add it to x-dialects",
                )  # fmt: skip
        for expect in (clause.expect, *clause.readings.values()):
            yield from _expect(contract, clause, expect)


def _pages(contract: Contract) -> Iterator[Problem]:
    """Yield the addresses of pages that no source names, where one is named almost so."""
    cited = {source.page for source in contract.sources}
    for page in contract.pages.keys() - cited:
        if get_close_matches(page, bare := tuple(sorted(cited - contract.pages.keys())), n=1):
            yield f"x-pages/{page}", "no source names this page", nearest(page, bare)


def _given(contract: Contract, clause: Clause) -> Iterator[Problem]:
    where, given, states = f"x-clauses/{clause.id}", clause.given, contract.lifecycle.states
    named = [str(word) for word in listed(given.get("resource", []))]
    for name in named:
        if name not in (*states, *RESOURCES):
            yield where, f"no state is named {name!r}", nearest(name, (*states, *RESOURCES))
    if "final" in named and not contract.lifecycle.final:
        yield (
            where,
            "asks for a final state, and x-lifecycle names none",
            "name one, or leave it out",
        )
    if "id" in given and "odd" not in named:
        yield where, "`id` goes with `resource: odd` alone", "leave it out, or say odd"
    apart = {"reused", "concurrent"} & set(map(str, listed(given.get("call", []))))
    if apart and (nothing := {"unknown", "odd"} & set(named)):
        problem = (
            f"`call: {min(apart)}` goes with a resource that exists, not with {min(nothing)!r}"
        )
        yield where, problem, "leave one of them out"
    if "repeated" in listed(given.get("call", [])) and not contract.keys:
        told = "repeats a request, but no parameter is its key: none has {unique} in its value"
        yield where, told, "say second, or give the key such an example"
    for body in listed(given.get("body", [])):
        example = body.get("example") if isinstance(body, dict) else None
        if example is not None and example not in contract.bodies:
            yield where, f"no example {example!r}", nearest(example, contract.bodies)


def _expect(contract: Contract, clause: Clause, expect: Mapping[str, Any]) -> Iterator[Problem]:
    where, known = f"x-clauses/{clause.id}", tuple(contract.properties)
    if expect.get("body") == "entity" and contract.entity_schema is None:
        yield where, "expects an entity, but no 2xx response has a schema", "add one"
    if "envelope" in expect.get("error", ()) and contract.error_schema is None:
        yield where, "expects an envelope, but no 4XX response has a schema", "add one"
    if {"single", "media-type"} & set(expect.get("error", ())) and not tells_errors(contract):
        yield (
            where,
            "expects JSON of errors, but no response documents any",
            "say `body: documented`",
        )
    if "documented" in expect.get("header", ()) and not any(map(required_headers, rows(contract))):
        problem = "expects header fields, but no response has one that is `required: true`"
        yield where, problem, "mark it so"
    if "body" in expect.get("alike", ()) and listed(clause.given.get("call")) != ["repeated"]:
        yield where, "compares bodies of calls that are no repetition", "give it `call: repeated`"
    if "quota" in expect and not contract.quotas:
        yield where, "expects a quota, but there is no x-quota", "add it"
    for name in expect.get("keeps", ()):
        if not is_shown(contract, place(name)):
            yield where, f"keeps {name!r}, which no schema shows", nearest(name, known)
    if "named" in expect and contract.lifecycle.caller is None:
        yield where, "expects a caller to be named, but x-lifecycle names no caller", "add it"
    if "neighbour" in expect and any(map(_stands_alone, asked(contract, clause))):
        problem = "expects a neighbour, but none is looked at beside an odd id,"
        yield where, f"{problem} calls at once or a kept connection", "leave it out of this clause"
    if "accepts" in expect:
        holders = (permission_of(v) for v in values(contract, clause.given, "identity"))
        permissions = tuple({p.name for p in contract.permissions} | set(filter(None, holders)))
        if expect["accepts"] not in permissions:
            problem = f"accepts {expect['accepts']!r}, which nobody is asked to have"
            yield where, problem, nearest(expect["accepts"], permissions)


def rows(contract: Contract) -> list[Mapping[str, Any]]:
    """Return what `responses` holds, a row a status."""
    return [row for row in (contract.operation.get("responses") or {}).values() if row]


def tells_errors(contract: Contract) -> bool:
    """Whether JSON is documented for some error, or nothing of the content of errors at all."""
    errors = [
        row
        for code, row in (contract.operation.get("responses") or {}).items()
        if str(code)[:1] not in "123" and content_of(row)
    ]
    return not errors or any(map(json_of, errors))


def _stands_alone(situation: Situation) -> bool:
    """Whether another resource is never looked at just before and after a call."""
    return situation.resource == "odd" or situation.call in ("concurrent", "reused")
