"""Safety: which targets may be sent calls that cannot be undone. Opens no connection; asks the
resolver only.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit


def addresses(url: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """Return what a URL's host resolves to; empty where it does not."""
    host = urlsplit(url).hostname or ""
    try:
        return [ipaddress.ip_address(host)]
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [ipaddress.ip_address(str(row[4][0]).split("%")[0]) for row in found]


def is_loopback(url: str) -> bool:
    found = addresses(url)
    return bool(found) and all(a.is_loopback for a in found)


def is_local(url: str) -> bool:
    """Whether every address is loopback or private: then a cancel can harm nothing but a test set-
    up.
    """
    found = addresses(url)
    return bool(found) and all(a.is_loopback or a.is_private for a in found)
