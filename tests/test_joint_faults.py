"""What breaks where two facts meet is caught: one half of such faults of the mock."""

from __future__ import annotations

import joint_matrix
import pytest
from cancel_contracts.contract.model import Contract
from cancel_contracts.mock.catalogue import FAULTS
from cancel_contracts.mock.entry import Fault
from joint_matrix import Several
from sampling import EVERY

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("contract", "fault"), joint_matrix.cases(0))
def test_is_caught_by_a_clause_that_it_breaks(contract: Contract, fault: Fault) -> None:
    joint_matrix.check(contract, fault)


@pytest.mark.parametrize("some", joint_matrix.several(0))
def test_of_several_each_is_caught_by_a_clause_that_it_breaks(some: Several) -> None:
    joint_matrix.check_several(some)


def test_each_needs_a_clause_of_its_own() -> None:
    assert not joint_matrix.hidden([{"a", "b"}, {"a"}, {"b", "c"}])
    assert joint_matrix.hidden([{"a", "b"}, {"a"}, {"b"}]) == [2]
    assert joint_matrix.hidden([{"a"}, set()]) == [1]


def test_what_takes_met_together_is_there_and_every_fault_is_met() -> None:
    assert {*joint_matrix.MET_TOGETHER} <= {fault.name for fault in FAULTS}
    if EVERY:
        return
    halves = (0, 1)
    singly = [param.values[1] for half in halves for param in joint_matrix.cases(half)]
    groups = [param.values[0] for half in halves for param in joint_matrix.several(half)]
    together = [fault for some in groups for fault in some.faults]
    every = [f.name for f in FAULTS if f.family not in joint_matrix.SINGLE]
    assert sorted(fault.name for fault in (*singly, *together)) == sorted(every)
