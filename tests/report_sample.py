"""A run made by hand: every kind of verdict, a hostile target, secrets in every place."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from typing import Any

from cancel_contracts.assignment import Options
from cancel_contracts.contract.model import (
    Clause,
    Contract,
    Dialect,
    Level,
    NotTestable,
    Quota,
    Source,
)
from cancel_contracts.contract.states import Lifecycle
from cancel_contracts.exchange import Exchange, Form, Received, Sent, Situation
from cancel_contracts.gate import Outcome, decide
from cancel_contracts.journal import Exchanges, Journal
from cancel_contracts.judge.accumulator import Evidence
from cancel_contracts.judge.judge import Judgement, Verdict
from cancel_contracts.redact.secrets import Redactor
from cancel_contracts.report.record import record
from cancel_contracts.report.terminal import show
from cancel_contracts.verify import ContractResult, Result
from rich.console import Console

BASE = "http://127.0.0.1:8080"
TOKEN = "s3cr3t-T0ken/with+odd=chars-0123456789abcdef"
UNKNOWN_TOKEN = "eyJub2JvZHkiOiJ0b2xkIHVzIG9mIGl0In0.abcdefghijklmnop"
# What a hostile target may send: markup for every format, controls, commands for CI systems.
HOSTILE = (
    '<script>window.pwned = 1</script><img src=x onerror="window.pwned = 2"></pre></details>'
    "]]>&amp;&lt; | `tick` **bold** @octocat [link](http://evil.example/) {{ 7 * 7 }} $(touch"
    " pwned)"
    "\x1b[31mred\x1b]0;title\x07 \x00\x08\x7f\x9b1m \u202egnp.exe \u200b\u2028"
    "\n::error::pwned ::stop-commands::now\n##vso[task.complete result=Succeeded;]\n"
    "##[error]pwned\n"
    "## heading\n| cell | cell |\n"
)


def clause(number: int, level: Level = "must", **given: Any) -> Clause:
    says = f"Promise number {number} is kept."
    source = Source("cancel-thing", "Response")
    expect = {"status": 200, "effect": "cancelled"}
    return Clause(f"EX-{number:02}", level, says, source, given, expect)


CLAUSES = (
    clause(1, "must"),
    clause(2, "must", resource="Done"),
    clause(3, "should", resource="unknown"),
    clause(4, "must", identity="app"),
    clause(5, "must", identity="personal"),
    clause(6, "must", answer=401),
    clause(7, "must", method="OPTIONS"),
    clause(8, "must", resource="Waiting"),
    clause(9, "info", body="none"),
    clause(10, "should"),
    clause(11, "must", transfer="chunked"),
)
CONTRACT = Contract(
    name="thing",
    title="Cancel thing",
    path_of_file="/somewhere/specs/thing.yaml",
    document={"paths": {"/things/{id}": {"get": {}}, "/things/{id}/cancel": {"post": {}}}},
    path="/things/{id}/cancel",
    observe_path="/things/{id}",
    server="https://api.example.com",
    lifecycle=Lifecycle(("status",), ("Open", "Waiting"), ("Done", "Gone"), ("Gone",)),
    permissions=(),
    audiences=(),
    quotas=(Quota(100, 60), Quota(1500, 3600)),
    dialects=(
        Dialect("prose", "success", "answers 200: follows the prose; the example says 204"),
        Dialect("example", "success", "answers 204: follows the example; the prose says 200"),
    ),
    clauses=CLAUSES,
    not_testable=(
        NotTestable("EX-90", "It is fast.", Source("cancel-thing", "Remarks"), "no bound"),
    ),
    bodies={"page": {"Comment": "stop"}},
    entity_schema=None,
    error_schema=None,
)
OTHER = replace(
    CONTRACT,
    name="other-thing",
    title="Cancel other thing",
    path_of_file="specs/other-thing.yaml",
    quotas=(),
    dialects=(),
    not_testable=(),
    lifecycle=Lifecycle(("status",), ("Open",), ("Done",), ()),
    clauses=(replace(CLAUSES[0], id="EX-01"),),
)


def answer(
    status: int, body: bytes = b"", *headers: tuple[str, str], wire: bytes = b""
) -> Received:
    head = f"HTTP/1.1 {status} Reason\r\n".encode()
    head += b"".join(f"{n}: {v}\r\n".encode() for n, v in headers) + b"\r\n"
    return Received(status, "Reason", headers=headers, body=body, wire=wire or head + body)


def exchange(received: Received | None, position: int = 1, **facts: Any) -> Exchange:
    """A cancel call; `facts` are the situation's, or the exchange's own where it has them."""
    own = {
        k: facts.pop(k) for k in ("scenario", "started", "failure", "kind", "sent") if k in facts
    }
    situation = Situation(**({"state": "Open"} | facts))
    identity = "admin" if situation.identity == "primary" else situation.identity
    sent = Sent(
        situation.method,
        f"{BASE}/things/1/cancel",
        (("Host", "127.0.0.1:8080"), ("Authorization", f"Bearer <{identity}>"),
         ("Content-Type", "application/json"), ("Content-Length", "19")),
        b'{"Comment": "stop"}',
    )  # fmt: skip
    values: dict[str, Any] = {
        "contract": "thing", "scenario": 1, "position": position, "kind": "cancel",
        "situation": situation, "identity": identity, "resource": "1", "sent": sent,
        "received": received, "started": 0.5, "seconds": 0.004,
    }  # fmt: skip
    return Exchange(**(values | own))


def look(state: str, position: int, scenario: int = 1) -> Exchange:
    body = f'{{"id": "1", "status": "{state}"}}'.encode()
    return exchange(answer(200, body), position, kind="observe", scenario=scenario)


def hostile(text: str = HOSTILE) -> Received:
    body = text.encode()
    received = answer(200, body, ("Content-Type", "text/html"), ("Content-Length", str(len(body))))
    return replace(received, reason=text.replace("\n", " "))


def evidence(one: Exchange, expected: str = "404", actual: str | None = None) -> Evidence:
    told = (
        f"{one.status}, {len(one.received.body)} bytes"
        if one.received
        else f"no answer ({one.failure})"
    )
    return Evidence(one, expected, actual or told)


def every_verdict() -> tuple[Journal, tuple[Verdict, ...]]:
    fine = exchange(answer(200, b"", ("Content-Length", "0")), scenario=1, started=0.1)
    done = exchange(hostile(), scenario=2, started=0.3, resource="final", state="Done")
    again = replace(done, scenario=3, position=2, started=0.4)
    unknown = exchange(
        answer(500, b"broken"),
        scenario=4,
        started=0.6,
        resource="unknown",
        state=None,
        id=Form("unknown"),
    )
    silent = exchange(None, scenario=5, started=1.0, failure="timeout", transfer="chunked")
    waiting = exchange(answer(409, b"{}"), scenario=6, started=9.0, state="Waiting")
    made = [look("Open", 0), fine, look("Gone", 1), done, again, unknown, silent, waiting]
    journal = Journal("thing", Exchanges(made))
    journal.setups = 12
    c = CLAUSES
    bad = tuple(evidence(done, "4xx, no effect", f"200: {HOSTILE}") for _ in range(5))
    none, late = "the target offers no identity", "the call was not answered (timeout)"
    verdicts = (
        Verdict(c[0], "upheld", 3, upheld_by=evidence(fine, "200")),
        Verdict(c[1], "violated", 14, bad),
        Verdict(c[2], "violated", 1, (evidence(unknown),)),
        Verdict(c[3], "not-exercised", reason=f"{none} app"),
        Verdict(c[4], "not-exercised", reason=f"{none} x", excused="the mock checks no tokens"),
        Verdict(c[5], "not-exercised", reason="no answer was 401 in this situation"),
        Verdict(c[6], "inconclusive", reason=late),
        Verdict(c[7], "accepted", 2, (evidence(waiting, "2xx"),), reason="fixes with release 7"),
        Verdict(c[8], "not-exercised", reason="no exchange exercised it"),
        Verdict(c[9], "upheld", 1, upheld_by=evidence(fine, "200")),
        Verdict(c[10], "violated", 1, (evidence(silent, "an answer in full"),)),
    )
    told = (replace(v, conditional="answer" in v.clause.given) for v in verdicts)
    return journal, tuple(told)


def result_of(
    parts: Sequence[tuple[Contract, Journal, Sequence[Verdict]]],
    *,
    readings: Mapping[str, str] | None = None,
    redactor: Redactor | None = None,
    strict: bool = False,
    unusable: str | None = None,
    base_url: str = BASE,
) -> Result:
    results = []
    for contract, journal, verdicts in parts:
        seen = readings if readings and contract.dialects else {}
        judgement = Judgement(contract, tuple(verdicts), seen, unusable)
        results.append(ContractResult(contract, base_url, journal, judgement, 1.25))
    return Result(
        base_url=base_url,
        options=Options(strict=strict),
        results=tuple(results),
        started=datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC),
        seconds=2.5,
        redactor=redactor or Redactor(),
        warnings=("thing: routed under /beta, which the base URL leaves out",),
        faults_of_the_run=("thing: tear-down of 1 was answered 500",),
    )


def outcome_of(result: Result) -> Outcome:
    return decide(result.judgements(), strict=result.options.strict)


def other_part() -> tuple[Contract, Journal, Sequence[Verdict]]:
    fine = exchange(answer(200))
    journal = Journal("other-thing", Exchanges([fine]))
    return (
        OTHER,
        journal,
        (Verdict(OTHER.clauses[0], "upheld", 1, upheld_by=evidence(fine, "200")),),
    )


def sample(strict: bool = False) -> dict[str, Any]:
    """The record that holds every kind of verdict, over two contracts that share a clause id."""
    journal, verdicts = every_verdict()
    parts = [(CONTRACT, journal, verdicts), other_part()]
    result = result_of(parts, readings={"success": "prose"}, strict=strict)
    return record(result, outcome_of(result))


def sample_of(*words: str) -> dict[str, Any]:
    """A record with only those of the first contract's verdicts."""
    journal, verdicts = every_verdict()
    result = result_of([(CONTRACT, journal, [v for v in verdicts if v.word in words])])
    return record(result, outcome_of(result))


