"""`new-contract`: a draft loads, holds on the mock that is made of it, and says what is a guess."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from cancel_contracts.assignment import Options
from cancel_contracts.builtin import mock_target
from cancel_contracts.cli import main
from cancel_contracts.contract.load import every_shipped, load
from cancel_contracts.contract.model import Contract
from cancel_contracts.verify import verify

pytestmark = pytest.mark.slow


def drafted(source: Path, output: Path, *more: str) -> Contract:
    """Return the contract of the draft that the command writes."""
    assert main(["new-contract", str(source), "-o", str(output), *more]) == 0
    return load(output)


def holds(contract: Contract) -> None:
    """The mock made of the draft's OpenAPI half and lifecycle keeps its clauses."""
    with mock_target([contract]) as target:
        result = verify([contract], target, Options())
    (judgement,) = result.judgements()
    certain = [v for v in judgement.verdicts if "answer" not in v.clause.given]
    words = {v.clause.id: (v.word, v.reason) for v in certain}
    assert all(v.word != "violated" for v in judgement.verdicts)
    assert {word for word, _ in words.values()} == {"upheld"}, words


def refused(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """Return the one line of a refusal."""
    capsys.readouterr()
    assert main(["new-contract", *argv]) == 2
    told = capsys.readouterr()
    assert told.err.count("\n") == 1
    return told.err


def without_ours(node: Any) -> Any:
    """Return a document without its extensions, as a vendor would publish it."""
    if isinstance(node, dict):
        return {k: without_ours(v) for k, v in node.items() if not str(k).startswith("x-")}
    return [without_ours(item) for item in node] if isinstance(node, list) else node


# --- From an OpenAPI document ---------------------------------------------------------------------


@pytest.mark.parametrize("path", every_shipped(), ids=lambda path: path.stem)
def test_the_openapi_half_of_a_shipped_spec_gives_a_draft_that_holds(
    path: Path, tmp_path: Path
) -> None:
    vendors = without_ours(yaml.safe_load(path.read_text("utf-8")))
    source = tmp_path / "vendor.json"
    source.write_text(json.dumps(vendors), encoding="utf-8")
    contract, shipped = drafted(source, tmp_path / "drafted.yaml"), load(path)
    assert (contract.path, contract.observe_path) == (shipped.path, shipped.observe_path)
    assert contract.permissions == shipped.permissions
    life = contract.lifecycle
    assert set(life.shows) <= set(shipped.lifecycle.shows)
    assert {s.casefold() for s in life.after} <= {s.casefold() for s in shipped.lifecycle.states}
    assert "TO DO" in (tmp_path / "drafted.yaml").read_text("utf-8")
    holds(contract)


STOPS: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Jobs", "version": "7"},
    "servers": [{"url": "https://jobs.example/v7", "x-internal": 1}, {"url": "/relative"}],
    "security": [{"key": []}],
    "paths": {
        "/jobs/{job}/stop": {
            "parameters": [{"$ref": "#/components/parameters/Job"}],
            "post": {
                "operationId": "stopJob",
                "summary": "Stop a job",
                "x-visibility": "public",
                "parameters": [
                    {"name": "X-Trace", "in": "header", "schema": {"type": "string"}},
                ],
                "responses": {
                    "202": {"description": "It is being stopped."},
                    "404": {"$ref": "#/components/responses/Missing"},
                    "409": {"description": "It is over.", "headers": {
                        "x-why": {"schema": {"type": "string", "nullable": True}}}},
                    "429": {"description": "Too many."},
                    "5XX": {"description": "Our fault."},
                },
                "callbacks": {"done": {"$ref": "#/components/callbacks/Done"}},
            },
        },
        "/jobs/{job}": {
            "get": {
                "parameters": [{"$ref": "#/components/parameters/Job"}],
                "responses": {"200": {"description": "A job.", "content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/Job"}}}}},
            },
            "patch": {"operationId": "changeJob", "responses": {"200": {"description": "ok"}}},
        },
        "/jobs": {"get": {"operationId": "listJobs", "responses": {"200": {"description": "ok"}}}},
    },
    "components": {
        "parameters": {"Job": {
            "name": "job", "in": "path", "required": True, "schema": {"type": "string"}}},
        "responses": {"Missing": {"description": "There is no such job."}},
        "securitySchemes": {
            "key": {"type": "http", "scheme": "bearer"}, "other": {"type": "http", "scheme": "basic"},
        },
        "callbacks": {"Done": {}},
        "schemas": {
            "Job": {
                "type": "object",
                "properties": {
                    "id": {"type": "string"},
                    "note": {"type": "string", "nullable": True},
                    "phase": {"$ref": "#/components/schemas/Phase"},
                    "parent": {"$ref": "#/components/schemas/Job"},
                    "size": {"type": "integer", "minimum": 0, "exclusiveMinimum": True},
                    "x-tag": {"type": "string"},
                },
                "example": {"id": "a", "phase": "queued", "note": None},
            },
            "Phase": {"type": "string", "enum": [
                "queued", "printing", "stopping", "printed", "stopped", "failed", "unknown"]},
            "NotUsed": {"type": "object"},
        },
    },
}  # fmt: skip


