"""Entities and error envelopes, shaped by the examples of the spec's schemas.

Reads the OpenAPI part of a contract and its lifecycle, never its clauses. No state, no HTTP.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from jsonschema import Draft202012Validator

from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.places import opened
from cancel_contracts.mock.store import fresh_id

# Status -> code and message. The codes are of no product: pages leave them open.
ERRORS: Mapping[int, tuple[str, str]] = {
    400: ("BadRequest", "The request is not valid."),
    401: ("Unauthorized", "The token is missing or not valid."),
    403: ("Forbidden", "The caller is not authorized."),
    404: ("NotFound", "The resource was not found."),
    405: ("MethodNotAllowed", "The method is not allowed here."),
    409: ("Conflict", "The resource is not in a cancellable state."),
    410: ("Gone", "The resource is gone."),
    415: ("UnsupportedMediaType", "The content type is not supported."),
    422: ("Unprocessable", "The request cannot be processed."),
    429: ("TooManyRequests", "Please retry again later."),
    500: ("InternalServerError", "Something went wrong."),
}
PLAIN_ENVELOPE = {"error": {"code": "", "message": ""}}
TRACE_KEYS = ("request-id", "requestId")


def content_of(response: Any) -> Mapping[str, Any]:
    """Return the application/json part of a response object, or an empty mapping."""
    content: Mapping[str, Any] = (response or {}).get("content") or {}
    media: Mapping[str, Any] = content.get("application/json") or {}
    return media


def example_of(media: Mapping[str, Any]) -> Any:
    """Return the example of a media type object or of its schema, or None."""
    schema = media.get("schema") or {}
    if "example" in media:
        return media["example"]
    for named in (media.get("examples") or {}).values():
        return named.get("value")
    return schema.get("example", next(iter(schema.get("examples") or []), None))


def successes(contract: Contract) -> list[tuple[int, bool]]:
    """Return each documented 2xx of the cancel, in order, with whether it has a body."""
    responses = contract.operation.get("responses") or {}
    found = [
        (int(code), "schema" in content_of(response))
        for code, response in responses.items()
        if re.fullmatch(r"2\d\d", str(code))
    ]
    return found or [(200, False)]


def entity_example(contract: Contract) -> dict[str, Any]:
    """Return a copy of the resource's example, opened: the GET's, else the cancel's, else the least
    one.
    """
    routes: list[Mapping[str, Any]] = []
    if contract.observe_path:
        routes.append(contract.document["paths"][contract.observe_path]["get"])
    routes.append(contract.operation)
    for operation in routes:
        for code, response in (operation.get("responses") or {}).items():
            example = example_of(content_of(response)) if str(code)[:1] == "2" else None
            if isinstance(example, dict):
                return opened(copy.deepcopy(example), contract.lifecycle.ways)
    return {"id": "", **dict.fromkeys(contract.lifecycle.places[:1], "")}


def wants_token(contract: Contract) -> bool:
    """Whether the operation asks for any authentication at all."""
    return bool(contract.operation.get("security", contract.document.get("security")))


def documented_body(contract: Contract) -> Mapping[str, Any] | None:
    """Return the schema of the request body, or None where no body is to be sent."""
    body = contract.operation.get("requestBody")
    if not body:
        return None
    schema: Mapping[str, Any] = content_of(body).get("schema") or {}
    return schema


def validator(contract: Contract, schema: Mapping[str, Any] | None) -> Draft202012Validator | None:
    """Return a validator of a schema of the document, whose $refs are looked up in it."""
    if schema is None:
        return None
    return Draft202012Validator({**schema, "components": contract.document.get("components", {})})


def owner_schema(contract: Contract) -> Mapping[str, Any] | None:
    """Return what an owner's body must fit, or None where the lifecycle asks for none."""
    if not isinstance(contract.lifecycle.owners, str):
        return None
    found: Mapping[str, Any] = contract.document["components"]["schemas"][contract.lifecycle.owners]
    return found


def is_date(name: str) -> bool:
    return "datetime" in name.lower() or name.lower().endswith("date")


def is_last_date(name: str) -> bool:
    """Names of properties that tell when the resource last changed."""
    return is_date(name) and name.lower().startswith(("last", "updated", "modified"))


def now_text() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "1Z"


class Envelope:
    """Makes error bodies that look like the example of the contract's error schema."""

    def __init__(self, contract: Contract | None) -> None:
        schema = (contract.error_schema if contract else None) or {}
        example = schema.get("example", next(iter(schema.get("examples") or []), None))
        self.example: Any = example if isinstance(example, dict) else PLAIN_ENVELOPE
        self.traced = any(f'"{key}"' in repr(self.example).replace("'", '"') for key in TRACE_KEYS)

    def body(self, status: int, request_id: str, client_request_id: str) -> Any:
        code, message = ERRORS.get(status, ERRORS[400 if status < 500 else 500])
        fillers = {
            "code": code,
            "message": message,
            "target": fresh_id(),
            **dict.fromkeys(TRACE_KEYS, request_id),
            "client-request-id": client_request_id,
            "date": now_text()[:19],
        }
        return fill(self.example, fillers)


def fill(node: Any, fillers: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {
            key: fillers[key]
            if key in fillers and not isinstance(value, dict)
            else fill(value, fillers)
            for key, value in node.items()
        }
    return [fill(item, fillers) for item in node] if isinstance(node, list) else node
