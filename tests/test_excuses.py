"""Excuses speak of needs, switch no call off, cover no violation, and cost something that is seen."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from cancel_contracts.builtin import mock_target
from cancel_contracts.cli import main
from cancel_contracts.contract.load import load, shipped
from servers.front import Request, Response, Written
from servers.service import Service
from servers.tokens import Caller, Opaque
from servers.trial import conforming, contract_of, target_of

pytestmark = pytest.mark.slow

Capture = pytest.CaptureFixture[str]
CONTRACTS = {c.name: c for c in map(load, shipped())}


def written(folder: Path, raw: Mapping[str, Any], base_url: str, **more: Any) -> str:
    path = folder / "target.yaml"
    path.write_text(yaml.safe_dump({**raw, "base_url": base_url, **more}), "utf-8")
    return str(path)


def gate(
    service: Service,
    folder: Path,
    not_testable: Mapping[str, str] | None = None,
    *more: str,
) -> tuple[int, dict[str, Any]]:
    """Return the exit code and the JSON report of a run against a service."""
    report = folder / "report.json"
    with Written(service) as front:
        target = target_of(service, front.url)
        excuses = {**target.raw.get("not_testable", {}), **(not_testable or {})}
        file = written(folder, target.raw, target.base_url, not_testable=excuses)
        name = contract_of(service.page).name
        argv = ["verify", "--target", file, "--contract", name, "--report-json", str(report)]
        code = main([*argv, *more])
        service.stopped.set()
    return code, json.loads(report.read_text("utf-8"))


def clauses(report: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {c["id"]: c for contract in report["contracts"] for c in contract["clauses"]}


def lent(short: str, kind: type[Service], *omit: str) -> Service:
    """Return a server whose target file lends tokens, but for some identities."""
    service = conforming(short, kind, signed=False)
    assert isinstance(service.tokens, Opaque)
    service.tokens.omit = frozenset(omit)
    return service


# --- What is excused is asked all the same --------------------------------------------------------


class LetsAnyTokenIn(Service):
    """Whoever sends a token that is not empty is an administrator."""

    def bearer(self, request: Request) -> Caller | None:
        found = super().bearer(request)
        _, _, token = request.headers.get("authorization", "").partition(" ")
        if found is None and token:
            return Caller("admin", self.page.delegated, admin=True)
        return found


class LetsAnybodyIn(Service):
    """Whoever sends no credentials is an administrator."""

    def bearer(self, request: Request) -> Caller | None:
        found = super().bearer(request)
        if found is None and "authorization" not in request.headers:
            return Caller("admin", self.page.delegated, admin=True)
        return found


@pytest.mark.parametrize(
    ("kind", "keys", "broken"),
    [
        (LetsAnyTokenIn, (), {"MA-21", "MA-63"}),
        (LetsAnyTokenIn, ("expired",), {"MA-21", "MA-63"}),
        (LetsAnyTokenIn, ("identities",), {"MA-21", "MA-63"}),
        (LetsAnyTokenIn, ("MA-21",), {"MA-21", "MA-63"}),
        (LetsAnybodyIn, (), {"MA-21", "MA-37"}),
        (LetsAnybodyIn, ("identities",), {"MA-21", "MA-37"}),
        (LetsAnybodyIn, ("expired", "MA-37"), {"MA-21", "MA-37"}),
    ],
)
def test_an_excuse_keeps_nothing_from_being_asked(
    kind: type[Service], keys: tuple[str, ...], broken: set[str], tmp_path: Path
) -> None:
    service = lent("MA", kind, "expired")
    chosen = [arg for id_ in ("MA-21", "MA-37", "MA-63", "MA-34") for arg in ("--only", id_)]
    code, report = gate(service, tmp_path, dict.fromkeys(keys, "none here"), *chosen)
    assert code == 1
    found = {id_ for id_, c in clauses(report).items() if c["verdict"] == "violated"}
    assert broken <= found, "and no excuse covers it"


def test_the_line_that_a_run_offers_names_the_need_and_costs_what_it_says(
    tmp_path: Path, capsys: Capture
) -> None:
    service = lent("MA", Service, "expired", "personal")
    code, before = gate(service, tmp_path)
    assert code == 4
    out = capsys.readouterr().out
    offered = before["excuses"]["machine-action"]
    assert offered == {"expired": "the target offers no identity expired"}
    assert "not_testable:\n  expired: the target offers no identity expired\n" in out
    assert clauses(before)["MA-21"]["needs"] == ["expired"]
    assert clauses(before)["MA-20"]["needs"] == ["personal"], "a should-clause is no gap"

    code, after = gate(lent("MA", Service, "expired", "personal"), tmp_path, offered)
    assert code == 0
    assert before["requests"] == after["requests"], "no call is made less"
    assert after["excused"] == {"expired": ["MA-21", "MA-142", "MA-63"]}
    idle = {id_ for id_, c in clauses(after).items() if c["level"] == "must" and c["conditional"]}
    idle -= {id_ for id_, c in clauses(after).items() if c["verdict"] == "upheld"}
    assert idle == {"MA-13", "MA-14", "MA-140", "MA-190"}, (
        "none throttled, nobody of another tenant"
    )
    asked = [c for c in CONTRACTS["machine-action"].clauses if c.profile == "gate"]
    every = sum(c.level == "must" for c in asked)
    judged = every - len({"MA-21", "MA-142", "MA-63"} | idle)
    assert after["kept"] == {"count": judged, "of": judged}
    assert after["covered"] == {"count": judged, "of": every}


@pytest.mark.parametrize(
    ("state", "clause"), [("Pending", "MA-06"), ("Succeeded", "MA-08"), ("Failed", "MA-08")]
)
def test_a_single_state_may_be_excused(state: str, clause: str, tmp_path: Path) -> None:
    class Refuses(Service):
        def provide(self, request: Request) -> Response:
            refused = f'"state": "{state}"'.encode() in request.body
            return Response(422) if refused else super().provide(request)

    only = ["--only", "MA-08", "--only", "MA-06", "--only", "MA-34"]
    code, report = gate(conforming("MA", Refuses), tmp_path, None, *only)
    told = clauses(report)[clause]
    assert code == 4
    assert told["needs"] == [state]
    assert told["reason"].startswith(f"states: the provider-state handler refuses {state}")
    code, report = gate(conforming("MA", Refuses), tmp_path, {state: "not here"}, *only)
    assert code == 0
    assert clauses(report)[clause]["excused"] == "not here"
    assert clauses(report)["MA-34"]["verdict"] == "upheld"


# --- A violation is not declined, and what is stale fails -----------------------------------------


def mocked(
    folder: Path,
    excuses: Mapping[str, str],
    faults: Iterable[str] = (),
    names: Iterable[str] = ("machine-action",),
    *more: str,
) -> int:
    contracts = [CONTRACTS[name] for name in names]
    with mock_target(contracts, tuple(faults)) as target:
        file = written(folder, target.raw, target.base_url, not_testable=dict(excuses))
        chosen = [arg for c in contracts for arg in ("--contract", c.name)]
        return main(["verify", "--target", file, *chosen, *more])


def test_a_violation_is_not_declined_by_its_id(tmp_path: Path, capsys: Capture) -> None:
    excuses = {"MA-39": "x", "MA-53": "x"}
    few = ("--only", "MA-39", "--only", "MA-53")
    fault = ["second-cancel-answered-500"]
    assert mocked(tmp_path, excuses, fault, ("machine-action",), *few) == 1
    last = " ".join(capsys.readouterr().out.split()).rpartition("violated: ")[2]
    assert last.startswith("MA-39, ")
    assert "MA-53" in last
    assert "2 stale excuses: not_testable: MA-39 is violated, which no excuse covers" in last


@pytest.mark.parametrize("key", ["expired", "MA-39", "mint", "Pending"])
def test_an_excuse_of_what_was_exercised_is_stale(
    key: str, tmp_path: Path, capsys: Capture
) -> None:
    chosen = [arg for id_ in ("MA-06", "MA-21", "MA-39", "MA-44") for arg in ("--only", id_)]
    assert mocked(tmp_path, {key: "so I thought"}, (), ("machine-action",), *chosen) == 1
    out = " ".join(capsys.readouterr().out.split())
    told = f"not_testable: {key} is exercised now; delete this line"
    assert f"violated: 1 stale excuses: {told}; kept " in out
    assert out.count(told) >= 2, "it stands among the warnings too"


def test_an_excuse_of_a_whole_group_is_stale_by_all_of_it(tmp_path: Path, capsys: Capture) -> None:
    """And one that nobody asked for is not."""
    excuses = dict.fromkeys(("identities", "states", "other-user"), "so I thought")
    assert mocked(tmp_path, excuses) == 1
    out = " ".join(capsys.readouterr().out.split())
    told = [f"not_testable: {key} is exercised now; delete this line" for key in excuses]
    assert f"violated: 2 stale excuses: {told[0]}" in out
    assert [out.count(one) >= 1 for one in told] == [True, True, False]


def test_an_excuse_that_another_contract_needs_is_not_stale(tmp_path: Path) -> None:
    """Only one of the two contracts has resources that belong to somebody."""
    contract = CONTRACTS["access-package-assignment-request"]
    asks = [c.id for c in contract.clauses if c.given.get("identity") == "wrong-audience"]
    only = [arg for id_ in asks for arg in ("--only", id_)]
    code, report = gate(lent("AP", Service), tmp_path, {"wrong-audience": "needs a key"}, *only)
    assert (code, {c["verdict"] for c in clauses(report).values()}) == (0, {"not-exercised"})
    some = ["--only", "MA-01", "--only", "MA-34"]
    assert mocked(tmp_path, {"identities": "x"}, (), ("machine-action",), *some) == 0, (
        "of a whole group nothing is known where only some clauses were selected"
    )
    both = ("machine-action", contract.name)
    own = next(c.id for c in contract.clauses if c.given == {"identity": "user", "owner": "user"})
    assert mocked(tmp_path, {"user": "x"}, (), both, *some) == 0, "nobody asked for it"
    assert mocked(tmp_path, {"user": "x"}, (), both, *some, "--only", own) == 1


# --- The two figures ------------------------------------------------------------------------------


def test_what_was_excused_is_seen_in_every_report(tmp_path: Path, capsys: Capture) -> None:
    paths = {k: tmp_path / f"r.{k}" for k in ("json", "junit", "markdown", "html")}
    flags = [f"--report-{k}={path}" for k, path in paths.items()]
    with mock_target([CONTRACTS["security-action"]], variants=("no-get-route",)) as target:
        file = written(tmp_path, target.raw, target.base_url, not_testable={"observe": "no GET"})
        code = main(["verify", "--target", file, "--contract", "security-action", *flags])
    assert code == 0
    report = json.loads(paths["json"].read_text("utf-8"))
    judged, every = report["covered"]["count"], report["covered"]["of"]
    assert report["kept"] == {"count": judged, "of": judged}
    assert 0 < judged < every
    assert len(report["excused"]["observe"]) == every - judged
    assert report["contracts"][0]["covered"] == report["covered"]
    figures = f"kept {judged} of {judged}, covered {judged} of {every}; excused: observe"
    assert figures in " ".join(capsys.readouterr().out.split()).rpartition("conforms: ")[2]
    assert f"Must-clauses: {figures}" in paths["markdown"].read_text("utf-8")
    suite = ET.fromstring(paths["junit"].read_text("utf-8")).find("testsuite")
    assert suite is not None
    told = {p.get("name"): p.get("value") for p in suite.iterfind("properties/property")}
    assert told["kept"] == f"{judged} of {judged}"
    assert told["covered"] == f"{judged} of {every}"
    assert told["excused"] == "observe"
    page = paths["html"].read_text("utf-8")
    assert f"<b>{judged} of {every}</b> must-clauses" in page
    assert "<dt>Excused</dt><dd>observe" in page


def test_what_is_accepted_is_covered_and_not_kept(tmp_path: Path) -> None:
    baseline, report = tmp_path / "b.yaml", tmp_path / "r.json"
    row = {"contract": "security-action", "clause": "SA-20", "reason": "mended with release 7"}
    baseline.write_text(yaml.safe_dump({"violations": [row]}), "utf-8")
    chosen = ["--only", "SA-20", "--only", "SA-01", f"--baseline={baseline}"]
    with mock_target([CONTRACTS["security-action"]], ["unknown-id-answered-200"]) as target:
        file = written(tmp_path, target.raw, target.base_url)
        code = main(["verify", "--target", file, *chosen, f"--report-json={report}"])
    told = json.loads(report.read_text("utf-8"))
    assert code == 0
    assert (told["kept"], told["covered"]) == ({"count": 1, "of": 2}, {"count": 2, "of": 2})


@pytest.mark.parametrize(
    ("percent", "code"), [("0", 0), ("45", 0), ("50", 0), ("50.1", 4), ("100", 4)]
)
def test_a_run_that_covers_too_little_ends_4(
    percent: str, code: int, tmp_path: Path, capsys: Capture
) -> None:
    chosen = ["--only", "MA-34", "--only", "MA-37", "--min-covered", percent]
    with mock_target([CONTRACTS["machine-action"]], variants=("no-get-route",)) as target:
        file = written(tmp_path, target.raw, target.base_url, not_testable={"observe": "no GET"})
        har = tmp_path / "t.har"
        argv = ["--target", file, "--contract", "machine-action", *chosen]
        assert main(["verify", *argv, "--record", str(har)]) == code
    out = " ".join(capsys.readouterr().out.split())
    assert ("50.0 % of the must-clauses are covered, less than" in out) is (code == 4)
    assert main(["judge", str(har), "--min-covered", percent]) == code, "a recording too"


def test_a_violation_goes_before_what_is_not_covered(tmp_path: Path) -> None:
    chosen = ["--only", "MA-34", "--min-covered", "100"]
    faults = ["unknown-id-answered-200"]
    assert mocked(tmp_path, {}, faults, ("machine-action",), *chosen) == 1


@pytest.mark.parametrize("percent", ["-1", "100.5", "nan", "inf", "all", ""])
def test_a_percentage_that_is_none_is_said_at_once(percent: str, capsys: Capture) -> None:
    assert main(["verify", "--only", "MA-34", "--min-covered", percent]) == 2
    assert "--min-covered" in capsys.readouterr().err


# --- Names ----------------------------------------------------------------------------------------

URL = "base_url: http://127.0.0.1:9\n"


@pytest.mark.parametrize(
    ("text", "place", "fix"),
    [
        ("primary: {machine-action: appp}\n", "primary: no identity is named 'appp'", "use app"),
        ("identities: {adminn: {token: x}}\n", "no identity is named 'adminn'", "use admin"),
        ("identities: {Machine.Scann: {token: x}}\n", "identities: ", "use Machine.Scan"),
        ("identities: {admin: {token: x}, anonymous: {token: y}}\n", "'anonymous'", "use one of"),
        (
            "contracts: {security-action: {primary: apq}}\n",
            "contracts/security-action/primary: no identity is named 'apq'",
            "use app",
        ),
        (
            "contracts: {security-action: {identities: {users: {token: x}}}}\n",
            "contracts/security-action/identities: no identity is named 'users'",
            "use user",
        ),
        ("not_testable: {expird: x}\n", "'expird' is no clause and no need", "use expired"),
        ("not_testable: {pending: x}\n", "'pending' is no clause and no need", "use Pending"),
        ("not_testable: {MA-999: x}\n", "'MA-999' is no clause and no need", "use MA-"),
        # Who makes the ordinary calls has to be somebody.
        (
            "primary: {machine-action: app}\nidentities: {admin: {token: x}}\n",
            "primary: app, who makes the ordinary calls for machine-action, has no source",
            "give identities/app or name another primary",
        ),
        ("primary: {machine-action: app}\n", "has no source", "give identities/app"),
        (
            "contracts: {machine-action: {primary: user}}\nidentities: {admin: {token: x}}\n",
            "contracts/machine-action/primary: user",
            "give identities/user",
        ),
        (
            "identities: {app: {token: x}}\n",
            "primary: admin, who makes the ordinary calls",
            "give identities/admin or name another as primary",
        ),
    ],
)
@pytest.mark.parametrize("plan", [(), ("--plan",)])
def test_a_name_that_means_nothing_is_said_before_anything_is_sent(
    text: str, place: str, fix: str, plan: tuple[str, ...], tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "target.yaml"
    path.write_text(URL + text, "utf-8")
    assert main(["verify", "--target", str(path), *plan]) == 2
    told = capsys.readouterr()
    assert told.err.startswith(f"cancel-contracts: {path}: "), told.err
    assert place in told.err
    assert fix in told.err
    assert len(told.err.splitlines()) == 1
    assert "not_testable:" not in told.out, "no excuse is offered for it"


@pytest.mark.parametrize(
    "text",
    [
        "primary: {machine-action: app}\nmint: {algorithm: HS256, key: 'a key of some length, 32 bytes'}\n",
        "identities: {admin: {token: x}, wrong-audience: {token: y}, Machine.Read.All: {token: z}}\n",
        "identities: {app: {token: x}}\nprimary: {machine-action: app}\n",
        "identities: {EntitlementMgmt-SubjectAccess.ReadWrite: {token: x}, admin: {token: y}}\n",
        "not_testable: {Machine.Scan: x, owners: x, pendingApproval: x, SA-08: x, MA-12: x}\n",
    ],
)
def test_a_name_of_another_contract_is_a_name(text: str, tmp_path: Path) -> None:
    path = tmp_path / "target.yaml"
    path.write_text(URL + text, "utf-8")
    argv = ["verify", "--target", str(path), "--contract", "machine-action", "--plan"]
    assert main(argv) == 0
