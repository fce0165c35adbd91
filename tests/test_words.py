"""A word of the vocabulary is one row: schema, plan, wire, `explain` and report read it there."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cancel_contracts import gate
from cancel_contracts.assignment import Options, assign
from cancel_contracts.builtin import mock_target
from cancel_contracts.contract import load as loading
from cancel_contracts.contract.compose import Composition
from cancel_contracts.contract.credentials import IDENTITIES, Carried
from cancel_contracts.contract.expected import FACETS, Facet
from cancel_contracts.contract.extras import EXTRAS, Extra
from cancel_contracts.contract.given import asked
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.word import Word
from cancel_contracts.contract.words import AXES, BODIES, IDS
from cancel_contracts.errors import UsageError
from cancel_contracts.exchange import Form, Sent, Situation
from cancel_contracts.judge.accumulator import SINGLE
from cancel_contracts.judge.facets import Finding
from cancel_contracts.judge.overall import OVERALL
from cancel_contracts.plan.plan import make
from cancel_contracts.report.explain import explanation
from cancel_contracts.report.plan import show
from cancel_contracts.report.record import record
from cancel_contracts.verify import verify
from generated import expect_table, given_table
from rich.console import Console
from yaml_text import document_of, text_of

pytestmark = pytest.mark.slow

MACHINE = load(next(path for path in shipped() if path.stem == "machine-action"))
WORD = Word("haiku", "five, seven, five", "a haiku for a body", b'"an old silent pond"')


def with_clause(folder: Path, **row: Any) -> Contract:
    """The contract with one more clause."""
    document = document_of(Path(MACHINE.path_of_file))
    source = {"page": "a page", "section": "a section"}
    clause = {"id": "MA-900", "level": "must", "says": "So it is.", "source": source, **row}
    document["x-clauses"].append(clause)
    path = folder / "machine-action.yaml"
    path.write_text(text_of(document), "utf-8")
    return load(path)


def reported(contract: Contract) -> tuple[list[str], list[Sent], dict[str, Any]]:
    """Plan and run the clause MA-900 on the mock: the numbers that --plan prints, the calls, and
    the row of the report.
    """
    options, screen = Options(only=("MA-900",)), StringIO()
    with mock_target([contract]) as target:
        assignments = assign([contract], target, options)
        show(assignments, Console(file=screen, width=120), options)
        result = verify([contract], target, options, assignments=assignments)
    (row,) = record(result, gate.decide(result.judgements()))["contracts"][0]["clauses"]
    numbers, *_ = re.findall(r"machine-action.*", screen.getvalue())
    calls = [x.sent for x in result.results[0].journal.exchanges if x.kind == "cancel"]
    return re.findall(r"\d+", numbers), calls, row


# axis, a new word of it, what the situation holds, what goes out
NEW = [
    pytest.param("body", WORD, Form("haiku"), lambda sent: sent.body == b'"an old silent pond"', id="body"),
    pytest.param(
        "identity",
        Word("whisperer", "a token in a header of its own", "in a whisper", lambda _, token: Carried((("X-Whisper", token),))),
        "whisperer",
        lambda sent: {"X-Whisper", "Authorization"} & dict(sent.headers).keys() == {"X-Whisper"},
        id="identity",
    ),
    pytest.param(
        "extra",
        Word("far", "a hop count", "from far away", Extra((("Max-Forwards", "9"),))),
        "far",
        lambda sent: ("Max-Forwards", "9") in sent.headers,
        id="extra",
    ),
]  # fmt: skip
TABLES = {"body": BODIES, "identity": IDENTITIES, "extra": EXTRAS}


@pytest.mark.parametrize(("axis", "word", "held", "goes_out"), NEW)
def test_a_word_added_to_its_table_is_known_everywhere(
    axis: str,
    word: Word,
    held: Any,
    goes_out: Callable[[Sent], bool],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The schema, the documentation, `explain`, the plan, the wire and the report read its row."""
    row = {"given": {axis: word.name}, "expect": {"status": 418}}
    with pytest.raises(UsageError, match=word.name):
        with_clause(tmp_path, **row)
    monkeypatch.setitem(TABLES[axis], word.name, word)
    monkeypatch.setitem(AXES[axis].words, word.name, word)
    contract = with_clause(tmp_path, **row)
    assert word.name in str(loading.spec_schema()["$defs"]["given"]["properties"][axis])
    assert f"| | `{word.name}` | {word.says} |" in given_table()
    clause = contract.clause("MA-900")
    assert clause is not None
    (situation,) = asked(contract, clause)
    assert getattr(situation, axis) == held
    assert any(situation in s.calls for s in make(contract, [clause], "gate").scenarios)
    reads = word.reads
    assert reads in explanation([contract], "MA-900")
    planned, calls, told = reported(contract)
    assert planned[:2] == ["1", str(len(calls))]  # clauses, and cancel calls
    assert any(goes_out(sent) for sent in calls)
    assert told["verdict"] == "violated"
    assert all(reads in piece["scenario"] for piece in told["evidence"])


