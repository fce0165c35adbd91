"""Runs to targets: what each stands on, its history, and what changed from run to run. Pure.

What is not kept is told beside the figures, never in them: *kept* and *covered* are those of the
reports, added up over contracts and never blended.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from cancel_contracts.board.model import Ending, Judged, Part, Run
from cancel_contracts.compare import Change, compare

SLUG_CHARS = 60
SHA256_DIGITS = 12  # that are shown of a spec file's
# The worst first.
ENDINGS: tuple[Ending, ...] = ("violated", "inconclusive", "nothing-selected", "conforms")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# Which names the same thing in two runs only where both judged the whole of it.
_OF_THE_WHOLE = {"clause missing", "clause new", "dialect changed"}


@dataclass(frozen=True)
class Standing:
    """A contract of a target, and the run that its row stands on."""

    run: Run
    judged: Judged


@dataclass(frozen=True)
class Step:
    """A run in a target's history, and what is different from the ones before it. `beside` tells
    what else is not the same: the target's version, the suite, a spec file.
    """

    run: Run
    changes: tuple[Change, ...]
    beside: tuple[str, ...]
    first: bool
    whole: bool

    @property
    def kept(self) -> Part:
        return total(judged.kept for judged in self.run.contracts)

    @property
    def covered(self) -> Part:
        return total(judged.covered for judged in self.run.contracts)

    @property
    def tells(self) -> bool:
        """Whether somebody who follows the target would want to know."""
        return self.first or bool(self.changes)

    @property
    def worse(self) -> int:
        return sum(change.worse for change in self.changes)


@dataclass(frozen=True)
class Target:
    """A target with all its runs, the oldest first. `slug` names its files."""

    name: str
    slug: str
    runs: tuple[Run, ...]

    @property
    def anchor(self) -> str:
        """Its place on the page: no other part of it is called so."""
        return f"target-{self.slug}"

    @property
    def latest(self) -> Run:
        return self.runs[-1]

    @cached_property
    def standings(self) -> tuple[Standing, ...]:
        """Of each contract the newest run that speaks for it, or else the newest."""
        found: dict[str, Standing] = {}
        for every in (True, False):
            for run in self.runs:
                for judged in run.contracts:
                    if every or self.counts(run, judged):
                        found[judged.name] = Standing(run, judged)
        return tuple(found[name] for name in sorted(found))

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        return tuple(self._steps())

    @property
    def kept(self) -> Part:
        return total(s.judged.kept for s in self.standings)

    @property
    def covered(self) -> Part:
        return total(s.judged.covered for s in self.standings)

    @property
    def outcome(self) -> Ending:
        """The worst that the runs came to on which the row stands. A run of which a part is
        outdated counts by the contracts that are not.
        """
        words: set[Ending] = set()
        for run in self.standing_runs:
            own = [s.judged for s in self.standings if s.run is run]
            whole = len(own) == len(run.contracts)
            words |= {run.outcome} if whole else {judged.outcome for judged in own}
        return next((word for word in ENDINGS if word in words), self.latest.outcome)

    @cached_property
    def standing_runs(self) -> tuple[Run, ...]:
        """The runs that the row stands on, the newest first."""
        held = {id(s.run) for s in self.standings}
        return tuple(run for run in reversed(self.runs) if id(run) in held) or (self.latest,)

    @property
    def dialects(self) -> list[str]:
        return list(dict.fromkeys(name for s in self.standings for name in s.judged.dialects))

    @property
    def suites(self) -> list[str]:
        """The versions of the suite that judged, the newest run's first."""
        return list(dict.fromkeys(run.suite for run in self.standing_runs))

    @property
    def versions(self) -> list[str]:
        return list(dict.fromkeys(run.version for run in self.standing_runs if run.version))

    @property
    def judged_whole(self) -> bool:
        """Whether its row stands on whole contracts, none on a selection of clauses."""
        return all(self.whole(s.run, s.judged) for s in self.standings)

    def whole(self, run: Run, judged: Judged) -> bool:
        """Whether a run judged a contract as a whole, not a selection of its clauses."""
        selected = self._selected(run, judged)
        return selected.count >= selected.of

    def counts(self, run: Run, judged: Judged) -> bool:
        """Whether a run judged enough of a contract to speak for it: half of its must-clauses."""
        selected = self._selected(run, judged)
        return 2 * selected.count >= selected.of

    def _selected(self, run: Run, judged: Judged) -> Part:
        """Return the must-clauses selected, of all; where the report does not say of how many, of
        the most that the same suite was asked for.
        """
        most = self._most[run.suite, judged.name]
        return judged.selected or Part(judged.covered.of, most)

    @cached_property
    def _most(self) -> Mapping[tuple[str, str], int]:
        most: dict[tuple[str, str], int] = defaultdict(int)
        for run in self.runs:
            for judged in run.contracts:
                key = run.suite, judged.name
                most[key] = max(most[key], judged.covered.of)
        return most

    def _steps(self) -> Iterator[Step]:
        before: dict[str, tuple[Run, Judged]] = {}
        for run in self.runs:
            changes: list[Change] = []
            beside: dict[str, None] = {}
            for judged in run.contracts:
                if judged.name in before:
                    was, last = before[judged.name]
                    whole = self.whole(run, judged) and self.whole(was, last)
                    changes += changed(last, judged, whole)
                    beside |= dict.fromkeys(_beside(was, last, run, judged))
                if self.counts(run, judged) or judged.name not in before:
                    before[judged.name] = run, judged
            whole = all(self.whole(run, judged) for judged in run.contracts)
            yield Step(run, tuple(changes), tuple(beside), run is self.runs[0], whole)


