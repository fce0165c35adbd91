"""Faults of requests that are nearly right, that hold more than is asked, or are seldom sent."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import parse_qs, unquote

from servers.entities import Resource
from servers.faults import breaks, values
from servers.front import Request, Response
from servers.joint_entity import EndedOnesComeToLife
from servers.service import Call, Service
from servers.tokens import Caller

# --- Tokens nearly right -------------------------------------------------------------------------


def from_query(request: Request) -> str:
    return parse_qs(request.target.partition("?")[2]).get("access_token", [""])[0]


def from_cookie(request: Request) -> str:
    return request.headers.get("cookie", "").partition("=")[2].partition(";")[0]


def from_other_header(request: Request) -> str:
    names = ("x-access-token", "x-ms-token-aad-access-token", "x-authorization", "x-api-key")
    found = next((request.headers[n] for n in names if n in request.headers), "")
    return found.removeprefix("Bearer ")


def from_any_scheme(request: Request) -> str:
    return request.headers.get("authorization", "").partition(" ")[2].split(",")[0].strip()


def from_first_word(request: Request) -> str:
    words = request.headers.get("authorization", "").split()
    return words[1] if len(words) > 2 else ""


def from_last_word(request: Request) -> str:
    return (request.headers.get("authorization", "").split() or [""])[-1]


@breaks("SA-50 MA-67 AP-70", {
    "query": {"where": staticmethod(from_query)},
    "another header": {"where": staticmethod(from_other_header)},
    "cookie": {"where": staticmethod(from_cookie)},
})  # fmt: skip
@breaks("SA-49 MA-66 AP-69", {"last word": {"where": staticmethod(from_last_word)}})
@breaks("SA-49 MA-63 AP-69", {"any scheme": {"where": staticmethod(from_any_scheme)}})
@breaks("SA-121 MA-121 AP-121", {"first word": {"where": staticmethod(from_first_word)}}, deep=True)
class TokenFromElsewhere(Service):
    """Where the header says nothing of worth, the token is looked for elsewhere."""

    where: Callable[[Request], str] = staticmethod(from_query)

    def bearer(self, request: Request) -> Caller | None:
        return super().bearer(request) or self.tokens.caller(self.where(request))


@breaks("SA-12 MA-21 AP-19", {"not before": {"drop": ("nbf",)}})
@breaks("SA-125", {"issuer": {"drop": ("iss",)}})
@breaks("MA-124 AP-125", {"issuer": {"drop": ("iss",)}}, deep=True)
class ClaimNotRead(Service):
    """A claim is not looked at, and so may say anything."""

    drop: tuple[str, ...] = ()

    def bearer(self, request: Request) -> Caller | None:
        signed: Any = self.tokens
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        claims = signed.claims(token.strip()) if scheme.lower() == "bearer" else None
        if claims is None:
            return None
        kept = {k: v for k, v in claims.items() if k not in self.drop}
        good = signed.timely(kept) and signed.addressed(kept) and signed.issued(kept)
        return signed.holder(kept) if good else None


@breaks("AP-124", deep=True)
class RolesCountForUsers(Service):
    """Permissions are what `roles` and `scp` hold together."""

    def bearer(self, request: Request) -> Caller | None:
        caller = super().bearer(request)
        token = request.headers.get("authorization", "").partition(" ")[2]
        if caller is None or caller.application:
            return caller
        claims: Any = self.tokens.claims(token)  # type: ignore[attr-defined]
        roles = claims.get("roles", []) if claims else []
        return replace(caller, permissions=caller.permissions | frozenset(map(str, roles)))


class AudienceBeginsAlike(Service):
    def bearer(self, request: Request) -> Caller | None:
        self.tokens.addressed = lambda claims: any(  # type: ignore[attr-defined]
            str(claims.get("aud")).startswith(a.rstrip("/")) for a in self.page.audiences
        )
        return super().bearer(request)


# --- Ids and paths nearly right ------------------------------------------------------------------


ORDINARY = "SA-05 MA-06 AP-06"  # which have another resource stand beside the first call


@breaks("SA-21 MA-36 AP-36", values("take", 8, 30), beside=ORDINARY)
class IdByItsBeginning(Service):
    take = 0

    def find(self, id_: str) -> Resource | None:
        alike = [r for i, r in self.resources.items() if len(id_) >= self.take and (
            i.startswith(id_))]  # fmt: skip
        return super().find(id_) or next(iter(alike[-1:]), None)


@breaks("SA-20 MA-34 AP-35", values("take", 8, 30), beside=ORDINARY)
class IdsThatBeginAlike(Service):
    """The first letters of an id are looked at, and no others."""

    take = 0

    def find(self, id_: str) -> Resource | None:
        alike = [r for i, r in self.resources.items() if i[: self.take] == id_[: self.take]]
        return super().find(id_) or next(iter(alike[-1:]), None)


@breaks("SA-21 MA-47 AP-36", {
    "at a NUL": {"end": "\0"}, "at a quote": {"end": "'"}, "at a slash": {"end": "/"},
    "at a letter beyond ASCII": {"end": "é"},
}, beside=ORDINARY)  # fmt: skip
class IdEnds(Service):
    """What follows a character is not read: a C string, a statement that goes on, a path."""

    end = "\0"

    def key(self, segment: str) -> str:
        return super().key(segment).partition(self.end)[0]


PATTERNS = values("some", "*", "%")


@breaks("SA-21", PATTERNS, beside=ORDINARY)
@breaks("MA-112 AP-112", PATTERNS, beside=ORDINARY, deep=True)
class IdIsAPattern(Service):
    some = "*"

    def find(self, id_: str) -> Resource | None:
        begin, mark, end = id_.partition(self.some)
        fits = [r for i, r in self.resources.items() if i.startswith(begin) and i.endswith(end)]
        return super().find(id_) or (fits[-1] if mark and begin and fits else None)


@breaks("SA-21", beside=ORDINARY)
@breaks("MA-112 AP-112", beside=ORDINARY, deep=True)
class IdDecodedTwice(Service):
    def key(self, segment: str) -> str:
        return unquote(super().key(segment), errors="replace")


@breaks("SA-40 MA-48 AP-62", beside="MA-47")
class IdInLatin1Fails(Service):
    def post(self, request: Request, id_: str) -> Response:
        return (
            self.refuse(500, "DecodeError", "Bad octets.")
            if "\ufffd" in id_
            else super().post(request, id_)
        )


def squeezed(path: str) -> str:
    return re.sub("/{2,}", "/", path)


def settled(path: str) -> str:
    return re.sub(r"/[^/]+/\.\.(?=/)", "", path.replace("/./", "/"))


def cut_slash(path: str) -> str:
    return path.rstrip("/")


@breaks("SA-102 MA-102 AP-102", {
    "doubled slash": {"read": staticmethod(squeezed)}, "dots": {"read": staticmethod(settled)},
    "slash at the end": {"read": staticmethod(cut_slash)},
    "encoded letters": {"read": staticmethod(unquote)},
}, deep=True)  # fmt: skip
class GuardReadsTheRawPath(Service):
    """A guard in front knows the documented path alone; the router behind it knows others."""

    read: Callable[[str], str] = staticmethod(cut_slash)

    def answer(self, request: Request) -> Response:
        path = self.read(request.target)
        if path == request.target:
            return super().answer(request)
        self.unguarded = True
        try:
            return super().answer(replace(request, target=path))
        finally:
            self.unguarded = False

    unguarded = False

    def check_caller(self, call: Call) -> Response | None:
        return None if self.unguarded else super().check_caller(call)

    def check_permission(self, call: Call) -> Response | None:
        return None if self.unguarded else super().check_permission(call)


# --- More than is asked --------------------------------------------------------------------------


class Assigns(Service):
    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        given = call.document if isinstance(call.document, dict) else {}
        known = self.entity(resource)
        resource.shown |= {k: v for k, v in given.items() if k in known and k in self.names}

    names: tuple[str, ...] = ()


@breaks("MA-73", {n: {"names": (n,)} for n in ("status", "requestor")})
@breaks("MA-69", {n: {"names": (n,)} for n in ("creationDateTimeUtc",)}, beside="MA-73")
@breaks("MA-72", {n: {"names": (n,)} for n in ("cancellationRequestor",)}, beside="MA-73")
@breaks("AP-72", {n: {"names": (n,)} for n in ("requestType", "createdDateTime")}, beside="AP-39")
@breaks("MA-130", {n: {"names": (n,)} for n in ("machineId", "lastUpdateDateTimeUtc", "commands")})
@breaks("AP-130", {n: {"names": (n,)} for n in ("requestState", "justification")})
class BodyWrites(Assigns):
    """A property of the body is written into the entity."""


@breaks("AP-21", {"null": {"like": staticmethod(lambda given, id_: given is None)}}, beside="AP-22")
@breaks("AP-131", {
    "empty": {"like": staticmethod(lambda given, id_: given == "")},
    "in a list": {"like": staticmethod(lambda given, id_: given == [id_])},
    "cut": {"like": staticmethod(lambda given, id_: isinstance(given, str) and (
        len(given) > 7 and id_.startswith(given)))},
    "going on": {"like": staticmethod(lambda given, id_: str(given).startswith(id_))},
    "an object": {"like": staticmethod(lambda given, id_: isinstance(given, dict))},
}, beside="AP-21", deep=True)  # fmt: skip
class OwnersIdNearlyRight(Service):
    like: Callable[[Any, str], bool] = staticmethod(lambda given, id_: False)

    def own_cancellation(self, call: Call) -> bool:
        good = call.document.get("requestStatus") == "cancelled"
        return super().own_cancellation(call) or (
            good and self.like(call.document.get("id"), call.id)
        )


# --- What must not matter ------------------------------------------------------------------------


@breaks("SA-51 MA-68 AP-71", {
    "accept": {"header": "accept", "part": "text/html"},
    "accept-language": {"header": "accept-language", "part": ""},
    "cookie": {"header": "cookie", "part": ""},
    "user-agent": {"header": "user-agent", "part": "curl"},
    "x-forwarded-proto": {"header": "x-forwarded-proto", "part": "http"},
    "x-http-method": {"header": "x-http-method-override", "part": ""},
})  # fmt: skip
class HeaderMakesItIdle(Service):
    """A header that nobody asks for makes a call that is answered as done, and is not."""

    header = part = ""

    def perform(self, call: Call) -> None:
        value = call.request.headers.get(self.header)
        if value is None or self.part not in value:
            super().perform(call)


@breaks("SA-50 MA-67 AP-70")
class GatewayIsBelieved(Service):
    """Who a gateway says has called needs no token."""

    def check_caller(self, call: Call) -> Response | None:
        name = call.request.headers.get("x-ms-client-principal-name")
        if name and "authorization" not in call.request.headers:
            enough = self.page.delegated | self.page.application
            call.caller = Caller(name, enough, admin=True)
            return None
        return super().check_caller(call)


@breaks("SA-51 MA-68 AP-71")
class QueryIsPartOfTheId(Service):
    """A query makes the route another: 404."""

    def answer(self, request: Request) -> Response:
        asked = request.target.partition("?")
        if asked[1] and asked[0].endswith("/" + self.page.verb):
            return self.unrouted(request)
        return super().answer(request)


# --- Texts and forms -----------------------------------------------------------------------------


@breaks("MA-28", {
    "falsy": {"pattern": r"^(0|false|null|none|undefined|NaN)$", "by": ""},
    "braces": {"pattern": r"\{\{.*?\}\}|\$\{.*?\}|#\{.*?\}", "by": ""},
    "line ends": {"pattern": r"\r\n?", "by": "\n"},
    "dates": {"pattern": r"^(\d{4})-(\d\d)-(\d\d)T.*$", "by": r"\3.\2.\1"},
    "hashes": {"pattern": r"^=", "by": "'="},
})  # fmt: skip
@breaks("MA-132", {"nul": {"pattern": "\0.*", "by": ""}}, deep=True)
@breaks("MA-131", {
    "numbers": {"pattern": r"^0+(?=\d)", "by": ""}, "references": {"pattern": "&amp;", "by": "&"},
    "mentions": {"pattern": r"@\w+", "by": "@"},
}, deep=True)  # fmt: skip
class TextsRewritten(Service):
    """What a text seems to be is what it is taken for."""

    pattern = by = ""

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        if resource.comment is not None:
            resource.comment = re.sub(self.pattern, self.by, resource.comment, flags=re.DOTALL)


@breaks("MA-57", values("most", 65_535))
@breaks("MA-132", values("most", 999_999), deep=True)
class TextsCut(Service):
    most = 0

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        resource.comment = resource.comment and resource.comment[: self.most]


@breaks("MA-68 AP-71", {"indented": {"pattern": rb"\n"}, "escaped": {"pattern": rb"\\u"}})
class FormsFail(Service):
    """A reader of its own stumbles over JSON that is written in another way."""

    pattern = b""

    def post(self, request: Request, id_: str) -> Response:
        if re.search(self.pattern, request.body) and self.bearer(request):
            return self.refuse(500, "ParserError", "Unexpected.")
        return super().post(request, id_)


@breaks("MA-133 AP-133", deep=True)
class FormsFailAtAMark(FormsFail):
    pattern = b"^\xef"


@breaks("MA-133 AP-133", deep=True)
class FormsFailAtHalfAPair(FormsFail):
    pattern = rb"\\ud83d(?!\\ud)"


@breaks("MA-134 AP-134", deep=True)
class BadBodyOfWhatEndedIsTaken(Service):
    """Whatever is wrong with the body hides that the resource has ended: it is cancelled."""

    def refused(self, call: Call, refusal: Response) -> Response:
        if not self.json(call) and call.resource is not None and refusal.status in (400, 409):
            self.cancel(call.resource, call)
        return refusal


@breaks("MA-135 AP-135", deep=True)
class BadBodyOfAnUnknownIdFails(Service):
    def unknown(self, call: Call) -> Response:
        if not self.json(call):
            return self.refuse(500, "NullReference", "No body.")
        return super().unknown(call)


@breaks("MA-134 AP-134", deep=True)
class StateIsWhatTheBodySays(Service):
    """The resource of the body is what is looked at."""

    def check_state(self, call: Call) -> Response | None:
        said = call.document if isinstance(call.document, dict) else {}
        if {said.get("status"), said.get("requestState")} & set(self.page.cancellable):
            return None
        return super().check_state(call)


@breaks("AP-136", deep=True)
class OwnerIsWhoTheBodySays(Service):
    def owns(self, call: Call) -> bool:
        return super().owns(call) or call.document.get("userId") == call.caller.name


@breaks("MA-68 AP-71")
class RespelledIsIdle(Service):
    """JSON over several lines is answered as done, and nothing is."""

    def perform(self, call: Call) -> None:
        if b"\n" not in call.request.body:
            super().perform(call)


# --- The request side of HTTP --------------------------------------------------------------------


@breaks("SA-103 MA-103 AP-103", deep=True)
class OldVersionIsIdle(Service):
    def perform(self, call: Call) -> None:
        if call.request.version != "HTTP/1.0":
            super().perform(call)


@breaks("SA-105 MA-105 AP-104", deep=True)
class AbsoluteFormIsUnguarded(Service):
    def check_caller(self, call: Call) -> Response | None:
        absolute = not call.request.target.startswith("/")
        return None if absolute else super().check_caller(call)

    def check_permission(self, call: Call) -> Response | None:
        absolute = not call.request.target.startswith("/")
        return None if absolute else super().check_permission(call)


@breaks("SA-53 MA-70 AP-73", beside="SA-108 MA-108 AP-108", deep=True)
class TraceEchoesAll(Service):
    def other_method(self, request: Request, id_: str) -> Response:
        if request.method != "TRACE":
            return super().other_method(request, id_)
        fields = [f"{name}: {value}" for name, value in request.headers.items()]
        lines = [f"TRACE {request.target} HTTP/1.1", *fields]
        return Response(200, "\r\n".join([*lines, "", ""]).encode("latin-1"), (
            ("Content-Type", "message/http"),))  # fmt: skip


@breaks("SA-107 MA-107 AP-107", values("verb", "CANCEL", "PURGE"), deep=True)
@breaks("SA-108 MA-108 AP-108", values("verb", "TRACE"), deep=True)
class SeldomMethodIsTaken(Service):
    verb = ""

    def other_method(self, request: Request, id_: str) -> Response:
        if request.method == self.verb:
            return self.post(replace(request, method="POST"), id_)
        return super().other_method(request, id_)


@breaks("SA-32 MA-08 AP-11", values("which", 0))
@breaks("SA-32 MA-09 AP-11", values("which", -1))
class OneEndComesToLife(EndedOnesComeToLife):
    """Of what has ended in one way alone a retry is scheduled."""

    which = 0

    def not_cancellable(self, call: Call) -> Response:
        assert call.resource is not None
        ended = [state for state in self.page.final if state != self.page.cancelled]
        if call.resource.state == ended[self.which]:
            return super().not_cancellable(call)
        return Service.not_cancellable(self, call)


@breaks("SA-161", {"in the time of the house": {"ahead": 2}}, beside="SA-01 SA-06 SA-09")
class HistoryIsDatedAhead(Service):
    """The dates of an action are right, but for those in its history."""

    ahead = 0

    def entity(self, resource: Resource) -> dict[str, Any]:
        made = {"status": "NotStarted", "user": "orchestrator@contoso.example"}
        return super().entity(resource) | {"states": [made]} | resource.shown

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        when = datetime.now(UTC) + timedelta(hours=self.ahead)
        row = {"status": "Failed", "user": call.caller.name, "updatedDateTime": f"{when:%FT%TZ}"}
        resource.shown["states"] = [*self.entity(resource)["states"], row]


@breaks("MA-140", beside="MA-164", deep=True)
class PlainUsersAreNobody(Service):
    """Whoever has no row in the directory of roles is no name to be written down."""

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        if call.caller.name in ("user", "other-user"):
            resource.cancelled_by = None


@breaks("AP-37", {f"its {name}": {"column": name} for name in ("requestState", "requestStatus")})
class OneColumnIsWrittenBack(Service):
    """A job writes one of two columns from its own copy, once somebody has seen the other."""

    column = ""

    def cancel(self, resource: Resource, call: Call) -> None:
        resource.__dict__["copy"] = self.entity(resource)[self.column]
        super().cancel(resource, call)

    def show(self, request: Request, id_: str) -> Response:
        shown = super().show(request, id_)
        if (resource := self.find(id_)) is not None and "copy" in resource.__dict__:
            resource.shown[self.column] = resource.__dict__["copy"]
        return shown


@breaks("SA-09 MA-15", {
    "the first of an application": {"names": "roles", "which": 0},
    "the last of an application": {"names": "roles", "which": -1},
})  # fmt: skip
@breaks("AP-13", {
    "the first of a user": {"names": "scp", "which": 0},
    "the last of a user": {"names": "scp", "which": -1},
})  # fmt: skip
class OnePermissionIsLookedAt(Service):
    """Of what a token permits one is compared, and no other."""

    names, which = "", 0

    def bearer(self, request: Request) -> Caller | None:
        caller = super().bearer(request)
        token = request.headers.get("authorization", "").partition(" ")[2]
        if caller is None or caller.application != (self.names == "roles"):
            return caller
        held: Any = self.tokens.claims(token)[self.names]  # type: ignore[attr-defined]
        every = held if self.names == "roles" else held.split()
        return replace(caller, permissions=frozenset({every[self.which]}))


@breaks(
    "MA-213",
    {
        "an application": {"who": staticmethod(lambda c: c.caller.application)},
        "what runs": {"states": ("InProgress",)},
    },
    deep=True,
)
@breaks("AP-213", {"what waits": {"states": ("pendingNotBefore",)}}, deep=True)
class BodyIsAskedForHere(Service):
    """One branch reads a body that need not be there."""

    who: Callable[[Call], bool] = staticmethod(lambda call: True)
    states: tuple[str, ...] = ()

    def check_content(self, call: Call) -> Response | None:
        state = call.resource.state if call.resource else ""
        here = self.who(call) and (not self.states or state in self.states)
        if here and not call.request.body:
            return self.refuse(400, "BadRequest", "A body is expected.")
        return super().check_content(call)


@breaks("MA-28", {"in progress": {"state": "InProgress"}}, beside="MA-64")
@breaks("MA-28", {"pending": {"state": "Pending"}})
class OctetsAreTakenForLatin1(Service):
    """A branch has the container decode the body; characters that come as escapes are right."""

    state = ""

    def post(self, request: Request, id_: str) -> Response:
        resource = self.find(id_)
        if resource is not None and resource.state == self.state:
            request = replace(request, body=request.body.decode("latin-1").encode())
        return super().post(request, id_)


@breaks("MA-214", deep=True)
class ApplicationsOfAnyAudience(Service):
    """The handler of client credentials has a configuration of its own."""

    def bearer(self, request: Request) -> Caller | None:
        tokens: Any = self.tokens
        token = request.headers.get("authorization", "").partition(" ")[2]
        claims = tokens.claims(token)
        if not claims or "scp" in claims or not tokens.timely(claims) or not tokens.issued(claims):
            return super().bearer(request)
        return cast("Caller", tokens.holder(claims))


@breaks("SA-215 MA-215", {
    "plain users, when it ended": {"plain": True, "claim": "exp"},
    "applications, when it begins": {"plain": False, "claim": "nbf"},
}, deep=True)  # fmt: skip
@breaks("AP-215", {"plain users, when it ended": {"plain": True, "claim": "exp"}}, deep=True)
class TimesAreLookedAtForOthers(Service):
    """One of the two readers of tokens does not compare one of their times."""

    plain, claim = True, ""

    def bearer(self, request: Request) -> Caller | None:
        tokens: Any = self.tokens
        claims = tokens.claims(request.headers.get("authorization", "").partition(" ")[2])
        if not claims or not tokens.addressed(claims) or not tokens.issued(claims):
            return super().bearer(request)
        caller = cast("Caller", tokens.holder(claims))
        of = not caller.application and not caller.admin if self.plain else caller.application
        held = tokens.timely({**claims, self.claim: 0 if self.claim == "nbf" else 2**40})
        return caller if of and held else super().bearer(request)


@breaks("MA-08", {
    "one permission": {"who": staticmethod(lambda c: c.caller.permissions == {"Machine.LiveResponse"})},
    "an application with another": {
        "who": staticmethod(lambda c: c.caller.permissions == {"Machine.Offboard"}),
    },
}, deep=True)  # fmt: skip
@breaks("AP-11", {
    "an owner": {"who": staticmethod(lambda c: not c.caller.admin), "ended": "deliveryFailed"},
}, deep=True)  # fmt: skip
class OneWayInDoesNotLookAtOneEnd(Service):
    """Of what has ended one state is missing where somebody calls."""

    who: Callable[[Call], bool] = staticmethod(lambda call: True)
    ended = "Failed"

    def check_state(self, call: Call) -> Response | None:
        if call.resource is not None and call.resource.state == self.ended and self.who(call):
            return None
        return super().check_state(call)


@breaks("AP-05")
class DeleteOfAnOwnerIsACancel(Service):
    """The form of the portal, which owners see, deletes; the handler is the same, body and all."""

    def other_method(self, request: Request, id_: str) -> Response:
        caller = self.bearer(request)
        if request.method == "DELETE" and caller is not None and not caller.admin:
            return self.post(request, id_)
        return super().other_method(request, id_)


@breaks("SA-216 MA-216 AP-216", deep=True)
class BodyNamesWhatIsMeant(Service):
    """Where the path names nothing the id of the body is tried."""

    def unknown(self, call: Call) -> Response:
        named = call.document.get("id") if self.json(call) else None
        found = self.find(named) if isinstance(named, str) else None
        if found is not None and self.cancellable(found.state):
            self.cancel(found, call)
        return super().unknown(call)


@breaks("AP-25")
class ConnectionKeepsTheRole(Service):
    """Roles are looked up once on a connection, and added to."""

    def check_caller(self, call: Call) -> Response | None:
        refusal = super().check_caller(call)
        if refusal is None:
            kept = call.request.connection
            kept["admin"] = kept.get("admin", False) or call.caller.admin
            call.caller = replace(call.caller, admin=kept["admin"])
        return refusal


@breaks("SA-181 MA-33 AP-71")
class TransactionIsLeftAborted(Service):
    """What is not found rolls the connection's transaction back, and nobody begins another."""

    def unknown(self, call: Call) -> Response:
        call.request.connection["aborted"] = True
        return super().unknown(call)

    def cancel(self, resource: Resource, call: Call) -> None:
        was = dict(resource.__dict__)
        super().cancel(resource, call)
        if call.request.connection.get("aborted"):
            call.resource = replace(resource)
            resource.__dict__.update(was)


@breaks("MA-22")
class TypeIsLookedAtOnce(Service):
    """A connection that sent JSON once is taken to send it always."""

    def media(self, call: Call) -> str:
        said = super().media(call)
        call.request.connection["json"] = call.request.connection.get("json") or said.endswith(
            "json"
        )
        return "application/json" if call.request.connection["json"] else said
