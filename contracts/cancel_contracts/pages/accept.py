"""Write into a spec file how a page stands now: its `sections`, and not a letter elsewhere.

Comments and layout stay; what comes out is read again and held against what was meant. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.page import Read, folded, headings
from cancel_contracts.contract.yaml_file import parse_text
from cancel_contracts.errors import ContractsError, UsageError
from cancel_contracts.pages.find import Copy
from cancel_contracts.pages.ground import promises
from cancel_contracts.pages.read import reading

COLUMNS = 120  # of a line that is written, where hashes allow
INDENT = 2


@dataclass(frozen=True)
class Cut:
    """What takes the place of a part of a text."""

    begin: int
    end: int
    text: str


def sections(contract: Contract, copy: Copy, day: str) -> dict[str, Read]:
    """Return how a page's sections stand on a `day` (YYYY-MM-DD): what has not changed keeps its
    own. Raises UsageError where a source names a section that is gone, or a part is not there.
    """
    if copy.document.lacking:
        problem = f"includes {copy.document.lacking[0]}, which is not there"
        raise UsageError(copy.place, problem, "accept it in a checkout of the documentation")
    names = list(copy.document.headings)
    for promise in promises(contract):
        for name in headings(promise.source.section) if promise.source.page == copy.name else ():
            if copy.document.text(name) is None:
                problem = f"{promise.id} rests on a section {name!r} that {copy.place} has not"
                fix = "correct the clause's source first"
                raise UsageError(f"{contract.path_of_file}: x-clauses", problem, fix)
            if folded(name) not in map(folded, names):
                names.append(name)
    found = {}
    known = {
        folded(name): (name, read) for name, read in contract.pages[copy.name].sections.items()
    }
    for name in names:
        now = reading(copy.document.text(name) or (), day)
        heading, was = known.get(folded(name), (name, None))
        found[heading] = was if was and was.hash == now.hash else now
    return found


def accept(text: str, contract: Contract, page: str, wanted: dict[str, Read]) -> str:
    """Return the text of a spec file in which a page has these sections."""
    place = Path(contract.path_of_file)
    root = yaml.compose(text, Loader=yaml.SafeLoader)  # whose marks count characters
    pages = _entry(root, "x-pages")[1]
    key, row = _entry(pages, page)
    if pages.flow_style:
        raise UsageError(f"{place}: x-pages", "is in braces", "give each page a line of its own")
    cuts = sorted(_cuts(text, key, row, wanted), key=lambda cut: cut.begin, reverse=True)
    written = text
    for cut in cuts:
        written = written[: cut.begin] + cut.text + written[cut.end :]
    meant = parse_text(place, text)
    meant["x-pages"][page]["sections"] = {
        name: {"read": read.day, "hash": read.hash, "sentences": " ".join(read.sentences)}
        for name, read in wanted.items()
    }
    if parse_text(place, written) != meant:
        raise ContractsError(f"{place}: x-pages/{page} could not be written in; nothing was")
    return written


def _cuts(text: str, key: Any, row: Any, wanted: dict[str, Read]) -> Iterator[Cut]:
    step = key.start_mark.column + INDENT
    if row.flow_style:
        lines = [
            f"{name.value}: {text[value.start_mark.index : value.end_mark.index]}"
            for name, value in row.value if name.value != "sections"
        ]  # fmt: skip
        lines.append("sections:")
        block = "".join(f"\n{' ' * step}{line}" for line in lines)
        # The blank between the key's colon and the braces goes too, and a comment beside them stays
        # beside the key.
        begin = len(text[: row.start_mark.index].rstrip(" "))
        beside = text[row.end_mark.index :].partition("\n")[0]
        end = row.end_mark.index + len(beside)
        yield Cut(begin, end, beside.rstrip() + block + _block(wanted, step + INDENT))
        return
    step = row.value[0][0].start_mark.column
    there = next((pair for pair in row.value if pair[0].value == "sections"), None)
    if there is None:
        end = _end(text, row)
        yield Cut(end, end, f"\n{' ' * step}sections:{_block(wanted, step + INDENT)}")
        return
    if there[1].flow_style:
        begin = len(text[: there[1].start_mark.index].rstrip(" "))
        yield Cut(begin, there[1].end_mark.index, _block(wanted, step + INDENT))
        return
    column = there[1].value[0][0].start_mark.column
    rest = dict(wanted)
    for name, value in there[1].value:
        if name.value in rest:
            read = rest.pop(name.value)
            begin = len(text[: value.start_mark.index].rstrip())
            yield Cut(begin, _end(text, value), _value(read, name.end_mark.column + 1, column))
        else:
            begin = text.rindex("\n", 0, name.start_mark.index)
            end = text.find("\n", _end(text, value))
            yield Cut(begin, end if end >= 0 else len(text), "")
    if rest:
        # After the last line that stays: a comment beside it is its own.
        end = text.find("\n", _end(text, there[1]))
        end = end if end >= 0 else len(text)
        yield Cut(end, end, _block(rest, column))


def _block(wanted: dict[str, Read], column: int) -> str:
    """Return sections, each on a line of its own or several."""
    lines = ""
    for name, read in wanted.items():
        head = f"{' ' * column}{_scalar(name)}:"
        lines += f"\n{head}{_value(read, len(head), column)}"
    return lines


def _value(read: Read, begun: int, column: int) -> str:
    """Return a section's row in braces, to follow a key on whose line `begun` columns are taken."""
    lines = [f' {{read: "{read.day}", hash: "{read.hash}", sentences: "']
    width = begun + len(lines[0])
    for at, sentence in enumerate(read.sentences):
        if at and width + len(sentence) + 1 > COLUMNS - len('"}'):
            lines.append(" " * (column + INDENT) + sentence)
            width = len(lines[-1])
        else:
            lines[-1] += sentence if not at else f" {sentence}"
            width += len(sentence) + bool(at)
    return "\n".join(lines) + '"}'


def _scalar(name: str) -> str:
    """Return a heading as a YAML key: plain where that reads as itself."""
    quoted: str = yaml.safe_dump(name, default_style='"', width=10**6, allow_unicode=True).strip()
    try:
        plain = yaml.safe_load(f"{name}: 1") == {name: 1}
    except (yaml.YAMLError, ValueError):
        plain = False
    return name if plain else quoted


def _end(text: str, node: Any) -> int:
    """Return where a node ends: in blocks the parser's mark stands before the next thing."""
    while not getattr(node, "flow_style", True) and node.value:
        node = node.value[-1][1]
    return len(text[: node.end_mark.index].rstrip())


def _entry(node: Any, key: str) -> tuple[Any, Any]:
    return next((name, value) for name, value in node.value if name.value == key)
