"""Differences that still conform: what no page decides, decided otherwise. Tables; classes where a value will not do.

`on` lists the contracts that a variant fits, the one that shows it best first.
"""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from servers.front import Front, Request, Response, Stdlib10, Stdlib11, Written, written
from servers.service import PROVIDER, Call, Resource, Service

ALL = ("SA", "MA", "AP")
GRAPH = ("AP", "SA")


@dataclass(frozen=True)
class Variant:
    """One way to conform. `excused` is what a user would write under not_testable."""

    name: str
    on: tuple[str, ...]
    service: type[Service] = Service
    attributes: Mapping[str, Any] = field(default_factory=dict)
    front: type[Front] = Written
    signed: bool = True
    excused: Mapping[str, str] = field(default_factory=dict)
    only: tuple[str, ...] = ()


def camel(state: str) -> str:
    return state[:1].lower() + state[1:]


def pascal(state: str) -> str:
    return state[:1].upper() + state[1:]


# --- The wire ------------------------------------------------------------------------------------


class LowerCaseNames(Service):
    def encode(self, response: Response, request: Request, close: bool) -> bytes:
        return written(response, request, close, lower=True)


class EarlyHints(Service):
    def encode(self, response: Response, request: Request, close: bool) -> bytes:
        hints = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload; as=style\r\n\r\n"
        return hints + super().encode(response, request, close)


class AlwaysCloses(Service):
    def encode(self, response: Response, request: Request, close: bool) -> bytes:
        return super().encode(response, request, True)

    def answer(self, request: Request) -> Response:
        answer = super().answer(request)
        return Response(answer.status, answer.body, answer.headers, hang_up="close")


class EndsByClosing(AlwaysCloses):
    """RFC 9112 section 6.3, rule 8: no length at all, the close ends the message."""

    def encode(self, response: Response, request: Request, close: bool) -> bytes:
        head, _, body = super().encode(response, request, close).partition(b"\r\n\r\n")
        lines = [x for x in head.split(b"\r\n") if not x.lower().startswith(b"content-length")]
        return b"\r\n".join(lines) + b"\r\n\r\n" + body


class KeepsAlive(Service):
    def encode(self, response: Response, request: Request, close: bool) -> bytes:
        spoken = () if close else (("Connection", "keep-alive"), ("Keep-Alive", "timeout=5"))
        more = Response(response.status, response.body, (*response.headers, *spoken), response.chunked)
        return super().encode(more, request, close)


class StreamsJson(Service):
    """As the product was recorded: JSON in chunks, with a charset and OData's parameters."""

    media_type = "application/json; odata.metadata=minimal; odata.streaming=true; charset=utf-8"

    def told(self, value: Any, status: int = 200) -> Response:
        told = super().told(value, status)
        headers = (("OData-Version", "4.0"), ("Vary", "Accept-Encoding"), *told.headers)
        return Response(status, told.body, headers, chunked=True)


class Zips(Service):
    def answer(self, request: Request) -> Response:
        answer = super().answer(request)
        if "gzip" not in request.headers.get("accept-encoding", "") or not answer.body:
            return answer
        headers = (("Content-Encoding", "gzip"), *answer.headers)
        return Response(answer.status, gzip.compress(answer.body), headers)


class DressedEmptiness(Service):
    """Frameworks give an empty body a media type, and more headers than anybody asked for."""

    def empty(self, status: int) -> Response:
        dress = (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Set-Cookie", "a=1; HttpOnly"),
            ("Set-Cookie", "b=2"),
            ("Strict-Transport-Security", "max-age=31536000"),
            ("Cache-Control", "no-store"),
        )
        return Response(status, headers=dress)


class NoReason(Service):
    """RFC 9112 section 4: the reason phrase is optional, the space before it is not."""

    def encode(self, response: Response, request: Request, close: bool) -> bytes:
        line, end, rest = super().encode(response, request, close).partition(b"\r\n")
        return b" ".join(line.split(b" ")[:2]) + b" " + end + rest


