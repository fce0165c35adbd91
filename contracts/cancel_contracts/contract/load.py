"""Read a spec file into a Contract. The only room that knows what a spec file looks like.

Validation has two layers: the JSON Schema of the extensions (a typo names file, path and key), then
the cross-references that a schema cannot say (states, examples, dialects, operation ids). Raises
UsageError, exit code 2.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from cancel_contracts.contract.checks import problems, unknown_words
from cancel_contracts.contract.duties import duties_schema
from cancel_contracts.contract.edition import at
from cancel_contracts.contract.entity_schema import bad_patterns
from cancel_contracts.contract.model import Contract, Lifecycle, Permission, Quota, Server
from cancel_contracts.contract.path_template import halves
from cancel_contracts.contract.promises import read_clauses, read_dialects, read_not_testable
from cancel_contracts.contract.provisions import read_provisions
from cancel_contracts.contract.words import vocabulary
from cancel_contracts.contract.yaml_file import parse_yaml, place_in
from cancel_contracts.errors import UsageError
from cancel_contracts.parse import NO_JSON, pointed
from cancel_contracts.schemas import complaint, schema

FILES = 16  # that are kept at hand
NAME = re.compile(r"^[a-z0-9][a-z0-9-]*$")


def shipped() -> list[Path]:
    """Return the spec files that come with the package: beside it in a checkout, inside it in a
    wheel.
    """
    here = Path(__file__).resolve().parent.parent
    for folder in (here / "specs", here.parent.parent / "specs"):
        if found := sorted(folder.glob("*.yaml")):
            return found
    raise UsageError("installation", "the package carries no spec", "install it again")


def load(path: Path, edition: date | None = None) -> Contract:
    """Return the contract of one spec file, of an edition where one is named, else of today. The
    contract's name is the file's stem.

    A file that has not changed is read once.
    """
    return at(_whole(path), edition)


def _whole(path: Path) -> Contract:
    try:
        about = path.stat()
    except OSError:
        return _load(path)
    if not stat.S_ISREG(about.st_mode):  # a pipe is another each time
        return _load(path)
    return _unchanged(path, about.st_ino, about.st_mtime_ns, about.st_size)


@lru_cache(FILES)
def _unchanged(path: Path, inode: int, written_ns: int, size_bytes: int) -> Contract:
    return _load(path)


def _load(path: Path) -> Contract:
    if not NAME.match(path.stem):
        raise UsageError(
            str(path), f"{path.stem!r} is no contract name", "use lower-case letters, digits and -"
        )
    document = parse_yaml(path)
    if not isinstance(document, dict):
        raise UsageError(str(path), "is no mapping", "start from one of the shipped specs")
    complain(path, document)
    for where, pattern in bad_patterns(document):
        problem = f"{pattern!r} is no regular expression"
        raise UsageError(f"{path}: {where}", problem, "write it as ECMA 262 has it")
    return Reader(path, document).contract()


def spec_schema() -> dict[str, Any]:
    """Return the JSON Schema of a spec file's extensions, the vocabulary's tables included."""
    found = schema("spec")
    return {**found, "$defs": {**found["$defs"], **vocabulary(), "duties": duties_schema()}}


def complain(path: Path, document: Mapping[str, Any]) -> None:
    """Raise for the most telling error the schema finds."""
    for where, problem, fix in unknown_words(document):
        raise UsageError(f"{path}: {where}", problem, fix)
    if found := complaint(Draft202012Validator(spec_schema()).iter_errors(document)):
        keys, problem, _ = found
        raise UsageError(place_in(path, keys), problem, "see docs/clauses-vocabulary.md")


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


class Reader:
    """Turns a validated document into a Contract; every complaint names file and place."""

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

    def contract(self) -> Contract:
        life = self.document["x-lifecycle"]
        path = self.route(life["cancel"], "post")
        observe = self.route(life["observe"], "get") if "observe" in life else None
        operation = self.resolved(f"paths/{path}", self.document["paths"][path]["post"])
        responses = operation.get("responses") or {}
        contract = Contract(
            name=self.path.stem,
            title=self.document["info"]["title"],
            path_of_file=str(self.path),
            document={**self.document, "paths": self.resolved("paths", self.document["paths"])},
            path=path,
            observe_path=observe,
            server=self.document["servers"][0]["url"].rstrip("/"),
            servers=tuple(self.servers()),
            provisions=tuple(read_provisions(self.document, self.bad)),
            lifecycle=self.lifecycle(life),
            permissions=tuple(self.permissions(operation)),
            reading=tuple(
                self.permissions(self.document["paths"][observe]["get"] if observe else {})
            ),
            audiences=tuple(self.audiences()),
            quotas=tuple(Quota(**row) for row in self.document.get("x-quota", [])),
            dialects=tuple(read_dialects(self.document, self.bad)),
            clauses=tuple(read_clauses(self.document, "server", self.bad)),
            duties=tuple(read_clauses(self.document, "caller", self.bad)),
            not_testable=tuple(read_not_testable(self.document)),
            pages={name: row["url"] for name, row in self.document.get("x-pages", {}).items()},
            bodies=self.bodies(operation),
            entity_schema=schema_of(next((r for c, r in responses.items() if c[:1] == "2"), {})),
            observed_schema=self.observed(observe),
            owners_schema=self.owners(life.get("owners")),
            error_schema=next(
                (s for c in ("4XX", "default", "404") if (s := schema_of(responses.get(c)))), None
            ),
        )
        for where, problem, fix in problems(contract):
            raise self.bad(where, problem, fix)
        return contract

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

    def lifecycle(self, life: Mapping[str, Any]) -> Lifecycle:
        both = set(life["cancellable"]) & set(life["final"])
        if both:
            raise self.bad(
                "x-lifecycle", f"{sorted(both)[0]!r} is both cancellable and final", "keep one"
            )
        return Lifecycle(
            shows=tuple(life["shows"]),
            cancellable=tuple(life["cancellable"]),
            final=tuple(life["final"]),
            after=tuple(life["after"]),
            records=dict(life.get("records", {})),
            sets=tuple(life.get("sets", [])),
            touches=tuple(life.get("touches", [])),
            moments=tuple(life.get("moments", [])),
            caller=life.get("caller"),
            owners=life.get("owners"),
        )

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
