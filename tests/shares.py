"""Where the calls of `deep` go, for tests of one of its parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from cancel_contracts.plan import plan, spread


@contextmanager
def explored(properties: float) -> Iterator[None]:
    """Leave out pairs that no clause asks for and told histories: such a share of the calls goes
    into what is drawn, and the rest into walks.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spread, "FURTHER_SHARE", 0.0)
        patch.setattr(spread, "HISTORIES_SHARE", 0.0)
        patch.setattr(plan, "PROPERTY_SHARE", properties)
        plan._remembered.cache_clear()
        yield
    plan._remembered.cache_clear()
