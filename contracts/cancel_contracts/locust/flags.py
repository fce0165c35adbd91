"""The flags that Locust takes for the contracts, and what they name."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cancel_contracts.assignment import Assignment, Options, assign
from cancel_contracts.cli.choosing import pinned_dialects
from cancel_contracts.cli.options import (
    REPORTS,
    check_reports,
    load_contracts,
    open_target,
)
from cancel_contracts.contract.edition import last_day
from cancel_contracts.errors import UsageError
from cancel_contracts.identity.identities import Identities
from cancel_contracts.load.passes import check
from cancel_contracts.redact.secrets import Redactor
from cancel_contracts.targets.file import Target
from cancel_contracts.transport.client import Timeouts

FILE = {"metavar": "FILE"}
FLAGS: dict[str, tuple[str, dict[str, Any]]] = {
    "target": ("The target's description (target.yaml).", FILE),
    "contract": ("Only this contract (repeatable).", {"action": "append", "metavar": "NAME"}),
    "edition": (
        "The clauses and dialects of this day (2021, 2021-05, 2021-05-10).", {"metavar": "DATE"},
    ),
    "dialect": (
        "Pin the reading of a contradiction (repeatable).", {"action": "append", "metavar": "C=D"},
    ),
    "strict": ("A violated should-clause fails too.", {"action": "store_true"}),
    "seed": (
        "What random ids and bodies are drawn by.", {"type": int, "default": 0, "metavar": "N"},
    ),
    "timeout": (
        "Silence on the wire after which a call counts as unanswered.",
        {"type": float, "default": 10.0, "metavar": "SECONDS"},
    ),
    "cacert": ("CA certificates (PEM) that the target is trusted by.", FILE),
    **{flag.removeprefix("--"): (told, FILE) for flag, told in REPORTS.items()},
}  # fmt: skip


def add_to(parser: ArgumentParser) -> None:
    """Add the flags; a master hands them on to its workers."""
    group = parser.add_argument_group("Cancel contracts")
    for name, (told, flag) in FLAGS.items():
        group.add_argument(f"--contracts-{name}", help=told, **flag)


@dataclass(frozen=True)
class Task:
    """What is to be put under load, and how that is told."""

    target: Target
    options: Options
    assignments: tuple[Assignment, ...]
    callers: tuple[Identities, ...]  # of each assignment
    redactor: Redactor
    reports: dict[str, Path]


def task_of(flags: Any, host: str | None) -> Task:
    """Read what the flags name. Raises UsageError."""

    def given(name: str) -> Any:
        return getattr(flags, f"contracts_{name.replace('-', '_')}")

    def path(name: str) -> Path | None:
        return Path(given(name)) if given(name) else None

    if not given("target") and not host:
        raise UsageError("--contracts-target", "is missing", "give it, or --host URL")
    named = given("edition")
    edition = None if named is None else last_day("--contracts-edition", named)
    contracts = load_contracts((), given("contract") or (), edition)
    with open_target(contracts, host or None, path("target")) as target:
        pass  # a file's, or that of a URL: neither is closed
    read = given("timeout")
    options = Options(
        seed=given("seed"),
        strict=given("strict"),
        pinned=pinned_dialects(contracts, given("dialect") or ()),
        timeouts=Timeouts(connect=min(5.0, read), read=read, total=2 * read),
        cacert=path("cacert"),
    )
    assignments = assign(contracts, target, options)
    for assignment in assignments:
        check(assignment)
    redactor = Redactor()
    callers = [Identities(a.contract, a.endpoint, redactor) for a in assignments]
    files = (flag.removeprefix("--") for flag in REPORTS)
    reports = check_reports({name.replace("-", "_"): path(name) for name in files})
    return Task(target, options, tuple(assignments), tuple(callers), redactor, reports)
