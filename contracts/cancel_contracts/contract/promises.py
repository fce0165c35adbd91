"""The promises of a spec file: its clauses, what cannot be tested, its dialects; and since when and
until when each is in force. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from cancel_contracts.contract.model import Clause, Dialect, NotTestable, Source
from cancel_contracts.errors import UsageError

Bad = Callable[[str, str, str], UsageError]


def read_clauses(document: Mapping[str, Any], party: str, bad: Bad) -> Iterator[Clause]:
    """Yield the clauses that one party has to keep, `server` or `caller`. What does not say since
    when it is in force has the date of its page.
    """
    pages = document.get("x-pages", {})
    dated = {name: {"since": row["since"]} for name, row in pages.items() if "since" in row}
    for row in document["x-clauses"]:
        if row.get("party", "server") == party:
            found = {key: value for key, value in row.items() if key != "party"}
            source = Source(**row["source"])
            times = _times(f"x-clauses/{row['id']}", {**dated.get(source.page, {}), **row}, bad)
            yield Clause(**{"given": {}, **found, "source": source, **times})


def read_not_testable(document: Mapping[str, Any]) -> Iterator[NotTestable]:
    for row in document.get("x-not-testable", []):
        yield NotTestable(**{**row, "source": Source(**row["source"])})


def read_dialects(document: Mapping[str, Any], bad: Bad) -> Iterator[Dialect]:
    for name, row in document.get("x-dialects", {}).items():
        yield Dialect(name, **{**row, **_times(f"x-dialects/{name}", row, bad)})


def _times(where: str, row: Mapping[str, Any], bad: Bad) -> dict[str, date]:
    found = {}
    for key in ("since", "until"):
        if (text := row.get(key)) is None:
            continue
        try:
            found[key] = date.fromisoformat(text)
        except ValueError:
            raise bad(f"{where}/{key}", f"{text!r} is no date", "write it as 2021-05-10") from None
    if len(found) == 2 and found["since"] >= found["until"]:
        raise bad(where, "ends before it begins", "see `since` and `until`, or that of its page")
    return found
