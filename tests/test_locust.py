"""Under load, by Locust, on loopback: a master and two workers against a mock that is right, and a
process alone against mocks that break only under load.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from cancel_contracts.assignment import Options
from cancel_contracts.builtin import target_of
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.mock import MockServer
from cancel_contracts.mock.call import Call, Reply
from cancel_contracts.mock.desk import Desk
from cancel_contracts.targets import file as target_file
from cancel_contracts.verify import verify
from test_mock_support import KEY, MACHINE, PACKAGE, SECURITY

pytestmark = pytest.mark.usefixtures("every_processor")
CONTRACTS = [load(path) for path in shipped()]
CALLS = 1000  # looks included: every scenario was performed by then
HELD_SECONDS = 0.1  # that each cancel takes: on a busy machine, too, some are under way at a time
FOUR = 4  # cancels under way at a time: the plan by itself has three at most
SECONDS = 90.0  # after which a test run is ended whatever it has seen


class Slow:
    """A desk whose calls take their time, so that they meet. `many` is told of each call whether
    more are under way than one run alone makes.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk, self.under_way, inner = desk, 0, desk.cancel

        async def cancel(call: Call) -> Reply:
            self.under_way += 1
            try:
                many = self.under_way >= FOUR
                await self.before(call, many)
                return self.after(await inner(call), many)
            finally:
                self.under_way -= 1

        desk.cancel = cancel  # type: ignore[method-assign]

    async def before(self, call: Call, many: bool) -> None:
        await asyncio.sleep(HELD_SECONDS)

    def after(self, reply: Reply, many: bool) -> Reply:
        return reply


class KeptLock(Slow):
    """Whoever comes fourth waits longer than anybody does for an answer."""

    async def before(self, call: Call, many: bool) -> None:
        await asyncio.sleep(3.0 if many else HELD_SECONDS)


class MixedUp(Slow):
    """Where many meet, a success is answered with what the one before was answered."""

    last: Reply | None = None
    mixed: ClassVar[int] = 0  # how often it was

    def after(self, reply: Reply, many: bool) -> Reply:
        if reply.status >= 300 or not reply.body:
            return reply
        told, self.last = self.last, reply
        if not many or told is None:
            return reply
        MixedUp.mixed += 1
        return replace(reply, body=told.body)


OFTEN = 105  # calls, of which one run makes 100 at most


