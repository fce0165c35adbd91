"""A series of calls that somebody else made, in the order of time, as exchanges with what each
shows of its situation.

Pure. Rules, each so that what was not seen can only take from what is said of a server:
- A call that another one on the same resource overlaps comes neither before nor after it.
- A scenario ends where sight of the resource is lost: what a look shows is "before" a call only
  where nothing that may have changed the resource lies between.
- A look soon after a success that shows no effect, and is the last, does not say that there is
  none.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from cancel_contracts.exchange import RECORDED, Exchange, struck_out
from cancel_contracts.foreign.heard import Heard, once
from cancel_contracts.foreign.situation import UNTOLD, State, exchange, state_of
from cancel_contracts.journal import Exchanges
from cancel_contracts.parse import success
from cancel_contracts.sight.observation import Observation, effect_seconds, observe
from cancel_contracts.sight.sight import Sight

TWICE = "recorded twice"
OVERLAPS = "looked while a cancel was under way"
PUT_OFF = "put off by a temporary server error"
TOO_SOON = "looked too soon after a success to tell of its effect"


def exchanges(heard: Sequence[Heard]) -> tuple[list[Exchange], Counter[str]]:
    """Return the exchanges that can be judged, in the order of time, and how many calls were set
    aside for each reason.
    """
    ordered = sorted(heard, key=lambda call: call.started)  # ties stay in their order
    unread = [call for call in ordered if call.where is None]
    resources: dict[tuple[str, str, str], list[Heard]] = defaultdict(list)
    shown: set[str] = set()  # contracts whose GET has shown a resource
    for call in ordered:
        if call.where is not None:
            resources[call.resource].append(call)
            if not call.cancels and call.status == 200:
                shown.add(call.where.contract.name)
    left = Counter(call.left.why for call in unread if call.left)
    numbers = iter(range(1, 2 * len(ordered) + 2))
    found: list[Exchange] = []
    for (contract, *_), calls in resources.items():
        kept = once(calls)
        left[TWICE] += len(calls) - len(kept)
        everything = sorted([*kept, *unread], key=lambda call: call.started)
        found += _History(everything, numbers, contract in shown, left).told()
    return sorted(found, key=lambda x: x.started), +left


@dataclass
class _History:
    """The calls on one resource, and those that may have been, in the order of time."""

    calls: Sequence[Heard]
    numbers: Iterator[int]
    observable: bool  # a 404 of the GET means that there is no such resource
    left: Counter[str]
    state: State = UNTOLD
    cancelled: bool | None = False  # whether a call has cancelled it; None: not known
    last_act: Heard | None = None  # what may have changed it since the last look
    number: int = 0  # of the scenario
    position: int = 0
    found: dict[int, Exchange] = field(default_factory=dict)  # by place in `calls`
    keys: set[tuple[str, ...]] = field(default_factory=set)  # that calls have carried

    def told(self) -> list[Exchange]:
        self._next()
        self.beside = _overlapping(self.calls)
        for at, call in enumerate(self.calls):
            if call.where is None or call.left is not None:
                self._leave(call)
            elif call.cancels:
                self._cancel(at, call)
            else:
                self._look(at, call)
        early = {at for call in range(len(self.calls)) for at in self._early(call)}
        self.left[TOO_SOON] += len(early)
        return [x for at, x in self.found.items() if at not in early]

    def _next(self) -> None:
        """Begin a scenario: nothing is known of what was before."""
        self.number, self.position, self.last_act = next(self.numbers), 0, None

    def _lose(self, call: Heard) -> None:
        """Lose sight of the resource: what comes is judged by itself."""
        self._next()
        self.state, self.last_act = UNTOLD, call
        self.cancelled = self.cancelled or None

    def _leave(self, call: Heard) -> None:
        assert call.left is not None
        if call.where is not None:
            self.left[call.left.why] += 1
        if call.left.may_have_acted:
            self._lose(call) if call.where is None or call.cancels else self._overlook()

    def _overlook(self) -> None:
        """A look that does not tell may have seen another state than the one before."""
        last_act, self.state = self.last_act, UNTOLD
        self._next()
        self.last_act = last_act

    def _look(self, at: int, call: Heard) -> None:
        if any(self.calls[other].cancels for other in self.beside[at]):
            self.left[OVERLAPS] += 1
            self._overlook()
            return
        assert call.where is not None
        life, seen = call.where.contract.lifecycle, self._seen(self._exchange(call, "first"))
        if seen is None:
            self._overlook()
        self.found[at] = self._exchange(call, "first")
        if seen is None:
            return
        before = self._before(at)
        if self.last_act is not None and (
            call.started >= self.last_act.ended + effect_seconds(life)
            or self._shows(call, before, seen)
        ):
            self.last_act = None
        if not self.cancelled:
            gone: State = ("unknown", None) if self.observable else UNTOLD
            shows = seen.entity
            self.state = gone if shows is None else state_of(call.where.contract, shows)

    def _cancel(self, at: int, call: Heard) -> None:
        acts = call.acts()
        if call.put_off(self.calls[at + 1 :]):
            self.left[PUT_OFF] += 1
            if acts is None:
                self._lose(call)
            return
        key, twin = _key(call), self._twin(at)
        beside = [other for other in self.beside[at] if self.calls[other].cancels]
        word = "second" if self.cancelled else RECORDED if self.cancelled is None else "first"
        if word == "second" and self._under_way(call):
            word = RECORDED
        if twin is not None and twin in self.found:
            word = self.found[twin].situation.call
        elif beside:
            word = "concurrent" if twin is not None and word == "first" else RECORDED
            if word == RECORDED:
                self.last_act = call
        if self.last_act is not None and not (twin in self.found and word == "concurrent"):
            self._next()
        if key and word in ("first", "second"):
            told = not any(text == f"<{RECORDED}>" or struck_out(text) for text in key)
            word = word if told and key not in self.keys else "repeated" if told else RECORDED
        self.keys.add(key)
        self.position += 1
        self.found[at] = self._exchange(call, word)
        if acts is not False:
            self.last_act = call
            self.cancelled = True if acts else self.cancelled or None

    def _under_way(self, call: Heard) -> bool:
        """Whether what was done before a call may still be under way: a page gives it its time."""
        assert call.where is not None
        within = call.where.contract.lifecycle.within
        act = self.last_act
        return within is not None and act is not None and call.started < act.ended + within

    def _twin(self, at: int) -> int | None:
        """Return the one other cancel that was made at the same time, where there is just one."""
        beside = self.beside[at]
        if len(beside) != 1 or self.beside[beside[0]] != [at]:
            return None
        pair = self.calls[at], self.calls[beside[0]]
        plain = all(
            c.where and c.cancels and c.status and c.sent.method == c.where.contract.method
            for c in pair
        )
        return beside[0] if plain and not any(c.put_off(()) for c in pair) else None

    def _exchange(self, call: Heard, word: str) -> Exchange:
        assert call.where is not None
        state = self.state
        if state[0] == "unknown" and success(call.status) and not self._stays_unknown(call):
            state = UNTOLD  # it may have come to be since
        if call.sent.method == "OPTIONS" and state[0] != "cancellable":
            state = UNTOLD  # a preflight is answered alike, whatever the state
        return exchange(
            call.where,
            call.sent,
            call.received,
            known=None if state == UNTOLD else state,
            scenario=self.number,
            position=self.position,
            call=word,
            started=call.started,
            seconds=call.seconds,
        )

    def _stays_unknown(self, call: Heard) -> bool:
        assert call.where is not None
        due = call.ended + effect_seconds(call.where.contract.lifecycle)
        looks = [other.status for other in self.calls if not other.cancels and other.started >= due]
        return bool(looks) and all(status in (404, 410) for status in looks)

    def _before(self, at: int) -> Observation | None:
        """Return the last look of the scenario that was made before any call of it."""
        looks = [
            x
            for place, x in self.found.items()
            if place < at and (x.scenario, x.position, x.kind) == (self.number, 0, "observe")
        ]
        return self._seen(looks[-1]) if looks else None

    def _seen(self, look: Exchange) -> Observation | None:
        where = next(call.where for call in self.calls if call.where is not None)
        return observe(look, where.contract.lifecycle)

    @staticmethod
    def _shows(call: Heard, before: Observation | None, seen: Observation) -> bool:
        assert call.where is not None
        return Sight(call.where.contract, Exchanges()).took_effect(before, seen) == "cancelled"

    def _early(self, at: int) -> set[int]:
        """Return the looks after a success that show no effect, where none was made when it was
        due, or a later one may have shown it.
        """
        call = self.calls[at]
        if at not in self.found or call.where is None or not call.cancels or not call.acts():
            return set()
        due = call.ended + effect_seconds(call.where.contract.lifecycle)
        self.number = self.found[at].scenario
        before, looks, last = self._before(at), [], False
        for place in range(at + 1, len(self.calls)):
            other = self.calls[place]
            if other.where is not None and other.cancels and other.left is None:
                break
            seen = self._seen(self.found[place]) if place in self.found else None
            if seen is None:
                last = last and other.left is not None and not other.left.may_have_acted
                continue
            if self._shows(other, before, seen):
                return set()
            looks.append(place)
            last = other.started >= due
        return set() if last else set(looks)


def _overlapping(calls: Sequence[Heard]) -> list[list[int]]:
    """Return for each call the places of those on its resource that it overlaps."""
    found: list[list[int]] = [[] for _ in calls]
    going: list[int] = []
    for at, call in enumerate(calls):
        going = [other for other in going if calls[other].latest > call.started]
        if call.where is None or (call.left is not None and not call.left.may_have_acted):
            continue
        for other in going:
            if call.overlaps(calls[other]):
                found[at].append(other)
                found[other].append(at)
        going.append(at)
    return found


def _key(call: Heard) -> tuple[str, ...]:
    """Return the texts by which a call is known again as the same one, such as its Idempotency-Key;
    none where the contract has no such parameter, or the call does not carry it.
    """
    assert call.where is not None
    found = []
    query = parse_qs(urlsplit(call.sent.url).query)
    for each in call.where.contract.keys:
        lines = [v for name, v in call.sent.headers if name.lower() == each.name.lower()]
        texts = lines if each.place == "header" else query.get(each.name, [])
        found += texts[:1]
    return tuple(found)
