"""What an operation documents of its answers: by status, by media type. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

JSON = "application/json"


def response_for(operation: Mapping[str, Any], status: int) -> Mapping[str, Any] | None:
    """Return what `responses` says of a status: by its code, its class, else `default`, or None.

    `default` is of whatever is not declared (OpenAPI 3.1, Responses Object): where successes are,
    it is written for errors, and says nothing of another success.
    """
    responses = {str(key).upper(): row for key, row in (operation.get("responses") or {}).items()}
    found = responses.get(str(status), responses.get(f"{status // 100}XX"))
    if found is None and (status >= 400 or not any(key[:1] == "2" for key in responses)):
        found = responses.get("DEFAULT")
    return found if isinstance(found, Mapping) else None


def declares(operation: Mapping[str, Any], status: int) -> bool:
    """Whether `responses` names the very code."""
    return str(status) in map(str, operation.get("responses") or ())


def content_of(response: Any) -> Mapping[str, Any]:
    """Return the media types of a response or a request body, or an empty mapping."""
    found = (response or {}).get("content") or {}
    return found if isinstance(found, Mapping) else {}


def is_json(media_type: str) -> bool:
    """Whether a media type is JSON (RFC 6839 section 3.1 for +json), parameters apart."""
    bare = bare_type(media_type)
    return bare == JSON or bare.endswith("+json")


def bare_type(media_type: str) -> str:
    """Return a media type without its parameters, in lower case."""
    return media_type.partition(";")[0].strip().lower()


def json_of(response: Any) -> tuple[str, Mapping[str, Any]] | None:
    """Return the JSON media type of a response and what is said of it, application/json first."""
    rows = [(name, row or {}) for name, row in content_of(response).items() if is_json(name)]
    return min(rows, key=lambda row: bare_type(row[0]) != JSON, default=None)


def told_in_json(response: Any) -> tuple[str, Mapping[str, Any]] | None:
    """Return the JSON media type of a response where it is said what its JSON is, else None."""
    row = json_of(response)
    return row if row and row[1].keys() & {"schema", "example", "examples"} else None


def media_for(content: Mapping[str, Any], media_type: str) -> Mapping[str, Any] | None:
    """Return what is said of a media type, by its name, else by a range (`text/*`), or None."""
    rows = {bare_type(name): row for name, row in content.items()}
    kind = media_type.partition("/")[0]
    key = next((k for k in (media_type, f"{kind}/*", "*/*") if k in rows), None)
    return None if key is None else rows[key] or {}


def example_of(media: Mapping[str, Any]) -> Any:
    """Return the example of a media type, a parameter or a header, or of its schema, or None."""
    schema = media.get("schema")
    schema = schema if isinstance(schema, Mapping) else {}
    if "example" in media:
        return media["example"]
    for named in (media.get("examples") or {}).values():
        return named.get("value")
    return schema.get("example", next(iter(schema.get("examples") or []), None))


def required_headers(response: Mapping[str, Any] | None) -> dict[str, Mapping[str, Any]]:
    """Return the header fields that a response has to have, each a Header Object. Content-Type is
    none of them: the media types say it (OpenAPI 3.1, Response Object).
    """
    rows = (response or {}).get("headers") or {}
    return {
        name: row
        for name, row in rows.items()
        if isinstance(row, Mapping)
        and row.get("required") is True
        and name.lower() != "content-type"
    }
