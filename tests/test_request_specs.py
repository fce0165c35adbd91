"""What a spec says of requests: read, or refused where it cannot be sent."""

from __future__ import annotations

import copy
import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes
from uuid import UUID, uuid4

import pytest
from cancel_contracts import gate
from cancel_contracts.assignment import Options
from cancel_contracts.builtin import mock_target
from cancel_contracts.cli import main
from cancel_contracts.contract import parameters
from cancel_contracts.contract.credentials import IDENTITIES, Carried, Carrier, Scheme
from cancel_contracts.contract.ids import Id
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Contract
from cancel_contracts.errors import UsageError
from cancel_contracts.exchange import Form, Sent, Situation
from cancel_contracts.identity.identities import Identities
from cancel_contracts.plan.plan import make
from cancel_contracts.redact.secrets import Redactor
from cancel_contracts.report import curl
from cancel_contracts.run.content import Names
from cancel_contracts.run.draw import Drawing
from cancel_contracts.run.requests import cancel_request, masked, odd_segment
from cancel_contracts.targets.draft import draft
from cancel_contracts.targets.file import load as load_target
from cancel_contracts.verify import Result, verify
from servers.front import Request, Response, Written, written
from yaml_text import document_of, text_of

pytestmark = pytest.mark.slow

SPECS = Path(__file__).with_name("cases") / "specs"
DOCUMENTS = {name: document_of(SPECS / f"{name}.yaml") for name in ("build-stop", "session-revoke")}
Document = dict[str, Any]
Change = Callable[[Document], Any]


def contract_of(folder: Path, name: str, change: Change = lambda d: None) -> Contract:
    document = copy.deepcopy(DOCUMENTS[name])
    change(document)
    path = folder / f"{name}.yaml"
    path.write_text(text_of(document), "utf-8")
    return load(path)


def act(d: Document) -> Any:
    (route,) = (r for r in d["paths"] if r.endswith(("/stop", "{session}")))
    return next(d["paths"][route][m] for m in ("put", "delete") if m in d["paths"][route])


def parameter(d: Document, at: int = 1) -> Any:
    return act(d)["parameters"][at]


def given(**facts: Any) -> Change:
    return lambda d: d["x-clauses"][0].update(
        given={k.replace("_", "-"): v for k, v in facts.items()}
    )


def scheme(**row: Any) -> Change:
    return lambda d: d["components"]["securitySchemes"].update(login=row)


def all_of(*changes: Change) -> Change:
    return lambda d: [change(d) for change in changes]


