"""A target that a call ends: that call went unanswered, which is a deviation and not bad luck."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from cancel_contracts.assignment import Options
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.targets.file import of_url
from cancel_contracts.verify import verify

MACHINE_ACTION = next(c for c in map(load, shipped()) if c.name == "machine-action")
BROKEN_PERCENT = "%zz%"


class Server(HTTPServer):
    """Answers 404 until the fatal path comes. `answers` says whether that one is answered too."""

    gone, answers = False, False


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Server)
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.close_connection = True
        if BROKEN_PERCENT in self.path:
            self.server.gone = True
            self.server.server_close()
        if self.server.answers or not self.server.gone:
            self.send_error(404)

    do_GET = do_POST

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def dying(*, answers: bool) -> Iterator[str]:
    server = Server(("127.0.0.1", 0), Handler)
    server.answers, server.timeout = answers, 0.2

    def serve() -> None:
        while not server.gone:
            server.handle_request()

    thread = Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.gone = True
        thread.join()
        server.server_close()


@pytest.mark.parametrize("answers", [False, True])
def test_the_call_that_a_target_did_not_outlive_is_told(answers: bool) -> None:
    with dying(answers=answers) as url:
        result = verify([MACHINE_ACTION], of_url(url), Options(profile="smoke", jobs=1))
    (judgement,) = result.judgements()
    verdict = next(v for v in judgement.verdicts if v.clause.id == "MA-60")

    if answers:  # it went after an answer: whoever stopped it, no call of ours was left unanswered
        assert verdict.word == "upheld"
        return
    assert verdict.word == "violated"
    (evidence,) = verdict.violations
    assert evidence.exchange.sent.url.endswith(f"/{BROKEN_PERCENT}/cancel")
    assert evidence.actual == "no answer (closed); from then on nobody was there"
