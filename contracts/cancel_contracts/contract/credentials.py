"""Who calls: the identities, and what goes out on the wire as their credentials. Pure."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from cancel_contracts.contract.word import Word, table


@dataclass(frozen=True)
class Carried:
    """How credentials go out: header lines, and what is appended to the URL's query. `secret` is
    what of it must go no further than the wire.
    """

    headers: tuple[tuple[str, str], ...] = ()
    query: str = ""
    secret: str = ""


Carrier = Callable[[str], Carried]


def _authorization(change: Callable[[str], str]) -> Carrier:
    return lambda token: Carried((("Authorization", change(token)),))


# Roles are named in a target file or minted. `wire` of the others makes of the primary's token what
# goes out in its place; one that no token is needed for ignores it.

BEARER = _authorization(lambda token: f"Bearer {token}")  # of a role

IDENTITIES = table(
    Word("primary", "whoever makes ordinary calls: `admin`, or what `primary` names"),
    Word("admin", "an administrator with every documented permission", need="identities"),
    Word("user", "a user who is no administrator", need="identities"),
    Word("other-user", "another user who is no administrator", need="identities"),
    Word("app", "an application with every documented permission", need="identities"),
    Word("no-permission", "a valid token with none of the permissions", "without a permission", need="identities"),
    Word("expired", "a token that was valid once", "with an expired token", need="identities"),
    Word("personal", "a personal Microsoft account", "with a personal account", need="identities"),
    Word("throttled", "a caller whose quota is spent", "over the quota", need="identities"),
    Word("anonymous", "no credentials at all", "without credentials", lambda _: Carried()),
    Word("empty-header", "an empty Authorization", "with an empty Authorization", _authorization(lambda _: "")),
    Word("bare-scheme", "`Bearer` without a token", "with a Bearer that has no token", _authorization(lambda _: "Bearer")),
    Word("garbage-token", "a token of nobody", "with a token of nobody", _authorization(lambda _: "Bearer not-a-token-of-anybody")),
    Word("basic-scheme", "user and password", "with Basic credentials", _authorization(lambda _: "Basic " + base64.b64encode(b"user:password").decode())),
    Word("lower-case-scheme", "a good token under `bearer`", "with the scheme in lower case", _authorization(lambda token: f"bearer {token}")),
    Word("bare-token", "a good token without a scheme", "with a good token and no scheme", _authorization(lambda token: token)),
    Word("cut-token", "a good token without its end", "with a token cut short", _authorization(lambda token: f"Bearer {token[:-4]}")),
    Word("longer-token", "a good token with letters after it", "with a token that goes on", _authorization(lambda token: f"Bearer {token}AAAA")),
    Word("other-case-token", "a good token in the other case", "with a token in the other case", _authorization(lambda token: f"Bearer {token.swapcase()}")),
    Word("token-elsewhere", "a good token in the query, a cookie and other headers, the names that a gateway gives, and no Authorization", "with the token in query, cookie and other headers alone", lambda token: Carried((("Cookie", f"access_token={token}"), ("X-Authorization", f"Bearer {token}"), ("X-Access-Token", token), ("Proxy-Authorization", f"Bearer {token}"), ("X-Forwarded-User", "admin"), ("X-MS-CLIENT-PRINCIPAL-NAME", "admin")), f"access_token={quote(token, safe='')}")),
    Word("wrong-audience", "a token for another API", "with a token for another API", need="mint"),
    Word("bad-signature", "a token that somebody else signed", "with a token that somebody else signed", need="mint"),
    Word("unsigned", "a token of `alg` none", "with an unsigned token", need="mint"),
    Word("not-yet-valid", "a token whose `nbf` is to come", "with a token that is not valid yet", need="mint"),
)  # fmt: skip


def needs_token(identity: str) -> bool:
    """Whether an identity's credentials hold a token, or what is left of one."""
    row = IDENTITIES.get(identity)
    return row is None or row.wire is None or row.wire("a" * 8) != row.wire("b" * 8)
