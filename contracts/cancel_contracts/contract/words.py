"""The vocabulary of `given` and `expect`: one table an axis, one row a word.

Whatever else needs to know a word reads its row: the schema of spec files, the documentation, what
goes out on the wire, how a report says it. A word that has no row fails at load. Pure.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from cancel_contracts.exchange import DRAWN

LONG_ID_CHARS, LONG_TEXT_CHARS, DEEP_LEVELS = 2000, 10_000, 10_000

# What a word asks of a target beside an address: an identity by that name, a key to mint with.
Need = Literal["identities", "mint"]


@dataclass(frozen=True)
class Word:
    """One value of an axis. `says` explains it, `reads` stands in a sentence about a call."""

    name: str
    says: str
    reads: str = ""
    wire: Any = None  # what it is on the wire: octets, a path segment, a form, header lines
    need: Need | None = None


@dataclass(frozen=True)
class Carried:
    """How credentials go out: header lines, and what is appended to the URL's query. `secret` is
    what of it must go no further than the wire.
    """

    headers: tuple[tuple[str, str], ...] = ()
    query: str = ""
    secret: str = ""


Carrier = Callable[[str], Carried]


def _authorization(change: Callable[[str], str]) -> Carrier:
    return lambda token: Carried((("Authorization", change(token)),))


def _table(*rows: Word) -> dict[str, Word]:
    return {row.name: row for row in rows}


# --- Identities -----------------------------------------------------------------------------------
# Roles are named in a target file or minted. `wire` of the others makes of the primary's token what
# goes out in its place; one that no token is needed for ignores it.

BEARER = _authorization(lambda token: f"Bearer {token}")  # of a role

IDENTITIES = _table(
    Word("primary", "whoever makes ordinary calls: `admin`, or what `primary` names"),
    Word("admin", "an administrator with every documented permission", need="identities"),
    Word("user", "a user who is no administrator", need="identities"),
    Word("other-user", "another user who is no administrator", need="identities"),
    Word("app", "an application with every documented permission", need="identities"),
    Word("no-permission", "a valid token with none of the permissions", "without a permission", need="identities"),
    Word("expired", "a token that was valid once", "with an expired token", need="identities"),
    Word("personal", "a personal Microsoft account", "with a personal account", need="identities"),
    Word("throttled", "a caller whose quota is spent", "over the quota", need="identities"),
    Word("anonymous", "no credentials at all", "without credentials", lambda _: Carried()),
    Word("empty-header", "an empty Authorization", "with an empty Authorization", _authorization(lambda _: "")),
    Word("bare-scheme", "`Bearer` without a token", "with a Bearer that has no token", _authorization(lambda _: "Bearer")),
    Word("garbage-token", "a token of nobody", "with a token of nobody", _authorization(lambda _: "Bearer not-a-token-of-anybody")),
    Word("basic-scheme", "user and password", "with Basic credentials", _authorization(lambda _: "Basic " + base64.b64encode(b"user:password").decode())),
    Word("lower-case-scheme", "a good token under `bearer`", "with the scheme in lower case", _authorization(lambda token: f"bearer {token}")),
    Word("bare-token", "a good token without a scheme", "with a good token and no scheme", _authorization(lambda token: token)),
    Word("cut-token", "a good token without its end", "with a token cut short", _authorization(lambda token: f"Bearer {token[:-4]}")),
    Word("longer-token", "a good token with letters after it", "with a token that goes on", _authorization(lambda token: f"Bearer {token}AAAA")),
    Word("other-case-token", "a good token in the other case", "with a token in the other case", _authorization(lambda token: f"Bearer {token.swapcase()}")),
    Word("token-elsewhere", "a good token in the query, a cookie and other headers, the names that a gateway gives, and no Authorization", "with the token in query, cookie and other headers alone", lambda token: Carried((("Cookie", f"access_token={token}"), ("X-Authorization", f"Bearer {token}"), ("X-Access-Token", token), ("Proxy-Authorization", f"Bearer {token}"), ("X-Forwarded-User", "admin"), ("X-MS-CLIENT-PRINCIPAL-NAME", "admin")), f"access_token={quote(token, safe='')}")),
    Word("wrong-audience", "a token for another API", "with a token for another API", need="mint"),
    Word("bad-signature", "a token that somebody else signed", "with a token that somebody else signed", need="mint"),
    Word("unsigned", "a token of `alg` none", "with an unsigned token", need="mint"),
    Word("not-yet-valid", "a token whose `nbf` is to come", "with a token that is not valid yet", need="mint"),
)  # fmt: skip

# --- Odd ids: the path segment, percent-encoded as it goes out ------------------------------------

IDS = _table(
    Word("known", "the id of a resource that exists", "a resource"),
    Word("unknown", "an id that names nothing", "an unknown id"),
    Word("word", "a word", "an id that is a word", "no-such-id"),
    Word("number", "a number", "an id that is a number", "123123123"),
    Word("long", f"{LONG_ID_CHARS} characters", "a very long id", "a" * LONG_ID_CHARS),
    Word("unicode", "letters beyond ASCII", "an id beyond ASCII", quote("größe-取消-🛑")),
    Word("bad-octets", "octets that are no UTF-8", "an id that is no UTF-8", "%FF%FEid"),
    Word("nul", "a NUL within", "an id with a NUL", "abc%00def"),
    Word("quotes", "quotes and dashes", "an id with quotes", "%27%22%3B--"),
    Word("encoded-slash", "an encoded slash", "an id with an encoded slash", "a%2Fb"),
    Word("broken-percent", "broken percent-encoding", "an id with a broken escape", "%zz%"),
    Word("space", "a space", "an id that is a space", "%20"),
    Word("dots", "dot segments", "dots in place of the id", "%2e%2e"),
    Word("empty", "nothing", "an empty id", ""),
    Word("raw", "octets that are drawn", "a drawn id"),
)  # fmt: skip

# --- Bodies: octets, or a form whose text the situation carries -----------------------------------

BODIES = _table(
    Word("documented", "the page's first example", "the documented body"),
    Word("example", "another example of the page", "the body of the example"),
    Word("json", "a JSON value", "body"),
    Word("text", "the documented body with a drawn text", "the documented body with a drawn text"),
    Word("valid", "a body that fits the schema", "a drawn body that fits"),
    Word("invalid", "a body that does not", "a drawn body that does not fit"),
    Word("none", "no body", "no body", b""),
    Word("malformed-json", "`{not json}`", "a body that is no JSON", b"{not json}"),
    Word("truncated-json", "JSON cut off", "a body cut off", b'{"key": "val'),
    Word("bad-utf8", "octets that are no UTF-8", "a body that is no UTF-8", b'{"key": "\xff\xfe\xc3"}'),
    Word("bad-octets", "the documented body with octets in a text that are no UTF-8", "the documented body with octets that are no UTF-8", b"\xff\xfe"),
    Word("deep-json", f"{DEEP_LEVELS} arrays in each other", "a body nested absurdly deep", b"[" * DEEP_LEVELS + b"]" * DEEP_LEVELS),
    Word("array", "`[]`", "an array for a body", b"[]"),
    Word("string", '`"text"`', "a string for a body", b'"text"'),
    Word("number", "`1`", "a number for a body", b"1"),
    Word("null", "`null`", "null for a body", b"null"),
    Word("empty-object", "`{}`", "an empty object for a body", b"{}"),
)  # fmt: skip

# --- What is sent beside it that nobody asks for: header lines, a query, another spelling ----------

EXTRAS = _table(
    Word("none", "nothing"),
    Word("accept-any", "`Accept: */*`", "with Accept */*", (("Accept", "*/*"),)),
    Word("accept-none", "no Accept", "without Accept", (("Accept", None),)),
    Word("accept-list", "several media types", "with several media types in Accept", (("Accept", "text/html;q=0.1, application/json;q=0.9, */*;q=0.5"),)),
    Word("browser", "what browsers and proxies add: Accept-Language, Accept-Encoding, User-Agent, a cookie, X-Forwarded-For", "with the headers of a browser behind a proxy", (("Accept-Language", "de-DE, tr;q=0.5"), ("Accept-Encoding", "gzip"), ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"), ("Cookie", "session=0; theme=dark"), ("X-Forwarded-For", "203.0.113.7"), ("Forwarded", "for=203.0.113.7"))),
    Word("method-override", "X-HTTP-Method-Override", "with X-HTTP-Method-Override GET", (("X-HTTP-Method-Override", "GET"), ("X-Method-Override", "GET"))),
    Word("lower-case", "the names of header fields in lower case", "with header names in lower case", str.lower),
    Word("expect", "`Expect: 100-continue`, where there is a body", "with Expect: 100-continue", (("Expect", "100-continue"),)),
    Word("respelled", "the JSON body indented, the first letters of its strings escaped", "with its JSON indented and escaped", {"indent": 2}),
    Word("query", "a query that means nothing", "with a query that means nothing", "unused=1"),
)  # fmt: skip

# --- Transfer, calls, resources, methods ----------------------------------------------------------

TRANSFERS = _table(
    Word("length", "with Content-Length"),
    Word("chunked", "in chunked transfer coding", "in chunks"),
)
CALLS = _table(
    Word("first", "the first on its resource"),
    Word("second", "in a row after a first", "second call"),
    Word("concurrent", "one of two at once", "one of two calls at once"),
    Word("reused", "on a connection that has carried a call", "on a connection that has carried a call"),
)  # fmt: skip
RESOURCES = _table(
    Word("cancellable", "any state that can be cancelled"),
    Word("final", "any final state"),
    Word("unknown", "an id that names nothing", "an unknown id"),
    Word("odd", "an id of the kind `id`", "an odd id"),
)
METHODS = _table(*(Word(m, m) for m in ("POST", "GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")))  # fmt: skip
MEDIA_TYPES = _table(
    Word("default", "what the body needs"),
    Word("none", "no Content-Type", "no Content-Type"),
)


@dataclass(frozen=True)
class Axis:
    """One key of `given`: the field of a situation that it speaks of, its ordinary value, its words.

    `forms` is the JSON Schema of what it takes beside its words, `topic` that of a clause on it.
    """

    key: str
    field: str
    ordinary: str | None
    says: str
    words: Mapping[str, Word]
    forms: tuple[Mapping[str, Any], ...] = ()
    topic: str = "request"


def _one_of(name: str, says: str, value: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object", "additionalProperties": False, "required": [name],
        "properties": {name: {"description": says, **value}},
    }  # fmt: skip


_NAME: Mapping[str, Any] = {"type": "string", "minLength": 1}


AXES: Mapping[str, Axis] = {
    axis.key: axis
    for axis in (
        Axis("resource", "resource", "cancellable", "which resource the call names", RESOURCES, ({"type": "string", "x-is": "a state of x-lifecycle"},), topic="lifecycle"),
        Axis("id", "id", None, "the kind of an odd id", {k: w for k, w in IDS.items() if w.wire is not None or w.name in DRAWN}),
        Axis("identity", "identity", "primary", "who calls", IDENTITIES, (_one_of("delegated", "a permission that a user's token carries", _NAME), _one_of("application", "a permission that an application's token carries", _NAME)), topic="permission"),
        Axis("owner", "owner", None, "the identity that the resource belongs to", {k: w for k, w in IDENTITIES.items() if w.wire is None}, topic="permission"),
        Axis("body", "body", "documented", "what is sent", {k: w for k, w in BODIES.items() if k not in ("example", "json")}, (
            _one_of("example", "the name of a requestBody example", _NAME), _one_of("json", "a JSON value, with {id}, {neighbour}, {unique} and {long} in its strings", {}))),
        Axis("content-type", "content_type", "default", "the Content-Type", MEDIA_TYPES, ({"type": "string", "pattern": r"^[^/\s]+/[^/\s].*$"},)),
        Axis("transfer", "transfer", "length", "the transfer coding", TRANSFERS, topic="wire"),
        Axis("method", "method", "POST", "the method", METHODS),
        Axis("call", "call", "first", "its place among calls", CALLS, topic="lifecycle"),
        Axis("extra", "extra", "none", "what nobody asks for", EXTRAS),
    )
}  # fmt: skip


def needs_token(identity: str) -> bool:
    """Whether an identity's credentials hold a token, or what is left of one."""
    row = IDENTITIES.get(identity)
    return row is None or row.wire is None or row.wire("a" * 8) != row.wire("b" * 8)


