"""Faults of who may: tokens, permissions, owners, the body that a non-administrator sends."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

from servers.faults import breaks, values
from servers.front import Request, Response
from servers.pages import SEVEN, Page
from servers.service import Call, Service
from servers.tokens import Caller, Signed

ADMIN = Caller("admin", admin=True)


# --- Tokens --------------------------------------------------------------------------------------


class TakesMore(Service):
    """Lets a header pass that is no valid bearer token, with every right."""

    def bearer(self, request: Request) -> Caller | None:
        caller = super().bearer(request)
        if caller is None and self.takes(request.headers.get("authorization")):
            return replace(ADMIN, permissions=self.page.delegated)
        return caller

    def takes(self, header: str | None) -> bool:
        raise NotImplementedError


@breaks("SA-12 MA-21 AP-19", {
    "missing": {"test": lambda h: h is None},
    "empty": {"test": lambda h: h == ""},
    "without token": {"test": lambda h: h is not None and h.strip() == "Bearer"},
    "garbage": {"test": lambda h: bool(h) and h.startswith("Bearer ") and "." not in h},
    "Basic": {"test": lambda h: bool(h) and h.startswith("Basic ")},
    "anything": {"test": lambda h: True},
})  # fmt: skip
class TokenAccepted(TakesMore):
    test: Any = bool

    def takes(self, header: str | None) -> bool:
        return bool(type(self).test(header))


class NoClock(Signed):
    def timely(self, claims: dict[str, Any]) -> bool:
        return True


class NoMac(Signed):
    def claims(self, token: str) -> dict[str, Any] | None:
        try:
            body = token.split(".")[1]
            found = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        except (ValueError, IndexError):
            return None
        return found if isinstance(found, dict) else None


class NoMacWhereNoneIsNamed(NoMac):
    """RFC 7519 section 6: `alg` none. Whoever takes the token's word for it trusts everybody."""

    def claims(self, token: str) -> dict[str, Any] | None:
        head = token.split(".")[0]
        try:
            named = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
        except ValueError:
            return None
        unsigned = isinstance(named, dict) and named.get("alg") == "none"
        return super().claims(token) if unsigned else Signed.claims(self, token)


class Trusting(Service):
    book: type[Signed] = Signed

    def __init__(self, page: Page, tokens: Any) -> None:
        super().__init__(page, self.book(page))


@breaks("SA-12 MA-21 AP-19")
class ExpiredTokenAccepted(Trusting):
    book = NoClock


@breaks("SA-12 MA-21 AP-19")
class SignatureNotVerified(Trusting):
    book = NoMac


@breaks("SA-12 MA-21 AP-19")
class UnsignedTokenAccepted(Trusting):
    book = NoMacWhereNoneIsNamed


@breaks("SA-37 MA-51 AP-52")
class LowerCaseSchemeRefused(Service):
    def bearer(self, request: Request) -> Caller | None:
        named = request.headers.get("authorization", "").startswith("Bearer ")
        return super().bearer(request) if named else None


@breaks("SA-12 MA-21 AP-19", values("status", 400, 403, 404, 500, 200))
class MissingTokenAnswered(Service):
    status = 403

    def challenge(self) -> Response:
        if self.status == 200:
            return Response(200)
        return self.refuse(self.status, "Forbidden", "No token.")


@breaks("SA-22 MA-37 AP-42", values("status", 404, 200, 403))
class ExistenceRevealedToTheAnonymous(Service):
    status = 404
    checks = ("existence", "caller", "permission", "content", "ownership", "state")

    def check_existence(self, call: Call) -> Response | None:
        refusal = super().check_existence(call)
        anonymous = self.bearer(call.request) is None
        if refusal is None or not anonymous or self.status == 404:
            return refusal
        return self.refuse(self.status, "x", "x") if self.status > 299 else Response(200)


@breaks("SA-12 MA-21 AP-19")
class ChallengedOnlyWhereItExists(Service):
    """The state is told to the anonymous: a final one is answered before the token is looked at."""

    checks = ("state_first", "caller", "permission", "existence", "content", "ownership", "state")

    def check_state_first(self, call: Call) -> Response | None:
        known = self.find(call.id)
        if known and self.cancellable(known.state) and self.bearer(call.request) is None:
            return self.refuse(409, "Busy", "It is pending.")
        return None


