"""Read the OpenAPI half of a spec file: operations, schemas, servers, security, bodies.

Every complaint is a UsageError that names file and place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any, Literal

from cancel_contracts.contract.credentials import Permission
from cancel_contracts.contract.model import Server
from cancel_contracts.contract.path_template import pieces
from cancel_contracts.contract.responses import json_of
from cancel_contracts.errors import UsageError
from cancel_contracts.parse import NO_JSON, pointed


def resolve(document: Mapping[str, Any], node: Any, depth: int = 0) -> Any:
    """Return a node with local $refs replaced by what they name."""
    if depth > 40:
        raise ValueError("$ref goes round in circles")
    if isinstance(node, dict):
        if isinstance(ref := node.get("$ref"), str):
            if not ref.startswith("#/"):
                raise ValueError(f"$ref {ref!r} leaves the file")
            target = pointed(document, ref[1:])
            if target is NO_JSON:
                raise ValueError(f"$ref {ref!r} names nothing")
            return resolve(document, target, depth + 1)
        return {key: resolve(document, value, depth + 1) for key, value in node.items()}
    if isinstance(node, list):
        return [resolve(document, item, depth + 1) for item in node]
    return node


class Document:
    """An OpenAPI document whose shape the schema has found right; `path` is of its file."""

    def __init__(self, path: Path, document: dict[str, Any]) -> None:
        self.path, self.document = path, document

    def bad(self, where: str, problem: str, fix: str) -> UsageError:
        return UsageError(f"{self.path}: {where}", problem, fix)

    def resolved(self, where: str, node: Any) -> Any:
        try:
            return resolve(self.document, node)
        except (ValueError, RecursionError) as err:
            raise self.bad(where, str(err) or "nested too deep", "fix the reference") from None

    def operations(self) -> Iterator[tuple[str, str, Any]]:
        for route, item in self.document["paths"].items():
            if not isinstance(item, dict):
                raise self.bad(f"paths/{route}", "is no mapping", "give it an operation")
            for method, operation in item.items():
                if isinstance(operation, dict):
                    yield route, method, operation

    def route(self, operation_id: str, *methods: str) -> tuple[str, str]:
        """Return the path of an operation, and which of the methods it is of."""
        for route, verb, operation in self.operations():
            if operation.get("operationId") == operation_id and verb in methods:
                try:
                    pieces(route)
                except ValueError as err:
                    raise self.bad(f"paths/{route}", str(err), "name the id") from None
                return route, verb
        verbs = " or ".join(map(str.upper, methods))
        raise self.bad(
            "x-lifecycle", f"no {verbs} operation is named {operation_id!r}",
            "give the operation that operationId",
        )  # fmt: skip

    def observed(self, route: str | None) -> Any:
        """Return the schema of what the GET shows, or None."""
        if route is None:
            return None
        operation = self.resolved(f"paths/{route}", self.document["paths"][route]["get"])
        return schema_of((operation.get("responses") or {}).get("200"))

    def example(self, route: str | None) -> Any:
        """Return an example of what the GET shows, or None."""
        if route is None:
            return None
        operation = self.resolved(f"paths/{route}", self.document["paths"][route]["get"])
        response = (operation.get("responses") or {}).get("200")
        media = ((response or {}).get("content") or {}).get("application/json") or {}
        named = (row.get("value") for row in (media.get("examples") or {}).values())
        return media.get("example", next(named, None))

    def owners(self, name: str | Literal[True] | None) -> Any:
        """Return the schema of a name, or None where owners send no body that has one."""
        if name is True:
            return None
        found = self.document.get("components", {}).get("schemas", {}).get(name)
        if name is not None and found is None:
            problem = f"no schema is named {name!r}"
            raise self.bad("x-lifecycle/owners", problem, "give it under components/schemas")
        return self.resolved("x-lifecycle/owners", found)

    def servers(self) -> Iterator[Server]:
        """Yield every server, its variables (OpenAPI 3.1, Server Variable Object) filled in."""
        for index, row in enumerate(self.document["servers"]):
            variables = row.get("variables", {})
            names = re.findall(r"{([^{}]*)}", row["url"])
            for name in names:
                if not isinstance(variables.get(name), dict) or "default" not in variables[name]:
                    raise self.bad(
                        f"servers/{index}", f"{{{name}}} has no default", "give it under variables"
                    )
            choices = [variables[n].get("enum", [variables[n]["default"]]) for n in names]
            for values in product(*choices):
                url, scope = row["url"], row.get("x-scope")
                for name, value in zip(names, values, strict=True):
                    url = url.replace(f"{{{name}}}", str(value))
                    scope = scope and scope.replace(f"{{{name}}}", str(value))
                yield Server(url.rstrip("/"), scope)

    def permissions(self, operation: Mapping[str, Any]) -> Iterator[Permission]:
        schemes = self.document.get("components", {}).get("securitySchemes", {})
        for alternative in operation.get("security", self.document.get("security", [])):
            for scheme, scopes in alternative.items():
                if scheme not in schemes:
                    raise self.bad("security", f"scheme {scheme!r} is not defined", "define it")
                flows = schemes[scheme].get("flows", {})
                kind = "application" if "clientCredentials" in flows else "delegated"
                for scope in scopes:
                    yield Permission(kind, scope)  # type: ignore[arg-type]

    def audiences(self) -> Iterator[str]:
        for scheme in self.document.get("components", {}).get("securitySchemes", {}).values():
            for audience in scheme.get("x-audiences", []):
                yield str(audience)


def schema_of(response: Any) -> Any:
    """Return the schema of the JSON of a response, or None."""
    row = json_of(response) if isinstance(response, dict) else None
    return row[1].get("schema") if row else None


def error_schema(responses: Mapping[str, Any]) -> Any:
    """Return the schema of errors in general: of 4XX, of `default`, else of the first that has
    one.
    """
    others = [code for code in responses if str(code)[:1] in ("4", "5")]
    codes = dict.fromkeys(("4XX", "default", "404", *others))
    return next((s for code in codes if (s := schema_of(responses.get(code)))), None)
