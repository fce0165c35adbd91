"""What a clause's `given` means: the situations it asks for, and whether an exchange is one of
them.

Planning and judging both read `given` here, so that they cannot disagree. Pure.

Rules of the vocabulary:
- A key that is absent means the ordinary case (`Situation`'s defaults); under `any: call` it means
  whatever.
- A list means each of its members; `any` in it widens what is judged, not what is asked for.
- `cancellable` and `final` stand for any such state when judging and for the first such state when
  planning.
- `answer` narrows by what the target chose to answer. Nobody can demand that choice, so a clause
  that has it
  may stay unexercised without blame.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import product
from typing import Any

from cancel_contracts.contract.model import Clause, Contract
from cancel_contracts.exchange import RECORDED, Situation

# given's key -> Situation's field. `resource` and `id` are read apart.
FIELDS = {
    "identity": "identity",
    "body": "body",
    "content-type": "content_type",
    "transfer": "transfer",
    "method": "method",
    "call": "call",
    "owner": "owner",
}
DEFAULT = Situation()
# Bodies that only `deep` draws from the schema: judged where a clause names them, asked for by
# none.
GENERATED = ("valid", "invalid")


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


def body_name(contract: Contract, value: Any) -> str:
    """Return the canonical name of a body: equal names are equal bodies."""
    if isinstance(value, dict):
        if "example" in value:
            first = next(iter(contract.bodies), None)
            return "documented" if value["example"] == first else f"example:{value['example']}"
        return "json:" + json.dumps(value["json"], ensure_ascii=True, sort_keys=True)
    return str(value)


def values(contract: Contract, given: Mapping[str, Any], key: str) -> list[str]:
    """Return the members of one key, canonically named; the default where it is absent."""
    if key not in given:
        default = getattr(DEFAULT, FIELDS[key])
        return ["any" if given.get("any") else default]
    if key == "identity":
        return [identity_name(v) for v in listed(given[key])]
    if key == "body":
        return [body_name(contract, v) for v in listed(given[key])]
    return [str(v) for v in listed(given[key])]


def resources(contract: Contract, given: Mapping[str, Any]) -> list[tuple[str, str | None, str]]:
    """Return (resource, state, id kind) of each resource asked for."""
    life = contract.lifecycle
    found: list[tuple[str, str | None, str]] = []
    for word in listed(given.get("resource", "cancellable")):
        if word == "cancellable":
            found.append(("cancellable", life.cancellable[0], "known"))
        elif word == "final":
            found.append(("final", life.final[0], "known"))
        elif word == "unknown":
            found.append(("unknown", None, "unknown"))
        elif word == "odd":
            kinds = [k for k in listed(given.get("id", "word")) if k != "any"]
            found.extend(("odd", None, kind) for kind in kinds)
        elif word != "any":
            found.append((life.kind(word), word, "known"))
    return found or [("cancellable", life.cancellable[0], "known")]


def asked(contract: Contract, clause: Clause) -> list[Situation]:
    """Return the situations that exercise a clause, in the spec's order, without doubles."""
    given = clause.given
    axes: list[Iterable[Any]] = [resources(contract, given)]
    for key, field in FIELDS.items():
        named = [v for v in values(contract, given, key) if v not in ("any", *GENERATED)]
        axes.append(named or [getattr(DEFAULT, field)])
    found: dict[Situation, None] = {}
    for (resource, state, kind), *rest in product(*axes):
        facts = dict(zip(FIELDS.values(), rest, strict=True))
        found[Situation(resource=resource, state=state, id=kind, **facts)] = None
    return list(found)


def matches(contract: Contract, clause: Clause, situation: Situation, status: int | None) -> bool:
    """Whether the clause speaks of a call in this situation that was answered so."""
    given = clause.given
    if "answer" in given:
        if status is None or not fits(status, given["answer"]):
            return False
        # A refusal by the limit says nothing of the call itself: only clauses that name 429 or
        # speak of any call
        # take it as evidence.
        if status == 429 and not given.get("any"):
            return False
    elif status == 429 and not given.get("any"):
        return False
    return _resource_matches(given, situation, status) and all(
        "any" in (wanted := values(contract, given, key)) or _fact(situation, field) in wanted
        for key, field in FIELDS.items()
    )


def kind_of(situation: Situation) -> Situation:
    """Return the situation without what `deep` drew: the same clauses speak of it."""
    body, drawn, _ = situation.body.partition(":")
    if drawn and body in GENERATED:
        return replace(situation, body=f"{body}:")
    if situation.id.startswith("raw:"):
        return replace(situation, id="raw:")
    return situation


def _fact(situation: Situation, field: str) -> str | None:
    value: str | None = getattr(situation, field)
    if field == "body" and value is not None and value.partition(":")[0] in GENERATED:
        return value.partition(":")[0]
    return value


def _resource_matches(given: Mapping[str, Any], situation: Situation, status: int | None) -> bool:
    if "resource" not in given and given.get("any"):
        return True
    words = listed(given.get("resource", "cancellable"))
    if situation.resource == RECORDED == situation.id and {"cancellable", "final"} <= set(words):
        # Which of its states it was in does not matter here. That it exists, a success says.
        if "unknown" in words or (status is not None and status // 100 == 2):
            return True
    for word in words:
        if word == "any" or word == situation.state:
            return True
        if word == situation.resource and (
            word != "odd" or "id" not in given or {situation.id, "any"} & set(listed(given["id"]))
        ):
            return True
    return False


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


def permission_of(identity: str) -> str | None:
    """Return the permission that an identity is named for, or None for a role such as `admin`."""
    kind, _, permission = identity.partition(":")
    return permission if kind in ("delegated", "application") else None
