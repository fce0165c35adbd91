"""Variants of a server's habits: what it notes, how it spells, what it takes and refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.responses import is_json
from cancel_contracts.mock import entry, kit, leeway, shape
from cancel_contracts.mock.call import Call, Refusal, Reply
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Change, Variant, all_of, always, observable
from cancel_contracts.mock.faults import facts
from cancel_contracts.mock.faults.requests import odd_method
from cancel_contracts.mock.faults.texts import doubled, marked, nul, surrogate
from cancel_contracts.mock.store import Resource

Entity = dict[str, Any]
LONGEST = 2_000  # characters that a strict server takes
UUID = re.compile(r"(?i)\{?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\}?")


# --- What moves by itself -------------------------------------------------------------------------


def has_last_date(contract: Contract) -> bool:
    return any(shape.is_last_date(name) for name in shape.entity_example(contract))


def note_refusal(desk: Desk, call: Call) -> None:
    """Note that somebody was here, as an audit does."""
    if (found := facts.target(desk, call)) is not None:
        for prop in [name for name in found.entity if shape.is_last_date(name)]:
            found.entity[prop] = shape.now_text()


def moving_on(which: Callable[[Resource], bool]) -> Change:
    """Let what waits begin to run once it has been looked at: both can be cancelled."""

    def change(desk: Desk) -> None:
        states = desk.contract.lifecycle.cancellable

        def view(resource: Resource, entity: Entity) -> Entity:
            if resource.state == states[0] and which(resource):
                desk.put_state(resource, states[1])
            return entity

        desk.views.append(view)

    return change


def counted(desk: Desk) -> None:
    """Show how often it was looked at."""
    looks: dict[str, int] = {}

    def view(resource: Resource, entity: Entity) -> Entity:
        looks[resource.id] = looks.get(resource.id, 0) + 1
        return {**entity, "views": looks[resource.id]}

    desk.views.append(view)


# --- How it is written ----------------------------------------------------------------------------


def dates(how: Callable[[str], str]) -> kit.Touch:
    change = kit.data(lambda desk, call, value: dated(how)(value))
    return lambda desk, call, reply: reply if call.refusal else change(desk, call, reply)


def dated(how: Callable[[str], str]) -> Callable[[Entity], Entity]:
    def change(value: Entity) -> Entity:
        texts = {k: v for k, v in value.items() if shape.is_date(k) and isinstance(v, str)}
        return {**value, **{name: how(text) for name, text in texts.items()}}

    return change


def to_the_second(text: str) -> str:
    return re.sub(r"\.\d+", "", text)


def with_offset(text: str) -> str:
    return text.replace("Z", "+00:00")


def without_nulls(value: Any) -> Any:
    return {k: v for k, v in value.items() if v is not None}


def sorted_names(desk: Desk, call: Call, value: Any) -> Any:
    return dict(sorted(value.items(), reverse=call.turn % 2 == 0))


def escaped(desk: Desk, call: Call, reply: Reply) -> Reply:
    if not reply.body or not is_json(reply.header("Content-Type") or ""):
        return reply
    return replace(reply, body=json.dumps(json.loads(reply.body), indent=2).encode("ascii"))


def named_in_full(desk: Desk, call: Call) -> None:
    """Note who cancelled by kind and name."""
    for prop in shape.told_in(desk.contract, "who"):
        call.found.entity[prop] = f"{call.caller.kind}:{call.caller.sub}@tenant.example"


def applications_as_one(desk: Desk, call: Call) -> None:
    """Note of an application that one cancelled, not which."""
    if call.caller.kind == "application":
        for prop in shape.told_in(desk.contract, "who"):
            call.found.entity[prop] = "an application"


def told_why(desk: Desk, call: Call, reply: Reply) -> Reply:
    """RFC 6750, section 3.1: who came with a token is told what is wrong with it, others not."""
    if "authorization" not in call.headers:
        return reply
    return reply.with_header("WWW-Authenticate", 'Bearer error="invalid_token"')


def every_second_closes(desk: Desk, call: Call, reply: Reply) -> Reply:
    return reply.with_header("Connection", "close") if call.turn % 2 == 0 else reply


def refusals_close(desk: Desk, call: Call, reply: Reply) -> Reply:
    return reply.with_header("Connection", "close") if reply.status >= 400 else reply


def dressed(desk: Desk, call: Call, reply: Reply) -> Reply:
    more = (
        ("Set-Cookie", "node=a; Path=/; HttpOnly"),
        ("Cache-Control", "no-store"),
        ("X-Powered-By", "Example/1.0"),
        ("Vary", "Accept-Encoding"),
    )
    return replace(reply, headers=(*reply.headers, *more))


# --- What is taken, and what is not ---------------------------------------------------------------


def unknown_names(desk: Desk, call: Call) -> bool:
    """The body has a name that is documented nowhere."""
    known = set((shape.documented_body(desk.contract) or {}).get("properties", {}))
    return isinstance(call.json, dict) and bool(set(call.json) - known)


def takes_no_json(desk: Desk, call: Call) -> bool:
    """Whether no media range of Accept is one of JSON (RFC 9110, section 12.5.1)."""
    ranges = call.headers.get("accept", "*/*").lower().split(",")
    names = {each.partition(";")[0].strip() for each in ranges}
    return names.isdisjoint({"application/json", "application/*", "*/*"})


def too_long(desk: Desk, call: Call) -> bool:
    return len(call.body) > LONGEST


def other_parameter(desk: Desk, call: Call) -> bool:
    value = call.headers.get("content-type", "")
    return ";" in value and "charset" not in value.lower()


def mark_taken(desk: Desk, call: Call) -> None:
    """RFC 8259, section 8.1: a reader may pass over a byte order mark."""
    if marked(desk, call):
        call.body = call.body[3:]


def uuids(desk: Desk) -> None:
    """Read an id as a UUID, so that braces, case and dashes do not count."""

    def fold(id_: str) -> str:
        return re.sub("[{}-]", "", id_).lower() if UUID.fullmatch(id_) else id_

    desk.store.fold = fold


def between_blanks(desk: Desk) -> None:
    """Leave blanks around an id away, as readers of UUIDs and databases do."""
    desk.store.fold = str.strip


def without_slash(path: bytes) -> bytes:
    return path.rstrip(b"/")


def unreserved(path: bytes) -> bytes:
    """RFC 3986, section 6.2.2.2: an encoded letter or digit is that letter or digit."""
    return re.sub(
        rb"(?i)%(3[0-9]|4[1-9a-f]|5[0-9a]|6[1-9a-f]|7[0-9a])",
        lambda found: bytes([int(found[1], 16)]),
        path,
    )


def any_case(desk: Desk) -> None:
    kit.read_as(kit.any_case(desk.contract.path))(desk)


def below_the_server(desk: Desk) -> None:
    """Serve the routes below the path of the documented server alone, as the page's URL has it."""
    prefix = desk.contract.server_path.encode()
    kit.read_as(lambda path: path.removeprefix(prefix) if path.startswith(prefix) else b"")(desk)


