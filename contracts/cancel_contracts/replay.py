"""Record a run as a HAR file, and judge such a file, or a foreign one, without network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from cancel_contracts import har, version
from cancel_contracts.assignment import Options, select
from cancel_contracts.contract.lifecycle import hurried
from cancel_contracts.contract.model import Contract
from cancel_contracts.errors import UsageError
from cancel_contracts.excuses import excuse
from cancel_contracts.har import Recording, Selected, Settings
from cancel_contracts.judge import duties
from cancel_contracts.judge.judge import judge
from cancel_contracts.plan.cover import PairsMet
from cancel_contracts.redact.secrets import Redactor
from cancel_contracts.verify import ContractResult, Result


def write_recording(result: Result, path: Path) -> None:
    """Write a run's traffic, with what it takes to come to the same verdicts again."""
    settings = Settings(
        base_url=result.base_url,
        profile=result.options.profile,
        seed=result.options.seed,
        seconds=result.seconds,
        started=result.started.isoformat(),
        pinned=result.options.pinned,
        contracts={
            r.contract.name: Selected(
                base_url=r.base_url,
                clauses=tuple(v.clause.id for v in r.judgement.verdicts),
                not_testable=r.not_testable,
                seconds=r.seconds,
                pairs=(r.pairs.met, r.pairs.possible),
                within=r.contract.lifecycle.within,
            )
            for r in result.results
        },
    )
    har.write(path, [r.journal for r in result.results], settings, version(), result.redactor)


def judge_recording(path: Path, contracts: Sequence[Contract], options: Options) -> Result:
    """Return the result of a recording: the same verdicts as the run that made it.

    Raises UsageError where the file is no recording.
    """
    recording = har.read(path, contracts)
    name = "standard input" if str(path) == "-" else path.name
    settings = recording.settings or Settings(
        base_url=f"recorded in {name}", profile=options.profile, seed=options.seed, seconds=0.0,
        started=datetime.now(UTC).isoformat(),
    )  # fmt: skip
    options = replace(
        options,
        pinned={**settings.pinned, **options.pinned},
        profile=settings.profile,
        seed=settings.seed,
    )
    results = [
        _judged(contract, recording, settings, options)
        for contract in contracts
        if recording.journals[contract.name].exchanges or contract.name in settings.contracts
    ]
    if options.caller and results and not any(r.judgement.duties for r in results):
        problem = "speaks of what others recorded of callers, and these are calls of a run"
        raise UsageError("--caller", problem, "leave it out")
    redactor = Redactor()
    for secret in recording.secrets:
        redactor.learn(secret)
    notes = [f"{r.contract.name}: {note}" for r in results for note in r.journal.notes]
    return Result(
        base_url=settings.base_url,
        options=options,
        results=tuple(results),
        started=datetime.fromisoformat(settings.started),
        seconds=settings.seconds,
        redactor=redactor,
        warnings=(*notes, *recording.notes, *_left_out(recording)),
        recorded=recording.foreign,
        nothing=None if results else _nothing(recording),
    )


def _judged(
    contract: Contract, recording: Recording, settings: Settings, options: Options
) -> ContractResult:
    row = settings.contracts.get(contract.name)
    contract = hurried(contract, row.within if row else None)
    journal = recording.journals[contract.name]
    clauses = [c for c in select(contract, options) if row is None or c.id in set(row.clauses)]
    judgement = judge(contract, journal, clauses, options.pinned.get(contract.name, ()))
    if heard := [one for one in recording.overheard if one.exchange.contract == contract.name]:
        judgement = replace(judgement, duties=duties.judged(contract, heard))
    row = row or Selected(base_url=settings.base_url)
    return ContractResult(
        contract,
        row.base_url,
        journal,
        excuse(judgement, row.not_testable),
        row.seconds,
        row.not_testable,
        pairs=PairsMet(*row.pairs),
    )


def _left_out(recording: Recording) -> list[str]:
    """Return a line for what was left out on the routes, and one for what is on none."""
    lines = []
    if told := _counted(recording.left):
        lines.append(f"recorded and not judged: {told}")
    if told := _counted(recording.others):
        lines.append(f"on no route of the contracts: {told}")
    return lines


def _counted(reasons: dict[str, int]) -> str:
    return "; ".join(f"{count} {why}" for why, count in sorted(reasons.items()))


def _nothing(recording: Recording) -> str:
    told = [_counted(recording.left), _counted(recording.others)]
    return "; ".join(["no exchange on a route of the contracts", *filter(None, told)])
