"""The one record that every report derives from: a run and its outcome as data, free of secrets.

Pure. Must not know how it is shown. Its form is design.md section 9 (`schema_version` 1) and is
checked against report.schema.json; keys may be added under the same version, never taken away or
given another meaning.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import PurePath
from typing import Any

from cancel_contracts import TOOL, serial, version
from cancel_contracts.contract.given import asked
from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.topics import topic
from cancel_contracts.defects import Breach, defects
from cancel_contracts.gate import Outcome, figures, gap
from cancel_contracts.judge.accumulator import Evidence
from cancel_contracts.judge.judge import Judgement, Verdict
from cancel_contracts.redact.scrub import learn
from cancel_contracts.redact.secrets import Redactor
from cancel_contracts.report import scenario
from cancel_contracts.report.clauses import day
from cancel_contracts.report.evidence import Shown, entry
from cancel_contracts.report.findings import finding, source
from cancel_contracts.report.gaps import gaps
from cancel_contracts.report.lifecycle import timeline, transitions
from cancel_contracts.verify import ContractResult, Result

SCHEMA_VERSION = 1
EVIDENCE = 3  # of a violated clause; `violations` counts them all

Record = dict[str, Any]


def record(result: Result, outcome: Outcome) -> Record:
    """Return the record of a run."""
    redactor = result.redactor
    for one in result.results:
        learn(redactor, one.journal.exchanges)
    clean = Shown(redactor)
    total: Counter[str] = Counter(cancel=0, observe=0, provider_states=0)
    for one in result.results:
        total.update(one.requests())
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": TOOL, "version": version()},
        "started": _moment(result.started),
        "seconds": round(result.seconds, 3),
        "seed": result.options.seed,
        "profile": result.options.profile,
        "strict": result.options.strict,
        "caller": result.options.caller,
        "target": {
            "base_url": clean.url(result.base_url),
            "described_by": clean.text(result.described_by),
            "name": clean.text(result.target_name) or None,
            "version": clean.text(result.target_version) or None,
        },
        "outcome": outcome.word,
        "exit_code": outcome.exit_code,
        "sentence": redactor.text(outcome.sentence),
        "recorded": result.recorded,
        **_figures([v for one in result.results for v in one.judgement.verdicts], clean),
        "requests": dict(total),
        "defects": _defects(result, clean),
        "contracts": [_contract(one, clean) for one in result.results],
        "excuses": _excuses(outcome.excuses, redactor),
        "warnings": [redactor.text(w) for w in result.warnings],
        "faults_of_the_run": [redactor.text(f) for f in result.faults_of_the_run],
    }


def _moment(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _excuses(excuses: Mapping[str, Mapping[str, str]], redactor: Redactor) -> dict[str, Any]:
    return {
        contract: {id_: redactor.text(reason) for id_, reason in rows.items()}
        for contract, rows in excuses.items()
    }


def _figures(verdicts: Sequence[Verdict], clean: Shown) -> dict[str, Any]:
    """Return the two figures of the must-clauses, and which of them stand aside, by excuse."""
    found = figures(verdicts)
    return {
        "kept": {"count": found.upheld, "of": found.judged},
        "covered": {"count": found.judged, "of": found.selected},
        "excused": {clean.text(key): list(ids) for key, ids in found.excused.items()},
        "newer": {word: list(ids) for word, ids in found.newer.items()},
    }


def _contract(one: ContractResult, clean: Shown) -> dict[str, Any]:
    contract, judgement = one.contract, one.judgement
    dialects = _dialects(judgement)
    return {
        "name": contract.name,
        "title": contract.title,
        "file": "/".join(PurePath(contract.path_of_file).parts[-2:]),
        "spec_sha256": contract.sha256 or None,
        "method": contract.method,
        "path": contract.path,
        "edition": day(contract.edition),
        "held_to": day(one.held_to),
        "base_url": clean.url(one.base_url),
        "seconds": round(one.seconds, 3),
        "requests": {k: one.requests()[k] for k in ("cancel", "observe", "provider_states")},
        "pairs": {"count": one.pairs.met, "of": one.pairs.possible},
        "drawn": _drawn(one),
        "dialect": ", ".join(d["name"] for d in dialects) or None,
        "dialects": dialects,
        "unusable": clean.text(judgement.unusable) if judgement.unusable else None,
        "stopped": clean.text(one.journal.stopped) if one.journal.stopped else None,
        "selected": _selected(judgement),
        **_figures(judgement.verdicts, clean),
        "gaps": gaps(judgement, clean.text),
        "clauses": [_clause(v, one, clean) for v in judgement.verdicts],
        "duties": [_duty(v, one, clean) for v in judgement.duties],
        "not_testable": [
            {"id": n.id, "says": n.says, "source": source(contract, n.source), "reason": n.reason}
            for n in contract.not_testable
        ],
        "way": serial.dump(one.way, clean.text),
        "scenarios": _scenarios(one, clean),
        "lifecycle": transitions(judgement, one.journal),
        "timeline": timeline(one.journal.exchanges, contract.quotas),
    }


def _selected(judgement: Judgement) -> dict[str, int]:
    """Return how many must-clauses were selected, of those that the spec has."""
    chosen, known = (v.clause for v in judgement.verdicts), judgement.contract.clauses
    musts = [sum(clause.level == "must" for clause in rows) for rows in (chosen, known)]
    return {"count": musts[0], "of": musts[1]}


def _drawn(one: ContractResult) -> dict[str, int]:
    """Return how many calls held something that was drawn, and how many distinct values."""
    forms = one.journal.exchanges.drawn
    ids = sum(form.word == "raw" for form in forms)
    return {"cases": forms.total(), "bodies": len(forms) - ids, "ids": ids}


def _scenarios(one: ContractResult, clean: Shown) -> dict[str, Any]:
    """Return what it takes to make the shown violations anew: scenarios by number."""
    bad = [v for v in one.judgement.verdicts if v.violations]
    shown = {piece.exchange.scenario for v in bad for piece in _shown(v, one)}
    numbers = sorted(shown & one.scenarios.keys())
    return {str(n): serial.dump(one.scenarios[n][0], clean.text) for n in numbers}


def _dialects(judgement: Judgement) -> list[dict[str, str]]:
    """Return the reading seen of each contradiction, as the spec words it."""
    return [
        {"of": d.of, "name": d.name, "says": d.says}
        for d in judgement.contract.dialects
        if judgement.readings.get(d.of) == d.name
    ]


def _clause(verdict: Verdict, one: ContractResult, clean: Shown) -> dict[str, Any]:
    clause = verdict.clause
    return {
        "id": clause.id,
        "level": clause.level,
        "says": clause.says,
        "topic": topic(clause),
        "source": source(one.contract, clause.source),
        "since": day(clause.since),
        "newer": verdict.newer,
        "asked": [
            clean.text(scenario.asked(s, one.contract.method)) for s in asked(one.contract, clause)
        ],
        "verdict": verdict.word,
        "exercised": verdict.exercised,
        "requests": verdict.requests,
        "reason": clean.text(verdict.reason) if verdict.reason else None,
        "excused": clean.text(verdict.excused) if verdict.excused else None,
        "needs": sorted({gap.need.keys[0] for gap in verdict.gaps if gap.need and not gap.free}),
        "conditional": verdict.conditional,
        "gap": gap(verdict),
        "violations": verdict.deviations,
        "causes": _causes(one.contract, verdict),
        "evidence": [_entry(e, one, clean) for e in _shown(verdict, one)],
    }


def _causes(contract: Contract, verdict: Verdict) -> list[str]:
    """Return what usually breaks a clause that is violated."""
    if verdict.word not in ("violated", "accepted"):
        return []
    from cancel_contracts.report.usual import usual  # the mock's catalogue: slow to load

    return [fault.says for fault in usual(contract, verdict.clause)]


def _duty(verdict: Verdict, one: ContractResult, clean: Shown) -> dict[str, Any]:
    """Return what is told of a clause that callers have to keep."""
    clause, shown = verdict.clause, verdict.violations[:EVIDENCE]
    return {
        "id": clause.id,
        "level": clause.level,
        "says": clause.says,
        "source": source(one.contract, clause.source),
        "verdict": verdict.word,
        "exercised": verdict.exercised,
        "reason": verdict.reason,
        "violations": verdict.deviations,
        "evidence": [entry(e, clean, one.contract.lifecycle, [e.exchange]) for e in shown],
    }


def _defects(result: Result, clean: Shown) -> list[dict[str, Any]]:
    """Return what is to be mended, the worst first."""
    of = {one.contract.name: one for one in result.results}
    found = []
    for defect in defects(result.judgements()):
        piece = _entry(defect.lead.lead, of[defect.lead.contract.name], clean)
        found.append(finding(defect, piece, clean.text))
    return found


def _entry(evidence: Evidence, one: ContractResult, clean: Shown) -> dict[str, Any]:
    around = one.around(evidence.exchange.scenario)
    return entry(evidence, clean, one.contract.lifecycle, around)


def _shown(verdict: Verdict, one: ContractResult) -> list[Evidence]:
    """Return the evidence of a verdict: what its finding rests on, then the shortest others."""
    if verdict.violations:
        lead = Breach(one.contract, verdict).lead
        others = (evidence for evidence in verdict.violations if evidence is not lead)
        return [lead, *islice(others, EVIDENCE - 1)]
    return [verdict.upheld_by] if verdict.upheld_by else []
