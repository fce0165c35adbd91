"""The whole flow against the built-in mock: counts, determinism, budgets, dialects, a
fourth contract.
"""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from cancel_contracts import gate, parse
from cancel_contracts.assignment import Options, assign
from cancel_contracts.builtin import mock_target, new_key, target_of
from cancel_contracts.cli import main
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.words import IDS
from cancel_contracts.exchange import Exchange
from cancel_contracts.mock.server import MockServer
from cancel_contracts.report.record import record
from cancel_contracts.targets.file import Target, of_url
from cancel_contracts.transport.client import Timeouts
from cancel_contracts.verify import ContractResult, Result, verify
from report_sample import screen

CONTRACTS = [load(path) for path in shipped()]
QUICK = Options(timeouts=Timeouts(2, 2, 3), effect_seconds=1.5)


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with mock_target(CONTRACTS, quotas=False) as found:
        yield found


@pytest.fixture(scope="module")
def gated(target: Target) -> Result:
    return verify(CONTRACTS, target, QUICK)


@pytest.mark.slow
def test_every_testable_clause_is_exercised_and_upheld_on_the_faithful_mock(gated: Result) -> None:
    words = {v.clause.id: v.word for j in gated.judgements() for v in j.verdicts}
    assert {id_: w for id_, w in words.items() if w != "upheld"} == {}
    assert len(words) == sum(k.profile == "gate" for c in CONTRACTS for k in c.clauses)
    assert gate.decide(gated.judgements(), strict=True).exit_code == 0


@pytest.mark.slow
def test_the_gate_stays_within_the_quota_of_the_page(gated: Result) -> None:
    for result in gated.results:
        assert result.requests()["cancel"] <= 100


@pytest.mark.slow
def test_a_run_that_conforms_fits_on_a_screen(gated: Result) -> None:
    rows = screen(record(gated, gate.decide(gated.judgements()))).splitlines()
    assert len(rows) <= 25, "\n".join(rows)
    assert max(map(len, rows)) <= 80
    for contract in CONTRACTS:
        assert any(r.startswith(f"{contract.name}  ") and " upheld" in r for r in rows)


def test_the_plan_is_what_is_sent(gated: Result, target: Target) -> None:
    for assignment, result in zip(assign(CONTRACTS, target, QUICK), gated.results, strict=True):
        assert result.requests() == assignment.cost(), assignment.contract.name


def cancels(result: ContractResult) -> list[Exchange]:
    return [x for x in result.journal.exchanges if x.kind == "cancel"]


def plainly(body: bytes) -> bytes:
    """Return JSON spelled in one way: how long an escaped id is depends on its letters."""
    try:
        return json.dumps(json.loads(body)).encode()
    except (ValueError, RecursionError):
        return body


def sent(results: Sequence[ContractResult]) -> list[tuple[str, str, bytes]]:
    """Return the cancel calls, ids that the mock made left out, and those that are nearly one."""
    rows = []
    for r in results:
        for x in cancels(r):
            near = IDS[x.situation.id.word].near
            made = x.situation.id.word == "known" or near
            url = x.sent.url.replace(x.resource, near or "ID") if made else x.sent.url
            # One that is spelled in escapes: which of its octets are.
            spelled = (s for s in url.split("/") if "%" in s and unquote(s) == x.resource)
            url = url.replace(s := next(spelled, url), re.sub("%..|[0-9a-f]", "x", s))
            body = plainly(x.sent.body)
            body = body.replace(x.resource.encode(), b"ID") if made else body
            rows.append((x.sent.method, url.split("/", 3)[3], body if x.role == "target" else b""))
    return rows


@pytest.mark.slow
def test_the_same_seed_sends_the_same_requests(gated: Result, target: Target) -> None:
    def comparable(results: Sequence[ContractResult]) -> Counter[tuple[str, str, int]]:
        return Counter((m, u, len(b)) for m, u, b in sent(results))

    again = verify(CONTRACTS[:1], target, QUICK)
    assert comparable(again.results) == comparable(gated.results[:1])


