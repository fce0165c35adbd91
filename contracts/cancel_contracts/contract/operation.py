"""Read what a request of an operation is made of: parameters, credentials, body.

What cannot be sent as the document asks is a UsageError that names file and place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, cast

from cancel_contracts.contract.credentials import BEARER, FIELD_NAME, Scheme
from cancel_contracts.contract.form import FORM, encodes
from cancel_contracts.contract.openapi import Document
from cancel_contracts.contract.parameters import UNIQUE, Parameter, examples_of, fits, text_of
from cancel_contracts.contract.path_template import pieces

ACTS = ("post", "put", "patch", "delete")
STYLES = {"path": "simple", "query": "form", "header": "simple"}
# OpenAPI 3.1, Parameter Object: Accept, Content-Type and Authorization are no parameters.
OURS = frozenset({
    "accept", "authorization", "client-request-id", "connection", "content-length", "content-type",
    "cookie", "host", "transfer-encoding",
})  # fmt: skip
JSON = "application/json"
PLAIN = (str, int, float, bool)  # what the styles simple and form write alike
# Schemes whose credentials answer a challenge, or rest on a key: no token stands for them.
ANSWERING = ("digest", "dpop", "hoba", "mutual", "negotiate", "ntlm", "scram", "vapid")


def shared_name(document: Document, path: str, observe: str | None) -> str:
    """Return the name of the id: the last path parameter that the cancel and the GET share."""
    names = pieces(path)[1]
    shown = names if observe is None else pieces(observe)[1]
    shared = [name for name in names if name in shown]
    if not shared:
        problem = f"shares no path parameter with {path}"
        raise document.bad(f"paths/{observe}", problem, "name the id alike in both")
    return shared[-1]


class Operation:
    """One operation of a document."""

    def __init__(self, document: Document, route: str, verb: str, id_name: str) -> None:
        self.document, self.route, self.id_name = document, route, id_name
        self.where = f"paths/{route}/{verb}"
        item = document.document["paths"][route]
        self.resolved: Mapping[str, Any] = document.resolved(self.where, item[verb])
        own = self.resolved.get("parameters", [])
        shared = document.resolved(f"paths/{route}", item.get("parameters", []))
        for row in (*shared, *own):
            if not isinstance(row, dict) or not {"in", "name"} <= row.keys():
                told = "holds what is no parameter"
                raise document.bad(f"{self.where}/parameters", told, "give it a name and an `in`")
        rows = {(row["in"], row["name"]): row for row in (*shared, *own)}
        self._rows: list[Mapping[str, Any]] = list(rows.values())

    @property
    def id_row(self) -> Mapping[str, Any]:
        """The id as a parameter: its schema tells what ids look like."""
        rows = (r for r in self._rows if (r["in"], r["name"]) == ("path", self.id_name))
        return next(rows, {})

    def parameters(self, scheme: Scheme) -> Iterator[Parameter]:
        """Yield the parameters, the id and the credentials apart."""
        named = {row["name"] for row in self._rows if row["in"] == "path"}
        for name in pieces(self.route)[1]:
            if name not in (*named, self.id_name):
                raise self._bad(name, "stands in the path and is no parameter", "describe it")
        seen: set[str] = set()
        for row in self._rows:
            name, place = str(row["name"]), row["in"]
            key = scheme.word == "" and (place, name.lower()) == (scheme.place, scheme.name.lower())
            if key or (place, name) == ("path", self.id_name):
                continue
            if place == "path" and name not in pieces(self.route)[1]:
                raise self._bad(name, "does not stand in the path", "leave it out")
            if name.lower() in seen:
                raise self._bad(name, "is the name of two parameters", "rename one of them")
            seen.add(name.lower())
            yield self._parameter(name, place, row)

    def _parameter(self, name: str, place: str, row: Mapping[str, Any]) -> Parameter:
        if place not in STYLES:
            raise self._bad(name, "stands in a cookie, which is not supported", "leave it out")
        if place == "header" and name.lower() in OURS:
            raise self._bad(name, "is sent by the suite itself", "leave it out")
        if place == "header" and not FIELD_NAME.fullmatch(name):
            raise self._bad(name, "is no name of a header", "write it as the page does")
        if row.get("style", STYLES[place]) != STYLES[place] or "schema" not in row:
            told = f"is not of the style {STYLES[place]}, the only one supported"
            raise self._bad(name, told, "describe it by a schema alone")
        schema, value, examples = row["schema"], None, examples_of(row)
        required = bool(row.get("required")) or place == "path"
        said = [*_const(schema), *((*examples, *_default(schema)) if required else ())]
        if required and not said:
            told = "is required and has no value"
            raise self._bad(name, told, "give it an example, a default or a const")
        texts = tuple(text_of(one) for one in examples if isinstance(one, PLAIN))
        if said:
            if not isinstance(said[0], PLAIN):
                raise self._bad(name, "has a value that is no text, number or truth", "give one")
            value = text_of(said[0])
            if UNIQUE not in value and not fits(schema, value):
                raise self._bad(name, "has a value that its own schema refuses", "mend one of them")
            if place == "header" and not (value.isascii() and value.isprintable()):
                raise self._bad(name, "has a value that no header may hold", "use ASCII")
        return Parameter(name, cast(Any, place), required, schema, value, texts)

    def scheme(self) -> Scheme:
        """Return how the first alternative of `security` carries credentials."""
        every = self.resolved.get("security", self.document.document.get("security", []))
        first: Mapping[str, Any] = next(filter(None, every), {})
        if len(first) > 1:
            told = "asks for several schemes at once, which is not supported"
            raise self.document.bad(f"{self.where}/security", told, "name one scheme a row")
        return self._scheme(*first) if first else BEARER

    def _scheme(self, name: str) -> Scheme:
        schemes = self.document.document.get("components", {}).get("securitySchemes", {})
        where = f"components/securitySchemes/{name}"
        if name not in schemes:
            problem = f"scheme {name!r} is not defined"
            raise self.document.bad("security", problem, "define it")
        row = self.document.resolved(where, schemes[name])
        word = str(row.get("scheme", ""))
        match row.get("type"):
            case "oauth2" | "openIdConnect":
                return BEARER
            case "http" if word.lower() == "bearer":
                named = str(row.get("bearerFormat", "")).upper()
                return BEARER if named == "JWT" else Scheme(opaque=bool(named), untold=not named)
            case "http" if word and not word.lower().startswith(ANSWERING):
                return Scheme("Basic" if word.lower() == "basic" else word, opaque=True)
            case "apiKey" if row.get("in") in ("header", "query", "cookie") and row.get("name"):
                place = cast(Literal["header", "query", "cookie"], row["in"])
                if place == "query" or FIELD_NAME.fullmatch(str(row["name"])):
                    return Scheme("", place, str(row["name"]), opaque=True)
                problem = f"{row['name']!r} is no name of a {place}"
                raise self.document.bad(where, problem, "write it as the page does")
        told = "no credentials of this kind can be sent"
        raise self.document.bad(where, told, "use http, apiKey, oauth2 or openIdConnect")

    def media(self) -> str:
        """Return the media type of the requestBody; that of JSON where there is none."""
        content = (self.resolved.get("requestBody") or {}).get("content", {})
        return FORM if FORM in content and JSON not in content else JSON

    def body_schema(self) -> Mapping[str, Any]:
        """Return the schema of the body; one that takes all where none is documented."""
        content = (self.resolved.get("requestBody") or {}).get("content", {})
        found: Mapping[str, Any] = content.get(self.media(), {}).get("schema", {})
        return found

    def bodies(self) -> dict[str, Any]:
        """Return the requestBody's examples by name; none where nothing is to be sent."""
        content = (self.resolved.get("requestBody") or {}).get("content", {})
        if not content:
            return {}
        media = content.get(self.media())
        where = f"paths/{self.resolved.get('operationId')}/requestBody"
        if media is None or not media.get("examples"):
            told, fix = f"gives no {JSON} examples", "add one: it is what ordinary calls send"
            raise self.document.bad(where, told, fix)
        found = {name: example["value"] for name, example in media["examples"].items()}
        for name, value in found.items() if self.media() == FORM else ():
            if not encodes(value):
                told = f"has an example {name!r} that no form can hold"
                raise self.document.bad(where, told, "give it names with texts or numbers")
        return found

    def _bad(self, name: str, problem: str, fix: str) -> Exception:
        return self.document.bad(f"{self.where}/parameters", f"{name!r} {problem}", fix)


def _const(schema: Mapping[str, Any]) -> list[Any]:
    return [schema["const"]] if "const" in schema else []


def _default(schema: Mapping[str, Any]) -> list[Any]:
    return [schema["default"]] if "default" in schema else []
