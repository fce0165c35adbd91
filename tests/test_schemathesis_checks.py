"""The check of `schemathesis run`: the real command line over the mock and an independent server.

What conforms exits 0. What deviates exits 1 and names the clause.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest
from cancel_contracts.builtin import new_key, target_of
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Contract
from cancel_contracts.identity.identities import Identities
from cancel_contracts.mock.faults.kinds import IDS
from cancel_contracts.mock.server import MockServer
from cancel_contracts.redact.secrets import Redactor
from schemathesis.cli import schemathesis as command_line
from servers.front import Front, Stdlib11
from servers.service import Service
from servers.trial import conforming

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = {c.name: c for c in map(load, shipped())}
MACHINE, PACKAGE, SECURITY = (
    CONTRACTS[name]
    for name in ("machine-action", "access-package-assignment-request", "security-action")
)
ONLY_OURS = ("--checks", "cancel_contracts", "--continue-on-failure")
HOOKS = "cancel_contracts.schemathesis_checks"
BRIEF = ("--phases", "examples,fuzzing")


@dataclass(frozen=True)
class Done:
    """What came of a run."""

    returncode: int
    stdout: str


def run(document: str, url: str, token: str, *args: str, cwd: Path) -> Done:
    """Run the command line in this process, which has imported all that it needs."""
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings(), redirect_stdout(out):
        patch.chdir(cwd)
        patch.setenv("SCHEMATHESIS_HOOKS", HOOKS)
        warnings.simplefilter("ignore")  # what schemathesis itself leaves open
        with pytest.raises(SystemExit) as ended:
            command_line.main(arguments(document, url, token, *args))
    assert token not in out.getvalue(), "no token ever stands in an output"
    assert isinstance(ended.value.code, int)
    return Done(ended.value.code, out.getvalue())


def run_apart(document: str, url: str, token: str, *args: str, cwd: Path) -> Done:
    """Run the command as it is installed, in a process of its own."""
    environ = {**os.environ, "SCHEMATHESIS_HOOKS": HOOKS, "PYTHONPATH": str(ROOT / "contracts")}
    command = [str(Path(sys.executable).with_name("schemathesis"))]
    done = subprocess.run(
        [*command, *arguments(document, url, token, *args)],
        cwd=cwd, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert token not in done.stdout, "no token ever stands in an output"
    return Done(done.returncode, done.stdout)


def arguments(document: str, url: str, token: str, *args: str) -> list[str]:
    known = ["-H", f"Authorization: {token}", "--seed", "1", "--max-examples", "3"]
    return ["run", document, "--url", url, *known, "--generation-database", "none", *args]


class Mock:
    """The built-in mock with entries of the catalogue, and somebody who may call it."""

    def __init__(self, contract: Contract, *faults: str, variants: tuple[str, ...] = ()) -> None:
        self.contract, self.key = contract, new_key()
        self.server = MockServer(
            [contract], key=self.key, faults=faults, variants=variants, quotas=False
        )

    def run(self, cwd: Path, *args: str, by: Callable[..., Done] = run) -> Done:
        with self.server:
            target = target_of(self.server, [self.contract], self.key)
            identities = Identities(self.contract, target.endpoint(self.contract), Redactor())
            token = (
                "Bearer "
                + identities.credentials("app" if self.contract is SECURITY else "admin").secret
            )
            assert token
            url = self.server.base_url
            return by(self.contract.path_of_file, url, token, *args, cwd=cwd)


@pytest.mark.parametrize(
    ("contract", "by", "args"),
    [
        (MACHINE, run_apart, ()),
        (SECURITY, run, BRIEF),
        (PACKAGE, run, BRIEF),
    ],
    ids=lambda x: getattr(x, "name", ""),
)
def test_the_conforming_mock_passes(
    contract: Contract, by: Callable[..., Done], args: tuple[str, ...], tmp_path: Path
) -> None:
    done = Mock(contract).run(tmp_path, *ONLY_OURS, *args, by=by)
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout


def test_the_mocks_faults_are_named_by_their_clauses(tmp_path: Path) -> None:
    faults = {
        "unknown-id-answered-200": "MA-34",
        "401-without-challenge": "MA-50",
        "405-without-allow": "MA-56",
        "get-answered-200": "MA-05",
    }
    done = Mock(MACHINE, *faults).run(tmp_path, *ONLY_OURS)
    assert done.returncode == 1, done.stdout
    missing = {f for f, clause in faults.items() if f"ST901 {clause}\n" not in done.stdout}
    assert not missing, done.stdout
    says = "An id that names no machine action is answered 404, and none comes to exist."
    assert says in done.stdout
    assert "source    cancel-machine-action, Response" in done.stdout


def test_without_the_coverage_phase_faults_are_seen_too(tmp_path: Path) -> None:
    done = Mock(SECURITY, "existence-revealed", "404-as-text").run(tmp_path, *ONLY_OURS, *BRIEF)
    assert done.returncode == 1, done.stdout
    assert "ST901 SA-22\n" in done.stdout
    assert "ST901 SA-25\n" in done.stdout


def test_an_odd_id_that_is_taken_for_one_is_seen_where_enough_are_drawn(tmp_path: Path) -> None:
    # Whatever the kind of those that are drawn. Another release draws others from a seed, and so do
    # other modules that are loaded: Hypothesis tries their constants.
    faults = [f"odd-id-{kind}-accepted" for kind in IDS]
    drawn = ("--phases", "fuzzing", "--max-examples", "50")
    runs = (
        Mock(MACHINE, *faults).run(tmp_path, *ONLY_OURS, *drawn, "--seed", str(seed))
        for seed in range(1, 16)
    )
    done = next(done for done in runs if done.returncode)
    assert done.returncode == 1, done.stdout
    assert "ST901 MA-47\n" in done.stdout, done.stdout


def test_a_resource_that_is_supplied_shows_what_a_success_looks_like(tmp_path: Path) -> None:
    bad = Mock(SECURITY, "success-with-space")
    with bad.server:
        target = target_of(bad.server, [SECURITY], bad.key)
        who = Identities(SECURITY, target.endpoint(SECURITY), Redactor())
        token = "Bearer " + who.credentials("app").secret
        assert token
        desk = bad.server._app.desks[SECURITY.name]
        id_ = desk.create(SECURITY.lifecycle.cancellable[0], None).id
        settings = f'[[operations]]\ninclude-name = "POST {SECURITY.path}"\n'
        settings += f'parameters = {{"path.id" = "{id_}"}}\n'
        (tmp_path / "schemathesis.toml").write_text(settings, "utf-8")
        url = bad.server.base_url
        done = run(SECURITY.path_of_file, url, token, *ONLY_OURS, *BRIEF, cwd=tmp_path)
    assert done.returncode == 1, done.stdout
    assert "ST901 SA-18\n" in done.stdout, done.stdout
    assert id_ in done.stdout


DOCUMENT = """
openapi: 3.0.3
info: {title: Somebody else's words for the same endpoint, version: "1"}
paths:
  /machineactions/{id}/cancel:
    post:
      parameters: [{name: id, in: path, required: true, schema: {type: string, format: uuid}}]
      requestBody:
        content: {application/json: {schema: {type: object, properties: {Comment: {type: string}}}}}
      responses: {"200": {description: ok}}
"""


class SaysWhere(Service):
    def unknown(self, call: object) -> object:  # type: ignore[override]
        return self.refuse(404, "NotFound", "no row, see /srv/app/actions/store.py")


def independent(service: Service, front: type[Front], cwd: Path) -> Done:
    (cwd / "theirs.yaml").write_text(DOCUMENT, "utf-8")
    identities = service.tokens.target()["identities"]
    with front(service) as running:
        url = running.url + service.page.prefix + "/api"
        token = f"Bearer {identities['admin']['token']}"
        done = run("theirs.yaml", url, token, *ONLY_OURS, *BRIEF, cwd=cwd)
        service.stopped.set()
    return done


def test_an_independent_server_and_a_document_of_somebody_else(tmp_path: Path) -> None:
    done = independent(conforming("MA", SaysWhere, signed=False), Stdlib11, tmp_path)
    assert done.returncode == 1, done.stdout
    named = set(re.findall(r"ST901 (\S+)\n", done.stdout))
    assert named == {"MA-52"}, "in all else the server conforms"
    settings = '[checks.cancel_contracts]\nskip = ["MA-52"]\nstrict = true\n'
    (tmp_path / "schemathesis.toml").write_text(settings, "utf-8")
    done = independent(conforming("MA", SaysWhere, signed=False), Stdlib11, tmp_path)
    assert done.returncode == 0, done.stdout


def test_a_contract_unlike_the_three_is_held_against_its_calls(tmp_path: Path) -> None:
    """Its errors are of two media types: what conforms passes, what does not fails."""
    contract = load(ROOT / "tests" / "cases" / "specs" / "order-cancel.yaml")
    assert Mock(contract).run(tmp_path, *ONLY_OURS, *BRIEF).returncode == 0
    done = Mock(contract, "404-in-json").run(tmp_path, *ONLY_OURS, *BRIEF)
    assert done.returncode == 1
    assert "OR-3" in done.stdout
