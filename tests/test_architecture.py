"""The shape of the house: data flows one way, and Python names no endpoint."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import yaml
from cancel_contracts.contract.load import load, shipped

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "contracts" / "cancel_contracts"

# Each room may import those before it in the flow, and itself. `mock` knows the spec alone.
ALLOWED = {
    "needs": set(),
    "errors": {"needs"},
    "parse": set(),
    "pipes": set(),
    "windows": set(),
    "schemas": set(),
    "hosts": set(),
    "exchange": set(),
    "journal": {"exchange", "needs"},
    "contract": {"errors", "exchange", "schemas"},
    "sight": {"contract", "exchange", "journal"},
    "transport": {"errors", "exchange", "hosts"},
    "redact": {"exchange", "transport"},
    "targets": {"contract", "errors", "hosts", "needs", "schemas"},
    "identity": {"contract", "errors", "exchange", "hosts", "needs", "redact", "targets"},
    "ledger": {"errors", "redact", "schemas", "targets"},
    "provider_states": {
        "contract", "errors", "exchange", "identity", "ledger", "needs", "sight", "targets",
        "transport",
    },
    "plan": {"contract", "exchange", "needs"},
    "run": {
        "contract", "errors", "exchange", "identity", "journal", "ledger", "needs",
        "plan", "provider_states", "sight", "targets", "transport",
    },
    "judge": {"contract", "exchange", "journal", "needs", "sight", "transport", "windows"},
    "defects": {"contract", "exchange", "judge"},
    "excuses": {"contract", "journal", "judge", "needs"},
    "gate": {"errors", "judge", "needs"},
    "mock": {"contract", "errors"},
    "speaking": {"contract", "errors", "exchange", "mock"},
    "builtin": {"contract", "identity", "mock", "redact", "targets"},
    "foreign": {"contract", "exchange", "journal", "sight"},
    "serial": set(),
    "har": {
        "contract", "errors", "exchange", "foreign", "journal", "needs", "redact",
        "serial", "transport",
    },
    "pages": {"contract", "errors"},
    "baseline": {"contract", "errors", "judge", "schemas"},
    "bundle": {"errors"},
    "compare": {"errors", "schemas"},
    "assignment": {"contract", "identity", "needs", "plan", "run", "sight", "targets", "transport"},
    "teardown": {
        "contract", "errors", "identity", "ledger", "provider_states", "redact", "run",
        "targets", "transport",
    },
    "forecast": {"assignment", "contract", "excuses", "judge", "needs", "plan"},
    "verify": {
        "assignment", "contract", "errors", "exchange", "excuses", "identity", "journal",
        "judge", "ledger", "plan", "provider_states", "redact", "run", "targets",
        "transport",
    },
    "board": {"compare", "errors", "gate", "report", "schemas", "serial"},
    "draft": {"contract", "errors", "mock", "pages"},
    "cli": {
        "assignment", "baseline", "board", "builtin", "bundle", "compare", "contract", "draft",
        "errors", "exchange", "gate", "hosts",
        "identity", "ledger", "mock", "pages", "prove", "redact", "replay", "report", "reproduce", "run",
        "schemas", "targets", "teardown", "transport", "verify",
    },
    "load": {
        "assignment", "contract", "errors", "exchange", "excuses", "identity", "journal", "judge",
        "ledger", "needs", "plan", "provider_states", "redact", "run", "targets", "transport",
        "verify",
    },
    "locust": {
        "assignment", "cli", "contract", "errors", "exchange", "identity", "ledger", "load",
        "redact", "report", "run", "serial", "targets", "transport",
    },
    "prove": {
        "assignment", "builtin", "contract", "errors", "gate", "mock", "plan", "redact", "replay",
        "speaking", "transport", "verify",
    },
    "pytest_plugin": {
        "assignment", "cli", "contract", "errors", "gate", "redact", "report", "verify",
    },
    "replay": {
        "assignment", "contract", "errors", "excuses", "har", "judge", "plan", "redact", "verify",
    },
    "report": {
        "assignment", "compare", "contract", "defects", "errors", "exchange", "forecast", "gate",
        "identity", "journal", "judge", "ledger", "mock", "needs", "pages", "plan", "prove",
        "provider_states", "redact", "reproduce", "run", "serial", "sight", "speaking", "targets",
        "verify", "windows",
    },
    "schemathesis_checks": {"contract", "exchange", "foreign", "journal", "judge"},
    "deadline": set(),
    "reproduce": {
        "assignment", "contract", "errors", "judge", "plan", "redact", "run", "serial",
        "targets", "verify",
    },
}  # fmt: skip
TAKEN = {"spec", "target", "build", "dist", "env"}
MAX_LINES = 300
TOOLS = {"deadline", "parse", "pipes"}  # know nothing of the house: every room may use them


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def imports(path: Path) -> set[str]:
    """Return the rooms that a module imports from, its own included."""
    return {found.split(".")[1] for found in edges()[module(path)] if "." in found}


def test_imports_follow_the_flow() -> None:
    against = {}
    for path in modules():
        where = room(path)
        if wrong := imports(path) - {where} - TOOLS - ALLOWED.get(where, set()):
            against[name(path)] = wrong
    assert not against, f"imports against the flow: {against}"


def module(path: Path) -> str:
    parts = ("cancel_contracts", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts).removesuffix(".__init__")


@cache
def edges() -> dict[str, set[str]]:
    """Return which module imports which: under TYPE_CHECKING too, and within functions."""
    known = {module(path) for path in modules()}
    found: dict[str, set[str]] = {}
    for path in modules():
        named: set[str] = set()
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ImportFrom) and node.module:
                members = {f"{node.module}.{alias.name}" for alias in node.names}
                # Of a folder's modules none needs what its own file holds.
                named |= members & known or {node.module}
            elif isinstance(node, ast.Import):
                named |= {alias.name for alias in node.names}
        found[module(path)] = named & known - {module(path)}
    return found


def circle(graph: dict[str, set[str]]) -> list[str] | None:
    """Return modules each of which imports the next, and the last the first, if there are any."""
    done: set[str] = set()

    def visit(at: str, path: list[str]) -> list[str] | None:
        if at in path:
            return path[path.index(at) :]
        if at in done:
            return None
        for other in sorted(graph.get(at, ())):
            if found := visit(other, [*path, at]):
                return found
        done.add(at)
        return None

    return next((found for at in sorted(graph) if (found := visit(at, []))), None)


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) is None
    assert (found := circle(edges())) is None, " -> ".join(found)


def test_no_room_imports_itself_by_way_of_others() -> None:
    assert (found := circle(ALLOWED)) is None, " -> ".join(found)


def test_every_room_has_a_row_and_every_row_is_a_room_s() -> None:
    rooms = {room(path) for path in modules()} - {"__init__"}
    assert ALLOWED.keys() == rooms
    assert not edges()["cancel_contracts"]


def test_an_import_is_seen_however_it_is_written() -> None:
    """Of a room by its name, of one of its modules, in a function, and under TYPE_CHECKING."""
    assert "gate" in imports(PACKAGE / "prove.py")
    assert "prove" in imports(PACKAGE / "cli" / "look.py")
    assert "targets" in imports(PACKAGE / "cli" / "options.py")


def test_no_module_has_more_than_300_lines() -> None:
    lines = {name(path): path.read_text("utf-8").count("\n") for path in modules()}
    long = {path: count for path, count in lines.items() if count > MAX_LINES}
    assert not long, f"split by what changes together: {long}"


def test_no_folder_is_called_what_tools_take_for_something_else() -> None:
    folders = {path.relative_to(PACKAGE).parts[0] for path in PACKAGE.rglob("*/")}
    folders |= {part for path in modules() for part in path.relative_to(PACKAGE).parts[:-1]}
    assert not folders & TAKEN, f"tests or build output to many tools: {folders & TAKEN}"


def test_the_page_names_every_room_once() -> None:
    """The table of ARCHITECTURE.md has each room, and none that is gone."""
    page = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    table = page.partition("| room |")[2].partition("\n\n")[0]
    cells = [row.split("|")[1] for row in table.splitlines()[2:]]
    named = [word for cell in cells for word in re.findall(r"`(\w+)`", cell)]
    rooms = {room(path) for path in modules()} - {"__init__"}
    assert sorted(named) == sorted(rooms)


def test_the_mock_never_reads_clauses() -> None:
    for path in (PACKAGE / "mock").rglob("*.py"):
        text = path.read_text("utf-8")
        assert not re.search(r"\.clauses\b|x-clauses|\.not_testable\b|\.dialects\b", text), path


def test_only_its_own_door_imports_locust() -> None:
    """Who imports it has every socket and thread of the process patched."""
    for path in modules():
        if re.search(r"^(from|import) locust\b", path.read_text("utf-8"), re.MULTILINE):
            assert room(path) == "locust", path


def test_only_the_strategies_and_its_own_door_import_schemathesis() -> None:
    for path in modules():
        named = {
            (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
            for node in ast.walk(tree(path))
            if isinstance(node, (ast.Import, ast.ImportFrom))
        }
        if any(name.split(".")[0] == "schemathesis" for name in named):
            assert path.name in ("strategies.py", "schemathesis_checks.py"), path


def test_python_names_no_endpoint() -> None:
    words: set[str] = set()
    for spec in shipped():
        contract = load(spec)
        words.add(contract.name)
        words |= {part for part in contract.path.split("/") if len(part) > 8 and "{" not in part}
        words |= {s for s in contract.lifecycle.states if re.search("[a-z][A-Z]", s)}
        words |= {p.name for p in contract.permissions}
        words |= set(contract.lifecycle.records) | set(contract.lifecycle.sets)
        document = yaml.safe_load(spec.read_text("utf-8"))
        words |= {name for name in document["components"]["schemas"] if len(name) > 12}
    for path in modules():
        text = path.read_text("utf-8")
        found = {word for word in words if word in text}
        assert not found, f"{path}: {found}"


def test_the_transport_alone_opens_sockets() -> None:
    for path in modules():
        if room(path) in ("transport", "mock"):
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Import):
                names = {alias.name for alias in node.names}
                assert not names & {"requests", "urllib3", "http.client"}, path
