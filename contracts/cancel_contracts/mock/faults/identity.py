"""Faults of who may call: tokens, permissions, kinds of account, owners."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from cancel_contracts.mock import entry, identity, kit, leeway, shape
from cancel_contracts.mock.call import Call, Refusal, Reply
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, all_of, breaks
from cancel_contracts.mock.faults import facts

UNAUTHENTICATED = (
    "anonymous empty-header bare-scheme garbage-token basic-scheme expired bad-signature unsigned"
)

# identity -> the slug of its refusal, what it is
TOKENS: tuple[tuple[str, str, str], ...] = (
    ("anonymous", "anonymous", "A call without a token"),
    ("empty-header", "empty-header", "An empty Authorization header"),
    ("bare-scheme", "bare-scheme", "The word Bearer without a token"),
    ("garbage-token", "garbage-token", "A token that is none"),
    ("basic-scheme", "other-scheme", "A Basic login"),
    ("expired", "expired", "An expired token"),
    ("bad-signature", "bad-signature", "A token with a wrong signature"),
    ("wrong-audience", "wrong-audience", "A token for another audience"),
)
CLAIMED = ("expired", "wrong-audience")  # what a JSON Web Token says of itself
NEAR = Callable[[str, str], bool]  # (held, documented) -> whether a sloppy match takes them for one


def matched(near: NEAR) -> Change:
    """Compare permissions sloppily."""

    def when(desk: Desk, call: Call) -> bool:
        wanted = [p.name for p in desk.contract.permissions if p.kind == call.caller.kind]
        return any(near(held, name) for held in call.caller.permissions for name in wanted)

    return kit.forgive("no-permission", "wrong-kind", when=when)


def permission_refused(index: int) -> Change:
    """Refuse a caller that holds nothing but the nth documented permission."""

    def when(desk: Desk, call: Call) -> bool:
        names = entry.names_of_permissions(desk.contract)
        held = set(call.caller.permissions) & set(names)
        return held == {names[index]}

    return kit.refuse("authorise", when, 403, "no-permission")


def first_only(kind: str) -> Callable[[Desk, Call], None]:
    """Return what reads the first permission alone of a token of this kind."""

    def first(desk: Desk, call: Call) -> None:
        if call.caller.kind == kind:
            call.caller = replace(call.caller, permissions=call.caller.permissions[:1])

    return first


def application(desk: Desk, call: Call) -> bool:
    return call.caller.kind == "application" and not call.caller.trusted


def owner(desk: Desk, call: Call) -> bool:
    return call.caller.owner_only


def lower_case(desk: Desk, call: Call) -> bool:
    scheme = desk.contract.scheme
    return call.headers.get(scheme.name.lower(), "").startswith(f"{scheme.word.lower()} ")


def unsigned_ok(desk: Desk, call: Call) -> None:
    """Read the claims and never look at the signature; all else is checked."""
    claims = identity.unverified(desk.token(call))
    identity.valid(claims, desk.contract.audiences, time.time())
    call.caller = identity.caller_of(claims)


def none_ok(desk: Desk, call: Call) -> None:
    """Let the token say that it needs no signature (`alg` none)."""
    if desk.token(call).endswith("."):
        unsigned_ok(desk, call)
    else:
        call.caller = identity.authenticate(call, desk.contract, desk.key)


def lacks_id(desk: Desk, call: Call) -> bool:
    return isinstance(call.json, dict) and not isinstance(call.json.get("id"), str)


def lacks_other(desk: Desk, call: Call) -> bool:
    """A property beside the id that owners must send is missing or null."""
    required = _owners(desk).get("required", [])
    return isinstance(call.json, dict) and any(
        call.json.get(p) is None for p in required if p != "id"
    )


def wrong_value(desk: Desk, call: Call) -> bool:
    """Everything is there, as text, and a value is not the documented one."""
    required = _owners(desk).get("required", [])
    return isinstance(call.json, dict) and all(isinstance(call.json.get(p), str) for p in required)


def _owners(desk: Desk) -> Mapping[str, Any]:
    return shape.owner_schema(desk.contract) or {}


def fault(
    name: str,
    says: str,
    broken: tuple[Breaks, ...],
    change: Change,
    applies: Applies = entry.tokens,
) -> Fault:
    return Fault(name, "identity", says, broken, applies, change)


def apart(name: str) -> Applies:
    """The identity is told from the others: to an API key another scheme is no credentials."""
    scheme = entry.web_tokens if name in CLAIMED else entry.knows(name)
    return lambda c: scheme(c) and (name != "basic-scheme" or bool(c.scheme.word))


def accepted(name: str) -> tuple[Breaks, ...]:
    return (breaks("status effect", identity=name),)


def stranger(desk: Desk, call: Call) -> bool:
    """The id names nothing."""
    try:
        desk.lookup(call)
    except Refusal:
        return True
    return False


def not_found(desk: Desk, call: Call, reply: Reply) -> Reply:
    return desk.refuse(call, Refusal(404, "unknown"))


def nothing_there(desk: Desk, call: Call, value: Any) -> Any:
    return {**value, "error": {**value["error"], "code": "NoSuchResource"}}


def somebodys(desk: Desk, call: Call) -> bool:
    """The resource is owned by another than the caller."""
    return not call.caller.owner_only and call.found.owner is not None


OWN = (breaks("status effect", identity="user", body="json empty-object none"),)
PERMITTED = (breaks("status effect accepts", identity="permission"),)
NEAR_PERMISSION = (breaks("status effect", identity="permission"),)
TO_THE_ANONYMOUS = kit.refused("anonymous")

FAULTS: tuple[Fault, ...] = (
    *(fault(f"{name}-accepted", f"{what} is accepted.", accepted(name), kit.forgive(why),
            apart(name))
      for name, why, what in TOKENS if name != "bad-signature"),
    fault("bad-signature-accepted", "The signature of a token is never looked at.",
          accepted("bad-signature"), kit.instead("authenticate", unsigned_ok),
          entry.web_tokens),
    fault("unsigned-accepted", "A token that names no algorithm needs no signature.",
          accepted("unsigned"), kit.instead("authenticate", none_ok), entry.web_tokens),
    fault("lower-case-scheme-refused", "The scheme is compared with case: bearer is refused.",
          (breaks("status effect", extra="lower-case-scheme"),),
          kit.refuse("authenticate", lower_case, 401, "other-scheme", identity.CHALLENGE),
          lambda c: entry.tokens(c) and c.scheme.word.lower() != c.scheme.word),
    *(fault(f"anonymous-answered-{code}", f"A call without a token is answered {code}.",
            (breaks("status", identity="anonymous"),), kit.recode("anonymous", code))
      for code in (403, 500)),
    fault("anonymous-answered-200", "A call without a token is answered with an empty 200.",
          (breaks("status", identity="anonymous"),), kit.edit(TO_THE_ANONYMOUS, kit.answer(200))),
    fault("garbage-token-answered-500", "A token that is none is answered 500.",
          (breaks("status", identity="garbage-token"),), kit.recode("garbage-token", 500)),
    fault("no-permission-accepted", "A token without any listed permission is accepted.",
          accepted("no-permission permission"), kit.forgive("no-permission"),
          lambda c: bool(c.permissions)),
    fault("no-permission-answered-401", "A token without permission is answered 401.",
          (breaks("status", identity="no-permission permission"),),
          kit.recode("no-permission", 401, identity.CHALLENGE), lambda c: bool(c.permissions)),
    fault("application-accepted", "An application is accepted, where none is supported.",
          accepted("app"), kit.forgive("wrong-kind", "no-permission", when=application),
          all_of(entry.permitted("delegated"), entry.not_(entry.permitted("application")))),
    fault("personal-account-accepted", "A personal account is accepted.",
          accepted("personal"), kit.forgive("personal"), entry.permitted("delegated")),
    *(fault(f"permission-{n + 1}-refused", "One of the permissions does not suffice alone.",
            PERMITTED, permission_refused(n), entry.several_permissions(n + 1))
      for n in range(7)),
    fault("application-refused",
          "Applications are refused, though the page lists their permission.",
          (breaks("status effect", identity="app permission"),),
          kit.refuse("authorise", application, 403, "wrong-kind"),
          all_of(entry.permitted("application"), entry.permitted("delegated"))),
    fault("permission-matched-by-prefix", "A longer or shorter name passes for the permission.",
          NEAR_PERMISSION,
          matched(lambda held, name: held.startswith(name) or name.startswith(held)),
          lambda c: bool(c.permissions)),
    fault("permission-matched-by-substring", "A name that contains the permission passes for it.",
          NEAR_PERMISSION, matched(lambda held, name: name in held), lambda c: bool(c.permissions)),
    fault("permission-matched-by-first-word", "Any permission on the same things passes for it.",
          accepted("no-permission permission"),
          matched(lambda held, name: held.split(".")[0] == name.split(".")[0]),
          lambda c: bool(c.permissions)),
    fault("application-with-another-audience-accepted",
          "Of applications nobody looks at which API their tokens are for.",
          accepted("wrong-audience-app"), kit.forgive("wrong-audience", when=facts.application),
          all_of(entry.web_tokens, entry.permitted("application"), entry.permitted("delegated"),
                 entry.not_(entry.either_kind_of_one))),
    fault("only-first-scope-read", "Of several scopes only the first is read.", PERMITTED,
          kit.after("authenticate", first_only("delegated")),
          all_of(entry.permitted("delegated"), entry.not_(entry.permitted("application")))),
    fault("only-first-role-read", "Of several roles of an application only the first is read.",
          (breaks("status effect", identity="app permission"),),
          kit.after("authenticate", first_only("application")), entry.permitted("application")),
    fault("owner-refused", "A user is refused the cancel of what is theirs.",
          (breaks("status effect accepts", identity="user"),),
          kit.refuse("own", owner, 403, "not-owner"), entry.owners),
    fault("anothers-resource-cancelled", "A user may cancel what is another's.",
          accepted("other-user"), kit.forgive("not-owner"), entry.owners),
    fault("owner-body-missing-accepted", "An owner's call without a body is accepted.", OWN,
          kit.forgive("owner-body-missing"), entry.owner_bodies),
    fault("owner-body-without-id-accepted", "An owner's body without the id is accepted.", OWN,
          kit.forgive("owner-body-schema", when=lacks_id), entry.owner_bodies),
    fault("owner-body-without-property-accepted", "An owner's body without the rest is accepted.",
          OWN, kit.forgive("owner-body-schema", when=lacks_other), entry.owner_bodies),
    fault("owner-body-wrong-value-accepted", "An owner's body with another value is accepted.", OWN,
          kit.forgive("owner-body-schema", when=wrong_value), entry.owner_bodies),
    fault("owner-body-of-another-accepted",
          "An owner's body with another resource's id is accepted.", OWN,
          kit.forgive("owner-body-id"), entry.owner_bodies),
    fault("unauthenticated-yet-performed",
          "A call without a valid token is answered 401, and done.",
          (breaks("effect", identity=UNAUTHENTICATED),),
          kit.edit(kit.answered(401), kit.performed), all_of(entry.tokens, entry.observable)),
    fault("forbidden-yet-performed", "A call without permission is answered 403, and done.",
          (breaks("effect", identity="no-permission personal other-user"),),
          kit.edit(kit.refused("no-permission", "wrong-kind", "personal", "not-owner"),
          kit.performed), all_of(entry.observable, lambda c: bool(c.permissions))),
    fault("existence-revealed", "Who has no token learns from a 404 that an id is unknown.",
          (breaks("status", resource="unknown", identity="anonymous"),),
          kit.order("find", "authenticate", "authorise", "throttle")),
    fault("existence-revealed-in-code", "Who has no token learns from the code what exists.",
          (breaks("alike", resource="unknown", identity="anonymous"),),
          kit.edit(kit.both(TO_THE_ANONYMOUS, stranger), kit.data(nothing_there)),
          all_of(entry.tokens, leeway.coded(401))),
    fault("existence-revealed-to-a-bad-token", "A token that is not valid is looked at too late.",
          (breaks("status", resource="unknown", identity="garbage-token expired"),),
          kit.edit(kit.both(kit.refused("garbage-token", "expired"), stranger), not_found),
          entry.tokens),
    fault("end-revealed-to-a-bad-token", "A token that is not valid learns what has ended.",
          (breaks("alike", resource="final", identity="garbage-token expired"),),
          kit.edit(kit.both(kit.refused("garbage-token", "expired"), facts.final), kit.status(409)),
          entry.tokens),
    fault("end-revealed-to-a-token-of-nobody", "A token of nobody learns what has ended.",
          (breaks("alike", resource="final", identity="garbage-token"),),
          kit.edit(kit.both(kit.refused("garbage-token"), facts.final), kit.status(409)),
          entry.tokens),
    fault("existence-revealed-to-a-token-of-nobody", "A token of nobody learns what exists.",
          (breaks("alike", resource="cancellable", identity="garbage-token"),),
          kit.edit(kit.both(kit.refused("garbage-token"), facts.open_), kit.status(403)),
          entry.tokens),
    fault("anothers-resource-refused-to-all",
          "What is somebody's not even an administrator cancels.",
          (breaks("status effect", identity="primary", owner="user"),),
          kit.refuse("own", somebodys, 403, "not-owner"), entry.owners),
)  # fmt: skip
