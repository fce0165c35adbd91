"""Which operation of a vendor's document is meant, and the GET that shows what it acts on. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cancel_contracts.errors import UsageError
from cancel_contracts.parse import NO_JSON, pointed

METHODS = ("post", "delete", "put", "patch")
CANCELS = re.compile(r"cancel|stop|abort|revoke|terminat|delet|withdraw|void", re.IGNORECASE)
LINKS = 100  # references that lead to each other
SHOWN = 6  # operations that a complaint offers


class Source:
    """An OpenAPI document, read from `place`."""

    def __init__(self, place: str, document: Mapping[str, Any]) -> None:
        self.place, self.document = place, document

    def operations(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        for path, item in self.document["paths"].items():
            item = self.followed(item, f"paths/{path}")
            for method in METHODS:
                if isinstance(path, str) and isinstance(item.get(method), dict):
                    yield path, method, item

    def chosen(self, wanted: str | None) -> tuple[str, str, Mapping[str, Any]]:
        """Return (path, method, path item) of the operation that is meant."""
        every = list(self.operations())
        if wanted is None:
            found = [row for row in every if "{" in row[0] and _cancels(*row)]
            problem = "which operation is not said, and {} look like one that cancels"
        else:
            method, _, path = wanted.strip().partition(" ")
            found = [
                (p, m, item) for p, m, item in every
                if item[m].get("operationId") == wanted or (m, p) == (method.lower(), path.strip())
            ]  # fmt: skip
            problem = f"{{}} operations are {wanted!r}"
        if len(found) == 1:
            return found[0]
        names = [f"{m.upper()} {p}" for p, m, _ in found or every]
        shown = ", ".join(names[:SHOWN]) + (" …" if len(names) > SHOWN else "")
        fix = (
            f"use one of {shown}" if names else "name a document with a POST, PUT, PATCH or DELETE"
        )
        raise UsageError(f"{self.place}: --operation", problem.format(len(found)), fix)

    def beside(self, path: str) -> tuple[str, Mapping[str, Any], str] | None:
        """Return the GET of the resource that a cancel's path ends on, as (path, path item, the
        path that it has in the document), or None.
        """
        stem = path[: path.rindex("}") + 1] if "}" in path else path
        for other, item in self.document["paths"].items():
            item = self.followed(item, f"paths/{other}")
            if isinstance(other, str) and _shape(other) == _shape(stem) and "get" in item:
                same = other == stem
                return stem, item if same else _renamed(item, _names(other), _names(stem)), other
        return None

    def followed(self, node: Any, where: str) -> Mapping[str, Any]:
        """Return a mapping, references followed."""
        for _ in range(LINKS):
            if not isinstance(node, dict):
                raise UsageError(f"{self.place}: {where}", "is no mapping", "fix the document")
            if not isinstance(ref := node.get("$ref"), str):
                return node
            node = self.target(ref, where)
        raise UsageError(f"{self.place}: {where}", "$ref goes round in circles", "fix it")

    def target(self, ref: str, where: str) -> Any:
        if not ref.startswith("#/"):
            problem = f"$ref {ref!r} leaves the file"
            raise UsageError(f"{self.place}: {where}", problem, "bundle the document first")
        if (found := pointed(self.document, ref[1:])) is NO_JSON:
            raise UsageError(f"{self.place}: {where}", f"$ref {ref!r} names nothing", "fix it")
        return found


def _cancels(path: str, method: str, item: Mapping[str, Any]) -> bool:
    last = path.rsplit("/", 1)[-1]
    return bool(
        CANCELS.search(f"{last if '{' not in last else ''} {item[method].get('operationId')}")
    )


def _shape(path: str) -> str:
    return re.sub(r"\{[^{}]*\}", "{}", path)


def _names(path: str) -> list[str]:
    return re.findall(r"\{([^{}]*)\}", path)


def _renamed(item: Mapping[str, Any], old: list[str], new: list[str]) -> dict[str, Any]:
    """Return a path item whose inline path parameters have the names of another path."""
    names = dict(zip(old, new, strict=True))

    def row(parameter: Any) -> Any:
        if isinstance(parameter, dict) and parameter.get("in") == "path":
            return {
                **parameter,
                "name": names.get(parameter.get("name", ""), parameter.get("name")),
            }
        return parameter

    found = {**item, "parameters": [row(p) for p in item.get("parameters", ())]}
    get = dict(item["get"])
    if "parameters" in get:
        get["parameters"] = [row(p) for p in get["parameters"]]
    return {**found, "get": get}


def operation_id(method: str, path: str) -> str:
    words = [method, *re.findall(r"[A-Za-z0-9]+", re.sub(r"\{[^{}]*\}", "", path))[-3:]]
    return str(words[0]) + "".join(word[:1].upper() + word[1:] for word in words[1:])
