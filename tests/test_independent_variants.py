"""The suite cries wolf at no server that conforms, however it differs where no page decides.

One contract a variant, so that it stays quick; INDEPENDENT=all runs every one that it fits.
"""

from __future__ import annotations

import os

import pytest
from servers.trial import conforming, judge
from servers.variants import VARIANTS, Variant

EVERY = os.environ.get("INDEPENDENT") == "all"
CASES = [
    pytest.param(variant, short, id=f"{variant.name}-{short}")
    for variant in VARIANTS
    for short in (variant.on if EVERY else variant.on[:1])
]


@pytest.mark.parametrize(("variant", "short"), CASES)
def test_conforming_server_passes(variant: Variant, short: str) -> None:
    service = conforming(short, variant.service, signed=variant.signed, **variant.attributes)
    only = [id_ for id_ in variant.only if id_.startswith(short)]
    outcome = judge(service, variant.front, excused=variant.excused, only=only)
    assert (outcome.exit_code, outcome.violated) == (0, {}), str(outcome)
    assert outcome.cancels <= 100, "the gate stays within the page's own quota"
