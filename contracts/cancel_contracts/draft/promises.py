"""The clauses of a draft: what the OpenAPI half documents, by response, parameter and security.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cancel_contracts.draft.half import Half

JSON = "application/json"
FEWEST = 2  # letters of a clause id's prefix


@dataclass(frozen=True)
class Draft:
    """A clause that somebody is to finish. `todo` says what of it is a guess."""

    level: str
    says: str
    section: str
    given: Mapping[str, Any]
    expect: Mapping[str, Any]
    todo: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return repr(self.given), repr(self.expect)


def prefix(operation_id: str) -> str:
    """Return what the ids of a draft begin with: the initials of its operation, in capitals."""
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+", operation_id) or ["draft"]
    letters = "".join(word[0] for word in words if word[0].isalpha()).upper()[:3]
    return letters if len(letters) >= FEWEST else (operation_id.upper() + "XX")[:FEWEST]


def promises(half: Half, lifecycle: Mapping[str, Any]) -> Iterator[Draft]:
    """Yield a clause for each response, required parameter and way to authenticate."""
    operation = half.operation
    if codes := successes(half):
        says = _words(half, operation["responses"][codes[0]])
        yield success(half, lifecycle, says, f"responses/{codes[0]}")
    for code, response in operation["responses"].items():
        yield from of_code(code, half, lifecycle, _words(half, response), f"responses/{code}")
    for row in operation.get("parameters", ()):
        row = half.followed(row)
        if row.get("required") and row.get("in") in ("query", "header"):
            says = f"The parameter {row['name']} is required ({row['in']})."
            given: dict[str, Any] = {"parameter": {row["name"]: "omitted"}}
            yield Draft("must", says, f"parameters/{row['name']}", given, _refused("4xx", half))
    yield from _security(half)


def of_code(
    code: str, half: Half, lifecycle: Mapping[str, Any], says: str, section: str
) -> Iterator[Draft]:
    """Yield the clause of one documented status that is no success."""
    status: Any = int(code) if code.isdigit() else code.lower()
    body = JSON in half.content
    given: dict[str, Any]
    if status == 401:
        yield Draft("must", says, section, {"identity": "anonymous"}, _refused(401, half))
    elif status == 403 and any(_scopes(half)):
        yield Draft("must", says, section, {"identity": "no-permission"}, _refused(403, half))
    elif status == 404:
        yield Draft("must", says, section, {"resource": "unknown"}, _refused(404, half))
    elif status == 409:
        final = [s for s in lifecycle["final"] if s not in lifecycle["after"] or s != "gone"]
        yield Draft("must", says, section, {"resource": final}, _refused(409, half), "which states")
    elif status in (400, 415, 422) and body:
        given = {"body": "malformed-json"}
        yield Draft("must", says, section, given, _refused([400, 415, 422], half), "which bodies")
    elif status == 429 and half.observe:
        given = {"any": "call", "answer": 429}
        yield Draft("must", says, section, given, {"effect": "none"}, "the headers of a limit")
    elif status in ("4xx", "default"):
        if _content(half, code):
            given = {"any": "call", "resource": ["unknown", "any"], "answer": "4xx"}
            yield Draft("must", says, section, given, {"error": ["envelope", "media-type"]})
    elif isinstance(status, int) and status // 100 in (3, 4) and half.observe:
        given = {"any": "call", "answer": status}
        yield Draft("info", says, section, given, {"effect": "none"}, "when it is answered")


def success(half: Half, lifecycle: Mapping[str, Any], says: str, section: str) -> Draft:
    """Return the clause of the documented successes. Where there are several, any will do."""
    codes = successes(half)
    status: list[Any] = [int(code) if code.isdigit() else code.lower() for code in codes]
    expect: dict[str, Any] = {"status": status if len(status) > 1 else status[0]}
    if half.observe:
        expect["effect"] = "cancelled"
    contents = [bool(_content(half, code)) for code in codes]
    if all(contents) or not any(contents):
        expect["body"] = "documented" if contents[0] else "empty"
    todo = "when is it which? If it contradicts itself, see x-dialects" if len(codes) > 1 else ""
    return Draft("must", says, section, {"resource": list(lifecycle["cancellable"])}, expect, todo)


def successes(half: Half) -> list[str]:
    return [code for code in half.operation["responses"] if code[:1] == "2"]


def _refused(status: Any, half: Half) -> dict[str, Any]:
    return {"status": status} | ({"effect": "none"} if half.observe else {})


def _security(half: Half) -> Iterator[Draft]:
    rows: Sequence[Mapping[str, Any]] = half.operation.get("security") or ()
    if not any(rows) or {} in rows:
        return
    if "401" not in half.operation["responses"]:
        says = "Nobody cancels without credentials."
        yield Draft("must", says, "security", {"identity": "anonymous"}, _refused([401, 403], half))
    for kind, scope in _scopes(half):
        says = f"The permission {scope} suffices."
        given = {"identity": {kind: scope}}
        yield Draft("must", says, "security", given, {"status": "2xx"})


def _scopes(half: Half) -> Iterator[tuple[str, str]]:
    schemes = half.document.get("components", {}).get("securitySchemes", {})
    for row in half.operation.get("security") or ():
        for scheme, scopes in row.items():
            flows = schemes.get(scheme, {}).get("flows", {})
            kind = "application" if "clientCredentials" in flows else "delegated"
            yield from ((kind, scope) for scope in scopes)


def _content(half: Half, code: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = half.followed(half.operation["responses"][code]).get("content", {})
    return found


def _words(half: Half, response: Mapping[str, Any]) -> str:
    told = " ".join(str(half.followed(response).get("description", "")).split())
    return told[:300] or "(the document says nothing of it)"
