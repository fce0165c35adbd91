"""Every fault and variant differs observably from the faithful mock, by a request made by hand.

A recipe makes requests and returns what came back. A table gives each entry its recipe; on each
contract that the entry applies to, the recipe must return one thing from the faithful mock and
another from the deviating one. So that it stays quick, each entry meets one contract, in turn;
MATRIX=all has every one.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from cancel_contracts.errors import UsageError
from cancel_contracts.mock import MockServer
from cancel_contracts.mock.catalogue import ENTRIES, FAULTS, VARIANTS, find
from cancel_contracts.mock.entry import Fault, Variant
from effect_proofs import EFFECT_PROOFS
from joint_proofs import JOINT_PROOFS
from sampling import EVERY
from seldom_proofs import ACROSS_PROOFS, SELDOM_PROOFS
from test_mock_support import (
    CASES,
    HANDS,
    KEY,
    MACHINE,
    PACKAGE,
    Answer,
    Hand,
    World,
    contract_of,
    exchange,
    unknown_id,
)

pytestmark = pytest.mark.slow

Recipe = Callable[[World], Any]
CONTRACTS = {hand.name: contract_of(hand) for hand in HANDS}


# --- Recipes --------------------------------------------------------------------------------------


def done(w: World, id_: str, **call: Any) -> Any:
    """Make a call; return its answer, and what a GET shows then."""
    return w.call(id_, **call).constant, w.look(id_).constant


def cancel(**call: Any) -> Recipe:
    """Cancel a resource in the first cancellable state."""
    return lambda w: done(w, w.new(), **call)


def from_state(index: int) -> Recipe:
    return lambda w: [done(w, w.new(s)) for s in w.hand.cancellable[: index + 1]][index:]


def from_final(index: int) -> Recipe:
    return lambda w: done(w, w.new(w.hand.final[index]))


def from_every_final(w: World) -> Any:
    return [done(w, w.new(state)) for state in w.hand.final]


def unknown(**call: Any) -> Recipe:
    return lambda w: done(w, unknown_id(), **call)


def as_identity(name: str, **call: Any) -> Recipe:
    return lambda w: done(w, w.new(owner="user"), identity=name, **call)


def with_token(make: Callable[[World], str]) -> Recipe:
    return lambda w: done(w, w.new(), token=make(w))


def anonymous_unknown(w: World) -> Any:
    return w.call(unknown_id(), identity="anonymous").constant


def by_method(name: str) -> Recipe:
    return lambda w: done(w, w.new(), method=name)


def odd_id(raw: str) -> Recipe:
    return lambda w: w.call(raw).constant


def raw_body(data: bytes) -> Recipe:
    """Send a body as an owner who must send one, where the contract knows owners."""
    return as_identity("user", body=data)


def admin_body(data: bytes) -> Recipe:
    return cancel(body=data)


def text(value: str) -> Recipe:
    return lambda w: done(w, w.new(), body=json.dumps({"Comment": value}).encode())


def plain_text(w: World) -> Any:
    return text("plain")(w)


def own(**over: Any) -> Recipe:
    """Cancel the own resource with other properties than the documented ones."""

    def recipe(w: World) -> Any:
        id_ = w.new(owner="user")
        body = json.loads(w.documented(id_)) | over
        kept = {k: v for k, v in body.items() if v is not ...}
        return done(w, id_, identity="user", body=json.dumps(kept).encode())

    return recipe


def of_neighbour(identity: str) -> Recipe:
    """Name another resource in the body; return what becomes of both."""

    def recipe(w: World) -> Any:
        id_, other = w.new(owner="user"), w.new(owner="user")
        body = w.documented(id_, id=other)
        return done(w, id_, identity=identity, body=body), w.state(other)

    return recipe


def beside(w: World) -> Any:
    """Cancel a resource and look at its neighbour."""
    id_, other = w.new(), w.new()
    return done(w, id_), w.look(other).constant


def own_beside(w: World) -> Any:
    """Cancel the own resource and look at another of one's own."""
    id_, other = w.new(owner="user"), w.new(owner="user")
    return done(w, id_, identity="user", body=w.documented(id_)), w.look(other).constant


