"""Resources by documented create calls (x-provision), against an independent server that plays the
tenant.
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cancel_contracts import gate
from cancel_contracts.assignment import Options, assign
from cancel_contracts.cli import main
from cancel_contracts.contract.load import load
from cancel_contracts.contract.model import Contract
from cancel_contracts.errors import UsageError
from cancel_contracts.ledger import account
from cancel_contracts.targets import safety
from cancel_contracts.targets.file import Target
from cancel_contracts.targets.file import load as load_target
from cancel_contracts.verify import Result, verify
from sampling import only_of_all
from servers.front import Request, Response, Written, written
from servers.pages import PAGES
from servers.service import Service
from servers.trial import conforming, contract_of

Capture = pytest.CaptureFixture[str]
FRESH = {"SA": "NotStarted", "MA": "Pending", "AP": "accepted"}
ROUTES = {
    "SA": re.compile(r"/security/securityActions"),
    "MA": re.compile(r"/api/machines/([^/]+)/runAntiVirusScan"),
    "AP": re.compile(r"/identityGovernance/entitlementManagement/accessPackageAssignmentRequests"),
}
GIVEN: dict[str, dict[str, Any]] = {
    "SA": {"ip": "192.0.2.7"},
    "MA": {"device_id": ["device-1", "device-2"]},
    "AP": {
        "access_package_id": "package-1", "direct_policy_id": "policy-1", "target_id": "person-1",
        "request_policy_id": "policy-2", "user_id": "person-2",
    },
}  # fmt: skip


class Tenant(Service):
    """A service whose resources come to be by the product's own create call, and by no handler."""

    starts_in: str | None = None  # instead of the documented state
    create_status = 201
    lost: Response | None = None  # what the first create call is answered though it made one

    def answer(self, request: Request) -> Response:
        path = request.target.removeprefix(self.page.prefix)
        route = ROUTES[self.page.short].fullmatch(path)
        if route is None or request.method != "POST":
            return super().answer(request)
        caller = self.bearer(request)
        if caller is None:
            return self.challenge()
        document = json.loads(request.body)
        with self.lock:
            if not hasattr(self, "creates"):
                self.creates: list[tuple[str, dict[str, Any], str]] = []
            self.creates.append((path, document, caller.name))
            if self.create_status != 201:
                return self.refuse(self.create_status, "ActiveRequestAlreadyExists", "Busy.")
            made = self.make(self.starts_in or FRESH[self.page.short], caller.name)
            if self.lost is not None and len(self.creates) == 1:
                return self.lost
            return self.told(self.entity(made), 201)


def tenant(short: str, **attributes: Any) -> Tenant:
    service = conforming(short, Tenant, **attributes)
    assert isinstance(service, Tenant)
    service.creates = []
    return service


def described(service: Service, url: str, **more: Any) -> dict[str, Any]:
    own = {"provision": GIVEN[service.page.short], **more}
    return {
        "base_url": url + service.page.prefix,
        **service.tokens.target(),
        "contracts": {service.page.contract: own},
    }


def run(service: Tenant, contract: Contract | None = None, **options: Any) -> Result:
    contract = contract or contract_of(service.page)
    settings = Options(**options)
    with Written(service) as running:
        raw = described(service, running.url)
        try:
            target = Target("target.yaml", raw, raw["base_url"])
            return verify([contract], target, settings, environ={})
        finally:
            service.stopped.set()


def words(result: Result) -> dict[str, tuple[str, str | None]]:
    return {v.clause.id: (v.word, v.reason) for j in result.judgements() for v in j.verdicts}


