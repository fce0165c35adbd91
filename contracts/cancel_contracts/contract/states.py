"""The states of a resource, how each shows, and what a cancel does to it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Literal

_SEPARATORS = str.maketrans(dict.fromkeys(" \t_-"))
NAME_CHARS = 64  # no state has a longer name
FEW = 64  # of what stands there, as many states and spellings as a target has
GONE = "gone"  # the state of a resource whose GET is answered 404 or 410


def canonical(state: str) -> str:
    """Fold a state's spelling: case and separators do not count, nor does one l or two in
    cancelled.
    """
    return _known(state) if len(state) <= NAME_CHARS else _folded(state)


def _folded(state: str) -> str:
    return state.casefold().translate(_SEPARATORS).replace("cancelled", "canceled")


_known = lru_cache(1024)(_folded)  # the same few, thousands of times


@lru_cache(256)
def canonicals(states: tuple[str, ...]) -> frozenset[str]:
    """Fold the spelling of each state of a contract."""
    return frozenset(map(canonical, states))


def folded(value: Any) -> Any:
    """Return a value of an entity as it is compared with that of a state."""
    if isinstance(value, bool):
        return (value,)  # or True would be 1
    return canonical(value) if isinstance(value, str) else value


@dataclass(frozen=True)
class Lifecycle:
    """The states of the resource. `after` is empty where no page names the state that a cancel
    leads to.

    What the resource shows is named by its places (contract/places.py), names of an entity that is
    opened along `ways`. A state shows where all its `values` do, or its name stands at one of
    `shows`; GONE where the resource is not there.
    """

    shows: tuple[str, ...]
    cancellable: tuple[str, ...]
    final: tuple[str, ...]
    after: tuple[str, ...]
    # Place in the entity -> property of the request that is kept in it.
    records: Mapping[str, str] = field(default_factory=dict)
    sets: tuple[str, ...] = ()  # places that a cancel fills
    touches: tuple[str, ...] = ()  # places that any call, or time, may change beside
    moments: tuple[str, ...] = ()  # places with dates, in the order in which they come
    stamps: tuple[str, ...] = ()  # places with the time of what was done last
    listed: tuple[str, ...] = ()  # likewise, in the items that a cancel adds to a list
    caller: str | None = None  # the place that names who cancelled
    # Who is no administrator cancels what is their own alone: by a body that fits the schema that
    # is named so, or where it is True by any.
    owners: str | Literal[True] | None = None
    method: str = "POST"  # of the operation that cancels
    # State -> place -> value, of states that are not told by their name.
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    through: tuple[str, ...] = ()  # states that may show between the call and `after`
    within: float | None = None  # seconds that the effect may take; None: as long as usual
    leaves: Mapping[str, Any] = field(default_factory=dict)  # place -> value, once cancelled
    ways: frozenset[str] = frozenset()

    @property
    def states(self) -> tuple[str, ...]:
        return self.cancellable + self.final

    @cached_property
    def places(self) -> tuple[str, ...]:
        """Where the state stands."""
        rows = self.values.values()
        return tuple(dict.fromkeys((*self.shows, *(at for row in rows for at in row))))

    @cached_property
    def valued(self) -> frozenset[str]:
        """Where the values of states stand that are not told by their name."""
        return frozenset(at for row in self.values.values() for at in row)

    def signs(self, state: str) -> tuple[Mapping[str, Any], ...]:
        """Return what shows a state: all values of any of these rows."""
        if state == GONE:
            return ()
        if state in self.values:
            return (self.values[state],)
        return tuple({at: state} for at in self.shows)

    @cached_property
    def rows(self) -> tuple[tuple[str, Mapping[str, Any]], ...]:
        """Every state's name and signs, folded."""
        every = dict.fromkeys((*self.states, *self.after, *self.through))
        return tuple(
            (canonical(state), {at: folded(value) for at, value in sign.items()})
            for state in every
            for sign in self.signs(state)
        )

    def showing(self, here: tuple[Any, ...]) -> frozenset[str]:
        """Return the states, spelling folded, that show by what stands at the places, folded."""
        try:
            return self._remembered(here)
        except TypeError:  # what no state is told by: a list, an object
            return self._showing(here)

    @cached_property
    def _remembered(self) -> Callable[[tuple[Any, ...]], frozenset[str]]:
        return lru_cache(FEW)(self._showing)

    def _showing(self, here: tuple[Any, ...]) -> frozenset[str]:
        found = dict(zip(self.places, here, strict=True))
        rows = ((state, sign.items()) for state, sign in self.rows)
        return frozenset(s for s, sign in rows if all(found[at] == value for at, value in sign))

    @cached_property
    def _names(self) -> re.Pattern[str]:
        every = sorted({*self.states, *self.after, *self.through}, key=len, reverse=True)
        return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, every))})(?!\w)", re.IGNORECASE)

    def named_in(self, text: str) -> set[str]:
        """Return the states whose names stand in a text."""
        return {canonical(name) for name in self._names.findall(text)}

    @property
    def vanishes(self) -> bool:
        """Whether a cancel may leave nothing behind."""
        return GONE in self.after

    def kind(self, state: str) -> str:
        """Return "cancellable" or "final" for a provider state's name."""
        return "cancellable" if state in self.cancellable else "final"
