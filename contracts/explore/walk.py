"""Walker: resources that live through several calls, each its own scenario of the journal.

Whatever else is alive is every call's neighbour. Knows no clause; raises nothing that a target can
cause.
"""

from __future__ import annotations

from dataclasses import dataclass

from contracts.exchange import Situation
from contracts.explore.run import Resource, Run
from contracts.target.identities import NoIdentity
from contracts.target.states import Broken, Refused


@dataclass
class _Life:
    scenario: int
    state: str
    resource: Resource
    position: int = 0
    cancelled: bool = False


class Walker:
    """The resources of one walk."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.lives: list[_Life] = []

    def provision(self, state: str) -> int:
        """Put a resource in a state and return its number, or -1 where the target does not offer
        it.
        """
        try:
            made = self.run.make(state)
        except (Refused, Broken):
            return -1
        self.run.scenario += 1
        life = _Life(self.run.scenario, state, made)
        self.lives.append(life)
        self._look(life)
        return len(self.lives) - 1

    def _situation(self, life: _Life, identity: str = "primary") -> Situation:
        kind = self.run.contract.lifecycle.kind(life.state)
        call = "second" if life.cancelled and kind == "cancellable" else "first"
        return Situation(resource=kind, state=life.state, identity=identity, call=call)

    def _look(self, life: _Life) -> None:
        self.run.look_at(life.scenario, self._situation(life), life.position, life.resource)

    def observe(self, number: int) -> None:
        self._look(self.lives[number])

    def cancel(self, number: int, identity: str = "primary") -> None:
        """Cancel a resource and look at it and at a neighbour, before and after."""
        life = self.lives[number]
        others = [other for other in self.lives if other is not life]
        near = others[-1].resource if others else None
        situation = self._situation(life, identity)
        try:
            exchange = self.run.step(life.scenario, situation, life.position, life.resource, near)
        except NoIdentity:
            return
        life.position += 1
        if exchange.status is not None and exchange.status // 100 == 2:
            life.cancelled = True
