"""Ctrl-C and SIGTERM: sending ends, what was set up is torn down, what was seen is reported."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml
from servers.front import Request, Response, Written
from servers.service import Service
from servers.tokens import Signed
from servers.trial import conforming, contract_of, target_of

from contracts.cli import main

CALL = 12  # the cancel call that the signal comes in the middle of
GUARD_SECONDS = 60
COMMAND = [sys.executable, "-c", "from contracts.cli import console_main; console_main()"]


class Slow(Service):
    """Keeps one cancel call waiting until it is told to go on."""

    def __init__(self, page: object, tokens: object) -> None:
        super().__init__(page, tokens)  # type: ignore[arg-type]
        self.reached, self.go_on = threading.Event(), threading.Event()
        self.after = 0  # cancel calls that came once it went on

    def answer(self, request: Request) -> Response:
        if request.target.endswith("/" + self.page.verb):
            if self.go_on.is_set():
                self.after += 1
            elif self.calls >= CALL - 1:
                self.reached.set()
                self.go_on.wait(GUARD_SECONDS)
        return super().answer(request)


@pytest.mark.parametrize("jobs", [1, 4])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_in_order(number: signal.Signals, jobs: int, tmp_path: Path) -> None:
    service = conforming("MA", Slow)
    assert isinstance(service, Slow)
    assert isinstance(service.tokens, Signed)
    with Written(service) as front:
        target = target_of(service, front.url)
        (tmp_path / "target.yaml").write_text(
            yaml.safe_dump({**target.raw, "base_url": target.base_url}), encoding="utf-8"
        )
        command = [
            *COMMAND, "verify", "--target", "target.yaml", "--jobs", str(jobs), "--report-json",
            "report.json", "--report-junit", "report.xml", "--record", "traffic.har",
            "--contract", contract_of(service.page).name,
        ]  # fmt: skip
        with subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert service.reached.wait(GUARD_SECONDS), process.communicate()
            process.send_signal(number)
            assert process.stderr is not None
            assert process.stderr.readline().startswith("stopping")
            service.go_on.set()
            said, _ = process.communicate(timeout=GUARD_SECONDS)
        service.stopped.set()
    assert process.returncode == 128 + number, said
    assert service.resources == {}, "everything that was set up is torn down"
    assert service.after < jobs, "nothing is sent once the signal came, but what was on its way"
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert report["exit_code"] == 128 + number
    assert report["contracts"][0]["stopped"].startswith(f"interrupted by {number.name}")
    words = {clause["verdict"] for clause in report["contracts"][0]["clauses"]}
    assert "inconclusive" in words, "what was not reached is told from what was upheld"
    assert "violated" not in words
    assert f"interrupted by {number.name}" in said
    assert (tmp_path / "report.xml").stat().st_size > 0
    assert main(["judge", str(tmp_path / "traffic.har")]) == 4