BUILD: dict[str, tuple[Change, str]] = {
    "a required header without a value": (
        lambda d: parameter(d).pop("example"),
        "paths//projects/{project}/builds/{build}/stop/put/parameters: 'Idempotency-Key' is required and has no value",
    ),
    "a required query without a value": (
        lambda d: d["components"]["parameters"]["Version"].pop("example"),
        "'api-version' is required and has no value; give it an example, a default or a const",
    ),
    "a path parameter without a value": (
        lambda d: d["components"]["parameters"]["Project"].pop("example"), "'project' is required and has no value",
    ),
    "a path parameter that nobody describes": (
        lambda d: [item["parameters"].pop(0) for item in d["paths"].values()], "'project' stands in the path and is no parameter",
    ),
    "a parameter of another path": (
        lambda d: parameter(d, 2).update({"in": "path", "name": "branch", "example": "x"}), "'branch' does not stand in the path",
    ),
    "a value that its schema refuses": (
        lambda d: d["components"]["parameters"]["Version"].update(example="2019-01-01"), "'api-version' has a value that its own schema refuses",
    ),
    "a value that no header may hold": (lambda d: parameter(d).update(example="schlüssel"), "'Idempotency-Key' has a value that no header may hold"),
    "a value that is a list": (lambda d: parameter(d).update(example=["a", "b"]), "has a value that is no text, number or truth"),
    "another style": (lambda d: parameter(d, 2).update(style="deepObject"), "'notify' is not of the style form"),
    "a parameter of a media type": (
        lambda d: (parameter(d, 2).pop("schema"), parameter(d, 2).update(content={"application/json": {}})), "'notify' is not of the style form",
    ),
    "a cookie": (lambda d: parameter(d, 2).update({"in": "cookie"}), "'notify' stands in a cookie, which is not supported"),
    "a header that the suite sends": (lambda d: parameter(d).update(name="Accept"), "'Accept' is sent by the suite itself"),
    "a header that is none": (lambda d: parameter(d).update(name="a key"), "'a key' is no name of a header"),
    "two parameters of a name": (lambda d: parameter(d).update(name="API-Version"), "'API-Version' is the name of two parameters"),
    "what is no parameter": (lambda d: act(d)["parameters"].append({"name": "x"}), "holds what is no parameter"),
    "no id in common": (
        lambda d: (d["paths"].update({"/builds/{id}": d["paths"].pop("/projects/{project}/builds/{build}")})),
        "paths//builds/{id}: shares no path parameter with /projects/{project}/builds/{build}/stop",
    ),
    "an id of which no other can be made": (
        lambda d: d["components"]["parameters"]["Build"].update(schema={"type": "string", "pattern": "^b-[0-9]{3}$"}, example="b"),
        "'build' has a schema that no fresh id fits; give it an example",
    ),
    "a parameter that the operation has not": (given(parameter={"version": "omitted"}), "x-clauses/BS-1/given/parameter: the operation has no parameter 'version'; use one of project, api-version, Idempotency-Key, notify"),
    "a word that is none": (given(parameter={"api-version": "wrong"}), "no parameter is named 'wrong'"),
    "a word without a name": (given(parameter="omitted"), "x-clauses/0/given/parameter"),
    "a segment that is left out": (given(parameter={"project": "omitted"}), "'project' stands in the path and cannot be omitted"),
    "what is never sent, left out": (given(parameter={"notify": "omitted"}), "'notify' is never sent"),
    "invalid, where nothing is": (given(parameter={"project": "invalid"}), "the schema of 'project' refuses nothing"),
    "other, where there is but one": (
        all_of(given(parameter={"api-version": "other"}), lambda d: d["components"]["parameters"]["Version"].update(schema={"const": "2024-05-01"})),
        "the schema of 'api-version' takes no other value",
    ),
    "Basic as another scheme than Basic": (given(identity="basic-scheme"), "x-clauses/BS-1/given/identity: 'basic-scheme' is nothing of its own under the scheme"),
    "a forged password": (given(identity=["anonymous", "bad-signature"]), "'bad-signature' is nothing of its own under the scheme"),
    "a bare scheme where there is none": (
        all_of(given(identity="bare-scheme"), scheme(type="apiKey", name="X-Key", **{"in": "header"})), "'bare-scheme' is nothing of its own under the scheme",
    ),
    "a scheme in lower case already": (all_of(given(extra="lower-case-scheme"), scheme(type="http", scheme="token")), "'lower-case-scheme' is nothing"),
    "a challenge for Bearer": (
        lambda d: d["x-clauses"][10]["expect"].update(header=["bearer"]), "x-clauses/BS-11/expect/header: expects a challenge for Bearer, which is not the scheme",
    ),
    "a client certificate": (scheme(type="mutualTLS"), "components/securitySchemes/login: no credentials of this kind can be sent"),
    "a scheme that answers a challenge": (scheme(type="http", scheme="digest"), "no credentials of this kind can be sent"),
    "a key in the body": (scheme(type="apiKey", name="k", **{"in": "body"}), "no credentials of this kind can be sent"),
    "a key under a name of no header": (scheme(type="apiKey", name="a key", **{"in": "header"}), "'a key' is no name of a header"),
    "two schemes at once": (lambda d: act(d).update(security=[{"login": [], "other": []}]), "asks for several schemes at once"),
    "a scheme that is not there": (lambda d: act(d).update(security=[{"logon": []}]), "scheme 'logon' is not defined"),
    "XML": (
        lambda d: act(d).update(requestBody={"content": {"application/xml": {"examples": {"a": {"value": "x"}}}}}), "gives no application/json examples",
    ),
    "an operation of another method": (lambda d: d["x-lifecycle"].update(cancel="readBuild"), "no POST or PUT or PATCH or DELETE operation is named 'readBuild'"),
}  # fmt: skip
SESSION: dict[str, tuple[Change, str]] = {
    "JSON where a form is due": (given(body=["documented", "malformed-json"]), "x-clauses/SR-1/given/body: 'malformed-json' is of JSON, and the body is a form"),
    "an array for a form": (given(body={"json": ["a"]}), "is no form: names with texts, numbers or truths"),
    "an object in a form": (given(body={"json": {"a": {"b": 1}}}), "is no form: names with texts, numbers or truths"),
    "a form spelled in JSON's other way": (given(extra="respelled"), "'respelled' is of JSON, and the body is a form"),
    "an example that is no form": (
        lambda d: act(d)["requestBody"]["content"]["application/x-www-form-urlencoded"]["examples"].update(deep={"value": {"a": []}}),
        "has an example 'deep' that no form can hold",
    ),
    "invalid, where every form will do": (
        all_of(given(body="invalid"), lambda d: act(d)["requestBody"]["content"]["application/x-www-form-urlencoded"].update(schema={"type": "object"})),
        "no form is invalid by the schema of the requestBody",
    ),
    "GET refused on the path that shows": (given(method=["POST", "GET"]), "GET on this route shows the resource"),
    "no id at the end of the path": (given(resource="odd", id=["word", "empty"]), "x-clauses/SR-1/given/id: 'empty' at the end of the path may name all that there is"),
    "dots at the end of the path": (given(resource="odd", id="dots"), "'dots' at the end of the path may name all that there is"),
    "a number for an id of letters": (lambda d: d["x-clauses"][2].update(given={"resource": "odd", "id": "nr"}), "no id is named 'nr'"),
}  # fmt: skip
REFUSED = [("build-stop", *BUILD[k], k) for k in BUILD]
REFUSED += [("session-revoke", *SESSION[k], k) for k in SESSION]


