"""What a target file may look like: ids per state or a pattern for many, merge keys, and sections that
hold nothing.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cancel_contracts.contract.load import load as load_spec
from cancel_contracts.contract.load import shipped
from cancel_contracts.errors import UsageError
from cancel_contracts.targets.file import Target, load

MACHINE_ACTION = next(c for c in map(load_spec, shipped()) if c.name == "machine-action")


def ids(tmp_path: Path, given: str) -> tuple[str, ...]:
    path = tmp_path / "target.yaml"
    states = f"contracts: {{machine-action: {{provider_states: {{Pending: {given}}}}}}}"
    path.write_text(f"base_url: http://127.0.0.1:8080\n{states}\n", "utf-8")
    return load(path).endpoint(MACHINE_ACTION).ids["Pending"]


def test_ids_stand_as_they_are_given(tmp_path: Path) -> None:
    assert ids(tmp_path, "[b, a]") == ("b", "a")


@pytest.mark.parametrize("id_", ["0012", "12", "-7", "0", "1_000", "0x10", "0b11", "17:30", "+5"])
def test_a_bare_number_is_the_id_that_is_written(id_: str, tmp_path: Path) -> None:
    """YAML 1.1 has integers in other forms: 0012 is 10 to it."""
    assert ids(tmp_path, f"[{id_}]") == (id_,)


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


def loaded(tmp_path: Path, text: str) -> Target:
    path = tmp_path / "target.yaml"
    path.write_text(text, "utf-8")
    return load(path)


def test_a_merge_key_brings_what_is_not_written_here(tmp_path: Path) -> None:
    target = loaded(
        tmp_path,
        """
base_url: http://127.0.0.1:1
contracts:
  security-action: &mine
    unknown_id: a
    provider_states: &ids {}
    identities: {app: {token: abcdefgh}}
    primary: app
  machine-action: {<<: *mine, unknown_id: b, provider_states: {<<: [*ids], Pending: [c]}}
""",
    )
    site = target.endpoint(MACHINE_ACTION)
    assert (site.unknown_id, site.primary, dict(site.ids)) == ("b", "app", {"Pending": ("c",)})


EMPTY = [
    "identities:\n#  admin: {token: x}\n",
    "provider_states:\n# http://127.0.0.1\nmint:\nprimary:\nnot_testable: # nothing\n",
    "contracts:\n#  machine-action: {}\n",
    "contracts:\n  machine-action:\n#    unknown_id: x\n",
    "contracts:\n  machine-action:\n    unknown_id:\n    provider_states:\n    provision:\n",
    "contracts:\n  machine-action:\n    provider_states:\n      Pending:\n#        - a\n",
]


@pytest.mark.parametrize("text", EMPTY)
def test_a_section_whose_lines_are_all_commented_out_is_empty(text: str, tmp_path: Path) -> None:
    site = loaded(tmp_path, f"base_url: http://127.0.0.1:1\n{text}").endpoint(MACHINE_ACTION)
    bare = loaded(tmp_path, "base_url: http://127.0.0.1:1\n").endpoint(MACHINE_ACTION)
    assert replace(site, ids={}) == bare
    assert not any(site.ids.values())


def test_a_base_url_of_nothing_is_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="gives no base_url"):
        loaded(tmp_path, "base_url:\n# http://127.0.0.1\n").endpoint(MACHINE_ACTION)
