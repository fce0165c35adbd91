"""How clauses compose: what a fact does to a call, and which clauses speak where facts meet. Pure.

Each value of a fact is, for one contract,
- *neutral*: a must-clause about it alone says that the call is served as the ordinary one is,
- *refused*: such a clause says with which client errors, or
- *open*: no page decides, or the readings of a contradiction do.

A clause speaks of every call in which the facts that it names hold and all others are neutral.
Where another fact is refused or open too, a clause that refuses still speaks, as a *refusal*: the
call is refused as either may be, and has no effect. So does one that says of what has ended, or was
cancelled before, that it stays so: whatever else a call is. Any other clause is silent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

from cancel_contracts.contract.extras import EXTRAS, SPELLED, Extra
from cancel_contracts.contract.given import (
    DEFAULT,
    answers,
    asked,
    asking,
    kind_of,
    listed,
    names,
    names_resource,
    ordinary,
    sends_body,
)
from cancel_contracts.contract.model import Clause, Contract
from cancel_contracts.contract.standing import NEUTRAL, OPEN, Standing, beside_others, standing_of
from cancel_contracts.exchange import RECORDED, Situation

Fact = tuple[str, Any]  # an aspect of a call and its value, such as ("body", Form("none"))

# The aspects that vary independently, with the keys of `given` that speak of each.
ASPECTS: Mapping[str, tuple[str, ...]] = {
    "resource": ("resource", "id"),
    "caller": ("identity", "owner"),
    "body": ("body",),
    "content_type": ("content-type",),
    "transfer": ("transfer",),
    "method": ("method",),
    "call": ("call",),
    "extra": ("extra",),
    "parameter": ("parameter",),
}
# The fields of a situation that are one aspect; the others are one each.
TOGETHER = {"resource": ("resource", "state", "id"), "caller": ("identity", "owner")}


@dataclass(frozen=True)
class Speaks:
    """How a clause speaks of a call: as it stands, or with `expect` in its place."""

    expect: Mapping[str, Any] | None = None


WHOLE = Speaks()
LASTING = ("effect", "keeps", "neighbour")  # what may hold whatever else a call is
SITUATIONS = 4096  # whose facts are kept at hand


def value(situation: Situation, aspect: str) -> Any:
    """Return the value of one aspect, equal for calls that do not differ in it."""
    if aspect == "resource":
        return situation.state or situation.id.kind
    if aspect == "caller":
        return (situation.identity, situation.owner)
    return situation.body.kind if aspect == "body" else getattr(situation, aspect)


def fact(situation: Situation, aspect: str) -> Fact:
    """Return an aspect and its value with what was drawn for it: each is a fact of its own."""
    if aspect == "body":
        return aspect, situation.body
    if aspect == "resource":
        return aspect, situation.state or situation.id
    return aspect, value(situation, aspect)


def with_value(situation: Situation, aspect: str, other: Situation) -> Situation:
    """Return a situation with one aspect taken from another."""
    made = object.__new__(Situation)  # what `replace` does, in a fraction of the time
    made.__dict__.update(situation.__dict__)
    for name in TOGETHER.get(aspect, (aspect,)):
        made.__dict__[name] = getattr(other, name)
    return made


@dataclass(frozen=True)
class Facts:
    """What a situation is made of, by aspect: each value and what it does to a call; `odd` are the
    aspects in which it is not the ordinary call, `hiding` the facts that are not neutral.
    """

    values: Mapping[str, Any]
    standings: Mapping[str, Standing]
    odd: tuple[str, ...]
    hiding: tuple[Fact, ...]
    unknown: frozenset[str]  # the aspects that a recording does not tell


@lru_cache(32)
def composed(contract: Contract) -> Composition:
    """Return a contract's composition, the same each time: what it has read is read once."""
    return Composition(contract)


