"""Faults where two facts meet: each of the two alone is served as it should be."""

from __future__ import annotations

from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.states import canonical
from cancel_contracts.mock import entry, kit
from cancel_contracts.mock.call import MISSING, Call, Reply
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, all_of, breaks
from cancel_contracts.mock.faults import facts
from cancel_contracts.mock.faults.kinds import BODIES, odd_id
from cancel_contracts.mock.faults.methods import other

APPS = entry.permitted("application")
TWO_STATES = entry.cancellable_states(2)
SECOND_STATE = facts.state(2)
REFUSED_BY_PERMISSION = ("no-permission", "wrong-kind", "personal")
INVALID = ("expired", "bad-signature", "garbage-token", "wrong-audience")


def rivals(contract: Contract) -> bool:
    return bool(entry.rivals(contract))


def nothing(desk: Desk, call: Call) -> None:
    """A step that does nothing."""


def drop(desk: Desk, call: Call) -> None:
    desk.store.drop(desk.lookup(call).id)


def create(desk: Desk, call: Call) -> None:
    """Make the resource that an unknown id asks for."""
    desk.create(desk.contract.lifecycle.cancellable[0], None, call.id)


def without_effect(*whens: kit.When) -> Change:
    return kit.instead("effect", nothing, kit.both(*whens))


def fails(*whens: kit.When) -> Change:
    """Answer 500 where all else would have been well."""
    return kit.refuse("effect", kit.both(*whens), 500)


def lets_in(why: tuple[str, ...], *whens: kit.When) -> Change:
    return kit.forgive(*why, when=kit.both(*whens))


def opens_final(*whens: kit.When) -> Change:
    return kit.instead("decide", nothing, kit.both(facts.final, *whens))


def bad_body_passes(*whens: kit.When) -> Change:
    """Take a bad body for none at all."""

    def act(desk: Desk, call: Call) -> None:
        call.json = MISSING

    bad = ("malformed-json", "array", "string-or-number", "wrong-type")
    when = kit.both(facts.either(*(BODIES[kind] for kind in bad)), *whens)
    return kit.together(
        kit.instead("body", act, when),
        kit.forgive("owner-body-missing", "owner-body-schema", when=when),
    )


def text_lost(*whens: kit.When) -> Change:
    def act(desk: Desk, call: Call) -> None:
        if kit.both(*whens)(desk, call):
            call.found.entity.update(dict.fromkeys(desk.contract.lifecycle.records))

    return kit.after("effect", act)


def performed(*whens: kit.When) -> Change:
    """Do what was refused."""
    return kit.edit(kit.both(kit.failed, *whens), kit.performed)


def by_method(name: str, *whens: kit.When) -> Change:
    """Let another method do what POST does, for some calls."""
    when = kit.both(kit.refused("method"), kit.method(name), *whens)
    return kit.edit(when, kit.performed, kit.as_success)


def plain_404(desk: Desk, call: Call, reply: Reply) -> Reply:
    return reply.with_body(b"not found", "text/plain")


def spelled_otherwise(desk: Desk, call: Call) -> bool:
    """The body has a text of the documented one in another spelling."""
    usual = (body for body in desk.contract.bodies.values() if isinstance(body, dict))
    texts = {value for body in usual for value in body.values() if isinstance(value, str)}
    sent = call.json.values() if isinstance(call.json, dict) else ()
    others = (value for value in sent if isinstance(value, str) and value not in texts)
    return not {canonical(value) for value in others}.isdisjoint(map(canonical, texts))


def fault(name: str, says: str, broken: Breaks, change: Change, applies: Applies) -> Fault:
    return Fault(name, "pairs", says, (broken,), applies, change)


