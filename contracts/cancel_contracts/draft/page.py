"""A draft from a page in Markdown: the request that it shows, and a clause for each sentence that
promises something. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from cancel_contracts.draft.half import PLACE, Half
from cancel_contracts.draft.promises import Draft, of_code, success
from cancel_contracts.draft.route import METHODS
from cancel_contracts.errors import UsageError
from cancel_contracts.pages.read import Document

MOST = 200  # clauses of a draft
LETTERS = 300  # of a sentence
# A page writes an id as {id}, <id> or :id.
PLACEHOLDER = re.compile(r"<([A-Za-z][\w .-]{0,60})>|(?<=/):([A-Za-z_]\w*)")
REQUEST = re.compile(r"\b(POST|PUT|PATCH|DELETE)\s+(https?://[^\s/]+)?(/[^\s?\"'`]*)(\?\S*)?")
PROMISE = re.compile(
    r"\b(?:must|shall|require[sd]?|only|not|never|no|cannot|can't|don't|doesn't|mandatory)\b",
    re.IGNORECASE,
)
STATUS = re.compile(r"(?<![\w.:/-])([1-5]\d\d)(?![\w:/-])")
CODES = ("200", "201", "202", "204", "400", "401", "403", "404", "409", "410", "412", "415", "422",
         "423", "428", "429", "500", "503")  # fmt: skip
EMPTY = r"(?i)\b(?:no|not|without|empty)\b[^.]{0,40}\bbody\b|not return anything"
SCOPE = re.compile(r"\b[A-Z][\w-]*(?:\.[A-Za-z]\w*)+\b")
LISTED = re.compile(r"(?i)\bstates?\b[^:.]{0,60}:\s*([\w`, ]+?)(?:\.|$)")
SHOWN = {  # what a GET is taken to show
    "type": "object",
    "properties": {"id": {"type": "string"}, "status": {"type": "string"}},
    "example": {"id": "1", "status": "pending"},
}
KINDS = {"delegated": "authorizationCode", "application": "clientCredentials"}


@dataclass(frozen=True)
class Shown:
    """What a page shows of a request."""

    method: str
    path: str
    base: str | None
    body: Any  # of its example, or None


def half_of(document: Document, place: str, title: str) -> tuple[Half, tuple[str, ...]]:
    """Return the half that a page shows, and the cancellable states that it names."""
    shown = _request(document, place)
    todo: dict[str, list[str]] = {"paths": [], "servers": [], "components": []}
    name, path = _id(shown.path, place)
    parameter = {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    others = [n for n in re.findall(r"\{([^{}]*)\}", path) if n != name]
    todo["paths"].append("the request is the page's; responses and schemas are to be filled in")
    parameters = [
        *({"name": n, "in": "path", "required": True, "schema": {"type": "string"}, "example": n}
          for n in others),
        parameter,
    ]  # fmt: skip
    codes = list(dict.fromkeys(c for _, s in _sentences(document) for c in _codes(s)))
    responses: dict[str, Any] = {
        code: {"description": f"The page names {code}."}
        for code in codes or ["200"] if code[0] in "24"
    }  # fmt: skip
    if not any(code[0] == "2" for code in responses):
        responses = {"200": {"description": "The page names no status of a success."}} | responses
        todo["paths"].append("the page names no status of a success: 200 is a placeholder")
    operation: dict[str, Any] = {"operationId": _operation(shown.method, path)}
    operation |= {"parameters": parameters, "responses": responses}
    schemes = _schemes(document)
    if schemes:
        operation["security"] = [
            {kind: [scope]} for kind, row in schemes.items()
            for scope in row["flows"][KINDS[kind]]["scopes"]
        ]  # fmt: skip
    elif _mentions(document, r"\bBearer\b"):
        schemes = {"bearer": {"type": "http", "scheme": "bearer"}}
        operation["security"] = [{"bearer": []}]
    else:
        todo["components"].append("the page names no way to authenticate")
    if shown.body is not None and not _mentions(document, r"(?i)do(?: not|n't) supply a .*body"):
        # The id in the page's example stands for that in the path.
        own = {"id": "{id}"} if isinstance(shown.body.get("id"), str) else {}
        media = {
            "schema": {"type": "object"},
            "examples": {"page": {"value": {**shown.body, **own}}},
        }
        operation["requestBody"] = {"content": {"application/json": media}}
    stem = path[: path.rindex("}") + 1]
    item = {shown.method: operation}
    paths: dict[str, Any] = {}
    if stem != path or shown.method == "delete":
        todo["paths"].append(
            f"whether GET {stem} shows the resource is a guess: take it out if not"
        )
        get: dict[str, Any] = {"operationId": f"read{_capital(operation['operationId'])}"}
        content = {"application/json": {"schema": SHOWN}}
        shows = {"200": {"description": "The resource.", "content": content}}
        get |= {"parameters": parameters, "responses": shows}
        if "security" in operation:
            get["security"] = operation["security"]
        paths[stem] = {"get": get}
    paths[path] = {**paths.get(path, {}), **item}
    if shown.base is None:
        todo["servers"].append("no example has a host: write the vendor's base URL")
    found: dict[str, Any] = {"openapi": "3.1.0", "info": {"title": title, "version": "1"}}
    found |= {"servers": [{"url": shown.base or PLACE}], "paths": paths}
    if schemes:
        found["components"] = {"securitySchemes": schemes}
    made = Half(found, path, shown.method, stem if paths.get(stem, {}).get("get") else None, todo)
    return made, _states(document)


def clauses(document: Document, half: Half, lifecycle: Mapping[str, Any]) -> Iterator[Draft]:
    """Yield a clause for each sentence that promises something, in the order of the page."""
    count, told = 0, False
    for section, sentence in _sentences(document):
        codes = _codes(sentence)
        example = sentence.startswith("HTTP/")
        if example or (not codes and not PROMISE.search(sentence)):
            continue
        if (count := count + 1) > MOST:
            return
        says = sentence if len(sentence) <= LETTERS else sentence[: LETTERS - 1] + "…"
        if (account := _account(half, sentence)) is not None:
            yield Draft("must", says, section, {"identity": account}, _no(half, [401, 403]), "")
            continue
        known = [c for c in codes if c[0] == "4"]
        if not told and any(c[0] == "2" for c in codes):
            told = True
            made = success(half, lifecycle, says, section)
            bare = {k: v for k, v in made.expect.items() if k != "body"}  # schemas are to come
            yield made if _mentions(document, EMPTY) else replace(made, expect=bare)
        elif known:
            for code in known:
                yield from of_code(code, half, lifecycle, says, section)
        else:
            yield Draft(
                "info", says, section, {"resource": "cancellable"}, {"status": ["2xx", "4xx"]},
                "what it promises: given and expect are placeholders",
            )  # fmt: skip


def _no(half: Half, status: Any) -> dict[str, Any]:
    return {"status": status} | ({"effect": "none"} if half.observe else {})


def _account(half: Half, sentence: str) -> str | None:
    """Return the identity of a row of permissions that says: not supported."""
    if "not supported" not in sentence.lower() or not half.operation.get("security"):
        return None
    head = sentence.lower().partition("|")[0]
    return "app" if head.startswith("application") else "personal" if "personal" in head else None


def _sentences(document: Document) -> Iterator[tuple[str, str]]:
    """Yield (section, sentence), JSON left out."""
    for section in document.sections:
        for sentence in section.sentences:
            if not sentence.startswith(("{", "[", "<")) and '": ' not in sentence:
                yield section.name, sentence


def _codes(sentence: str) -> list[str]:
    return [code for code in STATUS.findall(sentence) if code in CODES]


def _mentions(document: Document, pattern: str) -> bool:
    return any(re.search(pattern, s) for row in document.sections for s in row.sentences)


def _request(document: Document, place: str) -> Shown:
    found: list[tuple[re.Match[str], str]] = []
    for section in document.sections:
        for text in section.sentences:
            sentence = PLACEHOLDER.sub(_braced, text)
            found += [(m, sentence[m.end() :]) for m in REQUEST.finditer(sentence)]
    templates = [(m, rest) for m, rest in found if "{" in m[3]]
    if not templates:
        methods = ", ".join(m.upper() for m in METHODS)
        problem = "shows no request with an id in its path"
        raise UsageError(
            place, problem, f"write it in a code block: {methods} /things/{{id}}/cancel"
        )
    match = templates[0][0]
    path, base = match[3], next((m[2] for m, _ in found if m[2]), None)
    for other, _ in found:  # an example of the same request, whose host and version come before
        if other[2] and (at := other[3].find(path[: path.index("{")])) > 0:
            base = other[2] + other[3][:at]
            break
    else:
        if match[2]:
            base = match[2]
    return Shown(match[1].lower(), path, base, next((b for _, r in found if (b := _json(r))), None))


def _braced(placeholder: re.Match[str]) -> str:
    return "{" + re.sub(r"\W+", "_", placeholder[1] or placeholder[2]) + "}"


def _json(rest: str) -> Any:
    """Return the object that follows a request's line, headers passed over."""
    at = rest.find("{")
    if at < 0:
        return None
    try:
        found, _ = json.JSONDecoder().raw_decode(rest[at:])
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _id(path: str, place: str) -> tuple[str, str]:
    """Return the name of the last parameter, and the path with names that OpenAPI takes."""
    path = re.sub(
        r"\{([^{}]*)\}", lambda m: "{" + (re.sub(r"\W+", "_", m[1]).strip("_") or "id") + "}", path
    )
    if path.count("{") != path.count("}") or not re.search(r"\{\w+\}", path):
        raise UsageError(place, f"shows a path with braces that do not match, {path!r}", "mend it")
    names: Sequence[str] = re.findall(r"\{(\w+)\}", path)
    if len(set(names)) < len(names):
        raise UsageError(place, f"shows a path that names an id twice, {path!r}", "name them apart")
    return names[-1], urlsplit(path).path


