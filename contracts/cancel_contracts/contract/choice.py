"""Which clauses a person means: ids and patterns, levels, topics, where they stand. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

from cancel_contracts.contract.edition import times
from cancel_contracts.contract.links import RFC
from cancel_contracts.contract.model import Clause, Contract, Source
from cancel_contracts.contract.topics import topic
from cancel_contracts.errors import UsageError

SOURCES = ("page", "rfc", "user")
USER = "asked for by the user"  # the page of what no page says


@dataclass(frozen=True)
class Choice:
    """What was asked for; an empty field leaves all. Ids may be patterns (`MA-3*`), in either case,
    several in one text with commas between.
    """

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()

    def takes(self, clause: Clause) -> bool:
        """Whether a clause is meant, ids apart."""
        return (
            (not self.sources or source_kind(clause.source) in self.sources)
            and (not self.topics or topic(clause) in self.topics)
            and (not self.levels or clause.level in self.levels)
        )


def source_kind(source: Source) -> str:
    """Return whose promise it is: one of SOURCES."""
    if RFC.match(source.page):
        return "rfc"
    return "user" if source.page == USER else "page"


def selected(
    contracts: Sequence[Contract], choice: Choice
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the ids to keep to (none: all) and those to leave out.

    Raises UsageError for an id or a pattern that names no clause.
    """
    every = [clause for contract in contracts for clause in contract.clauses]
    only = matching(contracts, "--only", choice.only)
    skip = matching(contracts, "--skip", choice.skip)
    found = [c.id for c in every if choice.takes(c) and (not choice.only or c.id in only)]
    if len(found) == len(every):
        return (), tuple(sorted(skip))
    return (tuple(found), tuple(sorted(skip))) if found else ((), tuple(c.id for c in every))


def matching(contracts: Sequence[Contract], flag: str, given: Iterable[str]) -> set[str]:
    """Return the clauses that ids and patterns name. Raises UsageError."""
    ids = [clause.id for contract in contracts for clause in contract.clauses]
    left_out = {
        row.id: f"is in force {times(row)} alone" for c in contracts for row in c.whole.clauses
    }
    left_out |= {
        row.id: f"cannot be tested ({row.reason})" for c in contracts for row in c.not_testable
    }
    found: set[str] = set()
    for text in given:
        for part in filter(None, (part.strip() for part in text.split(","))):
            named = {id_ for id_ in ids if fnmatchcase(id_, part.upper())}
            if not named:
                raise UsageError(flag, *_complaint(part, left_out))
            found |= named
    return found


def _complaint(part: str, left_out: dict[str, str]) -> tuple[str, str]:
    if reason := left_out.get(part.upper()):
        return f"{part.upper()} {reason}", "see `cancel-contracts clauses`"
    return f"no clause has the id {part!r}", nearest(part, left_out)


def nearest(part: str, ids: Iterable[str]) -> str:
    """Return the fix for an id that is unknown: the nearest ones, or where they are listed."""
    near = get_close_matches(part.upper(), list(ids), 3)
    return f"did you mean {', '.join(near)}?" if near else "see `cancel-contracts clauses`"
