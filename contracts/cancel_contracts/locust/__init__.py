"""The door to Locust: `from cancel_contracts.locust import ContractsUser` is a whole locustfile.

Each user performs scenarios of the plan (load/). A call that violates a clause is a failure named
by the clause. When a test ends, whoever has no master above it judges what all have seen, writes
the reports and decides the exit code.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from argparse import ArgumentParser
from typing import Any
from weakref import WeakKeyDictionary

import click
import gevent
from locust import User, events, runners, task
from locust.env import Environment
from locust.exception import StopUser
from locust.runners import MasterRunner, WorkerRunner

from cancel_contracts.errors import ContractsError
from cancel_contracts.exchange import Exchange
from cancel_contracts.load.passes import Failure, Pass
from cancel_contracts.locust import flags
from cancel_contracts.locust.door import END, SEEN, Door

PAUSE_SECONDS = 1.0  # of a user whose pass was ended by the target
HEARTBEATS = 30  # that a worker may miss, one a second: it plans and judges, and is busy meanwhile


class ContractsUser(User):
    """A user that performs one scenario a task, and judges it."""

    def on_start(self) -> None:
        self.under_way: Pass | None = None
        self.turn = DOORS[self.environment].turn()

    @task
    def scenario(self) -> None:
        door = DOORS[self.environment]
        if door.ending or not door.works:
            raise StopUser
        door.busy += 1
        try:
            self._go_on(door)
        finally:
            door.busy -= 1

    def _go_on(self, door: Door) -> None:
        if self.under_way is None:
            self.under_way = door.begin(self.turn)
            self.turn += 1
        one = self.under_way
        for exchange, failure in _told(*one.step()):
            door.fire(one, exchange, failure)
        if one.over:
            self.under_way = None
            early = one.run.calls.stopped or one.work.refused
            door.end(one)
            if early and not door.ending:
                time.sleep(PAUSE_SECONDS)


def _told(made: list[Exchange], failures: list[Failure]) -> list[tuple[Exchange, list[Failure]]]:
    """Return each exchange with what it violates; earlier ones come after, by what these show."""
    rows = [(x, [f for f in failures if f.exchange == x]) for x in made]
    return rows + [(f.exchange, [f]) for f in failures if f.exchange not in made]


DOORS: WeakKeyDictionary[Environment, Door] = WeakKeyDictionary()


@events.init_command_line_parser.add_listener
def add_flags(parser: ArgumentParser, **_: Any) -> None:
    flags.add_to(parser)


@events.init.add_listener
def open_door(environment: Environment, runner: Any, **_: Any) -> None:
    """Take part in every test of an environment that has our users."""
    if not any(issubclass(user, ContractsUser) for user in environment.user_classes):
        return
    door = DOORS[environment] = Door(environment)
    if not isinstance(runner, WorkerRunner):  # a worker hears later what it is to do
        try:
            door.prepare()
        except ContractsError as err:
            click.echo(f"cancel-contracts: {err}", err=True)
            sys.exit(err.exit_code)
    if isinstance(runner, MasterRunner):
        runner.register_message(SEEN, door.hear)
        runners.HEARTBEAT_LIVENESS = max(HEARTBEATS, runners.HEARTBEAT_LIVENESS)
    if isinstance(runner, WorkerRunner):
        runner.register_message(END, lambda **_: door.hand_in(runner), concurrent=True)
    # Ctrl-C ends a test as SIGTERM does, beside what is under way: raised in the midst of that it
    # would lose what is handed in.
    gevent.signal_handler(signal.SIGINT, os.kill, os.getpid(), signal.SIGTERM)
    environment.events.test_start.add_listener(door.start)
    environment.events.test_stopping.add_listener(door.stopping)
    environment.events.test_stop.add_listener(door.conclude)
    environment.events.quitting.add_listener(door.stopping)
