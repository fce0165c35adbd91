"""The Markdown of a page becomes sections of sentences, as they are compared.

markdown-it-py reads; here is decided what a sentence is: a sentence of prose, a code block, a row
of a table's head, and of its other rows each line of a cell, beside what the row begins with.
Formatting, link targets and comments are none. Learn's tabs say one thing in several languages: the
first is read. Pure.
"""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

from cancel_contracts.contract.page import INTRODUCTION, TITLE, Read, folded
from cancel_contracts.errors import UsageError
from cancel_contracts.pages.english import LACKING

NESTING = 20  # levels of lists (two each), quotes and emphasis; a page has six. Time grows with it
SENTENCES = 5000  # of a page; a long one has three hundred
SECTIONS = 500  # of a page; a long one has forty
NO_HEADING = 9  # below every heading: contains none
END = re.compile(r"(?<=[.!?])\s+(?=[^a-z\s])")  # of a sentence; not after "e.g."
COMMENT = re.compile(r"<!--(.*?)(?:-->|\Z)", re.DOTALL)
TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9]*)\b[^<>]*>")
# Of HTML what sets a text apart, and what only dresses it. Another tag is text: it takes something
# back (<del>), or is no HTML but a placeholder, such as <id>.
BREAKS = frozenset("br dd details div dl dt hr li ol p pre summary table td th tr ul".split())
DRESS = frozenset("a abbr b code em font i img kbd small span strong tbody tfoot thead u".split())


@dataclass(frozen=True)
class Section:
    """A heading and the sentences below it, down to the next heading of any level."""

    name: str
    level: int
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Document:
    """A page's sections in order. `lacking`: files that it includes and that were not there."""

    sections: tuple[Section, ...]
    lacking: tuple[str, ...] = ()

    def extent(self, at: int) -> range:
        """Return the places of a section and of those that are nested in it."""
        level, end = self.sections[at].level, at + 1
        while end < len(self.sections) and self.sections[end].level > level:
            end += 1
        return range(at, end)

    def around(self, at: int) -> Iterator[int]:
        """Yield the place of a section, and of those that it is nested in."""
        level = self.sections[at].level + 1
        for outer in range(at, -1, -1):
            if self.sections[outer].level < level:
                level = self.sections[outer].level
                yield outer

    def whole(self, at: int) -> tuple[str, ...]:
        """Return the sentences of a section, nested headings and theirs included."""
        found = list(self.sections[at].sentences)
        for inner in self.extent(at)[1:]:
            found += [self.sections[inner].name, *self.sections[inner].sentences]
        return tuple(found)

    def places(self, heading: str) -> tuple[int, ...]:
        """Return where the sections of a heading stand: several where it stands twice. Of those
        that are nested in others only where none is not.
        """
        named = [i for i, s in enumerate(self.sections) if folded(s.name) == folded(heading)]
        level = min((self.sections[i].level for i in named), default=0)
        return tuple(i for i in named if self.sections[i].level == level)

    def text(self, heading: str) -> tuple[str, ...] | None:
        """Return the sentences of a heading, or None where the page does not have it."""
        at = self.places(heading)
        return tuple(s for i in at for s in self.whole(i)) if at else None

    @property
    def headings(self) -> tuple[str, ...]:
        """The headings that are nested in no other, each once."""
        found, at = [], 0
        while at < len(self.sections):
            found.append(self.sections[at].name)
            at = self.extent(at).stop
        return tuple(dict.fromkeys(found))


