"""The HTML report: one file that opens from disk, loads nothing and runs only its own script.

Derives from the record alone. What keeps a hostile body harmless is told in document.py.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment

from cancel_contracts.contract.topics import TOPICS
from cancel_contracts.report import document, excuses, figures, files, findings, story
from cancel_contracts.report.text import LEVELS, VERDICTS, count

ROW_BYTES = 16
SHOWN_WIRE_BYTES = 4096
SHOWN_BODY_CHARS = 8000
OUTCOMES = {
    "conforms": "Conforms",
    "violated": "Violated",
    "inconclusive": "Inconclusive",
    "nothing-selected": "Nothing selected",
}


def write_html(record: dict[str, Any], path: Path) -> None:
    """Write the report. Raises UsageError where the path cannot be written."""
    files.write(path, render(record))


def render(record: dict[str, Any]) -> str:
    style = document.style(document.BASE, "style.css")
    script = document.part(document.BASE, "script.js")
    return environment().get_template("report.html.j2").render(
        record=record,
        anchor=anchors(record),
        style=style,
        script=script,
        policy=document.policy(style, script),
        outcome=OUTCOMES[record["outcome"]],
        headline=headline(record),
        made=story.made(record),
        named=story.named(record),
        ends=story.ends(record),
        gaps=story.gaps(record),
        apart=story.apart(record),
        duties=[(row, story.misuse(c, row)) for c, row in story.duties(record)],
        verdicts=VERDICTS,
        levels=LEVELS,
        excuses="\n".join(excuses.of(record)) if record["outcome"] == "inconclusive" else "",
        total=sum(len(c["clauses"]) for c in record["contracts"]),
    )  # fmt: skip


def headline(record: dict[str, Any]) -> str:
    """Return the outcome in a sentence without ids: these stand with the findings and the gaps."""
    levels = Counter(row["level"] for row in record["defects"] if not row.get("newer"))
    failing = [level for level in LEVELS if story.failing(record, level)]
    if record["outcome"] == "violated" and any(levels[level] for level in failing):
        told = [
            f"{count(levels[level], 'finding')} on {level}-clauses"
            + ("" if level in failing else " (no failure)")
            for level in LEVELS
            if levels[level]
        ]
        return ", ".join(told)
    number = sum(clause["gap"] for c in record["contracts"] for clause in c["clauses"])
    unusable = any(contract["unusable"] for contract in record["contracts"])
    if number and not unusable and record["outcome"] != "violated":
        return f"{count(number, 'must-clause is', 'must-clauses are')} open: nothing tells of them"
    return story.sentence(record)


@cache
def environment() -> Environment:
    env = document.environment(document.BASE)
    env.filters |= {
        "hexdump": hexdump,
        "verdict_counts": verdict_counts,
        "topics": topics,
        "fold": fold,
    }
    env.globals |= {
        "figures_of": story.figures,
        "level_of": findings.level,
        "lifecycle": figures.lifecycle,
        "timeline": figures.timeline,
        "figures": figures,
    }
    return env


def anchors(record: dict[str, Any]) -> Callable[[str, str], str]:
    """Return the function that gives a clause's element id: its own, unless another spec file uses
    it too.
    """
    used = Counter(clause["id"] for c in record["contracts"] for clause in c["clauses"])
    return lambda id_, contract: id_ if used[id_] < 2 else f"{contract}/{id_}"


def verdict_counts(contract: dict[str, Any]) -> list[tuple[str, list[tuple[str, int]]]]:
    """Return by level how many clauses have each verdict; what none has is left out."""
    words = Counter((clause["level"], clause["verdict"]) for clause in contract["clauses"])
    rows = [
        (level, [(w, words[level, w]) for w in VERDICTS if words[level, w]]) for level in LEVELS
    ]
    return [row for row in rows if row[1]]


def topics(contract: dict[str, Any]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the clauses under the titles of their topics."""
    rows = [
        (title, [clause for clause in contract["clauses"] if clause["topic"] == name])
        for name, title in TOPICS.items()
    ]
    return [row for row in rows if row[1]]


def fold(text: str) -> str:
    """Return a body as far as it is shown, and how much of it that is."""
    if len(text) <= SHOWN_BODY_CHARS:
        return text
    rest = count(len(text) - SHOWN_BODY_CHARS, "character")
    return f"{text[:SHOWN_BODY_CHARS]}\n[{rest} more: see the JSON report]"


def hexdump(wire: str) -> str:
    """Return the bytes of a base64 text as offset, hexadecimal and ASCII."""
    data = base64.b64decode(wire)
    rows = []
    for at in range(0, min(len(data), SHOWN_WIRE_BYTES), ROW_BYTES):
        row = data[at : at + ROW_BYTES]
        octets = (
            " ".join(f"{b:02x}" for b in row[:8]) + "  " + " ".join(f"{b:02x}" for b in row[8:])
        )
        shown = "".join(chr(b) if 32 <= b < 127 else "." for b in row)
        rows.append(f"{at:06x}  {octets:<48}  {shown}")
    if len(data) > SHOWN_WIRE_BYTES:
        rows.append(f"[{count(len(data) - SHOWN_WIRE_BYTES, 'byte')} more: see the JSON report]")
    return "\n".join(rows)