def test_a_facet_added_to_its_table_is_known_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {"given": {"resource": "unknown"}, "expect": {"brief": True}}
    with pytest.raises(UsageError, match="expect has no facet 'brief'"):
        with_clause(tmp_path, **row)
    facet = Facet("brief", "`true`: the answer is under ten octets", {"const": True})
    monkeypatch.setitem(FACETS, "brief", facet)
    monkeypatch.setitem(SINGLE, "brief", lambda context, exchange, wanted: (
        Finding(exchange.status == 418, "under ten octets", f"{exchange.status}")
    ))  # fmt: skip
    contract = with_clause(tmp_path, **row)
    assert "brief" in loading.spec_schema()["$defs"]["expect"]["properties"]
    assert "| `brief` | `true`: the answer is under ten octets | the answer |" in expect_table()
    assert "brief: True" in explanation([contract], "MA-900")
    planned, calls, told = reported(contract)
    assert planned[:2] == ["1", str(len(calls))]
    assert told["verdict"] == "violated"
    assert "under ten octets" in told["evidence"][0]["expected"]


def test_every_facet_has_one_judge() -> None:
    assert set(FACETS) == {*SINGLE, *OVERALL}


@pytest.mark.parametrize("table", [IDENTITIES, IDS, BODIES, EXTRAS])
def test_every_row_says_what_it_is(table: dict[str, Word]) -> None:
    for name, row in table.items():
        assert row.name == name
        assert row.says
        assert not row.says.endswith(".")


def situation(**facts: Any) -> Situation:
    return Situation(**{"state": "Pending", **facts})


def spoken(status: int | None = None, **facts: Any) -> dict[str, Any]:
    """The clauses that speak of a call, with what they expect in place of their own words."""
    composition = Composition(MACHINE)
    found = {}
    for clause in MACHINE.clauses:
        if speaks := composition.speaks(clause, situation(**facts), status):
            found[clause.id] = speaks.expect
    return found


SCAN = "application:Machine.Scan"
UMLAUTS = Form("json", '{"Comment": "plain {unique}"}')
CHARSET = "application/json; charset=utf-8"


def test_neutral_facts_compose() -> None:
    """One permission, another comment, a charset, in chunks, on the other cancellable state."""
    found = spoken(
        200,
        identity=SCAN,
        body=UMLAUTS,
        content_type=CHARSET,
        transfer="chunked",
        state="InProgress",
    )
    for id_ in ("MA-01", "MA-07", "MA-15", "MA-28", "MA-45", "MA-54"):
        assert found[id_] is None, f"{id_} speaks as it stands"
    assert "MA-21" not in found


def test_one_refused_fact_is_refused_whatever_else_is_neutral() -> None:
    found = spoken(401, identity="anonymous", body=UMLAUTS, transfer="chunked")
    assert found["MA-21"] is None
    assert not found.keys() & {"MA-01", "MA-28", "MA-54"}


def test_two_refused_facts_are_refused_as_either_may_be() -> None:
    found = spoken(401, identity="anonymous", body=Form("array"))
    both = {"status": [401, "4xx"], "effect": "none"}
    assert found["MA-21"] == both
    assert found["MA-27"] == {"status": ["4xx", 401], "effect": "none"}


def test_an_open_fact_leaves_what_is_refused_refused() -> None:
    found = spoken(401, identity="anonymous", body=Form("empty-object"))
    assert found["MA-21"] == {"status": [401, "4xx"], "effect": "none"}
    assert "MA-25" not in found


def test_a_call_stands_for_the_ordinary_one_of_its_facts() -> None:
    composition = Composition(MACHINE)
    clause = MACHINE.clause("MA-28")
    assert clause is not None
    made = situation(identity=SCAN, body=UMLAUTS, state="InProgress", transfer="chunked")
    assert composition.stands_for(clause, made) == situation(body=UMLAUTS)
    refused = situation(identity="anonymous", body=UMLAUTS)
    assert composition.stands_for(clause, refused) == refused


def test_nothing_composes_with_what_nobody_knows() -> None:
    assert "MA-08" not in spoken(409, resource="final", state="Failed", identity="recorded")