class Composition:
    """One contract's clauses, composed."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.read = lru_cache(SITUATIONS)(self._read)
        self.speaking = lru_cache(SITUATIONS)(self._speaking)
        self.ordinary = replace(ordinary(contract), state=contract.lifecycle.cancellable[0])
        self._usual = {aspect: value(self.ordinary, aspect) for aspect in ASPECTS}
        self._values: dict[str, Mapping[str, set[Any]]] = {}

    @cached_property
    def decided_by(self) -> Mapping[Fact, str]:
        """The id of the clause about a value: about it alone, else the first that names it."""
        found: dict[Fact, str] = {}
        for clause in sorted(self.contract.clauses, key=lambda c: self._alone(c) is None):
            for situation in asked(self.contract, clause):
                for aspect in self.facts(situation):
                    found.setdefault((aspect, value(situation, aspect)), clause.id)
        return found

    @cached_property
    def standings(self) -> Mapping[Fact, Standing]:
        """The standing of every value that a clause about it alone decides."""
        found: dict[Fact, Standing] = {}
        for state in self.contract.lifecycle.cancellable:
            found["resource", state] = NEUTRAL
        for each in ASPECTS:
            found[each, value(self.ordinary, each)] = NEUTRAL
        for clause in self.contract.clauses:
            if (aspect := self._alone(clause)) is None:
                continue
            standing = standing_of(clause, self.contract.lifecycle.cancellable)
            for situation in asked(self.contract, clause):
                fact = (aspect, value(situation, aspect))
                if fact == (aspect, value(self.ordinary, aspect)):
                    continue
                before = found.get(fact)
                if before is None or (before.kind == "open" and standing.kind != "open"):
                    found[fact] = standing
        return found

    @staticmethod
    def _alone(clause: Clause) -> str | None:
        """Return the one aspect that a clause speaks of, or None."""
        given = clause.given
        if given.get("any") or "answer" in given:
            return None
        anywhere = {"cancellable", "any"}.issuperset(listed(given.get("resource", "any")))
        keys = {key for key in given if key != "resource" or not anywhere}
        own = [aspect for aspect, of in ASPECTS.items() if keys & set(of)]
        return own[0] if len(own) == 1 else None

    def _read(self, situation: Situation) -> Facts:
        values = {aspect: value(situation, aspect) for aspect in ASPECTS}
        standings = {a: self.standings.get((a, own), OPEN) for a, own in values.items()}
        unknown = frozenset(a for a, own in values.items() if RECORDED in str(own))
        hiding = tuple((a, values[a]) for a, s in standings.items() if s.kind != "neutral")
        return Facts(values, standings, tuple(self.facts(situation)), hiding, unknown)

    def standing(self, situation: Situation, aspect: str) -> Standing:
        """Return what the situation's value of an aspect does to a call."""
        return self.standings.get((aspect, value(situation, aspect)), OPEN)

    def facts(self, situation: Situation) -> list[str]:
        """Return the aspects in which a situation is not the ordinary call."""
        return [a for a, usual in self._usual.items() if value(situation, a) != usual]

    def served(self, situation: Situation) -> bool:
        """Whether a call is to be served: all that is not ordinary in it is neutral."""
        read = self.read(situation)
        return all(read.standings[a].kind == "neutral" for a in read.odd)

    def refused(self, situation: Situation) -> bool:
        """Whether a call is to be refused, whatever else it holds."""
        read = self.read(situation)
        return any(read.standings[a].kind == "refused" for a in read.odd)

    def shows(self, call: Situation, situation: Situation) -> bool:
        """Whether a call shows the facts of a situation beside neutral ones alone."""
        shown, wanted = self.read(call), self.read(situation)
        alike = shown.hiding == wanted.hiding
        return alike and all(shown.values[a] == wanted.values[a] for a in wanted.odd)

    def exercises(self, call: Situation, situation: Situation, clauses: Iterable[Clause]) -> bool:
        """Whether a call shows a situation, and the clauses that ask for it take it so: they speak
        of the call, and of several situations that one asks for it stands for this.
        """
        return self.shows(call, situation) and all(
            self._holds(clause, call, None) and self.stands_for(clause, kind_of(call)) == situation
            for clause in asking(self.contract, tuple(clauses)).get(situation, ())
        )

    def speaks(
        self, clause: Clause, situation: Situation, status: int | None, limited: bool = False
    ) -> Speaks | None:
        """Return how a clause speaks of a call in this situation that was answered so, or None."""
        if not answers(clause, status, limited) or not self._holds(clause, situation, status):
            return None
        if clause.given.get("any"):
            return WHOLE
        (named, others), read = self._aspects(clause), self.read(situation)
        if not read.unknown.isdisjoint(others):
            return None  # nobody knows what that call was
        met = {aspect: read.standings[aspect] for aspect in others}
        own = standing_of(clause, self.contract.lifecycle.cancellable)
        nobodys = situation.by_owner and situation.resource in ("unknown", "odd")
        hidden = own.kind == "refused" and "resource" not in others and nobodys
        if all(s.kind == "neutral" for s in met.values()) and not hidden:
            return WHOLE
        refuses = own.kind == "refused" and "answer" not in clause.given
        keys = LASTING if own.lasts else ("neighbour",)
        stays = {key: clause.expect[key] for key in keys if key in clause.expect}
        if not refuses and not (own.lasts and "status" in clause.expect):
            return Speaks(stays) if stays else None
        statuses = [*listed(clause.expect["status"])]
        statuses += beside_others(self.contract, situation, named, met)
        if refuses:
            statuses += [403] if hidden else []  # RFC 9110 section 15.5.4: not theirs, if it exists
            return Speaks({"status": statuses, "effect": "none"})
        statuses += ["2xx"] if any(s.kind == "open" for s in met.values()) else []
        return Speaks({**stays, "status": statuses})

    def decides(self, clause: Clause, situation: Situation) -> bool:
        """Whether a clause says what comes of a call, and not of other resources alone."""
        speaks = self.speaks(clause, situation, None)
        return speaks is not None and (speaks.expect is None or "effect" in speaks.expect)

    def _speaking(
        self, situation: Situation, status: int | None, limited: bool = False
    ) -> list[tuple[str, Speaks, Situation]]:
        """Return the clauses that speak of a call, how, and the situation it stands for."""
        return [
            (c.id, speaks, self.stands_for(c, situation))
            for c in self.contract.clauses
            if (speaks := self.speaks(c, situation, status, limited))
        ]

    def _holds(self, clause: Clause, situation: Situation, status: int | None) -> bool:
        """Whether the facts that a clause names hold."""
        for aspect in self._aspects(clause)[0]:
            if aspect == "resource":
                if not names_resource(clause, situation, status):
                    return False
            elif not all(names(self.contract, clause, k, situation) for k in ASPECTS[aspect]):
                return False
        return True

    @staticmethod
    @lru_cache(1024)
    def _aspects(clause: Clause) -> tuple[list[str], list[str]]:
        """Return the aspects that a clause names, and the others."""
        named = [a for a, keys in ASPECTS.items() if not clause.given.keys().isdisjoint(keys)]
        return named, [a for a in ASPECTS if a not in named]

    def stands_for(self, clause: Clause, situation: Situation) -> Situation:
        """Return the situation of those a clause asks for that a call stands for: the facts that it
        asks for as they are, neutral ones ordinary.
        """
        found, read = situation, self.read(situation)
        for aspect, own in self._asked_values(clause.id).items():
            if read.values[aspect] not in own:
                if read.standings[aspect].kind != "neutral":
                    return situation
                found = with_value(found, aspect, self.ordinary)
        return found

    def _asked_values(self, id_: str) -> Mapping[str, set[Any]]:
        """Return the values of every aspect in what a clause asks for."""
        if id_ not in self._values:
            clause = next(c for c in self.contract.clauses if c.id == id_)
            wanted = asked(self.contract, clause)
            self._values[id_] = {a: {value(s, a) for s in wanted} for a in ASPECTS}
        return self._values[id_]

    def can_meet(self, call: Situation) -> bool:
        """Whether all of a situation is on the wire: no body, no media type of it."""
        sends = sends_body(self.contract, call.method)
        extra: Extra = EXTRAS[call.extra].wire
        plain = call.body == DEFAULT.body and not self.contract.bodies  # RFC 9110 section 10.1.1
        bodiless = not sends or call.body.word == "none" or (plain and extra.described)
        described = call.content_type != "default" or call.transfer != "length" or extra.described
        alike = extra.indent is not None and call.body.word not in SPELLED
        if alike or (extra.version == "1.0" and call.transfer == "chunked"):
            return False  # RFC 9112 section 6.1
        sent = call.body != DEFAULT.body and call.body.word != "none"
        return not (bodiless and described) and (sends or not sent)
