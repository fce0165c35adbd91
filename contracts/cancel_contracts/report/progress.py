"""Progress while sending: a bar on a terminal, elsewhere a plain line now and then. Knows counts,
no verdicts.

A bar counts cancel calls, which the plan bounds; looks at resources pass by unmentioned.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

LINE_SECONDS = 15.0  # between plain lines: a paced run of minutes must not look dead


class Bar:
    """Shows how far a run is. `plan_totals` holds the planned cancel calls by contract."""

    def __init__(self, console: Console, plan_totals: Mapping[str, int]) -> None:
        self._console, self._totals = console, dict(plan_totals)
        self._sent: dict[str, int] = {}
        self._lock = threading.Lock()
        self._told = time.monotonic()
        self._progress: Progress | None = None
        if console.is_terminal and not console.is_dumb_terminal and not console.no_color:
            self._progress = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=None),
                MofNCompleteColumn(),
                TextColumn("calls"),
                TimeElapsedColumn(),
                console=console,
                transient=True,
            )

    def __enter__(self) -> Bar:
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def progress(self, contract: str) -> Callable[[str, int], None]:
        """Return what to call with the kind and number of requests sent for a contract."""
        with self._lock:
            self._sent[contract] = 0
            task = self._task(contract)

        def sent(kind: str, number: int) -> None:
            if kind != "cancel":
                return
            with self._lock:
                self._sent[contract] += number
                if self._progress is not None and task is not None:
                    self._progress.update(task, completed=self._sent[contract])
                elif time.monotonic() - self._told >= LINE_SECONDS:
                    self._say(f"{contract}: {self._of(contract)}")

        return sent

    def _task(self, contract: str) -> TaskID | None:
        if self._progress is None:
            return None
        return self._progress.add_task(contract, total=self._totals.get(contract))

    def _of(self, contract: str) -> str:
        total = self._totals.get(contract)
        sent = self._sent[contract]
        return f"{sent} of {total} calls sent" if total else f"{sent} calls sent"

    def _say(self, text: str) -> None:
        self._told = time.monotonic()
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)
