"""Create resources by the calls that a spec documents (x-provision), and undo them by the cancel.

Knows no call by name: each is data of the spec, filled with what the target file gives. Creates
only what it is asked for, and never more than it was allowed beforehand.
"""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from cancel_contracts.contract.credentials import Carried
from cancel_contracts.contract.model import Contract, Provision
from cancel_contracts.contract.places import opened
from cancel_contracts.contract.provisions import UNIQUE
from cancel_contracts.contract.states import canonical
from cancel_contracts.errors import Broken, NoIdentity, Refused
from cancel_contracts.exchange import Received, Sent
from cancel_contracts.identity.identities import Identities
from cancel_contracts.ledger.ledger import Ledger
from cancel_contracts.needs import NO_STATES, Gap, of_resource
from cancel_contracts.parse import identifier, pointed, success
from cancel_contracts.provider_states.lost import got_nowhere, made_nothing, maybe_left
from cancel_contracts.sight.observation import marks, shown
from cancel_contracts.targets.file import Endpoint
from cancel_contracts.targets.url import joined
from cancel_contracts.transport.client import Transport

FAILURES_IN_A_ROW = 3  # after which a call is not tried again
PUT_OFF_CALLS = 3  # how often the same call is made where it is answered 429


def choose(contract: Contract, endpoint: Endpoint, state: str, owner: str | None) -> Provision:
    """Return the create call for a state, or raise Refused with the reason that there is none."""
    rows = [
        row
        for row in contract.provisions
        if canonical(row.state) == canonical(state) and (row.by == "owner") == bool(owner)
    ]
    whose = f" of {owner}" if owner else ""
    if not rows:
        told = f"no documented call creates a resource in {state}{whose}"
        raise Refused(Gap(told, of_resource(state, owner)))
    given = (endpoint.provision or {}).keys()
    for row in rows:
        if row.needs.keys() <= given:
            return row
    lacking = ", ".join(name for name in rows[0].needs if name not in given)
    told = f"to create {state}{whose} the target file's provision lacks {lacking}"
    raise Refused(Gap(told, of_resource(state, owner)))


def too_few(endpoint: Endpoint, state: str, owner: str | None) -> Gap:
    """Say that the ids of a target file are used up."""
    ids = endpoint.ids.get(state)
    if not endpoint.ids:
        return NO_STATES
    need = of_resource(state, owner)
    if owner:
        return Gap("ids of a target file have no owner", need)
    if not ids:
        return Gap(f"the target gives no id in the state {state}", need)
    return Gap(f"the target gives too few ids in the state {state} ({len(ids)})", need)


def no_more(contract: Contract, endpoint: Endpoint, state: str, owner: str | None) -> Gap | None:
    """Return why there are no more resources than the ids of the target file, or None where a
    documented call creates them.
    """
    if endpoint.provision is None:
        return too_few(endpoint, state, owner)
    try:
        choose(contract, endpoint, state, owner)
    except Refused as err:
        return err.gap
    return None


