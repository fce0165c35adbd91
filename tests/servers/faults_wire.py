"""Faults of robustness and of the wire: ids, bodies, media types, quota, flakiness, slowness, framing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from servers.faults import breaks, values
from servers.front import Request, Response
from servers.service import GUID, Call, Service

SERVER_ERROR = "InternalServerError"

# --- Ids -----------------------------------------------------------------------------------------


def odd(test: Callable[[str], bool]) -> dict[str, Any]:
    return {"test": test}


ODD = {
    "a number": odd(str.isdigit),
    "a word": odd(lambda s: s == "no-such-id"),
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


@breaks("MA-36", {k: ODD[k] for k in ("a number", "a word")})
@breaks("MA-47", {k: v for k, v in ODD.items() if k not in ("a number", "a word")})
@breaks(ODD_CLAUSES, ODD)
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


@breaks("SA-15 SA-40", {
    "malformed": {"test": lambda b: b.startswith(b"{not")},
    "deep": {"test": lambda b: b.startswith(b"[[[[")},
    "an array": {"test": lambda b: b == b"[]"},
    "null": {"test": lambda b: b == b"null"},
    "an object": {"test": lambda b: b == b"{}"},
    "any": {"test": bool},
})  # fmt: skip
@breaks("MA-27 MA-48", {
    "malformed": {"test": lambda b: b.startswith(b"{not")},
    "cut off": {"test": lambda b: b.startswith(b'{"key')},
    "not UTF-8": {"test": lambda b: b"\xff" in b},
    "deep": {"test": lambda b: b.startswith(b"[[[[")},
    "an array": {"test": lambda b: b == b"[]"},
    "a string": {"test": lambda b: b == b'"text"'},
})  # fmt: skip
@breaks("MA-25 MA-48", {
    "null": {"test": lambda b: b == b"null"},
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
    "a number": {"test": lambda b: b == b"1"},
    "deep": {"test": lambda b: b.startswith(b"[[[[")},
    "not UTF-8": {"test": lambda b: b"\xff" in b},
})  # fmt: skip
@breaks("MA-24", {
    "a number": {"test": lambda b: b'"Comment": 42' in b},
    "true": {"test": lambda b: b'"Comment": true' in b},
    "an object": {"test": lambda b: b'"Comment": {' in b},
})  # fmt: skip
@breaks("AP-29", {
    "malformed": {"test": lambda b: b.startswith(b"{not")},
    "an array": {"test": lambda b: b == b"[]"},
    "a numeric id": {"test": lambda b: b'"id": 42' in b},
}, beside="AP-21 AP-22 AP-23 AP-27")  # fmt: skip
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


@breaks("MA-54 AP-59")
class ChunkedRequestReadAsEmpty(Service):
    def post(self, request: Request, id_: str) -> Response:
        return super().post(replace(request, body=b"") if request.chunked else request, id_)


@breaks("SA-14", values("status", 411, 415, 400))
class EmptyBodyRefused(Service):
    status = 411

    def check_content(self, call: Call) -> Response | None:
        empty = not call.request.body
        return self.refuse(self.status, "BadRequest", "Send a body.") if empty else None


# --- Quota and moods -----------------------------------------------------------------------------


class Limits(Service):
    after: tuple[tuple[str, str], ...] = (("Retry-After", "0.1"),)

    def limit(self) -> Response:
        refusal = self.refuse(429, "TooManyRequests", "Please retry again later.")
        return Response(429, refusal.body, (*self.after, *refusal.headers))


@breaks("SA-27 MA-13 AP-41", {
    "missing": {"after": ()},
    "a word": {"after": (("Retry-After", "soon"),)},
    "negative": {"after": (("Retry-After", "-3"),)},
}, beside="SA-23 MA-07 AP-07 AP-08")  # fmt: skip
class RetryAfterIs(Limits):
    def post(self, request: Request, id_: str) -> Response:
        return self.limit() if self.calls == 2 else super().post(request, id_)


@breaks("SA-27 MA-13 AP-41", beside="SA-23 MA-07 AP-07 AP-08")
class LimitToldInHtml(Limits):
    def post(self, request: Request, id_: str) -> Response:
        if self.calls == 2:
            return Response(429, b"<h1>Slow down</h1>", (("Retry-After", "0"), ("Content-Type", "text/html")))
        return super().post(request, id_)


@breaks("MA-11", beside="MA-07 MA-08 MA-23 MA-24 MA-25 MA-27")
class LimitedAtTheFifthCall(Limits):
    def post(self, request: Request, id_: str) -> Response:
        return self.limit() if self.calls >= 5 else super().post(request, id_)


@breaks("SA-34 MA-14 AP-49", beside="SA-23 MA-07 AP-07 AP-08")
class LimitedYetPerformed(Limits):
    def post(self, request: Request, id_: str) -> Response:
        answer = super().post(request, id_)
        return self.limit() if self.calls == 2 else answer


@breaks("SA-40 MA-48 AP-62", values("status", 500, 502, 503), beside="SA-21 SA-15 MA-24 MA-27 AP-11 AP-36")
class EverySeventhCallAnswered(Service):
    status = 500

    def post(self, request: Request, id_: str) -> Response:
        if self.calls % 7 == 0:
            return self.refuse(self.status, SERVER_ERROR, "Something went wrong.")
        return super().post(request, id_)


@breaks("SA MA AP")
class EverySeventhCallAnswered401(Service):
    def post(self, request: Request, id_: str) -> Response:
        return self.challenge() if self.calls % 7 == 0 else super().post(request, id_)


@breaks("SA-42 MA-60 AP-63", values("how", "reset", "close"), beside="SA-21 SA-15 MA-24 MA-27 AP-11 AP-36")
class EverySeventhCallBreaksOff(Service):
    how = "reset"

    def post(self, request: Request, id_: str) -> Response:
        if self.calls % 7 == 0:
            return Response(200, wire=b"", hang_up=self.how)
        return super().post(request, id_)


HANGS = {
    "before the head": {"wire": b""},
    "in the head": {"wire": b"HTTP/1.1 200 OK\r\nContent-Le"},
    "in the body": {"wire": b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n{"},
}


class Hangs(Service):
    """Starts an answer and gives up half-way; only calls that `hits` says."""

    wire = b""
    hits: Any = None

    def post(self, request: Request, id_: str) -> Response:
        answer = super().post(request, id_)
        return replace(answer, wire=self.wire, hang_up="hang") if self.hit(answer, id_) else answer

    def hit(self, answer: Response, id_: str) -> bool:
        raise NotImplementedError


@breaks("SA-42 MA-60 AP-63", HANGS, beside="SA-20 MA-34 AP-35 SA-01 MA-01 AP-01")
class HangsOnUnknownIds(Hangs):
    def hit(self, answer: Response, id_: str) -> bool:
        return answer.status == 404 and bool(GUID.fullmatch(id_))


@breaks("SA-42 MA-60 AP-63", HANGS, beside="SA-21 SA-01 MA-36 MA-47 MA-01 AP-36 AP-01")
class HangsOnOddIds(Hangs):
    def hit(self, answer: Response, id_: str) -> bool:
        return answer.status == 404 and not GUID.fullmatch(id_)


@breaks("SA-42 MA-60 AP-63", HANGS, beside="SA-32 SA-01 MA-08 MA-01 AP-11 AP-01")
class HangsInFinalStates(Hangs):
    def hit(self, answer: Response, id_: str) -> bool:
        return answer.status == 409


@breaks("SA-42 MA-60 AP-63", HANGS, beside="SA-01 MA-01 AP-01")
class HangsAlways(Hangs):
    def hit(self, answer: Response, id_: str) -> bool:
        return True


# --- Framing -------------------------------------------------------------------------------------


def spoil(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data.replace(old, new, 1)


def length(change: int) -> Callable[[bytes], bytes]:
    def spoiled(data: bytes) -> bytes:
        head, _, body = data.partition(b"\r\n\r\n")
        was = b"Content-Length: %d" % len(body)
        return data.replace(was, b"Content-Length: %d" % max(0, len(body) + change), 1)

    return spoiled


FRAMING: dict[str, dict[str, Any]] = {
    "length too long": {"how": length(5)},
    "length twice": {"how": lambda d: spoil(b"Content-Length", b"Content-Length: 0\r\nContent-Length")(d)},
    "length twice, equal": {"how": lambda d: d.replace(b"\r\n\r\n", b"\r\n" + d[d.index(b"Content-L"):].split(b"\r\n")[0] + b"\r\n\r\n", 1)},
    "length and chunked": {"how": spoil(b"Content-Length", b"Transfer-Encoding: chunked\r\nContent-Length")},
    "chunks without end": {"how": lambda d: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"},
    "space before the colon": {"how": spoil(b"Content-Length:", b"Content-Length :")},
    "status 2000": {"how": lambda d: b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"},
    "status 099": {"how": lambda d: b"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n"},
    "no status line": {"how": lambda d: b"OK\r\n\r\n"},
    "bytes after the message": {"how": lambda d: d + b"\r\nX"},
    "a second response": {"how": lambda d: d + d},
    "negative length": {"how": spoil(b"Content-Length: ", b"Content-Length: -")},
    "a NUL in a value": {"how": spoil(b"Content-Length", b"X-A: a\0b\r\nContent-Length")},
    "a name with a space": {"how": spoil(b"Content-Length", b"X A: b\r\nContent-Length")},
}  # fmt: skip


@breaks("SA-41 MA-49 AP-32", FRAMING, beside="SA-01 MA-01 AP-01")
class Framing(Service):
    how: Any = bytes

    def encode(self, response: Response, request: Request, close: bool) -> bytes:
        data = super().encode(response, request, close)
        on_route = request.method == "POST" and self.page.verb in request.target
        return bytes(type(self).how(data)) if on_route and response.status < 300 else data

    def success(self, call: Call) -> Response:
        return replace(super().success(call), hang_up="close")


@breaks("MA-49", beside="MA-01")
class LengthTooShort(Service):
    def encode(self, response: Response, request: Request, close: bool) -> bytes:
        data = super().encode(response, request, close)
        on_route = request.method == "POST" and self.page.verb in request.target
        return length(-5)(data) if on_route else data


@breaks("SA-41 MA-49 AP-32", beside="SA-20 MA-34 AP-35")
class ErrorLengthTooShort(Service):
    def encode(self, response: Response, request: Request, close: bool) -> bytes:
        data = super().encode(response, request, close)
        return length(-5)(data) if response.status == 404 and self.page.verb in request.target else data


@breaks("SA-42 MA-60 AP-63", beside="SA-01 MA-01 AP-01")
class ResetInTheMiddle(Service):
    def success(self, call: Call) -> Response:
        answer = super().success(call)
        wire = b"HTTP/1.1 200 OK\r\nContent-Length: 9"
        return replace(answer, wire=wire, hang_up="reset")


@breaks("SA-19 MA-55 AP-33")
class SecondCallOnAConnectionHangs(Service):
    alive = 0

    def success(self, call: Call) -> Response:
        answer = super().success(call)
        self.alive += call.request.headers.get("connection", "").lower() != "close"
        return replace(answer, wire=b"", hang_up="hang") if self.alive == 2 else answer


@breaks("SA-41 MA-49 AP-32", beside="SA-19 MA-55 AP-33")
class BodyLeftOnTheConnection(Service):
    """Bytes behind the 200 spoil the next answer on the connection."""

    def encode(self, response: Response, request: Request, close: bool) -> bytes:
        data = super().encode(response, request, close)
        stays = not close and response.status == 200 and self.page.verb in request.target
        return data + b"null" if stays else data
