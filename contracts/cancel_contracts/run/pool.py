"""Pool: how many scenarios go at a time, over all contracts of a run.

One where nobody says otherwise and the target answers at once. On a far one as many as the time
that an exchange takes is worth, and as the target bears: fewer once it gets slower for it, one for
the rest of the run once it asks to wait. Sends nothing.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

MOST = 16  # scenarios at a time, where nobody says how many
EACH_SECONDS = 0.0075  # of an exchange are worth one more
FAR_SECONDS = 2 * EACH_SECONDS  # from here on the way takes longer than the work
# The quickest of so many exchanges tells; of more where a busy machine may be all that is slow.
SAMPLES, DOUBTFUL_SAMPLES, DOUBTFUL_SECONDS = 4, 20, 0.05
# A window of calls whose fastest takes this much of what it took alone.
FINE, CROWDED = 1.3, 1.7

Item = TypeVar("Item")
Made = TypeVar("Made")


def in_doubt(seconds: Sequence[float]) -> bool:
    """Whether so many exchanges, one by one, do not tell yet if a target is far."""
    least = min(seconds, default=0.0)
    wanted = DOUBTFUL_SAMPLES if least < DOUBTFUL_SECONDS else SAMPLES
    return least >= FAR_SECONDS and len(seconds) < wanted


class Pool:
    """Room for scenarios. `jobs` fixes how many at a time; None leaves it to what is measured.

    Safe to use from several threads, and to be entered once by each.
    """

    def __init__(self, jobs: int | None = None) -> None:
        self.jobs = jobs
        self.most = jobs or 1  # what the room may grow to
        self._room, self._busy, self._narrow = jobs or 1, 0, False
        self._aside = deque[object]()  # who has stepped aside and is to go on, in this order
        self._calls: list[float] = []  # of a window: how long each took, by what it took alone
        self._free = threading.Condition()
        self._inside = threading.local()

    @property
    def wide(self) -> bool:
        return self.most > 1

    def measured(self, seconds: float) -> int:
        """Take how long an exchange with a target takes alone; return how many may go at a time
        there.
        """
        if self.jobs is not None:
            return self.jobs
        worth = max(1, min(MOST, int(seconds / EACH_SECONDS)))
        with self._free:
            if worth > 1 and not self._narrow:
                self._room = max(self._room, 2)
                self.most = max(self.most, worth)
            self._free.notify_all()
        return worth

    def heard(self, ratio: float) -> None:
        """Take how long a call took, by what one took alone: the room grows and shrinks by it."""
        if self.jobs is not None:
            return
        with self._free:
            self._calls.append(ratio)
            if len(self._calls) < max(4, self._room):
                return
            least = min(self._calls)
            self._calls.clear()
            if least > CROWDED:
                self._room = max(1, self._room // 2)
            elif least < FINE:
                self._room = min(self.most, 2 * self._room)
            self._free.notify_all()

    def narrow(self) -> None:
        """Have one scenario at a time from now on."""
        with self._free:
            self._narrow, self._room, self.most = True, 1, 1

    def alone(self) -> float:
        """Wait until nothing else is under way, which stays so; return the seconds it took.

        Only where this thread is within the pool. Who has stepped aside before goes first: what it
        holds may be what this one waits for.
        """
        if not self._entered:
            return 0.0
        began = time.monotonic()
        with self._free:
            self.narrow()
            if self._busy <= 1 and not self._aside:
                return 0.0
            self._aside.append(turn := object())
        self._leave()
        self._enter(turn)
        return time.monotonic() - began

    def give_way(self) -> None:
        """Before a call: let the others come to an end first where one at a time is to go on."""
        if self._narrow and self._busy > 1:
            self.alone()

    @property
    def _entered(self) -> bool:
        return getattr(self._inside, "yes", False)

    def map(self, do: Callable[[Item], Made], items: Sequence[Item], most: int) -> Iterator[Made]:
        """Do something for each item, `most` of them at a time, and yield what came of them in
        their order. One at a time, each is done when it is asked for. Within the pool nothing is
        entered again.
        """
        if self._entered:
            yield from map(do, items)
            return

        def one(item: Item) -> Made:
            self._enter()
            self._inside.yes = True
            try:
                return do(item)
            finally:
                self._inside.yes = False
                self._leave()

        most = min(most, len(items))
        if most <= 1:
            yield from map(one, items)
            return
        with ThreadPoolExecutor(most) as threads:
            yield from threads.map(one, items)

    def _enter(self, turn: object = None) -> None:
        """Enter where there is room; who stepped aside goes on, in turn, before others begin."""
        with self._free:
            self._free.wait_for(
                lambda: self._busy < self._room and next(iter(self._aside), None) is turn
            )
            self._busy += 1
            if turn is not None:
                self._aside.popleft()
                self._free.notify_all()

    def _leave(self) -> None:
        with self._free:
            self._busy -= 1
            self._free.notify_all()


def in_turn(sending: Sequence[Iterator[None]], pool: Pool) -> None:
    """Begin with each, up to where it yields, and go on one after the other, or together where what
    was begun tells that it is worth it.
    """
    for steps in sending:
        next(steps, None)
    together(list, sending, pool)


def together(act: Callable[[Item], Made], items: Sequence[Item], pool: Pool) -> list[Made]:
    """Act on each, all at the same time where the pool has room for several scenarios."""
    if not pool.wide:
        return [act(item) for item in items]
    with ThreadPoolExecutor(len(items)) as threads:
        return list(threads.map(act, items))
