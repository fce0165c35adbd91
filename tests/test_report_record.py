"""The record: its schema, its counts, its evidence, the lifecycle and the time line."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.page import Page
from cancel_contracts.contract.topics import TOPICS
from cancel_contracts.errors import UsageError
from cancel_contracts.exchange import Exchange, Form, Sent
from cancel_contracts.journal import Exchanges, Journal
from cancel_contracts.judge.judge import Judgement, Verdict
from cancel_contracts.needs import GROUPS, Gap, Kind, Need, choice
from cancel_contracts.redact.secrets import Redactor
from cancel_contracts.report import scenario
from cancel_contracts.report.evidence import SHOWN_BYTES
from cancel_contracts.report.json_report import dump, write_json
from cancel_contracts.report.lifecycle import transitions
from cancel_contracts.report.record import record
from cancel_contracts.schemas import schema
from cancel_contracts.targets.file import load as load_target
from cancel_contracts.targets.file import of_url
from cancel_contracts.windows import within
from jsonschema import Draft202012Validator, FormatChecker
from report_sample import (
    CLAUSES,
    CONTRACT,
    HOSTILE,
    TOKEN,
    answer,
    clause,
    evidence,
    exchange,
    look,
    outcome_of,
    result_of,
    sample,
    sample_of,
    secretive,
)

VALIDATOR = Draft202012Validator(schema("report"), format_checker=FormatChecker())


def clause_of(written: dict[str, Any], id_: str) -> dict[str, Any]:
    rows: list[dict[str, Any]] = written["contracts"][0]["clauses"]
    return next(r for r in rows if r["id"] == id_)


def of_one(one: Exchange, *looks: Exchange) -> dict[str, Any]:
    """The first piece of evidence of a run with one call, which violates the first clause."""
    journal = Journal("thing", Exchanges([*looks, one]))
    verdict = Verdict(CLAUSES[0], "violated", 1, (evidence(one),))
    result = result_of([(CONTRACT, journal, [verdict])])
    written = record(result, outcome_of(result))
    VALIDATOR.validate(written)
    piece: dict[str, Any] = clause_of(written, "EX-01")["evidence"][0]
    return piece


@pytest.mark.parametrize(
    "written",
    [sample(), sample(strict=True), sample_of("upheld"), sample_of(), secretive()],
    ids=["every verdict", "strict", "conforms", "no clause", "secrets"],
)
def test_the_record_fits_its_schema(written: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema("report"))
    VALIDATOR.validate(json.loads(dump(written)))


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"schema_version": 2}, "$.schema_version"),
        ({"outcome": "fine"}, "$.outcome"),
        ({"exit_code": 2}, "$.exit_code"),
        ({"requests": {"cancel": -1, "observe": 0, "provider_states": 0}}, "$.requests.cancel"),
    ],
)
def test_the_schema_refuses_another_form(change: dict[str, Any], path: str) -> None:
    (error,) = VALIDATOR.iter_errors(sample() | change)

    assert error.json_path == path


def test_a_verdict_that_says_more_than_was_exercised_does_not_fit_the_schema() -> None:
    written = sample()
    clause_of(written, "EX-01")["exercised"] = 0
    clause_of(written, "EX-04")["reason"] = None

    assert len(list(VALIDATOR.iter_errors(written))) == 2


def test_the_keys_of_the_design_are_there() -> None:
    written = sample()

    assert written["schema_version"] == 1
    assert written["tool"]["name"] == "cancel-contracts"
    assert written["started"] == "2026-11-22T01:02:03.000Z"
    assert (written["outcome"], written["exit_code"]) == ("violated", 1)
    assert written["sentence"] == "violated: EX-02, EX-11"
    assert written["requests"] == {"cancel": 7, "observe": 2, "provider_states": 12}
    contract = written["contracts"][0]
    assert contract["file"] == "specs/thing.yaml"
    assert contract["dialect"] == "prose"
    assert contract["dialects"][0]["says"].startswith("answers 200: follows the prose")
    assert written["contracts"][1]["dialect"] is None
    assert written["excuses"] == {"thing": {"EX-04": "the target offers no identity app"}}


def test_each_reason_of_a_gap_is_told_once_with_what_would_help() -> None:
    app, key = Need("identity", "app"), Need("mint")
    gaps = (Gap("no identity app", app), Gap("no key", key), choice("nobody can ask for it"))
    verdicts = [
        Verdict(CLAUSES[0], "not-exercised", reason="x", gaps=gaps[:1]),
        Verdict(CLAUSES[1], "not-exercised", reason="x", gaps=gaps),
        Verdict(CLAUSES[2], "not-exercised", reason="a should-clause", gaps=gaps),
        Verdict(CLAUSES[3], "not-exercised", reason="excused", gaps=gaps, excused="so"),
        Verdict(CLAUSES[4], "inconclusive", reason="the call went unanswered"),
    ]
    result = result_of([(CONTRACT, Journal("thing"), verdicts)])
    written = record(result, outcome_of(result))

    VALIDATOR.validate(written)
    assert written["contracts"][0]["gaps"] == [
        {"reason": "no identity app", "fix": app.fix, "clauses": ["EX-01", "EX-02"]},
        {"reason": "no key", "fix": key.fix, "clauses": ["EX-02"]},
        {"reason": "the call went unanswered", "fix": None, "clauses": ["EX-05"]},
    ]
    assert app.fix == "give app a token (identities), or the key that the target trusts (mint)"


def test_identities_that_are_lacking_are_one_reason() -> None:
    lacks = [
        Gap(f"the target offers no identity {name}", Need("identity", name))
        for name in ("app", "expired", "personal")
    ]
    short = Gap("the primary's token is too short to be changed", Need("identity"))
    verdicts = [
        Verdict(CLAUSES[0], "not-exercised", reason="x", gaps=tuple(lacks[:2])),
        Verdict(CLAUSES[1], "not-exercised", reason="x", gaps=(lacks[2], short)),
        Verdict(CLAUSES[3], "not-exercised", reason="x", gaps=(lacks[0],)),
    ]
    result = result_of([(CONTRACT, Journal("thing"), verdicts)])
    assert record(result, outcome_of(result))["contracts"][0]["gaps"] == [
        {
            "reason": "the target offers no identity app, expired, personal",
            "fix": "give each of them a token (identities), or the key that the target trusts"
            " (mint)",
            "clauses": ["EX-01", "EX-02", "EX-04"],
        },
        {"reason": short.reason, "fix": short.need and short.need.fix, "clauses": ["EX-02"]},
    ]


@pytest.mark.parametrize("kind", GROUPS)
def test_every_kind_of_need_says_what_would_meet_it(kind: Kind) -> None:
    for name in ("", "somebody"):
        told = Need(kind, name).fix
        assert told
        assert "{" not in told
        assert "None" not in told


def test_the_schema_lists_the_topics() -> None:
    clause = schema("report")["$defs"]["clause"]["properties"]

    assert clause["topic"]["enum"] == list(TOPICS)


def test_a_promise_carries_where_it_is_to_be_read() -> None:
    paged = replace(CONTRACT, pages={"cancel-thing": Page("https://example.com/thing")})
    journal = Journal("thing", Exchanges([call := exchange(answer(500))]))
    result = result_of([(paged, journal, [Verdict(CLAUSES[0], "violated", 1, (evidence(call),))])])
    written = record(result, outcome_of(result))

    link = {"text": "cancel-thing, Response", "url": "https://example.com/thing#response"}
    VALIDATOR.validate(written)
    assert clause_of(written, "EX-01")["source"]["links"] == [link]
    assert written["defects"][0]["source"]["links"] == [link]


def test_of_many_violations_the_first_three_are_shown_and_all_are_counted() -> None:
    row = clause_of(sample(), "EX-02")

    assert (row["violations"], row["exercised"], len(row["evidence"])) == (5, 14, 3)


def test_an_upheld_clause_shows_one_example() -> None:
    row = clause_of(sample(), "EX-01")

    assert (row["violations"], len(row["evidence"])) == (0, 1)
    assert row["asked"] == ["the primary identity cancels an Open resource"]


def test_gaps_are_told_from_what_may_stay_open() -> None:
    rows = {r["id"]: r for r in sample()["contracts"][0]["clauses"]}

    assert [id_ for id_, row in rows.items() if row["gap"]] == ["EX-04", "EX-07"]
    assert rows["EX-05"]["excused"] == "the mock checks no tokens"
    assert rows["EX-06"]["conditional"]
    assert rows["EX-08"]["reason"] == "fixes with release 7"


def test_evidence_holds_the_exchange_whole() -> None:
    body = b'{"status": "\xff", "text": "gr\xc3\xbc\xc3\x9f"}'
    piece = of_one(exchange(answer(200, body, ("Content-Length", str(len(body))))))

    assert piece["identity"] == "admin"
    assert piece["state"] == "Open"
    assert piece["request"]["body"] == '{"Comment": "stop"}'
    response = piece["response"]
    assert response["body"] == '{"status": "\\xff", "text": "grüß"}'
    assert base64.b64decode(response["wire"]).endswith(body)
    assert response["headers"] == [["Content-Length", str(len(body))]]
    assert response["cut"] is None


def test_what_is_too_long_is_cut_and_said_to_be() -> None:
    large = exchange(answer(200, b"x" * 100_000))
    large = replace(large, sent=replace(large.sent, body=b"y" * 70_000))

    piece = of_one(large)

    assert len(piece["response"]["body"]) == len(piece["request"]["body"]) == SHOWN_BYTES
    assert len(base64.b64decode(piece["response"]["wire"])) == SHOWN_BYTES
    assert "the first 16,384 bytes of the body, of 100,000" in piece["response"]["cut"]
    assert "of the wire" in piece["response"]["cut"]
    assert piece["request"]["cut"] == "the first 16,384 bytes of the body, of 70,000"


def test_no_answer_is_null_and_says_why() -> None:
    piece = of_one(exchange(None, failure="reset"))

    assert piece["response"] is None
    assert piece["failure"] == "reset"


def test_evidence_tells_what_the_looks_around_the_call_showed() -> None:
    one = exchange(answer(200))
    looks = [look("Open", 0), look("Open", 1), look("Gone", 1), look("Done", 2)]
    neighbour = [replace(look("Open", at), role="neighbour") for at in (0, 1)]

    piece = of_one(one, *looks, *neighbour)

    assert [(o["when"], o["shows"]) for o in piece["observed"]] == [
        ("before", "status 'Open'"),
        ("after", "status 'Open'"),
        ("after", "status 'Gone'"),
    ]


def test_a_neighbour_that_changed_is_shown() -> None:
    changed = replace(look("Gone", 1), role="neighbour")
    before = replace(look("Open", 0), role="neighbour")

    piece = of_one(exchange(answer(200)), before, changed)

    assert [o["role"] for o in piece["observed"]] == ["neighbour", "neighbour"]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, "admin cancels an Open resource"),
        ({"call": "second", "state": "Pending"}, "admin cancels a Pending resource, second call"),
        ({"resource": "unknown", "state": None}, "admin cancels an unknown id"),
        ({"resource": "odd", "state": None, "id": Form("nul")}, "admin cancels an id with a NUL"),
        (
            {"identity": "user", "owner": "user"},
            "user cancels an Open resource, owned by user",
        ),
        ({"method": "DELETE"}, "admin sends DELETE to the cancel route of an Open resource"),
        (
            {"body": Form("json", '{"a": 1}'), "content_type": "none", "transfer": "chunked"},
            'admin cancels an Open resource, body {"a": 1}, no Content-Type, in chunks',
        ),
        ({"call": "concurrent"}, "admin cancels an Open resource, one of two calls at once"),
    ],
)
def test_a_scenario_in_words(facts: dict[str, Any], words: str) -> None:
    assert scenario.words(exchange(answer(200), **facts)) == words


def test_each_transition_has_the_verdict_of_the_clauses_that_speak_of_it() -> None:
    life = sample()["contracts"][0]["lifecycle"]

    found = {s["name"]: (s["kind"], s["verdict"], s["answers"]) for s in life["states"]}
    assert found == {
        "Open": ("cancellable", "upheld", [200]),
        "Waiting": ("cancellable", "accepted", [409]),
        "Done": ("final", "violated", [200]),
        "Gone": ("final", "not-exercised", []),
    }
    assert life["states"][2]["violated"] == ["EX-02"]


@pytest.mark.parametrize(
    ("facts", "status", "exercised"),
    [
        ({"identity": "app"}, 200, 2),  # served like the ordinary call: the state alone decides
        ({"transfer": "chunked"}, 200, 2),
        ({"identity": "anonymous"}, 401, 1),  # refused for another reason
        ({"body": Form("none")}, ["2xx", "4xx"], 1),  # no page decides
    ],
)
def test_a_transition_counts_the_calls_that_show_it(
    facts: dict[str, Any], status: Any, exercised: int
) -> None:
    """A plan joins what is neutral in one call: a state may have no ordinary call of its own."""
    given = {k: v.word if isinstance(v, Form) else v for k, v in facts.items()}
    about = replace(clause(1), given=given, expect={"status": status})
    made = [exchange(answer(200), state="Waiting", **more) for more in ({}, facts)]
    judgement = Judgement(replace(CONTRACT, clauses=(about,)), (), {}, None)

    life = transitions(judgement, Journal("thing", Exchanges(made)))

    found = {s["name"]: s["exercised"] for s in life["states"]}
    assert found == {"Open": 0, "Waiting": exercised, "Done": 0, "Gone": 0}


def test_the_time_line_counts_from_the_first_request() -> None:
    line = sample()["contracts"][0]["timeline"]

    assert line["requests"][0] == [0.0, "cancel", 200]
    assert line["requests"][-1] == [8.9, "cancel", 409]
    assert [q["peak"] for q in line["quotas"]] == [6, 6]


@pytest.mark.parametrize(
    ("moments", "seconds", "most"),
    [([], 60, 0), ([0.0], 60, 1), ([0, 30, 59, 60, 119], 60, 3), ([0, 60, 120], 60, 1)],
)
def test_the_busiest_window(moments: list[float], seconds: float, most: int) -> None:
    assert max(within(moments, seconds), default=0) == most


def test_the_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("old " * 100_000)

    write_json(sample(), path)

    assert json.loads(path.read_text("utf-8")) == sample()
    assert list(tmp_path.iterdir()) == [path]


def test_a_lone_surrogate_is_written_as_an_escape(tmp_path: Path) -> None:
    written = sample() | {"warnings": ["from a foreign HAR: \udc80"]}

    write_json(written, tmp_path / "report.json")

    assert json.loads((tmp_path / "report.json").read_bytes())["warnings"] == written["warnings"]


def test_a_path_that_cannot_be_written_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"No such file or directory; name a file"):
        write_json(sample(), tmp_path / "missing" / "report.json")


def test_a_pipe_is_written_to_and_not_replaced() -> None:
    write_json(sample(), Path("/dev/null"))

    assert not Path("/dev/null").is_file()


def test_the_hostile_sample_reaches_the_record_as_it_is() -> None:
    # What keeps it harmless is each report's own affair: the record is data.
    assert clause_of(sample(), "EX-02")["evidence"][0]["response"]["body"] == HOSTILE


def test_a_request_of_another_tool_keeps_its_headers() -> None:
    sent = Sent("POST", "http://127.0.0.1/x", (("X-Thing", "a, b"), ("Authorization", "Bearer")))
    piece = of_one(exchange(answer(200), sent=sent))

    assert piece["request"]["headers"] == [["X-Thing", "a, b"], ["Authorization", "Bearer"]]


# --- what made it ------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "version"), [("our mock", "1.4.2"), ("", "")])
def test_a_record_carries_the_target_s_name_and_version(name: str, version: str) -> None:
    result = replace(result_of([]), target_name=name, target_version=version)
    told = record(result, outcome_of(result))["target"]

    assert (told["name"], told["version"]) == (name or None, version or None)


@pytest.mark.parametrize("text", [f"mock {TOKEN}", TOKEN[8:-4]])
def test_a_name_or_version_that_holds_a_secret_is_masked(text: str) -> None:
    redactor = Redactor()
    redactor.learn(TOKEN)
    result = replace(result_of([], redactor=redactor), target_name=text, target_version=text)
    told = json.dumps(record(result, outcome_of(result))["target"])

    assert "[redacted]" in told
    assert TOKEN[8:-4] not in told


def test_name_and_version_come_from_the_target_file(tmp_path: Path) -> None:
    path = tmp_path / "target.yaml"
    path.write_text("name: our mock\nversion: '5.10'\nbase_url: http://127.0.0.1:9\n", "utf-8")
    target = load_target(path)

    assert (target.name, target.version) == ("our mock", "5.10")
    bare = of_url("http://127.0.0.1:9")
    assert (bare.name, bare.version) == ("", "")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("version: 5.10", "version: is read as a number where a text is wanted; quote it"),
        ("name: ''", "name: must not be empty"),
        (f"name: {'x' * 101}", "name: breaks the rule 'maxLength'"),
    ],
)
def test_a_name_or_version_that_is_none_is_an_error(line: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "target.yaml"
    path.write_text(f"base_url: http://127.0.0.1:9\n{line}\n", "utf-8")

    with pytest.raises(UsageError, match=told):
        load_target(path)


def test_a_contract_s_row_names_its_spec_file_by_its_hash(tmp_path: Path) -> None:
    for spec in shipped():
        contract = load(spec)
        assert contract.sha256 == hashlib.sha256(spec.read_bytes()).hexdigest()
        journal = Journal(contract.name, Exchanges([]))
        result = result_of([(contract, journal, [Verdict(contract.clauses[0], "upheld", 1)])])
        row = record(result, outcome_of(result))["contracts"][0]
        assert row["spec_sha256"] == contract.sha256
        assert row["selected"]["count"] == 1
        musts = sum(clause.level == "must" for clause in contract.clauses)
        assert row["selected"]["of"] == musts > 1
    edited = tmp_path / shipped()[0].name
    edited.write_bytes(shipped()[0].read_bytes() + b"\n")
    assert load(edited).sha256 != load(shipped()[0]).sha256


def test_a_report_of_before_that_lacks_it_is_still_one() -> None:
    written = sample()
    for row in written["contracts"]:
        del row["spec_sha256"], row["selected"]
    del written["target"]["name"], written["target"]["version"]

    VALIDATOR.validate(written)
