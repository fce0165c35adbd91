"""No token in any output, whatever the target sends back of it."""

from __future__ import annotations

import base64
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote

import pytest

from contracts.cli import main

TOKENS = {
    "admin": "s3cret/admin+token==",
    "user": "s3cret.user.token-0123456789abcdef",
    "app": "s3cret-app-token",
}


class Echo(BaseHTTPRequestHandler):
    """Sends the Authorization header back in every form it can think of."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        token = (self.headers.get("Authorization") or "").partition(" ")[2]
        forms = [token, quote(token, safe=""), base64.b64encode(token.encode()).decode(),
                 quote(token, safe="").replace("%2F", "%2f").replace("%2B", "%2b"),
                 token.replace("/", "\\/"), token.replace("+", "\\u002B"),
                 base64.b64encode(b"x" + token.encode()).decode(),
                 base64.urlsafe_b64encode(b"xy" + token.encode()).decode()]  # fmt: skip
        body = json.dumps({"error": {"code": "x", "message": " ".join(forms)}}).encode()
        self.send_response(404)
        self.send_header("X-Echo", token)
        self.send_header("Location", f"http://127.0.0.1:1/?token={quote(token)}")
        self.send_header("WWW-Authenticate", f'Bearer error="{token}"')
        self.send_header("X-Echo-Quoted", quote(token, safe=""))
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = do_POST

    def log_message(self, *args: object) -> None:
        pass


def forms(token: str) -> list[bytes]:
    encoded = base64.b64encode(token.encode()).decode().rstrip("=")
    quoted = quote(token, safe="")
    found = [token, quoted, encoded[:-1], token.replace("/", "\\/"), token.replace("+", "\\u002B")]
    return [form.encode() for form in (*found, quoted.replace("%2F", "%2f").replace("%2B", "%2b"))]


def test_no_token_stands_in_any_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    Thread(target=server.serve_forever, daemon=True).start()
    target = {
        "base_url": f"http://127.0.0.1:{server.server_address[1]}",
        "identities": {name: {"token": token} for name, token in TOKENS.items()},
        "contracts": {
            "security-action": {"provider_states": {"NotStarted": ["a-1", "a-2", "a-3"]}}
        },
    }
    file = tmp_path / "target.yaml"
    file.write_text(json.dumps(target), "utf-8")
    out = tmp_path / "out"
    out.mkdir()
    try:
        code = main(
            ["verify", "--target", str(file), "--contract", "security-action",
             "--report-json", str(out / "r.json"), "--report-junit", str(out / "r.xml"),
             "--report-html", str(out / "r.html"), "--report-markdown", str(out / "r.md"),
             "--record", str(out / "r.har"), "--ledger", str(out / "l.jsonl"), "--debug", "--jobs", "2"]
        )  # fmt: skip
    finally:
        server.shutdown()
        server.server_close()
    assert code == 1
    captured = capsys.readouterr()
    (out / "terminal").write_text(captured.out + captured.err, "utf-8")
    for path in out.iterdir():
        data = path.read_bytes()
        # Evidence holds octets as base64: look into every such run too.
        for token in TOKENS.values():
            for form in forms(token):
                assert form not in data, (path.name, form)
    report = json.loads((out / "r.json").read_text("utf-8"))
    for contract in report["contracts"]:
        for clause in contract["clauses"]:
            for evidence in clause["evidence"]:
                wire = base64.b64decode((evidence["response"] or {}).get("wire") or "")
                assert not any(form in wire for token in TOKENS.values() for form in forms(token))
    for entry in json.loads((out / "r.har").read_text("utf-8"))["log"]["entries"]:
        received = entry["_contracts"]["received"] or {}
        wire = base64.b64decode(received.get("wire", "")) + base64.b64decode(
            received.get("body", "")
        )
        assert not any(form in wire for token in TOKENS.values() for form in forms(token))


def test_a_traceback_of_the_suite_is_redacted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError(f"met {TOKENS['admin']} on the way")

    monkeypatch.setattr("contracts.explore.calls.cancel_request", fails)
    file = tmp_path / "target.yaml"
    target = {"base_url": "http://127.0.0.1:1", "identities": {"admin": {"token": TOKENS["admin"]}}}
    file.write_text(json.dumps(target), "utf-8")
    argv = ["verify", "--target", str(file), "--only", "SA-20"]
    assert main(argv) == 3
    plain = capsys.readouterr()
    assert "Traceback" not in plain.err
    assert plain.err.splitlines()[-1].startswith("cancel-contracts: the suite itself failed")
    assert main([*argv, "--debug"]) == 3
    told = capsys.readouterr()
    assert "Traceback" in told.err
    assert "RuntimeError: met [redacted] on the way" in told.err
    for form in forms(TOKENS["admin"]):
        assert form not in (plain.out + plain.err + told.out + told.err).encode()


def test_debug_tells_each_exchange(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--only", "SA-20", "--debug"]) == 0
    lines = [x for x in capsys.readouterr().err.splitlines() if x.startswith("debug: ")]
    assert len(lines) == 2, lines
    assert "POST http://127.0.0.1:" in lines[0]
    assert " as admin: 404, " in lines[0]
