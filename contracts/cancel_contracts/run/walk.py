"""Walker: resources that live through several calls, each its own scenario of the journal.

A call varies in who makes it, in what it holds, in its method and its form, as those of the plan
do, so that the clauses judge it as they judge these. Whatever else is alive and untouched is every
call's neighbour. Raises nothing that a target can cause.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from cancel_contracts.contract.compose import composed, value, with_value
from cancel_contracts.errors import Broken, Refused
from cancel_contracts.exchange import Exchange, Situation
from cancel_contracts.plan.plan import Plan
from cancel_contracts.plan.steps import in_a_row
from cancel_contracts.run.attempt import Attempt, Resource, Role, Stopped
from cancel_contracts.run.awaiting import await_effect
from cancel_contracts.run.run import Run
from cancel_contracts.sight.observation import Observation

VARIED = ("caller", "body", "content_type", "transfer", "extra", "method")
ODD = 2  # facts of a call that are not neutral: with more of them no clause says what is due
Change = tuple[str, Situation]  # an aspect of a call, and a call with another value of it


def changes(plan: Plan) -> list[Change]:
    """Return what the plan's calls hold that a call of a walk may hold: an owner's resource is made
    by none, and who is over the quota is refused whatever he asks.
    """
    calls = [call for s in plan.scenarios for call in s.calls if call.owner is None]
    found: dict[tuple[str, object], Change] = {}
    more = ("parameter",) if any(call.parameter for call in calls) else ()
    for aspect in (*VARIED, *more):
        for call in calls:
            if "{neighbour}" not in call.body.text and call.identity != "throttled":
                found.setdefault((aspect, value(call, aspect)), (aspect, call))
    return [*found.values()]


@dataclass
class _Life:
    attempt: Attempt
    state: str
    resource: Resource
    first: Observation | None = None  # what the first look showed, and the last
    last: Observation | None = None
    position: int = 0
    cancelled: bool = False
    touched: bool = False  # by a call that was not refused: it may change late
    calls: list[Situation] = field(default_factory=list)
    call: Exchange | None = None  # the last one, until its effect was awaited


class Walker:
    """The resources of one walk. `keep_alive` makes all of it on one connection."""

    def __init__(self, run: Run, *, keep_alive: bool = False) -> None:
        self.run = run
        self.via = run.calls.transport.lane() if keep_alive else None
        self.lives: list[_Life] = []
        self._composition, self._act = composed(run.contract), run.contract.method

    def provision(self, state: str) -> int:
        """Put a resource in a state and return its number, or -1 where the target offers none."""
        if self.lives and self.run.states.single:
            return -1
        try:
            made = Resource.of(self.run.states.acquire(state, None, spends=True, via=self.via))
        except (Refused, Broken):
            return -1
        self.lives.append(_Life(self.run.live(), state, made))
        self.observe(len(self.lives) - 1)
        return len(self.lives) - 1

    def _situation(self, life: _Life, varied: Sequence[Change] = ()) -> Situation:
        """Return a call on a resource, with as many of the changes as can meet in it."""
        kind = self.run.contract.lifecycle.kind(life.state)
        call = "second" if life.cancelled and kind == "cancellable" else "first"
        ordinary = self._composition.ordinary
        found = replace(ordinary, resource=kind, state=life.state, call=call)
        for aspect, other in varied:
            changed = with_value(found, aspect, other)
            facts = self._composition.facts(changed)
            odd = sum(self._composition.standing(changed, a).kind != "neutral" for a in facts)
            if odd <= ODD and self._composition.can_meet(changed):
                found = changed
        return found

    def observe(self, number: int) -> None:
        life = self.lives[number]
        situation = self._situation(life)
        self._shows(life, self._look(life, situation, life.position, life.resource))

    @staticmethod
    def _shows(life: _Life, seen: Observation | None) -> None:
        life.first, life.last = (life.first or seen) if life.position == 0 else life.first, seen

    def cancel(self, number: int, varied: Sequence[Change] = ()) -> None:
        """Call on a resource and look at it and at what nobody touched, before and after."""
        life = self.lives[number]
        others = [o.resource for o in self.lives if o is not life and not o.touched]
        situation = self._situation(life, varied)
        at = life.position
        self._await(life)
        for near in others:
            self._look(life, situation, at, near, "neighbour")
        self._look(life, situation, at, life.resource)
        try:
            exchange = self.run.calls.cancel(
                life.attempt, situation, at + 1, life.resource, via=self.via
            )
        except (Broken, Stopped):
            return  # the ledger cannot be written, or the run is to end: nothing was sent
        life.calls.append(situation)
        life.call = exchange
        after = self._look(life, situation, at + 1, life.resource)
        for near in others:
            self._look(life, situation, at + 1, near, "neighbour")
        self._shows(life, after)
        life.position += 1
        life.touched |= not exchange.refused
        if exchange.succeeded and situation.method == self._act:
            life.cancelled = True

    def _await(self, life: _Life) -> None:
        """Wait for what the call before did to the resource."""
        call, life.call = life.call, None
        if call is not None:
            at, near = call.position, life.resource
            await_effect(
                self.run.calls, call, life.first, life.last,
                lambda: self._look(life, call.situation, at, near),
            )  # fmt: skip

    def _look(
        self, life: _Life, situation: Situation, at: int, near: Resource, role: Role = "target"
    ) -> Observation | None:
        calls = self.run.calls
        return calls.observe(life.attempt, situation, at, near, role, via=self.via)

    def end(self) -> None:
        """Let resources be used again that have come to their end and are as they were."""
        if self.via is not None:
            self.via.close()
        for life in self.lives:
            if life.calls:  # by itself, without the calls on others that came between
                near = life.calls[0] if len(self.lives) > 1 else None
                number = life.attempt.number
                scenario = in_a_row(*life.calls, neighbour=near, act=self._act)
                self.run.scenarios[number] = (scenario, number)
            if self.run.states.single:
                scene = self.run.calls.sight.scene(life.attempt.number)
                self.run.late.await_effects(scene.calls)
            first, last = life.first, life.last
            final = self.run.contract.lifecycle.kind(life.state) == "final"
            if final and first and last and first.entity and first.entity == last.entity:
                self.run.states.give_back(life.state, None, life.resource.id)
