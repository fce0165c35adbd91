"""Who a bearer token speaks for: opaque strings from a book, or HS256 JWTs verified by hand.

Each book also knows the lines that tell a target file of it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from typing import Any, Protocol

from servers.pages import SEVEN, Page

HOME_TENANT = "5f0f2b0a-3c5e-4f39-9f6c-7c1c2f8f5a11"
PERSONAL_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"
KEY = "a shared secret of the held-out servers, 32 bytes and more"


@dataclass(frozen=True)
class Caller:
    """The holder of a valid token. `application` or else a user; `admin` holds a directory role."""

    name: str
    permissions: frozenset[str] = frozenset()
    application: bool = False
    admin: bool = False
    personal: bool = False


class Tokens(Protocol):
    """A book of tokens."""

    def caller(self, token: str) -> Caller | None:
        """Return whose token it is, or None for one that is not valid."""

    def target(self) -> dict[str, Any]:
        """Return what a target file says of identities."""


@dataclass
class Opaque:
    """Strings that mean what the book says. `omit` keeps identities out of the target file."""

    page: Page
    omit: frozenset[str] = frozenset()
    book: dict[str, Caller | None] = field(init=False)

    def __post_init__(self) -> None:
        enough = frozenset(sorted(self.page.delegated)[:1])
        role = frozenset(sorted(self.page.application or self.page.delegated)[:1])
        self.book = {
            "admin": Caller("admin", enough, admin=True),
            "user": Caller("user", enough),
            "other-user": Caller("other-user", enough),
            "app": Caller("app", role, application=True),
            "no-permission": Caller("nobody", frozenset({"User.Read"})),
            "personal": Caller("someone", enough, personal=True),
            "expired": None,
        }
        if self.page.delegated == SEVEN:
            self.book |= {p: Caller(p, frozenset({p}), application=True) for p in SEVEN}
        if self.page.collection.endswith("ssignmentRequests"):
            small = "EntitlementMgmt-SubjectAccess.ReadWrite"
            self.book[small] = Caller("user", frozenset({small}))

    def caller(self, token: str) -> Caller | None:
        return self.book.get(token.removeprefix("opq.").removesuffix(".7f3a"))

    def target(self) -> dict[str, Any]:
        names = [name for name in self.book if name not in self.omit]
        return {"identities": {name: {"token": f"opq.{name}.7f3a"} for name in names}}


@dataclass
class Signed:
    """JWTs signed with a shared key (RFC 7515, HS256), judged by their claims."""

    page: Page
    key: str = KEY

    def caller(self, token: str) -> Caller | None:
        claims = self.claims(token)
        if claims is None or not self.timely(claims) or not self.addressed(claims):
            return None
        return self.holder(claims) if self.issued(claims) else None

    def claims(self, token: str) -> dict[str, Any] | None:
        try:
            head, body, signature = token.split(".")
            if json.loads(_decode(head)).get("alg") != "HS256":
                return None
            mac = hmac.new(self.key.encode(), f"{head}.{body}".encode(), hashlib.sha256).digest()
            found = json.loads(_decode(body))
            good = hmac.compare_digest(mac, _decode(signature))
        except (ValueError, AttributeError):
            return None
        return found if good and isinstance(found, dict) else None

    def timely(self, claims: dict[str, Any]) -> bool:
        now = time.time()
        return bool(claims.get("nbf", 0) <= now < claims.get("exp", 0))

    def addressed(self, claims: dict[str, Any]) -> bool:
        return claims.get("aud") in self.page.audiences

    def issued(self, claims: dict[str, Any]) -> bool:
        """The issuer names the tenant that `tid` names (access-token-claims-reference), and that is
        ours (claims-validation), or that of personal accounts.
        """
        tenant = claims.get("tid")
        ours = tenant in (HOME_TENANT, PERSONAL_TENANT)
        return ours and str(tenant) in str(claims.get("iss", tenant))

    def holder(self, claims: dict[str, Any]) -> Caller:
        # `scp` stands in user tokens only (access-token-claims-reference), so it decides.
        application = "scp" not in claims
        granted = claims.get("roles", []) if application else str(claims["scp"]).split(" ")
        return Caller(
            name=str(claims.get("oid", claims.get("sub"))),
            permissions=frozenset(granted),
            application=application,
            admin=bool(claims.get("wids")),
            personal=claims.get("tid") == PERSONAL_TENANT,
        )

    def target(self) -> dict[str, Any]:
        return {"mint": {"algorithm": "HS256", "key": self.key}}


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
