"""Which clauses a person means, and the small flags around it."""

from __future__ import annotations

import json
import socket
import threading
import time
from functools import cache
from pathlib import Path

import pytest
import yaml
from cancel_contracts.assignment import Options, assign
from cancel_contracts.builtin import mock_target
from cancel_contracts.cli import main
from cancel_contracts.cli.edge import cli
from cancel_contracts.contract.choice import Choice, matching, selected
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.topics import topic
from cancel_contracts.errors import UsageError
from cancel_contracts.report.explain import explanation
from cancel_contracts.targets.file import load as load_target
from cancel_contracts.transport.listening import wait_for
from click.shell_completion import ShellComplete

Capture = pytest.CaptureFixture[str]


@cache
def contracts() -> tuple[Contract, ...]:
    return tuple(map(load, shipped()))


def ids() -> list[str]:
    return [clause.id for contract in contracts() for clause in contract.clauses]


# --- ids and patterns -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (("ma-34",), {"MA-34"}),
        (("MA-34,sa-20", "AP-01"), {"MA-34", "SA-20", "AP-01"}),
        (("MA-34, MA-35",), {"MA-34", "MA-35"}),
        (("ma-3?",), {i for i in ids() if i.startswith("MA-3")}),
        (("*-01",), {"MA-01", "SA-01", "AP-01"}),
    ],
)
def test_ids_and_patterns(given: tuple[str, ...], found: set[str]) -> None:
    assert matching(contracts(), "--only", given) == found & set(ids())


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("MA-340", "did you mean MA-40, MA-34"),
        ("MB-*", "clauses`"),
        ("MA-34,MA-341", "no clause has the id 'MA-341'"),
    ],
)
def test_what_names_no_clause_is_an_error(given: str, told: str) -> None:
    with pytest.raises(UsageError, match="--only") as caught:
        matching(contracts(), "--only", [given])
    assert told in str(caught.value)


def test_a_promise_that_cannot_be_tested_says_why() -> None:
    row = contracts()[0].not_testable[0]
    with pytest.raises(UsageError, match="cannot be tested"):
        matching(contracts(), "--skip", [row.id.lower()])


# --- levels, topics, sources ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "choice",
    [
        Choice(levels=("must",)),
        Choice(topics=("lifecycle", "quota")),
        Choice(sources=("rfc",)),
        Choice(only=("MA-*",), sources=("page",), levels=("must", "should")),
    ],
)
def test_what_is_chosen_fits_and_what_fits_is_chosen(choice: Choice) -> None:
    only, skip = selected(contracts(), choice)
    assert only
    assert not skip
    for contract in contracts():
        for clause in contract.clauses:
            rfc = clause.source.page.startswith("RFC ")
            fits = not choice.levels or clause.level in choice.levels
            fits &= not choice.topics or topic(clause) in choice.topics
            fits &= not choice.sources or rfc == (choice.sources == ("rfc",))
            fits &= not choice.only or clause.id.startswith("MA-")
            if clause.source.page != "asked for by the user":
                assert (clause.id in only) == fits, clause.id


def test_what_the_user_asked_for() -> None:
    only, _ = selected(contracts(), Choice(sources=("user",)))
    every = [clause for contract in contracts() for clause in contract.clauses]
    asked = {clause.id for clause in every if clause.source.page == "asked for by the user"}
    assert {"AP-35", "SA-20"} <= asked == set(only)


def test_a_choice_that_leaves_nothing_selects_nothing_and_not_all(capsys: Capture) -> None:
    assert main(["verify", "--only", "MA-34", "--topic", "quota"]) == 5
    assert "nothing-selected" in capsys.readouterr().out


def test_all_is_all() -> None:
    assert selected(contracts(), Choice()) == ((), ())
    assert selected(contracts(), Choice(levels=("must", "should", "info"))) == ((), ())


def test_the_flags_reach_the_run(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    argv = ["verify", "--only", "ma-3*", "--level", "must", "--skip", "MA-34", "--source", "page"]
    assert main([*argv, "--topic", "error", "--report-json", str(path)]) == 0
    (contract,) = json.loads(path.read_text("utf-8"))["contracts"]
    assert [c["id"] for c in contract["clauses"]] == ["MA-35"]


# --- explain --------------------------------------------------------------------------------------


def test_explain_links_shows_a_call_and_what_breaks_it(capsys: Capture) -> None:
    assert main(["explain", "ma-34"]) == 0
    told = capsys.readouterr().out
    assert "https://learn.microsoft.com/" in told
    assert "#response" in told
    assert 'curl -sS -i --path-as-is -X POST -H "Authorization: Bearer $ADMIN_TOKEN"' in told
    assert "\"$ID_1\"'/cancel'" in told
    assert "unknown-id-answered-200" in told
    assert "rfc9110.html#section-15.5.2" in explanation(contracts(), "MA-50")


def test_explain_offers_the_nearest(capsys: Capture) -> None:
    assert main(["explain", "ma-340"]) == 2
    assert "did you mean MA-40, MA-34" in capsys.readouterr().err


# --- completion -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "begun", "offered"),
    [
        (["verify", "--only"], "MA-3", "MA-34"),
        (["verify", "--only"], "MA-01,sa-2", "MA-01,SA-20"),
        (["verify", "--contract"], "mach", "machine-action"),
        (["explain"], "ap-0", "AP-01"),
        (["mock", "--fault"], "unknown-id-answered-2", "unknown-id-answered-200"),
        (["token"], "cut", "cut-token"),
        (["verify", "--topic"], "qu", "quota"),
        (["pages", "--page"], "machinea", "machineaction"),
    ],
)
def test_the_shell_is_offered_names(args: list[str], begun: str, offered: str) -> None:
    complete = ShellComplete(cli, {}, "cancel-contracts", "_X")
    assert offered in [item.value for item in complete.get_completions(args, begun)]


