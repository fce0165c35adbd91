"""The text of a draft: YAML with the OpenAPI half, the lifecycle and the clauses, and a `# TO DO:`
before whatever somebody is to finish. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from cancel_contracts.draft.guess import Guess
from cancel_contracts.draft.half import Half
from cancel_contracts.draft.promises import Draft, prefix

WIDTH = 120
TODO = "# TO DO:"
FINISH = "in your own words"


class _Plain(yaml.SafeDumper):
    """What stands twice is written twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def text(place: str, page: str, half: Half, guess: Guess, clauses: Iterable[Draft]) -> str:
    """Return the spec file of a draft."""
    rows = [
        f"# Drafted from {place} by `cancel-contracts new-contract`.",
        f"# What is marked `{TODO[2:]}` is a guess, or to be said {FINISH}: then the mark goes.",
    ]
    marks = {**half.todo, "x-lifecycle": list(guess.todo)}
    for key, value in [*half.document.items(), ("x-lifecycle", guess.lifecycle)]:
        rows += [f"{TODO} {told}" for told in marks.get(key, ())]
        rows.append(_dump({key: value}, flow=None if isinstance(value, dict | list) else False))
    rows.append("x-clauses:")
    rows += _clauses(page, half.operation["operationId"], clauses)
    return "\n".join(rows) + "\n"


def _clauses(page: str, operation_id: str, clauses: Iterable[Draft]) -> Iterator[str]:
    """Yield the text of each clause, its id counted up; of two that ask the same, the first."""
    short, seen, number = prefix(operation_id), set(), 0
    for draft in clauses:
        if draft.level == "must" and draft.key in seen:
            continue
        seen.add(draft.key)
        number += 1
        yield f"  {TODO} says {FINISH}" + (f"; {draft.todo}" if draft.todo else "")
        row: Mapping[str, Any] = {
            "id": f"{short}-{number:02}",
            "level": draft.level,
            "says": draft.says,
            "source": {"page": page, "section": draft.section},
            "given": dict(draft.given),
            "expect": dict(draft.expect),
        }
        yield "\n".join(f"  {line}" for line in _dump([row]).split("\n"))


def _dump(value: Any, *, flow: bool | None = None) -> str:
    written: str = yaml.dump(
        value,
        Dumper=_Plain,
        sort_keys=False,
        default_flow_style=flow,
        width=WIDTH,
        allow_unicode=True,
    )
    return written.rstrip("\n")
