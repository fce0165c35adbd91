"""The shipped specs: valid OpenAPI, complete, and validated to the last key."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cancel_contracts.contract.given import listed
from cancel_contracts.contract.load import every_shipped, load
from cancel_contracts.contract.states import canonical
from cancel_contracts.errors import UsageError
from yaml_text import document_of, text_of

IDS = Path(__file__).with_name("clause_ids.txt")
SPECS = every_shipped()


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
def test_is_valid_openapi(path: Path) -> None:
    from openapi_spec_validator import validate  # which takes a tenth of a second

    validate(document_of(path))


def test_no_statement_of_the_pages_is_lost() -> None:
    wanted = {line for line in IDS.read_text("utf-8").split("\n") if line and line[0] != "#"}
    assert len(wanted) == 112
    contracts = [load(path) for path in SPECS]
    missing = {id_ for id_ in wanted if not any(c.knows(id_) for c in contracts)}
    assert not missing


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
def test_no_clause_has_any_resource_cancelled(path: Path) -> None:
    for clause in load(path).clauses:
        wanted = [clause.expect, *clause.readings.values()]
        if any(row.get("effect") == "cancelled" for row in wanted):
            assert "any" not in listed(clause.given.get("resource", [])), clause.id


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
def test_every_untestable_row_says_why(path: Path) -> None:
    for row in load(path).not_testable:
        assert len(row.reason) > 20, row.id


def test_states_are_compared_without_case_and_with_either_spelling_of_cancelled() -> None:
    assert (
        canonical("PendingApproval")
        == canonical("pendingApproval")
        == canonical("pending_approval")
    )
    assert canonical("Cancelled") == canonical("canceled")
    assert canonical("Canceled") != canonical("Cancelling")
    assert canonical("Cancelled") != canonical("Cancelled?")


MACHINE = next(path for path in SPECS if path.stem == "machine-action")


def first(d: dict[str, Any]) -> Any:
    return d["x-clauses"][0]


MALFORMED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a clause key misspelt": (lambda d: first(d).update(expects={}), "x-clauses/0"),
    "a facet misspelt": (
        lambda d: first(d).update(expect={"statuss": 200}),
        "x-clauses/MA-01: expect has no facet 'statuss'; did you mean 'status'?",
    ),
    "a given misspelt": (
        lambda d: first(d).update(given={"resourse": "x"}),
        "x-clauses/MA-01: given has no key 'resourse'; did you mean 'resource'?",
    ),
    "an id of no kind": (
        lambda d: first(d).update(given={"resource": "odd", "id": "known"}),
        "x-clauses/MA-01/given/id: no id is named 'known'",
    ),
    "a kind of odd id for a resource that is not odd": (
        lambda d: first(d).update(given={"resource": "unknown", "id": "dots"}),
        "`id` goes with `resource: odd` alone",
    ),
    "a method that is none": (
        lambda d: first(d).update(given={"method": "OPTION"}),
        "no method is named 'OPTION'; did you mean 'OPTIONS'?",
    ),
    "an identity misspelt": (
        lambda d: first(d).update(given={"identity": ["admin", "anonymos"]}),
        "no identity is named 'anonymos'; did you mean 'anonymous'?",
    ),
    "a property that no schema shows": (
        lambda d: first(d).update(expect={"keeps": ["requestorComent"]}),
        "keeps 'requestorComent', which no schema shows; did you mean 'requestorComment'?",
    ),
    "a state in a property that no schema shows": (
        lambda d: d["x-lifecycle"].update(shows=["stauts"]),
        "no schema shows 'stauts'; did you mean 'status'?",
    ),
    "a permission that nobody is asked to have": (
        lambda d: first(d).update(expect={"accepts": "Machine.Isolat"}),
        "accepts 'Machine.Isolat', which nobody is asked to have",
    ),
    "the address of a page misspelt": (
        lambda d: d["x-pages"].update({"machineactoin": d["x-pages"].pop("machineaction")}),
        "x-pages/machineactoin: no source names this page; did you mean 'machineaction'?",
    ),
    "an address that no browser follows": (
        lambda d: d["x-pages"].update(machineaction={"url": "javascript:alert(1)"}),
        "x-pages/machineaction/url",
    ),
    "an unknown state": (lambda d: first(d).update(given={"resource": "Paused"}), "MA-01"),
    "a level misspelt": (lambda d: first(d).update(level="shall"), "x-clauses/0/level"),
    "an id of another form": (lambda d: first(d).update(id="one"), "x-clauses/0/id"),
    "an id twice": (lambda d: d["x-clauses"].append(copy.deepcopy(first(d))), "MA-01"),
    "no lifecycle": (lambda d: d.pop("x-lifecycle"), "x-lifecycle"),
    "a state both ways": (lambda d: d["x-lifecycle"]["final"].append("Pending"), "x-lifecycle"),
    "an operation that is not there": (
        lambda d: d["x-lifecycle"].update(cancel="stop"),
        "x-lifecycle",
    ),
    "an unknown reading": (
        lambda d: first(d).update(
            expect={"readings": {"a": {"status": 200}, "b": {"status": 204}}}
        ),
        "MA-01",
    ),
    "a neighbour of an odd id": (
        lambda d: first(d).update(given={"resource": "odd"}, expect={"neighbour": "unchanged"}),
        "neighbour",
    ),
    "a neighbour of calls at once": (
        lambda d: first(d).update(given={"call": "concurrent"}, expect={"neighbour": "unchanged"}),
        "neighbour",
    ),
    "a neighbour on a kept connection": (
        lambda d: first(d).update(given={"call": "reused"}, expect={"neighbour": "unchanged"}),
        "neighbour",
    ),
    "an unknown example": (lambda d: first(d).update(given={"body": {"example": "x"}}), "MA-01"),
    "a dangling reference": (
        lambda d: d["paths"]["/api/machineactions/{machineactionid}/cancel"]["post"].update(
            responses={"200": {"$ref": "#/components/responses/None"}}
        ),
        "paths",
    ),
    "OpenAPI 3.0": (lambda d: d.update(openapi="3.0.3"), "openapi"),
    "a quota without calls": (lambda d: d.update({"x-quota": [{"seconds": 60}]}), "x-quota"),
    "a scheme that is not defined": (
        lambda d: d["paths"]["/api/machineactions/{machineactionid}/cancel"]["post"].update(
            security=[{"magic": ["x"]}]
        ),
        "security",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_spec_names_file_and_place(name: str, tmp_path: Path) -> None:
    change, place = MALFORMED[name]
    broken = document_of(MACHINE)
    change(broken)
    path = tmp_path / "machine-action.yaml"
    path.write_text(text_of(broken), "utf-8")
    with pytest.raises(UsageError) as err:
        load(path)
    text = str(err.value)
    assert str(path) in text
    assert place in text
    assert "\n" not in text


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"- a\n- b\n",
        b"a: [1\n",
        b"\xff\xfe",
        b"a: 1\na: 2\n",
        b"&a [*a]",
        b"!!python/object:os.system {}",
    ],
)
def test_what_is_no_yaml_mapping_is_one_line(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_bytes(data)
    with pytest.raises(UsageError) as err:
        load(path)
    assert str(path) in str(err.value)
    assert "\n" not in str(err.value)


def test_a_spec_is_read_once_and_again_where_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "machine-action.yaml"
    text = next(p for p in SPECS if p.stem == path.stem).read_text("utf-8")
    path.write_text(text, "utf-8")
    first, again = load(path), load(path)
    assert first is again
    path.write_text(text.replace("id: MA-01", "id: MA-98"), "utf-8")
    assert {first.clauses[0].id, load(path).clauses[0].id} == {"MA-01", "MA-98"}
    path.write_text("a: 1\n", "utf-8")
    with pytest.raises(UsageError):
        load(path)


def test_a_file_name_that_is_no_contract_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "My Spec.yaml"
    path.write_text("a: 1", "utf-8")
    with pytest.raises(UsageError, match="no contract name"):
        load(path)


def test_a_shipped_contract_is_named_as_its_file() -> None:
    """Where contracts are named, no other file is read."""
    for path in every_shipped():
        assert load(path).name == path.stem
