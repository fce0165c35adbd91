"""Which sentences of a page carry clauses, and which carry none. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.page import folded, headings
from cancel_contracts.pages.find import Copy
from cancel_contracts.pages.ground import Promise, promises


@dataclass(frozen=True)
class Carried:
    """A section's own sentences and the promises that rest on them, each with its verdict where a
    report has one.
    """

    heading: str
    level: int
    sentences: tuple[str, ...]
    promises: tuple[tuple[Promise, str | None], ...]


@dataclass(frozen=True)
class Coverage:
    """One copy of a page with what one contract rests on it."""

    contract: str
    page: str
    place: str
    sections: tuple[Carried, ...]

    @property
    def counts(self) -> tuple[int, int]:
        """How many sentences carry a promise, of how many."""
        rows = [(len(s.sentences), bool(s.promises)) for s in self.sections]
        return sum(n for n, carries in rows if carries), sum(n for n, _ in rows)


def cover(contract: Contract, copy: Copy, verdicts: Mapping[str, str]) -> Coverage:
    """Return the page's sentences, section by section. `verdicts`: those of a report, by clause."""
    resting = [p for p in promises(contract) if p.source.page == copy.name]
    document, found = copy.document, []
    names = {name for p in resting for name in headings(p.source.section)}
    places = {folded(name): document.places(name) for name in names}
    for at, section in enumerate(document.sections):
        on = {folded(document.sections[i].name) for i in document.around(at)
              if i in places.get(folded(document.sections[i].name), ())}  # fmt: skip
        rows = (p for p in resting if any(p.rests_on(copy.name, name) for name in on))
        carries = tuple((p, verdicts.get(p.id)) for p in rows)
        found.append(Carried(section.name, section.level, section.sentences, carries))
    return Coverage(contract.name, copy.name, copy.place, tuple(found))


def verdicts(report: Mapping[str, object], contract: str) -> dict[str, str]:
    """Return the verdicts of a JSON report on one contract, by clause."""
    rows: Sequence[Mapping[str, object]] = report["contracts"]  # type: ignore[assignment]
    clauses: list[Mapping[str, str]] = next(
        (row["clauses"] for row in rows if row["name"] == contract), []  # type: ignore[misc]
    )  # fmt: skip
    return {clause["id"]: clause["verdict"] for clause in clauses}
