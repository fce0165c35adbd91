"""What is another's is told from what a server says to everybody, or to a caller of itself."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.exchange import Exchange, Received, Sent, Situation
from cancel_contracts.journal import Exchanges, Journal
from cancel_contracts.judge.callers import named, private
from cancel_contracts.judge.context import Context
from cancel_contracts.judge.entity import entity
from cancel_contracts.judge.facets import Finding
from cancel_contracts.judge.moments import in_order
from cancel_contracts.needs import Gap

MACHINE = next(c for c in map(load, shipped()) if c.lifecycle.caller and c.lifecycle.records)
UNKNOWN = Situation(resource="unknown")
KNOWN = Situation(state=MACHINE.lifecycle.cancellable[0])
USUAL = MACHINE.bodies["page"][next(iter(MACHINE.lifecycle.records.values()))]
COMMENT = "Isolated by mistake, says the owner"
AT = 1_700_000_000.0  # when the run began


def call(
    number: int, who: str, status: int, body: Any, situation: Situation = UNKNOWN, **more: Any
) -> Exchange:
    comment = json.dumps({"Comment": more.pop("comment", "nothing of note")}).encode()
    headers = (("Content-Type", "application/json"), *more.pop("headers", ()))
    identity = more.pop("identity", "primary" if who == "admin" else who)
    made = Exchange(
        MACHINE.name, number, 1, "cancel", replace(situation, identity=identity), who,
        f"resource-{'abcdefgh'[number % 8]}", Sent("POST", "http://127.0.0.1/x", (), comment),
        received=Received(status, headers=headers, body=json.dumps(body).encode()),
        started=float(number), seconds=0.01,
    )  # fmt: skip
    return replace(made, **more)


def context(calls: list[Exchange], *, minted: bool = True) -> Context:
    return Context(MACHINE, Journal(MACHINE.name, Exchanges(calls), minted=minted, began=AT))


def told(calls: list[Exchange]) -> list[int]:
    """Return the numbers of the calls whose answers tell of another."""
    found = private(context(calls), calls, True)
    return [i for i in range(len(calls)) if isinstance(f := found[i], Finding) and not f.ok]


def error(text: str) -> dict[str, Any]:
    return {"error": {"code": "NotFound", "message": text}}


def asked(*sentences: tuple[str, str, int], **more: Any) -> list[Exchange]:
    """Return calls by a user, an application and a nobody, and then who is told what."""
    first = [
        call(n, who, 403, error("No.")) for n, who in enumerate(("user", "app", "no-permission"))
    ]
    return first + [
        call(n, who, status, error(text), **more)
        for n, (who, text, status) in enumerate(sentences, 3)
    ]


# --- Names ----------------------------------------------------------------------------------------


def test_a_name_that_differs_in_one_sentence_is_another_callers() -> None:
    said = [("admin", "See the call of user.", 404), ("admin", "See the call of app.", 404)]
    assert told(asked(*said)) == [3, 4]


def test_in_any_member_and_in_a_header() -> None:
    calls = asked(("admin", "No.", 404), ("admin", "No.", 404))
    for n, name in ((3, "user"), (4, "No-Permission")):
        inner = {"error": {"code": "NotFound", "details": [{"by": name}]}}
        calls[n] = call(n, "admin", 404, inner)
    assert told(calls) == [3, 4]
    for n, name in ((3, "user"), (4, "no%2Dpermission")):
        calls[n] = call(n, "admin", 404, error("No."), headers=(("X-Last", f"by {name}"),))
    assert told(calls) == [3, 4]


def test_however_it_is_packed() -> None:
    calls = asked(("admin", "No.", 404), ("admin", "No.", 404))
    for n, name in ((3, "user"), (4, "no-permission")):
        packed = b64encode(f'{{"last": "{name}"}}'.encode()).decode()
        calls[n] = call(n, "admin", 404, error(f"No. {packed}"))
    assert told(calls) == [3, 4]
    for n, name in ((3, "user"), (4, "no-permission")):
        calls[n] = call(n, "admin", 404, error("No."))
        calls[n] = replace(calls[n], received=Received(404, reason=f"Not for {name}"))
    assert told(calls) == [3, 4]


def served(owner: str, *fields: tuple[str, str]) -> list[Exchange]:
    """Return calls for what is an owner's, that succeed, each with one field beside."""
    return [
        call(n, "admin", 200, {"id": "x", "requestor": field[1]}, replace(KNOWN, owner=owner),
             headers=[field])
        for n, field in enumerate(fields, 3)
    ]  # fmt: skip


def test_a_success_names_in_its_fields_the_caller_and_whose_it_is_and_nobody_else() -> None:
    right = served("user", ("X-Of", "user"), ("X-Of", "admin"))
    assert told(asked() + right) == []
    assert told(asked() + served("user", ("X-Before", "user"), ("X-Before", "app"))) == [4]