@pytest.mark.slow
def test_several_jobs_come_to_the_same_verdicts(gated: Result, target: Target) -> None:
    def told(result: ContractResult) -> dict[str, tuple[str, int, int, str | None]]:
        return {
            v.clause.id: (v.word, v.exercised, v.deviations, v.reason)
            for v in result.judgement.verdicts
        }

    def order(result: ContractResult) -> list[tuple[int, int, str]]:
        return [
            (x.scenario, x.position, x.kind)
            for x in result.journal.exchanges
            if x.situation.call != "concurrent"
        ]

    one = gated.results[1]  # tests/test_far.py has them all
    (several,) = verify(CONTRACTS[1:2], target, replace(QUICK, jobs=6)).results
    assert told(several) == told(one)
    assert order(several) == order(one)
    assert several.requests() == one.requests()


@pytest.mark.slow
def test_several_jobs_find_the_same_faults_and_show_the_same_evidence() -> None:
    contract, key = next(c for c in CONTRACTS if c.quotas), new_key()
    faults = ("unknown-id-answered-200", "text-truncated", "first-final-state-cancelled")
    told = []
    for jobs in (1, 6):
        with MockServer([contract], key=key, faults=faults, quotas=False) as server:
            target = target_of(server, [contract], key)
            result = verify([contract], target, replace(QUICK, jobs=jobs))
        told.append(
            {
                v.clause.id: [
                    (e.exchange.scenario, e.exchange.position, e.exchange.situation, e.expected)
                    for e in v.violations
                ]
                for v in result.judgements()[0].verdicts
            }
        )
    assert told[0] == told[1]
    assert sum(map(bool, told[0].values())) >= len(faults)


def test_smoke_touches_nothing_that_exists(target: Target) -> None:
    result = verify(CONTRACTS, target, Options(profile="smoke"))
    for r in result.results:
        assert 0 < r.requests()["cancel"] <= 20
        assert r.requests()["provider_states"] == 0
        assert {x.situation.resource for x in cancels(r)} <= {"unknown", "odd"}
    assert gate.decide(result.judgements()).exit_code == 0


@pytest.mark.slow
def test_deep_spends_its_budget_to_the_call(target: Target) -> None:
    """And upholds every clause, those too that are its own."""
    smallest = min(CONTRACTS, key=lambda contract: len(contract.clauses))
    options = Options(profile="deep", max_requests=300, timeouts=QUICK.timeouts)
    result = verify([smallest], target, options)
    assert result.results[0].requests()["cancel"] == 300
    words = {v.clause.id: v.word for j in result.judgements() for v in j.verdicts}
    assert words == {clause.id: "upheld" for clause in smallest.clauses}


def test_a_budget_that_is_too_small_leaves_clauses_open_and_is_no_error(target: Target) -> None:
    result = verify(CONTRACTS[:1], target, Options(max_requests=10))
    assert result.results[0].requests()["cancel"] <= 10
    outcome = gate.decide(result.judgements())
    assert outcome.exit_code == 4
    assert any("budget" in r for rows in outcome.excuses.values() for r in rows.values())


@pytest.mark.parametrize(
    ("only", "told"),
    [
        (("MA-07",), "1 must-clause remains open: MA-07"),
        (("MA-07", "MA-08"), "2 must-clauses remain open: MA-07, MA-08"),
    ],
)
def test_what_remains_open_is_counted_in_plain_words(
    target: Target, only: tuple[str, ...], told: str
) -> None:
    stateless = of_url(target.base_url)
    result = verify(CONTRACTS, stateless, replace(QUICK, only=only))
    assert gate.decide(result.judgements()).sentence == told


@pytest.mark.slow
def test_either_dialect_passes_and_a_pinned_one_fails_where_it_is_not_held() -> None:
    contract = next(c for c in CONTRACTS if any(d.name == "example" for d in c.dialects))
    for variants, seen, other in (
        ((), "prose", "example"),
        (("other-success-code",), "example", "prose"),
    ):
        with mock_target([contract], variants=variants) as found:
            read = tuple(c.id for c in contract.clauses if "readings" in c.expect)
            result = verify([contract], found, replace(QUICK, only=read))
            assert gate.decide(result.judgements()).exit_code == 0
            assert seen in result.judgements()[0].readings.values()
            pinned = Options(only=("AP-30",), pinned={contract.name: (other,)})
            outcome = gate.decide(verify([contract], found, pinned).judgements())
            assert (outcome.exit_code, "AP-30" in outcome.sentence) == (1, True)


