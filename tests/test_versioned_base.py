"""A base URL that ends in a version, which stands within the documented path."""

from __future__ import annotations

import json
import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cancel_contracts.builtin import mock_target
from cancel_contracts.cli import main
from cancel_contracts.targets.url import joined
from test_mock_support import MACHINE, contract_of


@pytest.mark.parametrize(
    ("base", "path", "url"),
    [
        ("https://h/api/v1.0", "/api/x/1", "https://h/api/v1.0/x/1"),
        ("https://h/mock/api/v2", "/api/x/1", "https://h/mock/api/v2/x/1"),
        ("https://h/api", "/api/x/1", "https://h/api/api/x/1"),
        ("https://h", "/api/x/1", "https://h/api/x/1"),
        ("https://h/v1.0", "/x/1", "https://h/v1.0/x/1"),
        ("https://h/api/v1.0", "/apix/1", "https://h/api/v1.0/apix/1"),
        ("https://h/other/v1.0", "/api/x", "https://h/other/v1.0/api/x"),
    ],
)
def test_a_version_stands_within_the_path(base: str, path: str, url: str) -> None:
    assert joined(base, path) == url


def test_a_target_is_verified_below_a_versioned_base(tmp_path: Path) -> None:
    """In front of the mock stands a door that knows the versioned route alone."""
    asked: list[str] = []
    with mock_target([contract_of(MACHINE)]) as target:
        port = int(str(target.base_url).rpartition(":")[2])

        class Door(BaseHTTPRequestHandler):
            def _pass(self) -> None:
                asked.append(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                behind = HTTPConnection("127.0.0.1", port)
                path = self.path.replace("/api/v1.0/", "/api/", 1)
                behind.request(self.command, path, body or None, dict(self.headers))
                answer = behind.getresponse()
                content = answer.read()
                self.send_response_only(answer.status, answer.reason)
                for name, value in answer.getheaders():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = _pass

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            raw = {**target.raw, "base_url": f"http://127.0.0.1:{server.server_port}/api/v1.0"}
            file, report = tmp_path / "target.yaml", tmp_path / "r.json"
            file.write_text(json.dumps(raw), "utf-8")
            only = [x for id_ in ("MA-01", "MA-07", "MA-34") for x in ("--only", id_)]
            argv = ["verify", "--contract", "machine-action", "--target", str(file), *only]
            code = main([*argv, "--report-json", str(report)])
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
    assert code == 0, report.read_text("utf-8")
    assert all(path.startswith("/api/v1.0/machineactions/") for path in asked)
