"""The documentation: in sync with the product, its links, commands and examples good.

Every fenced block is looked at: `sh` holds commands that parse, `yaml` a file of a kind that is known and valid, `text`
and `json` what a program printed, `toml` the settings of a tool that has its own test, `python` the one handler. A block of
another language is an error here.
"""

from __future__ import annotations

import json
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import generated
import pytest
import yaml
from cancel_contracts.baseline import load as load_baseline
from cancel_contracts.cli import main
from cancel_contracts.cli.edge import cli
from cancel_contracts.contract.choice import matching
from cancel_contracts.contract.load import load as load_spec
from cancel_contracts.contract.model import Contract
from cancel_contracts.errors import Refused
from cancel_contracts.exchange import Sent
from cancel_contracts.gate import EXIT
from cancel_contracts.mock.catalogue import find
from cancel_contracts.provider_states.handler import state_request
from cancel_contracts.provider_states.states import ProviderStates
from cancel_contracts.targets import safety
from cancel_contracts.targets.file import Endpoint
from cancel_contracts.targets.file import load as load_target
from cancel_contracts.transport.client import Timeouts, Transport

ROOT = generated.ROOT
ROOTS = [ROOT / f"{name}.md" for name in ("README", "ARCHITECTURE", "CONTRIBUTING", "SECURITY")]
PAGES = sorted([*ROOTS, *(ROOT / "docs").glob("*.md")])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
TARGET_KEYS = {
    "base_url", "client_certificate", "contracts", "edition", "headers", "identities", "mint", "name", "not_testable",
    "primary", "provider_states", "serves", "version",
}  # fmt: skip
OPERATORS = {"|", "||", "&", "&&", ";", ">", ">>", "(", ")"}


@dataclass(frozen=True)
class Block:
    """A fenced block: `place` is page and line."""

    page: str
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


