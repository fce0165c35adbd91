"""Faults of what went before: a refusal, a cancel, another caller, so many calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from cancel_contracts.mock import entry, kit
from cancel_contracts.mock.call import Call, Refusal, Reply
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, all_of, always, breaks
from cancel_contracts.mock.faults import facts
from cancel_contracts.mock.faults.pairs import nothing
from cancel_contracts.mock.faults.state import neighbours_too, reset
from cancel_contracts.mock.store import Resource

PERMISSION = ("no-permission", "wrong-kind", "personal", "not-owner")
TOKEN = ("anonymous", "garbage-token", "expired", "bad-signature", "wrong-audience", "other-scheme")
Mark = Callable[[Desk, Call], str]


def the_resource(desk: Desk, call: Call) -> str:
    found = facts.target(desk, call)
    return found.id if found else ""


def once(seen: kit.When, change: Callable[[kit.When], Change], mark: Mark = the_resource) -> Change:
    """Make a change to the calls that come after one of a kind, on the same resource or by the
    same caller.
    """

    def apply(desk: Desk) -> None:
        met: set[str] = set()

        def note(call: Call, reply: Reply) -> Reply:
            if seen(desk, call):
                met.add(mark(desk, call))
            return reply

        change(lambda d, c: mark(d, c) in met)(desk)
        desk.edits.append(note)

    return apply


def every_nth(turn: int, change: Callable[[kit.When], Change]) -> Change:
    """Make a change to every nth call that succeeds."""

    def apply(desk: Desk) -> None:
        done = [0]

        def when(_: Desk, call: Call) -> bool:
            done[0] += 1
            return done[0] % turn == 0

        change(when)(desk)

    return apply


def nth_on_a_resource(turn: int, act: kit.Act) -> Change:
    """Do something at the nth call on one resource."""

    def apply(desk: Desk) -> None:
        calls: Counter[str] = Counter()

        def count(call: Call, reply: Reply) -> Reply:
            found = facts.target(desk, call)
            if found is not None and call.method == desk.contract.method:
                calls[found.id] += 1
                if calls[found.id] == turn:
                    act(desk, call)
            return reply

        desk.edits.append(count)

    return apply


def back(desk: Desk, call: Call) -> None:
    if (found := facts.target(desk, call)) is not None:
        reset(desk, found)


def perform_again(desk: Desk, call: Call, reply: Reply) -> Reply:
    """Write who, when and what once more, whatever the refusal."""
    if (found := facts.target(desk, call)) is not None:
        desk.perform(call, found)
    return reply


def by_another(desk: Desk) -> None:
    """Let who did not cancel it cancel it again."""
    first: dict[str, str] = {}

    def note(call: Call, reply: Reply) -> Reply:
        if call.refusal is None and call.resource is not None:
            first.setdefault(call.resource.id, call.caller.sub)
        return reply

    def when(_: Desk, call: Call) -> bool:
        found = facts.target(desk, call)
        if found is None or found.id not in first:
            return False
        return first[found.id] != facts.caller(desk, call).sub

    desk.edits.append(note)
    kit.instead("decide", nothing, kit.both(facts.cancelled, when))(desk)


def text_of_the_refused(desk: Desk) -> None:
    """Keep with the next success what the last refused call gave."""
    left: list[str] = []

    def note(call: Call, reply: Reply) -> Reply:
        if isinstance(call.json, dict) and call.refusal is not None:
            for source in desk.contract.lifecycle.records.values():
                if isinstance(text := call.json.get(source), str):
                    left[:] = [text]
        return reply

    def act(_: Desk, call: Call) -> None:
        for prop in desk.contract.lifecycle.records:
            if left:
                call.found.entity[prop] = left.pop()

    desk.edits.append(note)
    kit.after("effect", act)(desk)


def next_call_fails(desk: Desk) -> None:
    """Answer 500 to the call that follows one of an unknown id."""
    due = [False]

    def act(_: Desk, call: Call) -> None:
        failing, due[0] = due[0], False
        if failing:
            raise Refusal(500, "upset")

    def note(call: Call, reply: Reply) -> Reply:
        due[0] = call.why == "unknown" and facts.application(desk, call)
        return reply

    kit.before("method", act)(desk)
    desk.edits.append(note)


def first_call_of_a_caller(desk: Desk) -> None:
    """Look at permissions from a caller's second call on."""
    seen: set[str] = set()

    def when(_: Desk, call: Call) -> bool:
        new = call.caller.sub not in seen
        seen.add(call.caller.sub)
        return new and call.caller.kind == "application"

    kit.forgive("no-permission", "wrong-kind", when=when)(desk)


def unseen_without_effect(desk: Desk) -> None:
    """Change nothing of what nobody has looked at within the last calls."""
    looked: set[str] = set()

    def view(resource: Resource, entity: dict[str, Any]) -> dict[str, Any]:
        looked.add(resource.id)
        return entity

    desk.views.append(view)
    kit.instead("effect", nothing, lambda d, c: c.found.id not in looked)(desk)


def it_and_neighbours(desk: Desk, call: Call) -> None:
    desk.perform(call, call.found)
    neighbours_too(desk, call)


def delete(desk: Desk, call: Call) -> None:
    if (found := facts.target(desk, call)) is not None:
        desk.store.drop(found.id)


def fault(name: str, says: str, broken: Breaks, change: Change, applies: Applies = always) -> Fault:
    return Fault(name, "history", says, (broken,), applies, change)


