"""The facet of a state that is told twice: every cancel leaves all that tells it alike. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from cancel_contracts.contract.states import canonical
from cancel_contracts.exchange import Exchange
from cancel_contracts.judge.callers import ALONE, Findings
from cancel_contracts.judge.context import Context
from cancel_contracts.judge.entity import settled
from cancel_contracts.judge.facets import Finding
from cancel_contracts.needs import Gap
from cancel_contracts.sight.observation import Observation

Shown = dict[str, Any]  # by the name of the property; empty where no look tells


def left_alike(context: Context, exchanges: Sequence[Exchange]) -> Findings:
    """Of what was alike before a cancel the rarer way in which one leaves it is the deviation.

    One property may follow the other a while later: where a look at the end shows that it does,
    what had not moved yet is told by that look.
    """
    sight, rows = context.sight, dict[int, tuple[Shown, Shown, Shown]]()
    slow = set[str]()
    for i, x in enumerate(exchanges):
        before, after, last = (
            _shown(context, look) for look in (sight.before(x), settled(context, x), sight.last(x))
        )
        if before and after:
            rows[i] = before, after, last
            stayed = {name for name in last if _alike(before[name], after[name])}
            slow |= {name for name in stayed if not _alike(after[name], last[name])}
    ways: dict[str, dict[int, str]] = defaultdict(dict)  # by what showed before
    for i, (before, after, last) in rows.items():
        looks = (after, last) if last else (after,)
        for look in looks:
            if not any(_alike(before[name], look[name]) for name in slow):
                ways[str([canonical(str(v)) for v in before.values()])][i] = _way(before, look)
                break
    found: Findings = {}
    for row in ways.values():
        counted = Counter(canonical(way) for way in row.values())
        usual = counted.most_common(1)[0][0]
        expected = next(way for way in row.values() if canonical(way) == usual)
        for i, way in row.items():
            alone = counted.total() < 2
            found[i] = ALONE if alone else Finding(canonical(way) == usual, expected, way)
    return found


def _shown(context: Context, look: Observation | Gap | None) -> Shown:
    if not isinstance(look, Observation) or look.entity is None:
        return {}
    return {name: look.entity.get(name) for name in context.contract.lifecycle.places}


def _alike(one: Any, other: Any) -> bool:
    return canonical(str(one)) == canonical(str(other))


def _way(before: Shown, after: Shown) -> str:
    """Return in words which of the properties a cancel moved, and to what."""
    return ", ".join(
        f"{name} {'as before' if _alike(before[name], value) else repr(value)}"
        for name, value in after.items()
    )
