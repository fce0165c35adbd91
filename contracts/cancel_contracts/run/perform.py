"""Perform the steps of one scenario once, in their order: nothing else sends what is planned.

Beyond the steps a call that was put off is made again, and a change across a refusal looked at.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from cancel_contracts.errors import Broken, NoIdentity, Refused
from cancel_contracts.exchange import Exchange
from cancel_contracts.plan.steps import (
    Acquire,
    AtOnce,
    Call,
    Close,
    Name,
    Observe,
    ObserveLast,
    Scenario,
)
from cancel_contracts.provider_states.states import ProviderStates
from cancel_contracts.run.attempt import Attempt, Resource, Role, Stopped
from cancel_contracts.run.awaiting import await_effect, look_for_clocks
from cancel_contracts.run.calls import Calls
from cancel_contracts.run.kept import CLOSED, astray
from cancel_contracts.run.naming import named
from cancel_contracts.run.performed import (
    Held,
    LastLook,
    OneResource,
    Performed,
    check_given,
    check_spent,
    stands_by,
)
from cancel_contracts.run.settings import RunSettings
from cancel_contracts.sight.observation import Observation, is_open, marks
from cancel_contracts.transport.client import Transport

BARRIER_SECONDS = 5.0  # until all calls at once are ready


class Performance:
    """One scenario, once. `attempts` are its numbers in the journal, without end."""

    def __init__(
        self,
        calls: Calls,
        states: ProviderStates,
        scenario: Scenario,
        attempts: Iterator[Attempt],
        settings: RunSettings,
    ) -> None:
        self.calls, self.states, self.scenario = calls, states, scenario
        self.unknown_id, self.local = settings.unknown_id, settings.local
        self.usual = settings.effect_seconds
        self.attempts = attempts
        lasting = calls.closed < CLOSED and not calls.transport.proxied(calls.base_url)
        keeps = scenario.keeps and (scenario.together or lasting)
        self.lane = calls.transport.lane() if keeps else None
        self.held: dict[int, Held] = {}
        self.done = Performed()

    def go(self) -> Performed:
        """Perform it. Raises nothing that a target can cause."""
        try:
            for situation in self.scenario.calls:
                self.calls.identities.credentials(situation.identity, situation.owner)
            self._steps()
        except OneResource:
            self.done.single = not self.done.shared
        except (NoIdentity, Refused) as err:
            self.done.missing = err.gap
        except Stopped:
            pass  # the journal says why
        except Broken as err:
            self.done.broken = str(err)
        finally:
            self.calls.in_use.release(self.done)
        if self.lane is not None:
            self.lane.close()
        for held in self.held.values():
            self._end(held)
        return self.done

    def _steps(self) -> None:
        """Do the steps. A call that was put off is made again once it was looked after."""
        steps, at, tries = self.scenario.steps, 0, 0
        put_off: tuple[int, Exchange] | None = None
        while at < len(steps) or put_off:
            if put_off and not (at < len(steps) and isinstance(steps[at], Observe)):
                (at, exchange), put_off = put_off, None
                if not self.calls.wait_out(exchange, tries):
                    raise Stopped
            step = steps[at]
            if isinstance(step, Call):
                self._await(step.slot, step.keep_alive)
                self._renew(step)
                exchange = self._call(step, self._position(step.slot))
                told = step.situation.call == "reused" and exchange.received is not None
                if not told and astray(self.calls.composition, exchange):
                    exchange = self._anew(step)
                if self._put_off(exchange):
                    put_off, tries = (at, exchange), tries + 1
                else:
                    tries = 0
            else:
                self._do(step)
            at += 1

    def _anew(self, step: Call) -> Exchange:
        """Make a call again, on a connection of its own, once it was seen what it did: what came
        on the kept one tells of that alone.
        """
        if self.lane is not None:
            self.lane.close()
        if step.situation.call == "reused":
            step = replace(step, situation=replace(step.situation, call="first"))
        if step.situation.state is not None:
            self._observe(Observe(step.slot, step.situation))
        self._renew(step)
        return self._call(step, self._position(step.slot))

    def _put_off(self, exchange: Exchange) -> bool:
        """Whether a call is to be made again. Calls that belong together are, all of them, anew."""
        throttled = exchange.situation.identity == "throttled"
        return exchange.put_off and not throttled and not self.scenario.together

    def _do(self, step: Acquire | Name | Observe | AtOnce | Close | ObserveLast) -> None:
        match step:
            case Acquire():
                self._acquire(step)
            case Name():
                self._name(step)
            case Observe():
                self._observe(step)
            case AtOnce():
                self._at_once(step.calls)
            case Close():
                if self.lane is not None:
                    self.lane.close()
            case ObserveLast():
                self._look_last(step.slot)

    def _via(self, step: Acquire | Observe | Call) -> Transport | None:
        """Return what keeps the scenario's own connection, for what is to be sent on it."""
        return self.lane if step.keep_alive else None

    # Resources.

    def _acquire(self, step: Acquire) -> None:
        if self.calls.stopped:
            raise Stopped
        for slot in self.held if self.states.single else ():  # this may end what is under way
            self._await(slot, step.keep_alive, self.usual)
        held = [(h.resource.id, h.acquired) for h in self.held.values() if h.acquired]
        kept = [
            a for _, a in held if (a.state, a.owner, a.spends) == (step.state, step.owner, False)
        ]
        try:
            made = self.states.acquire(
                step.state, step.owner, spends=step.spends, offset=len(kept), via=self._via(step)
            )
        except Refused:
            if step.needed:
                raise
            self.states.ask_again(step.state, step.owner)
            return
        if self.states.endpoint.handler and not self.states.single:
            if made in (i for i, _ in held):
                if step.beside is None:
                    raise OneResource
                self.done.single = True
                return
            self.calls.in_use.take(made, self.done)
        beside = None if step.beside is None else self.held[step.beside]
        attempt = beside.attempt if beside else next(self.attempts)
        self.held[step.slot] = Held(Resource.of(made), attempt, step)

    def _renew(self, step: Call) -> None:
        """Have a fresh resource where the chain's own is no more in the state that the call is to
        meet: a call before it was served, or it has moved on by itself.
        """
        held, life = self.held[step.slot], self.calls.contract.lifecycle
        was, now = held.first, held.shows
        if held.acquired is None or not held.position or step.situation.follows:
            return
        first = step.situation.call == "first"
        if not (first and held.call and self.calls.sight.cancels(held.call)):
            if was is None or now is None or ((was.gone or now.gone) and not life.vanishes):
                return
            if marks(life, was.entity) == marks(life, now.entity) or is_open(life, now.entity):
                return
        self._acquire(replace(held.acquired, keep_alive=step.keep_alive))
        again = Observe(step.slot, step.situation, keep_alive=step.keep_alive)
        self._observe(again)
        # What stood beside the one stands beside the other.
        for slot, near in stands_by(self.held, step.slot):
            near.attempt = self.held[step.slot].attempt
            self._observe(replace(again, slot=slot))

    def _await(self, slot: int, keep_alive: bool, usual: float | None = None) -> None:
        """Wait for what the call before did, and look then at what stands beside the resource."""
        if (call := (held := self.held[slot]).call) is None or held.awaited:
            return
        again = Observe(slot, call.situation, keep_alive=keep_alive)

        def look() -> Observation | None:
            self._observe(again)
            return held.shows

        held.awaited = self.calls.sight.cancels(call)
        if await_effect(self.calls, call, held.first, held.shows, look, usual):
            for other, _ in stands_by(self.held, slot):
                self._observe(replace(again, slot=other))

    def _name(self, step: Name) -> None:
        attempt, contract = next(self.attempts), self.calls.contract
        known = self.calls.known or next((h.resource.id for h in self.held.values()), None)
        resource = named(contract, step, attempt, known, self.unknown_id)
        self.held[step.slot] = Held(resource, attempt)

    # Looks.

    def _observe(self, step: Observe) -> None:
        held = self.held.get(step.slot)
        if held is None or (step.given and not self.unknown_id):
            return
        beside = held.acquired.beside if held.acquired else None
        position = held.position if beside is None else self.held[beside].position
        role: Role = "target" if beside is None else "neighbour"
        seen = self.calls.observe(
            held.attempt, step.situation, position, held.resource, role, self._via(step)
        )
        if position == 0:
            held.first = held.first or seen
            if step.given:
                check_given(held, seen, self.done, local=self.local)
            else:
                check_spent(held, seen, self.states, self.calls.contract.lifecycle)
        held.shows = seen
        if role == "target" and position == 1:
            look_for_clocks(self.calls, held)

    def _look_last(self, slot: int) -> None:
        if (held := self.held.get(slot)) is not None:  # a neighbour may not have been to be had
            beside = held.acquired.beside if held.acquired else None
            role: Role = "target" if beside is None else "neighbour"
            if (call := self.held[slot if beside is None else beside].call) is not None:
                self.done.last.append(LastLook(call, held.resource, role))

    def _end(self, held: Held) -> None:
        """Tell of a resource that one refused call has left as it was."""
        acquired, call = held.acquired, held.call
        if acquired is None or call is None or not call.refused or held.position > 1:
            return
        if held.first and held.shows and held.first.entity == held.shows.entity is not None:
            self.done.idle.append((acquired.state, acquired.owner, held.resource.id))

    # Calls.

    def _position(self, slot: int) -> int:
        if self.calls.stopped:
            raise Stopped
        if self.done.shared:
            raise OneResource
        self.held[slot].position += 1
        return self.held[slot].position

    def _call(self, call: Call, position: int) -> Exchange:
        held = self.held[call.slot]
        named = next((near.resource for _, near in stands_by(self.held, call.slot)), None)
        if named is None and "{neighbour}" in call.situation.body.text:
            named = Resource.of(held.attempt.fresh(self.calls.contract.id))
        via, situation = self._via(call), call.situation
        about = (held.attempt, situation, position, held.resource, named, via)
        held.call = self.calls.cancel(*about, anew=situation.call in ("first", "second", "reused"))
        return held.call

    def _at_once(self, calls: Sequence[Call]) -> None:
        calls = [call for call in calls if call.slot in self.held]
        barrier = threading.Barrier(len(calls))

        def made(call: Call, position: int) -> Callable[[], Exchange]:
            def send() -> Exchange:
                barrier.wait(BARRIER_SECONDS)
                return self._call(call, position)

            return send

        ready = [made(call, self._position(call.slot)) for call in calls]
        with ThreadPoolExecutor(len(calls)) as pool:
            list(pool.map(lambda send: send(), ready))
