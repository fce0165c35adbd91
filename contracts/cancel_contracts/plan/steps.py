"""Steps: what a scenario does, one after the other. What is planned, counted and sent is these.

A *slot* is a resource of the scenario, by number. Each has a number of its own in the journal,
where positions count its calls; a neighbour (`beside`) shares that of the resource it stands
beside. Data and pure functions; knows no clause.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from cancel_contracts.contract.credentials import needs_token
from cancel_contracts.exchange import Form, Situation

EXISTING = ("cancellable", "final")
ACT = Situation().method


@dataclass(frozen=True)
class Acquire:
    """Have a resource put in a state. A call of the scenario may cancel it where it `spends`."""

    slot: int
    state: str
    owner: str | None = None
    spends: bool = True
    beside: int | None = None  # the slot whose neighbour it is
    needed: bool = True  # a neighbour is worth having, not worth doing without the rest
    keep_alive: bool = False


@dataclass(frozen=True)
class Name:
    """Take an id that names nothing: the target file's or a fresh one, or an odd one."""

    slot: int
    id: Form


@dataclass(frozen=True)
class Observe:
    """Look at a resource with a GET. `given`: only where its id is the target file's own;
    `keep_alive`: on the connection that was kept.
    """

    slot: int
    situation: Situation
    given: bool = False
    keep_alive: bool = False


@dataclass(frozen=True)
class Call:
    """Make one call. `keep_alive` keeps the connection for the next one."""

    situation: Situation
    slot: int = 0
    keep_alive: bool = False


@dataclass(frozen=True)
class AtOnce:
    """Make several calls at the same time."""

    calls: tuple[Call, ...]


@dataclass(frozen=True)
class Close:
    """Close the connections that were kept: a server that serves one at a time waits on them."""


@dataclass(frozen=True)
class ObserveLast:
    """Look once more when the run ends."""

    slot: int


Step = Acquire | Name | Observe | Call | AtOnce | Close | ObserveLast


@dataclass(frozen=True)
class Scenario:
    """Steps that belong together, independent of any other scenario."""

    steps: tuple[Step, ...]

    @cached_property
    def sends(self) -> tuple[Call, ...]:
        """The calls in the order of their steps."""
        found: list[Call] = []
        for step in self.steps:
            found += [step] if isinstance(step, Call) else []
            found += step.calls if isinstance(step, AtOnce) else ()
        return tuple(found)

    @cached_property
    def calls(self) -> tuple[Situation, ...]:
        return tuple(call.situation for call in self.sends)

    @property
    def subject(self) -> Situation:
        """What the scenario is about: its last call."""
        return self.calls[-1]

    @property
    def known(self) -> bool:
        """Whether it calls on a resource that exists."""
        return any(isinstance(step, Acquire) and step.beside is None for step in self.steps)

    @property
    def pair(self) -> bool:
        """Whether it wants two resources side by side."""
        return sum(isinstance(step, Acquire) for step in self.steps) > 1

    @property
    def races(self) -> bool:
        """Whether calls are made at once."""
        return any(isinstance(step, AtOnce) for step in self.steps)

    @property
    def keeps(self) -> bool:
        """Whether a connection is kept for calls."""
        return any(call.keep_alive for call in self.sends)

    @property
    def together(self) -> bool:
        """Whether calls belong together, at once or because a connection is to carry them: after a
        429 all are made again.
        """
        return self.races or any(call.situation.call == "reused" for call in self.sends)

    @property
    def numbers(self) -> int:
        """How many numbers of the journal it takes at most: one for each resource, and for each
        that may have to be had anew before a later call on it that is no second one, or before
        one that is made again for what came on a kept connection.
        """
        seen, anew = set[int](), 0
        for step in (step for step in self.steps if isinstance(step, Call)):
            if step.situation.call != "second":
                anew += (step.slot in seen) + step.keep_alive
            seen.add(step.slot)
        return sum(map(_own, self.steps)) + anew

    def without(self, slots: Collection[int]) -> Scenario:
        """Return the scenario without some of its resources."""
        if not slots:
            return self
        steps = (_within(step, slots) for step in self.steps)
        return Scenario(tuple(step for step in steps if step is not None))

    def cost(self, *, observes: bool, handler: bool, unknown_id: bool = False) -> Counter[str]:
        """Return the requests by kind, on a conforming target: cancel, observe, provider_states."""
        looks = sum(
            isinstance(step, ObserveLast)
            or (isinstance(step, Observe) and (unknown_id or not step.given))
            for step in self.steps
        )
        acquired = sum(isinstance(step, Acquire) for step in self.steps)
        return Counter(
            cancel=len(self.sends),
            observe=looks if observes else 0,
            provider_states=2 * acquired if handler else 0,
        )


