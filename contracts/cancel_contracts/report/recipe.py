"""A scenario as requests with names in place of what differs from run to run: what a script is
written of.

Pure. Holds no secret: a token stands as "<identity>", the id of a resource as ~ID_1~.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import unquote

from cancel_contracts.contract.credentials import IDENTITIES, Carried, Carrier, Scheme, needs_token
from cancel_contracts.contract.extras import EXTRAS
from cancel_contracts.contract.given import permission_of
from cancel_contracts.contract.ids import NAME, NEW_DIGITS
from cancel_contracts.exchange import Sent, Situation
from cancel_contracts.identity.identities import PLACEHOLDER
from cancel_contracts.plan.near import says_near
from cancel_contracts.plan.single import one_at_a_time
from cancel_contracts.plan.steps import (
    Acquire,
    AtOnce,
    Call,
    Close,
    Name,
    Observe,
    ObserveLast,
    Scenario,
)
from cancel_contracts.provider_states.handler import state_request
from cancel_contracts.report import scenario as told
from cancel_contracts.report.curl import variable
from cancel_contracts.reproduce.cases import Case
from cancel_contracts.run.content import Names
from cancel_contracts.run.requests import cancel_request, masked, observe_request, odd_segment
from cancel_contracts.targets.fields import FieldSource
from cancel_contracts.targets.file import Endpoint

MARK = re.compile(r"~(ID_[0-9]+(?:_[A-Z]+)?)~|<([^<>]+)>")


@dataclass(frozen=True)
class SetUp:
    """Have a resource: by the handler's call, or by an id that is given."""

    name: str  # of the variable that holds its id
    says: str
    request: Sent | None = None
    given: str | None = None


@dataclass(frozen=True)
class Derive:
    """Have what is made of an id: `cut`, `twice`, `like`, `encoded`, `cased` (contract/ids.py)."""

    name: str
    of: str  # the variable that holds the resource's
    how: str
    end: str  # in place of the last digits, of one that is alike


@dataclass(frozen=True)
class Line:
    """One request: what it does, and whether its body goes out in chunks."""

    says: str
    request: Sent
    chunked: bool = False


@dataclass(frozen=True)
class Send:
    """Requests one after the other, `at_once`, or on one connection (`kept`)."""

    lines: tuple[Line, ...]
    at_once: bool = False
    kept: bool = False


@dataclass(frozen=True)
class Pause:
    seconds: int


@dataclass(frozen=True)
class TearDown:
    name: str  # of the variable that holds the id; empty where nothing was set up
    says: str
    request: Sent


Step = SetUp | Derive | Send | Pause | TearDown


@dataclass(frozen=True)
class Recipe:
    """The steps in order, the tear-downs last, and the identities whose tokens they take."""

    case: Case
    steps: tuple[Step, ...]
    tokens: dict[str, str] = field(default_factory=dict)  # variable -> whose token


def recipe(case: Case, endpoint: Endpoint) -> Recipe:
    """Return a case as requests to an endpoint."""
    scenario = case.scenario
    if case.way.single and (single := one_at_a_time(scenario)) is not None:
        scenario = single
    steps = tuple(_Writer(case, endpoint).steps(scenario))
    return Recipe(case, steps, dict(_tokens(steps)))


def mark(who: str, owner: str | None) -> str:
    """Return what stands for a caller's token: who holds one permission alone may be the owner."""
    return f"{who}@{owner}" if owner and permission_of(who) else who


def asks(stands: str) -> str:
    """Return the command that prints what a mark stands for: a token, or a header."""
    who, _, owner = stands.partition("@")
    return f"cancel-contracts token {who}" + (f" --owner {owner}" if owner else "")


def carried(scheme: Scheme, identity: str, who: str) -> Carried:
    """Return what an identity carries, its name in place of its token."""
    row = IDENTITIES.get(identity)
    wire: Carrier = row.wire if row and row.wire else Scheme.carry
    token = PLACEHOLDER if row is None or needs_token(identity) else ""
    full = replace(wire(scheme, token), secret=token)
    query = full.query
    if token and query:
        query = f"{query.partition('=')[0]}=<{who}>"
    shown = masked(Sent("GET", "", full.headers), full, who)
    return Carried(shown.headers, query)


