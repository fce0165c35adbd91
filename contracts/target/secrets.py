"""Secrets: read from their sources, and kept out of everything that is written.

`Redactor` is told each secret as it is read and is asked by every writer. It knows the forms in
which a target may
send a secret back: as it is, percent-encoded, base64, and escaped as JSON.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from pathlib import Path

from contracts.errors import UsageError
from contracts.target.file import MintSource

MASK = "[redacted]"


class Redactor:
    """Replaces every known secret by a mask. Shorter ones than four characters would tear words
    apart.
    """

    def __init__(self) -> None:
        self._forms: dict[str, None] = {}
        self._patterns: dict[str, tuple[re.Pattern[str], re.Pattern[bytes]]] = {}
        self._shortest = 2**31  # characters of the shortest form: most texts are shorter

    def learn(self, secret: str) -> str:
        """Take note of a secret and return it."""
        if len(secret) < 4:
            return secret
        data = secret.encode()
        forms = {secret, json.dumps(secret)[1:-1]}
        for shift in range(3):
            # Inside a longer text base64 shifts by its place: leave out the characters that
            # neighbours change.
            coded = base64.b64encode(b"\0" * shift + data).decode().rstrip("=")
            forms.add(coded[(0, 2, 3)[shift] : -1])
            forms.add(coded[(0, 2, 3)[shift] : -1].replace("+", "-").replace("/", "_"))
        for part in secret.split("."):
            if len(part) >= 16:
                forms.add(part)  # the parts of a JWT are secrets of their own
        if (pattern := _escaped(secret)) != re.escape(secret):
            self._patterns[secret] = (re.compile(pattern), re.compile(pattern.encode()))
        for form in forms:
            if len(form) >= 4:
                self._forms[form] = None
        self._forms = dict.fromkeys(sorted(self._forms, key=len, reverse=True))
        self._shortest = min(map(len, self._forms))
        return secret

    def text(self, text: str) -> str:
        if len(text) < self._shortest:
            return text
        for pattern, _ in self._patterns.values():
            text = pattern.sub(MASK, text)
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        return text

    def bytes(self, data: bytes) -> bytes:
        if len(data) < self._shortest:
            return data
        for _, pattern in self._patterns.values():
            data = pattern.sub(MASK.encode(), data)
        for form in self._forms:
            if (raw := form.encode()) in data:
                data = data.replace(raw, MASK.encode())
        return data


def _escaped(secret: str) -> str:
    """Return a pattern of a secret in which each special character stands as it is or escaped, as
    URLs (%2F), PHP (\\/) and .NET (\\u002B) do it, each in a way of its own.
    """
    parts = []
    for char in secret:
        plain = re.escape(char)
        if char.isalnum() or char in "-_.~" or not char.isascii():
            parts.append(plain)
        else:
            parts.append(rf"(?:\\?{plain}|(?i:%{ord(char):02x}|\\u{ord(char):04x}))")
    return "".join(parts)


def read_key(source: MintSource, redactor: Redactor, environ: Mapping[str, str]) -> str:
    kind = source.kind.removeprefix("key_")
    return redactor.learn(
        read_source("token" if kind == "key" else kind, source.value, source.place, environ)
    )


def read_source(kind: str, value: str, place: str, environ: Mapping[str, str]) -> str:
    """Return the text of an environment variable (`env`), of a `file`, or as it stands. Raises
    UsageError.
    """
    if kind == "env":
        if value not in environ:
            raise UsageError(place, f"the environment has no {value}", "set it")
        return environ[value]
    if kind == "file":
        try:
            return Path(value).expanduser().read_text(encoding="utf-8")
        except (OSError, ValueError, RuntimeError):  # no UTF-8, a NUL in the name, ~nobody
            raise UsageError(
                place, f"{value} cannot be read", "name a readable text file"
            ) from None
    return value
