"""Independent servers whose faults await a clause: each does deviate, by requests made by hand.

They are not held to be caught yet. What the suite learns to see moves to the faults that name their
clauses. AWAITING=all lets the suite judge each, and fails for what it passes.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import pytest
from servers import joint_entity, joint_pairs, joint_requests  # noqa: F401 - fill the register
from servers.battery import fingerprints
from servers.faults import AWAITING, Awaiting
from servers.trial import conforming, judge

EVERY = os.environ.get("AWAITING") == "all"
SOON = 0.02  # seconds until what happens later happens here
CASES = [
    pytest.param(waiting, short, id=f"{waiting.name}-{short}")
    for waiting in AWAITING
    for short in waiting.on
]


@cache
def faithful(short: str) -> dict[str, list[Any]]:
    return dict(fingerprints(lambda: conforming(short)))


if CASES:  # where nothing awaits a clause there is nothing to tell, and no skip that reads green

    @pytest.mark.parametrize(("waiting", "short"), CASES)
    def test_differs_from_the_faithful_server(
        waiting: Awaiting, short: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(joint_entity.Later, "seconds", SOON)
        service = lambda: conforming(short, waiting.service, **waiting.attributes)  # noqa: E731
        for part, found in fingerprints(service, waiting.kind):
            if found != faithful(short)[part]:
                return
        pytest.fail("no call tells it from the faithful server")


def test_names_are_unique() -> None:
    assert len({waiting.name for waiting in AWAITING}) == len(AWAITING)


@pytest.mark.parametrize("short", ["SA", "MA", "AP"])
def test_a_faithful_server_is_like_itself(short: str) -> None:
    assert dict(fingerprints(lambda: conforming(short))) == faithful(short)


if EVERY:  # they await a clause: asked for by name, and no skip that reads green

    @pytest.mark.parametrize(("waiting", "short"), CASES)
    def test_is_caught(waiting: Awaiting, short: str) -> None:
        outcome = judge(conforming(short, waiting.service, **waiting.attributes))
        assert outcome.exit_code == 1, str(outcome)
