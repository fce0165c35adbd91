"""WireMock, with the stubs and the provider-state handler of examples/wiremock: its README's commands, word for word."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import third_party
import yaml
from third_party import Clone, Run

pytestmark = [pytest.mark.outside("java", "npm", "curl"), pytest.mark.slow(15)]
NAME = "wiremock"
GUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
PACKAGES = "/identityGovernance/entitlementManagement/accessPackageAssignmentRequests"
ROUTES = (
    f"/security/securityActions/{GUID}/cancelSecurityAction",
    f"/api/machineactions/{GUID}/cancel",
    f"{PACKAGES}/{GUID}/cancel",
)


@pytest.fixture(scope="module")
def copy() -> Iterator[Clone]:
    with third_party.clone(NAME) as copy:
        yield copy


@pytest.fixture(scope="module")
def run(copy: Clone) -> Run:
    return copy.run()


def test_the_block_of_the_readme_ends_0_and_excuses_no_more_than_it_says(run: Run) -> None:
    assert (run.code, run.violated()) == (0, set()), run.output[-4000:]
    assert len(run.report["contracts"]) == 3
    excused = {c["id"]: c["excused"] for c in run.clauses() if c["excused"]}
    assert excused == third_party.excuses(NAME), "each excuse is needed, and none is missing"
    assert not run.violated("should")
    baseline = yaml.safe_load((third_party.EXAMPLES / NAME / "baseline.yaml").read_text("utf-8"))
    accepted = {c["id"] for c in run.clauses() if c["verdict"] == "accepted"}
    assert accepted == {entry["clause"] for entry in baseline["violations"]}
    assert {c["name"]: c["dialect"] for c in run.report["contracts"]} == {
        "access-package-assignment-request": "prose, body-asked, full-permission",
        "machine-action": "directory-role, time-out-is-final, collect-forensic",
        "security-action": "directory-role, delegated",
    }


def test_the_page_tells_what_this_run_gave(run: Run) -> None:
    third_party.compare(NAME, run)


@pytest.mark.usefixtures("run")  # which installs
def test_what_is_broken_is_found(copy: Clone) -> None:
    """Unknown ids answered 200, a body where there is to be none, and a dialect that is not the pinned one."""
    entity = {"jsonBody": {"id": "{{request.path.[2]}}", "status": "Cancelled"}}
    stubs = [
        {
            "priority": 8,  # before the example's 404, behind the resources that exist
            "request": {"method": "POST", "urlPathPattern": route},
            "response": {"status": 200, "headers": {"Content-Type": "application/json"}, **body},
        }
        for route, body in zip(ROUTES, ({}, entity, {}), strict=True)
    ]
    (copy.example / "mappings" / "unknown.json").write_text(json.dumps({"mappings": stubs}))
    running = '"cancellable": ["NotStarted", "Running"],'
    copy.edit("provider_states.py", running, f'{running} "returns": {{}},')
    pinned = "access-package-assignment-request=example"
    broken = {"SA-20", "SA-18", "MA-34", "AP-35", "AP-30"}
    only = [flag for id_ in sorted(broken) for flag in ("--only", id_)]
    again = copy.run("--dialect", pinned, *only, install=False)

    assert (again.code, again.violated()) == (1, broken)
