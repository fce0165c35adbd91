"""Entities and successes, shaped by the examples of the spec's schemas, else by the schemas.

Reads the OpenAPI part of a contract and its lifecycle, never its clauses. No state, no HTTP.
"""

from __future__ import annotations

import copy
import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.places import closed, documented, in_list, opened, top
from cancel_contracts.contract.responses import (
    declares,
    example_of,
    json_of,
    required_headers,
    response_for,
    told_in_json,
)
from cancel_contracts.contract.states import Lifecycle
from cancel_contracts.errors import UsageError
from cancel_contracts.mock.filler import fits, value_of

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator


def successes(contract: Contract) -> list[tuple[int, bool]]:
    """Return each documented 2xx of the cancel, in order, with whether it has a JSON body."""
    responses = contract.operation.get("responses") or {}
    found = [
        (int(str(code).upper().replace("X", "0")), told_in_json(response) is not None)
        for code, response in responses.items()
        if re.fullmatch(r"2(\d\d|[Xx]{2})", str(code))
    ]
    return found or [(200, False)]


def success_row(contract: Contract, status: int) -> Mapping[str, Any]:
    """Return what the JSON of a success is documented to be: its schema, its example."""
    row = json_of(response_for(contract.operation, status))
    return row[1] if row else {}


NOWHERE: frozenset[str] = frozenset()  # along which an entity is opened as it stands


def returns_entity(contract: Contract) -> bool:
    """Whether a success returns the resource: what a GET shows, or an object with its state."""
    status, has_body = successes(contract)[0]
    if not has_body:
        return False
    row = success_row(contract, status)
    schema, example = row.get("schema"), example_of(row)
    shown = {*dict(documented(schema, NOWHERE)), *(example if isinstance(example, dict) else ())}
    state = {top(at) for at in contract.lifecycle.places}
    return schema == contract.observed_schema or bool(shown & state)


def success_body(contract: Contract, status: int, entity: Mapping[str, Any]) -> Any:
    """Return what a success that is not the resource says, with what it shows of it."""
    row = success_row(contract, status)
    made = example_of(row)
    if made is None:
        made = _made(contract, contract.path, row.get("schema") or {"type": "object"})
    if not isinstance(made, dict):
        return made
    shown = {**made, **{name: entity[name] for name in made if name in entity}}
    return shown if fits(row.get("schema"), shown) else made


def entity_example(contract: Contract) -> dict[str, Any]:
    """Return a copy of the resource as a page shows it, opened: by the GET's example, else the
    cancel's, else a value of the GET's schema, else of the cancel's, else the least one.

    Raises UsageError where no value of the schema is found.
    """
    return opened(copy.deepcopy(_entity_example(contract)), contract.lifecycle.ways)


@lru_cache(32)
def _entity_example(contract: Contract) -> dict[str, Any]:
    rows, ways = list(_entity_rows(contract)), contract.lifecycle.ways
    for row in rows:
        if isinstance(example := example_of(row), dict):
            return example
    for row in rows:
        if (schema := row.get("schema")) is None:
            continue
        value = _made(contract, contract.observe_path or contract.path, schema)
        if isinstance(value, dict):
            return _before(contract, schema, value)
    return closed({"id": "", **dict.fromkeys(contract.lifecycle.places[:1], "")}, ways)


def _made(contract: Contract, route: str, schema: Any) -> Any:
    """Return a value of the schema of an answer. Raises UsageError where none is found."""
    value = value_of(schema)
    if not fits(schema, value):
        place = f"{contract.path_of_file}: paths/{route}/responses"
        raise UsageError(place, "the mock finds no value of a schema", "give an example beside it")
    return value


def _before(contract: Contract, schema: Any, entity: dict[str, Any]) -> dict[str, Any]:
    """Return an entity without what a cancel fills, as far as the schema lets it be without."""
    life, view = contract.lifecycle, opened(entity, contract.lifecycle.ways)
    for name in (*life.sets, *life.records, *life.leaves):
        bare = {key: value for key, value in view.items() if key != name}
        options = ({**bare, name: None}, bare) if name in view else ()
        view = next((v for v in options if fits(schema, closed(v, life.ways))), view)
    return closed(view, life.ways)


def _entity_rows(contract: Contract) -> Iterator[Mapping[str, Any]]:
    """Yield what the JSON of the resource is documented to be, the GET's first."""
    if contract.observe_path:
        operation = contract.document["paths"][contract.observe_path]["get"]
        for code, response in (operation.get("responses") or {}).items():
            if str(code)[:1] == "2" and (row := json_of(response)):
                yield row[1]
    if returns_entity(contract):
        yield success_row(contract, successes(contract)[0][0])


