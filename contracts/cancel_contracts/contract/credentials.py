"""Who calls: the identities, and what goes out on the wire as their credentials. Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import quote

from cancel_contracts.contract.word import Word, table

SHORT_TOKEN_CHARS = 1000  # in ten places at once it is no longer than what servers read of a head
# Blanks and letters by fours: readers of base64 that pass over blanks find whole groups.
MORE_WORDS = " and four words more"
FIELD_NAME = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")  # RFC 9110 section 5.6.2


@dataclass(frozen=True)
class Permission:
    """One documented alternative of `security`: a permission and the kind of token that
    carries it.
    """

    kind: Literal["delegated", "application"]
    name: str


@dataclass(frozen=True)
class Carried:
    """How credentials go out: header lines, and what is appended to the URL's query. `secret` is
    what of it must go no further than the wire.
    """

    headers: tuple[tuple[str, str], ...] = ()
    query: str = ""
    secret: str = ""


@dataclass(frozen=True)
class Scheme:
    """Where credentials stand (OpenAPI 3.1, Security Scheme Object): under a `word` in
    Authorization (RFC 9110 section 11.4), or an API key bare in a header, the query or a cookie.

    A Basic token is `user:password`, as the source of a token gives it (RFC 7617).
    """

    word: str = "Bearer"  # empty for an API key
    place: Literal["header", "query", "cookie"] = "header"
    name: str = "Authorization"
    opaque: bool = False  # no token of it is a JWT
    untold: bool = False  # nobody says what its tokens are

    @property
    def basic(self) -> bool:
        return self.word.lower() == "basic"

    def written(self, token: str) -> str:
        """Return a token as it stands on the wire, without the scheme's word."""
        if self.basic:
            return base64.b64encode(token.encode("utf-8", "surrogateescape")).decode()
        return quote(token, safe="", errors="surrogateescape") if self.place == "query" else token

    def minted(self, subject: str, token: str) -> str:
        """Return a token that was made here as a source would give it."""
        return f"{subject}:{token}" if self.basic else token

    def carry(self, token: str) -> Carried:
        """Return a token in its place."""
        return self.placed(f"{self.word} {self.written(token)}".lstrip())

    def respelled(self, carried: Carried, spelling: Callable[[str], str]) -> Carried:
        """Return credentials with the scheme's word, where it stands, in another spelling."""
        if not self.word or spelling(self.word) == self.word:
            return carried
        begins = re.compile(rf"{re.escape(self.word)}(?= |$)")
        lines = (
            (n, begins.sub(lambda m: spelling(m[0]), text, count=1) if n == self.name else text)
            for n, text in carried.headers
        )
        return replace(carried, headers=tuple(lines))

    def placed(self, text: str) -> Carried:
        """Return a text where the credentials stand, whatever it is."""
        if self.place == "query":
            return Carried(query=f"{quote(self.name, safe='')}={text}")
        if self.place == "cookie":
            return Carried((("Cookie", f"{self.name}={text}"),))
        return Carried(((self.name, text),))

    def knows(self, identity: str) -> bool:
        """Whether an identity's form is another one than the ordinary under this scheme."""
        if self.opaque and IDENTITIES.get(identity, ANYBODY).need == "mint":
            return False
        if self.word:
            return not (self.basic and identity == "basic-scheme")
        return identity not in ("bare-scheme", "bare-token", "other-scheme")


BEARER = Scheme()
Carrier = Callable[[Scheme, str], Carried]
ANYBODY = Word("", "")


def _written(change: Callable[[str], str]) -> Carrier:
    """Return what carries a changed token in its place."""
    return lambda scheme, token: scheme.carry(change(token))


def _elsewhere(scheme: Scheme, token: str) -> Carried:
    """Return a token everywhere but where it belongs, an API key by its own name too."""
    text = scheme.written(token)
    name = "access_token" if scheme.word else scheme.name
    field = name if FIELD_NAME.fullmatch(name) else "access_token"
    headers = [("X-Authorization", f"Bearer {text}"), ("X-Access-Token", text), ("Proxy-Authorization", f"Bearer {text}"), ("X-Forwarded-User", "admin"), ("X-MS-CLIENT-PRINCIPAL-NAME", "admin")]  # fmt: skip
    headers += [] if scheme.word else [("Authorization", f"Bearer {text}"), (field, text)]
    if len(text) <= SHORT_TOKEN_CHARS:
        headers += [("X-MS-TOKEN-AAD-ACCESS-TOKEN", text), ("X-Forwarded-Access-Token", text), ("X-Auth-Token", text)]  # fmt: skip
    if scheme.place == "header":
        headers = [line for line in headers if line[0].lower() != scheme.name.lower()]
    if scheme.place != "cookie":
        headers.insert(0, ("Cookie", f"{field}={text}"))
    if scheme.place == "query":
        return Carried(tuple(headers))
    return Carried(tuple(headers), f"{quote(name, safe='')}={quote(text, safe='')}")


