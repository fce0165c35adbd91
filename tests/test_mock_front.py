"""The mock for whoever writes a client: over TLS, at the vendor's spellings of the routes, with
tokens that are ready and a command that makes a resource.
"""

from __future__ import annotations

import json
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPSConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from cancel_contracts.builtin import mock_target
from cancel_contracts.cli import main
from cancel_contracts.contract import path_template
from cancel_contracts.contract.callers import ROLES
from cancel_contracts.mock.app import documented
from recordings import CONTRACTS

Capture = pytest.CaptureFixture[str]
MAIN = "from cancel_contracts.cli import console_main; console_main()"
STATES = {c.name: c.lifecycle.cancellable[0] for c in CONTRACTS}


def filled(template: str, id_: str) -> str:
    """Return the path of a resource."""
    return path_template.filled(template, {path_template.pieces(template)[1][0]: id_})


PATHS = {c.name: c.path for c in CONTRACTS}


@dataclass
class Front:
    """A running `mock --tls`: its target file, its authority, and the tokens that it printed."""

    url: str
    file: Path
    ca: Path
    tokens: dict[tuple[str, str], str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def post(self, path: str, token: str) -> int:
        trusted = ssl.create_default_context(cafile=str(self.ca))
        there = HTTPSConnection(urlsplit(self.url).netloc, context=trusted, timeout=10)
        head = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        try:
            there.request("POST", path, b"{}" if "machine" in path else b"", head)
            return there.getresponse().status
        finally:
            there.close()


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("front")
    ca, file = folder / "ca.pem", folder / "target.yaml"
    with subprocess.Popen(
        [sys.executable, "-c", MAIN, "mock", "--tls", str(ca)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            tokens: dict[tuple[str, str], str] = {}
            lines: list[str] = []
            while len(tokens) < len(CONTRACTS) * len(ROLES):
                lines.append(process.stdout.readline())
                assert lines[-1], lines
                head, _, value = lines[-1].removeprefix("# ").strip().partition(": ")
                contract, _, role = head.partition(", ")
                if contract in PATHS and role in ROLES:
                    tokens[contract, role] = value
            file.write_text("".join(lines), "utf-8")
            url = yaml.safe_load(file.read_text("utf-8"))["base_url"]
            yield Front(url, file, ca, tokens, lines)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(10)


def new(front: Front, capsys: Capture, *argv: str) -> str:
    assert main(["mock", "new", *argv, "--base-url", front.url, "--cacert", str(front.ca)]) == 0
    return capsys.readouterr().out.strip()


@pytest.mark.parametrize("name", PATHS)
def test_a_resource_and_a_token_are_a_line_away(name: str, front: Front, capsys: Capture) -> None:
    """Each printed token is what its role says: it cancels, or is refused as that role is."""
    usual = "app" if name == "security-action" else "admin"
    answers = {usual: (200, 204), "no-permission": (403,), "expired": (401,), "throttled": (429,)}
    for role, statuses in answers.items():
        id_ = new(front, capsys, name, STATES[name])
        status = front.post(filled(PATHS[name], id_), front.tokens[name, role])
        assert status in statuses, role
    assert front.post(filled(PATHS[name], "no-such-id"), front.tokens[name, usual]) == 404


def test_a_resource_belongs_to_whom_it_is_made_for(front: Front, capsys: Capture) -> None:
    name = "access-package-assignment-request"
    id_ = new(front, capsys, name, "accepted", "--owner", "user")
    assert front.post(filled(PATHS[name], id_), front.tokens[name, "other-user"]) == 403


def test_what_it_prints_is_a_target_file_still(front: Front, capsys: Capture) -> None:
    argv = ["verify", "--target", str(front.file), "--cacert", str(front.ca), "--only", "MA-34"]
    assert main(argv) == 0
    assert "conforms" in capsys.readouterr().out


def test_the_lines_that_it_prints_are_commands(front: Front, capsys: Capture) -> None:
    lines = [line.partition("cancel-contracts ")[2] for line in front.lines if "mock new" in line]
    assert len(lines) == len(CONTRACTS)
    for line in lines:
        assert main(line.split()) == 0
        assert len(capsys.readouterr().out.strip()) == 36


def test_who_is_not_trusted_is_told_so(front: Front, capsys: Capture) -> None:
    assert main(["mock", "new", "machine-action", "Pending", "--base-url", front.url]) == 2
    assert "tls" in capsys.readouterr().err


@pytest.mark.parametrize("flag", [["--tls", "."], ["--tls", "no-such-folder/ca.pem"]])
def test_the_authority_needs_a_file(flag: list[str], capsys: Capture) -> None:
    assert main(["mock", *flag]) == 2
    assert "--tls" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["bad host!", "", "a..b"])
def test_a_certificate_bears_a_name(host: str, tmp_path: Path, capsys: Capture) -> None:
    assert main(["mock", "--tls", str(tmp_path / "ca.pem"), "--host", host]) == 2
    assert f"--host {host!r}: is no name" in capsys.readouterr().err
    assert not (tmp_path / "ca.pem").exists()


# --- Routes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("/beta/security/x/1/go", "/security/x/1/go"),
        ("/v1.0/security/x/1/go", "/security/x/1/go"),
        ("/api/v1.0/x/1/go", "/api/x/1/go"),
        ("/x/1/microsoft.graph.go", "/x/1/go"),
        ("/beta/x/1/microsoft.graph.go()", "/x/1/go"),
        ("/x/1/go", "/x/1/go"),
        ("/betas/x/1/go", "/betas/x/1/go"),
        ("/a/b/beta/1/go", "/a/b/beta/1/go"),
        ("/x/a.b", "/x/b"),
        ("/beta", "/beta"),
        ("/x/%2Fbeta%2Fy/go", "/x/%2Fbeta%2Fy/go"),
    ],
)
def test_what_a_path_reads_as(path: str, read: str) -> None:
    assert documented(path.encode()) == read.encode()


