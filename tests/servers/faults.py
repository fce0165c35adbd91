"""The register of faults: each a service that breaks a promise, with the clauses that must say so.

The modules `faults_*` fill it. A fault names clauses of which every one must be violated; where it
names none but a contract's letters, any clause will do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from servers.service import Service

Choices = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Fault:
    """A service that deviates. `clauses` by contract; `attributes` narrow the service.

    `beside` are clauses whose exchanges give the named ones something to judge: a run of the whole
    contract needs none. `hangs`: a short patience will do, and saves time. `profile` is the least
    that catches it.
    """

    name: str
    clauses: Mapping[str, tuple[str, ...]]
    service: type[Service]
    attributes: Mapping[str, Any]
    beside: tuple[str, ...] = ()
    hangs: bool = False
    profile: str = "gate"

    def only(self, short: str) -> tuple[str, ...]:
        """Return the clauses to select, or nothing for the whole contract."""
        named = self.clauses[short]
        return (*named, *(id_ for id_ in self.beside if id_.startswith(short))) if named else ()


FAULTS: list[Fault] = []


def _words(service: type[Service]) -> str:
    return re.sub(
        r"(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z0-9])(?=[A-Z][a-z])", " ", service.__name__
    ).lower()


def breaks(
    clauses: str,
    each: Choices | None = None,
    *,
    beside: str = "",
    hangs: bool = False,
    deep: bool = False,
) -> Callable[[type[Service]], type[Service]]:
    """Register a service under its name, once or for each of several choices of its attributes.
    `deep`: no gate asks for it.
    """
    found: dict[str, tuple[str, ...]] = {}
    for word in clauses.split():
        short, _, number = word.partition("-")
        found[short] = (*found.get(short, ()), *((word,) if number else ()))

    def register(service: type[Service]) -> type[Service]:
        words = _words(service)
        for label, attributes in (each or {"": {}}).items():
            name = f"{words}: {label}" if label else words
            profile = "deep" if deep else "gate"
            aside = tuple(beside.split())
            FAULTS.append(Fault(name, found, service, attributes, aside, hangs, profile))
        return service

    return register


def values(name: str, *choices: Any) -> dict[str, dict[str, Any]]:
    """Return choices of one attribute, labelled by their value."""
    return {str(choice) or "none": {name: choice} for choice in choices}
