"""The OpenAPI half of a draft, cut out of a vendor's document: one operation, the GET beside it,
and the components that these two use.

Local references stay references; 3.0 is written as 3.1. Raises UsageError for what cannot be cut
out. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cancel_contracts.draft.route import Source, operation_id
from cancel_contracts.errors import UsageError
from cancel_contracts.parse import pointed

OF_AN_OPERATION = (
    "operationId", "tags", "summary", "description", "parameters", "requestBody", "responses",
    "security", "deprecated",
)  # fmt: skip
OURS = ("x-scope", "x-audiences")  # of the extensions, those that a spec has
NAMES = ("properties", "patternProperties", "headers", "responses")  # whose keys are names
VALUES = ("example", "examples", "default", "enum", "const", "value")  # which are no schemas
COMPONENT = re.compile(r"^#/components/([A-Za-z]+)/([^/]+)$")
UNFOLDED = 200_000  # values, when each reference is followed
DEPTH = 100
PLACE = "https://vendor.example"  # stands where no server is named


@dataclass(frozen=True)
class Half:
    """What was cut out. `document` is OpenAPI 3.1; `todo` says what somebody has to look at, by
    the key at the top of the document that it is about.
    """

    document: dict[str, Any]
    path: str
    method: str
    observe: str | None
    todo: dict[str, list[str]] = field(default_factory=dict)

    @property
    def operation(self) -> dict[str, Any]:
        found: dict[str, Any] = self.document["paths"][self.path][self.method]
        return found

    @property
    def content(self) -> dict[str, Any]:
        """The media types of the request's body."""
        found: dict[str, Any] = self.followed(self.operation.get("requestBody", {})).get(
            "content", {}
        )
        return found

    def followed(self, node: Any) -> dict[str, Any]:
        """Return a mapping itself, not a copy, references to components followed."""
        for _ in range(DEPTH):
            if not isinstance(node, dict) or "$ref" not in node:
                break
            kind, name = node["$ref"].removeprefix("#/components/").split("/", 1)
            node = self.document["components"][kind][name.replace("~1", "/").replace("~0", "~")]
        return node if isinstance(node, dict) else {}


def cut(place: str, source: Any, wanted: str | None) -> Half:
    """Return the half of one operation: `wanted` is its operationId, or METHOD and path."""
    if not isinstance(source, dict) or not isinstance(source.get("paths"), dict):
        raise UsageError(place, "has no paths", "name an OpenAPI document or a page in Markdown")
    version = str(source.get("openapi", source.get("swagger", "")))
    if not version.startswith("3."):
        problem = f"is of version {version or '(none)'}"
        raise UsageError(place, problem, "convert it to OpenAPI 3")
    return _Cutter(place, source, older=version.startswith("3.0")).half(wanted)