def _own(step: Step) -> bool:
    """Whether a step takes a resource that is nobody's neighbour."""
    return isinstance(step, Name) or (isinstance(step, Acquire) and step.beside is None)


# --- The kinds of scenarios ----------------------------------------------------------------------


def in_a_row(
    *calls: Situation,
    neighbour: Situation | None = None,
    twice: bool = False,
    last: bool = False,
    sentinel: bool = False,
    unseen: bool = False,
    silent: Collection[Situation] = (),
    act: str = ACT,
) -> Scenario:
    """Return calls one after the other on one resource, a look before and after each, but for the
    first where it is to be `unseen`. `act` is the method of the operation that cancels.

    Beside it stands one in the state and of the owner that `neighbour` has. `twice` looks a second
    time before the first, which tells what changes by itself; `last` once more when the run ends,
    and `sentinel` at what stands beside; between a call of `silent` and the next no look is there.
    """
    first = calls[0]
    own = () if first.resource == "odd" else (0,)
    steps = [_acquire(0, first, spends=any(_spends(call, act) for call in calls))]
    near: tuple[int, ...] = ()
    if neighbour is not None:
        needed = any("{neighbour}" in call.body.text for call in calls)
        steps.append(_acquire(1, neighbour, spends=False, beside=0, needed=needed))
        near = (1,)
    known = first.resource in EXISTING
    steps += [Observe(0, first, given=not known)] if own and not unseen else []
    steps += [Observe(slot, first) for slot in near]
    steps += [Observe(0, first)] if twice else []
    for place, call in enumerate(calls, 1):
        # What names nothing is looked at once: each call before was refused.
        looks = (*own, *near) if known or place == len(calls) else ()
        looks = own if known and call in silent and place < len(calls) else looks
        steps += [Call(call), *(Observe(slot, call) for slot in looks)]
    steps += [ObserveLast(0)] if own and last else []
    steps += [ObserveLast(1)] if near and sentinel else []
    return Scenario(tuple(steps))


def at_once(
    *calls: Situation, others: Sequence[Sequence[Situation]] = (), act: str = ACT
) -> Scenario:
    """Return calls at the same time on one resource, and the rows of `others` on one more each,
    where it is to be had; a look at each before and after them.
    """
    acquired, looks, sent, after = list[Step](), list[Step](), list[Call](), list[Step]()
    for slot, row in enumerate([calls, *others]):
        spends = any(_spends(call, act) for call in row)
        acquired.append(_acquire(slot, row[0], spends=spends, needed=slot == 0))
        looks.append(Observe(slot, row[0]))
        sent += [Call(call, slot) for call in row]
        after.append(Observe(slot, row[-1]))
    return Scenario((*acquired, *looks, AtOnce(tuple(sent)), *after))


def on_one_connection(
    *calls: Situation, then: Sequence[Situation] = (), act: str = ACT
) -> Scenario:
    """Return calls on a resource or an id of nothing each, on one connection, looks around all that
    exist.

    `then` are calls that follow on one more resource, a look after each (but the last of two
    seconds) on the same connection, for a server may serve one at a time.
    """
    slots = list(enumerate(calls))
    steps: list[Step] = [_acquire(at, call, spends=_spends(call, act)) for at, call in slots]
    looks: list[Step] = [Observe(slot, call, given=not call.state) for slot, call in slots]
    after = [Observe(slot, call) for slot, call in slots if call.state]
    if then:
        last = len(calls)
        steps.append(_acquire(last, then[0], spends=any(_spends(call, act) for call in then)))
        looks.append(Observe(last, then[0]))
    steps += looks
    steps += [Call(call, slot, keep_alive=True) for slot, call in slots]
    for call in then:
        steps += [Call(call, last, keep_alive=True), Observe(last, call, keep_alive=True)]
    steps = steps[:-1] if [call.call for call in then[-2:]] == ["second"] * 2 else steps
    return Scenario((*steps, Close(), *after))


def _acquire(
    slot: int, call: Situation, *, spends: bool, beside: int | None = None, needed: bool = True
) -> Step:
    if call.state is None:
        return Name(slot, call.id)
    return Acquire(slot, call.state, call.owner, spends, beside, needed)


def _spends(call: Situation, act: str) -> bool:
    """Whether a call may cancel what it names. Whoever calls without a token is refused: an id of
    the target file is not used up by it.
    """
    return call.resource == "cancellable" and needs_token(call.identity) and call.method == act


def _within(step: Step, slots: Collection[int]) -> Step | None:
    """Return a step without what it does with some resources, or None where nothing is left."""
    if isinstance(step, AtOnce):
        left = tuple(call for call in step.calls if call.slot not in slots)
        return AtOnce(left) if left else None
    return step if isinstance(step, Close) or step.slot not in slots else None
