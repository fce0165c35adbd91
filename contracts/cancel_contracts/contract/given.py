"""What a clause's `given` means: the situations it asks for, and whether it speaks of a call.

Planning and judging both read `given` here, so that they cannot disagree. Pure.

Rules of the vocabulary:
- A key that is absent means the ordinary case when planning. When judging it means any value that
  is *neutral*: a documented way, in which a call is served as the ordinary one is (compose.py).
- Under `any: call` an absent key means whatever.
- A list means each of its members; `any` in it widens what is judged, not what is asked for.
- `cancellable` and `final` stand for any such state when judging and for the first such state when
  planning.
- `answer` narrows by what the target chose to answer. Nobody can demand that choice, so a clause
  that has it may stay unexercised without blame.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import product
from typing import Any

from cancel_contracts.contract.model import Clause, Contract
from cancel_contracts.contract.words import AXES
from cancel_contracts.exchange import RECORDED, Form, Situation
from cancel_contracts.parse import success

# given's key -> Situation's field. `resource` and `id` are read apart.
FIELDS = {key: axis.field for key, axis in AXES.items() if key not in ("resource", "id")}
DEFAULT = Situation()
BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "DELETE", "TRACE"})
CONTRACTS = 64  # of which the ordinary call is kept at hand
CLAUSES = 1024  # of which what they ask for is kept at hand
SELECTIONS = 8  # of clauses, of which who asks for what is kept at hand


def conditional(clause: Clause) -> bool:
    """Whether the clause speaks of an answer that the target may never choose to give."""
    return "answer" in clause.given


def listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def identity_name(value: Any) -> str:
    if isinstance(value, dict):
        ((kind, permission),) = value.items()
        return f"{kind}:{permission}"
    return str(value)


def body_form(contract: Contract, value: Any) -> Form:
    """Return the canonical form of a body: equal forms are equal bodies."""
    if isinstance(value, dict):
        if "example" in value:
            first = next(iter(contract.bodies), None)
            name = value["example"]
            return DEFAULT.body if name == first else Form("example", name)
        return Form("json", json.dumps(value["json"], ensure_ascii=True, sort_keys=True))
    return Form(str(value))


@lru_cache(CONTRACTS)
def ordinary(contract: Contract) -> Situation:
    """Return the ordinary call of a contract, on no resource in particular."""
    return replace(DEFAULT, method=contract.method)


def sends_body(contract: Contract, method: str) -> bool:
    """Whether calls of a method may carry content: those of the operation's own may."""
    return method not in BODILESS or method == contract.method


def values(contract: Contract, given: Mapping[str, Any], key: str) -> list[Any]:
    """Return the members of one key as a situation has them; the ordinary where it is absent."""
    if key not in given:
        return ["any" if given.get("any") else getattr(ordinary(contract), FIELDS[key])]
    if key == "identity":
        return [identity_name(v) for v in listed(given[key])]
    if key == "body":
        return [v if v == "any" else body_form(contract, v) for v in listed(given[key])]
    if key == "parameter":
        return [pair for v in listed(given[key]) for pair in _pairs(v)]
    return [str(v) for v in listed(given[key])]


def _pairs(value: Any) -> list[Any]:
    """Return the name of a parameter with each word that is said of it."""
    if not isinstance(value, dict):
        return [value]
    return [(str(name), word) for name, words in value.items() for word in listed(words)]


def resources(contract: Contract, given: Mapping[str, Any]) -> list[tuple[str, str | None, Form]]:
    """Return (resource, state, id) of each resource asked for."""
    life = contract.lifecycle
    found: list[tuple[str, str | None, Form]] = []
    for word in listed(given.get("resource", "cancellable")):
        if word == "cancellable":
            found.append(("cancellable", life.cancellable[0], DEFAULT.id))
        elif word == "final":
            found.append(("final", life.final[0], DEFAULT.id))
        elif word == "unknown":
            found.append(("unknown", None, Form("unknown")))
        elif word == "odd":
            kinds = [k for k in listed(given.get("id", "word")) if k != "any"]
            found.extend(("odd", None, Form(kind)) for kind in kinds)
        elif word != "any":
            found.append((life.kind(word), word, DEFAULT.id))
    return found or [("cancellable", life.cancellable[0], DEFAULT.id)]