def looked_at_twice(identity: str) -> Recipe:
    def recipe(w: World) -> Any:
        id_ = w.new()
        return done(w, id_, identity=identity), [w.look(id_).constant for _ in range(2)]

    return recipe


def twice(w: World) -> Any:
    id_ = w.new()
    first, second = b'{"Comment": "first"}', b'{"Comment": "second"}'
    if w.hand is not MACHINE:
        first = second = w.documented(id_)
    return w.call(id_, body=first).constant, done(w, id_, body=second)


def several(count: int, identity: str = "admin") -> Recipe:
    """Call unknown ids so often."""
    return lambda w: [w.call(unknown_id(), identity=identity).constant for _ in range(count)]


def hanging(w: World) -> Any:
    return [w.call(w.new(), patience=0.3).constant for _ in range(5)]


def two_successes(w: World) -> Any:
    return [w.call(w.new()).constant for _ in range(2)]


def two_callers(w: World) -> Any:
    other = "user" if w.hand is PACKAGE else "app"
    return [w.call(w.new(owner="user"), identity=name).constant for name in ("admin", other)]


def two_texts(w: World) -> Any:
    return [text(word)(w) for word in ("one", "two")]


def race(w: World) -> Any:
    id_ = w.new()
    return w.at_once(id_), w.state(id_)


def own_id(w: World) -> Any:
    """Whether the entity that comes back is the one of the path."""
    id_ = w.new()
    return w.call(id_).json()["id"] == id_


def days(w: World) -> Any:
    """Whether a date in the entity is the thirtieth of February."""
    return "2024-02-30T11:25:48Z" in w.call(w.new()).json().values()


def traced(w: World) -> Any:
    sent = "client-request-id: 11111111-2222-4333-8444-555555555555"
    return w.call(unknown_id(), headers=[sent]).constant


def as_the_nth_permission(index: int) -> Recipe:
    def recipe(w: World) -> Any:
        name = w.hand.permissions[index]
        return [done(w, w.new(), token=token) for token in (w.sign(scp=name), w.app(name))]

    return recipe


def near(make: Callable[[str], str]) -> Recipe:
    """Come with a permission whose name is like the documented one."""
    return with_token(lambda w: w.sign(scp=make(w.hand.permissions[0])))


def keep_alive(w: World) -> Any:
    answer = w.call(unknown_id(), close=False, patience=0.15)
    return answer.ended, answer.header("Connection")


def on_one_connection(w: World) -> Any:
    """Make two calls on one connection."""
    requests = [
        f"POST {w.hand.path.replace('{id}', unknown_id())} HTTP/1.1\r\nHost: mock\r\n"
        f"Authorization: {w.sign()}\r\nContent-Type: application/json\r\n"
        f"Content-Length: 2\r\n{more}\r\n{{}}".encode()
        for more in ("", "Connection: close\r\n")
    ]
    return exchange(w.port, b"".join(requests), patience=0.3).constant


def slow(w: World) -> Any:
    return min(w.call(unknown_id()).seconds for _ in range(5)) > 0.09


def gzipped(w: World) -> Any:
    return w.call(unknown_id(), headers=["Accept-Encoding: gzip"]).header("Content-Encoding")


def upper_case_id(w: World) -> Any:
    return w.call(w.new().upper()).status


