"""The mock answers as the spec documents each status, by example or by schema, and never otherwise."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cancel_contracts.builtin import mock_target
from cancel_contracts.cli import main
from cancel_contracts.contract.load import load
from cancel_contracts.contract.model import Contract
from cancel_contracts.errors import UsageError
from cancel_contracts.identity.identities import Identities
from cancel_contracts.mock import shape
from cancel_contracts.mock.catalogue import FAULTS, VARIANTS
from cancel_contracts.mock.envelope import form_of
from cancel_contracts.mock.filler import fits, value_of
from cancel_contracts.prove import jobs
from cancel_contracts.redact.secrets import Redactor
from cancel_contracts.report import matrix
from cancel_contracts.speaking import left_out
from yaml_text import document_of, text_of

Capture = pytest.CaptureFixture[str]
SPECS = Path(__file__).parent / "cases" / "specs"
ORDERS, TICKETS = load(SPECS / "order-cancel.yaml"), load(SPECS / "ticket-revoke.yaml")
PAYMENTS = load(SPECS / "payment-void.yaml")

SCHEMAS: dict[str, Any] = {
    "an example": ({"type": "object", "example": {"a": 1}}, {"a": 1}),
    "an example that does not fit": ({"type": "integer", "example": "x", "minimum": 5}, 5),
    "a constant": ({"const": True}, True),
    "one of a list, not null": ({"enum": [None, "open"]}, "open"),
    "a default": ({"type": "string", "default": "x"}, "x"),
    "an object": (
        {"type": "object", "required": ["b"], "properties": {"a": {"type": "integer"}}},
        {"a": 1, "b": "text"},
    ),
    "what is sent alone": ({"properties": {"a": {"type": "string", "writeOnly": True}}}, {}),
    "all of two": (
        {"allOf": [{"required": ["a"], "properties": {"a": {"type": "integer"}}},
                   {"properties": {"a": {"minimum": 7}, "b": {"format": "date"}}}]},
        {"a": 7, "b": "2024-10-21"},
    ),
    "one of two, with what stands beside": (
        {"required": ["kind"], "properties": {"kind": {"type": "string"}}, "oneOf": [
            {"type": "object", "properties": {"kind": {"const": "a"}}, "required": ["kind"]},
            {"type": "null"}]},
        {"kind": "a"},
    ),
    "null or a text": ({"type": ["null", "string"]}, "text"),
    "a list": ({"type": "array", "minItems": 2, "items": {"type": "boolean"}}, [True, True]),
    "a list of what nobody has": ({"type": "array", "uniqueItems": True, "maxItems": 0}, []),
    "a long text": ({"type": "string", "minLength": 6}, "texttext"[:6]),
    "a short text": ({"type": "string", "maxLength": 2}, "te"),
    "a pattern": ({"type": "string", "pattern": "^[a-z][0-9]$"}, "a1"),
    "a pattern of one word": ({"pattern": "^canceled$"}, "canceled"),
    "a number between": ({"type": "number", "minimum": 0.2, "maximum": 0.4}, 0.2),
    "a multiple": ({"type": "integer", "minimum": 11, "multipleOf": 5}, 15),
    "what excludes its bound": ({"type": "integer", "exclusiveMinimum": 3}, 4),
    "nothing said": ({}, "text"),
    "anything": (True, {}),
}  # fmt: skip


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_value_is_made_that_fits_its_schema(name: str) -> None:
    schema, expected = SCHEMAS[name]
    value = value_of(schema)
    assert value == expected
    assert fits(schema, value)


def test_depth_comes_to_an_end() -> None:
    schema: Any = {"type": "object", "properties": {"end": {"type": "string"}}}
    for _ in range(30):
        schema = {"type": "object", "properties": {"more": schema}}
    assert 3 < json.dumps(value_of(schema)).count("more") < 30


# --- What a contract is answered with -------------------------------------------------------------


def spec(tmp_path: Path, **changes: Any) -> Contract:
    """Return the contract of orders with other responses, or another schema of the order."""
    document = document_of(SPECS / "order-cancel.yaml")
    del document["x-prove"]
    post = document["paths"]["/orders/{id}/cancel"]["post"]
    post["responses"] = changes.get("responses", post["responses"])
    if "order" in changes:
        document["components"]["schemas"]["Order"] = changes["order"]
    document["x-lifecycle"] |= changes.get("lifecycle", {})
    document["x-clauses"] = changes.get("clauses", document["x-clauses"][:1])
    if "responses" in changes and "clauses" not in changes:
        document["x-clauses"][0]["expect"] = {"effect": "cancelled"}
    document |= changes.get("top", {})
    path = tmp_path / "order-cancel.yaml"
    path.write_text(text_of(document), "utf-8")
    return load(path)


ANY = {"description": "…"}


@pytest.mark.parametrize(
    ("codes", "status"),
    [
        (["200", "409"], 409),
        (["200", "422"], 422),
        (["200", "409", "422"], 409),
        (["200", "400", "404", "4XX"], 400),
        (["200", "403", "404", "4XX"], 409),
        (["200", "404", "default"], 409),
        (["200", "403", "404"], 403),
        (["200", "401", "404"], 404),
        (["200", "401"], 409),
        (["200"], 409),
    ],
)
def test_a_final_state_is_refused_as_documented(
    codes: list[str], status: int, tmp_path: Path
) -> None:
    assert shape.final_status(spec(tmp_path, responses=dict.fromkeys(codes, ANY))) == status


def test_a_variant_keeps_to_documented_codes(tmp_path: Path) -> None:
    def applying(*codes: str) -> set[str]:
        contract = spec(tmp_path, responses=dict.fromkeys(codes, ANY))
        return {v.name for v in VARIANTS if v.applies(contract)}

    finals = {f"final-state-answered-{code}" for code in (400, 403, 422)}
    done = "repeat-answered-as-done"
    assert applying("200", "4XX") >= {*finals, done, "odd-ids-answered-422"}
    assert applying("200") >= {*finals, done}
    assert not applying("200", "409", "4XX") & {*finals, done}
    assert not applying("200", "422", "404") & {*finals, done, "odd-ids-answered-400"}


def test_faults_of_web_tokens_are_of_web_tokens(tmp_path: Path) -> None:
    def applying(scheme: dict[str, Any]) -> set[str]:
        components = document_of(SPECS / "order-cancel.yaml")["components"]
        components["securitySchemes"] = {"token": scheme}
        contract = spec(tmp_path, top={"components": components})
        return {f.name for f in FAULTS if f.applies(contract)}

    theirs = {
        "unsigned-accepted", "bad-signature-accepted", "wrong-audience-accepted", "expired-accepted",
        "token-without-expiry-accepted", "token-of-algorithm-none-in-capitals-accepted",
    }  # fmt: skip
    bearer = {"type": "http", "scheme": "bearer"}
    assert applying({**bearer, "bearerFormat": "JWT"}) >= theirs
    assert applying({"type": "openIdConnect", "openIdConnectUrl": "https://x.example"}) >= theirs
    assert not applying(bearer) & theirs
    assert not applying({**bearer, "bearerFormat": "opaque"}) & theirs
    assert not applying({"type": "apiKey", "in": "header", "name": "X-Key"}) & theirs
    assert "garbage-token-accepted" in applying(bearer)


def test_enums_are_kept_to_by_variants() -> None:
    """The codes of payments are listed, orders take no further property of a success."""
    payments, orders = ({v.name for v in VARIANTS if v.applies(c)} for c in (PAYMENTS, ORDERS))
    assert not payments & {"other-error-codes", "empty-error-codes", "helpful-errors"}
    assert not payments & {"states-in-pascal-case", "cancelled-in-the-other-spelling"}
    assert "extra-in-errors" in payments
    assert "extra-properties" in payments
    assert "extra-properties" not in orders


def test_errors_are_told_by_status_and_media_type() -> None:
    assert form_of(ORDERS, 404).media == "text/plain"
    assert form_of(ORDERS, 404).example == "No such order."
    problem = form_of(ORDERS, 422)
    assert problem.media == "application/problem+json"
    assert fits(problem.schema, problem.example)
    assert form_of(TICKETS, 500).example == {
        "message": "text",
        "documentation_url": "https://example.com/",
    }
    assert form_of(None).example == {"error": {"code": "", "message": ""}}


def test_properties_are_filled_by_their_type() -> None:
    assert (
        shape.filled_in("canceled_at", {"type": ["integer", "null"]}, "now", "ann") > 1_000_000_000
    )
    assert shape.filled_in("by", {"type": "string"}, "now", "ann") == "ann"
    assert shape.filled_in("when", {"format": "date-time", "type": "string"}, "now", "ann") == "now"
    assert shape.filled_in("endDate", None, "now", "ann") == "now"
    assert shape.filled_in("done", {"type": "boolean"}, "now", "ann") is True
    assert shape.filled_in("why", {"enum": ["asked", "late"]}, "now", "ann") == "asked"
    before = shape.entity_example(ORDERS)
    assert before["canceled_at"] is None
    assert before["total"] == 100


def test_what_no_value_is_found_for_is_refused_with_its_place(
    tmp_path: Path, capsys: Capture
) -> None:
    never = {"type": "object", "required": ["id"], "properties": {
        "id": {"type": "string"}, "state": {"type": "string"}, "canceled_at": {}, "canceled_by": {},
        "code": {"type": "string", "pattern": "^[^a-zA-Z0-9 ]{7}x{12}$"}}}  # fmt: skip
    contract = spec(tmp_path, order=never)
    assert main(["verify", "--spec", contract.path_of_file]) == 2
    told = capsys.readouterr().err
    assert "paths//orders/{id}" in told
    assert "give an example beside it" in told
    assert told.count("\n") == 1


# --- On the wire ----------------------------------------------------------------------------------


@contextmanager
def calling(contract: Contract) -> Iterator[Any]:
    """Yield a function that makes a call on the cancel route of a mock, and returns the answer."""
    with mock_target([contract]) as target:
        who = Identities(contract, target.endpoint(contract), Redactor())
        address = target.raw["base_url"].removeprefix("http://")

        def call(
            method: str, path: str, identity: str | None = None, body: Any = None, **more: str
        ) -> Any:
            headers = {name.replace("_", "-"): text for name, text in more.items()}
            if identity is not None:
                headers |= dict(who.credentials(identity).headers)
            connection = http.client.HTTPConnection(address, timeout=5)
            connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            told = answer.read()
            connection.close()
            return answer.status, dict(answer.getheaders()), told

        def new(state: str) -> str:
            params = {"contract": contract.name, "state": state}
            _, _, told = call("POST", "/_pact/provider-states", body={"params": params})
            return str(json.loads(told)["id"])

        yield call, new


def test_an_accepted_cancel_is_an_empty_object_with_its_header() -> None:
    with calling(ORDERS) as (call, new):
        id_ = new("paid")
        status, headers, told = call("POST", f"/orders/{id_}/cancel", "admin")
        assert (status, told, headers["Location"]) == (202, b"{}", "/orders")
        _, _, told = call("GET", f"/orders/{id_}", "admin")
        order = json.loads(told)
        assert order["state"] == "canceled"
        assert isinstance(order["canceled_at"], int)
        status, headers, told = call("POST", f"/orders/{id_}/cancel", "admin")
        assert (status, headers["Content-Type"]) == (422, "application/problem+json")
        assert json.loads(told)["type"] == "about:blank"
        status, headers, told = call("POST", "/orders/none/cancel", "admin")
        assert (status, headers["Content-Type"], told) == (404, "text/plain", b"No such order.")


def test_a_bearer_scheme_without_scopes_lets_nobody_in_that_is_unknown() -> None:
    with calling(ORDERS) as (call, new):
        path = f"/orders/{new('open')}/cancel"
        assert call("POST", path)[0] == 401
        assert call("POST", path, Authorization="Bearer nobody")[0] == 401
        assert call("POST", path, Authorization="Basic dTpw")[0] == 401
        assert call("POST", path, "user")[0] == 202, "any known token is served"


def test_a_success_of_its_own_shape_shows_what_it_shares_with_the_resource() -> None:
    with calling(TICKETS) as (call, new):
        id_ = new("paid")
        _, _, told = call("POST", f"/tickets/{id_}/revoke", "admin")
        assert json.loads(told) == {"id": id_, "revoked": True, "object": "ticket"}


def test_a_limit_is_told_by_the_status_of_its_quota() -> None:
    with calling(TICKETS) as (call, new):
        ids = [new("paid") for _ in range(TICKETS.quotas[0].calls)]
        assert {call("POST", f"/tickets/{i}/revoke", "admin")[0] for i in ids} == {200}
        status, headers, _ = call("POST", f"/tickets/{new('paid')}/revoke", "admin")
        assert (status, headers["x-ratelimit-remaining"]) == (403, "0")
        assert re.fullmatch("[0-9]+", headers["Retry-After"])


def test_a_request_is_known_again_by_its_key_its_caller_and_its_resource() -> None:
    with calling(PAYMENTS) as (call, new):
        one, other = (f"/payments/{new('authorised')}/void" for _ in range(2))
        first = call("POST", one, "admin", Idempotency_Key="k")
        assert first[0] == 200
        assert call("POST", one, "admin", Idempotency_Key="k")[2] == first[2]
        assert call("POST", one, "admin", Idempotency_Key="k2")[0] == 409
        assert call("POST", one, "admin")[0] == 400
        assert call("POST", one, "app", Idempotency_Key="k")[0] == 409
        assert call("POST", other, "admin", Idempotency_Key="k")[2] != first[2]


# --- What prove leaves out ------------------------------------------------------------------------


def test_names_patterns_families_and_clauses_are_left_out() -> None:
    contract = replace(ORDERS, unproven={
        "success-as-302": "a", "wire-*": "b", "wire": "c", "OR-3": "d", "latency": "e"})  # fmt: skip
    rows = {row.key: row for row in left_out(contract)}
    assert rows["success-as-302"].entries == ("success-as-302",)
    assert {n.partition("-")[0] for n in rows["wire-*"].entries} == {"wire"}
    assert set(rows["wire"].entries) > set(rows["wire-*"].entries), "beside them next-call-…"
    assert rows["OR-3"].entries == ()
    assert [row.reason for row in rows.values()] == list("abcde")
    names = {name for _, name in jobs([contract])}
    assert not names & {"success-as-302", "wire-bytes-after", "latency"}
    assert [name for _, name in jobs([contract], ["latency"])] == ["latency"], "named, it is tried"


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("succes-as-302", "names no fault, variant or family; did you mean success-as-302?"),
        ("text-lost", "does not apply to this contract; leave it out"),
        ("zzz-*", "names no fault, variant or family; `cancel-contracts mock --list` names them"),
        ("OR-9", "names no fault"),
    ],
)
def test_what_names_nothing_is_refused_with_its_place(key: str, told: str) -> None:
    with pytest.raises(UsageError) as raised:
        jobs([replace(ORDERS, unproven={key: "because"})])
    assert f"x-prove/{key}" in str(raised.value)
    assert told in str(raised.value)


def test_reports_of_prove_list_what_is_left_out(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "order-cancel.yaml"
    text = (SPECS / "order-cancel.yaml").read_text("utf-8")
    path.write_text(text.replace("the page says nothing of framing", "a | b"), "utf-8")
    made, table = tmp_path / "m.json", tmp_path / "m.md"
    argv = ["--only", "success-misshapen", "--jobs", "1"]
    argv += ["--report-json", str(made), "--report-markdown", str(table)]
    assert main(["prove", "--spec", str(path), *argv]) == 0
    out = capsys.readouterr().out
    assert re.search(r"left out  order-cancel: wire \(\d+\): a \| b", out)
    assert re.search(r"0 holes, \d+ left out by the spec", out)
    rows = {row["key"]: row for row in json.loads(made.read_text("utf-8"))["left_out"]}
    assert rows["wire"]["reason"] == "a | b"
    assert "wire-bytes-after" in rows["wire"]["entries"]
    assert "| order-cancel | wire (" in table.read_text("utf-8")
    assert r"a \| b" in table.read_text("utf-8")
    assert matrix.ENTRY_CHARS


# --- Refused at load ------------------------------------------------------------------------------


def clause(given: Any, expect: Any) -> list[dict[str, Any]]:
    return [{"id": "OR-1", "level": "must", "says": "x", "source": {"page": "p", "section": "s"},
             "given": given, "expect": expect}]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "expect", "told"),
    [
        ({"call": "repeated"}, {"alike": ["body"]}, "no parameter is its key"),
        (
            {"call": "second"},
            {"alike": ["body"]},
            "compares bodies of calls that are no repetition",
        ),
        ({"resource": "unknown"}, {"error": ["single"]}, None),
        ({}, {"body": "documentd"}, "must be one of empty, entity, documented"),
    ],
)
def test_what_cannot_be_honoured_is_refused(
    given: Any, expect: Any, told: str | None, tmp_path: Path
) -> None:
    if told is None:
        assert spec(tmp_path, clauses=clause(given, expect)).clauses
        return
    with pytest.raises(UsageError, match=re.escape(told)):
        spec(tmp_path, clauses=clause(given, expect))


def test_documented_words_ask_for_documentation(tmp_path: Path) -> None:
    text = {"content": {"text/plain": {"schema": {"type": "string"}}}, **ANY}
    bare = {"200": ANY, "404": text}
    with pytest.raises(UsageError, match="no response documents any"):
        spec(tmp_path, responses=bare, clauses=clause({}, {"error": ["media-type"]}))
    with pytest.raises(UsageError, match="no response has one that is `required: true`"):
        spec(tmp_path, responses=bare, clauses=clause({}, {"header": ["documented"]}))
    row = {"calls": 1, "seconds": 1, "documented": "page", "refused": 200}
    with pytest.raises(UsageError, match="refused"):
        spec(tmp_path, top={"x-quota": [row]})
    with pytest.raises(UsageError, match="owners"):
        spec(tmp_path, lifecycle={"owners": "Nobody"})
    assert spec(tmp_path, lifecycle={"owners": True}).lifecycle.owners is True
