"""From a name to a connected socket, in so many seconds, however many addresses it has."""

from __future__ import annotations

import socket
import time

from urllib3.connection import HTTPConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
)

from cancel_contracts.deadline import Overdue
from cancel_contracts.hosts import resolve


def reach(connection: HTTPConnection, host: str, seconds: float) -> socket.socket:
    """Return a connected socket for a connection. Raises what urllib3 would.

    The resolver's time counts, and of the rest each address that is left has its share.
    """
    try:
        sock = _reach(connection, host, seconds)
    except socket.gaierror as error:
        raise NameResolutionError(connection.host, connection, error) from error
    except UnicodeError:
        raise LocationParseError(connection.host) from None
    except OSError as error:
        if isinstance(error, TimeoutError) and not isinstance(error, Overdue):
            raise ConnectTimeoutError(connection) from error
        raise NewConnectionError(connection, str(error)) from error
    sock.settimeout(seconds)
    return sock


def _reach(connection: HTTPConnection, host: str, seconds: float) -> socket.socket:
    deadline = time.monotonic() + seconds
    rows = resolve(host, connection.port, seconds)
    failed: OSError = TimeoutError()
    for at, (family, address) in enumerate(rows):
        left = (deadline - time.monotonic()) / (len(rows) - at)
        if left <= 0:
            break
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            for option in connection.socket_options or ():
                sock.setsockopt(*option)
            sock.settimeout(left)
            sock.connect(address)
        except OSError as error:
            failed = error
            sock.close()
        else:
            return sock
    raise failed