def written(tmp_path: Path, document: Any, name: str = "vendor.yaml") -> Path:
    path = tmp_path / name
    path.write_text(json.dumps(document), encoding="utf-8")  # JSON is YAML
    return path


def edited(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document with other values at some JSON pointers; None takes a key away."""
    document: dict[str, Any] = json.loads(json.dumps(STOPS))
    for pointer, value in changes.items():
        *way, last = [p.replace("~1", "/") for p in pointer.split("/")[1:]]
        node = document
        for key in way:
            node = node[key]
        if value is None:
            del node[last]
        else:
            node[last] = value
    return document


def test_a_document_of_3_0_is_cut_down_to_one_operation_and_its_get(tmp_path: Path) -> None:
    contract = drafted(written(tmp_path, STOPS), tmp_path / "stop-job.yaml")
    text = (tmp_path / "stop-job.yaml").read_text("utf-8")
    document = yaml.safe_load(text)
    assert sorted(document["paths"]) == ["/jobs/{job}", "/jobs/{job}/stop"]
    assert sorted(document["components"]) == [
        "parameters", "responses", "schemas", "securitySchemes",
    ]  # fmt: skip
    assert sorted(document["components"]["schemas"]) == ["Job", "Phase"]
    assert list(document["components"]["securitySchemes"]) == ["key"]
    assert document["servers"] == [{"url": "https://jobs.example/v7"}]
    assert document["openapi"] == "3.1.0"
    shown = document["components"]["schemas"]["Job"]["properties"]
    assert shown["note"] == {"type": ["string", "null"]}
    assert shown["size"] == {"type": "integer", "exclusiveMinimum": 0}
    assert shown["parent"] == {}
    assert "components/schemas/Job goes round in circles" in text
    assert "x-tag" in shown
    assert "callbacks" not in text
    assert "x-visibility" not in text
    post = document["paths"]["/jobs/{job}/stop"]["post"]
    assert "x-why" in post["responses"]["409"]["headers"]
    assert [p.get("name", p.get("$ref")) for p in post["parameters"]] == [
        "#/components/parameters/Job", "X-Trace",
    ]  # fmt: skip
    assert contract.observe_path == "/jobs/{job}"


def test_the_lifecycle_is_guessed_by_names_and_clauses_follow_what_is_documented(
    tmp_path: Path,
) -> None:
    contract = drafted(written(tmp_path, STOPS), tmp_path / "stop-job.yaml")
    life = contract.lifecycle
    assert (life.cancellable, life.final) == (
        ("queued", "printing"),
        ("printed", "stopped", "failed"),
    )
    assert life.after == ("stopped",)
    assert contract.title == "Stop a job"
    found = {c.says: (c.level, dict(c.given), dict(c.expect)) for c in contract.clauses}
    none = {"effect": "none"}
    assert found["It is being stopped."][2] == {
        "status": 202,
        "effect": "cancelled",
        "body": "empty",
    }
    assert found["There is no such job."] == (
        "must",
        {"resource": "unknown"},
        {"status": 404, **none},
    )
    over = ("must", {"resource": ["printed", "stopped", "failed"]}, {"status": 409, **none})
    assert found["It is over."] == over
    assert found["Too many."] == ("must", {"any": "call", "answer": 429}, none)
    anonymous = ("must", {"identity": "anonymous"}, {"status": [401, 403], **none})
    assert found["Nobody cancels without credentials."] == anonymous
    assert {c.id for c in contract.clauses} == {f"SJ-{n:02}" for n in range(1, 6)}
    holds(contract)


@pytest.mark.parametrize("wanted", ["stopJob", "POST /jobs/{job}/stop", "post /jobs/{job}/stop"])
def test_an_operation_is_named_by_id_or_by_method_and_path(wanted: str, tmp_path: Path) -> None:
    also = {"/paths/~1jobs~1{job}/delete": {"responses": {"204": {"description": "Gone."}}}}
    source = written(tmp_path, edited(also))
    contract = drafted(source, tmp_path / "one.yaml", "--operation", wanted)
    assert contract.path == "/jobs/{job}/stop"


def test_a_get_with_other_names_is_the_resources(tmp_path: Path) -> None:
    other = {"/paths/~1jobs~1{job}": None, "/paths/~1jobs~1{id}": {"get": {
        "operationId": "job",
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {}}],
        "responses": STOPS["paths"]["/jobs/{job}"]["get"]["responses"],
    }}}  # fmt: skip
    contract = drafted(written(tmp_path, edited(other)), tmp_path / "stop-job.yaml")
    assert contract.observe_path == "/jobs/{job}"
    assert "was taken for" in (tmp_path / "stop-job.yaml").read_text("utf-8")


def test_without_a_server_or_a_get_the_draft_says_what_to_fill_in(tmp_path: Path) -> None:
    bare = edited({"/servers": None, "/paths/~1jobs~1{job}": None})
    contract = drafted(written(tmp_path, bare), tmp_path / "stop-job.yaml")
    text = (tmp_path / "stop-job.yaml").read_text("utf-8")
    assert contract.observe_path is None
    assert "# TO DO: no server has a host" in text
    assert "# TO DO: no GET shows the resource: these are placeholders" in text
    assert not any("effect" in clause.expect for clause in contract.clauses)


def test_a_draft_is_printed_where_no_file_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new-contract", str(written(tmp_path, STOPS))]) == 0
    printed = capsys.readouterr().out
    path = tmp_path / "printed.yaml"
    path.write_text(printed, encoding="utf-8")
    assert load(path).path == "/jobs/{job}/stop"


BAD: dict[str, tuple[Any, str]] = {
    "no mapping": ([1], "has no paths"),
    "no paths": ({"openapi": "3.1.0"}, "has no paths"),
    "Swagger": ({"swagger": "2.0", "paths": {}}, "is of version 2.0; convert it"),
    "nothing to cancel": ({"openapi": "3.1.0", "paths": {"/a": {"get": {}}}}, "0 look like one"),
    "a path item that is none": ({"openapi": "3.1.0", "paths": {"/a": 1}}, "paths//a: is no mapping"),
    "another file": (
        edited({"/components/parameters/Job": {"$ref": "jobs.yaml#/Job"}}),
        "leaves the file; bundle",
    ),
    "a reference to nothing": (
        edited({"/components/schemas/Job/properties/phase/$ref": "#/components/schemas/Fase"}),
        "names nothing",
    ),
    "a reference to itself": (
        edited({"/components/parameters/Job": {"$ref": "#/components/parameters/Job"}}),
        "goes round in circles",
    ),
    "no responses": (edited({"/paths/~1jobs~1{job}~1stop/post/responses": None}), "has no responses"),
    "two that cancel": (
        edited({"/paths/~1jobs~1{job}/patch/operationId": "cancelJob"}),
        "use one of POST /jobs/{job}/stop, PATCH /jobs/{job}",
    ),
    "schemas that unfold without measure": (
        edited({"/components/schemas": {
            "Job": {"allOf": [{"$ref": "#/components/schemas/A0"}]},
            **{f"A{n}": {"allOf": [{"$ref": f"#/components/schemas/A{n + 1}"}] * 9} for n in range(9)},
            "A9": {"type": "object"},
        }}),
        "unfolds to more than",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_drafted_from_is_one_line(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document, told = BAD[name]
    assert told in refused(capsys, str(written(tmp_path, document)), "-o", str(tmp_path / "o.yaml"))
    assert not (tmp_path / "o.yaml").exists()


def test_an_operation_that_is_not_there_offers_those_that_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = str(written(tmp_path, STOPS))
    told = refused(capsys, source, "--operation", "haltJob")
    assert "--operation: 0 operations are 'haltJob'; use one of POST /jobs/{job}/stop" in told


def test_a_draft_that_does_not_load_says_where_and_is_there_to_be_mended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    form = {"content": {"multipart/form-data": {"schema": {"type": "object"}}}}
    source = written(tmp_path, edited({"/paths/~1jobs~1{job}~1stop/post/requestBody": form}))
    output = tmp_path / "stop-job.yaml"
    told = refused(capsys, str(source), "-o", str(output))
    assert f"{output}: paths/" in told
    assert "requestBody" in told
    assert output.exists()


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("huge.yaml", b"a: [" + b"1," * 300_000 + b"]", "holds more than"),
        ("deep.json", b'{"paths":' + b"[" * 100_000, "is no JSON"),
        ("deep.yaml", b"a: " + b"[" * 5000, "nested deeper"),
        ("binary.yaml", b"\x00\xff\xfe", "is no UTF-8"),
        ("binary.md", b"\x80\x81", "is no UTF-8"),
        ("empty.md", b"", "has no headings"),
        ("quotes.md", b"# a\n" + b"> " * 5000 + b"x\n", "nested deeper"),
        ("no-request.md", b"# Halt\n\nIt halts.\n", "shows no request"),
        ("braces.md", b"# Halt\n\n```\nPOST /a/{b/halt}/{\n```\n", "braces"),
        ("twice.md", b"# Halt\n\n```\nPOST /a/{id}/b/{id}/halt\n```\n", "names an id twice"),
        ("missing.md", None, "No such file"),
    ],
)
def test_hostile_input_is_one_line(
    name: str, data: bytes | None, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    line = refused(capsys, str(tmp_path / name), "-o", str(tmp_path / "out.yaml"))
    assert told in line
    assert len(line) < 600
    assert not (tmp_path / "out.yaml").exists()


def test_what_exists_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "there.yaml"
    output.write_text("mine", encoding="utf-8")
    assert "exists already" in refused(capsys, str(written(tmp_path, STOPS)), "-o", str(output))
    assert output.read_text("utf-8") == "mine"
    assert "is no contract name" in refused(
        capsys, str(written(tmp_path, STOPS)), "-o", str(tmp_path / "Not A Name.yaml")
    )


# --- From a page in Markdown ----------------------------------------------------------------------

PAGE = """\
---
title: "pressRun: halt"
---
# pressRun: halt

Halt a [run](run.md) of the press that is in one of these states: `waiting`, `running`, `heldBack`.

## Permissions

|Permission type|Permissions (from least to most privileged)|
|:---|:---|
|Delegated (work or school account)|Press.ReadWrite.All|
|Delegated (personal account)|Not supported.|
|Application|PERMITTED|

## HTTP request

``` http
POST /press/runs/{runId}/halt
```

## Request headers

|Name|Description|
|:---|:---|
|Authorization|Bearer {token}. Required.|

## Request body

BODY

## Response

If it goes well, the answer is `CODE`. It does not hold a body.
A run that does not exist is answered with `404`, one that is over with `409 Conflict`.

## Examples

``` http
POST https://press.example/v2/press/runs/17/halt
EXAMPLE
```

``` http
HTTP/1.1 204 No Content
```
"""
SPANS = (
    '<span data-ttu-id="a-1">Wenn es gut geht, ist die Antwort `200 OK`.</span>'
    '<span class="sxs-lookup"><span data-stu-id="a-1">If it goes well, the answer is `200 OK`.'
    "</span></span>"
)
# As the pages of the three differ: a body that must be there, none that may, both kinds of callers.
PAGES = {
    "a-body-and-a-contradiction": PAGE.replace(
        "BODY", "The body must hold the `reason`, and only administrators may leave it out."
    )
    .replace("EXAMPLE", '\n{\n  "reason": "paper"\n}')
    .replace("CODE", "200 OK")
    .replace("PERMITTED", "Not supported."),
    "no-body-and-applications": PAGE.replace("BODY", "Do not supply a request body.")
    .replace("EXAMPLE", "")
    .replace("CODE", "204 No Content")
    .replace("PERMITTED", "Press.Halt.All"),
    "localised": PAGE.replace("BODY", "Nothing.")
    .replace("EXAMPLE", "")
    .replace("If it goes well, the answer is `CODE`.", SPANS)
    .replace("PERMITTED", "Press.ReadWrite.All"),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_gives_a_draft_that_holds(name: str, tmp_path: Path) -> None:
    source = tmp_path / f"{name}.md"
    source.write_text(PAGES[name], encoding="utf-8")
    contract = drafted(source, tmp_path / "halt.yaml")
    assert (contract.path, contract.server) == (
        "/press/runs/{runId}/halt",
        "https://press.example/v2",
    )
    assert contract.lifecycle.cancellable == ("waiting", "running", "heldBack")
    assert contract.title == "pressRun: halt"
    sections = {str(clause.source) for clause in contract.clauses}
    assert {f"{name}, Response", f"{name}, Request headers"} <= sections
    by_what = {repr(dict(c.given)): dict(c.expect) for c in contract.clauses}
    assert by_what["{'resource': 'unknown'}"] == {"status": 404, "effect": "none"}
    assert by_what["{'resource': ['completed', 'cancelled']}"]["status"] == 409
    holds(contract)


@pytest.mark.parametrize("written", ["<run id>", "<runId>", ":runId", "{run-id}"])
def test_an_id_is_known_in_each_of_its_spellings(written: str, tmp_path: Path) -> None:
    source, page = tmp_path / "halt.md", PAGES["a-body-and-a-contradiction"]
    shown = page.replace("{runId}", written).replace('"reason"', '"id": "the-run", "reason"')
    source.write_text(shown, encoding="utf-8")
    contract = drafted(source, tmp_path / "halt-run.yaml")
    assert contract.path in (
        "/press/runs/{run_id}/halt", "/press/runs/{runId}/halt"
    )  # fmt: skip
    assert contract.bodies == {"page": {"id": "{id}", "reason": "paper"}}
    holds(contract)


def test_a_pages_sentences_become_clauses_to_be_said_in_other_words(tmp_path: Path) -> None:
    source = tmp_path / "halt.md"
    source.write_text(PAGES["a-body-and-a-contradiction"], encoding="utf-8")
    contract = drafted(source, tmp_path / "halt-run.yaml")
    text = (tmp_path / "halt-run.yaml").read_text("utf-8")
    must = [c for c in contract.clauses if "must hold the reason" in c.says]
    assert [(c.level, c.source.section) for c in must] == [("info", "Request body")]
    (success,) = [c for c in contract.clauses if "goes well" in c.says]
    assert success.expect["status"] == [200, 204]
    assert "contradicts itself, see x-dialects" in text
    assert text.count("# TO DO: says in your own words") == len(contract.clauses)
    assert contract.bodies == {"page": {"reason": "paper"}}
    assert {"app", "personal"} <= {str(c.given.get("identity")) for c in contract.clauses}


def test_a_page_without_a_body_or_a_table_of_permissions(tmp_path: Path) -> None:
    text = re.sub(r"## Permissions.*?## HTTP", "## HTTP", PAGES["localised"], flags=re.DOTALL)
    source = tmp_path / "halt.md"
    source.write_text(text, encoding="utf-8")
    contract = drafted(source, tmp_path / "halt-run.yaml")
    schemes = contract.document["components"]["securitySchemes"]
    assert schemes == {"bearer": {"type": "http", "scheme": "bearer"}}
    assert contract.bodies == {}


def test_a_page_takes_no_operation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "halt.md"
    source.write_text(PAGES["localised"], encoding="utf-8")
    assert "leave it out" in refused(capsys, str(source), "--operation", "halt")
    source.write_text(
        PAGES["localised"].replace("title:", "ms.contentlocale: de-DE\ntitle:"), "utf-8"
    )
    drafted(source, tmp_path / "halt-run.yaml")
    source.write_text("---\nms.contentlocale: de-DE\n---\n# Anhalten\n", encoding="utf-8")
    assert "is in de-DE, without English" in refused(capsys, str(source))


ORDERS: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Orders", "version": "1"},
    "servers": [{"url": "https://orders.example"}],
    "paths": {
        "/teams/{team}/orders/{order}": {
            "parameters": [
                {"name": "team", "in": "path", "required": True, "schema": {"type": "string"}},
                {"name": "order", "in": "path", "required": True, "schema": {"type": "integer"}},
                {"$ref": "#/components/parameters/Version"},
            ],
            "get": {"responses": {"200": {"description": "An order.", "content": {
                "application/json": {"schema": {"type": "object", "properties": {
                    "id": {"type": "integer"},
                    "status": {"type": "string", "enum": ["open", "shipped", "cancelled"]},
                }}}}}}},
            "delete": {
                "operationId": "cancelOrder",
                "security": [{"key": []}],
                "responses": {"204": {"description": "Cancelled."}, "404": {"description": "None."}},
            },
        },
    },
    "components": {
        "parameters": {"Version": {
            "name": "api-version", "in": "query", "required": True, "schema": {"type": "string"}}},
        "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}},
    },
}  # fmt: skip


def test_what_a_call_cannot_do_without_is_made_up_and_marked(tmp_path: Path) -> None:
    contract = drafted(written(tmp_path, ORDERS), tmp_path / "cancel-order.yaml")
    text = (tmp_path / "cancel-order.yaml").read_text("utf-8")
    assert "# TO DO: the values of team, api-version are made up" in text
    assert contract.method == "DELETE"
    (asked,) = [c for c in contract.clauses if "parameter" in c.given]
    assert dict(asked.given) == {"parameter": {"api-version": "omitted"}}
    assert dict(asked.expect) == {"status": "4xx", "effect": "none"}
    holds(contract)


@pytest.mark.parametrize("media", ["application/json", "application/x-www-form-urlencoded"])
def test_the_example_of_a_body_is_made_up_by_its_schema(media: str, tmp_path: Path) -> None:
    schema = {"type": "object", "required": ["why"], "properties": {"why": {"enum": ["late"]}}}
    content = {media: {"schema": schema}, "text/xml": {"schema": {}}}
    post = "/paths/~1jobs~1{job}~1stop/post"
    changes = {f"{post}/requestBody": {"required": True, "content": content}}
    changes[f"{post}/responses/400"] = {"description": "Why?"}
    contract = drafted(written(tmp_path, edited(changes)), tmp_path / "stop-job.yaml")
    assert contract.bodies == {"draft": {"why": "late"}}
    (bad,) = [c for c in contract.clauses if c.says == "Why?"]
    assert (bad.level, bad.given.get("body")) == (
        ("must", "malformed-json") if media.endswith("json") else ("info", None)
    )
    holds(contract)
