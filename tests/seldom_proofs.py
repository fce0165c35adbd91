"""Requests by hand that show the faults of what is seldom sent: late, nearly right, odd, at once.

Each recipe is as in test_mock_proofs: it makes requests and returns what came back. Holds no tests.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

from cancel_contracts.mock import MockServer
from cancel_contracts.mock.faults import late
from joint_proofs import Recipe, after, at, call, nth, on_one, request, told, unknown
from test_mock_support import HANDS, MACHINE, Hand, World, exchange, unknown_id

FORBIDDEN, ANONYMOUS = call(identity="no-permission"), call(identity="anonymous")
USER, OTHER, APP = call(identity="user"), call(identity="other-user"), call(identity="app")
SOON, LATER = 0.02, 0.15  # seconds until it happens here, and until it is looked at


def in_a_while(recipe: Callable[[World], list[str]]) -> Recipe:
    """Make calls, wait, and look at what they touched."""

    def whole(w: World) -> Any:
        with mock.patch.object(late, "SECONDS", SOON):
            ids = recipe(w)
            time.sleep(LATER)
        return [w.look(id_).constant for id_ in ids]

    return whole


def one(state: int = 0, **arguments: Any) -> Recipe:
    def recipe(w: World) -> list[str]:
        id_ = w.new(nth(w, state))
        w.call(id_, **arguments)
        return [id_]

    return in_a_while(recipe)


def one_final(w: World) -> list[str]:
    id_ = w.new(w.hand.final[0])
    w.call(id_)
    return [id_]


def one_unknown(w: World) -> list[str]:
    id_ = unknown_id()
    w.call(id_)
    return [id_]


def one_neighbour(w: World) -> list[str]:
    id_ = w.new()
    w.call(w.new())
    return [id_]


LATE: dict[str, Recipe] = {
    "late-success-undone": one(),
    "late-forbidden-performed": one(**FORBIDDEN),
    "late-unauthenticated-performed": one(**ANONYMOUS),
    "late-bad-body-performed": one(body=b"{not json}"),
    "late-other-method-performed": one(method="PUT"),
    "late-unknown-created": in_a_while(one_unknown),
    "late-neighbours-struck": in_a_while(one_neighbour),
    "late-cancelled-gone": one(),
    "late-final-reopened": in_a_while(one_final),
    "late-text-lost": one(),
    "late-last-property-taken-back": one(),
}


def leaked(secret: Callable[[World], tuple[str, Callable[[World], Any]]]) -> Recipe:
    """Whether a secret stands in the answer to a call."""

    def recipe(w: World) -> Any:
        text, make = secret(w)
        return text in make(w).wire.decode("utf-8", "replace")

    return recipe


def token_of(name: str) -> Callable[[World], tuple[str, Callable[[World], Any]]]:
    def secret(w: World) -> tuple[str, Callable[[World], Any]]:
        id_, token = w.new(), str(w.identity(name))
        return token.partition(" ")[2], lambda world: world.call(id_, token=token)

    return secret


def kept_text(w: World) -> Any:
    w.call(w.new(), body=b'{"Comment": "canary-7"}')
    return b"canary-7" in w.call(unknown_id()).wire


def another_id(w: World) -> tuple[str, Callable[[World], Any]]:
    return w.new(), lambda world: world.call(unknown_id())


def another_token(w: World) -> tuple[str, Callable[[World], Any]]:
    token = w.sign(sub="somebody", scp="User.Read")
    w.call(w.new(), token=token)
    return token.partition(" ")[2], lambda world: world.call(unknown_id())


def refused_text(w: World) -> Any:
    """A final state is refused with the text read; another caller's 404 must not hold it."""
    w.call(w.new(w.hand.final[0]), body=b'{"Comment": "canary-7"}', identity="app")
    return b"canary-7" in w.call(unknown_id()).wire


CANARIES: dict[str, Recipe] = {
    "error-echoes-the-token": leaked(token_of("no-permission")),
    "error-echoes-a-bad-token": leaked(token_of("expired")),
    "error-names-the-owner": at(0, "user", **OTHER),
    "error-names-another-id": leaked(another_id),
    "error-tells-the-state-to-the-forbidden": at(0, **FORBIDDEN),
    "header-tells-the-state-to-the-anonymous": at(0, **ANONYMOUS),
    "error-holds-the-text-of-another-caller": refused_text,
    "error-holds-the-text-of-another-resource": kept_text,
    "error-holds-another-callers-token": leaked(another_token),
    "error-names-another-caller": lambda w: [
        w.call(unknown_id(), token=w.sign(sub=name)).constant for name in ("one", "two")
    ],
    "error-tells-a-bad-token-what-exists": at(0, identity="expired"),
    "conflict-names-another-caller": lambda w: [
        w.call(id_, token=w.sign(sub=name)).constant
        for id_ in [w.new()]
        for name in ("one", "two", "three")
    ],
    "error-holds-a-connection-string": unknown(),
}


# --- Tokens ---------------------------------------------------------------------------------------


