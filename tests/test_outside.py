"""What comes from outside is parsed or "not understood": no target, handler or recording can raise.

And what nobody foresaw takes nothing along: the tear-down is made, the reports are written.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cancel_contracts.cli import main
from cancel_contracts.contract.model import Contract
from cancel_contracts.errors import Broken, Refused
from cancel_contracts.exchange import Exchange, Form, Received, Sent, Situation
from cancel_contracts.identity.tokens import expiry
from cancel_contracts.journal import Exchanges, Journal
from cancel_contracts.judge.judge import Judge
from cancel_contracts.parse import (
    DEPTH,
    NO_JSON,
    http_date,
    identifier,
    json_value,
    number,
    pointed,
    retry_after,
)
from cancel_contracts.provider_states.states import ProviderStates
from cancel_contracts.run.attempt import Stop
from cancel_contracts.run.wait_budget import WaitBudget, seconds_asked
from cancel_contracts.targets.file import Endpoint
from cancel_contracts.transport.client import Answer, Transport
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rawserver import RawServer, answer
from servers.hostile import Hostile, Misdeed, says
from servers.pages import PAGES
from servers.service import Service
from servers.trial import conforming, contract_of, target_of

pytestmark = pytest.mark.slow

Capture = pytest.CaptureFixture[str]

# Dates that email.utils raises for, each in its own way, and their neighbours.
DATES = [
    "Mon, 01 Jan 2024 00:00:00 +99999999999999",
    "Mon, 01 Jan 2024 00:00:00 -99999999999999",
    "Mon, 01 Jan 20240000000 00:00:00 GMT",
    "Mon, 01 Jan 99999999999 00:00:00 GMT",
    "Mon, 01 Jan 0001 00:00:00 +2359",
    "Fri, 31 Dec 9999 23:59:59 -2359",
    "Mon, 00 Foo 2024 25:61:61 GMT",
    "Mon, 01 Jan 2024 99999999999999999999:00:00 GMT",
    "Mon, 01 Jan 2024 00:00:00 +" + "9" * 5000,
    ", , , ,",
    "\x00",
    "",
]
HEADERS = ("Retry-After", "Date", "Content-Type", "WWW-Authenticate", "Allow", "Location",
           "Content-Length", "Content-Encoding", "Transfer-Encoding", "Connection", "request-id",
           "client-request-id", "Set-Cookie")  # fmt: skip
LATIN = st.text(st.characters(max_codepoint=255), max_size=60)
NUMBERS = st.from_regex(r"[0-9]{1,400}(\.[0-9]{1,400})?", fullmatch=True)
VALUES = st.one_of(LATIN, NUMBERS, st.sampled_from(DATES), st.from_regex(r'("|\\|,|;|=| ){1,40}'))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
@example(DATES[0])
def test_no_value_of_a_header_raises(text: str) -> None:
    for read in (retry_after, http_date):
        found: object = read(text)
        assert found is None or isinstance(found, (float, datetime))
    received = Received(429, headers=(("Retry-After", text), ("Date", text)))
    assert seconds_asked(received) >= 0


@pytest.mark.parametrize("text", DATES)
def test_a_date_that_is_none_is_not_understood(text: str) -> None:
    moment = http_date(text)
    assert moment is None or moment.tzinfo is UTC
    if "999" not in text[10:]:
        return
    assert retry_after(text) is None
    assert seconds_asked(Received(429, headers=(("Retry-After", text),))) == 1.0


# RFC 6901 section 5, and what names nothing.
POINTED = {"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "m~n": 8, "~1": 9, "n": None}


@pytest.mark.parametrize(
    ("pointer", "wanted"),
    [
        ("", POINTED), ("/foo", ["bar", "baz"]), ("/foo/0", "bar"), ("/", 0), ("/a~1b", 1),
        ("/c%d", 2), ("/m~0n", 8), ("/~01", 9), ("/n", None),
        ("/foo/2", NO_JSON), ("/foo/01", NO_JSON), ("/foo/-", NO_JSON), ("/foo/x", NO_JSON),
        ("/no", NO_JSON), ("/n/x", NO_JSON), ("/a~1b/x", NO_JSON), ("/foo/0/x", NO_JSON),
    ],
)  # fmt: skip
def test_what_a_json_pointer_names(pointer: str, wanted: object) -> None:
    assert pointed(POINTED, pointer) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("0", 0.0), (" 7 ", 7.0), ("2.128", 2.128), ("1e3", None), ("-1", None), ("٣", None)],
)
def test_seconds(text: str, wanted: float | None) -> None:
    assert retry_after(text) == wanted


def test_a_date_is_counted_by_the_clock_that_wrote_it() -> None:
    now = datetime.now(UTC) - timedelta(minutes=90)
    form = "%a, %d %b %Y %H:%M:%S GMT"
    due = (now + timedelta(seconds=7)).strftime(form)
    told = Received(429, headers=(("Retry-After", due), ("Date", now.strftime(form))))
    assert seconds_asked(told) == 7.0
    assert seconds_asked(replace(told, headers=told.headers[:1])) == 0.0  # by ours it is over


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
@example(b"[" * 100_000 + b"]" * 100_000)
@example(b'{"a":' * 500 + b"1" + b"}" * 500)
@example(b"1" * 5000)
@example(b'"\\ud800"')
@example(b"NaN")
def test_no_bytes_raise_as_json(data: bytes) -> None:
    value = json_value(data)
    assert value is NO_JSON or json.loads(data) == value or value != value


def test_json_is_read_as_deep_as_can_be_walked() -> None:
    deep = b"[" * DEPTH + b"]" * DEPTH
    assert json_value(deep) is not NO_JSON
    assert json_value(b"[" + deep + b"]") is NO_JSON
    assert json_value(b"[" + b"[]," * 5000 + b"1]") is not NO_JSON  # wide is not deep


@given(JSON)
def test_a_number_is_finite_or_none(value: object) -> None:
    found = number(value)
    assert found is None or abs(found) < float("inf")


@pytest.mark.parametrize("exp", [10**400, "1e999", "NaN", "Infinity", "true", "[]", '"soon"'])
def test_a_token_whose_expiry_is_none(exp: object) -> None:
    import base64

    claims = base64.urlsafe_b64encode(b'{"exp": %s}' % str(exp).encode()).decode().rstrip("=")
    assert expiry(f"e30.{claims}.c2ln") is None


@given(st.text() | JSON)
def test_an_id_can_stand_in_a_path(value: object) -> None:
    from urllib.parse import quote

    found = identifier(value)
    if found is not None:
        assert quote(found, safe="") not in ("", ".", "..")


@pytest.mark.parametrize(
    "value", ["\ud800", "a\udfff", "", ".", "..", None, True, 1.5, 10**400, ["a"], {}, "r" * 2049]
)
def test_what_is_no_id(value: object) -> None:
    assert identifier(value) is None


# --- Every header that is read, in every answer ---------------------------------------------------


def _exchange(contract: Contract, received: Received, situation: Situation) -> Exchange:
    sent = Sent(
        situation.method, f"http://127.0.0.1{contract.path}".replace("{", "").replace("}", "")
    )
    return Exchange(contract.name, 1, 1, "cancel", situation, "admin", "id", sent,
                    received=received)  # fmt: skip


@given(
    status=st.sampled_from([200, 204, 400, 401, 404, 405, 429, 500]),
    headers=st.lists(st.tuples(st.sampled_from(HEADERS), VALUES), max_size=6),
    body=st.binary(max_size=80) | JSON.map(lambda value: json.dumps(value).encode()),
    short=st.sampled_from(sorted(PAGES)),
)
@settings(max_examples=60, deadline=None)
def test_no_answer_breaks_the_judge(
    status: int, headers: list[tuple[str, str]], body: bytes, short: str
) -> None:
    contract = contract_of(PAGES[short])
    wire = b"HTTP/1.1 %d X\r\n\r\n" % status + body
    received = Received(status, headers=tuple(headers), body=body, wire=wire)
    situations = [
        Situation(state=contract.lifecycle.cancellable[0]),
        Situation(resource="unknown", id=Form("unknown")),
        Situation(identity="anonymous", state=contract.lifecycle.cancellable[0]),
        Situation(method="PUT", state=contract.lifecycle.cancellable[0]),
    ]
    journal = Journal(
        contract.name, Exchanges(_exchange(contract, received, s) for s in situations)
    )
    look = replace(journal.exchanges[0], kind="observe", position=0)
    journal.exchanges.append(look)
    judgement = Judge(contract, contract.clauses).judge(journal)
    assert len(judgement.verdicts) >= len({c.id for c in contract.clauses}) - 5


# --- Handler answers ------------------------------------------------------------------------------


class Says(Transport):
    """Answers whatever it is told to."""

    def __init__(self, received: Received) -> None:
        super().__init__()
        self.received = received

    def send(
        self, request: Sent, *, keep_alive: bool = False, chunked: bool = False, closing: str = ""
    ) -> Answer:
        return Answer(sent=request, received=self.received)


IDS = st.text() | st.sampled_from(["\ud800", "..", "a/b", "é", "\x00"])
HANDLER = st.one_of(
    st.binary(max_size=60),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.builds(lambda i: json.dumps({"id": i}).encode(), IDS),
)


@given(
    status=st.sampled_from([200, 201, 204, 301, 404, 429, 500, 999]),
    headers=st.lists(st.tuples(st.sampled_from(HEADERS), VALUES), max_size=3),
    body=HANDLER,
)
@example(200, [], b'{"id": "\\ud800"}')
@settings(deadline=None)
def test_no_answer_of_a_handler_raises(
    status: int, headers: list[tuple[str, str]], body: bytes
) -> None:
    site = Endpoint("thing", "http://127.0.0.1:1", handler="http://127.0.0.1:1/states")
    states = ProviderStates(site, Says(Received(status, headers=tuple(headers), body=body)))
    states.waited = WaitBudget(0.0, Stop()).wait_as_asked
    try:
        made = states.acquire("Pending", None, spends=True)
        made.encode("utf-8")
    except (Broken, Refused):
        pass
    assert all(isinstance(told, str) for told in states.tear_down())


# --- Whole runs -----------------------------------------------------------------------------------

LIMITED = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: {}\r\nContent-Length: 0\r\n\r\n"
STAGES = {"cancel": (0, 1, 4), "look": (0, 4), "setup": (4,), "teardown": (0,)}
ARGV = ["--contract", "machine-action", "--only", "MA-07", "--only", "MA-34", "--only", "MA-11"]


def verify(
    folder: Path, misdeed: Misdeed, place: str, *more: str, service: Service | None = None
) -> tuple[int, dict[str, Any]]:
    """Have every call of a place answered by the misdeed; return exit code and report."""
    served = service or conforming("MA")
    front = Hostile(served, verb="cancel", place=place, at=frozenset(range(999)), misdeed=misdeed)
    report = folder / "report.json"
    with front:
        target = target_of(served, front.url)
        raw = {**target.raw, "base_url": target.base_url}
        (folder / "target.yaml").write_text(json.dumps(raw), "utf-8")
        code = main(["verify", "--target", str(folder / "target.yaml"), *ARGV, *more,
                     "--report-json", str(report), "--record", str(folder / "run.har")])  # fmt: skip
        served.stopped.set()
    return code, json.loads(report.read_text("utf-8"))


@pytest.mark.parametrize("date", [DATES[0], DATES[3]])
@pytest.mark.parametrize("place", STAGES)
def test_a_hostile_retry_after_at_each_stage(
    place: str, date: str, tmp_path: Path, capsys: Capture
) -> None:
    misdeed = says(LIMITED.format(date).encode())
    code, report = verify(tmp_path, misdeed, place, "--max-wait", "0.1")
    assert code in STAGES[place], capsys.readouterr().err
    assert not any("suite itself" in fault for fault in report["faults_of_the_run"])
    # And the recording is judged as the run was.
    again = tmp_path / "again.json"
    argv = [*ARGV, "--report-json", str(again)]
    assert main(["judge", str(tmp_path / "run.har"), *argv]) in (code, 4)
    words = [[c["verdict"] for c in json.loads(p.read_text("utf-8"))["contracts"][0]["clauses"]]
             for p in (tmp_path / "report.json", again)]  # fmt: skip
    assert words[0] == words[1]


@pytest.mark.parametrize("id_", [r"\ud800", r"..", r"a\udfffb"])
def test_a_hostile_id_of_a_handler(id_: str, tmp_path: Path, capsys: Capture) -> None:
    body = f'{{"id": "{id_}"}}'.encode()
    wire = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    code, report = verify(tmp_path, says(wire), "setup")
    assert code == 4, capsys.readouterr().err
    assert "no JSON object with an id" in json.dumps(report)


# --- What nobody foresaw --------------------------------------------------------------------------


def _raises(*_: object, **__: object) -> None:
    raise ZeroDivisionError("a token: s3cr3t")


CRASHES = {
    "the judge": "cancel_contracts.judge.judge.Context",
    "a request": "cancel_contracts.run.calls.cancel_request",
    "the last looks": "cancel_contracts.run.run.Run.settle",
    "the tear-down": "cancel_contracts.provider_states.states.ProviderStates.tear_down",
}


@pytest.mark.parametrize("what", CRASHES)
def test_what_nobody_foresaw_takes_nothing_along(
    what: str, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CRASHES[what], _raises)
    torn: list[bytes] = []

    def honest(sock: Any, data: bytes, gone: Any) -> None:
        torn.append(data)
        sock.sendall(data)

    code, report = verify(tmp_path, honest, "teardown")
    told = capsys.readouterr()
    assert code == report["exit_code"] == 3
    assert report["outcome"] in ("violated", "inconclusive")
    assert report["sentence"].startswith("machine-action: the suite itself failed: ZeroDivision")
    assert "please report it" in told.out.replace("\n", " ")
    assert "s3cr3t" not in told.out + told.err + json.dumps(report)
    assert "Traceback" not in told.out + told.err
    assert bool(torn) == (what != "the tear-down")
    assert json.loads((tmp_path / "run.har").read_text("utf-8"))["log"]["version"] == "1.2"


def test_one_contract_that_crashes_leaves_the_others_their_verdicts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cancel_contracts.run.run import Run

    settle: Callable[[Run], None] = Run.settle

    def fails(run: Run) -> None:
        if run.contract.name == "machine-action":
            raise RuntimeError
        settle(run)

    monkeypatch.setattr(Run, "settle", fails)
    report = tmp_path / "report.json"
    code = main(["verify", "--only", "MA-34", "--only", "SA-20", "--report-json", str(report)])
    written = json.loads(report.read_text("utf-8"))
    assert code == 3
    verdicts = {c["id"]: c["verdict"] for row in written["contracts"] for c in row["clauses"]}
    assert verdicts["SA-20"] == "upheld"


def test_an_answer_that_is_no_http_is_told_by_its_stage() -> None:
    with RawServer(answer(b"\x00\xff\r\n\r\n")) as server, Transport() as transport:
        got = transport.send(Sent("GET", server.url))
    assert got.received is not None
    assert got.received.status == 0
