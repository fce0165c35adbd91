"""Connections that are kept for what stands beside the calls of a far target: looks, set-ups.

Where keeping one would hurt it is given up: a server may close each connection without a word, or
serve one at a time and wait on an idle one for ever. It must not know what is sent.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from cancel_contracts.transport.connection import Adapter
from cancel_contracts.transport.record import LINGER_SECONDS

# How much longer than usual an answer may take, and at least, until idle connections are closed.
WAITS = 8
WAIT_SECONDS = 1.0


class _Shared(Adapter):
    """Kept connections that anybody may take: one that has bytes to say already is none."""

    shared = True

    def drain(self) -> bool:
        """Close the connections that are idle; return whether there were any."""
        found = False
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            for key in manager.pools.keys():
                pool = manager.pools.get(key)
                waiting = getattr(pool, "pool", None)
                while waiting is not None:
                    try:
                        connection = waiting.get_nowait()
                    except queue.Empty:
                        break
                    if connection is not None and connection.sock is not None:
                        connection.close()
                        found = True
        return found


class Kept:
    """The kept connections of one transport. Keeps none until it is told to begin.

    `serves_one`: an answer came only once idle connections were closed. Safe to use from several
    threads.
    """

    def __init__(self, *, local_only: bool) -> None:
        self.adapter = _Shared(local_only=local_only)
        self.serves_one = False
        self._on = False
        self._wait = self._soon = 0.0
        self._origins: dict[str, bool] = {}  # whether a server is known to keep connections

    def begin(self, usual_seconds: float, most_seconds: float) -> None:
        """Keep connections from now on. An exchange on a new one usually takes `usual_seconds`, and
        is given up after `most_seconds` of silence.
        """
        self._wait = min(max(WAIT_SECONDS, WAITS * usual_seconds), most_seconds / 2)
        self._soon = self._wait / 2 + LINGER_SECONDS
        self._on = True

    def wants(self, origin: str) -> bool:
        return self._on and self._origins.get(origin, True)

    def known(self, origin: str) -> bool:
        """Whether the server is known to keep connections: until then an answer is watched for the
        end of its connection.
        """
        return origin in self._origins

    def learn(self, origin: str, *, reusable: bool) -> None:
        """Take note whether an answer has left its connection usable: the first one tells."""
        self._origins.setdefault(origin, reusable)
        if not self._on:
            self.adapter.drain()

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Watch an exchange: where it takes far too long, idle connections may be in its way."""
        if not self._on:
            yield
            return
        closed: list[float] = []

        def make_way() -> None:
            if self.adapter.drain():
                self._on = False
                closed.append(time.monotonic())

        timer = threading.Timer(self._wait, make_way)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            if closed and time.monotonic() - closed[0] < self._soon:
                self.serves_one = True
