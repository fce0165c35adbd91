"""The ledger: written before anything is sent, read after a kill, torn down on request."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cancel_contracts.builtin import mock_target
from cancel_contracts.cli import main
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.errors import Broken, Refused, UsageError
from cancel_contracts.exchange import Failure, Received, Sent
from cancel_contracts.ledger import account
from cancel_contracts.ledger.ledger import Ledger
from cancel_contracts.provider_states.states import ProviderStates
from cancel_contracts.redact.secrets import Redactor
from cancel_contracts.report.ledger import text as ledger_text
from cancel_contracts.targets import safety
from cancel_contracts.targets.file import Endpoint
from cancel_contracts.transport.client import Answer, Transport
from test_pytest_door import TWO, Done, run, run_apart

pytestmark = pytest.mark.slow

Capture = pytest.CaptureFixture[str]
CONTRACT = "machine-action"
TOKEN = "s3cret-token-of-the-administrator"
MAIN = "import sys; from cancel_contracts.cli import main; sys.exit(main(sys.argv[1:]))"
ROOT = Path(__file__).resolve().parent.parent


class Service:
    """A provider-state handler and a cancel route of one thread a call. Knows nothing of the suite.

    `on_cancel` is called while a cancel call waits for its answer.
    """

    def __init__(self) -> None:
        self.resources: dict[str, str] = {}
        self.calls: list[str] = []
        self.on_cancel: Callable[[str], None] = lambda path: None
        self.lose: Callable[[str, bytes], bool] = lambda path, body: False
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, answer = service.answer(self.path, body)
                if service.lose(self.path, body):
                    return  # the client waits for an answer that never comes: the server closes
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_GET(self) -> None:
                state = service.resources.get(self.path.rsplit("/", 1)[1])
                data = json.dumps({"id": "x", "status": state}).encode()
                self.send_response(200 if state else 404)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        if path != "/states":
            id_ = path.split("/")[-2]
            self.calls.append(f"cancel {id_}")
            self.on_cancel(id_)
            if id_ not in self.resources:
                return 404, {}
            self.resources[id_] = "Cancelled"
            return 200, {"id": id_, "status": "Cancelled"}
        document = json.loads(body)
        params = document["params"]
        self.calls.append(document["action"])
        if document["action"] == "setup":
            id_ = str(uuid.uuid4())
            self.resources[id_] = params["state"]
            return 201, {"id": id_}
        return (200, {}) if self.resources.pop(params["id"], None) else (404, {})


@pytest.fixture
def service() -> Iterator[Service]:
    found = Service()
    thread = threading.Thread(target=found.server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


def target_file(tmp_path: Path, service: Service) -> Path:
    path = tmp_path / "target.yaml"
    target = {
        "base_url": service.url,
        "provider_states": f"{service.url}/states",
        "identities": {"admin": {"token": TOKEN}},
    }
    path.write_text(json.dumps(target), "utf-8")
    return path


def argv(target: Path, ledger: Path, *more: str) -> list[str]:
    return ["verify", "--target", str(target), "--contract", CONTRACT, "--only", "MA-07",
            "--ledger", str(ledger), *more]  # fmt: skip


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_whole_run_leaves_nothing_and_says_what_it_called(
    tmp_path: Path, capsys: Capture
) -> None:
    contract = load(next(p for p in shipped() if p.stem == CONTRACT))
    path, file = tmp_path / "l.jsonl", tmp_path / "target.yaml"
    with mock_target([contract]) as target:
        file.write_text(json.dumps(target.raw), "utf-8")
        assert main(argv(file, path)) == 0
    assert f"ledger: {path}" in capsys.readouterr().err
    events = [row["event"] for row in rows(path)]
    assert (events[0], events[-1]) == ("run", "end")
    assert events.count("set-up") == events.count("made") == events.count("torn-down") > 0
    assert events.count("cancel") == events.count("answered") > 0
    assert main(["ledger", str(path)]) == 0
    assert "Nothing is left to tear down" in capsys.readouterr().out
    assert "eyJ" not in path.read_text("utf-8")  # no JWT


def test_what_is_sent_stands_in_the_ledger_already(tmp_path: Path, service: Service) -> None:
    path = tmp_path / "l.jsonl"
    missing = []

    def look(id_: str) -> None:
        found = [r for r in rows(path) if r["event"] == "cancel" and id_ in r["resources"]]
        if not found:
            missing.append(id_)

    service.on_cancel = look
    main(argv(target_file(tmp_path, service), path))
    assert any(call.startswith("cancel") for call in service.calls)
    assert missing == []
    assert TOKEN not in path.read_text("utf-8")


def test_a_run_that_was_killed_is_torn_down_by_its_ledger(
    tmp_path: Path, service: Service, capsys: Capture
) -> None:
    path, file = tmp_path / "l.jsonl", target_file(tmp_path, service)
    reached, release = threading.Event(), threading.Event()

    def hold(id_: str) -> None:
        reached.set()
        release.wait(30)

    service.on_cancel = hold
    command = [sys.executable, "-c", MAIN, *argv(file, path)]
    with subprocess.Popen(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT / "contracts")},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        while not (in_time := reached.wait(0.1)) and process.poll() is None:
            pass
        process.send_signal(signal.SIGKILL)
        process.wait(30)
    assert in_time
    release.set()
    service.on_cancel = lambda id_: None
    left = set(service.resources)
    assert left
    assert "teardown" not in service.calls

    assert main(["ledger", str(path)]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "has not come to its end" in out
    assert f"Left to tear down: {len(left)}" in out
    assert all(id_ in out for id_ in left)
    assert "no answer known" in out

    assert main(["ledger", str(path), "--tear-down"]) == 2
    assert "--target" in capsys.readouterr().err
    assert main(["ledger", str(path), "--tear-down", "--target", str(file)]) == 0
    assert service.resources == {}
    sent = len(service.calls)
    assert main(["ledger", str(path), "--tear-down", "--target", str(file)]) == 0
    assert len(service.calls) == sent
    assert "Nothing is left to tear down" in capsys.readouterr().out


def killed_between(tmp_path: Path, service: Service) -> Path:
    """Return the ledger of a run that was killed after its only set-up."""
    path = tmp_path / "killed.jsonl"
    service.resources["r-1"] = "Pending"
    with Ledger(path) as ledger:
        ledger.begin()
        number = ledger.set_up(
            CONTRACT, "Pending", f"{service.url}/states", {"contract": CONTRACT, "state": "Pending"}
        )
        ledger.made(number, {"id": "r-1"})
        ledger.cancel(CONTRACT, service.url, "POST", "admin", "Pending", ["r-1"])
    return path


def test_half_a_line_at_the_end_is_passed_over_wherever_it_ends(
    tmp_path: Path, service: Service, capsys: Capture
) -> None:
    path = killed_between(tmp_path, service)
    whole = path.read_bytes()
    cut = tmp_path / "cut.jsonl"
    for end in range(1, len(whole) + 1):
        cut.write_bytes(whole[:end])
        found = account.read(cut)
        assert found.cut_short == (whole[end - 1 : end] != b"\n"), end
        # The second line is the set-up's.
        assert len(found.set_ups) == (whole[:end].count(b"\n") >= 2), end
    cut.write_bytes(whole[:-20])
    file = target_file(tmp_path, service)
    assert main(["ledger", str(cut), "--tear-down", "--target", str(file)]) == 0
    assert "cut short" not in capsys.readouterr().out  # the half line is gone from the file
    assert service.resources == {}
    assert main(["ledger", str(cut)]) == 0


def test_a_tear_down_that_fails_stays_on_the_ledger(
    tmp_path: Path, service: Service, capsys: Capture
) -> None:
    path, file = killed_between(tmp_path, service), target_file(tmp_path, service)
    broken, service.answer = service.answer, lambda path, body: (500, {})  # type: ignore[method-assign]
    assert main(["ledger", str(path), "--tear-down", "--target", str(file)]) == 1
    assert "tear-down of r-1 failed (500: {})" in capsys.readouterr().err
    service.answer = broken  # type: ignore[method-assign]
    service.resources.clear()  # somebody has cleaned up by hand: 404
    assert main(["ledger", str(path), "--tear-down", "--target", str(file)]) == 0


def test_what_a_lost_answer_left_is_told_and_never_called_torn_down(
    tmp_path: Path, service: Service, capsys: Capture
) -> None:
    path, file = tmp_path / "l.jsonl", target_file(tmp_path, service)
    report = tmp_path / "r.json"
    lost: list[bytes] = []

    def lose(path: str, body: bytes) -> bool:
        if path == "/states" and json.loads(body)["action"] == "setup" and not lost:
            lost.append(body)
            return True
        return False

    service.lose = lose
    main(argv(file, path, "--report-json", str(report)))
    (orphan,) = service.resources  # whatever had an id is torn down
    told = json.loads(report.read_text("utf-8"))
    for key in ("warnings", "faults_of_the_run"):
        (line,) = [text for text in told[key] if "maybe left" in text]
        assert line.startswith(f"{CONTRACT}: a Pending is maybe left"), line
    out = " ".join(capsys.readouterr().out.split())
    assert "maybe left" in out
    for command in (["ledger", str(path)],
                    ["ledger", str(path), "--tear-down", "--target", str(file)]):  # fmt: skip
        sent = len(service.calls)
        assert main(command) == 1
        out = " ".join(capsys.readouterr().out.split())
        assert "Maybe left: 1." in out
        assert f"{CONTRACT} (id unknown), set up in Pending, at {service.url}/states" in out
        assert "Nothing else is left to tear down" in out
        assert len(service.calls) == sent, "no tear-down goes out without an id"
    assert set(service.resources) == {orphan}


def answered(status: int, body: bytes = b"", error: str | None = None) -> Answer:
    received = Received(status, body=body, error=error)
    return Answer(sent=Sent("POST", "http://h/"), received=received)


def unanswered(failure: Failure, *, reused: bool = False) -> Answer:
    return Answer(sent=Sent("POST", "http://h/"), failure=failure, detail="so", reused=reused)


class Says(Transport):
    """Answers what it is given, in turn, and opens no connection."""

    def __init__(self, *answers: Answer) -> None:
        super().__init__()
        self.answers, self.bodies = list(answers), list[Any]()

    def send(
        self, request: Sent, *, keep_alive: bool = False, chunked: bool = False, closing: str = ""
    ) -> Answer:
        self.bodies.append(json.loads(request.body))
        return self.answers.pop(0)


MADE = answered(201, b'{"id": "r-1"}')
# What a handler answers to a set-up: how many resources the ledger knows of, and how many maybe.
SET_UPS: dict[str, tuple[list[Answer], int, int]] = {
    "it made one": ([MADE], 1, 0),
    "the connection closed": ([unanswered("closed")], 0, 1),
    "a timeout": ([unanswered("timeout")], 0, 1),
    "a reset": ([unanswered("reset")], 0, 1),
    "an answer past measure": ([unanswered("too-large")], 0, 1),
    "an answer that breaks off": ([replace(MADE, failure="closed")], 0, 1),
    "an answer that is no HTTP": ([answered(201, b'{"id": "r-1"}', error="bad chunk")], 0, 1),
    "a gateway's 504": ([answered(504)], 0, 1),
    "a 500": ([answered(500)], 0, 1),
    "no JSON": ([answered(200, b"made")], 0, 1),
    "no id": ([answered(200, b"{}")], 0, 1),
    "an empty id": ([answered(200, b'{"id": ""}')], 0, 1),
    "a kept connection found closed": ([unanswered("closed", reused=True), MADE], 1, 1),
    "the same, and lost again": ([unanswered("reset", reused=True), unanswered("reset")], 0, 2),
    "nobody is there": ([unanswered("refused")], 0, 0),
    "nobody to be found": ([unanswered("unreachable")], 0, 0),
    "nobody to be trusted": ([unanswered("tls")], 0, 0),
    "it knows no such state": ([answered(404)], 0, 0),
    "it does not do that": ([answered(501)], 0, 0),
    "it is elsewhere": ([answered(307)], 0, 0),
    "it is throttled": ([answered(429)], 0, 0),
    "a gateway's 504, told by Via": ([replace(unanswered("proxy"), by_proxy=504)], 0, 1),
    "a proxy's 502, signed": ([replace(unanswered("proxy"), by_proxy=502)], 0, 1),
    "a proxy wants a password": ([replace(unanswered("proxy"), by_proxy=407)], 0, 0),
    "a proxy forbids it": ([replace(unanswered("proxy"), by_proxy=403)], 0, 0),
    "it shows what it made": ([answered(303)], 0, 1),
    "the same, as of old": ([answered(302)], 0, 1),
    "an id without measure": ([answered(201, b'{"id": "%b"}' % (b"r" * 2049))], 0, 1),
}


@pytest.mark.parametrize("name", SET_UPS)
def test_the_ledger_says_of_a_set_up_what_is_so(name: str, tmp_path: Path) -> None:
    answers, known, maybe = SET_UPS[name]
    path = tmp_path / "l.jsonl"
    transport = Says(*answers, *[answered(200)] * known)
    with Ledger(path) as ledger:
        ledger.begin()
        site = Endpoint("c", "http://h", handler="http://h/states")
        states = ProviderStates(site, transport, ledger)
        with suppress(Refused, Broken):
            states.acquire("Pending", None, spends=True)
        found = account.read(path)
        assert (len(found.left), len(found.maybe_left)) == (known, maybe)
        failures = states.tear_down()
    assert [
        body["params"].get("id") for body in transport.bodies if body["action"] == "teardown"
    ] == (["r-1"] * known)
    assert len(failures) == len(states.orphans) == maybe
    assert all("maybe left" in text for text in failures)
    found = account.read(path)
    assert (len(found.left), len(found.maybe_left), found.torn_down) == (0, maybe, known)
    text = ledger_text(found)
    assert ("Maybe left" in text) is bool(maybe)
    assert ("Nothing is left" in text) is (not maybe)


@pytest.mark.parametrize(("size", "told"), [(10, {"id", "note"}), (70_000, {"id"})])
def test_of_values_without_measure_the_id_is_kept(
    size: int, told: set[str], tmp_path: Path
) -> None:
    made = answered(201, json.dumps({"id": "r-1", "note": "n" * size}).encode())
    path, transport = tmp_path / "l.jsonl", Says(made, answered(200))
    with Ledger(path) as ledger:
        ledger.begin()
        states = ProviderStates(Endpoint("c", "http://h", handler="http://h/s"), transport, ledger)
        assert states.acquire("Pending", None, spends=True) == "r-1"
        assert states.tear_down() == []
    assert set(transport.bodies[1]["params"]) == told | {"contract", "state"}
    assert path.stat().st_size < 10_000


def test_a_set_up_that_a_kill_cut_short_is_maybe_left(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "l.jsonl"
    with Ledger(path) as ledger:
        ledger.begin()
        ledger.set_up(CONTRACT, "Pending", "http://h/states", {"owner": "user"})
    assert main(["ledger", str(path)]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "Maybe left: 1." in out
    assert "(id unknown), set up in Pending, for user, at http://h/states" in out


def test_a_cancel_of_a_resource_that_nobody_made_is_for_good(
    tmp_path: Path, service: Service, capsys: Capture
) -> None:
    path, file = tmp_path / "l.jsonl", tmp_path / "target.yaml"
    ids = {"Pending": ["a-1", "a-2"], "Succeeded": ["a-3"]}
    service.resources |= {"a-1": "Pending", "a-2": "Pending"}
    target = {"base_url": service.url, "contracts": {CONTRACT: {"provider_states": ids}}}
    file.write_text(json.dumps(target), "utf-8")
    main(argv(file, path))
    capsys.readouterr()
    assert main(["ledger", str(path)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "Cancelled, or perhaps so, and not torn down: 1. A cancel cannot be undone." in out
    assert f"{CONTRACT} a-1 (was Pending; POST as admin: 200), at {service.url}" in out


def test_a_file_that_holds_something_is_not_written_over(
    tmp_path: Path, service: Service, capsys: Capture
) -> None:
    path = tmp_path / "l.jsonl"
    path.write_text("mine\n", "utf-8")
    assert main(argv(target_file(tmp_path, service), path)) == 2
    assert path.read_text("utf-8") == "mine\n"
    assert "holds something already" in capsys.readouterr().err
    assert service.calls == []


def test_a_report_is_no_ledger(tmp_path: Path, service: Service, capsys: Capture) -> None:
    path = tmp_path / "l.jsonl"
    both = argv(target_file(tmp_path, service), path, "--report-json", str(path))
    assert main(both) == 2
    assert "is the file of --ledger too" in capsys.readouterr().err


def test_two_runs_never_share_a_ledger(tmp_path: Path, service: Service, capsys: Capture) -> None:
    path = tmp_path / "l.jsonl"
    path.touch()
    with Ledger(path) as first:
        first.begin()
        assert main(argv(target_file(tmp_path, service), path)) == 2
        assert "in use by another run" in capsys.readouterr().err
        assert main(["ledger", str(path), "--tear-down"]) == 0  # nothing is left so far
    assert service.calls == []


def test_a_live_ledger_is_not_torn_down(tmp_path: Path, service: Service, capsys: Capture) -> None:
    path, file = killed_between(tmp_path, service), target_file(tmp_path, service)
    with Ledger(path) as alive:
        account.read(path).reopen(alive)
        assert main(["ledger", str(path), "--tear-down", "--target", str(file)]) == 2
    assert "in use by another run" in capsys.readouterr().err
    assert service.resources


def test_another_target_file_tears_nothing_down(
    tmp_path: Path, service: Service, capsys: Capture
) -> None:
    path, file = killed_between(tmp_path, service), tmp_path / "other.yaml"
    file.write_text(f"base_url: {service.url}\nprovider_states: {service.url}/other\n", "utf-8")
    assert main(["ledger", str(path), "--tear-down", "--target", str(file)]) == 2
    assert f"is not {service.url}/states" in capsys.readouterr().err
    assert service.calls == []


BAD: dict[str, bytes] = {
    "empty": b"",
    "something else": b"mine",
    "lines of something else": b"a\nb\n",
    "JSON of something else": b'{"event": "run"}\n',
    "no beginning": b'{"at": "x", "event": "end"}\n',
    "a run in the middle": b'{"at": "x", "event": "run", "ledger": 1}\n' * 2,
    "an answer to nothing": b'{"at": "x", "event": "run", "ledger": 1}\n{"at": "x", "event": "torn-down", "of": 7}\n',
    "a broken line in the middle": b'{"at": "x", "event": "run", "ledger": 1}\n{"at":\n{"at": "x", "event": "end"}\n',
    "another version": b'{"at": "x", "event": "run", "ledger": 2}\n',
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_ledger_is_one_line_and_exit_2(
    name: str, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "l.jsonl"
    path.write_bytes(BAD[name])
    assert main(["ledger", str(path)]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_a_ledger_that_cannot_be_begun_is_said_before_any_traffic(
    tmp_path: Path, service: Service, capsys: Capture
) -> None:
    assert main(argv(target_file(tmp_path, service), Path("/dev/full"))) == 2
    assert "No space left" in capsys.readouterr().err
    assert main(argv(target_file(tmp_path, service), Path("/nowhere/l.jsonl"))) == 2
    assert service.calls == []


def test_a_disk_that_fills_up_stops_the_calls_and_not_the_tear_down(
    tmp_path: Path, service: Service
) -> None:
    path, file = tmp_path / "l.jsonl", target_file(tmp_path, service)
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (900, 900)); "
    code = limit + MAIN
    done = subprocess.run(  # -B: a compiled module would be cut short too, and kept
        [sys.executable, "-B", "-c", code, *argv(file, path)], cwd=tmp_path, capture_output=True,
        text=True, env={**os.environ, "PYTHONPATH": str(ROOT / "contracts")}, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 4, done.stdout + done.stderr
    assert "the ledger cannot be written" in " ".join(done.stdout.split())
    announced = account.read(path)
    cancelled = {call.split()[1] for call in service.calls if call.startswith("cancel")}
    assert cancelled <= {id_ for call in announced.calls.values() for id_ in call.resources}
    assert service.resources == {}


def test_secrets_are_masked_word_by_word(tmp_path: Path) -> None:
    path, redactor = tmp_path / "l.jsonl", Redactor()
    redactor.learn("event")  # a silly token must not tear the line apart
    redactor.learn(TOKEN)
    with Ledger(path, redactor) as ledger:
        ledger.begin()
        number = ledger.set_up("c", "s", f"http://u:{TOKEN}@h/x", {"token": TOKEN})
        ledger.made(number, {"id": "i", "list": [TOKEN]})
    assert TOKEN not in path.read_text("utf-8")
    (row,) = account.read(path).left
    assert (row.where, row.id) == ("http://h/x", "i")


def test_a_target_that_is_not_local_always_has_a_ledger_of_its_own(
    tmp_path: Path, service: Service, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(safety, "why_not_local", lambda *args: "is far away")
    file = target_file(tmp_path, service)
    harmless = ["verify", "--target", str(file), "--contract", CONTRACT, "--only", "MA-07"]
    main(harmless)
    assert list(tmp_path.glob("*.jsonl")) == []  # nothing can be changed: nothing to write
    for count in (1, 2):
        main([*harmless, "--allow-destructive"])
        assert len(list(tmp_path.glob("cancel-contracts-ledger-*.jsonl"))) == count
    assert "ledger: cancel-contracts-ledger-" in capsys.readouterr().err
    for path in tmp_path.glob("*.jsonl"):
        assert any(row["event"] == "cancel" for row in rows(path))


def test_a_local_target_has_none_unless_asked_for(
    tmp_path: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    main(argv(target_file(tmp_path, service), Path("x"))[:-2])
    assert list(tmp_path.glob("*.jsonl")) == []


@pytest.mark.parametrize(
    ("run", "more"), [(run, ()), (run_apart, (*TWO[:-1], "1"))], ids=["alone", "worker"]
)
def test_the_pytest_door_writes_one_too(
    run: Callable[..., Done], more: tuple[str, ...], tmp_path: Path, service: Service
) -> None:
    path, file = tmp_path / "l.jsonl", target_file(tmp_path, service)
    item = (f"specs/{CONTRACT}.yaml::MA-07", "--contracts-target", str(file))
    done = run("-q", *more, *item, "--contracts-ledger", str(path))
    assert f"ledger: {path}" in done.stdout, done.stdout + done.stderr
    found = account.read(path)
    assert (found.left, found.ended) == ([], True)
    assert found.calls


def test_a_ledger_of_another_contract_asks_for_its_spec(tmp_path: Path) -> None:
    path, file = tmp_path / "l.jsonl", tmp_path / "t.yaml"
    with Ledger(path) as ledger:
        ledger.begin()
        number = ledger.set_up("print-job", "queued", "http://127.0.0.1:1/states", {})
        ledger.made(number, {"id": "j-1"})
    file.write_text("base_url: http://127.0.0.1:1\n", "utf-8")
    from cancel_contracts.targets.file import load as load_target
    from cancel_contracts.teardown import tear_down

    with pytest.raises(UsageError, match="--spec"):
        tear_down(account.read(path), [], load_target(file))


def test_two_runs_at_once_do_not_disturb_each_other(tmp_path: Path, service: Service) -> None:
    file = target_file(tmp_path, service)
    runs = []
    for name in ("one", "two"):
        command = [*argv(file, Path(f"{name}.jsonl")), "--only", "MA-34", "--only", "MA-39",
                   "--report-json", f"{name}.json", "--record", f"{name}.har"]  # fmt: skip
        runs.append(subprocess.Popen([sys.executable, "-c", MAIN, *command], cwd=tmp_path))
    assert [run.wait(60) for run in runs] == [runs[0].returncode] * 2
    assert service.resources == {}
    ledgers = [account.read(tmp_path / f"{name}.jsonl") for name in ("one", "two")]
    ids = [{row.id for row in ledger.set_ups.values()} for ledger in ledgers]
    assert ids[0]
    assert ids[0].isdisjoint(ids[1]), "each has resources of its own"
    assert all(ledger.ended and not ledger.left for ledger in ledgers)
    for ledger, own in zip(ledgers, ids, strict=True):
        touched = {id_ for call in ledger.calls.values() for id_ in call.resources}
        assert touched <= own, "and calls nothing of the other's"
    reports = [
        json.loads((tmp_path / f"{name}.json").read_text("utf-8")) for name in ("one", "two")
    ]
    told = [{c["id"]: c["verdict"] for c in r["contracts"][0]["clauses"]} for r in reports]
    assert told[0] == told[1]
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"target.yaml"} | {
        f"{name}.{end}" for name in ("one", "two") for end in ("jsonl", "json", "har")
    }, "nothing is left lying about"
