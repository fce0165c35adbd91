"""The lines of a target file that would excuse what was not exercised. Pure."""

from __future__ import annotations

from typing import Any

import yaml


def lines(excuses: dict[str, dict[str, str]]) -> list[str]:
    """Return YAML to paste into a target file, or nothing where there is nothing to excuse."""
    rows: dict[str, str] = {}
    for reasons in excuses.values():
        rows.update(reasons)
    if not rows:
        return []
    text: str = yaml.safe_dump(
        {"not_testable": rows}, allow_unicode=True, sort_keys=False, width=2**31
    )
    return text.splitlines()


def of(record: dict[str, Any]) -> list[str]:
    """Return the lines for a record.

    A contract of which nothing can be said (nobody there, credentials refused) has nothing to
    excuse: there the target is to be mended.
    """
    unusable = {c["name"] for c in record["contracts"] if c["unusable"]}
    return lines({n: rows for n, rows in record["excuses"].items() if n not in unusable})
