"""Faults of two cancels at once: a pause between deciding and acting lets them in together."""

from __future__ import annotations

from cancel_contracts.mock import kit
from cancel_contracts.mock.call import Call, Refusal, Reply
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Change, Fault, always, breaks, observable

GAP = 0.25  # seconds between deciding and acting: long enough for two to meet on a busy machine
RACE = (breaks("race status", resource="cancellable", call="concurrent"),)


def one_at_a_time(desk: Desk) -> None:
    """Answer 500 to a cancel that comes while another of the same resource is under way."""
    busy: set[str] = set()

    def enter(_: Desk, call: Call) -> None:
        if call.found.id in busy:
            raise Refusal(500, "busy")
        busy.add(call.found.id)

    def leave(call: Call, reply: Reply) -> Reply:
        if call.why is None and call.resource:
            busy.discard(call.resource.id)
        return reply

    kit.after("decide", enter)(desk)
    desk.edits.append(leave)
    kit.pause("effect", GAP)(desk)


def lost_update(desk: Desk) -> None:
    """Let the later of two writers put back the state that it read before the earlier wrote."""
    read: dict[int, tuple[float, str]] = {}

    def look(_: Desk, call: Call) -> None:
        read[call.number] = (call.found.changed_at, call.found.state)

    def put_back(_: Desk, call: Call) -> None:
        stamp, state = read.pop(call.number)
        stale = stamp != call.found.changed_at
        desk.perform(call, call.found)
        if stale:
            desk.put_state(call.found, state)

    kit.after("decide", look)(desk)
    kit.instead("effect", put_back)(desk)
    kit.pause("effect", GAP)(desk)


def fault(name: str, says: str, change: Change, applies: Applies = always) -> Fault:
    return Fault(name, "races", says, RACE, applies, change)


FAULTS: tuple[Fault, ...] = (
    fault("race-both-take-effect", "Of two simultaneous cancels both are let in and take effect.",
          kit.pause("effect", GAP)),
    fault("race-answered-500", "One of two simultaneous cancels is answered 500.", one_at_a_time),
    fault("race-leaves-mixed-state",
          "After two simultaneous cancels that succeed the state is the former.",
          lost_update, observable),
)  # fmt: skip
