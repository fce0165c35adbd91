"""Who calls: a token in the place of its scheme, read by its claims.

Raises Refusal, whose slug says what is wrong with the token. Knows no permission by name.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from joserfc import jwt
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import OctKey

from cancel_contracts.contract.credentials import BEARER, Scheme
from cancel_contracts.contract.model import Contract
from cancel_contracts.mock.call import Call, Caller, Headers, Refusal

# RFC 9110, section 15.5.2: a 401 carries a challenge. The wording is that of a recorded one.
CHALLENGE: Headers = (
    (
        "WWW-Authenticate",
        'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"',
    ),
)
# The tenant whose resources the mock keeps, and (access-token-claims-reference) that of personal
# Microsoft accounts.
HOME_TENANT = "5f0f2b0a-3c5e-4f39-9f6c-7c1c2f8f5a11"
PERSONAL_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"
THROTTLED, UNPERMITTED = "throttled", "no-permission"
LEEWAY_SECONDS = 60


def deny(why: str) -> Refusal:
    return Refusal(401, why, CHALLENGE)


def challenging(headers: Headers, scheme: Scheme) -> Headers:
    """Return the headers of a refusal with the challenge of a scheme in place of Bearer's. An API
    key has none of its own, and any will do.
    """
    if headers != CHALLENGE or scheme.word == BEARER.word:
        return headers
    return (("WWW-Authenticate", f'{scheme.word or "ApiKey"} realm=""'),)


def token_of(scheme: Scheme, call: Call) -> str:
    """Return the token that a call carries under a scheme."""
    value = _placed(scheme, call)
    if value is None:
        raise deny("anonymous")
    if not value.strip():
        raise deny("empty-header")
    if not scheme.word:
        return value.strip()
    word, _, token = value.strip().partition(" ")
    # RFC 9110, section 11.1: the case of the scheme does not count.
    if word.lower() != scheme.word.lower():
        raise deny("other-scheme")
    if not token.strip():
        raise deny("bare-scheme")
    return unwrapped(scheme, token.strip())


def unwrapped(scheme: Scheme, text: str) -> str:
    """Return the token of what stands behind the scheme: of Basic the password (RFC 7617)."""
    if not scheme.basic:
        return text
    try:
        return base64.b64decode(text, validate=True).decode("utf-8").partition(":")[2]
    except ValueError:
        raise deny("garbage-token") from None


def _placed(scheme: Scheme, call: Call) -> str | None:
    """Return what stands where a scheme has the credentials, or None."""
    if scheme.place == "header":
        return call.headers.get(scheme.name.lower())
    if scheme.place == "query":
        return call.query.get(scheme.name)
    cookies = (pair.strip().partition("=") for pair in call.headers.get("cookie", "").split(";"))
    return {name: value for name, _, value in cookies}.get(scheme.name)


@lru_cache(maxsize=256)  # few are sent, each again and again
def _decoded(token: str, key: bytes) -> dict[str, Any]:
    return jwt.decode(token, OctKey.import_key(key), algorithms=["HS256"]).claims


def claims_of(token: str, key: OctKey) -> dict[str, Any]:
    """Return the claims of a token signed with the key."""
    try:
        return dict(_decoded(token, key.raw_value))
    except BadSignatureError:
        raise deny("bad-signature") from None
    except (JoseError, ValueError, TypeError, RecursionError):
        raise deny("garbage-token") from None


def unverified(token: str) -> dict[str, Any]:
    """Return the claims without looking at the signature: only a fault asks for that."""
    try:
        payload = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, IndexError):
        raise deny("garbage-token") from None
    if not isinstance(found, dict):
        raise deny("garbage-token")
    return found


def valid(claims: Mapping[str, Any], audiences: tuple[str, ...], now: float) -> None:
    """Raise for a token that is expired, not valid yet, or meant for somebody else."""
    expires, begins, issuer = claims.get("exp"), claims.get("nbf", 0), claims.get("iss")
    if not isinstance(expires, (int, float)) or expires <= now:
        raise deny("expired")
    # RFC 7519, section 4.1.5: not before, some leeway for clocks.
    if not isinstance(begins, (int, float)) or begins > now + LEEWAY_SECONDS:
        raise deny("not-yet")
    # access-token-claims-reference: the issuer names the tenant that `tid` names.
    if issuer is not None and str(claims.get("tid")) not in str(issuer):
        raise deny("other-issuer")
    # claims-validation: no data of one tenant is for another.
    if claims.get("tid", HOME_TENANT) not in (HOME_TENANT, PERSONAL_TENANT):
        raise deny("other-tenant")
    named = claims.get("aud")
    meant_for = named if isinstance(named, list) else [named]
    if audiences and not {str(a).rstrip("/") for a in meant_for} & {
        a.rstrip("/") for a in audiences
    }:
        raise deny("wrong-audience")


def caller_of(claims: Mapping[str, Any]) -> Caller:
    """Return who a token speaks for: `scp` makes it a user's, else it is an application's."""
    scopes, roles = claims.get("scp"), claims.get("roles")
    delegated = isinstance(scopes, str)
    names = scopes.split() if isinstance(scopes, str) else roles if isinstance(roles, list) else []
    return Caller(
        sub=str(claims.get("sub", "")),
        kind="delegated" if delegated else "application",
        permissions=tuple(str(name) for name in names),
        administrator=not delegated or bool(claims.get("wids")),
        personal=claims.get("tid") == PERSONAL_TENANT,
    )


def known(token: str, key: OctKey, audiences: tuple[str, ...]) -> Caller:
    """Return who a token speaks for, or raise Refusal 401."""
    claims = claims_of(token, key)
    valid(claims, audiences, time.time())
    return caller_of(claims)


def authenticate(call: Call, contract: Contract, key: OctKey) -> Caller:
    """Return who calls, or raise Refusal 401."""
    return known(token_of(contract.scheme, call), key, contract.audiences)


def authorise(caller: Caller, contract: Contract) -> None:
    """Raise Refusal 403 unless the caller holds a permission that is documented for its kind."""
    if caller.trusted:
        return
    if not contract.permissions:  # whoever is known is served, but who is to lack what it takes
        if caller.sub == UNPERMITTED:
            raise Refusal(403, "no-permission")
        return
    if caller.personal:
        raise Refusal(403, "personal")
    held = set(caller.permissions)
    if not held & {p.name for p in contract.permissions if p.kind == caller.kind}:
        other = held & {p.name for p in contract.permissions}
        raise Refusal(403, "wrong-kind" if other else "no-permission")