def bare(w: World) -> str:
    return w.sign().partition(" ")[2]


def with_headers(make: Callable[[World], list[str]], **arguments: Any) -> Recipe:
    return lambda w: told(w, w.new(), identity="anonymous", headers=make(w), **arguments)


def with_token(make: Callable[[World], str]) -> Recipe:
    return lambda w: told(w, w.new(), token=make(w))


def like(make: Callable[[str], str]) -> Recipe:
    """Come with a valid token, and then with one made of it."""

    def recipe(w: World) -> Any:
        token = w.sign()
        w.call(unknown_id(), token=token)
        return told(w, w.new(), token=make(token))

    return recipe


def other_end(token: str) -> str:
    return token[:-8] + ("A" * 8 if token[-8:] != "A" * 8 else "B" * 8)


def of_algorithm(name: str) -> Callable[[World], str]:
    def make(w: World) -> str:
        head = base64.urlsafe_b64encode(json.dumps({"alg": name}).encode()).decode().rstrip("=")
        return f"Bearer {head}.{w.sign().split('.')[1]}."

    return make


def in_the_query(w: World) -> Any:
    path = f"{w.hand.path}?access_token={bare(w)}"
    return told(w, w.new(), identity="anonymous", path=path)


def in_a_form(w: World) -> Any:
    body = f"access_token={bare(w)}".encode()
    headers = ["Content-Type: application/x-www-form-urlencoded"]
    return w.call(w.new(), identity="anonymous", media=None, headers=headers, body=body).status


def held(**claims: Any) -> Callable[[World], str]:
    def make(w: World) -> str:
        names: Any = list(w.hand.permissions)
        given: dict[str, Any] = {k: names if v == "names" else v for k, v in claims.items()}
        return w.sign(**given)

    return make


def soon() -> int:
    return int(time.time()) + 3000


TOKENS: dict[str, Recipe] = {
    "in-the-query": in_the_query,
    "in-a-cookie": with_headers(lambda w: [f"Cookie: token={bare(w)}"]),
    "in-a-form": in_a_form,
    "in-x-authorization": with_headers(lambda w: [f"X-Authorization: Bearer {bare(w)}"]),
    "in-proxy-authorization": with_headers(lambda w: [f"Proxy-Authorization: Bearer {bare(w)}"]),
    "in-the-second-header": with_headers(
        lambda w: ["Authorization: Bearer abc", f"Authorization: Bearer {bare(w)}"]
    ),
    "with-words-after": with_token(lambda w: f"{w.sign()} and more"),
    "of-any-scheme-accepted": with_token(lambda w: f"Token {bare(w)}"),
    "without-a-scheme": with_token(bare),
    "cut": like(lambda token: token[:-4]),
    "longer": like(lambda token: token + "x"),
    "in-another-case": like(lambda token: "Bearer " + token[7:].swapcase()),
    "signature-half-compared": like(other_end),
    "not-yet-valid-accepted": with_token(lambda w: w.sign(nbf=soon())),
    "of-another-issuer-accepted": with_token(lambda w: w.sign(iss="https://evil.example/")),
    "for-a-longer-audience-accepted": with_token(lambda w: w.sign(aud=w.hand.audience + ".evil")),
    "without-expiry-accepted": with_token(lambda w: w.sign(exp=None)),
    "of-an-algorithm-in-lower-case-accepted": with_token(of_algorithm("hs256")),
    "of-algorithm-none-in-capitals-accepted": with_token(of_algorithm("NONE")),
    "with-roles-for-scopes-accepted": with_token(held(scp="User.Read", roles="names")),
    "with-scopes-in-a-list-accepted": with_token(held(scp=None, scopes="names")),
}


def by_id(make: Callable[[str], str]) -> Recipe:
    """Ask for a resource by an id that is like its own."""

    def recipe(w: World) -> Any:
        id_ = w.new()
        return w.call(make(id_), body=w.documented(id_)).status, w.look(id_).constant

    return recipe


IDS: dict[str, Recipe] = {
    "cut-accepted": by_id(lambda id_: id_[:-4]),
    "longer-accepted": by_id(lambda id_: id_ + "0"),
    "of-a-like-beginning-accepted": by_id(lambda id_: id_[:-6] + "abcdef"),
    "as-a-pattern-accepted": by_id(lambda id_: id_[:8] + "*"),
    "encoded-twice-accepted": by_id(lambda id_: id_.replace("-", "%252D")),
    "with-a-nul-accepted": by_id(lambda id_: id_ + "%00"),
    "that-is-no-utf-8-answered-500": by_id(lambda id_: "%FF%FE"),
}


def by_path(make: Callable[[str], str], **arguments: Any) -> Recipe:
    return lambda w: told(w, w.new(), path=make(w.hand.path), **arguments)


def encoded(path: str) -> str:
    before, _, verb = path.rpartition("/")
    return f"{before}/%{ord(verb[0]):02X}{verb[1:]}"


