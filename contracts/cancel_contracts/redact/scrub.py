"""Keep secrets out of the record: a scrubber for each contract, asked for all that is written.

The suite's Redactor knows the tokens it read or minted. Two ways past it are closed here:
- A text that was cut short may end in the first half of a token. What the target sent back is
  compared with its redacted form, which tells which secrets it holds; the beginnings of those are
  masked too.
- A recorded journal of another tool may carry tokens that nobody told the Redactor of. Whatever
  stands in a header for credentials is masked, known or not, and learned before anything is
  written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from cancel_contracts.exchange import Exchange, Headers, Received
from cancel_contracts.redact.secrets import MASK, Redactor

CREDENTIALS = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key"})
# How the run names whose token it was, in place of the token: "Bearer <admin>".
PLACEHOLDER = re.compile(r"^<[^<>]+>$")
USERINFO = re.compile(r"(?<=://)[^/?#@\s]+@")
# RFC 9112 7.1: the end of a chunk's data, and the size of the next.
CHUNK_LINE = re.compile(rb"\r?\n[0-9a-fA-F]{1,8}[ \t]*(?:;[^\r\n]*)?\r?\n")
SHORTEST_CHARS = 8  # of a token's beginning; less of it is told by accident


def credentials(value: str) -> tuple[str, str]:
    """Return a credential header's scheme and what follows it."""
    scheme, _, rest = value.partition(" ")
    return (scheme, rest) if rest else ("", value)


def learn(redactor: Redactor, exchanges: Iterable[Exchange]) -> None:
    """Tell the redactor of every credential that stands in the open in what was sent."""
    for exchange in exchanges:
        for name, value in exchange.sent.headers:
            secret = credentials(value)[1]
            if name.lower() in CREDENTIALS and len(secret) >= 16 and not PLACEHOLDER.match(secret):
                redactor.learn(secret)


def held(raw: str, redacted: str) -> list[str]:
    """Return the secrets that stood where the redacted form has its masks."""
    found, at = [], 0
    pieces = redacted.split(MASK)
    for before, after in pairwise(pieces):
        at += len(before)
        end = raw.find(after, at) if after else len(raw)
        if end > at:
            found.append(raw[at:end])
        at = max(at, end)
    return found


class Scrubber:
    """Redacts what derives from the exchanges of one contract."""

    def __init__(self, redactor: Redactor, exchanges: Iterable[Exchange]) -> None:
        self._redactor = redactor
        self._secrets: set[str] = set()
        seen: set[int] = set()  # hashes: the texts themselves may be large
        for text in (text for exchange in exchanges for text in _texts(exchange)):
            if hash(text) not in seen:
                seen.add(hash(text))
                self._secrets.update(held(text, redactor.text(text)))

    def text(self, text: str) -> str:
        text = self._redactor.text(text)
        for secret in self._secrets:
            for size in range(len(secret), SHORTEST_CHARS - 1, -1):
                if secret[:size] in text:
                    text = text.replace(secret[:size], MASK)
                    break
        return text

    def url(self, url: str) -> str:
        return USERINFO.sub(f"{MASK}@", self.text(url))

    def headers(self, headers: Headers) -> list[list[str]]:
        return [[self.text(name), self._value(name, value)] for name, value in headers]

    def _value(self, name: str, value: str) -> str:
        scheme, rest = credentials(value)
        # A bare scheme is a misuse to be shown, not a secret.
        secret = len(rest) >= SHORTEST_CHARS and not PLACEHOLDER.match(rest)
        if name.lower() in CREDENTIALS and secret:
            return f"{scheme} {MASK}".strip()
        return self.text(value)

    def octets(self, data: bytes) -> bytes:
        return self._redactor.bytes(data)

    def wire(self, received: Received) -> tuple[bytes, str | None]:
        """Return the bytes of a response without secrets, and what was left out of them.

        A coding (gzip, chunks that part a token) hides a secret from a search of the wire, not from
        whoever undoes it. Where it does, or where that cannot be told, only the head is kept.
        """
        clean, coded = self.octets(received.wire), _coded(received)
        unread = coded and (received.error or received.stray)
        hidden = coded and self.octets(received.body) != received.body
        if not (unread or hidden or self._parted(received.wire, clean)):
            return clean, None
        head, gap, _ = clean.partition(b"\r\n\r\n")
        return head + gap, "the bytes after the head may hold a secret and are left out"

    def stray(self, received: Received) -> bytes:
        """Return what came after the message, without secrets."""
        clean = self.octets(received.stray)
        if clean and (_coded(received) or self._parted(received.stray, clean)):
            return MASK.encode()
        return clean

    def _parted(self, data: bytes, clean: bytes) -> bool:
        """Whether a secret shows once what parts chunks is taken away."""
        joined = CHUNK_LINE.sub(b"", b"\r\n" + data)
        return self.octets(joined).count(MASK.encode()) > clean.count(MASK.encode())


def _coded(received: Received) -> bool:
    return any(value.strip() for value in received.headers_named("content-encoding"))


def _texts(exchange: Exchange) -> list[str]:
    """Return whatever of an exchange may hold a secret."""
    received = exchange.received
    octets = [exchange.sent.body]
    texts = [exchange.sent.url, exchange.detail]
    if received is not None:
        texts += [text for pair in received.headers for text in pair]
        octets += [received.body, received.wire]
    return texts + [data.decode("utf-8", "backslashreplace") for data in octets]