MALFORMED, TRUNCATED = b'{"Comment": stop}', b'{"Comment": "st'
CANCEL, UNKNOWN = cancel(), unknown()
FINAL, ANONYMOUS = from_final(0), as_identity("anonymous")
SHAPES = (
    "html", "text", "json-without-envelope", "envelope-without-code", "error-as-string", "empty",
    "wrong-media-type",
)  # fmt: skip
PAYLOADS = (
    "null", "empty-object", "empty-string", "space", "newline", "crlf", "bom", "html",
    "the-entity", "one-byte-chunk",
)  # fmt: skip
ENTITY = (
    "without-id", "with-numeric-id", "with-unknown-state", "with-former-state",
    "without-state", "with-american-dates", "as-text", "in-a-list", "in-a-value", "as-broken-json",
    "empty-object", "left-out", "in-latin-1",
)  # fmt: skip
WIRE = (
    "length-too-long", "length-too-short", "two-lengths", "length-and-chunked",
    "unterminated-chunks", "space-before-colon", "line-without-colon", "status-2000",
    "bytes-after", "second-answer", "reset-in-the-middle", "bare-line-ends", "folded-value",
    "control-character", "http-9.9", "no-space-after-the-code", "chunked-http-1.0", "content-type-twice",
)  # fmt: skip
ODD_IDS = {
    "no-uuid": "abc",
    "long": "a" * 2000,
    "unicode": "%E5%8F%96",
    "nul": "a%00b",
    "quotes": "a%27b",
    "encoded-slash": "a%2Fb",
    "broken-percent": "a%zz",
    "dots": "%2e%2e",
}
DEEP = b'{"Comment": ' + b"[" * 5000 + b"]" * 5000 + b"}"
BODIES = {
    "malformed-json": raw_body(MALFORMED),
    "deep-json": raw_body(DEEP),
    "array": raw_body(b"[]"),
    "string-or-number": raw_body(b'"x"'),
    "wrong-type": lambda w: (own(requestStatus=["x"]) if w.hand is PACKAGE else text_number)(w),
    "null": raw_body(b"null"),
    "none": admin_body(b""),
    "empty-object": admin_body(b"{}"),
    "long-text": text("x" * 10000),
    "emoji": text("stop \U0001f6d1"),
    "quotes": text("the \"quoted\" and 'single'"),
}


def text_number(w: World) -> Any:
    return done(w, w.new(), body=b'{"Comment": 42}')


