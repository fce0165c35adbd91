"""Calls that may never end, given so many seconds: the resolver, a vendor's library."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Overdue(TimeoutError):
    """A call that did not end in time."""


def within(seconds: float, call: Callable[[], T]) -> T:
    """Return what a call returns, or raise what it raises. Raises Overdue where it takes longer:
    nothing can end it, and nobody waits for it, not even the end of the process.
    """
    made: list[T] = []
    raised: list[BaseException] = []

    def make() -> None:
        try:
            made.append(call())
        except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
            raised.append(error)

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    thread.join(seconds)
    if raised:
        raise raised[0]
    if not made:
        raise Overdue
    return made[0]
