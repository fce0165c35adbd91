"""Looks, kept for what is read of them: of a large entity the long values stay as their digests.

A look tells a state, and whether a resource is as it was. So a long value that is no state may
stand as two digests: one of all of it, and one of what lasts (without dates and running numbers).
Holding these against each other says what holding the values would. Which values of a resource are
kept so is settled when it is first seen: all looks at it can be held against each other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

from cancel_contracts.contract.places import top
from cancel_contracts.contract.states import Lifecycle
from cancel_contracts.exchange import Headers, Received
from cancel_contracts.sight.observation import substance

LARGE_BYTES = 65536  # a look of less is kept as it came
LONG_CHARS = 1024  # of a value, as JSON
MEMBERS = 4096  # of an entity that stand each for itself: more than a look that is not large has
OTHERS = "(others)"  # what stands for the rest
HEAD_BYTES = 16384  # of the headers of a look that is large


class Digests:
    """What of each resource stands as a digest. Knows the properties that are read as they are."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        read = (*lifecycle.places, *lifecycle.records, *lifecycle.sets, *lifecycle.leaves)
        self._read = set(map(top, read))
        self._long: dict[str, frozenset[str]] = {}  # by resource
        self._few: dict[str, frozenset[str]] = {}  # of one of very many members, those that stay

    def kept(self, resource: str, received: Received) -> Received:
        """Return what is to be kept of the answer to a look."""
        key = resource.casefold()
        large = received.weight_bytes > LARGE_BYTES
        if not large and not self._long.get(key) and key not in self._few:
            self._long.setdefault(key, frozenset())
            return received
        entity = received.json()
        if isinstance(entity, dict):
            body = json.dumps(self._brief(key, entity)).encode()
        else:
            body = received.body[:LARGE_BYTES]
        headers, reason = _first(received.headers), received.reason[:LONG_CHARS]
        return replace(received, body=body, wire=b"", headers=headers, reason=reason)

    def _brief(self, key: str, entity: Mapping[str, Any]) -> dict[str, Any]:
        known = self._long.get(key)
        if known is None:
            known = frozenset(n for n in entity if n not in self._read and _long(entity[n]))
            self._long[key] = known
        if len(entity) > MEMBERS:
            self._few.setdefault(key, frozenset(list(entity)[:MEMBERS]) | self._read)
        few = self._few.get(key)
        brief: dict[str, Any] = {
            # What has grown so much since is not as it was, whatever it is compared by.
            name: digest(value) if name in known or _long(value, LARGE_BYTES) else value
            for name, value in entity.items()
            if few is None or name in few
        }
        if few is not None:
            brief[OTHERS] = digest({n: v for n, v in entity.items() if n not in few})
        return brief


def _long(value: Any, limit: int = LONG_CHARS) -> bool:
    if not isinstance(value, (str, list, dict)):
        return False
    return len(value) > limit or len(json.dumps(value)) > limit


def digest(value: Any) -> dict[str, str]:
    """Return what stands for a value: `@` marks what a comparison of what lasts passes over."""
    lasting = substance({"": value}, frozenset()).get("")
    return {"@sha256": _hash(value), "lasting": _hash(lasting)}


def stands_for(kept: Any, value: Any) -> bool:
    """Whether what a look keeps is a value, or its digest."""
    if kept == value:
        return True
    return isinstance(kept, dict) and _long(value) and kept == digest(value)


def _hash(value: Any) -> str:
    return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _first(headers: Headers) -> Headers:
    """Return the headers that fit, from the first on."""
    kept, size = [], 0
    for name, value in headers:
        size += len(name) + len(value)
        if size > HEAD_BYTES:
            break
        kept.append((name, value))
    return tuple(kept)