class ListsMethodsApart(Service):
    def other_method(self, request: Request, id_: str) -> Response:
        refusal = super().other_method(request, id_)
        if request.method == "OPTIONS":
            return Response(200, headers=(("Allow", "OPTIONS, POST"),))
        rest = tuple(h for h in refusal.headers if h[0] != "Allow")
        allow = (("allow", "OPTIONS"), ("allow", "POST"))
        return Response(405, refusal.body, (*allow, *rest))


class Slow(Service):
    def post(self, request: Request, id_: str) -> Response:
        time.sleep(0.3)
        return super().post(request, id_)


# --- Errors --------------------------------------------------------------------------------------


class FlaskLike(Service):
    """What the framework answers before the mock's own code is reached is HTML."""

    def page_of(self, status: int, text: str) -> Response:
        body = f"<!doctype html>\n<title>{status} {text}</title>\n<h1>{text}</h1>\n".encode()
        allow = (("Allow", "OPTIONS, POST"),) if status == 405 else ()
        return Response(status, body, (("Content-Type", "text/html; charset=utf-8"), *allow))

    def unrouted(self, request: Request) -> Response:
        return self.page_of(404, "Not Found")

    def other_method(self, request: Request, id_: str) -> Response:
        if request.method == "OPTIONS":
            return Response(200, b"", (("Allow", "POST, OPTIONS"),))
        return self.page_of(405, "Method Not Allowed")

    def key(self, segment: str) -> str:
        return super().key(segment)

    def post(self, request: Request, id_: str) -> Response:
        if "/" in id_ or "\0" in id_:
            return self.page_of(404, "Not Found")
        return super().post(request, id_)


class Wordy(Service):
    def error(self, code: str, message: str) -> dict[str, Any]:
        inner = {"code": "x", "innerError": {"code": "y"}}
        more = {"details": [], "innererror": inner, "target": None, "localizedMessage": "…"}
        return super().error(code, message) | more


class Nameless(Service):
    """Recorded answers hold the empty code; dates are without a zone."""

    def error(self, code: str, message: str) -> dict[str, Any]:
        return super().error("", message)


class Shouting(Service):
    def error(self, code: str, message: str) -> dict[str, Any]:
        found = super().error("ERR_" + code.upper(), message)
        found.pop("target", None)
        found.pop("innerError", None)
        return found


class TwoChallenges(Service):
    def challenge(self) -> Response:
        answer = super().challenge()
        more = ("www-authenticate", 'Bearer error="invalid_token", authorization_uri="https://x/y"')
        return Response(401, answer.body, (more, ("WWW-Authenticate", "Basic realm=x"), *answer.headers[1:]))


# --- Entities and ids ----------------------------------------------------------------------------


class Annotated(Service):
    def entity(self, resource: Resource) -> dict[str, Any]:
        base = "https://api.eu.security.example/api/$metadata#MachineActions/$entity"
        more = {"externalId": None, "errorHResult": 0, "troubleshootInfo": None, "new": {"a": [1]}}
        return {"@odata.context": base, "@odata.etag": 'W/"1"'} | super().entity(resource) | more


class Minimal(Service):
    """Only what tells which resource and in which state; the GET shows the rest."""

    def success(self, call: Call) -> Response:
        assert call.resource is not None
        return self.told({"id": call.resource.id, "status": call.resource.state})


class ShortGet(Service):
    """The other way round: the answer tells all, the GET only what tells the state."""

    def show(self, request: Request, id_: str) -> Response:
        told = super().show(request, id_)
        if told.status != 200:
            return told
        kept = ("id", "status", "requestState")
        return self.told({k: v for k, v in json.loads(told.body).items() if k in kept})


class ShowsOneProperty(Service):
    shows = "requestState"

    def entity(self, resource: Resource) -> dict[str, Any]:
        hidden = {"requestState", "requestStatus"} - {self.shows}
        return {k: v for k, v in super().entity(resource).items() if k not in hidden}


