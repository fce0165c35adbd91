"""Traces of the inside in an answer: a stack, a place in a source, a path of the server's disk.

Pure; knows no clause. It reads the texts of an answer as they were meant, without JSON's escapes.
What belongs to the caller's side is none: the URL of the call, links, names of types that OData
annotates, positions in the caller's own document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import unquote, urlsplit

from cancel_contracts.exchange import Exchange, Received
from cancel_contracts.parse import NO_JSON

SOURCES = "py|rb|php|js|mjs|ts|java|cs|vb|fs|go|kt|rs|scala|cpp|cc|ex|pl"
ROOTS = "usr|home|var|srv|app|opt|root|etc|tmp|mnt|Users"
# A path begins where no host and no folder stands before it, else it is the rest of a URL.
_BEGINS = r"(?:(?<![\w./\]}-])|(?<=file://))"
_NAME = r"[\w$<>`]+"

INTERNALS = re.compile(
    r"(?i:Traceback \(most recent call last\)|stack ?trace(?=\s*[:=\n])|goroutine \d+ \[)"
    r"|\bFile \"[^\"\n]*(?:[/\\<]|\.py)[^\"\n]*\", line \d+"
    # Frames: with the file, with a long name, or at the begin of a line.
    r"|\bat [\w.$<>/]+\([\w.$/\\-]+\.\w+:\d+\)|\bat \S+ \(\S+:\d+:\d+\)"
    rf"|\bat {_NAME}(?:\.{_NAME}){{2,}}\(|(?:^|[\n\r>;])\s*at {_NAME}(?:\.{_NAME})+\("
    rf"|\b(?:at|in) \S+\.(?:{SOURCES}):line \d+|[\w-]/[\w.-]+\.(?:{SOURCES}):\d+\b"
    # A file below a folder that servers have, or a folder two levels deep where no site has one.
    rf"|{_BEGINS}/(?:{ROOTS})/[\w.-]+(?:/[\w.-]+)*\.[A-Za-z]\w{{0,8}}\b|node_modules/"
    rf"|{_BEGINS}/(?:usr|home|var|srv|opt|root|etc|tmp)/[\w.-]+/[\w.-]"
    r"|(?<![A-Za-z0-9])[A-Za-z]:\\\\?[\w.-]+\\"
    r"|\bSQLSTATE\b|\bORA-\d{5}\b"
    # Credentials of the server's own: connection strings, URLs with a password, private keys.
    r"|(?i:\b(?:password|pwd|accountkey|sharedaccesskey|sharedsecret|client_secret)\s*=\s*[^\s;&]{3,})"
    r"|(?i:\b(?:postgres(?:ql)?|mysql|mongodb(?:\+srv)?|redis|amqps?|https?)://[^\s/:@]+:[^\s/@]+@)"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
# The class of an exception by its full name. A code of errors may look like one, but for its end.
THROWN = re.compile(r"(?<![#\w.])[A-Za-z_]\w*(?:\.\w+)*\.[A-Z]\w*(?:Exception|Error)\b")
THROWN_AS_CODE = re.compile(r"(?<![#\w.])[A-Za-z_]\w*(?:\.\w+)*\.[A-Z]\w*Exception\b")

# A link within the site: what a member of such a name is in whole (RFC 9457 names the last two), or
# an attribute of HTML.
LINK = re.compile(r"(?i:(?:ur[il]|href|link)s?|instance|type)$")
WITHIN_SITE = re.compile(r"/[^\s\"'<>]*")
ATTRIBUTE = re.compile(r"(?i:\b(?:href|src|action)\s*=\s*)(?:\"/[^\"]*\"|'/[^']*'|/[^\s>]*)")
TEXTS, TEXT_CHARS = 1024, 400  # of which is kept what was found, and how long each is at most


def trace(exchange: Exchange, received: Received) -> str | None:
    """Return the first trace of the inside, or None."""
    path = urlsplit(exchange.sent.url).path
    for name, text in _texts(received):
        for own in (path, unquote(path)):
            text = text.replace(own, " ") if len(own) > 1 else text
        look = _first if len(text) <= TEXT_CHARS else _first.__wrapped__
        if found := look(text, name == "code"):
            return found
    return None


@lru_cache(TEXTS)
def _first(text: str, code: bool) -> str | None:
    """Return the first trace in a text: errors say the same again and again."""
    thrown = THROWN_AS_CODE if code else THROWN
    found = INTERNALS.search(text) or thrown.search(text)
    return found.group(0) if found else None


def _texts(received: Received) -> Iterator[tuple[str, str]]:
    """Yield every text of an answer with the name it has, or all of it where it is no JSON."""
    value = received.json()
    if value is NO_JSON:
        yield "", ATTRIBUTE.sub(" ", received.body.decode("utf-8", "replace"))
        return
    yield from _strings("", value)


def _strings(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        if not (LINK.search(name) and WITHIN_SITE.fullmatch(value)):
            yield name, value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(name, item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if item:
                yield "", f"{key}:"  # a stackTrace that holds something
            if not key.startswith("@"):
                yield from _strings(key, item)