PATHS: dict[str, Recipe] = {
    "with-trailing-slash-needs-no-token": by_path(lambda p: p + "/", **ANONYMOUS),
    "with-doubled-slash-needs-no-token": by_path(lambda p: p.replace("/{", "//{"), **ANONYMOUS),
    "with-dot-segment-needs-no-token": by_path(lambda p: p.replace("/{", "/./{"), **ANONYMOUS),
    "with-parameter-needs-no-token": by_path(lambda p: p + ";x=y", **ANONYMOUS),
    "with-encoded-letters-needs-no-token": by_path(encoded, **ANONYMOUS),
    "with-up-and-down-needs-no-token": by_path(lambda p: "/x/.." + p, **ANONYMOUS),
    "with-matrix-extension-needs-no-token": by_path(lambda p: p + ".json", **ANONYMOUS),
    "with-trailing-slash-answered-500": by_path(lambda p: p + "/"),
    "with-parameter-answered-500": by_path(lambda p: p + ";x"),
    "in-another-case-needs-no-token": by_path(lambda p: p.upper().replace("{ID}", "{id}"),
                                              **ANONYMOUS),
}  # fmt: skip


# --- Bodies ---------------------------------------------------------------------------------------


def own_body(state: str | None = None, identity: str = "admin", **over: Any) -> Recipe:
    """Send the documented body with more in it; {id} stands for the id."""

    def recipe(w: World) -> Any:
        id_ = w.new(w.hand.final[0] if state == "final" else None, "user")
        given = {k: filled(v, id_) for k, v in over.items()}
        body = w.documented(id_, **given) or json.dumps(given).encode()
        return told(w, id_, identity=identity, body=body), w.look(id_).json().get("id") == id_

    return recipe


def filled(value: Any, id_: str) -> Any:
    if isinstance(value, str):
        return value.replace("{id}", id_).replace("{cut}", id_[:-4])
    if isinstance(value, list):
        return [filled(item, id_) for item in value]
    return {k: filled(v, id_) for k, v in value.items()} if isinstance(value, dict) else value


def every_property(**arguments: Any) -> Recipe:
    """Send every property of the entity with another text."""

    def recipe(w: World) -> Any:
        id_ = w.new()
        entity = w.look(id_).json()
        plain = [k for k, v in entity.items() if v is None or isinstance(v, str)]
        over = {k: "2030-01-01T00:00:00Z" for k in plain if k not in ("id", w.hand.state)}
        body = w.documented(id_, **{k: v for k, v in over.items() if k != "requestState"})
        made = w.call(id_, body=body, **arguments)
        return made.constant, [v == over.get(k) for k, v in w.look(id_).json().items()]

    return recipe


def state_in_body(w: World) -> Any:
    id_ = w.new()
    over = {"status": "Failed"} if w.hand is MACHINE else {"requestState": "Denied"}
    return told(w, id_, body=w.documented(id_, **over))


def open_state_in_body(w: World) -> Any:
    id_ = w.new(w.hand.final[0])
    return told(w, id_, body=w.documented(id_, **{w.hand.state: w.hand.cancellable[0]}))


def unasked(identity: str = "admin", **given: str) -> Recipe:
    """Send an object where no body is documented, to a resource in a final state too."""

    def recipe(w: World) -> Any:
        body = json.dumps(given | {w.hand.state: w.hand.cancellable[0]}).encode()
        states = (None, w.hand.final[0])
        return [told(w, w.new(state), body=body, identity=identity) for state in states]

    return recipe


ASSIGNMENT: dict[str, Recipe] = {
    "writes-the-first-property": every_property(),
    "writes-dates": every_property(),
    "writes-who-and-when": every_property(),
    "writes-what-is-recorded": every_property(),
    "writes-the-state": state_in_body,
    "writes-the-id": own_body(id="another"),
    "writes-anything": every_property(),
    "adds-properties": own_body(brandNew="x"),
    "says-the-state-and-is-believed": open_state_in_body,
    "says-the-owner-and-is-believed": own_body(identity="other-user", owner="other-user"),
    "id-empty-accepted": own_body(identity="user", id=""),
    "id-cut-accepted": own_body(identity="user", id="{cut}"),
    "id-longer-accepted": own_body(identity="user", id="{id}0"),
    "id-in-a-list-accepted": own_body(identity="user", id=["{id}"]),
    "id-in-an-object-accepted": own_body(identity="user", id={"value": "{id}"}),
    "id-true-accepted": own_body(identity="user", id=True),
    "id-of-an-administrator-empty-answered-500": own_body(id=""),
}


def headed(*headers: str, **arguments: Any) -> Recipe:
    return at(0, headers=list(headers), **arguments)


def twice_headed(*headers: str) -> Recipe:
    """Make a call with these headers, and then another."""

    def recipe(w: World) -> Any:
        w.call(w.new(), headers=list(headers))
        return told(w, w.new(), headers=list(headers))

    return recipe


