"""Who made a recorded call, as far as its head tells: read before credentials are left out. Pure,
but for a key that is drawn once a process.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cancel_contracts.contract.credentials import BEARER, Scheme
from cancel_contracts.exchange import Caller, Headers, struck_out
from cancel_contracts.har.secrets import VEIL
from cancel_contracts.parse import json_value

KEY = os.urandom(16)  # so that a digest of credentials is of no use to anybody
# Schemes that clients are seen to use, right or wrong. Another first word may be that of a cleaner.
SCHEMES = frozenset({
    "bearer", "basic", "digest", "negotiate", "ntlm", "token", "jwt", "apikey", "sharedkey",
    "sharedaccesssignature",
})  # fmt: skip
JWT = re.compile(r"eyJ[\w-]*\.([\w-]+)\.[\w-]*={0,2}")
HEAD = frozenset({"host", "user-agent", "accept", "content-length", "content-type"})


def caller_of(headers: Headers, scheme: Scheme = BEARER, url: str = "") -> Caller:
    """Return what the head of a request tells of its caller, by the scheme of the operation."""
    values = placed(headers, scheme, url)
    agent = next((value for name, value in headers if name.lower() == "user-agent"), "")
    key = hashlib.blake2b("\n".join([*values, agent]).encode(), key=KEY, digest_size=16).hexdigest()
    if not scheme.word:
        return Caller(key)
    if not values:
        sent = any(name.lower() in HEAD for name, _ in headers)
        return Caller(key, "none" if sent else "")
    word, _, token = values[0].partition(" ")
    token = token.strip()
    if JWT.fullmatch(word) and not token:
        return Caller(key, "bare")
    known = word.lower() in SCHEMES and token and not struck_out(values[0])
    if not known:
        return Caller(key)
    return Caller(key, word.lower(), *_claims(token))


def placed(headers: Headers, scheme: Scheme, url: str) -> list[str]:
    """Return what stands where a scheme has the credentials."""
    if scheme.place == "query":
        try:
            asked = parse_qsl(urlsplit(url).query, keep_blank_values=True)
        except ValueError:
            return []
        return [value for name, value in asked if name == scheme.name]
    if scheme.place == "cookie":
        lines = (value for name, value in headers if name.lower() == "cookie")
        pairs = (pair.strip().partition("=") for line in lines for pair in line.split(";"))
        return [value for name, _, value in pairs if name == scheme.name]
    return [value.strip() for name, value in headers if name.lower() == scheme.name.lower()]


def _claims(token: str) -> tuple[str, tuple[str, ...] | None]:
    """Return whose a token is and the directory roles that it names, where it is a user's. Its
    signature is the server's to check.
    """
    if (found := JWT.fullmatch(token)) is None or token == VEIL:
        return "", None
    payload = found.group(1)
    try:
        claims: Any = json_value(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError:
        return "", None
    if not isinstance(claims, dict) or not isinstance(claims.get("scp"), str):
        return "", None
    subject, roles = claims.get("oid"), claims.get("wids")
    named = tuple(map(str, roles)) if isinstance(roles, list) and roles else None
    return subject if isinstance(subject, str) else "", named