SERVED = "status effect"
FAULTS: tuple[Fault, ...] = (
    # --- Identity and state
    fault("pair-application-second-state-refused",
          "An application is refused the cancel from the second of the states.",
          breaks(SERVED, identity="app permission", resource="cancellable"),
          kit.refuse("decide", kit.both(facts.application, SECOND_STATE), 403, "no-permission"),
          all_of(APPS, TWO_STATES)),
    fault("pair-application-last-state-without-effect",
          "An application's cancel from the last of the states changes nothing.",
          breaks("effect", identity="app permission", resource="cancellable"),
          without_effect(facts.application, facts.state(-1)),
          all_of(APPS, TWO_STATES, entry.observable)),
    fault("pair-application-final-cancelled", "An application cancels what is final.",
          breaks(SERVED, resource="final"), opens_final(facts.application), all_of(APPS, rivals)),
    fault("pair-owner-final-cancelled", "A user cancels what is theirs and final.",
          breaks(SERVED, resource="final"), opens_final(facts.user), all_of(entry.owners, rivals)),
    fault("pair-owner-last-state-refused", "A user is refused what is theirs in the last state.",
          breaks(SERVED, identity="user", resource="cancellable"),
          kit.refuse("own", kit.both(facts.user, facts.state(-1)), 403, "not-owner"),
          all_of(entry.owners, TWO_STATES)),
    fault("pair-anothers-second-state-cancelled",
          "A user may cancel what is another's in the second of the states.",
          breaks(SERVED, identity="other-user"), lets_in(("not-owner",), SECOND_STATE),
          all_of(entry.owners, TWO_STATES)),
    fault("pair-no-permission-second-state-accepted",
          "Without a permission the second of the states is cancelled all the same.",
          breaks(SERVED, identity="no-permission permission"),
          lets_in(REFUSED_BY_PERMISSION, SECOND_STATE), all_of(entry.asks_permission, TWO_STATES)),
    fault("pair-invalid-token-last-state-accepted",
          "A token that is not valid cancels from the last of the states.",
          breaks(SERVED, identity="expired bad-signature garbage-token"),
          lets_in(INVALID, facts.state(-1)), all_of(TWO_STATES, entry.tokens)),
    fault("pair-anonymous-second-state-performed",
          "Without a token the second of the states is refused, and cancelled.",
          breaks("effect", identity="anonymous"),
          performed(kit.refused("anonymous"), SECOND_STATE),
          all_of(TWO_STATES, entry.observable)),
    fault("pair-administrator-owned-second-state-refused",
          "An administrator is refused a user's resource in the second of the states.",
          breaks(SERVED, identity="primary", owner="user"),
          kit.refuse("own", kit.both(facts.not_(facts.user), facts.owned, SECOND_STATE), 403),
          all_of(entry.owners, TWO_STATES)),
    # --- Body and identity, body and state
    fault("pair-application-bad-body-accepted", "An application's body is not looked into.",
          breaks(SERVED, body="malformed-json array string number json"),
          bad_body_passes(facts.application), all_of(APPS, entry.takes_body)),
    fault("pair-application-bad-body-answered-500", "An application's bad body is answered 500.",
          breaks("status", body="malformed-json array string number json"),
          kit.edit(kit.both(kit.refused("bad-json", "no-object", "bad-property"),
          facts.application), kit.answer(500)), all_of(APPS, entry.takes_body)),
    fault("pair-second-state-bad-body-accepted",
          "A bad body is accepted in the second of the states.",
          breaks(SERVED, body="malformed-json array string number json"),
          bad_body_passes(SECOND_STATE), all_of(TWO_STATES, entry.takes_body)),
    fault("pair-final-bad-body-performed",
          "A bad body for what is final is refused, and what is final is cancelled.",
          breaks("effect", resource="final"),
          kit.edit(kit.both(kit.answered(400), facts.final), kit.doing(
              lambda d, c: d.perform(c, c.found))), all_of(
              rivals, entry.takes_body, entry.observable)),
    fault("pair-application-second-state-text-lost",
          "What an application gives in the second of the states is not kept.",
          breaks("entity", "recorded agrees", identity="app permission"),
          text_lost(facts.application, facts.began(2)), all_of(APPS, entry.records, TWO_STATES)),
    fault("pair-owner-second-state-other-value-accepted",
          "A user's body with another value is accepted in the second of the states.",
          breaks(SERVED, identity="user", body="json"),
          lets_in(("owner-body-schema",), SECOND_STATE), all_of(entry.owner_bodies, TWO_STATES)),
    fault("pair-owner-other-spelling-without-effect",
          "An owner's text in another spelling is taken, and nothing is done.",
          breaks("effect", identity="user", body="json"),
          kit.together(lets_in(("owner-body-schema",), spelled_otherwise),
                       without_effect(facts.user, spelled_otherwise)), entry.owner_bodies),
    fault("pair-one-user-cancels-what-is-of-others", "One of the users cancels what is of others.",
          breaks(SERVED, identity="user", owner="other-user"),
          lets_in(("not-owner",), lambda d, c: facts.caller(d, c).sub == "user"), entry.owners),
    # --- Media type and the rest
    fault("pair-media-that-nobody-asks-for-without-effect",
          "A call that names XML is answered as done, and nothing is.",
          breaks("effect", content_type="application/xml"),
          without_effect(facts.has("content-type", "xml")), entry.takes_nothing),
    fault("pair-foreign-media-second-state-accepted",
          "A body that says it is text is accepted in the second of the states.",
          breaks(f"{SERVED} alike", content_type="text/plain application/x-www-form-urlencoded"),
          lets_in(("media",), SECOND_STATE), all_of(entry.takes_body, TWO_STATES)),
    fault("pair-no-media-application-accepted",
          "An application need not say what its body is.",
          breaks(SERVED, content_type="none"), lets_in(("no-media",), facts.application),
          all_of(APPS, entry.strict_media)),
    fault("pair-charset-second-state-refused",
          "A charset beside application/json is refused in the second of the states.",
          breaks(SERVED, content_type="application/json; charset=utf-8"),
          kit.refuse("media", kit.both(facts.media_parameter, SECOND_STATE), 415, "media"),
          all_of(entry.takes_body, TWO_STATES)),
    fault("pair-charset-no-permission-accepted",
          "With a charset nobody looks at the permission.",
          breaks(SERVED, identity="no-permission permission"),
          lets_in(REFUSED_BY_PERMISSION, facts.media_parameter), entry.takes_body),
    # --- Transfer and the rest
    fault("pair-chunked-no-permission-accepted",
          "A chunked call is let past the check of permissions.",
          breaks(SERVED, identity="no-permission permission"),
          lets_in(REFUSED_BY_PERMISSION, facts.chunked), entry.tokens),
    fault("pair-chunked-anonymous-accepted", "A chunked call needs no token.",
          breaks(SERVED, identity="anonymous"),
          lets_in(("anonymous", *INVALID), facts.chunked), entry.tokens),
    fault("pair-chunked-final-cancelled", "A chunked call cancels what is final.",
          breaks(SERVED, resource="final"), opens_final(facts.chunked), rivals),
    fault("pair-chunked-application-answered-500",
          "An application's chunked call is answered 500.",
          breaks("status", transfer="chunked"), fails(facts.chunked, facts.application), APPS),
    fault("pair-chunked-second-state-without-effect",
          "A chunked call changes nothing in the second of the states.",
          breaks("effect", transfer="chunked"), without_effect(facts.chunked, SECOND_STATE),
          all_of(TWO_STATES, entry.observable)),
    fault("pair-chunked-unknown-as-text", "A chunked call of an unknown id is told in plain text.",
          breaks("error", "envelope media-type", resource="unknown"),
          kit.edit(kit.both(kit.refused("unknown"), facts.chunked), plain_404),
          entry.has_envelope),
    # --- Accept and the rest
    fault("pair-no-accept-final-answered-500",
          "What is final is answered 500 to whoever accepts anything.",
          breaks("status", resource="final"),
          kit.edit(kit.both(kit.refused("final"), facts.not_(facts.has("accept", "json"))),
          kit.answer(500)), rivals),
    fault("pair-accept-anything-second-state-without-effect",
          "Who accepts anything changes nothing in the second of the states.",
          breaks("effect", resource="cancellable"),
          without_effect(facts.not_(facts.has("accept", "json")), SECOND_STATE),
          all_of(TWO_STATES, entry.observable)),
    # --- Method and the rest
    fault("pair-delete-by-an-application-performs", "DELETE by an application is a cancel.",
          breaks(SERVED, method="DELETE"), by_method("DELETE", facts.application),
          all_of(APPS, other("DELETE"))),
    fault("pair-patch-in-the-second-state-performs",
          "PATCH in the second of the states is a cancel.",
          breaks(SERVED, method="PATCH"), by_method("PATCH", SECOND_STATE),
          all_of(TWO_STATES, other("PATCH"))),
    fault("pair-put-without-a-token-performs", "PUT without a token is a cancel.",
          breaks(SERVED, method="PUT"), by_method("PUT", facts.tokenless),
          all_of(entry.tokens, other("PUT"))),
    fault("pair-get-by-a-user-performs", "GET on the route by the owner is a cancel.",
          breaks(SERVED, method="GET"), by_method("GET", facts.user),
          all_of(entry.owners, other("GET"))),
    fault("pair-delete-on-final-deletes", "DELETE on the route deletes what is final.",
          breaks("effect", method="DELETE"),
          kit.edit(kit.both(kit.refused("method"), kit.method("DELETE"), facts.final),
          kit.doing(drop)),
          all_of(rivals, entry.observable, other("DELETE"))),
    # --- Id and the rest
    fault("pair-unknown-by-an-application-answered-done",
          "An unknown id is answered as done to an application.",
          breaks("status", resource="unknown odd"),
          kit.edit(kit.both(kit.refused("unknown"), facts.application), kit.as_success), APPS),
    fault("pair-unknown-bad-body-answered-500",
          "An unknown id with a bad body is answered 500.",
          breaks("status", resource="unknown"),
          kit.edit(kit.both(kit.refused("unknown"), BODIES["malformed-json"]), kit.answer(500)),
          entry.takes_body),
    fault("pair-odd-id-anonymous-answered-500",
          "An odd id without a token is answered 500.",
          breaks("status", resource="odd", identity="anonymous"),
          kit.edit(kit.both(kit.refused("anonymous"), odd_id("no-uuid")), kit.answer(500)),
          entry.tokens),
    fault("pair-unknown-delete-creates", "DELETE of an unknown id creates the resource.",
          breaks("effect", resource="unknown"),
          kit.edit(kit.both(kit.refused("method"), kit.method("DELETE"), facts.unknown),
          kit.doing(create)),
          all_of(entry.observable, other("DELETE"))),
)  # fmt: skip
