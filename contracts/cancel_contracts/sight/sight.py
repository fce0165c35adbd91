"""Sight: what the looks at resources show, told exchange by exchange.

The run holds one while it goes, the judge builds one from the journal: fed the same exchanges in
the same order, both come to the same answers, so that nothing is decided twice. Pure.

Where a page names the state that a cancel leads to, that state is its effect. Where none does, any
change is, but for what changes by itself (*volatile*): running numbers, and properties that were
seen to differ from look to look with no call between. A change of the state is believed at once,
any other (`servedAt`, `updatedAt`, `upFor: 12 s`) when it was seen to stand still.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.states import GONE
from cancel_contracts.exchange import Exchange
from cancel_contracts.journal import Exchanges
from cancel_contracts.sight.comparison import Comparison, Effect
from cancel_contracts.sight.observation import (
    OVERDUE_SECONDS,
    Observation,
    effect_seconds,
    is_open,
    marks,
    observe,
    taken_back,
)
from cancel_contracts.sight.scenes import Scene, Scenes


class Sight(Comparison):
    """What the exchanges of one contract, shown in their order, tell of resources."""

    def __init__(self, contract: Contract, exchanges: Exchanges) -> None:
        """Take the exchanges that looks are to be read from; each is to be noted once it is in."""
        super().__init__(contract)
        self._exchanges = exchanges
        # None: never tried; False: the target has no GET that shows a resource which exists.
        self.observable: bool | None = None
        self._blind: set[int] = set()  # scenarios with a look that went unanswered
        self._mute: set[int] = set()  # and with one that was put off, or failed
        self._calls_on: dict[str, list[float]] = {}  # when calls on a resource began
        self._scenes = Scenes(exchanges, self.life)

    def note(self, exchange: Exchange) -> None:
        """Take the next exchange."""
        if exchange.way_in:
            return
        self._scenes.forget(exchange.scenario)
        if not self.life.after:
            self._clocks.note(exchange)
        if exchange.kind == "cancel":
            if exchange.situation.resource == "cancellable":
                self._calls_on.setdefault(exchange.resource, []).append(exchange.started)
            return
        if exchange.unanswered:
            self._blind.add(exchange.scenario)
        elif exchange.status == 401 or exchange.limited or (exchange.status or 0) >= 500:
            self._mute.add(exchange.scenario)
        if not self.observable and exchange.position == 0 and _exists(exchange):
            seen = observe(exchange, self.life)
            if not exchange.unanswered:
                self.observable = seen is not None and not seen.gone

    def control(self) -> Exchange | None:
        """Return a look at a resource that no call may have changed, to look there again."""
        return self._clocks.control()

    # The looks around a call.

    def scene(self, scenario: int) -> Scene:
        """Return a scenario as far as it has come."""
        return self._scenes.of(scenario)

    def _looks(self, exchange: Exchange, role: str = "target") -> Sequence[Observation]:
        return self.scene(exchange.scenario).looks.get(role, ())

    def before(self, exchange: Exchange, role: str = "target") -> Observation | None:
        """Return the last look before the call. Between calls at once nothing is looked at."""
        looks = reversed(self._looks(exchange, role))
        return next((o for o in looks if o.exchange.position < exchange.position), None)

    def after(
        self, exchange: Exchange, role: str = "target", resource: str | None = None
    ) -> Observation | None:
        """Return the last look after the call and before the next, at one resource where that is
        named: in a walk it may have been called by itself since, and what shows then is of that.
        None for calls at once: what shows is of all of them.
        """
        if exchange.situation.call == "concurrent":
            return None
        began = exchange.started
        own = (at for at in self._calls_on.get(resource or "", ()) if at > began)
        end = min(own, default=inf)
        return next(
            (
                o
                for o in reversed(self._looks(exchange, role))
                if o.exchange.position == exchange.position
                and (
                    resource is None
                    or (o.exchange.resource == resource and o.exchange.started < end)
                )
            ),
            None,
        )

    def start(self, exchange: Exchange) -> Observation | None:
        """Return the last look before the call, or where a cancel leaves nothing behind one of the
        scenario that showed the resource.
        """
        before = self.before(exchange)
        if before is None or not (before.gone and self.life.vanishes):
            return before
        looks = (o for o in self._looks(exchange) if o.exchange.position < exchange.position)
        return next((o for o in looks if not o.gone), before)

    def others_doing(self, exchange: Exchange, until: Observation) -> bool:
        """Whether what shows between the look before a refused call and a later one is rather the
        doing of a call on the same resource in between that was served.
        """
        before = self.before(exchange)
        begun, end = before.exchange.position if before else 0, until.exchange.position
        calls = self.scene(exchange.scenario).calls
        between = (
            x for x in calls if begun < x.position <= end and x.resource == exchange.resource
        )
        return exchange.refused and any(x.succeeded for x in between)

    def vanished(self, exchange: Exchange) -> bool:
        """Whether a resource that is not there before the call has been: it was set up as gone, or
        a cancel of the scenario left nothing behind.
        """
        if exchange.situation.state == GONE:
            return True
        start = self.start(exchange)
        return start is not None and not start.gone

    def neighbours(self, exchange: Exchange) -> list[Observation]:
        """Return the last look before the call at each that stood beside it then."""
        looks = self._looks(exchange, "neighbour")
        began = max(
            (o.exchange.position for o in looks if o.exchange.position < exchange.position),
            default=0,
        )
        found = {o.exchange.resource: o for o in looks if o.exchange.position == began}
        return [*found.values()]

    def later(self, exchange: Exchange) -> list[Observation]:
        """Return every look since the call."""
        return [o for o in self._looks(exchange) if o.exchange.position >= exchange.position]

    def last(self, exchange: Exchange, role: str = "target") -> Observation | None:
        """Return what showed at the end of the run, beyond the last call of the scenario."""
        end = self.scene(exchange.scenario).end
        looks = reversed(self._looks(exchange, role))
        return next((o for o in looks if o.exchange.position > end), None)

    def settled(self, exchange: Exchange) -> bool:
        """Whether what earlier calls of the scenario did had shown before this one: where it had
        not, what shows after it may be of those. Where no page names the state after a cancel, it
        may go through several, but for those that can be cancelled. Where several properties tell
        it, one may follow the other, and what it fills in may follow the state.
        """
        before, after = self.before(exchange), self.after(exchange)
        calls = self.scene(exchange.scenario).calls
        earlier = [x for x in calls if x.position < exchange.position and not x.refused]
        if before is None or not earlier:
            return True
        if after is not None:
            start = self.start(earlier[0])
            late = self.filled(start, before, after)
            own = any(_own(value, exchange, earlier) for value in late)
            if self.follows(start, before, after) or (late and not own):
                return False
        if not self.life.after and before.entity and after is not None and after.entity:
            moves = marks(self.life, before.entity) != marks(self.life, after.entity)
            if moves and not is_open(self.life, after.entity):
                return False
        return all(self.took_effect(self.start(x), before) == "cancelled" for x in earlier)

    def unseen(self, exchange: Exchange) -> bool:
        """Whether something of the call may have gone unseen, which a GET would have shown."""
        number = exchange.scenario
        return number in self._blind or (bool(self.observable) and number in self._mute)

    # What they tell.

    def effect(self, exchange: Exchange) -> tuple[Effect, Observation | None]:
        """Return whether a look since the call shows a cancel, and the last look that tells, or
        the first that came too late to show none.
        """
        before = self.start(exchange)
        told = [(o, self.took_effect(before, o)) for o in self.later(exchange)]
        known = [(o, effect) for o, effect in told if effect != "unknown"]
        if not known:
            return "unknown", None
        for look, effect in known:
            if effect == "cancelled":
                break
            if self._over(exchange, look):
                return "not", look
        done = any(effect == "cancelled" for _, effect in known)
        return "cancelled" if done else "not", known[-1][0]

    def _over(self, exchange: Exchange, look: Observation) -> bool:
        """Whether a look came when the time was over that a page gives the effect, or anybody."""
        ended = exchange.started + exchange.seconds
        return look.exchange.started >= ended + effect_seconds(self.life, OVERDUE_SECONDS)

    def lost(self, exchange: Exchange) -> Observation | None:
        """Return the last look of the run where it shows no more what the call led to: another
        state, one that can be cancelled again, or not what was written when the scenario ended, or
        less. What a later call of it wrote instead is that one's doing.
        """
        last, after = self.last(exchange), self.ended(exchange)
        if last is None or after is None:
            return None
        if self.took_effect(self.start(exchange), last) == "not":
            return last
        if after.entity is None or last.entity is None:
            return None
        if is_open(self.life, last.entity) and not is_open(self.life, after.entity):
            return last
        if taken_back(self.life, after.entity, last.entity):
            return last
        written = {
            n: v for n in (*self.life.records, *self.life.sets) if (v := after.entity.get(n))
        }
        kept = all(last.entity.get(name) == value for name, value in written.items())
        return last if not kept or self.shortened(exchange) else None

    def shortened(self, exchange: Exchange) -> list[str]:
        """Return the lists that a call may add to, and that are shorter at the end of the run than
        when the scenario ended.
        """
        last, after = self.last(exchange), self.ended(exchange)
        was, now = ((look and look.entity) or {} for look in (after, last))
        rows = {name: (was.get(name), now.get(name) or []) for name in self.life.touches}
        both = {n: (a, b) for n, (a, b) in rows.items() if isinstance(a, list)}
        return sorted(n for n, (a, b) in both.items() if isinstance(b, list) and len(b) < len(a))

    def ended(self, exchange: Exchange) -> Observation | None:
        """Return what showed when the calls of the scenario had been made."""
        end = self.scene(exchange.scenario).end
        looks = reversed(self.later(exchange))
        return next((o for o in looks if o.exchange.position <= end), None)

    def cancels(self, exchange: Exchange) -> bool:
        """Whether a call is a success that has to take effect."""
        acts = exchange.sent.method == self.life.method
        able = exchange.situation.resource == "cancellable" and acts
        return exchange.kind == "cancel" and exchange.succeeded and able

    def due(self, exchange: Exchange) -> Effect | None:
        """Return what the last look tells of a success whose effect is to be looked for again.

        None where there is nothing to look for: the call was not to take effect, another one of the
        scenario had succeeded before, it shows, or no look could show it.
        """
        if exchange.way_in or not self.cancels(exchange):
            return None
        before, looks = self.before(exchange), self.later(exchange)
        known = bool({*self.life.after} - {GONE}) if before is None else not before.gone
        if not known or not looks or looks[-1].gone or self._over(exchange, looks[-1]):
            return None
        calls = self.scene(exchange.scenario).calls
        begun = exchange.position - 1 if before is None else before.exchange.position
        if any(x.succeeded and x.position <= begun for x in calls):
            return None
        effect = self.took_effect(before, looks[-1])
        open_ = effect == "not" or (effect == "unknown" and not self.life.after)
        return effect if open_ else None


def _exists(look: Exchange) -> bool:
    """Whether a look was at a resource that there is, as far as anybody knows."""
    return look.situation.resource not in ("unknown", "odd") and look.situation.state != GONE


def _own(value: Any, exchange: Exchange, earlier: Sequence[Exchange]) -> bool:
    """Whether a value is what a call says or goes by, and none of those before it."""
    text = str(value).casefold()

    def says(call: Exchange) -> bool:
        body = call.sent.body.decode("utf-8", "replace").casefold()
        name = call.identity.casefold()
        return text in body or (name != "" and name in text)

    return says(exchange) and not any(map(says, earlier))
