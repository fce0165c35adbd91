"""A finding of a report is made anew by itself: it still deviates, or it does not, and says which."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from cancel_contracts.assignment import Options
from cancel_contracts.builtin import mock_target
from cancel_contracts.cli import main
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Contract
from cancel_contracts.errors import UsageError
from cancel_contracts.exchange import Form, Situation
from cancel_contracts.identity.identities import Identities
from cancel_contracts.plan.steps import Acquire, Call, Name, Scenario
from cancel_contracts.redact.secrets import Redactor
from cancel_contracts.report.recipe import recipe
from cancel_contracts.report.record import record
from cancel_contracts.report.script import write
from cancel_contracts.reproduce.again import again, assignment
from cancel_contracts.reproduce.cases import Case, cases
from cancel_contracts.run.way_in import Way
from cancel_contracts.targets.file import Target
from cancel_contracts.verify import verify
from report_sample import outcome_of, sample
from servers.front import Request, Response, Written
from servers.service import Service
from servers.trial import conforming, contract_of, target_of
from servers.variants_handler import EmptiesTheStore
from servers.variants_rules import ApplicationsOnly

pytestmark = pytest.mark.slow

Capture = pytest.CaptureFixture[str]


@cache
def contract(name: str) -> Contract:
    return next(c for c in map(load, shipped()) if c.name == name)


MACHINE = "machine-action"


def report_of(target: Target, name: str, only: Sequence[str]) -> dict[str, Any]:
    result = verify([contract(name)], target, Options(only=tuple(only)))
    return record(result, outcome_of(result))


@contextmanager
def deviating(
    *faults: str, only: Sequence[str], name: str = MACHINE
) -> Iterator[tuple[Target, dict[str, Any]]]:
    with mock_target([contract(name)], faults=faults) as target:
        yield target, report_of(target, name, only)


def words(report: dict[str, Any], target: Target, which: str | None = None) -> list[str]:
    of = [contract(report["contracts"][0]["name"])]
    return [again(case, target, Options()).word for case in cases(report, of, which)]


@contextmanager
def files(folder: Path, *faults: str, only: Sequence[str]) -> Iterator[tuple[Path, Path]]:
    """Yield the target file of a running mock, and the JSON report of a run on it."""
    with deviating(*faults, only=only) as (target, report):
        file, written = folder / "target.yaml", folder / "report.json"
        raw = {**target.raw, "serves": [MACHINE]}
        file.write_text(yaml.safe_dump(raw), encoding="utf-8")
        report["target"]["described_by"] = str(file)
        written.write_text(json.dumps(report), encoding="utf-8")
        yield file, written


# --- again ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("faults", "only"),
    [
        (("unknown-id-answered-200",), ["MA-34"]),
        (("401-without-challenge",), ["MA-50"]),
        (("every-final-state-cancelled",), ["MA-08"]),
        (("second-cancel-answered-500",), ["MA-39"]),
        (("success-code-alternates",), ["MA-28"]),  # shows every second time
    ],
)
def test_it_still_deviates_until_it_is_mended(faults: tuple[str, ...], only: list[str]) -> None:
    with deviating(*faults, only=only) as (target, report):
        assert report["defects"]
        assert set(words(report, target)) == {"deviates"}
    with mock_target([contract(MACHINE)]) as mended:
        assert set(words(report, mended)) == {"keeps"}


class NowAndThen(Service):
    """Every so many refusals of an unknown id are none."""

    every, count = 3, 0

    def answer(self, request: Request) -> Response:
        found = super().answer(request)
        if found.status == 404 and request.method == "POST":
            self.count += 1
            if self.count % self.every == 1:
                return replace(found, status=200, headers=(), body=b"")
        return found


@pytest.mark.parametrize("every", [2, 3])
def test_what_shows_now_and_then_shows_again(every: int) -> None:
    service = conforming("MA", type("Mixed", (NowAndThen,), {"every": every}))
    of = contract_of(service.page)
    with Written(service) as running:
        target = target_of(service, running.url)
        result = verify([of], target, Options(only=("MA-34",)), environ={})
        report = record(result, outcome_of(result))
        (case,) = cases(report, [of], None)
        made = again(case, target, Options())
        service.stopped.set()
    assert made.word == "deviates"
    assert made.scenarios > 1, "the first try did not show it"


def test_a_deviation_of_few_exchanges_is_tried_as_often_as_it_takes() -> None:
    some = [clause.id for clause in contract(MACHINE).clauses[::4]]
    with deviating("every-7th-call-answered-500", only=["MA-48", *some]) as (target, report):
        clause = next(c for c in report["contracts"][0]["clauses"] if c["id"] == "MA-48")
        assert clause["violations"] * 3 < clause["exercised"]
        (case,) = cases(report, [contract(MACHINE)], "MA-48")
        assert case.tries > 3
        assert again(case, target, Options()).word == "deviates"
        far = assignment(case, target, Options())
        assert len(far.plan.scenarios) == 1
    with mock_target([contract(MACHINE)]) as mended:
        made = again(case, mended, Options())
        assert made.word == "keeps"
        assert made.scenarios >= case.tries


@pytest.mark.parametrize(
    ("fault", "clause"),
    [
        ("429-at-the-5th-call", "MA-11"),
        ("existence-revealed-in-code", "MA-62"),
        ("error-target-constant", "MA-38"),
    ],
)
def test_what_many_exchanges_show_is_made_with_all_of_them(fault: str, clause: str) -> None:
    with deviating(fault, only=[clause] if clause != "MA-11" else []) as (_, report):
        (case,) = cases(report, [contract(MACHINE)], clause)
        assert [*case.many] == [clause]
    with mock_target([contract(MACHINE)], faults=[fault]) as target:  # its quota is whole again
        assert again(case, target, Options(max_wait=3)).word == "deviates"
    with mock_target([contract(MACHINE)]) as mended:
        made = again(case, mended, Options())
    assert made.word == "keeps"
    assert next(iter(made.made.judgement.verdicts)).word == "upheld"


class NoSuchMethod(Service):
    """Another method is answered 404, which is no 405 and so promises no Allow."""

    def answer(self, request: Request) -> Response:
        found = super().answer(request)
        return replace(found, status=404) if found.status == 405 else found


def test_what_nobody_can_demand_is_gone_once_it_does_not_come() -> None:
    with deviating("405-without-allow", only=["MA-56"]) as (_, report):
        (case,) = cases(report, [contract(MACHINE)], None)
    service = conforming("MA", NoSuchMethod)
    with Written(service) as running:
        made = again(case, target_of(service, running.url), Options())
        service.stopped.set()
    assert made.word == "keeps"
    with Written(service) as running:
        url = running.url
    assert again(case, target_of(service, url), Options()).word == "not-told"


def test_it_sends_that_scenario_and_nothing_else() -> None:
    with deviating("unknown-id-answered-200", only=["MA-34", "MA-08"]) as (target, report):
        (case,) = cases(report, [contract(MACHINE)], "1")
        made = again(case, target, Options()).made
    calls = [x for x in made.journal.exchanges if x.kind == "cancel"]
    assert [x.situation for x in calls] == list(case.scenario.calls)
    assert made.journal.setups == 0


def test_what_was_set_up_is_torn_down() -> None:
    with deviating("every-final-state-cancelled", only=["MA-08"]) as (target, report):
        (case,) = cases(report, [contract(MACHINE)], None)
        made = again(case, target, Options()).made
    assert made.journal.setups == 2
    assert not made.not_torn_down


class WithoutChallenge(Service):
    """A 401 says nothing of how to log in."""

    def answer(self, request: Request) -> Response:
        found = super().answer(request)
        kept = tuple(row for row in found.headers if row[0].lower() != "www-authenticate")
        return replace(found, headers=kept)


@pytest.mark.parametrize(
    ("short", "kinds", "clause", "way"),
    [
        # the base URL leaves out /beta, one resource at a time, application tokens alone
        ("SA", (), "SA-13", ("/beta", False, None)),
        ("SA", (ApplicationsOnly, EmptiesTheStore), "SA-13", ("/beta", True, "app")),
        ("MA", (EmptiesTheStore,), "MA-50", ("", True, None)),
    ],
)
def test_the_way_in_that_a_run_found_is_gone_again(
    short: str, kinds: tuple[type[Service], ...], clause: str, way: tuple[Any, ...]
) -> None:
    service = conforming(short, type("Mixed", (WithoutChallenge, *kinds), {}))
    of = contract_of(service.page)
    with Written(service) as running:
        target = replace(target_of(service, running.url), base_url=running.url)
        result = verify([of], target, Options(only=(clause, f"{short}-01")), environ={})
        report = record(result, outcome_of(result))
        (row,) = report["contracts"]
        assert (row["way"]["prefix"], row["way"]["single"], row["way"]["caller"]) == way
        made = [again(case, target, Options()) for case in cases(report, [of], clause)]
        service.stopped.set()
    assert [one.word for one in made] == ["deviates"]
    assert made[0].made.base_url == row["base_url"]


def test_calls_at_once_and_on_one_connection_are_made_as_they_were() -> None:
    with deviating(only=["MA-53", "MA-47"]) as (_, report):
        assert not report["contracts"][0]["scenarios"]  # nothing is violated
    with deviating("second-cancel-answered-500", only=["MA-53"]) as (target, report):
        steps = [row["steps"] for row in report["contracts"][0]["scenarios"].values()]
        assert any(step["@"] == "AtOnce" for row in steps for step in row)
        assert words(report, target) == ["deviates"]


def test_a_target_that_is_gone_tells_nothing() -> None:
    with deviating("unknown-id-answered-200", only=["MA-34"]) as (target, report):
        pass
    assert words(report, target) == ["not-told"]


def test_why_a_finding_is_not_told_is_said() -> None:
    with deviating("every-final-state-cancelled", only=["MA-08"]) as (target, report):
        (case,) = cases(report, [contract(MACHINE)], "1")
        raw = {**target.raw, "provider_states": f"{target.base_url}/nothing"}
        refused = again(case, Target("t", raw, target.base_url), Options())
        raw = {**target.raw, "provider_states": "http://127.0.0.1:9/"}
        broken = again(case, Target("t", raw, target.base_url), Options())
    assert [refused.word, broken.word] == ["not-told"] * 2
    assert "the provider-state handler refuses" in refused.why
    assert "refused: Connection refused" in broken.why


FAR = "https://203.0.113.7"


def test_what_may_cancel_needs_leave_where_the_target_is_not_local() -> None:
    with deviating("every-final-state-cancelled", only=["MA-08"]) as (target, report):
        far = Target("far", {**target.raw, "base_url": FAR}, FAR)
        (case,) = cases(report, [contract(MACHINE)], "1")
        with pytest.raises(UsageError, match="allow-destructive"):
            again(case, far, Options())


@pytest.mark.parametrize("others", [False, True])
@pytest.mark.parametrize("hidden", ["a resource that is called unknown", "an id of its own"])
def test_a_report_cannot_hide_what_it_has_cancelled(hidden: str, others: bool) -> None:
    """The steps stand in a file that anybody may have written."""
    with deviating("unknown-id-answered-200", only=["MA-34"]) as (target, report):
        far = Target("far", {**target.raw, "base_url": FAR}, FAR)
        (case,) = cases(report, [contract(MACHINE)], "1")
        assert assignment(case, far, Options()).harmless  # as it is, nothing can be cancelled
        call = case.scenario.calls[0]
        if hidden == "an id of its own":
            steps: tuple[Any, ...] = (Name(0, Form("raw", "a-real-id")), Call(call))
        else:
            steps = (Acquire(0, "Pending"), Call(call))
        bad = Scenario(steps)
        forged = replace(case, others=(bad,)) if others else replace(case, scenario=bad)
        with pytest.raises(UsageError, match="allow-destructive"):
            assignment(forged, far, Options())


# --- the command ----------------------------------------------------------------------------------


def test_the_command_ends_1_and_0(tmp_path: Path, capsys: Capture) -> None:
    with files(tmp_path, "unknown-id-answered-200", only=["MA-34"]) as (file, report):
        assert main(["replay", str(report)]) == 1
        out = capsys.readouterr().out
        assert "call       admin cancels an unknown id: answered 200" in out
        assert "deviates   MA-34: 200, 0 bytes; expected 404" in out
        assert out.endswith("1 finding still deviates\n")
        assert main(["replay", str(report), "1", "--target", str(file)]) == 1
        assert main(["replay", str(report), "ma-34"]) == 1
    with mock_target([contract(MACHINE)]) as mended:
        capsys.readouterr()
        url = ["--base-url", mended.base_url]
        file.write_text(yaml.safe_dump(mended.raw), encoding="utf-8")
        assert main(["replay", str(report), *url]) == 0
        assert capsys.readouterr().out.endswith("1 finding no longer deviates\n")
        assert main(["replay", str(report)]) == 2  # the file names another target by now
        assert "--base-url" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("which", "told"),
    [
        ("7", "no finding 7; use 1 to 1"),
        ("MA-99", "no clause MA-99"),
        ("MA-35", "MA-35 is upheld in this report"),
        ("x", "name a finding by its number"),
    ],
)
def test_what_is_not_to_be_made_anew_is_said(
    which: str, told: str, tmp_path: Path, capsys: Capture
) -> None:
    with files(tmp_path, "unknown-id-answered-200", only=["MA-34", "MA-35"]) as (_, report):
        if which == "MA-35":
            document = json.loads(report.read_text("utf-8"))
            row = next(c for c in document["contracts"][0]["clauses"] if c["id"] == which)
            row |= {"verdict": "upheld", "violations": 0, "exercised": 1}
            report.write_text(json.dumps(document), encoding="utf-8")
        assert main(["replay", str(report), which]) == 2
    assert told in capsys.readouterr().err


def test_a_report_that_does_not_say_how_it_was_made(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "r.json"
    path.write_text(json.dumps(sample()), encoding="utf-8")
    assert main(["replay", str(path), "--base-url", "http://127.0.0.1:9"]) == 2
    assert "which no spec describes" in capsys.readouterr().err
    with files(tmp_path, "unknown-id-answered-200", only=["MA-34"]) as (_, report):
        document = json.loads(report.read_text("utf-8"))
        del document["contracts"][0]["scenarios"]
        report.write_text(json.dumps(document), encoding="utf-8")
        assert main(["replay", str(report)]) == 2
    assert "does not say how 1 was made" in capsys.readouterr().err


@pytest.mark.parametrize(
    "steps", [{"steps": []}, {"steps": [{"@": "Call"}]}, {"steps": [{"@": "Explode", "slot": 1}]}]
)
def test_steps_of_another_form_are_no_crash(
    steps: dict[str, Any], tmp_path: Path, capsys: Capture
) -> None:
    with files(tmp_path, "unknown-id-answered-200", only=["MA-34"]) as (_, report):
        document = json.loads(report.read_text("utf-8"))
        rows = document["contracts"][0]["scenarios"]
        document["contracts"][0]["scenarios"] = dict.fromkeys(rows, steps)
        report.write_text(json.dumps(document), encoding="utf-8")
        assert main(["replay", str(report)]) == 2
    assert capsys.readouterr().err.startswith("cancel-contracts: REPORT: ")


# --- scripts --------------------------------------------------------------------------------------

FAULTS = ("every-final-state-cancelled", "second-cancel-answered-500", "unknown-id-answered-200")
ONLY = ["MA-08", "MA-53", "MA-34", "MA-48"]


@cache
def scripted(language: str) -> dict[str, tuple[int, str, str]]:
    """Run the script of every finding: its first clause -> exit code, output and text."""
    found = {}
    with deviating(*FAULTS, only=ONLY) as (target, report):
        site = target.endpoint(contract(MACHINE))
        who = Identities(contract(MACHINE), site, Redactor(), {})
        for case in cases(report, [contract(MACHINE)], None):
            made = recipe(case, site)
            environ = dict(os.environ)
            for name, identity in made.tokens.items():
                environ[name] = (
                    dict(who.credentials(identity).headers)
                    .get("Authorization", "")
                    .partition(" ")[2]
                )
            text = write(made, language)
            for secret in environ[next(iter(made.tokens))], str(target.raw["mint"]["key"]):
                assert secret not in text
            program = ["sh", "-c"] if language == "sh" else [sys.executable, "-c"]
            done = subprocess.run(
                [*program, text], env=environ, capture_output=True, text=True, timeout=60, check=False
            )  # fmt: skip
            found[case.clauses[0]] = (done.returncode, done.stdout + done.stderr, text)
    return found


@pytest.mark.parametrize("language", [pytest.param("sh", marks=pytest.mark.outside("curl")), "py"])
def test_a_script_makes_the_finding_by_itself(language: str) -> None:
    found = scripted(language)
    assert "MA-08" in found
    assert len(found) >= 3
    for code, out, text in found.values():
        assert code == 0, out
        assert "cancel_contracts" not in text
        assert "200 OK" in out or "500 " in out
    final = found["MA-08"][1]
    assert final.count('"status": "Cancelled"') >= 2  # the answer, and the look after it
    assert final.rstrip().endswith("{}")  # torn down


@pytest.mark.outside("curl")
def test_a_script_without_its_token_says_which(tmp_path: Path) -> None:
    text = scripted("sh")["MA-34"][2]
    done = subprocess.run(
        ["sh", "-c", text], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True,
        timeout=20, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "cancel-contracts token admin" in done.stderr
    assert not done.stdout


def test_the_command_writes_one(tmp_path: Path, capsys: Capture) -> None:
    with files(tmp_path, "unknown-id-answered-200", only=["MA-34"]) as (_, report):
        path = tmp_path / "again.py"
        assert main(["replay", str(report), "1", "--script", str(path)]) == 0
        compile(path.read_text("utf-8"), "again.py", "exec")
        assert main(["replay", str(report), "1", "--script", str(tmp_path / "again.txt")]) == 2
    assert "end it .sh or .py" in capsys.readouterr().err


def test_a_stub_of_given_ids_has_them_in_its_script() -> None:
    id_ = "it's $(an) id"
    with deviating("every-final-state-cancelled", only=["MA-08"]) as (target, report):
        raw = {k: v for k, v in target.raw.items() if k not in ("provider_states", "contracts")}
        state = next(iter(report["contracts"][0]["scenarios"].values()))["steps"][0]["state"]
        raw["contracts"] = {MACHINE: {"provider_states": {state: [id_]}}}
        site = Target("t", raw, target.base_url).endpoint(contract(MACHINE))
        (case,) = cases(report, [contract(MACHINE)], None)
    shell, python = (write(recipe(case, site), language) for language in ("sh", "py"))
    assert """ID_1='it'"'"'s $(an) id'""" in shell
    assert repr(id_) in python
    assert "tear down" not in shell + python


# --- tokens ---------------------------------------------------------------------------------------


@pytest.fixture
def lent(tmp_path: Path) -> Path:
    path = tmp_path / "target.yaml"
    path.write_text(
        "base_url: http://127.0.0.1:1\nserves: [machine-action]\n"
        "identities: {admin: {token: abcdefghijkl}}\n",
        encoding="utf-8",
    )
    return path


def test_a_token_goes_to_no_pipe_unasked(lent: Path, capsys: Capture) -> None:
    assert main(["token", "admin", "--target", str(lent)]) == 2
    captured = capsys.readouterr()
    assert "--force" in captured.err
    assert "abcdefghijkl" not in captured.out + captured.err


@pytest.mark.parametrize(
    ("identity", "value"),
    [("admin", "abcdefghijkl"), ("primary", "abcdefghijkl"), ("cut-token", "abcdefgh"),
     ("bare-token", "abcdefghijkl"), ("garbage-token", "not-a-token-of-anybody")],
)  # fmt: skip
def test_a_token_fills_a_variable(identity: str, value: str, lent: Path, capsys: Capture) -> None:
    assert main(["token", identity, "--target", str(lent), "--force"]) == 0
    assert capsys.readouterr().out == f"{value}\n"


@pytest.mark.parametrize(
    ("identity", "told"),
    [("adminn", "use admin"), ("user", "the target offers no identity user"),
     ("anonymous", "carries nothing")],
)  # fmt: skip
def test_what_has_no_token_is_said(identity: str, told: str, lent: Path, capsys: Capture) -> None:
    assert main(["token", identity, "--target", str(lent), "--force"]) == 2
    assert told in capsys.readouterr().err


HEADERS = """
base_url: http://127.0.0.1:1
headers: {Ocp-Apim-Subscription-Key: {env: APIM_KEY}, X-Tenant: a tenant}
provider_states: {url: "http://127.0.0.1:2/", basic: {user: contracts, password: {env: STATES_PASSWORD}}}
identities: {admin: {token: abcdefghijkl}}
"""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Ocp-Apim-Subscription-Key", "the key of the gateway"),
        ("ocp-apim-subscription-key", "the key of the gateway"),
        ("X-Tenant", "a tenant"),
        ("Authorization", base64.b64encode(b"contracts:open sesame").decode()),
    ],
)
def test_what_goes_along_fills_a_variable_too(
    name: str, value: str, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APIM_KEY", "the key of the gateway")
    monkeypatch.setenv("STATES_PASSWORD", "open sesame")
    path = tmp_path / "target.yaml"
    path.write_text(HEADERS, encoding="utf-8")
    assert main(["token", name, "--target", str(path), "--force"]) == 0
    assert capsys.readouterr().out == f"{value}\n"
    monkeypatch.delenv("APIM_KEY")
    if name.startswith("O"):
        assert main(["token", name, "--target", str(path), "--force"]) == 2
        assert "APIM_KEY" in capsys.readouterr().err


def claims(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return found


ASSIGNMENT = "access-package-assignment-request"
ALONE = "delegated:EntitlementMgmt-SubjectAccess.ReadWrite"


def test_a_permission_alone_is_its_owners(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "target.yaml"
    path.write_text(
        f"base_url: http://127.0.0.1:1\nmint: {{algorithm: HS256, key: {'k' * 40}}}\n", "utf-8"
    )
    argv = ["token", ALONE, "--target", str(path), "--contract", ASSIGNMENT, "--force"]
    subjects = []
    for more in ([], ["--owner", "user"]):
        assert main([*argv, *more]) == 0
        subjects.append(claims(capsys.readouterr().out.strip())["sub"])
    assert subjects == [ALONE, "user"]
    assert main([*argv, "--owner", "usr"]) == 2
    assert "use user" in capsys.readouterr().err


def test_a_script_names_the_owner_whose_token_it_takes() -> None:
    call = Situation(identity=ALONE, owner="user", state="PendingApproval")
    of = contract(ASSIGNMENT)
    scenario = Scenario((Acquire(0, "PendingApproval", "user"), Call(call)))
    case = Case("1", of, (of.clauses[0].id,), "", scenario, Way(), 0, {})
    endpoint = Target("t", {"provider_states": "http://127.0.0.1:2/"}, "http://127.0.0.1:1")
    made = recipe(case, endpoint.endpoint(of))
    (name,) = made.tokens
    for language in ("sh", "py"):
        text = write(made, language)
        assert f"cancel-contracts token {ALONE} --owner user --target FILE" in text
        assert name in text
        assert "<" not in text.split("id_of()")[-1].split("def variable")[0]


def test_a_minted_token_is_one_contracts_own(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "target.yaml"
    path.write_text(
        f"base_url: http://127.0.0.1:1\nmint: {{algorithm: HS256, key: {'k' * 40}}}\n", "utf-8"
    )
    argv = ["token", "admin", "--target", str(path), "--force"]
    assert main(argv) == 2
    assert "--contract" in capsys.readouterr().err
    assert main([*argv, "--contract", MACHINE]) == 0
    assert capsys.readouterr().out.count(".") == 2
