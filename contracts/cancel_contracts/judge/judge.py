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

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from cancel_contracts.contract.compose import Composition, Speaks
from cancel_contracts.contract.given import asked, conditional, kind_of
from cancel_contracts.contract.model import Clause, Contract
from cancel_contracts.exchange import NOBODY_THERE, Exchange, Situation
from cancel_contracts.journal import Exchanges, Journal
from cancel_contracts.judge.context import Context
from cancel_contracts.judge.tally import Evidence, Spoken, Tally

Word = Literal["upheld", "violated", "not-exercised", "inconclusive", "accepted"]
# How a reason begins that a group of `not_testable` excuses.
GROUPS = ("identities", "mint", "states", "observe")
NOT_RECORDED = "not recorded: the recording lacks what the answers held"
NOT_SHOWN = "observe: the answers tell nothing of it and no GET shows it"
UNSEEN = "a look at the resource went unanswered or was refused: not all of it is known"
SITUATIONS = 1024  # whose clauses are kept at hand


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
    conditional: bool = False
    excused: str | None = None
    lacks: frozenset[str] = frozenset()  # the groups of needs behind the gaps; "" for any other
    requests: int = 0  # how many calls it speaks of
    deviating: int = 0

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


class Judge:
    """Judges journals by some clauses of one contract. `pinned` names dialects to hold to."""

    def __init__(
        self, contract: Contract, clauses: Sequence[Clause], pinned: Sequence[str] = ()
    ) -> None:
        self.contract, self.clauses, self.pinned = contract, clauses, pinned
        self.composition = Composition(contract)
        self._wanted = {c.id: frozenset(asked(contract, c)) for c in clauses}
        self._speaking = lru_cache(SITUATIONS)(self._who_speaks)

    def _who_speaks(
        self, situation: Situation, status: int | None
    ) -> list[tuple[str, Speaks, Situation]]:
        """Return the clauses that speak of a call, how, and the situation it stands for."""
        compose = self.composition
        return [
            (c.id, speaks, compose.stands_for(c, situation))
            for c in self.clauses
            if (speaks := compose.speaks(c, situation, status))
        ]

    def _tallies(self, context: Context) -> list[Tally]:
        """Hold every clause, under each of its readings, against every call: one pass."""
        exchanges = context.journal.exchanges
        tallies: dict[str, list[Tally]] = {}
        for clause in self.clauses:
            readings: list[tuple[str | None, Mapping[str, Any]]]
            readings = [*clause.readings.items()] or [(None, clause.expect)]
            tallies[clause.id] = [
                Tally(clause, name, expect, self._wanted[clause.id], Spoken(exchanges))
                for name, expect in readings
            ]
        for at, exchange in enumerate(exchanges):
            if exchange.kind != "cancel":
                continue
            for id_, speaks, stands in self._speaking(kind_of(exchange.situation), exchange.status):
                for tally in tallies[id_]:
                    tally.take(context, at, exchange, speaks.expect, stands)
        everything = [tally for row in tallies.values() for tally in row]
        for tally in everything:
            tally.close(context)
        return everything

    def judge(self, journal: Journal) -> Judgement:
        """Return a verdict for each clause, in their order."""
        context = Context(self.contract, journal)
        tallies = self._tallies(context)
        readings = self._settle(tallies)
        unusable = _unusable(journal)
        verdicts = []
        for tally in tallies:
            if tally.reading not in (None, *readings.values()):
                continue
            verdict = _verdict(context, tally)
            if unusable and verdict.word != "not-exercised":
                verdict = Verdict(tally.clause, "inconclusive", reason=unusable)
            verdicts.append(replace(verdict, requests=len(tally.spoken)))
        seen = {
            of: name
            for of, name in readings.items()
            if any(v.exercised for v in verdicts if name in v.clause.readings)
        }
        return Judgement(self.contract, tuple(verdicts), seen, unusable)

    def deviates(self, exchanges: Iterable[Exchange]) -> bool:
        """Whether a few exchanges by themselves violate a clause."""
        context = Context(self.contract, Journal(self.contract.name, Exchanges(exchanges)))
        tallies = self._tallies(context)
        readings = self._settle(tallies)
        return any(t.bad for t in tallies if t.reading in (None, *readings.values()))

    def _settle(self, tallies: Sequence[Tally]) -> dict[str, str]:
        """Return the reading to hold the target to, for each contradiction."""
        chosen: dict[str, str] = {}
        dialects = self.contract.dialects
        for of in dict.fromkeys(d.of for d in dialects):
            names = [d.name for d in dialects if d.of == of]
            if fixed := next((n for n in names if n in self.pinned), None):
                chosen[of] = fixed
                continue
            bad = {name: sum(t.bad for t in tallies if t.reading == name) for name in names}
            chosen[of] = min(names, key=lambda n: bad[n])
        return chosen