def asked(contract: Contract, clause: Clause) -> list[Situation]:
    """Return the situations that exercise a clause, in the spec's order, without doubles."""
    return list(_asked(contract, clause))


@lru_cache(CLAUSES)
def _asked(contract: Contract, clause: Clause) -> tuple[Situation, ...]:
    given = clause.given
    axes: list[Iterable[Any]] = [resources(contract, given)]
    for key, field in FIELDS.items():
        named = [v for v in values(contract, given, key) if v != "any"]
        axes.append(named or [getattr(ordinary(contract), field)])
    found: dict[Situation, None] = {}
    for (resource, state, id_), *rest in product(*axes):
        facts = dict(zip(FIELDS.values(), rest, strict=True))
        found[Situation(resource=resource, state=state, id=id_, **facts)] = None
    return tuple(found)


@lru_cache(SELECTIONS)
def asking(contract: Contract, clauses: tuple[Clause, ...]) -> Mapping[Situation, list[Clause]]:
    """Return the situations that exercise some of the clauses, each with those that it does."""
    found: dict[Situation, list[Clause]] = {}
    for clause in clauses:
        for situation in _asked(contract, clause):
            found.setdefault(situation, []).append(clause)
    return found


def names(contract: Contract, clause: Clause, key: str, situation: Situation) -> bool:
    """Whether a key of `given`, present or not, has the value of the situation among its own."""
    wanted = _named(contract, clause, key)
    value = getattr(situation, FIELDS[key])
    if key == "identity" and value == "app" and not clause.readings:
        # Whoever holds every permission is refused only where no single one suffices.
        if not callers(contract, "application").isdisjoint(wanted):
            return True
    if isinstance(value, Form):
        value = value.kind
    return "any" in wanted or value in wanted


@lru_cache(CLAUSES * len(FIELDS))
def _named(contract: Contract, clause: Clause, key: str) -> frozenset[Any]:
    return frozenset(values(contract, clause.given, key))


def names_resource(clause: Clause, situation: Situation, status: int | None) -> bool:
    """Whether the resource of the situation is one that the clause speaks of."""
    given = clause.given
    if "resource" not in given and given.get("any"):
        return True
    words = listed(given.get("resource", "cancellable"))
    recorded = situation.resource == RECORDED == situation.id.word
    if recorded and {"cancellable", "final"} <= set(words):
        # Which of its states it was in does not matter here. That it exists, a success says.
        if "unknown" in words or success(status):
            return True
    for word in words:
        if word == "any" or word == situation.state:
            return True
        if word == situation.resource and (
            word != "odd"
            or "id" not in given
            or {situation.id.word, "any"} & set(listed(given["id"]))
        ):
            return True
    return False


def answers(clause: Clause, status: int | None, limited: bool = False) -> bool:
    """Whether the clause speaks of a call that was answered so.

    A refusal by the limit (`limited`, or 429) says nothing of the call itself: only clauses that
    speak of any call take it as evidence.
    """
    if "answer" in clause.given and (status is None or not fits(status, clause.given["answer"])):
        return False
    return not (limited or status == 429) or bool(clause.given.get("any"))


def kind_of(situation: Situation) -> Situation:
    """Return the situation without what was drawn for it: the same clauses speak of it."""
    body, id_ = situation.body.kind, situation.id.kind
    drawn = (body, id_) != (situation.body, situation.id)
    return replace(situation, body=body, id=id_) if drawn else situation


def fits(status: int, wanted: Any) -> bool:
    """Whether a status is one of `wanted`: 200, "2xx", "not 5xx", or a list of these."""
    return any(
        status == word
        if isinstance(word, int)
        else status // 100 != 5
        if word == "not 5xx"
        else str(status // 100) == str(word)[0] and len(str(status)) == 3
        for word in listed(wanted)
    )


def callers(contract: Contract, kind: str) -> frozenset[str]:
    """Return the identities that hold one documented permission of a kind."""
    return frozenset(f"{kind}:{p.name}" for p in contract.permissions if p.kind == kind)


def permission_of(identity: str) -> str | None:
    """Return the permission that an identity is named for, or None for a role such as `admin`."""
    kind, _, permission = identity.partition(":")
    return permission if kind in ("delegated", "application") else None
