"""A 503 with Retry-After is waited out and is no evidence; one without it is a server error."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cancel_contracts import gate
from cancel_contracts.assignment import Options
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.targets.file import Target
from cancel_contracts.verify import Result, verify

CONTRACT = next(c for c in map(load, shipped()) if not c.lifecycle.after)
STATES = CONTRACT.lifecycle.cancellable


class Sometimes(BaseHTTPRequestHandler):
    """Serves every POST on the route that names a known id; each `often`th call is put off."""

    protocol_version = "HTTP/1.1"
    often, waits, calls, via = 3, "0", 0, ""

    def log_message(self, *_: object) -> None: ...

    def answer(self, status: int, body: object = None, **fields: str) -> None:
        text = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        if self.via:
            self.send_header("Via", self.via)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        if text:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        cls = type(self)
        cls.calls += 1
        if cls.calls % cls.often == 0:
            fields = {"Retry_After": cls.waits} if cls.waits else {}
            self.answer(503, {"error": {"code": "Busy", "message": "later"}}, **fields)
        else:
            self.answer(404, {"error": {"code": "NotFound", "message": "no such action"}})


@contextmanager
def served(kind: type[Sometimes]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def words(kind: type[Sometimes]) -> tuple[Result, dict[str, str]]:
    unknown = next(c.id for c in CONTRACT.clauses if c.given == {"resource": "unknown"})
    never = next(c.id for c in CONTRACT.clauses if c.expect.get("status") == "not 5xx")
    options = Options(only=(unknown, never), max_wait=5)
    with served(kind) as url:
        result = verify([CONTRACT], Target("BASE_URL", {}, url), options)
    return result, {v.clause.id: v.word for j in result.judgements() for v in j.verdicts}


@pytest.mark.parametrize("via", ["", "1.1 edge-7"])
@pytest.mark.parametrize("often", [2, 3])
def test_a_503_that_says_when_is_waited_out(often: int, via: str) -> None:
    kind = type("Put", (Sometimes,), {"often": often, "calls": often - 1, "via": via})
    result, found = words(kind)
    assert "violated" not in found.values()
    assert any("503" in warning for warning in result.warnings)
    sent = [x.status for r in result.results for x in r.journal.exchanges if x.kind == "cancel"]
    assert 503 in sent
    assert 404 in sent


def test_a_503_that_does_not_say_when_is_a_server_error() -> None:
    kind = type("Broken", (Sometimes,), {"waits": "", "calls": 2})
    result, found = words(kind)
    assert "violated" in found.values()
    assert gate.decide(result.judgements()).exit_code == 1


def test_one_that_is_always_put_off_is_no_success() -> None:
    kind = type("Never", (Sometimes,), {"often": 1})
    result, found = words(kind)
    assert "violated" not in found.values()
    assert gate.decide(result.judgements()).exit_code == 4
