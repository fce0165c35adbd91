"""Provider states: a resource put in a named state, by the target's handler (Pact's wire form),
from given ids, or by a documented call that creates one.

Knows no state by name. Sends through the transport it is handed.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cancel_contracts.errors import Broken, Refused
from cancel_contracts.exchange import NOBODY_THERE, Received, Sent
from cancel_contracts.ledger.ledger import Ledger
from cancel_contracts.needs import Gap, of_resource
from cancel_contracts.parse import success
from cancel_contracts.provider_states.handler import in_words, values_of
from cancel_contracts.provider_states.provision import (
    Provisioner,
    made_nothing,
    maybe_left,
    too_few,
)
from cancel_contracts.targets.file import Site
from cancel_contracts.transport.client import Answer, Transport

CONSUMER = "cancel-contracts"
BROKEN_HANDLER_CALLS = 3
THROTTLED_CALLS = 4  # to a handler that asks to wait each time


@dataclass(frozen=True)
class Made:
    """A set-up of the handler: its number in the ledger, and what a tear-down is told."""

    number: int
    state: str
    values: dict[str, object]


def state_request(
    site: Site, action: str, state: str, params: dict[str, object] | dict[str, str]
) -> Sent:
    """Return the call of a site's handler: `action` is setup or teardown."""
    assert site.handler is not None
    article = "an" if site.contract[0] in "aeiou" else "a"
    document = {
        "consumer": CONSUMER,
        "state": f"{article} {site.contract} in state {state}",
        "action": action,
        "params": params,
    }
    headers = (("Content-Type", "application/json"),)
    return Sent("POST", site.handler, headers, json.dumps(document).encode())


class ProviderStates:
    """Resources in named states for one contract, torn down at the end of the run."""

    def __init__(
        self,
        site: Site,
        transport: Transport,
        ledger: Ledger | None = None,
        provisioner: Provisioner | None = None,
        waited: Callable[[Received], bool] = lambda received: False,
    ) -> None:
        """`waited` waits as an answer asks, where that may be; it returns whether it did."""
        self.site, self.transport, self.waited = site, transport, waited
        self.ledger, self.provisioner = ledger or Ledger(), provisioner
        self._posts = 0
        self._made: list[Made] = []
        self._ids: dict[tuple[str, str | None], list[str]] = {}
        self._spent: dict[tuple[str, str | None], int] = defaultdict(int)
        self._refused: dict[tuple[str, bool], Gap] = {}
        self._idle: dict[tuple[str, str | None], list[str]] = defaultdict(list)
        self._broken = 0
        self._orphans: list[str] = []
        self.handed: list[str] = []  # every id as often as it was acquired
        # Whether the handler keeps one resource at a time: it gives the same id again, or each
        # set-up ends the one before.
        self.single = False

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
        keep_alive: bool = False,
    ) -> str:
        """Return the id of a resource in a state.

        An id of the target file, or a created one, is used up where `spends` is true: the call may
        cancel it. `offset` asks for another one beside it, `keep_alive` for the connection of a
        call that was made with it. Raises Refused or Broken.
        """
        id_ = self._next(state, owner, spends, offset, keep_alive)
        self.handed.append(id_)
        return id_

    def _next(
        self, state: str, owner: str | None, spends: bool, offset: int, keep_alive: bool
    ) -> str:
        if self.site.handler is None:
            return self._given(state, owner, spends, offset)
        if self._idle[state, owner]:
            return self._idle[state, owner].pop()
        if gap := self._refused.get((state, bool(owner))):
            raise Refused(gap)
        if self._broken >= BROKEN_HANDLER_CALLS:
            raise Broken("the provider-state handler has failed before")
        params = {"contract": self.site.contract, "state": state}
        if owner:
            params["owner"] = owner
        number = self.ledger.set_up(self.site.contract, state, self.site.handler, params)
        values = self._set_up(number, state, owner, params, keep_alive)
        self._made.append(Made(number, state, {**params, **values}))
        self.ledger.made(number, values)
        return str(values["id"])

    def give_back(self, state: str, owner: str | None, id_: str) -> None:
        """Take back a resource of the handler that is as it was: it may be acquired again."""
        if self.site.handler is not None and not self.single:
            self._idle[state, owner].append(id_)

    def _given(self, state: str, owner: str | None, spends: bool, offset: int) -> str:
        key = (state, owner)
        listed = () if owner else self.site.ids.get(state, ())
        ids = self._ids.setdefault(key, list(listed))
        at = self._spent[key] + offset
        while at >= len(ids):
            if self.provisioner is None:
                raise Refused(too_few(self.site, state, owner))
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
        keep_alive: bool,
    ) -> dict[str, object]:
        answer = self._post("setup", state, params, keep_alive)
        received, whose = answer.received, f" of {owner}" if owner else ""
        if received is None or answer.failure or received.error:
            self._broken += 1
            told = f"the provider-state handler did not answer ({answer.why})"
            if answer.failure in NOBODY_THERE:
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
        keep_alive: bool = False,
    ) -> Answer:
        request = state_request(self.site, action, state, params)
        for _ in range(THROTTLED_CALLS):
            self._posts += 1
            answer = self.transport.send(request, keep_alive=keep_alive)
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
        assert self.site.handler is not None
        self.ledger.set_up(self.site.contract, state, self.site.handler, params)
        owner = str(params["owner"]) if "owner" in params else None
        told = f"its set-up was not answered ({why}), and sent again"
        self._orphans.append(maybe_left(state, owner, told))

    def adopt(self, made: Sequence[Made]) -> None:
        """Take over what another run has set up, to tear it down."""
        self._made.extend(made)

    def tear_down(self, *, gone_is_fine: bool = False) -> list[str]:
        """Undo every set-up, newest first. Returns what failed, in words; never raises.

        `gone_is_fine`: a 404 or 410 means that somebody has torn it down already.
        """
        failures: list[str] = []
        for made in reversed(self._made):
            self.ledger.tear_down(made.number)
            answer = self._post("teardown", made.state, made.values)
            whole = answer.received and not answer.failure and not answer.received.error
            status = answer.received.status if answer.received and whole else None
            gone = (gone_is_fine or self.single) and status in (404, 410)
            if not success(status) and not gone:
                told = in_words(answer.received) if answer.received and whole else answer.why
                what = made.values.get("id") or f"a {made.state}"
                failures.append(f"tear-down of {what} failed ({told})")
                if len(failures) >= BROKEN_HANDLER_CALLS:
                    failures.append("further tear-downs were not tried")
                    break
                continue
            self.ledger.torn_down(made.number)
        self._made.clear()
        failures += self.provisioner.undo() if self.provisioner else []
        return failures + self.orphans
