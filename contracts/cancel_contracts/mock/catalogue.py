"""Every fault and every variant of the mock, by name, and how they are put into a desk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from cancel_contracts.errors import UsageError
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import BOTH, Fault, Variant
from cancel_contracts.mock.faults import (
    across,
    assignment,
    beside,
    bodies,
    callers,
    canaries,
    crowd,
    dates,
    documented,
    drawn,
    effects,
    entity,
    errors,
    history,
    identity,
    ids,
    kept,
    late,
    left,
    limits,
    methods,
    neutral,
    pairs,
    parameters,
    paths,
    races,
    repeats,
    requests,
    robust,
    state,
    status,
    texts,
    tokens,
    whole,
    wire,
)
from cancel_contracts.mock.variants import VARIANTS

FAULTS: tuple[Fault, ...] = (
    *status.FAULTS,
    *bodies.FAULTS,
    *errors.FAULTS,
    *entity.FAULTS,
    *state.FAULTS,
    *identity.FAULTS,
    *methods.FAULTS,
    *robust.FAULTS,
    *limits.FAULTS,
    *wire.FAULTS,
    *races.FAULTS,
    *pairs.FAULTS,
    *beside.FAULTS,
    *history.FAULTS,
    *kept.FAULTS,
    *callers.FAULTS,
    *whole.FAULTS,
    *dates.FAULTS,
    *left.FAULTS,
    *late.FAULTS,
    *effects.FAULTS,
    *canaries.FAULTS,
    *tokens.FAULTS,
    *ids.FAULTS,
    *paths.FAULTS,
    *assignment.FAULTS,
    *neutral.FAULTS,
    *crowd.FAULTS,
    *drawn.FAULTS,
    *texts.FAULTS,
    *requests.FAULTS,
    *parameters.FAULTS,
    *across.FAULTS,
    *documented.FAULTS,
    *repeats.FAULTS,
)

_ALL: tuple[Fault | Variant, ...] = (*FAULTS, *VARIANTS)
ENTRIES: Mapping[str, Fault | Variant] = {entry.name: entry for entry in _ALL}

__all__ = ["ENTRIES", "FAULTS", "VARIANTS", "Fault", "Variant", "find", "install"]


def find(name: str) -> Fault | Variant:
    """Return an entry by its name, or raise UsageError with the nearest names. `a+b` is one server
    that has both variants, `a+b+c` one that has three.
    """
    one, both, other = name.partition(BOTH)
    if both:
        first, second = find(one), find(other)
        if isinstance(first, Variant) and isinstance(second, Variant):
            return first.beside(second)
        raise UsageError(name, "are not two variants", "give faults one by one")
    if name in ENTRIES:
        return ENTRIES[name]
    near = get_close_matches(name, ENTRIES, n=3)
    fix = f"did you mean {', '.join(near)}?" if near else "`mock --list` names them all"
    raise UsageError(name, "is no fault or variant of the mock", fix)


def install(desk: Desk, *, faults: Sequence[str], variants: Sequence[str]) -> None:
    """Put entries into a desk, where they apply to its contract."""
    for name, kind in (*((n, Fault) for n in faults), *((n, Variant) for n in variants)):
        entry = find(name)
        if not isinstance(entry, kind):
            was, asked = type(entry).__name__.lower(), kind.__name__.lower()
            raise UsageError(name, f"is a {was}, not a {asked}", f"give it as --{was}")
        if entry.applies(desk.contract):
            entry.change(desk)
