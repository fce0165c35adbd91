"""Safety: which targets may be sent calls that cannot be undone. Opens no connection; asks the
resolver and the environment only.

A target is local where every address of its name is (`hosts.is_local`) and no proxy stands before
it: a proxy resolves for itself. A host that a spec names as the vendor's (`servers`), and what is
below it, is never local, whatever a hosts file or a resolver says: behind it may be a tunnel. A
name may move after that: where a target was found to be local, the transport checks the peer of
each connection before a byte is sent.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache

from cancel_contracts.contract.load import every_shipped, load
from cancel_contracts.contract.model import Contract
from cancel_contracts.hosts import (
    address_of,
    addresses,
    host_of,
    is_below,
    is_local,
    is_proxied,
    is_this_machine,
)
from cancel_contracts.targets.file import Endpoint


def is_vendors(url: str, contracts: Iterable[Contract]) -> bool:
    """Whether the host is one that these contracts or the shipped ones name, or is below one."""
    host = host_of(url)
    if _no_vendors(host):
        return False
    known = {host_of(server.url) for c in contracts for server in c.servers} | _shipped_hosts()
    return any(is_below(host, name) for name in known if not _no_vendors(name))


def is_loopback(url: str, contracts: Iterable[Contract] = ()) -> bool:
    found = addresses(url)
    local = bool(found) and all(a.is_loopback for a in found) and not is_proxied(url, os.environ)
    return local and not is_vendors(url, contracts)


def why_endpoint_is_not_local(endpoint: Endpoint, contracts: Iterable[Contract] = ()) -> str | None:
    """Return why a target does not count as local, in words that follow its base URL; None where a
    cancel there can harm nothing but a test set-up. A handler elsewhere counts.
    """
    contracts = tuple(contracts)
    if found := why_not_local(endpoint.base_url, contracts):
        return found
    if endpoint.handler is not None and (found := why_not_local(endpoint.handler, contracts)):
        return f"has a provider-state handler on {host_of(endpoint.handler)}, which {found}"
    return None


def why_not_local(url: str, contracts: Iterable[Contract] = ()) -> str | None:
    """Return why a URL is not local, in words that follow it; None where it is."""
    if is_vendors(url, contracts):
        return "is a host of the vendor"
    if is_proxied(url, os.environ):
        return "is reached through a proxy, which resolves names for itself"
    if not (found := addresses(url)):
        return "does not resolve, so nobody knows whether it is local"
    if not all(map(is_local, found)):
        return "is neither loopback nor private"
    return None


def _no_vendors(host: str) -> bool:
    """Whether a host is this machine's by name or a bare address: no vendor is known by one."""
    return not host or address_of(host) is not None or is_this_machine(host)


@cache
def _shipped_hosts() -> frozenset[str]:
    contracts = map(load, every_shipped())
    return frozenset(host_of(server.url) for contract in contracts for server in contract.servers)
