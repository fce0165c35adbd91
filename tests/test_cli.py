"""The command line: exit codes and messages, as a user meets them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from cancel_contracts.cli import main
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.report.clauses import explanation

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


def test_every_clause_can_be_explained(capsys: Capture) -> None:
    contracts = [load(path) for path in shipped()]
    for contract in contracts:
        for clause in contract.clauses:
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