class LeavesTheOther(Service):
    """Only `moves` tells of the cancel; the other property keeps what it had."""

    moves = "requestState"

    def cancel(self, resource: Resource, call: Call) -> None:
        before = self.entity(resource)
        super().cancel(resource, call)
        other = {"requestState": "requestStatus", "requestStatus": "requestState"}[self.moves]
        resource.shown[other] = before[other]


class Counts(Service):
    """Ids are numbers in a string, as an example of the resource's page has it."""

    def new_id(self) -> str:
        return str(1_000_000_000 + len(self.resources) + self.calls * 1000)


class Exotic(Service):
    def new_id(self) -> str:
        return f"AAMk/{len(self.resources) + self.calls * 1000}+ü ="


class AnyCase(Service):
    def find(self, id_: str) -> Resource | None:
        return self.resources.get(id_.lower())

    def entity(self, resource: Resource) -> dict[str, Any]:
        return super().entity(resource) | {"id": resource.id.upper()}


class UpperCaseIds(Service):
    def new_id(self) -> str:
        return super().new_id().upper()


# --- Effects -------------------------------------------------------------------------------------


class OneSecondLate(Service):
    """The GET lags behind, as a read replica does."""

    def entity(self, resource: Resource) -> dict[str, Any]:
        found = super().entity(resource)
        if resource.cancelled_at is None:
            resource.shown["lag"] = found
        return {k: v for k, v in found.items() if k != "lag"}

    def show(self, request: Request, id_: str) -> Response:
        with self.lock:
            resource = self.find(id_)
            stale = resource.shown.get("lag") if resource else None
            since = getattr(resource, "since", None)
            if since is not None and time.monotonic() - since < 1.0 and stale:
                return self.told({k: v for k, v in stale.items() if k != "lag"})
            return super().show(request, id_)

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        resource.since = time.monotonic()  # type: ignore[attr-defined]


class Idempotent(Service):
    """Who asks for what is already so is answered as done."""

    def not_cancellable(self, call: Call) -> Response:
        assert call.resource is not None
        if call.resource.state == self.page.cancelled:
            return self.success(call)
        return super().not_cancellable(call)


class FinalAnsweredDone(Service):
    def not_cancellable(self, call: Call) -> Response:
        return self.success(call)


class TouchesOnlyTheDate(Service):
    def cancel(self, resource: Resource, call: Call) -> None:
        before = resource.state
        super().cancel(resource, call)
        resource.shown["status"] = before


class NotesAState(Service):
    """The status stays; the list of states grows, as the resource's page lets it."""

    def entity(self, resource: Resource) -> dict[str, Any]:
        return {"states": []} | super().entity(resource)

    def cancel(self, resource: Resource, call: Call) -> None:
        before = resource.state
        super().cancel(resource, call)
        states = [{"appId": "x", "status": "Failed", "updatedDateTime": resource.touched}]
        resource.touched = "2024-10-21T11:25:48.3308187Z"
        resource.shown |= {"status": before, "states": states}


class NotesRefusals(Service):
    """The time of a refused call is noted. That is no effect."""

    def refused(self, call: Call, refusal: Response) -> Response:
        if call.resource is not None:
            call.resource.touched = datetime.now(UTC).isoformat()
        return refusal


class NeverTheSame(Service):
    looks = 0

    def entity(self, resource: Resource) -> dict[str, Any]:
        self.looks += 1
        return super().entity(resource) | {"@odata.etag": f'W/"{self.looks}"', "views": self.looks}


class EndsAs(Service):
    """No page says what a cancelled security action shows."""

    shows = "Failed"

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        resource.shown["status"] = self.shows


class TimeOutCancellable(Service):
    def cancellable(self, state: str) -> bool:
        return state == "TimeOut" or super().cancellable(state)


# --- Identity ------------------------------------------------------------------------------------


class ApplicationsOnly(Service):
    """Every edition of the page since April 2019."""

    def check_permission(self, call: Call) -> Response | None:
        if not call.caller.application:
            return self.refuse(403, "Forbidden", "Delegated calls are not supported.")
        return super().check_permission(call)


class LaterForensics(Service):
    def granted(self, caller: Any) -> frozenset[str]:
        later = {"Machine.CollectForensics": "Machine.CollectForensic"}
        known = caller.permissions - set(later.values())
        return frozenset(later.get(p, p) for p in known)


