"""Requests by hand that show the faults where facts meet: pairs, histories, kept connections, others.

Each recipe is as in test_mock_proofs: it makes requests and returns what came back. Holds no tests.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from test_mock_support import MACHINE, World, unknown_id

Recipe = Callable[[World], Any]
MALFORMED = b"{not json}"
DATES = {"2001-01-01", "2024-01-01", "2099-01-01"}


def told(w: World, id_: str, **call: Any) -> Any:
    """Make a call; return its answer and what a GET shows then, dates that tell something too."""
    made, seen = w.call(id_, **call), w.look(id_)
    days = [day for day in DATES if day.encode() in made.wire + seen.wire]
    return made.constant, seen.constant, days


def nth(w: World, index: int) -> str:
    return w.hand.cancellable[index]


def at(index: int, owner: str | None = None, **call: Any) -> Recipe:
    """Call on a resource in the nth cancellable state, counted from 0."""
    return lambda w: told(w, w.new(nth(w, index), owner), **call)


def at_final(owner: str | None = None, **call: Any) -> Recipe:
    return lambda w: told(w, w.new(w.hand.final[0], owner), **call)


def unknown(**call: Any) -> Recipe:
    return lambda w: told(w, unknown_id(), **call)


def after(*before: dict[str, Any], then: dict[str, Any], owner: str | None = None) -> Recipe:
    """Make calls on one resource, and then one more."""

    def recipe(w: World) -> Any:
        id_ = w.new(owner=owner)
        for call in before:
            w.call(id_, **call)
        return told(w, id_, **then)

    return recipe


def successes(count: int) -> Recipe:
    """Cancel so many, with a neighbour."""

    def recipe(w: World) -> Any:
        other = w.new()
        return [told(w, w.new()) for _ in range(count)], w.look(other).constant

    return recipe


def others(state: int | None, owner: str | None, start: int = 0, **call: Any) -> Recipe:
    """Make a call and look at another, in the nth cancellable state or, for None, in a final one."""

    def recipe(w: World) -> Any:
        other = w.new(w.hand.final[0] if state is None else nth(w, state), owner)
        return told(w, w.new(nth(w, start), "user"), **call), w.look(other).constant

    return recipe


def cancelled_before(w: World) -> Any:
    """Cancel one and then another, and look at the first."""
    first = w.new()
    w.call(first)
    return told(w, w.new()), w.look(first).constant


def beside_an_unknown_id(w: World) -> Any:
    other = w.new()
    return w.call(unknown_id()).constant, w.look(other).constant


def beside_a_second_cancel(w: World) -> Any:
    other, id_ = w.new(), w.new()
    w.call(id_)
    w.call(id_)
    return w.look(other).constant


def unseen(w: World) -> Any:
    id_ = w.new()
    return w.call(id_).constant, w.look(id_).constant


def text_after_a_refusal(w: World) -> Any:
    id_ = w.new()
    w.call(id_, body=b'{"Comment": "refused"}', identity="no-permission")
    w.call(w.new("Succeeded"), body=b'{"Comment": "refused"}')
    return told(w, id_, body=b'{"Comment": "served"}')


def two_cancellers(w: World) -> Any:
    return [told(w, w.new(), identity=name) for name in ("app", "admin")]


# --- On one connection ----------------------------------------------------------------------------


def request(w: World, id_: str, identity: str, method: str = "POST", text: str = "") -> bytes:
    body = w.documented(id_, **({"Comment": text} if text else {}))
    body = b"" if method == "HEAD" else body
    authorization = w.identity(identity)
    lines = [f"{method} {w.hand.path.replace('{id}', id_)} HTTP/1.1", "Host: mock"]
    lines += [f"Authorization: {authorization}"] if authorization is not None else []
    lines += ["Content-Type: application/json"] if body else []
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def on_one(*calls: tuple[str, ...]) -> Recipe:
    """Make calls (identity, what, method) on one connection: new, unknown, or the text to send."""

    def recipe(w: World) -> Any:
        found, ids = [], []
        with socket.create_connection(("127.0.0.1", w.port), timeout=5) as sock:
            for identity, what, method in calls:
                ids.append(unknown_id() if what == "unknown" else w.new(owner="user"))
                text = what if w.hand is MACHINE and what not in ("new", "unknown") else ""
                sock.sendall(request(w, ids[-1], identity, method, text))
                found.append(answer(sock, method))
        return found, [w.look(id_).constant for id_ in ids]

    return recipe


def answer(sock: socket.socket, method: str) -> Any:
    """Read one answer; return its status, and its body without what differs each time."""
    wire = b""
    while b"\r\n\r\n" not in wire:
        wire += sock.recv(65536)
    head, _, body = wire.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    want = 0 if method == "HEAD" or not lengths else int(lengths[0].split(b":")[1])
    while len(body) < want:
        body += sock.recv(65536)
    return int(head.split(b" ")[1]), b"Cancelled" in body, b"error" in body, b"one" in body


def one_error_twice(w: World) -> Any:
    """Whether two errors on one connection are the same to the octet."""
    bodies = []
    with socket.create_connection(("127.0.0.1", w.port), timeout=5) as sock:
        for _ in range(2):
            sock.sendall(request(w, unknown_id(), "admin"))
            wire = b""
            while not wire.endswith(b"}"):
                wire += sock.recv(65536)
            bodies.append(wire.partition(b"\r\n\r\n")[2])
    return bodies[0] == bodies[1]


def call(**arguments: Any) -> dict[str, Any]:
    return arguments


APP, USER, OTHER = call(identity="app"), call(identity="user"), call(identity="other-user")
FORBIDDEN, ANONYMOUS = call(identity="no-permission"), call(identity="anonymous")
BAD = call(body=MALFORMED)
XML = ("Content-Type: application/xml",)


def otherwise_spelled(w: World) -> Any:
    """Send the documented body as its owner, with `Canceled` for `cancelled`."""
    id_ = w.new(owner="user")
    return told(w, id_, body=w.documented(id_).replace(b"cancelled", b"Canceled"), **USER)


def pairs() -> dict[str, Recipe]:
    return {
        "application-second-state-refused": at(1, **APP),
        "application-last-state-without-effect": at(-1, **APP),
        "application-final-cancelled": at_final(**APP),
        "owner-final-cancelled": at_final("user", **USER),
        "owner-other-spelling-without-effect": otherwise_spelled,
        "one-user-cancels-what-is-of-others": at(0, "other-user", **USER),
        "media-that-nobody-asks-for-without-effect": at(0, media=None, headers=XML),
        "owner-last-state-refused": at(-1, "user", **USER),
        "anothers-second-state-cancelled": at(1, "user", **OTHER),
        "no-permission-second-state-accepted": at(1, **FORBIDDEN),
        "invalid-token-last-state-accepted": at(-1, identity="expired"),
        "anonymous-second-state-performed": at(1, **ANONYMOUS),
        "administrator-owned-second-state-refused": at(1, "user"),
        "application-bad-body-accepted": at(0, **APP, **BAD),
        "application-bad-body-answered-500": at(0, **APP, **BAD),
        "second-state-bad-body-accepted": at(1, **BAD),
        "final-bad-body-performed": at_final(**BAD),
        "application-second-state-text-lost": at(1, **APP),
        "owner-second-state-other-value-accepted": other_value,
        "foreign-media-second-state-accepted": at(1, media="text/plain"),
        "no-media-application-accepted": at(0, **APP, media=None),
        "charset-second-state-refused": at(1, media="application/json; charset=utf-8"),
        "charset-no-permission-accepted": at(
            0, **FORBIDDEN, media="application/json; charset=utf-8"
        ),
        "chunked-no-permission-accepted": at(0, **FORBIDDEN, chunked=True),
        "chunked-anonymous-accepted": at(0, **ANONYMOUS, chunked=True),
        "chunked-final-cancelled": at_final(chunked=True),
        "chunked-application-answered-500": at(0, **APP, chunked=True),
        "chunked-second-state-without-effect": at(1, chunked=True),
        "chunked-unknown-as-text": unknown(chunked=True),
        "no-accept-final-answered-500": at_final(headers=["Accept: */*"]),
        "accept-anything-second-state-without-effect": at(1, headers=["Accept: */*"]),
        "delete-by-an-application-performs": at(0, **APP, method="DELETE"),
        "patch-in-the-second-state-performs": at(1, method="PATCH"),
        "put-without-a-token-performs": at(0, **ANONYMOUS, method="PUT"),
        "get-by-a-user-performs": at(0, "user", **USER, method="GET"),
        "delete-on-final-deletes": at_final(method="DELETE"),
        "unknown-by-an-application-answered-done": unknown(**APP),
        "unknown-bad-body-answered-500": unknown(**BAD),
        "odd-id-anonymous-answered-500": lambda w: w.call("abc", **ANONYMOUS).constant,
        "unknown-delete-creates": unknown(method="DELETE"),
    }


def other_value(w: World) -> Any:
    id_ = w.new(nth(w, 1), "user")
    return told(w, id_, identity="user", body=w.documented(id_, requestStatus="approved"))


def second_without_a_body(w: World) -> Any:
    id_ = w.new(nth(w, -1))
    w.call(id_)
    return told(w, id_, body=b"")


def unknown_then(w: World) -> Any:
    w.call(unknown_id(), identity="app")
    return told(w, w.new())


HISTORY: dict[str, Recipe] = {
    "after-a-refusal-refused-for-good": after(FORBIDDEN, then={}),
    "after-a-refusal-without-effect": after(ANONYMOUS, then={}),
    "after-a-refusal-the-second-try-passes": after(FORBIDDEN, then=FORBIDDEN),
    "after-a-401-the-second-try-passes": after(ANONYMOUS, then=ANONYMOUS),
    "after-a-bad-body-answered-500": after(BAD, then={}),
    "after-a-bad-body-its-text-is-kept": text_after_a_refusal,
    "after-a-cancel-anybody-passes": after({}, then=FORBIDDEN),
    "after-a-cancel-the-anonymous-are-told": after({}, then=ANONYMOUS),
    "second-caller-overwrites": after({}, then=APP),
    "second-caller-forbidden-yet-written": after({}, then=FORBIDDEN),
    "second-cancel-by-an-application-answered-500": after({}, then=APP),
    "second-cancel-by-the-owner-resurrects": after({}, then=USER, owner="user"),
    "second-cancel-chunked-resurrects": after({}, then=call(chunked=True)),
    "second-cancel-from-the-last-state-answered-500": second_without_a_body,
    "third-cancel-resurrects": after({}, {}, then={}),
    "third-cancel-deletes": after({}, {}, then={}),
    "every-third-success-without-effect": successes(3),
    "every-ninth-success-strikes-neighbours": successes(9),
    "every-23rd-success-answered-202": successes(23),
    "next-call-after-an-unknown-id-answered-500": unknown_then,
    "first-call-of-an-application-unchecked": lambda w: told(w, w.new(), token=w.app("Other.Role")),
    "unseen-resource-without-effect": unseen,
}
POST = "POST"
KEPT: dict[str, Recipe] = {
    "keeps-the-caller": on_one(("admin", "new", POST), ("no-permission", "new", POST)),
    "lends-its-caller": on_one(("admin", "new", POST), ("anonymous", "new", POST)),
    "permission-looked-at-once": on_one(("admin", "new", POST), ("no-permission", "new", POST)),
    "repeats-a-refusal": on_one(("admin", "unknown", POST), ("admin", "new", POST)),
    "hides-a-refusal": on_one(("admin", "new", POST), ("admin", "unknown", POST)),
    "repeats-the-error": one_error_twice,
    "text-of-the-call-before": on_one(("admin", "one", POST), ("admin", "two", POST)),
    "cancels-the-one-before": on_one(("admin", "new", POST), ("admin", "new", POST)),
    "third-call-without-effect": on_one(*[("admin", "new", POST)] * 3),
    "refuses-yet-performs": on_one(("admin", "new", POST), ("no-permission", "new", POST)),
    "lends-its-administrator": on_one(("admin", "new", POST), ("other-user", "new", POST)),
    "stores-nothing-after-an-unknown-id": on_one(
        ("admin", "unknown", POST), ("admin", "new", POST)
    ),
    "upset-by-a-refused-body": on_one(("no-permission", "new", POST), ("admin", "new", POST)),
    "upset-by-another-method": on_one(("admin", "new", "HEAD"), ("admin", "new", POST)),
}
OTHERS: dict[str, Recipe] = {
    "in-other-states-cancelled": others(1, "user"),
    "of-another-owner-cancelled": others(0, "other-user"),
    "cancelled-by-an-application": others(0, None, **APP),
    "cancelled-from-the-second-state": others(0, None, start=1),
    "that-ended-cancelled": others(None, None),
    "that-were-cancelled-resurrected": cancelled_before,
    "cancelled-at-a-refusal": others(0, None, **FORBIDDEN),
    "cancelled-at-an-unknown-id": beside_an_unknown_id,
    "cancelled-at-a-second-cancel": beside_a_second_cancel,
    "deleted": cancelled_before,
    "get-the-text": others(0, None),
    "lose-a-property": others(0, None),
}
PUT = call(method="PUT")


def date_of_creation(**call: Any) -> Recipe:
    """Whether the date of creation is what it was."""

    def recipe(w: World) -> Any:
        id_ = w.new(call.get("state"))
        before = w.look(id_).json()
        w.call(id_)
        after_ = w.look(id_).json()
        return {k: v == after_.get(k) for k, v in before.items() if "creat" in k.lower()}

    return recipe


def final_creation(w: World) -> Any:
    return date_of_creation(state=w.hand.final[0])(w)


def same_creation(w: World) -> Any:
    id_ = w.new()
    before = w.look(id_).json()
    return {k: v == before[k] for k, v in w.call(id_).json().items() if "creat" in k.lower()}


def quarters(w: World, id_: str) -> list[float]:
    """Return how many hours from now the dates of a resource are, by quarters; None for years."""
    found = re.findall(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", w.look(id_).body.decode())
    offs = [datetime.fromisoformat(f"{text}+00:00").timestamp() - time.time() for text in found]
    return sorted(round(off / 900) / 4 if abs(off) < 86400 else -9999.0 for off in offs)


def dated(state: int = 0, final: bool = False, times: int = 1, **call: Any) -> Recipe:
    """Call on a resource, and say when its dates are."""

    def recipe(w: World) -> Any:
        id_ = w.new(w.hand.final[0] if final else nth(w, state))
        made = [w.call(id_, **call).status for _ in range(times)]
        time.sleep(0.01)
        return made, quarters(w, id_)

    return recipe


def second_moves(w: World) -> Any:
    """Whether a second call moves a date."""
    id_ = w.new()
    w.call(id_)
    before = w.look(id_).body
    time.sleep(0.01)
    w.call(id_)
    return w.look(id_).body == before


def dates_of(w: World, id_: str) -> dict[str, Any]:
    """Return the dates of a resource by name."""
    shown = w.look(id_).json()
    return {k: v for k, v in shown.items() if re.search("DateTime|Date$", k)}


def moved_by(*before: dict[str, Any], final: bool = False, **call: Any) -> Recipe:
    """Return the status of a call, and which dates it moves, once others were made."""

    def recipe(w: World) -> Any:
        id_ = w.new(w.hand.final[0] if final else None, "user")
        for arguments in before:
            w.call(id_, **arguments)
        was = dates_of(w, id_)
        time.sleep(0.01)
        status = w.call(id_, **call).status
        return status, [name for name, value in dates_of(w, id_).items() if was[name] != value]

    return recipe


def second_without_a_text(w: World) -> Any:
    """Return what a cancel without a text leaves, after one with a text."""
    w.call(w.new())
    id_ = w.new()
    w.call(id_, **NO_TEXT)
    return w.look(id_).constant


def named_in_lists(w: World) -> Any:
    """Return what two cancels by two callers leave."""
    ids = [w.new(), w.new()]
    for id_, identity in zip(ids, ("admin", "app"), strict=True):
        w.call(id_, identity=identity)
    return [w.look(id_).constant for id_ in ids]


def dated_in_lists(w: World) -> Any:
    """Return of each date that a cancel adds to a list whether it is of now."""
    id_ = w.new()
    w.call(id_)
    texts = re.findall(
        r"\d{4}-\d\d-\d\dT[\d:]{8}", w.look(id_).wire.decode().partition('"states"')[2]
    )
    ages = (datetime.now(UTC) - datetime.fromisoformat(f"{text}+00:00") for text in texts)
    return [abs(age.total_seconds()) < 60 for age in ages]


def id_of_the_first(w: World) -> Any:
    w.call(w.new(), headers=(f"client-request-id: {unknown_id()}",))
    made = w.call(w.new())
    return made.header("client-request-id")


DATES_AND_LISTS: dict[str, Recipe] = {
    "final-refusal-moves-the-dates": dated(final=True),
    "refusal-in-one-final-state-moves-the-last-date": dated(final=True),
    "second-refusal-moves-the-dates": second_moves,
    "second-done-again-moves-the-end": moved_by({}),
    "second-of-an-application-moves-the-end": moved_by({}, **APP),
    "second-of-a-user-moves-the-end": moved_by(USER, **USER),
    "final-done-again-moves-the-end": moved_by(final=True),
    "repeats-done-and-noted": moved_by({}),
    "repeats-done-and-listed": after({}, then={}),
    "cancel-dated-in-another-zone": dated(),
    "cancel-by-an-application-dated-in-another-zone": dated(identity="app"),
    "cancel-in-the-second-state-dated-a-while-ago": dated(1),
    "ended-before-it-was-created": dated(),
    "touched-before-it-was-created": dated(),
    "clock-of-its-own": dated(),
    "list-names-the-caller-before": named_in_lists,
    "another-user-named-as-the-user": at(0, **call(identity="other-user")),
    "list-names-one-for-all": named_in_lists,
    "list-dated-in-another-zone": dated_in_lists,
    "refusal-tells-the-words-of-the-resource": at(0, **FORBIDDEN),
    "client-request-id-of-the-call-before": id_of_the_first,
}


def untold(w: World) -> Any:
    """Send nothing, and say that it is JSON."""
    said = () if w.hand.body is not None else ("Content-Type: application/json",)
    return told(w, w.new(), identity="no-permission", body=b"", headers=said)


NO_TEXT = call(body=b"{}")
LEFT: dict[str, Recipe] = {
    "entity-empty-in-the-second-state": at(1),
    "entity-empty-to-applications": at(0, identity="app"),
    "no-text-kept-as-null": at(0, **NO_TEXT),
    "no-text-kept-as-none": at(0, **NO_TEXT),
    "no-text-kept-as-the-last-one": second_without_a_text,
    "words-where-no-text-comes": at(0, **NO_TEXT),
    "last-date-left-in-the-second-state": dated(1),
    "last-date-left-by-applications": dated(identity="app"),
    "last-date-left-alone": dated(),
    "last-property-left-by-the-owner": at(0, "user", **USER),
    "first-property-left-by-the-owner": at(0, "user", **USER),
    "last-property-left-in-the-second-state-by-an-administrator": at(1),
    "last-property-left-alone": at(0),
    "last-property-in-either-case": at(0),
    "last-property-tells-from-where": at(0),
    "canceller-left-out-in-the-second-state": at(1),
    "canceller-left-out-of-plain-users": at(0, **USER),
    "second-fills-what-the-first-left-out": after(NO_TEXT, then=call(body=b'{"Comment": "late"}')),
    "no-body-needs-no-permission": untold,
}

WHOLE: dict[str, Recipe] = {
    **{f"cancel-{what}": at(0) for what in (
        "rewrites-a-text", "empties-a-text", "loses-a-text", "loses-the-creation",
        "fills-what-was-empty", "loses-a-structure", "fills-a-structure", "turns-a-flag")},
    "cancel-moves-the-creation": date_of_creation(),
    "second-cancel-rewrites-a-text": after({}, then={}),
    "refusal-rewrites-a-text": at(0, **FORBIDDEN),
    "refusal-loses-a-property": at(0, **ANONYMOUS),
    "final-refusal-moves-the-creation": final_creation,
    "refusal-notes-who-and-when": at(0, **FORBIDDEN),
    "bad-body-loses-a-structure": at(0, **BAD),
    "other-method-rewrites-a-text": at(0, **PUT),
    "answer-of-another-text": at(0),
    "answer-of-another-creation": same_creation,
    "answer-loads-nothing": at(0),
    "get-after-a-cancel-loses-a-property": at(0),
    "get-after-a-cancel-of-another-text": at(0),
    "cancelled-before-it-was-created": at(0),
    "cancelled-in-the-future": at(0),
    "canceller-is-who-started-it": at(0),
    "canceller-is-who-came-first": two_cancellers,
    "canceller-is-another-at-each-call": at(0),
}  # fmt: skip

JOINT_PROOFS: dict[str, Recipe] = {
    **{f"pair-{name}": recipe for name, recipe in pairs().items()},
    **HISTORY,
    "end-revealed-to-a-bad-token": at_final(identity="expired"),
    "end-revealed-to-a-token-of-nobody": at_final(identity="garbage-token"),
    "existence-revealed-to-a-token-of-nobody": at(0, identity="garbage-token"),
    **{f"kept-connection-{name}": recipe for name, recipe in KEPT.items()},
    **{f"neighbours-{name}": recipe for name, recipe in OTHERS.items()},
    **WHOLE,
    **DATES_AND_LISTS,
    **LEFT,
}
