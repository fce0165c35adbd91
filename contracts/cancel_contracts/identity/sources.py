"""Where a secret is read: a variable of the environment, a file, the target file itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cancel_contracts.errors import UsageError
from cancel_contracts.pipes import read_text
from cancel_contracts.redact.secrets import Redactor
from cancel_contracts.targets.file import MintSource


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
            return read_text(Path(value).expanduser())
        except (OSError, ValueError, RuntimeError):  # no UTF-8, a NUL in the name, ~nobody
            raise UsageError(
                place, f"{value} cannot be read", "name a readable text file"
            ) from None
    return value
