"""Faults of what is answered: status codes, empty bodies, errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from servers.entities import Resource
from servers.faults import breaks, values
from servers.front import Request, Response
from servers.service import Call, Service

HTML = b"<html><body>OK</body></html>"


# --- Status --------------------------------------------------------------------------------------


CODES = values("status", 200, 204, 400, 403, 410, 500)


@breaks("SA-20 MA-34 AP-35", CODES, beside="SA-01 MA-01 AP-01")
class UnknownIdAnswered(Service):
    status = 200

    def unknown(self, call: Call) -> Response:
        if self.status < 300:
            return Response(self.status)
        return self.refuse(self.status, "ResourceNotFound", "Nothing has this id.")


@breaks("SA-20 MA-34 AP-35")
class UnknownIdAnsweredWithAnEntity(Service):
    def unknown(self, call: Call) -> Response:
        return self.told(self.entity(Resource(call.id, self.page.final[-1], "admin")))


@breaks("SA-16 MA-29 AP-30", values("success_status", 201, 202, 206, 302))
class SuccessIs(Service):
    pass


@breaks("SA-16 MA-29", values("success_status", 204))
class SuccessIsEmpty(Service):
    def success(self, call: Call) -> Response:
        return Response(204)


@breaks("SA-16 SA-40 MA-29 MA-48 AP-30 AP-62")
class FailsAfterTheEffect(Service):
    def success(self, call: Call) -> Response:
        return self.refuse(500, "InternalServerError", "Something went wrong.")


@breaks("SA-16 MA-29 AP-34", beside="SA-23 MA-07 AP-10 AP-07")
class SuccessDependsOnTheState(Service):
    def perform(self, call: Call) -> None:
        assert call.resource is not None
        last = call.resource.state == self.page.cancellable[-1]
        self.success_status = 202 if last and self.page.short != "AP" else 204 if last else 200
        super().perform(call)


@breaks("SA-09 MA-29 AP-34", beside="MA-15 AP-54")
class SuccessDependsOnTheCaller(Service):
    def success(self, call: Call) -> Response:
        other = call.caller.application or not call.caller.admin
        self.success_status = (202 if self.page.short != "AP" else 204) if other else 200
        return super().success(call)


@breaks("SA-16 MA-29 AP-34", beside="SA-24 MA-39 AP-08 AP-09 AP-10 AP-07")
class SuccessAlternates(Service):
    def success(self, call: Call) -> Response:
        answer = super().success(call)
        return replace(answer, status=204, body=b"") if self.calls % 2 else answer


# --- Empty bodies --------------------------------------------------------------------------------

NOT_EMPTY: dict[str, bytes] = {
    "null": b"null",
    "an object": b"{}",
    "a string": b'""',
    "a space": b" ",
    "a newline": b"\n",
    "CRLF": b"\r\n",
    "a BOM": b"\xef\xbb\xbf",
    "HTML": HTML,
    "NUL": b"\0",
}


@breaks("SA-18 AP-31", {k: {"body": v} for k, v in NOT_EMPTY.items()})
class EmptyBodyHolds(Service):
    body = b""

    def empty(self, status: int) -> Response:
        return Response(status, self.body, (("Content-Type", "application/json"),))


@breaks("SA-18 AP-31")
class EmptyBodyIsTheEntity(Service):
    def success(self, call: Call) -> Response:
        assert call.resource is not None
        return self.told(self.entity(call.resource))


@breaks("SA-18 AP-31")
class OneByteInAChunk(Service):
    def empty(self, status: int) -> Response:
        return Response(status, b"\n", chunked=True)


@breaks("SA-18 AP-31", beside="SA-23 AP-08")
class NotEmptyInOneState(Service):
    last = ""

    def perform(self, call: Call) -> None:
        assert call.resource is not None
        self.last = call.resource.state
        super().perform(call)

    def empty(self, status: int) -> Response:
        return Response(status, b"{}" if self.last == self.page.cancellable[1] else b"")


@breaks("SA-18 AP-31", beside="SA-09 AP-54")
class BodyOnlyForApplicationsAndOwners(Service):
    def success(self, call: Call) -> Response:
        answer = super().success(call)
        other = call.caller.application or not call.caller.admin
        return replace(answer, body=b"null") if other else answer


@breaks("MA-30")
class EntityMissing(Service):
    def success(self, call: Call) -> Response:
        return Response(200)


NO_CONTENT = b"HTTP/1.1 204 No Content\r\n%bConnection: close\r\n\r\n%b"


@breaks(
    "AP-32",
    {
        "bytes and their length": {"fields": b"Content-Length: 2\r\n", "body": b"{}"},
        "bytes alone": {"fields": b"", "body": b"{}"},
        "Content-Length": {"fields": b"Content-Length: 0\r\n", "body": b""},
        "Transfer-Encoding": {"fields": b"Transfer-Encoding: chunked\r\n", "body": b"0\r\n\r\n"},
    },
)
class NoContentWith(Service):
    fields, body = b"", b""

    def success(self, call: Call) -> Response:
        return Response(204, wire=NO_CONTENT % (self.fields, self.body), hang_up="close")


# --- Errors --------------------------------------------------------------------------------------

JSON = "application/json"
NO_ENVELOPE: dict[str, dict[str, Any]] = {
    "HTML": {"body": b"<h1>No</h1>", "kind": "text/html"},
    "plain text": {"body": b"no", "kind": "text/plain"},
    "JSON without envelope": {"body": b'{"message": "no"}', "kind": JSON},
    "no code": {"body": b'{"error": {"message": "no"}}', "kind": JSON},
    "no message": {"body": b'{"error": {"code": "No"}}', "kind": JSON},
    "a numeric code": {"body": b'{"error": {"code": 404, "message": "no"}}', "kind": JSON},
    "a string": {"body": b'{"error": "no"}', "kind": JSON},
    "a list": {"body": b'[{"error": {"code": "No", "message": "no"}}]', "kind": JSON},
    "nothing": {"body": b"", "kind": JSON},
    "plain text's media type": {
        "body": b'{"error": {"code": "No", "message": "no"}}',
        "kind": "text/plain",
    },
    "no media type": {"body": b'{"error": {"code": "No", "message": "no"}}', "kind": ""},
    "broken JSON": {"body": b'{"error": {"code": "No", "message": "no"}', "kind": JSON},
}


@breaks("SA-25 MA-35 AP-40", NO_ENVELOPE)
class UnknownIdTold(Service):
    body, kind = b"", ""

    def unknown(self, call: Call) -> Response:
        return Response(404, self.body, (("Content-Type", self.kind),) if self.kind else ())


SOME = {name: NO_ENVELOPE[name] for name in ("HTML", "nothing", "a string")}


@breaks("SA-25 MA-35 AP-40", SOME, beside="SA-12 MA-21 AP-19")
class MissingTokenTold(Service):
    body, kind = b"", ""

    def challenge(self) -> Response:
        headers = (("WWW-Authenticate", "Bearer"), ("Content-Type", self.kind))
        return Response(401, self.body, headers)


@breaks("SA-25 MA-35 AP-40", {"HTML": NO_ENVELOPE["HTML"]}, beside="SA-10 MA-19 AP-16")
class MissingPermissionTold(Service):
    body, kind = b"", ""

    def check_permission(self, call: Call) -> Response | None:
        refused = super().check_permission(call)
        return Response(403, self.body, (("Content-Type", self.kind),)) if refused else None


@breaks("MA-35 AP-40", {"plain text": NO_ENVELOPE["plain text"]}, beside="MA-08 AP-11")
class FinalStateTold(Service):
    body, kind = b"", ""

    def not_cancellable(self, call: Call) -> Response:
        return Response(409, self.body, (("Content-Type", self.kind),))


TRACE = 'Traceback (most recent call last):\n  File "/srv/app/v.py", line 12, in f\nKeyError: 7'
JAVA = "java.lang.NullPointerException\n\tat com.example.Cancel.post(Cancel.java:42)"
DOTNET = "System.NullReferenceException: x\n   at Mock.Post(String id) in C:\\src\\Mock.cs:line 9"


@breaks(
    "SA-39 MA-52 AP-60",
    {
        "Python": {"text": TRACE},
        "Java": {"text": JAVA},
        "C#": {"text": DOTNET},
        "a path": {"text": "cannot open /var/lib/mock/actions.json"},
        "a database": {"text": "unable to open database file: /var/lib/mock/actions.sqlite"},
        "a directory": {"text": "permission denied: /home/deploy/mock"},
        "a line": {"text": "app/controllers/cancel_controller.rb:12: undefined method `cancel'"},
        "a Windows path": {"text": "cannot open C:\\inetpub\\mock\\db.json"},
    },
)
class UnknownIdShowsInternals(Service):
    text = ""

    def unknown(self, call: Call) -> Response:
        return self.refuse(404, "ResourceNotFound", self.text)


@breaks("SA-39 MA-52 AP-60", beside="SA-32 MA-08 AP-11")
class FinalStateShowsInternals(Service):
    def not_cancellable(self, call: Call) -> Response:
        return self.refuse(409, "Conflict", TRACE)


@breaks(
    "SA-30 MA-56 AP-45",
    {
        "missing": {"allow": ()},
        "another's": {"allow": (("Allow", "GET"),)},
        "the refused ones too": {"allow": (("Allow", "GET, PUT, PATCH, DELETE, POST"),)},
        "empty": {"allow": (("Allow", ""),)},
        "lower-case": {"allow": (("Allow", "post"),)},
    },
)
class MethodRefusedWithAllow(Service):
    allow: tuple[tuple[str, str], ...] = ()

    def other_method(self, request: Request, id_: str) -> Response:
        refusal = self.refuse(405, "MethodNotAllowed", "Use POST.")
        return Response(405, refusal.body, (*self.allow, *refusal.headers))


@breaks("SA-13 MA-50 AP-51")
class NoChallenge(Service):
    def challenge(self) -> Response:
        return self.refuse(401, "Unauthorized", "No token.")


@breaks(
    "SA-43 MA-61 AP-64",
    {
        "Basic": {"header": 'Basic realm="Bearer, of course"'},
        "Digest": {"header": 'Digest realm="x", nonce="Bearer"'},
        "words": {"header": "please send a bearer token"},
    },
    beside="SA-12 MA-21 AP-19",
)
class ChallengeThatNobodyCanMeet(Service):
    header = ""

    def challenge(self) -> Response:
        refusal = self.refuse(401, "Unauthorized", "No token.")
        return Response(401, refusal.body, (("WWW-Authenticate", self.header), *refusal.headers))


class EnvelopeWithMoreAtItsRoot(Service):
    """Warned of, not failed: it is in no register. `more` stands beside the error."""

    more: Mapping[str, Any] = {}

    def unknown(self, call: Call) -> Response:
        inner = self.error("ResourceNotFound", "It was not found.")
        return self.told({"error": inner, **self.more}, 404)
