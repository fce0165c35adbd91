"""A word of the vocabulary is one row: schema, plan, wire, `explain` and report read it there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from cancel_contracts.contract import load as loading
from cancel_contracts.contract.compose import Composition
from cancel_contracts.contract.given import asked
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.words import AXES, BODIES, EXTRAS, FACETS, IDENTITIES, IDS, Word
from cancel_contracts.exchange import Form, Situation
from cancel_contracts.judge.overall import OVERALL
from cancel_contracts.judge.tally import SINGLE
from cancel_contracts.plan.plan import make
from cancel_contracts.report.explain import explanation
from cancel_contracts.run.requests import Names, body_bytes

MACHINE = load(next(path for path in shipped() if path.stem == "machine-action"))
WORD = Word("haiku", "five, seven, five", "a haiku for a body", b'"an old silent pond"')


def with_clause(folder: Path, **row: Any) -> Contract:
    """The contract with one more clause."""
    document = yaml.safe_load(Path(MACHINE.path_of_file).read_text("utf-8"))
    source = {"page": "a page", "section": "a section"}
    clause = {"id": "MA-900", "level": "must", "says": "So it is.", "source": source, **row}
    document["x-clauses"].append(clause)
    path = folder / "machine-action.yaml"
    path.write_text(yaml.safe_dump(document), "utf-8")
    return load(path)


def test_a_word_added_to_its_table_is_known_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {"given": {"body": "haiku"}, "expect": {"status": "4xx", "effect": "none"}}
    with pytest.raises(Exception, match="no body is named 'haiku'"):
        with_clause(tmp_path, **row)
    monkeypatch.setitem(BODIES, WORD.name, WORD)
    monkeypatch.setitem(AXES["body"].words, WORD.name, WORD)
    contract = with_clause(tmp_path, **row)
    given = loading.spec_schema()["$defs"]["given"]["properties"]
    assert "haiku" in str(given["body"])
    clause = contract.clause("MA-900")
    assert clause is not None
    (situation,) = asked(contract, clause)
    assert situation.body == Form("haiku")
    assert body_bytes(contract, situation, Names()) == b'"an old silent pond"'
    assert any(situation in s.calls for s in make(contract, [clause], "gate").scenarios)
    assert "a haiku for a body" in explanation([contract], "MA-900")


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
