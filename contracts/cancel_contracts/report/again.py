"""What became of a finding that was made anew: its steps in a line each, and whether it stands."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from cancel_contracts.errors import clip
from cancel_contracts.exchange import Exchange
from cancel_contracts.redact.scrub import Scrubber, learn
from cancel_contracts.report.evidence import steps
from cancel_contracts.report.screen import Screen
from cancel_contracts.report.text import count, line
from cancel_contracts.reproduce.again import Again

SENTENCE_CHARS = 300


class Page(Screen):
    def __init__(self, console: Console) -> None:
        super().__init__(console)

    def show(self, made: Again) -> None:
        """Print one finding."""
        result = made.made
        learn(made.result.redactor, result.journal.exchanges)
        clean = Scrubber(made.result.redactor)
        head = self.text(f"{made.case.name}. ", "bold")
        head.append(self.text(line(clip(made.case.sentence, SENTENCE_CHARS))))
        self.say(head)
        if made.result.options.ledger is not None:
            self.row("ledger", str(made.result.options.ledger))
        for step in steps(_shown(made), clean, made.case.contract.lifecycle):
            label = "look" if step["kind"] == "observe" else "call"
            label = "neighbour" if step["role"] == "neighbour" else label
            self.row(label, line(f"{step['says']}: {step['shows']}"))
        for failed in result.not_torn_down:
            self.row("left", line(clean.text(failed)))
        if made.word == "deviates":
            for verdict in made.violated:
                evidence = verdict.violations[0]
                told = f"{verdict.clause.id}: {evidence.actual}; expected {evidence.expected}"
                text = line(clean.text(clip(told, SENTENCE_CHARS)))
                self.row("deviates", self.text(text, "bold red"))
        elif made.word == "keeps":
            tried = count(made.scenarios, "scenario")
            told = f"{', '.join(made.case.clauses)}: no deviation in {tried}"
            self.row("keeps", self.text(told, "green"))
        else:
            self.row("not told", self.text(line(clean.text(made.why)), "magenta"))
        self.say()

    def end(self, words: Sequence[str]) -> None:
        """Print what it comes to."""
        counts = {word: words.count(word) for word in ("deviates", "keeps", "not-told")}
        told = {"deviates": "still deviates", "keeps": "no longer deviates", "not-told": "not told"}
        plural = {**told, "deviates": "still deviate", "keeps": "no longer deviate"}
        parts = [
            f"{count(number, 'finding')} {(told if number == 1 else plural)[word]}"
            for word, number in counts.items()
            if number
        ]
        self.say("; ".join(parts))


def _shown(made: Again) -> list[Exchange]:
    """Return the scenario that deviates, or the first."""
    evidence = (e for verdict in made.violated for e in verdict.violations)
    exchanges = list(made.made.journal.exchanges)
    numbers = (x.scenario for x in (*(e.exchange for e in evidence), *exchanges))
    return made.made.around(number) if (number := next(numbers, None)) is not None else []