FAULT_PROOFS: dict[str, Recipe] = {
    # --- Status
    "unknown-id-answered-with-entity": UNKNOWN,
    **{f"unknown-id-answered-{code}": UNKNOWN for code in (200, 204, 400, 403, 410, 500)},
    **{f"success-as-{code}": CANCEL for code in (201, 202, 204, 302, 500)},
    "success-code-by-state": from_state(1),
    "success-code-by-identity": two_callers,
    "success-code-alternates": two_successes,
    # --- Bodies that are to be empty
    **{f"success-with-{name}": CANCEL for name in PAYLOADS},
    "success-with-body-in-one-state": lambda w: from_state(len(w.hand.cancellable) - 1)(w),
    **{f"204-with-{name}": CANCEL for name in (
        "framed-bytes", "unframed-bytes", "content-length", "transfer-encoding")},
    # --- Errors
    **{f"404-as-{shape}": UNKNOWN for shape in SHAPES},
    **{f"401-as-{shape}": ANONYMOUS for shape in SHAPES},
    "final-refusal-as-html": FINAL,
    "bad-body-refusal-as-text": raw_body(MALFORMED),
    "stack-trace-in-message": UNKNOWN,
    "foreign-stack-trace-in-message": UNKNOWN,
    "file-path-in-message": UNKNOWN,
    "405-without-allow": by_method("PUT"),
    "405-with-wrong-allow": by_method("PUT"),
    "405-with-allow-in-lower-case": by_method("PUT"),
    "401-without-challenge": ANONYMOUS,
    "401-with-another-challenge": ANONYMOUS,
    "404-with-more-beside-error": UNKNOWN,
    "error-target-constant": UNKNOWN,
    "client-request-id-not-echoed": traced,
    "request-id-missing": UNKNOWN,
    # --- Entity
    **{f"entity-{name}": CANCEL for name in ENTITY},
    "entity-of-another-id": own_id,
    "entity-with-a-day-that-is-none": days,
    "dates-not-set": CANCEL,
    "text-lost": plain_text,
    "text-truncated": text("x" * 10000),
    "text-as-mojibake": text("größer"),
    "text-with-astral-replaced": text("stop \U0001f6d1"),
    "text-html-escaped": text("<b>stop</b> & go"),
    "text-lost-beside-a-charset": cancel(media="application/json; charset=utf-8"),
    "entity-with-a-number-that-is-none": CANCEL,
    "text-over-that-of-another": plain_text,
    "text-trimmed": text(" stop "),
    "text-composed": text("e\u0301"),
    "text-of-the-previous-call": two_texts,
    "text-shown-not-stored": plain_text,
    "text-stored-not-shown": plain_text,
    # --- State
    "every-final-state-cancelled": FINAL,
    "first-final-state-cancelled": FINAL,
    "second-final-state-cancelled": from_final(1),
    **{f"cancellable-state-{n}-refused": from_state(n - 1) for n in (1, 2, 3, 4)},
    "success-without-effect": CANCEL,
    "neighbour-cancelled-too": beside,
    "neighbour-cancelled-instead": beside,
    "all-of-an-owner-cancelled": own_beside,
    "wrong-state-after": CANCEL,
    "final-refused-but-changed": FINAL,
    "final-answered-as-success": FINAL,
    "final-shown-as-cancelled": FINAL,
    "final-answered-500": FINAL,
    "second-cancel-resurrects": twice,
    "second-cancel-answered-500": twice,
    "second-cancel-deletes": twice,
    "second-cancel-overwrites": twice,
    "second-cancel-refused-but-overwrites": twice,
    "refusal-performed-later": looked_at_twice("no-permission"),
    "success-undone-later": looked_at_twice("admin"),
    "unknown-id-creates": UNKNOWN,
    "cancel-deletes": CANCEL,
    # --- Identity
    **{f"{name}-accepted": as_identity(name) for name in (
        "anonymous", "empty-header", "bare-scheme", "garbage-token", "basic-scheme", "expired",
        "wrong-audience", "bad-signature", "unsigned", "no-permission")},
    "lower-case-scheme-refused": as_identity("lower-case-scheme"),
    **{f"anonymous-answered-{code}": ANONYMOUS for code in (200, 403, 500)},
    "garbage-token-answered-500": as_identity("garbage-token"),
    "no-permission-answered-401": as_identity("no-permission"),
    "application-accepted": as_identity("app"),
    "personal-account-accepted": as_identity("personal"),
    **{f"permission-{n + 1}-refused": as_the_nth_permission(n) for n in range(7)},
    "application-refused": as_identity("app"),
    "permission-matched-by-prefix": near(lambda name: name + "X"),
    "permission-matched-by-substring": near(lambda name: "X" + name),
    "permission-matched-by-first-word": near(lambda name: name.split(".")[0] + ".Read.All"),
    "application-with-another-audience-accepted": with_token(
        lambda w: w.sign(scp=None, wids=None, roles=[*w.hand.permissions], aud="https://x.example")
    ),
    "only-first-scope-read": near(lambda name: "openid " + name),
    "only-first-role-read": with_token(lambda w: w.app("Reports.Review", w.hand.permissions[0])),
    "owner-refused": as_identity("user"),
    "anothers-resource-cancelled": as_identity("other-user"),
    "owner-body-missing-accepted": raw_body(b""),
    "owner-body-without-id-accepted": own(id=...),
    "owner-body-without-property-accepted": own(requestStatus=...),
    "owner-body-wrong-value-accepted": own(requestStatus="approved"),
    "owner-body-of-another-accepted": of_neighbour("user"),
    "unauthenticated-yet-performed": ANONYMOUS,
    "forbidden-yet-performed": as_identity("no-permission"),
    "existence-revealed": anonymous_unknown,
    "existence-revealed-in-code": anonymous_unknown,
    "existence-revealed-to-a-bad-token": unknown(identity="expired"),
    "anothers-resource-refused-to-all": as_identity("admin"),
    # --- Methods
    **{f"{name.lower()}-{what}": by_method(name)
       for name in ("GET", "HEAD", "PUT", "PATCH", "DELETE")
       for what in ("performs", "answered-200")},
    "other-method-refused-yet-performed": by_method("PATCH"),
    "other-method-answered-500": by_method("DELETE"),
    "head-answered-500": by_method("HEAD"),
    "options-answered-500": by_method("OPTIONS"),
    "options-performs": by_method("OPTIONS"),
    "head-answered-with-body": by_method("HEAD"),
    # --- Robustness
    **{f"odd-id-{kind}-answered-500": odd_id(raw) for kind, raw in ODD_IDS.items()},
    **{f"odd-id-{kind}-accepted": odd_id(raw) for kind, raw in ODD_IDS.items()},
    **{f"body-{kind}-answered-500": recipe for kind, recipe in BODIES.items()
       if kind != "string-or-number"},
    **{f"body-{kind}-accepted": BODIES[kind] for kind in (
        "malformed-json", "deep-json", "array", "string-or-number", "wrong-type")},
    "bad-body-refused-yet-performed": raw_body(TRUNCATED),
    "unexpected-body-answered-500": admin_body(b"{}"),
    "unexpected-null-answered-500": admin_body(b"null"),
    "unexpected-nested-body-answered-500": admin_body(b"[" * 20_000 + b"]" * 20_000),
    "media-missing-accepted": cancel(media=None),
    "media-foreign-accepted": cancel(media="text/plain"),
    "media-missing-answered-500": cancel(media=None),
    "media-foreign-answered-500": cancel(media="application/x-www-form-urlencoded"),
    "media-refused-yet-performed": cancel(media="text/plain"),
    "media-parameter-refused": cancel(media="application/json; charset=utf-8"),
    "chunked-request-refused": as_identity("user", chunked=True),
    "chunked-request-answered-500": as_identity("user", chunked=True),
    "media-without-a-body-answered-500": cancel(body=b"", headers=["Content-Type: text/plain"]),
    "chunked-request-read-as-empty": as_identity("user", chunked=True),
    "body-id-decides": of_neighbour("admin"),
    "other-properties-written": own(justification="overwritten"),
    "names-compared-without-case": cancel(body=b'{"comment": "lower"}'),
    # --- Limits and time
    **{f"429-{what}": as_identity("throttled") for what in (
        "without-retry-after", "with-wordy-retry-after", "without-envelope", "yet-performed")},
    "429-at-the-5th-call": several(5),
    **{f"every-7th-call-{what}": several(7) for what in (
        "answered-500", "reset", "answered-401")},
    "hangs-before-the-head": hanging,
    "hangs-in-the-body": hanging,
    # --- Wire, races
    **{f"wire-{script}": CANCEL for script in WIRE},
    "next-call-on-the-connection-refused": on_one_connection,
    "next-call-on-the-connection-hangs": on_one_connection,
    "race-both-take-effect": race,
    "race-answered-500": race,
    "race-leaves-mixed-state": race,
}  # fmt: skip

