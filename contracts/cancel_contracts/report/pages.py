"""What became of the vendor's pages, and which of their sentences carry clauses, in each form. Must
not decide what has moved.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from cancel_contracts.pages.compare import Change, Comparison, Edit
from cancel_contracts.pages.coverage import Coverage
from cancel_contracts.pages.ground import Promise
from cancel_contracts.report.markdown import text as md
from cancel_contracts.report.text import count, line, tame

NO_CLAUSE = "no clause"
SHOWN = 3  # names in a list that may be long
SIGNS = {"=": ("", ""), "-": ("[-", "-]"), "+": ("{+", "+}")}  # as git's word diff has them
TAGS = {"=": ("", ""), "-": ("<del>", "</del>"), "+": ("<ins>", "</ins>")}
OLDER = "what is gone the spec does not keep; --since shows it, given an older copy of the page"


@dataclass(frozen=True)
class Watch:
    """A look at pages: what was compared, and what could not be.

    `untranslated` has file and locale, `unwatched` a page and how many promises rest on it.
    """

    comparisons: Sequence[Comparison]
    untranslated: Sequence[tuple[str, str]] = ()
    absent: Sequence[str] = ()
    unwatched: Mapping[str, int] = field(default_factory=dict)

    @property
    def moved(self) -> bool:
        return any(row.moved for row in self.comparisons)

    @property
    def incomplete(self) -> bool:
        """Whether nothing was compared, or not all that a folder was to have."""
        return not self.comparisons or bool(self.absent)


def render(watch: Watch, form: str) -> str:
    """Return what became of the pages as text, Markdown or JSON."""
    if form == "json":
        return json.dumps(_document(watch), indent=1, ensure_ascii=False)
    lines: list[str] = []
    for row in watch.comparisons:
        title = f"{row.contract}: {row.page} ({row.place})"
        if form == "markdown":
            lines += [f"## {md(title)}", "", *_markdown(row), ""]
        else:
            lines += [line(title), *_text(row)]
    for said in (*_aside(watch), _ending(watch)):
        lines += [md(said), ""] if form == "markdown" else [line(said)]
    return tame("\n".join(lines).rstrip())


def _ending(watch: Watch) -> str:
    moved = {(row.contract, p.id): p for row in watch.comparisons
             for change in row.changes for p in change.moved}  # fmt: skip
    must = sum(p.level == "must" for p in moved.values())
    pages = count(len(watch.comparisons), "copy", "copies")
    if not watch.comparisons:
        return "nothing was compared"
    if not moved:
        return f"nothing has moved that a clause rests on, in {pages} of pages"
    return (
        f"the ground of {count(len(moved), 'promise')} has moved, {must} must, in {pages} of pages"
    )


def _aside(watch: Watch) -> Iterator[str]:
    """Yield what was not compared, and why."""
    edits = (edit for row in watch.comparisons for change in row.changes for edit in change.edits)
    if any(None in edit.gone for edit in edits):
        yield OLDER
    files = [f"{file} ({locale})" for file, locale in watch.untranslated]
    if files:
        told = ", ".join(files[:SHOWN]) + (" and others" if len(files) > SHOWN else "")
        yield f"not compared, a translation without its English text: {told}"
    if watch.absent:
        names = ", ".join(watch.absent)
        yield f"not found in the folder: {names}; gone, or to be left out by --contract"
    if watch.unwatched:
        rest = sum(watch.unwatched.values())
        names = ", ".join(sorted(watch.unwatched, key=str.casefold))
        yield f"not watched: {names} ({count(rest, 'promise')})"


def _facts(change: Change) -> str:
    """Return what is known of a section beside its sentences."""
    where = f" -> {change.now}" if change.kind == "renamed" else ""
    day = f" (read {change.read})" if change.read else ""
    return f"{change.name}{where}{day}"


def _ids(promises: Sequence[Promise]) -> str:
    return ", ".join(f"{p.id} ({p.level})" for p in promises) or NO_CLAUSE


def _same(row: Comparison) -> str:
    return ", ".join(change.name for change in row.changes if change.kind == "same")


def _text(row: Comparison) -> Iterator[str]:
    for change in row.changes:
        if change.kind == "same":
            continue
        yield f"  {change.kind}: {line(_facts(change))}"
        for edit in change.edits:
            yield from (f"    {line(said)}" for said in _edit(edit))
        yield f"    rests on it: {line(_ids(change.promises))}"
    yield from (f"  lacks {line(name)}: give the whole checkout" for name in row.lacking)
    if same := _same(row):
        yield f"  same: {line(same)}"


def _edit(edit: Edit) -> Iterator[str]:
    """Yield an edit as lines of text: word by word, or what is gone and what is new."""
    if edit.words:
        yield "~ " + "".join(SIGNS[op][0] + said + SIGNS[op][1] for op, said in edit.words)
        return
    unknown = sum(sentence is None for sentence in edit.gone)
    yield from (f"- {sentence}" for sentence in edit.gone if sentence is not None)
    if unknown:
        yield f"- {count(unknown, 'sentence')} gone"
    yield from (f"+ {sentence}" for sentence in edit.new)


def _markdown(row: Comparison) -> Iterator[str]:
    changed = [change for change in row.changes if change.kind != "same"]
    for change in changed:
        yield f"### {change.kind}: {md(_facts(change))}"
        yield ""
        for edit in change.edits:
            yield from (f"- {said}" for said in _marked(edit))
        yield f"- rests on it: {md(_ids(change.promises))}"
        yield ""
    yield from (f"Lacks {md(name)}: give the whole checkout.\n" for name in row.lacking)
    if same := _same(row):
        yield f"Same: {md(same)}."


def _marked(edit: Edit) -> Iterator[str]:
    if edit.words:
        # The blanks at a word's ends stand outside, and none is lost.
        yield "".join(_tagged(op, said) for op, said in edit.words)
        return
    unknown = sum(sentence is None for sentence in edit.gone)
    yield from (f"<del>{md(sentence)}</del>" for sentence in edit.gone if sentence is not None)
    if unknown:
        yield f"{count(unknown, 'sentence')} gone"
    yield from (f"<ins>{md(sentence)}</ins>" for sentence in edit.new)


def _tagged(op: str, said: str) -> str:
    begin = " " if said[:1].isspace() else ""
    end = " " if said[-1:].isspace() and said.strip() else ""
    opened, closed = TAGS[op]
    return f"{begin}{opened}{md(said)}{closed}{end}"


def _document(watch: Watch) -> dict[str, Any]:
    return {
        "moved": watch.moved,
        "pages": [
            {
                "contract": row.contract,
                "page": row.page,
                "file": row.place,
                "moved": row.moved,
                "lacking": list(row.lacking),
                "sections": [
                    {
                        "section": change.name,
                        "change": change.kind,
                        "now": change.now,
                        "read": change.read,
                        "kept": change.kept,
                        "edits": [asdict(edit) for edit in change.edits],
                        "clauses": [_promise(p) for p in change.promises],
                    }
                    for change in row.changes
                ],
            }
            for row in watch.comparisons
        ],
        "untranslated": [{"file": file, "locale": locale} for file, locale in watch.untranslated],
        "absent": list(watch.absent),
        "unwatched": dict(watch.unwatched),
    }


def _promise(promise: Promise) -> dict[str, str]:
    return {"id": promise.id, "level": promise.level, "says": promise.says}


def coverage(rows: Sequence[Coverage], form: str) -> str:
    """Return pages with each sentence beside what rests on it, as text, Markdown or JSON."""
    if form == "json":
        return json.dumps(list(map(_covered, rows)), indent=1, ensure_ascii=False)
    lines: list[str] = []
    for row in rows:
        title = f"{row.contract}: {row.page} ({row.place})"
        carried, of = row.counts
        ending = f"{carried} of {count(of, 'sentence')} carry clauses"
        if form == "markdown":
            lines += [f"## {md(title)}", "", "| section | sentence | clauses |", "|---|---|---|"]
            lines += [
                f"| {md(section.heading)} | {md(said)} | {md(_carried(section.promises))} |"
                for section in row.sections for said in section.sentences
            ]  # fmt: skip
            lines += ["", f"{ending}.", ""]
            continue
        lines.append(line(title))
        for section in row.sections:
            lines.append(f"  {line(section.heading)}: {line(_carried(section.promises))}")
            mark = "+" if section.promises else "-"
            lines += [f"    {mark} {line(said)}" for said in section.sentences]
        lines += [f"  {ending}"]
    return tame("\n".join(lines).rstrip())


def _carried(promises: Sequence[tuple[Promise, str | None]]) -> str:
    told = (f"{p.id} {verdict}" if verdict else f"{p.id} ({p.level})" for p, verdict in promises)
    return ", ".join(told) or NO_CLAUSE


def _covered(row: Coverage) -> dict[str, Any]:
    carried, of = row.counts
    return {
        "contract": row.contract,
        "page": row.page,
        "file": row.place,
        "carried": carried,
        "sentences": of,
        "sections": [
            {
                "section": section.heading,
                "sentences": list(section.sentences),
                "clauses": [{**_promise(p), "verdict": v} for p, v in section.promises],
            }
            for section in row.sections
        ],
    }
