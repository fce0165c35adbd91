"""One process's part in a test of Locust: what its users do, what a master hears, the verdict.

Locust has made `time.sleep` and threads cooperative by the time this is loaded.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import click
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from cancel_contracts import serial
from cancel_contracts.cli.conclude import conclude
from cancel_contracts.errors import ContractsError
from cancel_contracts.exchange import Exchange
from cancel_contracts.ledger.ledger import Ledger
from cancel_contracts.load.handed import Handed, joined
from cancel_contracts.load.passes import Failure, Pass, Work
from cancel_contracts.locust.flags import task_of
from cancel_contracts.report.files import STDOUT
from cancel_contracts.report.screen import Outlet
from cancel_contracts.run.attempt import Stop

END, SEEN = "cancel-contracts-end", "cancel-contracts-seen"  # messages to workers, and to a master
GRACE_SECONDS = 15.0  # for scenarios under way to come to their end
HAND_IN_SECONDS = 60.0  # for the workers to hand in what they saw
TICK_SECONDS = 0.05


class Door:
    """One process's part in a test: a master's, a worker's, or both. `works` are empty where it
    makes no calls.
    """

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.works: list[Work] = []
        self.open: list[Pass] = []
        self.ending, self.ended, self.busy, self._turns = False, False, 0, 0
        self.seen: list[Handed] = []
        self.told: dict[str, dict[str, Any]] = {}  # by worker: what it says beside what it saw
        self.asked: set[str] = set()
        self.began = time.time()

    # --- What is to be done -----------------------------------------------------------------------

    def prepare(self) -> None:
        """Read what the flags name. Raises UsageError."""
        self.task = task_of(self.environment.parsed_options, self.environment.host)

    def start(self, **_: Any) -> None:
        """Begin a test: have something to do, where users live in this process."""
        self.seen, self.told, self.asked = [], {}, set()
        self.ending = self.ended = False
        self.began = time.time()
        if isinstance(self.environment.runner, MasterRunner):
            return
        self.stop, self.works = Stop(), []
        name = getattr(self.environment.runner, "client_id", "")
        try:
            self.prepare()
            for assignment, who in zip(self.task.assignments, self.task.callers, strict=True):
                work = Work(assignment, self.task.options, who, Ledger(), self.stop, name)
                self.works.append(work)
        except ContractsError as err:
            self.told[name] = {"usage": str(err)}
            self.works = []

    def turn(self) -> int:
        self._turns += 1
        return self._turns - 1

    def begin(self, turn: int) -> Pass:
        """Return the next pass of a user: each turn is another contract's."""
        one = self.works[turn % len(self.works)].begin()
        self.open.append(one)
        return one

    def end(self, one: Pass) -> None:
        """End a pass, and hand in what it saw: a worker to its master."""
        self.open.remove(one)
        for failure in one.end():
            self.fire(one, failure.exchange, [failure])
        handed, one.work.handed = one.work.handed, []
        for row in handed:
            if isinstance(self.environment.runner, WorkerRunner):
                self.environment.runner.send_message(SEEN, {"passes": [serial.dump(row)]})
            else:
                self.seen.append(row)

    def fire(self, one: Pass, exchange: Exchange, failures: list[Failure]) -> None:
        """Tell Locust of an exchange, and of each clause that it violates."""
        contract, received = one.work.contract, exchange.received
        cancel = exchange.kind == "cancel"
        path = contract.path if cancel else contract.observe_path
        told: list[Violated | None] = [*map(Violated, failures)] or [None]
        for violated in told:
            self.environment.events.request.fire(
                request_type=exchange.sent.method, name=f"{contract.name} {path}", context={},
                exception=violated, response_time=exchange.seconds * 1000,
                response_length=len(received.body) if received else 0,
            )  # fmt: skip

    # --- The end ----------------------------------------------------------------------------------

    def finish(self) -> None:
        """Let what is under way come to its end, look at what is late, tear down. Once a test."""
        if self.ending:
            return
        self.ending = True
        _await(lambda: not self.busy, GRACE_SECONDS)
        if self.busy:
            self.stop.ask("the load has ended")
            _await(lambda: not self.busy, GRACE_SECONDS)
        if rest := list(self.open):
            with ThreadPoolExecutor(len(rest)) as threads:
                list(threads.map(self.end, rest))
        name = getattr(self.environment.runner, "client_id", "")
        self.told.setdefault(name, {}).update(
            refused=next((w.refused for w in self.works if w.refused), None),
            crashes=[c for w in self.works for c in dict.fromkeys(w.crashes)],
            unkept=sum(w.unkept for w in self.works),
        )

    def stopping(self, **_: Any) -> None:
        """End a test, in whatever process."""
        runner = self.environment.runner
        if isinstance(runner, MasterRunner):
            self._gather(runner)
        elif isinstance(runner, WorkerRunner):
            self.hand_in(runner)
        else:
            self.finish()

    def hand_in(self, runner: WorkerRunner) -> None:
        """End a worker's part, and say so to its master. Once a test."""
        if self.ending:
            return
        self.finish()
        runner.send_message(SEEN, {"passes": [], "told": self.told[runner.client_id]})

    def hear(self, msg: Any, **_: Any) -> None:
        """Take what a worker hands in."""
        for at, row in enumerate(msg.data["passes"]):
            self.seen.append(serial.load(Handed, row, f"{msg.node_id}/{at}"))
        if "told" in msg.data:
            self.told[msg.node_id] = msg.data["told"]

    def _gather(self, runner: MasterRunner) -> None:
        """Have every worker hand in what it saw."""
        if self.ending:
            return
        self.ending = True
        self.asked = {client.id for client in runner.clients.all}
        runner.send_message(END)

        def whole() -> bool:
            return (
                not (self.asked & {client.id for client in runner.clients.all}) - self.told.keys()
            )

        _await(whole, HAND_IN_SECONDS)

    def conclude(self, **_: Any) -> None:
        """Judge what all have seen, report, and decide the exit code."""
        runner = self.environment.runner
        if self.ended or isinstance(runner, WorkerRunner):
            return
        self.ended = True
        told = list(self.told.values())
        if usage := next((t["usage"] for t in told if t.get("usage")), None):
            click.echo(f"cancel-contracts: {usage}", err=True)
            self.environment.process_exit_code = 2
            return
        task = self.task
        lost = len(self.asked - self.told.keys())
        unkept = sum(t["unkept"] for t in told)
        warnings = [f"{unkept} exchanges were judged and are not in this report"] if unkept else []
        result = joined(
            task.target, task.options, task.assignments, task.callers, self.seen, task.redactor,
            self.began, time.time(), warnings=warnings,
            refused=next((t["refused"] for t in told if t["refused"]), None),
            crashes=[f"{lost} workers did not hand in what they saw"] * bool(lost)
            + [crash for t in told for crash in t["crashes"]],
        )  # fmt: skip
        screen = Outlet(stderr=STDOUT in task.reports.values())
        self.environment.process_exit_code = conclude(result, [], task.reports, screen)


class Violated(Exception):
    """A clause that a call violates. Locust counts failures by their text."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.clause.id}: {failure.clause.says}")


def _await(done: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not done() and time.monotonic() < until:
        time.sleep(TICK_SECONDS)