class _Cutter:
    def __init__(self, place: str, source: Mapping[str, Any], *, older: bool) -> None:
        self.place, self.source, self.older = place, Source(place, source), older
        self.components: dict[str, dict[str, Any]] = {}
        self.todo: dict[str, list[str]] = {}
        self.sizes: dict[str, int] = {}

    def half(self, wanted: str | None) -> Half:
        path, method, item = self.source.chosen(wanted)
        paths: dict[str, Any] = {}
        if (read := self.source.beside(path)) is not None:
            paths[read[0]] = {"get": self.operation(read[0], "get", read[1])}
            if read[0] != read[2]:
                told = f"{read[2]} was taken for {read[0]}: its parameters are named as there"
                self.todo["paths"] = [told]
        paths.setdefault(path, {})[method] = self.operation(path, method, item)
        document: dict[str, Any] = {"openapi": "3.1.0", "info": self.info(paths[path][method])}
        document |= {"servers": self.servers(), "paths": paths}
        if self.components:
            document["components"] = self.components
        self.measure(paths)
        return Half(document, path, method, read[0] if read else None, self.todo)

    # --- What it takes with it --------------------------------------------------------------------

    def operation(self, path: str, method: str, item: Mapping[str, Any]) -> dict[str, Any]:
        raw = self.source.followed(item[method], f"paths/{path}/{method}")
        found = {key: raw[key] for key in OF_AN_OPERATION if key in raw}
        own = {self.key_of(row) for row in found.get("parameters", ())}
        shared = [row for row in item.get("parameters", ()) if self.key_of(row) not in own]
        if shared or "parameters" in found:
            found["parameters"] = [*shared, *found.get("parameters", ())]
        found.setdefault("operationId", operation_id(method, path))
        if "security" not in found and self.source.document.get("security"):
            found["security"] = self.source.document["security"]
        responses = found.get("responses")
        if not isinstance(responses, dict):
            raise UsageError(f"{self.place}: paths/{path}/{method}", "has no responses", "add them")
        found["responses"] = {str(code): row for code, row in responses.items()}
        for row in found.get("security", ()):
            for scheme in row if isinstance(row, dict) else ():
                self.component("securitySchemes", scheme)
        taken: dict[str, Any] = self.taken(found, f"paths/{path}/{method}")
        return taken

    def key_of(self, row: Any) -> tuple[Any, Any]:
        row = self.source.followed(row, "parameters")
        return row.get("in"), row.get("name")

    def component(self, kind: str, name: str) -> None:
        """Take a component along, and what it refers to."""
        row = self.components.setdefault(kind, {})
        if name not in row:
            row[name] = {}  # it may refer to itself
            where = f"components/{kind}/{name}"
            row[name] = self.taken(self.source.target(f"#/{where}", where), where)

    def taken(self, node: Any, where: str, key: str = "", depth: int = 0) -> Any:
        """Return a copy of the node under a key as a spec has it: no foreign extensions, 3.1."""
        if depth > DEPTH:
            raise UsageError(f"{self.place}: {where}", f"is nested deeper than {DEPTH}", "fix it")
        if isinstance(node, list):
            return [self.taken(item, where, key, depth + 1) for item in node]
        if key == "examples" and isinstance(node, dict):
            rows = {name: self.source.followed(row, where) for name, row in node.items()}
            return {name: {"value": row["value"]} for name, row in rows.items() if "value" in row}
        if not isinstance(node, dict) or key in VALUES:
            return node
        if isinstance(ref := node.get("$ref"), str):
            if not (known := COMPONENT.match(ref)):
                return self.taken(self.source.target(ref, where), where, key, depth + 1)
            self.component(known[1], known[2].replace("~1", "/").replace("~0", "~"))
            return {"$ref": ref}
        found = {
            name: self.taken(value, where, "" if key in NAMES else str(name), depth + 1)
            for name, value in node.items()
            if key in NAMES or not str(name).startswith("x-") or name in OURS
        }
        return _newer(found) if self.older and key not in NAMES else found

    # --- The rest ---------------------------------------------------------------------------------

    def info(self, operation: Mapping[str, Any]) -> dict[str, Any]:
        raw = self.source.document.get("info")
        version = raw.get("version", "1") if isinstance(raw, dict) else "1"
        title = operation.get("summary") or operation["operationId"]
        return {"title": " ".join(str(title).split()), "version": str(version)}

    def servers(self) -> list[dict[str, Any]]:
        """Return the servers that have a host, or one to be filled in."""
        rows = self.source.document.get("servers")
        found = []
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict) and str(row.get("url", "")).startswith(
                ("http://", "https://")
            ):
                found.append(self.taken(row, "servers"))
        if not found:
            told = "no server has a host: write the vendor's base URL, so that it is never called"
            self.todo.setdefault("servers", []).append(told)
        return found or [{"url": PLACE}]

    def measure(self, paths: Mapping[str, Any]) -> None:
        """Cut references that go round in circles; raise where the rest unfolds without measure."""
        for kind, rows in self.components.items():
            for name, node in rows.items():
                self.straight(node, (f"#/components/{kind}/{name}",))
        if self.size(paths, 0) > UNFOLDED:
            problem = f"unfolds to more than {UNFOLDED} values"
            raise UsageError(f"{self.place}: components", problem, "cut its schemas down")

    def straight(self, node: Any, within: tuple[str, ...]) -> None:
        """Put `{}` for a reference to what it stands in."""
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            if not isinstance(value, (dict, list)):
                continue
            ref = value.get("$ref") if isinstance(value, dict) else None
            if ref in within:
                node[key] = {}
                told = f"{ref.removeprefix('#/')} goes round in circles: it is cut within itself"
                if told not in self.todo.setdefault("components", []):
                    self.todo["components"].append(told)
            elif isinstance(ref, str):
                if ref not in self.sizes:
                    self.straight(self.named(ref), (*within, ref))
                    self.sizes[ref] = self.size(self.named(ref), 0)
            else:
                self.straight(value, within)

    def named(self, ref: str) -> Any:
        return pointed({"components": self.components}, ref[1:])

    def size(self, node: Any, depth: int) -> int:
        if isinstance(node, dict) and isinstance(ref := node.get("$ref"), str):
            if ref not in self.sizes:
                self.sizes[ref] = 0
                self.sizes[ref] = self.size(self.named(ref), depth + 1)
            return self.sizes[ref]
        rows = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        return min(1 + sum(self.size(row, depth + 1) for row in rows), UNFOLDED + 1)


def _newer(node: dict[str, Any]) -> dict[str, Any]:
    """Return a node of OpenAPI 3.0 as 3.1 has it (JSON Schema 2020-12)."""
    nullable = node.pop("nullable") if isinstance(node.get("nullable"), bool) else False
    if nullable and isinstance(node.get("type"), str):
        node["type"] = [node["type"], "null"]
        if isinstance(node.get("enum"), list) and None not in node["enum"]:
            node["enum"] = [*node["enum"], None]
    for bound, word in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(node.get(word), bool):
            strict = node.pop(word)
            if strict and bound in node:
                node[word] = node.pop(bound)
    return node
