"""What two looks at one resource tell of it: whether a cancel shows, what differs. Pure."""

from __future__ import annotations

from typing import Any, Literal

from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.states import GONE, canonicals, folded
from cancel_contracts.sight.clocks import Clocks
from cancel_contracts.sight.observation import (
    Observation,
    changed,
    is_between,
    is_cancelled,
    is_done,
    is_open,
    marks,
    substance,
)

Effect = Literal["cancelled", "not", "unknown"]


class Comparison:
    """Holds looks against each other, by what the clocks of all exchanges so far have told."""

    def __init__(self, contract: Contract) -> None:
        self.life, self.lasting = contract.lifecycle, contract.lasting
        self._clocks = Clocks(contract.lifecycle)

    @property
    def volatile(self) -> frozenset[str]:
        """Properties that change by themselves."""
        return self._clocks.volatile

    def took_effect(self, before: Observation | None, after: Observation) -> Effect:
        """Return whether a cancel shows in `after`."""
        life = self.life
        if after.entity is None:
            if not life.vanishes:
                return "not"
            return "unknown" if before is None or before.gone else "cancelled"
        if life.after:
            if not marks(life, after.entity) and set(life.after) != {GONE}:
                return "unknown"
            return "cancelled" if is_done(life, after.entity) else "not"
        if before is None or before.entity is None:
            return "unknown"
        if is_between(life, after.entity):
            return "not"
        names = changed(before.entity, after.entity, self.volatile)
        if names & (self._clocks.still | set(life.places)):
            return "cancelled"
        return "unknown" if names else "not"

    def differs(self, before: Observation, after: Observation) -> bool:
        """Whether anything observable has changed, dates included."""
        if before.entity is None or after.entity is None:
            return before.gone != after.gone
        return bool(changed(before.entity, after.entity, self.volatile))

    def unchanged(self, before: Observation, after: Observation) -> bool:
        """Whether a resource was neither cancelled nor ended, nor written into as a cancel does.

        It may move on by itself from one state that can be cancelled to another. Where no page
        names the state after a cancel, all that it shows is to stay, but for its dates.
        """
        if before.entity is None or after.entity is None:
            return before.gone == after.gone
        life, was, now = self.life, before.entity, after.entity
        if marks(life, was) != marks(life, now) and not (is_open(life, was) and is_open(life, now)):
            return False
        if life.after:
            written = (*life.records, *life.sets, *life.leaves)
            return all(was.get(name) == now.get(name) for name in written)
        moving = self.volatile | set(life.places)
        return substance(was, moving) == substance(now, moving)

    def follows(self, start: Observation | None, before: Observation, after: Observation) -> bool:
        """Whether one of several properties that tell the state comes to that after a cancel where
        another was before: what it showed at the start it showed until then.
        """
        if start is None or not is_cancelled(self.life, before.entity):
            return False
        ends = canonicals(self.life.after)
        was, mid, now = ((look.entity or {}) for look in (start, before, after))
        return any(
            was.get(at) == mid.get(at) and folded(mid.get(at)) not in ends
            for at in self.life.places
            if folded(now.get(at)) in ends
        )

    def filled(
        self, start: Observation | None, before: Observation, after: Observation
    ) -> list[Any]:
        """Return what a cancel that shows before has written only now: the values of places that
        it fills, all of them empty until then. None where it wrote anything else.
        """
        if start is None or not is_cancelled(self.life, before.entity):
            return []
        was, mid, now = ((look.entity or {}) for look in (start, before, after))
        fills, empty = {*self.life.records, *self.life.sets}, (None, "")
        places = (*fills, *self.life.leaves, *self.life.places)
        moved = [at for at in places if mid.get(at) != now.get(at)]
        late = all(at in fills and was.get(at) in empty and mid.get(at) in empty for at in moved)
        return [now.get(at) for at in moved] if late else []

    def disturbed(self, before: Observation, after: Observation) -> list[str]:
        """Return the documented properties that differ though no cancel sets or touches them."""
        if before.entity is None or after.entity is None:
            return []
        was, now = before.entity, after.entity
        names = self.lasting - self.volatile
        return sorted(name for name in names if was.get(name) != now.get(name))
