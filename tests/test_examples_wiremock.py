"""A real mock that is not ours: WireMock with the stubs of examples/wiremock, over the wire.

WireMock is started once, with the very `java` line of the example's README. Without Java or the npm
package the tests skip and say so; where CI is set they fail instead.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest
import requests
import yaml

from contracts.cli import main

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "wiremock"
START_SECONDS = 60
INSTALL_SECONDS = 180
QUICK_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx256m"  # it lives for seconds
GUID = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"


def cannot(reason: str) -> NoReturn:
    """Skip and say why; in CI fail, for there a skip would hide it."""
    if os.environ.get("CI"):
        pytest.fail(f"CI is to have what this needs: {reason}", pytrace=False)
    pytest.skip(reason)


def java_line() -> list[str]:
    """Return the README's command that starts WireMock, on a port of WireMock's choice."""
    text = (EXAMPLE / "README.md").read_text("utf-8")
    found = re.search(r"^java -jar .*$", text, re.MULTILINE)
    assert found, "the example's README starts WireMock"
    line = shlex.split(found[0])
    line[line.index("--port") + 1] = "0"
    return line


def install(jar: Path) -> None:
    """Install the pinned npm package into the example's node_modules, unless it is there."""
    if jar.is_file():
        return
    if not shutil.which("npm"):
        cannot("npm is missing, which installs WireMock")
    command = ["npm", "install", "--no-save", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(
            command, cwd=EXAMPLE, capture_output=True, text=True, timeout=INSTALL_SECONDS
        )
    except subprocess.TimeoutExpired:
        cannot(f"`{shlex.join(command)}` took over {INSTALL_SECONDS} s")
    if done.returncode != 0:
        cannot(f"`{shlex.join(command)}` failed: {done.stderr.strip()[-300:]}")
    assert jar.is_file(), f"package.json and README.md name one version; {jar} is not there"


class WireMock:
    """A running WireMock and its admin API."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = requests.Session()
        self.http.trust_env = False  # no proxy of the environment stands between

    def up(self) -> bool:
        try:
            return self.http.get(f"{self.url}/__admin/mappings?limit=1", timeout=30).ok
        except requests.RequestException:
            return False

    @contextmanager
    def stub(self, *stubs: dict[str, Any]) -> Iterator[None]:
        """Put stubs over the example's while the block runs."""
        made = []
        try:
            for stub in stubs:
                answer = self.http.post(f"{self.url}/__admin/mappings", json=stub, timeout=30)
                answer.raise_for_status()
                made.append(answer.json()["id"])
            yield
        finally:
            for id_ in made:
                self.http.delete(f"{self.url}/__admin/mappings/{id_}", timeout=30)


@pytest.fixture(scope="module")
def wiremock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WireMock]:
    if not shutil.which("java"):
        cannot("java is missing, which runs WireMock")
    line = java_line()
    install(ROOT / line[line.index("-jar") + 1])
    log = tmp_path_factory.mktemp("wiremock") / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            line,
            cwd=ROOT,
            env={**os.environ, "JAVA_TOOL_OPTIONS": QUICK_JAVA},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        server = _ready(process, log)
        with server.http:
            yield server
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ready(process: subprocess.Popen[bytes], log: Path) -> WireMock:
    """Wait until the admin API answers. WireMock's log tells the port."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if port := re.search(r"^port:\s+(\d+)$", log.read_text("utf-8", "replace"), re.MULTILINE):
            server = WireMock(f"http://127.0.0.1:{port[1]}")
            if server.up():
                return server
            server.http.close()
        time.sleep(0.1)
    pytest.fail(f"WireMock did not start: {log.read_text('utf-8', 'replace')[-2000:]}")


@pytest.fixture
def report(wiremock: WireMock, tmp_path: Path) -> Iterator[Any]:
    """Return a function that runs the command against WireMock: (exit code, JSON report)."""
    before = signal.getsignal(signal.SIGTERM)  # the command sets its own

    def run(*flags: str) -> tuple[int, dict[str, Any]]:
        path = tmp_path / "report.json"
        target = ["--target", str(EXAMPLE / "target.yaml"), "--report-json", str(path)]
        code = main(["verify", wiremock.url, *target, "--timeout", "30", *flags])
        return code, json.loads(path.read_text("utf-8"))

    yield run
    signal.signal(signal.SIGTERM, before)


def clauses(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [clause for contract in report["contracts"] for clause in contract["clauses"]]


def violated(report: dict[str, Any], level: str = "must") -> set[str]:
    return {c["id"] for c in clauses(report) if c["verdict"] == "violated" and c["level"] == level}


def test_the_example_conforms_and_excuses_no_more_than_it_says(report: Any) -> None:
    code, told = report()

    assert (code, violated(told)) == (0, set())
    assert len(told["contracts"]) == 3
    target = yaml.safe_load((EXAMPLE / "target.yaml").read_text("utf-8"))
    excused = {c["id"]: c["excused"] for c in clauses(told) if c["excused"]}
    assert excused == target["not_testable"], "each excuse is needed, and none is missing"
    # Jetty refuses a path it cannot parse before any stub is asked.
    assert violated(told, "should") == {"AP-61", "SA-26"}
    assert {c["name"]: c["dialect"] for c in told["contracts"]} == {
        "access-package-assignment-request": "prose",
        "machine-action": "time-out-is-final, collect-forensic",
        "security-action": "delegated",
    }


def test_an_unknown_id_answered_200_is_found_in_all_three(wiremock: WireMock, report: Any) -> None:
    entity = {"jsonBody": {"id": "{{request.path.[2]}}", "status": "Cancelled"}}
    packages = "/identityGovernance/entitlementManagement/accessPackageAssignmentRequests"
    stubs = [
        {
            "priority": 7,  # of the example's 404: among equals the newer stub answers
            "request": {"method": "POST", "urlPathPattern": route},
            "response": {"status": 200, "headers": {"Content-Type": "application/json"}, **body},
        }
        for route, body in (
            (f"/security/securityActions/{GUID}/cancelSecurityAction", {}),
            (f"/api/machineactions/{GUID}/cancel", entity),
            (f"{packages}/{GUID}/cancel", {}),
        )
    ]
    with wiremock.stub(*stubs):
        code, told = report("--profile", "smoke")

    assert (code, violated(told)) == (1, {"SA-20", "MA-34", "AP-35"})


def test_a_security_action_answered_with_a_body_is_found(wiremock: WireMock, report: Any) -> None:
    stub = {
        "priority": 5,
        "request": {
            "method": "POST",
            "urlPathPattern": "/security/securityActions/a[0-9]000000-.*/cancelSecurityAction",
        },
        "response": {"status": 200, "jsonBody": {"status": "cancelled"}},
    }
    with wiremock.stub(stub):
        code, told = report("--contract", "security-action")

    assert (code, violated(told)) == (1, {"SA-18"})


def test_the_wrong_dialect_pinned_is_found(report: Any) -> None:
    contract = "access-package-assignment-request"
    code, told = report("--contract", contract, "--dialect", f"{contract}=example")

    assert (code, violated(told)) == (1, {"AP-30"})
