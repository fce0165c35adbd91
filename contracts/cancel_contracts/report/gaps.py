"""What keeps a run from conforming though nothing deviates: each reason once, and what would help.
Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cancel_contracts.gate import gap
from cancel_contracts.judge.judge import Judgement
from cancel_contracts.needs import Gap, Need

NAMES = "{names}"


def gaps(judgement: Judgement, clean: Callable[[str], str]) -> list[dict[str, Any]]:
    """Return the reasons of a contract's open must-clauses, those of most clauses first. The
    identities that are lacking are one reason.
    """
    found: dict[tuple[str, str | None], tuple[list[str], list[str]]] = {}
    for verdict in filter(gap, judgement.verdicts):
        for lack in verdict.gaps or [Gap(verdict.reason or "no reason is known")]:
            if lack.free:
                continue
            need, reason, name = lack.need, clean(lack.reason), ""
            if need and need.kind == "identity" and need.name and reason.endswith(need.name):
                need, name = Need("identity", NAMES), need.name
            row = (reason.removesuffix(name), need.fix if need else None)
            names, ids = found.setdefault(row, ([], []))
            names += [name] * (name not in names)
            ids += [verdict.clause.id] * (verdict.clause.id not in ids)
    ordered = sorted(found.items(), key=lambda row: -len(row[1][1]))
    return [
        {
            "reason": reason + ", ".join(names),
            "fix": fix and fix.replace(NAMES, "each of them" if names[1:] else names[0]),
            "clauses": ids,
        }
        for (reason, fix), (names, ids) in ordered
    ]
