"""A front that misbehaves once it is told to: each misdeed is the bytes and the end of one answer.

A misdeed gets the connection, the honest answer, and an event that is set when nobody waits any
more. Sends stop where the client has gone.
"""

from __future__ import annotations

import json
import socket
import socketserver
import struct
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from servers.front import Request, Written, read
from servers.provider import PROVIDER

Misdeed = Callable[[socket.socket, bytes, threading.Event], None]
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
PIECE = b"x" * 65536


def reset(sock: socket.socket) -> None:
    """Close with RST, once what was sent has been read: a reset takes along what was not."""
    threading.Event().wait(0.02)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def broken_off(part: Callable[[bytes], bytes], how: str) -> Misdeed:
    """Send a part of the honest answer, and then `close`, `reset` or `hang`."""

    def misdeed(sock: socket.socket, honest: bytes, gone: threading.Event) -> None:
        sock.sendall(part(honest))
        if how == "hang":
            gone.wait(5)
        if how == "reset":
            reset(sock)

    return misdeed


STAGES: dict[str, Callable[[bytes], bytes]] = {
    "before the head": lambda honest: b"",
    "inside the head": lambda honest: honest[:30],
    "inside the body": lambda honest: honest[:-1],
    "after the body": lambda honest: honest,
}


def says(*data: bytes) -> Misdeed:
    def misdeed(sock: socket.socket, honest: bytes, gone: threading.Event) -> None:
        for piece in data:
            sock.sendall(piece)

    return misdeed


def made(make: Callable[[], bytes]) -> Misdeed:
    """Send what is long, which is made when the first is sent."""
    once = cache(make)

    def misdeed(sock: socket.socket, honest: bytes, gone: threading.Event) -> None:
        sock.sendall(once())

    return misdeed


def drip(sock: socket.socket, honest: bytes, gone: threading.Event) -> None:
    for at in range(len(honest)):
        sock.sendall(honest[at : at + 1])
        if gone.wait(0.05):
            return


def endless(head: bytes) -> Misdeed:
    """Send without end: in haste what is more than anybody takes, and the rest at leisure."""

    def misdeed(sock: socket.socket, honest: bytes, gone: threading.Event) -> None:
        sock.sendall(head + PIECE * 64)
        while not gone.wait(0.01):
            sock.sendall(PIECE)

    return misdeed


def honest_with(fields: bytes) -> Misdeed:
    """Send the honest answer with more header lines."""

    def misdeed(sock: socket.socket, honest: bytes, gone: threading.Event) -> None:
        line, _, rest = honest.partition(b"\r\n")
        sock.sendall(line + b"\r\n" + fields + rest)

    return misdeed


@cache
def bomb(mebibytes: int) -> bytes:
    """Return zeros, a thousand times as small in gzip: one block of them, again and again."""
    zeros, crc = bytes(2**20), 0
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    for _ in range(mebibytes):
        crc = zlib.crc32(zeros, crc)
    tail = struct.pack("<II", crc, mebibytes * 2**20)
    return b"\x1f\x8b\x08" + bytes(7) + block * mebibytes + packer.flush() + tail


def explodes(mebibytes: int) -> Misdeed:
    """Send a bomb, which is packed when the first is sent."""

    def misdeed(sock: socket.socket, honest: bytes, gone: threading.Event) -> None:
        sock.sendall(with_length(OK + b"Content-Encoding: gzip\r\n", bomb(mebibytes)))

    return misdeed


def with_length(head: bytes, body: bytes) -> bytes:
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


KINDS: dict[str, Misdeed] = {
    **{
        f"{how} {stage}": broken_off(part, how)
        for how in ("close", "reset", "hang")
        for stage, part in STAGES.items()
        if (how, stage) != ("close", "after the body")  # nothing is wrong with that
    },
    "slow drip": drip,
    "head never ends": endless(OK + b"X-Endless: "),
    "header lines without end": endless(OK + b"X: y\r\n" * 200),
    "endless body": endless(OK + b"\r\n"),
    "1 GiB declared": endless(OK + b"Content-Length: 1073741824\r\n\r\n"),
    "gzip bomb": explodes(4),
    "10,000 headers": honest_with(b"".join(b"X-%d: y\r\n" % n for n in range(10_000))),
    "1 MiB header line": honest_with(b"X-Long: " + b"y" * 2**20 + b"\r\n"),
    "invalid status line": says(b"HTTP/1.1 two hundred OK\r\nContent-Length: 0\r\n\r\n"),
    "another protocol": says(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "binary noise": says(bytes(range(256)) * 16),
    "HTTP/2 preface": says(
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\0\0\x12\4\0\0\0\0\0" + bytes(18)
    ),
    "huge challenge": says(
        with_length(
            b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm="'
            + b"y" * 2**17
            + b'"\r\n',
            b"",
        )
    ),
}


def place_of(request: Request, verb: str) -> str:
    """Return what a request is for: cancel, look, setup, teardown or create."""
    if request.target == PROVIDER:
        return str(json.loads(request.body)["action"])
    if request.target.partition("?")[0].endswith("/" + verb):
        return "cancel"
    return "look" if request.method == "GET" else "create"


@dataclass
class Hostile(Written):
    """Misbehaves at the calls numbered in `at` (from 0) of those made for `place`."""

    verb: str = ""
    place: str = ""
    at: frozenset[int] = frozenset()
    misdeed: Misdeed = drip
    seen: dict[str, int] = field(default_factory=dict)
    done: int = 0

    def due(self, request: Request) -> bool:
        place = place_of(request, self.verb)
        number = self.seen[place] = self.seen.get(place, -1) + 1
        return place == self.place and number in self.at

    def handler(self) -> type[socketserver.BaseRequestHandler]:
        front = self

        class Handler(socketserver.StreamRequestHandler):
            disable_nagle_algorithm = True
            timeout = 10

            def handle(self) -> None:
                request = read(self.rfile)
                if request is None:
                    return
                service = front.service
                response = service.answer(request)
                honest = service.encode(response, request, True)
                try:
                    if front.due(request):
                        front.done += 1
                        front.misdeed(self.connection, honest, service.stopped)
                    else:
                        self.connection.sendall(honest)
                except OSError:
                    pass  # the client has had enough: what it made of it is the test's to say

            def finish(self) -> None:
                try:
                    super().finish()
                except OSError:
                    pass

        return Handler
