"""Why there is no connection, in words: what sockets, TLS, a proxy and urllib3 raise."""

from __future__ import annotations

import http.client
import re
import socket
import ssl

import urllib3
from urllib3.connection import HTTPConnection
from urllib3.util.ssl_match_hostname import CertificateError

from cancel_contracts.deadline import Overdue
from cancel_contracts.exchange import Failure

NO_TRUST = (ssl.SSLError, urllib3.exceptions.SSLError, CertificateError)


class Unconnected(Exception):
    """No connection to the target. Not an OSError, so that urllib3 and requests let it pass."""

    def __init__(self, failure: Failure, detail: str) -> None:
        self.failure, self.detail = failure, detail
        super().__init__(detail)


def unconnected(error: Exception, connection: HTTPConnection) -> Unconnected:
    """Return what is told of whatever connecting raised."""
    cause = error.__cause__ or error
    if connection.proxy is not None and not connection.has_connected_to_proxy:
        return Unconnected("unreachable", f"the proxy: {reason(cause)}")
    if isinstance(error, urllib3.exceptions.ConnectTimeoutError) and not isinstance(
        error, urllib3.exceptions.NewConnectionError
    ):
        return Unconnected("unreachable", f"no connection within {connection.timeout:g} s")
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        kind: Failure = "refused" if isinstance(cause, ConnectionRefusedError) else "unreachable"
        return Unconnected(kind, reason(cause))
    if isinstance(error, urllib3.exceptions.LocationParseError):
        return Unconnected("unreachable", "the host is no valid name")
    if isinstance(error, NO_TRUST):
        return Unconnected("tls", reason(cause))
    if "Tunnel connection failed" in str(error) or isinstance(error, http.client.HTTPException):
        return Unconnected("unreachable", f"the proxy: {reason(error)}")
    # Connected, and cut off or silent in the handshake.
    return Unconnected("tls", f"during the TLS handshake: {reason(cause)}")


def reason(error: BaseException) -> str:
    """Return what an error says, in words that a user knows."""
    if isinstance(error, socket.gaierror):
        return f"the host name is not known ({error.strerror})"
    if isinstance(error, Overdue):
        return "the host name was not resolved in time"
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {error.verify_message}"
    if isinstance(error, OSError) and error.strerror and not isinstance(error, ssl.SSLError):
        return error.strerror
    return re.sub(r" \(_ssl\.c:\d+\)$", "", str(error)) or type(error).__name__
