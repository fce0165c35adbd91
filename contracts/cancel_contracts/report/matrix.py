"""The kill matrix in words, as JSON and as Markdown. Reads a proof; runs nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from statistics import median

from cancel_contracts.prove import Proof, Trial
from cancel_contracts.speaking import LeftOut

ENTRY_CHARS = 42


def mark(trial: Trial) -> str:
    """Return what became of one trial: the clauses that caught it, or that it passed, or
    the hole.
    """
    if trial.hole:
        return f"HOLE: {trial.hole}"
    if trial.kind == "variant":
        return "passes"
    return " ".join([*trial.kills, *(["(deep)"] if trial.profile == "deep" else [])])


def summary(proof: Proof) -> str:
    faults = [t for t in proof.trials if t.kind == "fault"]
    variants = [t for t in proof.trials if t.kind == "variant"]
    killed = sum(1 for t in faults if not t.hole)
    deep = sum(1 for t in faults if not t.hole and t.profile == "deep")
    passed = sum(1 for t in variants if not t.hole)
    count = sum(len(row.entries) for row in proof.left_out)
    without = f", {count} left out by the spec" if count else ""
    middle = median(t.seconds for t in proof.trials)
    return (
        f"{killed} of {len(faults)} faults caught by their clause ({deep} by `deep` alone),"
        f" {passed} of {len(variants)} variants passed, {len(proof.holes)} holes{without}"
        f" ({proof.seconds:.0f} s, {middle:.1f} s each in the median)"
    )


def row(trials: Sequence[Trial]) -> str:
    """Return a line of the matrix: an entry, and the clauses of each contract that caught it."""
    first = trials[0]
    caught = "; ".join(mark(t) for t in trials)
    return f"{first.kind:7}  {first.entry:{ENTRY_CHARS}}  {caught}"


def ending(proof: Proof) -> str:
    """Return what follows the rows: the holes, and the sum of it all."""
    without = [f"left out  {row.contract}: {_named(row)}: {row.reason}" for row in proof.left_out]
    return "\n".join(["", *without, *(f"HOLE  {hole}" for hole in proof.holes), summary(proof)])


def _named(row: LeftOut) -> str:
    """Return what a spec leaves out, and how many entries that are."""
    return row.key if row.entries in ((), (row.key,)) else f"{row.key} ({len(row.entries)})"


def markdown(proof: Proof) -> str:
    """Return the matrix as Markdown, for each contract read both ways: which clauses catch a
    fault, and which faults a clause catches.
    """
    lines = ["# Kill matrix", "", summary(proof), ""]
    for contract in dict.fromkeys(t.contract for t in proof.trials):
        mine = [t for t in proof.trials if t.contract == contract]
        lines += [
            f"## {contract}",
            "",
            "| entry | kind | caught by | outcome |",
            "|---|---|---|---|",
        ]
        lines += [
            f"| {t.entry} | {t.kind} | {mark(t) if t.kills else ''} | {t.hole or t.outcome} |"
            for t in mine
        ]
        lines += ["", "| clause | catches |", "|---|---|"]
        lines += [f"| {id_} | {', '.join(names)} |" for id_, names in caught_by(proof, contract)]
        lines.append("")
    if proof.left_out:
        lines += ["## Left out by the spec", "", "| contract | what | reason |", "|---|---|---|"]
        lines += [
            f"| {row.contract} | {_named(row)} | {_cell(row.reason)} |" for row in proof.left_out
        ]
        lines.append("")
    lines += ["## Holes", "", *(f"- {hole}" for hole in proof.holes or ["none"])]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def contracts(proof: Proof) -> list[str]:
    return list(dict.fromkeys(trial.contract for trial in proof.trials))


def caught_by(proof: Proof, contract: str) -> list[tuple[str, list[str]]]:
    """Return each clause of a contract that catches something, with what it catches."""
    found: dict[str, list[str]] = {}
    for trial in proof.trials:
        if trial.contract == contract:
            for id_ in trial.kills:
                found.setdefault(id_, []).append(trial.entry)
    return sorted(found.items())


def as_json(proof: Proof) -> str:
    """Return the matrix as JSON: one object a trial."""
    trials = [
        {
            "contract": t.contract,
            "entry": t.entry,
            "kind": t.kind,
            "outcome": t.outcome,
            "profile": t.profile,
            "kills": t.kills,
            "meant_for": t.intended,
            "violated": t.violated,
            "cancel_requests": t.calls,
            "seconds": round(t.seconds, 3),
            "hole": t.hole,
        }
        for t in proof.trials
    ]
    clauses = {
        c: dict(caught_by(proof, c)) for c in dict.fromkeys(t.contract for t in proof.trials)
    }
    document = {
        "schema_version": 1,
        "seconds": round(proof.seconds, 3),
        "trials": trials,
        "clauses": clauses,
        "idle": proof.idle,
        "left_out": [asdict(row) for row in proof.left_out],
        "holes": proof.holes,
    }
    return json.dumps(document, indent=1)