def filled(value: Any, names: dict[str, str]) -> Any:
    """Return a JSON value with the {names} in its strings replaced."""
    if isinstance(value, str):
        for name, text in names.items():
            value = value.replace(f"{{{name}}}", text)
        return value
    if isinstance(value, dict):
        return {key: filled(item, names) for key, item in value.items()}
    return [filled(item, names) for item in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class Created:
    """A resource that a create call made: its number in the ledger, and the call."""

    number: int
    id: str
    row: Provision


class Provisioner:
    """The create calls of one contract's run.

    `pace` is called before each call. `cancel` returns the documented cancel of an id. `allowed`
    bounds the calls by state and owner; None leaves them unbounded. `waited` is asked where a call
    was put off: whether it has waited, and the call may be made again; `stopped` whether no more is
    to be created.
    """

    def __init__(
        self,
        contract: Contract,
        endpoint: Endpoint,
        transport: Transport,
        identities: Identities,
        ledger: Ledger,
        cancel: Callable[[str], Sent],
        pace: Callable[[], None] = lambda: None,
        allowed: Mapping[tuple[str, str | None], int] | None = None,
        waited: Callable[[Received], bool] = lambda received: False,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self.contract, self.endpoint, self.transport = contract, endpoint, transport
        self.identities, self.ledger = identities, ledger
        self.cancel, self.pace = cancel, pace
        self.calls = 0
        self.created: list[Created] = []
        self.orphans: list[str] = []  # what is maybe left though no id is known, in words
        self.cancelled: set[str] = set()  # ids whose cancel was answered 2xx: nothing to undo
        self.waited, self.stopped = waited, stopped
        self._left = None if allowed is None else Counter(allowed)
        self._turn: Counter[str] = Counter()
        self._failed: Counter[tuple[str, str | None]] = Counter()
        self._given_up: dict[tuple[str, str | None], Refused | Broken] = {}
        self._run = secrets.token_hex(4)

    def create(self, state: str, owner: str | None) -> str:
        """Return the id of a fresh resource in a state. Raises Refused, Broken or NoIdentity."""
        key = (state, owner)
        if key in self._given_up:
            raise self._given_up[key]
        row = choose(self.contract, self.endpoint, state, owner)
        if self._left is not None and self._left[key] <= 0:
            told = f"as many {state} were created as --plan allows for"
            raise Refused(Gap(told, of_resource(state, owner)))
        who = owner if row.by == "owner" and owner else row.by
        carried = self.identities.credentials(who)
        if self._left is not None:
            self._left[key] -= 1
        try:
            id_ = self._call(row, owner, carried)
            self._failed[key] = 0
        except (Refused, Broken) as err:
            self._failed[key] += 1
            if self._failed[key] >= FAILURES_IN_A_ROW:
                self._given_up[key] = err
            raise
        return id_

    def _call(self, row: Provision, owner: str | None, carried: Carried) -> str:
        sent, names = self._request(row, carried)
        call = f"{row.method} {row.path}"
        number, received = self._send(row, sent, names | ({"owner": owner} if owner else {}))
        if made_nothing(received.status):
            self.ledger.nothing_made(number)
            if received.status in (408, 429):
                raise Broken(f"{call} was put off ({received.status})")
            told = f"{call} was refused ({received.status}{_code(received)})"
            raise Refused(Gap(told, of_resource(row.state, owner)))
        id_, entity = _made(received, row.id)
        if not success(received.status) or id_ is None:
            told = f"{call} was answered {received.status}"
            told += f" without an id at {row.id}" if success(received.status) else ""
            self.orphans.append(maybe_left(row.state, owner, told))
            raise Broken(told)
        self.created.append(Created(number, id_, row))
        self.ledger.made(number, {"id": id_})
        life, view = self.contract.lifecycle, opened(entity, self.contract.lifecycle.ways)
        if marks(life, view) and canonical(row.state) not in shown(life, view):
            told = ", ".join(str(view[at]) for at in life.places if at in view)
            err = Broken(f"what {call} creates shows {told}, not {row.state}")
            self._given_up[row.state, owner] = err
            raise err
        return id_

    def _send(self, row: Provision, sent: Sent, params: dict[str, str]) -> tuple[int, Received]:
        """Send until it is not put off, and return the number in the ledger and the answer."""
        where, call = self.endpoint.base_url, f"{row.method} {row.path}"
        for again in reversed(range(PUT_OFF_CALLS)):
            self.pace()
            if self.stopped():
                raise Broken("the run was asked to stop")
            number = self.ledger.set_up(self.contract.name, row.state, where, params, "create")
            self.calls += 1
            answer = self.transport.send(sent)
            received = answer.received
            if received is None or answer.failure or received.error:
                told = f"{call} was not answered ({answer.why})"
                if got_nowhere(answer):
                    self.ledger.nothing_made(number)
                else:
                    self.orphans.append(maybe_left(row.state, params.get("owner"), told))
                raise Broken(told)
            if received.status != 429 or not again or not self.waited(received):
                return number, received
            self.ledger.nothing_made(number)
        raise AssertionError("the last time returns")

    def _request(self, row: Provision, carried: Carried) -> tuple[Sent, dict[str, str]]:
        given, names = self.endpoint.provision or {}, {}
        for name in row.needs:
            names[name] = given[name][self._turn[name] % len(given[name])]
            self._turn[name] += 1
        every = {**names, UNIQUE: f"{self._run}-{self.calls + 1}"}
        path = filled(row.path, {name: quote(text, safe="") for name, text in every.items()})
        path += f"?{carried.query}" if carried.query else ""
        headers = [*carried.headers, ("Accept", "application/json")]
        body = b""
        if row.body is not None:
            headers.append(("Content-Type", "application/json"))
            body = json.dumps(filled(row.body, every), ensure_ascii=False).encode()
        return Sent(row.method, joined(self.endpoint.base_url, path), tuple(headers), body), names

    def made(self, id_: str) -> bool:
        """Whether this id was created here."""
        return any(row.id == id_ for row in self.created)

    def adopt(self, number: int, id_: str, state: str, owned: bool) -> None:
        """Take over what another run has created, to undo it."""
        for row in self.contract.provisions:
            if row.state == state and (row.by == "owner") == owned:
                self.created.append(Created(number, id_, row))
                return

    def undo(self) -> list[str]:
        """Cancel what was created and not cancelled since, newest first; return what failed, in
        words.
        """
        failures: list[str] = []
        for made in reversed(self.created):
            if made.id not in self.cancelled:
                if len(failures) >= FAILURES_IN_A_ROW:
                    failures.append("further tear-downs were not tried")
                    break
                if problem := self._undo(made):
                    failures.append(f"{made.id} is left as it is ({problem}). {made.row.undo}")
                    continue
            self.ledger.torn_down(made.number)
        self.created.clear()
        return failures

    def _undo(self, made: Created) -> str | None:
        if not made.row.undo_by_cancel:
            return "no call undoes it"
        try:
            request = self.cancel(made.id)
            self.pace()
        except (Broken, NoIdentity) as err:
            return str(err)
        self.ledger.tear_down(made.number)
        self.calls += 1
        answer = self.transport.send(request)
        if answer.received is None or answer.failure:
            return f"its cancel was not answered: {answer.why}"
        gone = answer.received.status in (404, 410)
        if not success(answer.received.status) and not gone:
            return f"its cancel was answered {answer.received.status}{_code(answer.received)}"
        return None


def _code(received: Received) -> str:
    """Return the error code of an envelope, in words that follow a status."""
    value = received.json()
    error = value.get("error") if isinstance(value, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return f", {code[:60]}" if isinstance(code, str) and code else ""


def _made(received: Received, pointer: str) -> tuple[str | None, dict[str, Any]]:
    """Return the id that stands at a JSON pointer (RFC 6901), and the whole answer."""
    entity = received.json()
    return identifier(pointed(entity, pointer)), entity if isinstance(entity, dict) else {}
