"""Variants of what is checked, in which order, and under which code it is refused."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote_to_bytes

from cancel_contracts.mock import entry, identity, kit, leeway
from cancel_contracts.mock.body import media_type
from cancel_contracts.mock.call import MISSING, Call, Refusal, Reply
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Change, Variant, all_of, always, not_
from cancel_contracts.mock.faults.beside import escaped, plain_user
from cancel_contracts.mock.faults.kinds import UUID
from cancel_contracts.mock.faults.tokens import a_word, overlooked, read_from


def odd_ids(status: int) -> Change:
    """Refuse ids that are not as ids are here under another code: no UUID, where any text is."""

    def odd(desk: Desk, call: Call) -> bool:
        text, own = unquote_to_bytes(call.raw_id).decode("utf-8", "replace"), desk.contract.id
        any_text = own.fits("no-such-id")
        return UUID.fullmatch(call.raw_id) is None if any_text else not own.fits(text)

    return kit.together(kit.refuse("find", odd, status, "odd-id"), kit.recode("odd-id", status))


def absent_text(desk: Desk, call: Call) -> None:
    """Ask for what is to be kept of the request."""
    given = call.json if isinstance(call.json, dict) else {}
    if any(not given.get(source) for source in desk.contract.lifecycle.records.values()):
        raise Refusal(400, "absent-text")


def no_body(desk: Desk, call: Call) -> bool:
    return not call.body


def some_body(desk: Desk, call: Call) -> bool:
    return bool(call.body)


def typed_nothing(desk: Desk, call: Call) -> bool:
    return not call.body and "content-type" in call.headers


def more_than_one(desk: Desk, call: Call) -> bool:
    """Credentials are none of RFC 6750 section 2.1."""
    own = desk.contract.scheme.name.lower()
    found = [value.split() for name, value in call.fields if name == own]
    return len(found) > 1 or any(len(words) > 2 for words in found)


def in_form(desk: Desk, call: Call) -> str | None:
    """Return the token of RFC 6750 section 2.2, which servers may know."""
    if "form" not in media_type(call):
        return None
    return parse_qs(call.body.decode("latin-1")).get("access_token", [None])[0]


def in_second_header(desk: Desk, call: Call) -> str | None:
    own = desk.contract.scheme.name.lower()
    found = [value for name, value in call.fields if name == own]
    return found[-1].rpartition(" ")[2] if len(found) > 1 else None


def bodies_ignored(desk: Desk) -> None:
    """Look into nobody's body, as an edition that asks for none."""

    def act(_: Desk, call: Call) -> None:
        call.json = MISSING

    kit.instead("body", act)(desk)
    kit.forgive("owner-body-missing")(desk)


def delegated(desk: Desk, call: Call) -> bool:
    return call.caller.kind == "delegated"


def after_state(desk: Desk, call: Call) -> bool:
    """The resource is in the state after a cancel already."""
    return call.resource is not None and call.resource.state == desk.after


def no_options(desk: Desk, call: Call, reply: Reply) -> Reply:
    """Refuse OPTIONS as any method that is not the operation's."""
    return desk.refuse(call, Refusal(405, "options", (("Allow", desk.contract.method),)))


