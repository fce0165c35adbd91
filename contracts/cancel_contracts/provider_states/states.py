"""Provider states: a resource put in a named state, by the target's handler (Pact's wire form),
from given ids, or by a documented call that creates one.

Knows no state by name. Sends through the transport it is handed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from cancel_contracts.contract.states import GONE
from cancel_contracts.errors import Broken, Refused
from cancel_contracts.exchange import Received
from cancel_contracts.ledger.ledger import Ledger
from cancel_contracts.needs import Gap, of_resource
from cancel_contracts.parse import success
from cancel_contracts.provider_states.handler import Made, in_words, state_request, values_of
from cancel_contracts.provider_states.lost import got_nowhere, made_nothing, maybe_left
from cancel_contracts.provider_states.provision import Provisioner, too_few
from cancel_contracts.targets.file import Endpoint
from cancel_contracts.transport.client import Answer, Transport

Kind = tuple[str, str | None]  # a state, and an owner
BROKEN_HANDLER_CALLS = 3
THROTTLED_CALLS = 4  # to a handler that asks to wait each time


class ProviderStates:
    """Resources in named states for one contract, torn down at the end of the run."""

    def __init__(
        self,
        endpoint: Endpoint,
        transport: Transport,
        ledger: Ledger | None = None,
        provisioner: Provisioner | None = None,
        waited: Callable[[Received], bool] = lambda received: False,
    ) -> None:
        """`waited` waits as an answer asks, where that may be; it returns whether it did."""
        self.endpoint, self.transport, self.waited = endpoint, transport, waited
        self.ledger, self.provisioner = ledger or Ledger(), provisioner
        self._posts = 0
        self._made: list[Made] = []
        self._ids: dict[Kind, list[str]] = {}
        self._spent: dict[Kind, int] = defaultdict(int)
        self._refused: dict[tuple[str, bool], Gap] = {}
        self._idle: dict[Kind, list[str]] = defaultdict(list)
        self._broken = 0
        self._orphans: list[str] = []
        self.handed: list[str] = []  # every id as often as it was acquired
        # Whether the handler keeps one resource at a time: it gives the same id again, or each
        # set-up ends the one before.
        self.single = False
        self.vanished: set[str] = set()  # ids that a cancel may have left nothing of

    @property
    def calls(self) -> int:
        """How many calls this took so far, tear-down included."""
        return self._posts + (self.provisioner.calls if self.provisioner else 0)

    @property
    def orphans(self) -> list[str]:
        """What is maybe left though no tear-down can name it, in words."""
        return self._orphans + (self.provisioner.orphans if self.provisioner else [])

    def ask_again(self, state: str, owner: str | None) -> None:
        """Forget that a set-up was refused: one that was done without decides nothing of others."""
        self._refused.pop((state, bool(owner)), None)

    def acquire(
        self,
        state: str,
        owner: str | None,
        *,
        spends: bool,
        offset: int = 0,
        via: Transport | None = None,
    ) -> str:
        """Return the id of a resource in a state.

        An id of the target file, or a created one, is used up where `spends` is true: the call may
        cancel it. `offset` asks for another one beside it, `via` for the connection that it
        keeps. Raises Refused or Broken.
        """
        id_ = self._next(state, owner, spends, offset, via)
        self.handed.append(id_)
        return id_

    def prepare(self, kinds: Sequence[Kind], each: Callable[..., Iterable[str | None]]) -> bool:
        """Have the handler set up ahead what will be acquired, by `each` several at a time; return
        whether each is a resource of its own. Where one is not, none is handed out.
        """
        if self.endpoint.handler is None:
            return True

        def one(kind: Kind) -> str | None:
            with suppress(Refused, Broken):  # whoever acquires it is told
                return self._next(*kind, spends=False, offset=0, via=None)
            return None

        made = [row for row in zip(kinds, each(one, kinds), strict=True) if row[1] is not None]
        ids = [str(id_).casefold() for _, id_ in made]
        before = set(map(str.casefold, self.handed))
        apart = len(before.union(ids)) == len(before) + len(ids)
        for kind, id_ in made if apart else ():
            self._idle[kind].append(str(id_))
        return apart

    def _next(
        self, state: str, owner: str | None, spends: bool, offset: int, via: Transport | None
    ) -> str:
        if self.endpoint.handler is None:
            return self._given(state, owner, spends, offset)
        with suppress(IndexError):
            return self._idle[state, owner].pop()
        if gap := self._refused.get((state, bool(owner))):
            raise Refused(gap)
        if self._broken >= BROKEN_HANDLER_CALLS:
            raise Broken("the provider-state handler has failed before")
        params = {"contract": self.endpoint.contract, "state": state}
        if owner:
            params["owner"] = owner
        number = self.ledger.set_up(self.endpoint.contract, state, self.endpoint.handler, params)
        values = self._set_up(number, state, owner, params, via)
        self._made.append(Made(number, state, {**params, **values}))
        self.ledger.made(number, values)
        return str(values["id"])

    def give_back(self, state: str, owner: str | None, id_: str) -> None:
        """Take back a resource of the handler that is as it was: it may be acquired again."""
        if self.endpoint.handler is not None and not self.single:
            self._idle[state, owner].append(id_)

    def _given(self, state: str, owner: str | None, spends: bool, offset: int) -> str:
        key = (state, owner)
        listed = () if owner else self.endpoint.ids.get(state, ())
        ids = self._ids.setdefault(key, list(listed))
        at = self._spent[key] + offset
        while at >= len(ids):
            if self.provisioner is None:
                raise Refused(too_few(self.endpoint, state, owner))
            ids.append(self.provisioner.create(state, owner))
        if spends:
            self._spent[key] = at + 1
        return ids[at]

    def created(self, id_: str) -> bool:
        """Whether a documented call created this resource for the run."""
        return self.provisioner is not None and self.provisioner.made(id_)

    def cancelled(self, id_: str) -> None:
        """Take note that a cancel took effect: there is nothing to undo."""
        if self.provisioner is not None:
            self.provisioner.cancelled.add(id_)

    def discard(self, id_: str) -> None:
        """Hand an id out no more."""
        for key, ids in self._ids.items():
            if id_ in ids[self._spent[key] :]:
                ids.remove(id_)

    def _set_up(
        self,
        number: int,
        state: str,
        owner: str | None,
        params: dict[str, str],
        via: Transport | None,
    ) -> dict[str, object]:
        answer = self._post("setup", state, params, via)
        received, whose = answer.received, f" of {owner}" if owner else ""
        if received is None or answer.failure or received.error:
            self._broken += 1
            told = f"the provider-state handler did not answer ({answer.why})"
            if got_nowhere(answer):
                self.ledger.nothing_made(number)
            else:
                self._orphans.append(maybe_left(state, owner, told))
            raise Broken(told)
        if received.status == 429:
            self.ledger.nothing_made(number)
            self._broken += 1
            raise Broken("the provider-state handler answers 429 again and again")
        if not success(received.status):
            if made_nothing(received.status):
                self.ledger.nothing_made(number)
            else:
                told = f"the provider-state handler answered {in_words(received)}"
                self._orphans.append(maybe_left(state, owner, told))
            told = f"the provider-state handler refuses {state}{whose} ({in_words(received)})"
            gap = self._refused[state, bool(owner)] = Gap(told, of_resource(state, owner))
            raise Refused(gap)
        values = values_of(received)
        if values is None:
            self._broken += 1
            told = "the provider-state handler gives no JSON object with an id for a path"
            told = f"{told} ({in_words(received)})"
            self._orphans.append(maybe_left(state, owner, told))
            raise Broken(told)
        return values

    def _post(
        self,
        action: str,
        state: str,
        params: dict[str, object] | dict[str, str],
        via: Transport | None = None,
    ) -> Answer:
        request = state_request(self.endpoint, action, state, params)
        for _ in range(THROTTLED_CALLS):
            self._posts += 1
            if via is not None:
                answer = via.send(request, keep_alive=True)
            else:
                answer = self.transport.beside(request)
            if answer.received is None and answer.reused:  # the server had closed it
                if action == "setup":
                    self._sent_again(state, dict(params), answer.why)
                self._posts += 1
                answer = self.transport.send(request)
            limited = answer.received is not None and answer.received.status == 429
            if answer.received is None or not limited or not self.waited(answer.received):
                break
        return answer

    def _sent_again(self, state: str, params: dict[str, object], why: str) -> None:
        """Note a set-up that is sent again: the handler had closed the connection before it read
        the first, or after.
        """
        assert self.endpoint.handler is not None
        self.ledger.set_up(self.endpoint.contract, state, self.endpoint.handler, params)
        owner = str(params["owner"]) if "owner" in params else None
        told = f"its set-up was not answered ({why}), and sent again"
        self._orphans.append(maybe_left(state, owner, told))

    def adopt(self, made: Sequence[Made]) -> None:
        """Take over what another run has set up, to tear it down."""
        self._made.extend(made)

    def tear_down(
        self,
        *,
        gone_is_fine: bool = False,
        each: Callable[[Callable[[Made], None], Sequence[Made]], Iterable[None]] = map,
    ) -> list[str]:
        """Undo every set-up, newest first. Returns what failed, in words; never raises.

        `gone_is_fine`: a 404 or 410 means that somebody has torn it down already. `each` may undo
        several at a time.
        """
        failures: list[str] = []

        def undo(made: Made) -> None:
            if len(failures) < BROKEN_HANDLER_CALLS and (problem := self._undo(made, gone_is_fine)):
                failures.append(problem)

        for _ in each(undo, self._made[::-1]):
            pass
        if len(failures) >= BROKEN_HANDLER_CALLS:
            failures.append("further tear-downs were not tried")
        self._made.clear()
        failures += self.provisioner.undo() if self.provisioner else []
        return failures + self.orphans

    def _undo(self, made: Made, gone_is_fine: bool) -> str | None:
        """Undo a set-up; return what failed."""
        self.ledger.tear_down(made.number)
        answer = self._post("teardown", made.state, made.values)
        whole = answer.received and not answer.failure and not answer.received.error
        status = answer.received.status if answer.received and whole else None
        no_more = made.state == GONE or str(made.values.get("id")) in self.vanished
        gone = (gone_is_fine or self.single or no_more) and status in (404, 410)
        if not success(status) and not gone:
            told = in_words(answer.received) if answer.received and whole else answer.why
            what = made.values.get("id") or f"a {made.state}"
            return f"tear-down of {what} failed ({told})"
        self.ledger.torn_down(made.number)
        return None
