"""What applies to no shipped contract applies to one that is unlike them, and is judged rightly there.

Each fault is caught by a clause that it breaks, each variant passes, on a spec of tests/cases/specs
that it applies to.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.mock.catalogue import ENTRIES
from cancel_contracts.mock.entry import Variant
from cancel_contracts.prove import intended, trial
from cancel_contracts.speaking import left_out

pytestmark = pytest.mark.slow

UNLIKE = [load(path) for path in sorted((Path(__file__).parent / "cases" / "specs").glob("*.yaml"))]
SHIPPED = [load(path) for path in shipped()]
THEIRS = [n for n, e in ENTRIES.items() if not any(e.applies(c) for c in SHIPPED)]


@pytest.mark.parametrize("name", THEIRS)
def test_an_entry_of_other_contracts_is_judged_rightly(name: str) -> None:
    entry = ENTRIES[name]
    contracts = [
        c
        for c in UNLIKE
        if entry.applies(c)
        and not any(name in row.entries for row in left_out(c))
        and (isinstance(entry, Variant) or intended(c, entry))
    ]
    assert contracts, "no spec of tests/cases/specs speaks of it"
    assert trial(contracts[0], entry).hole is None
