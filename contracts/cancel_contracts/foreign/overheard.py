"""What others were heard to call, as calls of theirs: for what callers owe, not servers. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from cancel_contracts.exchange import RECORDED, Overheard
from cancel_contracts.foreign.heard import Heard, once
from cancel_contracts.foreign.situation import exchange


def overheard(heard: Sequence[Heard]) -> list[Overheard]:
    """Return each call and look that reached a server and was answered, once."""
    resources: dict[tuple[str, str, str], list[Heard]] = defaultdict(list)
    for call in sorted(heard, key=lambda call: call.started):
        if call.where is not None:
            resources[call.resource].append(call)
    found = []
    for number, (resource, calls) in enumerate(resources.items(), 1):
        for call in once(calls):
            if call.where is None or call.left is not None:
                continue
            one = exchange(
                call.where, call.sent, call.received, scenario=number, call=RECORDED,
                started=call.started, seconds=call.seconds,
            )  # fmt: skip
            found.append(Overheard(one, call.caller, resource, call.latest))
    return found
