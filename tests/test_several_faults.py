"""What many calls show where two facts meet is caught, of several faults of one server each."""

from __future__ import annotations

import joint_matrix
import pytest
from cancel_contracts.mock.catalogue import FAULTS
from cancel_contracts.prove import intended
from joint_matrix import Several
from sampling import EVERY

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("some", joint_matrix.several())
def test_of_several_each_is_caught_by_a_clause_that_it_breaks(some: Several) -> None:
    found = joint_matrix.violated(some)
    of_each = [found & {*intended(some.contract, fault)} for fault in some.faults]
    for at in joint_matrix.hidden(of_each):
        joint_matrix.check_hidden(some, some.faults[at])


def test_each_needs_a_clause_of_its_own() -> None:
    assert not joint_matrix.hidden([{"a", "b"}, {"a"}, {"b", "c"}])
    assert joint_matrix.hidden([{"a", "b"}, {"a"}, {"b"}]) == [2]
    assert joint_matrix.hidden([{"a"}, set()]) == [1]


def test_what_takes_many_calls_is_there_and_every_fault_is_met() -> None:
    assert {*joint_matrix.MANY_CALLS} <= {fault.name for fault in FAULTS}
    if EVERY:
        return
    singly = [param.values[1] for half in (0, 1) for param in joint_matrix.cases(half)]
    together = [fault for param in joint_matrix.several() for fault in param.values[0].faults]
    every = [f.name for f in FAULTS if f.family not in joint_matrix.SINGLE]
    assert sorted(fault.name for fault in (*singly, *together)) == sorted(every)
