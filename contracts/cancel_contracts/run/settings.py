"""What a run is made with: one value in place of many arguments."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cancel_contracts.identity.identities import Identities
from cancel_contracts.ledger.ledger import Ledger
from cancel_contracts.provider_states.states import ProviderStates
from cancel_contracts.run.attempt import Stop
from cancel_contracts.run.pool import Pool
from cancel_contracts.run.wait_budget import WaitBudget
from cancel_contracts.transport.client import Transport

Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class RunSettings:
    """Whom to send to and how. Times are in seconds. `pool` has room for scenarios at a time, of
    this contract's no more than `most`.

    `effect_seconds` is how long after a success its effect may take to show, `sweep_seconds` how
    long after the last call the last look comes, `started` when the run began (time.monotonic).
    """

    base_url: str
    transport: Transport
    identities: Identities
    states: ProviderStates
    wait_budget: WaitBudget
    stop: Stop
    ledger: Ledger = field(default_factory=Ledger)
    parameters: Mapping[str, str] = field(default_factory=dict)  # the target's own values
    unknown_id: str | None = None
    local: bool = True
    observes: bool = True
    seed: int = 0
    effect_seconds: float = 4.0
    sweep_seconds: float = 0.0
    started: float = field(default_factory=time.monotonic)
    progress: Progress = lambda kind, count: None
    pace: Callable[[], None] = lambda: None
    pool: Pool = field(default_factory=lambda: Pool(1))
    most: int | None = None

    @property
    def began(self) -> float:
        """When the run began, in seconds since 1970."""
        return time.time() - time.monotonic() + self.started
