"""The pytest door: each clause of each spec is an item, `specs/CONTRACT.yaml::CLAUSE`.

Traffic runs once per contract, before the first item, for the selected clauses only; an item judges
and sends nothing. What nothing exercised fails unless the target file excuses it: a skip never
hides a gap. pytest loads this file in every run of an environment that has the package: it touches
nothing but its own items.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from cancel_contracts.contract.model import Clause, Contract
from cancel_contracts.errors import ContractsError
from cancel_contracts.pytest_plugin import workers
from cancel_contracts.pytest_plugin.door import Door
from cancel_contracts.pytest_plugin.settings import add_to, in_these_words, setting

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
        from cancel_contracts.contract.edition import last_day
        from cancel_contracts.contract.load import load

        named = setting(self.config, "edition")
        try:
            edition = None if named is None else last_day("--contracts-edition", named)
            self.contract = load(self.path, edition)
        except ContractsError as err:
            raise self.CollectError(str(err)) from None
        if not self.contract.default and not self.session.isinitpath(self.path):
            return  # a folder does not name it
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


DOOR = pytest.StashKey[Door]()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    items = [item for item in session.items if isinstance(item, ClauseItem)]
    if items and not session.config.option.collectonly:
        door = session.config.stash[DOOR] = Door(session.config)
        door.open([(item.contract, item.clause) for item in items])
        told = {"usage": door.usage, "lines": door.lines, "short": door.short}
        workers.hand_over(session.config, told)
        if door.usage is not None:
            # A worker ends in order, so that the controller says why.
            kind = session.Interrupted if workers.is_worker(session.config) else pytest.UsageError
            raise kind(door.usage)
    return (yield)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what a worker of pytest-xdist has to say for all of them."""
    told, stash = workers.handed_over(node), node.config.stash
    if told.get("usage"):
        raise pytest.UsageError(told["usage"])
    if told and DOOR not in stash:
        door = stash[DOOR] = Door(node.config)
        door.lines, door.short = told["lines"], told["short"]


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