ANY_BODY = admin_body(b'{"unexpected": 1}')

VARIANT_PROOFS: dict[str, Recipe] = {
    # --- How an answer is written
    "other-success-code": CANCEL,
    "chunked-answers": CANCEL,
    "lower-case-header-names": UNKNOWN,
    "extra-properties": CANCEL,
    "media-type-with-parameters": UNKNOWN,
    "compressed-answers": gzipped,
    "connection-close": keep_alive,
    "connection-keep-alive": keep_alive,
    "http-1.0": UNKNOWN,
    "early-hints": UNKNOWN,
    "no-reason-phrase": UNKNOWN,
    "latency": slow,
    "other-error-codes": UNKNOWN,
    "empty-error-codes": UNKNOWN,
    "extra-in-errors": UNKNOWN,
    "helpful-errors": UNKNOWN,
    "least-envelope": UNKNOWN,
    "error-date-with-zone": UNKNOWN,
    **{f"occasional-429-{what}": several(13) for what in (
        "in-seconds", "with-fraction", "with-date")},
    # --- What is checked, and under which code it is refused
    **{f"final-state-answered-{code}": FINAL for code in (400, 403, 422)},
    "repeat-answered-as-done": twice,
    "final-state-answered-as-done": FINAL,
    "odd-ids-answered-400": odd_id("abc"),
    "odd-ids-answered-404": odd_id("a%zz"),
    "odd-ids-answered-422": odd_id("abc"),
    "wrong-media-answered-400": cancel(media="text/plain"),
    "bad-body-answered-422": raw_body(b"[]"),
    "absent-text-refused": admin_body(b"{}"),
    "absent-body-refused": admin_body(b""),
    "unexpected-body-refused": ANY_BODY,
    "bodies-ignored": raw_body(b""),
    "resource-before-permission": unknown(identity="no-permission"),
    "body-before-resource": unknown(body=MALFORMED),
    "body-before-permission": as_identity("no-permission", body=MALFORMED),
    "body-before-token": as_identity("anonymous", body=MALFORMED),
    "state-before-body": lambda w: done(w, w.new(w.hand.final[0]), body=MALFORMED),
    "token-before-method": as_identity("anonymous", method="PUT"),
    "options-answered-200": by_method("OPTIONS"),
    "options-answered-405": by_method("OPTIONS"),
    "other-methods-answered-404": by_method("DELETE"),
    "other-methods-answered-400": by_method("DELETE"),
    "personal-account-answered-401": as_identity("personal"),
    "wrong-audience-answered-403": as_identity("wrong-audience"),
    "wrong-issuer-answered-403": with_token(lambda w: w.sign(iss="https://another.example/")),
    "malformed-credentials-answered-400": with_token(lambda w: f"{w.sign()} and more"),
    "anothers-resource-answered-404": as_identity("other-user"),
    "application-only": CANCEL,
    "application-answered-401": as_identity("app"),
    # --- The resource
    "states-in-pascal-case": FINAL,
    "states-in-camel-case": FINAL,
    "cancelled-in-the-other-spelling": CANCEL,
    "state-in-the-first-property": CANCEL,
    "state-in-the-last-property": CANCEL,
    "effect-visible-after-a-second": CANCEL,
    "effect-in-another-property": CANCEL,
    "least-entity": CANCEL,
    "time-of-the-look": CANCEL,
    "no-get-route": CANCEL,
    "ids-compared-without-case": upper_case_id,
}  # fmt: skip

