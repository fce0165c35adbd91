"""Look again within a scenario: for an effect that a page gives its time, before the next call on
the resource (what that is answered tells something only then); for what changes by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from cancel_contracts.exchange import Exchange
from cancel_contracts.plan.waits import pauses
from cancel_contracts.run.calls import Calls
from cancel_contracts.run.performed import Held
from cancel_contracts.sight.observation import Observation, marks

VOLATILE_LOOKS = 3
VOLATILE_SECONDS = 0.4  # before each: a clock that counts seconds moves meanwhile


def await_effect(
    calls: Calls,
    call: Exchange,
    first: Observation | None,
    seen: Observation | None,
    look: Callable[[], Observation | None],
    usual: float | None = None,
) -> bool:
    """Look again until a success shows, or the time that a page gives it is over, or else as many
    seconds as are `usual`; return whether it was looked again. `first` and `seen` are the first
    look at the resource and the last.

    Where no look can tell, the time is waited out; once it was in vain, no more: what comes too
    late, or never, is found by the looks at the end.
    """
    sight, within = calls.sight, calls.contract.lifecycle.within
    seconds = usual if within is None else within
    sees, looked = calls.observes and sight.observable is not False, False
    if seconds is None or not sight.cancels(call) or (within is None and not sees):
        return False
    over = calls.started + call.started + call.seconds + seconds
    for pause in pauses(within):
        left = over - time.monotonic()
        if seen is not None and sight.took_effect(first, seen) == "cancelled":
            break
        if left <= 0 or (sees and calls.in_vain):
            calls.in_vain |= sees
            break
        if calls.stop.wait(min(pause, left) if sees else left):
            break
        if sees:
            seen, looked = look(), True
    return looked


def look_for_clocks(calls: Calls, held: Held) -> None:
    """Where any change may be an effect, look again at what has changed though the call was
    refused: whether it does so by itself.
    """
    life, before, after, call = calls.contract.lifecycle, held.first, held.shows, held.call
    if life.after or call is None or not call.refused:
        return
    if before is None or after is None or before.entity is None or after.entity is None:
        return
    moved = marks(life, before.entity) != marks(life, after.entity)
    for _ in range(VOLATILE_LOOKS):
        if moved or calls.sight.unchanged(before, after):
            return
        calls.stop.wait(VOLATILE_SECONDS)
        calls.observe(held.attempt, call.situation, held.position, held.resource)
