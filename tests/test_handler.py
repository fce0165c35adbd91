"""Provider-state handlers as they are: numeric ids, a byte order mark, and answers that tell why not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from cancel_contracts.cli import main
from cancel_contracts.exchange import Received
from cancel_contracts.ledger import account
from cancel_contracts.ledger.ledger import Ledger
from cancel_contracts.provider_states.handler import in_words, values_of
from servers.front import Request, Response, Written
from servers.provider import JSON, PROVIDER
from servers.service import Service
from servers.trial import conforming

Capture = pytest.CaptureFixture[str]
MARK = b"\xef\xbb\xbf"


class Numbered(Service):
    """Its ids are whole numbers, in JSON and in paths; it knows no others at a tear-down."""

    mark = b""
    made: ClassVar[list[Any]]

    def new_id(self) -> str:
        return str(10_000 + len(self.made))

    def provide(self, request: Request) -> Response:
        document = json.loads(request.body)
        if document["action"] == "teardown":
            id_ = document["params"]["id"]
            if not isinstance(id_, int) or str(id_) not in self.resources:
                return Response(404, b"{}", JSON)
            del self.resources[str(id_)]
            return Response(200, b"{}", JSON)
        answer = super().provide(request)
        values = {"id": int(json.loads(answer.body)["id"])}
        self.made.append(values)
        return Response(answer.status, self.mark + json.dumps(values).encode(), JSON)


def verify(service: Service, folder: Path, *more: str) -> int:
    with Written(service) as running:
        raw = {
            "base_url": running.url + service.page.prefix,
            "provider_states": running.url + PROVIDER,
            **service.tokens.target(),
        }
        file = folder / "target.yaml"
        file.write_text(json.dumps(raw), "utf-8")
        argv = ["verify", "--target", str(file), "--contract", "machine-action"]
        try:
            return main([*argv, "--only", "MA-07", "--only", "MA-39", *more])
        finally:
            service.stopped.set()


@pytest.mark.parametrize("mark", [b"", MARK])
def test_numbers_are_ids_and_come_back_as_numbers(mark: bytes, tmp_path: Path) -> None:
    service = conforming("MA", Numbered, mark=mark, made=[])
    path = tmp_path / "l.jsonl"
    assert verify(service, tmp_path, "--ledger", str(path)) == 0
    assert service.resources == {}
    assert account.read(path).torn_down > 0


def test_a_number_on_the_ledger_is_torn_down_as_one(tmp_path: Path) -> None:
    service, path = conforming("MA", Numbered, made=[]), tmp_path / "l.jsonl"
    service.resources["77"] = service.make("Pending", "admin")
    with Written(service) as running:
        handler, file = running.url + PROVIDER, tmp_path / "target.yaml"
        file.write_text(f"base_url: {running.url}\nprovider_states: {handler}\n", "utf-8")
        with Ledger(path) as ledger:
            ledger.begin()
            params = {"contract": "machine-action", "state": "Pending"}
            ledger.made(ledger.set_up("machine-action", "Pending", handler, params), {"id": 77})
        assert main(["ledger", str(path)]) == 1
        assert main(["ledger", str(path), "--tear-down", "--target", str(file)]) == 0
        service.stopped.set()
    assert "77" not in service.resources


BODIES: dict[bytes, bool] = {
    b'{"id": "a"}': True,
    MARK + b'{"id": "a"}': True,
    b'{"id": 0}': True,
    b'{"id": -1}': True,
    b'{"id": 18446744073709551615}': True,
    b'{"id": 1.0}': False,
    b'{"id": true}': False,
    b'{"id": null}': False,
    b'{"id": ' + b"9" * 5000 + b"}": False,
    b'{"id": ""}': False,
    b'{"id": ".."}': False,
    MARK + MARK + b'{"id": "a"}': False,
    b'["a"]': False,
    b"": False,
}


@pytest.mark.parametrize("body", BODIES)
def test_what_a_handler_has_made(body: bytes) -> None:
    assert (values_of(Received(201, body=body)) is not None) is BODIES[body]


WORDS: dict[str, tuple[Received, str]] = {
    "no body": (Received(404), "404"),
    "a body": (Received(404, body=b"no such state"), "404: no such state"),
    "several lines": (Received(500, body=b"a\r\n\tb\x1b[31m"), "500: a b\\x1b[31m"),
    "a long one": (Received(500, body=b"x" * 500), "500: " + "x" * 80),
    "no text": (Received(502, body=b"\x1f\x8b\x08\xff"), "502"),
    "a redirect": (
        Received(307, headers=(("location", "http://h/x"),)),
        "307, a redirect to http://h/x, which is not followed",
    ),
    "a redirect to nowhere": (Received(302), "302"),
    "a Location that is none": (Received(201, headers=(("Location", "/x"),)), "201"),
}


@pytest.mark.parametrize("name", WORDS)
def test_an_answer_in_words(name: str) -> None:
    received, text = WORDS[name]
    assert in_words(received) == text


SECRET = "s3cret-Key-of-this-Target"


def fails(action: str, response: Response) -> Callable[[Service, Request], Response]:
    def provide(self: Service, request: Request) -> Response:
        wrong = json.loads(request.body)["action"] == action
        return response if wrong else Service.provide(self, request)

    return provide


MESSAGES: dict[str, tuple[str, Response, str]] = {
    "a set-up refused": (
        "setup", Response(422, b"the database is locked"), "(422: the database is locked)"),
    "a set-up that crashes": (
        "setup", Response(500, f"token {SECRET} is bad".encode()), "answered 500: token "),
    "a set-up that tells nothing": (
        "setup", Response(200, b"<html>Sign in"), "with an id for a path (200: <html>Sign in)"),
    "a set-up elsewhere": (
        "setup", Response(308, b"", (("Location", "https://states.lab/x"),)),
        "(308, a redirect to https://states.lab/x, which is not followed)"),
    "a tear-down refused": (
        "teardown", Response(403, b"not yours"), "failed (403: not yours)"),
    "a tear-down elsewhere": (
        "teardown", Response(301, b"", (("Location", "/y"),)), "a redirect to /y"),
}  # fmt: skip


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_tells_what_the_handler_answered(
    name: str, tmp_path: Path, capsys: Capture
) -> None:
    action, response, says = MESSAGES[name]
    service = conforming("MA", provide=fails(action, response))
    service.tokens.target()
    report = tmp_path / "r.json"
    verify(service, tmp_path, "--report-json", str(report))
    told = json.loads(report.read_text("utf-8"))
    assert says in json.dumps(told, ensure_ascii=False), told["faults_of_the_run"]


@pytest.mark.parametrize("status", [301, 307, 308])
def test_a_redirect_of_the_target_is_told_with_its_location(
    status: int, tmp_path: Path, capsys: Capture
) -> None:
    class Moved(Service):
        def post(self, request: Request, id_: str) -> Response:
            return Response(status, b"", (("Location", "https://new.lab/here"),))

    report = tmp_path / "r.json"
    assert verify(conforming("MA", Moved), tmp_path, "--report-json", str(report)) == 1
    told = f"{status}, 0 bytes, a redirect to https://new.lab/here, which is not followed"
    assert told in report.read_text("utf-8")
    assert "https://new.lab/here" in "".join(capsys.readouterr().out.split())
