"""Our OpenAPI documents for tools that read 3.0: a mechanical change, and the examples filled in.

What 3.0 cannot say falls away: a type beside null becomes `nullable`, `examples` of a schema its
`example`, an open enum its type. Our own `x-` keys are left out.
"""

from __future__ import annotations

from typing import Any

from cancel_contracts.contract.model import Contract

from benchmarks.site import UNKNOWN

DROPPED = ("$schema", "license", "summary")


def downgraded(value: Any) -> Any:
    """Return a value of an OpenAPI 3.1 document as 3.0.3 has it."""
    if isinstance(value, list):
        return [downgraded(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {k: downgraded(v) for k, v in value.items() if not str(k).startswith("x-")}
    types = found.get("type")
    if isinstance(types, list):
        plain = [t for t in types if t != "null"]
        found["nullable"] = "null" in types
        if len(plain) == 1:
            found["type"] = plain[0]
        else:
            del found["type"]
    if isinstance(found.get("anyOf"), list) and any("enum" in x for x in found["anyOf"]):
        found |= next((x for x in found.pop("anyOf") if "enum" not in x), {})
    if isinstance(found.get("examples"), list):
        found["example"] = found.pop("examples")[0]
    if found.get("type") == "array":
        found.setdefault("items", {})
    return found


def with_ids(value: Any, id_: str) -> Any:
    """Return a request body with the id that it repeats put in."""
    if isinstance(value, dict):
        return {k: id_ if k == "id" or v == "{id}" else with_ids(v, id_) for k, v in value.items()}
    return value


def for_peers(
    contract: Contract, url: str, id_: str, *, old: bool = True, observe: bool = True
) -> dict[str, Any]:
    """Return the document of a contract for one server: its address, an id that can be cancelled
    as the example, a bearer token as the security, and 404 among the answers.

    `old` asks for OpenAPI 3.0.3, for one status of success alone (the first, where our document names
    two of which a server has to choose one), and for no refusal but the 404. Without `observe` the GET of the resource is left out.
    """
    document = dict(contract.document)
    found: dict[str, Any] = downgraded(document) if old else _without_extensions(document)
    found["openapi"] = "3.0.3" if old else "3.1.0"
    found["info"] = {"title": contract.title, "version": "1"}
    found["servers"] = [{"url": url}]
    found["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    if not observe and contract.observe_path:
        del found["paths"][contract.observe_path]
    for path in found["paths"].values():
        for parameter in path.get("parameters", ()):
            parameter["example"] = id_
        for operation in (o for o in path.values() if isinstance(o, dict) and "responses" in o):
            operation["security"] = [{"bearer": []}]
            answers = operation["responses"]
            wide = answers.get("4XX")
            if old:
                for status in ("4XX", "401"):
                    answers.pop(status, None)
                for status in [s for s in answers if s.startswith("2")][1:]:
                    del answers[status]
            if wide:
                answers.setdefault("404", wide)
            for status, answer in answers.items():
                for media in answer.get("content", {}).values():
                    media["example"] = least(media["schema"], id_ if status == "200" else "text")
            content = operation.get("requestBody", {}).get("content", {})
            for media in content.values():
                examples = media.pop("examples", None) or {}
                for first in list(examples.values())[:1]:
                    media["example"] = with_ids(first["value"], id_)
    return found


def least(schema: dict[str, Any], text: str) -> Any:
    """Return the least value that a schema asks for: what is required, and nothing more."""
    if schema.get("type") == "object":
        rows = schema.get("properties", {})
        return {name: least(rows.get(name, {}), text) for name in schema.get("required", ())}
    return text


def _without_extensions(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_extensions(v) for k, v in value.items() if not str(k).startswith("x-")}
    return [_without_extensions(v) for v in value] if isinstance(value, list) else value


def unknown(path: str) -> str:
    """Return a path with the id that nobody has in place of its parameter."""
    return path[: path.index("{")] + UNKNOWN + path[path.index("}") + 1 :]
