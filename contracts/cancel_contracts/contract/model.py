"""A contract as data: operation, lifecycle, clauses, dialects.

Frozen; loaded from one OpenAPI document by `load.py`. Knows no endpoint and does no I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal
from urllib.parse import urlsplit

from cancel_contracts.contract.page import Page
from cancel_contracts.contract.places import documented

Level = Literal["must", "should", "info"]


@dataclass(frozen=True)
class Source:
    """Where a promise stands: a page and its section, an RFC section, or the user's own words."""

    page: str
    section: str

    def __str__(self) -> str:
        return f"{self.page}, {self.section}"


@dataclass(frozen=True, eq=False)
class Clause:
    """One promise. `given` and `expect` use the closed vocabulary of docs/clauses-vocabulary.md."""

    id: str
    level: Level
    says: str
    source: Source
    given: Mapping[str, Any]
    expect: Mapping[str, Any]

    @property
    def readings(self) -> Mapping[str, Mapping[str, Any]]:
        """What each dialect expects, or an empty mapping where the page speaks with one voice."""
        found: Mapping[str, Mapping[str, Any]] = self.expect.get("readings", {})
        return found


@dataclass(frozen=True)
class NotTestable:
    """A promise that no black-box call can exercise, and why."""

    id: str
    says: str
    source: Source
    reason: str


@dataclass(frozen=True)
class Dialect:
    """One reading of a contradiction. Readings with the same `of` exclude each other."""

    name: str
    of: str
    says: str


@dataclass(frozen=True)
class Quota:
    """`calls` within any `seconds`."""

    calls: int
    seconds: int
    documented: Literal["page", "elsewhere"] = "page"
    refused: int = 429  # the status that tells of it

    def __str__(self) -> str:
        unit = {60: "minute", 3600: "hour"}.get(self.seconds, f"{self.seconds} s")
        return f"{self.calls} per {unit}"


@dataclass(frozen=True)
class Server:
    """A host of the vendor. `scope` is what a token for it is asked of the identity platform
    with.
    """

    url: str
    scope: str | None = None


@dataclass(frozen=True)
class Provision:
    """A documented call that creates a resource in a state.

    `{names}` in `path` and in the strings of `body` stand for what the target file gives; `needs`
    says what each is. `id` is a JSON pointer into the answer. `by` is the identity that calls, or
    `owner`: whoever is to own the resource.
    """

    state: str
    does: str
    source: Source
    method: str
    path: str
    body: Any
    undo: str
    undo_by_cancel: bool = False
    needs: Mapping[str, str] = field(default_factory=dict)
    id: str = "/id"
    by: str = "primary"


SEPARATORS = frozenset(" \t_-")
GONE = "gone"  # the state of a resource whose GET is answered 404 or 410


def canonical(state: str) -> str:
    """Fold a state's spelling: case and separators do not count, nor does one l or two in
    cancelled.
    """
    letters = "".join(c for c in state.casefold() if c not in SEPARATORS)
    return letters.replace("cancelled", "canceled")


def folded(value: Any) -> Any:
    """Return a value of an entity as it is compared with that of a state."""
    if isinstance(value, bool):
        return (value,)  # or True would be 1
    return canonical(value) if isinstance(value, str) else value


@dataclass(frozen=True)
class Lifecycle:
    """The states of the resource. `after` is empty where no page names the state that a cancel
    leads to.

    What the resource shows is named by its places (contract/places.py), names of an entity that is
    opened along `ways`. A state shows where all its `values` do, or its name stands at one of
    `shows`; GONE where the resource is not there.
    """

    shows: tuple[str, ...]
    cancellable: tuple[str, ...]
    final: tuple[str, ...]
    after: tuple[str, ...]
    # Place in the entity -> property of the request that is kept in it.
    records: Mapping[str, str] = field(default_factory=dict)
    sets: tuple[str, ...] = ()  # places that a cancel fills
    touches: tuple[str, ...] = ()  # places that any call, or time, may change beside
    moments: tuple[str, ...] = ()  # places with dates, in the order in which they come
    caller: str | None = None  # the place that names who cancelled
    # Who is no administrator cancels what is their own alone: by a body that fits the schema that
    # is named so, or where it is True by any.
    owners: str | Literal[True] | None = None
    # State -> place -> value, of states that are not told by their name.
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    through: tuple[str, ...] = ()  # states that may show between the call and `after`
    within: float | None = None  # seconds that the effect may take; None: as long as usual
    leaves: Mapping[str, Any] = field(default_factory=dict)  # place -> value, once cancelled
    ways: frozenset[str] = frozenset()

    @property
    def states(self) -> tuple[str, ...]:
        return self.cancellable + self.final

    @cached_property
    def places(self) -> tuple[str, ...]:
        """Where the state stands."""
        rows = self.values.values()
        return tuple(dict.fromkeys((*self.shows, *(at for row in rows for at in row))))

    @cached_property
    def valued(self) -> frozenset[str]:
        """Where the values of states stand that are not told by their name."""
        return frozenset(at for row in self.values.values() for at in row)

    def signs(self, state: str) -> tuple[Mapping[str, Any], ...]:
        """Return what shows a state: all values of any of these rows."""
        if state == GONE:
            return ()
        if state in self.values:
            return (self.values[state],)
        return tuple({at: state} for at in self.shows)

    @cached_property
    def rows(self) -> tuple[tuple[str, Mapping[str, Any]], ...]:
        """Every state's name and signs, folded."""
        every = dict.fromkeys((*self.states, *self.after, *self.through))
        return tuple(
            (canonical(state), {at: folded(value) for at, value in sign.items()})
            for state in every
            for sign in self.signs(state)
        )

    @property
    def vanishes(self) -> bool:
        """Whether a cancel may leave nothing behind."""
        return GONE in self.after

    def kind(self, state: str) -> str:
        """Return "cancellable" or "final" for a provider state's name."""
        return "cancellable" if state in self.cancellable else "final"


