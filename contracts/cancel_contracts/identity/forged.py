"""What is odd in a token that is minted: a claim, its header or its signature.

Nearly all are to be refused. Each is wrong in that alone, so that a server that serves it is known
by what it does not look at.
Names that only begin as the right ones do show whoever compares beginnings. They end in `.example`
(RFC 2606): no server rightly trusts them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

Claims = dict[str, Any]
OTHER_KEY = "a key that the target has never seen, of some length"
LEAST = "User.Read"  # a permission that no operation here asks for
# Roles that no operation here asks for, of an application or assigned to a user.
ROLE, LAST_ROLE = "Reports.Review", "Reports.Send"
OTHER_TENANT = "2c1f6a0e-77d4-4b0b-9d53-0f3a6c1e8b92"


def _audience(claims: Claims, _: Iterable[str]) -> Claims:
    return claims | {"aud": f"{claims['aud']}".rstrip("/") + ".another-api.example"}


def _issuer(claims: Claims, _: Iterable[str]) -> Claims:
    """Name an issuer of whom no tenant is told: RFC 8725 section 3.8, the key is not its own."""
    issuer = urlsplit(str(claims["iss"]))
    return claims | {"iss": f"{issuer.scheme}://{issuer.netloc}.another-issuer.example/"}


def _tenant(claims: Claims, _: Iterable[str]) -> Claims:
    """Name another tenant, throughout."""
    issuer = str(claims["iss"]).replace(str(claims["tid"]), OTHER_TENANT)
    return claims | {"tid": OTHER_TENANT, "iss": issuer}


def _never_expires(claims: Claims, _: Iterable[str]) -> Claims:
    return {name: value for name, value in claims.items() if name != "exp"}


def _role_beside(claims: Claims, _: Iterable[str]) -> Claims:
    return claims | {"roles": [ROLE]}


def _with_roles(claims: Claims, names: Iterable[str]) -> Claims:
    """Have a user's token name the permissions where an application's has them."""
    return claims | {"scp": LEAST, "idtyp": "user", "roles": list(names)}


def _listed(claims: Claims, names: Iterable[str]) -> Claims:
    kept = {name: value for name, value in claims.items() if name not in ("scp", "roles")}
    return kept | {"idtyp": "user", "scopes": list(names)}


# What is odd in a token -> the claims of an ordinary one, changed; with the documented permissions.
CLAIMS: Mapping[str, Callable[[Claims, Iterable[str]], Claims]] = {
    "wrong-audience": _audience,
    "wrong-issuer": _issuer,
    "other-tenant": _tenant,
    "scopes-and-roles": _role_beside,
    "without-expiry": _never_expires,
    "user-with-roles": _with_roles,
    "scopes-listed": _listed,
}
# A word -> the algorithm that its header names, of the right one; what stands for a signature.
UNSIGNED: Mapping[str, tuple[Callable[[str], str], bytes]] = {
    "unsigned": (lambda _: "none", b""),  # RFC 7519 section 6
    "capital-none": (lambda _: "NONE", b""),
    "lower-case-algorithm": (str.lower, b"no signature of anybody's"),  # RFC 7515 section 4.1.1
}


def unsigned(name: str, algorithm: str, claims: Claims) -> str:
    """Return a token that nobody signed."""
    told, signature = UNSIGNED[name]
    header = {"alg": told(algorithm), "typ": "JWT"}
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
