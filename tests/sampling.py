"""The one switch of the tests that meet a matrix: a part of it, or with MATRIX=all the whole."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

Row = TypeVar("Row")
EVERY = os.environ.get("MATRIX") == "all"


def every(rows: Sequence[Row], number: int) -> Sequence[Row]:
    """Return one of so many rows of a matrix, or all."""
    return rows if EVERY else rows[::number]


def only_of_all(*rows: Row) -> tuple[Row, ...]:
    """Return rows of a matrix that the whole of it has alone, or none."""
    return rows if EVERY else ()
