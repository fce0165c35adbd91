"""Prove: the kill matrix. Every fault of the mock is caught by a clause it breaks, every variant
passes, and every clause catches something.

A crash is no kill, nor is a bystander: the clauses that may kill a fault follow from what it says
it breaks (speaking.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import combinations, groupby
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from cancel_contracts import gate
from cancel_contracts.assignment import Options
from cancel_contracts.builtin import mock_target
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Contract
from cancel_contracts.errors import UsageError
from cancel_contracts.mock.by_deep import BY_DEEP
from cancel_contracts.mock.catalogue import ENTRIES, VARIANTS, find
from cancel_contracts.mock.entry import Entry, Fault, Variant
from cancel_contracts.plan.plan import GATE_CALLS, Profile
from cancel_contracts.redact.secrets import Redactor
from cancel_contracts.replay import judge_recording, write_recording
from cancel_contracts.speaking import LeftOut, Speaking, left_out
from cancel_contracts.transport.client import Timeouts
from cancel_contracts.verify import Result, verify

# Shorter than a user's, which variants meet: what hangs in a fault hangs for good.
LATEST_SECONDS = Options().effect_seconds  # what no faster trial shows is due by then
IMPATIENT = Options(timeouts=Timeouts(2.0, 2.0, 3.0), effect_seconds=1.75, max_wait=20)


@dataclass(frozen=True)
class Trial:
    """One entry of the catalogue against one contract."""

    contract: str
    entry: str
    kind: str  # fault | variant
    outcome: str
    intended: tuple[str, ...]
    violated: tuple[str, ...]
    gaps: tuple[str, ...]
    calls: int
    seconds: float
    judged_otherwise: tuple[str, ...] = ()  # clauses on which the run and its recording disagree
    profile: Profile = "gate"

    @property
    def kills(self) -> tuple[str, ...]:
        """The clauses that caught the fault and were meant to."""
        return tuple(id_ for id_ in self.violated if id_ in self.intended)

    @property
    def hole(self) -> str | None:
        """What is wrong with this trial, or None."""
        if self.judged_otherwise:
            return f"its recording is judged otherwise: {', '.join(self.judged_otherwise)}"
        if self.kind == "variant":
            if self.outcome == "conforms" and not self.violated:
                return None
            told = ", ".join(self.violated + self.gaps)
            return f"fails a conforming variant: {self.outcome} {told}"
        if not self.intended:
            return "no clause speaks of what it breaks"
        if not self.kills:
            others = f"only bystanders saw it: {', '.join(self.violated)}"
            seen = others if self.violated else "not seen"
            return f"survives ({seen}; meant for {', '.join(self.intended)})"
        return None


@dataclass(frozen=True)
class Proof:
    """The whole matrix."""

    trials: tuple[Trial, ...]
    idle: dict[str, tuple[str, ...]] = field(default_factory=dict)  # clauses that killed nothing
    seconds: float = 0.0
    left_out: tuple[LeftOut, ...] = ()

    @property
    def holes(self) -> list[str]:
        found = [f"{t.contract}: {t.entry} {t.hole}" for t in self.trials if t.hole]
        for contract, ids in self.idle.items():
            found += [f"{contract}: {id_} catches no fault" for id_ in ids]
        return found


@cache
def _speaking(path: str) -> Speaking:
    return Speaking(_contract(path))


def intended(contract: Contract, fault: Fault) -> tuple[str, ...]:
    return _speaking(contract.path_of_file).intended(fault)


def trial(
    contract: Contract,
    entry: Entry,
    *,
    whole: bool = False,
    calls: Sequence[int] = (GATE_CALLS,),
    sweep_seconds: float = LATEST_SECONDS,
    recorded: bool = True,
    options: Options = IMPATIENT,
) -> Trial:
    """Run the gate against the mock with one entry of the catalogue.

    A fault meets the part of the gate's plan that the clauses it breaks ask for, and one clause
    that asks for such a call. Evidence is judged exchange by exchange, so the whole gate would show
    what those few calls do; where they show nothing, or with `whole`, it meets the whole gate. A
    variant always does. What no gate can see meets `deep` in the same way, what takes several
    contracts meets them on one server. The part has so many `calls`, tried in turn, and waits as
    its `options` say; a whole run looks again after `sweep_seconds`. The recording has to tell it
    as well, unless `recorded` is false.
    """
    if isinstance(entry, Variant):
        return _attempt([contract], entry, Options(), recorded)
    served = _served(contract, entry)
    ids = _intended(served, entry)
    options = replace(options, profile=profile_of(contract, entry))
    if ids and not whole:
        showing = [id_ for c in served for id_ in _speaking(c.path_of_file).showing(entry)]
        for most in calls:
            part = replace(options, only=(*ids, *showing), max_requests=most)
            if (narrow := _attempt(served, entry, part, recorded)).kills:
                return narrow
    return _attempt(served, entry, replace(options, sweep_seconds=sweep_seconds), recorded)


def _served(contract: Contract, fault: Fault) -> list[Contract]:
    """Return the contracts of the server that a fault is tried on, that of the trial first."""
    if not fault.across:
        return [contract]
    others = [_contract(path) for path in map(str, shipped())]
    return [contract, *(c for c in others if c.name != contract.name and fault.applies(c))]


def _intended(contracts: Iterable[Contract], fault: Fault) -> tuple[str, ...]:
    return tuple(id_ for contract in contracts for id_ in intended(contract, fault))


def profile_of(contract: Contract, fault: Fault) -> Profile:
    """Return the least profile that is to catch a fault: `deep` where all that ask for it do."""
    speaking = _speaking(contract.path_of_file)
    clauses = [clause for id_ in intended(contract, fault) if (clause := contract.clause(id_))]
    asking = {clause.profile for clause in clauses if speaking.asks(clause, fault)}
    return "deep" if asking == {"deep"} or fault.name in BY_DEEP else "gate"


def _attempt(
    contracts: Sequence[Contract], entry: Entry, options: Options, recorded: bool = True
) -> Trial:
    is_fault = isinstance(entry, Fault)
    names = [entry.name]
    excused = {} if isinstance(entry, Fault) else entry.excused
    begun = time.monotonic()
    with mock_target(
        contracts,
        faults=names if is_fault else (),
        variants=() if is_fault else names,
        not_testable=excused,
        quotas=options.profile != "deep",  # which would take an hour to get through
    ) as target:
        result = verify(contracts, target, options)
    outcome = gate.decide(result.judgements())
    verdicts = [v for j in result.judgements() for v in j.verdicts]
    made = Trial(
        contract=contracts[0].name,
        entry=entry.name,
        kind="fault" if is_fault else "variant",
        outcome=outcome.word,
        intended=_intended(contracts, entry) if isinstance(entry, Fault) else (),
        violated=tuple(v.clause.id for v in verdicts if v.word == "violated"),
        gaps=tuple(v.clause.id for v in verdicts if gate.gap(v)),
        calls=sum(r.requests()["cancel"] for r in result.results),
        seconds=time.monotonic() - begun,
        profile=options.profile,
    )
    if (is_fault and not made.kills) or not recorded:
        return made
    return replace(made, judged_otherwise=_replayed(contracts, result, options))


def _replayed(contracts: Sequence[Contract], result: Result, options: Options) -> tuple[str, ...]:
    """Return the clauses that the recording of a run is judged otherwise on. There must be none."""
    with TemporaryDirectory(prefix="cancel-contracts-") as folder:
        path = Path(folder) / "traffic.har"
        write_recording(replace(result, redactor=Redactor()), path)  # the mock's secrets are ours
        again = judge_recording(path, contracts, options)

    def told(one: Result) -> dict[str, tuple[object, ...]]:
        return {
            v.clause.id: (v.word, v.exercised, v.deviations, v.reason, v.excused)
            for judgement in one.judgements()
            for v in judgement.verdicts
        }

    live, replay = told(result), told(again)
    return tuple(id_ for id_ in live if live[id_] != replay.get(id_))


@cache
def _contract(path: str) -> Contract:
    return load(Path(path))


def _job(path: str, name: str, whole: bool) -> Trial:
    return trial(_contract(path), find(name), whole=whole)


def _without(contract: Contract) -> set[str]:
    """Return the entries that are no part of a contract's matrix."""
    return {name for row in left_out(contract) for name in row.entries}


