"""Judge a journal: a verdict for each clause, with its evidence. Pure: no I/O, no clock.

Rules:
- A clause is *violated* by one bad answer among however many.
- It is *upheld* when nothing deviates and each of its facets was judged in each situation that it
  asks for. A facet that an exchange tells nothing of by its nature (the error of a success) counts
  as judged; one that could not be judged (no GET, no look) leaves the situation open.
- Else it is *not-exercised*, with the needs that were lacking, or *inconclusive* where it was tried
  and nobody answered.
- Readings of a contradiction are settled once for all clauses that share it: the reading with the
  fewest deviations, and of these the one that most speaks for (the first listed where they tie), or
  the one that is pinned. The target is said to follow it only where something tells it from the
  others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from cancel_contracts.contract.compose import composed
from cancel_contracts.contract.expected import FACETS
from cancel_contracts.contract.given import asked, conditional, kind_of, listed, permission_of
from cancel_contracts.contract.model import Clause, Contract
from cancel_contracts.exchange import Exchange, Situation
from cancel_contracts.journal import Exchanges, Journal
from cancel_contracts.judge.accumulator import Accumulator, Evidence, Spoken
from cancel_contracts.judge.blame import Blame
from cancel_contracts.judge.context import Context
from cancel_contracts.judge.usable import why_unusable
from cancel_contracts.needs import NO_GET, Gap, choice, inconclusive

Word = Literal["upheld", "violated", "not-exercised", "inconclusive", "accepted"]
NOT_TOLD = Gap("the answers tell nothing of it")
NOT_TOLD_OF_CHOICE = choice(NOT_TOLD.reason)
TOO_SOON = Gap("the call before it may still have been under way (within)")


@dataclass(frozen=True)
class Verdict:
    """What is to be said of one clause. `excused` is the reason given for what was not
    exercised, `violations` the shortest deviation in each situation that has one.
    """

    clause: Clause
    word: Word
    exercised: int = 0
    violations: tuple[Evidence, ...] = ()
    upheld_by: Evidence | None = None
    reason: str | None = None
    conditional: bool = False  # nobody can demand of the target what would exercise it
    excused: str | None = None
    excused_by: tuple[str, ...] = ()  # the keys of the excuses that cover it
    gaps: tuple[Gap, ...] = ()  # what keeps it from being upheld, where nothing deviates
    requests: int = 0  # how many calls it speaks of
    deviating: int = 0
    newer: bool = False  # than the edition that the target holds to: not held against it

    @property
    def deviations(self) -> int:
        """How many exchanges deviate, those not shown included."""
        return max(self.deviating, len(self.violations))


@dataclass(frozen=True)
class Judgement:
    """The verdicts of one contract and the readings that the target was seen to follow, by
    contradiction.
    """

    contract: Contract
    verdicts: tuple[Verdict, ...]
    readings: Mapping[str, str]
    unusable: str | None = None
    duties: tuple[Verdict, ...] = ()  # of callers, on a recording of others


class Judge:
    """Judges journals by some clauses of one contract. `pinned` names dialects to hold to."""

    def __init__(
        self, contract: Contract, clauses: Sequence[Clause], pinned: Sequence[str] = ()
    ) -> None:
        self.contract, self.clauses, self.pinned = contract, clauses, pinned
        self.composition = composed(contract)
        self._wanted = {c.id: frozenset(asked(contract, c)) for c in clauses}

    def _accumulators(self, context: Context) -> list[Accumulator]:
        """Hold every clause, under each of its readings, against every call: one pass."""
        exchanges = context.journal.exchanges
        accumulators: dict[str, list[Accumulator]] = {}
        for clause in self.clauses:
            readings: list[tuple[str | None, Mapping[str, Any]]]
            readings = [*clause.readings.items()] or [(None, clause.expect)]
            accumulators[clause.id] = [
                Accumulator(clause, name, expect, self._wanted[clause.id], Spoken(exchanges))
                for name, expect in readings
            ]
        blame = Blame(self.composition)
        for at, exchange in enumerate(exchanges):
            if exchange.kind != "cancel" or exchange.way_in or exchange.unavailable:
                continue
            if context.is_first(exchange):
                continue
            if context.too_soon(exchange):
                context.hurried.add(kind_of(exchange.situation))
                continue
            anew = context.made_anew(exchange) is not None
            # Of a contradiction it tells nothing how somebody fares as nobody of that name does.
            as_theirs = context.as_its_namesake(exchange)
            blame.forms.hear(exchange)
            call = kind_of(exchange.situation)
            status, limited = exchange.status, exchange.limited
            for id_, speaks, stands in self.composition.speaking(call, status, limited):
                for accumulator in accumulators.get(id_, ()):
                    if anew and not accumulator.of_connections:
                        continue
                    if as_theirs and accumulator.reading is not None:
                        continue
                    accumulator.take(context, blame, at, exchange, speaks.expect, stands)
        everything = [accumulator for row in accumulators.values() for accumulator in row]
        for accumulator in everything:
            accumulator.convict(blame)
            accumulator.close(context, blame)
        return everything

    def judge(self, journal: Journal) -> Judgement:
        """Return a verdict for each clause, in their order."""
        context = Context(self.contract, journal)
        accumulators = self._accumulators(context)
        readings, evident = self._settle(accumulators)
        unusable = why_unusable(self.contract, journal)
        verdicts = []
        for accumulator in accumulators:
            if accumulator.reading not in (None, *readings.values()):
                continue
            verdict = _verdict(context, accumulator, accumulator.reading in (None, *evident))
            if unusable and verdict.word != "not-exercised":
                verdict = Verdict(accumulator.clause, "inconclusive", reason=unusable)
            verdicts.append(replace(verdict, requests=len(accumulator.spoken)))
        seen = {
            of: name
            for of, name in readings.items()
            if name in evident and any(v.exercised for v in verdicts if name in v.clause.readings)
        }
        return Judgement(self.contract, tuple(verdicts), seen, unusable)

    def deviates(self, exchanges: Iterable[Exchange]) -> bool:
        """Whether a few exchanges by themselves violate a clause."""
        context = Context(self.contract, Journal(self.contract.name, Exchanges(exchanges)))
        accumulators = self._accumulators(context)
        readings, _ = self._settle(accumulators)
        return any(t.bad for t in accumulators if t.reading in (None, *readings.values()))

    def _settle(self, accumulators: Sequence[Accumulator]) -> tuple[dict[str, str], set[str]]:
        """Return the reading to hold the target to, for each contradiction, and which of them
        something tells from the others (or is pinned).
        """
        chosen: dict[str, str] = {}
        evident: set[str] = set()
        for of in dict.fromkeys(d.of for d in self.contract.dialects):
            names = [d.name for d in self.contract.dialects if d.of == of]
            marks = {
                name: (
                    -sum(t.bad for t in accumulators if t.reading == name),
                    sum(t.good + t.part for t in accumulators if t.reading == name),
                )
                for name in names
            }
            fixed = next((n for n in names if n in self.pinned), None)
            best = chosen[of] = fixed or max(names, key=lambda n: marks[n])
            apart = marks[best][1] and all(marks[best] > marks[n] for n in names if n != best)
            if fixed or apart:
                evident.add(best)
        return chosen, evident


def judge(
    contract: Contract, journal: Journal, clauses: Sequence[Clause], pinned: Sequence[str] = ()
) -> Judgement:
    """Return the verdicts for `clauses`, in their order."""
    return Judge(contract, clauses, pinned).judge(journal)


def unjudged(contract: Contract, clauses: Sequence[Clause]) -> Judgement:
    """Return the judgement of a journal that could not be judged: every clause is open."""
    told = "the suite itself failed while it judged"
    return Judgement(contract, tuple(Verdict(c, "inconclusive", reason=told) for c in clauses), {})


def _verdict(context: Context, accumulator: Accumulator, evident: bool) -> Verdict:
    clause, exercised = accumulator.clause, accumulator.good + accumulator.bad
    verdict = Verdict(
        clause, "upheld", exercised, upheld_by=accumulator.witness, conditional=conditional(clause)
    )
    if accumulator.bad:
        deviating, found = accumulator.bad, accumulator.violations()
        return replace(
            verdict, word="violated", violations=found, upheld_by=None, deviating=deviating
        )
    # Of a run that was ended early nobody knows what a look would have shown.
    stopped = context.journal.stopped
    instead = {NO_GET: inconclusive(stopped)} if stopped else {}
    every = dict.fromkeys(instead.get(gap, gap) for gap in _gaps(context, accumulator, evident))
    gaps = sorted(every, key=lambda gap: gap.word != "inconclusive")
    if not gaps:
        return verdict
    more = f" (and {len(gaps) - 1} more)" if len(gaps) > 1 else ""
    return replace(
        verdict,
        word=gaps[0].word,
        reason=gaps[0].says + more,
        conditional=all(gap.free for gap in gaps),
        gaps=tuple(gaps),
    )


def _gaps(context: Context, accumulator: Accumulator, evident: bool) -> list[Gap]:
    """Return what keeps the clause from being upheld: what it asks for and the journal does not
    tell.
    """
    clause = accumulator.clause
    demanded = not conditional(clause) and not clause.given.get("any")
    if accumulator.doubts or (accumulator.good and not demanded):
        return [*accumulator.doubts]
    if accumulator.seen_gaps and not demanded:
        return [*accumulator.seen_gaps]
    if conditional(clause):
        if not accumulator.spoken:
            return [_never(clause)]
        unseen = not context.sight.observable and any(map(_of_entity, clause.expect))
        return [NO_GET if unseen else NOT_TOLD_OF_CHOICE]
    wanted = asked(context.contract, clause)
    missing = [s for s in wanted if s not in accumulator.told]
    if permission := accumulator.expect.get("accepts"):
        missing = _alternatives(accumulator, missing, permission, evident)
    gaps: list[Gap] = []
    for situation in missing:
        found = _why(context, accumulator, situation)
        # What only a minted token can show is asked of those who let us mint, where others show
        # the rest.
        if accumulator.told:
            found = [gap for gap in found if not (gap.need and gap.need.kind == "mint")]
        gaps += found
    return gaps


def _alternatives(
    accumulator: Accumulator, missing: Sequence[Situation], permission: str, evident: bool
) -> list[Situation]:
    """Return the situations that are wanting of a permission spelled in several ways.

    Where it is told which spelling counts, or one alone is left, its own callers must have been
    judged. Else it takes those to tell that were never asked, or were not judged whole.
    """
    if evident:
        return [s for s in missing if permission_of(s.identity) in (None, permission)]
    return [s for s in missing if s not in accumulator.tried or s in accumulator.gaps] or list(
        missing
    )


def _never(clause: Clause) -> Gap:
    words = " or ".join(map(str, listed(clause.given["answer"])))
    return choice(f"no answer was {words} in this situation")


def _of_entity(facet: str) -> bool:
    """Whether a facet is told by what a GET shows of a resource, where no answer tells it."""
    row = FACETS[facet]
    return row.topic == "body" and row.sees in ("looks", "many")


def _why(context: Context, accumulator: Accumulator, situation: Situation) -> list[Gap]:
    """Return why a situation that the clause asks for was not judged whole."""
    journal = context.journal
    if reason := journal.broken.get(situation):
        return [inconclusive(reason)]
    for planned, gap in journal.missing.items():
        if situation in (planned, context.composition.stands_for(accumulator.clause, planned)):
            return [gap]
    if found := accumulator.gaps.get(situation):
        return [*found]
    if tried := accumulator.tried.get(situation):
        if tried.received is None:
            return [inconclusive(f"the call was not answered ({tried.why})")]
        return [NOT_TOLD]
    if situation in context.hurried:
        return [TOO_SOON]
    if situation in context.throttled:
        return [inconclusive("the call was put off (429, or 503 with Retry-After)")]
    if journal.stopped:
        return [inconclusive(journal.stopped)]
    return [Gap("no exchange exercised it")]
