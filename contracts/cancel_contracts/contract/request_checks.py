"""What a spec asks of requests that its own operation cannot carry: forms of credentials, of a
parameter, of a body, of an id. Each check yields (place, problem, fix). Pure.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from cancel_contracts.contract.extras import EXTRAS
from cancel_contracts.contract.form import FORM, encodes, misfit
from cancel_contracts.contract.given import identity_name, listed, values
from cancel_contracts.contract.model import Clause, Contract
from cancel_contracts.contract.words import BODIES, Tail

Problem = tuple[str, str, str]
OF_NO_FORM = frozenset(
    name for name, word in BODIES.items() if word.wire and not isinstance(word.wire, Tail)
)  # that are JSON, or nearly
LOW = "lower-case-scheme"
SHOWN = ("GET", "HEAD")
# Odd ids that lead to what stands above a resource, where nothing follows them in the path.
ABOVE = frozenset({"empty", "dots", "space"})
SOME = uuid.UUID(int=2**127 + 1)


def of_contract(contract: Contract) -> Iterator[Problem]:
    """Yield what is wrong with the operation as a whole."""
    if not contract.id.fits(contract.id.fresh(SOME)):
        problem = f"{contract.id.name!r} has a schema that no fresh id fits"
        yield f"paths/{contract.path}", problem, "give it an example, of which others are made"


def of_clause(contract: Contract, clause: Clause) -> Iterator[Problem]:
    """Yield what a clause asks for that cannot be sent."""
    where, given = f"x-clauses/{clause.id}", clause.given
    for who in map(identity_name, listed(given.get("identity", []))):
        if not contract.scheme.knows(who):
            problem = f"{who!r} is nothing of its own under the scheme of the operation"
            yield f"{where}/given/identity", problem, "leave it out"
    extras, word = listed(given.get("extra", [])), contract.scheme.word
    if LOW in extras and EXTRAS[LOW].wire.scheme(word) == word:
        problem = f"{LOW!r} is nothing of its own under the scheme of the operation"
        yield f"{where}/given/extra", problem, "leave it out"
    if "parameter" in given:
        for pair in values(contract, given, "parameter"):
            yield from _parameter(contract, f"{where}/given/parameter", pair)
    for kind in ABOVE & {*listed(given.get("id", []))}:
        if contract.path.endswith(f"{{{contract.id.name}}}"):
            problem = f"{kind!r} at the end of the path may name all that there is"
            yield f"{where}/given/id", problem, "leave it out"
    if contract.path == contract.observe_path:
        for method in {*SHOWN} & {*listed(given.get("method", []))}:
            problem = f"{method} on this route shows the resource"
            yield f"{where}/given/method", problem, "leave it out"
    if contract.media == FORM:
        yield from _form(contract, clause)
    bearer = "bearer" in listed(clause.expect.get("header", ()))
    if bearer and contract.scheme.word.lower() != "bearer":
        problem = "expects a challenge for Bearer, which is not the scheme"
        yield f"{where}/expect/header", problem, "say `challenge`"


def of_duty(contract: Contract, duty: Clause) -> Iterator[Problem]:
    """Yield what is asked of callers that the operation does not ask for."""
    if "credentials" in duty.expect and contract.scheme.word.lower() != "bearer":
        problem = "expects Bearer, which is not the scheme"
        yield f"x-clauses/{duty.id}/expect/credentials", problem, "leave it out"


def _parameter(contract: Contract, where: str, pair: Any) -> Iterator[Problem]:
    if not isinstance(pair, tuple):
        return
    name, word = pair
    parameter = next((each for each in contract.parameters if each.name == name), None)
    if parameter is None:
        known = ", ".join(each.name for each in contract.parameters)
        yield where, f"the operation has no parameter {name!r}", f"use one of {known or 'none'}"
    elif word == "omitted" and parameter.place == "path":
        yield where, f"{name!r} stands in the path and cannot be omitted", "say invalid or other"
    elif word == "omitted" and parameter.value is None:
        yield where, f"{name!r} is never sent", "give it a const, or leave it out"
    elif word == "invalid" and parameter.invalid() is None:
        problem = f"the schema of {name!r} refuses nothing"
        yield where, problem, "give it a type, a format, an enum or a pattern"
    elif word == "other" and parameter.other(parameter.value or "") is None:
        yield where, f"the schema of {name!r} takes no other value", "leave it out"


def _form(contract: Contract, clause: Clause) -> Iterator[Problem]:
    where = f"x-clauses/{clause.id}/given"
    for body in listed(clause.given.get("body", [])):
        if isinstance(body, dict):
            if not encodes(body.get("json", {})):
                problem = "is no form: names with texts, numbers or truths"
                yield f"{where}/body", problem, "write it as one"
        elif body in OF_NO_FORM:
            yield f"{where}/body", f"{body!r} is of JSON, and the body is a form", "leave it out"
        elif body == "invalid" and _takes_all(contract):
            problem = "no form is invalid by the schema of the requestBody"
            yield f"{where}/body", problem, "give it a required or a typed property"
    if "respelled" in listed(clause.given.get("extra", [])):
        yield f"{where}/extra", "'respelled' is of JSON, and the body is a form", "leave it out"


def _takes_all(contract: Contract) -> bool:
    first: Mapping[str, Any] = next(iter(contract.bodies.values()), {})
    return misfit(contract.body_schema, first) is None