class ReadsNeedReading(Service):
    """The GET asks for the permission that its own page lists; a reader of actions holds no other."""

    reading = frozenset({"Machine.Read.All", "Machine.ReadWrite.All", "Machine.Read"})

    def show(self, request: Request, id_: str) -> Response:
        caller = self.bearer(request)
        if caller is not None and not caller.permissions & self.reading:
            return self.refuse(403, "Forbidden", "The caller may not read.")
        return super().show(request, id_)


class SubjectAccess(Service):
    def check_permission(self, call: Call) -> Response | None:
        small = "EntitlementMgmt-SubjectAccess.ReadWrite" in call.caller.permissions
        own = call.resource is None or call.resource.owner == call.caller.name
        return None if small and own else super().check_permission(call)

    checks = ("caller", "existence", "permission", "content", "ownership", "state")


class ApplicationsUnknown(Service):
    def check_permission(self, call: Call) -> Response | None:
        return self.challenge() if call.caller.application else super().check_permission(call)


class TakesPersonalAccounts(Service):
    """The page of the machine action has no row for them: a convention, no promise."""

    def bearer(self, request: Request) -> Any:
        caller = super().bearer(request)
        return replace(caller, personal=False) if caller else None


class HidesOthers(Service):
    checks = ("caller", "permission", "existence", "ownership", "content", "state")

    def check_ownership(self, call: Call) -> Response | None:
        return self.unknown(call) if super().check_ownership(call) else None


class EveryAudience(Service):
    def bearer(self, request: Request) -> Any:
        self.tokens.addressed = lambda claims: True  # type: ignore[attr-defined]
        return super().bearer(request)


# --- Bodies --------------------------------------------------------------------------------------


class StrictAdministrators(Service):
    """The first sentence of the page, for everybody: supply a JSON representation."""

    def check_package(self, call: Call) -> Response | None:
        if self.media(call) != "application/json":
            return self.refuse(415, "UnsupportedMediaType", "Send application/json.")
        if not self.json(call) or not self.own_cancellation(call):
            return self.refuse(400, "BadRequest", "Send id and requestStatus.")
        return None


class AnySpelling(Service):
    def own_cancellation(self, call: Call) -> bool:
        status = str(call.document.get("requestStatus")).lower()
        return status in ("cancelled", "canceled") and call.document.get("id") == call.id


class ShortComments(Service):
    def check_machine(self, call: Call) -> Response | None:
        if len(call.request.body) > 4000:
            return self.refuse(413, "InvalidRequestBody", "Too long.")
        return super().check_machine(call)


class LooseComments(Service):
    """Null is no comment, and neither is a body of null."""

    def check_machine(self, call: Call) -> Response | None:
        if call.request.body == b"null":
            return None
        if self.json(call) and call.document.get("Comment", "") is None:
            return None
        return super().check_machine(call)


class FoldsNames(Service):
    """As a framework's binder does: the names of members are compared without case."""

    def json(self, call: Call) -> bool:
        good = super().json(call)
        if good:
            call.document = {k.title(): v for k, v in call.document.items()}
        return good


class RefusesForeignIds(Service):
    """Another's id in an administrator's body is refused, not ignored."""

    def check_package(self, call: Call) -> Response | None:
        refusal = super().check_package(call)
        foreign = isinstance(call.document, dict) and call.document.get("id", call.id) != call.id
        return self.refuse(400, "BadRequest", "Whose?") if foreign and not refusal else refusal


class KnownMembersOnly(Service):
    comment_required = True

    def check_machine(self, call: Call) -> Response | None:
        refusal = super().check_machine(call)
        if refusal is None and set(call.document) != {"Comment"}:
            return self.refuse(400, "InvalidRequestBody", "Unknown member.")
        return refusal


# --- Quota ---------------------------------------------------------------------------------------


