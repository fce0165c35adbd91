"""Which files are pages that the contracts name: files, folders that are searched, standard input.

A page is known by its file's name, which is the last segment of its address, else by its title.
Raises UsageError for what cannot be read as one. Reads files; opens nothing else.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.page import TITLE, Page
from cancel_contracts.errors import UsageError
from cancel_contracts.pages.english import english, untranslated
from cancel_contracts.pages.read import Document, dictionary, marks, read
from cancel_contracts.pipes import read_bytes

PAGE_BYTES = 2**18  # of a file; a long page has a third
HEAD_CHARS = 2**14  # of a file, in which its title stands
FILES = 200_000  # in a folder; the largest repository of documentation has half
SUFFIXES = (".md", ".markdown", ".txt")
STDIN = Path("-")
FIX = "name a page in Markdown, or a folder of pages"


@dataclass(frozen=True)
class Copy:
    """A file that is a page: what it is called, the page's name, and its text."""

    place: str
    name: str
    document: Document


@dataclass
class Found:
    """What was found: copies of pages, files in a locale without their English text, and watched
    pages of which no folder has a copy.
    """

    copies: list[Copy] = field(default_factory=list)
    untranslated: list[tuple[str, str]] = field(default_factory=list)  # file, locale
    absent: tuple[str, ...] = ()


def named(contracts: Sequence[Contract]) -> dict[str, list[Page]]:
    """Return the pages that contracts give an address to, by name: one a contract."""
    found: dict[str, list[Page]] = {}
    for contract in contracts:
        for name, page in contract.pages.items():
            found.setdefault(name, []).append(page)
    return found


def find(
    places: Iterable[Path], pages: Mapping[str, Sequence[Page]], only: str | None
) -> Found:  # fmt: skip
    """Return the copies of pages in files and folders; of one page where `only` names it, and of a
    file that tells no name it is the name.
    """
    found, folders = Found(), []
    for place in places:
        if place != STDIN and place.is_dir():
            folders += list(_files(place))
            continue
        text = _text(place)
        name = _by_name(place, pages) or _by_title(text, str(place), pages) or only
        if (locale := untranslated(text)) is not None:
            found.untranslated.append((str(place), locale))
        elif name is None:
            problem = "is none of the pages that the contracts name"
            raise UsageError(str(place), problem, f"--page says which: {', '.join(pages)}")
        elif only in (None, name):
            found.copies.append(_copy(place, text, name))
    if folders:
        # Of pages that nobody watches folders may hold anything, unless one is asked for.
        wanted = {n: rows for n, rows in pages.items()
                  if n == only or (only is None and any(p.sections for p in rows))}  # fmt: skip
        _search(folders, wanted, found)
        have = {copy.name for copy in found.copies}
        found.absent = tuple(name for name in wanted if name not in have)
    return found


def sentences(places: Iterable[Path], pages: Mapping[str, Sequence[Page]]) -> dict[str, str]:
    """Return what older copies of pages say, by hashes: of a file, whatever it is called."""
    folders, documents = [], []
    for place in places:
        if place != STDIN and place.is_dir():
            folders.append(place)
        else:
            documents.append(_copy(place, _text(place), place.stem).document)
    documents += [copy.document for copy in find(folders, pages, None).copies]
    return dictionary(documents)


def _search(files: Sequence[Path], wanted: Mapping[str, Sequence[Page]], found: Found) -> None:
    """Add what folders have of the pages: by name, and those of no such name by their title."""
    candidates: dict[str, list[Path]] = {}
    for file in files:
        if name := _by_name(file, wanted):
            candidates.setdefault(name, []).append(file)
    chosen = {name: _nearest(rows, wanted[name]) for name, rows in candidates.items()}
    others = {n: rows for n, rows in wanted.items() if n not in chosen and _titles(rows)}
    for file in files if others else ():
        try:
            text = _text(file)
        except UsageError:
            continue  # none of ours
        if name := _by_title(text, str(file), others):
            chosen.setdefault(name, []).append(file)
        elif (locale := untranslated(text)) and _by_name(file, wanted) is None:
            found.untranslated.append((str(file), locale))
    for name, rows in chosen.items():
        for file in rows:
            text = _text(file)
            if locale := untranslated(text):
                found.untranslated.append((str(file), locale))
            else:
                found.copies.append(_copy(file, text, name))


def _nearest(files: list[Path], pages: Sequence[Page]) -> list[Path]:
    """Return the files whose folders are most like those of the page's own file: another version
    of the API has pages of the same names.
    """
    ranks = {file: max(_alike(file, page.file) for page in pages) for file in files}
    return [file for file in files if ranks[file] == max(ranks.values())]


def _alike(file: Path, wanted: str | None) -> int:
    """Return how many parts of two paths are equal, from the end."""
    ours, theirs = reversed(file.parts), reversed(PurePosixPath(wanted or "").parts)
    count = 0
    for one, other in zip(ours, theirs, strict=False):
        if one.casefold() != other.casefold():
            break
        count += 1
    return count


def _by_name(file: Path, pages: Mapping[str, Sequence[Page]]) -> str | None:
    stem = file.stem.casefold()
    for name, rows in pages.items():
        ends = {PurePosixPath(urlsplit(page.url).path).name.casefold() for page in rows}
        if stem in {name.casefold(), *ends}:
            return name
    return None


def _titles(pages: Sequence[Page]) -> set[tuple[str, ...]]:
    return {page.sections[TITLE].sentences for page in pages if TITLE in page.sections}


def _by_title(text: str, place: str, pages: Mapping[str, Sequence[Page]]) -> str | None:
    head = english(text[:HEAD_CHARS], "")
    row = next((row for row in head.splitlines() if row.startswith("# ")), None)
    if row is None:
        return None
    title = read(row, place).text(TITLE)
    return next((n for n, rows in pages.items() if marks(title or ()) in _titles(rows)), None)


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder that may be pages, in order. Links are not followed."""
    count = 0
    for at, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            count += 1
            if count > FILES:
                problem = f"holds more than {FILES} files"
                raise UsageError(str(folder), problem, "name the folder of the pages")
            if name.lower().endswith(SUFFIXES):
                yield Path(at, name)


def _copy(file: Path, text: str, name: str) -> Copy:
    def included(target: str) -> str | None:
        try:
            return None if file == STDIN else _text(file.parent / target)
        except UsageError:
            return None

    return Copy(str(file), name, read(english(text, name, included), str(file)))


def _text(file: Path) -> str:
    """Return the text of a file, or of standard input."""
    try:
        stream: Any = sys.stdin.buffer
        data = stream.read(PAGE_BYTES + 1) if file == STDIN else read_bytes(file, PAGE_BYTES)
    except OSError as err:
        raise UsageError(str(file), err.strerror or "cannot be read", FIX) from None
    if len(data) > PAGE_BYTES:
        raise UsageError(str(file), f"is larger than {PAGE_BYTES // 1024} KiB", FIX)
    try:
        text = bytes(data).decode("utf-8")
    except UnicodeDecodeError:
        raise UsageError(str(file), "is no UTF-8 text", FIX) from None
    if "\0" in text:
        raise UsageError(str(file), "is no text: it holds a NUL", FIX)
    return text
