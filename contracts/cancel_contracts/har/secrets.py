"""Credentials of others, left out where a recording is read: nothing behind this line holds one.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from cancel_contracts.exchange import Headers
from cancel_contracts.redact.scrub import PLACEHOLDER

VEIL = "<recorded>"
# Of a request, fields that say how it was sent and to whom. All others may hold a credential.
HARMLESS = frozenset({
    "accept", "accept-charset", "accept-encoding", "accept-language",
    "access-control-request-headers", "access-control-request-method", "client-request-id",
    "connection", "content-encoding", "content-length", "content-type", "date", "expect", "host",
    "idempotency-key", "if-match", "if-none-match", "origin", "prefer", "transfer-encoding",
    "user-agent",
})  # fmt: skip
SECRET_NAMES = re.compile(
    r"auth|token|cookie|secret|password|credential|session|signature|api-?key|subscription-key"
    r"|assertion|jwt",
    re.IGNORECASE,
)
ANSWERS_OWN = frozenset({"www-authenticate", "proxy-authenticate"})
SCHEME = re.compile(r"[A-Za-z][\w-]*(?= )")
# A value of a query that says what is asked for, and no more.
PLAIN_QUERY = re.compile(r"\$\w+|%24\w+|api-version", re.IGNORECASE)


def veil_request(headers: Headers) -> Headers:
    """Return a request's headers without what may be a credential; a scheme stays."""
    return tuple((n, v if n.lower() in HARMLESS else _veil(n, v)) for n, v in headers)


def veil_answer(headers: Headers) -> Headers:
    """Return an answer's headers without cookies and tokens."""
    return tuple((name, _veil(name, v) if is_secret(name) else v) for name, v in headers)


def _veil(name: str, value: str) -> str:
    if not value:
        return value
    scheme = SCHEME.match(value) if "auth" in name.lower() else None
    rest = value[scheme.end() + 1 :] if scheme else value
    if PLACEHOLDER.match(rest):
        return value
    return f"{scheme.group()} {VEIL}" if scheme else VEIL


def is_secret(name: str) -> bool:
    return name.lower() not in ANSWERS_OWN and SECRET_NAMES.search(name) is not None


def veil_url(url: str) -> str:
    """Return a URL without user, password, fragment and the values of its query."""
    url, _, _ = url.partition("#")
    head, mark, query = url.partition("?")
    scheme, slashes, rest = head.partition("://")
    authority, slash, path = rest.partition("/")
    head = scheme + slashes + authority.rpartition("@")[2] + slash + path if slashes else head
    return head + mark + "&".join(_veil_value(part) for part in query.split("&")) if mark else head


def _veil_value(part: str) -> str:
    name, equals, value = part.partition("=")
    plain = PLAIN_QUERY.fullmatch(name) or not value
    return part if plain else f"{name}{equals}{VEIL}"


def secrets(headers: Headers, url: str) -> Iterator[str]:
    """Yield the credentials of a request: whatever echoes one is masked as well."""
    for name, value in headers:
        if is_secret(name):
            scheme = SCHEME.match(value) if "auth" in name.lower() else None
            yield value[scheme.end() + 1 :].strip() if scheme else value
    try:
        parts = urlsplit(url)
    except ValueError:
        return
    for part in parts.query.split("&"):
        name, _, value = part.partition("=")
        if is_secret(name) or name.lower() in ("sig", "code", "key"):
            yield value
    if parts.password:
        yield parts.password
