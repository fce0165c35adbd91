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
from cancel_contracts.contract.path_template import PARAMETER

VERSION = r"(?:v\d+(?:\.\d+)*|beta)"
NAMESPACE = r"(?:[A-Za-z_]\w*\.)*"
# The key: a segment, or in parentheses, there with its name or not, quoted or not. A quote within
# quotes is doubled.
KEY = (
    r"(?:/(?P<segment>[^/]+)"
    r"|\((?:\w+=)?(?:'(?P<quoted>(?:[^'/]|'')*)'|(?P<bare>[^'/()=]+))\))"
)
# What parts a key from its set may be percent-encoded.
ENCODED = {"%27": "'", "%28": "(", "%29": ")"}


@dataclass(frozen=True)
class Route:
    """Where a request went: to cancel a resource, or to look at it. `within` are the segments that
    the cancel's other path parameters have, where it has any.
    """

    contract: Contract
    kind: Literal["cancel", "observe"]
    id: str
    within: tuple[str, ...] = ()


def route(contracts: Sequence[Contract], method: str, url: str) -> Route | None:
    """Return the route of a request, or None for one that is not on a route of the contracts."""
    path = path_of(url)
    for contract in contracts:
        cancel, look = contract.path, contract.observe_path
        shows = method in ("GET", "HEAD") and cancel == look  # one path for both
        if not shows and (found := _match(cancel, contract.id.name, path)):
            return Route(contract, "cancel", *found)
        if method == "GET" and look and (found := _match(look, contract.id.name, path)):
            return Route(contract, "observe", *found)
    return None


def path_of(url: str) -> str:
    """Return the path of a URL, empty for one that is none."""
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _match(template: str, name: str, path: str) -> tuple[str, tuple[str, ...]] | None:
    """Return the id in a path that ends as the template says, whatever stands before it, and the
    segments of the other parameters.
    """
    pattern = _pattern(template, name)
    if (found := pattern.search(path)) is None:
        # A segment may hold these characters: they are undone where the path as it is does not fit.
        plain = re.sub("%2[789]", lambda m: ENCODED[m.group()], path)
        if plain == path or (found := pattern.search(plain)) is None:
            return None
    named = found.groupdict()
    segment, quoted, bare = (named[key] for key in ("segment", "quoted", "bare"))
    id_ = unquote(segment or bare) if quoted is None else unquote(quoted.replace("''", "'"))
    others = (value for key, value in named.items() if key.startswith("other"))
    return (id_, tuple(map(unquote, others))) if id_ else None


@lru_cache
def _pattern(template: str, name: str) -> re.Pattern[str]:
    before, _, after = template.partition(f"{{{name}}}")
    turn = iter(range(len(template)))

    def written(segment: str) -> str:
        if PARAMETER.fullmatch(segment):
            return rf"(?P<other{next(turn)}>[^/]+)"
        return re.escape(segment)

    names = [written(segment) for segment in before.strip("/").split("/")]
    pattern = "(?:^|/)" + rf"/(?:{VERSION}/)?".join(names) + KEY
    if action := after.strip("/"):
        *middle, last = map(written, action.split("/"))
        pattern += "".join(f"/{segment}" for segment in middle)
        pattern += rf"/{NAMESPACE}{last}(?:\(\))?"
    return re.compile(pattern + r"\Z", re.IGNORECASE)
