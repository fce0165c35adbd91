"""Record a run as a HAR file, and judge such a file, or a foreign one, without network."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from cancel_contracts import har, version
from cancel_contracts.assignment import Options, select
from cancel_contracts.contract.edition import at
from cancel_contracts.contract.lifecycle import hurried
from cancel_contracts.contract.model import Contract
from cancel_contracts.errors import UsageError
from cancel_contracts.excuses import excuse
from cancel_contracts.har import Recording, Selected, Settings
from cancel_contracts.judge import duties
from cancel_contracts.judge.judge import judge
from cancel_contracts.plan.kinds import PairsMet
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
                edition=_text(r.contract.edition),
                held_to=_text(r.held_to),
                within=r.contract.lifecycle.within,
            )
            for r in result.results
        },
    )
    har.write(path, [r.journal for r in result.results], settings, version(), result.redactor)


def judge_recording(
    path: Path,
    contracts: Sequence[Contract],
    options: Options,
    known: Collection[str] | None = None,
) -> Result:
    """Return the result of a recording: the same verdicts as the run that made it. Where `known`
    are the clauses that the run could choose from, the contracts are judged by as they are, and
    clauses that came later are judged too.

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
    started = datetime.fromisoformat(settings.started)
    if not recording.foreign and known is None:  # by those of the run, unless one is named now
        contracts = [
            _of_the_run(c, settings, started) if c.edition is None else c for c in contracts
        ]
    results = [
        _judged(contract, recording, settings, options, known)
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
        started=started,
        seconds=settings.seconds,
        redactor=redactor,
        warnings=(*notes, *recording.notes, *_left_out(recording)),
        recorded=recording.foreign,
        nothing=None if results else _nothing(recording),
    )


def _of_the_run(contract: Contract, settings: Settings, started: datetime) -> Contract:
    row = settings.contracts.get(contract.name, Selected())
    return at(contract, _day(row.edition), started.date())


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _judged(
    contract: Contract,
    recording: Recording,
    settings: Settings,
    options: Options,
    known: Collection[str] | None,
) -> ContractResult:
    row = settings.contracts.get(contract.name)
    contract = hurried(contract, row.within if row else None)
    journal = recording.journals[contract.name]
    clauses = select(contract, options)
    if row is not None:
        asked = set(row.clauses)
        clauses = [c for c in clauses if c.id in asked or (known is not None and c.id not in known)]
    judgement = judge(contract, journal, clauses, options.pinned.get(contract.name, ()))
    if heard := [one for one in recording.overheard if one.exchange.contract == contract.name]:
        judgement = replace(judgement, duties=duties.judged(contract, heard))
    row = row or Selected(base_url=settings.base_url)
    return ContractResult(
        contract,
        row.base_url,
        journal,
        excuse(judgement, row.not_testable, _day(row.held_to)),
        row.seconds,
        row.not_testable,
        _day(row.held_to),
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
