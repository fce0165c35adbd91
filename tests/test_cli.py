"""The command line: exit codes and messages, as a user meets them."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from cancel_contracts.cli import main
from cancel_contracts.cli.edge import cli
from cancel_contracts.contract.load import load, shipped, spec_schema
from cancel_contracts.parse import NO_JSON, pointed
from cancel_contracts.report.explain import explanation
from cancel_contracts.schemas import SCHEMAS, schema
from click.shell_completion import ShellComplete
from jsonschema import Draft202012Validator
from sampling import every

Capture = pytest.CaptureFixture[str]


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


def usage(argv: list[str], capsys: Capture) -> str:
    code = main(argv)
    captured = capsys.readouterr()
    assert code == 2, captured.out + captured.err
    lines = captured.err.strip().splitlines()
    assert len(lines) == 1, captured.err
    assert lines[0].startswith("cancel-contracts: ")
    assert "Traceback" not in captured.err
    return lines[0]


Handler = type[BaseHTTPRequestHandler]


def answering(status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> Handler:
    class Fixed(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = do_POST

        def log_message(self, *args: object) -> None:
            pass

    return Fixed


def serve(handler: Handler, use: Callable[[str], int]) -> int:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        return use(f"http://127.0.0.1:{server.server_address[1]}")
    finally:
        server.shutdown()
        server.server_close()


def test_a_target_that_is_down_is_inconclusive(capsys: Capture, tmp_path: Path) -> None:
    report = tmp_path / "r.json"
    argv = ["verify", f"http://127.0.0.1:{free_port()}", "--report-json", str(report)]
    assert main(argv) == 4
    assert json.loads(report.read_text("utf-8"))["outcome"] == "inconclusive"


@pytest.mark.parametrize("status", [401, 403])
def test_a_target_that_refuses_everybody_is_inconclusive(status: int, capsys: Capture) -> None:
    code = serve(answering(status), lambda url: main(["verify", url]))
    assert code == 4, capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("headers", [{"Retry-After": "3600"}, {"Retry-After": "0"}, {}])
def test_a_target_that_answers_only_429_is_inconclusive(
    headers: dict[str, str], capsys: Capture
) -> None:
    code = serve(answering(429, headers), lambda url: main(["verify", url]))
    assert code == 4, capsys.readouterr().out


def test_a_stub_that_answers_everything_200_is_caught(capsys: Capture) -> None:
    assert serve(answering(200), lambda url: main(["verify", url])) == 1
    assert "SA-20" in capsys.readouterr().out


def test_nothing_selected_is_5(capsys: Capture) -> None:
    assert main(["verify", "--profile", "smoke", "--only", "MA-07"]) == 5


def test_a_bare_url_names_the_lines_that_would_excuse_its_gaps(
    capsys: Capture, tmp_path: Path
) -> None:
    from cancel_contracts.builtin import mock_target
    from cancel_contracts.contract.load import load

    contracts = [load(p) for p in shipped()]
    with mock_target(contracts) as target:
        raw = {k: v for k, v in target.raw.items() if k != "provider_states"}
        file = tmp_path / "target.yaml"
        file.write_text(json.dumps(raw), "utf-8")
        assert main(["verify", "--target", str(file)]) == 4
        out = capsys.readouterr().out
        assert "not_testable:" in out
        file.write_text(json.dumps({**raw, "not_testable": {"states": "no handler"}}), "utf-8")
        assert main(["verify", "--target", str(file)]) == 0


def test_plan_sends_nothing(capsys: Capture) -> None:
    assert main(["verify", f"http://127.0.0.1:{free_port()}", "--plan"]) == 0
    assert "nothing was sent" in capsys.readouterr().out


def test_init_gives_a_target_file_that_loads(tmp_path: Path, capsys: Capture) -> None:
    from cancel_contracts.targets.file import load

    path = tmp_path / "target.yaml"
    assert main(["init", "--output", str(path)]) == 0
    assert load(path).base_url == "http://127.0.0.1:8080"
    usage(["init", "--output", str(path)], capsys)


def test_a_whole_run_looks_a_last_time_after_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of a few clauses does without."""
    from cancel_contracts import assignment
    from cancel_contracts.cli import run

    seen: list[float] = []

    def told(contracts: object, target: object, options: assignment.Options, *rest: object) -> int:
        seen.append(options.sweep_seconds)
        return 0

    monkeypatch.setattr(run, "_run", told)
    monkeypatch.setattr(assignment, "SWEEP_SECONDS", 7.5)
    assert [main(["verify", *only]) for only in ([], ["--only", "SA-20"])] == [0, 0]
    assert seen == [7.5, 0.0]


WRITTEN_BY_PEOPLE = ("spec", "target", "baseline")


