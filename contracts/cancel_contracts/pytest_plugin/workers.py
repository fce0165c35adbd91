"""pytest-xdist: of several workers one makes the traffic, the others take what came of it.

Each worker has the same items. The first to hold the lock runs; what it found goes into a file
beside the lock, in the session's own temporary folder. The operating system lets go of the lock of
a worker that dies. Workers on other machines, which share no folder, make their own.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

OUTPUT = "cancel_contracts"  # the key of what a worker hands to the controller


def is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def once(config: pytest.Config, run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what `run` returns, which is JSON, run by one worker for all of them."""
    folder = getattr(config.option, "basetemp", None)
    if not is_worker(config) or folder is None:
        return run()
    number = config.workerinput["testrunuid"]  # type: ignore[attr-defined]
    found = Path(folder).parent / f"cancel-contracts-{number}.json"
    with _locked(found.with_suffix(".lock")):
        if not found.exists():
            part = found.with_suffix(".part")
            part.write_text(json.dumps(run()), "utf-8")
            part.replace(found)
        told: dict[str, Any] = json.loads(found.read_text("utf-8"))
        return told


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock that others wait for, however long."""
    with path.open("ab") as file:
        if sys.platform == "win32":
            while True:
                try:  # it gives up after ten seconds
                    msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
                    break
                except OSError:
                    continue
        else:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def hand_over(config: pytest.Config, told: dict[str, Any]) -> None:
    """Have the controller told, when this worker ends."""
    if is_worker(config):
        config.workeroutput[OUTPUT] = told  # type: ignore[attr-defined]


def handed_over(node: Any) -> dict[str, Any]:
    """Return what a worker that has ended handed over."""
    told: dict[str, Any] = getattr(node, "workeroutput", {}).get(OUTPUT, {})
    return told