def asks_of_another(own_name: bool = False, **arguments: Any) -> Recipe:
    """Make a call with the id of another in its query, and look at both."""

    def recipe(w: World) -> Any:
        id_, other = w.new(), w.new()
        name = "machineactionid" if own_name and w.hand is MACHINE else "id"
        made = w.call(id_, path=f"{w.hand.path}?{name}={other}", **arguments)
        return made.constant, w.look(id_).constant, w.look(other).constant

    return recipe


PREFER = "Prefer: return=representation, handling=lenient"
NEUTRAL: dict[str, Recipe] = {
    "query-id-is-the-id": asks_of_another(),
    "query-parameter-of-the-path-is-the-id": asks_of_another(own_name=True),
    "query-id-of-an-application-is-the-id": asks_of_another(**APP),
    "query-id-without-effect": asks_of_another(),
    "errors-quote-the-query": lambda w: (
        w.call(unknown_id(), path=f"{w.hand.path}?id=9&access_token=7").constant
    ),
    "preferred-representation-shown": headed(PREFER),
    "preferred-representation-shown-in-the-second-state": at(1, headers=[PREFER]),
    "preferences-told": headed(PREFER),
    "accept-anything-answered-500": headed("Accept: */*"),
    "accept-another-type-without-effect": headed("Accept: application/xml"),
    "no-accept-refused": at(0),
    "accept-language-answered-500": headed("Accept-Language: de"),
    "accept-encoding-without-effect": headed("Accept-Encoding: gzip"),
    "user-agent-of-a-browser-refused": headed("User-Agent: Mozilla/5.0"),
    "no-user-agent-refused": at(0),
    "no-client-request-id-answered-500": at(0),
    "client-request-id-seen-before-without-effect": twice_headed("client-request-id: order 7"),
    "method-override-obeyed": headed("X-HTTP-Method-Override: DELETE"),
    "method-override-performs-a-get": headed("X-HTTP-Method-Override: POST", method="GET"),
    "forwarded-from-within-needs-no-token": headed("X-Forwarded-For: 127.0.0.1", **ANONYMOUS),
    "forwarded-from-within-needs-no-permission": headed("Forwarded: for=127.0.0.1", **FORBIDDEN),
    "header-names-the-caller": at(0, "user", headers=["X-User: user"], **OTHER),
    "original-url-header-needs-no-token": headed("X-Original-URL: /health", **ANONYMOUS),
    "cookie-answered-500": headed("Cookie: a=b"),
    "query-without-effect": by_path(lambda p: p + "?a=b"),
    "query-of-a-user-without-effect": by_path(lambda p: p + "?a=b", identity="user"),
    "query-answered-500": by_path(lambda p: p + "?a=b"),
    "dry-run-header-without-effect": headed("Prefer: return=minimal"),
    "origin-answered-500": headed("Origin: https://portal.example"),
    "origin-without-effect": headed("Origin: https://portal.example"),
    "media-type-in-capitals-refused": at(0, media="Application/JSON"),
    "media-type-with-quotes-refused": at(0, media='application/json; charset="utf-8"'),
}


# --- At once --------------------------------------------------------------------------------------


def at_once(*calls: Callable[[World], Any]) -> Recipe:
    """Make calls at the same time; return what each brought, in their order."""

    def recipe(w: World) -> Any:
        found: list[Any] = [None] * len(calls)

        def run(index: int) -> None:
            found[index] = calls[index](w)

        threads = [threading.Thread(target=run, args=(n,)) for n in range(len(calls))]
        for thread in threads:
            thread.start()
            time.sleep(0.02)
        for thread in threads:
            thread.join()
        return found

    return recipe


def on_one_resource(count: int) -> Recipe:
    def recipe(w: World) -> Any:
        id_ = w.new()
        found = at_once(*[lambda world: world.call(id_).status] * count)(w)
        return 500 in found, w.state(id_)

    return recipe


def on_several(w: World) -> Any:
    ids = [w.new() for _ in range(2)]
    at_once(*[lambda world, id_=id_: world.call(id_) for id_ in ids])(w)
    return [w.state(id_) for id_ in ids]


def by_two(w: World) -> Any:
    ids = [w.new() for _ in range(2)]
    names = ("admin", "app")
    at_once(
        *[
            lambda world, id_=id_, name=name: world.call(id_, identity=name)
            for id_, name in zip(ids, names, strict=True)
        ]
    )(w)
    return [w.look(id_).constant for id_ in ids]


def two_texts_at_once(w: World) -> Any:
    ids = [w.new() for _ in range(2)]
    at_once(
        *[
            lambda world, id_=id_, word=word: world.call(
                id_, body=json.dumps({"Comment": word}).encode()
            )
            for id_, word in zip(ids, ("one", "two"), strict=True)
        ]
    )(w)
    return [w.look(id_).constant for id_ in ids]


def served_and_refused(w: World) -> Any:
    ids = [w.new() for _ in range(2)]
    return at_once(
        lambda world: world.call(ids[0]).status,
        lambda world: world.call(ids[1], identity="no-permission").status,
    )(w), [w.state(id_) for id_ in ids]


