"""What one GET of the resource shows: its state, what a cancel wrote into it, what time changes.

Pure. A GET is read for the state alone: whether its entity fits a schema is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cancel_contracts.contract.model import Lifecycle, canonical
from cancel_contracts.exchange import Exchange

# A date with a time, such as 2024-10-21T11:25:48Z.
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")


EFFECT_SECONDS = 4.0  # how long after a success its effect may take to show


@dataclass(frozen=True)
class Observation:
    """One look at a resource. `entity` is None where it was not there (404, 410)."""

    entity: Mapping[str, Any] | None
    exchange: Exchange

    @property
    def gone(self) -> bool:
        return self.entity is None


def observe(exchange: Exchange) -> Observation | None:
    """Return what the GET shows, or None when its answer tells nothing (no route, an error, no JSON
    object).
    """
    received = exchange.received
    if received is None or received.error:
        return None
    if received.status in (404, 410):
        return Observation(None, exchange)
    if received.status != 200 or "body" in received.unrecorded:
        return None
    entity = received.json()
    return Observation(entity, exchange) if isinstance(entity, dict) else None


def shown(lifecycle: Lifecycle, entity: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the state as every property shows it, spelling folded; empty where none does."""
    return tuple(canonical(v) for p in lifecycle.shows if isinstance(v := entity.get(p), str))


def is_cancelled(lifecycle: Lifecycle, entity: Mapping[str, Any]) -> bool:
    return any(lifecycle.cancelled(state) for state in shown(lifecycle, entity))


def is_open(lifecycle: Lifecycle, entity: Mapping[str, Any]) -> bool:
    """Whether a state shows that can be cancelled, and no cancel."""
    seen = set(shown(lifecycle, entity)) & set(map(canonical, lifecycle.cancellable))
    return bool(seen) and not is_cancelled(lifecycle, entity)


def has_ended(lifecycle: Lifecycle, entity: Mapping[str, Any]) -> bool:
    """Whether a final state shows, and no cancellable one beside it."""
    seen = set(shown(lifecycle, entity))
    return bool(seen & set(map(canonical, lifecycle.final))) and not seen & set(
        map(canonical, lifecycle.cancellable)
    )


def substance(entity: Mapping[str, Any], volatile: frozenset[str]) -> dict[str, Any]:
    """Return the entity without what changes by itself and without its dates, however deep they
    lie.

    A server may note the time of a refused call, or when it last looked. That is no effect.
    """
    return {
        key: substance(value, frozenset())
        if isinstance(value, Mapping)
        else [_lasting(item) for item in value]
        if isinstance(value, list)
        else value
        for key, value in entity.items()
        if key not in volatile
        and not key.startswith("@")
        and "date" not in key.lower()
        and not _runs(value)
        and not (isinstance(value, str) and _MOMENT.match(value))
    }


def _lasting(item: Any) -> Any:
    return substance(item, frozenset()) if isinstance(item, Mapping) else item


def _runs(value: Any) -> bool:
    """Whether a value may change by itself, such as seconds, a progress, a count of views."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def changed(
    before: Mapping[str, Any], after: Mapping[str, Any], volatile: frozenset[str]
) -> frozenset[str]:
    """Return the names of the properties that differ, dates included, running numbers left out."""
    names = (before.keys() | after.keys()) - volatile
    pairs = {name: (before.get(name), after.get(name)) for name in names}
    return frozenset(
        name for name, (was, now) in pairs.items() if was != now and not (_runs(was) and _runs(now))
    )


def describe(lifecycle: Lifecycle, observation: Observation) -> str:
    """Return the state in words, as the target spells it, and what a cancel has written."""
    if observation.entity is None:
        return "gone (404)"
    entity = observation.entity
    found = [f"{p} {entity[p]!r:.60}" for p in lifecycle.shows if p in entity]
    found += [f"{p} {entity[p]!r:.60}" for p in lifecycle.records if entity.get(p) is not None]
    return ", ".join(found) or "no state"
