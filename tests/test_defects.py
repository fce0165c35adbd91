"""Violated clauses that have one cause are one finding, told in one sentence, the worst last."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from cancel_contracts.assignment import Options
from cancel_contracts.builtin import mock_target
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Contract
from cancel_contracts.defects import defects
from cancel_contracts.exchange import Exchange, Form, Situation
from cancel_contracts.judge.accumulator import Evidence
from cancel_contracts.judge.judge import Judgement, Verdict
from cancel_contracts.mock.catalogue import FAULTS
from cancel_contracts.report import html, markdown, scenario
from cancel_contracts.report.record import record
from cancel_contracts.report.text import line
from cancel_contracts.verify import Result, verify
from report_sample import CLAUSES, CONTRACT, OTHER, answer, exchange, outcome_of, screen


@cache
def contracts() -> tuple[Contract, ...]:
    return tuple(map(load, shipped()))


@cache
def run(*faults: str, names: tuple[str, ...] = (), only: tuple[str, ...] = ()) -> Result:
    chosen = [c for c in contracts() if not names or c.name in names]
    with mock_target(chosen, faults=faults) as target:
        return verify(chosen, target, Options(only=only))


def told(result: Result) -> dict[str, Any]:
    return record(result, outcome_of(result))


def violated(
    at: int,
    *evidence: tuple[Situation, int, str, str, tuple[str, ...]],
    contract: Contract = CONTRACT,
) -> Judgement:
    """Return the judgement of one clause, by situation, status, expected, actual and facets."""
    found = []
    for situation, status, expected, actual, facets in evidence:
        facts = {k: getattr(situation, k) for k in ("resource", "state", "identity", "transfer")}
        call = exchange(answer(status), **facts)
        found.append(Evidence(call, expected, actual, facets))
    clause = CLAUSES[at]
    return Judgement(contract, (Verdict(clause, "violated", 1, tuple(found)),), {})


def clauses(*judgements: Judgement) -> list[list[str]]:
    return [[b.verdict.clause.id for b in d.breaches] for d in defects(judgements)]


FINAL = Situation(resource="final", state="Done")
GONE = Situation(resource="final", state="Gone")
CHUNKED = Situation(state="Open", transfer="chunked")
OPEN = Situation(state="Open")
ANONYMOUS = Situation(state="Open", identity="anonymous")


def test_what_breaks_the_code_breaks_the_body_of_the_same_call() -> None:
    code = violated(1, (FINAL, 200, "4xx", "200", ("status", "effect")))
    body = violated(0, (FINAL, 200, "an error envelope", "200, no JSON", ("error",)))
    both = Judgement(CONTRACT, (*body.verdicts, *code.verdicts), {})
    assert clauses(both) == [["EX-02", "EX-01"]]


def test_a_header_that_lacks_in_other_calls_too_is_a_finding_of_its_own() -> None:
    code = violated(1, (FINAL, 200, "4xx", "200", ("status", "effect")))
    header = violated(
        0,
        (FINAL, 200, "a request-id", "none", ("echo",)),
        (OPEN, 200, "a request-id", "none", ("echo",)),
    )
    both = Judgement(CONTRACT, (*header.verdicts, *code.verdicts), {})
    assert clauses(both) == [["EX-02"], ["EX-01"]]


NOBODY = Situation(state="Open", identity="garbage-token")
STRANGER = Situation(resource="unknown", identity="anonymous")


def test_what_several_graver_clauses_say_of_its_calls_explains_a_clause() -> None:
    anonymous = violated(3, (ANONYMOUS, 200, "401", "200", ("status", "effect")))
    nobody = violated(4, (NOBODY, 200, "401 or 4xx", "200", ("status", "effect")))
    named = ("a name of that caller", "''", ("named",))
    both = violated(0, (ANONYMOUS, 200, *named), (NOBODY, 200, *named))
    more = violated(0, (ANONYMOUS, 200, *named), (NOBODY, 200, *named), (OPEN, 200, *named))

    def joined(*some: Judgement) -> list[list[str]]:
        return clauses(Judgement(CONTRACT, tuple(v for j in some for v in j.verdicts), {}))

    assert sorted(joined(anonymous, nobody, both)) == [["EX-04", "EX-01"], ["EX-05"]]
    assert ["EX-01"] in joined(anonymous, nobody, more), "in a call that no graver one speaks of"
    assert ["EX-01"] in joined(anonymous, both)


def test_whoever_is_let_in_is_told_what_exists() -> None:
    served = violated(3, (ANONYMOUS, 200, "401", "200", ("status", "effect")))
    lost = violated(4, (STRANGER, 404, "401", "404", ("status",)))
    malformed = violated(4, (STRANGER, 400, "401", "400", ("status",)))
    assert clauses(served, lost) == [["EX-04", "EX-05"]]
    assert len(clauses(served, malformed)) == 2


def test_the_same_deviation_in_another_state_or_contract_is_the_same_finding() -> None:
    done = violated(1, (FINAL, 200, "4xx", "200", ("status", "effect")))
    gone = violated(1, (GONE, 200, "409", "200", ("status", "effect")), contract=OTHER)
    assert clauses(done, gone) == [["EX-02", "EX-02"]]


def test_who_is_served_weighs_more_than_a_code_and_a_code_more_than_a_header() -> None:
    header = violated(0, (FINAL, 409, "a request-id", "none", ("echo",)))
    code = violated(7, (OPEN, 500, "200", "500", ("status",)))
    access = violated(3, (ANONYMOUS, 200, "401", "200", ("status",)))
    should = violated(2, (GONE, 200, "404", "200", ("status", "effect")))
    assert clauses(header, should, code, access) == [["EX-04"], ["EX-08"], ["EX-01"], ["EX-03"]]


def test_a_refusal_that_is_wanted_elsewhere_is_another_finding() -> None:
    unknown = violated(3, (ANONYMOUS, 200, "401", "200", ("status",)))
    forbidden = violated(4, (Situation(state="Open", identity="x"), 200, "403", "200", ("status",)))
    assert len(clauses(unknown, forbidden)) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "most"),
    [
        ("unknown-id-answered-200", 1),
        ("success-as-202", 1),
        ("get-performs", 1),
        ("no-permission-accepted", 1),
        ("second-cancel-answered-500", 1),
        ("request-id-missing", 1),
        ("anonymous-accepted", 2),
    ],
)
def test_a_fault_of_the_mock_is_a_finding(fault: str, most: int) -> None:
    result = run(fault, names=("security-action",))
    found = defects(result.judgements())
    assert 1 <= len(found) <= most, [[b.verdict.clause.id for b in d.breaches] for d in found]
    broken = [b.verdict.clause.id for d in found for b in d.breaches]
    words = [v for j in result.judgements() for v in j.verdicts if v.word == "violated"]
    assert sorted(broken) == sorted(v.clause.id for v in words), "each stands in one"


@pytest.mark.slow
def test_two_faults_are_two_findings_on_the_last_screen() -> None:
    broken = ("AP-11", "MA-08", "SA-32", "AP-51", "MA-50", "SA-13")
    others = tuple(clause.id for contract in contracts() for clause in contract.clauses[::8])
    asked = (*broken, *others)
    written = told(run("every-final-state-cancelled", "401-without-challenge", only=asked))
    first, second = written["defects"]
    assert "200, 0 bytes and takes effect; expected 4xx" in first["sentence"]
    assert (
        "401, WWW-Authenticate is missing; expected 401 with WWW-Authenticate" in second["sentence"]
    )
    assert {c["contract"] for c in first["clauses"]} == {c.name for c in contracts()}
    rows = screen(written).splitlines()
    last = rows[-40:]
    begins = [
        next(i for i, row in enumerate(last) if row.startswith(f"{n}. must: ")) for n in (2, 1)
    ]
    assert begins == sorted(begins), "the worst stands last"
    assert begins[1] - begins[0] <= 8 + 1
    assert first["sentence"][:40] in line("\n".join(last))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "only", "says"),
    [
        (
            "unknown-id-answered-200",
            ("MA-34", "SA-20"),
            " cancels an unknown id: 200, 0 bytes; expected 404",
        ),
        (
            "success-as-202",
            ("MA-15", "MA-51", "SA-09", "SA-37"),
            " cancels a cancellable resource ",
        ),
    ],
)
def test_a_sentence_says_what_the_calls_on_every_contract_have_in_common(
    fault: str, only: tuple[str, ...], says: str
) -> None:
    names = ("machine-action", "security-action")
    first = told(run(fault, names=names, only=only))["defects"][0]
    assert {clause["contract"] for clause in first["clauses"]} == set(names)
    assert says in first["sentence"]


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["unknown-id-answered-200", "401-without-challenge"])
def test_what_usually_breaks_a_clause_stands_beside_it_where_it_is_violated(fault: str) -> None:
    written = told(run(fault, names=("security-action",), only=("SA-01", "SA-13", "SA-20")))
    (says,) = (entry.says for entry in FAULTS if entry.name == fault)
    clauses = written["contracts"][0]["clauses"]
    violated = [c for c in clauses if c["verdict"] == "violated"]
    assert violated
    assert all(says in c["causes"] for c in violated if c["id"] in ("SA-20", "SA-13"))
    assert not any(c["causes"] for c in clauses if c["verdict"] == "upheld")
    assert "broken by one of these: " in line(screen(written, verbose=True))
    assert markdown.text(says) in "\n".join(markdown.sections(written))
    page = html.render(written)
    assert page.count("Usually broken by") == sum(bool(c["causes"]) for c in violated)


def call_of(**facts: Any) -> Exchange:
    return exchange(answer(200), **facts)


@pytest.mark.parametrize(
    ("calls", "says"),
    [
        ([{}], "admin cancels an Open resource"),
        ([{}, {}], "admin cancels an Open resource"),
        ([{}, {"identity": "app"}], "a caller cancels an Open resource"),
        (
            [
                {"identity": "delegated:X.Read"},
                {"identity": "delegated:X.Read", "state": "Waiting"},
            ],
            "a user with X.Read alone cancels a cancellable resource (Open or Waiting)",
        ),
        (
            [{"state": s, "resource": "final"} for s in ("A", "B", "C", "D", "E", "A")],
            "admin cancels a final resource (A, B, C, D and 1 more)",
        ),
        ([{}, {"state": "Done", "resource": "final"}], "admin cancels a resource"),
        (
            [{"state": None, "resource": "unknown"}, {}],
            "admin cancels any id",
        ),
        (
            [
                {"state": None, "resource": "unknown"},
                {"state": None, "resource": "odd", "id": Form("dots")},
            ],
            "admin cancels an id that names nothing",
        ),
        (
            [{}, {"method": "GET"}],
            "admin sends a request to the cancel route of an Open resource",
        ),
        (
            [{"transfer": "chunked"}, {"transfer": "chunked", "call": "second"}],
            "admin cancels an Open resource, in chunks",
        ),
        (
            [{"method": m} for m in ("GET", "PUT")],
            "admin sends GET or PUT to the cancel route of an Open resource",
        ),
        ([{"identity": "cut-token"}], "somebody with a token cut short cancels an Open resource"),
        ([{"identity": "application:X"}], "an application with X alone cancels an Open resource"),
        (
            [{"body": Form("json", '{"Comment": "{long} {unique}"}')}],
            'admin cancels an Open resource, body {"Comment": "(70,000 characters) (a number)"}',
        ),
    ],
    ids=str,
)
def test_a_sentence_names_what_all_calls_have_in_common(
    calls: list[dict[str, Any]], says: str
) -> None:
    assert scenario.common([call_of(**facts) for facts in calls]) == says
