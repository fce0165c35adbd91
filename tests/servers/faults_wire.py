"""Faults of limits, of moods (now and then, late, never) and of framing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from servers.faults import breaks, values
from servers.front import Request, Response
from servers.service import GUID, Call, Service

SERVER_ERROR = "InternalServerError"

MANY = "SA-21 SA-15 MA-24 MA-27 AP-11 AP-36"

# --- Quota and moods -----------------------------------------------------------------------------


@breaks("SA-27 MA-13 AP-41", {
    "missing": {"after": ()},
    "a word": {"after": ("soon",)},
    "negative": {"after": ("-3",)},
}, beside="SA-23 MA-07 AP-07 AP-08")  # fmt: skip
class RetryAfterIs(Service):
    after: tuple[str, ...] = ()

    def post(self, request: Request, id_: str) -> Response:
        return self.limit(*self.after) if self.calls == 2 else super().post(request, id_)


@breaks("SA-27 MA-13 AP-41", beside="SA-23 MA-07 AP-07 AP-08")
class LimitToldInHtml(Service):
    def post(self, request: Request, id_: str) -> Response:
        if self.calls == 2:
            headers = (("Retry-After", "0"), ("Content-Type", "text/html"))
            return Response(429, b"<h1>Slow down</h1>", headers)
        return super().post(request, id_)


@breaks("MA-11", beside="MA-07 MA-08 MA-23 MA-24 MA-25 MA-27")
class LimitedAtTheFifthCall(Service):
    def post(self, request: Request, id_: str) -> Response:
        return self.limit("0.1") if self.calls >= 5 else super().post(request, id_)


@breaks("SA-34 MA-14 AP-49", beside="SA-23 MA-07 AP-07 AP-08")
class LimitedYetPerformed(Service):
    def post(self, request: Request, id_: str) -> Response:
        answer = super().post(request, id_)
        return self.limit("0.1") if self.calls % 3 == 2 else answer


@breaks("SA-40 MA-48 AP-62", values("status", 500, 502, 503), beside=MANY)
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


@breaks("SA-42 MA-60 AP-63", values("how", "reset", "close"), beside=MANY)
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
AT_ONCE = {"before the head": {"wire": b""}}


class Hangs(Service):
    """Starts an answer and gives up half-way; only calls that `hits` says."""

    wire = b""
    hits: Any = None

    def post(self, request: Request, id_: str) -> Response:
        answer = super().post(request, id_)
        return replace(answer, wire=self.wire, hang_up="hang") if self.hit(answer, id_) else answer

    def hit(self, answer: Response, id_: str) -> bool:
        raise NotImplementedError


@breaks("SA-42 MA-60 AP-63", HANGS, beside="SA-20 MA-34 AP-35 SA-01 MA-01 AP-01", hangs=True)
class HangsOnUnknownIds(Hangs):
    def hit(self, answer: Response, id_: str) -> bool:
        return answer.status == 404 and bool(GUID.fullmatch(id_))


@breaks(
    "SA-42 MA-60 AP-63", AT_ONCE, beside="SA-21 SA-01 MA-36 MA-47 MA-01 AP-36 AP-01", hangs=True
)
class HangsOnOddIds(Hangs):
    def hit(self, answer: Response, id_: str) -> bool:
        return answer.status == 404 and not GUID.fullmatch(id_)


@breaks("SA-42 MA-60 AP-63", AT_ONCE, beside="SA-32 SA-01 MA-08 MA-01 AP-11 AP-01", hangs=True)
class HangsInFinalStates(Hangs):
    def hit(self, answer: Response, id_: str) -> bool:
        return answer.status == 409


@breaks("SA-42 MA-60 AP-63", AT_ONCE, beside="SA-01 MA-01 AP-01", hangs=True)
class HangsAlways(Hangs):
    def hit(self, answer: Response, id_: str) -> bool:
        return True


# --- Framing -------------------------------------------------------------------------------------


def spoil(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data.replace(old, new, 1)


def instead(data: bytes) -> Callable[[bytes], bytes]:
    return lambda _: data


def length(change: int) -> Callable[[bytes], bytes]:
    def spoiled(data: bytes) -> bytes:
        size = len(data.partition(b"\r\n\r\n")[2])
        new = b"Content-Length: %d" % max(0, size + change)
        return data.replace(b"Content-Length: %d" % size, new, 1)

    return spoiled


def length_again(data: bytes) -> bytes:
    line = data[data.index(b"Content-Length") :].split(b"\r\n")[0]
    return data.replace(line, line + b"\r\n" + line, 1)


LENGTH = b"Content-Length"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
FRAMING: dict[str, dict[str, Any]] = {
    "length too long": {"how": length(5)},
    "length twice": {"how": spoil(LENGTH, b"Content-Length: 0\r\nContent-Length")},
    "length twice, equal": {"how": length_again},
    "length and chunked": {"how": spoil(LENGTH, b"Transfer-Encoding: chunked\r\nContent-Length")},
    "chunks without end": {"how": instead(CHUNKED + b"2\r\n{}\r\n")},
    "a chunk of no size": {"how": instead(CHUNKED + b"x\r\n{}\r\n0\r\n\r\n")},
    "space before the colon": {"how": spoil(b"Content-Length:", b"Content-Length :")},
    "status 2000": {"how": instead(b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n")},
    "HTTP/9.9": {"how": spoil(b"HTTP/1.1", b"HTTP/9.9")},
    "status 099": {"how": instead(b"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n")},
    "no status line": {"how": instead(b"OK\r\n\r\n")},
    "bytes after the message": {"how": lambda data: data + b"\r\nX"},
    "a second response": {"how": lambda data: data + data},
    "negative length": {"how": spoil(b"Content-Length: ", b"Content-Length: -")},
    "a NUL in a value": {"how": spoil(LENGTH, b"X-A: a\0b\r\nContent-Length")},
    "a control character in a value": {"how": spoil(LENGTH, b"X-A: a\x01b\r\nContent-Length")},
    "a control character in the reason": {"how": spoil(b" OK", b" O\x7fK")},
    "lines end in LF": {"how": lambda data: data.replace(b"\r\n", b"\n")},
    "a value over two lines": {"how": spoil(LENGTH, b"X-A: a\r\n b\r\nContent-Length")},
    "no space after the code": {"how": instead(b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n")},
    "chunks in HTTP/1.0": {"how": instead(CHUNKED.replace(b"1.1", b"1.0") + b"0\r\n\r\n")},
    "a name with a space": {"how": spoil(LENGTH, b"X A: b\r\nContent-Length")},
}


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
        on_route = response.status == 404 and self.page.verb in request.target
        return length(-5)(data) if on_route else data


@breaks("SA-42 MA-60 AP-63", beside="SA-01 MA-01 AP-01")
class ResetInTheMiddle(Service):
    def success(self, call: Call) -> Response:
        answer = super().success(call)
        wire = b"HTTP/1.1 200 OK\r\nContent-Length: 9"
        return replace(answer, wire=wire, hang_up="reset")


@breaks("SA-19 MA-55 AP-33", hangs=True)
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
