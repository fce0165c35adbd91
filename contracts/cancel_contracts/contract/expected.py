"""The facets of `expect`: what must hold, one row a facet. One without a row fails at load. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Sees = Literal["answer", "looks", "many"]
STATUS = {"anyOf": [{"type": "integer", "minimum": 100, "maximum": 599}, {"enum": ["2xx", "3xx", "4xx", "5xx", "not 5xx"]}]}  # fmt: skip
STATUSES = {"anyOf": [STATUS, {"type": "array", "minItems": 1, "items": STATUS}]}


@dataclass(frozen=True)
class Facet:
    """One key of `expect`: its values, what must have been seen to judge it, and the topic of a
    clause on it; where that is empty, what the clause asks for tells.
    """

    name: str
    says: str
    values: Mapping[str, Any]  # JSON Schema
    sees: Sees = "answer"
    topic: str = ""


def _some(*words: str) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"enum": [*words]}}


_NAMES = {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string", "minLength": 1}}  # fmt: skip

FACETS: Mapping[str, Facet] = {
    facet.name: facet
    for facet in (
        Facet("status", "the status code: `200`, `4xx`, `not 5xx`, or a list", STATUSES),
        Facet("body", "`empty` (not one octet) or `entity` (JSON fit for the schema), of a 2xx; `documented`: of any answer, what `responses` says of its status and media type", {"enum": ["empty", "entity", "documented"]}, topic="body"),
        Facet("error", "of a 4xx or 5xx: `envelope`, `single` (nothing beside `error`), `media-type`, `no-internals`", _some("envelope", "single", "media-type", "no-internals"), topic="error"),
        Facet("header", "`challenge` and `bearer` (401), `allow` (405), `retry-after` (429); `documented`: those that `responses` marks as required for the status", _some("challenge", "bearer", "allow", "retry-after", "documented")),
        Facet("effect", "`cancelled`, `none`, `kept` (what the first call did still stands), `as-answered` (2xx: cancelled, 4xx: none)", {"enum": ["cancelled", "none", "kept", "as-answered"]}, "looks"),
        Facet("neighbour", "`unchanged`: another resource was neither cancelled nor lost anything (not with odd ids, calls at once, or a kept connection)", {"const": "unchanged"}, "looks"),
        Facet("entity", "`id`, `state`, `set` in the answer; `recorded` in answer or GET; `agrees` with the GET; `ordered` dates", _some("id", "state", "recorded", "set", "agrees", "ordered"), "looks", topic="body"),
        Facet("dated", "`now`: a date of `stamps` that a cancel changes is that of the call, by the clock that the other answers show", {"const": "now"}, "many", topic="body"),
        Facet("keeps", "names of properties that this call leaves alone", _NAMES, "looks", topic="body"),
        Facet("whole", "`true`: documented properties that no cancel sets or touches are as before; `ended`: a refusal of what has ended changes nothing of what time may change either", {"enum": [True, "ended"]}, "looks", topic="body"),
        Facet("assigns", "`nothing`: nothing shows that a body says of the resource, but what is recorded of it", {"const": "nothing"}, "looks", topic="body"),
        Facet("not-recorded", "`true`: what was sent under another name is not kept", {"const": True}, "looks", topic="body"),
        Facet("accepts", "a permission: it suffices; others may", {"type": "string", "minLength": 1}, "looks", topic="permission"),
        Facet("constant", "`status`: the same in every exchange; `state`: of the properties that tell it every cancel leaves the same ones in the same words, by what showed before", {"enum": ["status", "state"]}, "many", topic="status"),
        Facet("distinct", "a JSON pointer: a value of its own in every answer", {"type": "string", "pattern": "^/"}, "many", topic="error"),
        Facet("alike", "`status`, `code`, `message`, `challenge`, `headers` (their names, and states that they name): to one identity the same of every resource, ids and numbers apart; with `call: repeated`, these or `body` as the request was answered before, and its status", _some("status", "code", "message", "challenge", "headers", "body"), "many"),
        Facet("named", "`alike`: whoever cancelled is named alike wherever they did; `apart`: no other caller is named so (applications may share a name; judged where tokens are minted)", {"enum": ["alike", "apart"]}, "many", topic="body"),
        Facet("private", "`true`: no answer holds what was sent by another call, names another resource or holds what that keeps, names another caller, or holds what the resource itself keeps (where it is to tell nothing: 401, 403, 404), or holds the caller's token", {"const": True}, "many", topic="permission"),
        Facet("quota", "`granted`: no 429 that stands before the quota is spent", {"const": "granted"}, "many", topic="quota"),
        Facet("race", "`serializable`: calls at once end as some order of them would", {"const": "serializable"}, "many", topic="lifecycle"),
        Facet("wire", "`sound`: one HTTP message, framed as RFC 9112 asks", {"const": "sound"}, topic="wire"),
        Facet("answered", "`true`: in full and in time", {"const": True}, topic="wire"),
        Facet("connection", "`usable`: it carries the next call; `alike`: a call on one that carried others, and the look after it, is answered as on one of its own", {"enum": ["usable", "alike"]}, topic="wire"),
        Facet("echo", "`request-id`: the client's id comes back beside the server's own", {"const": "request-id"}, topic="request"),
    )
}  # fmt: skip