class OneInMany(Slow):
    """One call in many is answered 500."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)

        def edit(call: Call, reply: Reply) -> Reply:
            if call.number % OFTEN:
                return reply
            return desk.envelope.told(Reply(500, desk.trace(call)), call.request_id, "")

        desk.edits.append(edit)


Change = Callable[[Desk], Any]
ALONE = ("--contracts-contract", SECURITY.name)  # where any contract shows it: the least to plan
BREAKING: dict[str, Change] = {
    PACKAGE.name: OneInMany,
    MACHINE.name: MixedUp,
    SECURITY.name: KeptLock,
}


@contextmanager
def served(folder: Path, changes: dict[str, Change]) -> Iterator[tuple[Path, list[MockServer]]]:
    """Serve each of these contracts on a server of its own; yield the target file and the servers."""
    with ExitStack() as stack:
        rows: dict[str, Any] = {}
        servers = []
        for contract in (c for c in CONTRACTS if c.name in changes):
            server = MockServer([contract], key=KEY, quotas=False)
            changes[contract.name](server._app.desks[contract.name])
            stack.enter_context(server)
            servers.append(server)
            raw = dict(target_of(server, [contract], KEY).raw)
            own = {k: raw[k] for k in ("base_url", "provider_states", "mint")}
            rows[contract.name] = {**raw["contracts"][contract.name], **own}
        file = folder / "target.yaml"
        file.write_text(yaml.safe_dump({"contracts": rows}), "utf-8")
        yield file, servers


def free_port() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return str(taken.getsockname()[1])


def locust(folder: Path, *flags: str, **variables: str) -> subprocess.Popen[str]:
    (folder / "locustfile.py").write_text("from cancel_contracts.locust import ContractsUser\n")
    command = [sys.executable, "-m", "locust", "-f", "locustfile.py", *flags]
    package = Path(__file__).resolve().parent.parent / "contracts"
    environ = {**os.environ, "PYTHONPATH": str(package), "PYTHONWARNINGS": "ignore", **variables}
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environ,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def stop_at(
    enough: Callable[[], bool], master: subprocess.Popen[str], *workers: subprocess.Popen[str]
) -> tuple[int, str]:
    """Let a test go on until there were calls enough, then interrupt it as Ctrl-C does; return the
    master's exit code and what it said.
    """
    until = time.monotonic() + SECONDS
    try:
        while not enough() and master.poll() is None and time.monotonic() < until:
            time.sleep(0.2)
        if master.poll() is None:
            master.send_signal(signal.SIGINT)
        said, _ = master.communicate(timeout=SECONDS)
        said += "".join(worker.communicate(timeout=SECONDS)[0] for worker in workers)
        return master.returncode, said
    finally:
        for process in (master, *workers):
            process.kill()
            process.communicate()


def called(servers: list[MockServer]) -> int:
    return min(s.requests["cancel"] + s.requests["observe"] for s in servers)


@pytest.mark.slow(8)
def test_on_the_right_mock_a_master_and_two_workers_find_nothing(tmp_path: Path) -> None:
    port = free_port()
    near = ["--master-host", "127.0.0.1", "--master-port", port]
    bind = ["--master-bind-host", "127.0.0.1", "--master-bind-port", port]
    report = tmp_path / "report.json"
    with served(tmp_path, {MACHINE.name: Slow}) as (file, servers):
        flags = ["--contracts-target", str(file), "--contracts-report-json", str(report)]
        flags += ["--contracts-contract", MACHINE.name]
        load = ["--headless", "-u", "12", "-r", "12", "--expect-workers", "2", "--only-summary"]
        master = locust(tmp_path, "--master", *bind, *load, *flags)
        workers = [locust(tmp_path, "--worker", *near) for _ in range(2)]
        code, said = stop_at(lambda: called(servers) >= CALLS, master, *workers)
    assert code == 0, said
    record = json.loads(report.read_text("utf-8"))
    assert record["outcome"] == "conforms"
    assert record["defects"] == []
    assert record["kept"] == record["covered"]
    told = [c["requests"]["cancel"] for c in record["contracts"]]
    asked = [s.requests["cancel"] for s in servers]
    assert told == asked, "what all the workers sent is in the report"
    assert "(exit code 0)" in said
    assert [w.returncode for w in workers] == [0, 0]


@pytest.mark.slow(8)
def test_what_breaks_under_load_alone_is_found(tmp_path: Path) -> None:
    report, MixedUp.mixed = tmp_path / "report.json", 0
    with served(tmp_path, BREAKING) as (file, servers):
        flags = ["--contracts-target", str(file), "--contracts-report-json", str(report)]
        flags += ["--contracts-timeout", "1"]
        load = ["--headless", "-u", "18", "-r", "18", "--only-summary"]
        # The third, which answers late, is found by its first calls.
        quick = [s for s, c in zip(servers, CONTRACTS, strict=True) if c.name != SECURITY.name]
        code, said = stop_at(
            lambda: min(s.requests["cancel"] for s in quick) > OFTEN + 20 and MixedUp.mixed > 9,
            locust(tmp_path, *load, *flags),
        )
    assert code == 1, said
    record = json.loads(report.read_text("utf-8"))
    violated = {
        contract["name"]: {c["id"] for c in contract["clauses"] if c["verdict"] == "violated"}
        for contract in record["contracts"]
    }
    assert all(violated.values()), violated
    told = {
        contract["name"]: " ".join(
            evidence["actual"]
            for clause in contract["clauses"]
            if clause["verdict"] == "violated"
            for evidence in clause["evidence"]
        )
        for contract in record["contracts"]
    }
    assert "500, " in told[PACKAGE.name]
    assert "of another" in told[MACHINE.name]
    assert "no answer (timeout)" in told[SECURITY.name]
    # Locust counts them by the ids of clauses.
    for ids in violated.values():
        assert any(f"{id_}: " in said for id_ in ids)


@pytest.mark.slow(8)
def test_one_run_alone_finds_nothing_where_only_load_breaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mocks above are right for `verify`: what is found is found by load."""
    monkeypatch.setattr(sys.modules[__name__], "HELD_SECONDS", 0.015)  # one by one it adds up
    changes = {k: v for k, v in BREAKING.items() if v is not OneInMany}
    with served(tmp_path, changes) as (file, _):
        contracts = [c for c in CONTRACTS if c.name in changes]
        result = verify(contracts, target_file.load(file), Options(jobs=1))
    assert [
        v.clause.id for j in result.judgements() for v in j.verdicts if v.word == "violated"
    ] == []


@pytest.mark.slow(8)
def test_a_target_without_resources_of_its_own_is_refused(tmp_path: Path) -> None:
    run = locust(tmp_path, "--headless", "-t", "1s", "--host", "http://127.0.0.1:9", *ALONE)
    said, _ = run.communicate(timeout=SECONDS)
    assert run.returncode == 2
    line = next(line for line in said.splitlines() if line.startswith("cancel-contracts: "))
    assert "has no provider-state handler" in line
    assert "Traceback" not in said


@pytest.mark.slow(8)
def test_a_worker_that_lacks_a_variable_ends_the_test_with_2(tmp_path: Path) -> None:
    port = free_port()
    file = tmp_path / "target.yaml"
    file.write_text(
        "base_url: http://127.0.0.1:9\nprovider_states: http://127.0.0.1:9/states\n"
        "identities: {admin: {token_env: OF_THE_MASTER_ALONE}}\n",
        "utf-8",
    )
    bind = ["--master-bind-host", "127.0.0.1", "--master-bind-port", port]
    load = ["--headless", "-t", "3s", "--only-summary", "--contracts-target", str(file), *ALONE]
    worker = locust(tmp_path, "--worker", "--master-host", "127.0.0.1", "--master-port", port)
    master = locust(tmp_path, "--master", *bind, *load, OF_THE_MASTER_ALONE="abcdefgh")
    code, said = stop_at(lambda: False, master, worker)
    assert code == 2, said
    told = [line for line in said.splitlines() if line.startswith("cancel-contracts: ")]
    assert len(told) == 1
    assert "OF_THE_MASTER_ALONE" in told[0]
