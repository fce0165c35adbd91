"""Clauses across targets, and why one is not upheld. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cancel_contracts.board.model import Judged, Mark
from cancel_contracts.board.targets import Standing, Target


@dataclass(frozen=True)
class Row:
    """A clause across the targets: the mark of each that was judged by it, else None."""

    id: str
    level: str
    says: str
    marks: tuple[Mark | None, ...]

    @property
    def even(self) -> bool:
        """Whether every target that was judged by it upholds it."""
        return all(mark is None or mark.verdict == "upheld" for mark in self.marks)


def matrix(found: Sequence[Target], says: Mapping[str, Mapping[str, str]]) -> dict[str, list[Row]]:
    """Return the clauses by contract, each across the targets in their order."""
    columns = [{s.judged.name: s for s in target.standings} for target in found]
    by_name: dict[str, list[Standing]] = defaultdict(list)
    for column in columns:
        for name, standing in column.items():
            by_name[name].append(standing)
    tables: dict[str, list[Row]] = {}
    for name, standings in sorted(by_name.items()):
        newest = sorted(standings, key=lambda s: s.run.started, reverse=True)
        level: dict[str, str] = {}
        for standing in newest:
            for id_, mark in standing.judged.clauses.items():
                level.setdefault(id_, mark.level)
        tables[name] = [
            Row(id_, level[id_], says.get(name, {}).get(id_, ""), tuple(
                column[name].judged.clauses.get(id_) if name in column else None
                for column in columns
            ))
            for id_ in level
        ]  # fmt: skip
    return tables


def reasons(judged: Judged) -> list[tuple[str, str, list[str]]]:
    """Return what is not upheld: "not kept" or "not asked", why, and the clauses; one row a
    reason.
    """
    rows: dict[tuple[str, str], list[str]] = defaultdict(list)
    for id_, mark in judged.clauses.items():
        if mark.verdict != "upheld":
            kept = mark.verdict in ("violated", "accepted")
            why = "not accounted for" if mark.verdict == "violated" else mark.why or "no reason"
            rows["not kept" if kept else "not asked", why.rstrip(".")].append(id_)
    return [(kind, why, ids) for (kind, why), ids in rows.items()]
