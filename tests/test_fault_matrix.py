"""What the transport can do to a run, kind by place: never green by it, never hung, never lost.

A kind is what comes in place of an honest answer (`servers.hostile`); a place is the call that it
hits. Refused connections, names that do not resolve and a target that dies follow below, TLS stands
in test_cacert.py, each kind in itself in test_transport_failures.py. So that it stays quick, not every
kind is met at every place; MATRIX=all has them all.
"""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cancel_contracts.cli import main
from cancel_contracts.contract import load
from jsonschema import Draft202012Validator
from rawserver import Peer, RawServer
from sampling import EVERY
from servers.front import Request, Response
from servers.hostile import (
    KINDS,
    OK,
    Hostile,
    Misdeed,
    endless,
    explodes,
    honest_with,
    made,
    says,
    with_length,
)
from servers.service import Service
from servers.trial import conforming, target_of
from test_provision import described, tenant

pytestmark = pytest.mark.slow

Capture = pytest.CaptureFixture[str]
GUARD_SECONDS = 60  # many times what the timeouts below add up to
CONTRACT = "machine-action"
ONLY = ("MA-07", "MA-34", "MA-49", "MA-60")  # effect, 404, one sound message, answered in time
ARGV = ["--contract", CONTRACT, "--timeout", "0.5", *(x for id_ in ONLY for x in ("--only", id_))]
SCHEMA = Path(load.__file__).parents[1] / "report" / "report.schema.json"
ALWAYS = frozenset(range(1000))

# Whatever becomes of the connection once the answer is whole, and whatever headers stand beside.
SOUND = {"reset after the body", "hang after the body", "10,000 headers"}
# Place -> which of its calls, and the exit code. A call on the route that goes unanswered is a
# violation; the others keep us from knowing; a tear-down is reported beside the verdicts.
PLACES: dict[str, tuple[str, frozenset[int], int]] = {
    "the first call": ("cancel", frozenset({0}), 1),
    "a call in the middle": ("cancel", frozenset({1}), 1),
    "every call": ("cancel", ALWAYS, 1),
    "the looks after a call": ("look", frozenset({2, 9}), 4),  # at once, and at the end
    "every look": ("look", ALWAYS, 4),
    "a set-up": ("setup", frozenset({1}), 4),
    "a create call": ("create", ALWAYS, 4),
    "a tear-down": ("teardown", frozenset({0}), 0),
}
# A refusal is an answer, if a wrong one.
OTHERWISE = {
    # The call asked for the end of the connection (RFC 9112 section 9.6).
    ("the first call", "hang after the body"): 1,
    ("every call", "hang after the body"): 1,
    ("the first call", "huge challenge"): 0,  # made again as app, which is served: a warning
    ("every call", "huge challenge"): 4,  # credentials that are refused
    ("every look", "huge challenge"): 4,  # a GET that is refused to us shows no effect
    ("a set-up", "huge challenge"): 0,  # a neighbour is worth having, not worth all the rest
}
ROWS = [
    (place, kind)
    for place, (what, at, _) in PLACES.items()
    for number, kind in enumerate(KINDS)
    # All kinds where they differ; elsewhere some, for they are read by the same code.
    if EVERY
    or place == "the first call"
    or (place in ("the looks after a call", "a set-up") and number % 2 == len(place) % 2)
    or number % 6 == len(place) % 6
    or (place, kind) in OTHERWISE
]


@cache
def schema() -> Draft202012Validator:
    return Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))


def verify(folder: Path, raw: dict[str, Any], capsys: Capture) -> tuple[int, dict[str, Any], str]:
    """Run the command, and return its exit code, the report and what it said."""
    (folder / "target.yaml").write_text(json.dumps(raw), "utf-8")
    report = folder / "report.json"
    began = time.monotonic()
    code = main(
        ["verify", "--target", str(folder / "target.yaml"), *ARGV, "--report-json", str(report)]
    )
    assert time.monotonic() - began < GUARD_SECONDS
    told = capsys.readouterr()
    assert "Traceback" not in told.out + told.err
    written = json.loads(report.read_text("utf-8"))
    schema().validate(written)
    assert written["exit_code"] == code
    return code, written, told.out + told.err


def described_by(service: Service, url: str) -> dict[str, Any]:
    target = target_of(service, url)
    return {**target.raw, "base_url": target.base_url}


