"""Where the verdicts of two reports part: one judged then, the other of the same traffic now.
Pure.

What a run alone can tell (seconds, the steps of a scenario, how a finding is made anew) is left
out: a recording comes to all the rest again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

OF_A_RUN = ("kept", "covered", "excused", "newer")
# Of a run that came to its end: a crash, or an interruption, is in no recording.
OF_AN_END = ("outcome", "exit_code")
ENDS = (0, 1, 4, 5)
OF_A_CONTRACT = (
    "edition", "held_to", "dialects", "unusable", "stopped", "requests", "pairs", "kept", "covered",
    "excused", "newer",
)  # fmt: skip
TOLD_OF_A_CONTRACT = ("dialects", "kept", "covered")  # where the clauses are others
OF_A_CLAUSE = (
    "verdict", "level", "exercised", "requests", "violations", "reason", "excused", "conditional",
    "gap", "newer",
)  # fmt: skip
# What an answer holds, and how long it is, is not told alike where a secret is left out of it.
OF_EVIDENCE = ("scenario", "number", "identity", "state")


@dataclass(frozen=True)
class Parting:
    """One difference. `contract` is empty where it is one of the whole run, `clause` None where it
    is one of a contract; `counts`: it is one of the verdicts, or of what nothing may change.
    """

    contract: str
    clause: str | None
    key: str
    then: Any
    now: Any
    counts: bool

    def sentence(self) -> str:
        where = f"{self.contract} {self.clause}" if self.clause else self.contract or "the run"
        return f"{where}: {self.key}: {_shown(self.then)} -> {_shown(self.now)}"


def ended(report: Mapping[str, Any]) -> bool:
    """Whether a run came to its end."""
    return report["exit_code"] in ENDS


def verdicts(report: Mapping[str, Any], *, whole: bool = True) -> dict[str, Any]:
    """Return the verdicts of a report, and what each rests on: those of its contracts by name, and
    that of the run by "". `whole`: what it came to as well.
    """
    run = {key: report.get(key) for key in (*OF_A_RUN, *(OF_AN_END if whole else ()))}
    return {"": run, **{contract["name"]: _contract(contract) for contract in report["contracts"]}}


def dump(found: Mapping[str, Any]) -> bytes:
    """Return verdicts as bytes: the same verdicts are the same bytes."""
    return json.dumps(found, ensure_ascii=True, sort_keys=True).encode()


def _contract(contract: Mapping[str, Any]) -> dict[str, Any]:
    row = {key: contract.get(key) for key in OF_A_CONTRACT}
    return {**row, "clauses": {c["id"]: _clause(c) for c in contract["clauses"]}}


def _clause(clause: Mapping[str, Any]) -> dict[str, Any]:
    evidence = [{key: piece.get(key) for key in OF_EVIDENCE} for piece in clause["evidence"]]
    return {**{key: clause.get(key) for key in OF_A_CLAUSE}, "evidence": evidence}


def parted(then: Mapping[str, Any], now: Mapping[str, Any], *, alike: bool) -> list[Parting]:
    """Return where verdicts part. `alike`: the clauses are the same, so that every difference
    counts; else a verdict that is another, a dialect, and a new clause that is violated.
    """
    keys = [key for key in then[""] if then[""][key] != now[""][key]]
    found = [Parting("", None, key, then[""][key], now[""][key], alike) for key in keys]
    for name in filter(None, dict.fromkeys([*then, *now])):
        if name not in then or name not in now:
            told = ("present", "absent") if name in then else ("absent", "present")
            found.append(Parting(name, None, "contract", *told, alike or name in then))
            continue
        old, new = then[name], now[name]
        for key in OF_A_CONTRACT if alike else TOLD_OF_A_CONTRACT:
            if old[key] != new[key]:
                counts = alike or (key == "dialects" and _follow_others(old[key], new[key]))
                found.append(Parting(name, None, key, old[key], new[key], counts))
        found += _clauses(name, old["clauses"], new["clauses"], alike)
    return found


def _follow_others(old: Sequence[Mapping[str, str]], new: Sequence[Mapping[str, str]]) -> bool:
    """Whether another reading of some contradiction is seen: an edition may have no such."""
    readings = {row["of"]: row["name"] for row in old}
    return any(readings.get(row["of"], row["name"]) != row["name"] for row in new)


def _clauses(
    name: str, old: Mapping[str, Any], new: Mapping[str, Any], alike: bool
) -> Iterator[Parting]:
    for id_ in dict.fromkeys([*old, *new]):
        if id_ not in new:
            yield Parting(name, id_, "verdict", old[id_]["verdict"], "not asked", alike)
        elif id_ not in old:
            row = new[id_]
            bad = row["verdict"] == "violated" and row["level"] == "must" and not row["newer"]
            yield Parting(name, id_, "verdict", "not asked", row["verdict"], alike or bad)
        else:
            keys: Sequence[str] = (*OF_A_CLAUSE, "evidence") if alike else ("verdict",)
            for key in keys:
                if old[id_][key] != new[id_][key]:
                    yield Parting(name, id_, key, old[id_][key], new[id_][key], True)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
