"""Run scenarios against a target and keep every exchange in the journal.

Sends what the plan says, in its order; looks at the resource before and after; knows no clause and
judges nothing.
What it decides by itself is when to stop, when to wait, and when to look again:
- a 429 is waited out (Retry-After, within `max_wait`) and the same call made again, as a call of
  its own;
- three calls without an answer in time, or without anybody there, end the run of this contract;
- an effect that does not show at once is looked for again at the end, for `effect_seconds`.
"""

from __future__ import annotations

import random
import re
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlsplit

from contracts.exchange import NOBODY_THERE, Exchange, Journal, Sent, Situation
from contracts.explore.plan import Plan, Scenario, looks_twice
from contracts.explore.requests import ODD_IDS, Names, cancel_request, observe_request
from contracts.observation import Observation, observe, took_effect
from contracts.spec.model import Contract
from contracts.target.identities import Identities, NoIdentity
from contracts.target.states import Broken, ProviderStates, Refused
from contracts.transport.client import Answer, Transport

LOOK_AGAIN_SECONDS = 0.25
UNANSWERED_CALLS = 3  # calls without an answer that end the run
THROTTLED_CALLS = 3  # how often the same call is made again after a 429
WAIT_SECONDS = 1.0  # after a 429 that does not say how long

Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Resource:
    """A resource of a scenario: its id as it stands in the path, percent-encoded, and as it is."""

    id: str
    segment: str


