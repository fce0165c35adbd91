"""Safety: which targets may be sent calls that cannot be undone. Opens no connection; asks the
resolver only.

A target is local where every address of its name is loopback or private. A host that a spec names
as the vendor's (`servers`), and what is below it, is never local, whatever a hosts file or a
resolver says: behind it may be a tunnel, and a proxy resolves for itself.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from functools import cache
from urllib.parse import urlsplit

from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Contract


def host_of(url: str) -> str:
    """Return a URL's host as names are compared: lower case, without the root's dot."""
    return (urlsplit(url).hostname or "").rstrip(".")


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


def is_vendors(url: str, contracts: Iterable[Contract]) -> bool:
    """Whether the host is one that these contracts or the shipped ones name, or is below one."""
    host = host_of(url)
    if _no_vendors(host):
        return False
    known = {host_of(server.url) for c in contracts for server in c.servers} | _shipped_hosts()
    return any(host == name or host.endswith(f".{name}") for name in known if not _no_vendors(name))


def is_loopback(url: str, contracts: Iterable[Contract] = ()) -> bool:
    found = addresses(url)
    return bool(found) and all(a.is_loopback for a in found) and not is_vendors(url, contracts)


def is_local(url: str, contracts: Iterable[Contract] = ()) -> bool:
    """Whether a cancel there can harm nothing but a test set-up."""
    return why_not_local(url, contracts) is None


def why_not_local(url: str, contracts: Iterable[Contract] = ()) -> str | None:
    """Return why a target does not count as local, in words that follow its URL; None where it
    does.
    """
    if is_vendors(url, contracts):
        return "is a host of the vendor"
    if not (found := addresses(url)):
        return "does not resolve, so nobody knows whether it is local"
    if not all(a.is_loopback or a.is_private for a in found):
        return "is neither loopback nor private"
    return None


def _no_vendors(host: str) -> bool:
    """Whether a host is this machine's by name or a bare address: no vendor is known by one."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host in ("", "localhost") or host.endswith(".localhost")
    return True


@cache
def _shipped_hosts() -> frozenset[str]:
    return frozenset(host_of(server.url) for path in shipped() for server in load(path).servers)
