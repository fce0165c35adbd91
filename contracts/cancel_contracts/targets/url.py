"""URLs that a person gave: what nobody can send to is said at once. Opens no connection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cancel_contracts.contract.yaml_file import place_in
from cancel_contracts.errors import UsageError
from cancel_contracts.hosts import read

VERSIONED = re.compile(r"(/[^/]+)/v\d+(?:\.\d+)*$")


def check_url(place: str, url: str, *, query: bool = False) -> str:
    """Return a URL without the slash at its end. Raises UsageError for what nobody can send to.

    The URL itself stands in no message: it may be a token in the wrong place.
    """
    try:
        _, rest = read(url)
        if any(c.isspace() or not c.isprintable() for c in url):
            raise ValueError("holds a space or a control character")
    except ValueError as err:
        fix = "give whoever calls under `identities`" if "@" in url else "write http://host:port"
        raise UsageError(place, f"the URL {err}", fix) from None
    if "#" in url or ("?" in rest and not query):
        fix = "give scheme, host, port and path alone"
        raise UsageError(place, "the URL carries a query or fragment", fix)
    return url.rstrip("/")


def check_urls(path: Path, raw: Mapping[str, Any]) -> None:
    """Check the URLs of a target file. A complaint names file and line."""
    own = ((("contracts", name), row) for name, row in raw.get("contracts", {}).items())
    for at, row in (((), raw), *own):
        states = row.get("provider_states")
        inner = states.get("url") if isinstance(states, dict) else None
        for keys, url in (
            (("base_url",), row.get("base_url")),
            (("provider_states",), states),
            (("provider_states", "url"), inner),
        ):
            if isinstance(url, str):
                check_url(place_in(path, (*at, *keys)), url, query=keys[0] == "provider_states")


def place_of(url: str) -> str:
    """Return a URL as a ledger names it: without user and password."""
    scheme, mark, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return scheme + mark + authority.rpartition("@")[2] + slash + path


def joined(base_url: str, path: str) -> str:
    """Return the URL of a documented path below a base URL.

    A version at the end of the base stands within the path: what is before it is not told twice
    (`https://h/api/v1.0` and `/api/x` are `https://h/api/v1.0/x`).
    """
    versioned = VERSIONED.search(base_url)
    if versioned and path.startswith(f"{versioned[1]}/"):
        path = path.removeprefix(versioned[1])
    return base_url + path