def keys_without_a_description(node: object, place: str = "") -> Iterator[str]:
    if isinstance(node, list):
        for number, value in enumerate(node):
            yield from keys_without_a_description(value, f"{place}/{number}")
    elif isinstance(node, dict):
        for name, value in node.get("properties", {}).items():
            if not (isinstance(value, dict) and value.get("description")):
                yield f"{place}/{name}"
        for name, value in node.items():
            yield from keys_without_a_description(value, f"{place}/{name}")


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_schema_is_printed_for_an_editor(kind: str, capsys: Capture) -> None:
    assert main(["schema", kind]) == 0
    printed = json.loads(capsys.readouterr().out)
    Draft202012Validator.check_schema(printed)
    assert printed == (spec_schema() if kind == "spec" else schema(kind))
    for ref in re.findall(r'"\$ref": "#([^"]*)"', json.dumps(printed)):
        assert pointed(printed, ref) is not NO_JSON, f"{ref} names nothing"
    assert printed["$id"] == f"https://cancel-contracts.invalid/{SCHEMAS[kind][1]}"
    if kind in WRITTEN_BY_PEOPLE:
        assert printed["description"]
        assert not list(keys_without_a_description(printed))


def test_a_key_without_a_description_is_found() -> None:
    inner = {"properties": {"b": {"type": "string"}, "c": {"description": "It."}}}
    nested = {"properties": {"a": {"description": "It.", "oneOf": [inner]}}}
    assert list(keys_without_a_description(nested)) == ["/properties/a/oneOf/0/b"]


def test_the_kinds_of_schema_are_completed(capsys: Capture) -> None:
    completion = ShellComplete(cli, {}, "cancel-contracts", "_CANCEL_CONTRACTS_COMPLETE")
    assert [c.value for c in completion.get_completions(["schema"], "")] == list(SCHEMAS)
    assert [c.value for c in completion.get_completions(["schema"], "ta")] == ["target"]
    said = usage(["schema", "targets"], capsys)
    assert "'targets' is not one of" in said


def test_init_names_the_schema_that_an_editor_reads(tmp_path: Path, capsys: Capture) -> None:
    assert main(["init"]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first == "# yaml-language-server: $schema=target.schema.json"


@pytest.mark.slow
def test_every_clause_can_be_explained(capsys: Capture) -> None:
    contracts = [load(path) for path in shipped()]
    for contract in contracts:
        for clause in every(contract.clauses, 4):
            told = explanation(contracts, clause.id)
            assert clause.says.split(" (")[0][:40] in told.replace("\n", " ")
    assert main(["explain", clause.id]) == 0
    assert capsys.readouterr().out == told + "\n"


def test_a_vendor_host_gets_only_what_is_harmless(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cancel_contracts.targets.safety as safety

    monkeypatch.setattr(safety, "addresses", lambda url: [])
    assert main(["verify", "https://graph.example/beta", "--plan"]) == 0
    assert "touches nothing that exists" in " ".join(capsys.readouterr().out.split())


def test_a_run_loads_only_what_it_uses() -> None:
    """Neither the template engine nor what signs tokens nor what counts calls."""
    code = (
        "import sys; from cancel_contracts.cli import main;"
        "main(['verify', 'http://127.0.0.1:9', '--only', 'MA-34', '--contract', 'machine-action']);"
        "sys.exit(', '.join(m for m in ('jinja2', 'joserfc', 'pyrate_limiter', 'hypothesis',"
        " 'schemathesis', 'uvicorn') if m in sys.modules) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_help_loads_click_and_clauses_no_more_than_reads_the_specs() -> None:
    slow = ("hypothesis", "schemathesis", "uvicorn", "starlette", "requests", "h11")
    code = (
        "import sys; from cancel_contracts.cli import main; main(['--help']);"
        "early = [m for m in ('yaml', 'jsonschema', 'rich', 'jinja2') if m in sys.modules];"
        f"main(['clauses']); late = [m for m in {slow} if m in sys.modules];"
        "sys.exit(', '.join(early + late) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_who_only_reads_opens_no_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    har, report, packed = (str(tmp_path / name) for name in ("run.har", "run.json", "run.zip"))
    files = ["--record", har, "--report-json", report, "--bundle", packed]
    assert main(["verify", "--only", "SA-20", *files]) == 0
    page = str(tmp_path / "page.md")
    Path(page).write_text("# A page\n\n[!INCLUDE [x](https://a.example/x.md)]\n", "utf-8")
    opened: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: opened.append(args))
    monkeypatch.setattr(socket.socket, "connect", lambda *args: opened.append(args))
    monkeypatch.setattr(socket.socket, "connect_ex", lambda *args: opened.append(args))
    for argv, code in (
        (["judge", har], 0),
        (["recheck", packed], 0),
        (["compare", report, report], 0),
        (["board", report, "-o", str(tmp_path / "board")], 0),
        (["clauses"], 0),
        (["explain", "MA-34"], 0),
        (["pages", page, "--page", "cancel-machine-action"], 1),
        (["baseline", report], 0),
        (["init"], 0),
    ):
        assert main(argv) == code, (argv, capsys.readouterr())
    assert opened == []
