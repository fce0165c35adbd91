"""Other forms of a request: what goes out, what a right server may say to it, how it is told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cancel_contracts.contract.compose import Composition
from cancel_contracts.contract.credentials import BEARER, Carried
from cancel_contracts.contract.extras import EXTRAS, USED_ID
from cancel_contracts.contract.load import every_shipped, load
from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.words import may_miss, right_errors
from cancel_contracts.errors import UsageError
from cancel_contracts.exchange import Sent, Situation
from cancel_contracts.har.form import Settings
from cancel_contracts.har.writing import write
from cancel_contracts.journal import Exchanges, Journal
from cancel_contracts.plan.plan import make, selectable
from cancel_contracts.redact.secrets import Redactor
from cancel_contracts.report.recipe import Line
from cancel_contracts.report.script import _arguments
from cancel_contracts.run.content import Names
from cancel_contracts.run.requests import cancel_request
from cancel_contracts.transport.client import Transport
from rawserver import RawServer, answer
from report_sample import exchange
from sampling import only_of_all
from servers.front import Request, Response
from servers.service import Service
from servers.trial import conforming, judge

CONTRACTS = {c.name: c for c in map(load, every_shipped())}
MACHINE, SECURITY = CONTRACTS["machine-action"], CONTRACTS["security-action"]
ID = "5a2c8f0e-0000-4000-8000-000000000001"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def sent(contract: Contract = MACHINE, carried: Carried | None = None, **facts: Any) -> Sent:
    carried = BEARER.carry("a-token") if carried is None else carried
    situation = Situation(state="Pending", **facts)
    return cancel_request(contract, "http://mock", situation, ID, Names(ID), carried, "an-id")


def path_of(extra: str, contract: Contract = MACHINE) -> str:
    return sent(contract, extra=extra).url.removeprefix("http://mock")


# --- Paths ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "path"),
    [
        ("trailing-slash", "/api/machineactions/{id}/cancel/"),
        ("doubled-slash", "/api//machineactions//{id}//cancel"),
        ("dot", "/./api/machineactions/{id}/./cancel"),
        ("up-and-down", "/x/../api/machineactions/{id}/x/../cancel"),
        ("parameter", "/api/machineactions/{id}/cancel;x=1"),
        ("suffix", "/api/machineactions/{id}/cancel.json"),
        ("encoded", "/api/machineactions/{id}/%63ancel"),
        ("capitals", "/API/MACHINEACTIONS/{id}/CANCEL"),
    ],
)
def test_a_path_goes_out_as_its_row_spells_it(word: str, path: str) -> None:
    assert path_of(f"path-{word}") == path.replace("{id}", ID)


@pytest.mark.parametrize(
    ("template", "word", "path"),
    [
        ("/jobs/{id}", "encoded", "/%6Aobs/{id}"),
        ("/jobs/{id}", "capitals", "/JOBS/{id}"),
        ("/jobs/{id}", "up-and-down", "/x/../jobs/x/../{id}"),
        ("/a/{b}/c.d/{id}/Stop", "encoded", "/a/{b}/c.d/{id}/%53top"),
        ("/a/{b}/c.d/{id}/Stop", "capitals", "/A/{b}/C.D/{id}/STOP"),
    ],
)
def test_a_spelling_leaves_the_parameters_of_any_path(template: str, word: str, path: str) -> None:
    assert EXTRAS[f"path-{word}"].wire.path(template) == path


# --- Header lines, bodies -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "named", "body"), [("POST", "GET", True), ("GET", "POST", True), ("HEAD", "POST", False), ("TRACE", "POST", True)]
)  # fmt: skip
def test_an_override_names_another_method_and_brings_a_body(
    method: str, named: str, body: bool
) -> None:
    request = sent(method=method, extra="method-override")
    assert dict(request.headers)["X-HTTP-Method-Override"] == named
    assert bool(request.body) is body
    assert ("Content-Type" in dict(request.headers)) is body
    assert sent(method="GET").body == b""


def test_where_no_body_is_documented_a_get_has_none() -> None:
    """A server that refuses a body would not come to look at what the override says."""
    assert sent(SECURITY, method="GET", extra="method-override").body == b""
    request = sent(SECURITY, method="TRACE", extra="method-override")
    assert request.body == b"{}"
    assert dict(request.headers)["Content-Type"] == "application/json"


def test_from_within_says_so_in_every_line_alike() -> None:
    """Rails refuses a call whose Client-IP and X-Forwarded-For differ, and is right to."""
    lines = dict(sent(extra="from-within", carried=Carried()).headers)
    said = {v for k, v in lines.items() if k.endswith(("-IP", "-For", "-Addr"))}
    assert said == {"127.0.0.1"}
    assert "Authorization" not in lines


def test_a_used_id_is_the_same_in_every_call() -> None:
    ids = {dict(sent(extra="accept-any", method=m).headers)["client-request-id"] for m in ("POST", "PUT")}  # fmt: skip
    assert ids == {USED_ID}


@pytest.mark.parametrize(
    ("request_of", "lines", "absent"),
    [
        ({"extra": "bare"}, [b"POST /"], [b"user-agent", b"accept:", b"client-request-id"]),
        ({"extra": "accept-any"}, [b"User-Agent: curl/8.5.0"], [b"cancel-contracts"]),
        ({"extra": "http-1.0"}, [b"cancel HTTP/1.0\r\n", b"Connection: close"], [b"HTTP/1.1"]),
        ({"extra": "absolute-form"}, [b"POST http://127.0.0.1:"], []),
        ({"extra": "path-dot"}, [b"/./cancel HTTP/1.1\r\n"], []),
        ({"method": "CANCEL"}, [b"CANCEL /", b"Content-Length: "], []),
    ],
)
def test_bytes_on_the_wire(
    request_of: dict[str, Any], lines: list[bytes], absent: list[bytes]
) -> None:
    with RawServer(answer(OK)) as server, Transport(environ={}) as transport:
        request = sent(**request_of)
        url = request.url.replace("http://mock", server.url)
        transport.send(replace(request, url=url))
        (seen,) = server.requests
    assert all(line in seen for line in lines)
    assert not [line for line in absent if line.lower() in seen.lower()]


def test_what_cannot_be_on_the_wire_together() -> None:
    composition = Composition(MACHINE)
    old = Situation(state="Pending", extra="http-1.0")
    assert composition.can_meet(old)
    assert not composition.can_meet(replace(old, transfer="chunked")), "RFC 9112, section 6.1"


# --- What a right server may say ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "status", "right"),
    [
        ({"method": "PURGE"}, 501, True),
        ({"method": "TRACE"}, 501, True),
        ({"extra": "http-1.0"}, 505, True),
        ({"method": "PURGE"}, 500, False),
        ({"method": "PUT"}, 501, False),
        ({"extra": "http-1.0"}, 501, False),
        ({"extra": "path-dot"}, 501, False),
    ],
)
def test_a_server_error_is_right_where_the_rfc_names_it(
    facts: dict[str, Any], status: int, right: bool
) -> None:
    assert (status in right_errors(Situation(**facts))) is right


@pytest.mark.parametrize(
    ("facts", "may"),
    [({"extra": "path-suffix"}, True), ({"extra": "http-1.0"}, True), ({"method": "CANCEL"}, True),
     ({"extra": "absolute-form"}, True), ({"extra": "browser"}, False), ({"method": "GET"}, False),
     ({"extra": "recorded"}, False)],
)  # fmt: skip
def test_which_calls_may_never_reach_the_service(facts: dict[str, Any], may: bool) -> None:
    assert may_miss(Situation(**facts)) is may


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_standings_of_the_forms(contract: Contract) -> None:
    composition = Composition(contract)
    kinds = {
        word: composition.standings["extra", word]
        for word in ("absolute-form", "from-within", "http-1.0", "origin", "path-dot")
    }
    assert [k.kind for k in kinds.values()] == ["open", "neutral", "open", "open", "open"]
    assert {"3xx", "4xx"} <= set(kinds["path-dot"].statuses), "a redirect is right"
    assert composition.standings["method", "CANCEL"].kind == "refused"
    assert ("method", "TRACE") not in composition.standings


@pytest.mark.parametrize(
    ("facts", "status"), [({"method": "TRACE"}, 501), ({"extra": "http-1.0"}, 505)]
)
def test_a_form_may_be_refused_before_the_caller_is_looked_at(
    facts: dict[str, Any], status: int
) -> None:
    """Two facts that are not neutral: the clause about the caller speaks, as a refusal."""
    clause = MACHINE.clause("MA-21")
    assert clause is not None
    situation = Situation(state="Pending", identity="anonymous", **facts)
    speaks = Composition(MACHINE).speaks(clause, situation, status)
    assert speaks is not None
    assert speaks.expect is not None
    assert speaks.expect["effect"] == "none"
    assert {401, "4xx", status} <= set(speaks.expect["status"])
    assert 500 not in speaks.expect["status"]


@pytest.mark.parametrize(
    ("name", "shown", "made"),
    [("security-action", {"method": "GET"}, 1), ("machine-action", {"method": "GET"}, 1)],
)
def test_what_an_earlier_call_shows_is_not_asked_again(
    name: str, shown: dict[str, str], made: int
) -> None:
    contract = CONTRACTS[name]
    clauses = [c for c in contract.clauses if selectable(c, "gate", contract)]
    plan = make(contract, clauses, "gate")
    calls = [call for scenario in plan.scenarios for call in scenario.calls]
    found = [c for c in calls if all(getattr(c, k) == v for k, v in shown.items())]
    assert [c.extra for c in found] == ["method-override"] * made
    assert not plan.left_out


# --- How it is told -------------------------------------------------------------------------------


def test_a_recording_names_the_version(tmp_path: Path) -> None:
    told = exchange(None, failure="closed", sent=sent(extra="http-1.0"), extra="http-1.0")
    journal = Journal("machine-action", exchanges=Exchanges([told]))
    path = tmp_path / "run.har"
    write(
        path,
        [journal],
        Settings("http://mock", "deep", 1, 1.0, "2026-11-26T00:00:00+00:00"),
        "0",
        Redactor(),
    )
    (entry,) = json.loads(path.read_text("utf-8"))["log"]["entries"]
    assert entry["request"]["httpVersion"] == "HTTP/1.0"
    assert entry["_contracts"]["sent"]["version"] == "1.0"


@pytest.mark.parametrize("extra", ["http-1.0", "absolute-form"])
def test_a_script_of_python_says_what_it_cannot_send(extra: str) -> None:
    with pytest.raises(UsageError, match=r"--script: .*name a file that ends in \.sh"):
        _arguments(Line("", sent(extra=extra)))


def test_a_script_of_python_sends_no_user_agent() -> None:
    assert "'User-Agent': SKIP_HEADER" in _arguments(Line("", sent(extra="bare")))
    assert "SKIP_HEADER" not in _arguments(Line("", sent(extra="browser")))


class KnowsNoAbsoluteForm(Service):
    """As gevent's server, and what Node's and ASGI's make of it: no route is found."""

    def answer(self, request: Request) -> Response:
        if request.target.startswith("/"):
            return super().answer(request)
        return Response(404, b"<h1>Not Found</h1>", (("Content-Type", "text/html"),))


@pytest.mark.slow
@pytest.mark.parametrize("short", ["MA", *only_of_all("SA", "AP")])
def test_a_server_that_knows_no_absolute_form_is_warned_of(short: str) -> None:
    only = [f"{short}-{number}" for number in (103, 104, 105, 120)]
    options = {"profile": "deep", "max_requests": 80}
    outcome = judge(conforming(short, KnowsNoAbsoluteForm), only=only, options=options)
    assert (outcome.exit_code, set(outcome.warned)) == (0, {f"{short}-104"}), str(outcome)