def whose_answer(w: World) -> Any:
    """Whether each of three calls at once comes with its own client-request-id or id."""
    ids = [w.new() for _ in range(3)]

    def one_of(id_: str) -> Callable[[World], Any]:
        def run(world: World) -> bool:
            headers = [f"client-request-id: {id_}"]
            return id_.encode() in world.call(id_, headers=headers).wire

        return run

    return all(at_once(*map(one_of, ids))(w))


CROWD: dict[str, Recipe] = {
    "of-three-answered-500": on_one_resource(3),
    "of-six-answered-500": on_one_resource(6),
    "of-three-brings-back": on_one_resource(3),
    "strikes-the-last-resource": on_several,
    "mixes-callers": by_two,
    "mixes-texts": two_texts_at_once,
    "mixes-answers": whose_answer,
    "lends-permission": served_and_refused,
}


def text(value: str, **arguments: Any) -> Recipe:
    return lambda w: told(w, w.new(), body=json.dumps({"Comment": value}).encode(), **arguments)


def length_kept(value: str) -> Recipe:
    """How many characters of a text are kept; the status where it is refused."""

    def recipe(w: World) -> Any:
        id_ = w.new()
        made = w.call(id_, body=json.dumps({"Comment": value}).encode())
        kept = w.look(id_).json()["cancellationComment"]
        return made.status, kept and len(kept)

    return recipe


def rewritten(change: Callable[[bytes], bytes]) -> Recipe:
    def recipe(w: World) -> Any:
        id_ = w.new()
        return told(w, id_, body=change(w.documented(id_)))

    return recipe


def reversed_names(body: bytes) -> bytes:
    return json.dumps(dict(reversed(json.loads(body).items()))).encode()


def indented(body: bytes) -> bytes:
    return json.dumps(json.loads(body), indent=2).encode()


def first_name_escaped(body: bytes) -> bytes:
    start = body.index(b'"') + 1
    return body[:start] + b"\\u%04x" % body[start] + body[start + 1 :]


def text_escaped(body: bytes) -> bytes:
    return body.replace(b'": "', b'": "\\u0041', 1)


def doubled(body: bytes) -> bytes:
    return b"{" + body.strip(b"{}") + b", " + body.strip(b"{}") + b"}"


TEXTS: dict[str, Recipe] = {
    "text-like-a-date-rewritten": text("2024-10-21T11:25:48Z"),
    "text-zero-lost": text("0"),
    "text-false-lost": text("false"),
    "text-null-lost": text("null"),
    "text-with-a-variable-expanded": text("a ${HOME} b"),
    "text-with-a-template-expanded": text("a {{7*7}} b"),
    "text-with-a-percent-expanded": text("a %s b"),
    "text-cut-at-nul": text("a\0b"),
    "text-nul-answered-500": text("a\0b"),
    "text-lone-surrogate-answered-500": text("a\ud800b"),
    "text-line-ends-changed": text("a\r\nb"),
    "text-cut-at-65535": length_kept("x" * 70_000),
    "text-of-a-million-answered-500": length_kept("x" * 1_000_000),
    "text-marks-dropped": text("a\u200b\u202eb"),
    "json-indented-refused": rewritten(indented),
    "json-with-a-newline-after-refused": rewritten(lambda body: body + b"\n"),
    "json-escaped-name-not-read": rewritten(first_name_escaped),
    "json-escaped-text-answered-500": rewritten(text_escaped),
    "json-reordered-refused": rewritten(reversed_names),
    "json-with-a-mark-answered-500": rewritten(lambda body: b"\xef\xbb\xbf" + body),
    "json-with-a-name-twice-answered-500": rewritten(doubled),
}


def written_out(
    version: str = "1.1", absolute: bool = False, token: bool = True, known: bool = True
) -> Recipe:
    """Write a request with another version or form of its target."""

    def recipe(w: World) -> Any:
        id_ = w.new() if known else unknown_id()
        body = w.documented(id_)
        path = w.hand.path.replace("{id}", id_)
        lines = [f"POST {'http://mock' if absolute else ''}{path} HTTP/{version}", "Host: mock"]
        lines += [f"Authorization: {w.sign()}"] if token else []
        lines += ["Content-Type: application/json"] if body else []
        lines += ["Connection: close", f"Content-Length: {len(body)}", "", ""]
        made = exchange(w.port, "\r\n".join(lines).encode() + body)
        return made.status, made.wire.endswith(b"\r\n\r\n"), w.look(id_).constant

    return recipe


EXPECT = ["Expect: 100-continue"]
REQUESTS: dict[str, Recipe] = {
    "http-1.0-request-answered-500": written_out("1.0"),
    "http-1.0-request-without-effect": written_out("1.0"),
    "http-1.0-success-empty": written_out("1.0"),
    "absolute-form-refused": written_out(absolute=True),
    "absolute-form-needs-no-token": written_out(absolute=True, token=False),
    "expect-continue-answered-500": at(0, headers=EXPECT),
    "expect-continue-without-effect": at(0, headers=EXPECT),
    "trace-shows-the-token": lambda w: w.call(w.new(), method="TRACE").status,
    "trace-performs": at(0, method="TRACE"),
    "trace-answered-500": at(0, method="TRACE"),
    "unheard-of-method-performs": at(0, method="CANCEL"),
    "unheard-of-method-answered-500": at(0, method="CANCEL"),
    "get-with-a-body-performs": at(0, method="GET", body=b"{}"),
    "unknown-in-http-1.0-answered-200": written_out("1.0", known=False),
}


