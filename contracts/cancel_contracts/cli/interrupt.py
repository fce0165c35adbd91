"""Ctrl-C and SIGTERM: the first ends a run in order, the second at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import click

from cancel_contracts.run.attempt import Stop

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption(Stop):
    """A stop that remembers the signal's exit code; 0 while there was none."""

    code = 0


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Turn the first signal into a stop while the block runs."""
    stop = Interruption()

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.asked:
            # Whatever would run on the way out sends or waits. Reports are written whole or not at
            # all, and the ledger is on the disk.
            os._exit(128 + number)
        stop.code = 128 + number
        stop.ask(f"interrupted by {signal.Signals(number).name}")
        click.echo("stopping: tearing down, then the reports; once more to quit at once", err=True)

    before: dict[signal.Signals, Callable[[int, FrameType | None], Any] | int | None] = {
        number: signal.signal(number, handle) for number in SIGNALS
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def orderly() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt while the block runs: it has something to put away."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's alone
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
