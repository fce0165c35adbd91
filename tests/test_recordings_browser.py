"""What Chromium records of a page that cancels, judged: Playwright's recordHar in each of its modes, and
its trace.

The page is at one origin and the mock behind another, so that the browser asks by itself first."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browsers import CHROMIUM, started
from cancel_contracts.mock import MockServer
from recordings import Verdicts, judge
from sampling import EVERY
from test_mock_support import KEY, MACHINE, World, contract_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Allow-Methods": "*",
    "Access-Control-Expose-Headers": "*",
}
CALL = """async ([method, url, token, body, hold]) => {
  window.leave = new AbortController();
  const headers = {Authorization: token};
  if (body !== null) headers['Content-Type'] = 'application/json';
  if (hold) headers['X-Hold'] = '1';
  const options = {method, headers, body, signal: leave.signal, cache: 'no-store'};
  window.call = fetch(url, options).then(async a => { await a.text(); return a.status; }, () => 0);
  return hold ? 0 : await call;
}"""
LEAVE = "async () => { leave.abort(); return await call; }"


class Gate(BaseHTTPRequestHandler):
    """A page for a portal and, on the other paths, the mock with what CORS asks for."""

    protocol_version = "HTTP/1.1"
    upstream = 0
    held: threading.Event  # a call is done upstream and kept from the browser
    released: threading.Event

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in (headers | CORS | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_OPTIONS(self) -> None:
        self._answer(204, {}, b"")

    def do_GET(self) -> None:
        if self.path == "/":
            self._answer(200, {"Content-Type": "text/html"}, b"<p>portal</p>")
        elif self.path == "/favicon.ico":
            self._answer(404, {}, b"")
        else:
            self._forward()

    def do_POST(self) -> None:
        self._forward()

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kept = ("Authorization", "Content-Type")
        headers = {name: self.headers[name] for name in kept if name in self.headers}
        upstream = http.client.HTTPConnection("127.0.0.1", self.upstream)
        upstream.request(self.command, self.path, body or None, headers)
        answer = upstream.getresponse()
        content = answer.read()
        upstream.close()
        if self.headers.get("X-Hold"):
            self.held.set()
            self.released.wait(60)
        told = {
            n: v for n, v in answer.getheaders() if n.lower() in ("content-type", "retry-after")
        }
        try:
            self._answer(answer.status, told, content)
        except OSError:
            pass  # the browser has left

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def gate(upstream: int) -> Iterator[tuple[str, type[Gate]]]:
    class handler(Gate):
        held, released = threading.Event(), threading.Event()

    handler.upstream = upstream
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", handler
    finally:
        handler.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module", params=[CHROMIUM])
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    with started(request.param) as found:
        yield found


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with MockServer([contract_of(MACHINE)], key=KEY, quotas=False) as mock:
        yield World(MACHINE, mock)


# scenario -> the calls that the page makes: a look, or a cancel with this body, broken off or not
GOOD, BAD = '{"Comment": "stop it"}', "{not json}"
SCENARIOS: dict[str, list[tuple[str | None, bool]]] = {
    "success": [(None, False), (GOOD, False), (None, False)],
    "refused first": [(None, False), (BAD, False), (GOOD, False), (None, False)],
    "broken off": [(None, False), (GOOD, True), (None, False), (GOOD, False), (None, False)],
}
TRACE = "trace.zip"
# How it is recorded: the file and the options of a HAR, whether bodies are in it, and a trace beside.
MODES: dict[str, tuple[str, dict[str, str], bool, bool]] = {
    "full": ("t.har", {"record_har_mode": "full", "record_har_content": "embed"}, True, True),
    "attached": ("t.zip", {"record_har_mode": "full", "record_har_content": "attach"}, True, False),
    "omitted": ("t.har", {"record_har_mode": "full", "record_har_content": "omit"}, False, False),
    "minimal": (
        "t.har",
        {"record_har_mode": "minimal", "record_har_content": "omit"},
        False,
        False,
    ),
}


# Each takes a second of the processor: all are met in the fullest mode, and one in each other.
MET = [
    *((name, "full") for name in SCENARIOS),
    *zip(SCENARIOS, ("attached", "omitted", "minimal"), strict=True),
]


@pytest.mark.parametrize(
    ("name", "mode"), list(product(SCENARIOS, MODES)) if EVERY else MET, ids=lambda word: word
)
def test_what_a_browser_records_of_a_conforming_server(
    name: str, mode: str, browser: Browser, world: World, tmp_path: Path
) -> None:
    file, options, bodies, traced = MODES[mode]
    id_, statuses = world.new(), []
    with gate(0) as (portal, _), gate(world.port) as (api, kept):
        context = browser.new_context(record_har_path=tmp_path / file, **options)  # type: ignore[arg-type]
        if traced:
            context.tracing.start(snapshots=True)
        page = context.new_page()
        page.goto(portal)
        for body, abort in SCENARIOS[name]:
            url = f"{api}/api/machineactions/{id_}"
            method = "GET" if body is None else "POST"
            url += "" if body is None else "/cancel"
            status = page.evaluate(CALL, [method, url, world.identity("admin"), body, abort])
            if abort:
                assert kept.held.wait(60)
                status = page.evaluate(LEAVE)
            statuses.append(status)
        if traced:
            context.tracing.stop(path=tmp_path / TRACE)
        context.close()
    assert statuses[0] == statuses[-1] == 200
    assert (0 in statuses) is (name == "broken off")
    for recorded in (file, TRACE) if traced else (file,):
        upholds(judge(tmp_path, tmp_path / recorded), bodies, name == "broken off")


def upholds(found: Verdicts, bodies: bool, broken_off: bool) -> None:
    assert found.violated == []
    assert found.exit_code == 4
    assert "MA-48" in found.upheld
    assert "on other hosts" in found.told  # the portal
    if broken_off:  # it was cancelled all the same, and the next call is refused for it
        assert "1 without an answer (broken off)" in found.told
        return
    assert ("MA-30" in found.upheld) is bodies
    if bodies:
        assert {"MA-01", "MA-33", "MA-64"} <= set(found.upheld)
    else:
        assert found.reasons["MA-30"].startswith("not recorded")


def test_what_a_browser_records_of_a_server_that_breaks_the_contract(
    browser: Browser, tmp_path: Path
) -> None:
    contract = contract_of(MACHINE)
    with MockServer([contract], key=KEY, quotas=False, faults=["success-as-202"]) as mock:
        world = World(MACHINE, mock)
        id_ = world.new()
        with gate(world.port) as (api, _):
            context = browser.new_context(
                record_har_path=tmp_path / "t.har", record_har_mode="minimal"
            )
            page = context.new_page()
            page.goto(api)
            url = f"{api}/api/machineactions/{id_}/cancel"
            page.evaluate(CALL, ["POST", url, world.identity("admin"), GOOD, False])
            context.close()
    found = judge(tmp_path, tmp_path / "t.har")
    assert "MA-29" in found.violated
