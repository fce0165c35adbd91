"""Content codings: gzip and deflate undone, within a hard bound.

Pure. It must not know of messages, and no input may make it take more memory than the bound or more
than seconds.
"""

from __future__ import annotations

import zlib

# Generous against any body of these APIs (kilobytes), small against a gzip bomb (1 : 1000).
DECODED_LIMIT_BYTES = 2**20
DECODED_KEPT_BYTES = 65536  # of what goes beyond it
# A gzip file may hold several members (RFC 1952 2.2); each costs a copy of the rest, so a million
# must not be tried.
_MEMBERS_LIMIT = 64
# As many links as urllib3 follows. A gzip that unpacks to itself exists, so a list of codings needs
# an end.
_CODINGS_LIMIT = 5

# RFC 9110 8.4.1: deflate is the zlib format (RFC 1950); bare deflate (RFC 1951) is what some
# servers send instead.
_WINDOW_BITS = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}


def decode(body: bytes, codings: list[str]) -> tuple[bytes, str | None]:
    """Return the content and why it is not whole. `codings` in the order applied (RFC 9110 8.4).

    A coding that we cannot read leaves the content as it is without complaint: it may be sound, it
    is only unread.
    """
    if len(codings) > _CODINGS_LIMIT:
        return body, f"more than {_CODINGS_LIMIT} content codings"
    for coding in reversed(codings):
        if coding == "identity":
            continue
        if coding not in _WINDOW_BITS:
            break
        body, fault = _undo(body, coding)
        if fault is not None:
            return body, fault
    return body, None


def _undo(body: bytes, coding: str) -> tuple[bytes, str | None]:
    for bits in _WINDOW_BITS[coding]:
        try:
            content, problem = _inflate(body, bits)
        except zlib.error:
            continue
        return content, problem and f"content coding {coding}: {problem}"
    return body, f"content coding {coding}: the data are not of that format"


def _inflate(data: bytes, bits: int) -> tuple[bytes, str | None]:
    content = bytearray()
    for _ in range(_MEMBERS_LIMIT):
        member = zlib.decompressobj(bits)
        content += member.decompress(data, DECODED_LIMIT_BYTES + 1 - len(content))
        data = member.unused_data
        if len(content) > DECODED_LIMIT_BYTES:
            problem = f"more than {DECODED_LIMIT_BYTES} bytes when decoded"
            return bytes(content[:DECODED_KEPT_BYTES]), problem
        if not member.eof:
            return bytes(content), "the data end too early"
        if not data:
            return bytes(content), None
    return bytes(content), f"more than {_MEMBERS_LIMIT} members"
