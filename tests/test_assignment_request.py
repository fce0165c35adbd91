"""The contract that is run only when it is named: its server, its faults, and every door."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from cancel_contracts.assignment import Options
from cancel_contracts.builtin import mock_target
from cancel_contracts.cli import main
from cancel_contracts.cli.completing import CONTRACTS, _rows
from cancel_contracts.contract.load import every_shipped, load, shipped
from cancel_contracts.schemathesis_checks import contracts_of
from cancel_contracts.targets.safety import is_vendors
from cancel_contracts.transport.client import Timeouts
from cancel_contracts.verify import verify
from sampling import EVERY
from servers.assigned import ASSIGNMENT, SAME, VARIANTS, faults, served
from servers.faults import Fault
from servers.front import Front
from servers.pages import PAGES
from servers.service import Service
from servers.trial import contract_of, judge

pytestmark = pytest.mark.slow

NAME = ASSIGNMENT.contract
PATH = next(path for path in every_shipped() if path.stem == NAME)
CONTRACT = contract_of(ASSIGNMENT)
AT_ONCE: dict[str, Any] = {"effect_seconds": 0.3}
IMPATIENT = AT_ONCE | {"timeouts": Timeouts(connect=2.0, read=0.6, total=0.8)}

Row = tuple[str, type[Service], Mapping[str, Any], tuple[str, ...], Fault | None]


# --- Its own server ------------------------------------------------------------------------------


def one_of_each_clause() -> Iterator[Row]:
    """Yield the faults; unless all are asked for, the first that breaks each clause."""
    seen: Counter[str] = Counter()
    for row in faults():
        if EVERY or any(not seen[id_] for id_ in row[3]):
            seen.update(row[3])
            yield row


FAULTS = list(one_of_each_clause())


def test_the_server_conforms() -> None:
    outcome = judge(served())
    assert (outcome.exit_code, outcome.violated, outcome.open) == (0, {}, {}), str(outcome)


def test_there_are_enough_of_them() -> None:
    assert len(FAULTS) >= 25
    assert len({service for _, service, *_ in faults()}) >= 100
    assert len(VARIANTS) >= 6


@pytest.mark.parametrize("row", FAULTS, ids=lambda row: row[0])
def test_a_fault_is_caught_by_the_clause_that_it_breaks(row: Row) -> None:
    _, service, attributes, clauses, fault = row
    beside = [SAME[id_] for id_ in (fault.beside if fault else ()) if id_ in SAME]
    only = () if EVERY else (*clauses, *beside)
    hangs = fault is not None and fault.hangs
    outcome = judge(
        served((service,), attributes), only=only, options=IMPATIENT if hangs else AT_ONCE
    )
    missed = [id_ for id_ in clauses if id_ not in outcome.violated]
    assert (outcome.exit_code, missed) == (1, []), str(outcome)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant[0])
def test_a_variant_passes(
    variant: tuple[str, tuple[type[Service], ...], dict[str, Any], type[Front], bool],
) -> None:
    _, services, attributes, front, signed = variant
    outcome = judge(served(services, attributes, signed=signed), front)
    assert (outcome.exit_code, outcome.violated) == (0, {}), str(outcome)


def test_the_two_readings_of_the_least_permission_are_told_apart() -> None:
    found = []
    for variant in (None, VARIANTS[2]):
        services = variant[1] if variant else ()
        outcome = judge(served(services), only=["AR-30", "AR-34"])
        found.append((outcome.exit_code, sorted(outcome.upheld)))
    assert found == [(0, ["AR-30", "AR-34"])] * 2
    pinned = {"pinned": {NAME: ("tip",)}}
    outcome = judge(served(VARIANTS[2][1]), only=["AR-30", "AR-34"], options=pinned)
    assert outcome.violated.keys() == {"AR-34"}


# --- Chosen by its name alone --------------------------------------------------------------------


def told(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str]:
    code = main(list(argv))
    found = capsys.readouterr()
    return code, found.out + found.err


def test_a_run_takes_three_contracts_without_being_asked() -> None:
    assert [path.stem for path in shipped()] == sorted(page.contract for page in PAGES.values())
    assert {path.stem for path in every_shipped()} == {path.stem for path in shipped()} | {NAME}
    assert [c.name for c in contracts_of(None, False)] == [path.stem for path in shipped()]


def test_the_mock_keeps_the_contract() -> None:
    with mock_target([CONTRACT]) as target:
        result = verify([CONTRACT], target, Options(only=("AR-01", "AR-36", "AR-37", "AR-61")))
    (judgement,) = result.judgements()
    assert {v.word for v in judgement.verdicts} == {"upheld"}


@pytest.mark.parametrize(
    ("argv", "without", "named"),
    [
        (("clauses",), "AP-01", "AR-01"),
        (("clauses", "--format", "json"), '"AP-01"', '"AR-01"'),
        (("verify", "--plan"), "access-package-assignment-request", NAME),
        (("mock", "--list"), "machine-action", "not-owner"),
        (("init", "--ids"), "access-package-assignment-request:", f"  {NAME}:"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_each_door_takes_it_by_its_name_alone(
    argv: tuple[str, ...], without: str, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = told(capsys, *argv)
    assert (code, "AR-01" in text, NAME in text.split()) == (0, False, False)
    assert without in text
    if argv == ("mock", "--list"):
        return  # its entries have the names of contracts alone that they do not fit
    code, text = told(capsys, *argv, "--contract", NAME)
    assert (code, named in text, without in text) == (0, True, False)


def test_explain_looks_through_every_shipped_contract(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = told(capsys, "explain", "ar-36")
    assert (code, text.startswith(f"AR-36 ({NAME}, must)")) == (0, True)
    code, text = told(capsys, "explain", "AR-36", "--contract", "machine-action")
    assert (code, "no clause has the id 'AR-36'" in text) == (2, True)


def test_a_clause_of_it_is_no_clause_of_the_default_run(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = told(capsys, "verify", "--plan", "--only", "AR-36")
    assert (code, "no clause has the id 'AR-36'" in text) == (2, True)
    code, text = told(capsys, "verify", "--plan", "--contract", "assignment-reqest")
    assert (code, NAME in text) == (2, True)


def test_help_and_completion_say_that_it_is_run_only_when_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for command in ("verify", "clauses", "mock", "prove", "init"):
        _, text = told(capsys, command, "--help")
        assert f"Run only when named: {NAME}." in " ".join(text.split())
    offered = dict(_rows(CONTRACTS.kind, {}))
    assert [name for name, says in offered.items() if "only when named" in says] == [NAME]
    assert "AR-36" not in dict(_rows("clauses", {}))
    assert next(iter(dict(_rows("clauses", {"names": (NAME,)})))) == "AR-01"
    assert "AR-36" in dict(_rows("clauses", {"specs": (PATH,)}))


def recording(path: Path) -> str:
    """Write a HAR of one call on its route, answered with what no page has."""
    url = f"https://mock.example/v1.0{ASSIGNMENT.collection}/{'7' * 8}-0000-4000-8000-{'7' * 12}"
    both = {"httpVersion": "HTTP/1.1", "cookies": [], "headersSize": -1, "bodySize": 0}
    token = [{"name": "Authorization", "value": "Bearer token-of-somebody"}]
    sent = {"method": "POST", "url": f"{url}/cancel", "queryString": [], "headers": token}
    received = {"status": 500, "statusText": "", "headers": [], "redirectURL": ""}
    content = {"size": 0, "mimeType": "", "text": ""}
    entry = {
        "startedDateTime": "2026-11-26T10:00:00.000Z",
        "time": 5,
        "request": both | sent,
        "response": both | received | {"content": content},
        "cache": {},
        "timings": {"send": 1, "wait": 3, "receive": 1},
    }
    log = {"version": "1.2", "creator": {"name": "by hand", "version": "1"}, "entries": [entry]}
    path.write_text(json.dumps({"log": log}), encoding="utf-8")
    return str(path)


def test_a_recording_is_judged_by_it_only_when_it_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    har = recording(tmp_path / "traffic.har")
    code, text = told(capsys, "judge", har)
    assert "AR-70" not in text
    assert code != 1
    code, text = told(capsys, "judge", har, "--contract", NAME)
    assert (code, "AR-70" in text) == (1, True)


def test_a_target_file_may_speak_of_it_whichever_contract_is_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = {
        "base_url": "http://127.0.0.1:9",
        "contracts": {NAME: {"provider_states": {"accepted": ["an-id"]}}},
        "not_testable": {"AR-41": "no token for another API is at hand"},
        "identities": {
            "admin": {"token": "two"},
            "EntitlementMgmt-SubjectAccess.ReadWrite": {"token": "one"},
        },
    }
    path = tmp_path / "target.yaml"
    path.write_text(yaml.safe_dump(target), encoding="utf-8")
    plan = ("verify", "--plan", "--target", str(path))
    code, text = told(capsys, *plan, "--contract", "machine-action")
    assert code == 0, text
    path.write_text(yaml.safe_dump(target | {"serves": [NAME]}), encoding="utf-8")
    code, text = told(capsys, *plan)
    assert (code, "choose a contract (--contract)" in text) == (2, True)


def test_its_hosts_are_the_vendors_whichever_contract_is_run() -> None:
    machine = load(next(path for path in shipped() if path.stem == "machine-action"))
    for server in CONTRACT.servers:
        assert is_vendors(server.url, [machine])
        assert server.scope == server.url.removesuffix("v1.0") + ".default"
    assert len(CONTRACT.servers) == 4


# --- owners: true --------------------------------------------------------------------------------


def test_owners_need_no_schema(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (CONTRACT.lifecycle.owners, CONTRACT.owners_schema) == (True, None)
    text = PATH.read_text("utf-8")
    for wrong, problem in (
        ("owners: false", "owners"),
        ("owners: NoSuchSchema", "no schema is named 'NoSuchSchema'"),
    ):
        path = tmp_path / "wrong.yaml"
        path.write_text(text.replace("owners: true", wrong), encoding="utf-8")
        code, said = told(capsys, "clauses", "--spec", str(path))
        assert (code, problem in said) == (2, True)


def test_a_body_of_owners_cannot_be_asked_of_callers_where_none_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wrong.yaml"
    text = PATH.read_text("utf-8").replace("{sends: nothing}", "{own-body: /requestor/objectId}")
    path.write_text(text, encoding="utf-8")
    code, said = told(capsys, "clauses", "--spec", str(path))
    assert (code, "names no schema of it (owners)" in said) == (2, True)


@pytest.mark.parametrize("fault", ["anothers-resource-cancelled", "owner-refused"])
def test_the_mocks_faults_of_owners_are_caught(fault: str) -> None:
    with mock_target([CONTRACT], faults=[fault]) as target:
        result = verify([CONTRACT], target, Options(only=("AR-30", "AR-36", "AR-37")))
    (judgement,) = result.judgements()
    wanted = {"anothers-resource-cancelled": "AR-37", "owner-refused": "AR-36"}[fault]
    assert wanted in {v.clause.id for v in judgement.verdicts if v.word == "violated"}
