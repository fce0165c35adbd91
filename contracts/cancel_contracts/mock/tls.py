"""A certificate for the mock, and the authority that vouches for it, made at each start."""

from __future__ import annotations

import ssl
from pathlib import Path

from cancel_contracts.errors import UsageError


def certified(host: str, ca_file: Path) -> ssl.SSLContext:
    """Return what a server at a loopback host shows, and write the authority's certificate to a
    file. Its key is never written. Raises UsageError for a host that is no name, and OSError where
    the file cannot be written.
    """
    import trustme  # slow to load, and seldom asked for

    authority = trustme.CA(organization_name="the mock of cancel-contracts")
    names = dict.fromkeys((host, "localhost", "127.0.0.1", "::1"))
    try:
        certificate = authority.issue_cert(*names)
    except ValueError:
        problem = "is no name that a certificate can bear"
        raise UsageError(f"--host {host!r}", problem, "name one of this machine") from None
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context
