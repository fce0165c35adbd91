"""Ctrl-C and SIGTERM: sending ends, what was set up is torn down, what was seen is reported."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from cancel_contracts.cli import main
from cancel_contracts.cli.interrupt import Interruption
from servers.front import Request, Response, Written
from servers.hostile import place_of
from servers.service import Service
from servers.tokens import Signed
from servers.trial import conforming, contract_of, target_of

pytestmark = pytest.mark.slow

CALL = 12  # the cancel call that the signal comes in the middle of
# Clauses that make many more calls, of which none is drawn: the process has less to load.
FEW = [f"--only=MA-{number}" for number in ("05", "15", "19", "21", "53", "62", "68")]
GUARD_SECONDS = 60
COMMAND = [sys.executable, "-c", "from cancel_contracts.cli import console_main; console_main()"]


class Tripwire(Service):
    """Sends this process a signal in the middle of one call, and counts what comes once the run was
    told: how long a signal takes to the main thread is the machine's affair.
    """

    place, at, number, limited = "", 0, signal.SIGINT, False
    fired = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.aware, self.after = threading.Event(), Counter[str]()

    def answer(self, request: Request) -> Response:
        place = place_of(request, self.page.verb)
        self.seen = getattr(self, "seen", Counter())
        self.seen[place] += 1
        if self.aware.is_set():
            self.after[place] += 1
        elif not self.fired and place == self.place and self.seen[place] == self.at:
            self.fired = True
            response = self.limit("3600") if self.limited else super().answer(request)
            delay = 0.2 if self.limited else 0.0  # the wait is to have begun
            threading.Timer(delay, self.trip).start()
            if not self.limited:
                self.aware.wait(GUARD_SECONDS)
            return response
        return super().answer(request)

    def trip(self) -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, self.number)


DEEP = ["--profile", "deep", "--only", "MA-48", "--max-requests", "40"]
# Stage -> the call that the signal comes in, which of them, and what may still be sent after it.
STAGES: dict[str, tuple[str, int, dict[str, int], list[str]]] = {
    "the first set-up": ("setup", 1, {}, []),
    "a set-up": ("setup", 4, {}, []),
    "a look before a call": ("look", 1, {"look": 0}, []),
    "a call": ("cancel", 3, {"look": 2}, []),
    "a wait for a 429": ("cancel", 3, {"look": 2}, ["--max-wait", "7200"]),
    "a tear-down": ("teardown", 2, {}, []),
    "several at a time": ("cancel", 8, {"look": 8, "cancel": 3, "setup": 4}, ["--jobs", "4"]),
    "deep": ("cancel", 20, {"look": 2}, DEEP),
}


@pytest.mark.parametrize("stage", STAGES)
def test_at_every_stage_it_stops_sending_tears_down_and_reports(
    stage: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place, at, allowed, flags = STAGES[stage]
    number = signal.SIGTERM if at % 2 else signal.SIGINT
    service = conforming("MA", Tripwire, place=place, at=at, number=number, limited="wait" in stage)
    assert isinstance(service, Tripwire)
    ask = Interruption.ask

    def asked(stop: Interruption, reason: str) -> None:
        ask(stop, reason)
        service.aware.set()

    monkeypatch.setattr(Interruption, "ask", asked)
    report = tmp_path / "report.json"
    with Written(service) as front:
        target = target_of(service, front.url)
        file = tmp_path / "target.yaml"
        file.write_text(json.dumps({**target.raw, "base_url": target.base_url}), "utf-8")
        began = time.monotonic()
        code = main(
            ["verify", "--target", str(file), "--contract", contract_of(service.page).name,
             "--report-json", str(report), *([] if "--jobs" in flags else ["--jobs", "1"]), *flags]
        )  # fmt: skip
        service.stopped.set()
    told = capsys.readouterr()
    assert code == 128 + number, told.out
    assert time.monotonic() - began < GUARD_SECONDS
    assert service.fired
    assert service.aware.is_set()
    assert service.resources == {}, "everything that was set up is torn down"
    sent = {what: count for what, count in service.after.items() if what != "teardown"}
    assert all(count <= allowed.get(what, 0) for what, count in sent.items()), sent
    written = json.loads(report.read_text("utf-8"))
    assert written["exit_code"] == 128 + number
    clauses = written["contracts"][0]["clauses"]
    violated = {clause["id"] for clause in clauses if clause["verdict"] == "violated"}
    assert violated <= ({"MA-11"} if service.limited else set())  # for a 429 comes too early
    if place != "teardown":
        assert f"interrupted by {number.name}" in written["contracts"][0]["stopped"]
    assert "stopping: " in told.err


def test_a_token_command_that_the_signal_ends_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["sh", "-c", "kill -INT $PPID; exit 1"]
    raw = {"base_url": "http://127.0.0.1:1", "identities": {"admin": {"token_command": command}}}
    (tmp_path / "target.yaml").write_text(json.dumps(raw), "utf-8")
    assert main(["verify", "--target", str(tmp_path / "target.yaml"), "--only", "SA-20"]) == 130
    assert "interrupted; " in capsys.readouterr().err


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
def test_a_second_signal_ends_it_at_once(jobs: int, tmp_path: Path) -> None:
    service = conforming("MA", Slow)
    assert isinstance(service, Slow)
    with Written(service) as front:
        target = target_of(service, front.url)
        (tmp_path / "target.yaml").write_text(
            yaml.safe_dump({**target.raw, "base_url": target.base_url}), encoding="utf-8"
        )
        command = [
            *COMMAND, "verify", "--target", "target.yaml", "--jobs", str(jobs), "--timeout", "600",
            "--contract", contract_of(service.page).name, *FEW, "--ledger", "ledger.jsonl",
        ]  # fmt: skip
        with subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as process:
            assert service.reached.wait(GUARD_SECONDS), process.communicate()
            process.send_signal(signal.SIGINT)
            assert process.stderr is not None
            while not process.stderr.readline().startswith("stopping"):
                assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            assert process.wait(GUARD_SECONDS / 2) == 128 + signal.SIGTERM
        assert not service.go_on.is_set(), "the call that hung was not waited for"
        assert service.resources, "nothing was torn down"
        service.go_on.set()
        service.stopped.set()
    assert main(["ledger", str(tmp_path / "ledger.jsonl")]) == 1, "and the ledger says what is left"


@pytest.mark.parametrize(("jobs", "number"), [(1, signal.SIGINT), (4, signal.SIGTERM)])
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
            "--contract", contract_of(service.page).name, *FEW,
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
    assert said.count(f"interrupted by {number.name}") == 1, said
    assert "Not known" not in said
    assert "pairs" not in said, "the plan's would not be those that met"
    assert (tmp_path / "report.xml").stat().st_size > 0
    assert main(["judge", str(tmp_path / "traffic.har")]) == 4
