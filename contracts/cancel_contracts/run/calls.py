"""Single requests: send one, keep what came of it in the journal, and mind when to wait or stop.

Knows resources and situations, not what a scenario is made of. Judges nothing.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Literal

from cancel_contracts.contract.compose import composed
from cancel_contracts.contract.credentials import Carried
from cancel_contracts.contract.given import ordinary
from cancel_contracts.contract.model import Contract
from cancel_contracts.errors import Broken
from cancel_contracts.exchange import Exchange, Form, Sent, Situation, put_off
from cancel_contracts.journal import Exchanges, Journal
from cancel_contracts.run.attempt import Attempt, Resource, Role, Stopped
from cancel_contracts.run.content import Names
from cancel_contracts.run.echoes import Echoes
from cancel_contracts.run.kept import astray, looks
from cancel_contracts.run.limits import Limits
from cancel_contracts.run.performed import InUse
from cancel_contracts.run.requests import cancel_request, masked, observe_request, probe_request
from cancel_contracts.run.settings import RunSettings
from cancel_contracts.run.wait_budget import seconds_asked
from cancel_contracts.sight.digest import Digests
from cancel_contracts.sight.observation import Observation, observe
from cancel_contracts.sight.sight import Sight
from cancel_contracts.targets.pace import StoreLost
from cancel_contracts.transport.client import Answer, Transport

log = logging.getLogger(__name__)

THROTTLED_CALLS = 3  # how often the same call is made again after a 429


class Calls:
    """The requests of one contract's run. Safe to use from several threads, an attempt from one."""

    def __init__(self, contract: Contract, settings: RunSettings) -> None:
        self.contract, self.base_url = contract, settings.base_url  # until the route is found
        self.transport, self.identities = settings.transport, settings.identities
        self.observes = settings.observes and contract.observe_path is not None
        self.seed, self.started, self.stop = settings.seed, settings.started, settings.stop
        self.wait_budget, self.parameters = settings.wait_budget, settings.parameters
        self.progress, self.pace, self.ledger = settings.progress, settings.pace, settings.ledger
        self.pool, self.in_use, self.in_vain = settings.pool, InUse(), False  # see awaiting.py
        self._last_call, self.usual_seconds = settings.started, 0.0  # 0: not known
        self.known: str | None = None  # the id of a resource that stands, and no call may touch
        self.closed = 0  # calls that met a kept connection closed
        self.journal = Journal(contract.name, minted=self.identities.minted)
        self.journal.began = settings.began
        self.sight, self.composition = Sight(contract, self.journal.exchanges), composed(contract)
        self._limits, self._digests = Limits(), Digests(contract.lifecycle)
        self._version: str | None = None  # of HTTP, as the target last spoke it
        self._lock, self._echoes = threading.Lock(), Echoes(contract.scheme)

    @property
    def stopped(self) -> str | None:
        """Why no more is to be sent, or None."""
        if self.stop.asked and not self.journal.stopped:
            self.journal.stopped = f"{self.stop.reason}; the rest was not sent"
        return self.journal.stopped

    def _pace(self, via: Transport | None) -> None:
        """Wait until the quota has room for a call. Raises Stopped where none is to be made."""
        if via is None:  # a kept connection may be the one that the others wait for
            self.pool.give_way()
        try:
            self.pace()
        except StoreLost as err:
            self.journal.stopped = f"{err}; the rest was not sent"
            raise Stopped from None
        if self.stopped and self.stop.asked:
            raise Stopped

    def attempt(self, number: int, keep: Callable[[Exchange], None]) -> Attempt:
        return Attempt(number, f"{self.seed}/{self.contract.name}", keep)

    def start_over(self, exchanges: Iterable[Exchange]) -> None:
        """Go on with a journal of these exchanges."""
        self.journal.exchanges = Exchanges()
        self.sight = Sight(self.contract, self.journal.exchanges)
        for exchange in exchanges:
            self.keep(exchange)

    def keep(self, exchange: Exchange) -> None:
        """Put an exchange into the journal, and before the eyes."""
        self.journal.exchanges.append(exchange)
        self.sight.note(exchange)

    def cancel(
        self,
        attempt: Attempt,
        situation: Situation,
        position: int,
        target: Resource,
        neighbour: Resource | None = None,
        via: Transport | None = None,
        *,
        anew: bool = False,
    ) -> Exchange:
        """Make one call on the cancel route, on a connection of its own, or on one that `via`
        keeps. `anew`: where what came there is not to be believed it is to be made again, and this
        one stands for the connection alone. Raises Stopped where none is to be made.
        """
        own, again = f"{self.seed}-{attempt.number}-{position}", situation.call == "repeated"
        unique = attempt.unique(own, again=again)
        names = Names(target.text, neighbour.id if neighbour else target.text, unique)
        carried = self.identities.credentials(situation.identity, situation.owner)
        said = (situation, target.segment, names, carried, attempt.request_id(), self.parameters)
        request = cancel_request(self.contract, self.base_url, *said)
        self._pace(via)
        # RFC 9112 section 6.1: no chunked request to a server not known to speak HTTP/1.1.
        chunked = situation.transfer == "chunked" and self._version != "1.0"
        who = self.identities.name(situation.identity)
        number = self._announce(request, situation, who, target, neighbour)
        # RFC 9112 section 9.3: HTTP/1.0 ends with its answer, where nobody asks otherwise.
        kept = via is not None and request.version == "1.1"
        send, closing = (via or self.transport).send, self.contract.name
        answer = send(request, keep_alive=kept, chunked=chunked, closing=closing)
        if self.usual_seconds and via is None:
            self.pool.heard(answer.seconds / self.usual_seconds)
        if number is not None:
            self.ledger.answered(number, answer.received.status if answer.received else None)
        answer = replace(answer, sent=masked(answer.sent, carried, who))
        exchange = self._exchange("cancel", (attempt, situation, position, target), answer, who)
        if answer.received is not None and carried.secret:
            exchange = replace(exchange, echoed=self._echoes.holds(answer.received, carried))
        if anew and astray(self.composition, exchange):
            exchange = replace(exchange, situation=replace(situation, call="reused"))
            self.closed += exchange.received is None
        self._keep(attempt, exchange)
        return exchange

    def _announce(
        self,
        request: Sent,
        situation: Situation,
        who: str,
        target: Resource,
        neighbour: Resource | None,
    ) -> int | None:
        """Write into the ledger a call that names a resource which exists, or nearly does: whatever
        it is answered, it may take effect.
        """
        if situation.resource not in ("cancellable", "final") and not target.near:
            return None
        named = [target.near or target.id]
        if neighbour is not None and "{neighbour}" in situation.body.text:
            named.append(neighbour.id)
        name = self.contract.name
        return self.ledger.cancel(name, self.base_url, request.method, who, situation.state, named)

    def observe(
        self,
        attempt: Attempt,
        situation: Situation,
        position: int,
        resource: Resource,
        role: Role = "target",
        via: Transport | None = None,
    ) -> Observation | None:
        """Look at a resource as the primary identity; None where no GET shows it.

        `via` keeps the connection for a call.
        """
        if not self.observes or self.sight.observable is False:
            return None
        if position == 0 and self.stop.asked:
            raise Stopped  # what comes before a call is of no use without it
        try:
            carried = self.identities.observing()
        except Broken:
            return None  # its token has expired: nothing is to be seen any more
        unique = attempt.uuid()
        who, about = self.identities.name("primary"), (attempt, situation, position, resource)

        def keep(answer: Answer, carried: Carried) -> Exchange:
            got = answer.received and self._digests.kept(resource.id, answer.received)
            answer = replace(answer, sent=masked(answer.sent, carried, who), received=got)
            exchange = replace(self._exchange("observe", about, answer, who), role=role)
            self._keep(attempt, exchange)
            return exchange

        def ask(carried: Carried) -> Answer:
            said = (resource.id, carried, unique, self.parameters)
            request = observe_request(self.contract, self.base_url, *said)
            *astray, answer = looks(self.transport, request, via)
            self.closed += sum(each.received is None for each in astray)
            for each in (x for x in astray if x.received is not None):
                keep(each, carried)
            return answer

        answer = ask(carried)
        if self._hear(answer) and answer.received is not None and answer.received.status == 401:
            carried = self.identities.observing()  # made anew, by its clock
            answer = ask(carried)
        told, limits = answer.received, self.contract.limit_statuses
        if told and put_off(told, limits) and self.wait_budget.wait_as_asked(told):
            answer = ask(carried)
        return observe(keep(answer, carried), self.contract.lifecycle)

    def _hear(self, answer: Answer) -> bool:
        """Learn the target's clock, and tell of it; whether tokens are minted anew for it."""
        told = self.identities.clock.learn(answer.received)
        if told is None or not self.identities.minted:
            return False
        self.journal.notes.append(told)
        return self.identities.clock.ahead != 0

    def _exchange(
        self,
        kind: Literal["cancel", "observe"],
        about: tuple[Attempt, Situation, int, Resource],
        answer: Answer,
        who: str,
    ) -> Exchange:
        self._hear(answer)
        attempt, situation, position, resource = about
        return Exchange(
            contract=self.contract.name,
            scenario=attempt.number,
            position=position,
            kind=kind,
            situation=situation,
            identity=who,
            resource=resource.id,
            sent=answer.sent,
            received=answer.received,
            failure=answer.failure,
            detail=answer.detail,
            started=time.monotonic() - self.started - answer.seconds,
            seconds=answer.seconds,
            reused=answer.reused,
            limit_statuses=self.contract.limit_statuses,
        )

    @property
    def idle_seconds(self) -> float:
        """How long ago the last call on the route was answered."""
        return time.monotonic() - self._last_call

    def _keep(self, attempt: Attempt, exchange: Exchange) -> None:
        if exchange.kind == "cancel":
            self._last_call = time.monotonic()
        with self._lock:
            attempt.keep(exchange)
            if (reached := self._limits.reached(exchange)) and not self.journal.stopped:
                self.journal.stopped = reached
            if exchange.received is not None and exchange.sent.version == "1.1":
                self._version = exchange.received.version
        if self.transport.serves_one:
            self.pool.narrow()
        self.progress(exchange.kind, 1)
        if log.isEnabledFor(logging.DEBUG):
            told = exchange.status if exchange.received else exchange.failure
            what = f"{exchange.sent.method} {exchange.sent.url} as {exchange.identity}"
            log.debug("%s: %s, %.0f ms", what, told, exchange.seconds * 1000)

    def probe(self, attempt: Attempt) -> None:
        """Ask whether anybody is there, with a GET: any answer tells a hanging call from a
        dead target.
        """
        resource, who = Resource.of(attempt.fresh(self.contract.id)), "anonymous"
        sent = probe_request(self.contract, self.base_url, resource.id, self.parameters)
        answer, facts = self.transport.send(sent), ordinary(self.contract)
        facts = replace(facts, resource="unknown", id=Form("unknown"), identity=who)
        self._keep(attempt, self._exchange("observe", (attempt, facts, 0, resource), answer, who))

    def wait_out(self, exchange: Exchange, attempts: int, *, one_of_two: bool = False) -> bool:
        """Wait as a 429 or a 503 asks; False where the call is to be given up, and the run with it.

        Of two simultaneous calls a server may put off one each time: that alone ends no run.
        """
        if attempts >= THROTTLED_CALLS and one_of_two:
            return False
        if attempts >= THROTTLED_CALLS:
            self.journal.stopped = (
                f"the target answers {exchange.status} again and again; the rest was not sent"
            )
            return False
        seconds = seconds_asked(exchange.received)
        if self.wait_budget.wait(seconds) or self.stopped:
            return True
        self.journal.stopped = (
            f"the target answers {exchange.status} and asks to wait {seconds:.0f} s, more than"
            " --max-wait allows"
        )
        return False