@pytest.mark.parametrize(
    ("name", "change", "told"), [r[:3] for r in REFUSED], ids=[r[3] for r in REFUSED]
)
def test_what_cannot_be_sent_is_refused_at_load(
    tmp_path: Path, name: str, change: Change, told: str
) -> None:
    with pytest.raises(UsageError) as err:
        contract_of(tmp_path, name, change)
    assert told in str(err.value)
    assert str(tmp_path / name) in str(err.value)
    assert "\n" not in str(err.value)


# --- what is read ---------------------------------------------------------------------------------


def test_values_come_in_the_order_const_example_schema_default(tmp_path: Path) -> None:
    def value(row: Document) -> str | None:
        whole = {"name": "v", "in": "query", "required": True, **row}
        contract = contract_of(tmp_path, "build-stop", lambda d: act(d)["parameters"].append(whole))
        return contract.parameters[-1].value

    every: Document = {"const": 1, "example": 2, "examples": [3], "default": 4}
    assert value({"example": 1, "schema": every}) == "1"
    del every["const"]
    assert value({"example": 5, "schema": every}) == "5"
    assert value({"examples": {"a": {"value": True}, "b": {"value": 2}}, "schema": every}) == "true"
    assert value({"schema": every}) == "2"
    del every["example"]
    assert value({"schema": every}) == "3"
    assert value({"schema": {"default": 0.5}}) == "0.5"
    assert value({"required": False, "example": 1, "schema": {}}) is None
    assert value({"required": False, "schema": {"const": "x"}}) == "x"
    # What is never sent may be whatever it is.
    assert value({"required": False, "example": ["a"], "schema": {"default": None}}) is None


