"""Compare two JSON reports clause by clause: what changed between two runs, or between a vendor and
a mock. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cancel_contracts.errors import UsageError
from cancel_contracts.pipes import read_text
from cancel_contracts.schemas import complaint, shape

# How bad a verdict is for whoever relies on the server. A change to a higher number is for the
# worse.
RANK = {"upheld": 0, "accepted": 1, "not-exercised": 2, "inconclusive": 3, "violated": 4}


@dataclass(frozen=True)
class Change:
    """One difference between A and B. `kind` is what a reader would search for."""

    kind: str
    contract: str
    clause: str | None
    level: str | None
    a: str
    b: str
    worse: bool

    def sentence(self) -> str:
        where = f"{self.contract} {self.clause}" if self.clause else self.contract
        return f"{self.kind}: {where}: {self.a} -> {self.b}"


def document(path: Path) -> Any:
    """Return the JSON value of a file. Raises UsageError where there is none."""
    try:
        return json.loads(read_text(path))
    except OSError as err:
        raise UsageError(
            str(path), err.strerror or "cannot be read", "name a JSON report"
        ) from None
    except (ValueError, RecursionError):
        raise UsageError(str(path), "is no JSON", "name a file that --report-json wrote") from None


def load(path: Path) -> dict[str, Any]:
    """Return a JSON report. Raises UsageError for anything else."""
    report = document(path)
    if found := complaint(shape("report").errors(report)):
        where = "/".join(map(str, found[0])) or "(top level)"
        problem = f"is no report of this schema: {found[1]}"
        raise UsageError(f"{path}: {where}", problem, "write it again with --report-json")
    return dict(report)


def compare(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Change]:
    """Return what differs, contract by contract, in B's order."""
    old = {c["name"]: c for c in a["contracts"]}
    new = {c["name"]: c for c in b["contracts"]}
    changes: list[Change] = []
    for name in dict.fromkeys([*new, *old]):
        if name not in new:
            changes.append(Change("contract missing", name, None, None, "present", "absent", True))
        elif name not in old:
            changes.append(Change("contract new", name, None, None, "absent", "present", False))
        else:
            changes += _contract(name, old[name], new[name])
    return changes


def _contract(name: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Change]:
    if a["dialect"] != b["dialect"]:
        told = (str(a["dialect"]), str(b["dialect"]))
        yield Change("dialect changed", name, None, None, *told, False)
    old = {c["id"]: c for c in a["clauses"]}
    new = {c["id"]: c for c in b["clauses"]}
    for id_ in dict.fromkeys([*new, *old]):
        if id_ not in new:
            level = old[id_]["level"]
            worse = level == "must" and old[id_]["verdict"] != "not-exercised"
            yield Change("clause missing", name, id_, level, old[id_]["verdict"], "absent", worse)
        elif id_ not in old:
            worse = new[id_]["verdict"] == "violated" and _held(new[id_])
            yield Change(
                "clause new", name, id_, new[id_]["level"], "absent", new[id_]["verdict"], worse
            )
        else:
            yield from _clause(name, old[id_], new[id_])


def _clause(name: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Change]:
    was, now, level = a["verdict"], b["verdict"], b["level"]
    if was != now:
        worse = RANK[now] > RANK[was] and _held(b) and not b.get("excused")
        kind = {"violated": "newly violated", "upheld": "newly upheld"}.get(now, f"newly {now}")
        yield Change(kind, name, b["id"], level, was, now, worse)
    first, second = _told(a), _told(b)
    if not first or not second or first["scenario"] != second["scenario"]:
        return
    left, right = _status(first), _status(second)
    if left and right and left // 100 != right // 100:
        # Of two servers the one that refuses what the other lets through is the stricter.
        if {left // 100, right // 100} == {2, 4}:
            kind = "B is stricter" if right // 100 == 4 else "B is laxer"
        else:
            kind = "answers otherwise"
        yield Change(kind, name, b["id"], level, first["actual"], second["actual"], False)
    elif was == now and (
        left != right or (was == "violated" and first["actual"] != second["actual"])
    ):
        yield Change(
            "evidence changed", name, b["id"], level, first["actual"], second["actual"], False
        )


def _held(clause: Mapping[str, Any]) -> bool:
    """Whether a clause is held against the server."""
    return clause["level"] == "must" and not clause.get("newer")


def _told(clause: Mapping[str, Any]) -> dict[str, Any] | None:
    return clause["evidence"][0] if clause["evidence"] else None


def _status(evidence: Mapping[str, Any]) -> int | None:
    response = evidence.get("response")
    return response["status"] if response else None


def worse(changes: Sequence[Change]) -> bool:
    return any(c.worse for c in changes)
