"""Quotas: several windows at once, what a run does when they end it, and one for several runs."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from cancel_contracts.cli import main
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.exchange import Received
from cancel_contracts.run.wait_budget import seconds_asked
from cancel_contracts.targets.pace import pacer, rates_of, seconds_for
from pyrate_limiter import Rate
from servers.front import Request, Response, Written
from servers.service import Service
from servers.trial import conforming, contract_of, target_of

Capture = pytest.CaptureFixture[str]
COMMAND = [sys.executable, "-c", "from cancel_contracts.cli import console_main; console_main()"]
CONTRACT = next(c for c in map(load, shipped()) if len(c.quotas) > 1)
ELSEWHERE = "http://192.0.2.7"  # TEST-NET-1: nothing is sent there
GUARD_SECONDS = 60


def test_every_window_counts() -> None:
    minute, hour = Rate(100, 60_000), Rate(1500, 3_600_000)
    assert seconds_for(0, [minute]) == seconds_for(100, [minute, hour]) == 0
    assert seconds_for(101, [minute, hour]) == 60
    assert seconds_for(1500, [minute, hour]) == 14 * 60
    assert seconds_for(1501, [minute, hour]) == 3600, "the hour holds where the minute would not"


def test_the_documented_quota_holds_where_the_target_is_not_loopback() -> None:
    waits: list[float] = []

    def give_up(seconds: float) -> bool:
        waits.append(seconds)
        return True

    assert rates_of(CONTRACT, "http://127.0.0.1:1", None) == []
    assert len(rates_of(CONTRACT, ELSEWHERE, "5/s")) == 1 + len(CONTRACT.quotas)
    pace = pacer(CONTRACT, ELSEWHERE, None, wait=give_up)
    for _ in range(CONTRACT.quotas[0].calls):
        pace()
    assert waits == []
    pace()
    assert len(waits) == 1


def test_the_plan_says_how_long_it_takes(capsys: Capture) -> None:
    assert main(["verify", "--plan", "--rate", "20/min"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "at most 20 in 60 s calls: it takes 240 s at least (4 minutes)" in told
    assert main(["verify", "--plan"]) == 0
    assert "it takes" not in capsys.readouterr().out


class Limited(Service):
    """Grants some calls and asks to wait an hour for more."""

    room = 12

    def post(self, request: Request, id_: str) -> Response:
        return self.limit("3600") if self.calls > self.room else super().post(request, id_)

    def other_method(self, request: Request, id_: str) -> Response:
        return self.limit("3600") if self.calls > self.room else super().other_method(request, id_)


def write_target(folder: Path, service: Service, url: str) -> Path:
    target = target_of(service, url)
    path = folder / "target.yaml"
    path.write_text(yaml.safe_dump({**target.raw, "base_url": target.base_url}), "utf-8")
    return path


def test_a_run_that_the_quota_ends_says_what_it_did_not_reach(
    tmp_path: Path, capsys: Capture
) -> None:
    service = conforming("SA", Limited)
    report, junit = tmp_path / "report.json", tmp_path / "report.xml"
    with Written(service) as front:
        file = write_target(tmp_path, service, front.url)
        code = main(
            # On a busy machine it might look far away, and have several calls under way.
            ["verify", "--target", str(file), "--contract", contract_of(service.page).name,
             "--jobs", "1", "--report-json", str(report), "--report-junit", str(junit)]
        )  # fmt: skip
        service.stopped.set()
    told = capsys.readouterr()
    assert code == 4, told.out
    assert service.calls == Limited.room + 1, "nothing is sent after the answer"
    assert service.resources == {}
    clauses = json.loads(report.read_text("utf-8"))["contracts"][0]["clauses"]
    unreached = {c["id"] for c in clauses if c["verdict"] == "inconclusive"}
    assert len(unreached) > 10
    assert not any(c["verdict"] == "violated" for c in clauses if c["level"] == "must")
    # The call that was put off, those after it, and the quota that such an answer may be of.
    told_why = re.compile(
        "the call was put off .*429|the target answers 429 and asks to wait 3600 s"
        "|answered 429, .* another limit, or other callers, may be behind it"
    )
    assert all(told_why.search(c["reason"]) for c in clauses if c["id"] in unreached)
    errors = {
        case.get("name", "").split()[0]
        for case in ET.fromstring(junit.read_text("utf-8")).iter("testcase")
        if case.find("error") is not None
    }
    assert unreached <= errors
    shown = " ".join(told.out.split())
    # How many, and why once; by name those alone that are open for another reason.
    assert f"· {len(unreached)} inconclusive ·" in shown
    assert shown.count("asks to wait 3600 s") == 1
    rows = re.findall(r"((?:SA-\d+, )*SA-\d+)(?: and \d+ more)?: inconclusive", shown)
    assert {id_ for ids in rows for id_ in ids.split(", ")} < unreached


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("5", 5.0), (" 7 ", 7.0), ("0", 0.0),
        ("2.128", 2.128),  # the vendor's own sample
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),  # RFC 9110 5.6.7; it is past
        ("Mon, 01 Jan 9999 00:00:00 GMT", 1e11), ("9" * 400, 1e11),  # more than any run waits
        ("-5", 1.0), ("soon", 1.0), ("", 1.0), ("nan", 1.0), ("1e9", 1.0), ("5, 6", 1.0),
        ("Mon, 99 Jan 2020 00:00:00 GMT", 1.0), ("\u0665", 1.0), (None, 1.0),
    ],
)  # fmt: skip
def test_what_retry_after_asks_for(header: str | None, seconds: float) -> None:
    headers = () if header is None else (("Retry-After", header),)
    assert min(seconds_asked(Received(429, headers=headers)), 1e11) == seconds


class Moody(Service):
    """Puts off every seventh call, and whoever asks again is served: of calls at once one at most,
    and of those in its stead none.
    """

    def post(self, request: Request, id_: str) -> Response:
        return self.limit("0") if self.calls % 7 == 0 else super().post(request, id_)


def test_a_429_is_evidence_for_no_other_clause(tmp_path: Path, capsys: Capture) -> None:
    service = conforming("SA", Moody)
    report = tmp_path / "report.json"
    with Written(service) as front:
        file = write_target(tmp_path, service, front.url)
        argv = ["verify", "--target", str(file), "--contract", contract_of(service.page).name]
        main([*argv, "--report-json", str(report)])
        service.stopped.set()
    clauses = json.loads(report.read_text("utf-8"))["contracts"][0]["clauses"]
    open_ = {c["id"]: c["verdict"] for c in clauses if c["level"] == "must"}
    told = capsys.readouterr().out
    shows_none = {"SA-163", "SA-164"}  # no list of states
    assert {open_.pop(id_) for id_ in shows_none} == {"not-exercised"}, told
    assert set(open_.values()) == {"upheld"}, told
    limited = next(c for c in clauses if c["id"] == "SA-27")
    assert limited["exercised"] > 10, "and for the one about it, it is"


# --- A quota for several runs ---------------------------------------------------------------------


@dataclass
class Store:
    """A Redis of the test's own."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(GUARD_SECONDS)


