"""What the judge knows of a journal beside the exchange in hand: the observations around it.

Pure; built once per journal and indexed, so that judging stays linear in exchanges.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from contracts.exchange import NOBODY_THERE, Exchange, Journal, Situation
from contracts.observation import Observation, observe
from contracts.spec.model import Contract


@dataclass
class Context:
    """A contract's journal with an index of its observations and scenarios."""

    contract: Contract
    journal: Journal
    looks: dict[tuple[int, str], list[Observation]] = field(default_factory=dict)
    scenarios: dict[int, list[Exchange]] = field(default_factory=dict)
    same: dict[Situation, list[Exchange]] = field(default_factory=dict)
    volatile: frozenset[str] = frozenset()
    last_answered: int = -1
    order: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, contract: Contract, journal: Journal) -> Context:
        looks: dict[tuple[int, str], list[Observation]] = defaultdict(list)
        scenarios: dict[int, list[Exchange]] = defaultdict(list)
        same: dict[Situation, list[Exchange]] = defaultdict(list)
        context = cls(contract, journal, looks, scenarios, same)
        for index, exchange in enumerate(journal.exchanges):
            context.order[id(exchange)] = index
            if exchange.received is not None:
                context.last_answered = index
            if exchange.kind == "cancel":
                scenarios[exchange.scenario].append(exchange)
                same[exchange.situation].append(exchange)
            elif (seen := observe(exchange)) is not None:
                looks[exchange.scenario, exchange.role].append(seen)
        context.volatile = frozenset(context._volatile())
        return context

    def _volatile(self) -> set[str]:
        """Properties that changed between the first two looks, with no call between them."""
        first = next((seen for seen in self.looks.values() if len(seen) > 1), [])[:2]
        if len(first) < 2 or any(o.exchange.position != 0 for o in first):
            return set()
        a, b = (o.entity or {} for o in first)
        return {key for key in {*a, *b} if a.get(key) != b.get(key)}

    def before(self, exchange: Exchange, role: str = "target") -> Observation | None:
        """Return the last look before the call."""
        seen = self.looks.get((exchange.scenario, role), [])
        position = exchange.position - (2 if self.concurrent(exchange) else 1)
        return next((o for o in reversed(seen) if o.exchange.position <= position), None)

    def after(
        self, exchange: Exchange, role: str = "target", resource: str | None = None
    ) -> Observation | None:
        """Return the last look after the call and before the next, at one resource where that is
        named.
        """
        seen = self.looks.get((exchange.scenario, role), [])
        return next(
            (
                o
                for o in reversed(seen)
                if o.exchange.position == exchange.position
                and resource in (None, o.exchange.resource)
            ),
            None,
        )

    def later(self, exchange: Exchange, role: str = "target") -> list[Observation]:
        """Return every look since the call."""
        seen = self.looks.get((exchange.scenario, role), [])
        return [o for o in seen if o.exchange.position >= exchange.position]

    def concurrent(self, exchange: Exchange) -> bool:
        """Whether this is the second of two simultaneous calls: nothing was looked at
        between them.
        """
        return exchange.situation.call == "concurrent" and exchange.position > 1

    def dead(self, exchange: Exchange) -> bool:
        """Whether nobody answered: not this call nor any later one. A target that is gone breaks no
        promise.
        """
        if exchange.failure in NOBODY_THERE:
            return True
        return exchange.received is None and self.order[id(exchange)] > self.last_answered

    @property
    def observable(self) -> bool:
        """Whether the GET has ever shown a resource that was known to exist."""
        return any(
            o.entity is not None and o.exchange.position == 0
            for (_, _), seen in self.looks.items()
            for o in seen
        )
