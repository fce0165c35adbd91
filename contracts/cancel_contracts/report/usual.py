"""What usually breaks a clause: the faults of the mock that do, those of its own facts first. Pure.

Slow to load, for it reads the mock's catalogue: a report of what conforms does without.
"""

from __future__ import annotations

from functools import lru_cache

from cancel_contracts.contract.model import Clause, Contract
from cancel_contracts.mock.catalogue import FAULTS
from cancel_contracts.mock.entry import Fault
from cancel_contracts.speaking import Speaking

SHOWN = 5


@lru_cache
def usual(contract: Contract, clause: Clause) -> tuple[Fault, ...]:
    """Return the faults that break a clause, as many as a person reads."""
    speaking = _speaking(contract)
    found = []
    for fault in FAULTS:
        if not fault.applies(contract):
            continue
        facts = [b.facts.keys() for b in fault.breaks if speaking.about(clause, b)]
        if facts:
            found.append((min(len(clause.given.keys() ^ keys) for keys in facts), fault))
    return tuple(fault for _, fault in sorted(found, key=lambda row: row[0])[:SHOWN])


_speaking = lru_cache(Speaking)
