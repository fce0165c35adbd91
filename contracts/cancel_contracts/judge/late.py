"""What was done late, where no page names the state that a cancel leads to. Pure.

A resource may come to its end by itself while a run waits. Then others like it do, and those first
that have stood longer. So it was cancelled where it shows at the end of the run what the successes
of this run led to, where that is no end that pages name, for to no other it comes by itself; or
while an older resource still stands, and one that was in its state; or where it says in words, as
they all do, what only they say.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from cancel_contracts.contract.states import Lifecycle
from cancel_contracts.journal import Exchanges
from cancel_contracts.sight.observation import Observation, has_ended, is_open, marks
from cancel_contracts.sight.sight import Sight

_WORD = re.compile(r"[^\W\d_]{2,}")
WORDS = 3  # of a text that says what happened
LED = 2  # successes that led out of a state: then every one does
Marks = tuple[Any, ...]  # what shows where the state does


@dataclass(frozen=True)
class Ends:
    """What shows at the end of a run: `cancelled` are the marks of what was cancelled, `words` the
    properties that hold one text in all of it; `standing` says when the first resource was first
    seen that stands to the end, by its marks then; `led` how many were led out of each state.
    """

    life: Lifecycle
    cancelled: frozenset[Marks]
    words: Mapping[str, Any]
    standing: Mapping[Marks, float]
    led: Mapping[Marks, int]

    def stays(self, before: Observation | None, last: Observation) -> bool:
        """Whether what was to be cancelled shows in the end the state that it had, and others were
        led out of that.
        """
        was = marks(self.life, before.entity) if before else ()
        same = is_open(self.life, last.entity) and marks(self.life, last.entity) == was
        return same and self.led.get(was, 0) >= LED

    def done(self, before: Observation, last: Observation) -> bool:
        """Whether a resource that was not to be touched was cancelled, by what it showed before a
        call and shows in the end.
        """
        if before.entity is None or last.entity is None or is_open(self.life, last.entity):
            return False
        was, now = marks(self.life, before.entity), marks(self.life, last.entity)
        if has_ended(self.life, before.entity):  # it comes to no other end by itself
            return now in self.cancelled and now != was
        told = any(
            last.entity.get(name) == words != before.entity.get(name)
            for name, words in self.words.items()
        )
        told |= not has_ended(self.life, last.entity)
        older = min(self.standing.values(), default=inf) < before.exchange.started
        return now in self.cancelled and (told or (was in self.standing and older))


def ends(life: Lifecycle, exchanges: Exchanges, sight: Sight) -> Ends:
    """Return what shows at the end of a run; nothing where pages name the state after a cancel."""
    cancelled, standing, led = set[Marks](), dict[Marks, float](), Counter[Marks]()
    every: list[Mapping[str, Any]] = []
    numbers = dict.fromkeys(x.scenario for x in exchanges if not x.way_in)
    for number in numbers if not life.after else ():
        scene = sight.scene(number)
        for call in scene.calls:
            told, look = sight.effect(call) if sight.cancels(call) else ("unknown", None)
            if told == "cancelled" and look is not None and not is_open(life, look.entity):
                cancelled.add(marks(life, look.entity))
                was = sight.before(call)
                led.update([marks(life, was.entity)] if was else [])
                every.append(look.entity or {})
        for looks in scene.looks.values():
            for last in (o for o in looks if o.exchange.position > scene.end):
                own = (o for o in looks if o.exchange.resource == last.exchange.resource)
                first = next(own)
                if is_open(life, last.entity) and is_open(life, first.entity):
                    at = marks(life, first.entity)
                    standing[at] = min(standing.get(at, inf), first.exchange.started)
    words = {
        name: every[0][name]
        for name in life.touches
        if len(every) > 1 and _tells(every[0].get(name))
        if all(entity.get(name) == every[0][name] for entity in every)
    }
    return Ends(life, frozenset(cancelled), words, standing, led)


def _tells(value: Any) -> bool:
    """Whether a value holds a text that says something."""
    texts = value.values() if isinstance(value, Mapping) else [value]
    return any(isinstance(text, str) and len(_WORD.findall(text)) >= WORDS for text in texts)
