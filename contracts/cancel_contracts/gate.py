"""The gate: from verdicts to one outcome and one exit code. Pure.

The exit code never hides a gap: a must-clause that nothing exercised and nobody excused ends 4,
never 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cancel_contracts.errors import SUITE_FAILED
from cancel_contracts.judge.judge import Judgement, Verdict

EXIT = {"conforms": 0, "violated": 1, "inconclusive": 4, "nothing-selected": 5}


@dataclass(frozen=True)
class Outcome:
    """What a run comes to. `excuses` are the not_testable lines that would excuse the gaps, by
    contract.
    """

    word: str
    exit_code: int
    sentence: str
    excuses: Mapping[str, Mapping[str, str]]


def excuse(judgement: Judgement, not_testable: Mapping[str, str]) -> Judgement:
    """Return the judgement with the target's reasons beside what it could not be asked.

    An excuse covers what was not exercised, for the need that it names. It never covers a
    violation.
    """

    def one(verdict: Verdict) -> Verdict:
        if verdict.word != "not-exercised":
            return verdict
        reason = not_testable.get(verdict.clause.id)
        if reason is None and verdict.lacks and verdict.lacks <= not_testable.keys():
            reason = not_testable[min(verdict.lacks)]
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
    judgements: Sequence[Judgement],
    *,
    strict: bool = False,
    stale: Sequence[str] = (),
    crashes: Sequence[str] = (),
    nothing: str | None = None,
) -> Outcome:
    """Return the outcome of a run over its contracts. `stale` are baseline entries that excuse
    nothing any more, `crashes` faults of the suite itself: with one no run conforms, whatever its
    verdicts, and whatever it has found stands. `nothing` says why there may be nothing to judge.
    """
    outcome = _decide(judgements, strict=strict, stale=stale, nothing=nothing)
    if not crashes:
        return outcome
    word = "violated" if outcome.word == "violated" else "inconclusive"
    sentence = f"{crashes[0]}; please report it. What was seen before: {outcome.sentence}"
    return replace(outcome, word=word, exit_code=SUITE_FAILED, sentence=sentence)


def _decide(
    judgements: Sequence[Judgement], *, strict: bool, stale: Sequence[str], nothing: str | None
) -> Outcome:
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
        return _outcome("nothing-selected", nothing or "no clause was selected", {})
    if violated or stale:
        parts = [f"violated: {', '.join(violated)}"] if violated else []
        parts += [f"{len(stale)} stale baseline entries: {stale[0]}"] if stale else []
        return _outcome("violated", "; ".join(parts), excuses)
    if gaps:
        named = ", ".join(v.clause.id for _, v in gaps[:12]) + (" …" if len(gaps) > 12 else "")
        unusable = next((j.unusable for j in judgements if j.unusable), None)
        one = len(gaps) == 1
        open_ = "1 must-clause remains" if one else f"{len(gaps)} must-clauses remain"
        told = unusable or f"{open_} open: {named}"
        return _outcome("inconclusive", told, excuses)
    exercised = sum(1 for _, v in verdicts if v.word == "upheld")
    return _outcome(
        "conforms", f"{exercised} clause{'s' * (exercised != 1)} upheld, none violated", excuses
    )


def _outcome(word: str, sentence: str, excuses: dict[str, dict[str, str]]) -> Outcome:
    return Outcome(word, EXIT[word], sentence, excuses)