SERVED = "status effect"
CANCELLABLE = breaks(SERVED, resource="cancellable")
SECOND = breaks("status effect keeps", resource="cancellable", call="second")
THIRD = breaks("status effect keeps race", resource="cancellable", call="second concurrent")
FAULTS: tuple[Fault, ...] = (
    fault("after-a-refusal-refused-for-good",
          "What was refused once, for want of a permission, is refused to everybody after.",
          CANCELLABLE, once(kit.refused(*PERMISSION),
          lambda met: kit.refuse("decide", met, 409, "final")), lambda c: bool(c.permissions)),
    fault("after-a-refusal-without-effect",
          "After a call without a valid token a success changes nothing.", CANCELLABLE,
          once(kit.refused(*TOKEN), lambda met: kit.instead("effect", nothing, met)),
          entry.observable),
    fault("after-a-refusal-the-second-try-passes",
          "Who was refused for want of a permission passes at the second try.",
          breaks(SERVED, identity="no-permission permission other-user"),
          once(kit.refused(*PERMISSION), lambda met: kit.forgive(*PERMISSION, when=met)),
          lambda c: bool(c.permissions)),
    fault("after-a-401-the-second-try-passes", "A second call with a bad token passes.",
          breaks(SERVED, identity="expired bad-signature garbage-token anonymous"),
          once(kit.refused(*TOKEN), lambda met: kit.forgive(*TOKEN, when=met)), entry.tokens),
    fault("after-a-bad-body-answered-500", "The call after one with a bad body is answered 500.",
          CANCELLABLE,
          once(kit.answered(400), lambda met: kit.refuse("effect", met, 500)), entry.takes_body),
    fault("after-a-bad-body-its-text-is-kept",
          "What a refused call gave is kept with the next success.",
          breaks("entity keeps", "recorded", body="documented json"), text_of_the_refused,
          all_of(entry.records, entry.entity)),
    fault("after-a-cancel-anybody-passes",
          "Once a resource was cancelled, permissions on it are not looked at.",
          breaks("alike", identity="no-permission", call="second"),
          once(kit.succeeded, lambda met: kit.forgive(*PERMISSION, when=met)),
          lambda c: bool(c.permissions)),
    fault("after-a-cancel-the-anonymous-are-told",
          "Without a token a cancelled resource is told from one that is not.",
          breaks("alike", resource="final", identity="anonymous"),
          once(kit.succeeded, lambda met: kit.edit(kit.both(kit.refused("anonymous"), met),
          kit.status(403))), entry.tokens),
    fault("second-caller-overwrites", "Somebody else cancels again what is cancelled.",
          SECOND, by_another, all_of(entry.sets, entry.observable)),
    fault("second-caller-forbidden-yet-written",
          "Who may not cancel is refused, and written down as who did.", SECOND,
          kit.edit(kit.both(kit.refused(*PERMISSION), facts.cancelled), perform_again),
          all_of(entry.sets, entry.observable)),
    fault("second-cancel-by-an-application-answered-500",
          "What is cancelled already is answered 500 to an application.", SECOND,
          kit.edit(kit.both(kit.refused("final"), facts.cancelled, facts.application),
          kit.answer(500)), entry.permitted("application")),
    fault("second-cancel-by-the-owner-resurrects",
          "What an administrator cancelled the owner brings back by a cancel.", SECOND,
          kit.edit(kit.both(kit.refused("final"), facts.cancelled, facts.user),
          kit.doing(back)), all_of(entry.owners, entry.observable)),
    fault("second-cancel-chunked-resurrects", "A second cancel brings back, if chunked.", SECOND,
          kit.edit(kit.both(kit.refused("final"), facts.cancelled, facts.chunked),
          kit.doing(back)), entry.observable),
    fault("second-cancel-from-the-last-state-answered-500",
          "A second cancel of what began in the last of the states, without a body, fails.",
          SECOND, kit.edit(kit.both(kit.refused("final"), facts.cancelled,
          lambda d, c: c.found.first_state == d.contract.lifecycle.cancellable[-1] and not c.body),
          kit.answer(500)), entry.takes_body),
    fault("third-cancel-resurrects", "A third cancel of one resource brings it back.", THIRD,
          nth_on_a_resource(3, back), entry.observable),
    fault("third-cancel-deletes", "A third call on one resource deletes it.", THIRD,
          nth_on_a_resource(3, delete), all_of(entry.observable, entry.remains)),
    fault("every-third-success-without-effect", "Every third success changes nothing.",
          breaks("effect", resource="cancellable"),
          every_nth(3, lambda when: kit.instead("effect", nothing, when)), entry.observable),
    fault("every-ninth-success-strikes-neighbours", "Every ninth success strikes all others.",
          breaks("neighbour", resource="cancellable"),
          every_nth(9, lambda when: kit.instead("effect", it_and_neighbours, when)),
          entry.observable),
    fault("every-23rd-success-answered-202", "Every 23rd success is a 202.",
          breaks("status", resource="cancellable"),
          every_nth(23, lambda when: kit.edit(kit.both(kit.succeeded, when), kit.status(202))),
          entry.not_(entry.documents(202))),
    fault("next-call-after-an-unknown-id-answered-500",
          "The call after an application's one of an unknown id is answered 500.",
          CANCELLABLE, next_call_fails, entry.permitted("application")),
    fault("first-call-of-an-application-unchecked",
          "An application's first call is made without a look at its permission.",
          breaks(SERVED, identity="app permission"), first_call_of_a_caller,
          lambda c: bool(c.permissions)),
    fault("unseen-resource-without-effect", "What nobody has looked at yet is not cancelled.",
          breaks("effect", resource="cancellable"), unseen_without_effect,
          all_of(entry.observable, entry.named_after, entry.remains)),
)  # fmt: skip
