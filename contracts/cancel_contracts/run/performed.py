"""What performing a scenario holds while it goes, and what comes of it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cancel_contracts.contract.states import Lifecycle
from cancel_contracts.errors import Broken, Refused
from cancel_contracts.exchange import Exchange
from cancel_contracts.needs import Gap
from cancel_contracts.plan.steps import Acquire
from cancel_contracts.provider_states.states import ProviderStates
from cancel_contracts.run.attempt import Attempt, Resource, Role
from cancel_contracts.sight.observation import Observation, has_ended, is_cancelled


@dataclass(frozen=True)
class LastLook:
    """A resource to look at once more when the run ends, and the call that it was looked at for."""

    call: Exchange
    resource: Resource
    role: Role


@dataclass
class Performed:
    """What came of a scenario. `single`: two set-ups gave one resource; `shared`: one of its
    resources was set up for another scenario meanwhile, so that nothing is told by what shows.

    `missing` and `broken` say why it was not brought about, by what the target does not offer or by
    what failed; `idle` what stands as it was acquired, `last` what to look at when the run ends.
    """

    missing: Gap | None = None
    broken: str | None = None
    note: str | None = None
    single: bool = False
    shared: bool = False
    idle: list[tuple[str, str | None, str]] = field(default_factory=list)
    last: list[LastLook] = field(default_factory=list)


def sentinel(looks: Iterable[LastLook]) -> str | None:
    """Return the id of a resource that no call may touch: the first neighbour that is looked at
    in the end.
    """
    return next((look.resource.id for look in looks if look.role == "neighbour"), None)


class OneResource(Exception):
    """The target keeps one resource, where two are needed: in a scenario, or at a time."""


class InUse:
    """Which scenario has which resource, of those under way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by: dict[str, Performed] = {}

    def take(self, id_: str, performed: Performed) -> None:
        """Note a set-up: whoever has that resource already shares it now, and so does this one."""
        with self._lock:
            other = self._by.setdefault(id_.casefold(), performed)
            if other is not performed:
                other.shared = performed.shared = True

    def release(self, performed: Performed) -> None:
        with self._lock:
            self._by = {id_: by for id_, by in self._by.items() if by is not performed}


@dataclass
class Held:
    """A resource of the scenario, by slot. A neighbour's attempt is that of what it stands by."""

    resource: Resource
    attempt: Attempt
    acquired: Acquire | None = None
    position: int = 0  # of its last call
    first: Observation | None = None  # what its first look showed, and its last
    shows: Observation | None = None
    call: Exchange | None = None  # the last one on it
    awaited: bool = False  # whether a call that cancels it was seen through


def stands_by(held: Mapping[int, Held], slot: int) -> list[tuple[int, Held]]:
    """Return what stands beside the resource of a slot, with its own."""
    return [(at, h) for at, h in held.items() if h.acquired and h.acquired.beside == slot]


def check_given(held: Held, seen: Observation | None, done: Performed, *, local: bool) -> None:
    """Raise Refused where the target file's id of nothing names something; on a target that is not
    local also where no GET tells that it does not.
    """
    told, id_ = None, held.resource.id
    if seen is not None and not seen.gone:
        told = f"unknown_id: {id_} names a resource that exists; give an id of nothing"
    elif seen is None and not local:
        told = f"unknown_id: no GET tells that {id_} names nothing; leave it out"
    if told is not None:
        done.note = told
        raise Refused(Gap(told))


def check_spent(
    held: Held, seen: Observation | None, states: ProviderStates, life: Lifecycle
) -> None:
    """Raise Broken for an id that a former run has used up, or that has moved on by itself."""
    acquired = held.acquired
    if states.endpoint.handler or acquired is None or acquired.beside is not None:
        return
    if seen is None or seen.entity is None or life.kind(acquired.state) != "cancellable":
        return
    if states.created(held.resource.id) and has_ended(life, seen.entity):
        states.discard(held.resource.id)
        raise Broken("what was created has come to its end before the call")
    if is_cancelled(life, seen.entity):
        raise Broken("an id of the target file is cancelled already: give fresh ones")