PROOFS = FAULT_PROOFS | VARIANT_PROOFS | JOINT_PROOFS | SELDOM_PROOFS | EFFECT_PROOFS


# --- Tests ----------------------------------------------------------------------------------------


def pairs(names: Iterable[str]) -> list[Any]:
    """Return each entry with the contracts that it meets: shipped ones, where one of these is."""
    found = []
    for turn, name in enumerate(names):
        hands = [hand for hand in HANDS if ENTRIES[name].applies(CONTRACTS[hand.name])]
        hands = hands or [hand for hand in CASES if ENTRIES[name].applies(contract_of(hand))]
        chosen = hands if EVERY or not hands else [hands[turn % len(hands)]]
        found += [pytest.param(name, hand, id=f"{name}-{hand.name}") for hand in chosen]
    return found


@cache
def of_the_faithful_mock(recipe: Recipe, hand: Hand) -> Any:
    """Return what a recipe brings from a faithful mock of its own."""
    with MockServer([contract_of(hand)], key=KEY) as faithful:
        expected = recipe(World(hand, faithful))
    assert not faithful.crashes
    return expected


@pytest.mark.parametrize(("name", "hand"), pairs(name for name in PROOFS if name in ENTRIES))
def test_differs_from_the_faithful_mock(name: str, hand: Hand) -> None:
    """The same requests bring other answers from the deviating mock than from the faithful one."""
    contract, recipe = contract_of(hand), PROOFS[name]
    is_fault = isinstance(ENTRIES[name], Fault)
    faults, variants = ([name], []) if is_fault else ([], [name])
    with MockServer([contract], key=KEY, faults=faults, variants=variants) as deviating:
        actual = recipe(World(hand, deviating))
    assert actual != of_the_faithful_mock(recipe, hand)
    assert not deviating.crashes


@pytest.mark.parametrize("hand", HANDS, ids=lambda hand: hand.name)
@pytest.mark.parametrize("name", ACROSS_PROOFS)
def test_differs_from_a_faithful_mock_of_all_contracts(name: str, hand: Hand) -> None:
    found = []
    for faults in ([], [name]):
        with MockServer([*CONTRACTS.values()], key=KEY, faults=faults) as server:
            found.append(ACROSS_PROOFS[name](server, hand))
        assert not server.crashes
    assert found[0] != found[1]


