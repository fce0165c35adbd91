"""Read the OpenAPI half of a spec file: operations, schemas, servers, security, bodies.

Every complaint is a UsageError that names file and place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

from cancel_contracts.contract.model import Permission, Server
from cancel_contracts.contract.path_template import halves
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

    def route(self, operation_id: str, method: str) -> str:
        for route, verb, operation in self.operations():
            if operation.get("operationId") == operation_id and verb == method:
                try:
                    halves(route)
                except ValueError as err:
                    raise self.bad(f"paths/{route}", str(err), "name the id") from None
                return route
        raise self.bad(
            "x-lifecycle", f"no {method.upper()} operation is named {operation_id!r}",
            "give the operation that operationId",
        )  # fmt: skip

    def observed(self, route: str | None) -> Any:
        """Return the schema of what the GET shows, or None."""
        if route is None:
            return None
        operation = self.resolved(f"paths/{route}", self.document["paths"][route]["get"])
        return schema_of((operation.get("responses") or {}).get("200"))

    def owners(self, name: str | None) -> Any:
        """Return the schema of a name, or None where there is no name."""
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

    def bodies(self, operation: Mapping[str, Any]) -> dict[str, Any]:
        content = (operation.get("requestBody") or {}).get("content", {})
        if not content:
            return {}
        media = content.get("application/json")
        if media is None or not media.get("examples"):
            raise self.bad(
                f"paths/{operation.get('operationId')}/requestBody",
                "gives no application/json examples",
                "add one: it is what ordinary calls send",
            )
        return {name: example["value"] for name, example in media["examples"].items()}


def schema_of(response: Any) -> Any:
    if not isinstance(response, dict):
        return None
    return (response.get("content") or {}).get("application/json", {}).get("schema")
