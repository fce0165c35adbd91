"""The grips by which entries of the catalogue take hold of a desk's seams.

A fault is put together from three things: *when* (a question to a call), *touches* (what becomes of
the answer) and *changes* (what is done to the desk). Each is a line or two in a table.
Knows no contract.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cancel_contracts.contract import path_template
from cancel_contracts.contract.places import closed, opened
from cancel_contracts.contract.responses import is_json
from cancel_contracts.mock.call import Call, Headers, Refusal, Reply, to_json
from cancel_contracts.mock.desk import Desk, Step
from cancel_contracts.mock.entry import Change

When = Callable[[Desk, Call], bool]
Touch = Callable[[Desk, Call, Reply], Reply]
Act = Callable[[Desk, Call], None]
Reads = Callable[[bytes], bytes]  # the path of a route in a path as it came

# --- When -----------------------------------------------------------------------------------------


def every(desk: Desk, call: Call) -> bool:
    return True


def succeeded(desk: Desk, call: Call) -> bool:
    return call.refusal is None


def refused(*whys: str) -> When:
    """The call was refused for one of these reasons."""
    return lambda desk, call: call.why in whys


def failed(desk: Desk, call: Call) -> bool:
    """The call was refused, and is told so in an envelope."""
    return call.refusal is not None and call.refusal.status >= 400


def answered(status: int) -> When:
    """The call was refused with this status."""
    return lambda desk, call: call.refusal is not None and call.refusal.status == status


def both(*whens: When) -> When:
    return lambda desk, call: all(when(desk, call) for when in whens)


def method(name: str) -> When:
    return lambda desk, call: call.method == name


def nth(turn: int) -> When:
    """Every so many calls on the route."""
    return lambda desk, call: call.number % turn == 0


def later_turn(desk: Desk, call: Call) -> bool:
    """The call is not the first on its connection."""
    return call.turn > 1


# --- Changes --------------------------------------------------------------------------------------


def together(*changes: Change) -> Change:
    def change(desk: Desk) -> None:
        for one in changes:
            one(desk)

    return change


def edit(when: When, *touches: Touch) -> Change:
    """Touch the finished answers of calls on the cancel route."""
    return lambda desk: desk.edits.append(_touched(desk, when, touches))


def finish(*touches: Touch) -> Change:
    """Touch every answer, those of a GET included."""
    return lambda desk: desk.finishes.append(_touched(desk, every, touches))


def _touched(desk: Desk, when: When, touches: tuple[Touch, ...]) -> Callable[[Call, Reply], Reply]:
    def apply(call: Call, reply: Reply) -> Reply:
        if when(desk, call):
            for touch in touches:
                reply = touch(desk, call, reply)
        return reply

    return apply


def forgive(*whys: str, when: When = every) -> Change:
    """Overlook refusals: the step counts as passed."""
    return lambda desk: desk.forgives.append(
        lambda call, refusal: refusal.why in whys and when(desk, call)
    )


def refuse(
    step: str, when: When, status: int, why: str = "faulty", headers: Headers = ()
) -> Change:
    """Refuse some calls before a step."""

    def act(desk: Desk, call: Call) -> None:
        if when(desk, call):
            raise Refusal(status, why, headers)

    return before(step, act)


def around(step: str, outer: Callable[[Desk, Call, Step], None]) -> Change:
    """Put something around a step, which is given as it was."""
    return lambda desk: desk.wrap(step, lambda call, inner: outer(desk, call, inner))


def before(step: str, act: Act) -> Change:
    def outer(desk: Desk, call: Call, inner: Step) -> None:
        act(desk, call)
        inner(call)

    return around(step, outer)


def after(step: str, act: Act) -> Change:
    def outer(desk: Desk, call: Call, inner: Step) -> None:
        inner(call)
        act(desk, call)

    return around(step, outer)


def instead(step: str, act: Act, when: When = every) -> Change:
    """Do something else than a step, for some calls."""

    def outer(desk: Desk, call: Call, inner: Step) -> None:
        if when(desk, call):
            act(desk, call)
        else:
            inner(call)

    return around(step, outer)


def recode(why: str, status: int, headers: Headers = ()) -> Change:
    """Answer a refusal with another status; the envelope goes with it."""

    def touch(desk: Desk, call: Call, reply: Reply) -> Reply:
        return desk.refuse(call, Refusal(status, why, headers))

    return edit(refused(why), touch)


def order(*steps: str) -> Change:
    return lambda desk: desk.order(*steps)


def read_as(reads: Reads) -> Change:
    """Take another spelling of the path for the route."""

    def change(desk: Desk) -> None:
        earlier = desk.reroute
        desk.reroute = lambda path: reads(earlier(path))

    return change


def any_case(template: str) -> Reads:
    """Read the path of a template as it is written, in whatever case it comes."""
    first, *rest = [piece.encode() for piece in path_template.pieces(template)[0]]

    def reads(path: bytes) -> bytes:
        found = path_template.pattern(template, any_case=True).fullmatch(path)
        if not found:
            return path
        return first + b"".join(map(bytes.__add__, found.groups(), rest))

    return reads


def pause(step: str, seconds: float) -> Change:
    return lambda desk: desk.pauses.update({step: seconds})


# --- Touches --------------------------------------------------------------------------------------


def status(code: int) -> Touch:
    """Change the status and leave the rest, but a body that the status cannot have."""
    return lambda desk, call, reply: (
        replace(reply, status=code)
        if code not in (204, 304)
        else replace(reply.without("Content-Type"), status=code, body=b"")
    )


def answer(code: int, payload: bytes = b"", media: str | None = None) -> Touch:
    """Answer something else altogether, under the same request ids."""
    return lambda desk, call, reply: Reply(code, desk.trace(call)).with_body(payload, media)


def payload(data: bytes, media: str | None = "application/json") -> Touch:
    return lambda desk, call, reply: reply.with_body(data, media)


def data(change: Callable[[Desk, Call, Any], Any]) -> Touch:
    """Change the JSON object of an answer; an answer that is none stays."""

    def touch(desk: Desk, call: Call, reply: Reply) -> Reply:
        if not reply.body or not is_json(reply.header("Content-Type") or ""):
            return reply
        if not isinstance(value := json.loads(reply.body), dict):
            return reply
        ways = desk.contract.lifecycle.ways
        made = change(desk, call, opened(value, ways))
        return replace(reply, body=to_json(closed(made, ways) if isinstance(made, dict) else made))

    return touch


def raw(change: Callable[[bytes], bytes]) -> Touch:
    return lambda desk, call, reply: replace(reply, body=change(reply.body))


def drop(*names: str) -> Touch:
    return lambda desk, call, reply: reply.without(*names)


def header(name: str, value: str) -> Touch:
    return lambda desk, call, reply: reply.with_header(name, value)


def unframed(desk: Desk, call: Call, reply: Reply) -> Reply:
    """Declare no length, so that the HTTP library chunks the body."""
    return replace(reply, framed=reply.status in (204, 304))


def wire(script: str) -> Touch:
    """Let the answer leave the server by a script of scripts.py."""
    return lambda desk, call, reply: replace(reply, wire=script)


def doing(act: Act) -> Touch:
    """Do something once the call is answered, and leave the answer."""

    def touch(desk: Desk, call: Call, reply: Reply) -> Reply:
        act(desk, call)
        return reply

    return touch


def performed(desk: Desk, call: Call, reply: Reply) -> Reply:
    """Do what the answer denies: cancel the resource of the path, whatever the refusal."""
    try:
        resource = desk.lookup(call)
    except Refusal:
        return reply
    if call.why == "final" or resource.state in desk.contract.lifecycle.cancellable:
        desk.perform(call, resource)
    return reply


def as_success(desk: Desk, call: Call, reply: Reply) -> Reply:
    """Answer as a success is answered; a resource that is not there is made up."""
    return desk.success(call, shown(desk, call) if desk.has_body else None)


def with_entity(desk: Desk, call: Call, reply: Reply) -> Reply:
    """Answer 200 with the entity, whatever success is documented to look like."""
    return Reply(200, desk.trace(call)).with_json(desk.whole(shown(desk, call)))


def shown(desk: Desk, call: Call) -> dict[str, Any]:
    """Return the entity of a call's resource, or a made-up one under the id that was asked for."""
    try:
        return dict((call.resource or desk.lookup(call)).entity)
    except Refusal:
        scratch = desk.create(desk.after, None)
        desk.store.drop(scratch.id)
        return {**scratch.entity, "id": call.id}
