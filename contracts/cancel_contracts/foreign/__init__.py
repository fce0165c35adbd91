"""Exchanges that somebody else made: a recording, or another tool's run. What they are is read off
route, method, headers and what other exchanges have shown.

Pure: no I/O, no file format.
"""

from cancel_contracts.foreign.heard import WORKER, Heard, Left
from cancel_contracts.foreign.overheard import overheard
from cancel_contracts.foreign.route import Route, path_of, route
from cancel_contracts.foreign.series import exchanges
from cancel_contracts.foreign.situation import exchange

__all__ = [
    "WORKER",
    "Heard",
    "Left",
    "Route",
    "exchange",
    "exchanges",
    "overheard",
    "path_of",
    "route",
]
