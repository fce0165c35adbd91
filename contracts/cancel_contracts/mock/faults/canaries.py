"""Faults of answers that hold what is somebody else's, or what no answer should hold."""

from __future__ import annotations

from collections.abc import Callable

from cancel_contracts.mock import entry, kit
from cancel_contracts.mock.call import Call, Reply
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, always, breaks
from cancel_contracts.mock.faults import facts
from cancel_contracts.mock.faults.errors import message

Tells = Callable[[Desk, Call], str]
CONNECTION = "Server=tcp:actions.internal,1433;User ID=svc;Password=hunter2;"


def says(when: kit.When, tells: Tells) -> Change:
    """Put into the message of an error what it is not to hold."""

    def touch(desk: Desk, call: Call, reply: Reply) -> Reply:
        found = tells(desk, call)
        return message(f"The request was refused ({found}).")(desk, call, reply) if found else reply

    return kit.edit(when, touch)


def remembering(when: kit.When, notes: Tells) -> Change:
    """Tell in an error what an earlier call of somebody else held."""

    def change(desk: Desk) -> None:
        left: list[tuple[str, str]] = []

        def tells(_: Desk, call: Call) -> str:
            who = facts.caller(desk, call).sub
            return next((text for sub, text in reversed(left) if text and sub != who), "")

        says(when, tells)(desk)
        desk.edits.append(lambda call, reply: note(call, reply))

        def note(call: Call, reply: Reply) -> Reply:
            left.append((facts.caller(desk, call).sub, notes(desk, call)))
            return reply

    return change


def own_token(desk: Desk, call: Call) -> str:
    return call.headers.get("authorization", "").partition(" ")[2]


def owner(desk: Desk, call: Call) -> str:
    found = facts.target(desk, call)
    return f"it belongs to {found.owner}" if found and found.owner else ""


def another_id(desk: Desk, call: Call) -> str:
    return next((r.id for r in desk.store if r is not facts.target(desk, call)), "")


def existence(desk: Desk, call: Call) -> str:
    return "sign in again to see it" if facts.target(desk, call) else ""


def state(desk: Desk, call: Call) -> str:
    found = facts.target(desk, call)
    return f"it is {found.state}" if found else "it is not there"


def text_given(desk: Desk, call: Call) -> str:
    given = call.json if isinstance(call.json, dict) else {}
    texts = [given.get(source) for source in desk.contract.lifecycle.records.values()]
    return next((text for text in texts if isinstance(text, str)), "")


def text_kept(desk: Desk, call: Call) -> str:
    """What is kept with another resource."""
    kept = [
        resource.entity.get(prop)
        for resource in desk.store
        if resource is not facts.target(desk, call)
        for prop in desk.contract.lifecycle.records
    ]
    return next((text for text in kept if isinstance(text, str)), "")


def in_a_header(desk: Desk, call: Call, reply: Reply) -> Reply:
    """Say in a header which state a resource is in, whoever asks."""
    return reply.with_header("X-Resource", state(desk, call))


def fault(name: str, says: str, broken: Breaks, change: Change, applies: Applies = always) -> Fault:
    leak = [Breaks(frozenset({"private"}), broken.facts)] if broken.items else []
    return Fault(name, "canaries", says, (broken, *leak), applies, change)


FORBIDDEN = kit.refused("no-permission", "wrong-kind", "personal")
LEAK = breaks("error", "no-internals", resource="unknown")
FAULTS: tuple[Fault, ...] = (
    fault("error-echoes-the-token", "A refused caller's token stands in the error.",
          breaks("error", "no-internals", identity="no-permission permission"),
          says(FORBIDDEN, own_token), lambda c: bool(c.permissions)),
    fault("error-echoes-a-bad-token", "A token that is not valid stands in the error.",
          breaks("error", "no-internals", identity="expired bad-signature"),
          says(kit.answered(401), own_token), entry.tokens),
    fault("error-names-the-owner", "Who may not cancel is told whose it is.",
          breaks("error", "no-internals", identity="user other-user"),
          says(kit.refused("not-owner"), owner), entry.owners),
    fault("error-names-another-id", "A 404 names a resource that exists.", LEAK,
          says(kit.refused("unknown"), another_id)),
    fault("error-tells-the-state-to-the-forbidden",
          "Who may not cancel is told in which state a resource is.",
          breaks("alike", resource="cancellable final", identity="no-permission"),
          says(FORBIDDEN, state), lambda c: bool(c.permissions)),
    fault("error-tells-a-bad-token-what-exists",
          "Whoever comes with a token that is not valid is told which resources there are.",
          breaks("alike", resource="cancellable unknown", identity="garbage-token expired"),
          says(kit.refused("garbage-token", "expired"), existence), entry.tokens),
    fault("header-tells-the-state-to-the-anonymous",
          "A header of the 401 tells in which state a resource is.",
          breaks("alike", resource="cancellable final unknown", identity="anonymous"),
          kit.edit(kit.refused("anonymous"), in_a_header), entry.tokens),
    fault("error-holds-the-text-of-another-caller",
          "An error holds what an earlier caller gave.", LEAK,
          remembering(kit.failed, text_given), entry.records),
    fault("error-holds-the-text-of-another-resource",
          "A 404 holds what is kept with another resource.", LEAK,
          says(kit.refused("unknown"), text_kept), entry.records),
    fault("error-holds-another-callers-token",
          "An error holds the token of an earlier caller.", LEAK,
          remembering(kit.failed, own_token), entry.tokens),
    fault("error-names-another-caller", "An error names who called before.", LEAK,
          remembering(kit.refused("unknown", "final"), lambda d, c: c.caller.sub), entry.tokens),
    fault("conflict-names-another-caller",
          "Who comes too late is told who called before, for whatever it was.",
          breaks("error", "no-internals", resource="cancellable final", answer="4xx"),
          remembering(kit.refused("final"), lambda d, c: c.caller.sub), entry.tokens),
    fault("error-holds-a-connection-string", "A 404 holds a connection string with its password.",
          LEAK, says(kit.refused("unknown"), lambda d, c: CONNECTION)),
)  # fmt: skip