class Throttles(Service):
    """Now and then a call is put off. Whoever waits as told is served."""

    after: Any = staticmethod(lambda: "1")

    def post(self, request: Request, id_: str) -> Response:
        if self.calls % 30 == 17:
            refusal = self.refuse(429, "TooManyRequests", "Please retry again later.")
            headers = (("Retry-After", self.after()), *refusal.headers)
            return Response(429, refusal.body, headers)
        return super().post(request, id_)


def in_a_second() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)


class ThrottlesAll(Service):
    """The limit counts every request, those that look included."""

    requests = 0

    def answer(self, request: Request) -> Response:
        if request.target != PROVIDER:
            self.requests += 1
            if self.requests % 40 == 23:
                refusal = self.refuse(429, "TooManyRequests", "Please retry again later.")
                return Response(429, refusal.body, (("Retry-After", "1"), *refusal.headers))
        return super().answer(request)


class KeepsWhatIsMade(Service):
    """A handler that sets up and cannot tear down."""

    def provide(self, request: Request) -> Response:
        if b'"teardown"' in request.body:
            return Response(404)
        return super().provide(request)


class HundredAMinute(Service):
    def answer(self, request: Request) -> Response:
        answer = super().answer(request)
        if self.calls > 100:
            refusal = self.refuse(429, "TooManyRequests", "100 calls per minute.")
            return Response(429, refusal.body, (("Retry-After", "60"), *refusal.headers))
        return answer


ORDERS = {
    "existence first": ("caller", "existence", "permission", "content", "ownership", "state"),
    "content first": ("caller", "content", "permission", "existence", "ownership", "state"),
    "content before the caller": ("media", "caller", "permission", "existence", "content", "ownership", "state"),
    "content last": ("caller", "existence", "permission", "ownership", "state", "content"),
}  # fmt: skip


class MediaTypeFirst(Service):
    def check_media(self, call: Call) -> Response | None:
        if self.page.short == "MA" and self.media(call) != "application/json":
            return self.refuse(415, "UnsupportedMediaType", "Send application/json.")
        return None


NO_GET = {"observe": "the mock has no GET route"}


def given(name: str, on: tuple[str, ...], **attributes: Any) -> Variant:
    return Variant(name, on, attributes=attributes)


