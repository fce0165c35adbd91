"""The axes of `given`: one table an axis, one row a word.

Whatever else needs to know a word reads its row: the schema of spec files, the documentation, what
goes out on the wire, how a report says it. A word that has no row fails at load. Who calls stands
in credentials.py, what is sent beside a call in extras.py, what must hold in expected.py. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from cancel_contracts.contract.credentials import IDENTITIES
from cancel_contracts.contract.extras import EXTRAS
from cancel_contracts.contract.word import Word, table
from cancel_contracts.exchange import DRAWN, Situation

LONG_ID_CHARS, DEEP_LEVELS = 2000, 10_000
# Texts of a length: one that no column of 65,535 holds and no common front refuses, one that may be.
LENGTHS = {"{long}": 70_000, "{million}": 1_000_000}

# --- Odd ids: the path segment, percent-encoded as it goes out. Where a resource stands that no call
# --- is to touch, one that is nearly its own: whoever takes it for that one says so, and strikes it.

IDS = table(
    Word("known", "the id of a resource that exists", "a resource"),
    Word("unknown", "an id that names nothing; it begins as that of a resource does", "an unknown id", near="{like}"),
    Word("word", "a word; that of a resource cut short", "an id that is a word, or cut short", "no-such-id", near="{cut}"),
    Word("number", "a number", "an id that is a number", "123123123"),
    Word("long", f"{LONG_ID_CHARS} characters after an id", "a very long id", "a" * LONG_ID_CHARS, near="{id}" + "a" * LONG_ID_CHARS),
    Word("unicode", "letters beyond ASCII after an id", "an id beyond ASCII", quote("größe-取消-🛑"), near="{id}" + quote("é取消🛑")),
    Word("bad-octets", "octets that are no UTF-8", "an id that is no UTF-8", "%FF%FEid"),
    Word("nul", "a NUL and more after an id", "an id with a NUL", "abc%00def", near="{id}%00def"),
    Word("quotes", "quotes and dashes after an id", "an id with quotes", "%27%22%3B--", near="{id}%27%22%3B--"),
    Word("encoded-slash", "an encoded slash and more after an id", "an id with an encoded slash", "a%2Fb", near="{id}%2Fb"),
    Word("broken-percent", "broken percent-encoding after an id", "an id with a broken escape", "%zz%", near="{id}%zz%"),
    Word("encoded-twice", "an id that is percent-encoded twice", "an id that is encoded twice", "no%252Dsuch%252Did", near="{twice}"),
    Word("pattern", "the beginning of an id and an asterisk", "an id that is a pattern", "no-such-id*", near="{cut}*"),
    Word("wildcard", "the beginning of an id and an encoded percent sign", "an id that is a pattern of SQL", "no-such-id%25", near="{cut}%25"),
    Word("space", "a space", "an id that is a space", "%20"),
    Word("dots", "dot segments", "dots in place of the id", "%2e%2e"),
    Word("empty", "nothing", "an empty id", ""),
    Word("raw", "octets that are drawn", "a drawn id"),
)  # fmt: skip

# --- Bodies: octets, what becomes of the documented body, or a form whose text the situation has --


@dataclass(frozen=True)
class Tail:
    """What stands at the end of the last text of the documented body: characters, or octets."""

    data: str | bytes


def _marked(body: bytes) -> bytes:
    """Return a body after a byte order mark (RFC 8259 section 8.1)."""
    return b"\xef\xbb\xbf" + body


def _doubled(body: bytes) -> bytes:
    """Return a JSON object in which each name stands twice, with one value."""
    return body[:-1] + b", " + body[1:]


BODIES = table(
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
    Word("bad-octets", "the documented body with octets in a text that are no UTF-8", "the documented body with octets that are no UTF-8", Tail(b"\xff\xfe")),
    Word("nul", "the documented body with a NUL in a text", "the documented body with a NUL in a text", Tail("\0 and on")),
    Word("surrogate", "the documented body with half a surrogate pair in a text", "the documented body with a lone surrogate in a text", Tail("\ud83d and on")),
    Word("marked", "the documented body after a byte order mark", "the documented body after a byte order mark", _marked),
    Word("doubled", "the documented body, each name twice", "the documented body with each name twice", _doubled),
    Word("deep-json", f"{DEEP_LEVELS} arrays in each other", "a body nested absurdly deep", b"[" * DEEP_LEVELS + b"]" * DEEP_LEVELS),
    Word("array", "`[]`", "an array for a body", b"[]"),
    Word("string", '`"text"`', "a string for a body", b'"text"'),
    Word("number", "`1`", "a number for a body", b"1"),
    Word("null", "`null`", "null for a body", b"null"),
    Word("empty-object", "`{}`", "an empty object for a body", b"{}"),
)  # fmt: skip

# --- Transfer, calls, resources, methods ----------------------------------------------------------

TRANSFERS = table(
    Word("length", "with Content-Length"),
    Word("chunked", "in chunked transfer coding", "in chunks"),
)
CALLS = table(
    Word("first", "the first on its resource"),
    Word("second", "in a row after a first", "second call"),
    Word("repeated", "the same request sent once more, with the same key", "the same request again"),
    Word("concurrent", "one of two at once", "one of two calls at once"),
    Word("reused", "on a connection that has carried a call", "on a connection that has carried a call"),
)  # fmt: skip
RESOURCES = table(
    Word("cancellable", "any state that can be cancelled"),
    Word("final", "any final state"),
    Word("unknown", "an id that names nothing", "an unknown id"),
    Word("odd", "an id of the kind `id`", "an odd id"),
)
# RFC 9110 section 9.1: a method that a server does not implement should be answered 501.
SELDOM = ("TRACE", "CANCEL", "PURGE")
METHODS = table(
    *(Word(m, m) for m in ("POST", "GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")),
    *(Word(m, m, errors=(501,)) for m in SELDOM),
)
PARAMETERS = table(
    Word("omitted", "without it", "without {name}"),
    Word("invalid", "a value that its schema refuses", "with an invalid {name}"),
    Word("other", "another value that its schema takes", "with another {name}"),
)
MEDIA_TYPES = table(
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
    named: bool = False  # its words are said of a name


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
            _one_of("example", "the name of a requestBody example", _NAME), _one_of("json", "a JSON value, with {id}, {cut}, {neighbour}, {unique}, {long} and {million} in its strings", {}))),
        Axis("content-type", "content_type", "default", "the Content-Type", MEDIA_TYPES, ({"type": "string", "pattern": r"^[^/\s]+/[^/\s].*$"},)),
        Axis("transfer", "transfer", "length", "the transfer coding", TRANSFERS, topic="wire"),
        Axis("method", "method", "POST", "the method", METHODS),
        Axis("call", "call", "first", "its place among calls", CALLS, topic="lifecycle"),
        Axis("extra", "extra", "none", "what nobody asks for", EXTRAS),
        Axis("parameter", "parameter", None, "how a parameter is sent, by its name: `{NAME: omitted}`", PARAMETERS, named=True),
    )
}  # fmt: skip


def right_errors(situation: Situation) -> tuple[int, ...]:
    """Return the server errors with which a right server may refuse a call for its form."""
    rows = (METHODS.get(situation.method), EXTRAS.get(situation.extra))
    return tuple(status for row in rows if row for status in row.errors)


def may_miss(situation: Situation) -> bool:
    """Whether a call may never reach the service, for the form of its request."""
    row = EXTRAS.get(situation.extra)
    if row is None:
        return situation.method in SELDOM
    form = row.wire.absolute or row.wire.version != "1.1" or row.wire.path is not str
    return form or situation.method in SELDOM


def axis_schema(axis: Axis) -> dict[str, Any]:
    """Return the JSON Schema of one key of `given`: a word, a form, or a list of them."""
    one: dict[str, Any] = {"anyOf": [{"enum": [*axis.words, "any"]}, *axis.forms]}
    if axis.named:
        word = {"enum": [*axis.words]}
        several = {"type": "array", "minItems": 1, "uniqueItems": True, "items": word}
        by_name = {"type": "object", "minProperties": 1, "additionalProperties": {"anyOf": [word, several]}}  # fmt: skip
        one = {"anyOf": [{"const": "any"}, by_name]}
    return {
        "description": axis.says,
        "anyOf": [one, {"type": "array", "minItems": 1, "items": one}],
    }
