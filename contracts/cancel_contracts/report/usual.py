"""What usually breaks a clause: the faults of the mock that do, those of its own facts first. Pure.

Slow to load, for it reads the mock's catalogue: a report of what conforms does without.
"""

from __future__ import annotations

from cancel_contracts.contract.model import Clause, Contract
from cancel_contracts.mock.catalogue import FAULTS
from cancel_contracts.mock.entry import Fault
from cancel_contracts.speaking import Speaking

SHOWN = 5


class Usual:
    """The faults that break the clauses of a contract."""

    def __init__(self, contract: Contract) -> None:
        self._speaking = Speaking(contract)
        self._faults = [fault for fault in FAULTS if fault.applies(contract)]

    def faults(self, clause: Clause) -> list[Fault]:
        """Return those of a clause, as many as a person reads."""
        found = []
        for fault in self._faults:
            facts = [b.facts.keys() for b in fault.breaks if self._speaking.about(clause, b)]
            if facts:
                found.append((min(len(clause.given.keys() ^ keys) for keys in facts), fault))
        return [fault for _, fault in sorted(found, key=lambda row: row[0])[:SHOWN]]
