"""Exchanges as HTTP Archive 1.2 and back, so that recorded traffic is judged by the same clauses as
live traffic.

What judging needs beyond HAR stands in `_contracts` fields: per entry the whole exchange, per log
what the journal knows beside its exchanges. Opens no socket.
"""

from cancel_contracts.har.form import Selected, Settings
from cancel_contracts.har.reading import Recording, read
from cancel_contracts.har.writing import write

__all__ = ["Recording", "Selected", "Settings", "read", "write"]
