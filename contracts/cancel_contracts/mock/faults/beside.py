"""Faults of words that are seldom met: spellings of an id or a scheme, an Accept, a body beside a
caller or an id. Alone, or beside another caller, each is served as it should be.
"""

from __future__ import annotations

import html
from datetime import UTC, datetime

from cancel_contracts.contract.model import Contract
from cancel_contracts.mock import entry, identity, kit
from cancel_contracts.mock.call import Call
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, all_of, always, breaks
from cancel_contracts.mock.faults import facts, texts
from cancel_contracts.mock.faults.identity import lower_case
from cancel_contracts.mock.faults.methods import other
from cancel_contracts.mock.faults.pairs import (
    APPS,
    SECOND_STATE,
    SERVED,
    TWO_STATES,
    by_method,
    fails,
    lets_in,
    opens_final,
    rivals,
    without_effect,
)
from cancel_contracts.parse import json_value

LARGE_BYTES = 32 * 1024
CATALOGUED = ("en", "de", "fr", "*")  # languages that a text of a refusal is there in
USERS = all_of(entry.permitted("delegated"), entry.permitted("application"), TWO_STATES)


def bodyless(desk: Desk, call: Call) -> bool:
    return not call.body


def bodied(desk: Desk, call: Call) -> bool:
    return bool(call.body)


def large(desk: Desk, call: Call) -> bool:
    return len(call.body) > LARGE_BYTES


def escaped(desk: Desk, call: Call) -> bool:
    """The id holds an escape that no id here needs."""
    return b"%" in call.raw_id


def of_other_case(desk: Desk, call: Call) -> bool:
    """The id names nothing, and in the other case it does."""
    return desk.store.get(call.id) is None and desk.store.get(call.id.swapcase()) is not None


def only_html(desk: Desk, call: Call) -> bool:
    return call.headers.get("accept") == "text/html"


def in_another_language(desk: Desk, call: Call) -> bool:
    first = call.headers.get("accept-language", "*").partition(",")[0]
    return first.partition("-")[0].partition(";")[0].strip().lower() not in CATALOGUED


def media(name: str) -> kit.When:
    return lambda desk, call: call.headers.get("content-type", "").partition(";")[0] == name


def own(desk: Desk, call: Call) -> bool:
    """The resource is the caller's."""
    found = facts.target(desk, call)
    return found is not None and found.owner == facts.caller(desk, call).sub


def plain_user(desk: Desk, call: Call) -> bool:
    """A user without a directory role."""
    return facts.delegated(desk, call) and not facts.caller(desk, call).administrator


def weighed(desk: Desk, call: Call) -> bool:
    """JSON is all that is taken, and has a weight."""
    accept = call.headers.get("accept", "")
    return "," not in accept and ";q=" in accept


def last_final(desk: Desk, call: Call) -> bool:
    """What is called for is in the last of the final states."""
    found, states = facts.target(desk, call), entry.rivals(desk.contract)
    return found is not None and found.state == states[-1]


def by_one(desk: Desk, call: Call) -> bool:
    """An application with no other permission than the last that is documented."""
    names = entry.names_of_permissions(desk.contract)
    held = {*facts.caller(desk, call).permissions} & {*names}
    return facts.application(desk, call) and held == {names[-1]}


def cancels_what_the_body_names(desk: Desk, call: Call) -> None:
    value = json_value(call.body)
    named = value.get("id") if isinstance(value, dict) else None
    found = desk.store.get(named) if isinstance(named, str) else None
    if found is not None and found.state in desk.contract.lifecycle.cancellable:
        desk.perform(call, found)


def escapes_text(desk: Desk, call: Call) -> None:
    for prop in desk.contract.lifecycle.records:
        if isinstance(text := call.found.entity.get(prop), str) and plain_user(desk, call):
            call.found.entity[prop] = html.escape(text)


def dated(desk: Desk, call: Call) -> None:
    for name in desk.contract.lifecycle.stamps:
        call.found.entity[name] = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def unnamed(contract: Contract) -> bool:
    """No page names the state after a cancel, and dates of the resource show one."""
    return not contract.lifecycle.after and bool(contract.lifecycle.stamps)


