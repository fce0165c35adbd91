"""The terminal report: what is to be mended, what is not known, and what it comes to.

Derives from the record alone. Rules: a run that conforms fits on a screen; the worst finding stands
last, where the eye ends; it reads well at 80 columns and without colour; a word stands beside every
colour; nothing that a target sent reaches the terminal but as plain characters (report/text.py).
`verbose` adds every clause, with its evidence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from shlex import quote
from typing import Any

from rich.console import Console
from rich.table import Table

from cancel_contracts.errors import clip
from cancel_contracts.report import excuses, findings, story
from cancel_contracts.report.progress import Bar
from cancel_contracts.report.screen import LABEL_COLUMNS, Screen, plain_table
from cancel_contracts.report.text import VERDICTS, count, line, requests

__all__ = ["Bar", "show"]

SENTENCE_CHARS = 300  # of a finding: about four lines of eighty columns
ELSEWHERE_CHARS, SHOWN_BROKEN = 200, 12
SHOWN_IDS = 12
STYLES = {
    "upheld": "green",
    "violated": "bold red",
    "not-exercised": "yellow",
    "inconclusive": "magenta",
    "accepted": "cyan",
}
OUTCOMES = {
    "conforms": "bold green",
    "violated": "bold red",
    "inconclusive": "bold magenta",
    "nothing-selected": "bold yellow",
}


# The verdicts in a contract's line. What was excused is counted apart from what is open, and so is
# what nobody can demand of a target, and what is newer than the edition that it holds to.
HELD = ("upheld", "violated", "accepted", "excused", "inconclusive", "not exercised")
WORDS = (*HELD, "not asked", "newer")


def _word(clause: dict[str, Any]) -> str:
    word: str = clause["verdict"]
    if clause.get("newer"):
        return "newer"
    if word != "not-exercised":
        return "excused" if word == "inconclusive" and clause["excused"] else word
    if clause["excused"]:
        return "excused"
    return "not asked" if clause["conditional"] else "not exercised"


def _rest(contract: dict[str, Any], clause: dict[str, Any]) -> bool:
    """Whether a clause is open since the run ended early, which is told once."""
    if not (why := contract["stopped"]):
        return False
    return bool(clause["conditional"]) or (clause["reason"] or "").startswith(why)


def show(
    record: dict[str, Any], console: Console, verbose: bool = False, saved: str | None = None
) -> None:
    """Print the report of a run. `verbose` adds every clause, and the evidence of each; `saved` is
    where the JSON report is written.
    """
    page = _Page(console)
    if verbose:
        page.clauses(record)
    for contract in record["contracts"]:
        page.glance(contract)
    page.ends(record)
    if record["contracts"]:
        page.say()
    page.notes(record)
    page.callers(record, verbose)
    page.findings(record)
    page.again(record, saved)
    page.end(record)


class _Page(Screen):
    # --- a contract -------------------------------------------------------------------------------

    def glance(self, contract: dict[str, Any]) -> None:
        """Print a contract in a line."""
        head = self.text(contract["name"], "bold")
        if contract["unusable"]:
            self.parts(head, ["not judged"])
            return
        words = Counter(map(_word, contract["clauses"]))
        parts = [f"{number} {word}" for word in WORDS if (number := words[word])] or ["no clause"]
        pairs = contract["pairs"]  # none are known of a recording of others
        if pairs["of"]:
            parts.append(f"pairs {pairs['count']}/{pairs['of']}")
        self.parts(head, parts)

    def ends(self, record: dict[str, Any]) -> None:
        """Print why contracts were not judged, or not to the end, each reason once; that of the
        last line is told there.
        """
        reasons: dict[str, list[str]] = {}
        for contract in record["contracts"]:
            if why := contract["unusable"] or contract["stopped"]:
                reasons.setdefault(line(why), []).append(contract["name"])
        for why, names in reasons.items():
            if len(reasons) > 1 or why not in record["sentence"]:
                self.say(self.text(f"{', '.join(names)}: {why}", STYLES["inconclusive"]), 2)

    def clauses(self, record: dict[str, Any]) -> None:
        """Print each clause of each contract: the table, then the evidence."""
        for contract in record["contracts"]:
            self.say(self.text(contract["name"], "bold"))
            self.say(f"{contract['method']} {contract['path']}", 2)
            self.say(f"at {contract['base_url']}", 2)
            sent = (requests(contract["requests"]), f"{contract['seconds']:.1f} s")
            self.say(" · ".join(sent), 2)
            if (drawn := contract["drawn"])["cases"]:
                told = (count(drawn["cases"], "call"), count(drawn["bodies"], "body", "bodies"))
                self.say(f"drawn: {', '.join(told)}, {count(drawn['ids'], 'id')}", 2)
            self.say()
            self.out(self.table(contract))
            self.say()
        for contract in record["contracts"]:
            for clause in contract["clauses"]:
                if clause["evidence"]:
                    self.tell(contract, clause)

    def table(self, contract: dict[str, Any]) -> Table:
        table = plain_table(expand=True)
        table.add_column("  clause", no_wrap=True)
        table.add_column("level", no_wrap=True)
        table.add_column("verdict", no_wrap=True)
        table.add_column("exercised", justify="right", no_wrap=True)
        table.add_column("says", overflow="fold", ratio=1)
        for clause in contract["clauses"]:
            word = clause["verdict"]
            table.add_row(
                self.text(f"  {clause['id']}"),
                self.text(clause["level"]),
                self.text(word, STYLES.get(word, "")),
                str(clause["exercised"]),
                self.text(line(clause["says"]), "dim"),
            )
        return table

    # --- what needs a reader's eye ----------------------------------------------------------------

    def notes(self, record: dict[str, Any]) -> None:
        """Print what is beside the findings, the least first."""
        self.dialects(record["contracts"])
        self.open_ends(
            clause
            for contract in record["contracts"]
            for clause in contract["clauses"]
            if not (contract["unusable"] or _rest(contract, clause))
        )
        for contract in record["contracts"]:
            rows = [c for c in contract["clauses"] if c["verdict"] == "accepted"]
            told_of = [f"{c['id']}: {line(c['reason'] or c['says'])}" for c in rows]
            self.block(f"Accepted ({contract['name']})", told_of, "cyan")
        self.block("Warnings", record["warnings"], "yellow")
        self.block("Faults of the run, beside the verdicts", record["faults_of_the_run"], "yellow")

    def callers(self, record: dict[str, Any], verbose: bool) -> None:
        """Print what the callers of a recording broke; of what they kept a number."""
        rows = story.duties(record)
        if not rows:
            return
        words = Counter(row["verdict"] for _, row in rows)
        told = ", ".join(f"{words[word]} {word}" for word in VERDICTS if words[word])
        self.say(self.text(f"Callers: {told}", "bold"))
        for contract, row in rows:
            if row["verdict"] == "violated" or verbose:
                head = f"{row['id']} ({row['level']}, {contract['name']}): {row['verdict']}: "
                self.say(line(f"{head}{row['says']} {story.misuse(contract, row)}"), 2)
        if words["violated"]:
            self.say(story.apart(record), 2)
        self.say()

    def findings(self, record: dict[str, Any]) -> None:
        """Print what is to be mended, the worst last."""
        for number, row in reversed([*enumerate(record["defects"], 1)]):
            head = self.text(f"{number}. ", "bold red")
            head.append(self.text(f"{findings.level(row)}: ", "bold"))
            head.append(self.text(line(clip(row["sentence"], SENTENCE_CHARS))))
            self.say(head)
            self.row("says", line(f"{row['says']} ({row['where']})"))
            self.row("breaks", line(findings.breaks(row, SHOWN_BROKEN)))
            if others := findings.elsewhere(row, ELSEWHERE_CHARS):
                self.row("shows", line(others))
            self.say()

    def again(self, record: dict[str, Any], saved: str | None) -> None:
        """Say how to see a finding once more."""
        if not record["defects"] or record.get("recorded"):
            return
        which = " (--report-json report.json writes it)" if saved is None else ""
        self.say(f"See finding 1 again, from the JSON report{which}:")
        self.whole(f"cancel-contracts replay {quote(saved or 'report.json')} 1")

    def tell(self, contract: dict[str, Any], clause: dict[str, Any]) -> None:
        word = clause["verdict"]
        head = self.text(clause["id"], "bold")
        head.append(" ")
        head.append(self.text(word, STYLES.get(word, "")))
        head.append(self.text(f" ({clause['level']}, {contract['name']})"))
        self.say(head)
        self.rows(story.promise(clause))
        for index, piece in enumerate(clause["evidence"]):
            if index:
                self.say()
            self.rows(story.evidence(contract, clause, piece))
        self.say()

    def rows(self, pairs: story.Pairs) -> None:
        for label, value in pairs:
            if label == "curl" and value.startswith(("curl ", "printf ")):
                self.whole(value)
            elif label == "read at":  # there to be clicked
                self.whole(f"{label:<{LABEL_COLUMNS}} {line(value)}")
            else:
                self.row(label, line(value))

    def open_ends(self, clauses: Iterable[dict[str, Any]]) -> None:
        """Print why clauses were not exercised or cannot be told, each reason once."""
        reasons: dict[str, list[str]] = {}
        for clause in clauses:
            if clause["verdict"] not in ("not-exercised", "inconclusive"):
                continue
            what = line(clause["reason"] or "no reason is known")
            if clause["excused"]:
                what = f"excused: {line(clause['excused'])}"
            elif clause["conditional"] and clause["verdict"] == "not-exercised":
                what = f"not asked for: {what}"
            reasons.setdefault(f"{clause['verdict']}: {what}", []).append(clause["id"])
        if not reasons:
            return
        self.say(self.text("Not known", "bold"))
        for reason, ids in sorted(reasons.items()):
            more = f" and {len(ids) - SHOWN_IDS} more" if len(ids) > SHOWN_IDS else ""
            self.say(f"{', '.join(ids[:SHOWN_IDS])}{more}: {reason}", 2)
        self.say()

    def block(self, title: str, rows: list[str], style: str) -> None:
        if rows:
            self.say(self.text(title, f"bold {style}"))
            for row in rows:
                self.say(line(row), 2)
            self.say()

    # --- what it comes to -------------------------------------------------------------------------

    def dialects(self, contracts: list[dict[str, Any]]) -> None:
        seen = [c for c in contracts if c["dialects"]]
        if not seen:
            return
        self.say(self.text("Dialects seen", "bold"))
        for contract in seen:
            self.say(contract["name"], 2)
            for dialect in contract["dialects"]:
                self.say(f"{dialect['name']}: {dialect['says']}", 4)
        self.say()

    def open_beside(self, record: dict[str, Any]) -> None:
        """Say in a run that is violated what would keep it from conforming once that is mended."""
        gaps = sum(clause["gap"] for c in record["contracts"] for clause in c["clauses"])
        if record["outcome"] == "violated" and gaps:
            told = count(gaps, "must-clause is open", "must-clauses are open")
            self.say(f"Beside that {told}: without the findings this run would end 4.")

    def end(self, record: dict[str, Any]) -> None:
        if record["outcome"] == "inconclusive" and (rows := excuses.of(record)):
            self.say("These lines in the target file would excuse what was not exercised:")
            for row in rows:
                self.whole(row, 0)
            self.say()
        self.open_beside(record)
        sent = requests(record["requests"])
        if record.get("recorded"):
            self.say(f"judged from a recording: {story.made(record)}")
        else:
            run = [f"profile {record['profile']}", f"seed {record['seed']}"]
            run = [f"sent: {sent}", f"{record['seconds']:.1f} s", *run, *story.editions(record)]
            self.parts(self.text(""), run)
        word = record["outcome"]
        parts = [line(story.sentence(record))]
        if word != "nothing-selected":
            parts += line(story.figured(record)).split("; ")
        parts[-1] += f" (exit code {record['exit_code']})"
        head = self.text(word, OUTCOMES.get(word, "bold"))
        self.parts(head, parts, 0, before=": ", between="; ")
