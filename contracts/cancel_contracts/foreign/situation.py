"""What an exchange that somebody else made was, as far as it shows.

Who called, with which right and what was to be tried nobody tells: such facts are RECORDED, and
clauses that ask for them stay unjudged. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.states import canonical
from cancel_contracts.exchange import RECORDED, Exchange, Form, Received, Sent, Situation
from cancel_contracts.foreign.route import Route
from cancel_contracts.parse import refusal, success
from cancel_contracts.sight.observation import shown

UNSAID: Mapping[str, Any] = {
    **dict.fromkeys(("identity", "content_type", "transfer", "extra"), RECORDED),
    "body": Form(RECORDED),
    "parameter": (RECORDED, RECORDED),
}
# An id as servers give them. Beyond it a front door may refuse the call before the service sees it.
PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.~=-]{0,127}")

State = tuple[str, str | None]  # the resource and, where it shows, its provider state
UNTOLD: State = (RECORDED, None)


def exchange(
    where: Route,
    sent: Sent,
    received: Received | None,
    *,
    known: State | None = None,
    anonymous: bool = False,
    scenario: int = 1,
    position: int = 1,
    call: str = "first",
    started: float = 0.0,
    seconds: float = 0.0,
) -> Exchange:
    """Return an exchange with as much of its situation as it shows.

    `known` is what is known of the resource from elsewhere; `anonymous` that the request is known
    to have carried no credentials.
    """
    (resource, state), kind = known or UNTOLD, RECORDED
    if resource == RECORDED and not PLAIN.fullmatch(where.id):
        kind = "odd"
        if not where.id.isascii() or not where.id.isprintable():
            resource = "odd"
    elif resource != RECORDED:
        kind = "unknown" if resource == "unknown" else "known"
    ordinary = received is not None and _ordinary(resource, received.status)
    facts = {} if ordinary else UNSAID
    if anonymous:
        facts = {**facts, "identity": "anonymous"}
    if (left_out := _omitted(where.contract, sent)) is not None:
        facts = {**facts, "parameter": (left_out, "omitted")}
    return Exchange(
        contract=where.contract.name,
        scenario=scenario,
        position=position,
        kind=where.kind,
        situation=Situation(
            resource=resource, state=state, id=Form(kind), method=sent.method, call=call, **facts
        ),
        identity=RECORDED,
        resource=where.id,
        sent=sent,
        received=received,
        failure=None if received else "closed",
        started=started,
        seconds=seconds,
        limit_statuses=where.contract.limit_statuses,
    )


def _omitted(contract: Contract, sent: Sent) -> str | None:
    """Return the first required parameter that a query lacks, or None. Headers tell nothing of it:
    recorders leave some out.
    """
    said = {name for name, _ in parse_qsl(urlsplit(sent.url).query, keep_blank_values=True)}
    required = (p.name for p in contract.parameters if p.place == "query" and p.required)
    return next((name for name in required if name not in said), None)


def _ordinary(resource: str, status: int) -> bool:
    """Whether the answer shows that the call was an ordinary one: by a caller who may, with
    a body that will do.
    """
    if success(status):
        return True
    if resource == "unknown":
        return status == 404
    return resource == "final" and refusal(status) and status not in (401, 403, 415, 429)


def state_of(contract: Contract, entity: Mapping[str, Any]) -> State:
    """Return the provider state that an entity shows."""
    found = shown(contract.lifecycle, entity)  # which is opened
    for state in contract.lifecycle.states:
        if canonical(state) in found:
            return contract.lifecycle.kind(state), state
    return UNTOLD