def _operation(method: str, path: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", re.sub(r"\{[^{}]*\}", "", path)) or ["resource"]
    verb = "delete" if method == "delete" else words.pop() if len(words) > 1 else method
    return verb[:1].lower() + verb[1:] + "".join(w[:1].upper() + w[1:] for w in words[-1:])


def _schemes(document: Document) -> dict[str, Any]:
    """Return the schemes of a table of permissions, as pages of Microsoft Graph have it."""
    found: dict[str, Any] = {}
    for section in document.sections:
        for sentence in section.sentences:
            head, bar, rest = sentence.partition("|")
            kind = head.strip().split(" ")[0].lower()
            if bar and kind in KINDS and (names := SCOPE.findall(rest)):
                flow = {
                    "tokenUrl": f"{PLACE}/token",
                    "scopes": dict.fromkeys(names, "see the page"),
                }
                if kind == "delegated":
                    flow = {"authorizationUrl": f"{PLACE}/authorize", **flow}
                found[kind] = {"type": "oauth2", "flows": {KINDS[kind]: flow}}
    return found


def _states(document: Document) -> tuple[str, ...]:
    for section in document.sections:
        for sentence in section.sentences:
            if m := LISTED.search(sentence):
                names = [n.strip(" `") for n in re.split(r",|\band\b|\bor\b", m[1])]
                if names and all(re.fullmatch(r"\w{2,40}", n) for n in names):
                    return tuple(dict.fromkeys(names))
    return ()


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]
