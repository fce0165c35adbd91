"""From violated clauses to defects: one a cause, as far as the answers tell causes apart. Pure.

Rules, in this order:
- A clause whose every deviation is one of another clause, and weighs no more than that one's, is
  explained by it: a call that is answered 200 where it is to be refused breaks what the page says
  of the code, of the error and of its headers at once. So it is by several, which weigh more.
- Two clauses that deviate in the same way are one defect where one of them deviates in the more
  ordinary situations: what shows in any call shows in a chunked one. The contract does not matter.
- Where what has come to its end is cancelled, a second call that is served, and one beside another,
  deviate for the same reason: by then the resource has come to its end.
- Effects and access weigh more than codes, codes more than headers and bodies; must before should.
  The most telling clause stands first in a defect, the worst defect first of all.

It must not know how a defect is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property

from cancel_contracts.contract.compose import composed
from cancel_contracts.contract.given import ordinary
from cancel_contracts.contract.model import Contract, Level
from cancel_contracts.exchange import Situation
from cancel_contracts.judge.accumulator import Evidence
from cancel_contracts.judge.judge import Judgement, Verdict

EFFECT, CODE, REST = 0, 1, 2
# What a facet's deviation weighs; those not named here weigh least.
WEIGHTS = {
    "effect": EFFECT, "neighbour": EFFECT, "accepts": EFFECT, "race": EFFECT, "keeps": EFFECT,
    "status": CODE, "answered": CODE, "quota": CODE, "constant": CODE, "alike": CODE,
}  # fmt: skip
LET_IN = (200, 201, 202, 204, 404, 409)  # the answers to whoever may call
LEVELS: tuple[Level, ...] = ("must", "should", "info")


@dataclass(frozen=True)
class Breach:
    """A violated clause of a contract."""

    contract: Contract
    verdict: Verdict

    @cached_property
    def situations(self) -> frozenset[Situation]:
        return frozenset(e.exchange.situation for e in self.verdict.violations)

    @cached_property
    def lead(self) -> Evidence:
        """The gravest deviation, in the most ordinary situation: where the fewest facts decide."""
        composition, of = composed(self.contract), self.contract

        def odd(evidence: Evidence) -> tuple[int, int, int]:
            situation = evidence.exchange.situation
            deciding = len(composition.read(situation).hiding)
            return _weight(evidence), deciding, len(unusual(of, situation))

        return min(self.verdict.violations, key=odd)

    @cached_property
    def weight(self) -> int:
        """What its gravest deviation weighs; lower is graver."""
        return _weight(self.lead)

    @cached_property
    def unusual(self) -> frozenset[str]:
        """What is out of the ordinary wherever it deviates, of what the clause speaks of: a call
        may hold other facts beside it.
        """
        named = {name.replace("-", "_") for name in self.verdict.clause.given}
        return frozenset.intersection(*(unusual(self.contract, s) for s in self.situations)) & named

    @property
    def rank(self) -> tuple[int, int, int, int]:
        level = LEVELS.index(self.verdict.clause.level)
        return (level, self.weight, len(self.unusual), -len(self.situations))

    @cached_property
    def way(self) -> tuple[object, ...]:
        """In which way it deviates, whatever the situation."""
        evidence, answer = self.lead, self.lead.exchange.status or 0
        facet = min(evidence.facets, key=lambda name: WEIGHTS.get(name, REST), default="")
        if answer >= 500 or not answer:
            return (evidence.exchange.failure or answer,)  # nobody asks for that
        if facet == "effect" and answer >= 400 and "status" not in evidence.facets:
            return (facet, "refused")
        if facet in ("status", "effect"):
            # Whether it is to succeed: 404 or 4xx, as pages have it. Of who may call they say more.
            told = evidence.facets[0] == "status" and evidence.expected.startswith("4")
            exact = told and "identity" in self.unusual
            # Nobody stopped the caller, who got what anybody gets: of what exists, what does not.
            let_in = exact and evidence.expected.startswith("401") and answer in LET_IN
            return ("served", evidence.expected if exact else "", 200 if let_in else answer)
        # What is quoted is what was sent, or the state that a resource was in.
        return (facet, evidence.expected.partition("'")[0] if self.weight else "", answer)

    @property
    def apart(self) -> str:
        """What a call names wherever it deviates, if it is no resource that can be cancelled: a
        final one and one that does not exist are served for different reasons.
        """
        if "resource" not in self.unusual:
            return ""
        return "final" if self.lead.exchange.situation.resource == "final" else "absent"

    def resembles(self, other: Breach) -> bool:
        """Whether it deviates in the same way, in situations as ordinary or more so."""
        same = self.way == other.way and not (self.apart and other.apart != self.apart)
        return same and (self.unusual <= other.unusual or self.way[-1] == "refused")

    @property
    def serves_final(self) -> bool:
        """Whether a call takes effect on what has come to its end."""
        lead = self.lead
        return self.apart == "final" and lead.exchange.succeeded and "effect" in lead.facets

    @property
    def repeats(self) -> bool:
        """Whether it deviates only where a call is served after another, or beside it: by then the
        resource has come to its end.
        """
        return "call" in self.unusual and self.lead.exchange.succeeded and self.weight == EFFECT

    def undone_by(self, others: Sequence[Breach]) -> bool:
        """Whether a later call that one of the others speaks of deviates on each resource on which
        this deviates: what an earlier call did may be undone by it.
        """
        calls = [e.exchange for b in others for e in b.verdict.violations]
        later = {(x.scenario, x.position) for x in calls}
        own = [e.exchange for e in self.verdict.violations]
        return self.weight == EFFECT and all(
            any(n == x.scenario and at > x.position for n, at in later) for x in own
        )

    def explains(self, other: Breach) -> bool:
        if self.contract is not other.contract or self.weight > other.weight:
            return False
        if self.weight == REST:
            return self.situations == other.situations
        if other.weight < REST and other.situations >= self.situations:
            return True
        return other.situations <= self.situations


@dataclass(frozen=True)
class Defect:
    """One cause: what breaks by it, the most telling first."""

    breaches: tuple[Breach, ...]

    @property
    def lead(self) -> Breach:
        return self.breaches[0]

    @property
    def newer(self) -> bool:
        """Whether it breaks nothing but what is newer than the edition that the target holds to."""
        return all(b.verdict.newer for b in self.breaches)

    @property
    def level(self) -> Level:
        """The gravest level of what is held against the target, if anything is."""
        held = [b for b in self.breaches if self.newer or not b.verdict.newer]
        return min((b.verdict.clause.level for b in held), key=LEVELS.index)

    @property
    def rank(self) -> tuple[bool, int, int, int, int]:
        return (self.newer, LEVELS.index(self.level), *self.lead.rank[1:])


def defects(judgements: Iterable[Judgement]) -> tuple[Defect, ...]:
    """Return the defects of a run, the worst first. Every violated clause stands in one."""
    breaches = sorted(
        (
            Breach(judgement.contract, verdict)
            for judgement in judgements
            for verdict in judgement.verdicts
            if verdict.word == "violated" and verdict.violations
        ),
        key=lambda breach: breach.rank,
    )
    groups = _joined(breaches)
    found = [Defect(tuple(breaches[at] for at in group)) for group in groups]
    return tuple(sorted(found, key=lambda defect: defect.rank))


def _joined(breaches: Sequence[Breach]) -> list[list[int]]:
    """Return which breaches have one cause, by their places, the most telling first."""
    cause = list(range(len(breaches)))
    for at, breach in enumerate(breaches):
        graver = (i for i in range(at) if breaches[i].explains(breach))
        cause[at] = cause[next(graver, _of_several(breaches, at))]
    for ended, again in _served_again(breaches, sorted(set(cause))):
        cause = [ended if c in again else c for c in cause]
    for at in sorted(set(cause)):
        alike = (i for i in sorted(set(cause)) if i < at and breaches[i].resembles(breaches[at]))
        first = next(alike, at)
        cause = [first if c == at else c for c in cause]
    groups: dict[int, set[int]] = {}
    for at, first in enumerate(cause):
        groups.setdefault(first, set()).add(at)
    return [sorted(group, key=lambda at: (at != first, at)) for first, group in groups.items()]


def _of_several(breaches: Sequence[Breach], at: int) -> int:
    """Return the place of the first of graver breaches that together explain one, else its own."""
    one = breaches[at]
    own = (i for i in range(at) if breaches[i].contract is one.contract)
    some = [i for i in own if breaches[i].weight < one.weight and breaches[i].weight < REST]
    shared = [i for i in some if breaches[i].situations & one.situations]
    told = frozenset[Situation]().union(*(breaches[i].situations for i in shared))
    return shared[0] if one.situations <= told else at


def _served_again(
    breaches: Sequence[Breach], leads: Sequence[int]
) -> Iterator[tuple[int, set[int]]]:
    """Yield for each contract that serves what has come to its end the place of that breach, and of
    those that follow from it.
    """
    for ended in leads:
        of = breaches[ended].contract
        own = [at for at, breach in enumerate(breaches) if breach.contract is of]
        if next((at for at in own if at in leads and breaches[at].serves_final), None) != ended:
            continue  # another is the first of its contract
        later = [b for at in own if (b := breaches[at]).repeats]
        follows = (b.repeats or b.undone_by(later) for b in breaches)
        yield ended, {at for at, one in enumerate(follows) if one and at in own and at in leads}


def unusual(contract: Contract, situation: Situation) -> frozenset[str]:
    """Return in what a situation is not the ordinary one: state and owner do not count."""
    return frozenset(
        f.name
        for f in fields(Situation)
        if f.name not in ("state", "owner")
        and getattr(situation, f.name) != getattr(ordinary(contract), f.name)
    )


def _weight(evidence: Evidence) -> int:
    """Return what a deviation weighs: that somebody is served who is to be refused weighs most."""
    weight = min((WEIGHTS.get(facet, REST) for facet in evidence.facets), default=REST)
    refused = evidence.expected.startswith(("401", "403"))
    return EFFECT if weight == CODE and evidence.exchange.succeeded and refused else weight
