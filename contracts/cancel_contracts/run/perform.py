"""Perform one scenario once: provision, look, call, look again.

Sends what the scenario says, in its order; knows no other scenario and judges nothing.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from cancel_contracts.contract.words import IDS, needs_token
from cancel_contracts.errors import Broken, NoIdentity, Refused
from cancel_contracts.exchange import Exchange, Situation
from cancel_contracts.needs import Gap
from cancel_contracts.plan.plan import Scenario, looks_twice
from cancel_contracts.run.attempt import Attempt, Stopped
from cancel_contracts.run.calls import THROTTLED_CALLS, Resource
from cancel_contracts.sight.observation import Observation, has_ended, is_cancelled, shown

if TYPE_CHECKING:
    from cancel_contracts.run.run import Run

LOOKS_FOR_DRIFT = 3
DRIFT_SECONDS = 0.4  # before each: a clock that counts seconds moves meanwhile


class Performance:
    """One scenario, once. `first` and `second` are its numbers in the journal: two calls on two
    resources stand apart there.
    """

    def __init__(self, run: Run, scenario: Scenario, first: Attempt, second: Attempt) -> None:
        self.run, self.calls, self.scenario = run, run.calls, scenario
        self.first, self.second = first, second

    def go(self) -> None:
        """Perform it. What could not be brought about is noted in the journal."""
        scenario, journal = self.scenario, self.run.journal
        try:
            for situation in scenario.calls:
                self.calls.identities.credentials(situation.identity, situation.owner)
            resources = self._resources()
            if scenario.subject.call == "reused":
                self._on_one_connection(resources)
            elif scenario.subject.call == "concurrent":
                self._at_once(resources[0])
            else:
                self._in_a_row(resources)
        except (NoIdentity, Refused) as err:
            journal.missing.update(dict.fromkeys(scenario.calls, err.gap))
        except Stopped:
            pass  # the journal says why
        except Broken as err:
            journal.broken.update(dict.fromkeys(scenario.calls, str(err)))

    def _resources(self) -> list[Resource]:
        subject = self.scenario.subject
        if subject.resource == "odd":
            segment = subject.id.text or IDS[subject.id.word].wire
            return [Resource(segment, segment)]
        if subject.resource == "unknown":
            return [self._unknown()]
        assert subject.state is not None
        # Whoever calls without a token is refused: an id of the target file is not used up by it.
        spends = subject.resource == "cancellable" and needs_token(subject.identity)
        spends = spends and subject.method == "POST"
        ids: list[str] = []
        two = self.scenario.neighbour or subject.call == "reused"
        for _ in range(2 if two and not self.run.states.single else 1):
            first = not ids or subject.call == "reused"
            if self.calls.stopped:
                raise Stopped
            try:
                made = self.run.states.acquire(
                    subject.state,
                    subject.owner,
                    spends=spends and first,
                    offset=0 if spends else len(ids),
                )
            except Refused:
                if not ids or "{neighbour}" in subject.body.text or subject.call == "reused":
                    raise
                break  # a neighbour is worth having, not worth doing without the rest
            if made in ids and self.run.states.site.handler:
                self.run.keep_to_one()
                break
            ids.append(made)
        return [Resource.of(i) for i in ids]

    def _unknown(self) -> Resource:
        """Return an id that names nothing: a random one, or the target file's, once a GET has shown
        that it does not. Raises Refused where it names something; on a target that is not local
        also where no GET tells.
        """
        id_ = self.run.unknown_id
        if id_ is None:
            return Resource.of(self.first.uuid())
        target, told = Resource.of(id_), None
        seen = self.calls.observe(self.first, self.scenario.subject, 0, target)
        if seen is not None and not seen.gone:
            told = f"unknown_id: {id_} names a resource that exists; give an id of nothing"
        elif seen is None and not self.run.local:
            told = f"unknown_id: no GET tells that {id_} names nothing; leave it out"
        if told is not None:
            self.run.note(told)
            raise Refused(Gap(told))
        return target

    def _look(
        self, situation: Situation, position: int, target: Resource, neighbour: Resource | None
    ) -> Observation | None:
        """Look at the resource and its neighbour; return what the resource shows."""
        seen = self.calls.observe(self.first, situation, position, target)
        if neighbour is not None:
            self.calls.observe(self.first, situation, position, neighbour, "neighbour")
        return seen

    def _in_a_row(self, resources: list[Resource]) -> None:
        scenario, target = self.scenario, resources[0]
        neighbour = resources[1] if len(resources) > 1 else None
        named = neighbour
        if neighbour is None and "{neighbour}" in scenario.subject.body.text:
            named = Resource.of(self.first.uuid())
        twice = not self.run.journal.exchanges and looks_twice(self.run.contract, scenario)
        before = self._look(scenario.subject, 0, target, neighbour) if scenario.known else None
        self._refuse_spent(scenario.subject, before)
        if twice:
            self.calls.observe(self.first, scenario.subject, 0, target)
        position = 0
        after: Observation | None = None
        for situation in scenario.calls:
            for attempt in range(1, THROTTLED_CALLS + 1):
                if self.calls.stopped:
                    return
                position += 1
                exchange = self.calls.cancel(self.first, situation, position, target, named)
                if scenario.known or situation.resource == "unknown":
                    after = self._look(situation, position, target, neighbour)
                    self._look_for_drift(exchange, before, after, target)
                if exchange.status != 429 or situation.identity == "throttled":
                    break
                if not self.calls.wait_out(exchange, attempt):
                    break
        if scenario.last_look:
            self.run.note_last_look(exchange, target)
        if position == 1 and before and after and before.entity and before.entity == after.entity:
            self._give_back(exchange, target)

    def _look_for_drift(
        self,
        exchange: Exchange,
        before: Observation | None,
        after: Observation | None,
        target: Resource,
    ) -> None:
        """Where any change may be an effect, look again at what has changed though the call was
        refused: whether it does so by itself.
        """
        life = self.run.contract.lifecycle
        if life.after or not exchange.refused or exchange.position > 1:
            return
        if before is None or after is None or before.entity is None or after.entity is None:
            return
        moved = shown(life, before.entity) != shown(life, after.entity)
        for _ in range(LOOKS_FOR_DRIFT):
            if moved or self.calls.sight.unchanged(before, after):
                return
            self.calls.stop.wait(DRIFT_SECONDS)
            self.calls.observe(self.first, exchange.situation, exchange.position, target)

    def _give_back(self, exchange: Exchange, target: Resource) -> None:
        """Let what a refused call has left as it was be used again, where many are needed."""
        subject = self.scenario.subject
        if self.run.thrifty and subject.state and exchange.refused:
            self.run.states.give_back(subject.state, subject.owner, target.id)

    def _refuse_spent(self, situation: Situation, before: Observation | None) -> None:
        """Raise Broken for an id that a former run has used up, or that has moved on by itself."""
        states, lifecycle = self.run.states, self.run.contract.lifecycle
        if states.site.handler or situation.resource != "cancellable":
            return
        if before is None or before.entity is None:
            return
        id_ = before.exchange.resource
        if states.created(id_) and has_ended(lifecycle, before.entity):
            states.discard(id_)
            raise Broken("what was created has come to its end before the call")
        if is_cancelled(lifecycle, before.entity):
            raise Broken("an id of the target file is cancelled already: give fresh ones")

    def _at_once(self, target: Resource) -> None:
        scenario = self.scenario
        barrier = threading.Barrier(2)
        before = self._look(scenario.subject, 0, target, None)
        self._refuse_spent(scenario.subject, before)

        def call(position: int) -> Exchange:
            barrier.wait(5)
            return self.calls.cancel(self.first, scenario.calls[position - 1], position, target)

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(call, (1, 2)))
        self._look(scenario.subject, 2, target, None)

    def _on_one_connection(self, resources: list[Resource]) -> None:
        """Two calls on two resources, the second on the connection that carried the first."""
        if self.run.states.single:
            self._on_one_connection_unseen(resources[0])
            return
        attempts = (self.first, self.second)
        lots = list(zip(attempts, self.scenario.calls, resources, strict=True))
        before = [self.calls.observe(attempt, call, 0, it) for attempt, call, it in lots]
        for call, seen in zip(self.scenario.calls, before, strict=True):
            self._refuse_spent(call, seen)
        for attempt, call, it in lots:
            self.calls.cancel(attempt, call, 1, it, keep_alive=True)
        # A server that serves one connection at a time would wait on this one.
        self.calls.transport.close()
        for attempt, call, it in lots:
            self.calls.observe(attempt, call, 1, it)

    def _on_one_connection_unseen(self, first: Resource) -> None:
        """The same where the second resource cannot be there before the first is done with. Its
        set-up takes the same connection where it can: a server may serve one at a time, and would
        wait on it for ever.
        """
        subject = self.scenario.subject
        assert subject.state is not None
        try:
            self.calls.cancel(self.first, self.scenario.calls[0], 1, first, keep_alive=True)
            if self.calls.stopped:
                raise Stopped
            second = self.run.states.acquire(
                subject.state, subject.owner, spends=True, keep_alive=True
            )
            self.calls.cancel(self.second, subject, 1, Resource.of(second), keep_alive=True)
        finally:
            self.calls.transport.close()
