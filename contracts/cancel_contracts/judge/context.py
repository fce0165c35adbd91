"""What the judge knows of a journal beside the exchange in hand: the looks around it, and what one
pass over the whole has shown.

Pure. Looks are read scenario by scenario as they are asked for, so that judging stays linear in
exchanges and holds few of them at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from math import inf

from cancel_contracts.contract.model import Contract
from cancel_contracts.exchange import NOBODY_THERE, Exchange, Situation
from cancel_contracts.journal import Journal
from cancel_contracts.judge.drift import Drift
from cancel_contracts.observation import Observation, observe

SCENES = 16  # scenarios whose looks are kept at hand


@dataclass(frozen=True)
class Scene:
    """One scenario: its calls, and its looks by the role of what was looked at."""

    calls: Sequence[Exchange]
    looks: Mapping[str, Sequence[Observation]]


@dataclass
class Context:
    """A contract's journal, and what all of it together tells."""

    contract: Contract
    journal: Journal
    observable: bool = False  # the GET has shown a resource that was known to exist
    last_answered: float = -1.0  # when the last call that was answered began
    last_refused: float = -1.0  # when a call last found nobody there
    broken_off: list[float] = field(default_factory=list)  # when calls closed unanswered began
    throttled: set[Situation] = field(default_factory=set)
    served: dict[Situation, float] = field(default_factory=dict)  # when last answered but by 429
    blind: set[int] = field(default_factory=set)  # scenarios with a look that went unanswered
    mute: set[int] = field(default_factory=set)  # and with one that was put off, or failed
    seconds: set[int] = field(default_factory=set)  # how a second call in a row was answered
    calls_on: dict[str, list[float]] = field(default_factory=dict)  # when calls on a resource began

    def __post_init__(self) -> None:
        self.scene = lru_cache(SCENES)(self._scene)
        life = self.contract.lifecycle
        self._drift = Drift(life)
        for exchange in self.journal.exchanges:
            self._note(exchange)
            if not life.after:
                self._drift.note(exchange)

    def _note(self, exchange: Exchange) -> None:
        status, situation = exchange.status, exchange.situation
        if exchange.received is not None:
            self.last_answered = max(self.last_answered, exchange.started)
        elif exchange.failure in NOBODY_THERE:
            self.last_refused = max(self.last_refused, exchange.started)
        elif exchange.failure in ("closed", "reset"):
            self.broken_off.append(exchange.started)
        if exchange.kind == "observe":
            if exchange.unanswered:
                self.blind.add(exchange.scenario)
            elif status in (401, 429) or (status or 0) >= 500:
                self.mute.add(exchange.scenario)
            if not self.observable and exchange.position == 0:
                seen = observe(exchange)
                self.observable = seen is not None and not seen.gone
            return
        if situation.resource == "cancellable":
            self.calls_on.setdefault(exchange.resource, []).append(exchange.started)
        if status == 429:
            self.throttled.add(situation)
        elif status:
            self.served[situation] = max(self.served.get(situation, 0.0), exchange.started)
        if status and situation.call == "second" and situation.resource == "cancellable":
            self.seconds.add(status)

    def _scene(self, scenario: int) -> Scene:
        calls: list[Exchange] = []
        looks: dict[str, list[Observation]] = defaultdict(list)
        for exchange in self.journal.exchanges.of_scenario(scenario):
            if exchange.kind == "cancel":
                calls.append(exchange)
            elif (seen := observe(exchange)) is not None:
                looks[exchange.role].append(seen)
        return Scene(calls, looks)

    @cached_property
    def volatile(self) -> frozenset[str]:
        """Properties that change by themselves."""
        return frozenset(self._drift.names)

    def _looks(self, exchange: Exchange, role: str) -> Sequence[Observation]:
        return self.scene(exchange.scenario).looks.get(role, ())

    def before(self, exchange: Exchange, role: str = "target") -> Observation | None:
        """Return the last look before the call."""
        seen = self._looks(exchange, role)
        position = exchange.position - (2 if self.concurrent(exchange) else 1)
        return next((o for o in reversed(seen) if o.exchange.position <= position), None)

    def after(
        self, exchange: Exchange, role: str = "target", resource: str | None = None
    ) -> Observation | None:
        """Return the last look after the call and before the next, at one resource where that is
        named: in a walk it may have been called by itself since, and what shows then is of that.
        """
        began = exchange.started
        own = (at for at in self.calls_on.get(resource or "", ()) if at > began)
        end = min(own, default=inf)
        return next(
            (
                o
                for o in reversed(self._looks(exchange, role))
                if o.exchange.position == exchange.position
                and (
                    resource is None
                    or (o.exchange.resource == resource and o.exchange.started < end)
                )
            ),
            None,
        )

    def later(self, exchange: Exchange, role: str = "target") -> list[Observation]:
        """Return every look since the call."""
        seen = self._looks(exchange, role)
        return [o for o in seen if o.exchange.position >= exchange.position]

    def last(self, exchange: Exchange) -> Observation | None:
        """Return what showed at the end of the run, beyond the last call of the scenario."""
        end = max(call.position for call in self.scene(exchange.scenario).calls)
        looks = reversed(self._looks(exchange, "target"))
        return next((o for o in looks if o.exchange.position > end and not o.gone), None)

    def refused_look(self, exchange: Exchange) -> int | None:
        """Return how the look after the call was refused, by a 4xx that says so of the id."""
        for x in self.journal.exchanges.of_scenario(exchange.scenario):
            looked = x.kind == "observe" and x.position == exchange.position and x.role == "target"
            if looked and x.status and x.status // 100 == 4 and x.status not in (401, 429):
                return x.status
        return None

    def unseen(self, exchange: Exchange) -> bool:
        """Whether something of the call may have gone unseen, which a GET would have shown."""
        number = exchange.scenario
        return number in self.blind or (self.observable and number in self.mute)

    def concurrent(self, exchange: Exchange) -> bool:
        """Whether this is the second of two simultaneous calls: nothing was looked at
        between them.
        """
        return exchange.situation.call == "concurrent" and exchange.position > 1

    @cached_property
    def fatal(self) -> float | None:
        """When the call began that the target took and did not outlive: it answered calls before,
        closed this one, and from then on nobody was there.
        """
        last = min((at for at in self.broken_off if at > self.last_answered), default=None)
        outlived = last is None or self.last_answered < 0 or self.last_refused < last
        return None if outlived else last

    def dead(self, exchange: Exchange) -> bool:
        """Whether nobody answered: not this call nor any later one. A target that is gone breaks no
        promise, but by the call that ended it.
        """
        if exchange.failure in NOBODY_THERE:
            return True
        gone = exchange.received is None and exchange.started > self.last_answered
        return gone and exchange.started != self.fatal
