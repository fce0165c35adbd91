"""Faults of three to eight calls at once, on one resource and on several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from cancel_contracts.mock import entry, kit
from cancel_contracts.mock.call import Call, Refusal, Reply
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, always, breaks
from cancel_contracts.mock.faults.history import back

GAP = 0.2  # seconds that every call waits: enough for calls that are sent at once to meet


def together(*, enter: kit.Act, leave: Callable[[Call, Reply], Reply] | None = None) -> Change:
    """Keep every call waiting once it may come in. What follows is done without a pause, so that
    two calls alone come out in some order.
    """

    def change(desk: Desk) -> None:
        kit.after("authorise", enter)(desk)
        kit.pause("throttle", GAP)(desk)
        if leave is not None:
            desk.edits.append(leave)

    return change


def more_than(count: int, status: int) -> Change:
    """Fail where more than so many are under way, on whatever resource."""

    def change(desk: Desk) -> None:
        busy: set[int] = set()

        def enter(_: Desk, call: Call) -> None:
            busy.add(call.number)
            if len(busy) > count:
                raise Refusal(status, "busy")

        def leave(call: Call, reply: Reply) -> Reply:
            busy.discard(call.number)
            return reply

        together(enter=enter, leave=leave)(desk)

    return change


def shared(name: str) -> Change:
    """Keep something of a call where the next one keeps its own, while the call waits."""

    def change(desk: Desk) -> None:
        held: list[object] = [None]

        def keep(_: Desk, call: Call) -> None:
            held[0] = getattr(call, name)

        together(enter=keep)(desk)
        kit.before("throttle", lambda _, call: setattr(call, name, held[0]))(desk)

    return change


def answers_mixed(desk: Desk) -> None:
    """Answer with what was written last to those that were under way together."""
    last: list[Reply] = []
    busy: set[int] = set()

    def leave(call: Call, reply: Reply) -> Reply:
        crowd = len(busy) > 1
        busy.discard(call.number)
        last.append(reply)
        return last[-2] if crowd and len(last) > 1 else reply

    together(enter=lambda _, call: busy.add(call.number), leave=leave)(desk)


def third_writes_back(desk: Desk) -> None:
    """Of three at once on one resource the third takes the cancel back."""
    busy: Counter[bytes] = Counter()
    late: Counter[bytes] = Counter()

    def leave(call: Call, reply: Reply) -> Reply:
        if busy[call.raw_id] > 2 and call.why == "final":
            late[call.raw_id] += 1
            if late[call.raw_id] == 2:
                back(desk, call)
        return reply

    together(enter=lambda _, call: busy.update([call.raw_id]), leave=leave)(desk)


def permission_shared(desk: Desk) -> None:
    """Let in who is refused while somebody who is not is under way, whoever of them came first."""
    allowed: set[int] = set()
    refused: dict[int, Refusal] = {}
    lent: set[int] = set()

    def enter(_: Desk, call: Call) -> None:
        allowed.add(call.number)
        lent.update(refused)

    def forgive(call: Call, refusal: Refusal) -> bool:
        """Have whoever is refused wait as the others do."""
        if refusal.why not in ("no-permission", "wrong-kind"):
            return False
        refused[call.number] = refusal
        if allowed:
            lent.add(call.number)
        return True

    def decide(_: Desk, call: Call) -> None:
        refusal = refused.pop(call.number, None)
        if refusal is not None and call.number not in lent:
            raise refusal

    def leave(call: Call, reply: Reply) -> Reply:
        allowed.discard(call.number)
        return reply

    together(enter=enter, leave=leave)(desk)
    desk.forgives.append(forgive)
    kit.before("throttle", decide)(desk)


def fault(
    name: str, says: str, change: Change, applies: Applies = always, broken: Breaks | None = None
) -> Fault:
    race = breaks("race status effect entity", resource="cancellable", call="concurrent")
    return Fault(name, "crowd", says, (race, *([broken] if broken else [])), applies, change)


FAULTS: tuple[Fault, ...] = (
    fault("crowd-of-three-answered-500", "Of three calls at once the third fails.",
          more_than(2, 500)),
    fault("crowd-of-six-answered-500", "Of six calls at once the sixth fails.", more_than(5, 500)),
    fault("crowd-of-three-brings-back", "Of three calls at once the third takes it back.",
          third_writes_back, entry.observable),
    fault("crowd-strikes-the-last-resource",
          "Of calls at once on several resources all strike the one that came last.",
          shared("raw_id"), entry.observable, breaks("effect", resource="cancellable")),
    fault("crowd-mixes-callers", "Calls at once are noted under the caller who came last.",
          shared("caller"), entry.sets),
    fault("crowd-mixes-texts", "Of calls at once each keeps the text of the one that came last.",
          shared("body"), entry.records),
    fault("crowd-mixes-answers", "Of calls at once each is answered as the one before.",
          answers_mixed, broken=breaks(
              "race status effect entity private", resource="cancellable", call="concurrent")),
    fault("crowd-lends-permission", "Beside a call that may, one that may not is let in.",
          permission_shared, lambda c: bool(c.permissions),
          breaks("status effect", identity="no-permission permission")),
)  # fmt: skip
