"""Annotations for GitHub Actions: workflow commands on the standard output.

Derives from the record alone. GitHub shows ten errors and ten warnings of a step and drops the rest
without a word (research/anchors.md section 7.3), so the worst come first and the last line counts
what is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cancel_contracts.report import findings, story
from cancel_contracts.report.text import count, line, tame

MOST = 9


def lines(record: dict[str, Any], environ: Mapping[str, str]) -> list[str]:
    """Return the workflow commands, or nothing outside of GitHub Actions."""
    if environ.get("GITHUB_ACTIONS") != "true":
        return []
    found = sorted(
        _found(record), key=lambda row: row[0]
    )  # "error" before "warning"; else in order
    shown = [command(kind, title, message) for kind, title, message in found[:MOST]]
    if rest := len(found) - len(shown):
        kind = found[MOST][0]
        told = f"and {count(rest, 'more finding')}: see the step's summary or the reports"
        shown.append(command(kind, record["tool"]["name"], told))
    return shown


def _found(record: dict[str, Any]) -> list[tuple[str, str, str]]:
    found = [_defect(record, row) for row in record["defects"]]
    for contract in record["contracts"]:
        for clause in contract["clauses"]:
            word = clause["verdict"]
            if not clause["gap"]:
                continue
            kind = "error"
            title = f"{clause['id']} {word} ({contract['name']})"
            message = f"{clause['says']}\n{story.summary(clause)}\nWhere: {story.where(clause)}"
            found.append((kind, title, message))
    found += [("warning", "fault of the run", fault) for fault in record["faults_of_the_run"]]
    failed = record["outcome"] != "conforms"
    if failed and not any(kind == "error" for kind, _, _ in found):
        # Nothing selected, or a stale entry of the baseline: no clause shows it.
        found.append(("error", record["outcome"], record["sentence"]))
    return found


def _defect(record: dict[str, Any], row: dict[str, Any]) -> tuple[str, str, str]:
    kind = "error" if story.held(record, row) else "warning"
    names = ", ".join(dict.fromkeys(clause["contract"] for clause in row["clauses"]))
    breaks, elsewhere = f"Breaks {findings.breaks(row)}", findings.elsewhere(row)
    message = "\n".join(filter(None, (row["sentence"], row["says"], breaks, elsewhere)))
    return kind, f"{row['clauses'][0]['id']} violated ({names})", message


def command(kind: str, title: str, message: str) -> str:
    """Return one workflow command, with what would end it early escaped."""
    rows = "\n".join(tame(line(row)) for row in message.split("\n"))
    data = rows.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    name = tame(line(title)).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
    return f"::{kind} title={name}::{data}"
