"""Faults of headers, and of a query, that nobody asks for and that must not matter."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

from cancel_contracts.mock import entry, kit
from cancel_contracts.mock.call import Call
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, always, breaks
from cancel_contracts.mock.faults import facts
from cancel_contracts.mock.faults.methods import other
from cancel_contracts.mock.faults.pairs import fails, lets_in, nothing, without_effect

LOCAL = re.compile(r"127\.0\.0\.1|localhost|10\.|::1")
OVERRIDES = ("x-http-method-override", "x-http-method", "x-method-override")


def overridden(desk: Desk, call: Call) -> None:
    """Let a header say which method it is."""
    for name in OVERRIDES:
        if name in call.headers:
            call.method = call.headers[name].upper()


def forwarded(desk: Desk, call: Call) -> bool:
    """A header says that the call comes from within."""
    names = ("x-forwarded-for", "x-real-ip", "forwarded", "x-client-ip", "true-client-ip")
    return any(LOCAL.search(call.headers.get(name, "")) for name in names)


def foreign_accept(desk: Desk, call: Call) -> bool:
    value = call.headers.get("accept", "application/json")
    return not re.search(r"application/json(?!;)", value)


def named_by_header(desk: Desk, call: Call) -> None:
    """Let a header say who calls."""
    for name in ("x-ms-client-principal-name", "x-user", "x-forwarded-user", "x-remote-user"):
        if name in call.headers:
            call.caller = replace(call.caller, sub=call.headers[name], administrator=True)


def seen_before(desk: Desk) -> None:
    """Take a call for another where both have one client-request-id."""
    seen: set[str] = set()

    def again(desk: Desk, call: Call) -> bool:
        id_ = call.headers.get("client-request-id", "")
        known = id_ in seen
        seen.update({id_} - {""})
        return known

    without_effect(again)(desk)


def id_in_query(desk: Desk, call: Call) -> bool:
    return not {"id", desk.contract.id.name}.isdisjoint(call.query)


def id_of_the_query(when: kit.When, names: Callable[[Desk], str] = lambda desk: "id") -> Change:
    """Let an id in the query stand in for that of the path."""

    def act(desk: Desk, call: Call) -> None:
        id_ = call.query.get(names(desk))
        if id_ is not None and when(desk, call):
            call.raw_id = quote(id_, safe="").encode("ascii")

    return kit.before("find", act)


def shown_on_demand(when: kit.When) -> Change:
    """Show the resource to whoever prefers it."""
    asked = facts.has("prefer", "return=representation")
    return kit.edit(kit.both(kit.succeeded, asked, when), kit.with_entity)


def browser(desk: Desk, call: Call) -> bool:
    return "Mozilla" in call.headers.get("user-agent", "")


def other_media_case(desk: Desk, call: Call) -> bool:
    value = call.headers.get("content-type", "")
    return value != value.lower() and "charset" not in value.lower()


def quoted_parameter(desk: Desk, call: Call) -> bool:
    return '="' in call.headers.get("content-type", "")


def fault(name: str, says: str, broken: Breaks, change: Change, applies: Applies = always) -> Fault:
    return Fault(name, "neutral headers", says, (broken,), applies, change)


SERVED = breaks("status effect", resource="cancellable")
LET_IN = breaks("status effect", identity="anonymous no-permission permission")
ASKED = breaks("status effect", resource="cancellable", extra="query")
BODY = breaks("body", extra="browser", answer="2xx")
MEDIA = breaks("status effect", content_type="application/json; charset=utf-8")
FAULTS: tuple[Fault, ...] = (
    fault("accept-anything-answered-500", "Who accepts anything is answered 500.", SERVED,
          fails(facts.has("accept", "*/*"))),
    fault("accept-another-type-without-effect", "Who accepts something else changes nothing.",
          SERVED, without_effect(foreign_accept), entry.observable),
    fault("no-accept-refused", "Who does not say what is accepted is refused with 400.", SERVED,
          kit.refuse("find", facts.without("accept"), 400)),
    fault("accept-language-answered-500", "Who asks for a language is answered 500.", SERVED,
          fails(facts.has("accept-language"))),
    fault("accept-encoding-without-effect", "Who takes compressed answers changes nothing.",
          SERVED, without_effect(facts.has("accept-encoding", "gzip")), entry.observable),
    fault("user-agent-of-a-browser-refused", "Browsers are refused.", SERVED,
          kit.refuse("find", browser, 403)),
    fault("no-user-agent-refused", "Who does not name a program is refused.", SERVED,
          kit.refuse("find", facts.without("user-agent"), 403)),
    fault("no-client-request-id-answered-500", "A call without client-request-id fails.", SERVED,
          fails(facts.without("client-request-id"))),
    fault("client-request-id-seen-before-without-effect",
          "A client-request-id that came before makes a call that changes nothing.", SERVED,
          seen_before, entry.observable),
    fault("method-override-obeyed", "A header says which method a POST is.", SERVED,
          kit.before("method", overridden)),
    fault("method-override-performs-a-get", "A GET with a header that says POST is a cancel.",
          breaks("status effect", method="GET"), kit.before("method", lambda d, c: (
              overridden(d, c) if c.method == "GET" else None)), other("GET")),
    fault("forwarded-from-within-needs-no-token", "Who says to come from within needs no token.",
          LET_IN, lets_in(("anonymous",), forwarded), entry.tokens),
    fault("forwarded-from-within-needs-no-permission",
          "Who says to come from within needs no permission.", LET_IN,
          lets_in(("no-permission", "wrong-kind"), forwarded), lambda c: bool(c.permissions)),
    fault("header-names-the-caller", "A header says who calls.",
          breaks("status effect", identity="other-user", extra="from-within"),
          kit.after("authenticate", named_by_header), entry.owners),
    fault("original-url-header-needs-no-token", "A header that names another path opens this one.",
          LET_IN, lets_in(("anonymous",), facts.either(
              facts.has("x-original-url"), facts.has("x-rewrite-url"))), entry.tokens),
    fault("cookie-answered-500", "A cookie is answered 500.", SERVED, fails(facts.has("cookie"))),
    fault("query-without-effect", "A query makes a call that changes nothing.", SERVED,
          without_effect(facts.query), entry.observable),
    fault("query-of-a-user-without-effect", "A user's call with a query changes nothing.",
          breaks("status effect", identity="user", extra="query"),
          without_effect(kit.both(facts.user, facts.query)),
          entry.all_of(entry.observable, entry.permitted("delegated"), entry.not_(entry.owners))),
    fault("query-answered-500", "A query is answered 500.", SERVED, fails(facts.query)),
    fault("query-id-is-the-id", "An id in the query stands in for that of the path.", ASKED,
          id_of_the_query(kit.every)),
    fault("query-parameter-of-the-path-is-the-id",
          "The parameter of the path is read from the query, where it stands there too.", ASKED,
          id_of_the_query(kit.every, lambda desk: desk.contract.id.name)),
    fault("query-id-of-an-application-is-the-id",
          "An application's id in the query stands in for that of the path.", ASKED,
          id_of_the_query(facts.application), entry.permitted("application")),
    fault("query-id-without-effect", "An id in the query makes a call that changes nothing.", ASKED,
          without_effect(id_in_query), entry.observable),
    fault("preferred-representation-shown", "Who prefers to see the resource sees it.", BODY,
          shown_on_demand(kit.every), entry.empty),
    fault("preferred-representation-shown-in-the-second-state",
          "Who prefers to see the resource sees it, cancelled from the second of the states.", BODY,
          shown_on_demand(facts.began(2)), entry.all_of(entry.empty, entry.cancellable_states(2))),
    fault("dry-run-header-without-effect", "Prefer makes a call that changes nothing.", SERVED,
          kit.instead("effect", nothing, facts.has("prefer")), entry.observable),
    fault("origin-answered-500", "A call that names its origin is answered 500.",
          breaks("status", extra="origin"), fails(facts.has("origin"))),
    fault("origin-without-effect", "A call that names its origin changes nothing.",
          breaks("effect", extra="origin"), without_effect(facts.has("origin")),
          entry.observable),
    fault("media-type-in-capitals-refused", "A media type in capitals is refused.", MEDIA,
          kit.refuse("media", other_media_case, 415, "media"), entry.takes_body),
    fault("media-type-with-quotes-refused", "A charset in quotes is refused.", MEDIA,
          kit.refuse("media", quoted_parameter, 415, "media"), entry.takes_body),
)  # fmt: skip
