"""What breaks where two facts meet is caught: the other half of such faults of the mock."""

from __future__ import annotations

import joint_matrix
import pytest
from cancel_contracts.contract.model import Contract
from cancel_contracts.mock.entry import Fault
from joint_matrix import Several

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("contract", "fault"), joint_matrix.cases(1))
def test_is_caught_by_a_clause_that_it_breaks(contract: Contract, fault: Fault) -> None:
    joint_matrix.check(contract, fault)


@pytest.mark.parametrize("some", joint_matrix.several(1))
def test_of_several_each_is_caught_by_a_clause_that_it_breaks(some: Several) -> None:
    joint_matrix.check_several(some)
