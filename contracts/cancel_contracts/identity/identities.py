"""Identities: who makes a call, as the credentials that say so.

A token comes from the target file by the identity's name, or is minted where the target trusts a
key of ours. Forms without a token (anonymous, an empty header, another scheme) need neither.

Not verified: that a literal token is what its name says. Whoever lends it answers for that.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from cancel_contracts.contract.credentials import (
    IDENTITIES,
    NAMESAKES,
    PLAIN_USERS,
    Carried,
    Carrier,
    needs_token,
    oddity,
)
from cancel_contracts.contract.given import permission_of
from cancel_contracts.contract.model import Contract
from cancel_contracts.errors import NoIdentity, UsageError
from cancel_contracts.identity.clock import LIFETIME_SECONDS, Clock
from cancel_contracts.identity.fields import certificate_files, fields_of
from cancel_contracts.identity.forged import (
    CLAIMS,
    LAST_ROLE,
    LEAST,
    OTHER_KEY,
    ROLE,
    UNSIGNED,
    unsigned,
)
from cancel_contracts.identity.offers import lacking
from cancel_contracts.identity.sources import read_key
from cancel_contracts.identity.tokens import Tokens
from cancel_contracts.needs import Gap, Need
from cancel_contracts.redact.secrets import Redactor
from cancel_contracts.targets.file import Endpoint
from cancel_contracts.targets.names import PRIMARY

if TYPE_CHECKING:  # slow to load, and only minting needs it
    from joserfc.jwk import ECKey, OctKey, RSAKey

# Claims of the identity platform (access-token-claims-reference): the tenant of personal accounts,
# and the role template of a global administrator in `wids`.
PERSONAL_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"
WORK_TENANT = "5f0f2b0a-3c5e-4f39-9f6c-7c1c2f8f5a11"
ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
PLACEHOLDER = "cancel-contracts-without-credentials"

SHORT_CHARS = 8  # of a token: what is cut from less may be nothing, or all of it


class Identities:
    """The identities that a target offers for one contract."""

    def __init__(
        self,
        contract: Contract,
        endpoint: Endpoint,
        redactor: Redactor,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.contract, self.endpoint, self.redactor = contract, endpoint, redactor
        self.environ = os.environ if environ is None else environ
        self.primary, self.scheme = endpoint.primary or PRIMARY, contract.scheme
        self.clock = Clock()
        self._minted: dict[tuple[str, str | None, bool], tuple[str, float, float]] = {}
        self._key: OctKey | RSAKey | ECKey | None = None
        self._tokens = Tokens(contract, endpoint, redactor, self.environ)
        self.fields = fields_of(endpoint, redactor, self.environ)  # what goes along, by URL
        self.certificate = certificate_files(endpoint.client_certificate)
        if endpoint.mint is not None:
            self._key = self._load_key()

    @property
    def minted(self) -> bool:
        return self._key is not None

    def _load_key(self) -> OctKey | RSAKey | ECKey:
        from joserfc.errors import JoseError
        from joserfc.jwk import ECKey, OctKey, RSAKey

        assert self.endpoint.mint is not None
        text = read_key(self.endpoint.mint, self.redactor, self.environ)
        kinds: dict[str, type[OctKey] | type[RSAKey] | type[ECKey]]
        kinds = {"HS": OctKey, "RS": RSAKey, "ES": ECKey}
        try:
            # A short key draws a warning. It is the target's own choice.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                key = kinds[self.endpoint.mint.algorithm[:2]].import_key(text)
        except (ValueError, JoseError):
            fix = f"give a key for {self.endpoint.mint.algorithm}"
            raise UsageError(self.endpoint.mint.place, "is no such key", fix) from None
        return key

    def name(self, identity: str) -> str:
        """Return whose name stands in reports: the primary's own, or the identity's."""
        return self.primary if identity == "primary" else identity

    def credentials(self, identity: str, owner: str | None = None) -> Carried:
        """Return what a caller carries.

        Raises NoIdentity, or Broken where a token has expired and cannot be renewed.
        """
        if gap := lacking(self.contract, self.endpoint, identity, self.primary):
            raise NoIdentity(gap)
        row = IDENTITIES.get(identity)
        wire: Carrier | None = row.wire if row else None
        if wire is None:
            token = self._token(self.name(identity), owner)
            return replace(self.scheme.carry(token), secret=token)
        if not needs_token(identity):
            return wire(self.scheme, "")
        token = self._token(self.primary, owner)
        if len(token) < SHORT_CHARS or token == token.swapcase():
            told = "the primary's token is too short to be changed"
            raise NoIdentity(Gap(told, Need("identity")))
        return replace(wire(self.scheme, token), secret=token)

    def observing(self) -> Carried:
        """Return what a look carries: the primary's token, or one of ours that may read as well."""
        token = self._token(self.primary, None, reads=True)
        return replace(self.scheme.carry(token), secret=token)

    def _token(self, name: str, owner: str | None, *, reads: bool = False) -> str:
        lent = self._tokens.get(permission_of(name) or name)
        if lent is not None:
            return lent
        if self._key is not None and name != "throttled":
            return self._fresh(name, owner, reads)
        return PLACEHOLDER

    def _fresh(self, name: str, owner: str | None, reads: bool) -> str:
        """Return the minted token, made anew when half its life is over, or the clock is known."""
        ahead, key = self.clock.ahead, (name, owner, reads)
        token, made, then = self._minted.get(key, ("", 0.0, ahead))
        if time.monotonic() - made > LIFETIME_SECONDS / 2 or not token or then != ahead:
            token = self.scheme.minted(name, self.redactor.learn(self._mint(name, owner, reads)))
            self._minted[key] = (token, time.monotonic(), ahead)
        return token

    def _mint(self, name: str, owner: str | None, reads: bool) -> str:
        from joserfc import jwt

        assert self.endpoint.mint is not None
        assert self._key is not None
        claims = claims_of(self.contract, name, owner, reads=reads) | self.clock.times(name)
        odd = oddity(name)
        if odd in CLAIMS:
            claims = CLAIMS[odd](claims, dict.fromkeys(p.name for p in self.contract.permissions))
        key, algorithm = self._key, self.endpoint.mint.algorithm
        if odd in UNSIGNED:
            return unsigned(odd, algorithm, claims)
        if odd == "bad-signature":
            key = self._other_key(key)
        return jwt.encode({"alg": algorithm, "typ": "JWT"}, claims, key, algorithms=[algorithm])

    @staticmethod
    def throttled_token(contract: Contract, key: str) -> str:
        """Return a token whose caller has spent the quota, for a mock that knows that subject."""
        from joserfc import jwt
        from joserfc.jwk import OctKey

        now = int(time.time())
        claims = claims_of(contract, "throttled", None) | {
            "iat": now,
            "exp": now + LIFETIME_SECONDS,
        }
        made = jwt.encode({"alg": "HS256", "typ": "JWT"}, claims, OctKey.import_key(key))
        return contract.scheme.minted("throttled", made)

    @staticmethod
    def _other_key(key: OctKey | RSAKey | ECKey) -> OctKey | RSAKey | ECKey:
        from joserfc.jwk import ECKey, OctKey, RSAKey

        if isinstance(key, RSAKey):
            return RSAKey.generate_key(2048)
        if isinstance(key, ECKey):
            return ECKey.generate_key("P-256")
        return OctKey.import_key(OTHER_KEY)


