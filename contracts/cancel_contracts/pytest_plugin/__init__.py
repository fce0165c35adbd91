"""The pytest door: each clause of each spec is an item, `specs/CONTRACT.yaml::CLAUSE`.

Traffic runs once per contract, before the first item, for the selected clauses only; an item judges
and sends nothing. What nothing exercised fails unless the target file excuses it: a skip never
hides a gap. pytest loads this file in every run of an environment that has the package: it touches
nothing but its own items.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cancel_contracts.contract.model import Clause, Contract
from cancel_contracts.errors import ContractsError, UsageError, crash
from cancel_contracts.pytest_plugin.settings import SETTINGS, add_to, in_these_words, setting

MARK = "\nx-clauses:"
OPENAPI = "\nopenapi:"
ID = re.compile(r"""\s*-\s+\{?\s*id:\s*["']?([^\s"',]+)""")


class ContractsWarning(UserWarning):
    """A should-clause is violated, or the run left something to say."""


def pytest_addoption(parser: pytest.Parser) -> None:
    add_to(parser)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "cancel_contract(name): the contract that a clause item belongs to"
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.suffix not in (".yaml", ".yml"):
        return None
    try:
        text = "\n" + file_path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    if MARK not in text:
        return None
    # Another tool's file may have a key of that name too. Who names a file means it.
    if OPENAPI not in text and not parent.session.isinitpath(file_path):
        return None
    collector: pytest.Collector = SpecFile.from_parent(parent, path=file_path)
    return collector


class SpecFile(pytest.File):
    """A spec file. Its clauses are its items."""

    contract: Contract

    def collect(self) -> Iterator[pytest.Item]:
        from cancel_contracts.assignment import Options, select
        from cancel_contracts.contract.load import load

        try:
            self.contract = load(self.path)
        except ContractsError as err:
            raise self.CollectError(str(err)) from None
        text = self.path.read_text(encoding="utf-8").splitlines()
        lines = {m[1]: n for n, line in enumerate(text) if (m := ID.match(line))}
        options = Options(profile=setting(self.config, "profile"))
        for clause in select(self.contract, options):
            yield ClauseItem.from_parent(
                self,
                name=clause.id,
                clause=clause,
                contract=self.contract,
                line=lines.get(clause.id, 0),
            )


class ClauseItem(pytest.Item):
    """One clause. Its outcome is its verdict."""

    def __init__(self, *, clause: Clause, contract: Contract, line: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.clause, self.contract, self.line = clause, contract, line
        self.add_marker(pytest.mark.cancel_contract(contract.name))
        self.user_properties.append(("level", clause.level))
        self.user_properties.append(("source", str(clause.source)))

    def runtest(self) -> None:
        door = self.config.stash[DOOR]
        if reason := door.failed:
            raise Verdict(reason)
        if (clause := door.clauses.get((self.contract.name, self.clause.id))) is None:
            pytest.skip("the target file's `serves` leaves this contract out")
        self.user_properties.append(("verdict", clause["verdict"]))
        self.user_properties.append(("exercised", clause["exercised"]))
        if finding := door.finding(self.contract.name, clause):
            self.user_properties.append(("defect", finding))
        _conclude(self, clause, door)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, Verdict):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        # pytest warns of no item that has no line.
        return self.path, self.line, f"{self.clause.id}: {self.clause.says}"


class Verdict(Exception):
    """A verdict that fails an item. The message is all there is to print."""


def _conclude(item: ClauseItem, clause: dict[str, Any], door: Door) -> None:
    from cancel_contracts.report.story import fails

    if clause["verdict"] == "violated":
        text = door.tell(item.contract.name, clause)
        if fails(door.record, clause):
            raise Verdict(text)
        item.warn(ContractsWarning(text))
    elif clause["verdict"] != "upheld":
        reason = in_these_words(f"{clause['verdict']}: {clause['reason']}")
        if clause["gap"]:
            raise Verdict(f"{clause['id']} {reason}")
        pytest.skip(f"{reason}; {clause['excused']}" if clause["excused"] else reason)


class Door:
    """The runs behind a session's items."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.record: dict[str, Any] = {}
        self.contracts: dict[str, dict[str, Any]] = {}  # of the record, by name
        self.clauses: dict[tuple[str, str], dict[str, Any]] = {}  # and by contract and id
        self.failed: str | None = None
        self.lines: list[str] = []
        self.short: list[str] = []  # what fails the session though no item shows it

    def run(self, items: list[ClauseItem]) -> None:
        """Verify each contract once, for the clauses that are selected."""
        from cancel_contracts.assignment import SWEEP_SECONDS, Options, assign
        from cancel_contracts.cli.options import open_target, pinned_dialects
        from cancel_contracts.verify import verify, with_ledger

        chosen: dict[str, list[str]] = defaultdict(list)
        contracts: dict[str, Contract] = {}
        for item in items:
            contracts[item.contract.name] = item.contract
            chosen[item.contract.name].append(item.clause.id)
        everything = list(contracts.values())
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
                only=tuple(id_ for ids in chosen.values() for id_ in ids),
                pinned=pinned_dialects(everything, given["dialect"]),
                allow_destructive=given["allow-destructive"],
                ledger=self.ledger(given["ledger"]),
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
            self.contracts[contract["name"]] = contract
            self.clauses |= {(contract["name"], row["id"]): row for row in contract["clauses"]}
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

    def ledger(self, path: Path | None) -> Path | None:
        """Return the ledger's file. Each worker of pytest-xdist is a run, with one of its own."""
        worker = getattr(self.config, "workerinput", {}).get("workerid")
        return path.with_name(f"{worker}-{path.name}") if path and worker else path

    def say(self, line: str) -> None:
        """Print a line before the traffic, whatever pytest captures."""
        reporter: Any = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(line)


DOOR = pytest.StashKey[Door]()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    items = [item for item in session.items if isinstance(item, ClauseItem)]
    if items and not session.config.option.collectonly:
        door = session.config.stash[DOOR] = Door(session.config)
        try:
            door.run(items)
        except UsageError as err:
            raise pytest.UsageError(in_these_words(str(err))) from None
        except pytest.UsageError:
            raise
        except ContractsError as err:
            door.failed = in_these_words(str(err))
        except Exception as err:  # noqa: BLE001 - items of others are none the worse for it
            door.failed = crash(err)
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    door = session.config.stash.get(DOOR, None)
    if door is not None and door.short and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    door = config.stash.get(DOOR, None)
    if door is not None and door.lines:
        terminalreporter.section("contracts")
        for line in door.lines:
            terminalreporter.line(line)