def axis_schema(axis: Axis) -> dict[str, Any]:
    """Return the JSON Schema of one key of `given`: a word, a form, or a list of them."""
    one = {"anyOf": [{"enum": [*axis.words, "any"]}, *axis.forms]}
    return {
        "description": axis.says,
        "anyOf": [one, {"type": "array", "minItems": 1, "items": one}],
    }


# --- Facets: what must hold -----------------------------------------------------------------------

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
        Facet("body", "`empty` (not one octet) or `entity` (JSON fit for the schema), of a 2xx", {"enum": ["empty", "entity"]}, topic="body"),
        Facet("error", "of a 4xx or 5xx: `envelope`, `single` (nothing beside `error`), `media-type`, `no-internals`", _some("envelope", "single", "media-type", "no-internals"), topic="error"),
        Facet("header", "`challenge` and `bearer` (401), `allow` (405), `retry-after` (429)", _some("challenge", "bearer", "allow", "retry-after")),
        Facet("effect", "`cancelled`, `none`, `kept` (what the first call did still stands), `as-answered` (2xx: cancelled, 4xx: none)", {"enum": ["cancelled", "none", "kept", "as-answered"]}, "looks"),
        Facet("neighbour", "`unchanged`: another resource was neither cancelled nor lost anything (not with unknown or odd ids, calls at once, or a kept connection)", {"const": "unchanged"}, "looks"),
        Facet("entity", "`id`, `state`, `set` in the answer; `recorded` in answer or GET; `agrees` with the GET; `ordered` dates", _some("id", "state", "recorded", "set", "agrees", "ordered"), "looks", topic="body"),
        Facet("keeps", "names of properties that this call leaves alone", _NAMES, "looks", topic="body"),
        Facet("whole", "`true`: documented properties that no cancel sets or touches are as before", {"const": True}, "looks", topic="body"),
        Facet("not-recorded", "`true`: what was sent under another name is not kept", {"const": True}, "looks", topic="body"),
        Facet("accepts", "a permission: it suffices; others may", {"type": "string", "minLength": 1}, "looks", topic="permission"),
        Facet("constant", "`status`: the same in every exchange", {"const": "status"}, "many", topic="status"),
        Facet("distinct", "a JSON pointer: a value of its own in every answer", {"type": "string", "pattern": "^/"}, "many", topic="error"),
        Facet("alike", "`status`, `code`, `message`, `challenge`, `headers` (their names): to one identity the same of every resource, ids and numbers apart", _some("status", "code", "message", "challenge", "headers"), "many"),
        Facet("named", "`alike`: whoever cancelled is named alike wherever they did", {"const": "alike"}, "many", topic="body"),
        Facet("private", "`true`: no answer holds what was sent by another call, or names another resource, or holds the caller's token", {"const": True}, "many", topic="permission"),
        Facet("quota", "`granted`: no 429 that stands before the quota is spent", {"const": "granted"}, "many", topic="quota"),
        Facet("race", "`serializable`: calls at once end as some order of them would", {"const": "serializable"}, "many", topic="lifecycle"),
        Facet("wire", "`sound`: one HTTP message, framed as RFC 9112 asks", {"const": "sound"}, topic="wire"),
        Facet("answered", "`true`: in full and in time", {"const": True}, topic="wire"),
        Facet("connection", "`usable`: it carries the next call", {"const": "usable"}, topic="wire"),
        Facet("echo", "`request-id`: the client's id comes back beside the server's own", {"const": "request-id"}, topic="request"),
    )
}  # fmt: skip


def vocabulary() -> dict[str, Any]:
    """Return the `$defs` of the schema of spec files that follow from the tables."""
    given = {key: axis_schema(axis) for key, axis in AXES.items()}
    given |= {
        "any": {"const": "call", "description": "every exchange on the route"},
        "answer": {"description": "only exchanges that were answered so", **STATUSES},
    }
    expect = {name: {"description": f.says, **f.values} for name, f in FACETS.items()}
    return {
        "given": {"type": "object", "additionalProperties": False, "properties": given},
        "expect": {
            "type": "object", "minProperties": 1, "additionalProperties": False,
            "properties": expect,
        },
    }  # fmt: skip