@pytest.mark.slow
@pytest.mark.parametrize("short", ["SA", "AP", *only_of_all("MA")])
def test_the_whole_gate_runs_on_what_is_created(short: str) -> None:
    service = tenant(short)
    result = run(service)
    verdicts = [v for j in result.judgements() for v in j.verdicts if v.clause.level == "must"]
    wrong = [(v.clause.id, v.reason) for v in verdicts if v.word in ("violated", "inconclusive")]
    assert wrong == []
    # What is left open is so for the states that no call gives, and says it.
    gaps = {v.clause.id: v.reason or "" for v in verdicts if gate.gap(v)}
    assert {reason.partition(" creates")[0] for reason in gaps.values()} == {
        "states: no documented call"
    }
    assert len(gaps) < len(verdicts) / 2
    assert service.creates
    # Everything created is cancelled in the end, what no call of the run has cancelled too.
    assert {r.state for r in service.resources.values()} == {service.page.cancelled}
    assert not result.faults_of_the_run
    (contract,) = result.results
    (assignment,) = assign(
        [contract.contract],
        Target("t", described(service, "http://127.0.0.1:1"), "http://127.0.0.1:1"),
        Options(),
    )
    assert len(service.creates) <= assignment.creates.total()
    assert contract.requests()["provider_states"] >= len(service.creates)


def test_what_is_sent_is_what_the_spec_says_filled_in_turn() -> None:
    service = tenant("MA")
    run(service, only=("MA-07", "MA-24", "MA-39", "MA-40"))
    devices = [path.split("/")[3] for path, _, _ in service.creates]
    assert len(devices) > 2
    assert devices == (["device-1", "device-2"] * len(devices))[: len(devices)]
    assert all(document["ScanType"] == "Quick" for _, document, _ in service.creates)
    comments = [document["Comment"] for _, document, _ in service.creates]
    assert len(set(comments)) == len(comments)
    assert all(comment.startswith("cancel-contracts ") for comment in comments)


def test_an_owner_asks_for_the_own_resource() -> None:
    service = tenant("AP")
    run(service, only=("AP-25", "AP-30"))
    callers = Counter((document["requestType"], who) for _, document, who in service.creates)
    assert {("UserAdd", "user"), ("AdminAdd", "admin")} == set(callers)
    people = {document["accessPackageAssignment"]["targetId"] for _, document, _ in service.creates}
    assert people == {"person-1", "person-2"}


def test_a_create_call_that_is_refused_leaves_its_clauses_open_and_is_not_tried_for_ever() -> None:
    service = tenant("MA", create_status=400)
    result = run(service)
    found = words(result)
    assert found["MA-07"][0] == "not-exercised"
    assert "runAntiVirusScan was refused (400, ActiveRequestAlreadyExists)" in str(
        found["MA-07"][1]
    )
    assert len(service.creates) == 3
    assert gate.decide(result.judgements()).exit_code == 4


@pytest.mark.parametrize(("status", "says"), [(429, "put off (429"), (500, "answered 500")])
def test_a_create_call_that_fails_is_inconclusive(status: int, says: str) -> None:
    service = tenant("MA", create_status=status)
    found = words(run(service, only=("MA-40",)))
    assert found["MA-40"][0] == "inconclusive"
    assert says in str(found["MA-40"][1])


def test_a_create_call_that_is_put_off_is_made_again_when_the_wait_is_over() -> None:
    class Busy(Tenant):
        put_off = 0

        def answer(self, request: Request) -> Response:
            if "runAntiVirusScan" in request.target and self.put_off < 2:
                self.put_off += 1
                return self.limit("0")
            return super().answer(request)

    service = conforming("MA", Busy)
    assert isinstance(service, Tenant)
    service.creates = []
    assert words(run(service, only=("MA-40",)))["MA-40"][0] == "upheld"
    assert service.creates


def test_a_fresh_resource_in_another_state_is_no_evidence_and_stops_the_creating() -> None:
    service = tenant("MA", starts_in="Succeeded")
    found = words(run(service, only=("MA-07", "MA-40")))
    assert found["MA-40"][0] == "inconclusive"
    assert "creates shows Succeeded, not Pending" in str(found["MA-40"][1])
    assert len(service.creates) == 1


def test_what_moves_on_by_itself_before_the_call_is_no_evidence() -> None:
    class Quick(Tenant):
        def show(self, request: Request, id_: str) -> Response:
            found = self.find(id_)
            if found is not None and found.state == "Pending":
                found.state = "Succeeded"
            return super().show(request, id_)

    service = conforming("MA", Quick)
    assert isinstance(service, Tenant)
    found = words(run(service, only=("MA-40",)))
    assert found["MA-40"][0] == "inconclusive"
    assert "come to its end before the call" in str(found["MA-40"][1])