def claims_of(
    contract: Contract, name: str, owner: str | None, *, reads: bool = False
) -> dict[str, object]:
    """Return the claims of a minted token, times apart: who it is and what it may. With `reads` it
    may look at the resource too, where the GET asks for a permission of its own.
    """
    documented = (*contract.permissions, *(contract.reading if reads else ()))
    by_kind = {
        kind: list(dict.fromkeys(p.name for p in documented if p.kind == kind))
        for kind in ("delegated", "application")
    }
    alone = by_kind["application"] and not by_kind["delegated"]
    kind = "application" if "app" in (name, NAMESAKES.get(name)) or alone else "delegated"
    # Every documented permission at once: whoever disputes one of them must not lose the ordinary
    # caller.
    granted = by_kind[kind] or by_kind["delegated"] or by_kind["application"]
    if (own := permission_of(name)) is not None:
        kind, granted = name.split(":")[0], [own]
    if name == "no-permission":
        granted = [LEAST]
    subject = owner if own is not None and owner else NAMESAKES.get(name, name)
    claims: dict[str, object] = {
        "iss": f"https://sts.windows.net/{WORK_TENANT}/",
        "aud": contract.audiences[0] if contract.audiences else contract.server,
        "tid": WORK_TENANT,
        "sub": subject,
        "oid": subject,
        "preferred_username": subject,
    }
    if name == "personal":
        claims |= {"tid": PERSONAL_TENANT, "iss": f"https://sts.windows.net/{PERSONAL_TENANT}/"}
    if kind == "application":
        # As most applications it has other roles, before those that count and after.
        return claims | {"roles": [ROLE, *granted, LAST_ROLE], "idtyp": "app"}
    claims |= {"scp": " ".join(granted), "idtyp": "user"}
    if NAMESAKES.get(name, name) not in PLAIN_USERS and (own is None or not owner):
        claims["wids"] = [ADMINISTRATOR]
    return claims
