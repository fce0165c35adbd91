"""Mockoon, with the environment of examples/mockoon: its README's commands, word for word."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import third_party
import yaml
from third_party import Clone, Run

pytestmark = [pytest.mark.outside("npm", "curl"), pytest.mark.slow(15)]
NAME = "mockoon"
EXAMPLE = third_party.EXAMPLES / NAME
# Tokens of other tenants are minted, and none is lent.
OTHER_TENANTS = dict.fromkeys(
    ("AP-190", "MA-190", "SA-190"), "no answer was 2xx or 4xx in this situation"
)


@pytest.fixture(scope="module")
def copy() -> Iterator[Clone]:
    with third_party.clone(NAME) as copy:
        yield copy


@pytest.fixture(scope="module")
def run(copy: Clone) -> Run:
    return copy.run()


def test_the_block_of_the_readme_ends_0(run: Run) -> None:
    assert run.code == 0, run.output[-4000:]
    assert len(run.report["contracts"]) == 3
    assert not run.violated() | run.violated("should")


def test_everything_but_minted_tokens_is_asked_and_the_baseline_names_the_rest(run: Run) -> None:
    baseline = yaml.safe_load((EXAMPLE / "baseline.yaml").read_text("utf-8"))
    accepted = {c["id"] for c in run.clauses() if c["verdict"] == "accepted"}

    assert accepted == {entry["clause"] for entry in baseline["violations"]}
    assert not third_party.excuses(NAME)
    open_ = {c["id"]: c["reason"] for c in run.clauses() if c["verdict"] == "not-exercised"}
    told = open_.pop("MA-140")
    assert told == "whether two tokens that are lent are of two callers is not told"
    mint = {id_ for id_, reason in open_.items() if reason.startswith("mint:")}
    assert mint == {"AP-50", "MA-44", "SA-36"}
    assert {id_: open_[id_] for id_ in open_.keys() - mint} == {
        **third_party.UNSHOWN,
        **OTHER_TENANTS,
    }


def test_the_page_tells_what_this_run_gave(run: Run) -> None:
    third_party.compare(NAME, run)


@pytest.mark.usefixtures("run")  # which installs
def test_rules_that_are_gone_are_found(copy: Clone) -> None:
    """Without its 404 an unknown id is answered 409, and without its 403 a token without permission 200."""
    path = copy.example / "environment.json"
    environment = json.loads(path.read_text("utf-8"))
    for route in environment["routes"]:
        route["responses"] = [r for r in route["responses"] if r["statusCode"] not in (403, 404)]
    path.write_text(json.dumps(environment), "utf-8")
    expected = {"SA-20", "SA-10", "MA-34", "MA-19", "AP-35", "AP-16"}
    only = [flag for id_ in sorted(expected) for flag in ("--only", id_)]
    again = copy.run(*only, install=False)

    assert (again.code, again.violated()) == (1, expected)