SERVER = pytest.param(None, marks=pytest.mark.outside("redis-server"), id="redis")


@pytest.fixture(params=[SERVER])
def store(tmp_path: Path) -> Iterator[Store]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "",
         "--appendonly", "no", "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    found = Store(port, process)
    try:
        until = time.monotonic() + GUARD_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None, "redis-server did not start"
                assert time.monotonic() < until
                time.sleep(0.02)
        yield found
    finally:
        found.stop()


class Timed(Service):
    """Notes when each cancel call came; at one of them something may happen."""

    moments: list[float]
    at, then = 0, staticmethod(lambda: None)

    def answer(self, request: Request) -> Response:
        if request.target.endswith("/" + self.page.verb):
            with self.lock:
                self.moments.append(time.monotonic())
                number = len(self.moments)
            if number == self.at:
                type(self).then()
        return super().answer(request)


@pytest.mark.slow
def test_two_runs_keep_to_one_quota_together(store: Store, tmp_path: Path) -> None:
    rate, window = 6, 1.5
    service = conforming("SA", Timed, moments=[])
    assert isinstance(service, Timed)
    with Written(service) as front:
        write_target(tmp_path, service, front.url)
        command = [
            *COMMAND, "verify", "--target", "target.yaml", "--contract",
            contract_of(service.page).name, "--only", "SA-21", "--only", "SA-20",
            "--rate", f"{rate}/s", "--quota-store", store.url,
        ]  # fmt: skip
        runs = [
            subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        said = [run.communicate(timeout=GUARD_SECONDS)[0] for run in runs]
        service.stopped.set()
    assert [run.returncode for run in runs] == [0, 0], said
    moments = sorted(service.moments)
    assert len(moments) > 3 * rate, "enough calls for the quota to matter"
    busiest = max(sum(1 for m in moments if start <= m < start + window) for start in moments)
    # Two seconds' worth, and what bunches up on its way on a busy machine; two that do not share it
    # have three seconds' worth, wherever one begins.
    assert busiest < 3 * rate, moments


def test_a_store_that_is_lost_ends_the_run(store: Store, tmp_path: Path, capsys: Capture) -> None:
    service = conforming("SA", Timed, moments=[], at=5, then=staticmethod(store.stop))
    assert isinstance(service, Timed)
    with Written(service) as front:
        file = write_target(tmp_path, service, front.url)
        code = main(
            ["verify", "--target", str(file), "--contract", contract_of(service.page).name,
             "--rate", "100/s", "--quota-store", store.url]
        )  # fmt: skip
        service.stopped.set()
    told = " ".join(capsys.readouterr().out.split())
    assert code == 4, told
    assert "the quota store is lost" in told
    assert len(service.moments) == 5


def test_a_store_that_is_not_there_is_said_before_traffic(capsys: Capture) -> None:
    argv = ["verify", "--only", "SA-20", "--rate", "5/s", "--quota-store"]
    for url in ("redis://:s3cret-word@127.0.0.1:1/0", "nonsense", "redis://127.0.0.1:1/x"):
        assert main([*argv, url]) == 2
        told = capsys.readouterr()
        assert "s3cret-word" not in told.out + told.err
        assert len(told.err.splitlines()) == 1
        assert told.err.startswith("cancel-contracts: --quota-store ")