def _beside(was: Run, last: Judged, run: Run, judged: Judged) -> Iterator[str]:
    """Yield what is not the same about two runs of a contract beside the verdicts."""
    for name, a, b in (
        ("target version", was.version, run.version),
        ("suite", was.suite, run.suite),
        (f"spec of {judged.name}", _short(last.spec_sha256), _short(judged.spec_sha256)),
    ):
        if a != b:
            yield f"{name}: {a or 'not told'} -> {b or 'not told'}"


def _short(sha256: str | None) -> str | None:
    return sha256 and sha256[:SHA256_DIGITS]


def total(parts: Iterable[Part]) -> Part:
    rows = list(parts)
    return Part(sum(p.count for p in rows), sum(p.of for p in rows))


def changed(a: Judged, b: Judged, whole: bool = True) -> list[Change]:
    """Return what differs between two runs of one contract.

    A clause that only one of them has, tells something where both judged the `whole` of it, by
    spec files that are known to differ; else it was not selected.
    """
    rows = compare({"contracts": [_rows(a)]}, {"contracts": [_rows(b)]})
    differ = a.spec_sha256 and b.spec_sha256 and a.spec_sha256 != b.spec_sha256
    return [
        row
        for row in rows
        if row.kind not in _OF_THE_WHOLE
        or (whole and (differ or not row.kind.startswith("clause")))
    ]


def _rows(judged: Judged) -> dict[str, object]:
    """Return a contract as `compare` takes it of a report: without evidence."""
    return {
        "name": judged.name,
        "dialect": ", ".join(judged.dialects) or None,
        "clauses": [
            {"id": id_, "level": m.level, "verdict": m.verdict, "excused": m.excused,
             "newer": m.newer, "evidence": ()}
            for id_, m in judged.clauses.items()
        ],
    }  # fmt: skip


def targets(runs: Sequence[Run]) -> list[Target]:
    """Return the targets by name. A run is its target's by name, or else by its URL: that of one
    named target, if it is, or a target by itself.
    """
    named: dict[str, set[str]] = defaultdict(set)
    for run in runs:
        if run.name:
            named[run.url].add(run.name)
    rows: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        names = named[run.url]
        rows[run.name or (next(iter(names)) if len(names) == 1 else run.url)].append(run)
    found, taken = [], set[str]()
    for name in sorted(rows, key=lambda name: (name.casefold(), name)):
        own = slug(name)
        if own in taken:  # somebody is called as another's slug is
            own = f"{own}-{_digest(name)}"
        taken.add(own)
        found.append(Target(name, own, tuple(rows[name])))
    return found


def slug(name: str) -> str:
    """Return a file's name for a target, the same whatever other targets there are."""
    if _SLUG.fullmatch(name) and len(name) <= SLUG_CHARS:
        return name
    plain = "-".join(re.findall(r"[a-z0-9]+", name.lower()))[:SLUG_CHARS].strip("-")
    return f"{plain or 'target'}-{_digest(name)[:8]}"


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "backslashreplace")).hexdigest()
