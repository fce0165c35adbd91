"""Whether anything can be said of a target: it is there, and serves the ordinary caller. Pure."""

from __future__ import annotations

from cancel_contracts.contract.extras import EXTRAS
from cancel_contracts.contract.model import Contract
from cancel_contracts.exchange import NOBODY_THERE, RECORDED
from cancel_contracts.journal import Journal


def why_unusable(contract: Contract, journal: Journal) -> str | None:
    """Return why nothing can be said of the target at all, or None.

    Whoever is not served as the caller who makes ordinary calls cannot be told to break the
    contract.
    """
    first = next((x for x in journal.exchanges if x.kind == "cancel"), None)
    if first is None:
        return None
    if all(x.failure in NOBODY_THERE for x in journal.exchanges if x.kind == "cancel"):
        return f"the target cannot be reached ({first.why})"
    if not any(x.received for x in journal.exchanges):
        return f"the target never answered ({first.why})"
    if _unserved(journal):
        return (
            "not served here? Every call was answered 404, and the handler refuses each state;"
            " `serves` in the target file names the contracts that are"
        )
    told = _ordinary_answers(contract, journal)
    if not told:
        return _limited_throughout(journal)
    refusal = next(iter(told))
    if all(told.values()):
        return f"every ordinary call was answered {refusal}: the quota is spent"
    if all(limited or s in (401, 403) for s, limited in told.items()):
        return f"every call of the primary identity was refused ({refusal}): check its credentials"
    return None


def _limited_throughout(journal: Journal) -> str | None:
    """Return what there is to say where nobody but those who are to be limited was served, and the
    run ended before it came to an ordinary call.
    """
    calls = [
        x
        for x in journal.exchanges
        if x.kind == "cancel" and x.situation.identity != "throttled" and x.identity != RECORDED
    ]
    if not calls or not all(x.limited for x in calls):
        return None
    return f"every call was answered {calls[0].status}: the quota is spent"


def _unserved(journal: Journal) -> bool:
    """Whether nothing tells that the route exists: whoever calls, however, is answered 404, and the
    handler was asked for resources and refused. Without a handler that is not told from unknown
    ids.
    """
    calls = [x for x in journal.exchanges if x.kind == "cancel"]
    anonymous = any(x.situation.identity == "anonymous" for x in calls)
    existing = any(x.situation.resource in ("cancellable", "final") for x in calls)
    asked = journal.setups and not journal.broken and not existing
    return bool(asked and anonymous and all(x.status == 404 for x in calls))


def _ordinary_answers(contract: Contract, journal: Journal) -> dict[int, bool]:
    """Return the statuses that ordinary calls were answered with, in the order they came, and
    whether it was by a limit each time. A token under a scheme that is spelled otherwise may be
    refused for that.
    """
    found: dict[int, bool] = {}
    for x in journal.exchanges:
        row = EXTRAS.get(x.situation.extra)
        usual = row is None or row.wire.scheme is str
        ordinary = x.kind == "cancel" and not x.way_in and x.situation.identity == "primary"
        if ordinary and usual and x.sent.method == contract.method and x.status is not None:
            found[x.status] = found.get(x.status, True) and x.limited
    return found
