"""Faults of three to eight calls at once, on one resource and on several."""

from __future__ import annotations

from collections.abc import Callable

from cancel_contracts.mock import entry, kit
from cancel_contracts.mock.call import Call, Caller, Refusal, Reply
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, always, breaks
from cancel_contracts.mock.faults.races import GAP
from cancel_contracts.mock.store import Resource


def more_than(count: int, status: int) -> Change:
    """Fail where more than so many are under way, on whatever resource."""

    def change(desk: Desk) -> None:
        busy = [0]

        def enter(_: Desk, call: Call) -> None:
            busy[0] += 1
            if busy[0] > count:
                raise Refusal(status, "busy")

        def leave(call: Call, reply: Reply) -> Reply:
            if call.resource is not None and (call.refusal is None or call.why == "busy"):
                busy[0] -= 1
            return reply

        kit.after("decide", enter)(desk)
        kit.pause("effect", GAP)(desk)
        desk.edits.append(leave)

    return change


def shared(take: Callable[[Call], object], put: Callable[[Call, object], None]) -> Change:
    """Keep something of a call where the next one keeps its own, while the call waits."""

    def change(desk: Desk) -> None:
        held: list[object] = [None]

        def keep(_: Desk, call: Call) -> None:
            held[0] = take(call)

        def fetch(_: Desk, call: Call) -> None:
            put(call, held[0])

        kit.after("decide", keep)(desk)
        kit.before("effect", fetch)(desk)
        kit.pause("effect", GAP)(desk)

    return change


def put_resource(call: Call, held: object) -> None:
    call.resource = held if isinstance(held, Resource) else call.resource


def put_caller(call: Call, held: object) -> None:
    call.caller = held if isinstance(held, Caller) else call.caller


def put_json(call: Call, held: object) -> None:
    call.json = held


def answers_mixed(desk: Desk) -> None:
    """Answer with what was written last to those that were under way together."""
    last: list[Reply] = []
    busy: set[int] = set()

    def enter(_: Desk, call: Call) -> None:
        busy.add(call.number)

    def leave(call: Call, reply: Reply) -> Reply:
        crowd = len(busy) > 1
        busy.discard(call.number)
        last.append(reply)
        return last[-2] if crowd and len(last) > 1 else reply

    kit.after("decide", enter)(desk)
    kit.pause("effect", GAP)(desk)
    desk.edits.append(leave)


def third_writes_back(desk: Desk) -> None:
    """Of three at once the third takes the cancel back."""
    busy: dict[str, int] = {}

    def enter(_: Desk, call: Call) -> None:
        busy[call.found.id] = busy.get(call.found.id, 0) + 1

    def effect(_: Desk, call: Call) -> None:
        if call.found.changed_at and busy[call.found.id] > 2:
            desk.put_state(call.found, call.found.first_state)
        elif call.found.changed_at:
            raise Refusal(409, "final")
        else:
            desk.perform(call, call.found)

    kit.after("decide", enter)(desk)
    kit.instead("effect", effect)(desk)
    kit.pause("effect", GAP)(desk)


def permission_shared(desk: Desk) -> None:
    """Let in who is refused while somebody who is not is under way."""
    allowed = [0]

    def enter(_: Desk, call: Call) -> None:
        allowed[0] += 1

    def leave(call: Call, reply: Reply) -> Reply:
        if call.refusal is None:
            allowed[0] -= 1
        return reply

    kit.after("decide", enter)(desk)
    kit.pause("effect", GAP)(desk)
    desk.edits.append(leave)
    kit.forgive("no-permission", "wrong-kind", when=lambda d, c: allowed[0] > 0)(desk)


def fault(
    name: str, says: str, change: Change, applies: Applies = always, broken: Breaks | None = None
) -> Fault:
    race = breaks("race status effect entity", resource="cancellable", call="concurrent")
    return Fault(name, "crowd", says, (broken or race,), applies, change)


FAULTS: tuple[Fault, ...] = (
    fault("crowd-of-three-answered-500", "Of three calls at once the third fails.",
          more_than(2, 500)),
    fault("crowd-of-six-answered-500", "Of six calls at once the sixth fails.", more_than(5, 500)),
    fault("crowd-of-three-brings-back", "Of three calls at once the third takes it back.",
          third_writes_back, entry.observable),
    fault("crowd-strikes-the-last-resource",
          "Of calls at once on several resources all strike the one that came last.",
          shared(lambda call: call.resource, put_resource), entry.observable),
    fault("crowd-mixes-callers", "Calls at once are noted under the caller who came last.",
          shared(lambda call: call.caller, put_caller), entry.sets),
    fault("crowd-mixes-texts", "Of calls at once each keeps the text of the one that came last.",
          shared(lambda call: call.json, put_json), entry.records),
    fault("crowd-mixes-answers", "Of calls at once each is answered as the one before.",
          answers_mixed),
    fault("crowd-lends-permission", "Beside a call that may, one that may not is let in.",
          permission_shared, lambda c: bool(c.permissions),
          breaks("status effect", identity="no-permission permission")),
)  # fmt: skip
