"""How errors are told: as each status is documented, by an example or else by the schema.

Where a page documents another media type than JSON for a status, its text is told. Knows no clause.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.responses import (
    JSON,
    content_of,
    example_of,
    response_for,
    told_in_json,
)
from cancel_contracts.mock.call import Reply
from cancel_contracts.mock.filler import fits, value_of
from cancel_contracts.mock.shape import now_text
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


@dataclass(frozen=True)
class Form:
    """How errors of one status are written. `schema` is what `example` has to fit; no `media`: in
    nothing.
    """

    media: str | None
    example: Any
    schema: Any = None

    @property
    def json(self) -> bool:
        return self.media is not None and not isinstance(self.example, str)


def form_of(contract: Contract | None, status: int | None = None) -> Form:
    """Return how errors of a status are written; without one, as errors are in general."""
    if contract is not None and status is not None:
        response = response_for(contract.operation, status)
        content = content_of(response)
        if row := told_in_json(response):
            return _form(*row)
        if content:
            media, said = next(iter(content.items()))
            text = example_of(said or {})
            told = text if isinstance(text, str) else ERRORS.get(status, ERRORS[500])[1]
            return Form(media, told)
        if response is not None and "content" in response:
            return Form(None, "")
    return _form(JSON, {"schema": contract.error_schema} if contract else {})


def _form(media: str, said: Mapping[str, Any]) -> Form:
    schema, example = said.get("schema"), example_of(said)
    if isinstance(example, (dict, list)):
        return Form(media, example, schema)
    named = {*schema.get("properties", ()), *schema.get("required", ())} if schema else set()
    plain = (not named or "error" in named) and fits(schema, PLAIN_ENVELOPE)
    return Form(media, PLAIN_ENVELOPE if plain else value_of(schema), schema)


class Envelope:
    """Writes error bodies as a contract documents them. `example` is one of no status."""

    def __init__(self, contract: Contract | None) -> None:
        self._contract = contract
        self._forms: dict[int, Form] = {}
        self.example: Any = form_of(contract).example
        self.traced = any(f'"{key}"' in repr(self.example).replace("'", '"') for key in TRACE_KEYS)

    def form(self, status: int) -> Form:
        if status not in self._forms:
            self._forms[status] = form_of(self._contract, status)
        return self._forms[status]

    def told(self, reply: Reply, request_id: str, client_request_id: str) -> Reply:
        """Return an answer with the body that its status is documented to have."""
        form = self.form(reply.status)
        if not form.json:
            return reply.with_body(form.example.encode(), form.media)
        code, message = ERRORS.get(reply.status, ERRORS[400 if reply.status < 500 else 500])
        fillers = {
            "code": code,
            "message": message,
            "target": fresh_id(),
            **dict.fromkeys(TRACE_KEYS, request_id),
            "client-request-id": client_request_id,
            "date": now_text()[:19],
        }
        value = fill(form.example, fillers)
        if not fits(form.schema, value):
            value = form.example
        return reply.with_json(value).with_header("Content-Type", form.media or JSON)


def fill(node: Any, fillers: Mapping[str, str]) -> Any:
    """Return a value with texts in place of what stands under their names."""
    if isinstance(node, dict):
        return {
            key: fillers[key]
            if key in fillers and not isinstance(value, (dict, bool, int, float))
            else fill(value, fillers)
            for key, value in node.items()
        }
    return [fill(item, fillers) for item in node] if isinstance(node, list) else node