# --- On the wire ----------------------------------------------------------------------------------


def fourth(w: World) -> Any:
    """Make four calls on one connection; whether all are answered."""
    try:
        return on_one(*[("admin", "new", "POST")] * 4)(w)[0]
    except ConnectionResetError:
        return "reset"


def chunked_to_old(w: World) -> bool:
    path = w.hand.path.replace("{id}", unknown_id())
    lines = [f"POST {path} HTTP/1.0", "Host: mock", f"Authorization: {w.sign()}", "", ""]
    return b"chunked" in exchange(w.port, "\r\n".join(lines).encode()).wire


def strays(w: World) -> bool:
    """Whether a refusal that quotes the id is longer than it says."""
    got = w.call("gr%C3%B6%C3%9Fe")
    return len(got.body) != int(got.header("Content-Length") or 0)


def strays_of_a_text(w: World) -> bool:
    id_ = w.new()
    w.call(id_, body='{"Comment": "größer"}'.encode())
    got = w.call(id_)
    return len(got.body) != int(got.header("Content-Length") or 0)


def packed(w: World) -> bool:
    return b"\r\n\r\n\x1f\x8b" in w.call(unknown_id(), headers=["Accept-Encoding: gzip"]).wire


def date_of(final: bool = False, **arguments: Any) -> Recipe:
    """Return the form of the Date of an answer: a letter for each word, a digit for each."""

    def recipe(w: World) -> Any:
        id_ = w.new(w.hand.final[0] if final else None)
        date = w.call(id_, **arguments).header("Date")
        return date and re.sub("[A-Za-z]+", "A", re.sub("[0-9]", "9", date))

    return recipe


ON_THE_WIRE: dict[str, Recipe] = {
    "wire-date-in-iso-8601": date_of(),
    "refusal-dated-in-seconds": date_of(**FORBIDDEN),
    "end-dated-in-iso-8601": date_of(final=True),
    **dict.fromkeys(("date-in-asctime", "date-in-rfc-850", "no-date"), date_of()),
    "fourth-request-on-the-connection-done-and-not-answered": fourth,
    "chunks-to-http-1.0": chunked_to_old,
    "length-counts-characters": strays,
    "length-counts-characters-of-a-text": strays_of_a_text,
    "gzip-not-said": packed,
    "chunk-of-two-digits-answered-400": at(
        0, body=b'{"comment": "0123456789 0123456789"}', chunked=True
    ),
}


# --- Across contracts -----------------------------------------------------------------------------


def across(make: Callable[[World, World], Any]) -> Callable[[MockServer, Hand], Any]:
    """Make calls of one contract and look at a resource of each other, on one server."""

    def recipe(server: MockServer, hand: Hand) -> Any:
        own = World(hand, server)
        return [make(own, World(other, server)) for other in HANDS if other is not hand]

    return recipe


def look_beside(own: World, other: World) -> Any:
    id_ = other.new()
    own.call(own.new())
    return other.look(id_).constant


def look_beside_a_404(own: World, other: World) -> Any:
    id_ = other.new()
    own.call(unknown_id())
    return other.look(id_).constant


def cancelled_beside(own: World, other: World) -> Any:
    id_ = other.new()
    other.call(id_)
    own.call(own.new())
    return other.look(id_).constant


def id_of_another(own: World, other: World) -> Any:
    id_ = other.new()
    return own.call(id_).status, other.look(id_).constant


ACROSS_PROOFS = {
    "across-strikes-the-youngest": across(look_beside),
    "across-strikes-all": across(look_beside),
    "across-strikes-at-a-404": across(look_beside_a_404),
    "across-deletes-what-was-cancelled": across(cancelled_beside),
    "across-finds-another-kind": across(id_of_another),
}

# --- Variants -------------------------------------------------------------------------------------


def looked_at(count: int) -> Recipe:
    """Look at a resource so often that nobody calls."""

    def recipe(w: World) -> Any:
        id_ = w.new()
        return [w.look(id_).wire.count(b"views") or w.state(id_) for _ in range(count)]

    return recipe


def written(what: str) -> Recipe:
    """Whether a GET is written in some way."""
    return lambda w: re.findall(what, w.look(w.new()).body.decode())


def last_date(w: World) -> Any:
    """Whether a refused call moves the last date."""
    id_ = w.new()
    before = w.look(id_).json()
    w.call(id_, identity="no-permission")
    after_ = w.look(id_).json()
    return [k for k in before if k.lower().startswith("last") and before[k] != after_[k]]


def message_of(**arguments: Any) -> Recipe:
    def recipe(w: World) -> Any:
        id_ = unknown_id()
        made = w.call(id_, **arguments)
        return made.constant, id_ in made.body.decode()

    return recipe


