"""Editions: what of a contract is in force on a day. Pure, but for the day that today is.

Rules:
- A clause, or a dialect, is in force from its `since` to the day before its `until`.
- Where no edition is named, the clauses of today are asked, and every dialect counts, whichever
  edition has it: a server may follow an older page. One that is `by_edition` does not: it takes a
  rule away that the page states elsewhere, and is asked for by name.
- Where one is named, its clauses are asked, and its dialects count. A contradiction of which one
  reading is left is none.
- Against whoever holds to an edition nothing is held that is newer.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import lru_cache

from cancel_contracts.contract.model import Clause, Contract, Dialect
from cancel_contracts.errors import UsageError

PERIOD = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
KEPT = 64  # narrowed contracts that are kept at hand


def last_day(place: str, text: str) -> date:
    """Return the last day of an edition: a year, a month or a day. Raises UsageError."""
    if found := PERIOD.fullmatch(text):
        year, month = int(found[1]), int(found[2] or 12)
        try:
            return date(year, month, int(found[3] or calendar.monthrange(year, month)[1]))
        except ValueError:  # IllegalMonthError is one
            pass
    problem = f"{text!r} is no edition"
    raise UsageError(place, problem, "write it as 2021, 2021-05 or 2021-05-10")


def today() -> date:
    return datetime.now(UTC).date()


def in_force(row: Clause | Dialect, day: date) -> bool:
    return (row.since is None or row.since <= day) and (row.until is None or day < row.until)


def newer(clause: Clause, held_to: date | None) -> bool:
    """Whether a clause is newer than the edition that a target holds to."""
    return held_to is not None and clause.since is not None and clause.since > held_to


def times(row: Clause | Dialect) -> str:
    """Return in words when a clause or a dialect is in force; empty where it always is."""
    told = [f"{word} {day}" for word, day in (("since", row.since), ("until", row.until)) if day]
    return " ".join(told)


def at(contract: Contract, edition: date | None, default: date | None = None) -> Contract:
    """Return the contract of an edition, or where None is named of the day `default`, which is
    today.
    """
    return _at(contract.whole, edition, edition or default or today())


@lru_cache(KEPT)
def _at(whole: Contract, edition: date | None, day: date) -> Contract:
    dialects = [
        d for d in whole.dialects if (in_force(d, day) if edition else not d.by_edition)
    ]  # fmt: skip
    each = [d.of for d in dialects]
    count = {d.name: each.count(d.of) for d in dialects}  # readings of its contradiction
    contract = replace(
        whole,
        dialects=tuple(d for d in dialects if count[d.name] > 1),
        clauses=tuple(_narrowed(whole.clauses, count, day)),
        duties=tuple(d for d in whole.duties if in_force(d, day)),
        edition=edition,
        editions=whole,
    )
    told = (contract.dialects, contract.clauses, contract.duties, edition)
    return contract if told != (whole.dialects, whole.clauses, whole.duties, None) else whole


def _narrowed(clauses: tuple[Clause, ...], count: dict[str, int], day: date) -> Iterator[Clause]:
    """Yield the clauses of a day, by the readings that count: the number of them by name."""
    for clause in clauses:
        if not in_force(clause, day):
            continue
        readings = {name: row for name, row in clause.readings.items() if name in count}
        if len(readings) == len(clause.readings):
            yield clause
        elif readings:
            ((alone, expect), *_) = readings.items()
            yield replace(clause, expect=expect if count[alone] == 1 else {"readings": readings})
