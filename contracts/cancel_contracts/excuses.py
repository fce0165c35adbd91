"""Excuses: the reasons of a target file (`not_testable`) beside what was lacking, those of them
that are stale, and what is newer than the edition that the target holds to. Pure.

An excuse speaks of a need, by one of its keys, or of a clause by its id. It covers what was not
exercised; it never covers a violation, and keeps nothing from being asked. One for what was in fact
exercised is stale, as an entry of a baseline is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from cancel_contracts.contract.callers import ROLES
from cancel_contracts.contract.edition import newer
from cancel_contracts.contract.given import permission_of
from cancel_contracts.journal import Journal
from cancel_contracts.judge.judge import Judgement, Verdict
from cancel_contracts.needs import GROUPS, Need


def excuse(
    judgement: Judgement, not_testable: Mapping[str, str], held_to: date | None = None
) -> Judgement:
    """Return the judgement with the target's reasons beside what it could not be asked. What is
    newer than the edition `held_to` needs none: it is not held against the target.
    """

    def one(verdict: Verdict) -> Verdict:
        if newer(verdict.clause, held_to):
            told = f"newer than the edition of {held_to}: in force since {verdict.clause.since}"
            return replace(
                verdict, newer=True, reason="; ".join(filter(None, (told, verdict.reason)))
            )
        if verdict.word != "not-exercised" or verdict.conditional:
            return verdict
        keys = _keys(verdict, not_testable)
        return replace(verdict, excused=not_testable[keys[0]], excused_by=keys) if keys else verdict

    return replace(judgement, verdicts=tuple(map(one, judgement.verdicts)))


def _keys(verdict: Verdict, not_testable: Mapping[str, str]) -> tuple[str, ...]:
    """Return the keys that excuse a verdict together; none where a need of it is not excused."""
    if verdict.clause.id in not_testable:
        return (verdict.clause.id,)
    found = set()
    for gap in verdict.gaps:
        keys = gap.need.keys if gap.need else ()
        key = next((key for key in keys if key in not_testable), None)
        if key is None and not gap.free:
            return ()
        found.add(key)
    return tuple(sorted(key for key in found if key))


@dataclass(frozen=True)
class Excused:
    """One contract's run beside the excuses that its target file gives."""

    judgement: Judgement
    journal: Journal
    not_testable: Mapping[str, str]


def stale(rows: Iterable[Excused]) -> list[str]:
    """Return, in words, the excuses of needs that were met, and of clauses that were judged.

    One that any contract of the run still needs is not stale. Of a whole group nothing is known
    where only some clauses were selected.
    """
    needed: set[str] = set()
    met: dict[str, str] = {}
    for row in rows:
        lacking = {gap.need for gap in row.journal.missing.values()}
        lacking |= {gap.need for v in row.judgement.verdicts for gap in v.gaps}
        needed |= {key for need in lacking if need for key in need.keys}
        judged = {v.clause.id for v in row.judgement.verdicts}
        least = {c.id for c in row.judgement.contract.clauses if c.profile == "gate"}
        used = _used(row.journal, judged >= least)
        words = {v.clause.id: v.word for v in row.judgement.verdicts if not v.newer}
        for key in row.not_testable:
            if key in used:
                met[key] = f"{key} is exercised now; delete this line"
            elif words.get(key) == "violated":
                met[key] = f"{key} is violated, which no excuse covers; accept it in a baseline"
            elif words.get(key) in ("upheld", "accepted"):
                met[key] = f"{key} is exercised now; delete this line"
    return [f"not_testable: {text}" for key, text in met.items() if key not in needed]


def _used(journal: Journal, whole: bool) -> set[str]:
    """Return the keys of the needs that a run has met, those of groups where it was a `whole` one.

    What is excused for want of a GET is not looked at, so that nothing can be said of it.
    """
    found: set[Need] = set()
    for exchange in journal.exchanges:
        situation = exchange.situation
        permission = permission_of(situation.identity)
        if permission or situation.identity in ROLES:
            found.add(Need("identity", permission or situation.identity))
        if situation.state:
            found.add(Need("state", situation.state))
        if situation.owner:
            found.add(Need("owner", situation.owner))
    keys = {key for need in found for key in need.keys}
    keys = keys if whole else keys - set(GROUPS.values())
    return {*keys, GROUPS["mint"]} if journal.minted else keys
