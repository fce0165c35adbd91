"""What keeps a run from conforming though nothing deviates: each reason once, and what would help.
Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cancel_contracts.gate import gap
from cancel_contracts.judge.judge import Judgement
from cancel_contracts.needs import Gap


def gaps(judgement: Judgement, clean: Callable[[str], str]) -> list[dict[str, Any]]:
    """Return the reasons of a contract's open must-clauses, those of most clauses first."""
    found: dict[tuple[str, str | None], list[str]] = {}
    for verdict in filter(gap, judgement.verdicts):
        for lack in verdict.gaps or [Gap(verdict.reason or "no reason is known")]:
            if not lack.free:
                row = (clean(lack.reason), lack.need.fix if lack.need else None)
                ids = found.setdefault(row, [])
                ids += [verdict.clause.id] * (verdict.clause.id not in ids)
    ordered = sorted(found.items(), key=lambda row: -len(row[1]))
    return [{"reason": why, "fix": fix, "clauses": ids} for (why, fix), ids in ordered]