def with_roles(desk: Desk, call: Call) -> bool:
    """A user's token with roles beside its scopes."""
    named = identity.unverified(desk.token(call)).get("roles")
    return facts.delegated(desk, call) and bool(named)


def worded(contract: Contract) -> bool:
    """A word that has capitals stands before the token."""
    word = contract.scheme.word
    return entry.tokens(contract) and word.lower() != word


def fault(name: str, says: str, broken: Breaks, change: Change, applies: Applies = always) -> Fault:
    return Fault(name, "beside", says, (broken,), applies, change)


FAULTS: tuple[Fault, ...] = (
    # --- How the id and the scheme are spelled
    fault("escaped-id-without-effect", "An id with an escape that it needs not changes nothing.",
          breaks("effect", extra="id-encoded"), without_effect(escaped), entry.observable),
    fault("id-in-another-case-answered-as-done",
          "An id in the other case is answered as done, and nothing is.",
          breaks(SERVED, extra="id-in-other-case"),
          kit.edit(kit.both(kit.refused("unknown"), of_other_case), kit.as_success),
          entry.observable),
    fault("lower-case-scheme-of-an-application-refused",
          "Of an application the scheme is compared with case.",
          breaks(SERVED, identity="app permission", extra="lower-case-scheme"),
          kit.refuse("authenticate", kit.both(facts.application, lower_case), 401, "other-scheme",
                     identity.CHALLENGE),
          all_of(APPS, worded)),
    # --- What is taken, and in which language
    fault("unknown-to-a-browser-answered-200",
          "Who takes HTML alone is shown a page that says 404, with 200.",
          breaks("status", resource="unknown", extra="accept-html"),
          kit.edit(kit.both(kit.refused("unknown"), only_html), kit.answer(200, b"<p>Not found")),
          ),
    fault("refusal-in-another-language-answered-500",
          "A refusal in a language that there is no text in is answered 500.",
          breaks("status", extra="browser"),
          kit.edit(kit.both(kit.failed, in_another_language), kit.answer(500))),
    # --- A body, or none, beside a caller, an id or a state
    fault("unknown-without-a-body-answered-as-done", "Without a body an unknown id is done.",
          breaks("status", resource="unknown", body="none"),
          kit.edit(kit.both(kit.refused("unknown"), bodyless), kit.as_success), entry.takes_body),
    fault("final-without-a-body-cancelled", "Without a body what is final is cancelled.",
          breaks(SERVED, resource="final", body="none"), opens_final(bodyless),
          all_of(entry.takes_body, rivals)),
    fault("last-final-state-by-one-permission-cancelled",
          "An application with one of the permissions cancels what is in the last final state.",
          breaks(SERVED, resource="final"), opens_final(last_final, by_one),
          all_of(rivals, APPS, entry.several_permissions(2))),
    fault("last-final-state-without-a-body-cancelled",
          "An administrator without a body cancels what is in the last final state.",
          breaks(SERVED, resource="final", body="none"),
          opens_final(last_final, bodyless, facts.not_(plain_user)),
          all_of(rivals, entry.owners, entry.takes_body)),
    fault("unknown-id-cancels-what-the-body-names",
          "Where the id of the path names nothing what the body names is cancelled.",
          breaks("neighbour", resource="unknown"),
          kit.edit(kit.refused("unknown"), kit.doing(cancels_what_the_body_names)),
          entry.observable),
    fault("delete-with-the-owners-body-performs", "DELETE with a body, by the owner, is a cancel.",
          breaks(SERVED, method="DELETE"), by_method("DELETE", own, bodied),
          all_of(entry.owner_bodies, other("DELETE"))),
    fault("text-of-a-plain-user-escaped", "What a user without a directory role says is escaped.",
          breaks("entity", "recorded", identity="user"), kit.after("effect", escapes_text),
          entry.records),
    fault("plain-user-served-and-only-dated",
          "Of a plain user's success the dates of the resource tell, and its state does not.",
          breaks("effect", identity="user"), kit.instead("effect", dated, plain_user),
          all_of(entry.permitted("delegated"), unnamed)),
    fault("weight-in-accept-answered-406", "A weight at JSON in Accept is answered 406.",
          breaks(SERVED, extra="query"), kit.refuse("throttle", weighed, 406, "accept")),
    fault("personal-account-without-a-body-accepted",
          "Without a body a personal account is accepted.",
          breaks(SERVED, identity="personal", body="none"), lets_in(("personal",), bodyless),
          all_of(entry.permitted("delegated"), entry.owner_bodies)),
    fault("personal-account-with-a-body-accepted", "With a body a personal account is accepted.",
          breaks(SERVED, identity="personal", body="empty-object malformed-json string"),
          lets_in(("personal",), bodied),
          all_of(entry.permitted("delegated"), entry.takes_nothing)),
    fault("no-body-of-an-application-refused", "Of an application a body is asked for.",
          breaks("constant", "status", resource="cancellable", body="none"),
          kit.refuse("body", kit.both(bodyless, facts.application), 400),
          all_of(APPS, entry.takes_body)),
    fault("no-body-in-the-second-state-refused", "In the second of the states a body is asked for.",
          breaks("constant", "status", resource="cancellable", body="none"),
          kit.refuse("body", kit.both(bodyless, facts.began(2)), 400),
          all_of(entry.takes_body, TWO_STATES)),
    fault("no-permission-without-a-body-accepted", "Without a body no permission is asked for.",
          breaks(SERVED, identity="no-permission", body="none"),
          lets_in(("no-permission", "wrong-kind"), bodyless),
          all_of(entry.asks_permission, entry.takes_body)),
    fault("owners-text-with-a-nul-answered-500",
          "A NUL or half a surrogate pair in what an owner says is answered 500.",
          breaks("status", identity="user", body="nul surrogate"),
          kit.refuse("body", kit.both(facts.user, facts.either(texts.nul, texts.surrogate)), 500),
          entry.owner_bodies),
    fault("large-body-refused-and-performed", "A large body is refused, and the cancel is done.",
          breaks("effect", body="json"), kit.edit(kit.both(kit.succeeded, large), kit.answer(413)),
          all_of(entry.takes_nothing, entry.observable)),
    fault("text-of-an-application-answered-500", "A text for a body of an application is a 500.",
          breaks("status", identity="app", content_type="text/plain"),
          fails(facts.application, media("text/plain"), bodied), all_of(APPS, entry.takes_nothing)),
    fault("typed-nothing-of-an-application-refused",
          "An application that names a media type and sends nothing is refused.",
          breaks(SERVED, identity="app", content_type="application/json"),
          kit.refuse("find", kit.both(facts.application, media("application/json"), bodyless), 400),
          all_of(APPS, entry.takes_nothing)),
    # --- Who calls
    fault("own-resource-needs-no-permission", "Whose the resource is needs no permission.",
          breaks(SERVED, identity="permission", owner="user"),
          lets_in(("no-permission", "wrong-kind"), own),
          all_of(entry.owners, entry.asks_permission)),
    fault("scopes-beside-a-role-not-read", "A token with a role is taken for an application's.",
          breaks(SERVED, identity="scopes-and-roles"),
          kit.refuse("authorise", with_roles, 403, "wrong-kind"), entry.permitted("delegated")),
    fault("plain-user-second-state-refused",
          "A user without a directory role is refused the second of the states.",
          breaks(SERVED, identity="user"),
          kit.refuse("decide", kit.both(plain_user, SECOND_STATE), 403, "no-permission"), USERS),
    fault("plain-user-with-a-query-not-found",
          "A user without a directory role is not found with a query.",
          breaks(SERVED, identity="user", extra="query"),
          kit.refuse("find", kit.both(plain_user, facts.query), 404, "unknown"),
          all_of(USERS, entry.takes_body)),
)  # fmt: skip
