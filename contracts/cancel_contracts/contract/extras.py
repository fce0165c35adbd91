"""What is sent beside a call that nobody asks for: header lines, a query, a spelling of the path,
the form of the request line. One table, a row a word, and what a row changes of a request. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from cancel_contracts.contract.path_template import PARAMETER
from cancel_contracts.contract.word import Word, table

WITHIN = "127.0.0.1"
USED_ID = "4bc2a1f0-0000-4000-8000-000000000001"  # of every call that has it


@dataclass(frozen=True)
class Extra:
    """What of a request is otherwise than usual, its words as they go out.

    `headers` stand in place of those of the same name; None takes one away. In a value `{method}`
    is the operation's method, or GET where the call is made by that; in `query` `{ids}` are ids of
    nothing, as `id` and under the name of that of the path. `path` is given the template.
    """

    headers: tuple[tuple[str, str | None], ...] = ()
    names: Callable[[str], str] = str  # how the names of header fields are written
    query: str = ""
    indent: int | None = None  # of JSON that is written in another way
    path: Callable[[str], str] = str
    absolute: bool = False  # the request line names scheme and host (RFC 9112 section 3.2.2)
    version: str = "1.1"
    content: bool = False  # the documented body also where the method takes none
    described: bool = False  # says something of a body: none goes without one
    id: str = ""  # how the id is spelled in the path (ids.py)
    scheme: Callable[[str], str] = str  # of the word before the token


SPELLED = ("documented", "json", "example", "valid")  # bodies that `indent` writes in another way


def _at_both_ends(template: str, more: str) -> str:
    """Return a template with more before its first segment and before its last."""
    head, _, last = template.rpartition("/")
    return f"{more}{head}{more}/{last}"


def _encoded(template: str) -> str:
    """Return a template with a letter of its last word percent-encoded (RFC 3986 section 2.3)."""
    at = max(found.end() for found in re.finditer(r"/(?=[A-Za-z][^/{]*(?:/|$))", template))
    return f"{template[:at]}%{ord(template[at]):02X}{template[at + 1 :]}"


def _capitals(template: str) -> str:
    parts = PARAMETER.split(template)
    return "".join(f"{{{part}}}" if at % 2 else part.upper() for at, part in enumerate(parts))


def _spelled(name: str, says: str, path: Callable[[str], str]) -> Word:
    return Word(f"path-{name}", f"the path with {says}", f"with {says} in its path", Extra(path=path))  # fmt: skip


def _fields(*lines: tuple[str, str | None]) -> Extra:
    return Extra(headers=lines)


EXTRAS = table(
    Word("none", "nothing", wire=Extra()),
    Word("accept-any", "what curl sends, `Accept: */*` and a User-Agent, and a client-request-id that was used before", "with Accept */*, curl's User-Agent and a client-request-id used before", _fields(("Accept", "*/*"), ("User-Agent", "curl/8.5.0"), ("client-request-id", USED_ID))),
    Word("accept-none", "neither Accept nor client-request-id", "without Accept and client-request-id", _fields(("Accept", None), ("client-request-id", None))),
    Word("bare", "neither Accept, client-request-id nor User-Agent", "without Accept, client-request-id and User-Agent", _fields(("Accept", None), ("client-request-id", None), ("User-Agent", None))),
    Word("browser", "what browsers and libraries add: several media types in Accept, Accept-Language, Accept-Encoding, User-Agent, a cookie, a Prefer for what nobody promises", "with the headers of a browser", _fields(("Accept", "text/html;q=0.1, application/json;q=0.9, */*;q=0.5"), ("Accept-Language", "cy-GB, tr;q=0.5"), ("Accept-Encoding", "gzip"), ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"), ("Cookie", "session=0; theme=dark"), ("Prefer", "return=representation, handling=lenient"))),
    Word("accept-html", "`Accept: text/html` and no other media type", "with Accept text/html alone", _fields(("Accept", "text/html"))),
    Word("from-within", "what a proxy says of a call from its own machine, and by an administrator: X-Forwarded-For, Forwarded, X-Real-IP, X-Forwarded-User and their like, X-Forwarded-Proto, X-Original-URL", "with the headers of a proxy, as from the machine itself", _fields(*((name, WITHIN) for name in ("X-Forwarded-For", "X-Real-IP", "X-Client-IP", "Client-IP", "True-Client-IP", "X-Cluster-Client-IP", "X-Originating-IP", "X-Remote-IP", "X-Remote-Addr")), ("Forwarded", f"for={WITHIN};proto=https"), ("X-Forwarded-Proto", "https"), ("X-Original-URL", "/"), ("X-Rewrite-URL", "/"), *((name, "admin") for name in ("X-Forwarded-User", "X-Remote-User", "X-User", "X-MS-CLIENT-PRINCIPAL-NAME")))),
    Word("method-override", "X-HTTP-Method-Override with another method, GET or the operation's; beside GET and TRACE a body too", "with another method in X-HTTP-Method-Override", Extra(tuple((name, "{method}") for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")), content=True)),
    Word("lower-case", "the names of header fields in lower case", "with header names in lower case", Extra(names=str.lower)),
    Word("lower-case-scheme", "the word before the token in lower case, `bearer`", "with the scheme in lower case", Extra(scheme=str.lower)),
    Word("id-encoded", "the id with its first character and its hyphens percent-encoded", "with percent-encoded characters in its id", Extra(id="encoded")),
    Word("id-in-other-case", "the letters of the id in the other case", "with its id in the other case", Extra(id="cased")),
    Word("expect", "`Expect: 100-continue`, where there is a body", "with Expect: 100-continue", Extra((("Expect", "100-continue"),), described=True)),
    Word("respelled", "the JSON body indented, its members in reverse, the first letters of its strings escaped, a line end after it", "with its JSON indented, reversed and escaped", Extra(indent=2, described=True)),
    Word("query", "a query that means nothing, with an id of nothing as `id` and under the name of that of the path; a weight at the media type in Accept", "with another id in its query and a weight in Accept", Extra((("Accept", "application/json;q=0.9"),), query="unused=1&{ids}")),
    Word("origin", "an Origin that the target does not know", "with the Origin of another site", _fields(("Origin", "https://elsewhere.example"))),
    Word("absolute-form", "the request line in the absolute form", "with its target in the absolute form", Extra(absolute=True)),
    Word("http-1.0", "a request of HTTP/1.0", "in HTTP/1.0", Extra(version="1.0"), errors=(505,)),
    _spelled("trailing-slash", "a slash at its end", lambda path: f"{path}/"),
    _spelled("doubled-slash", "doubled slashes", lambda path: path[0] + path[1:].replace("/", "//")),
    _spelled("dot", "dot segments", lambda path: _at_both_ends(path, "/.")),
    _spelled("up-and-down", "steps down and up again", lambda path: _at_both_ends(path, "/x/..")),
    _spelled("parameter", "a parameter after a semicolon", lambda path: f"{path};x=1"),
    _spelled("suffix", "`.json` at its end", lambda path: f"{path}.json"),
    _spelled("encoded", "an encoded letter", _encoded),
    _spelled("capitals", "capital letters", _capitals),
)  # fmt: skip


def leaves_out_id(name: str) -> bool:
    """Whether a call with this extra has no client-request-id."""
    return ("client-request-id", None) in EXTRAS[name].wire.headers
