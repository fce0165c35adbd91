"""What a clause is about: by what it expects, or else by what it gives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from cancel_contracts.contract import topics
from cancel_contracts.contract.expected import FACETS, Facet
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.topics import TOPICS, topic
from cancel_contracts.contract.words import AXES
from report_sample import CLAUSES


@pytest.mark.parametrize(
    ("given", "expect", "name"),
    [
        ({"resource": "cancellable"}, {"status": 200}, "status"),
        ({"resource": "unknown"}, {"status": 404, "effect": "none"}, "status"),
        ({"resource": ["cancellable", "final"]}, {"status": [200, "4xx"]}, "status"),
        ({"any": "call"}, {"status": "not 5xx"}, "status"),
        ({"resource": "final"}, {"status": "4xx", "effect": "none"}, "lifecycle"),
        ({"resource": "cancellable"}, {"effect": "cancelled"}, "lifecycle"),
        ({"call": "concurrent"}, {"status": "2xx", "race": "serializable"}, "lifecycle"),
        ({"call": "second"}, {"status": "2xx", "effect": "kept"}, "lifecycle"),
        ({"identity": "app"}, {"status": 200, "effect": "cancelled"}, "permission"),
        ({"identity": {"delegated": "X.Read"}}, {"status": 403}, "permission"),
        ({"identity": ["anonymous", "any"], "answer": 401}, {"header": ["bearer"]}, "permission"),
        ({"identity": "user", "owner": "user", "body": "none"}, {"status": "4xx"}, "request"),
        ({"method": ["GET", "any"], "answer": 405}, {"header": ["allow"]}, "request"),
        ({"resource": "odd", "id": "dots"}, {"status": "4xx"}, "request"),
        ({"body": ["documented", "any"], "answer": "2xx"}, {"body": "entity"}, "body"),
        ({"answer": "4xx"}, {"error": ["envelope"]}, "error"),
        ({"identity": ["throttled", "any"], "answer": 429}, {"error": ["envelope"]}, "quota"),
        ({"any": "call"}, {"quota": "granted"}, "quota"),
        ({"any": "call"}, {"wire": "sound"}, "wire"),
        ({"transfer": "chunked"}, {"status": "2xx", "effect": "as-answered"}, "wire"),
        ({}, {"readings": {"a": {"body": "empty"}, "b": {"body": "entity"}}}, "body"),
    ],
    ids=str,
)
def test_a_clause_has_one_topic(given: dict[str, Any], expect: dict[str, Any], name: str) -> None:
    assert topic(replace(CLAUSES[0], given=given, expect=expect)) == name


def test_the_shipped_contracts_have_clauses_of_every_topic() -> None:
    for contract in map(load, shipped()):
        assert {topic(clause) for clause in contract.clauses} == set(TOPICS), contract.name


def test_every_row_of_the_vocabulary_names_a_topic_that_exists() -> None:
    named = {axis.topic for axis in AXES.values()} | {f.topic for f in FACETS.values() if f.topic}

    assert named <= set(TOPICS)


def test_a_new_facet_brings_its_topic(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Facet("sealed", "`true`: signed", {"const": True}, topic="wire")
    monkeypatch.setattr(topics, "FACETS", {**FACETS, row.name: row})

    assert topic(replace(CLAUSES[0], given={}, expect={"sealed": True})) == "wire"