def ends(w: World) -> Any:
    """What two answers on one connection say of it."""
    return w.call(unknown_id(), close=False, patience=0.15).header("Connection"), two(w)


def two(w: World) -> Any:
    sent = request(w, unknown_id(), "admin")
    return exchange(w.port, sent + sent, patience=0.3).ended


def repeated_by(identity: str) -> Recipe:
    return after(call(identity=identity), then=call(identity=identity), owner="user")


HABITS: dict[str, Recipe] = {
    "refusals-noted": last_date,
    "untouched-move-on": looked_at(2),
    "looks-counted": looked_at(2),
    "dates-to-the-second": written(r'T\d\d:\d\d:\d\d(?:Z|\.\d+Z)"'),
    "dates-with-offset": written(r"\+00:00"),
    "nulls-left-out": written("null"),
    "names-in-changing-order": at(0),
    "json-escaped-and-indented": unknown(),
    "canceller-named-in-full": at(0),
    "applications-noted-as-one": at(0, identity="app"),
    "errors-name-what-was-asked": message_of(),
    "errors-name-the-caller": message_of(),
    "errors-in-the-callers-language": message_of(headers=["Accept-Language: de"]),
    "challenge-tells-why": at(0, identity="expired"),
    "every-second-answer-closes": ends,
    "refusals-close": ends,
    "headers-of-a-gateway": at(0),
    "unknown-properties-refused": own_body(brandNew="x"),
    "long-bodies-refused": own_body(Comment="x" * 3000, justification="x" * 3000),
    "other-media-parameters-refused": at(0, media="application/json; odata.metadata=none"),
    "byte-order-mark-taken": rewritten(lambda body: b"\xef\xbb\xbf" + body),
    "names-twice-refused": rewritten(doubled),
    "control-characters-refused": text("a\0b"),
    "other-accept-answered-406": at(0, headers=["Accept: text/html"]),
    "chunked-nothing-answered-411": at(0, chunked=True),
    "ids-read-as-uuids": by_id(lambda id_: id_.replace("-", "").upper()),
    "ids-between-blanks": by_id(lambda id_: f"%20{id_}%20"),
    "path-in-any-case": by_path(lambda p: p.upper().replace("{ID}", "{id}")),
    "path-below-the-server": by_path(lambda p: p),
    "path-with-a-slash-at-its-end": PATHS["with-trailing-slash-answered-500"],
    "path-with-a-slash-redirected": PATHS["with-trailing-slash-answered-500"],
    "path-with-encoded-letters": by_path(encoded),
    "unheard-of-methods-answered-400": at(0, method="CANCEL"),
    "unheard-of-methods-answered-501": at(0, method="CANCEL"),
    "trace-answered": at(0, method="TRACE"),
    "foreign-origin-refused": headed("Origin: https://portal.example"),
    "http-1.0-answered-426": written_out("1.0"),
    "http-1.0-answered-505": written_out("1.0"),
    "paths-cleaned": PATHS["with-doubled-slash-needs-no-token"],
    "repeat-by-a-user-answered-403": repeated_by("user"),
}

DRAWN: dict[str, Recipe] = {
    "latin-extended-lost": text("a Ĥ b"),
    "latin-1-signs-lost": text("a § b"),
    "seldom-ideographs-lost": text("a \U00020000 b"),
    "caret-or-bar-answered-500": text("a ^ b"),
    "name-of-no-letters-answered-500": at(0, body=b'{"Comment": "x", "#": 1}'),
    "id-of-many-odd-octets-answered-500": lambda w: w.call("%FF%FE%FD%FC%FB").constant,
}

OTHER_TENANT = "2c1f6a0e-77d4-4b0b-9d53-0f3a6c1e8b92"
HTML, PLAIN = ["Accept: text/html"], ["Content-Type: text/plain"]
TYPED = ["Content-Type: application/json"]


def respelled(change: Callable[[str], str]) -> Recipe:
    """Call under the id of a resource in another spelling, and look at that resource."""

    def recipe(w: World) -> Any:
        id_ = w.new()
        return w.call(change(id_), body=w.documented(id_)).constant, w.look(id_).constant

    return recipe


def signed(owner: str | None = None, **claims: Any) -> Recipe:
    return lambda w: told(w, w.new(owner=owner), token=w.sign(**claims))


def of_an_application(**claims: Any) -> Recipe:
    return lambda w: told(
        w, w.new(), token=w.sign(scp=None, wids=None, roles=[*w.hand.permissions], **claims)
    )


def of_all_that_ended(**call: Any) -> Recipe:
    return lambda w: [told(w, w.new(state), **call) for state in w.hand.final]


def by_the_last_permission(w: World) -> Any:
    token = w.sign(scp=None, wids=None, roles=[w.hand.permissions[-1]])
    return of_all_that_ended(token=token)(w)


def named_in_a_body(w: World) -> Any:
    other = w.new()
    body = f'{{"id": "{other}"}}'.encode()
    return w.call(unknown_id(), body=body).constant, w.look(other).constant


