"""Conforming differences of the wire, of error bodies and of limits."""

from __future__ import annotations

import gzip
import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from servers.front import Request, Response, written
from servers.pages import Page
from servers.provider import PROVIDER
from servers.service import Call, Service
from servers.tokens import Tokens

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
        more = replace(response, headers=(*response.headers, *spoken))
        return super().encode(more, request, close)


class StreamsJson(Service):
    """As the product was recorded: JSON in chunks, with a charset and OData's parameters."""

    media_type = "application/json; odata.metadata=minimal; odata.streaming=true; charset=utf-8"

    def told(self, value: Any, status: int = 200) -> Response:
        told = super().told(value, status)
        headers = (("OData-Version", "4.0"), ("Vary", "Accept-Encoding"), *told.headers)
        return Response(status, told.body, headers, chunked=True)


class Zips(Service):
    """Packs what is answered to whoever takes that, an empty body as well: Jetty does."""

    def answer(self, request: Request) -> Response:
        answer = super().answer(request)
        if "gzip" not in request.headers.get("accept-encoding", "") or answer.status == 204:
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

    def post(self, request: Request, id_: str) -> Response:
        if "/" in id_ or "\0" in id_:
            return self.page_of(404, "Not Found")
        return super().post(request, id_)


class ServerInFront(Service):
    """What stands before the mock refuses odd targets by itself, in HTML, and closes."""

    def post(self, request: Request, id_: str) -> Response:
        status = 414 if len(id_) > 1000 else 400
        if len(id_) < 1000 and id_.isascii() and not set(id_) & set("%\0' /"):
            return super().post(request, id_)
        body = b"<html><h1>Bad Request</h1></html>"
        return Response(status, body, (("Content-Type", "text/html"),), hang_up="close")


class StateDecidesTheStatus(Service):
    def not_cancellable(self, call: Call) -> Response:
        assert call.resource is not None
        at = (
            self.page.final.index(call.resource.state)
            if call.resource.state in self.page.final
            else 1
        )
        self.final_status = (400, 409, 422, 403)[at % 4]
        return super().not_cancellable(call)


class UnknownLookRefused(Service):
    """The GET of an id that names nothing is refused in its own way."""

    def show(self, request: Request, id_: str) -> Response:
        if self.bearer(request) and not self.find(id_):
            return self.refuse(400, "BadRequest", "No such id.")
        return super().show(request, id_)


class Wordy(Service):
    def error(self, code: str, message: str) -> dict[str, Any]:
        inner = {"code": "x", "innerError": {"code": "y"}}
        more: dict[str, Any] = {
            "details": [],
            "innererror": inner,
            "target": None,
            "localizedMessage": "…",
        }
        return super().error(code, message) | more


class Explains(Service):
    """Messages name the URL of the call, the place in the body, a page of help, over lines."""

    call = threading.local()

    def answer(self, request: Request) -> Response:
        self.call.where = request.target
        return super().answer(request)

    def error(self, code: str, message: str) -> dict[str, Any]:
        text = (
            f"{message}\r\nhint:\tlook at '{self.call.where}'\r\n"
            'Errors:\nbody(0) at position(5)\nfile "body", line 1\n'
            "See https://docs.example/app/errors.html or http://intra/var/help.txt"
        )
        return super().error(f"Contoso.Actions.{code}Error", text) | {
            "@odata.type": "#microsoft.graph.publicError",
            "helpUrl": "https://docs.example/home/help.aspx",
            "stackTrace": None,
        }


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
        other = ("WWW-Authenticate", "Basic realm=x")
        return Response(401, answer.body, (more, other, *answer.headers[1:]))


# --- Quota ---------------------------------------------------------------------------------------


class Throttles(Service):
    """Now and then a call is put off. Whoever waits as told is served."""

    after: Any = staticmethod(lambda: "1")

    def post(self, request: Request, id_: str) -> Response:
        if self.calls % 30 == 17:
            return self.limit(self.after())
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
                return self.limit("1")
        return super().answer(request)


class UnavailableNowAndThen(ThrottlesAll):
    """For a moment nobody is served, whoever asks, those that look included."""

    def limit(self, *after: str) -> Response:
        refusal = self.refuse(503, "ServiceUnavailable", "Please try again.")
        return Response(503, refusal.body, (("Retry-After", "0"), *refusal.headers))


class ThrottlesTheHandler(Service):
    """Making resources counts against a limit as well."""

    made = 0

    def provide(self, request: Request) -> Response:
        self.made += 1
        return self.limit("0.05") if self.made % 30 == 7 else super().provide(request)


class ThrottlesARace(Service):
    """Of two calls on one resource at once the second is put off, the first time that it happens."""

    put_off = False

    def __init__(self, page: Page, tokens: Tokens) -> None:
        super().__init__(page, tokens)
        self.busy: Counter[str] = Counter()

    def post(self, request: Request, id_: str) -> Response:
        self.busy[id_] += 1
        try:
            if self.busy[id_] > 1 and not self.put_off:
                self.put_off = True
                return self.limit("0.1")
            time.sleep(0.03)
            return super().post(request, id_)
        finally:
            self.busy[id_] -= 1


class ThrottlesKeptConnections(Service):
    """The first call that keeps its connection is put off."""

    kept = 0

    def post(self, request: Request, id_: str) -> Response:
        if "close" not in request.headers.get("connection", "").lower():
            self.kept += 1
            if self.kept == 1:
                return self.limit("0.1")
        return super().post(request, id_)


class KeepsWhatIsMade(Service):
    """A handler that sets up and cannot tear down."""

    def provide(self, request: Request) -> Response:
        if b'"teardown"' in request.body:
            return Response(404)
        return super().provide(request)


class HundredAMinute(Service):
    def answer(self, request: Request) -> Response:
        answer = super().answer(request)
        return self.limit("60") if self.calls > 100 else answer