class _Writer:
    def __init__(self, case: Case, endpoint: Endpoint) -> None:
        self.case, self.endpoint, self.contract = case, endpoint, case.contract
        self.base_url = endpoint.base_url + case.way.prefix
        self.primary = case.way.caller or endpoint.primary or "admin"
        self.looks = (
            self.contract.observe_path is not None and "observe" not in endpoint.not_testable
        )
        self.ids: dict[int, str] = {}
        self.segments: dict[int, str] = {}
        self.beside: dict[int, int] = {}
        self._taken: dict[str, int] = {}
        self._fresh = 0

    def steps(self, scenario: Scenario) -> Iterable[Step]:
        """Yield the steps, requests on one kept connection together."""
        kept: list[Line] = []
        undo: list[Step] = []
        late: list[Line] = []
        for step in scenario.steps:
            keeps = isinstance(step, (Call, Observe)) and step.keep_alive
            if kept and not keeps and not isinstance(step, Acquire):
                yield Send(tuple(kept), kept=True)
                kept = []
            match step:
                case Acquire():
                    yield self._set_up(step)
                    for how in sorted({how for call in scenario.calls for how in _derived(call)}):
                        name = f"ID_{step.slot + 1}"
                        yield Derive(f"{name}_{how.upper()}", name, how, "")
                    if self.endpoint.handler is not None:
                        undo.insert(0, self._tear_down(step))
                case Name():
                    yield from self._name(step)
                case Observe():
                    lines = self._look(step.slot, step.situation, given=step.given)
                    kept += lines if keeps else []
                    yield from [] if keeps else (Send((line,)) for line in lines)
                case Call() if keeps:
                    kept.append(self._call(step))
                case Call():
                    yield Send((self._call(step),))
                case AtOnce():
                    yield Send(tuple(map(self._call, step.calls)), at_once=True)
                case ObserveLast():
                    late += self._look(step.slot, scenario.subject)
                case Close():
                    pass
        if kept:
            yield Send(tuple(kept), kept=True)
        if late:
            yield Pause(4)
            yield Send(tuple(late))
        yield from undo

    def _set_up(self, step: Acquire) -> SetUp:
        name = f"ID_{step.slot + 1}"
        self.ids[step.slot] = self.segments[step.slot] = f"~{name}~"
        if step.beside is not None:
            self.beside[step.beside] = step.slot
        says = f"set up: {told.resource(Situation(state=step.state))}"
        says += f", owned by {step.owner}" if step.owner else ""
        says += ", beside it" if step.beside is not None else ""
        if self.endpoint.handler is None:
            at = self._taken.get(step.state, 0)
            self._taken[step.state] = at + 1
            listed = () if step.owner else self.endpoint.ids.get(step.state, ())
            return SetUp(name, says, given=listed[at] if at < len(listed) else "")
        return SetUp(name, says, self._handler("setup", step))

    def _handler(self, action: str, step: Acquire, **more: object) -> Sent:
        params: dict[str, object] = {"contract": self.contract.name, "state": step.state, **more}
        if step.owner:
            params["owner"] = step.owner
        return self._along(
            state_request(self.endpoint, action, step.state, params), self.endpoint.handler_headers
        )

    def _tear_down(self, step: Acquire) -> TearDown:
        name = f"ID_{step.slot + 1}"
        request = self._handler("teardown", step, id=self.ids[step.slot])
        return TearDown(name, f"tear down {name}", request)

    @staticmethod
    def _along(request: Sent, sources: Sequence[FieldSource]) -> Sent:
        more = tuple((s.name, f"{'Basic ' if s.user else ''}<{s.name}>") for s in sources)
        return replace(request, headers=(*request.headers, *more))

    def _name(self, step: Name) -> Iterable[Step]:
        known = next((f"ID_{slot + 1}" for slot in self.ids), "")
        named = self.endpoint.unknown_id if step.id.word == "unknown" else None
        if step.id.word == "unknown" and not says_near(step):
            named = named or self._unknown()
        named = named or odd_segment(self.contract, step.id)
        for how in NAME.findall(named) if known else ():
            made = f"{known}_{how.upper()}".removesuffix("_ID")
            named = named.replace(f"{{{how}}}", f"~{made}~")
            if made != known:
                yield Derive(made, known, how, "a" + self._uuid()[-NEW_DIGITS + 1 :])
        self.ids[step.slot] = self.segments[step.slot] = named

    def _uuid(self) -> str:
        self._fresh += 1
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.case.name}/{self._fresh}"))

    def _unknown(self) -> str:
        return self.contract.id.fresh(uuid.UUID(self._uuid()))

    def _look(self, slot: int, situation: Situation, *, given: bool = False) -> list[Line]:
        if not self.looks or (given and not self.endpoint.unknown_id):
            return []
        who = carried(self.contract.scheme, "primary", self.primary)
        request = observe_request(
            self.contract,
            self.base_url,
            self.ids[slot],
            who,
            self._uuid(),
            self.endpoint.parameters,
        )
        what = told.resource(situation) if slot not in self.beside.values() else "its neighbour"
        return [
            Line(f"{self.primary} looks at {what}", self._along(request, self.endpoint.headers))
        ]

    def _call(self, step: Call) -> Line:
        call = step.situation
        who = self.primary if call.identity == "primary" else call.identity
        near = self.ids.get(self.beside.get(step.slot, -1)) or self._unknown()
        segment, mine = self.segments[step.slot], f"~ID_{step.slot + 1}~"
        names = Names(unquote(segment), near, self._uuid()[:8], f"~ID_{step.slot + 1}_CUT~")
        if segment == mine and (how := EXTRAS[call.extra].wire.id):
            segment = f"~ID_{step.slot + 1}_{how.upper()}~"
        by = carried(self.contract.scheme, call.identity, mark(who, call.owner))
        said = (call, segment, names, by, self._uuid(), self.endpoint.parameters)
        request = cancel_request(self.contract, self.base_url, *said)
        says = told.asked(replace(call, identity=who), self.contract.method)
        return Line(says, self._along(request, self.endpoint.headers), call.transfer == "chunked")


def _derived(call: Situation) -> set[str]:
    """Return what is made of the id of the resource for a call."""
    return {EXTRAS[call.extra].wire.id, "cut" if "{cut}" in call.body.text else ""} - {""}


def _tokens(steps: Iterable[Step]) -> Iterable[tuple[str, str]]:
    """Yield each variable that holds a secret, and whose it is."""
    for step in steps:
        requests = [line.request for line in step.lines] if isinstance(step, Send) else []
        if isinstance(step, (SetUp, TearDown)) and step.request is not None:
            requests = [step.request]
        for request in requests:
            for text in (request.url, *(value for _, value in request.headers)):
                for found in MARK.finditer(text):
                    if found[2]:
                        yield variable(found[2]), found[2]
