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

from cancel_contracts.contract.credentials import BEARER, Permission, Scheme
from cancel_contracts.contract.ids import ANY_ID, Id
from cancel_contracts.contract.page import Page
from cancel_contracts.contract.parameters import UNIQUE, Parameter
from cancel_contracts.contract.places import documented
from cancel_contracts.contract.states import Lifecycle

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
    is in force from the day `since` to the day before `until`. `profile` is the least that asks it.
    """

    id: str
    level: Level
    says: str
    source: Source
    given: Mapping[str, Any]
    expect: Mapping[str, Any]
    since: date | None = None
    until: date | None = None
    profile: Literal["gate", "deep"] = "gate"

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
    id: Id = ANY_ID  # the path parameter that names the resource
    parameters: tuple[Parameter, ...] = ()  # the others of the cancel
    observe_parameters: tuple[Parameter, ...] = ()  # those of the GET
    scheme: Scheme = BEARER  # how credentials are carried
    media: str = "application/json"  # of a body
    body_schema: Mapping[str, Any] = field(default_factory=dict)
    owners_schema: Mapping[str, Any] | None = None  # that `lifecycle.owners` names
    observed_schema: Mapping[str, Any] | None = None  # of what the GET shows
    servers: tuple[Server, ...] = ()  # of every cloud; `server` is the first
    provisions: tuple[Provision, ...] = ()
    reading: tuple[Permission, ...] = ()  # those of the GET that shows the resource
    pages: Mapping[str, Page] = field(default_factory=dict)  # by the names in sources
    unproven: Mapping[str, str] = field(default_factory=dict)  # what `prove` leaves out -> why
    sha256: str = ""  # of the spec file's octets, in hexadecimal
    default: bool = True  # whether a run takes it without being asked
    duties: tuple[Clause, ...] = ()  # of callers; `expect` is of contract/duties.py
    edition: date | None = None  # the day that it was asked to be of
    editions: Contract | None = None  # with what is in force on other days, where this is without

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

    @property
    def keys(self) -> tuple[Parameter, ...]:
        """The parameters that carry a text of their own in each call, such as Idempotency-Key."""
        return tuple(p for p in self.parameters if p.place != "path" and UNIQUE in (p.value or ""))

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
    def whole(self) -> Contract:
        """The contract with the clauses and dialects of every edition."""
        return self.editions or self

    @property
    def method(self) -> str:
        """The method of the operation that cancels."""
        return self.lifecycle.method

    @property
    def operation(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.document["paths"][self.path][self.method.lower()]
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
