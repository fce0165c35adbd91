"""Supply: the resources that a target's ids, and calls that create some, can bring about.

Deals ids out in the order of the scenarios, as the run does, so that what is planned is what can be
sent. Pure; a handler, which makes as many as it is asked for, needs none of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from cancel_contracts.needs import Gap
from cancel_contracts.plan.steps import Acquire, ObserveLast, Scenario, Step

Kind = tuple[str, str | None]  # a state and an owner
More = Callable[[str, str | None], Gap | None]  # why no more than the ids can be had, if not


class Supply:
    """`ids` counts the ids that are given, by state. `more` tells why there are no more, or None
    where a documented call creates them.
    """

    def __init__(self, ids: Mapping[str, int], more: More) -> None:
        self.ids, self.more = ids, more
        self.created: Counter[Kind] = Counter()
        self._spent: Counter[Kind] = Counter()
        self._handed: Counter[tuple[Kind, int]] = Counter()  # how often each was taken
        self._taken: list[dict[int, tuple[Kind, int]]] = []  # by each scenario, by slot

    def never(self, state: str, owner: str | None) -> Gap | None:
        """Return why no resource at all is to be had in a state, or None."""
        return None if self._given((state, owner)) else self.more(state, owner)

    def fit(self, scenario: Scenario) -> Scenario | Gap:
        """Take what a scenario needs; return it without the neighbours that are not to be had, or
        why it cannot be.
        """
        kept: Counter[Kind] = Counter()
        taken: dict[int, tuple[Kind, int]] = {}
        spent, dropped = self._spent.copy(), set()
        for step in scenario.steps:
            if not isinstance(step, Acquire):
                continue
            kind = (step.state, step.owner)
            at = spent[kind] + kept[kind]
            if at >= self._given(kind) and (gap := self.more(*kind)) is not None:
                if step.needed:
                    return gap
                dropped.add(step.slot)
                continue
            taken[step.slot] = (kind, at)
            if step.spends:
                spent[kind] = at + 1
            else:
                kept[kind] += 1
        for kind, at in taken.values():
            self._handed[kind, at] += 1
            self.created[kind] = max(self.created[kind], at + 1 - self._given(kind))
        self._spent = spent
        self._taken.append(taken)
        return scenario.without(dropped)

    def _given(self, kind: Kind) -> int:
        state, owner = kind
        return 0 if owner else self.ids.get(state, 0)

    def look_last(self, scenarios: Sequence[Scenario]) -> list[Scenario]:
        """Return the scenarios that were fitted, without a look when the run ends at a resource
        that another one takes too: it would show what the other has done.
        """
        return [
            Scenario(tuple(s for s in each.steps if not self._shared(at, s)))
            for at, each in enumerate(scenarios)
        ]

    def _shared(self, at: int, step: Step) -> bool:
        """Whether a step is a last look at what several scenarios take."""
        taken = self._taken[at].get(step.slot) if isinstance(step, ObserveLast) else None
        return taken is not None and self._handed[taken] > 1


def endless(state: str, owner: str | None) -> None:
    """Say of any resource that it is to be had."""


def needed(scenarios: Sequence[Scenario]) -> Counter[str]:
    """Return how many resources in each state it takes: what a target file needs ids for."""
    supply, found = Supply({}, endless), Counter[str]()
    for scenario in scenarios:
        supply.fit(scenario)
    for (state, _), count in supply.created.items():
        found[state] += count
    return found
