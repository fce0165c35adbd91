"""What a refusal leaves of a resource that has ended, and what no call may take away. Pure.

Of what has ended time changes nothing more. So a refusal that changes one of the properties that
time or any call may change is seen by it, but where that is told by more than this call: the
property was seen to move with no call between, or moves at refusals of what has not ended too, as
an audit has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cancel_contracts.contract.model import Contract
from cancel_contracts.exchange import Exchange
from cancel_contracts.sight.observation import (
    Entity,
    has_ended,
    is_cancelled,
    is_open,
    marks,
    observe,
)
from cancel_contracts.sight.sight import Sight


def changeable(contract: Contract) -> frozenset[str]:
    """The documented properties that a cancel sets, or that time or any call may change."""
    life = contract.lifecycle
    names = {*life.touches, *life.sets, *life.records}
    return frozenset(n for n in names if not n.startswith("@") and n in contract.properties)


def is_over(contract: Contract, entity: Entity) -> bool:
    """Whether a resource shows a final state, that of a cancel too: one that no page names where
    none names that.
    """
    life = contract.lifecycle
    if entity is None:
        return False
    unnamed = not life.after and any(marks(life, entity)) and not is_open(life, entity)
    return unnamed or has_ended(life, entity) or is_cancelled(life, entity)


def moved(names: Iterable[str], before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return which of some properties differ; a list to which something was added does not."""
    return sorted(n for n in names if not _stays(before.get(n), after.get(n)))


def _stays(was: Any, now: Any) -> bool:
    if isinstance(was, list) and isinstance(now, list):
        return all(item in now for item in was)
    if is_digest(was) or is_digest(now):
        return True  # too large to tell what was added
    return bool(was == now)


def is_digest(value: Any) -> bool:
    return isinstance(value, dict) and "@sha256" in value


def telling(contract: Contract, exchanges: Iterable[Exchange], sight: Sight) -> frozenset[str]:
    """Return which of the properties that may change nothing but a call on a resource that has
    ended, or a cancel, was seen to move.
    """
    names, moving = changeable(contract), set[str]()
    former: dict[str, dict[str, Any]] = {}
    called: set[str] = set()
    for x in exchanges if names else ():
        if x.way_in:
            continue
        if x.kind == "cancel":
            called.add(x.resource)
            if x.refused and not moving >= names:
                moving.update(_noted(contract, names, x, sight))
            continue
        look = observe(x, contract.lifecycle)
        if look is None or look.entity is None:
            continue
        shown = {name: look.entity.get(name) for name in names}
        if x.resource not in called and x.resource in former:
            was = former[x.resource]
            moving |= {name for name in names if was[name] != shown[name]}
        former[x.resource] = shown
        called.discard(x.resource)
    return names - moving


def _noted(
    contract: Contract, names: frozenset[str], exchange: Exchange, sight: Sight
) -> list[str]:
    """Return what a refusal moves of a resource that has not ended, as an audit does."""
    before, after = sight.before(exchange), sight.after(exchange)
    if before is None or after is None or before.entity is None or after.entity is None:
        return []
    return [] if is_over(contract, before.entity) else moved(names, before.entity, after.entity)


def lost(contract: Contract, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the lists among what may change from which something was taken away, and those that
    are shown no more: whoever leaves nothing out shows an empty one, or null.
    """
    rows = ((name, before.get(name), after.get(name)) for name in changeable(contract))
    return sorted(
        name
        for name, was, now in rows
        if isinstance(was, list)
        if name not in after
        or (was and now is None)
        or (isinstance(now, list) and len(now) < len(was))
    )