def jobs(contracts: Sequence[Contract], only: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Return (spec file, entry) for all that applies. What a spec leaves out has to be named."""
    entries = list(map(find, dict.fromkeys(only)) if only else ENTRIES.values())
    rows = [(contract, set() if only else _without(contract)) for contract in contracts]
    return [
        (contract.path_of_file, entry.name)
        for entry in entries
        for contract, without in rows
        if entry.name not in without and entry.applies(contract)
    ]


def pairs(
    contracts: Sequence[Contract], count: int, seed: int, only: Sequence[str] = ()
) -> list[tuple[str, str]]:
    """Return (spec file, entry) for some of the compatible pairs of variants, drawn by a seed;
    with `only`, of the pairs that one of these is in.
    """
    chosen = {find(name).name for name in only}
    everything = [
        (contract.path_of_file, one.beside(other).name)
        for contract in contracts
        for one, other in combinations(_variants(contract), 2)
        if one.goes_with(other) and (not chosen or {one.name, other.name} & chosen)
    ]
    drawn = Random(seed).sample(everything, min(count, len(everything)))  # noqa: S311 - no secret
    return sorted(drawn, key=lambda job: job[1])


def _variants(contract: Contract) -> list[Variant]:
    """Return the variants that a contract is to pass."""
    without = _without(contract)
    return [v for v in VARIANTS if v.name not in without and v.applies(contract)]


def prove(
    contracts: Sequence[Contract],
    work: Sequence[tuple[str, str]],
    workers: int = 4,
    progress: Callable[[Sequence[Trial]], Any] = lambda trials: None,
    *,
    whole: bool = False,
) -> Proof:
    """Return the matrix of what `jobs` or `pairs` gave. Where every fault is in it, each clause is
    asked to kill. `progress` is told the trials of each entry once it has met its contracts.
    """
    begun = time.monotonic()
    if not work:
        raise UsageError(
            "--only", "no entry applies to these contracts", "see `cancel-contracts mock --list`"
        )
    trials: list[Trial] = []
    with ProcessPoolExecutor(workers) as pool:
        paths, names = zip(*work, strict=True)
        made = pool.map(_job, paths, names, [whole] * len(work))
        for _, group in groupby(made, key=lambda trial: trial.entry):
            done = list(group)
            progress(done)
            trials += done
    idle = _idle(contracts, trials) if set(work) >= set(jobs(contracts)) else {}
    without = tuple(row for contract in contracts for row in left_out(contract))
    return Proof(tuple(trials), idle, time.monotonic() - begun, without)


def _idle(contracts: Sequence[Contract], trials: Iterable[Trial]) -> dict[str, tuple[str, ...]]:
    killers = {(t.contract, id_) for t in trials for id_ in t.kills}
    excused = {(c.name, key) for c in contracts for key in c.unproven}
    idle = {
        c.name: tuple(k.id for k in c.clauses if (c.name, k.id) not in killers | excused)
        for c in contracts
    }
    return {name: ids for name, ids in idle.items() if ids}
