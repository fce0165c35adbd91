"""What performing a scenario holds while it goes, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from cancel_contracts.exchange import Exchange
from cancel_contracts.needs import Gap
from cancel_contracts.plan.steps import Acquire
from cancel_contracts.run.attempt import Attempt, Resource
from cancel_contracts.run.calls import Role
from cancel_contracts.sight.observation import Observation


@dataclass(frozen=True)
class LastLook:
    """A resource to look at once more when the run ends, and the call that it was looked at for."""

    call: Exchange
    resource: Resource
    role: Role


@dataclass
class Performed:
    """What came of a scenario. `single`: two set-ups gave one resource.

    `missing` and `broken` say why it was not brought about, by what the target does not offer or by
    what failed; `idle` what stands as it was acquired, `last` what to look at when the run ends.
    """

    missing: Gap | None = None
    broken: str | None = None
    note: str | None = None
    single: bool = False
    idle: list[tuple[str, str | None, str]] = field(default_factory=list)
    last: list[LastLook] = field(default_factory=list)


def sentinel(looks: Iterable[LastLook]) -> str | None:
    """Return the id of a resource that no call may touch: the first neighbour that is looked at
    in the end.
    """
    return next((look.resource.id for look in looks if look.role == "neighbour"), None)


class OneResource(Exception):
    """The target keeps one resource at a time, where two are needed."""


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