def slash_redirected(desk: Desk) -> None:
    """Send who ends the path in a slash to the path without, and do nothing else."""

    def act(_: Desk, call: Call) -> None:
        path = call.target.partition(b"?")[0]
        if path.endswith(b"/"):
            raise Refusal(308, "moved", (("Location", without_slash(path).decode("latin-1")),))

    kit.read_as(without_slash)(desk)
    kit.before("method", act)(desk)


def repeated_by_another(desk: Desk, call: Call) -> bool:
    return facts.cancelled(desk, call) and not call.caller.administrator


VARIANTS: tuple[Variant, ...] = (
    Variant("refusals-noted", "The last date moves at refused calls too.",
            all_of(has_last_date, observable), kit.edit(kit.failed, kit.doing(note_refusal))),
    Variant("untouched-move-on", "What nobody has called yet begins to run by itself.",
            all_of(entry.cancellable_states(2), observable),
            moving_on(lambda resource: resource.changed_at == 0)),
    Variant("looks-counted", "A GET tells how often it was asked.", observable, counted),
    Variant("dates-to-the-second", "Dates have no fraction.",
            all_of(observable, leeway.shows_may(dated(to_the_second))),
            kit.finish(dates(to_the_second))),
    Variant("dates-with-offset", "Dates have an offset in place of the Z.",
            all_of(observable, leeway.shows_may(dated(with_offset))),
            kit.finish(dates(with_offset))),
    Variant("nulls-left-out", "What is null is left out.",
            all_of(observable, leeway.shows_may(without_nulls)),
            kit.finish(lambda d, c, r: (
                r if c.refusal else kit.data(lambda d, c, v: without_nulls(v))(d, c, r)))),
    Variant("names-in-changing-order", "The order of names changes.", always,
            kit.finish(kit.data(sorted_names))),
    Variant("json-escaped-and-indented", "JSON is ASCII, over several lines.", always,
            kit.finish(escaped)),
    Variant("canceller-named-in-full", "Who cancelled is noted by kind and name.",
            entry.tells("who"),
            kit.after("effect", named_in_full)),
    Variant("applications-noted-as-one", "Of applications it is noted that one cancelled.",
            all_of(entry.tells("who"), entry.permitted("application")),
            kit.after("effect", applications_as_one)),
    Variant("challenge-tells-why", "The challenge tells why a token is not valid.", entry.tokens,
            kit.edit(kit.answered(401), told_why)),
    Variant("every-second-answer-closes", "A connection carries two calls.", always,
            kit.finish(every_second_closes)),
    Variant("refusals-close", "A refusal ends its connection.", always, kit.finish(refusals_close)),
    Variant("headers-of-a-gateway", "Answers have cookies and headers of a gateway.", always,
            kit.finish(dressed)),
    Variant("unknown-properties-refused", "A body with a name that is not documented is refused.",
            entry.takes_body, kit.refuse("own", unknown_names, 400, "bad-property")),
    Variant("long-bodies-refused", "A body of more than two thousand octets is refused.",
            entry.takes_body, kit.refuse("body", too_long, 413, "long")),
    Variant("other-media-parameters-refused", "Of media type parameters charset alone is taken.",
            entry.takes_body, kit.refuse("media", other_parameter, 415, "media")),
    Variant("byte-order-mark-taken", "A byte order mark before a body is passed over.",
            entry.takes_body, kit.before("body", mark_taken)),
    Variant("names-twice-refused", "A body in which a name comes twice is refused.",
            entry.takes_body, kit.refuse("body", doubled, 400, "bad-json")),
    Variant("control-characters-refused", "A text with a NUL or a lone surrogate is refused.",
            entry.records, kit.refuse("own", facts.either(nul, surrogate), 400, "bad-property")),
    Variant("other-accept-answered-406", "Who does not take JSON is refused.", always,
            kit.refuse("throttle", takes_no_json, 406, "accept")),
    Variant("chunked-nothing-answered-411", "Nothing, sent in chunks, is refused.",
            entry.takes_nothing, kit.refuse("find", facts.chunked, 411, "length")),
    Variant("ids-read-as-uuids", "Ids are read as UUIDs: case, braces and dashes do not count.",
            always, uuids, settles="what ids are alike"),
    Variant("ids-between-blanks", "Blanks around an id do not count.", always, between_blanks,
            settles="what ids are alike"),
    Variant("path-in-any-case", "Paths are compared without case.", always, any_case),
    Variant("path-below-the-server", "Paths begin with that of the documented server's URL.",
            lambda contract: bool(contract.server_path), below_the_server),
    Variant("path-with-a-slash-at-its-end", "A slash at the end of the path makes no difference.",
            always, kit.read_as(without_slash)),
    Variant("path-with-a-slash-redirected", "A slash at the end of the path is redirected.",
            always, slash_redirected),
    Variant("path-with-encoded-letters", "Encoded letters of the path are letters.", always,
            kit.read_as(unreserved)),
    Variant("unheard-of-methods-answered-400", "Methods that nobody knows are a bad request.",
            always, kit.refuse("method", odd_method, 400, "method")),
    Variant("repeat-by-a-user-answered-403", "A user who repeats a cancel is forbidden to.",
            all_of(leeway.final_is_open, leeway.allows(403)),
            kit.refuse("decide", repeated_by_another, 403, "repeated")),
)  # fmt: skip
