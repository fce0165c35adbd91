"""Faults of tokens that are nearly right: cut, elsewhere, of another claim."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from typing import Any

from cancel_contracts.contract.credentials import FIELD_NAME
from cancel_contracts.contract.model import Contract
from cancel_contracts.mock import entry, identity, kit
from cancel_contracts.mock.call import Call, Refusal
from cancel_contracts.mock.desk import Desk, Step
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, all_of, breaks
from cancel_contracts.mock.faults import facts

PREFIX = 20  # characters that a careless comparison looks at
INVALID = ("anonymous", "empty-header", "bare-scheme", "other-scheme", "garbage-token",
           "bad-signature")  # fmt: skip


def read_from(token: Callable[[Desk, Call], str | None]) -> Change:
    """Where the header holds no valid token, look for one elsewhere."""

    def outer(desk: Desk, call: Call, inner: Step) -> None:
        try:
            inner(call)
        except Refusal as refusal:
            found = token(desk, call)
            if found is None or refusal.why not in INVALID:
                raise
            bare = identity.unwrapped(desk.contract.scheme, found)
            call.caller = identity.known(bare, desk.key, desk.contract.audiences)

    return kit.around("authenticate", outer)


def in_query(desk: Desk, call: Call) -> str | None:
    return call.query.get("access_token", call.query.get(desk.contract.scheme.name))


def in_cookie(desk: Desk, call: Call) -> str | None:
    own, cookie = re.escape(desk.contract.scheme.name), call.headers.get("cookie", "")
    found = re.search(rf"(?:access_token|token|Authorization|{own})=([^;\s]+)", cookie)
    return found[1] if found else None


def in_header(name: str) -> Callable[[Desk, Call], str | None]:
    def token(desk: Desk, call: Call) -> str | None:
        value = call.headers.get(name)
        return None if value is None else value.rpartition(" ")[2]

    return token


def in_own_header(desk: Desk, call: Call) -> str | None:
    value = call.headers.get(desk.contract.scheme.name.lower())
    return None if value is None else value.rpartition(" ")[2]


def first_word(desk: Desk, call: Call) -> str | None:
    words = call.headers.get("authorization", "").split()
    return words[1] if len(words) > 2 else None


def any_scheme(desk: Desk, call: Call) -> str | None:
    words = call.headers.get("authorization", "").split()
    return words[1] if len(words) == 2 else None


def without_scheme(desk: Desk, call: Call) -> str | None:
    value = call.headers.get("authorization", "")
    return value if value.count(".") == 2 and " " not in value else None


def bare(desk: Desk, call: Call) -> str:
    """Return the token of a call, nothing where there is none."""
    try:
        return desk.token(call)
    except Refusal:
        return ""


def known_before(alike: Callable[[str, str], bool]) -> Change:
    """Take a token for one that was valid before, if it is much alike."""

    def change(desk: Desk) -> None:
        seen: list[str] = []

        def outer(_: Desk, call: Call, inner: Step) -> None:
            token = bare(desk, call)
            try:
                inner(call)
                seen.append(token)
            except Refusal:
                mine = [old for old in seen if token and old != token and alike(token, old)]
                if not mine:
                    raise
                call.caller = identity.caller_of(identity.unverified(mine[-1]))

        kit.around("authenticate", outer)(desk)

    return change


def cut(token: str, old: str) -> bool:
    return (old.startswith(token) and token.count(".") == 2) or token == old.rpartition(".")[0]


def longer(token: str, old: str) -> bool:
    return token.startswith(old)


def other_case(token: str, old: str) -> bool:
    return token.lower() == old.lower()


def same_signature_start(token: str, old: str) -> bool:
    mine, theirs = token.rpartition("."), old.rpartition(".")
    return mine[2][:PREFIX] == theirs[2][:PREFIX] and mine[0] == theirs[0]


def overlooked(*whys: str, when: kit.When = kit.every) -> Change:
    """Pass over what is wrong with a claim, and read the caller all the same."""

    def outer(desk: Desk, call: Call, inner: Step) -> None:
        try:
            inner(call)
        except Refusal as refusal:
            if refusal.why not in whys or not when(desk, call):
                raise
            call.caller = identity.caller_of(identity.unverified(desk.token(call)))

    return kit.around("authenticate", outer)


def claims(desk: Desk, call: Call) -> dict[str, Any]:
    return identity.unverified(desk.token(call))


def audience_like(desk: Desk, call: Call) -> bool:
    """The audience only begins as the documented one."""
    named = str(claims(desk, call).get("aud"))
    return any(named.startswith(a.rstrip("/")) for a in desk.contract.audiences)


def without_expiry(desk: Desk, call: Call) -> bool:
    return "exp" not in claims(desk, call)


def algorithm(desk: Desk, call: Call) -> str:
    """Return the algorithm that a token names, or nothing."""
    head = desk.token(call).split(".")[0]
    try:
        named = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))).get("alg")
    except (ValueError, AttributeError):
        return ""
    return named if isinstance(named, str) else ""


def names_alg_in_lower_case(desk: Desk, call: Call) -> bool:
    """The token names its algorithm in lower case; nobody looks at the signature then."""
    named = algorithm(desk, call)
    return named != named.upper() and named.lower() != "none"


def any_none(desk: Desk, call: Call) -> bool:
    """The token says that it needs no signature, in some other case than the RFC's."""
    named = algorithm(desk, call)
    return named.lower() == "none" and named != "none"