def mark(sentence: str) -> str:
    """Return the hash of a sentence, eight hexadecimal digits. White space does not count."""
    letters = "".join(unicodedata.normalize("NFC", sentence).split())
    return hashlib.sha256(letters.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def marks(sentences: Sequence[str]) -> tuple[str, ...]:
    return tuple(map(mark, sentences))


def reading(sentences: Sequence[str], day: str) -> Read:
    """Return what a spec keeps of a section that is read on a day."""
    return Read(day, mark("".join(sentences)), marks(sentences))


def dictionary(documents: Sequence[Document]) -> dict[str, str]:
    """Return the sentences of pages by their hashes."""
    return {
        mark(sentence): sentence
        for document in documents
        for at in range(len(document.sections))
        for sentence in document.whole(at)
    }


def read(markdown: str, place: str) -> Document:
    """Return the sections of a page. Raises UsageError for what is none."""
    parser = MarkdownIt("commonmark", {"html": True, "maxNesting": NESTING}).enable("table")
    tokens = parser.parse(markdown)
    # What is deeper the parser drops without a word.
    if any(t.level >= NESTING - 1 or _depth(t) >= NESTING - 1 for t in tokens):
        raise UsageError(place, f"is nested deeper than {NESTING} levels", "name a page")
    reader = _Reader()
    for at, token in enumerate(tokens):
        reader.take(token, tokens[at + 1] if token.type == "heading_open" else token)
    if not reader.headed:
        raise UsageError(place, "has no headings", "name a page in Markdown")
    _bounded(place, "sections", len(reader.open_), SECTIONS)
    _bounded(place, "sentences", sum(len(found) for _, _, found in reader.open_), SENTENCES)
    sections = (Section(name, level, tuple(found)) for name, level, found in reader.open_)
    return Document(tuple(sections), tuple(dict.fromkeys(reader.lacking)))


def _bounded(place: str, noun: str, count: int, most: int) -> None:
    if count > most:
        raise UsageError(place, f"has more than {most} {noun}", "name a page")


def _depth(token: Token) -> int:
    return max((child.level for child in token.children or ()), default=0)


@dataclass
class _Reader:
    """Takes the tokens of a page in order."""

    open_: list[tuple[str, int, list[str]]] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)
    headed: bool = False
    tab: int | None = None  # which of a group we are in
    cells: list[str] | None = None  # of the row of a table that we are in
    in_head: bool = False
    in_heading: bool = False

    def take(self, token: Token, inline: Token) -> None:
        """Take a token; `inline` holds the text of a heading that it opens."""
        kind = token.type
        if kind == "heading_open" and _is_tab(inline):
            self.tab = 0 if self.tab is None else self.tab + 1
            self.in_heading = True
        elif kind == "heading_open":
            self.tab, self.in_heading = None, True
            self._open(self._shown(inline), int(token.tag[1]))
        elif kind == "heading_close":
            self.in_heading = False
        elif kind == "hr":
            self.tab = None
        elif not self.tab and not self.in_heading:
            self._text(token)

    def _open(self, name: str, level: int) -> None:
        name = " ".join(name.split())
        if not self.headed and level == 1:
            before = [row for _, _, found in self.open_ for row in found]
            self.open_ = [(TITLE, NO_HEADING, [name]), (INTRODUCTION, NO_HEADING, before)]
        else:
            if not self.open_:
                self.open_.append((INTRODUCTION, NO_HEADING, []))
            self.open_.append((name, level, []))
        self.headed = True

    def _text(self, token: Token) -> None:
        kind = token.type
        if kind in ("thead_open", "tbody_open"):
            self.in_head = kind == "thead_open"
        elif kind == "tr_open":
            self.cells = []
        elif kind == "tr_close":
            self._say(_row(self.cells or [], self.in_head))
            self.cells = None
        elif kind == "inline" and self.cells is not None:
            self.cells.append(self._shown(token))
        elif kind == "inline":
            self._say(part for line in self._shown(token).split("\n") for part in END.split(line))
        elif kind in ("fence", "code_block"):
            self._say([token.content])
        elif kind == "html_block":
            self._say(html.unescape(self._bare(token.content)).split("\n"))

    def _say(self, sentences: Sequence[str] | Iterator[str]) -> None:
        if not self.open_:
            self.open_.append((INTRODUCTION, NO_HEADING, []))
        self.open_[-1][2].extend(" ".join(s.split()) for s in sentences if s.strip())

    def _shown(self, inline: Token) -> str:
        """Return the text that a reader sees, a line for each <br>."""
        return "".join(map(self._piece, inline.children or ()))

    def _piece(self, child: Token) -> str:
        if child.type in ("softbreak", "hardbreak"):
            return " "
        return self._bare(child.content) if child.type == "html_inline" else child.content

    def _bare(self, markup: str) -> str:
        """Return HTML without its tags; note what was not there to be included."""
        for comment in COMMENT.findall(markup):
            if comment.strip().startswith(LACKING):
                self.lacking.append(comment.strip().removeprefix(LACKING).strip())
        return TAG.sub(_tag, COMMENT.sub("", markup))


def _tag(found: re.Match[str]) -> str:
    name = found[1].lower()
    return "\n" if name in BREAKS else "" if name in DRESS else found[0]


def _is_tab(inline: Token) -> bool:
    """Whether a heading is one of learn's tabs: `# [HTTP](#tab/http)`."""
    children = [child for child in inline.children or () if child.content.strip() or child.nesting]
    target = str(children[0].attrGet("href")) if children else ""
    return target.startswith("#tab/") and children[-1].type == "link_close"


def _row(cells: list[str], in_head: bool) -> Iterator[str]:
    """Yield a table's row: its head as a whole, else line by line, each beside the row's first cell
    and as many bars as it is columns away.
    """
    texts = [" ".join(cell.split()) for cell in cells]
    if in_head or not any(texts[1:]):
        yield " | ".join(texts).strip(" |")
        return
    for column, cell in enumerate(cells[1:], 1):
        for line in filter(str.strip, cell.split("\n")):
            yield f"{texts[0]}{' |' * column} {' '.join(line.split())}"