@pytest.mark.parametrize(("place", "kind"), ROWS)
def test_each_kind_at_each_place(place: str, kind: str, tmp_path: Path, capsys: Capture) -> None:
    what, at, expected = PLACES[place]
    expected = OTHERWISE.get((place, kind), 0 if kind in SOUND else expected)
    service = tenant("MA", starts_in=None) if what == "create" else conforming("MA")
    front = Hostile(service, verb="cancel", place=what, at=at, misdeed=KINDS[kind])
    with front:
        describe = described if what == "create" else described_by
        code, report, said = verify(tmp_path, describe(service, front.url), capsys)
        service.stopped.set()
    assert front.done, "the misdeed was met"
    if what == "create" and kind in SOUND:
        expected = 4  # for InProgress, which no documented call gives
    assert code == expected, said
    violated = {c["id"] for c in report["contracts"][0]["clauses"] if c["verdict"] == "violated"}
    if expected == 1 and kind != "huge challenge":
        assert violated & {"MA-49", "MA-60"}, said
    if expected != 1:
        assert not violated, said
    if what == "teardown" and kind not in SOUND:
        assert report["faults_of_the_run"], "what was not torn down is told"
    elif what in ("create", "setup") and kind not in (*SOUND, "huge challenge"):
        faults = report["faults_of_the_run"]
        assert faults, "what may have been made is told"
        assert all("is maybe left" in fault for fault in faults)
    elif not expected or what == "create":
        assert report["faults_of_the_run"] == []


class Forwarded(Service):
    """The service behind a forwarding proxy, which is asked for whole URLs (RFC 9112 3.2.2)."""

    def answer(self, request: Request) -> Response:
        path = request.target.partition("://")[2].partition("/")[2]
        return super().answer(replace(request, target=f"/{path}"))


def behind_a_proxy(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, url)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def harmless(service: Service, url: str) -> dict[str, Any]:
    """Return the target file of one that is called with ids of nothing alone."""
    return {k: v for k, v in described_by(service, url).items() if k != "provider_states"}


SOME = [kind for number, kind in enumerate(KINDS) if EVERY or number % 5 == 1]


