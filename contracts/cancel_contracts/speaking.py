"""Speaking: which clauses may catch a fault, from what it says it breaks, in the words of `given`
and `expect`; and what a spec leaves out of that, with its reasons. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from cancel_contracts.contract.compose import composed
from cancel_contracts.contract.given import FIELDS, asked, fits, listed, permission_of
from cancel_contracts.contract.model import Clause, Contract
from cancel_contracts.errors import UsageError
from cancel_contracts.exchange import Situation
from cancel_contracts.mock.catalogue import ENTRIES
from cancel_contracts.mock.entry import Breaks, Fault

STATUSES = range(100, 600)
SEE_LIST = "`cancel-contracts mock --list` names them"


@dataclass(frozen=True)
class LeftOut:
    """What a spec file has `prove` leave out (x-prove): the entries that one of its keys names."""

    contract: str
    key: str
    reason: str
    entries: tuple[str, ...]  # of the catalogue; empty where the key is a clause


def left_out(contract: Contract) -> tuple[LeftOut, ...]:
    """Return what a contract's spec leaves out. Raises UsageError for what names nothing of it."""
    applying = [entry for entry in ENTRIES.values() if entry.applies(contract)]
    families = {entry.family for entry in applying if isinstance(entry, Fault)}
    found = []
    for key, reason in contract.unproven.items():
        named = tuple(
            entry.name
            for entry in applying
            if fnmatchcase(entry.name, key) or (isinstance(entry, Fault) and entry.family == key)
        )
        if not named and contract.clause(key) is None:
            known = [*(entry.name for entry in applying), *families]
            near = get_close_matches(key, known, 1)
            there = key in ENTRIES
            raise UsageError(
                f"{contract.path_of_file}: x-prove/{key}",
                "does not apply to this contract" if there else "names no fault, variant or family",
                "leave it out" if there else f"did you mean {near[0]}?" if near else SEE_LIST,
            )
        found.append(LeftOut(contract.name, key, reason, named))
    return tuple(found)


class Speaking:
    """Which clauses of a contract speak of what a fault breaks, in the words of `given`."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        every = dict.fromkeys(s for c in contract.clauses for s in asked(contract, c))
        self._calls = {situation: at for at, situation in enumerate(every)}
        self._compose = composed(contract)
        self._of: dict[str, frozenset[int]] = {}
        self._facts: dict[tuple[str, tuple[str, ...]], frozenset[int]] = {}

    def _spoken(self, clause: Clause) -> frozenset[int]:
        """Return which of the calls a clause speaks of: of one answer as of any."""
        if clause.id not in self._of:
            answer = clause.given.get("answer")
            status = min(_statuses(*listed(answer)) if answer else STATUSES)
            self._of[clause.id] = frozenset(
                at
                for situation, at in self._calls.items()
                if self._compose.speaks(clause, situation, status)
            )
        return self._of[clause.id]

    def about(self, clause: Clause, broken: Breaks) -> bool:
        """Whether a clause speaks of what a fault breaks."""
        for expect in list(clause.readings.values()) or [clause.expect]:
            for facet in broken.facets & set(expect):
                items = set(map(str, listed(expect[facet])))
                if not broken.items or broken.items & items:
                    return self._meets(clause, broken.facts)
        return False

    def _meets(self, clause: Clause, facts: Mapping[str, Sequence[str]]) -> bool:
        """Whether a clause speaks of a call in which the facts hold."""
        told, speaks = facts.get("answer"), clause.given.get("answer")
        if told and speaks and _statuses(*told).isdisjoint(_statuses(*listed(speaks))):
            return False
        return self._hold(self._spoken(clause), facts)

    def _hold(self, calls: frozenset[int], facts: Mapping[str, Sequence[str]]) -> bool:
        """Whether the facts of a fault hold in one of some calls."""
        held = [self._held(key, tuple(words)) for key, words in facts.items() if key != "answer"]
        return bool(calls.intersection(*held))

    def _held(self, key: str, words: tuple[str, ...]) -> frozenset[int]:
        """Return in which of the calls a fact of a fault holds; a method is never the act."""
        if (key, words) not in self._facts:
            self._facts[key, words] = frozenset(
                at
                for situation, at in self._calls.items()
                if _holds(key, words, situation)
                and not (key == "method" and situation.method == self.contract.method)
            )
        return self._facts[key, words]

    def intended(self, fault: Fault) -> tuple[str, ...]:
        """Return the clauses that may catch a fault."""
        return tuple(
            c.id for c in self.contract.clauses if any(self.about(c, b) for b in fault.breaks)
        )

    def showing(self, fault: Fault) -> tuple[str, ...]:
        """Return, for each part that a fault breaks, the first clause that asks for such a call."""
        found = (self._asking(broken.facts) for broken in fault.breaks)
        return tuple(dict.fromkeys(id_ for id_ in found if id_ is not None))

    def _asking(self, facts: Mapping[str, Sequence[str]]) -> str | None:
        asking = (c for c in self.contract.clauses if self._hold(self._wanted(c), facts))
        return next((clause.id for clause in asking), None)

    def _wanted(self, clause: Clause) -> frozenset[int]:
        """Return which of the calls a clause asks for."""
        return frozenset(self._calls[situation] for situation in asked(self.contract, clause))

    def asks(self, clause: Clause, fault: Fault) -> bool:
        """Whether a clause asks for a call in which what a fault breaks holds: one that speaks of
        any call asks for the ordinary one.
        """
        wanted = self._wanted(clause)
        return any(self.about(clause, b) and self._hold(wanted, b.facts) for b in fault.breaks)


@cache
def _statuses(*words: Any) -> frozenset[int]:
    """Return the statuses that the words of an `answer` speak of."""
    wanted = [int(w) if str(w).isdigit() else w for w in words]
    return frozenset(status for status in STATUSES if fits(status, wanted))


def _holds(key: str, words: Sequence[str], situation: Situation) -> bool:
    """Whether a fact of a fault holds in a call. Beside the vocabulary's words it knows
    `permission`, whoever holds one named permission, and media types by their parameter.
    """
    match key:
        case "resource" | "state":
            return bool({situation.resource, situation.state} & set(words))
        case "identity":
            who = {situation.identity, "permission" if permission_of(situation.identity) else ""}
            if situation.identity in ("primary", "admin"):
                who |= {"primary", "admin"}
            return bool(who & set(words))
        case "id" | "body":
            return getattr(situation, key).word in words
        case "content-type":
            return any(w == situation.content_type or w in situation.content_type for w in words)
        case "parameter":
            return situation.parameter is not None and situation.parameter[1] in words
    return str(getattr(situation, FIELDS[key])) in words
