"""Keep secrets out of the record: what derives from exchanges is asked of a scrubber, all of it.

Two ways past a search for the secrets that are known are closed here:
- A recorded journal of another tool may carry tokens that nobody told the Redactor of. Whatever
  stands in a header for credentials is masked, known or not, and learned before anything is
  written.
- What parts bytes or packs them (chunks, gzip) hides a secret from a search, not from whoever
  undoes it. Bytes that cannot be unpacked whole are left out, and the record says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from cancel_contracts.exchange import Exchange, Headers, Received
from cancel_contracts.redact.secrets import MASK, Redactor
from cancel_contracts.transport.coding import decode

CREDENTIALS = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key"})
# How the run names whose token it was, in place of the token: "Bearer <admin>".
PLACEHOLDER = re.compile(r"^<[^<>]+>$")
# A cookie of ours, and what a situation sends behind it.
COOKIE = re.compile(r"^[^\s=<>;]+=<[^<>]+>(?:; .*)?$")
USERINFO = re.compile(r"(?<=://)[^/?#@\s]+@")
# RFC 9112 7.1: the end of a chunk's data, and the size of the next.
CHUNK_LINE = re.compile(rb"\r?\n[0-9a-fA-F]+[ \t]*(?:;[^\r\n]*)?\r?\n")
SHORTEST_CHARS = 8  # of a credential; what is shorter is a misuse to be shown
LEFT_OUT = "may hold a secret and are left out"
# How packed data begin: RFC 1952, RFC 1950, and formats that are not unpacked here (RFC 8878,
# bzip2, xz, zip, lz4).
GZIP, ZLIB = b"\x1f\x8b", (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
OTHERS = (b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ\0", b"PK\3\4", b"\x04\x22\x4d\x18")
UNPACKED = frozenset({"gzip", "x-gzip", "deflate"})
CODINGS = ("content-encoding", "transfer-encoding")
NESTED = 5  # packed data within packed data


def credentials(value: str) -> tuple[str, str]:
    """Return a credential header's scheme and what follows it."""
    scheme, _, rest = value.partition(" ")
    return (scheme, rest) if rest else ("", value)


def learn(redactor: Redactor, exchanges: Iterable[Exchange]) -> None:
    """Tell the redactor of every credential that stands in the open in what was sent."""
    for exchange in exchanges:
        for name, value in exchange.sent.headers:
            secret = credentials(value)[1]
            hidden = PLACEHOLDER.match(secret) or COOKIE.match(value)
            if name.lower() in CREDENTIALS and len(secret) >= 16 and not hidden:
                redactor.learn(secret)


class Scrubber:
    """Redacts what derives from exchanges."""

    def __init__(self, redactor: Redactor) -> None:
        self.text = redactor.text
        self.octets = redactor.bytes
        self._redactor = redactor

    def url(self, url: str) -> str:
        return USERINFO.sub(f"{MASK}@", self.text(url))

    def headers(self, headers: Headers) -> list[list[str]]:
        return [[self.text(name), self._value(name, value)] for name, value in headers]

    def _value(self, name: str, value: str) -> str:
        scheme, rest = credentials(value)
        # A bare scheme is a misuse to be shown, not a secret.
        hidden = PLACEHOLDER.match(rest) or (name.lower() == "cookie" and COOKIE.match(value))
        secret = len(rest) >= SHORTEST_CHARS and not hidden
        if name.lower() in CREDENTIALS and secret:
            return f"{scheme} {MASK}".strip()
        return self.text(value)

    def body(self, received: Received) -> tuple[bytes, str | None]:
        """Return the body of a response without secrets, and what was left out of it."""
        if received.body and self._unread(received):
            return MASK.encode(), f"the bytes of the body {LEFT_OUT}"
        return self.octets(received.body), None

    def wire(self, received: Received) -> tuple[bytes, str | None]:
        """Return the bytes of a response without secrets, and what was left out of them: where
        these may hide one, only the head is kept.
        """
        head, gap, rest = received.wire.partition(b"\r\n\r\n")
        coded = bool(_codings(received, *CODINGS))
        unread = self._unread(received) or (coded and received.stray)
        hidden = coded and self.octets(received.body) != received.body
        if not (unread or hidden or self._parted(rest)):
            return self.octets(received.wire), None
        return self.octets(head) + gap, f"the bytes after the head {LEFT_OUT}"

    def stray(self, received: Received) -> bytes:
        """Return what came after the message, without secrets."""
        stray, coded = received.stray, _codings(received, *CODINGS)
        hidden = stray and (coded or self._unread(received) or self._parted(stray))
        return MASK.encode() if hidden else self.octets(stray)

    def _parted(self, data: bytes) -> bool:
        """Whether more of a secret shows once what parts chunks is taken away, or something packed
        that may hold one.
        """
        at = 0
        while data.startswith(b"HTTP/1.", at):  # after an interim response
            end = data.find(b"\r\n\r\n", at)
            at = len(data) if end < 0 else end + 4
        data = data[at:]
        joined = CHUNK_LINE.sub(b"", b"\r\n" + data)
        if self._packed(data) or self._packed(joined):
            return True
        return len(joined) < len(data) and self._held(joined) > self._held(data)

    def _held(self, data: bytes) -> int:
        """Return how many of some bytes are a secret's."""
        return sum(end - begin for begin, end in self._redactor.spans(data.decode("latin-1")))

    def _unread(self, received: Received) -> bool:
        """Whether a response's body is packed in a way that keeps us from reading it whole."""
        named = _codings(received, "content-encoding")
        # Content codings are undone where bytes are received, transfer codings are not.
        if not named <= UNPACKED or _codings(received, "transfer-encoding"):
            return True
        return bool(named and received.error) or self._packed(received.body)

    def _packed(self, data: bytes) -> bool:
        """Whether bytes are packed, though nothing says so, and hold a secret or are not whole."""
        packed = data
        for _ in range(NESTED):
            if not data.startswith((GZIP, *ZLIB, *OTHERS)):
                return data is not packed and self.octets(data) != data
            if data.startswith(OTHERS):
                return True
            data, fault = decode(data, ["gzip" if data.startswith(GZIP) else "deflate"])
            if fault:
                return True
        return True


def _codings(received: Received, *fields: str) -> frozenset[str]:
    """Return the codings, but for chunks, that header fields of a response name."""
    values = (value for field in fields for value in received.headers_named(field))
    names = (name.partition(";")[0].strip().lower() for x in values for name in x.split(","))
    return frozenset(names) - {"", "identity", "chunked"}
