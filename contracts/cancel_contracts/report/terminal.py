"""The terminal report: every verdict in a line, every violation in full, and what it comes to.

Derives from the record alone. Rules: reads well at 80 columns and without colour; a word stands
beside every colour; nothing that a target sent reaches the terminal but as plain characters
(report/text.py).
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from rich.console import Console
from rich.table import Table

from cancel_contracts.report import excuses, story
from cancel_contracts.report.progress import Bar
from cancel_contracts.report.screen import Screen
from cancel_contracts.report.text import VERDICTS, count, line, requests

__all__ = ["Bar", "show"]

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


def show(record: dict[str, Any], console: Console, verbose: bool = False) -> None:
    """Print the report of a run. `verbose` adds the evidence of every clause."""
    page = _Page(console)
    page.verbose = verbose
    for contract in record["contracts"]:
        page.contract(contract)
    page.matters(record)
    page.end(record)


class _Page(Screen):
    verbose = False

    # --- a contract -------------------------------------------------------------------------------

    def contract(self, contract: dict[str, Any]) -> None:
        self.say(self.text(contract["name"], "bold"))
        self.say(f"{contract['method']} {contract['path']}", 2)
        self.say(f"at {contract['base_url']}", 2)
        self.say(" · ".join((requests(contract["requests"]), f"{contract['seconds']:.1f} s")), 2)
        for key in ("unusable", "stopped"):
            if contract[key]:
                self.say(self.text(f"{contract[key]}", STYLES["inconclusive"]), 2)
        self.say()
        self.out(self.table(contract))
        words = Counter(c["verdict"] for c in contract["clauses"])
        told = " · ".join(f"{words[word]} {word}" for word in reversed(VERDICTS) if words[word])
        self.say(f"{count(len(contract['clauses']), 'clause')}: {told}", 2)
        self.say()

    def table(self, contract: dict[str, Any]) -> Table:
        # "crop" where rich's own ellipsis could not be shown
        overflow: Any = "crop" if self.ascii else "ellipsis"
        table = Table(
            box=None, pad_edge=False, padding=(0, 2, 0, 0), expand=True, header_style="dim"
        )
        table.add_column("  clause", no_wrap=True)
        table.add_column("level", no_wrap=True)
        table.add_column("verdict", no_wrap=True)
        table.add_column("exercised", justify="right", no_wrap=True)
        table.add_column("says", no_wrap=True, overflow=overflow, ratio=1)
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

    def matters(self, record: dict[str, Any]) -> None:
        rows = [(c, clause) for c in record["contracts"] for clause in c["clauses"]]
        for contract, clause in rows:
            if clause["verdict"] in ("violated", "accepted"):
                self.tell(contract, clause)
            elif self.verbose and clause["evidence"]:
                self.tell(contract, clause)
        self.open_ends([clause for _, clause in rows])
        self.block("Warnings", record["warnings"], "yellow")
        self.block("Faults of the run, beside the verdicts", record["faults_of_the_run"], "yellow")

    def tell(self, contract: dict[str, Any], clause: dict[str, Any]) -> None:
        word = clause["verdict"]
        head = self.text(clause["id"], "bold")
        head.append(" ")
        head.append(self.text(word, STYLES.get(word, "")))
        head.append(self.text(f" ({clause['level']}, {contract['name']})"))
        self.say(head)
        self.rows(story.promise(clause))
        shown = clause["evidence"] if self.verbose else clause["evidence"][:1]
        for index, piece in enumerate(shown):
            if index:
                self.say()
            self.rows(story.evidence(contract, clause, piece))
        self.say()

    def rows(self, pairs: story.Pairs) -> None:
        for label, value in pairs:
            if label == "curl" and value.startswith(("curl ", "printf ")):
                self.whole(value)
            else:
                self.row(label, line(value))

    def open_ends(self, clauses: list[dict[str, Any]]) -> None:
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
            shown = ids if self.verbose else ids[:12]
            more = f" and {len(ids) - len(shown)} more" if len(ids) > len(shown) else ""
            self.say(f"{', '.join(shown)}{more}: {reason}", 2)
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

    def end(self, record: dict[str, Any]) -> None:
        if record["outcome"] == "inconclusive" and (rows := excuses.of(record)):
            self.say("These lines in the target file would excuse what was not exercised:")
            for row in rows:
                self.whole(row, 0)
            self.say()
        self.dialects(record["contracts"])
        told = f"{requests(record['requests'])} in {record['seconds']:.1f} s"
        self.say(f"sent: {told} · profile {record['profile']} · seed {record['seed']}")
        word = record["outcome"]
        last = self.text(word, OUTCOMES.get(word, "bold"))
        told = line(story.sentence(record))
        if word != "nothing-selected":
            told += f"; {line(story.figured(record))}"
        last.append(self.text(f": {told} (exit code {record['exit_code']})"))
        self.say(last)