# Roles are named in a target file or minted. `wire` of the others makes of the primary's token what
# goes out in its place, under the contract's scheme; one that needs no token ignores it.

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
    Word("anonymous", "no credentials at all", "without credentials", lambda _, __: Carried()),
    Word("empty-header", "an empty Authorization, or API key", "with an empty Authorization", lambda scheme, _: scheme.placed("")),
    Word("bare-scheme", "`Bearer` without a token", "with a Bearer that has no token", lambda scheme, _: scheme.placed(scheme.word)),
    Word("garbage-token", "a token of nobody", "with a token of nobody", lambda scheme, _: scheme.carry(scheme.minted("nobody", "not-a-token-of-anybody"))),
    Word("basic-scheme", "user and password", "with Basic credentials", lambda _, __: Scheme("Basic").carry("user:password")),
    Word("bare-token", "a good token without a scheme", "with a good token and no scheme", lambda scheme, token: scheme.placed(scheme.written(token))),
    Word("cut-token", "a good token without its end", "with a token cut short", _written(lambda token: token[:-4])),
    Word("longer-token", "a good token with letters after it", "with a token that goes on", _written(lambda token: f"{token}AAAA")),
    Word("other-case-token", "a good token in the other case", "with a token in the other case", _written(str.swapcase)),
    Word("token-elsewhere", "a good token in the query, a cookie and other headers, the names that a gateway gives, and no Authorization", "with the token in query, cookie and other headers alone", _elsewhere),
    Word("other-scheme", "a good token under another word, which begins as the scheme does", "with a good token under another scheme", lambda scheme, token: replace(scheme, word=f"{scheme.word}s").carry(token)),
    Word("words-after", "a good token and words after it", "with words after the token", _written(lambda token: token + MORE_WORDS)),
    Word("wrong-audience", "a token for another API", "with a token for another API", need="mint"),
    Word("bad-signature", "a token that somebody else signed", "with a token that somebody else signed", need="mint"),
    Word("unsigned", "a token of `alg` none", "with an unsigned token", need="mint"),
    Word("not-yet-valid", "a token whose `nbf` is to come", "with a token that is not valid yet", need="mint"),
    Word("wrong-issuer", "a token of another issuer, whose name begins alike", "with a token of another issuer", need="mint"),
    Word("capital-none", "a token of `alg` NONE", "with an unsigned token that says NONE", need="mint"),
    Word("lower-case-algorithm", "a token that nobody signed, its `alg` in lower case", "with an unsigned token whose algorithm is in lower case", need="mint"),
    Word("without-expiry", "a token without `exp`", "with a token that never expires", need="mint"),
    Word("other-tenant", "an administrator of another tenant, whose issuer and `tid` name that", "with a token of another tenant", need="mint"),
    Word("scopes-and-roles", "a user's token with every documented scope, and a role beside them", "with a user's token that has a role beside its scopes", need="mint"),
    Word("user-with-roles", "a user's token whose `scp` lacks the permissions that its `roles` name", "with a user's token that has roles for scopes", need="mint"),
    Word("scopes-listed", "a user's token that has a list `scopes` and no `scp`", "with a token that lists its scopes in another claim", need="mint"),
)  # fmt: skip

PLAIN_USERS = ("user", "other-user")  # who are no administrators
# What may be wrong with anybody's token, and whose else it is: a server may look at it for one kind
# of caller and not for the next.
OTHERS = {"app": ("an application", "an application's token"), "user": ("a user", "a user's token")}
WRONG = {
    "expired": "that has expired",
    "not-yet-valid": "that is not valid yet",
    "bad-signature": "that somebody else signed",
    "unsigned": "that nobody signed",
    "wrong-audience": "for another API",
    "other-tenant": "of another tenant",
}
IDENTITIES |= table(
    *(
        Word(f"{odd}-{who}", f"`{odd}` of {whose}", f"with {token} {told}", need="mint")
        for odd, told in WRONG.items()
        for who, (whose, token) in OTHERS.items()
    )
)

# Whose name a token holds that is minted otherwise than it should be: somebody's who is served, for
# a server may remember them; there is somebody of that name in another tenant, too.
NAMESAKES = {
    **{row.name: "admin" for row in IDENTITIES.values() if row.need == "mint"},
    "expired": "admin",
    **{f"{odd}-{who}": who for odd in WRONG for who in OTHERS},
}


def oddity(identity: str) -> str:
    """Return what is odd in the token of an identity, whosever it is: a word of IDENTITIES."""
    odd = identity.rpartition("-")[0]
    return odd if odd in WRONG and NAMESAKES.get(identity) in OTHERS else identity


def needs_token(identity: str) -> bool:
    """Whether an identity's credentials hold a token, or what is left of one."""
    row = IDENTITIES.get(identity)
    return row is None or row.wire is None or row.wire(BEARER, "a" * 8) != row.wire(BEARER, "b" * 8)
