"""The kill matrix in words, as JSON and as Markdown. Reads a proof; runs nothing."""

from __future__ import annotations

import json
from statistics import median

from contracts.prove import Proof, Trial


def mark(trial: Trial) -> str:
    """Return what became of one trial: the clauses that caught it, or that it passed, or
    the hole.
    """
    if trial.hole:
        return f"HOLE: {trial.hole}"
    return "passes" if trial.kind == "variant" else " ".join(trial.kills)


def by_entry(proof: Proof) -> dict[tuple[str, str], dict[str, Trial]]:
    rows: dict[tuple[str, str], dict[str, Trial]] = {}
    for trial in proof.trials:
        rows.setdefault((trial.kind, trial.entry), {})[trial.contract] = trial
    return rows


def summary(proof: Proof) -> str:
    faults = [t for t in proof.trials if t.kind == "fault"]
    variants = [t for t in proof.trials if t.kind == "variant"]
    killed = sum(1 for t in faults if not t.hole)
    passed = sum(1 for t in variants if not t.hole)
    middle = median(t.seconds for t in proof.trials)
    return (
        f"{killed} of {len(faults)} faults caught by their clause,"
        f" {passed} of {len(variants)} variants passed, {len(proof.holes)} holes"
        f" ({proof.seconds:.0f} s, {middle:.1f} s each in the median)"
    )


def text(proof: Proof) -> str:
    """Return the matrix as plain text: an entry a line, with the clauses that caught it."""
    lines = []
    width = max(len(entry) for _, entry in by_entry(proof))
    for (kind, entry), trials in by_entry(proof).items():
        caught = "; ".join(mark(t) for t in trials.values())
        lines.append(f"{kind:7}  {entry:{width}}  {caught}")
    lines += ["", *(f"HOLE  {hole}" for hole in proof.holes), summary(proof)]
    return "\n".join(lines)


def markdown(proof: Proof) -> str:
    """Return the matrix, fault by clause, as a Markdown table per contract."""
    lines = ["# Kill matrix", "", summary(proof), ""]
    for contract in dict.fromkeys(t.contract for t in proof.trials):
        lines += [
            f"## {contract}",
            "",
            "| entry | kind | caught by | outcome |",
            "|---|---|---|---|",
        ]
        for t in proof.trials:
            if t.contract == contract:
                lines.append(
                    f"| {t.entry} | {t.kind} | {' '.join(t.kills)} | {t.hole or t.outcome} |"
                )
        lines.append("")
    lines += ["## Holes", "", *(f"- {hole}" for hole in proof.holes or ["none"])]
    return "\n".join(lines) + "\n"


def as_json(proof: Proof) -> str:
    """Return the matrix as JSON: one object a trial."""
    trials = [
        {
            "contract": t.contract,
            "entry": t.entry,
            "kind": t.kind,
            "outcome": t.outcome,
            "kills": t.kills,
            "meant_for": t.intended,
            "violated": t.violated,
            "cancel_requests": t.calls,
            "hole": t.hole,
        }
        for t in proof.trials
    ]
    document = {"schema_version": 1, "trials": trials, "idle": proof.idle, "holes": proof.holes}
    return json.dumps(document, indent=1)