def test_of_one_name_that_is_the_callers_own_the_other_is_told() -> None:
    said = [("admin", "See the call of admin.", 404), ("admin", "See the call of app.", 404)]
    assert told(asked(*said)) == [4]


def test_whose_it_is_is_told_where_two_users_are_told_of_each_other() -> None:
    said = [("user", "It is of other-user.", 403), ("other-user", "It is of user.", 403)]
    assert told(asked(*said)) == [3, 4]


@pytest.mark.parametrize(
    "said",
    [
        [("admin", "No user may.", 404), ("admin", "No user may.", 404)],
        [("admin", "No user may.", 404), ("app", "No app may.", 404)],
        [("admin", "The user is not known.", 404), ("admin", "The id is not that of an app.", 404)],
        [("user", "A user may not.", 403), ("other-user", "A user may not.", 403)],
        [("user", "user: no.", 403), ("other-user", "other-user: no.", 403)],
        [("admin", "See the app-service.", 404), ("admin", "See the user-service.", 404)],
    ],
)
def test_what_everybody_or_a_kind_of_caller_is_told_is_nobodys(said: list[Any]) -> None:
    assert told(asked(*said)) == []


def test_who_cancelled_a_resource_is_told_to_whoever_may_cancel_it() -> None:
    user, app = asked()[:2]
    late = [
        call(n, "admin", 409, error(f"{name} did."), KNOWN) for n, name in ((3, "user"), (4, "app"))
    ]
    there = [replace(late[0], resource=user.resource), replace(late[1], resource=app.resource)]
    assert told([user, app, *there]) == []
    looked = [
        replace(call(n, "admin", 200, {"id": "x", "by": name}), kind="observe", role="target")
        for n, name in ((3, "user"), (4, "app"))
    ]
    seen = private(context([user, app, *looked, *late]), [user, app, *late], True)
    assert all(isinstance(f, Finding) and f.ok for f in seen.values())
    assert told([user, app, *late]) == [2, 3], "neither has a part in these"


def test_what_the_call_itself_has_said_may_come_back() -> None:
    calls = asked(
        ("admin", "Nothing has the id user.", 404), ("admin", "Nothing has the id app.", 404)
    )
    for n, name in ((3, "user"), (4, "app")):
        calls[n] = replace(calls[n], sent=replace(calls[n].sent, url=f"http://127.0.0.1/{name}/x"))
    assert told(calls) == []


def test_what_is_made_of_the_primarys_token_is_the_primary() -> None:
    said = [("cut-token", "For admin, no.", 404), ("admin", "For user, no.", 404)]
    assert told(asked(*said)) == [4]


# --- Texts ----------------------------------------------------------------------------------------


def test_a_text_that_another_gave_is_told_wherever_nothing_is_to_be_seen() -> None:
    kept = call(0, "user", 200, {"id": "x"}, KNOWN, comment=COMMENT)
    for status in (401, 403, 404):
        assert told([kept, call(1, "admin", status, error(f"No. Last: {COMMENT}"))]) == [1]
    own = call(1, "admin", 404, error(f"No. You said {COMMENT}"), comment=COMMENT)
    assert told([kept, own]) == []


def test_what_looks_show_may_be_the_callers_own() -> None:
    name = "application:Machine.Scan"
    look = replace(
        call(0, "admin", 200, {"id": "x", "cancellationRequestor": name}), kind="observe"
    )
    quoted = call(1, name, 404, error(f"{name}: nothing has that id"))
    found = private(context([look, quoted]), [quoted], True)[0]
    assert isinstance(found, Finding)
    assert found.ok


# --- Who cancelled --------------------------------------------------------------------------------


def cancelled(*rows: tuple[str, str | None]) -> list[Exchange]:
    shown = MACHINE.lifecycle.caller
    return [
        call(n, who, 200, {"id": "x", shown: name}, KNOWN) for n, (who, name) in enumerate(rows)
    ]


def apart(calls: list[Exchange], *, minted: bool = True) -> dict[int, bool | None]:
    """Return of each call that tells whether the name is its own; None where nobody knows."""
    found = named(context(calls, minted=minted), calls, "apart")
    return {i: None if isinstance(f, Gap) else f.ok for i, f in found.items()}


def test_two_callers_under_one_name_are_told() -> None:
    assert apart(cancelled(("admin", "admin"), ("app", "admin"))) == {0: True, 1: False}
    assert apart(cancelled(("admin", "x"), ("user", "x"))) == {0: False, 1: False}


