"""mountebank, with the injection of examples/mountebank: its README's commands, word for word."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import third_party
from third_party import Clone, Run

pytestmark = [pytest.mark.outside("npm", "curl"), pytest.mark.slow(12)]
NAME = "mountebank"
ANSWERED_200 = """if (!store[id] && id.length === 36) {
    return contract.comment ? json(200, { id, status: contract.after }) : { statusCode: 200, headers: ids() };
}"""


@pytest.fixture(scope="module")
def copy() -> Iterator[Clone]:
    with third_party.clone(NAME) as copy:
        yield copy


@pytest.fixture(scope="module")
def run(copy: Clone) -> Run:
    return copy.run()


def test_the_block_of_the_readme_ends_0_and_what_can_be_shown_is_upheld(run: Run) -> None:
    assert run.code == 0, run.output[-4000:]
    open_ = {c["id"]: c["reason"] for c in run.clauses() if c["verdict"] != "upheld"}
    assert open_ == third_party.UNSHOWN
    assert len(run.report["contracts"]) == 3
    assert not third_party.excuses(NAME)


def test_the_page_tells_what_this_run_gave(run: Run) -> None:
    third_party.compare(NAME, run)


@pytest.mark.usefixtures("run")  # which installs
def test_an_unknown_id_answered_200_is_found_in_all_three(copy: Clone) -> None:
    found = "if (!store[id] || store[id].name !== name) {"
    copy.edit("cancel.js", found, f"{ANSWERED_200} else {found}")
    again = copy.run("--profile", "smoke", install=False)

    assert (again.code, again.violated()) == (1, {"SA-20", "MA-34", "AP-35", "AP-191"})
