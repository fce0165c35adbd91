"""Every fault and every variant of the mock, by name."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.mock.desk import Desk


def install(desk: Desk, *, faults: Sequence[str], variants: Sequence[str]) -> None:
    """Put faults and variants into a desk, where they apply to its contract."""
