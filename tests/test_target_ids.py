"""Ids per state in a target file: as they stand, or a pattern that stands for many."""

from __future__ import annotations

from pathlib import Path

import pytest
from cancel_contracts.contract.load import load as load_spec
from cancel_contracts.contract.load import shipped
from cancel_contracts.errors import UsageError
from cancel_contracts.targets.file import load

MACHINE_ACTION = next(c for c in map(load_spec, shipped()) if c.name == "machine-action")


def ids(tmp_path: Path, given: str) -> tuple[str, ...]:
    path = tmp_path / "target.yaml"
    states = f"contracts: {{machine-action: {{provider_states: {{Pending: {given}}}}}}}"
    path.write_text(f"base_url: http://127.0.0.1:8080\n{states}\n", "utf-8")
    return load(path).site(MACHINE_ACTION).ids["Pending"]


def test_ids_stand_as_they_are_given(tmp_path: Path) -> None:
    assert ids(tmp_path, "[b, a]") == ("b", "a")


def test_a_pattern_stands_for_as_many_ids_as_its_hashes_have_digits(tmp_path: Path) -> None:
    found = ids(tmp_path, '[first, "a0-##-z"]')
    assert (found[0], found[1], found[-1], len(found)) == ("first", "a0-01-z", "a0-99-z", 100)


def test_a_long_pattern_stands_for_ten_thousand(tmp_path: Path) -> None:
    found = ids(tmp_path, '["a1000000-0000-4000-8000-############"]')
    assert len(set(found)) == len(found) == 10_000
    assert found[-1] == "a1000000-0000-4000-8000-000000010000"


def test_two_runs_are_refused_with_place_and_mend(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="provider_states/Pending: 'a#b#' has #"):
        ids(tmp_path, '["a#b#"]')
