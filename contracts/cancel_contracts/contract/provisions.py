"""Read x-provision: documented calls that create a resource in a state."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cancel_contracts.contract.model import Provision, Source
from cancel_contracts.errors import UsageError

PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
UNIQUE = "unique"  # a text that no other call carries


def placeholders(value: Any) -> set[str]:
    """Return the names in braces in the strings of a JSON value."""
    if isinstance(value, str):
        return set(PLACEHOLDER.findall(value))
    if isinstance(value, dict):
        return {name for item in value.values() for name in placeholders(item)}
    if isinstance(value, list):
        return {name for item in value for name in placeholders(item)}
    return set()


def read_provisions(
    document: Mapping[str, Any], bad: Callable[[str, str, str], UsageError]
) -> Iterator[Provision]:
    """Yield the rows of x-provision. `bad(place, problem, fix)` makes the error of the file."""
    states = (*document["x-lifecycle"]["cancellable"], *document["x-lifecycle"]["final"])
    for index, row in enumerate(document.get("x-provision", [])):
        where, create, needs = f"x-provision/{index}", row["create"], row.get("needs", {})
        if row["state"] not in states:
            problem = f"no state is named {row['state']!r}"
            raise bad(where, problem, "use a state of x-lifecycle")
        used = placeholders([create["path"], create.get("body")]) - {UNIQUE}
        for name in sorted(used ^ set(needs)):
            problem = "is not used" if name in needs else "is not told of"
            raise bad(f"{where}/needs", f"{{{name}}} {problem}", "name what the call holds")
        yield Provision(
            state=row["state"],
            does=row["does"],
            source=Source(**row["source"]),
            method=create["method"],
            path=create["path"],
            body=create.get("body"),
            undo=row["undo"]["says"],
            undo_by_cancel="call" in row["undo"],
            needs=needs,
            id=row.get("id", "/id"),
            by=row.get("by", "primary"),
        )
