"""Tokens of identities: read from their sources before the first call, renewed before they expire.

A source that tells when its token expires is asked again in time: `azure`, and a `token_command`
whose token is a JWT. Every token is learned by the redactor before it is used. A token that was
expired when it was first read stays: somebody wants it so.
"""

from __future__ import annotations

import base64
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cancel_contracts.contract.model import Contract
from cancel_contracts.errors import Broken, ContractsError, UsageError
from cancel_contracts.identity.azure import Credential, credential_of, scope_of
from cancel_contracts.identity.command import CommandFailed, output_of
from cancel_contracts.identity.sources import read_source
from cancel_contracts.parse import json_value, number
from cancel_contracts.redact.secrets import Redactor
from cancel_contracts.targets.file import Endpoint, TokenSource

RENEW_SECONDS = 300.0  # before a token expires; half its life, where that is shorter
AGAIN_SECONDS = 10.0  # between two questions to a source that gives nothing better


@dataclass(frozen=True)
class Token:
    """A token, and when it expires: seconds since 1970, or None where nobody says."""

    value: str
    expires_on: float | None = None


class Tokens:
    """The tokens of one contract's identities. May be used from several threads."""

    def __init__(
        self,
        contract: Contract,
        endpoint: Endpoint,
        redactor: Redactor,
        environ: Mapping[str, str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._held = {
            name: _Held(contract, endpoint, source, redactor, environ, clock)
            for name, source in endpoint.identities.items()
        }

    def get(self, name: str) -> str | None:
        """Return an identity's token, or None where it has no source.

        Raises Broken where it has expired and no new one is to be had.
        """
        held = self._held.get(name)
        return None if held is None else held.get()


class _Held:
    """One source and its token."""

    def __init__(
        self,
        contract: Contract,
        endpoint: Endpoint,
        source: TokenSource,
        redactor: Redactor,
        environ: Mapping[str, str],
        clock: Callable[[], float],
    ) -> None:
        self.source, self.redactor, self.environ, self.clock = source, redactor, environ, clock
        self.credential: Credential | None = None
        self.scope, self.scheme = "", contract.scheme
        if source.kind == "azure":
            self.scope = scope_of(contract, endpoint, source)
            self.credential = credential_of(source, redactor, environ)
        self._lock = threading.Lock()
        self._token = self._read()
        self._asked = clock()
        self._renew = self._due(self._token)

    def get(self) -> str:
        with self._lock:
            now = self.clock()
            if self._renew is not None and now >= self._renew:
                self._again(now)
            return self._token.value

    def _due(self, token: Token) -> float | None:
        """Return when to ask for another token, or None for never."""
        now = self.clock()
        if self.source.kind not in ("azure", "token_command") or token.expires_on is None:
            return None
        if token.expires_on <= now:
            return None
        return max(token.expires_on - min(RENEW_SECONDS, (token.expires_on - now) / 2), now)

    def _again(self, now: float) -> None:
        expires = self._token.expires_on or now
        if now < expires and now - self._asked < AGAIN_SECONDS:
            return
        self._asked, problem = now, "its source gives none that lasts longer"
        try:
            token = self._read()
            if (token.expires_on or now + 1) > now:
                self._token, self._renew = token, self._due(token)
                return
        except ContractsError as err:
            problem = str(err)
        if now >= expires:
            name = self.source.place.rpartition("/")[2]
            raise Broken(f"the token of {name} has expired: {problem}")

    def _read(self) -> Token:
        """Ask the source. Raises UsageError or Inconclusive, without ever showing the value."""
        expires_on: float | None
        if self.credential is not None:
            text, expires_on = self.credential.token(self.scope)
        elif self.source.kind == "token_command":
            text = _command(self.source).strip()
            expires_on = expiry(text)
        else:
            kind = self.source.kind.removeprefix("token_")
            value = str(self.source.value)
            text, expires_on = read_source(kind, value, self.source.place, self.environ), None
        text = text.strip()
        wire = self.scheme.written(text)  # RFC 7617: a password may hold blanks, and any letters
        ends = ";" if self.scheme.place == "cookie" else ""  # RFC 6265 section 4.1.1
        odd = any(ord(c) < 33 or ord(c) > 126 or c in ends for c in wire)
        if not text or odd or any(ord(c) < 32 for c in text):
            problem = "the token is empty or holds characters no header may"
            raise UsageError(self.source.place, problem, "fix it")
        if self.scheme.basic:
            if ":" not in text:
                told = f"{self.source.place.rpartition('/')[2]} has no user"
                raise UsageError(self.source.place, told, "give it as user:password (RFC 7617)")
            self.redactor.learn(text.partition(":")[2])
        return Token(self.redactor.learn(text), expires_on)


def expiry(token: str) -> float | None:
    """Return the `exp` of a JWT (RFC 7519, section 4.1.4), unverified; None where it is none."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        claims = json_value(base64.urlsafe_b64decode(padded))
    except ValueError:  # no base64, or no ASCII
        return None
    return number(claims.get("exp")) if isinstance(claims, dict) else None


def _command(source: TokenSource) -> str:
    assert isinstance(source.value, tuple)
    argv = [os.path.expanduser(part) for part in source.value]
    try:
        return output_of(argv)
    except CommandFailed as err:
        problem = f"{argv[0]} {err}"
        raise UsageError(source.place, problem, "run it by hand first") from None
