"""A contract as data: operation, lifecycle, clauses, dialects.

Frozen; loaded from one OpenAPI document by `load.py`. Knows no endpoint and does no I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, Literal
from urllib.parse import urlsplit

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
    """One promise. `given` and `expect` use the closed vocabulary of docs/clauses-vocabulary.md. It
    is in force from the day `since` to the day before `until`.
    """

    id: str
    level: Level
    says: str
    source: Source
    given: Mapping[str, Any]
    expect: Mapping[str, Any]
    since: date | None = None
    until: date | None = None

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
    """One reading of a contradiction. Readings with the same `of` exclude each other. `by_edition`:
    it counts only where an edition is named that has it.
    """

    name: str
    of: str
    says: str
    since: date | None = None
    until: date | None = None
    by_edition: bool = False


@dataclass(frozen=True)
class Quota:
    """`calls` within any `seconds`."""

    calls: int
    seconds: int
    documented: Literal["page", "elsewhere"] = "page"

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


def canonical(state: str) -> str:
    """Fold a state's spelling: case and separators do not count, nor does one l or two in
    cancelled.
    """
    letters = "".join(c for c in state.casefold() if c not in SEPARATORS)
    return letters.replace("cancelled", "canceled")


@dataclass(frozen=True)
class Lifecycle:
    """The states of the resource. `after` is empty where no page names the state that a cancel
    leads to.
    """

    shows: tuple[str, ...]
    cancellable: tuple[str, ...]
    final: tuple[str, ...]
    after: tuple[str, ...]
    # Property of the entity -> property of the request that is kept in it.
    records: Mapping[str, str] = field(default_factory=dict)
    sets: tuple[str, ...] = ()  # properties that a cancel fills
    touches: tuple[str, ...] = ()  # properties that any call, or time, may change beside
    moments: tuple[str, ...] = ()  # properties with dates, in the order in which they come
    caller: str | None = None  # the property that names who cancelled
    # Name of the schema that an owner's (non-administrator's) body must fit.
    owners: str | None = None

    @property
    def states(self) -> tuple[str, ...]:
        return self.cancellable + self.final

    def kind(self, state: str) -> str:
        """Return "cancellable" or "final" for a provider state's name."""
        return "cancellable" if state in self.cancellable else "final"

    def cancelled(self, shown: str) -> bool:
        return canonical(shown) in {canonical(name) for name in self.after}


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
    pages: Mapping[str, str] = field(default_factory=dict)  # addresses, by the names in sources
    duties: tuple[
        Clause, ...
    ] = ()  # what the pages ask of callers; `expect` is of contract/duties.py
    edition: date | None = None  # the day that it was asked to be of
    editions: Contract | None = None  # with what is in force on other days, where this is without

    @cached_property
    def properties(self) -> frozenset[str]:
        """The properties that a page documents of what the GET or a success shows."""
        return frozenset(_properties(self.entity_schema) | _properties(self.observed_schema))

    @cached_property
    def lasting(self) -> frozenset[str]:
        """The documented properties that no call of this endpoint may change."""
        life = self.lifecycle
        return self.properties - {*life.shows, *life.records, *life.sets, *life.touches}

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
    def whole(self) -> Contract:
        """The contract with the clauses and dialects of every edition."""
        return self.editions or self

    @property
    def operation(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.document["paths"][self.path]["post"]
        return found

    def clause(self, id_: str) -> Clause | None:
        """Return a clause; one that is not in force as another edition has it."""
        return next((c for c in (*self.clauses, *self.whole.clauses) if c.id == id_), None)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The ids of all clauses, and of the promises that cannot be tested."""
        return tuple(row.id for row in self.promises)

    def knows(self, id_: str) -> bool:
        return id_ in self.whole.ids


def _properties(schema: Any) -> set[str]:
    """Return the names that an object's schema lists, those of its parts included."""
    if not isinstance(schema, Mapping):
        return set()
    parts = (part for key in ("allOf", "anyOf", "oneOf") for part in schema.get(key) or ())
    return set(schema.get("properties") or ()).union(*map(_properties, parts))
