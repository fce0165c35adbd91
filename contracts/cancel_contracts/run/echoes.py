"""Whether an answer holds a token that a call carried. Keeps no answer."""

from __future__ import annotations

from cancel_contracts.contract.credentials import Carried, Scheme
from cancel_contracts.exchange import Received

TOKEN_CHARS = 20  # of a token that no answer holds by chance


class Echoes:
    """The tokens that the calls of one contract carried, as they stand under its scheme."""

    def __init__(self, scheme: Scheme) -> None:
        self._scheme, self._told = scheme, set[str]()

    def holds(self, received: Received, carried: Carried) -> bool:
        """Whether an answer holds the token of its call, or that of a call before."""
        told = received.wire
        if carried.query:  # an answer may quote the URL that it was asked at
            told = told.replace(carried.query.encode(), b"")
        own = {carried.secret, self._scheme.written(carried.secret)}
        self._told |= own
        others = (secret for secret in self._told if len(secret) >= TOKEN_CHARS)
        return any(secret.encode() in told for secret in (*own, *others))
