"""Prism over our own specs as they are: its README's commands, word for word."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import third_party
import yaml
from third_party import Run

pytestmark = [pytest.mark.outside("npm", "curl"), pytest.mark.slow(10)]
NAME = "prism"
EXAMPLE = third_party.EXAMPLES / NAME


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    with third_party.clone(NAME) as copy:
        yield copy.run()


def test_the_block_of_the_readme_ends_0(run: Run) -> None:
    assert run.code == 0, run.output[-4000:]
    assert len(run.report["contracts"]) == 3
    assert not any(contract["stopped"] for contract in run.report["contracts"]), "Prism lives on"


def test_what_prism_cannot_keep_is_named_clause_by_clause_and_no_more(run: Run) -> None:
    baseline = yaml.safe_load((EXAMPLE / "baseline.yaml").read_text("utf-8"))
    accepted = {c["id"] for c in run.clauses() if c["verdict"] == "accepted"}

    assert accepted == {entry["clause"] for entry in baseline["violations"]}
    assert not run.violated() | run.violated("should")


def test_each_excuse_is_needed(run: Run) -> None:
    rows = [c for c in run.clauses() if c["verdict"] == "not-exercised"]
    needs = {need for c in rows for need in c["needs"]}
    assert set(third_party.excuses(NAME)) <= {c["id"] for c in rows} | needs


def test_the_page_tells_what_this_run_gave(run: Run) -> None:
    third_party.compare(NAME, run)
