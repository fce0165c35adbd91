"""The runs behind a session's items: the traffic, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import pytest

from cancel_contracts.contract.model import Clause, Contract
from cancel_contracts.errors import ContractsError, UsageError, crash
from cancel_contracts.pytest_plugin import workers
from cancel_contracts.pytest_plugin.settings import SETTINGS, in_these_words

Chosen = Sequence[tuple[Contract, Clause]]


class Door:
    """The runs behind a session's items."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.record: dict[str, Any] = {}
        self.contracts: dict[str, dict[str, Any]] = {}  # of the record, by name
        self.clauses: dict[tuple[str, str], dict[str, Any]] = {}  # and by contract and id
        self.usage: str | None = None  # what ends the session before its first item
        self.failed: str | None = None
        self.lines: list[str] = []
        self.short: list[str] = []  # what fails the session though no item shows it

    def open(self, chosen: Chosen) -> None:
        """Have the contracts verified, by this process or by another worker of the session."""
        told = workers.once(self.config, lambda: self._made(chosen))
        self.usage, self.failed, self.record = told["usage"], told["failed"], told["record"]
        self.lines, self.short = told["lines"], told["short"]
        for contract in self.record.get("contracts", ()):
            self.contracts[contract["name"]] = contract
            self.clauses |= {(contract["name"], row["id"]): row for row in contract["clauses"]}

    def _made(self, chosen: Chosen) -> dict[str, Any]:
        """Verify, and return what came of it, which holds no secret."""
        try:
            self.run(chosen)
        except (UsageError, pytest.UsageError) as err:
            self.usage = in_these_words(str(err))
        except ContractsError as err:
            self.failed = in_these_words(str(err))
        except Exception as err:  # noqa: BLE001 - items of others are none the worse for it
            self.failed = crash(err)
        names = ("usage", "failed", "record", "lines", "short")
        return {name: getattr(self, name) for name in names}

    def run(self, chosen: Chosen) -> None:
        """Verify each contract once, for the clauses that are selected."""
        from cancel_contracts.assignment import SWEEP_SECONDS, Options, assign
        from cancel_contracts.cli.choosing import pinned_dialects
        from cancel_contracts.cli.options import open_target
        from cancel_contracts.verify import verify, with_ledger

        everything = list({contract.name: contract for contract, _ in chosen}.values())
        given = {name: row.of(self.config) for name, row in SETTINGS.items()}
        with ExitStack() as stack:
            target = stack.enter_context(
                open_target(everything, given["base-url"], given["target"])
            )
            options = Options(
                sweep_seconds=SWEEP_SECONDS,
                profile=given["profile"],
                seed=given["seed"],
                strict=given["strict"],
                only=tuple(clause.id for _, clause in chosen),
                pinned=pinned_dialects(everything, given["dialect"]),
                allow_destructive=given["allow-destructive"],
                ledger=given["ledger"],
                cacert=given["cacert"],
            )
            options = with_ledger(assign(everything, target, options), options)
            if options.ledger is not None:
                self.say(f"ledger: {options.ledger}")
            result = verify(everything, target, options)
        self._take(result, given["min-covered"])

    def _take(self, result: Any, min_covered: float) -> None:
        """Keep the record, which holds no secret, and tell what fails the session beside items."""
        from cancel_contracts.gate import decide, figures
        from cancel_contracts.report.record import record
        from cancel_contracts.report.story import figured

        stale = result.stale_excuses()
        outcome = decide(result.judgements(), strict=result.options.strict, stale_excuses=stale)
        self.record = record(result, outcome)
        self.failed = "; ".join(map(result.redactor.text, result.crashes)) or None
        for contract in self.record["contracts"]:
            if seen := contract["dialect"]:
                self.lines.append(f"{contract['name']} follows {seen}")
        self.lines.append(f"must-clauses: {figured(self.record)}")
        self.short += map(result.redactor.text, stale)
        percent = figures(v for j in result.judgements() for v in j.verdicts).covered_percent
        if percent < min_covered:
            self.short.append(f"{percent:.1f} % covered, less than {min_covered:g} %")
        told = (*self.record["warnings"], *self.record["faults_of_the_run"], *self.short)
        self.lines += map(in_these_words, told)

    def finding(self, contract: str, clause: dict[str, Any]) -> str | None:
        """Return the number and the sentence of the finding that a clause belongs to."""
        from cancel_contracts.report.findings import named

        return named(self.record, contract, clause["id"])

    def tell(self, contract: str, clause: dict[str, Any]) -> str:
        """Return a violated clause in words: its finding, what it breaks, the promise, and the
        whole scenario.
        """
        from cancel_contracts.report import findings, story
        from cancel_contracts.report.text import line

        pairs = story.whole(self.contracts[contract], clause)
        if found := findings.of(self.record, contract, clause["id"]):
            pairs = [("breaks", findings.breaks(found[1])), *pairs]
        head = found[1]["sentence"] if found else story.summary(clause)
        promise = f"{clause['id']} ({clause['level']}): {clause['says']}"
        told = {"says": promise}
        rows = (f"  {label:<9} {line(told.get(label, text))}" for label, text in pairs)
        return "\n".join([line(head), *rows])

    def say(self, line: str) -> None:
        """Print a line before the traffic, whatever pytest captures; a worker at the end."""
        reporter: Any = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is None or workers.is_worker(self.config):
            self.lines.append(line)
        else:
            reporter.ensure_newline()
            reporter.write_line(line)