def deleted_by_the_owner(w: World) -> Any:
    id_ = w.new(owner="user")
    return told(w, id_, method="DELETE", body=w.documented(id_), **USER)


def lower_case_app(w: World) -> Any:
    return told(w, w.new(), token="b" + w.app()[1:])


def owner_says(tail: str) -> Recipe:
    def recipe(w: World) -> Any:
        id_ = w.new(owner="user")
        body = w.documented(id_)[:-2] + tail.encode() + b'"}'
        return told(w, id_, identity="user", body=body)

    return recipe


LARGE = json.dumps("x" * 40_000).encode()
BESIDE: dict[str, Recipe] = {
    "escaped-id-without-effect": respelled(lambda id_: f"%{ord(id_[0]):02X}{id_[1:]}"),
    "needless-escapes-refused": respelled(lambda id_: f"%{ord(id_[0]):02X}{id_[1:]}"),
    "id-in-another-case-answered-as-done": respelled(str.swapcase),
    "lower-case-scheme-of-an-application-refused": lower_case_app,
    "unknown-to-a-browser-answered-200": unknown(headers=HTML),
    "refusal-in-another-language-answered-500": unknown(headers=["Accept-Language: cy-GB"]),
    "unknown-without-a-body-answered-as-done": unknown(body=b""),
    "final-without-a-body-cancelled": lambda w: told(w, w.new(w.hand.final[0]), body=b""),
    "personal-account-without-a-body-accepted": at(0, identity="personal", body=b""),
    "personal-account-with-a-body-accepted": at(0, identity="personal", body=b"{}"),
    "no-body-of-an-application-refused": at(0, identity="app", body=b""),
    "no-body-in-the-second-state-refused": at(1, body=b""),
    "no-permission-without-a-body-accepted": at(0, identity="no-permission", body=b""),
    "owners-text-with-a-nul-answered-500": owner_says("\\u0000"),
    "large-body-refused-and-performed": at(0, body=LARGE),
    "text-of-an-application-answered-500": at(0, identity="app", body=b"text", headers=PLAIN),
    "typed-nothing-of-an-application-refused": at(0, identity="app", headers=TYPED),
    "media-type-of-nothing-refused": at(0, headers=TYPED),
    "own-resource-needs-no-permission": signed("user", sub="user", scp="User.Read", wids=None),
    "scopes-beside-a-role-not-read": signed(roles=["Reports.Review"]),
    "plain-user-second-state-refused": at(1, **USER),
    "plain-user-with-a-query-not-found": lambda w: told(
        w, w.new(), path=f"{w.hand.path}?a=1", **USER
    ),
    "directory-role-asked": at(0, **USER),
    "token-of-another-tenant-accepted": lambda w: told(
        w, w.new(nth(w, 1)), token=w.sign(tid=OTHER_TENANT)
    ),
    "tenants-not-told-apart": signed(tid=OTHER_TENANT),
    "application-of-another-tenant-accepted": of_an_application(tid=OTHER_TENANT),
    "token-of-an-application-expired-accepted": of_an_application(exp=1, nbf=0),
    "token-of-an-application-not-yet-valid-accepted": of_an_application(nbf=2**40, exp=2**41),
    "token-of-a-plain-user-expired-accepted": signed(sub="user", wids=None, exp=1, nbf=0),
    "last-final-state-by-one-permission-cancelled": by_the_last_permission,
    "last-final-state-without-a-body-cancelled": of_all_that_ended(body=b""),
    "unknown-id-cancels-what-the-body-names": named_in_a_body,
    "delete-with-the-owners-body-performs": deleted_by_the_owner,
    "text-of-a-plain-user-escaped": lambda w: told(
        w, w.new(), body=b'{"Comment": "a < b"}', **USER
    ),
    "plain-user-served-and-only-dated": at(0, **USER),
    "weight-in-accept-answered-406": at(0, headers=["Accept: application/json;q=0.9"]),
    **{f"other-tenant-answered-{code}": signed(tid=OTHER_TENANT) for code in (403, 404)},
}

SELDOM_PROOFS: dict[str, Recipe] = {
    **{f"drawn-{name}": recipe for name, recipe in DRAWN.items()},
    **HABITS,
    **ON_THE_WIRE,
    **LATE,
    **CANARIES,
    **{f"token-{name}": recipe for name, recipe in TOKENS.items()},
    **{f"id-{name}": recipe for name, recipe in IDS.items()},
    **{f"path-{name}": recipe for name, recipe in PATHS.items()},
    **{f"body-{name}": recipe for name, recipe in ASSIGNMENT.items()},
    "unasked-body-is-written": unasked(actionReason="other"),
    "unasked-body-of-an-application-is-written": unasked("app", actionReason="other"),
    "unasked-body-says-the-state": unasked(),
    **NEUTRAL,
    **BESIDE,
    **{f"crowd-{name}": recipe for name, recipe in CROWD.items()},
    **TEXTS,
    **REQUESTS,
}