@pytest.mark.parametrize(
    "schema",
    [
        {}, {"type": "string"}, {"type": "string", "format": "uuid"}, {"type": "integer"},
        {"type": "integer", "format": "int32", "maximum": 2**31 - 1}, {"type": "integer", "maximum": 2**31},
        {"type": "string", "pattern": "^ses_[a-z0-9]{8}$"}, {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{4}$"},
        {"type": "string", "pattern": "^[0-9a-f]{16}$"}, {"type": "string", "pattern": "^[0-9]+$"},
    ],
    ids=str,
)  # fmt: skip
def test_fresh_ids_fit_the_schema_and_are_many(schema: Document) -> None:
    pattern = schema.get("pattern", "")
    example = {"^s": "ses_ab12cd34", "^[A": "QX-0815", "^[0-9a": "00ff00ff00ff00ff"}
    named = next((text for start, text in example.items() if pattern.startswith(start)), "1")
    id_ = Id("x", {"schema": schema, "example": named})
    made = {id_.fresh(uuid4()) for _ in range(20)}
    assert all(id_.fits(text) for text in made), made
    assert len(made) > 15
    assert id_.fresh(UUID(int=7)) == id_.fresh(UUID(int=7))


@pytest.mark.parametrize(
    ("pattern", "drawn"), [("", 0), ("^[0-9]+$", 0), ("^[A-Z]{2}-[0-9]{4}$", 1)]
)
def test_an_id_like_the_example_is_drawn_where_no_other_fits(
    pattern: str, drawn: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every set-up of a mock makes one: hundreds of drafts each would be most of its work."""
    made: list[str] = []

    def like(*_: object) -> Iterator[str]:
        for text in ["QX-0815"] * 9:
            made.append(text)
            yield text

    monkeypatch.setattr(parameters, "_like", like)
    Id("x", {"schema": {"type": "string", "pattern": pattern}, "example": "AB-1234"}).fresh(uuid4())
    assert len(made) == drawn


def _wire(identity: str) -> Carrier:
    wire: Carrier | None = IDENTITIES[identity].wire
    assert wire is not None
    return wire


def test_an_odd_number_is_too_large_where_ids_are_numbers(tmp_path: Path) -> None:
    numbers = contract_of(tmp_path, "build-stop")
    texts = contract_of(tmp_path, "session-revoke")
    assert odd_segment(numbers, Form("number")) == "9" * 24
    assert odd_segment(numbers, Form("word")) == odd_segment(texts, Form("word")) == "no-such-id"
    assert odd_segment(texts, Form("number")) == "123123123"
    assert odd_segment(numbers, Form("raw", "%FF")) == "%FF"


SCHEMES = {
    "Bearer": (Scheme(), {"Authorization": "Bearer t:o k"}, ""),
    "Basic": (Scheme("Basic", opaque=True), {"Authorization": "Basic dDpvIGs="}, ""),
    "Token": (Scheme("Token", opaque=True), {"Authorization": "Token t:o k"}, ""),
    "header": (Scheme("", "header", "X-Key", True), {"X-Key": "t:o k"}, ""),
    "cookie": (Scheme("", "cookie", "sid", True), {"Cookie": "sid=t:o k"}, ""),
    "query": (Scheme("", "query", "a key", True), {}, "a%20key=t%3Ao%20k"),
}


@pytest.mark.parametrize("name", SCHEMES)
def test_credentials_stand_where_the_scheme_has_them(name: str) -> None:
    scheme, headers, query = SCHEMES[name]
    carried = scheme.carry("t:o k")
    assert (dict(carried.headers), carried.query) == (headers, query)


@pytest.mark.parametrize("name", SCHEMES)
def test_no_form_of_credentials_is_the_ordinary_one(name: str) -> None:
    """Each is another than what is served, and those that need no token hold none."""
    scheme = SCHEMES[name][0]
    ordinary, told = scheme.carry("a-token-Of-somebody"), set()
    for identity, row in IDENTITIES.items():
        if row.wire is None or not scheme.knows(identity):
            continue
        carried = row.wire(scheme, "a-token-Of-somebody")
        assert (carried.headers, carried.query) != (ordinary.headers, ordinary.query), identity
        told.add((carried.headers, carried.query))
    assert len(told) >= 7


@pytest.mark.parametrize(
    "scheme",
    [
        Scheme("", "header", "X-Access-Token"), Scheme("", "header", "x-authorization"), Scheme("", "header", "Authorization"),
        Scheme("", "cookie", "access_token"), Scheme("", "query", "access_token"), Scheme("Basic"), Scheme("Token", name="Authorization"),
    ],
    ids=str,
)  # fmt: skip
def test_a_token_elsewhere_is_never_where_it_belongs(scheme: Scheme) -> None:
    """Whatever the place is called: a good server would serve it."""
    carried = _wire("token-elsewhere")(scheme, "a-token")
    own = "cookie" if scheme.place == "cookie" else scheme.name.lower()
    headers = {name.lower() for name, _ in carried.headers}
    if scheme.place == "query":
        assert not carried.query
    else:
        assert own not in headers
        assert carried.query
    assert len(headers) >= 4


def test_what_nobody_asks_for_replaces_no_parameter(tmp_path: Path) -> None:
    language = {"name": "Accept-Language", "in": "header", "required": True, "example": "en"}
    contract = contract_of(
        tmp_path, "build-stop", lambda d: act(d)["parameters"].append({**language, "schema": {}})
    )
    situation = Situation(state="waiting", method="PUT", extra="browser")
    carried = contract.scheme.carry("a:b")
    sent = cancel_request(contract, "http://127.0.0.1:1", situation, "7", Names(), carried, "x")
    headers = [(name.lower(), text) for name, text in sent.headers]
    assert [text for name, text in headers if name == "accept-language"] == ["en"]
    assert "user-agent" in dict(headers)


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("extra", ["none", "browser", "lower-case"])
def test_no_secret_goes_further_than_the_wire(tmp_path: Path, name: str, extra: str) -> None:
    scheme, secret = SCHEMES[name][0], "user:a-Secret-that-nobody-may-see"
    contract = contract_of(tmp_path, "build-stop")
    for identity in ("primary", "cut-token", "token-elsewhere", "bare-token", "words-after"):
        row = IDENTITIES[identity]
        carried = (row.wire or Scheme.carry)(scheme, secret)
        carried = type(carried)(carried.headers, carried.query, secret)
        situation = Situation(state="waiting", method="PUT", extra=extra)
        sent = cancel_request(
            contract, "http://127.0.0.1:1", situation, "7", Names(), carried, "an-id"
        )
        kept = masked(sent, carried, "admin")
        shown = kept.url + str(kept.headers)
        assert "Secret" not in shown, identity
        assert scheme.written(secret)[:12] not in shown, identity
        assert "<admin>" in shown
        assert sum(n.lower() == "cookie" for n, _ in sent.headers) <= 1


class Heard:
    """Keeps the last request."""

    def __init__(self) -> None:
        self.stopped, self.seen = threading.Event(), list[Request]()

    def answer(self, request: Request) -> Response:
        self.seen.append(request)
        return Response(204)

    def encode(self, response: Response, request: Request, close: bool) -> bytes:
        return written(response, request, close)


@pytest.mark.outside("curl")
@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("extra", ["none", "browser"])
def test_a_line_of_curl_sends_the_same_again(tmp_path: Path, name: str, extra: str) -> None:
    scheme, secret = SCHEMES[name][0], "user:a-Secret$-of'somebody"
    contract, carried = contract_of(tmp_path, "build-stop"), scheme.carry(secret)
    carried = Carried(carried.headers, carried.query, secret)
    with Written(Heard()) as front:
        situation = Situation(state="waiting", method="PUT", extra=extra)
        sent = cancel_request(contract, front.url, situation, "7", Names("7"), carried, "an-id")
        kept = masked(sent, carried, "admin")
        line = curl.line(kept)
        assert "Secret" not in line
        environ = {**os.environ, "ADMIN_TOKEN": scheme.written(secret)}
        subprocess.run(["sh", "-c", line], env=environ, check=True, capture_output=True)
        (request,) = front.service.seen  # type: ignore[attr-defined]
    assert request.method == "PUT"
    assert front.url + request.target == sent.url
    asked = {n.lower(): v for n, v in sent.headers if n.lower() != "user-agent"}  # curl's own
    assert asked.items() <= request.headers.items()


def test_a_drafted_target_file_shows_the_parameters(tmp_path: Path) -> None:
    contract = contract_of(tmp_path, "build-stop")
    text = draft([contract], "handler", whole=False)
    assert '#   project: "a project"\n#   api-version: "2024-05-01"\n' in text
    assert "the token of Basic is user:password" in text
    path = tmp_path / "target.yaml"
    bare = re.sub(r'(?m)^# (?=parameters:)|^#(?=   [\w-]+: ")', "", text)
    path.write_text(bare, "utf-8")
    given = load_target(path).endpoint(contract).parameters
    assert given == {p.name: p.value for p in contract.parameters if p.value is not None}


TARGETS: dict[str, tuple[str, str]] = {
    "a name that no operation has": ("parameters: {version: 1}", "parameters: no operation has a parameter 'version'; use api-version"),
    "one that this contract has not": (
        "contracts: {build-stop: {parameters: {projects: x}}}", "contracts/build-stop/parameters: no operation has a parameter 'projects'; use project",
    ),
    "a value that the schema refuses": ("parameters: {api-version: '1999'}", "parameters: api-version has a value that the schema of build-stop refuses"),
    "a value that no header may hold": (
        "contracts: {build-stop: {parameters: {Idempotency-Key: 'größe'}}}", "contracts/build-stop/parameters: Idempotency-Key holds what no header may",
    ),
    "a header that is a parameter": ("headers: {idempotency-key: abcd}", "headers/idempotency-key: is a parameter of build-stop; give it under `parameters`"),
    "a list": ("parameters: {project: [a, b]}", "parameters/project"),
    "a password with a control in it": (
        'identities: {admin: {token: "u:a\\tb"}}', "identities/admin: the token is empty or holds characters no header may",
    ),
    "Basic without a user": ("identities: {admin: {token: swordfish}}", "admin has no user; give it as user:password"),
}  # fmt: skip


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_file_that_cannot_be_sent_is_refused(tmp_path: Path, name: str) -> None:
    text, told = TARGETS[name]
    contract, path = contract_of(tmp_path, "build-stop"), tmp_path / "target.yaml"
    path.write_text(f"base_url: http://127.0.0.1:1\n{text}\n", "utf-8")

    def read() -> None:
        target = load_target(path)
        target.check_names([contract])
        Identities(contract, target.endpoint(contract), Redactor())

    with pytest.raises(UsageError) as err:
        read()
    assert told in str(err.value)
    assert "swordfish" not in str(err.value)


def test_ids_of_a_target_file_may_be_numbers(tmp_path: Path) -> None:
    contract, path = contract_of(tmp_path, "build-stop"), tmp_path / "target.yaml"
    own = "{provider_states: {waiting: [30433642, '8#'], built: []}, unknown_id: 7}"
    path.write_text(f"base_url: http://127.0.0.1:1\ncontracts: {{build-stop: {own}}}\n", "utf-8")
    endpoint = load_target(path).endpoint(contract)
    assert endpoint.ids["waiting"][:2] == ("30433642", "81")
    assert endpoint.unknown_id == "7"


# --- the mock, by the scheme ----------------------------------------------------------------------


def without(*words: str) -> Change:
    """Leave words out that say nothing under another scheme."""

    def change(d: Document) -> None:
        for key in ("identity", "extra"):
            for row in d["x-clauses"]:
                asked = row.get("given", {}).get(key)
                if isinstance(asked, list):
                    row["given"][key] = [word for word in asked if word not in words]
            d["x-clauses"] = [r for r in d["x-clauses"] if r.get("given", {}).get(key) not in words]

    return change


NO_SCHEME = without("bare-scheme", "lower-case-scheme")
MOCKED: dict[str, Change] = {
    "Token": scheme(type="http", scheme="Token"),
    "bearer without scopes": scheme(type="http", scheme="bearer"),
    "key in a header": all_of(scheme(type="apiKey", name="X-API-Key", **{"in": "header"}), NO_SCHEME),
    "key in a cookie": all_of(scheme(type="apiKey", name="sid", **{"in": "cookie"}), NO_SCHEME),
    "key in the query": all_of(scheme(type="apiKey", name="key", **{"in": "query"}), NO_SCHEME),
}  # fmt: skip


def on_mock(contract: Contract, fault: str = "", only: tuple[str, ...] = ()) -> Result:
    with mock_target([contract], [fault] if fault else []) as target:
        return verify([contract], target, Options(only=only), environ={})


@pytest.mark.parametrize("name", MOCKED)
def test_the_mock_asks_for_credentials_by_the_scheme(tmp_path: Path, name: str) -> None:
    contract = contract_of(tmp_path, "build-stop", MOCKED[name])
    result = on_mock(contract, only=("BS-1", "BS-11"))
    decided = gate.decide(result.judgements())
    assert decided.exit_code == 0, decided.sentence
    clause = next(c for c in contract.clauses if c.id == "BS-11")
    assert len(clause.given["identity"]) >= 5


WRONG = [
    ("key in a header", "token-in-the-query"), ("key in a header", "token-in-a-cookie"),
    ("key in a cookie", "token-in-the-query"), ("key in a cookie", "key-in-a-header-accepted"),
    ("key in the query", "token-in-a-cookie"), ("key in the query", "key-in-a-header-accepted"),
    ("Token", "token-cut"), ("bearer without scopes", "garbage-token-accepted"),
    ("key in the query", "anonymous-accepted"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "fault"), WRONG)
def test_a_mock_that_is_careless_about_the_scheme_is_caught(
    tmp_path: Path, name: str, fault: str
) -> None:
    contract = contract_of(tmp_path, "build-stop", MOCKED[name])
    result = on_mock(contract, fault, only=("BS-1", "BS-11"))
    words = {v.clause.id: v.word for j in result.judgements() for v in j.verdicts}
    assert words.pop("BS-11") == "violated"
    assert "violated" not in words.values()


def test_a_scheme_without_scopes_refuses_who_is_to_lack_what_it_takes(tmp_path: Path) -> None:
    lacking = all_of(
        lambda d: d["x-clauses"][10].update(given={"identity": "no-permission"}),
        lambda d: d["x-clauses"][10].update(expect={"status": 403, "effect": "none"}),
        scheme(type="http", scheme="bearer"),
    )
    result = on_mock(contract_of(tmp_path, "build-stop", lacking), only=("BS-1", "BS-11"))
    assert gate.decide(result.judgements()).exit_code == 0


def test_a_delete_that_is_another_method_has_the_body_of_the_operation() -> None:
    """Refused for want of it, it would not show whether it cancels. A GET has none."""
    contract = load(next(path for path in shipped() if path.stem == "machine-action"))
    sent = {
        method: cancel_request(
            contract, "http://127.0.0.1:1", Situation(method=method), "an-id", Names(unique="u 1"),
            contract.scheme.carry("k"), "1",
        )
        for method in ("POST", "DELETE", "GET")
    }  # fmt: skip
    assert sent["DELETE"].body == sent["POST"].body
    assert b"Comment" in sent["DELETE"].body
    assert dict(sent["DELETE"].headers)["Content-Type"] == "application/json"
    assert sent["GET"].body == b""


def test_a_form_has_octets_and_nothing_of_json(tmp_path: Path) -> None:
    contract = contract_of(tmp_path, "session-revoke")
    sent: list[Sent] = [
        cancel_request(
            contract, "http://127.0.0.1:1", Situation(state="open", method="DELETE", body=body),
            "ses_00000001", Names(unique="u 1"), contract.scheme.carry("k"), "an-id",
        )
        for body in (
            Form("documented"), Form("example", "short"), Form("json", '{"reason": "{unique}", "n": 1.5, "everywhere": false}'),
            Form("none"), Form("bad-octets"),
        )
    ]  # fmt: skip
    assert [s.body for s in sent] == [
        b"reason=left+%26+gone%2C+gr%C3%B6%C3%9Ftenteils&everywhere=true",
        b"reason=lost",
        b"reason=u+1&n=1.5&everywhere=false",
        b"",
        b"reason=left+%26+gone%2C+gr%C3%B6%C3%9Ftenteils&everywhere=true%FF%FE",
    ]
    assert {dict(s.headers)["Content-Type"] for s in sent} == {"application/x-www-form-urlencoded"}
    assert {s.method for s in sent} == {"DELETE"}
    assert {s.url for s in sent} == {"http://127.0.0.1:1/sessions/ses_00000001?api_key=k"}


@pytest.mark.parametrize(
    ("row", "field", "refused"),
    [
        ({"type": "apiKey", "name": "X-Key", "in": "header"}, "x-key", True),
        ({"type": "apiKey", "name": "sid", "in": "cookie"}, "Cookie", True),
        ({"type": "apiKey", "name": "sid", "in": "cookie"}, "sid", False),
        ({"type": "apiKey", "name": "key", "in": "query"}, "Cookie", False),
        ({"type": "apiKey", "name": "key", "in": "query"}, "key", False),
    ],
    ids=str,
)
def test_a_key_goes_with_nobody_by_the_way(
    tmp_path: Path, row: Document, field: str, refused: bool
) -> None:
    """A field of `headers` goes with every call, that of the anonymous too."""
    contract = contract_of(tmp_path, "build-stop", all_of(scheme(**row), NO_SCHEME))
    path = tmp_path / "target.yaml"
    path.write_text(f"base_url: http://127.0.0.1:1\nheaders: {{{field}: abcd}}\n", "utf-8")
    target = load_target(path)
    if refused:
        with pytest.raises(UsageError, match="says who calls build-stop; give whoever calls"):
            target.endpoint(contract)
    else:
        assert [source.name for source in target.endpoint(contract).headers] == [field]


def test_no_drawn_id_leads_above_a_resource(tmp_path: Path) -> None:
    """Not even to a server that strips blanks, or decodes a slash before it takes steps."""
    drawing = Drawing(contract_of(tmp_path, "session-revoke"), 7, 4)
    drawn = [call.id.text for call in (drawing() for _ in range(300)) if call.resource == "odd"]
    assert len(drawn) > 100
    for segment in drawn:
        parts = re.split(rb"[/\\]", unquote_to_bytes(segment))
        assert not {b"", b".", b".."} & {part.strip() for part in parts}, segment


@pytest.mark.parametrize(
    ("row", "token", "printed"),
    [
        ({"type": "http", "scheme": "basic"}, "user:pass word", "dXNlcjpwYXNzIHdvcmQ="),
        ({"type": "http", "scheme": "Token"}, "abc-token", "abc-token"),
        ({"type": "apiKey", "name": "key", "in": "query"}, "abc/token+", "abc%2Ftoken%2B"),
        ({"type": "apiKey", "name": "sid", "in": "cookie"}, "abc-token", "abc-token"),
        ({"type": "apiKey", "name": "Authorization", "in": "header"}, "abc-token", "abc-token"),
    ],
    ids=str,
)
def test_what_fills_the_variable_of_a_curl_line_is_printed(
    tmp_path: Path, row: Document, token: str, printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    contract_of(tmp_path, "build-stop", all_of(scheme(**row), NO_SCHEME))
    (tmp_path / "token").write_text(token, "utf-8")
    target = (
        f"base_url: http://127.0.0.1:1\nidentities: {{admin: {{token_file: {tmp_path}/token}}}}\n"
    )
    (tmp_path / "target.yaml").write_text(target, "utf-8")
    argv = ["token", "admin", "--target", str(tmp_path / "target.yaml"), "--force"]
    assert main([*argv, "--spec", str(tmp_path / "build-stop.yaml")]) == 0
    assert capsys.readouterr().out == f"{printed}\n"


def test_a_check_of_schemathesis_knows_who_is_nobody() -> None:
    from cancel_contracts.schemathesis_checks import _anonymous, _without_key

    def sent(url: str, **headers: str) -> Sent:
        return Sent("DELETE", url, tuple((n.replace("_", "-"), v) for n, v in headers.items()))

    query, cookie = Scheme("", "query", "key"), Scheme("", "cookie", "sid")
    assert not _anonymous(query, sent("http://x/a?b=1&key=2"))
    assert _anonymous(query, sent("http://x/a?b=1&keys=2", Cookie="key=3"))
    assert not _anonymous(cookie, sent("http://x/a", Cookie="sid=1"))
    assert not _anonymous(Scheme("", "header", "X-Key"), sent("http://x/a", x_key="1"))
    assert not _anonymous(Scheme("Basic"), sent("http://x/a", Authorization="Basic eA=="))
    assert _anonymous(Scheme("Basic"), sent("http://x/a", X_Key="1"))
    assert _without_key(cookie, {"Cookie": "sid=1", "X": "1"}) == {"X": "1"}


def test_a_plan_that_touches_nothing_creates_nothing(tmp_path: Path) -> None:
    """RFC 9110, section 9.3.4: a PUT on the path of a resource may create it."""

    def ends(d: Document) -> None:
        item = d["paths"]["/sessions/{session}"]
        item["put"] = item.pop("delete")
        d["x-clauses"][2]["given"] = {"resource": ["unknown", "odd"], "id": "long"}

    def planned(contract: Contract, **how: Any) -> set[tuple[str, str]]:
        plan = make(contract, contract.clauses, "gate", **how)
        return {(call.method, call.resource) for s in plan.scenarios for call in s.calls}

    upsert, action = (
        contract_of(tmp_path, "session-revoke", ends),
        contract_of(tmp_path, "build-stop"),
    )
    assert planned(upsert, harmless=True) == set()
    assert ("PUT", "unknown") in planned(upsert)
    assert planned(action, harmless=True) == {("PUT", "unknown"), ("PUT", "odd")}
    gaps = make(upsert, upsert.clauses, "gate", harmless=True).left_out.values()
    assert "this plan creates nothing, and PUT on this path may" in {gap.says for gap in gaps}