class Run:
    """One contract's run. `execute` may be called many times; `settle` and `tear_down` end it."""

    def __init__(
        self,
        contract: Contract,
        base_url: str,
        transport: Transport,
        identities: Identities,
        states: ProviderStates,
        *,
        unknown_id: str | None = None,
        observes: bool = True,
        seed: int = 0,
        max_wait: float = 60.0,
        effect_seconds: float = 4.0,
        started: float | None = None,
        progress: Progress = lambda kind, count: None,
        pace: Callable[[], None] = lambda: None,
    ) -> None:
        self.contract, self.base_url, self.transport = contract, base_url, transport
        self.identities, self.states = identities, states
        self.unknown_id = unknown_id
        self.observes = observes and contract.observe_path is not None
        self.random = random.Random(f"{seed}/{contract.name}")  # noqa: S311 - no secret
        self.seed, self.max_wait, self.effect_seconds = seed, max_wait, effect_seconds
        self.progress, self.pace = progress, pace
        self.started = time.monotonic() if started is None else started
        self.journal = Journal(contract.name, minted=identities.minted)
        self.scenario = 0
        self._unanswered = 0
        self._lock = threading.Lock()
        self._due: list[tuple[Exchange, Observation | None, Resource]] = []

    # --- scenarios --------------------------------------------------------------------------------

    def plan(self, plan: Plan) -> None:
        """Run a plan's scenarios."""
        self.journal.missing.update(plan.left_out)
        for index, scenario in enumerate(plan.scenarios):
            if self.journal.stopped:
                break
            self.execute(scenario)
            if index == 0:
                self._find_route(scenario)
                self._find_caller(scenario)

    def execute(self, scenario: Scenario) -> list[Exchange]:
        """Run one scenario and return its exchanges.

        Two calls that belong together are both made again, on fresh resources, where a 429 hit one
        of them.
        """
        at = len(self.journal.exchanges)
        for attempt in range(1, THROTTLED_CALLS + 1):
            exchanges = self._once(scenario)
            limited = [x for x in exchanges if x.status == 429]
            together = scenario.subject.call in ("concurrent", "reused")
            if not together or not limited or not self._wait_out(limited[0], attempt):
                break
        return self.journal.exchanges[at:]

    def _once(self, scenario: Scenario) -> list[Exchange]:
        self.scenario += 1
        at = len(self.journal.exchanges)
        try:
            for situation in scenario.calls:
                self.identities.authorization(situation.identity, situation.owner)
            resources = self._resources(scenario)
        except (NoIdentity, Refused) as err:
            self.journal.missing.update(dict.fromkeys(scenario.calls, str(err)))
            return []
        except Broken as err:
            self.journal.broken.update(dict.fromkeys(scenario.calls, str(err)))
            return []
        if scenario.subject.call == "reused":
            self._on_one_connection(scenario, resources)
        else:
            self._in_a_row(scenario, resources)
        return [x for x in self.journal.exchanges[at:] if x.kind == "cancel"]

    def _resources(self, scenario: Scenario) -> list[Resource]:
        subject = scenario.subject
        if subject.resource == "odd":
            segment = ODD_IDS.get(subject.id, subject.id.removeprefix("raw:"))
            return [Resource(segment, segment)]
        if subject.resource == "unknown":
            id_ = self.unknown_id or str(uuid.UUID(int=self.random.getrandbits(128), version=4))
            return [Resource(id_, quote(id_, safe=""))]
        count = 2 if scenario.neighbour or subject.call == "reused" else 1
        assert subject.state is not None
        spends = subject.resource == "cancellable" and self._may_cancel(subject)
        ids: list[str] = []
        for _ in range(count):
            state = subject.state
            beside = len(ids) if not spends else 0
            first = not ids or subject.call == "reused"
            try:
                made = self.states.acquire(
                    state, subject.owner, spends=spends and first, offset=beside
                )
            except Refused:
                if not ids or "{neighbour}" in subject.body or subject.call == "reused":
                    raise
                break  # a neighbour is worth having, not worth doing without the rest
            ids.append(made)
        return [Resource(i, quote(i, safe="")) for i in ids]

    @staticmethod
    def _may_cancel(situation: Situation) -> bool:
        refused = ("anonymous", "empty-header", "bare-scheme", "garbage-token", "basic-scheme")
        return situation.method == "POST" and situation.identity not in refused

    def _in_a_row(self, scenario: Scenario, resources: list[Resource]) -> None:
        target = resources[0]
        neighbour = resources[1] if len(resources) > 1 else None
        known = scenario.known
        before = self._look(scenario, 0, target, neighbour) if known else None
        if known and self.scenario == 1 and looks_twice(self.contract, scenario):
            self._observe(scenario.subject, 0, target, "target")
        if scenario.subject.call == "concurrent":
            pair = self._at_once(scenario, target, neighbour)
            after = self._look(scenario, 2, target, neighbour)
            won = [x for x in pair if x.status is not None and x.status // 100 == 2]
            if won:
                self._note_due(won[0], before, after, target)
            return
        position = 0
        for situation in scenario.calls:
            attempts = 0
            while not self.journal.stopped:
                position += 1
                exchange = self._cancel(situation, position, target, neighbour)
                after = None
                if known or situation.resource == "unknown":
                    after = self._look(Scenario((situation,)), position, target, neighbour)
                self._note_due(exchange, before, after, target)
                if exchange.status != 429 or situation.identity == "throttled":
                    break
                attempts += 1
                if not self._wait_out(exchange, attempts):
                    break

    def _at_once(
        self, scenario: Scenario, target: Resource, neighbour: Resource | None
    ) -> list[Exchange]:
        barrier = threading.Barrier(2)

        def call(position: int) -> Exchange:
            barrier.wait(5)
            return self._cancel(scenario.calls[position - 1], position, target, neighbour)

        with ThreadPoolExecutor(2) as pool:
            pair = list(pool.map(call, (1, 2)))
        # Whichever was recorded first: positions tell them apart, and the order in the journal is
        # theirs.
        return pair

    def _on_one_connection(self, scenario: Scenario, resources: list[Resource]) -> None:
        """Two calls on two resources, the second on the connection that carried the first."""
        numbers = (self.scenario, self.scenario + 1)
        before: list[Observation | None] = []
        for number, situation, resource in zip(numbers, scenario.calls, resources, strict=True):
            self.scenario = number
            before.append(self._observe(situation, 0, resource, "target"))
        for i, (number, situation) in enumerate(zip(numbers, scenario.calls, strict=True)):
            self.scenario = number
            exchange = self._cancel(situation, 1, resources[i], None, keep_alive=True)
            self._due.append((exchange, before[i], resources[i]))
        due, self._due = self._due[-2:], self._due[:-2]
        for number, (exchange, start, resource) in zip(numbers, due, strict=True):
            self.scenario = number
            after = self._observe(exchange.situation, 1, resource, "target")
            self._note_due(exchange, start, after, resource)

    # --- steps of a walk --------------------------------------------------------------------------

    def make(self, state: str) -> Resource:
        """Return a fresh resource in a state. Raises Refused or Broken."""
        id_ = self.states.acquire(state, None, spends=True)
        return Resource(id_, quote(id_, safe=""))

    def look_at(
        self,
        scenario: int,
        situation: Situation,
        position: int,
        resource: Resource,
        role: str = "target",
    ) -> Observation | None:
        """Look at a resource on behalf of a scenario that is under way."""
        last, self.scenario = self.scenario, scenario
        try:
            return self._observe(situation, position, resource, role)
        finally:
            self.scenario = last

    def step(
        self,
        scenario: int,
        situation: Situation,
        position: int,
        target: Resource,
        neighbour: Resource | None,
    ) -> Exchange:
        """Make the next call of a scenario that is under way; `position` counts the calls before
        it.
        """
        if neighbour is not None:
            self.look_at(scenario, situation, position, neighbour, "neighbour")
        before = self.look_at(scenario, situation, position, target)
        last, self.scenario = self.scenario, scenario
        try:
            exchange = self._cancel(situation, position + 1, target, neighbour)
            after = self._look(Scenario((situation,)), position + 1, target, neighbour)
            self._note_due(exchange, before, after, target)
        finally:
            self.scenario = last
        return exchange

    # --- single requests --------------------------------------------------------------------------

    def _cancel(
        self,
        situation: Situation,
        position: int,
        target: Resource,
        neighbour: Resource | None,
        *,
        keep_alive: bool = False,
    ) -> Exchange:
        unique = f"{self.seed}-{self.scenario}-{position}"
        names = Names(target.id, neighbour.id if neighbour else target.id, unique)
        request = cancel_request(
            self.contract,
            self.base_url,
            situation,
            target.segment,
            names,
            self.identities.authorization(situation.identity, situation.owner),
            self._request_id(),
        )
        self.pace()
        answer = self.transport.send(
            request, keep_alive=keep_alive, chunked=self._chunks(situation)
        )
        exchange = self._record("cancel", situation, position, target, "target", answer)
        self._count_unanswered(exchange)
        return exchange

    def _chunks(self, situation: Situation) -> bool:
        """RFC 9112 section 6.1: no chunked request to a server that is not known to speak
        HTTP/1.1.
        """
        last = next((x.received for x in reversed(self.journal.exchanges) if x.received), None)
        return situation.transfer == "chunked" and (last is None or last.version != "1.0")

    def _look(
        self, scenario: Scenario, position: int, target: Resource, neighbour: Resource | None
    ) -> Observation | None:
        """Look at the resource and its neighbour; return what the resource shows."""
        seen = self._observe(scenario.subject, position, target, "target")
        if neighbour is not None:
            self._observe(scenario.subject, position, neighbour, "neighbour")
        return seen

    def _observe(
        self, situation: Situation, position: int, resource: Resource, role: str
    ) -> Observation | None:
        if not self.observes or self.journal.observable is False:
            return None
        authorization = self.identities.authorization("primary")
        request = observe_request(
            self.contract, self.base_url, resource.id, authorization, self._request_id()
        )
        answer = self.transport.send(request)
        if answer.received is not None and answer.received.status == 429:
            time.sleep(min(self._seconds(answer.received.header("retry-after")), self.max_wait))
            answer = self.transport.send(request)
        exchange = self._record("observe", situation, position, resource, role, answer)
        seen = observe(exchange)
        exists = situation.resource in ("cancellable", "final") and position == 0
        if self.journal.observable is None and exists:
            self.journal.observable = seen is not None and not seen.gone
        return seen

    def _record(
        self,
        kind: str,
        situation: Situation,
        position: int,
        resource: Resource,
        role: str,
        answer: Answer,
    ) -> Exchange:
        sent = replace(
            answer.sent, headers=_masked(answer.sent, self.identities.name(situation.identity))
        )
        exchange = Exchange(
            contract=self.contract.name,
            scenario=self.scenario,
            position=position,
            kind=kind,  # type: ignore[arg-type]
            situation=situation,
            identity=self.identities.name(situation.identity if kind == "cancel" else "primary"),
            resource=resource.id,
            sent=sent,
            role=role,  # type: ignore[arg-type]
            received=answer.received,
            failure=answer.failure,
            started=time.monotonic() - self.started - answer.seconds,
            seconds=answer.seconds,
            reused=answer.reused,
        )
        with self._lock:
            self.journal.exchanges.append(exchange)
        self.progress(kind, 1)
        return exchange

    def _request_id(self) -> str:
        with self._lock:
            return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    # --- waiting and stopping ---------------------------------------------------------------------

    def _count_unanswered(self, exchange: Exchange) -> None:
        late = exchange.failure == "timeout"
        nobody = exchange.failure in NOBODY_THERE
        with self._lock:
            if late or nobody:
                self._unanswered += 1
            elif exchange.received is not None and self._unanswered and not self._late():
                self._unanswered = 0
            if self._unanswered >= UNANSWERED_CALLS:
                what = "could not be made" if nobody else "got no answer in time"
                self.journal.stopped = f"{UNANSWERED_CALLS} calls {what}; the rest was not sent"

    def _late(self) -> bool:
        """Timeouts add up over the whole run, for each costs its seconds."""
        return any(x.failure == "timeout" for x in self.journal.exchanges)

    def _wait_out(self, exchange: Exchange, attempts: int) -> bool:
        """Wait as a 429 asks; False where the call is to be given up."""
        header = exchange.received.header("retry-after") if exchange.received else None
        seconds = self._seconds(header)
        if attempts >= THROTTLED_CALLS or seconds > self.max_wait:
            self.journal.stopped = (
                f"the target answers 429 and asks to wait {seconds:.0f} s,"
                " more than --max-wait allows"
                if seconds > self.max_wait
                else "the target answers 429 again and again; the rest was not sent"
            )
            return False
        self.max_wait -= seconds
        time.sleep(seconds)
        return True

    @staticmethod
    def _seconds(header: str | None) -> float:
        if header is None:
            return WAIT_SECONDS
        if re.fullmatch(r"\d+(\.\d+)?", header.strip()):
            return float(header)
        try:
            moment = parsedate_to_datetime(header)
        except ValueError:
            return WAIT_SECONDS
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, (moment - datetime.now(UTC)).total_seconds())

    # --- effects that show late -------------------------------------------------------------------

    def _note_due(
        self,
        exchange: Exchange,
        before: Observation | None,
        after: Observation | None,
        target: Resource,
    ) -> None:
        ok = exchange.status is not None and exchange.status // 100 == 2
        if not ok or exchange.situation.resource != "cancellable" or after is None:
            return
        if exchange.sent.method != "POST" or before is None or before.gone:
            return
        if (
            took_effect(self.contract.lifecycle, before, after, frozenset()) is False
            and not after.gone
        ):
            self._due.append((exchange, before, target))

    def settle(self) -> None:
        """Look again at what has not shown its effect, until it shows or its time is over."""
        deadline = time.monotonic() + self.effect_seconds
        while self._due and time.monotonic() < deadline:
            time.sleep(LOOK_AGAIN_SECONDS)
            still = []
            for exchange, before, target in self._due:
                self.scenario = exchange.scenario
                last = max(
                    x.position for x in self.journal.exchanges if x.scenario == exchange.scenario
                )
                seen = self._observe(exchange.situation, last, target, "target")
                if seen is not None and not took_effect(
                    self.contract.lifecycle, before, seen, frozenset()
                ):
                    still.append((exchange, before, target))
            self._due = still

    def tear_down(self) -> list[str]:
        failures = self.states.tear_down()
        self.journal.setups = self.states.calls
        return failures

    # --- finding the way in -----------------------------------------------------------------------

    def _first_answer(self) -> int | None:
        return next((x.status for x in self.journal.cancels()), None)

    def _find_route(self, scenario: Scenario) -> None:
        """Try the path of the vendor's own base URL where the bare one is not routed.

        A mock may serve /beta/... at a base_url given without it; the page's example carries the
        prefix (SA-02).
        """
        prefix = urlsplit(self.contract.server).path.rstrip("/")
        if not prefix or self._first_answer() != 404 or not scenario.known:
            return
        if self.base_url.endswith(prefix):
            return
        bare, old = self.base_url, self.journal.exchanges
        self.journal.exchanges, self.journal.observable = [], None
        self.base_url = bare + prefix
        self._due.clear()
        self.execute(Scenario(scenario.calls, scenario.neighbour))
        if self._first_answer() == 404:
            self.base_url, self.journal.exchanges, self.journal.observable = bare, old, None
            return
        self.journal.notes.append(f"routed under {prefix}, which the base URL leaves out")

    def _find_caller(self, scenario: Scenario) -> None:
        """Where the administrator is refused and applications are served, let the application make
        ordinary calls.

        A page may document both kinds of token and its later editions one: either reading conforms.
        """
        kinds = {p.kind for p in self.contract.permissions}
        refused = self._first_answer() in (401, 403)
        if not refused or self.identities.site.primary or "application" not in kinds:
            return
        try:
            self.identities.authorization("app")
        except NoIdentity:
            return
        former, old = self.identities.primary, self.journal.exchanges
        self.journal.exchanges, self.journal.observable = [], None
        self.identities.primary = "app"
        self.execute(scenario)
        answer = self._first_answer()
        if answer is None or answer // 100 != 2:
            self.identities.primary = former
            self.journal.exchanges = old
            return
        renamed = [
            replace(x, situation=replace(x.situation, identity=former))
            for x in old
            if x.position < 2
        ]
        self.journal.exchanges = renamed + self.journal.exchanges
        self.journal.notes.append(f"{former} was refused; ordinary calls are made as app")


def _masked(sent: Sent, who: str) -> tuple[tuple[str, str], ...]:
    """Keep the scheme and say whose token it was: the token itself goes no further than the
    wire.
    """
    masked = []
    for name, value in sent.headers:
        if name.lower() == "authorization":
            scheme, _, token = value.partition(" ")
            value = f"{scheme} <{who}>" if token else value
        masked.append((name, value))
    return tuple(masked)