@pytest.mark.parametrize("kind", [*SOME, *(sorted(SOUND - {*SOME}))])
def test_each_kind_from_a_proxy_that_forwards(
    kind: str, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a proxy does cannot be told from what the target does, and is bounded as that is."""
    service = conforming("MA", Forwarded)
    front = Hostile(service, verb="cancel", place="cancel", at=ALWAYS, misdeed=KINDS[kind])
    with front:
        behind_a_proxy(front.url, monkeypatch)
        raw = harmless(service, "http://lab.example")
        code, report, said = verify(tmp_path, raw, capsys)
        service.stopped.set()
    assert front.done, "the misdeed was met"
    violated = {c["id"] for c in report["contracts"][0]["clauses"] if c["verdict"] == "violated"}
    if kind in (*SOUND, "huge challenge"):
        assert (code, violated) == (4, set()), said  # nothing to cancel there without the flag
    else:
        assert code == 1, said
        assert violated & {"MA-49", "MA-60"}, said
    assert report["contracts"][0]["requests"]["provider_states"] == 0


# ssl leaves a socket that was reset before the handshake for the collector to close.
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
@pytest.mark.parametrize("kind", SOME)
def test_each_kind_in_answer_to_connect(
    kind: str, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = conforming("MA")
    established = b"HTTP/1.1 200 Connection established\r\n\r\n"
    met = []

    def script(peer: Peer) -> None:
        if peer.receive():
            met.append(kind)
            KINDS[kind](peer.sock, established, service.stopped)

    with RawServer(script) as proxy:
        behind_a_proxy(proxy.url, monkeypatch)
        raw = harmless(service, "https://lab.example")
        code, report, said = verify(tmp_path, raw, capsys)
        service.stopped.set()
    assert met, "the misdeed was met"
    assert (code, report["outcome"]) == (4, "inconclusive"), said
    assert not any(c["exercised"] for c in report["contracts"][0]["clauses"])


def test_a_redirect_to_another_host_takes_no_token_along(tmp_path: Path, capsys: Capture) -> None:
    with RawServer(lambda peer: peer.receive()) as other:
        for status in (301, 307):
            away = f"HTTP/1.1 {status} Moved\r\nLocation: {other.url}/\r\nContent-Length: 0\r\n\r\n"
            for what in ("cancel", "look", "setup", "teardown"):
                service = conforming("MA")
                misdeed = says(away.encode())
                front = Hostile(service, verb="cancel", place=what, at=ALWAYS, misdeed=misdeed)
                with front:
                    raw = described_by(service, front.url)
                    code, _, said = verify(tmp_path, raw, capsys)
                    service.stopped.set()
                # What is no cancel is no promise of the page; but without a GET no effect is seen.
                expected = {"cancel": 1, "look": 4, "setup": 4, "teardown": 0}[what]
                assert code == expected, (what, said)
        assert (other.connections, other.requests) == (0, [])


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://no-such-host.invalid", "https://127.0.0.1:1"]
)
def test_nobody_there(url: str, tmp_path: Path, capsys: Capture) -> None:
    raw = {"base_url": url, "provider_states": f"{url}/states"}
    code, report, said = verify(tmp_path, raw, capsys)
    assert (code, report["outcome"]) == (4, "inconclusive"), said
    assert not any(c["exercised"] for c in report["contracts"][0]["clauses"])


class Mortal(Service):
    """Closes its own listener in the middle of a call, and may open it again."""

    front: Hostile
    comes_back = False
    answers_last = False

    def answer(self, request: Request) -> Response:
        response = super().answer(request)
        if request.target.endswith("/cancel") and self.calls == 2:
            listener = self.front.listener
            address = listener.server_address
            listener.shutdown()
            listener.socket.close()
            if self.comes_back:
                listener.socket = socket.create_server(address, backlog=64)
                threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True).start()
            if not self.answers_last:
                return Response(0, hang_up="close", wire=b"")
        return response


@pytest.mark.parametrize("answers", [True, False])
@pytest.mark.parametrize("comes_back", [True, False])
def test_a_target_that_dies_in_the_middle(
    answers: bool, comes_back: bool, tmp_path: Path, capsys: Capture
) -> None:
    service = conforming("MA", Mortal, answers_last=answers, comes_back=comes_back)
    assert isinstance(service, Mortal)
    front = service.front = Hostile(service, verb="cancel")
    with front:
        raw = described_by(service, front.url)
        code, report, said = verify(tmp_path, raw, capsys)
        service.stopped.set()
    if answers and comes_back:
        assert code == 0, said  # nothing was left unanswered
    elif answers:
        assert code == 4, said
        assert report["faults_of_the_run"], "nobody was there to tear down"
    else:
        assert code == 1, said  # MA-60: the call that it did not outlive


def values(told: Callable[[Any], Any]) -> Misdeed:
    """Send the honest answer with other values in its body, where that is a JSON object."""

    def misdeed(sock: socket.socket, honest: bytes, gone: threading.Event) -> None:
        head, _, body = honest.partition(b"\r\n\r\n")
        if body.startswith(b"{"):
            lines = [x for x in head.split(b"\r\n") if not x.lower().startswith(b"content-length")]
            body = json.dumps(told(json.loads(body))).encode()
            honest = with_length(b"\r\n".join((*lines, b"")), body)
        sock.sendall(honest)

    return misdeed


LONG_CHARS = 60_000  # longer values of a GET are kept as digests
LONG = {
    ("setup", "where it leads"): says(
        with_length(b"HTTP/1.1 307 x\r\nLocation: http://h/%b\r\n" % (b"y" * LONG_CHARS), b"")
    ),
    ("setup", "a refusal"): says(with_length(b"HTTP/1.1 400 x\r\n", b"y" * LONG_CHARS)),
    ("setup", "an id"): values(lambda made: {**made, "id": "r" * LONG_CHARS}),
    ("setup", "values"): values(lambda made: {**made, "note": "n" * LONG_CHARS}),
    ("look", "a state"): values(lambda seen: {**seen, "status": "P" * LONG_CHARS}),
    ("look", "a comment"): values(lambda seen: {**seen, "requestorComment": "c" * LONG_CHARS}),
    ("look", "a reason"): says(with_length(b"HTTP/1.1 500 " + b"r" * LONG_CHARS + b"\r\n", b"")),
    ("cancel", "lengths"): says(
        b"HTTP/1.1 200 x\r\nContent-Length: " + b"2," * (LONG_CHARS // 2) + b"2\r\n\r\n{}"
    ),
    ("cancel", "a type"): says(
        with_length(b"HTTP/1.1 404 x\r\nContent-Type: a/" + b"y" * LONG_CHARS + b"\r\n", b"{}")
    ),
    ("cancel", "an id"): values(lambda made: {**made, "id": "r" * LONG_CHARS}),
    ("teardown", "a refusal"): says(with_length(b"HTTP/1.1 500 x\r\n", b"y" * LONG_CHARS)),
}


@pytest.mark.parametrize(("place", "what"), LONG)
def test_what_is_long_is_not_quoted_again_and_again(
    place: str, what: str, tmp_path: Path, capsys: Capture
) -> None:
    """Reports show of an answer what its kind allows, and their sentences a beginning."""
    service = conforming("MA")
    front = Hostile(service, verb="cancel", place=place, at=ALWAYS, misdeed=LONG[place, what])
    with front:
        _, report, said = verify(tmp_path, described_by(service, front.url), capsys)
        service.stopped.set()
    assert front.done, "the misdeed was met"
    assert len(said) < LONG_CHARS / 4

    def sentences(value: Any, key: str = "") -> list[str]:
        if isinstance(value, dict):
            return [text for name, row in value.items() for text in sentences(row, name)]
        if isinstance(value, list):
            return [text for row in value for text in sentences(row, key)]
        return [value] if isinstance(value, str) and key not in ("wire", "body") else []

    assert max(map(len, sentences(report))) < 16_000
    assert len((tmp_path / "report.json").read_bytes()) < 20 * LONG_CHARS


# --- Memory ---------------------------------------------------------------------------------------

PEAK_BYTES = 250 * 2**20
BOMB_MEBIBYTES = 300  # more than may be had, unpacked
RECORDED_BYTES = 128 * 2**20  # what is kept of three contracts, in base64, some of it twice
CHILD = """
import sys
from cancel_contracts.cli import main
code = main(sys.argv[1:])
with open("/proc/self/status") as status:  # ru_maxrss would be that of whoever started us, if more
    print(next(line.split()[1] for line in status if line.startswith("VmHWM")), file=sys.stderr)
sys.exit(code)
"""


def noise(size: int) -> Callable[[], bytes]:
    return lambda: with_length(OK, random.Random(1).randbytes(2**20)[:size])


def entity(more: Callable[[], dict[str, Any]]) -> Callable[[], bytes]:
    usual = {"status": "Pending", "state": "delivering", "id": "x"}
    return lambda: with_length(OK, json.dumps({**usual, **more()}).encode())


HEAVY: dict[str, Misdeed] = {
    "endless body": endless(OK + b"\r\n"),
    "1 GiB declared": endless(OK + b"Content-Length: 1073741824\r\n\r\n"),
    "gzip bomb": explodes(BOMB_MEBIBYTES),
    "long heads": made(lambda: with_length(OK + b"X: y\r\n" * 100_000, b"")),
    "30 KB of headers": made(
        lambda: with_length(
            OK + b"".join(b"X-%d: %b\r\n" % (n, b"y" * 100) for n in range(270)), b"{}"
        )
    ),
    "noise of 60 KiB": made(noise(61_000)),
    "noise of 900 KiB": made(noise(900_000)),
    "a long history": made(entity(lambda: {"history": [{"at": n} for n in range(60_000)]})),
    "a wide value": made(entity(lambda: {"x": [[]] * 240_000})),
    "many members": made(entity(lambda: {f"k{n}": n for n in range(60_000)})),
    "40,000 interim responses": made(
        lambda: b"HTTP/1.1 100 Continue\r\n\r\n" * 40_000 + with_length(OK, b"{}")
    ),
    "200 headers of 4 KiB": made(
        lambda: with_length(
            OK + b"".join(b"X-%d: %b\r\n" % (n, b"z" * 4096) for n in range(200)), b"{}"
        )
    ),
    "chunks of one byte": made(
        lambda: OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 150_000 + b"0\r\n\r\n"
    ),
    "deep JSON": made(lambda: with_length(OK, b'{"a":' * 150_000 + b"1" + b"}" * 150_000)),
}
SAMPLED = {"gzip bomb", "many members"}  # the others are as bounded, and take longer
LONG_TO_COMPARE, FEW = {"many members"}, 36  # every so many of the clauses, where not all are tried


# A value of a kilobyte may take a hundred once it is read.
WIDE = [{"": 0}] * 4000
BESIDE = {
    ("look", "a wide value"): values(lambda seen: {**seen, "rows": WIDE}),
    ("look", "a state"): LONG["look", "a state"],
    ("look", "words"): honest_with(b"X: " + b"y " * 100_000 + b"\r\n"),
    ("look", "a reason"): says(b"HTTP/1.1 200 " + b"y" * 900_000 + b"\r\nContent-Length: 0\r\n\r\n"),
    ("setup", "where it leads"): LONG["setup", "where it leads"],
    ("setup", "values"): values(lambda made: {**made, "rows": WIDE * 30}),
    ("teardown", "values"): values(lambda made: {**made, "rows": WIDE * 30}),
    ("cancel", "lengths"): LONG["cancel", "lengths"],
}  # fmt: skip
BASE_BYTES = 100 * 2**20  # of a gate that meets nothing of the kind


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells the peak")
@pytest.mark.parametrize(("place", "what"), BESIDE if EVERY else [("setup", "values")])
def test_a_gate_stays_small_wherever_it_is_hit(place: str, what: str, tmp_path: Path) -> None:
    """Of one contract, which may take a third of what three may beyond an ordinary gate."""
    service = conforming("MA")
    front = Hostile(service, verb="cancel", place=place, at=ALWAYS, misdeed=BESIDE[place, what])
    with front:
        (tmp_path / "target.yaml").write_text(json.dumps(described_by(service, front.url)), "utf-8")
        argv = ["verify", "--target", str(tmp_path / "target.yaml")]
        argv += ["--contract", CONTRACT] if EVERY else ARGV
        reports = [f"--report-{x}={tmp_path / x}" for x in ("json", "html", "junit", "markdown")]
        done = subprocess.run(
            [sys.executable, "-c", CHILD, *argv, *reports, f"--record={tmp_path / 'har'}"],
            capture_output=True, text=True, timeout=GUARD_SECONDS * 10, check=False,
        )  # fmt: skip
        service.stopped.set()
    assert front.done, "the misdeed was met"
    assert done.returncode in (0, 1, 4), done.stdout + done.stderr
    assert int(done.stderr.split()[-1]) * 1024 < BASE_BYTES + (PEAK_BYTES - BASE_BYTES) / 3


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells the peak")
@pytest.mark.parametrize("kind", HEAVY if EVERY else sorted(SAMPLED))
def test_the_whole_gate_of_three_contracts_stays_small(kind: str, tmp_path: Path) -> None:
    """One of the three meets it here, which may take a third of it."""
    chosen = list(map(load.load, load.shipped()))[0 if EVERY else 2 :]

    def script(peer: Peer) -> None:
        if peer.receive():
            HEAVY[kind](peer.sock, b"", peer.stopped)

    with RawServer(script) as server:
        raw: dict[str, Any] = {
            "base_url": server.url,
            "identities": {"admin": {"token": "a-token-of-the-admin"}},
            "contracts": {},
        }
        for contract in chosen:
            states = contract.lifecycle.states
            ids = {state: [f"{at}-###"] for at, state in enumerate(states)}
            raw["contracts"][contract.name] = {"provider_states": ids}
        (tmp_path / "target.yaml").write_text(json.dumps(raw), "utf-8")
        reports = [f"--report-{x}={tmp_path / x}" for x in ("json", "html", "junit", "markdown")]
        argv = ["verify", "--target", str(tmp_path / "target.yaml")]
        argv += [arg for contract in chosen for arg in ("--contract", contract.name)]
        if kind in LONG_TO_COMPARE and not EVERY:
            argv += [f"--only={clause.id}" for clause in chosen[0].clauses[::FEW]]
        done = subprocess.run(
            [sys.executable, "-c", CHILD, *argv, *reports, f"--record={tmp_path / 'har'}"],
            capture_output=True, text=True, timeout=GUARD_SECONDS * 10, check=False,
        )  # fmt: skip
    assert done.returncode in (1, 4), done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    beyond = (PEAK_BYTES - BASE_BYTES) / 3 * len(chosen)
    assert int(done.stderr.split()[-1]) * 1024 < BASE_BYTES + beyond
    for path in ("json", "html", "junit", "markdown", "har"):
        assert (tmp_path / path).stat().st_size > 0
    assert (tmp_path / "har").stat().st_size < RECORDED_BYTES
