"""The gate: from verdicts to one outcome and one exit code. Pure.

The exit code never hides a gap: a must-clause that nothing exercised and nobody excused ends 4,
never 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from contracts.judge.judge import NEEDS_MINT, Judgement, Verdict
from contracts.spec.given import asked
from contracts.spec.model import Contract

EXIT = {"conforms": 0, "violated": 1, "inconclusive": 4, "nothing-selected": 5}
EFFECTS = ("effect", "neighbour", "keeps")


@dataclass(frozen=True)
class Outcome:
    """What a run comes to. `excuses` are the not_testable lines that would excuse the gaps, by
    contract.
    """

    word: str
    exit_code: int
    sentence: str
    excuses: Mapping[str, Mapping[str, str]]


def needs(contract: Contract, verdict: Verdict) -> set[str]:
    """Return the groups of needs (identities, mint, states, observe) that a clause has."""
    found = set()
    for situation in asked(contract, verdict.clause):
        if situation.identity != "primary":
            found.add("identities")
        if situation.resource in ("cancellable", "final"):
            found.add("states")
    expects = [verdict.clause.expect, *verdict.clause.readings.values()]
    if any(facet in expect for expect in expects for facet in EFFECTS):
        found.add("observe")
    if verdict.reason and verdict.reason.startswith(NEEDS_MINT):
        found.add("mint")
    return found


def excuse(judgement: Judgement, not_testable: Mapping[str, str]) -> Judgement:
    """Return the judgement with the target's reasons beside what it could not be asked.

    An excuse covers what was not exercised. It never covers a violation.
    """

    def one(verdict: Verdict) -> Verdict:
        if verdict.word != "not-exercised":
            return verdict
        reason = not_testable.get(verdict.clause.id)
        for group in sorted(needs(judgement.contract, verdict)):
            reason = reason or not_testable.get(group)
        return replace(verdict, excused=reason)

    return replace(judgement, verdicts=tuple(map(one, judgement.verdicts)))


def gap(verdict: Verdict) -> bool:
    """Whether a verdict keeps the run from conforming although nothing is violated."""
    if verdict.clause.level != "must" or verdict.excused:
        return False
    if verdict.word == "inconclusive":
        return True
    return verdict.word == "not-exercised" and not verdict.conditional


def decide(
    judgements: Sequence[Judgement], *, strict: bool = False, stale: Sequence[str] = ()
) -> Outcome:
    """Return the outcome of a run over its contracts. `stale` are baseline entries that excuse
    nothing any more.
    """
    failing = ("must", "should") if strict else ("must",)
    verdicts = [(j.contract.name, v) for j in judgements for v in j.verdicts]
    violated = [
        v.clause.id for _, v in verdicts if v.word == "violated" and v.clause.level in failing
    ]
    gaps = [(name, v) for name, v in verdicts if gap(v)]
    excuses: dict[str, dict[str, str]] = {}
    for name, v in gaps:
        if v.word == "not-exercised":
            excuses.setdefault(name, {})[v.clause.id] = v.reason or "not exercised"
    if not verdicts:
        return _outcome("nothing-selected", "no clause was selected", {})
    if violated or stale:
        parts = [f"violated: {', '.join(violated)}"] if violated else []
        parts += [f"{len(stale)} stale baseline entries: {stale[0]}"] if stale else []
        return _outcome("violated", "; ".join(parts), excuses)
    if gaps:
        named = ", ".join(v.clause.id for _, v in gaps[:12]) + (" …" if len(gaps) > 12 else "")
        unusable = next((j.unusable for j in judgements if j.unusable), None)
        told = unusable or f"{len(gaps)} must-clauses remain open: {named}"
        return _outcome("inconclusive", told, excuses)
    exercised = sum(1 for _, v in verdicts if v.word == "upheld")
    return _outcome("conforms", f"{exercised} clauses upheld, none violated", excuses)


def _outcome(word: str, sentence: str, excuses: dict[str, dict[str, str]]) -> Outcome:
    return Outcome(word, EXIT[word], sentence, excuses)
