"""Judge a journal: a verdict for each clause, with its evidence. Pure: no I/O, no clock.

Rules:
- A clause is *exercised* by an exchange that it speaks of and that tells something of one of its
  facets at least.
- It is *violated* by one bad answer among however many; *upheld* when each situation it asks for
  was exercised and
  nothing deviates; else *not-exercised*, or *inconclusive* where it was tried and nobody answered.
- Readings of a contradiction are settled once for all clauses that share it: the reading with the
  fewest
  deviations is the one the target follows (the first listed where they tie), or the one that is
  pinned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from contracts.exchange import NOBODY_THERE, Exchange, Journal, Situation
from contracts.judge.context import Context
from contracts.judge.effect import EFFECTS
from contracts.judge.facets import FACETS, Facet
from contracts.judge.overall import OVERALL
from contracts.spec.given import asked, conditional, matches
from contracts.spec.model import Clause, Contract

Word = Literal["upheld", "violated", "not-exercised", "inconclusive", "accepted"]
# How a reason begins that a group of `not_testable` excuses.
GROUPS = ("identities", "mint", "states", "observe")
NOT_SHOWN = "observe: the answers tell nothing of it and no GET shows it"
SINGLE: dict[str, Facet] = {**FACETS, **EFFECTS}


@dataclass(frozen=True)
class Evidence:
    """One exchange that a clause is judged by, what was expected of it and what came."""

    exchange: Exchange
    expected: str
    actual: str


@dataclass(frozen=True)
class Verdict:
    """What is to be said of one clause. `excused` is the reason given for what was not
    exercised.
    """

    clause: Clause
    word: Word
    exercised: int = 0
    violations: tuple[Evidence, ...] = ()
    upheld_by: Evidence | None = None
    reason: str | None = None
    conditional: bool = False
    excused: str | None = None
    lacks: frozenset[str] = frozenset()  # the groups of needs behind the gaps; "" for any other


@dataclass(frozen=True)
class Judgement:
    """The verdicts of one contract and the readings that the target was seen to follow, by
    contradiction.
    """

    contract: Contract
    verdicts: tuple[Verdict, ...]
    readings: Mapping[str, str]
    unusable: str | None = None


@dataclass(frozen=True)
class _Trial:
    """One clause held against its exchanges under one expectation."""

    good: tuple[Evidence, ...]
    bad: tuple[Evidence, ...]


def judge(
    contract: Contract, journal: Journal, clauses: Sequence[Clause], pinned: Sequence[str] = ()
) -> Judgement:
    """Return the verdicts for `clauses`, in their order."""
    context = Context.of(contract, journal)
    spoken = {c.id: [x for x in journal.exchanges if matches(contract, c, x)] for c in clauses}
    readings = _settle(context, clauses, spoken, pinned)
    unusable = _unusable(journal)
    verdicts = []
    for clause in clauses:
        expect = clause.expect
        if clause.readings:
            expect = next(e for name, e in clause.readings.items() if name in readings.values())
        verdict = _verdict(context, clause, spoken[clause.id], expect)
        if unusable and verdict.word != "not-exercised":
            verdict = Verdict(clause, "inconclusive", reason=unusable)
        verdicts.append(verdict)
    seen = {
        of: name
        for of, name in readings.items()
        if any(v.exercised for v in verdicts if name in v.clause.readings)
    }
    return Judgement(contract, tuple(verdicts), seen, unusable)


def _try(context: Context, exchanges: Sequence[Exchange], expect: Mapping[str, Any]) -> _Trial:
    good: list[Evidence] = []
    bad: list[Evidence] = []
    overall = {
        name: OVERALL[name](context, exchanges, wanted)
        for name, wanted in expect.items()
        if name in OVERALL
    }
    for i, exchange in enumerate(exchanges):
        findings = [
            finding
            for name, wanted in expect.items()
            if (
                finding := overall[name].get(i)
                if name in overall
                else SINGLE[name](context, exchange, wanted)
            )
        ]
        if failed := next((f for f in findings if not f.ok), None):
            bad.append(Evidence(exchange, failed.expected, failed.actual))
        elif findings:
            good.append(Evidence(exchange, findings[0].expected, findings[0].actual))
    return _Trial(tuple(good), tuple(bad))


def _settle(
    context: Context,
    clauses: Sequence[Clause],
    spoken: Mapping[str, Sequence[Exchange]],
    pinned: Sequence[str],
) -> dict[str, str]:
    """Return the reading to hold the target to, for each contradiction."""
    chosen: dict[str, str] = {}
    dialects = context.contract.dialects
    for of in dict.fromkeys(d.of for d in dialects):
        names = [d.name for d in dialects if d.of == of]
        if fixed := next((n for n in names if n in pinned), None):
            chosen[of] = fixed
            continue
        deviations = {
            name: sum(
                len(_try(context, spoken[c.id], c.readings[name]).bad)
                for c in clauses
                if name in c.readings
            )
            for name in names
        }
        chosen[of] = min(names, key=lambda n: deviations[n])
    return chosen


def _unusable(journal: Journal) -> str | None:
    """Return why nothing can be said of the target at all, or None.

    Whoever is not served as the caller who makes ordinary calls cannot be told to break the
    contract.
    """
    calls = journal.cancels()
    if not calls:
        return None
    if all(x.received is None and x.failure in NOBODY_THERE for x in calls):
        return f"the target cannot be reached ({calls[0].failure})"
    if not any(x.received for x in journal.exchanges):
        return f"the target never answered ({calls[0].failure})"
    ordinary = [
        x.status for x in calls if x.situation.identity == "primary" and x.sent.method == "POST"
    ]
    told = [s for s in ordinary if s is not None]
    if not told:
        return None
    if all(s == 429 for s in told):
        return "every ordinary call was answered 429: the quota is spent"
    if all(s in (401, 403, 429) for s in told):
        return f"every call of the primary identity was refused ({told[0]}): check its credentials"
    return None


def _shortest(evidence: Evidence) -> tuple[int, int, int]:
    exchange = evidence.exchange
    return (exchange.position, len(exchange.sent.body) + len(exchange.sent.url), exchange.scenario)


def _verdict(
    context: Context, clause: Clause, exchanges: Sequence[Exchange], expect: Mapping[str, Any]
) -> Verdict:
    trial = _try(context, exchanges, expect)
    exercised = len(trial.good) + len(trial.bad)
    optional = conditional(clause)
    if trial.bad:
        violations = tuple(sorted(trial.bad, key=_shortest))
        return Verdict(clause, "violated", exercised, violations, conditional=optional)
    witness = min(trial.good, key=_shortest) if trial.good else None
    verdict = Verdict(clause, "upheld", exercised, upheld_by=witness, conditional=optional)
    if optional:
        if exercised:
            return verdict
        return replace(verdict, word="not-exercised", reason=_why_never(clause, exchanges))
    gaps = _gaps(context, clause, exchanges, [e.exchange for e in trial.good])
    if not gaps:
        return verdict
    word, reason = gaps[0]
    more = f" (and {len(gaps) - 1} more)" if len(gaps) > 1 else ""
    begins = [text.partition(":")[0] for _, text in gaps]
    lacks = frozenset(group if group in GROUPS else "" for group in begins)
    return replace(verdict, word=word, reason=reason + more, lacks=lacks)


def _why_never(clause: Clause, exchanges: Sequence[Exchange]) -> str:
    if exchanges:
        return NOT_SHOWN
    wanted = clause.given["answer"]
    words = wanted if isinstance(wanted, list) else [wanted]
    return f"no answer was {' or '.join(map(str, words))} in this situation"


def _gaps(
    context: Context, clause: Clause, exchanges: Sequence[Exchange], told: Sequence[Exchange]
) -> list[tuple[Word, str]]:
    """Return what the clause asks for and the journal does not tell, inconclusive ones first."""
    journal = context.journal
    wanted = asked(context.contract, clause)
    if clause.given.get("any") and told:
        return []
    seen = {x.situation for x in told}
    missing = [s for s in wanted if s not in seen]
    if len(missing) < len(wanted) and clause.readings:
        missing = []  # one spelling of the alternatives is enough to tell which reading is followed
    gaps: list[tuple[Word, str]] = []
    for situation in missing:
        if reason := journal.broken.get(situation):
            gaps.append(("inconclusive", reason))
        elif reason := journal.missing.get(situation):
            # What only a minted token can show is asked of those who let us mint, where others show
            # the rest.
            if reason.startswith("mint:") and len(missing) < len(wanted):
                continue
            gaps.append(("not-exercised", reason))
        elif any(x.situation == situation for x in exchanges):
            tried = next(x for x in exchanges if x.situation == situation)
            if tried.received is None:
                gaps.append(("inconclusive", f"the call was not answered ({tried.failure})"))
            else:
                gaps.append(("not-exercised", NOT_SHOWN))
        elif _tried_but_throttled(context, situation):
            gaps.append(("inconclusive", "the call was answered 429"))
        elif journal.stopped:
            gaps.append(("inconclusive", journal.stopped))
        else:
            gaps.append(("not-exercised", "no exchange exercised it"))
    return sorted(gaps, key=lambda gap: gap[0] != "inconclusive")


def _tried_but_throttled(context: Context, situation: Situation) -> bool:
    return any(
        x.situation == situation and x.status == 429
        for x in context.journal.exchanges
        if x.kind == "cancel"
    )