@pytest.mark.parametrize(
    ("name", "hand"), pairs(v.name for v in VARIANTS if any(map(v.applies, CONTRACTS.values())))
)
def test_a_variant_does_what_is_documented(name: str, hand: Hand) -> None:
    """The documented call cancels, an unknown id is 404, a caller without permission is refused."""
    if name == "path-below-the-server":
        prefix = CONTRACTS[hand.name].server_path
        hand = replace(hand, path=prefix + hand.path)
    with MockServer([CONTRACTS[hand.name]], key=KEY, variants=[name]) as mock:
        w = World(hand, mock)
        first = w.new(owner="user")
        caller = "app" if name in ("application-only", "directory-role-asked") else "user"
        assert final_status(w.call(first, identity=caller)) in (200, 204)
        if name != "no-get-route":
            time.sleep(1.05 if name == "effect-visible-after-a-second" else 0)
            assert shows_a_cancel(w.look(first).wire)
        assert (
            final_status(w.call(unknown_id(), identity="app" if hand.applications else "admin"))
            == 404
        )
        assert final_status(w.call(w.new(), identity="no-permission")) == 403
        assert final_status(w.call(w.new(), identity="anonymous")) == 401
        assert not mock.crashes


def final_status(answer: Answer) -> int:
    """Return the status of the last head, the one that is no interim answer."""
    return int(re.findall(rb"HTTP/1\.[01] (\d{3}) ", answer.wire)[-1])


def shows_a_cancel(entity: bytes) -> bool:
    return (
        re.search(rb'(?i)"cancell?ed"|"status": "failed"|cancellationRequested', entity) is not None
    )


def test_every_entry_has_a_proof_and_every_proof_an_entry() -> None:
    """Those of contracts unlike the shipped ones are judged in tests/test_unlike_proofs.py; of
    these, those that change what is shown have proofs as well.
    """
    shipped = {n for n, e in ENTRIES.items() if any(e.applies(c) for c in CONTRACTS.values())}
    assert {*PROOFS, *ACROSS_PROOFS} - set(EFFECT_PROOFS) == shipped
    assert not shipped & set(EFFECT_PROOFS)
    assert len(ENTRIES) == len(FAULTS) + len(VARIANTS)


def test_names_are_slugs_and_sayings_are_sentences() -> None:
    slug = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")
    assert [name for name in ENTRIES if not slug.fullmatch(name)] == []
    said = {name: entry.says for name, entry in ENTRIES.items()}
    assert {n: says for n, says in said.items() if not re.fullmatch(r"[A-Z0-9].*\.", says)} == {}


def test_every_fault_says_what_it_breaks() -> None:
    assert all(fault.breaks and all(b.facets for b in fault.breaks) for fault in FAULTS)


def test_find_names_the_nearest_entries() -> None:
    assert find("text-lost").name == "text-lost"
    with pytest.raises(UsageError, match="did you mean text-lost"):
        find("text-losst")
    with pytest.raises(UsageError, match="names them all"):
        find("zzzz")


def test_two_names_with_a_plus_are_both_variants() -> None:
    both = find("no-get-route+latency")
    assert isinstance(both, Variant)
    assert both.name == "no-get-route+latency"
    assert both.excused == {"observe": "no GET route"}
    with pytest.raises(UsageError, match="did you mean latency"):
        find("no-get-route+latenci")
    with pytest.raises(UsageError, match="are not two variants"):
        find("no-get-route+text-lost")


def test_a_fault_is_not_taken_for_a_variant() -> None:
    with pytest.raises(UsageError, match="is a fault, not a variant"):
        MockServer([CONTRACTS["machine-action"]], key=KEY, variants=["text-lost"])


def test_a_fault_leaves_contracts_alone_that_it_does_not_apply_to() -> None:
    hand = next(h for h in HANDS if h.body is None)
    with MockServer([CONTRACTS[hand.name]], key=KEY, faults=["text-lost"]) as mock:
        assert World(hand, mock).call(World(hand, mock).new()).status == 200