@dataclass(frozen=True)
class Permission:
    """One documented alternative of `security`: a permission and the kind of token that
    carries it.
    """

    kind: Literal["delegated", "application"]
    name: str


@dataclass(frozen=True, eq=False)
class Contract:
    """Everything that the suite knows of one endpoint. `document` is the whole OpenAPI document,
    resolved.
    """

    name: str
    title: str
    path_of_file: str
    document: Mapping[str, Any]
    path: str
    observe_path: str | None
    server: str
    lifecycle: Lifecycle
    permissions: tuple[Permission, ...]
    audiences: tuple[str, ...]
    quotas: tuple[Quota, ...]
    dialects: tuple[Dialect, ...]
    clauses: tuple[Clause, ...]
    not_testable: tuple[NotTestable, ...]
    bodies: Mapping[str, Any]  # requestBody examples by name; empty where no body is to be sent
    entity_schema: Mapping[str, Any] | None
    error_schema: Mapping[str, Any] | None
    owners_schema: Mapping[str, Any] | None = None  # that `lifecycle.owners` names
    observed_schema: Mapping[str, Any] | None = None  # of what the GET shows
    servers: tuple[Server, ...] = ()  # of every cloud; `server` is the first
    provisions: tuple[Provision, ...] = ()
    reading: tuple[Permission, ...] = ()  # those of the GET that shows the resource
    default: bool = True  # whether a run takes it without being asked
    pages: Mapping[str, Page] = field(default_factory=dict)  # by the names in sources
    unproven: Mapping[str, str] = field(default_factory=dict)  # what `prove` leaves out -> why
    sha256: str = ""  # of the spec file's octets, in hexadecimal
    duties: tuple[Clause, ...] = ()  # of callers; `expect` is of contract/duties.py

    @cached_property
    def properties(self) -> frozenset[str]:
        """The properties that a page documents of what the GET or a success shows."""
        along = self.lifecycle.ways
        schemas = (self.entity_schema, self.observed_schema)
        return frozenset(name for schema in schemas for name, _ in documented(schema, along))

    @cached_property
    def lasting(self) -> frozenset[str]:
        """The documented properties that no call of this endpoint may change."""
        life = self.lifecycle
        written = {*life.places, *life.records, *life.sets, *life.touches, *life.leaves}
        return self.properties - written

    @cached_property
    def limit_statuses(self) -> tuple[int, ...]:
        """The statuses by which a limit may be told: 429, and what a quota is refused with."""
        return tuple(dict.fromkeys((429, *(quota.refused for quota in self.quotas))))

    @property
    def server_path(self) -> str:
        """The path of the documented server's URL, before every documented path."""
        return urlsplit(self.server).path.rstrip("/")

    @property
    def promises(self) -> tuple[Clause | NotTestable, ...]:
        """Every clause, of servers and of callers, and every promise that cannot be tested."""
        return (*self.clauses, *self.duties, *self.not_testable)

    @property
    def sources(self) -> tuple[Source, ...]:
        """Every source that it names."""
        promises = [row.source for row in self.promises]
        return (*promises, *(p.source for p in self.provisions))

    @property
    def operation(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.document["paths"][self.path]["post"]
        return found

    def clause(self, id_: str) -> Clause | None:
        return next((c for c in self.clauses if c.id == id_), None)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The ids of all clauses, and of the promises that cannot be tested."""
        return tuple(row.id for row in self.promises)

    def knows(self, id_: str) -> bool:
        return id_ in self.ids
