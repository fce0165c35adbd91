"""What an answer lacks of what `responses` documents for its status: content, header fields.

A status that is not documented is not held to anything. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from cancel_contracts.contract.entity_schema import problem_of
from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.responses import (
    content_of,
    is_json,
    media_for,
    required_headers,
    response_for,
)
from cancel_contracts.exchange import Received
from cancel_contracts.parse import NO_JSON, json_value

BODILESS = (204, 205, 304)  # RFC 9110 sections 15.3.5, 15.3.6, 15.4.5: answers without content
# A problem in words, None where there is none; False where it cannot be told, "" where nothing is
# documented.
Told = str | Literal[False] | None


def body_problem(contract: Contract, received: Received) -> Told:
    """Return what is wrong with the content of an answer."""
    status = received.status
    response = response_for(contract.operation, status)
    if response is None:
        return ""
    content = content_of(response)
    if not content or status in BODILESS:
        # Whether errors have content where a page shows none is left open, unless it says none.
        if status >= 400 and "content" not in response:
            return ""
        octets = received.body + received.stray
        return f"{status}, {len(octets)} bytes, none documented" if octets else None
    if not received.body:
        return f"{status}, empty body, documented: {', '.join(content)}"
    said = media_for(content, received.media_type)
    if said is None:
        named = received.header("content-type")
        return f"{status}, Content-Type {named!r}, documented: {', '.join(content)}"
    return _value_problem(said, received)


def _value_problem(said: Mapping[str, Any], received: Received) -> Told:
    """Return what a schema says against the value of a body: JSON as it is, else its text."""
    if is_json(received.media_type):
        if (value := received.json()) is NO_JSON:
            return f"{received.status}, no UTF-8 JSON"
    elif received.media_type.startswith("text/"):
        value = received.body.decode("utf-8", errors="replace")
    else:
        return None
    return _fits(said.get("schema"), value, str(received.status))


def header_problem(contract: Contract, received: Received) -> Told:
    """Return which documented header field is missing, or does not fit its schema."""
    rows = required_headers(response_for(contract.operation, received.status))
    if not rows:
        return ""
    for name, row in rows.items():
        lines = received.headers_named(name)
        if not lines:
            return f"{received.status}, {name} is missing"
        problem = _header_value(row.get("schema"), ", ".join(lines), f"{received.status}, {name}")
        if problem is not None:
            return problem
    return None


def _header_value(schema: Any, text: str, where: str) -> Told:
    """Hold a field to its schema: as the text that it is, or as the number or the list that it
    spells (style `simple`: OpenAPI 3.1, Header Object).
    """
    readings: list[Any] = [text]
    if (value := json_value(text.encode("utf-8", errors="replace"))) is not NO_JSON:
        readings.append(value)
    readings.append([part.strip() for part in text.split(",")])
    told = [_fits(schema, reading, where) for reading in readings]
    return None if None in told else told[0]


def _fits(schema: Any, value: Any, where: str) -> Told:
    if not isinstance(schema, Mapping):
        return None
    problem = problem_of(schema, value)
    return f"{where}, {problem}" if problem else problem