FOURTH = Path(__file__).with_name("print_job_spec.txt")


def fourth(tmp_path: Path) -> Path:
    path = tmp_path / "print-job.yaml"
    shutil.copy(FOURTH, path)
    return path


def test_a_fourth_contract_is_one_yaml_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = fourth(tmp_path)
    report = tmp_path / "report.json"
    code = main(["verify", "--spec", str(path), "--report-json", str(report)])
    written = json.loads(report.read_text("utf-8"))
    assert code == 0, capsys.readouterr().out
    (contract,) = written["contracts"]
    assert contract["name"] == "print-job"
    assert {c["id"]: c["verdict"] for c in contract["clauses"]} == dict.fromkeys(
        ("PJ-1", "PJ-2", "PJ-3", "PJ-4"), "upheld"
    )
    assert main(["clauses", "--spec", str(path)]) == 0
    assert "PJ-3" in capsys.readouterr().out


def test_a_fourth_contract_catches_its_own_faults(tmp_path: Path) -> None:
    contract: Contract = load(fourth(tmp_path))
    caught: dict[str, Any] = {}
    for fault in ("unknown-id-answered-200", "success-as-204"):
        with mock_target([contract], [fault]) as found:
            outcome = gate.decide(verify([contract], found, QUICK).judgements())
            caught[fault] = outcome.sentence
    assert caught == {
        "unknown-id-answered-200": "violated: PJ-3",
        "success-as-204": "violated: PJ-1",
    }


# --- a contract that the target does not serve ----------------------------------------------------


def test_a_contract_that_is_not_served_is_one_line_and_no_upheld_clauses() -> None:
    machine, security = (
        next(c for c in map(load, shipped()) if c.name == name)
        for name in ("machine-action", "security-action")
    )
    with mock_target([machine]) as target:
        asked = ("MA-01", *(clause.id for clause in security.clauses))
        result = verify([machine, security], target, Options(only=asked))
        own = {**target.raw, "serves": ["machine-action"]}
        alone = verify(
            [machine, security], Target("t", own, target.base_url), Options(only=("MA-01",))
        )
    served, unserved = result.results
    assert served.judgement.unusable is None
    assert (unserved.judgement.unusable or "").startswith("not served here?")
    assert not any(v.word in ("upheld", "violated") for v in unserved.judgement.verdicts)
    outcome = gate.decide(result.judgements())
    assert outcome.exit_code == 4
    assert "not served here?" in outcome.sentence
    assert gate.decide(alone.judgements()).exit_code == 0


def test_a_served_route_whose_handler_offers_nothing_is_judged() -> None:
    """Whoever has no token is refused there: the route exists."""
    security = next(c for c in map(load, shipped()) if c.name == "security-action")
    machine = next(c for c in map(load, shipped()) if c.name == "machine-action")
    with mock_target([security]) as target, mock_target([machine]) as other:
        raw = {**target.raw, "provider_states": other.raw["provider_states"]}
        mixed = Target("t", raw, target.base_url)
        (made,) = verify([security], mixed, Options(only=("SA-20", "SA-21", "SA-01"))).results
    assert made.judgement.unusable is None
    assert [v.word for v in made.judgement.verdicts if v.clause.id == "SA-20"] == ["upheld"]


@pytest.mark.slow
def test_nobody_changes_what_was_read_of_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judges and reports are given the same values for the same body."""
    read: dict[bytes, Any] = {}

    def once(data: bytes) -> Any:
        return read.setdefault(data, parse.json_value(data))

    monkeypatch.setattr(parse, "_known", once)
    some = [c for c in CONTRACTS if c.bodies]
    with mock_target(some[-1:], faults=["entity-without-id"]) as target:
        result = verify(some[-1:], target, QUICK)
    record(result, gate.decide(result.judgements()))
    assert len(read) > 40
    assert [data for data, value in read.items() if value != parse.json_value(data)] == []