# --- Permissions ---------------------------------------------------------------------------------


@breaks("SA-10 SA-11 MA-19 AP-16 AP-18")
class EveryTokenAccepted(Service):
    def check_permission(self, call: Call) -> Response | None:
        return None


@breaks("SA-10 MA-19 AP-16", values("status", 401, 404, 200, 500))
class MissingPermissionAnswered(Service):
    status = 401

    def check_permission(self, call: Call) -> Response | None:
        if super().check_permission(call) is None:
            return None
        if self.status == 200:
            return Response(200)
        return self.challenge() if self.status == 401 else self.refuse(self.status, "No", "No.")


@breaks("SA-11 MA-19 AP-18", {
    "prefix": {"like": lambda own, wanted: own.startswith(wanted)},
    "prefix of it": {"like": lambda own, wanted: wanted.startswith(own) and own != "User.Read"},
    "substring": {"like": lambda own, wanted: wanted in own},
    "first word": {"like": lambda own, wanted: own.split(".")[0] == wanted.split(".")[0]},
})  # fmt: skip
class PermissionMatchedBy(Service):
    like: Any = None

    def granted(self, caller: Caller) -> frozenset[str]:
        all_ = self.page.application if caller.application else self.page.delegated
        near = {w for w in all_ for own in caller.permissions if type(self).like(own, w)}
        return caller.permissions | near


@breaks("MA-19")
class RunTogetherPermissionAccepted(Service):
    def granted(self, caller: Caller) -> frozenset[str]:
        literal = "Machine.StopAndQuarantineMachine.LiveResponse"
        return caller.permissions | ({"Machine.Scan"} if literal in caller.permissions else set())


@breaks("MA-15 MA-16", {p: {"but": p} for p in sorted(SEVEN - {"Machine.CollectForensic"})})
@breaks("MA-17", {p: {"but": p} for p in ("Machine.StopAndQuarantine", "Machine.LiveResponse")})
@breaks("MA-18", {"both spellings": {"but": "Machine.CollectForensic"}})
class PermissionRefused(Service):
    but = ""

    def granted(self, caller: Caller) -> frozenset[str]:
        return caller.permissions - {self.but}


@breaks("MA-16")
class DelegatedRefused(Service):
    def check_permission(self, call: Call) -> Response | None:
        if not call.caller.application:
            return self.refuse(403, "Forbidden", "Applications only.")
        return super().check_permission(call)


@breaks("SA-09 MA-15")
class ApplicationRefused(Service):
    def check_permission(self, call: Call) -> Response | None:
        if call.caller.application:
            return self.refuse(403, "Forbidden", "Users only.")
        return super().check_permission(call)


@breaks("AP-15")
class ApplicationAccepted(Service):
    def check_permission(self, call: Call) -> Response | None:
        if call.caller.application:
            call.caller = replace(call.caller, admin=True)
            return None
        return super().check_permission(call)


@breaks("SA-08 AP-14")
class PersonalAccountAccepted(Service):
    def bearer(self, request: Request) -> Caller | None:
        caller = super().bearer(request)
        return replace(caller, personal=False, admin=True) if caller else None


@breaks("AP-13")
class FirstScopeOnly(Service):
    def bearer(self, request: Request) -> Caller | None:
        caller = super().bearer(request)
        if caller and "openid" in caller.permissions:
            return replace(caller, permissions=frozenset({"openid"}))
        return caller


@breaks("SA-06")
class DelegatedNowAndThen(Service):
    def check_permission(self, call: Call) -> Response | None:
        if not call.caller.application:
            return self.refuse(418, "Teapot", "Neither accepted nor refused as documented.")
        return super().check_permission(call)


# --- Owners and their bodies ---------------------------------------------------------------------


@breaks("AP-25")
class OthersMayCancel(Service):
    def owns(self, call: Call) -> bool:
        return True


@breaks("AP-54")
class OwnersMayNot(Service):
    def owns(self, call: Call) -> bool:
        return False