def entity_properties(contract: Contract) -> dict[str, Any]:
    """Return the schemas of the resource's properties by name; empty where none is documented."""
    return {
        name: schema
        for row in reversed(list(_entity_rows(contract)))
        for name, schema in documented(row.get("schema"), contract.lifecycle.ways)
    }


def filled_in(name: str, schema: Any, now: str, who: str) -> Any:
    """Return what a cancel fills a property with: when it was, or who did it, as its type asks."""
    texts = [now, now[:19] + "Z", now[:10]] if is_date(name) or _dated(schema) else [who, now]
    for value in (*texts, int(time.time()), True):
        if fits(schema, value):
            return value
    return value_of(schema)


def add_to_list(entity: dict[str, Any], life: Lifecycle, who: str) -> None:
    """Add who cancelled to the list that names it, where it is a list that does, and when."""
    if inner := in_list(life.caller or ""):
        dates = {found[1]: now_text() for at in life.listed if (found := in_list(at))}
        entity[inner[0]] = [*(entity.get(inner[0]) or []), {inner[1]: who, **dates}]


def told_in(contract: Contract, what: str) -> tuple[str, ...]:
    """Return the properties that a cancel fills with "who" or "when", as a text."""
    schemas = entity_properties(contract)
    moment = now_text()
    kinds = {"who": "who", moment: "when", moment[:19] + "Z": "when", moment[:10]: "when"}
    told = {name: filled_in(name, schemas.get(name), moment, "who")
            for name in contract.lifecycle.sets}  # fmt: skip
    return tuple(name for name, text in told.items() if kinds.get(str(text)) == what)


def _dated(schema: Any) -> bool:
    return isinstance(schema, Mapping) and str(schema.get("format", "")).startswith("date")


def final_status(contract: Contract) -> int:
    """Return what a final state is refused with: the documented code where one is named that fits,
    else 409.
    """
    exact = [code for code in (409, 422, 400, 403, 404) if declares(contract.operation, code)]
    ranged = response_for(contract.operation, 409) is not None
    told = [code for code in exact if code in (409, 422, 400) or not ranged]
    return next(iter(told), 409)


def wants_token(contract: Contract) -> bool:
    """Whether the operation asks for any authentication at all: `{}` is an alternative without."""
    alternatives = contract.operation.get("security", contract.document.get("security")) or []
    return bool(alternatives) and all(alternatives)


def allows(contract: Contract, status: int) -> bool:
    """Whether a refusal may have this status: it is documented, or none of refusals is."""
    named = {str(code)[:1].lower() for code in contract.operation.get("responses") or ()}
    return not named & {"4", "d"} or response_for(contract.operation, status) is not None


def limit_status(contract: Contract) -> int:
    """Return what a call is refused with once a quota is spent: the first one's code."""
    return contract.quotas[0].refused if contract.quotas else 429


def documented_body(contract: Contract) -> Mapping[str, Any] | None:
    """Return the schema of the request body, or None where no body is to be sent."""
    body = contract.operation.get("requestBody")
    if not body:
        return None
    return contract.body_schema


def validator(contract: Contract, schema: Mapping[str, Any] | None) -> Draft202012Validator | None:
    """Return a validator of a schema of the document, whose $refs are looked up in it."""
    if schema is None:
        return None
    from jsonschema import Draft202012Validator  # slow to load

    return Draft202012Validator({**schema, "components": contract.document.get("components", {})})


def owner_schema(contract: Contract) -> Mapping[str, Any] | None:
    """Return what an owner's body must fit, or None where the lifecycle asks owners for none."""
    name = contract.lifecycle.owners
    if not isinstance(name, str):
        return None
    found: Mapping[str, Any] = contract.document["components"]["schemas"][name]
    return found


def is_date(name: str) -> bool:
    return "datetime" in name.lower() or name.lower().endswith("date")


def is_last_date(name: str) -> bool:
    """Names of properties that tell when the resource last changed."""
    return is_date(name) and name.lower().startswith(("last", "updated", "modified"))


def now_text() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "1Z"


@lru_cache(256)
def headers(contract: Contract, status: int) -> tuple[tuple[str, str], ...]:
    """Return the header fields that an answer is documented to have, each with a value."""
    rows = required_headers(response_for(contract.operation, status))
    return tuple((name, _written(row)) for name, row in rows.items())


def _written(header: Mapping[str, Any]) -> str:
    """Return a value of a header, in the style `simple` (OpenAPI 3.1, Header Object)."""
    value = example_of(header)
    if value is None:
        value = value_of(header.get("schema") or {"type": "string"})
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
