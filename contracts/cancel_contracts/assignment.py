"""Assignment: what is to be done for one contract on one target, and what it will take. Sends
nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cancel_contracts.contract.given import asked
from cancel_contracts.contract.model import Clause, Contract
from cancel_contracts.identity.offers import lacking
from cancel_contracts.needs import Gap
from cancel_contracts.plan.plan import Plan, Profile, make, selectable
from cancel_contracts.run.pool import MOST
from cancel_contracts.run.provisioned import Creates, creates, supply
from cancel_contracts.run.way_in import Way
from cancel_contracts.sight.observation import EFFECT_SECONDS
from cancel_contracts.targets import safety
from cancel_contracts.targets.file import Endpoint, Target
from cancel_contracts.transport.client import Timeouts

# What is undone, or performed, within these is seen. A run of a few clauses does without.
SWEEP_SECONDS = 4.0


@dataclass(frozen=True)
class Options:
    """How to verify. `pinned` holds dialect names by contract; times are in seconds."""

    profile: Profile = "gate"
    max_requests: int | None = None
    rate: str | None = None
    seed: int = 0
    pinned: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    strict: bool = False
    caller: bool = False  # of a recording of others: what its callers break fails as well
    min_covered: float = 0.0  # percentage of the must-clauses
    allow_destructive: bool = False
    timeouts: Timeouts = field(default_factory=Timeouts)
    max_wait: float = 60.0
    ledger: Path | None = None  # None: none on a local target, a new one on any other
    cacert: Path | None = None  # CA certificates of the target, in place of the usual ones
    quota_store: str | None = None  # the URL of a Redis that counts for several runs
    jobs: int | None = None  # scenarios at a time; None: as many as the target's distance is worth
    effect_seconds: float = EFFECT_SECONDS
    sweep_seconds: float = 0.0  # from the last call until what was touched is looked at again


@dataclass(frozen=True)
class Assignment:
    """A contract with its endpoint, its selected clauses and its plan."""

    contract: Contract
    endpoint: Endpoint
    plan: Plan
    harmless: bool
    observes: bool
    not_local: str | None = None  # why the target does not count as local
    way: Way | None = None  # the way in, where it is known

    @property
    def notice(self) -> str | None:
        """Say that only harmless calls are made, where that was not asked for."""
        if not self.harmless:
            return None
        return (
            f"{self.contract.name}: {self.endpoint.base_url} {self.not_local}: only calls that can"
            " cancel nothing are made (--allow-destructive and provider states lift that)"
        )

    @property
    def touches(self) -> bool:
        """Whether the plan names a resource that exists."""
        return any(scenario.known for scenario in self.plan.scenarios)

    def cost(self) -> Counter[str]:
        """Return the requests by kind. What is created by documented calls is an upper bound:
        resources that no call has touched are used again.
        """
        handler, unknown_id = (
            self.endpoint.handler is not None,
            self.endpoint.unknown_id is not None,
        )
        total = self.plan.cost(observes=self.observes, handler=handler, unknown_id=unknown_id)
        total["provider_states"] += self.creates.total()
        return total

    @property
    def creates(self) -> Creates:
        return creates(self.plan, self.endpoint)


def select(contract: Contract, options: Options) -> list[Clause]:
    """Return the clauses that --only and --skip leave, as far as the profile can exercise them."""
    return [
        clause
        for clause in contract.clauses
        if (not options.only or clause.id in options.only)
        and clause.id not in options.skip
        and selectable(clause, options.profile, contract)
    ]


def assign(contracts: Sequence[Contract], target: Target, options: Options) -> list[Assignment]:
    """Plan every contract. Sends nothing."""
    target.check_names(contracts)
    found = []
    for contract in target.narrowed(contracts):
        clauses = select(contract, options)
        if not clauses:
            continue
        endpoint = target.endpoint(contract)
        target.check_primary(contract, endpoint)
        not_local = safety.why_endpoint_is_not_local(endpoint, contracts)
        harmless = not_local is not None and not (options.allow_destructive and endpoint.has_states)
        plan = make(
            contract,
            clauses,
            options.profile,
            max_requests=options.max_requests,
            harmless=harmless,
            states=endpoint.has_states,
            lacks=_lacks(contract, endpoint),
            supply=supply(contract, endpoint),
        )
        observes = "observe" not in endpoint.not_testable and contract.observe_path is not None
        found.append(Assignment(contract, endpoint, plan, harmless, observes, not_local))
    return found


def in_flight(assignments: Sequence[Assignment], options: Options) -> int:
    """Return how many requests are under way at most, at any time."""
    races = any(s.races for a in assignments for s in a.plan.scenarios)
    return max(options.jobs or MOST, 2 if races else 1)


def _lacks(contract: Contract, endpoint: Endpoint) -> dict[str, Gap]:
    """Return the identities that clauses ask for, chosen or met beside these, and `app`, as far as
    the target has none.
    """
    names = {s.identity for c in contract.clauses for s in asked(contract, c)} | {"app"}
    found = (
        (name, lacking(contract, endpoint, name, endpoint.primary or "admin")) for name in names
    )
    return {name: gap for name, gap in found if gap is not None}
