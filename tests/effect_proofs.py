"""Recipes for what takes time, has several values or is gone: see tests/test_mock_proofs.py.

They call as an application, on the specs of tests/cases/specs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from test_mock_support import World

ENDED_SECONDS = 0.15  # by then a cancel of the faithful mock has come to its end


def ended(w: World) -> Any:
    """Cancel, and look when it should be over."""
    id_ = w.new()
    answer = w.call(id_, identity="app").constant
    time.sleep(ENDED_SECONDS)
    return answer, w.look(id_).constant


def seen_under_way(w: World) -> Any:
    """Whether a cancel is ever seen to be under way."""
    for _ in range(9):
        id_ = w.new()
        w.call(id_, identity="app")
        if b"cancelling" in w.look(id_).body:
            return True
    return False


def twice(w: World) -> Any:
    id_ = w.new()
    return [w.call(id_, identity="app").constant for _ in range(2)]


EFFECT_PROOFS: dict[str, Callable[[World], Any]] = {
    "effect-stays-under-way": ended,
    "effect-under-way-and-back": ended,
    "effect-too-late": ended,
    "first-value-of-the-state-kept": ended,
    "last-value-of-the-state-kept": ended,
    "nothing-left-behind": ended,
    "another-value-left": ended,
    "last-value-left-is-null": ended,
    "gone-yet-shown": ended,
    "gone-deleted-again": twice,
    "effect-late-but-in-time": ended,
    "effect-at-once": seen_under_way,
    "gone-answered-410": ended,
}
