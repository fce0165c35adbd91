"""Has the ground of clauses moved? A page as it is now, against the hashes that a spec keeps of it.

The hashes tell which sentences are new and how many are gone. What the gone ones said stands in
older copies of the page, where somebody gives them. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import product
from typing import Literal, cast

from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.page import Read, folded, headings
from cancel_contracts.pages.find import Copy
from cancel_contracts.pages.ground import Promise, promises
from cancel_contracts.pages.read import Document, dictionary, marks, reading

WORDS = 800  # of two sentences that are compared word by word; longer ones are shown whole
PAIRS = 1000  # of sentences that are held against each other where a part was rewritten
ALIKE = 0.6  # of two sentences: one came of the other
SAME_TEXT = 0.5  # of the sentences of a section that is gone, in one that is new: it was renamed
WORD = re.compile(r"\s+|[^\s\w]|\w+")
Kind = Literal["same", "changed", "renamed", "gone", "new"]
Op = Literal["=", "-", "+"]
Older = Mapping[str, str]  # hash to sentence


@dataclass(frozen=True)
class Edit:
    """Sentences that gave place to others, either may be none. `gone` has None for a sentence of
    which only the hash is known; `words` is the difference of two that are alike, word by word.
    """

    gone: tuple[str | None, ...]
    new: tuple[str, ...]
    words: tuple[tuple[Op, str], ...] = ()


@dataclass(frozen=True)
class _Words:
    """How alike two sentences are (0 to 1), and their difference."""

    alike: float
    pieces: tuple[tuple[Op, str], ...]


@dataclass(frozen=True)
class Change:
    """What became of one section. `name` is its heading in the spec, `now` that on the page."""

    kind: Kind
    name: str
    now: str | None
    read: str | None  # the day on which the spec's text stood
    kept: int
    edits: tuple[Edit, ...]
    promises: tuple[Promise, ...]

    @property
    def moved(self) -> tuple[Promise, ...]:
        """The promises whose ground is another now. A new section is that of those who name it."""
        return () if self.kind == "same" else self.promises


@dataclass(frozen=True)
class Comparison:
    """One copy of a page against what one contract keeps of it."""

    contract: str
    page: str
    place: str
    lacking: tuple[str, ...]
    changes: tuple[Change, ...]

    @property
    def moved(self) -> bool:
        """Whether the ground of a must-clause has moved."""
        return any(p.level == "must" for change in self.changes for p in change.moved)


def compare(contract: Contract, copy: Copy, older: Older) -> Comparison | None:
    """Return what has changed on a page, or None where the contract does not watch it."""
    page = contract.pages.get(copy.name)
    if page is None or not page.sections:
        return None
    document = copy.document
    older = {**older, **dictionary([document])}
    resting = [p for p in promises(contract) if p.source.page == copy.name]
    fresh = [name for name in document.headings if not _has(page.sections, name)]
    for promise in resting:  # also what is nested in another section, where a source names it
        for name in headings(promise.source.section):
            if not _has(page.sections, name) and not _has(fresh, name):
                fresh.append(name)
    changes = []
    for name, read in page.sections.items():
        now: str | None = name
        # Of a section that is gone a namesake may be nested in another: its text tells.
        if not _has(document.headings, name) and not _same(read, document.text(name)):
            now = _renamed(read, [name, *fresh], document)
            fresh = [other for other in fresh if other != now]
        text = document.text(now) if now is not None else None
        changes.append(_change(name, now, read, text, older, resting))
    for name in fresh:
        changes.append(_change(name, name, None, document.text(name), older, resting))
    return Comparison(contract.name, copy.name, copy.place, document.lacking, tuple(changes))


def _has(names: Mapping[str, Read] | Sequence[str], name: str) -> bool:
    return folded(name) in map(folded, names)


def _same(read: Read, text: Sequence[str] | None) -> bool:
    return text is not None and reading(text, read.day).hash == read.hash


def _renamed(read: Read, fresh: Sequence[str], document: Document) -> str | None:
    """Return the new section that holds the text of one that is gone, or None."""
    best, found = 0.0, None
    for name in fresh:
        now = set(marks(document.text(name) or ()))
        share = sum(m in now for m in read.sentences) / len(read.sentences or "-")
        if share > best:
            best, found = share, name
    return found if best >= SAME_TEXT else None


def _change(
    name: str, now: str | None, read: Read | None, text: tuple[str, ...] | None,
    older: Older, resting: Sequence[Promise],
) -> Change:  # fmt: skip
    was = read.sentences if read else ()
    # Where a blank alone makes two sentences of one, their hashes differ, and not the text's.
    same = read is not None and _same(read, text)
    edits = () if same else tuple(_edits(was, text or (), older))
    kept = len(was) - sum(len(edit.gone) for edit in edits)
    kind: Kind
    if text is None:
        kind = "gone"
    elif read is None:
        kind = "new"
    elif now != name:
        kind = "renamed"
    else:
        kind = "same" if same else "changed"
    named = {name, now or name}  # a source may have been corrected before the page was accepted
    on = tuple(p for p in resting if any(p.rests_on(p.source.page, one) for one in named))
    return Change(
        kind, name, now if text is not None else None, read.day if read else None, kept, edits, on
    )


def _edits(was: Sequence[str], text: Sequence[str], older: Older) -> Iterator[Edit]:
    matcher = SequenceMatcher(None, was, marks(text), autojunk=False)
    for op, a, b, c, d in matcher.get_opcodes():
        if op != "equal":
            gone, new = [older.get(mark) for mark in was[a:b]], text[c:d]
            pairs: dict[tuple[int, int], _Words] = {}
            if len(gone) * len(new) <= PAIRS:
                for i, j in product(range(len(gone)), range(len(new))):
                    if (words := _words(gone[i], new[j])) is not None:
                        pairs[i, j] = words
            yield from _paired(gone, new, pairs, (0, len(gone)), (0, len(new)))


def _paired(
    gone: Sequence[str | None], new: Sequence[str], pairs: Mapping[tuple[int, int], _Words],
    old: tuple[int, int], now: tuple[int, int],
) -> Iterator[Edit]:  # fmt: skip
    """Yield an edit for each two sentences that are alike, the most alike first found, and one for
    what stands between them.
    """
    within = [at for at in pairs if old[0] <= at[0] < old[1] and now[0] <= at[1] < now[1]]
    if not within:
        if old[0] < old[1] or now[0] < now[1]:
            yield Edit(tuple(gone[slice(*old)]), tuple(new[slice(*now)]))
        return
    i, j = max(within, key=lambda at: pairs[at].alike)
    yield from _paired(gone, new, pairs, (old[0], i), (now[0], j))
    yield Edit((gone[i],), (new[j],), pairs[i, j].pieces)
    yield from _paired(gone, new, pairs, (i + 1, old[1]), (j + 1, now[1]))


def _words(gone: str | None, new: str) -> _Words | None:
    """Return the difference of two sentences word by word, where they are alike at all."""
    old, now = WORD.findall(gone or ""), WORD.findall(new)
    matcher = SequenceMatcher(None, old, now, autojunk=False)
    if not old or len(old) + len(now) > WORDS or matcher.quick_ratio() < ALIKE:
        return None
    if (alike := matcher.ratio()) < ALIKE:
        return None
    pieces: list[tuple[Op, str]] = []
    for op, a, b, c, d in matcher.get_opcodes():
        for sign, words in (
            (("=", old[a:b]),) if op == "equal" else (("-", old[a:b]), ("+", now[c:d]))
        ):
            if words:
                pieces.append((cast("Op", sign), "".join(words)))
    return _Words(alike, tuple(pieces))