def let_in(when: kit.When) -> Change:
    """Read the claims of such a token and believe them, times apart."""

    def act(desk: Desk, call: Call) -> None:
        found = claims(desk, call)
        if "exp" in found:
            identity.valid(found, (), time.time())
        call.caller = identity.caller_of(found)

    def outer(desk: Desk, call: Call, inner: Step) -> None:
        try:
            inner(call)
        except Refusal as refusal:
            if refusal.why in ("anonymous", "empty-header", "bare-scheme", "other-scheme") or (
                not when(desk, call)
            ):
                raise
            act(desk, call)

    return kit.around("authenticate", outer)


def roles_beside_scopes(desk: Desk, call: Call) -> bool:
    """A user's token without the scope has the permission among its roles."""
    roles, names = claims(desk, call).get("roles"), {p.name for p in desk.contract.permissions}
    return facts.delegated(desk, call) and isinstance(roles, list) and bool(names & set(roles))


def scopes_beside_roles(desk: Desk, call: Call) -> bool:
    """The scopes come in a list, or under the plural of the claim."""
    found, names = claims(desk, call), {p.name for p in desk.contract.permissions}
    held = found.get("scope", found.get("scopes", found.get("scp")))
    many = held.split() if isinstance(held, str) and "scp" not in found else held
    return isinstance(many, list) and bool(names & set(map(str, many)))


def fault(
    name: str, says: str, broken: Breaks, change: Change, applies: Applies = entry.tokens
) -> Fault:
    return Fault(name, "nearly right", says, (broken,), applies, change)


ELSEWHERE = breaks("status effect", identity="token-elsewhere")


def a_word(contract: Contract) -> bool:
    """A word stands before the token, and behind it the token as it is."""
    return entry.tokens(contract) and bool(contract.scheme.word) and not contract.scheme.basic


APPS = all_of(entry.web_tokens, entry.permitted("application"))


def nearly(*identities: str) -> Breaks:
    return breaks("status effect", identity=" ".join(identities))