def judge(
    contract: Contract, journal: Journal, clauses: Sequence[Clause], pinned: Sequence[str] = ()
) -> Judgement:
    """Return the verdicts for `clauses`, in their order."""
    return Judge(contract, clauses, pinned).judge(journal)


def unjudged(contract: Contract, clauses: Sequence[Clause]) -> Judgement:
    """Return the judgement of a journal that could not be judged: every clause is open."""
    told = "the suite itself failed while it judged"
    return Judgement(contract, tuple(Verdict(c, "inconclusive", reason=told) for c in clauses), {})


def _unusable(journal: Journal) -> str | None:
    """Return why nothing can be said of the target at all, or None.

    Whoever is not served as the caller who makes ordinary calls cannot be told to break the
    contract.
    """
    first = next((x for x in journal.exchanges if x.kind == "cancel"), None)
    if first is None:
        return None
    if all(x.failure in NOBODY_THERE for x in journal.exchanges if x.kind == "cancel"):
        return f"the target cannot be reached ({first.why})"
    if not any(x.received for x in journal.exchanges):
        return f"the target never answered ({first.why})"
    told = _ordinary_answers(journal)
    if not told:
        return None
    if all(s == 429 for s in told):
        return "every ordinary call was answered 429: the quota is spent"
    if all(s in (401, 403, 429) for s in told):
        refusal = next(iter(told))
        return f"every call of the primary identity was refused ({refusal}): check its credentials"
    return None


def _ordinary_answers(journal: Journal) -> dict[int, None]:
    """Return the statuses that ordinary calls were answered with, in the order they came."""
    return {
        x.status: None
        for x in journal.exchanges
        if x.kind == "cancel"
        and x.situation.identity == "primary"
        and x.sent.method == "POST"
        and x.status is not None
    }


def _verdict(context: Context, tally: Tally) -> Verdict:
    clause = tally.clause
    exercised = tally.good + tally.bad
    optional = conditional(clause)
    if tally.bad:
        return Verdict(
            clause, "violated", exercised, tally.violations(), conditional=optional,
            deviating=tally.bad,
        )  # fmt: skip
    verdict = Verdict(clause, "upheld", exercised, upheld_by=tally.witness, conditional=optional)
    if optional:
        if exercised:
            return verdict
        return replace(verdict, word="not-exercised", reason=_why_never(tally))
    gaps = _gaps(context, tally)
    if not gaps:
        return verdict
    word, reason = gaps[0]
    more = f" (and {len(gaps) - 1} more)" if len(gaps) > 1 else ""
    begins = [text.partition(":")[0] for _, text in gaps]
    lacks = frozenset(group if group in GROUPS else "" for group in begins)
    return replace(verdict, word=word, reason=reason + more, lacks=lacks)


def _why_never(tally: Tally) -> str:
    if tally.spoken:
        return _untold(tally.spoken)
    wanted = tally.clause.given["answer"]
    words = wanted if isinstance(wanted, list) else [wanted]
    return f"no answer was {' or '.join(map(str, words))} in this situation"


def _untold(spoken: Iterable[Exchange]) -> str:
    """Return why answers that came tell nothing of a clause."""
    lacking = any(x.received is not None and x.received.unrecorded for x in spoken)
    return NOT_RECORDED if lacking else NOT_SHOWN


def _gaps(context: Context, tally: Tally) -> list[tuple[Word, str]]:
    """Return what the clause asks for and the journal does not tell, inconclusive ones first."""
    journal, clause = context.journal, tally.clause
    wanted = asked(context.contract, clause)
    if clause.given.get("any") and tally.good:
        return []
    missing = [s for s in wanted if s not in tally.told]
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
        elif situation in tally.unseen:
            gaps.append(("inconclusive", UNSEEN))
        elif tried := tally.tried.get(situation):
            if tried.received is None:
                gaps.append(("inconclusive", f"the call was not answered ({tried.why})"))
            else:
                gaps.append(("not-exercised", _untold([tried])))
        elif situation in context.throttled:
            gaps.append(("inconclusive", "the call was answered 429"))
        elif journal.stopped:
            gaps.append(("inconclusive", journal.stopped))
        else:
            gaps.append(("not-exercised", "no exchange exercised it"))
    return sorted(gaps, key=lambda gap: gap[0] != "inconclusive")
