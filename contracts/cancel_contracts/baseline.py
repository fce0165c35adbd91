"""The baseline: known deviations, each with a reason, that a run accepts until they are mended or
their time is over.

A listed violation is `accepted`. A listed clause that is upheld again is stale and fails the run,
so that the file never outlives what it excuses. Pure but for reading and writing the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.yaml_file import line_in, parse_yaml, place_in
from cancel_contracts.errors import UsageError
from cancel_contracts.judge.judge import Judgement, Verdict, Word
from cancel_contracts.schemas import complaint, shape

KINDS: Mapping[str, Word] = {"violations": "violated", "not_exercised": "not-exercised"}


@dataclass(frozen=True)
class Entry:
    """One accepted deviation. `place` is file and line."""

    place: str
    kind: str  # violations | not_exercised
    contract: str
    clause: str
    reason: str
    issue: str | None = None
    expires: date | None = None

    def expired(self, today: date) -> bool:
        return self.expires is not None and self.expires < today


def load(path: Path, contracts: Sequence[Contract]) -> list[Entry]:
    """Return the entries of a baseline file. Raises UsageError for what it cannot mean."""
    raw = parse_yaml(path)
    plain = json.loads(json.dumps(raw, default=str))  # YAML reads a bare date as a date
    if found := complaint(shape("baseline").errors(plain)):
        keys, problem, _ = found
        raise UsageError(place_in(path, keys), problem, "see docs/accept-a-deviation.md")
    entries = []
    for kind in KINDS:
        for index, row in enumerate(plain.get(kind) or []):
            place = line_in(path, (kind, index))
            contract = next((c for c in contracts if c.name == row["contract"]), None)
            if contract is None:
                raise UsageError(place, f"no contract is named {row['contract']!r}", "fix the name")
            if contract.clause(row["clause"]) is None:
                problem = f"{contract.name} has no clause {row['clause']!r}"
                raise UsageError(place, problem, "see `cancel-contracts clauses`")
            entries.append(Entry(place, kind, *_fields(place, row)))
    seen: dict[tuple[str, str, str], str] = {}
    for entry in entries:
        key = (entry.kind, entry.contract, entry.clause)
        if key in seen:
            raise UsageError(
                entry.place, f"{entry.clause} is listed at {seen[key]} already", "keep one"
            )
        seen[key] = entry.place
    return entries


def _fields(place: str, row: Mapping[str, Any]) -> tuple[str, str, str, str | None, date | None]:
    if not row["reason"].strip():
        raise UsageError(place, "the reason is empty", "say why the deviation is accepted")
    try:
        expires = date.fromisoformat(row["expires"]) if row.get("expires") else None
    except ValueError:
        raise UsageError(
            place, f"{row['expires']!r} is no date", "write it as 2027-01-31"
        ) from None
    return row["contract"], row["clause"], row["reason"], row.get("issue"), expires


def apply(
    judgement: Judgement, entries: Sequence[Entry], today: date
) -> tuple[Judgement, list[str], list[str]]:
    """Return the judgement with accepted verdicts, the stale entries, and the expired ones, in
    words.
    """
    own = [e for e in entries if e.contract == judgement.contract.name]
    live = {(e.kind, e.clause): e for e in own if not e.expired(today)}
    expired = [
        f"{e.place}: {e.clause} is accepted no more, since {e.expires}"
        for e in own
        if e.expired(today)
    ]
    stale: list[str] = []

    def one(verdict: Verdict) -> Verdict:
        id_ = verdict.clause.id
        if entry := live.get(("violations", id_)):
            if verdict.word == "violated":
                return replace(verdict, word="accepted", reason=entry.reason)
            if verdict.word == "upheld":
                stale.append(f"{entry.place}: {id_} is upheld again; delete this entry")
        if entry := live.get(("not_exercised", id_)):
            if verdict.word == "not-exercised":
                return replace(verdict, excused=entry.reason, excused_by=(id_,))
            if verdict.word in ("upheld", "violated"):
                stale.append(f"{entry.place}: {id_} is exercised now; delete this entry")
        return verdict

    verdicts = tuple(map(one, judgement.verdicts))
    return replace(judgement, verdicts=verdicts), stale, expired


def dump(entries: Sequence[Entry]) -> str:
    """Return entries as a baseline file."""
    rows: dict[str, list[dict[str, str]]] = {kind: [] for kind in KINDS}
    for entry in entries:
        row = {"contract": entry.contract, "clause": entry.clause, "reason": entry.reason}
        row |= {"issue": entry.issue} if entry.issue else {}
        row |= {"expires": entry.expires.isoformat()} if entry.expires else {}
        rows[entry.kind].append(row)
    text: str = yaml.safe_dump(rows, sort_keys=False, allow_unicode=True)
    return text


def draft(report: Mapping[str, Any]) -> str:
    """Return a baseline for a JSON report's violations and gaps, its reasons left for a person to
    write.
    """
    rows: dict[str, list[dict[str, str]]] = {kind: [] for kind in KINDS}
    for contract in report["contracts"]:
        for clause in contract["clauses"]:
            if clause.get("newer"):
                continue  # nothing is to be accepted
            row = {"contract": contract["name"], "clause": clause["id"]}
            if clause["verdict"] == "violated":
                told = clause["evidence"][0] if clause["evidence"] else {}
                seen = f"expected {told.get('expected')}, got {told.get('actual')}"
                rows["violations"].append({**row, "reason": f"TODO say why: {seen}"[:300]})
            elif clause["verdict"] == "not-exercised" and clause["level"] == "must":
                if not clause.get("conditional") and not clause.get("excused"):
                    rows["not_exercised"].append(
                        {**row, "reason": f"TODO say why: {clause['reason']}"}
                    )
    text = yaml.safe_dump(rows, sort_keys=False, allow_unicode=True, width=110)
    return (
        "# Known deviations. An entry whose clause is upheld again fails the run: delete it then.\n"
        + text
    )
