"""Walker: resources that live through several calls, each its own scenario of the journal.

Whatever else is alive is every call's neighbour. Knows no clause; raises nothing that a target can
cause.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cancel_contracts.errors import Broken, Refused
from cancel_contracts.exchange import Situation
from cancel_contracts.plan.steps import in_a_row
from cancel_contracts.run.attempt import Attempt, Resource, Stopped
from cancel_contracts.run.run import Run
from cancel_contracts.sight.observation import Observation


@dataclass
class _Life:
    attempt: Attempt
    state: str
    resource: Resource
    first: Observation | None = None  # what the first look showed, and the last
    last: Observation | None = None
    position: int = 0
    cancelled: bool = False
    calls: list[Situation] = field(default_factory=list)


class Walker:
    """The resources of one walk."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.lives: list[_Life] = []

    def provision(self, state: str) -> int:
        """Put a resource in a state and return its number, or -1 where the target offers none."""
        if self.lives and self.run.states.single:
            return -1
        try:
            made = Resource.of(self.run.states.acquire(state, None, spends=True))
        except (Refused, Broken):
            return -1
        self.lives.append(_Life(self.run.live(), state, made))
        self.observe(len(self.lives) - 1)
        return len(self.lives) - 1

    def _situation(self, life: _Life, identity: str = "primary") -> Situation:
        kind = self.run.contract.lifecycle.kind(life.state)
        call = "second" if life.cancelled and kind == "cancellable" else "first"
        return Situation(resource=kind, state=life.state, identity=identity, call=call)

    def observe(self, number: int) -> None:
        life = self.lives[number]
        situation = self._situation(life)
        self._shows(
            life, self.run.calls.observe(life.attempt, situation, life.position, life.resource)
        )

    @staticmethod
    def _shows(life: _Life, seen: Observation | None) -> None:
        life.first, life.last = (life.first or seen) if life.position == 0 else life.first, seen

    def cancel(self, number: int, identity: str = "primary") -> None:
        """Cancel a resource and look at it and at a neighbour, before and after."""
        life = self.lives[number]
        others = [other.resource for other in self.lives if other is not life][-1:]
        situation = self._situation(life, identity)
        calls, at = self.run.calls, life.position
        for near in others:
            calls.observe(life.attempt, situation, at, near, "neighbour")
        calls.observe(life.attempt, situation, at, life.resource)
        near_or_none = others[0] if others else None
        try:
            exchange = calls.cancel(life.attempt, situation, at + 1, life.resource, near_or_none)
        except (Broken, Stopped):
            return  # the ledger cannot be written, or the run is to end: nothing was sent
        life.calls.append(situation)
        after = calls.observe(life.attempt, situation, at + 1, life.resource)
        for near in others:
            calls.observe(life.attempt, situation, at + 1, near, "neighbour")
        self._shows(life, after)
        life.position += 1
        if exchange.succeeded:
            life.cancelled = True

    def end(self) -> None:
        """Let resources be used again that have come to their end and are as they were."""
        for life in self.lives:
            if life.calls:  # by itself, without the calls on others that came between
                near = life.calls[0] if len(self.lives) > 1 else None
                number = life.attempt.number
                self.run.scenarios[number] = (in_a_row(*life.calls, neighbour=near), number)
            if self.run.states.single:
                scene = self.run.calls.sight.scene(life.attempt.number)
                self.run.late.await_effects(scene.calls)
            first, last = life.first, life.last
            final = self.run.contract.lifecycle.kind(life.state) == "final"
            if final and first and last and first.entity and first.entity == last.entity:
                self.run.states.give_back(life.state, None, life.resource.id)