BODY_CLAUSES = "AP-21 AP-22 AP-23 AP-24 AP-27 AP-29"
STATUS = "requestStatus"


@breaks("AP-22 AP-23", {
    "any status or null": {"good": lambda d, id_: d.get("id") == id_ and STATUS in d},
}, beside=BODY_CLAUSES)  # fmt: skip
@breaks("AP-23", {
    "any status": {"good": lambda d, id_: d.get("id") == id_ and d.get(STATUS) is not None},
}, beside=BODY_CLAUSES)  # fmt: skip
@breaks("AP-22", {
    "no status": {"good": lambda d, i: d.get("id") == i and d.get(STATUS) in (None, "cancelled")},
}, beside=BODY_CLAUSES)  # fmt: skip
@breaks("AP-21", {
    "no id": {"good": lambda d, id_: d.get("id") in (id_, None) and d.get(STATUS) == "cancelled"},
}, beside=BODY_CLAUSES)  # fmt: skip
@breaks("AP-24", {
    "another's id": {"good": lambda d, id_: bool(d.get("id")) and d.get(STATUS) == "cancelled"},
}, beside=BODY_CLAUSES)  # fmt: skip
class OwnersBodyAccepted(Service):
    good: Any = None

    def own_cancellation(self, call: Call) -> bool:
        return bool(type(self).good(call.document, call.id))


@breaks("AP-27", beside=BODY_CLAUSES)
class OwnersMissingBodyAccepted(Service):
    def check_package(self, call: Call) -> Response | None:
        return None if not call.request.body else super().check_package(call)


@breaks("AP-20 AP-54")
class OwnersBodyRefused(Service):
    def check_package(self, call: Call) -> Response | None:
        if call.document is None and call.request.body:
            self.json(call)
        if call.document:
            return self.refuse(400, "BadRequest", "No body is taken.")
        return None


class LooksAtTheTenantOfSome(Service):
    """Whose tenant is another is asked on one of two paths alone: of users, or of applications."""

    applications = True  # that of another tenant are let in

    def bearer(self, request: Request) -> Caller | None:
        assert isinstance(self.tokens, Signed)
        token = request.headers.get("authorization", "").partition(" ")[2].strip()
        claims, caller = self.tokens.claims(token), super().bearer(request)
        if caller is None and claims and self.tokens.timely(claims):
            holder = self.tokens.holder(claims)
            stranger = self.tokens.addressed(claims) and str(claims.get("tid")) in str(
                claims.get("iss")
            )
            return holder if stranger and holder.application is self.applications else None
        return caller


@breaks("SA-190 MA-190")
class ApplicationsOfAnyTenant(LooksAtTheTenantOfSome):
    pass


@breaks("SA-190 MA-190")
class UsersOfAnyTenant(LooksAtTheTenantOfSome):
    applications = False


@breaks("SA-12 MA-21 AP-19")
class RemembersWhomItKnows(Service):
    """Of a subject that was let in once the dates of a token are not looked at again."""

    def bearer(self, request: Request) -> Caller | None:
        assert isinstance(self.tokens, Signed)
        known: set[str] = self.__dict__.setdefault("known", set())
        caller = super().bearer(request)
        token = request.headers.get("authorization", "").partition(" ")[2].strip()
        claims = self.tokens.claims(token)  # signed as it should be
        if caller is None and claims and self.tokens.addressed(claims):
            holder = self.tokens.holder(claims)
            return holder if self.tokens.issued(claims) and holder.name in known else None
        known |= {caller.name} if caller else set()
        return caller


@breaks("AP-56", {"administrator": {"who": True}})
@breaks("AP-24", {"owner": {"who": False}})
class BodyDecides(Service):
    who = True

    def own_cancellation(self, call: Call) -> bool:
        return bool(call.document.get("requestStatus") == "cancelled")

    def perform(self, call: Call) -> None:
        named = call.document.get("id") if isinstance(call.document, dict) else None
        other = self.resources.get(str(named))
        if other is not None and call.caller.admin == self.who:
            call.resource = other
        super().perform(call)