FAULTS: tuple[Fault, ...] = (
    *(fault(f"token-in-{name}", f"A token is taken from {what}.", broken, read_from(where))
      for name, what, where, broken in (
          ("the-query", "the query", in_query, ELSEWHERE),
          ("a-cookie", "a cookie", in_cookie, ELSEWHERE),
          ("x-authorization", "X-Authorization", in_header("x-authorization"), ELSEWHERE),
          ("proxy-authorization", "Proxy-Authorization", in_header("proxy-authorization"),
           ELSEWHERE))),
    fault("key-in-a-header-accepted", "A header holds the key that is to stand elsewhere.",
          ELSEWHERE, read_from(in_own_header),
          lambda c: entry.tokens(c) and c.scheme.place != "header"
          and FIELD_NAME.fullmatch(c.scheme.name) is not None),
    fault("token-with-words-after", "What follows a token is not looked at.",
          nearly("words-after"), read_from(first_word), a_word),
    fault("token-of-any-scheme-accepted", "A token is accepted whatever the scheme before it.",
          nearly("other-scheme"), read_from(any_scheme), a_word),
    fault("token-without-a-scheme", "A token without the scheme's word is accepted.",
          nearly("bare-token"), read_from(without_scheme), entry.knows("bare-token")),
    fault("token-cut", "A token that was cut off is taken for the whole.",
          nearly("cut-token"), known_before(cut)),
    fault("token-longer", "A token with more at its end is taken for the shorter.",
          nearly("longer-token"), known_before(longer)),
    fault("token-in-another-case", "Tokens are compared without case.",
          nearly("other-case-token"), known_before(other_case)),
    fault("token-signature-half-compared", "Of a signature the first characters are compared.",
          nearly("cut-token", "longer-token"), known_before(same_signature_start),
          entry.web_tokens),
    fault("token-not-yet-valid-accepted", "A token of tomorrow is accepted.",
          breaks("status effect", identity="expired"), overlooked("not-yet"), entry.web_tokens),
    fault("token-of-an-application-expired-accepted",
          "Of applications nobody looks at how long their tokens hold.",
          nearly("expired-app"), overlooked("expired", when=facts.application), APPS),
    fault("token-of-an-application-not-yet-valid-accepted", "Of applications no `nbf` is read.",
          nearly("not-yet-valid-app"), overlooked("not-yet", when=facts.application), APPS),
    fault("token-of-a-plain-user-expired-accepted", "Of plain users no expiry is looked at.",
          nearly("expired-user"), overlooked("expired", when=facts.user), entry.web_tokens),
    fault("token-of-another-issuer-accepted", "Who issued a token does not matter.",
          nearly("wrong-issuer"), overlooked("other-issuer"), entry.web_tokens),
    fault("token-of-another-tenant-accepted",
          "In the second state it does not matter of whose tenant a token is.",
          nearly("other-tenant", "other-tenant-app"),
          overlooked("other-tenant", when=facts.state(2)),
          lambda c: entry.web_tokens(c) and len(c.lifecycle.cancellable) > 1),
    fault("application-of-another-tenant-accepted", "Applications are those of any tenant.",
          nearly("other-tenant-app"), overlooked("other-tenant", when=facts.application), APPS),
    fault("token-for-a-longer-audience-accepted", "An audience that begins alike is accepted.",
          breaks("status effect", identity="wrong-audience"),
          kit.forgive("wrong-audience", when=audience_like), entry.web_tokens),
    fault("token-without-expiry-accepted", "A token that never expires is accepted.",
          nearly("without-expiry"), let_in(without_expiry), entry.web_tokens),
    fault("token-of-an-algorithm-in-lower-case-accepted",
          "An algorithm in lower case is one that nobody checks.",
          nearly("lower-case-algorithm"), let_in(names_alg_in_lower_case), entry.web_tokens),
    fault("token-of-algorithm-none-in-capitals-accepted",
          "A token of the algorithm None or NONE needs no signature.",
          nearly("capital-none"), let_in(any_none), entry.web_tokens),
    fault("token-with-roles-for-scopes-accepted",
          "A user's token is let in by a role that only applications have.",
          nearly("user-with-roles"),
          kit.forgive("no-permission", "wrong-kind", when=roles_beside_scopes),
          lambda c: bool(c.permissions)),
    fault("token-with-scopes-in-a-list-accepted",
          "Scopes in another form or claim are taken for scopes.",
          nearly("scopes-listed"),
          kit.forgive("no-permission", "wrong-kind", when=scopes_beside_roles),
          lambda c: bool(c.permissions)),
)  # fmt: skip
