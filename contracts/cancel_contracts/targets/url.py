"""URLs that a person gave: what nobody can send to is said at once. Opens no connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from cancel_contracts.errors import UsageError


def check_url(place: str, url: str, *, query: bool = False) -> str:
    """Return a URL without the slash at its end. Raises UsageError for what nobody can send to."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        (parts.hostname or "").encode("idna")
        url.encode("utf-8")
    except ValueError:
        fine = False
    if not fine or any(c.isspace() or not c.isprintable() for c in url):
        raise UsageError(
            place, f"{_without_user(url)!r} is no http or https URL", "write http://host:port"
        )
    if parts.username or parts.password:
        raise UsageError(place, "carries a user or password", "put a token under `identities`")
    if parts.fragment or (parts.query and not query):
        raise UsageError(
            place, "carries a query or fragment", "give scheme, host, port and path alone"
        )
    return url.rstrip("/")


def _without_user(url: str) -> str:
    return url.split("@")[-1]


def check_urls(place: str, row: Mapping[str, Any]) -> None:
    """Check the URLs of a target file, or of one of its contracts."""
    if base := row.get("base_url"):
        check_url(_at(place, "base_url"), base)
    if isinstance(handler := row.get("provider_states"), str):
        check_url(_at(place, "provider_states"), handler, query=True)


def _at(place: str, key: str) -> str:
    return f"{place}/{key}" if ": " in place else f"{place}: {key}"


def place_of(url: str) -> str:
    """Return a URL as a ledger names it: without user and password."""
    scheme, mark, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return scheme + mark + authority.rpartition("@")[2] + slash + path
