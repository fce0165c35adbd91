"""Faults of dates and lists that a cancel may change: at the wrong time, by another's name, or by a
call that was refused.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.places import in_list
from cancel_contracts.mock import entry, kit, shape
from cancel_contracts.mock.call import Call, Reply
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, all_of, breaks
from cancel_contracts.mock.faults import facts
from cancel_contracts.mock.faults.canaries import says
from cancel_contracts.mock.faults.whole import canceller_is, text
from cancel_contracts.mock.store import Resource


def stamped(contract: Contract) -> bool:
    return bool(contract.lifecycle.stamps)


def listed(contract: Contract) -> bool:
    return in_list(contract.lifecycle.caller or "") is not None


def ordered(contract: Contract) -> bool:
    """The last of the dates in order is one that a cancel sets."""
    life = contract.lifecycle
    return len(life.moments) > 1 and life.moments[-1] in life.stamps


def moving(when: kit.When, pick: Callable[[Contract], tuple[str, ...]]) -> Change:
    """Set dates of a resource to now, once a call on it is answered."""

    def touch(desk: Desk, call: Call, reply: Reply) -> Reply:
        if (found := facts.target(desk, call)) is not None:
            found.entity |= dict.fromkeys(pick(desk.contract), shape.now_text())
        return reply

    return kit.edit(when, touch)


def done_again(when: kit.When) -> Change:
    """Answer what has ended as done, and date its end anew."""
    return kit.together(moving(when, last_moment), kit.edit(when, kit.as_success))


def with_an_end(desk: Desk) -> None:
    """Let what is made in a final state have a date of its end."""
    create = desk.create

    def dated(state: str, owner: str | None, id_: str | None = None) -> Resource:
        made = create(state, owner, id_)
        if state not in desk.contract.lifecycle.cancellable:
            made.entity |= dict.fromkeys(last_moment(desk.contract), "2024-10-21T11:25:48Z")
        return made

    desk.create = dated  # type: ignore[method-assign]


def in_first_final(desk: Desk, call: Call) -> bool:
    found = facts.target(desk, call)
    return found is not None and found.state == entry.rivals(desk.contract)[0]


def stamps(contract: Contract) -> tuple[str, ...]:
    return contract.lifecycle.stamps


def last_stamp(contract: Contract) -> tuple[str, ...]:
    return contract.lifecycle.stamps[-1:]


def last_moment(contract: Contract) -> tuple[str, ...]:
    return contract.lifecycle.moments[-1:]


def off_by(when: kit.When = kit.every, **span: float) -> Change:
    """Write the dates that a cancel sets as they are elsewhere, or by another clock."""

    def act(desk: Desk, call: Call) -> None:
        if when(desk, call):
            moment = datetime.now(UTC) + timedelta(**span)
            text = f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"
            names = (n for n in (*stamps(desk.contract), *call.found.entity) if _last(desk, n))
            call.found.entity |= dict.fromkeys(names, text)

    return kit.after("effect", act)


def _last(desk: Desk, name: str) -> bool:
    return name in desk.contract.lifecycle.stamps or shape.is_last_date(name)


def long_ago(desk: Desk, call: Call) -> None:
    call.found.entity[desk.contract.lifecycle.moments[-1]] = "2001-01-01T00:00:00Z"


def others(contract: Contract) -> tuple[str, ...]:
    """The dates that a cancel sets beside those in order."""
    return tuple(
        name for name in contract.lifecycle.stamps if name not in contract.lifecycle.moments
    )


def before_it_was(desk: Desk, call: Call) -> None:
    call.found.entity |= dict.fromkeys(others(desk.contract), "2001-01-01T00:00:00Z")


def named_in_list(name: Callable[[Desk, Call], str]) -> kit.Act:
    """Say in what a cancel adds to a list that somebody did it."""

    def act(desk: Desk, call: Call) -> None:
        at, prop = in_list(desk.contract.lifecycle.caller or "") or ("", "")
        *former, added = call.found.entity[at]
        call.found.entity[at] = [*former, {**added, prop: name(desk, call)}]

    return act


def dated_in_list(desk: Desk, call: Call) -> None:
    """Write when it was into what a cancel adds to a list, as it is in another zone."""
    text = f"{datetime.now(UTC) + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"
    for at, prop in filter(None, map(in_list, desk.contract.lifecycle.listed)):
        *former, added = call.found.entity[at]
        call.found.entity[at] = [*former, {**added, prop: text}]


def caller_before(desk: Desk) -> None:
    former: list[str] = ["nobody"]

    def name(_: Desk, call: Call) -> str:
        former.append(call.caller.sub)
        return former[-2]

    kit.after("effect", named_in_list(name))(desk)


def words_of_its_own(desk: Desk) -> None:
    """Keep with every resource a text that no other has, as whoever asked for it would give it."""
    numbers: dict[str, int] = {}

    def view(resource: Resource, entity: dict[str, Any]) -> dict[str, Any]:
        return entity | dict.fromkeys(own_texts(desk.contract)[:1], words(resource))

    def words(resource: Resource) -> str:
        return f"wanted for case {numbers.setdefault(resource.id, len(numbers)):04} of the house"

    def tells(desk: Desk, call: Call) -> str:
        found = facts.target(desk, call)
        return words(found) if found else ""

    desk.views.append(view)
    says(kit.refused("no-permission", "wrong-kind", "not-owner"), tells)(desk)


def own_texts(contract: Contract) -> list[str]:
    entity = shape.entity_example(contract)
    return [name for name, value in entity.items() if text(contract, name, value)]


def id_of_the_call_before(desk: Desk) -> None:
    """Take what names no request for the one that the connection carried last."""
    last: dict[str, str] = {}

    def touch(desk: Desk, call: Call, reply: Reply) -> Reply:
        if own := call.headers.get("client-request-id"):
            last["id"] = own
            return reply
        return reply.with_header("client-request-id", last.get("id", call.request_id))

    desk.edits.append(lambda call, reply: touch(desk, call, reply))


def fault(name: str, says: str, change: Change, applies: Applies, broken: Breaks) -> Fault:
    return Fault(name, "dates", says, (broken,), all_of(applies, entry.observable), change)


SET = breaks("dated", resource="cancellable", answer="2xx")
MOVED = breaks("whole", "ended", resource="final", answer="4xx")
FINAL = kit.both(kit.refused("final"), facts.final)
REPEATED = kit.both(kit.refused("final"), facts.cancelled)
MOVED_AGAIN = breaks("whole", "ended", resource="cancellable", call="second")

FAULTS: tuple[Fault, ...] = (
    fault("final-refusal-moves-the-dates", "What is final is refused, and its dates are now.",
          moving(FINAL, stamps), stamped, MOVED),
    fault("refusal-in-one-final-state-moves-the-last-date",
          "What is in the first of the final states is refused, and its last date is now.",
          moving(kit.both(FINAL, in_first_final), last_stamp),
          all_of(stamped, entry.rival_states(2)), MOVED),
    fault("second-refusal-moves-the-dates", "A second cancel is refused, and moves the dates.",
          moving(REPEATED, stamps), stamped, MOVED_AGAIN),
    fault("second-done-again-moves-the-end",
          "A second cancel is answered as done, and ends it now.",
          done_again(REPEATED), ordered, MOVED_AGAIN),
    fault("second-of-an-application-moves-the-end",
          "An application's second cancel is answered as done, and ends it now.",
          done_again(kit.both(REPEATED, facts.application)),
          all_of(ordered, entry.permitted("application")), MOVED_AGAIN),
    fault("second-of-a-user-moves-the-end",
          "A user's second cancel is answered as done, and ends it now.",
          done_again(kit.both(REPEATED, facts.user)), all_of(ordered, entry.owners), MOVED_AGAIN),
    fault("final-done-again-moves-the-end",
          "What is final is answered as done, and the date of its end is now.",
          kit.together(with_an_end, done_again(FINAL)), all_of(ordered, entry.rival_states(1)),
          breaks("whole", "ended", resource="final")),
    fault("cancel-dated-in-another-zone", "The dates of a cancel are hours ahead.",
          off_by(hours=2), stamped, SET),
    fault("cancel-by-an-application-dated-in-another-zone",
          "The dates of an application's cancel are hours behind.",
          off_by(facts.application, hours=-5, minutes=-30),
          all_of(stamped, entry.permitted("application")), SET),
    fault("cancel-in-the-second-state-dated-a-while-ago",
          "The dates of a cancel in the second state are those of a while ago.",
          off_by(facts.began(2), minutes=-21), all_of(stamped, entry.cancellable_states(2)), SET),
    fault("ended-before-it-was-created", "The date of the end is before the creation.",
          kit.after("effect", long_ago), ordered,
          breaks("entity", "ordered", resource="cancellable", answer="2xx")),
    fault("touched-before-it-was-created",
          "The date of the last change is before the creation, once it is cancelled.",
          kit.after("effect", before_it_was), lambda c: ordered(c) and bool(others(c)),
          breaks("entity", "ordered", resource="cancellable", answer="2xx")),
    fault("list-names-the-caller-before", "What a cancel adds to a list names the caller before.",
          caller_before, listed, breaks("named", resource="cancellable", answer="2xx")),
    fault("list-names-one-for-all", "What a cancel adds to a list names one for all.",
          kit.after("effect", named_in_list(lambda d, c: "somebody@tenant.example")), listed,
          breaks("named", resource="cancellable", answer="2xx")),
    fault("list-dated-in-another-zone", "What a cancel adds to a list is hours ahead.",
          kit.after("effect", dated_in_list),
          lambda c: listed(c) and bool(c.lifecycle.listed), SET),
    fault("another-user-named-as-the-user",
          "Whoever is called other- and then a name is noted under that name.",
          kit.after("effect", canceller_is(lambda d, c: c.caller.sub.removeprefix("other-"))),
          entry.tells("who"), breaks("named", "apart", identity="other-user", answer="2xx")),
    fault("refusal-tells-the-words-of-the-resource",
          "Who may not see a resource is told what it alone shows.", words_of_its_own,
          lambda c: bool(own_texts(c)), breaks("private", answer="4xx")),
    fault("client-request-id-of-the-call-before",
          "A call without client-request-id is told that of the call before.",
          id_of_the_call_before, entry.traced, breaks("private")),
)  # fmt: skip
