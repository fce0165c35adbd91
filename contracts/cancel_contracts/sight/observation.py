"""What one GET of the resource shows: its state, what a cancel wrote into it, what time changes.

Pure. A GET is read for the state alone: whether its entity fits a schema is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cancel_contracts.contract.places import opened
from cancel_contracts.contract.states import GONE, Lifecycle, canonicals, folded
from cancel_contracts.exchange import Exchange

# A date with a time, such as 2024-10-21T11:25:48Z.
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")


EFFECT_SECONDS = 4.0  # how long after a success its effect may take to show
OVERDUE_SECONDS = 1.5 * EFFECT_SECONDS  # by then it shows, on a busy machine too


def effect_seconds(lifecycle: Lifecycle, usual: float = EFFECT_SECONDS) -> float:
    """Return how long after a success its effect may take to show: as a page says, or as usual."""
    return usual if lifecycle.within is None else lifecycle.within


@dataclass(frozen=True)
class Observation:
    """One look at a resource. `entity`, opened as the lifecycle has it, is None where the resource
    was not there (404, 410).
    """

    entity: Mapping[str, Any] | None
    exchange: Exchange

    @property
    def gone(self) -> bool:
        return self.entity is None


def observe(exchange: Exchange, lifecycle: Lifecycle) -> Observation | None:
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
    if not isinstance(entity, dict):
        return None
    return Observation(opened(entity, lifecycle.ways), exchange)


Entity = Mapping[str, Any] | None  # opened; None where the resource is not there


def marks(lifecycle: Lifecycle, entity: Entity) -> tuple[Any, ...]:
    """Return what stands where the state does, spelling folded; empty where nothing does."""
    if entity is None:
        return (None,)
    return tuple(
        folded(entity[at])
        for at in lifecycle.places
        if at in entity and (at in lifecycle.valued or isinstance(entity[at], str))
    )


def shown(lifecycle: Lifecycle, entity: Entity) -> frozenset[str]:
    """Return the states that show, spelling folded. What is null may be left out."""
    if entity is None:
        return frozenset()
    return lifecycle.showing(tuple(folded(entity.get(at)) for at in lifecycle.places))


def _among(lifecycle: Lifecycle, entity: Entity, states: tuple[str, ...]) -> bool:
    """Whether one of these states shows."""
    if entity is None:
        return GONE in states
    return not shown(lifecycle, entity).isdisjoint(canonicals(states))


def is_cancelled(lifecycle: Lifecycle, entity: Entity) -> bool:
    return _among(lifecycle, entity, lifecycle.after)


def is_between(lifecycle: Lifecycle, entity: Entity) -> bool:
    """Whether a cancel is seen to be under way."""
    return _among(lifecycle, entity, lifecycle.through) and not is_cancelled(lifecycle, entity)


def is_open(lifecycle: Lifecycle, entity: Entity) -> bool:
    """Whether a state shows that can be cancelled, and no cancel."""
    can = _among(lifecycle, entity, lifecycle.cancellable)
    return can and not is_cancelled(lifecycle, entity)


def taken_back(lifecycle: Lifecycle, was: Entity, now: Entity) -> bool:
    """Whether a place that told a cancel tells a state now that can be cancelled."""
    done, back = (canonicals(states) for states in (lifecycle.after, lifecycle.cancellable))
    both = ((folded((was or {}).get(at)), folded((now or {}).get(at))) for at in lifecycle.places)
    return any(one in done and other in back for one, other in both)


def has_ended(lifecycle: Lifecycle, entity: Entity) -> bool:
    """Whether a final state shows, and no cancellable one beside it."""
    ended = _among(lifecycle, entity, lifecycle.final)
    return ended and not _among(lifecycle, entity, lifecycle.cancellable)


def left_out(lifecycle: Lifecycle, entity: Mapping[str, Any]) -> list[str]:
    """Return the places that do not hold what a cancelled resource has to."""
    found = ((at, entity.get(at), value) for at, value in lifecycle.leaves.items())
    return [
        at for at, is_, due in found if is_ != due or isinstance(is_, bool) != isinstance(due, bool)
    ]


def is_done(lifecycle: Lifecycle, entity: Entity) -> bool:
    """Whether a cancel shows, and all that it leaves."""
    if not is_cancelled(lifecycle, entity):
        return False
    return entity is None or not left_out(lifecycle, entity)


def told_by(lifecycle: Lifecycle) -> str:
    """Return in words what tells that a cancel took effect."""
    named = [state for state in lifecycle.after if state != GONE]
    told = [f"the GET shows {' or '.join(named)}"] if named else []
    told += ["the GET answers 404"] if lifecycle.vanishes else []
    left = ", ".join(f"{at} {value!r}" for at, value in lifecycle.leaves.items())
    return " or ".join(told) + (f", with {left}" if left else "")


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
        if not _runs(value)
        and key not in volatile
        and not key.startswith("@")
        and "date" not in key.lower()
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
    found = [f"{p} {entity[p]!r:.60}" for p in lifecycle.places if p in entity]
    found += [f"{p} {entity[p]!r:.60}" for p in lifecycle.leaves if p in entity]
    found += [f"{p} {entity[p]!r:.60}" for p in lifecycle.records if entity.get(p) is not None]
    return ", ".join(found) or ("no state" if lifecycle.places else "it is there")
