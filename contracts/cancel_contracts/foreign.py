"""Exchanges that somebody else made: a recording, or another tool's run. What they are is read off
route, method, headers and what other exchanges have shown.

Pure: no I/O, no file format. Who called, with which right and what was to be tried nobody tells:
such facts are RECORDED, and clauses that ask for them stay unjudged.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from cancel_contracts.contract.model import Contract, canonical
from cancel_contracts.exchange import RECORDED, Exchange, Form, Received, Sent, Situation
from cancel_contracts.sight.observation import observe, shown

UNSAID: Mapping[str, Any] = {
    **dict.fromkeys(("identity", "content_type", "transfer", "extra"), RECORDED),
    "body": Form(RECORDED),
}
# An id as servers give them. Beyond it a front door may refuse the call before the service sees it.
PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.~=-]{0,127}")

State = tuple[str, str | None]  # the resource and, where it shows, its provider state


@dataclass(frozen=True)
class Route:
    """Where a request went: to cancel a resource, or to look at it."""

    contract: Contract
    kind: Literal["cancel", "observe"]
    id: str


def route(contracts: Sequence[Contract], method: str, url: str) -> Route | None:
    """Return the route of a request, or None for one that is not on a route of the contracts."""
    path = urlsplit(url).path
    for contract in contracts:
        if id_ := _match(contract.path, path):
            return Route(contract, "cancel", id_)
        if method == "GET" and (id_ := _match(contract.observe_path, path)):
            return Route(contract, "observe", id_)
    return None


def _match(template: str | None, path: str) -> str | None:
    """Return the id in a path that ends as the template says, whatever stands before it."""
    if template is None:
        return None
    start, end = template.index("{"), template.index("}")
    before, after = template[:start], template[end + 1 :]
    at = path.rfind(before)
    if at < 0 or not path.endswith(after) or len(path) - len(after) < at + len(before):
        return None
    id_ = path[at + len(before) : len(path) - len(after)]
    return unquote(id_) if id_ and "/" not in id_ else None


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
    (resource, state), kind = known or (RECORDED, None), RECORDED
    if known is None and not PLAIN.fullmatch(where.id):
        kind = "odd"
        if not where.id.isascii() or not where.id.isprintable():
            resource = "odd"
    elif resource != RECORDED:
        kind = "unknown" if resource == "unknown" else "known"
    ordinary = received is not None and _ordinary(resource, received.status)
    facts = {} if ordinary else UNSAID
    if anonymous:
        facts = {**facts, "identity": "anonymous"}
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
    )


def _ordinary(resource: str, status: int) -> bool:
    """Whether the answer shows that the call was an ordinary one: by a caller who may, with
    a body that will do.
    """
    if status // 100 == 2:
        return True
    if resource == "unknown":
        return status == 404
    return resource == "final" and status // 100 == 4 and status not in (401, 403, 415, 429)


class Foreign:
    """Reads a series of exchanges. Each resource is a scenario; what a GET has shown of it is its
    state when it is cancelled.
    """

    def __init__(self) -> None:
        self.scenarios: dict[tuple[str, str], int] = {}
        self.positions: Counter[tuple[str, str]] = Counter()
        self.states: dict[tuple[str, str], State] = {}

    def take(
        self, where: Route, sent: Sent, received: Received | None, started: float, seconds: float
    ) -> Exchange:
        """Return the next exchange."""
        key = (where.contract.name, where.id.casefold())
        again = self.positions[key] > 0
        self.positions[key] += where.kind == "cancel"
        found = exchange(
            where,
            sent,
            received,
            known=self.states.get(key),
            scenario=self.scenarios.setdefault(key, len(self.scenarios) + 1),
            position=self.positions[key],
            call="second" if again else "first",
            started=started,
            seconds=seconds,
        )
        if found.kind == "observe" and not again and (look := observe(found)) is not None:
            entity = look.entity
            self.states[key] = (
                ("unknown", None) if entity is None else _state(where.contract, entity)
            )
        return found


def _state(contract: Contract, entity: Mapping[str, Any]) -> State:
    found = shown(contract.lifecycle, entity)
    for state in contract.lifecycle.states:
        if canonical(state) in found:
            return contract.lifecycle.kind(state), state
    return RECORDED, None