VARIANTS: tuple[Variant, ...] = (
    *(Variant(f"final-state-answered-{code}", f"A final state is refused with {code}.",
              all_of(leeway.final_is_open, leeway.allows(code)),
              kit.recode("final", code), settles="final states") for code in (400, 403, 422)),
    Variant("repeat-answered-as-done", "What is cancelled already is answered as done.",
            all_of(entry.named_after, leeway.final_is_open),
            kit.edit(kit.both(kit.refused("final"), after_state), kit.as_success)),
    Variant("final-state-answered-as-done",
            "A final state is answered as done, where no page refuses it.",
            all_of(not_(entry.named_after), leeway.final_is_open),
            kit.edit(kit.refused("final"), kit.as_success),
            settles="final states"),
    *(Variant(f"odd-ids-answered-{code}", f"An id that is no UUID is refused with {code}.",
              leeway.allows(code), odd_ids(code), settles="odd ids") for code in (400, 404, 422)),
    Variant("wrong-media-answered-400", "A wrong content type is refused with 400.",
            all_of(entry.takes_body, leeway.allows(400), leeway.unnamed(415)),
            kit.together(kit.recode("media", 400), kit.recode("no-media", 400))),
    Variant("bad-body-answered-422", "A body of the wrong shape is refused with 422.",
            all_of(entry.takes_body, leeway.allows(422), leeway.unnamed(400)),
            kit.together(*(kit.recode(why, 422) for why in (
                "no-object", "bad-property", "other-id", "owner-body-schema", "owner-body-id")))),
    Variant("absent-text-refused", "A request without what is to be kept is refused.",
            entry.records, kit.after("body", absent_text)),
    Variant("absent-body-refused", "A request without a body is refused, an administrator's too.",
            entry.owner_bodies, kit.refuse("body", no_body, 400, "absent-body"),
            settles="absent bodies"),
    Variant("unexpected-body-refused", "A body is refused, where none is to be sent.",
            entry.takes_nothing, kit.refuse("find", some_body, 400, "unexpected-body")),
    Variant("bodies-ignored", "Nobody's body is looked into.", entry.owner_bodies, bodies_ignored,
            settles="absent bodies"),
    Variant("resource-before-permission",
            "Whether the id is known is looked at before the permission.",
            entry.tokens, kit.order("authenticate", "find", "authorise", "throttle")),
    Variant("body-before-resource", "The body is looked at before the id.",
            entry.takes_body, kit.order("media", "body", "find"), settles="order of the body"),
    Variant("body-before-permission", "The body is looked at before the permission.",
            entry.takes_body,
            kit.order("authenticate", "media", "body", "authorise", "throttle", "find"),
            settles="order of the body"),
    Variant("body-before-token", "The body is looked at before the token.", entry.takes_body,
            kit.order("media", "body", "authenticate", "authorise", "throttle", "find"),
            settles="order of the body"),
    Variant("state-before-body", "The state is looked at before the body.",
            entry.takes_body, kit.order("decide", "media", "body", "own"),
            settles="order of the body"),
    Variant("token-before-method", "The token is looked at before the method.",
            entry.tokens, kit.order("authenticate", "authorise", "method")),
    Variant("options-answered-200", "OPTIONS is answered 200 with Allow.", always,
            kit.edit(kit.refused("options"), kit.status(200)), settles="OPTIONS"),
    Variant("options-answered-405", "OPTIONS is refused as other methods are.", always,
            kit.edit(kit.refused("options"), no_options), settles="OPTIONS"),
    *(Variant(f"other-methods-answered-{code}", f"Other methods are refused with {code}.", always,
              kit.recode("method", code), settles="other methods") for code in (404, 400)),
    Variant("personal-account-answered-401", "A personal account is refused with 401.",
            all_of(entry.permitted("delegated"), leeway.allows(401), leeway.unnamed(403)),
            kit.recode("personal", 401, identity.CHALLENGE)),
    Variant("wrong-audience-answered-403", "A token for another audience is refused with 403.",
            all_of(entry.web_tokens, leeway.allows(403)), kit.recode("wrong-audience", 403)),
    Variant("wrong-issuer-answered-403", "A token of another issuer is refused with 403.",
            all_of(entry.web_tokens, leeway.allows(403)), kit.recode("other-issuer", 403)),
    *(Variant(f"other-tenant-answered-{code}", f"A token of another tenant is refused with {code}.",
              all_of(entry.web_tokens, leeway.allows(code)), kit.recode("other-tenant", code),
              settles="another tenant") for code in (403, 404)),
    Variant("tenants-not-told-apart", "Sound tokens of any tenant are served.",
            entry.web_tokens, overlooked("other-tenant"), settles="another tenant"),
    Variant("directory-role-asked", "A user without a directory role is refused.",
            all_of(*map(entry.permitted, ("application", "delegated")), not_(entry.owners)),
            kit.refuse("authorise", plain_user, 403, "no-permission")),
    Variant("needless-escapes-refused", "An id with an escape that it needs not is refused.",
            always, kit.refuse("find", escaped, 400, "escaped")),
    Variant("media-type-of-nothing-refused", "A media type without a body is refused.",
            entry.takes_nothing, kit.refuse("find", typed_nothing, 400, "unexpected-end")),
    Variant("malformed-credentials-answered-400",
            "More than a word and a token, or two such headers, are refused with 400.",
            all_of(a_word, leeway.allows(400)),
            kit.refuse("authenticate", more_than_one, 400, "malformed-credentials")),
    Variant("token-in-the-second-header",
            "A token is taken from a second Authorization header: nobody is to send two.",
            a_word, read_from(in_second_header)),
    Variant("token-in-a-form", "A token in a form is accepted too, as RFC 6750 has it.",
            a_word, read_from(in_form)),
    Variant("anothers-resource-answered-404", "What is another's is not found.",
            all_of(entry.owners, leeway.allows(404), leeway.unnamed(403)),
            kit.recode("not-owner", 404)),
    Variant("application-only", "Delegated tokens are refused, as an edition of the page has it.",
            entry.either_kind_of_one, kit.refuse("authorise", delegated, 403, "wrong-kind")),
    Variant("application-answered-401",
            "An application is refused with 401, where none is supported.",
            all_of(entry.permitted("delegated"), not_(entry.permitted("application"))),
            kit.recode("wrong-kind", 401, identity.CHALLENGE)),
)  # fmt: skip
