"""A sliding window over the calls of one contract, all callers together. Has no clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from cancel_contracts.contract.model import Quota


class Window:
    """Grants at most `calls` within any `seconds`, for each of several quotas."""

    def __init__(self, quotas: Sequence[Quota]) -> None:
        self.quotas = tuple(quotas)
        self._granted: deque[float] = deque(maxlen=max((q.calls for q in quotas), default=0))

    def ask(self, now: float) -> tuple[int, Quota] | None:
        """Return None and count the call if it is granted, else the whole seconds to wait, and the
        quota that is spent.
        """
        for quota in self.quotas:
            if len(self._granted) >= quota.calls:
                wait = self._granted[-quota.calls] + quota.seconds - now
                if wait > 0:
                    return int(wait) + 1, quota
        self._granted.append(now)
        return None