def secretive() -> dict[str, Any]:
    """The record of a run with tokens in every place that a target or a user can put one."""
    redactor = Redactor()
    redactor.learn(TOKEN)
    body = f'{{"message": "who sent {TOKEN}?"}}'.encode()
    plain = answer(200, body, ("X-Echo", TOKEN), ("Content-Type", "application/json"))
    packed = gzip.compress(body)
    coded = answer(200, body, ("Content-Encoding", "gzip"))
    coded = replace(coded, wire=coded.wire[: -len(body)] + packed)
    halves = b"%x\r\n%s\r\n" % (27, body[:27]) + b"%x\r\n%s\r\n0\r\n\r\n" % (
        len(body) - 27,
        body[27:],
    )
    chunked = answer(200, body, ("Transfer-Encoding", "chunked"))
    chunked = replace(chunked, wire=chunked.wire[: -len(body)] + halves)
    sent = Sent(
        "POST",
        f"http://user:{TOKEN}@127.0.0.1:8080/things/{TOKEN}/cancel?access_token={TOKEN}",
        (("Authorization", f"Bearer {TOKEN}"), ("Cookie", f"session={UNKNOWN_TOKEN}")),
        f'{{"Comment": "{TOKEN}"}}'.encode(),
    )
    foreign = Sent(
        "POST", f"{BASE}/things/2/cancel", (("authorization", f"Bearer {UNKNOWN_TOKEN}"),)
    )
    echoes = answer(403, f"bad token {UNKNOWN_TOKEN}".encode())
    calls = [
        exchange(plain, sent=sent),
        exchange(coded, sent=sent, scenario=2),
        exchange(chunked, sent=sent, scenario=3),
        exchange(echoes, sent=foreign, scenario=4),
    ]
    journal = Journal("thing", Exchanges(calls), stopped=f"the target said {TOKEN}")
    cut = f"200, 60 bytes: '{body[:38].decode()}…"  # as the judge quotes: it may end inside a token
    verdicts = [
        Verdict(
            CLAUSES[i], "violated", 1, (evidence(call, f"not {TOKEN}", cut),), reason=f"so {TOKEN}"
        )
        for i, call in enumerate(calls)
    ]
    verdicts += [
        Verdict(
            CLAUSES[7], "not-exercised", reason=f"the handler said {TOKEN}", excused=f"{TOKEN}"
        ),
        Verdict(CLAUSES[10], "not-exercised", reason=f"the handler said {TOKEN}"),
    ]
    result = result_of([(CONTRACT, journal, verdicts)], redactor=redactor, unusable=f"so {TOKEN}",
                       base_url=f"http://user:{TOKEN}@127.0.0.1:8080")  # fmt: skip
    result = replace(result, warnings=(f"thing: {TOKEN}",), faults_of_the_run=(f"thing: {TOKEN}",))
    outcome = replace(outcome_of(result), sentence=f"violated: {TOKEN}")
    return record(result, outcome)


def screen(written: dict[str, Any], *, verbose: bool = False, **settings: Any) -> str:
    settings = {"width": 80, "no_color": True} | settings
    console = Console(file=StringIO(), highlight=False, **settings)
    show(written, console, verbose)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]