def test_applications_may_share_a_name_and_one_caller_has_one() -> None:
    shared = cancelled(
        ("admin", "ADMIN@x"), ("application:A", "an application"), ("app", "an application")
    )
    assert apart(shared) == {0: True, 1: True, 2: True}
    again = cancelled(("admin", "a"), ("cut-token", "a"), ("user", "b"), ("user", None))
    assert apart(again) == {0: True, 1: True, 2: True}


def test_somebody_of_another_tenant_may_have_a_name_that_is_known_in_ours() -> None:
    abroad = cancelled(("admin", "x"), ("other-tenant", "x"), ("app", "b"))
    assert apart(abroad) == {0: True, 1: True, 2: True}
    applications = cancelled(("admin", "x"), ("app", "b"), ("other-tenant-app", "b"))
    assert apart(applications) == {0: True, 1: True, 2: True}
    at_home = cancelled(("admin", "x"), ("other-tenant", "x"), ("user", "x"))
    assert apart(at_home) == {0: False, 1: False, 2: False}


def test_of_tokens_that_are_lent_or_of_one_caller_alone_nobody_knows() -> None:
    assert apart(cancelled(("admin", "a"), ("user", "a")), minted=False) == {0: None, 1: None}
    assert apart(cancelled(("admin", "a"), ("admin", "b"))) == {0: None, 1: None}


# --- Dates ----------------------------------------------------------------------------------------


def ordered(moment: str, *headers: tuple[str, str]) -> bool | None:
    last = MACHINE.lifecycle.moments[-1]
    said = {"id": "x", MACHINE.lifecycle.moments[0]: "2023-01-01T00:00:00Z", last: moment}
    one = call(1, "admin", 200, said, KNOWN, headers=headers)
    found = entity(context([one]), one, "ordered")
    return found.ok if isinstance(found, Finding) else None


def test_a_date_to_come_is_told_by_the_answers_date_or_else_by_our_clock() -> None:
    assert ordered("2023-11-14T22:13:20Z") is True  # AT, to the second
    assert ordered("2023-11-15T23:13:20Z") is True  # within the doubt of a zone
    assert ordered("2023-11-17T22:13:20Z") is False
    assert ordered("2023-11-17T22:13:20Z", ("Date", "Fri, 17 Nov 2023 22:13:20 GMT")) is True


AT_FIRST = "2023-01-01T00:00:10Z"


@pytest.mark.parametrize(
    ("was", "now", "ok"),
    [
        ("2023-01-01T00:00:10Z", "2023-01-01T00:00:09Z", False),
        ("2023-01-02T00:00:00Z", "1970-01-01T00:00:00Z", False),
        (None, "2023-01-01T00:00:09Z", False),
        ("2023-01-01T00:00:10Z", "2023-01-01T00:00:09.500Z", True),  # rounded otherwise
        ("2023-01-01T00:00:10Z", "2023-01-01T02:00:00+01:00", True),
        ("2023-01-01T00:00:10Z", "2023-01-01T00:00:09", None),  # of an unknown zone
        ("2023-01-01T00:00:09Z", "2023-01-01T00:00:08Z", None),  # by another clock, and before too
        ("2023-01-01T00:00:09Z", "2023-01-01T00:00:09Z", None),
    ],
)
def test_what_a_cancel_sets_to_now_is_not_before_the_first_date(
    was: str | None, now: str, ok: bool | None
) -> None:
    life = MACHINE.lifecycle
    other = next(name for name in life.stamps if name not in life.moments)
    before = {life.moments[0]: AT_FIRST, other: was}
    found = in_order(life, before | {other: now}, before, None)
    assert (found and found.ok) is ok


# --- What another call gave -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "of", "shown", "ok"),
    [
        ("as told on the phone", "y", "as told on the phone", False),
        ("ward 7", "y", "ward 7", False),
        ("as told on the phone", "x", "as told on the phone", True),  # its own, of a call before
        ("as told on the phone", "y", "Cancelled by an operator.", True),  # a house's own words
        ("as told on the phone", "y", None, True),
        ("stop", "y", "stop", True),  # anybody may say so
        (USUAL, "y", USUAL, True),  # a stub may say what the page says
    ],
)
def test_without_a_text_none_that_another_call_gave_is_kept(
    given: str, of: str, shown: str | None, ok: bool
) -> None:
    life = MACHINE.lifecycle
    (name, source), *_ = life.records.items()
    said = Sent("POST", "http://127.0.0.1/x", (), json.dumps({source: given}).encode())
    told = call(1, "admin", 200, {"id": of}, KNOWN, resource=of, sent=said)
    bare = call(2, "admin", 200, {"id": "x", name: shown}, KNOWN, resource="x")
    bare = replace(bare, sent=replace(bare.sent, body=b"{}"))
    found = entity(context([told, bare]), bare, "recorded")
    assert isinstance(found, Finding)
    assert found.ok is ok
