"""The suite catches what breaks the contract, by the clause that it breaks: independent servers.

So that it stays quick, each runs on one contract, few choices of a kind, and only the clauses that it
concerns. INDEPENDENT=all runs every one, on every contract where it can occur, as a whole.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import pytest
from servers import (  # noqa: F401 - each fills the register
    faults_answers,
    faults_entity,
    faults_existence,
    faults_identity,
    faults_method,
    faults_request,
    faults_state,
    faults_wire,
)
from servers.faults import FAULTS, Fault
from servers.trial import conforming, judge

from contracts.transport.client import Timeouts

EVERY = os.environ.get("INDEPENDENT") == "all"
# An effect that is due shows at once in these servers, or never.
AT_ONCE = {"effect_seconds": 0.3}
IMPATIENT = AT_ONCE | {"timeouts": Timeouts(connect=2.0, read=0.6, total=0.8)}
AT_MOST = 3  # choices of one fault, spread over its contracts


def spread() -> Iterator[tuple[Fault, str]]:
    seen: Counter[tuple[str, str]] = Counter()
    for index, fault in enumerate(FAULTS):
        shorts = [*fault.clauses]
        kind = (fault.service.__name__, shorts[0] + str(fault.clauses[shorts[0]]))
        seen[kind] += 1
        if EVERY:
            yield from ((fault, short) for short in shorts)
        elif seen[kind] <= AT_MOST:
            yield fault, shorts[index % len(shorts)]


CASES = [pytest.param(fault, short, id=f"{fault.name}-{short}") for fault, short in spread()]


@pytest.mark.parametrize(("fault", "short"), CASES)
def test_fault_is_caught_by_the_clause_it_breaks(fault: Fault, short: str) -> None:
    service = conforming(short, fault.service, **fault.attributes)
    options = IMPATIENT if fault.hangs else AT_ONCE
    outcome = judge(service, only=() if EVERY else fault.only(short), options=options)
    missed = [id_ for id_ in fault.clauses[short] if id_ not in outcome.violated]
    assert (outcome.exit_code, missed) == (1, []), str(outcome)


@pytest.mark.parametrize(
    ("more", "warned"), [({"status": 404}, True), ({"@odata.context": "$metadata"}, False)]
)
def test_more_beside_the_error_is_warned_of_and_annotations_are_not(
    more: dict[str, object], warned: bool
) -> None:
    service = conforming("SA", faults_answers.EnvelopeWithMoreAtItsRoot, more=more)
    outcome = judge(service, only=("SA-25", "SA-48"))
    assert (outcome.exit_code, outcome.violated) == (0, {}), str(outcome)
    assert ("SA-48" in outcome.warned) == warned
