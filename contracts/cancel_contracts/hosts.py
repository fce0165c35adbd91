"""Hosts: one reading of a URL for judging it and for connecting, and which addresses are local.

Whoever judges a host, connects to it or names it reads it here: two readings of one URL may be two
hosts (`http://faß.lab`, `http://a\\@b`, `http://gra%70h.x`). Asks the resolver and the environment
alone; knows no target and no contract.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from cancel_contracts.deadline import Overdue, within

Address = IPv4Address | IPv6Address

RESOLVE_SECONDS = 5.0  # for whoever asks whether a name is local
ORIGINS = 64  # that are kept at hand: a run has a few
NAME_CHARS, LABEL_CHARS = 253, 63  # RFC 1035 section 2.3.4

_URL = re.compile(r"(https?)://([^/?#]*)([^#]*)(?:#.*)?", re.IGNORECASE | re.DOTALL)
_AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]{0,5}))?")
# RFC 3986 section 3.2.2 allows more in a name; no name that is looked up has it. The underscore is
# no letter of a host name (RFC 952), yet containers are called so.
_LABEL = re.compile(rf"[a-z0-9_-]{{1,{LABEL_CHARS}}}")
_DEFAULT_PORTS = {"http": 80, "https": 443}

# Loopback; RFC 1918; RFC 4193; link-local of RFC 3927 and RFC 4291. Not what else is not global:
# 198.18/15, 100.64/10, 240/4, 0/8 and Teredo may well lead to somebody else's machine.
_LOCAL = tuple(
    ip_network(text)
    for text in (
        "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
        "::1/128", "fc00::/7", "fe80::/10",
    )
)  # fmt: skip
# In the ranges above, and yet the cloud provider's: who is asked there gives out credentials.
_METADATA = frozenset(
    map(ip_address, ("169.254.169.254", "169.254.170.2", "169.254.170.23",
                     "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254")),
)  # fmt: skip
_unresolved: set[str] = set()
_environ_lock = threading.Lock()  # requests sets NO_PROXY in os.environ while it looks


@dataclass(frozen=True)
class Origin:
    """Scheme, host and port of a URL, as they are connected to.

    `host` is in ASCII and lower case, as the resolver is asked for it; an IPv6 address stands
    without brackets. `port` is None where the URL names none.
    """

    scheme: str
    host: str
    port: int | None = None

    @property
    def url(self) -> str:
        """Return the origin as a URL without a path."""
        return f"{self.scheme}://{self._host}{'' if self.port is None else f':{self.port}'}"

    @property
    def field(self) -> str:
        """Return the value of the Host header: without the scheme's own port."""
        own = self.port in (None, _DEFAULT_PORTS[self.scheme])
        return self._host + ("" if own else f":{self.port}")

    @property
    def _host(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


def read(url: str) -> tuple[Origin, str]:
    """Return a URL's origin, and its path and query as they stand.

    Raises ValueError, in words that follow the URL's place, for what nobody can send to.
    """
    match = _URL.fullmatch(url)
    if match is None:
        raise ValueError("does not start with http:// or https://")
    scheme, authority, rest = match.groups()
    return _origin(scheme.lower(), authority), rest


@lru_cache(ORIGINS)
def _origin(scheme: str, authority: str) -> Origin:
    if "@" in authority:
        raise ValueError("carries a user or password")
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise ValueError("has no port from 1 to 65535 after its host, or an IPv6 address cut short")
    host, port = match.groups()
    number = int(port) if port else None
    if number is not None and not 1 <= number <= 65535:
        raise ValueError("has no port from 1 to 65535")
    return Origin(scheme, _address(host[1:-1]) if host.startswith("[") else _name(host), number)


def _address(text: str) -> str:
    """Return an IPv6 address as it is connected to. None has a zone: requests asks the resolver for
    what RFC 6874 writes, %25 and all.
    """
    try:
        if "%" in text:
            raise ValueError
        IPv6Address(text)
    except ValueError:
        raise ValueError("holds no IPv6 address in its brackets, or one with a zone") from None
    return text.lower()


def _name(host: str) -> str:
    """Return a host name as it is looked up: IDNA 2008 after the mapping of UTS 46."""
    name = host
    if not host.isascii():
        import idna

        try:
            name = idna.encode(host, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            raise ValueError("has a host that is no name (IDNA)") from None
    name = name.lower()
    labels = name.removesuffix(".").split(".")
    if not all(map(_LABEL.fullmatch, labels)) or len(name) > NAME_CHARS:
        raise ValueError("has no host, or one that is no name")
    return name


def host_of(url: str) -> str:
    """Return a URL's host as names are compared: without the root's dot; empty where it has
    none.
    """
    try:
        return read(url)[0].host.removesuffix(".")
    except ValueError:
        return ""


def is_below(host: str, name: str) -> bool:
    """Whether a host is what a name says, or is below it."""
    return host == name or host.endswith(f".{name}")


def address_of(text: str) -> Address | None:
    """Return an address without its zone, or None for a name. An IPv4 address that is mapped into
    IPv6 is that IPv4 address: so it is connected to.
    """
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (isinstance(found, IPv6Address) and found.ipv4_mapped) or found


def addresses(url: str) -> list[Address]:
    """Return what a URL's host resolves to; empty where it does not."""
    host = host_of(url)
    if (literal := address_of(host)) is not None:
        return [literal]
    if not host or host in _unresolved:
        return []
    try:
        rows = resolve(host, None, RESOLVE_SECONDS)
    except Overdue:
        _unresolved.add(host)  # each contract asks, and not each is to wait
        return []
    except (OSError, UnicodeError):
        return []
    return [a for row in rows if (a := address_of(row[1][0])) is not None]


def resolve(host: str, port: int | None, seconds: float) -> list[tuple[int, tuple[Any, ...]]]:
    """Return the address family and the address of each machine that a name leads to, in the order
    in which they are to be tried. Raises OSError, Overdue where the resolver takes longer, and
    UnicodeError for what is no name.
    """
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    # What is an address already is told without asking anybody.
    rows = ask() if address_of(host) is not None else within(seconds, ask)
    return [(family, address) for family, _, _, _, address in rows]


def is_local(address: Address) -> bool:
    """Whether an address is this machine's or of a network of one's own."""
    found = any(address in network for network in _LOCAL if network.version == address.version)
    return found and address not in _METADATA


def is_this_machine(host: str) -> bool:
    """Whether a host is this machine's by what it is called, whatever a resolver says."""
    address = address_of(host)
    if address is not None:
        return address.is_loopback
    return host == "localhost" or host.endswith(".localhost")


def proxies(url: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the proxies that may stand before a URL, by scheme: those of the environment, unless
    it is this machine's or NO_PROXY names it.
    """
    from requests.utils import should_bypass_proxies

    def variable(name: str) -> str:
        # Lower case first, as curl and requests do.
        return environ.get(name.lower()) or environ.get(name.upper()) or ""

    found = {scheme: variable(f"{scheme}_proxy") for scheme in ("http", "https", "all")}
    found = {scheme: proxy for scheme, proxy in found.items() if proxy}
    if not found or is_this_machine(host_of(url)):
        return {}
    with _environ_lock:
        bypass = should_bypass_proxies(url, no_proxy=variable("no_proxy"))
    return {} if bypass else found


def is_proxied(url: str, environ: Mapping[str, str]) -> bool:
    """Whether a proxy stands before a URL."""
    found = proxies(url, environ)
    return bool(found) and bool({url.partition(":")[0].lower(), "all"} & found.keys())