# --- small flags ----------------------------------------------------------------------------------


def test_the_json_report_may_go_to_the_standard_output(capsys: Capture) -> None:
    assert main(["verify", "--only", "MA-34", "--report-json", "-"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["outcome"] == "conforms"
    assert "conforms: " in captured.err
    for argv in (["--record", "-"], ["--report-json", "-", "--report-junit", "-"]):
        assert main(["verify", "--only", "MA-34", *argv]) == 2


def test_the_version_has_a_short_flag(capsys: Capture) -> None:
    assert main(["-V"]) == 0
    assert capsys.readouterr().out.endswith(", version 0.1.0\n")


@pytest.mark.parametrize("how", ["--handler", "--ids"])
@pytest.mark.parametrize("names", [(), ("machine-action",), ("security-action", "machine-action")])
def test_a_short_target_file_can_be_used(
    how: str, names: tuple[str, ...], tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "target.yaml"
    named = [arg for name in names for arg in ("--contract", name)]
    assert main(["init", how, *named, "--output", str(path)]) == 0
    assert all(len(row) <= 110 for row in path.read_text("utf-8").splitlines())
    assignments = assign(contracts(), load_target(path), Options())
    assert {a.contract.name for a in assignments} == set(names or [c.name for c in contracts()])
    assert all(a.touches for a in assignments)


def test_a_short_target_file_is_asked_for_in_one_of_two_forms(capsys: Capture) -> None:
    assert main(["init", "--contract", "machine-action"]) == 2
    assert "--handler or --ids" in capsys.readouterr().err


# --- serves ---------------------------------------------------------------------------------------


def test_a_target_that_serves_one_contract_is_asked_for_no_other(
    tmp_path: Path, capsys: Capture
) -> None:
    with mock_target([c for c in contracts() if c.name == "machine-action"]) as target:
        path = tmp_path / "target.yaml"
        path.write_text(yaml.safe_dump({**target.raw, "serves": ["machine-action"]}), "utf-8")
        argv = ["verify", "--target", str(path), "--only", "*-01", "--report-json", "-"]
        assert main(argv) == 0
        written = json.loads(capsys.readouterr().out)
        assert [c["name"] for c in written["contracts"]] == ["machine-action"]
        assert main([*argv, "--contract", "security-action"]) == 2
        assert "serves" in capsys.readouterr().err


def test_a_contract_that_serves_misspells_is_an_error(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "target.yaml"
    path.write_text("base_url: http://127.0.0.1:9\nserves: [machine-actoin]\n", "utf-8")
    assert main(["verify", "--target", str(path), "--plan"]) == 2
    assert "use machine-action" in capsys.readouterr().err


# --- wait -----------------------------------------------------------------------------------------


def test_a_server_that_starts_is_waited_for() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{server.getsockname()[1]}/base"
        assert not wait_for(url, 0, lambda seconds: False)
        threading.Timer(0.3, server.listen).start()

        def pause(seconds: float) -> bool:
            time.sleep(seconds)
            return False

        assert wait_for(url, 20, pause)


def test_whoever_interrupts_waits_no_longer() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        assert not wait_for(url, 3600, lambda seconds: True)


def test_a_server_that_never_starts_is_said(capsys: Capture) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        assert main(["verify", url, "--wait", "0.1", "--only", "MA-34"]) == 4
    assert f"nobody listens at {url} after 0.1 s" in capsys.readouterr().err


# --- help -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["verify", "judge"])
def test_the_help_has_every_option_in_a_group(command: str, capsys: Capture) -> None:
    assert main([command, "--help"]) == 0
    told = capsys.readouterr().out
    rest = told.partition("Other options:")[2]
    (row,) = [row for row in rest.splitlines() if row.startswith("  -")]
    assert "--help" in row
    for param in cli.commands[command].params:
        if param.param_type_name == "option":
            assert f"  {param.opts[0]} " in told, param.opts
    assert told.index("Which clauses:") < told.index("When a run fails:") < told.index("Reports:")