@cache
def text_of(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


@cache
def blocks() -> tuple[Block, ...]:
    found = []
    for page in NAMES:
        for match in FENCE.finditer(text_of(page)):
            line = text_of(page)[: match.start()].count("\n") + 1
            found.append(Block(page, line, match[1], match[2]))
    return tuple(found)


loaded = cache(load_spec)


def of(language: str) -> list[Block]:
    return [block for block in blocks() if block.language == language]


def prose(page: str) -> str:
    return FENCE.sub("", text_of(page))


# --- generated pages ----------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["docs/clauses.md", *generated.BLOCKS])
def test_generated_pages_are_in_sync(page: str) -> None:
    assert text_of(page) == generated.pages()[page], "run `python tests/generated.py`"


def test_a_page_that_has_lost_its_block_is_an_error() -> None:
    with pytest.raises(ValueError, match="named sample"):
        generated.filled("# A page without markers\n", {"sample": lambda: ""})


# --- links --------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to a page's headings."""
    rows = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", row.lower()).replace(" ", "-") for row in rows}


def links() -> Iterator[tuple[str, str]]:
    for page in NAMES:
        for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
            if not re.match(r"[a-z]+:", link):
                yield page, link


def test_an_internal_link_resolves() -> None:
    found = sorted(set(links()))
    assert found
    for page, link in found:
        file, _, anchor = link.partition("#")
        path = (ROOT / page).parent / file if file else ROOT / page
        assert path.exists(), (page, link)
        if anchor:
            assert anchor in anchors(path), (page, link)


def test_the_index_names_every_page() -> None:
    named = {link.partition("#")[0] for page, link in links() if page == "docs/README.md"}
    assert {page.name for page in PAGES if page.parent.name == "docs"} - {"README.md"} <= named


# --- commands -----------------------------------------------------------------------------------


def commands(text: str) -> Iterator[list[str]]:
    """Yield the command lines of a shell block, split at pipes and the like."""
    for line in text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        argv: list[str] = []
        for word in [*lexer, ";"]:
            if word not in OPERATORS:
                argv.append(word)
                continue
            if argv:
                yield argv
            argv = []


def ours() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each line that calls `cancel-contracts`: in shell blocks, CI files and in the prose."""
    for block in blocks():
        if block.language == "sh":
            lines = block.text
        elif block.language == "yaml":
            lines = "\n".join(
                re.findall(r"^ *- (?:run: )?(.*cancel-contracts .*)$", block.text, re.M)
            )
        else:
            continue
        for argv in commands(lines):
            if Path(argv[0]).name == "cancel-contracts":
                yield block.place, tuple(argv[1:])
    for page in NAMES:
        for span in re.findall(r"`cancel-contracts ([^`…]+)`", prose(page)):
            yield page, tuple(shlex.split(span))


def test_a_command_parses_and_names_what_exists() -> None:
    group = click.Context(cli)
    contracts = [*documented_specs(), *generated.contracts()]
    found = sorted(set(ours()))
    assert found
    for place, argv in found:
        command = cli.get_command(group, argv[0])
        assert command is not None, (place, argv)
        if len(argv) == 1:
            continue  # the command itself is spoken of
        context = command.make_context(argv[0], list(argv[1:]), parent=group)
        given = context.params
        for id_ in clause_ids(argv[0], given):
            assert id_ == "CLAUSE" or any(c.knows(id_) for c in contracts), (place, id_)
        for name in (*given.get("faults", ()), *given.get("variants", ())):
            find(name)
        for name in entries(argv[0], given):
            find(name)
        for name in given.get("names", ()):
            assert name in {c.name for c in contracts}, (place, name)
        for value in given.get("dialects", ()):
            name, _, dialect = value.partition("=")
            known = {d.name for c in contracts if c.name == name for d in c.dialects}
            assert value == "CONTRACT=DIALECT" or dialect in known, (place, value)


@pytest.mark.parametrize(
    ("place", "argv"),
    sorted({(place, argv) for place, argv in ours() if argv[0] == "verify"}),
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_a_verify_line_can_be_planned(
    place: str,
    argv: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With the example that stands last before it on its page, or else the one that `init` writes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(safety, "addresses", lambda url: [])  # no name is looked up
    monkeypatch.setattr("cancel_contracts.contract.load.load", loaded)
    page, _, line = place.partition(":")
    above = [b for b in examples("target") if b.page == page and b.line < int(line or 0)]
    main(["init", "--output", "init.yaml"])
    text = above[-1].text if above else (tmp_path / "init.yaml").read_text("utf-8")
    for name in ("target.yaml", "lab.yaml", "mock.yaml"):
        (tmp_path / name).write_text(text, "utf-8")
    for block in (*examples("baseline"), *examples("spec")):
        saved(block, tmp_path)
    capsys.readouterr()
    code = main([*argv, "--plan"])
    told = capsys.readouterr()
    assert code == 0, told.out + told.err
    assert "nothing was sent" in told.out


def clause_ids(command: str, given: dict[str, Any]) -> list[str]:
    named = [given["clause"]] if command == "explain" else []
    if command in ("verify", "judge"):  # patterns and lists; whatever names nothing is an error
        contracts = [*documented_specs(), *generated.contracts()]
        for flag in ("only", "skip"):
            named += matching(contracts, flag, [text for text in given[flag] if text != "CLAUSE"])
    return named


def entries(command: str, given: dict[str, Any]) -> list[str]:
    return list(given["only"]) if command == "prove" else []


def test_commands_were_found() -> None:
    verbs = {argv[0] for _, argv in ours()}
    assert verbs == set(cli.commands)


def test_the_flags_of_pytest_exist(pytestconfig: pytest.Config) -> None:
    found = 0
    for block in of("sh"):
        for argv in commands(block.text):
            if argv[0] != "pytest":
                continue
            for word in argv[1:]:
                if word.startswith("-"):
                    pytestconfig.getoption(word.partition("=")[0])
                    found += 1
    assert found


def flags(command: click.Command) -> Iterator[str]:
    for option in command.params:
        if isinstance(option, click.Option) and "--help" not in option.opts:
            yield next(name for name in option.opts if name.startswith("--"))


def test_every_flag_is_written_of() -> None:
    everything = "\n".join(text_of(page) for page in NAMES)
    found = [(name, flag) for name, c in cli.commands.items() for flag in flags(c)]
    assert found
    assert [at for at in found if not re.search(rf"{at[1]}(?![\w-])", everything)] == []


def test_every_exit_code_and_key_of_a_target_is_written_of() -> None:
    page = text_of("docs/gate-a-pipeline.md")
    for word, code in EXIT.items():
        assert re.search(rf"^\| {code} \|.*{word.split('-')[0]}", page, re.MULTILINE), word
    assert all(f"{key}:" in text_of("docs/check-my-mock.md") for key in TARGET_KEYS)


def test_what_a_handler_is_sent_is_shown_as_it_is() -> None:
    (block,) = [b for b in of("json") if b.page == "docs/check-my-mock.md"]
    shown = parsed(block)
    site = Endpoint(
        shown["params"]["contract"], "http://127.0.0.1", handler="http://127.0.0.1/states"
    )
    sent = state_request(site, shown["action"], shown["params"]["state"], shown["params"])
    assert json.loads(sent.body) == shown


# --- examples -----------------------------------------------------------------------------------


def parsed(block: Block) -> dict[str, Any]:
    value = yaml.safe_load(block.text)
    assert isinstance(value, dict), block.place
    return value


@cache
def kind(block: Block) -> str:
    if block.text.startswith(("# .gitlab-ci.yml\n", "# .github/workflows/")):
        return "ci"
    keys = set(parsed(block))
    if keys <= TARGET_KEYS:
        return "target"
    if keys <= {"violations", "not_exercised"}:
        return "baseline"
    if "openapi" in keys:
        return "spec"
    pytest.fail(f"{block.place}: what is this an example of?")


def examples(wanted: str) -> list[Block]:
    return [block for block in of("yaml") if kind(block) == wanted]


@cache
def documented_specs() -> tuple[Contract, ...]:
    """Return the contracts of the spec files that the pages show, by the name in their first line."""
    with TemporaryDirectory() as folder:
        return tuple(load_spec(saved(block, Path(folder))) for block in examples("spec"))


def saved(block: Block, folder: Path) -> Path:
    """Write an example under the name that its first line gives it."""
    name = block.text.partition("\n")[0].removeprefix("# ").split(" ")[0]
    path = folder / (name if name.endswith(".yaml") else "example.yaml")
    path.write_text(block.text, "utf-8")
    return path


def test_every_block_is_of_a_kind_that_is_checked() -> None:
    for block in blocks():
        assert block.language in {"sh", "yaml", "text", "json", "toml", "python"}, block.place
    assert {kind(block) for block in of("yaml")} == {"target", "baseline", "spec", "ci"}


@pytest.mark.parametrize("block", examples("target"), ids=lambda b: b.place)
def test_a_target_example_is_valid_for_what_it_describes(block: Block, tmp_path: Path) -> None:
    """Each contract that it has a section for, or all of them: others may lack who calls."""
    target = load_target(saved(block, tmp_path))
    target.check_names(generated.contracts())
    own = parsed(block).get("contracts", {})
    for contract in [c for c in generated.contracts() if c.name in own or not own]:
        (target if target.base_url else target.at("http://127.0.0.1:8080")).endpoint(contract)


@pytest.mark.parametrize("block", examples("baseline"), ids=lambda b: b.place)
def test_a_baseline_example_is_valid(block: Block, tmp_path: Path) -> None:
    entries = load_baseline(saved(block, tmp_path), generated.contracts())
    assert entries


@pytest.mark.parametrize("block", examples("spec"), ids=lambda b: b.place)
def test_a_spec_example_verifies_against_its_own_mock(
    block: Block, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved(block, tmp_path)
    assert main(["verify", "--spec", str(path)]) == 0, capsys.readouterr().out
    faults = ("--only", "unknown-id-answered-200", "--only", "success-as-204")
    argv = ("prove", "--spec", str(path), "--jobs", "1", *faults)
    assert main(argv) == 0, capsys.readouterr().out


# --- the handler --------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"the handler does not serve (exit code {process.poll()})")


def test_the_handler_of_the_page_serves_the_suite() -> None:
    (block,) = of("python")
    port = free_port()
    assert block.text.count("8081") == 1
    code = block.text.replace("8081", str(port))
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}/"
    try:
        wait_for(port, process)
        with Transport(Timeouts(read=5)) as transport:
            states = ProviderStates(Endpoint("machine-action", url, handler=url), transport)
            ids = {states.acquire("Pending", None, spends=True) for _ in range(2)}
            assert len(ids) == 2
            assert states.acquire("Pending", "user", spends=True) not in ids
            assert states.tear_down() == []
            other = ProviderStates(Endpoint("security-action", url, handler=url), transport)
            with pytest.raises(Refused, match="422"):
                other.acquire("NotStarted", None, spends=True)
            answer = transport.send(Sent("POST", url, (), b"{}"))
            assert answer.received is None or answer.received.status // 100 != 2
    finally:
        process.terminate()
        process.wait(10)


# --- nothing of a machine -----------------------------------------------------------------------


def test_no_page_shows_a_path_of_a_machine() -> None:
    shown = {
        page: re.search(r"/(?:home|Users|tmp|work|root)/|[A-Z]:\\", text_of(page)) for page in NAMES
    }
    assert {page: found for page, found in shown.items() if found} == {}
