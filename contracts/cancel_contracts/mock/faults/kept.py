"""Faults of connections that are kept: something of the call before is left on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cancel_contracts.mock import entry, kit
from cancel_contracts.mock.call import Call, Refusal, Reply
from cancel_contracts.mock.desk import Desk, Step
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, all_of, always, breaks
from cancel_contracts.mock.faults import facts
from cancel_contracts.mock.faults.pairs import nothing

WHO, WHAT, TEXT = "who", "what", "text"


def caller_stays(when: kit.When) -> Change:
    """Such calls are taken for those of whoever came before on the connection."""

    def outer(desk: Desk, call: Call, inner: Step) -> None:
        if WHO in call.connection and when(desk, call):
            call.caller = call.connection[WHO]
            return
        inner(call)
        call.connection[WHO] = call.caller

    return kit.around("authenticate", outer)


def permission_once(desk: Desk) -> None:
    """Look at the permission at the first call of a connection that passes."""

    def outer(_: Desk, call: Call, inner: Step) -> None:
        if not call.connection.get("passed"):
            inner(call)
        call.connection["passed"] = True

    kit.around("authorise", outer)(desk)


def rank_stays(desk: Desk) -> None:
    """Who calls where an administrator called before is one, too."""

    def act(_: Desk, call: Call) -> None:
        rank = call.caller.administrator or call.connection.get("rank", False)
        call.connection["rank"] = rank
        call.caller = replace(call.caller, administrator=rank)

    kit.after("authenticate", act)(desk)


def stores_nothing_after_unknown(desk: Desk) -> None:
    """Answer for what is called for, and store nothing, where an id before named nothing."""

    def note(call: Call, reply: Reply) -> Reply:
        call.connection["lost"] = call.connection.get("lost", False) or call.why == "unknown"
        return reply

    desk.edits.append(note)
    kit.instead("effect", nothing, lambda d, c: c.connection.get("lost", False))(desk)


def answer_before(when: kit.When) -> Change:
    """Give the answer of the call before on the connection, for some calls."""

    def change(desk: Desk) -> None:
        def edit(call: Call, reply: Reply) -> Reply:
            before, call.connection[WHAT] = call.connection.get(WHAT), reply
            return before if before is not None and when(desk, call) else reply

        desk.edits.append(edit)

    return change


def envelope_before(desk: Desk) -> None:
    """Give an error the request id and target of the error before on the connection."""

    def edit(call: Call, reply: Reply) -> Reply:
        if not kit.failed(desk, call):
            return reply
        first = call.connection.setdefault("error", reply)
        return replace(reply, body=first.body) if first.status == reply.status else reply

    desk.edits.append(edit)


def text_before(desk: Desk) -> None:
    """Keep what the call before on the connection gave."""

    def act(_: Desk, call: Call) -> None:
        for prop in desk.contract.lifecycle.records:
            given = call.found.entity.get(prop)
            call.found.entity[prop] = call.connection.get(TEXT, given)
            call.connection[TEXT] = given

    kit.after("effect", act)(desk)


def resource_before(desk: Desk) -> None:
    """Cancel what the call before on the connection named, and answer for this one."""

    def act(_: Desk, call: Call) -> None:
        before, call.connection[WHAT] = call.connection.get(WHAT), call.found
        desk.perform(call, before or call.found)

    kit.instead("effect", act)(desk)


def upset_by(whys: Callable[[Call], bool], status: int) -> Change:
    """Refuse the next call on a connection after some refusals, as a body left unread does."""

    def change(desk: Desk) -> None:
        def act(_: Desk, call: Call) -> None:
            if call.connection.pop("upset", False):
                raise Refusal(status, "upset")

        def note(call: Call, reply: Reply) -> Reply:
            call.connection["upset"] = call.refusal is not None and whys(call)
            return reply

        kit.before("method", act)(desk)
        desk.edits.append(note)

    return change


def fault(name: str, says: str, broken: Breaks, change: Change, applies: Applies = always) -> Fault:
    return Fault(name, "kept connections", says, (broken,), applies, change)


REUSED = breaks("status effect entity body connection", resource="cancellable", call="reused")
FAULTS: tuple[Fault, ...] = (
    fault("kept-connection-keeps-the-caller",
          "Who came first on a connection is who calls, whatever token comes later.",
          breaks("status effect", identity="no-permission permission expired anonymous"),
          caller_stays(kit.every), entry.tokens),
    fault("kept-connection-lends-its-caller",
          "Without a token one is who called before on the connection.",
          breaks("status effect", identity="anonymous"), caller_stays(facts.tokenless),
          entry.tokens),
    fault("kept-connection-permission-looked-at-once",
          "Permissions are looked at once on a connection.",
          breaks("status effect", identity="no-permission permission"), permission_once,
          lambda c: bool(c.permissions)),
    fault("kept-connection-repeats-a-refusal",
          "After a refusal the next answer on the connection is that refusal again.", REUSED,
          answer_before(lambda d, c: c.refusal is None and c.turn % 2 == 0)),
    fault("kept-connection-hides-a-refusal",
          "A refusal on a kept connection is answered as the call before.",
          breaks("status", resource="unknown final"),
          answer_before(lambda d, c: c.refusal is not None)),
    fault("kept-connection-repeats-the-error",
          "An error is told in the words and ids of the error before.",
          breaks("distinct echo private", resource="unknown"), envelope_before, entry.has_envelope),
    fault("kept-connection-text-of-the-call-before",
          "What the call before on the connection gave is kept.",
          breaks("entity", "recorded", call="reused"), text_before, entry.records),
    fault("kept-connection-cancels-the-one-before",
          "On a kept connection the resource of the call before is cancelled again.", REUSED,
          resource_before, entry.observable),
    fault("kept-connection-third-call-without-effect",
          "From the third call on a connection a success changes nothing.",
          breaks("effect", resource="cancellable"),
          kit.instead("effect", nothing, lambda d, c: c.turn > 2), entry.observable),
    fault("kept-connection-refuses-yet-performs",
          "Without permission on a kept connection: refused, and done.",
          breaks("effect", identity="no-permission permission"),
          kit.edit(kit.both(kit.refused("no-permission", "wrong-kind"), facts.kept),
          kit.performed), all_of(entry.observable, lambda c: bool(c.permissions))),
    fault("kept-connection-upset-by-a-refused-body",
          "The call after one whose body was refused is answered 400 on the same connection.",
          REUSED, upset_by(lambda call: bool(call.body) and call.why in (
              "no-permission", "wrong-kind", "unknown"), 400), entry.takes_body),
    fault("kept-connection-lends-its-administrator",
          "Who calls after an administrator on a connection counts as one.",
          breaks("status effect", identity="other-user"), rank_stays, entry.owners),
    fault("kept-connection-stores-nothing-after-an-unknown-id",
          "After an id of nothing a success on the connection is stored nowhere.",
          breaks("effect", resource="cancellable"), stores_nothing_after_unknown,
          entry.observable),
    fault("kept-connection-upset-by-another-method",
          "The call after another method is answered 500 on the same connection.",
          REUSED, upset_by(lambda call: call.method == "HEAD", 500)),
)  # fmt: skip
