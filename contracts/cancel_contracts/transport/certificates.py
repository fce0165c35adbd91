"""CA certificates: which of them a server is verified with, and whether a path holds any."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from cancel_contracts.errors import UsageError
from cancel_contracts.pipes import is_pipe


def certificates(verify: bool | str, environ: Mapping[str, str]) -> bool | str:
    """Return what to verify with: a path, or whether at all. Raises UsageError for no such file."""
    place = "verify"
    if verify is True:
        for place in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            if path := environ.get(place):
                verify = path
                break
    if isinstance(verify, str):
        check_certificates(place, verify)
    return verify


def trusted(cacert: os.PathLike[str] | None) -> bool | str:
    """Return what `Transport` is to verify with. Raises UsageError for what is no such file."""
    if cacert is None:
        return True
    if os.path.isdir(cacert):
        raise UsageError(f"--cacert {cacert}", "is a folder", "name a PEM file of CA certificates")
    check_certificates("--cacert", os.fspath(cacert))
    return os.fspath(cacert)


def check_certificates(place: str, path: str) -> None:
    """Raise UsageError where a path holds no CA certificates: else each call would fail for it."""
    fix = "name a PEM file of CA certificates"
    if not os.path.exists(path):
        raise UsageError(place, f"{path} does not exist", fix)
    if is_pipe(Path(path)):
        raise UsageError(place, f"{path} is a pipe", fix)
    if os.path.isdir(path):
        return  # of hashed names, as OpenSSL has them; read one by one when they are needed
    try:
        _load_certificates(path, os.stat(path).st_mtime_ns)
    except ssl.SSLError:
        raise UsageError(place, f"{path} holds no CA certificate that can be read", fix) from None
    except OSError as err:
        raise UsageError(place, f"{path}: {err.strerror or 'cannot be read'}", fix) from None


@lru_cache
def _load_certificates(path: str, changed: int) -> None:
    """Load a file, once for each time that it was `changed`: it takes as long as many a call."""
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
