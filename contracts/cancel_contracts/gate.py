"""The gate: from verdicts to one outcome and one exit code. Pure.

The exit code never hides a gap: a must-clause that nothing exercised and nobody excused ends 4,
never 0. Two figures stand beside it and are never blended: *kept*, the must-clauses upheld of those
judged, and *covered*, those judged of all that were selected. What is newer than the edition that
the target holds to stands in neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cancel_contracts.errors import SUITE_FAILED
from cancel_contracts.judge.judge import Judgement, Verdict
from cancel_contracts.needs import Gap

EXIT = {"conforms": 0, "violated": 1, "inconclusive": 4, "nothing-selected": 5}
SHOWN_GAPS = 12


@dataclass(frozen=True)
class Figures:
    """How many must-clauses were selected, judged of these and upheld of these. `excused` names
    the clauses that stand aside, by the key of the excuse; `newer` those of any level that are
    newer than the edition that the target holds to, by their verdict.
    """

    upheld: int
    judged: int
    selected: int
    excused: Mapping[str, tuple[str, ...]]
    newer: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def covered_percent(self) -> float:
        return 100 * self.judged / self.selected if self.selected else 100.0


@dataclass(frozen=True)
class Outcome:
    """What a run comes to. `excuses` are the not_testable lines that would excuse the gaps, by
    contract.
    """

    word: str
    exit_code: int
    sentence: str
    excuses: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def gap(verdict: Verdict) -> bool:
    """Whether a verdict keeps the run from conforming although nothing is violated."""
    if verdict.clause.level != "must" or verdict.excused or verdict.newer:
        return False
    if verdict.word == "inconclusive":
        return True
    return verdict.word == "not-exercised" and not verdict.conditional


def tally(rows: Iterable[tuple[str, str]]) -> tuple[int, int, int]:
    """Return how many must-clauses are upheld, judged and selected, of levels and verdicts. An
    accepted violation is judged, and not kept.
    """
    musts = [word for level, word in rows if level == "must"]
    judged = [word for word in musts if word in ("upheld", "violated", "accepted")]
    return judged.count("upheld"), len(judged), len(musts)


def figures(verdicts: Iterable[Verdict]) -> Figures:
    """Return the two figures of the must-clauses, and who stands aside."""
    every = list(verdicts)
    verdicts = [v for v in every if not v.newer]
    excused: dict[str, list[str]] = {}
    for verdict in verdicts:
        if verdict.excused and verdict.clause.level == "must":
            for key in verdict.excused_by or (verdict.clause.id,):
                excused.setdefault(key, []).append(verdict.clause.id)
    named = {key: tuple(ids) for key, ids in sorted(excused.items())}
    newer: dict[str, tuple[str, ...]] = {}
    for verdict in every:
        if verdict.newer:
            newer[verdict.word] = (*newer.get(verdict.word, ()), verdict.clause.id)
    return Figures(*tally((v.clause.level, v.word) for v in verdicts), named, newer)


def decide(
    judgements: Sequence[Judgement],
    *,
    strict: bool = False,
    stale: Sequence[str] = (),
    stale_excuses: Sequence[str] = (),
    min_covered: float = 0.0,
    nothing: str | None = None,
    crashes: Sequence[str] = (),
    caller: bool = False,
) -> Outcome:
    """Return the outcome of a run over its contracts.

    `stale` and `stale_excuses` are baseline entries, and lines of the target file, that excuse
    nothing any more; `min_covered` is the percentage of must-clauses that have to be judged;
    `crashes` are faults of the suite itself: with one no run conforms, whatever its verdicts, and
    whatever it has found stands. `nothing` says why there may be nothing to judge, `caller` that
    what callers break fails as well.
    """
    outcome = _decide(judgements, strict, stale, stale_excuses, min_covered, nothing, caller)
    if not crashes:
        return outcome
    word = "violated" if outcome.word == "violated" else "inconclusive"
    sentence = f"{crashes[0]}; please report it. What was seen before: {outcome.sentence}"
    return replace(outcome, word=word, exit_code=SUITE_FAILED, sentence=sentence)


def _decide(
    judgements: Sequence[Judgement],
    strict: bool,
    stale: Sequence[str],
    stale_excuses: Sequence[str],
    min_covered: float,
    nothing: str | None,
    caller: bool,
) -> Outcome:
    failing = ("must", "should") if strict else ("must",)
    verdicts = [v for j in judgements for v in j.verdicts]
    if not verdicts:
        return _outcome("nothing-selected", nothing or "no clause was selected")
    bad = [v for v in verdicts if v.word == "violated" and not v.newer]
    violated = [v.clause.id for v in bad if v.clause.level in failing]
    duties = [v for j in judgements for v in j.duties] if caller else []
    broken = [v.clause.id for v in duties if v.word == "violated" and v.clause.level in failing]
    excuses = _excuses(judgements)
    if violated or broken or stale or stale_excuses:
        parts = [f"violated: {', '.join(violated)}"] if violated else []
        parts += [f"broken by the caller: {', '.join(broken)}"] if broken else []
        for kind, lines in (("baseline entries", stale), ("excuses", stale_excuses)):
            parts += [f"{len(lines)} stale {kind}: {lines[0]}"] if lines else []
        return _outcome("violated", "; ".join(parts), excuses)
    if gaps := [v.clause.id for v in verdicts if gap(v)]:
        more = " …" if len(gaps) > SHOWN_GAPS else ""
        unusable = next((j.unusable for j in judgements if j.unusable), None)
        open_ = f"{len(gaps)} must-clause{'s remain' if len(gaps) > 1 else ' remains'} open"
        told = unusable or f"{open_}: {', '.join(gaps[:SHOWN_GAPS])}{more}"
        return _outcome("inconclusive", told, excuses)
    covered = figures(verdicts).covered_percent
    if covered < min_covered:
        told = f"{covered:.1f} % of the must-clauses are covered, less than {min_covered:g} %"
        return _outcome("inconclusive", told, excuses)
    exercised = sum(v.word == "upheld" for v in verdicts)
    return _outcome(
        "conforms", f"{exercised} clause{'s' * (exercised != 1)} upheld, none violated", excuses
    )


def _excuses(judgements: Sequence[Judgement]) -> dict[str, dict[str, str]]:
    """Return the lines that would excuse the gaps: a need by its key, else a clause by its id."""
    found: dict[str, dict[str, str]] = {}
    for judgement in judgements:
        for verdict in filter(gap, judgement.verdicts):
            if verdict.word != "not-exercised":
                continue
            rows = found.setdefault(judgement.contract.name, {})
            for gap_ in verdict.gaps or [Gap(verdict.reason or "not exercised")]:
                if not gap_.free:
                    key = gap_.need.keys[0] if gap_.need else verdict.clause.id
                    rows.setdefault(key, gap_.reason)
    return found


def _outcome(
    word: str, sentence: str, excuses: Mapping[str, Mapping[str, str]] | None = None
) -> Outcome:
    return Outcome(word, EXIT[word], sentence, excuses or {})
