"""Makes `pytest specs` work in a checkout that is not installed, and says what the markers do.

An installed package brings the same plugin.
"""

import compileall
import gc
import importlib
import os
import random
import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

pytest_plugins = ["cancel_contracts.pytest_plugin"]
# Those that this process may use; empty where a system does not let it choose.
PROCESSORS = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []

WINDOW_SECONDS = 0.5  # that a worker looks back before it goes to another processor

# Compiled modules are kept, whatever the environment says: tests start hundreds of processes, each
# of which would compile the package anew, and pytest's workers rewrite what they import.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Runs of `deep` within the tests leave nothing in the caches of whoever runs them.
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(Path(__file__).with_name(".hypothesis")))


def pytest_configure(config: pytest.Config) -> None:
    """Let what a clause warns of be no error. In pyproject.toml the filter would import the plugin
    before pytest does, which pytest refuses where the package is not installed.
    """
    config.addinivalue_line(
        "filterwarnings", "default::cancel_contracts.pytest_plugin.ContractsWarning"
    )
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker.startswith("gw") and len(PROCESSORS) > 1 and Path("/proc/stat").exists():
        config.pluginmanager.register(OneProcessor(worker))
    many = config.getoption("numprocesses", None)
    if worker or not many:
        gc.disable()  # until the tests are collected: nothing of them is given up before
    if not worker and many:
        # Once, before its workers all do so at the same time.
        rewritten = re.compile(r"/test_\w+\.py$")  # by pytest, which asserts in its own way
        for folder in ("contracts", "tests"):
            compileall.compile_dir(Path(__file__).with_name(folder), quiet=2, rx=rewritten)


class OneProcessor:
    """Keeps one of several workers, and what it starts, to a processor. Most of its tests have a
    client and a server talk in turn: each would wake the other on another one, which takes longer.
    Between tests it goes where there was nothing to do while its own had more than enough.
    """

    def __init__(self, worker: str) -> None:
        self.own = PROCESSORS[int(worker.removeprefix("gw")) % len(PROCESSORS)]
        self.since, self.before = time.monotonic(), idled()
        self.lot = random.Random(worker)  # noqa: S311 - no secret
        os.sched_setaffinity(0, {self.own})

    def pytest_runtest_logstart(self) -> None:
        seconds = time.monotonic() - self.since
        if seconds < WINDOW_SECONDS:
            return
        now = idled()
        spare = {cpu: (now[cpu] - self.before[cpu]) / seconds for cpu in now}
        self.since, self.before = time.monotonic(), now
        most = max(spare, key=spare.__getitem__)
        # By lot: all those of the busy one see the other at once.
        if spare[most] > 0.2 and spare[self.own] < 0.05 and self.lot.random() < 0.5:
            self.own = most
            os.sched_setaffinity(0, {most})


def idled() -> dict[int, float]:
    """Return the seconds that each processor has had nothing to do, or waited for a disk."""
    rows = (line.split() for line in Path("/proc/stat").read_text("ascii").splitlines())
    ticks = {row[0]: sum(map(int, row[4:6])) for row in rows if row[0].startswith("cpu")}
    # Some sandboxes tell of all processors together: then no worker moves.
    return {cpu: ticks.get(f"cpu{cpu}", 0) / os.sysconf("SC_CLK_TCK") for cpu in PROCESSORS}


@pytest.fixture
def every_processor() -> Iterator[None]:
    """Let a test use them all: one of several processes that all have much to do."""
    if PROCESSORS:
        own = os.sched_getaffinity(0)
        os.sched_setaffinity(0, PROCESSORS)
    yield
    if PROCESSORS:
        os.sched_setaffinity(0, own)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Have each worker begin to import the tests at another one of them. Who comes first to a file
    rewrites its assertions and keeps that; in the same order all would do so for every file.
    """
    worker, folder = os.environ.get("PYTEST_XDIST_WORKER", ""), Path(__file__).with_name("tests")
    if worker.startswith("gw") and folder in map(Path.absolute, map(Path, session.config.args)):
        names = sorted(file.stem for file in folder.glob("test_*.py"))
        at = int(worker[2:]) * len(names) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
        sys.path.insert(0, str(folder))  # as pytest does
        for name in names[at:] + names[:at]:
            with suppress(Exception):  # pytest tells of it
                importlib.import_module(name)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have the files with most slow tests begin first, then those that start other programs, then
    those with most tests, so that no worker is left with one at the end.
    """
    slow, outside = Counter[Path](), Counter[Path]()
    for item in items:
        slow[item.path] += sum(next(iter(mark.args), 1) for mark in item.iter_markers("slow"))
        outside[item.path] += item.get_closest_marker("outside") is not None
    many = Counter(item.path for item in items)
    items.sort(key=lambda item: [-slow[item.path], -outside[item.path], -many[item.path]])


def pytest_collection_finish(session: pytest.Session) -> None:
    """Keep the collector from going through thousands of tests and modules again and again, which
    stay to the end, and from beginning at every 700th object. Let no test wait the seconds that the
    doors give what comes late, nor the workers for the specs beside them; tests of that say when.
    """
    gc.freeze()
    gc.enable()
    gc.set_threshold(20_000, 20, 20)
    ours = Path(__file__).with_name("tests")
    if any(ours in item.path.parents for item in session.items):
        from cancel_contracts import assignment  # not before pytest loads the plugin

        assignment.SWEEP_SECONDS = 0.2


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail where a program is missing: a skip would read as if the test had been made."""
    for mark in item.iter_markers("outside"):
        for names in mark.args:
            if not any(map(shutil.which, names.split("|"))):
                fix = 'install it, or leave such tests out by -m "not outside"'
                pytest.fail(f"{names} is not on the PATH; {fix}", pytrace=False)