def test_ids_of_the_file_serve_the_states_that_no_call_gives(tmp_path: Path) -> None:
    service = tenant("MA")
    service.resources |= {r.id: r for r in [service.make("Succeeded", "admin") for _ in range(2)]}
    with Written(service) as running:
        raw = described(
            service, running.url, provider_states={"Succeeded": list(service.resources)}
        )
        file = tmp_path / "target.yaml"
        file.write_text(json.dumps(raw), "utf-8")
        (assignment,) = assign(
            [contract_of(service.page)], load_target(file), Options(only=("MA-08",))
        )
        assert not assignment.creates  # nothing to create for a final state
        result = verify(
            [contract_of(service.page)], load_target(file), Options(only=("MA-08",)), environ={}
        )
        service.stopped.set()
    assert service.creates == []
    assert any(x.situation.state == "Succeeded" for x in result.results[0].journal.exchanges)


def test_the_ledger_names_what_was_created_and_cancels_it_after_a_kill(
    tmp_path: Path, capsys: Capture
) -> None:
    service = tenant("MA")
    path, file = tmp_path / "l.jsonl", tmp_path / "target.yaml"
    with Written(service) as running:
        file.write_text(json.dumps(described(service, running.url)), "utf-8")
        argv = ["verify", "--target", str(file), "--contract", "machine-action", "--only", "MA-40"]
        main([*argv, "--ledger", str(path)])
        whole = path.read_bytes()
        made = [s for s in account.read(path).set_ups.values() if s.how == "create"]
        assert {s.id for s in made} == set(service.resources)
        assert made[0].params == {"device_id": "device-1"}
        assert account.read(path).left == []
        # As a kill after the first creation would have left it.
        lines = whole.split(b"\n")
        cut = next(i for i, line in enumerate(lines) if b'"made"' in line) + 1
        path.write_bytes(b"\n".join(lines[:cut]) + b"\n")
        first = made[0].id
        assert first is not None
        service.resources[first].state = "Pending"
        capsys.readouterr()
        assert main(["ledger", str(path)]) == 1
        assert f"machine-action {first}, created in Pending" in capsys.readouterr().out
        assert main(["ledger", str(path), "--tear-down", "--target", str(file)]) == 0
        assert service.resources[first].state == "Cancelled"
        calls = service.calls
        assert main(["ledger", str(path), "--tear-down", "--target", str(file)]) == 0
        assert service.calls == calls
        service.stopped.set()


def test_what_its_cancel_no_longer_reaches_stays_on_the_ledger(
    tmp_path: Path, capsys: Capture
) -> None:
    service = tenant("MA")
    service.resources["scan-1"] = service.make("Succeeded", "admin")
    path, file = tmp_path / "l.jsonl", tmp_path / "target.yaml"
    from cancel_contracts.ledger.ledger import Ledger

    with Written(service) as running:
        raw = described(service, running.url)
        file.write_text(json.dumps(raw), "utf-8")
        with Ledger(path) as ledger:
            ledger.begin()
            number = ledger.set_up("machine-action", "Pending", raw["base_url"], {}, "create")
            ledger.made(number, {"id": "scan-1"})
            ledger.set_up("machine-action", "Pending", raw["base_url"], {}, "create")
        assert main(["ledger", str(path), "--tear-down", "--target", str(file)]) == 1
        service.stopped.set()
    out, err = (" ".join(text.split()) for text in capsys.readouterr())
    assert "scan-1 is left as it is (its cancel was answered 409, NotCancellable)" in err
    assert "Left to tear down: 1" in out
    assert "Maybe left: 1. No answer told what was made" in out


LOST = {
    "closed without a word": Response(201, hang_up="close", wire=b""),
    "a gateway's 502": Response(502),
    "no JSON": Response(201, b"made", (("Content-Type", "text/plain"),)),
    "no id": Response(201, b"{}", (("Content-Type", "application/json"),)),
}


