"""The suite cries wolf at no server that conforms, however it differs where no page decides.

So that it stays quick, variants that do not touch each other are put together in one server, and the
rest runs on one contract each. MATRIX=all runs every one alone, on every contract that it fits.
"""

from __future__ import annotations

import pytest
from cancel_contracts.plan.plan import GATE_CALLS
from sampling import EVERY
from servers.trial import conforming, judge
from servers.variants import TOGETHER, VARIANTS, Variant, together

pytestmark = pytest.mark.slow
GROUPED = {member for members in TOGETHER.values() for member in members}
ALONE = (
    [(v, s) for v in VARIANTS for s in v.on]
    if EVERY
    else [(v, v.on[0]) for v in VARIANTS if v.name not in GROUPED]
)
CHOSEN = [*ALONE, *((together(name), name[:2]) for name in TOGETHER)]
CASES = [pytest.param(variant, short, id=f"{variant.name}-{short}") for variant, short in CHOSEN]


@pytest.mark.parametrize(("variant", "short"), CASES)
def test_conforming_server_passes(variant: Variant, short: str) -> None:
    service = conforming(short, variant.service, signed=variant.signed, **variant.attributes)
    only = [id_ for id_ in variant.only if id_.startswith(short)]
    outcome = judge(service, variant.front, excused=variant.excused, only=only)
    assert (outcome.exit_code, outcome.violated) == (0, {}), str(outcome)
    planned = outcome.cancels - outcome.again
    assert planned <= GATE_CALLS, "what is made again after a 429 comes on top, nothing else does"
