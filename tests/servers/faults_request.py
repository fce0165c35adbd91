"""Faults of robustness: odd ids, odd bodies, media types, chunked requests."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from servers.entities import Resource
from servers.faults import breaks, values
from servers.front import Request, Response
from servers.service import GUID, Call, Service

SERVER_ERROR = "InternalServerError"

# --- Ids -----------------------------------------------------------------------------------------


def odd(test: Callable[[str], bool]) -> dict[str, Any]:
    return {"test": test}


ODD = {
    "a number": odd(str.isdigit),
    "a word": odd(lambda s: s == "no-such-id" or len(s) == 32),  # or cut short
    "long": odd(lambda s: len(s) > 500),
    "not ASCII": odd(lambda s: not s.isascii()),
    "NUL": odd(lambda s: "\0" in s),
    "quotes": odd(lambda s: "'" in s),
    "encoded slash": odd(lambda s: "/" in s),
    "broken percent-encoding": odd(lambda s: "%" in s),
    "a space": odd(lambda s: s == " "),
    "no UUID": odd(lambda s: not GUID.fullmatch(s)),
}
ODD_CLAUSES = "SA-21 AP-36"


class OddIds(Service):
    test: Any = bool

    def post(self, request: Request, id_: str) -> Response:
        if self.bearer(request) and type(self).test(id_):
            return self.odd(request, id_)
        return super().post(request, id_)

    def odd(self, request: Request, id_: str) -> Response:
        raise NotImplementedError


@breaks("MA-36", {"a word": ODD["a word"]})
@breaks("MA-47", {k: v for k, v in ODD.items() if k not in ("a number", "a word", "a space")})
@breaks("MA-112", {k: ODD[k] for k in ("a space", "a number")}, deep=True)
@breaks("AP-112", {k: ODD[k] for k in ("a space", "a number")}, deep=True)
@breaks("SA-21", {"a space": ODD["a space"]})
@breaks("SA-209", {"a number": ODD["a number"]}, deep=True)
@breaks(ODD_CLAUSES, {k: v for k, v in ODD.items() if k not in ("a space", "a number")})
class OddIdAnswered500(OddIds):
    def odd(self, request: Request, id_: str) -> Response:
        return self.refuse(500, SERVER_ERROR, "Something went wrong.")


@breaks("SA-21 MA-47 AP-36", {k: ODD[k] for k in ("long", "quotes", "encoded slash", "no UUID")})
class OddIdAnswered200(OddIds):
    def odd(self, request: Request, id_: str) -> Response:
        return Response(200)


@breaks("SA-42 MA-60 AP-63", {k: ODD[k] for k in ("NUL", "long")}, beside=ODD_CLAUSES + " MA-47")
class OddIdCloses(OddIds):
    def odd(self, request: Request, id_: str) -> Response:
        return Response(200, wire=b"", hang_up="close")


# --- Bodies --------------------------------------------------------------------------------------


class Bodies(Service):
    """Answers what a body must not be answered."""

    test: Any = bool
    status = 500

    def check_content(self, call: Call) -> Response | None:
        if type(self).test(call.request.body):
            return self.refuse(self.status, SERVER_ERROR, "Something went wrong.")
        return super().check_content(call)


def comment(body: bytes) -> str:
    try:
        return str(json.loads(body).get("Comment", ""))
    except (ValueError, RecursionError, AttributeError):
        return ""


def root(body: bytes) -> str:
    try:
        return type(json.loads(body)).__name__
    except RecursionError:
        return "deep"
    except ValueError:
        return "broken"


@breaks("SA-206 SA-40", {"null": {"test": lambda b: b == b"null"}}, deep=True)
@breaks("SA-213 SA-40", {"deep": {"test": lambda b: b.startswith(b"[[[[")}}, deep=True)
@breaks("SA-15 SA-40", {
    "malformed": {"test": lambda b: b.startswith(b"{not")},
    "an array": {"test": lambda b: b == b"[]"},
    "an object": {"test": lambda b: b == b"{}"},
    "any": {"test": bool},
})  # fmt: skip
@breaks("MA-27 MA-48", {
    "malformed": {"test": lambda b: b.startswith(b"{not")},
    "not UTF-8": {"test": lambda b: b"\xff" in b},
    "deep": {"test": lambda b: b.startswith(b"[[[[")},
    "an array": {"test": lambda b: b == b"[]"},
})  # fmt: skip
@breaks("MA-138 MA-48", {
    "cut off": {"test": lambda b: b.startswith(b'{"key')},
    "a string": {"test": lambda b: b == b'"text"'},
}, deep=True)  # fmt: skip
@breaks("MA-193 MA-48", {"null": {"test": lambda b: b == b"null"}}, deep=True)
@breaks("MA-25 MA-48", {
    "none": {"test": lambda b: not b},
    "an empty object": {"test": lambda b: b == b"{}"},
    "a null comment": {"test": lambda b: b'"Comment": null' in b},
})  # fmt: skip
@breaks("MA-24 MA-48", {
    "a number": {"test": lambda b: b'"Comment": 42' in b},
    "an object as comment": {"test": lambda b: b'"Comment": {' in b},
    "a list as comment": {"test": lambda b: b'"Comment": [' in b},
})  # fmt: skip
@breaks("MA-57 MA-48", {"10,000 characters": {"test": lambda b: len(b) > 8000}})
@breaks("MA-28 MA-48", {
    "emoji": {"test": lambda b: "\U0001f6d1" in comment(b)},
    "quotes in the comment": {"test": lambda b: '"' in comment(b)},
}, beside="MA-23")  # fmt: skip
@breaks("MA-28", {"quotes, 400": {"test": lambda b: "'" in comment(b), "status": 400}})
@breaks("AP-29 AP-62", {
    "malformed": {"test": lambda b: b.startswith(b"{not")},
    "deep": {"test": lambda b: b.startswith(b"[[[[")},
    "an array": {"test": lambda b: b == b"[]"},
})  # fmt: skip
@breaks("AP-26 AP-62", {"none": {"test": lambda b: not b}})
class BodyAnswered500(Bodies):
    pass


@breaks("MA-27", {
    "malformed": {"test": lambda b: b.startswith(b"{not")},
    "an array": {"test": lambda b: b == b"[]"},
    "deep": {"test": lambda b: b.startswith(b"[[[[")},
    "not UTF-8": {"test": lambda b: b"\xff" in b},
})  # fmt: skip
@breaks("MA-138", {"1": {"test": lambda b: b == b"1"}}, deep=True)
@breaks("MA-24", {
    "a number": {"test": lambda b: b'"Comment": 42' in b},
    "a list": {"test": lambda b: b'"Comment": [' in b},
    "an object": {"test": lambda b: b'"Comment": {' in b},
})  # fmt: skip
@breaks("AP-29", {
    "malformed": {"test": lambda b: b.startswith(b"{not")},
    "an array": {"test": lambda b: b == b"[]"},
}, beside="AP-21 AP-22 AP-23 AP-27")  # fmt: skip
@breaks("AP-156", {
    "a numeric id": {"test": lambda b: b'"id": 42' in b},
}, beside="AP-21 AP-22 AP-23 AP-27", deep=True)  # fmt: skip
class BadBodyAccepted(Service):
    test: Any = bool

    def check_content(self, call: Call) -> Response | None:
        return None if type(self).test(call.request.body) else super().check_content(call)


# --- Media types and transfer --------------------------------------------------------------------


@breaks("MA-22", values("media_", "", "text/plain", "application/x-www-form-urlencoded"))
class ContentTypeAccepted(Service):
    media_ = ""

    def media(self, call: Call) -> str:
        found = super().media(call)
        return "application/json" if found == self.media_ else found


@breaks("MA-22 MA-48", values("media_", "", "text/plain"))
@breaks("AP-57 AP-62", values("media_", "", "text/plain"))
class ContentTypeAnswered500(Service):
    media_ = ""

    def check_content(self, call: Call) -> Response | None:
        if self.media(call) == self.media_:
            return self.refuse(500, SERVER_ERROR, "Something went wrong.")
        return super().check_content(call)


@breaks("MA-45")
class CharsetRefused(Service):
    def media(self, call: Call) -> str:
        return call.request.headers.get("content-type", "")


@breaks("AP-58")
class CharsetRefusedEvenFromAdministrators(Service):
    def check_content(self, call: Call) -> Response | None:
        if "charset" in call.request.headers.get("content-type", ""):
            return self.refuse(415, "UnsupportedMediaType", "application/json alone.")
        return super().check_content(call)


@breaks("MA-54 AP-59", values("status", 411, 400, 501))
class ChunkedRequestRefused(Service):
    status = 411

    def check_content(self, call: Call) -> Response | None:
        if call.request.chunked:
            return self.refuse(self.status, "LengthRequired", "Give a Content-Length.")
        return super().check_content(call)


@breaks("SA-47 MA-54 AP-59")
class ChunkedRequestFails(Service):
    def check_content(self, call: Call) -> Response | None:
        if call.request.chunked:
            return self.refuse(501, SERVER_ERROR, "Not implemented.")
        return super().check_content(call)


@breaks("SA-46", values("media_", "application/json", "text/plain"))
class MediaTypeWithoutABodyFails(Service):
    media_ = ""

    def check_content(self, call: Call) -> Response | None:
        if self.media(call) == self.media_ and not call.request.body:
            return self.refuse(500, SERVER_ERROR, "Nothing to read.")
        return super().check_content(call)


@breaks("SA-194", {"not UTF-8": {"test": lambda b: b"\xff" in b}}, deep=True)
@breaks("SA-195", {"a string": {"test": lambda b: b == b'"text"'}})
@breaks("SA-213", {"cut off": {"test": lambda b: b.startswith(b'{"key": "val')}}, deep=True)
@breaks("SA-15", {
    "an emoji": {"test": lambda b: "\U0001f6d1".encode() in b},
})  # fmt: skip
class UnexpectedBodyFails(Service):
    test: Any = bool

    def check_content(self, call: Call) -> Response | None:
        if type(self).test(call.request.body):
            return self.refuse(500, SERVER_ERROR, "Something went wrong.")
        return super().check_content(call)


@breaks("MA-54 AP-75")
class ChunkedRequestReadAsEmpty(Service):
    def post(self, request: Request, id_: str) -> Response:
        return super().post(replace(request, body=b"") if request.chunked else request, id_)


@breaks("SA-14", values("status", 411, 415, 400))
class EmptyBodyRefused(Service):
    status = 411

    def check_content(self, call: Call) -> Response | None:
        empty = not call.request.body
        return self.refuse(self.status, "BadRequest", "Send a body.") if empty else None


@breaks("AP-26")
class StateFromTheBody(Service):
    """An administrator's requestStatus is written as it stands."""

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        sent = call.document.get("requestStatus") if isinstance(call.document, dict) else None
        if sent not in (None, "cancelled"):
            resource.shown = {"requestStatus": sent, "requestState": "PendingApproval"}


@breaks("AP-37", beside="AP-28 AP-13")
class OwnersTextTakenAndNotRead(Service):
    def check_content(self, call: Call) -> Response | None:
        refusal = super().check_content(call)
        return self.success(call) if refusal and self.media(call) == "text/plain" else refusal
