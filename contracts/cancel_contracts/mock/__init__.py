"""The built-in mock: a reference server for any contract, with its faults and variants.

Built from the OpenAPI part of a spec and its lifecycle. Never reads a contract's clauses.
"""

from __future__ import annotations

from cancel_contracts.mock.server import MockServer

__all__ = ["MockServer"]