@pytest.mark.parametrize("name", LOST)
def test_what_was_created_and_never_told_is_maybe_left(
    name: str, tmp_path: Path, capsys: Capture
) -> None:
    service, path = tenant("MA", lost=LOST[name]), tmp_path / "l.jsonl"
    result = run(service, only=("MA-40", "MA-39"), ledger=path)
    (orphan,) = [r for r in service.resources.values() if r.state != "Cancelled"]
    assert orphan.state == "Pending"
    for told in (result.warnings, result.faults_of_the_run):
        (line,) = [text for text in told if "maybe left" in text]
        assert line.startswith(
            "machine-action: a Pending is maybe left, nobody knows its id: POST "
        )
    assert main(["ledger", str(path)]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "Maybe left: 1." in out
    assert "machine-action (id unknown), created in Pending" in out


def test_a_target_that_is_not_local_gets_none_without_the_flag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(safety, "why_not_local", lambda *args: "is far away")
    service = tenant("MA")
    with Written(service) as running:
        file = tmp_path / "target.yaml"
        file.write_text(json.dumps(described(service, running.url)), "utf-8")
        argv = ["verify", "--target", str(file), "--contract", "machine-action", "--only", "MA-40"]
        assert main(argv) == 4
        assert service.creates == []
        assert main([*argv, "--plan"]) == 0
        out = " ".join(capsys.readouterr().out.split())
        assert "would be created" not in out
        assert main([*argv, "--allow-destructive", "--plan"]) == 0
        assert service.creates == []
        out = " ".join(capsys.readouterr().out.split())
        assert (
            "up to 2 in Pending would be created by POST /api/machines/{device_id}/runAntiVirusScan as primary."
            in out
        )
        assert "Starts a quick antivirus scan" in out
        assert "Undo: Cancel the action." in out
        assert main([*argv, "--allow-destructive"]) == 0
        assert service.creates
        service.stopped.set()
    assert list(tmp_path.glob("cancel-contracts-ledger-*.jsonl"))


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a name that no call holds": (
        {"provision": {"device": "x"}},
        "no create call holds 'device'; use one of device_id",
    ),
    "nothing that a call needs": ({"provision": {}}, "fills no create call; give device_id"),
    "an empty list": ({"provision": {"device_id": []}}, "must not be empty"),
    "a number": (
        {"provision": {"device_id": 5}},
        "is read as a number where a text is wanted; quote it",
    ),
    "a handler beside it": (
        {"provision": {"device_id": "x"}, "provider_states": "http://127.0.0.1:1/h"},
        "stands beside a handler",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_provision_is_one_line_and_exit_2(name: str, tmp_path: Path, capsys: Capture) -> None:
    own, says = BAD[name]
    file = tmp_path / "target.yaml"
    file.write_text(
        json.dumps({"base_url": "http://127.0.0.1:1", "contracts": {"machine-action": own}}),
        "utf-8",
    )
    assert main(["verify", "--target", str(file), "--plan"]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "contracts/machine-action/provision" in line
    assert says in line


def test_a_handler_for_all_gives_way_to_a_provision_of_one(tmp_path: Path) -> None:
    file = tmp_path / "target.yaml"
    own = {"machine-action": {"provision": {"device_id": "x"}}}
    file.write_text(
        json.dumps(
            {
                "base_url": "http://127.0.0.1:1",
                "provider_states": "http://127.0.0.1:1/h",
                "contracts": own,
            }
        ),
        "utf-8",
    )
    target = load_target(file)
    assert target.endpoint(contract_of(PAGES["MA"])).handler is None
    assert target.endpoint(contract_of(PAGES["SA"])).handler == "http://127.0.0.1:1/h"


PRINT = """x-provision:
  - state: queued
    does: Prints a page.
    source: {page: the page of print jobs, section: Create}
    needs: {printer: the name of a printer}
    create: {method: PUT, path: "/printers/{printer}/jobs/{unique}", body: {pages: [{text: "{printer}"}]}}
    id: /job/id
    undo: {says: Take the paper away.}
"""


def fourth(tmp_path: Path, edit: Callable[[str], str] = str) -> Path:
    text = Path(__file__).with_name("print_job_spec.txt").read_text("utf-8")
    spec = tmp_path / "print-job.yaml"
    spec.write_text(text.replace("\nx-clauses:\n", "\n" + edit(PRINT) + "x-clauses:\n"), "utf-8")
    return spec


def test_a_fourth_contract_brings_its_own_create_call(tmp_path: Path) -> None:
    (row,) = load(fourth(tmp_path)).provisions
    assert (row.method, row.id, row.undo_by_cancel, row.by) == ("PUT", "/job/id", False, "primary")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("queued", "nowhere", "no state is named 'nowhere'"),
        ("{printer: the name of a printer}", "{}", "{printer} is not told of"),
        ("needs: {printer", "needs: {paper: what it takes, printer", "{paper} is not used"),
        ("    id: /job/id", "    id: job", "x-provision/0/id"),
        ("PUT", "DELETE", "x-provision/0/create/method"),
        ("    does:", "    costs:", "x-provision/0"),
    ],
)
def test_a_bad_row_names_its_place(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in PRINT
    with pytest.raises(UsageError, match=re.escape(says)):
        load(fourth(tmp_path, lambda text: text.replace(old, new)))


class Printer:
    """A print server of a fourth contract, behind the front of the other servers."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.jobs: dict[str, str] = {}
        self.put: list[tuple[str, Any]] = []

    def answer(self, request: Request) -> Response:
        parts = request.target.strip("/").split("/")
        if parts[0] == "printers":
            self.put.append((f"{request.method} {request.target}", json.loads(request.body)))
            self.jobs[f"job-{len(self.put)}"] = "queued"
            return self.told(201, {"job": {"id": f"job-{len(self.put)}", "phase": "queued"}})
        if "authorization" not in request.headers:
            challenge = self.told(401, {"error": {}})
            return Response(
                401, challenge.body, (("WWW-Authenticate", "Bearer"), *challenge.headers)
            )
        if parts[1] not in self.jobs:
            return self.told(404, {"error": {"code": "none", "message": "none"}})
        if parts[-1] != "stop":
            return self.told(200, {"phase": self.jobs[parts[1]]})
        self.jobs[parts[1]] = "stopped"
        return Response(202)

    def told(self, status: int, value: Any) -> Response:
        return Response(status, json.dumps(value).encode(), (("Content-Type", "application/json"),))

    def encode(self, response: Response, request: Request, close: bool) -> bytes:
        return written(response, request, close)


def test_a_fourth_contract_runs_on_what_its_own_call_creates(
    tmp_path: Path, capsys: Capture
) -> None:
    printer, path, file = Printer(), tmp_path / "l.jsonl", tmp_path / "target.yaml"
    spec = fourth(tmp_path)
    with Written(printer) as running:
        own = {"provision": {"printer": "in the hall"}}
        raw = {"base_url": running.url, "identities": {"admin": {"token": "opq.admin.7f3a"}}}
        file.write_text(json.dumps({**raw, "contracts": {"print-job": own}}), "utf-8")
        argv = ["verify", "--spec", str(spec), "--target", str(file), "--ledger", str(path)]
        report = tmp_path / "r.json"
        assert main([*argv, "--report-json", str(report)]) == 4
        printer.stopped.set()
    out = " ".join(capsys.readouterr().out.split())
    (found,) = json.loads(report.read_text("utf-8"))["contracts"]
    verdicts = {c["id"]: c["verdict"] for c in found["clauses"]}
    assert verdicts == {
        "PJ-1": "not-exercised",
        "PJ-2": "not-exercised",
        "PJ-3": "upheld",
        "PJ-4": "upheld",
    }
    assert "no documented call creates a resource in printing" in out
    assert printer.put[0][0].startswith("PUT /printers/in%20the%20hall/jobs/")
    assert printer.put[0][1] == {"pages": [{"text": "in the hall"}]}
    # No call undoes a print: what was not stopped is told, with the words of the spec, and kept.
    left = {id_ for id_, phase in printer.jobs.items() if phase == "queued"}
    assert left
    assert {row.id for row in account.read(path).left} == left
    assert "is left as it is (no call undoes it). Take the paper away." in out
