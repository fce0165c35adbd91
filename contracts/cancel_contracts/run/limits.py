"""What a run puts up with: calls and looks that go unanswered, and answers without measure.

Counts exchanges as they come and says when to stop. Sends nothing; knows no clause.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from cancel_contracts.exchange import NOBODY_THERE, Exchange

UNANSWERED_CALLS = 3  # calls, or looks, without an answer that end the run
LARGE_BYTES = 65536  # of one answer: what goes beyond adds up over the run
LARGE_BYTES_IN_ALL = 16 * 2**20  # as much is kept, and read again for each report


class Limits:
    """The counts of one contract's run. Not safe to use from several threads by itself."""

    def __init__(self) -> None:
        self._unanswered = self._timeouts = self._blind = self._late = self._large = 0

    def reached(self, exchange: Exchange) -> str | None:
        """Take one exchange; return why no more is to be sent, or None."""
        self._timeouts += exchange.failure == "timeout"
        self._late += exchange.failure == "timeout" and exchange.kind == "observe"
        weight = exchange.received.weight_bytes if exchange.received else 0
        self._large += max(0, weight - LARGE_BYTES)
        told = self._look(exchange) if exchange.kind == "observe" else self._call(exchange)
        if told is None and self._large > LARGE_BYTES_IN_ALL:
            told = f"large answers came to {LARGE_BYTES_IN_ALL // 2**20} MiB"
        return told and f"{told}; the rest was not sent"

    def _call(self, exchange: Exchange) -> str | None:
        """Timeouts add up over the whole run, for each costs its seconds; others must be in
        a row.
        """
        nobody = exchange.failure in NOBODY_THERE
        if exchange.failure == "timeout" or nobody:
            self._unanswered += 1
        elif exchange.received is not None:
            self._unanswered = self._timeouts if self._unanswered else 0
        if self._unanswered < UNANSWERED_CALLS:
            return None
        what = "could not be made" if nobody else "got no answer in time"
        return f"{UNANSWERED_CALLS} calls {what} ({exchange.why})"

    def _look(self, exchange: Exchange) -> str | None:
        """Without looks clauses would be judged by half of what shows. Timeouts add up here too."""
        if exchange.unanswered:
            self._blind += 1
        else:
            self._blind = self._late
        if self._blind < UNANSWERED_CALLS:
            return None
        return f"{UNANSWERED_CALLS} looks at a resource went unanswered ({exchange.why})"


def by_proxies(exchanges: Iterable[Exchange]) -> list[str]:
    """Return in words what was answered in place of the target, and how often."""
    told = Counter(x.detail for x in exchanges if x.failure == "proxy")
    return [f"{why} ({count} call{'s' if count > 1 else ''})" for why, count in told.items()]
