"""What the judge knows of a journal beside the exchange in hand: what its looks show (`sight`), and
what one pass over the whole has told of the answers.

Pure. Judging stays linear in exchanges and holds few of them at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from cancel_contracts.contract.compose import Composition, composed
from cancel_contracts.contract.credentials import NAMESAKES
from cancel_contracts.contract.given import kind_of
from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.places import opened
from cancel_contracts.exchange import NOBODY_THERE, RECORDED, Exchange, Situation
from cancel_contracts.journal import Journal
from cancel_contracts.judge.late import Ends, ends
from cancel_contracts.judge.sent import sent_object
from cancel_contracts.sight.ended import telling
from cancel_contracts.sight.sight import Sight

OWN_CHARS = 6  # of a text that no server says by itself


@dataclass
class Context:
    """A contract's journal, and what all of it together tells."""

    contract: Contract
    journal: Journal
    last_answered: float = -1.0  # when the last call that was answered began
    last_refused: float = -1.0  # when a call last found nobody there
    broken_off: list[float] = field(default_factory=list)  # when calls closed unanswered began
    throttled: set[Situation] = field(default_factory=set)
    hurried: set[Situation] = field(default_factory=set)  # made too soon after the call before
    served: dict[Situation, float] = field(default_factory=dict)  # when last answered but by 429
    seconds: set[int] = field(default_factory=set)  # how a second call in a row was answered
    sight: Sight = field(init=False)
    composition: Composition = field(init=False)

    def __post_init__(self) -> None:
        self.composition = composed(self.contract)
        self.sight = Sight(self.contract, self.journal.exchanges)
        for exchange in self.journal.exchanges:
            self.sight.note(exchange)
            if not exchange.way_in:
                self._note(exchange)

    def _note(self, exchange: Exchange) -> None:
        status, situation = exchange.status, exchange.situation
        if exchange.received is not None:
            self.last_answered = max(self.last_answered, exchange.started)
        elif exchange.failure in NOBODY_THERE:
            self.last_refused = max(self.last_refused, exchange.started)
        elif exchange.failure in ("closed", "reset"):
            self.broken_off.append(exchange.started)
        if exchange.kind == "observe":
            return
        if exchange.put_off:
            self.throttled.add(kind_of(situation))
        elif status:
            self.served[situation] = max(self.served.get(situation, 0.0), exchange.started)
        second = situation.call == "second" and situation.resource == "cancellable"
        told = situation.identity != RECORDED  # else it may be refused for any other reason
        if status and second and told and not self.is_first(exchange):
            self.seconds.add(status)

    def is_first(self, exchange: Exchange) -> bool:
        """Whether what was to be the second call in a row is a first: those before were refused.
        Not where others have recorded it: what was cancelled before they lost sight of it stays so.
        """
        if exchange.situation.call != "second":
            return False
        before = [
            x
            for x in self.journal.exchanges.of_scenario(exchange.scenario)
            if x.kind == "cancel"
            and x.resource == exchange.resource
            and x.started < exchange.started
            and not x.put_off
        ]
        if not before or before[0].situation.call in ("second", RECORDED):
            return False
        return all(x.refused for x in before)

    def too_soon(self, exchange: Exchange) -> bool:
        """Whether it is a second call while the first may still be under way: its effect had not
        shown, and the time that a page gives it was not over.
        """
        within = self.contract.lifecycle.within
        if within is None or exchange.situation.call != "second":
            return False
        begun = [
            x
            for x in self.sight.scene(exchange.scenario).calls
            if x.position < exchange.position and x.succeeded
        ]
        if not begun or exchange.started >= begun[0].started + begun[0].seconds + within:
            return False
        before = self.sight.before(exchange)
        start = self.sight.start(begun[0])
        return before is None or self.sight.took_effect(start, before) != "cancelled"

    def repeats(self, exchange: Exchange) -> Exchange | None:
        """Return the call that a repeated request repeats: the last before it that was taken."""
        before = [
            x
            for x in self.journal.exchanges.of_scenario(exchange.scenario)
            if x.kind == "cancel" and x.resource == exchange.resource and not x.put_off
            if x.started < exchange.started
        ]
        return max(before, key=lambda x: x.started, default=None)

    def made_anew(self, exchange: Exchange) -> Exchange | None:
        """Return the call that the run made in place of one on a kept connection, of which what
        came there tells of that connection alone.
        """
        if exchange.situation.call != "reused" or exchange.succeeded:
            return None
        calls = self.sight.scene(exchange.scenario).calls
        after = (x for x in calls if x.position == exchange.position + 1 and not x.reused)
        same = [replace(exchange.situation, call=word) for word in ("first", "second")]
        return next((x for x in after if x.situation in same), None)

    def as_its_namesake(self, exchange: Exchange) -> bool:
        """Whether a call is refused by whose token it carries: so is every call of theirs."""
        whose = NAMESAKES.get(exchange.situation.identity)
        return exchange.status in (401, 403) and whose in self._refused_throughout

    @cached_property
    def _refused_throughout(self) -> frozenset[str]:
        """Who called and was refused each time as one who may not."""
        calls = [x for x in self.journal.exchanges if x.kind == "cancel"]
        sound = [x for x in calls if x.situation.identity not in NAMESAKES]
        asked = {x.identity for x in sound if x.status in (401, 403)}
        return frozenset(asked - {x.identity for x in sound if x.status not in (401, 403)})

    def refused_look(self, exchange: Exchange) -> int | None:
        """Return how a look since the call was refused, by a 4xx that says so of the id."""
        for x in self.journal.exchanges.of_scenario(exchange.scenario):
            looked = x.kind == "observe" and x.position >= exchange.position and x.role == "target"
            if looked and x.refused and x.status != 401 and not x.limited:
                return x.status
        return None

    @cached_property
    def telling(self) -> frozenset[str]:
        """What of a resource that has ended is changed by nothing but a call."""
        return telling(self.contract, self.journal.exchanges, self.sight)

    @cached_property
    def answering(self) -> frozenset[str]:
        """The properties that the answer of some cancel told. What is cancelled already may be read
        anew to be answered, with what a cancel does not load.
        """
        found: set[str] = set()
        for x in self.journal.exchanges:
            anew = x.situation.call in ("first", "reused") and self.sight.cancels(x)
            value = x.received.json() if anew and x.received else None
            if isinstance(value, dict):
                shown = opened(value, self.contract.lifecycle.ways)
                found.update(name for name, one in shown.items() if one is not None)
        return frozenset(found)

    @cached_property
    def given(self) -> Mapping[str, Collection[str]]:
        """The texts that calls gave to be kept and that nobody else would say, each with the
        resources that it was given for.
        """
        found: dict[str, set[str]] = defaultdict(set)
        sources = {*self.contract.lifecycle.records.values()}
        usual = str([*self.contract.bodies.values()])
        for x in self.journal.exchanges if sources else ():
            said = sent_object(self.contract, x) if x.kind == "cancel" else {}
            texts = (said.get(source) for source in sources)
            for text in (t for t in texts if isinstance(t, str) and t not in usual):
                if len(text) >= OWN_CHARS:
                    found[text].add(x.resource)
        return found

    @cached_property
    def ends(self) -> Ends:
        """What shows at the end of the run, where no page names the state after a cancel."""
        return ends(self.contract.lifecycle, self.journal.exchanges, self.sight)

    @cached_property
    def fatal(self) -> float | None:
        """When the call began that the target took and did not outlive: it answered calls before,
        closed this one, and from then on nobody was there.
        """
        last = min((at for at in self.broken_off if at > self.last_answered), default=None)
        outlived = last is None or self.last_answered < 0 or self.last_refused < last
        return None if outlived else last

    def dead(self, exchange: Exchange) -> bool:
        """Whether nobody answered: not this call nor any later one. A target that is gone breaks no
        promise, but by the call that ended it.
        """
        if exchange.failure in NOBODY_THERE:
            return True
        gone = exchange.received is None and exchange.started > self.last_answered
        return gone and exchange.started != self.fatal
