"""The secrets of a target beside its tokens, read before the first call: header fields, and the key
of a client certificate. Every value is learned by the redactor.
"""

from __future__ import annotations

import base64
import os
import ssl
from collections.abc import Iterable, Mapping

from cancel_contracts.errors import UsageError
from cancel_contracts.exchange import Headers
from cancel_contracts.identity.sources import read_source
from cancel_contracts.redact.secrets import Redactor
from cancel_contracts.targets.fields import CertificateSource, FieldSource
from cancel_contracts.targets.file import Endpoint


def fields_of(
    endpoint: Endpoint, redactor: Redactor, environ: Mapping[str, str]
) -> dict[str, Headers]:
    """Return the fields that go with every request to a URL and what is below it: the target's, and
    those of its provider-state handler. Raises UsageError.
    """
    found = {endpoint.base_url: _read(endpoint.headers, redactor, environ)}
    if endpoint.handler is not None:
        own = _read(endpoint.handler_headers, redactor, environ)
        found[endpoint.handler] = found.get(endpoint.handler, ()) + own
    return found


def _read(
    sources: Iterable[FieldSource], redactor: Redactor, environ: Mapping[str, str]
) -> Headers:
    found = []
    for source in sources:
        value = _secret(source, environ)
        redactor.learn(value)
        if source.user is not None:
            value = f"Basic {redactor.learn(_credentials(source.user, value))}"
        found.append((source.name, value))
    return tuple(found)


def _secret(source: FieldSource, environ: Mapping[str, str]) -> str:
    """Return what a source holds. Raises UsageError where no header may hold it."""
    value = read_source(source.kind, source.value, source.place, environ).strip()
    if not value or any(not 32 <= ord(c) <= 126 for c in value):
        problem = "is empty or holds characters that no header may"
        raise UsageError(source.place, problem, "fix it")
    return value


def _credentials(user: str, password: str) -> str:
    """Return the credentials of RFC 7617 section 2."""
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def value_of(source: FieldSource, environ: Mapping[str, str]) -> str:
    """Return what fills the variable that stands for a field: its value, without the scheme where
    it is a user's with a password. Raises UsageError.
    """
    value = _secret(source, environ)
    return value if source.user is None else _credentials(source.user, value)


def certificate_files(source: CertificateSource | None) -> tuple[str, str] | str | None:
    """Return the files of a client certificate, as requests takes them. Raises UsageError where a
    connection could not use them.
    """
    if source is None:
        return None
    paths = [os.path.expanduser(p) for p in (source.certificate, source.key) if p is not None]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        # Asked for a password, OpenSSL would wait at the terminal.
        context.load_cert_chain(paths[0], paths[-1], password=_no_password)
    except (ssl.SSLError, ValueError):
        problem = "holds no certificate with its key in plain PEM"
        raise UsageError(source.place, problem, "name PEM files without a password") from None
    except OSError as err:
        raise UsageError(
            source.place, err.strerror or "cannot be read", "name readable files"
        ) from None
    return (paths[0], paths[1]) if len(paths) == 2 else paths[0]


def _no_password() -> str:
    raise ValueError
