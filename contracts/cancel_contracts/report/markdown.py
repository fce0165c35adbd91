"""The Markdown report, and the summary of a GitHub Actions step.

Derives from the record alone. Rules: whatever comes from outside is written with character
references and inside <code> or <pre>, so that no pipe, backtick, tag, link or @mention of it takes
effect; the report is a list of sections that stand alone, so that it can be cut between any two of
them.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cancel_contracts.errors import UsageError
from cancel_contracts.pipes import is_pipe
from cancel_contracts.report import excuses, files, findings, story
from cancel_contracts.report.text import VERDICTS, count, line, plain

# GitHub drops a summary as a whole above 1024 KiB: research/anchors.md section 7.3.
SUMMARY_BYTES = 900_000
CUT = "\n*The rest does not fit into a summary: see the full report.*\n"
# What Markdown, GFM and GitHub's own extensions (math, mentions, references) read as more than
# text.
SPECIAL = {ord(c): f"&#{ord(c)};" for c in "\\`*_[]#|~$@&<>"}
URL_CHARS = ":/?#&=%@!$'*+,;~"  # of an address, what may stand in a Markdown link
LINKS = re.compile(r":(?=//)|(?<=www)\.", re.IGNORECASE)  # GFM makes links of bare URLs


def text(value: object) -> str:
    """Return text on one line that Markdown leaves as it is."""
    marked = line(value).translate(SPECIAL)
    return LINKS.sub(lambda found: f"&#{ord(found.group())};", marked)


def code(value: object) -> str:
    return f"<code>{text(value)}</code>"


def where(source: Mapping[str, Any]) -> str:
    """Return where a promise stands, as links if its page has an address."""
    links = [
        f"[{text(link['text'])}](<{quote(link['url'], safe=URL_CHARS)}>)"
        for link in source["links"]
    ]
    return " and ".join(links) or text(f"{source['page']}, {source['section']}")


def pre(value: str) -> str:
    """Return a block in which Markdown reads nothing (CommonMark's HTML block of kind 1)."""
    return f"<pre>{html.escape(plain(value, keep=chr(10)), quote=False)}</pre>"


def write_markdown(record: dict[str, Any], path: Path) -> None:
    """Write the report. Raises UsageError where the path cannot be written."""
    files.write(path, "\n".join(sections(record)))


def append_summary(record: dict[str, Any], environ: Mapping[str, str]) -> None:
    """Append the report to $GITHUB_STEP_SUMMARY, where that is set, as far as it fits.

    Raises UsageError where the file cannot be written.
    """
    if not (name := environ.get("GITHUB_STEP_SUMMARY")):
        return
    path = Path(name)
    if is_pipe(path):
        raise UsageError("GITHUB_STEP_SUMMARY", "is a pipe", "let the runner set it")
    try:
        held = path.stat().st_size if path.exists() else 0
        with path.open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as summary:
            summary.write(fit(sections(record), SUMMARY_BYTES - held))
    except OSError as err:
        problem = err.strerror or "cannot be written"
        raise UsageError("GITHUB_STEP_SUMMARY", problem, "let the runner set it") from None


def fit(parts: list[str], limit: int) -> str:
    """Return as many sections as fit into so many bytes, and a note where some are left out."""
    kept: list[str] = []
    size = 0
    for part in parts:
        size += len(part.encode("utf-8", "backslashreplace")) + 1
        if size + len(CUT) > limit:
            return "\n".join([*kept, CUT]) if limit > len(CUT) else ""
        kept.append(part)
    return "\n".join(kept)


def sections(record: dict[str, Any]) -> list[str]:
    parts = [_glance(record), *_findings(record)]
    rows = [(c, clause) for c in record["contracts"] for clause in c["clauses"]]
    for word, title in (("violated", "Violated"), ("accepted", "Accepted")):
        found = [(c, clause) for c, clause in rows if clause["verdict"] == word]
        if found:
            parts.append(f"## {title}\n")
            parts += [_story(c, clause) for c, clause in found]
    parts += _open(record, [clause for _, clause in rows])
    parts += _callers(record)
    parts += _notes(record)
    parts += [_table(contract) for contract in record["contracts"]]
    return parts


def _glance(record: dict[str, Any]) -> str:
    target = " at ".join(code(t) for t in (story.named(record), record["target"]["base_url"]) if t)
    lines = [
        f"# {record['tool']['name']}: {text(record['outcome'])} (exit code {record['exit_code']})",
        "",
        text(story.sentence(record)),
        "",
        f"Must-clauses: {text(story.figured(record))}",
        "",
        *(f"- {text(c['name'])}: {text(story.figured(c))}" for c in record["contracts"]),
        "",
        f"Target {target}, {text(story.made(record))}.",
        "",
        "| contract | " + " | ".join(reversed(VERDICTS)) + " | dialect |",
        "|---|" + "---:|" * len(VERDICTS) + "---|",
    ]
    for contract in record["contracts"]:
        words = Counter(clause["verdict"] for clause in contract["clauses"])
        numbers = " | ".join(str(words[word]) for word in reversed(VERDICTS))
        says = "; ".join(text(d["says"]) for d in contract["dialects"]) or "none seen"
        lines.append(f"| {text(contract['name'])} | {numbers} | {says} |")
    return "\n".join(lines) + "\n"


def _findings(record: dict[str, Any]) -> list[str]:
    """Return what is to be mended, the worst first."""
    rows = []
    for number, row in enumerate(record["defects"], 1):
        rows.append(f"{number}. {findings.level(row)}: {code(row['sentence'])}")
        rows.append(f"   - {text(row['says'])} ({where(row['source'])})")
        rows.append(f"   - breaks {text(findings.breaks(row))}")
        if told := findings.elsewhere(row):
            rows.append(f"   - shows {code(told)}")
    return ["\n".join(["## Findings\n", *rows, ""])] if rows else []


def _story(contract: dict[str, Any], clause: dict[str, Any]) -> str:
    head = f"### {text(clause['id'])} {clause['verdict']} ({clause['level']})\n"
    pairs = story.whole(contract, clause)
    shown = {"says": text(clause["says"]), "where": where(clause["source"])}
    rows = [
        f"| {label} | {shown.get(label) or code(value)} |"
        for label, value in pairs
        if label not in ("curl", "read at")  # a link is in its place already
    ]
    table = "\n".join([f"| contract | {text(contract['name'])} |", "|---|---|", *rows]) + "\n"
    curls = [pre(value) + "\n" for label, value in pairs if label == "curl"]
    return "\n".join([head, table, *curls])


def _open(record: dict[str, Any], clauses: list[dict[str, Any]]) -> list[str]:
    found = [c for c in clauses if c["verdict"] in ("inconclusive", "not-exercised")]
    parts = []
    if found:
        rows = [
            f"| {text(c['id'])} | {c['level']} | {c['verdict']} | {'yes' if c['gap'] else 'no'} |"
            f" {code(story.summary(c))} |"
            for c in found
        ]
        head = "| clause | level | verdict | a gap | reason |\n|---|---|---|---|---|"
        why = [
            f"- {count(row['number'], 'must-clause')}: {code(row['reason'])}"
            + (f"; to exercise: {text(row['fix'])}" if row["fix"] else "")
            for row in story.gaps(record)
        ]
        parts.append("\n".join(["## Not known\n", *why, "", head, *rows]) + "\n")
    if record["outcome"] == "inconclusive" and (lines := excuses.of(record)):
        told = "These lines in the target file would excuse what was not exercised:\n"
        parts.append("\n".join([told, pre("\n".join(lines)), ""]))
    return parts


def _callers(record: dict[str, Any]) -> list[str]:
    """Return what the callers of a recording kept and broke."""
    rows = [
        f"| {text(row['id'])} | {row['level']} | {row['verdict']} | {text(row['says'])} |"
        f" {code(story.misuse(contract, row))} |"
        for contract, row in story.duties(record)
    ]
    head = "| duty | level | verdict | says | seen |\n|---|---|---|---|---|"
    return (
        ["\n".join(["## Callers\n", f"{story.apart(record)}\n", head, *rows, ""])] if rows else []
    )


def _notes(record: dict[str, Any]) -> list[str]:
    parts = []
    for key, title in (("warnings", "Warnings"), ("faults_of_the_run", "Faults of the run")):
        if record[key]:
            rows = [f"- {code(row)}" for row in record[key]]
            parts.append("\n".join([f"## {title}\n", *rows, ""]))
    return parts


def _table(contract: dict[str, Any]) -> str:
    rows = [
        f"| {text(c['id'])} | {c['level']} | {c['verdict']} | {c['exercised']} "
        f"| {text(c['says'])} |"
        for c in contract["clauses"]
    ]
    name = f"{text(contract['name'])}: {count(len(rows), 'clause')}"
    return "\n".join(
        [
            f"<details><summary>{name}</summary>",
            "",
            "| clause | level | verdict | exercised | says |",
            "|---|---|---|---:|---|",
            *rows,
            "",
            "</details>\n",
        ]
    )