SPELLINGS = [
    ("security-action", "/beta{}", 401),
    ("security-action", "/v1.0{}", 401),
    ("access-package-assignment-request", "/beta{}", 401),
    ("machine-action", "/v1.0{}", 401),
    ("machine-action", "{}", 401),
    ("machine-action", "/gamma{}", 404),
    ("machine-action", "/beta/v1.0{}", 404),
    ("machine-action", "{}/beta", 404),
]


@pytest.mark.parametrize(("name", "spelled", "status"), SPELLINGS)
def test_the_vendors_spellings_lead_to_a_route(name: str, spelled: str, status: int) -> None:
    """A call without a token is 401 on a route, and 404 elsewhere."""
    with mock_target(CONTRACTS) as target:
        there = HTTPConnection(urlsplit(str(target.base_url)).netloc, timeout=10)
        there.request("POST", spelled.format(filled(PATHS[name], "an-id")))
        assert there.getresponse().status == status
        there.close()


def test_a_version_stands_within_the_path_too() -> None:
    with mock_target(CONTRACTS) as target:
        there = HTTPConnection(urlsplit(str(target.base_url)).netloc, timeout=10)
        path = filled(PATHS["machine-action"], "an-id").replace("/api/", "/api/v1.0/")
        there.request("POST", path)
        assert there.getresponse().status == 401
        there.close()


# --- What is no mock ------------------------------------------------------------------------------


class Stranger(BaseHTTPRequestHandler):
    """A server that knows no provider states."""

    def do_POST(self) -> None:
        body = json.dumps({"error": {"code": "NotFound", "message": "no"}}).encode()
        self.send_response(404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_what_is_no_mock_is_told(capsys: Capture) -> None:
    with HTTPServer(("127.0.0.1", 0), Stranger) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        assert main(["mock", "new", "machine-action", "Pending", "--base-url", url]) == 2
        assert "is no mock of this project (404)" in capsys.readouterr().err
        server.shutdown()
        thread.join()
    assert main(["mock", "new", "machine-action", "Pending", "--base-url", url]) == 2
    assert "no mock answers there (refused" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["machine-action", "Paused"], "there are Pending, InProgress"),
        (["machine-actoin", "Pending"], "there are access-package-assignment-request, machine-action"),
    ],
)  # fmt: skip
def test_a_name_that_is_none_is_told_with_those_that_are(
    argv: list[str], told: str, capsys: Capture
) -> None:
    with mock_target(CONTRACTS) as target:
        assert main(["mock", "new", *argv, "--base-url", str(target.base_url)]) == 2
    assert told in capsys.readouterr().err
