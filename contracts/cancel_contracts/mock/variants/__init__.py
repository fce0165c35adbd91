"""Conforming variants: servers that differ where no page decides, and that the suite must pass."""

from __future__ import annotations

from cancel_contracts.mock.entry import Variant
from cancel_contracts.mock.variants import answers, checks, forms, habits, resource

VARIANTS: tuple[Variant, ...] = (
    *answers.VARIANTS,
    *checks.VARIANTS,
    *resource.VARIANTS,
    *habits.VARIANTS,
    *forms.VARIANTS,
)
