"""Which route of a contract a URL is on, however its caller spells it. Pure.

OData 4.01 lets a caller write one resource in several ways: the key as a segment or in parentheses
(URL conventions, 4.3), a bound action with its namespace (4.5) and with empty parentheses. Services
take names of entity sets in any case, and a version may stand within the documented path.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from urllib.parse import unquote, urlsplit

from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.path_template import halves

VERSION = r"(?:v\d+(?:\.\d+)*|beta)"
NAMESPACE = r"(?:[A-Za-z_]\w*\.)*"
# The key: a segment, or in parentheses, there with its name or not, quoted or not. A quote within
# quotes is doubled.
KEY = r"(?:/([^/]+)|\((?:\w+=)?(?:'((?:[^'/]|'')*)'|([^'/()=]+))\))"
# What parts a key from its set may be percent-encoded.
ENCODED = {"%27": "'", "%28": "(", "%29": ")"}


@dataclass(frozen=True)
class Route:
    """Where a request went: to cancel a resource, or to look at it."""

    contract: Contract
    kind: Literal["cancel", "observe"]
    id: str


def route(contracts: Sequence[Contract], method: str, url: str) -> Route | None:
    """Return the route of a request, or None for one that is not on a route of the contracts."""
    path = path_of(url)
    for contract in contracts:
        if id_ := _match(contract.path, path):
            return Route(contract, "cancel", id_)
        if method == "GET" and (id_ := _match(contract.observe_path, path)):
            return Route(contract, "observe", id_)
    return None


def path_of(url: str) -> str:
    """Return the path of a URL, empty for one that is none."""
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _match(template: str | None, path: str) -> str | None:
    """Return the id in a path that ends as the template says, whatever stands before it."""
    if template is None or (found := _pattern(template).search(path)) is None:
        # A segment may hold these characters: they are undone where the path as it is does not fit.
        plain = re.sub("%2[789]", lambda m: ENCODED[m.group()], path)
        if template is None or plain == path:
            return None
        if (found := _pattern(template).search(plain)) is None:
            return None
    segment, quoted, bare = found.groups()
    if quoted is not None:
        return unquote(quoted.replace("''", "'")) or None
    return unquote(segment or bare)


@lru_cache
def _pattern(template: str) -> re.Pattern[str]:
    before, after = halves(template)
    names = [re.escape(name) for name in before.strip("/").split("/")]
    pattern = "(?:^|/)" + rf"/(?:{VERSION}/)?".join(names) + KEY
    if action := after.strip("/"):
        *middle, last = map(re.escape, action.split("/"))
        pattern += "".join(f"/{name}" for name in middle) + rf"/{NAMESPACE}{last}(?:\(\))?"
    return re.compile(pattern + r"\Z", re.IGNORECASE)