VARIANTS: tuple[Variant, ...] = (
    Variant("opaque tokens", ALL, signed=False),
    Variant("http.server, HTTP/1.1", ALL, front=Stdlib11),
    Variant("http.server, HTTP/1.0, opaque tokens", ALL, front=Stdlib10, signed=False),
    Variant("lower-case header names", ALL, LowerCaseNames),
    Variant("103 Early Hints", ALL, EarlyHints),
    Variant("always closes", ALL, AlwaysCloses),
    Variant("ends by closing", ALL, EndsByClosing),
    Variant("says keep-alive", ALL, KeepsAlive),
    Variant("streams JSON", ("MA", "AP", "SA"), StreamsJson),
    Variant("zips where it may", ("MA", "AP", "SA"), Zips),
    Variant("dressed emptiness", ("AP", "SA"), DressedEmptiness),
    Variant("dressed 204", ("AP",), DressedEmptiness, {"success_status": 204}),
    Variant("no reason phrase", ALL, NoReason),
    Variant("methods listed apart", ALL, ListsMethodsApart),
    Variant("300 ms late", ALL, Slow, only=("SA-16", "SA-19", "SA-33", "MA-53", "MA-33", "AP-48", "AP-11")),
    given("success is 204", ("AP",), success_status=204),
    given("chunked empty body", GRAPH, empty_chunked=True),
    *(given(f"final state {s}", ALL, final_status=s) for s in (400, 403, 422)),
    *(given(f"malformed id {s}", ALL, malformed_status=s) for s in (400, 422)),
    given("wrong content type 400", ("MA", "AP"), content_status=400),
    given("wrong body 422", ("MA", "AP"), body_status=422),
    given("personal account 401", ALL, personal_status=401),
    *(given(f"other methods {s}", ALL, method_status=s) for s in (404, 400)),
    *(given(f"OPTIONS {s}", ALL, options_status=s) for s in (200, 204)),
    given("comment required", ("MA",), comment_required=True),
    given("body refused", ("SA",), body_allowed=False),
    given("body ignored", ("AP",), body_asked=False),
    Variant("no GET", ALL, attributes={"observable": False}, excused=NO_GET),
    given("states in camel case", ALL, spell=staticmethod(camel)),
    given("states in Pascal case", ALL, spell=staticmethod(pascal)),
    given("states in lower case", ALL, spell=staticmethod(str.lower)),
    Variant("framework's HTML", ALL, FlaskLike),
    Variant("more in errors", ALL, Wordy),
    Variant("empty code", ALL, Nameless),
    Variant("code and message alone", ALL, Shouting),
    Variant("two challenges", ALL, TwoChallenges),
    Variant("annotated entities", ("MA", "AP", "SA"), Annotated),
    Variant("minimal answer", ("MA",), Minimal),
    Variant("minimal GET", ALL, ShortGet),
    Variant("state in requestState only", ("AP",), ShowsOneProperty),
    Variant("state in requestStatus only", ("AP",), ShowsOneProperty, {"shows": "requestStatus"}),
    Variant("only requestState moves", ("AP",), LeavesTheOther),
    Variant("only requestStatus moves", ("AP",), LeavesTheOther, {"moves": "requestStatus"}),
    Variant("ids are numbers", ALL, Counts),
    Variant("ids need encoding", ALL, Exotic),
    Variant("ids in any case", ("MA", "SA"), AnyCase),
    Variant("ids in upper case", ("MA",), UpperCaseIds),
    Variant("effect after a second", ("MA", "SA", "AP"), OneSecondLate),
    Variant("second cancel is done", ALL, Idempotent),
    Variant("final state answered as done", ("SA",), FinalAnsweredDone),
    Variant("only a date moves", ("SA",), TouchesOnlyTheDate),
    Variant("a state is noted", ("SA",), NotesAState),
    Variant("ends as Failed", ("SA",), EndsAs),
    Variant("ends as Completed", ("SA",), EndsAs, {"shows": "Completed"}),
    Variant("refusals are noted", ("SA", "MA"), NotesRefusals),
    Variant("never twice the same", ("SA",), NeverTheSame),
    Variant("TimeOut is cancellable", ("MA",), TimeOutCancellable),
    Variant("one l", ("MA",), attributes={"spell": staticmethod(lambda s: s.replace("lled", "led"))}),
    Variant("applications only", ("SA",), ApplicationsOnly),
    Variant("CollectForensics", ("MA",), LaterForensics),
    Variant("subject access", ("AP",), SubjectAccess),
    Variant("applications answered 401", ("AP",), ApplicationsUnknown),
    Variant("personal accounts taken", ("MA",), TakesPersonalAccounts),
    Variant("others' requests are hidden", ("AP",), HidesOthers),
    Variant("any audience", ALL, EveryAudience),
    Variant("reading asks for a permission", ("MA",), ReadsNeedReading),
    Variant("administrators send a body too", ("AP",), StrictAdministrators),
    Variant("any spelling of cancelled", ("AP",), AnySpelling),
    Variant("long comments refused", ("MA",), ShortComments),
    Variant("null is no comment", ("MA",), LooseComments),
    Variant("names in any case", ("MA",), FoldsNames),
    Variant("administrator's foreign id refused", ("AP",), RefusesForeignIds),
    Variant("unknown members refused", ("MA",), KnownMembersOnly),
    Variant("429 with seconds", ALL, Throttles),
    Variant("429 with a date", ("MA",), Throttles, {"after": staticmethod(in_a_second)}),
    Variant("429 with a fraction", ("AP",), Throttles, {"after": staticmethod(lambda: "0.128")}),
    Variant("429 on any request", ("MA", "AP", "SA"), ThrottlesAll),
    Variant("no tear-down", ALL, KeepsWhatIsMade),
    Variant("a hundred calls a minute", ("MA",), HundredAMinute),
    *(Variant(n, ALL, MediaTypeFirst, {"checks": o}) for n, o in ORDERS.items()),
)
