"""What callers owe: told of what others recorded, apart from the server, and of nothing else."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import derive
import pytest
from cancel_contracts.assignment import Options
from cancel_contracts.builtin import mock_target
from cancel_contracts.cli import main
from cancel_contracts.contract.duties import DUTIES
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.errors import UsageError
from cancel_contracts.gate import decide
from cancel_contracts.judge.duties import JUDGES
from cancel_contracts.replay import judge_recording, write_recording
from cancel_contracts.report.record import record
from cancel_contracts.schemas import schema
from cancel_contracts.verify import verify
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from recorders import RECORDERS, Call, Recorder
from recordings import (
    AP,
    COMMENT,
    CONTRACTS,
    GRAPH,
    ID,
    Entry,
    Verdicts,
    cancel,
    entry,
    error,
    har,
    judge,
    look,
)
from report_sample import screen
from yaml_text import document_of, text_of

pytestmark = pytest.mark.slow

OTHER = "988cc94e-7a8f-4b28-ab65-54970c5d5018"
BEARER = {"Authorization": "Bearer eyJhbGciOiJub25lIn0.e30.x", "User-Agent": "sdk"}
MEMBER = "b79fbf4d-3ef9-4689-8143-76b194e85509"
ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
OWN = {"id": ID, "requestStatus": "cancelled"}
LATER = {"Retry-After": "5"}


def token(**claims: Any) -> dict[str, str]:
    """Return the head of a call by a user with these claims."""
    text = json.dumps({"scp": "EntitlementManagement.ReadWrite.All", "oid": "me", **claims})
    payload = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    return {"Authorization": f"Bearer eyJhbGciOiJub25lIn0.{payload}.x"}


def by(headers: dict[str, str], *more: Entry) -> list[Entry]:
    return [cancel(asked=headers), *more]


def action(
    sent: Any = None, asked: dict[str, str] | None = None, status: int = 200, at: float = 2
) -> Entry:
    """A cancel of a security action."""
    body = None if status == 200 else error()
    url = f"{GRAPH}/{ID}/cancelSecurityAction"
    return sized(entry("POST", url, status, body, at, sent=sent, asked=asked))


def sized(row: Entry) -> Entry:
    """The entry by a recorder that tells of a body that there is none."""
    posted = row["request"].get("postData", {}).get("text", "")
    lengths = [h for h in row["request"]["headers"] if h["name"] == "Content-Length"]
    row["request"]["bodySize"] = -1 if lengths else len(posted)
    return row


def request(sent: Any, status: int = 200, owner: str = "me", **claims: Any) -> list[Entry]:
    """A user looks at an access package request and cancels it."""
    shown = {"id": ID, "requestStatus": "Accepted", "requestor": {"objectId": owner}}
    who = token(**({"wids": [MEMBER]} | claims))
    body = None if status == 200 else error()
    return [
        entry("GET", f"{AP}/{ID}", 200, shown, 0, asked=who),
        sized(entry("POST", f"{AP}/{ID}/cancel", status, body, 2, sent=sent, asked=who)),
    ]


def without_type(row: Entry, posted: str = "", **media: str) -> Entry:
    """The entry with another Content-Type or none; `posted` is what stands beside the body."""
    request = row["request"]
    request["headers"] = [h for h in request["headers"] if h["name"] != "Content-Type"]
    request["headers"] += [{"name": k.replace("_", "-"), "value": v} for k, v in media.items()]
    request.get("postData", {})["mimeType"] = posted
    return row


def batch(*parts: Entry) -> Entry:
    """A JSON batch of POSTs, answered 200 each."""
    sent = {"requests": [{"id": str(i), "method": "POST", **p} for i, p in enumerate(parts)]}
    told = {"responses": [{"id": str(i), "status": 200, "body": None} for i in range(len(parts))]}
    url = "https://graph.microsoft.com/beta/$batch"
    return entry("POST", url, 200, told, 2, sent=sent, asked=BEARER)


PART = {"url": f"/security/securityActions/{ID}/cancelSecurityAction"}
# What it is -> the recording, the duty, what is to be said of it.
KEPT, BROKEN, UNTOLD = "upheld", "violated", "not-exercised"
CASES: dict[str, tuple[list[Entry], str, str]] = {
    # No body where none is to be sent
    "no body": ([action()], "SA-80", KEPT),
    "a length of 0": ([action(asked={"Content-Length": "0"})], "SA-80", KEPT),
    "no body, in a batch": ([batch(PART)], "SA-80", KEPT),
    "an object": ([action({"comment": "x"})], "SA-80", BROKEN),
    "an empty object": ([action({})], "SA-80", BROKEN),
    "one call of two": ([action(), action([], at=9)], "SA-80", BROKEN),
    "a body, in a batch": (
        [batch({**PART, "body": {"a": 1}, "headers": {"Content-Type": "application/json"}})],
        "SA-80", BROKEN),
    "a body that was not recorded": (
        [action(asked={"Content-Length": "9"})], "SA-80", UNTOLD),
    # Content-Type
    "JSON": ([cancel()], "MA-80", KEPT),
    "with a charset, in capitals": (
        [without_type(cancel(), Content_Type="Application/JSON; charset=utf-8")], "MA-80", KEPT),
    "told beside the text alone": ([without_type(cancel(), "application/json")], "MA-80", KEPT),
    "told beside the text alone, text": ([without_type(cancel(), "text/plain")], "MA-80", BROKEN),
    "no type": ([without_type(cancel())], "MA-80", BROKEN),
    "no type and no body": ([without_type(cancel(sent=None))], "MA-80", BROKEN),
    "a form": ([without_type(cancel(), Content_Type="application/x-www-form-urlencoded")],
               "MA-80", BROKEN),
    "text/json": ([without_type(cancel(), Content_Type="text/json")], "MA-80", BROKEN),
    "struck out": ([without_type(cancel(), Content_Type="[redacted]")], "MA-80", UNTOLD),
    "a body with its type": (request(OWN), "AP-80", KEPT),
    "no body and no type": (request(None), "AP-80", UNTOLD),
    "a body without a type": (
        [without_type(row) for row in request(OWN)], "AP-80", BROKEN),
    # Bearer
    "Bearer": (by(BEARER), "MA-81", KEPT),
    "in lower case": (by({"authorization": "bearer abc.def-1"}), "MA-81", KEPT),
    "whose token was struck out": (by({"Authorization": "Bearer [redacted]"}), "MA-81", KEPT),
    "Basic": (by({"Authorization": "Basic eHh4OnlZ"}), "MA-81", BROKEN),
    "Token": (by({"Authorization": "Token 0123456789"}), "MA-81", BROKEN),
    "a token without its scheme": (by({"Authorization": "eyJhbGciOiJub25lIn0.e30.x"}), "MA-81", BROKEN),
    "nothing, and a 401": (by(BEARER, cancel(401, 5)), "MA-81", BROKEN),
    "left out by the recorder": ([cancel(), cancel(401, 5)], "MA-81", UNTOLD),
    "struck out as a whole": (by({"Authorization": "REDACTED"}), "MA-81", UNTOLD),
    "in a cleaner's words": (by({"Authorization": "Removed by policy"}), "MA-81", UNTOLD),
    "nothing, and served": ([cancel(at=1), *by(BEARER)], "MA-81", KEPT),
    "the batch's, in a batch": ([batch(PART)], "SA-81", KEPT),
    # Retry-After
    "waited": ([cancel(429, 1, headers=LATER), cancel(at=6)], "MA-82", KEPT),
    "waited a fraction": ([cancel(429, 1, headers={"Retry-After": "2.128"}), cancel(at=3.2)], "MA-82", KEPT),
    "waited for a date": (
        [cancel(429, 1, headers={"Retry-After": "Wed, 01 May 2024 10:00:05 GMT"}), cancel(at=6.5)],
        "MA-82", KEPT),
    "called too soon": ([cancel(429, 1, headers=LATER), cancel(at=4)], "MA-82", BROKEN),
    "called before the date": (
        [cancel(429, 1, headers={"Retry-After": "Wed, 01 May 2024 10:00:30 GMT"}), cancel(at=6)],
        "MA-82", BROKEN),
    "called too soon after a 503": ([cancel(503, 1, headers=LATER), cancel(at=3)], "MA-82", BROKEN),
    "waited the second time alone": (
        [cancel(429, 1, headers=LATER), cancel(429, 2, headers=LATER), cancel(at=9)], "MA-82", BROKEN),
    "no Retry-After": ([cancel(429, 1), cancel(at=2)], "MA-82", UNTOLD),
    "never again": ([cancel(429, 1, headers=LATER)], "MA-82", UNTOLD),
    "another resource": ([cancel(429, 1, headers=LATER), cancel(at=2, id_=OTHER)], "MA-82", UNTOLD),
    "another caller": (
        [cancel(429, 1, headers=LATER, asked=BEARER), cancel(at=2, asked=token())], "MA-82", UNTOLD),
    "another program": (
        [cancel(429, 1, headers=LATER, asked={"User-Agent": "a"}), cancel(at=2, asked={"User-Agent": "b"})],
        "MA-82", UNTOLD),
    "at once": ([cancel(429, 1, headers=LATER, time=900), cancel(at=1.5)], "MA-82", UNTOLD),
    "at once, where no length is told": (
        [cancel(429, 1, headers=LATER, time=0), cancel(at=1.5, time=0)], "MA-82", UNTOLD),
    # No second cancel after a success
    "once": ([cancel()], "MA-83", KEPT),
    "again after a refusal": ([cancel(400, 1), cancel(at=2)], "MA-83", KEPT),
    "again after a success": ([cancel(at=1), cancel(at=2)], "MA-83", BROKEN),
    "again, and refused": ([cancel(at=1), cancel(400, 9)], "MA-83", BROKEN),
    "again, for a security action": ([action(at=1), action(at=3)], "SA-83", BROKEN),
    "again by another": ([cancel(at=1, asked=BEARER), cancel(at=2, asked=token())], "MA-83", KEPT),
    "again, seen to be open": ([cancel(at=1), look("Pending", 7), cancel(400, 9)], "MA-83", UNTOLD),
    "recorded twice": ([cancel(at=1), cancel(at=1)], "MA-83", KEPT),
    "at once with the first": ([cancel(at=1, time=2000), cancel(at=2)], "MA-83", KEPT),
    "none that succeeded": ([cancel(400, 1), cancel(404, 2)], "MA-83", UNTOLD),
    # The body of a non-administrator
    "the page's body": (request(OWN), "AP-84", KEPT),
    "the page's body, refused": (request(OWN, 400), "AP-84", KEPT),
    "without a body": (request(None, 400), "AP-84", BROKEN),
    "without its id": (request({"requestStatus": "cancelled"}, 400), "AP-84", BROKEN),
    "with another status": (request({"id": ID, "requestStatus": "denied"}, 403), "AP-84", BROKEN),
    "without a body, and served": (request(None), "AP-84", UNTOLD),
    "in a final state": (request(None, 409), "AP-84", UNTOLD),
    "of another's request": (request(None, 403, owner="you"), "AP-84", UNTOLD),
    "by an administrator": (request(None, 400, wids=[MEMBER, ADMINISTRATOR]), "AP-84", UNTOLD),
    "by whose token names no roles": (request(None, 400, wids=[]), "AP-84", UNTOLD),
    "by an application": (request(None, 400, scp=None), "AP-84", UNTOLD),
}  # fmt: skip


def duties(found: Verdicts) -> dict[str, Entry]:
    return {row["id"]: row for c in found.report["contracts"] for row in c["duties"]}


@pytest.mark.parametrize("name", CASES)
def test_what_a_recording_tells_of_a_duty(name: str, tmp_path: Path) -> None:
    entries, id_, word = CASES[name]
    row = duties(judge(tmp_path, entries))[id_]
    assert row["verdict"] == word
    assert bool(row["violations"]) == bool(row["evidence"]) == (word == BROKEN)
    assert bool(row["reason"]) == (word == UNTOLD)


def test_each_duty_is_kept_broken_and_untold_in_some_recording() -> None:
    """For each word of the vocabulary, with two ways at least to break it."""
    words = {d.id: word for c in CONTRACTS for d in c.duties for word in d.expect}
    told = [(words[id_], word) for _, id_, word in CASES.values()]
    for word in DUTIES:
        assert {(word, KEPT), (word, BROKEN), (word, UNTOLD)} <= set(told), word
        assert told.count((word, BROKEN)) > 1, word
    assert set(DUTIES) == set(JUDGES)


@pytest.mark.parametrize("recorder", RECORDERS, ids=lambda recorder: recorder.__name__)
def test_no_recorder_makes_a_misuse_of_a_proper_call(recorder: Recorder, tmp_path: Path) -> None:
    """Whatever it leaves out, strikes out, renames or rounds."""
    cancelled = json.dumps({"id": ID, "status": "Cancelled"})
    url = "https://api.securitycenter.microsoft.com/api/machineactions"
    calls = [
        Call("GET", f"{url}/{ID}", 200, json.dumps({"id": ID, "status": "Pending"}), at=0),
        Call("POST", f"{url}/{ID}/cancel", 429, json.dumps(error()), json.dumps(COMMENT), 2,
             headers={"Retry-After": "3"}),
        Call("POST", f"{url}/{ID}/cancel", 200, cancelled, json.dumps(COMMENT), 6),
        Call("POST", f"{url}/{OTHER}/cancel", 401, json.dumps(error()), json.dumps(COMMENT), 8),
        Call("POST", f"{GRAPH}/{ID}/cancelSecurityAction", 200, at=10),
    ]  # fmt: skip
    found = duties(judge(tmp_path, [recorder(call) for call in calls]))
    assert {id_ for id_, row in found.items() if row["verdict"] == BROKEN} == set()
    assert found.keys() == {"MA-80", "MA-81", "MA-82", "MA-83", "SA-80", "SA-81", "SA-82", "SA-83"}


MISUSE = [action({"a": 1}, BEARER), action({"a": 1}, BEARER, at=4)]  # a must, and a should


def test_it_is_judged_apart(tmp_path: Path) -> None:
    """All but its own section is as if no clause were the callers'."""
    found = judge(tmp_path, MISUSE)
    bare = [replace(contract, duties=()) for contract in CONTRACTS]
    again = judge_recording(tmp_path / "traffic.har", bare, Options())
    plain = record(again, decide(again.judgements()))
    assert found.exit_code == plain["exit_code"] == 4
    assert duties(found)["SA-80"]["verdict"] == BROKEN
    for contract in found.report["contracts"]:
        contract["duties"] = []
    assert found.report | {"started": 0} == plain | {"started": 0}


@pytest.mark.parametrize(
    ("entries", "flags", "code", "named"),
    [
        (MISUSE, ["--caller"], 1, "broken by the caller: SA-80"),
        (MISUSE, ["--caller", "--strict"], 1, "broken by the caller: SA-80, SA-83"),
        (MISUSE, ["--strict"], 4, "remain open"),
        ([action(asked=BEARER, at=1), action(asked=BEARER, at=4)], ["--caller"], 4, "remain open"),
        ([action(asked=BEARER)], ["--caller"], 4, "remain open"),
    ],
)
def test_it_fails_under_the_flag_alone(
    entries: list[Entry], flags: list[str], code: int, named: str, tmp_path: Path
) -> None:
    path = tmp_path / "traffic.har"
    path.write_text(har(entries), "utf-8")
    report = tmp_path / "r.json"
    assert main(["judge", str(path), *flags, "--report-json", str(report)]) == code
    written = json.loads(report.read_text("utf-8"))
    assert named in written["sentence"]
    assert written["caller"] == ("--caller" in flags)


def test_every_report_tells_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With what a caller sent as plain text, and never its token."""
    hostile = "<script>alert(1)</script>\u202e| `x` ::error::"
    secret = "eyJhbGciOiJub25lIn0.c2VjcmV0c2VjcmV0.xyzxyz"
    path = tmp_path / "traffic.har"
    basic = {"Authorization": f"Token {secret}"}
    path.write_text(har([without_type(cancel(asked=basic), Content_Type=hostile)]), "utf-8")
    files = {form: tmp_path / f"r.{form}" for form in ("json", "junit", "markdown", "html")}
    flags = [word for form, file in files.items() for word in (f"--report-{form}", str(file))]
    assert main(["judge", str(path), "--caller", *flags]) == 1
    texts = {form: file.read_text("utf-8") for form, file in files.items()}
    texts["terminal"] = capsys.readouterr().out
    told = json.loads(texts["json"])
    Draft202012Validator(schema("report")).validate(told)
    assert "text/json" not in texts["json"]
    for form, text in texts.items():
        assert secret not in text, form
        assert "\u202e" not in text or form == "json", form
        for id_ in ("MA-80", "MA-81"):
            assert id_ in text, (form, id_)
    told_of = "A must that is violated here fails the run."
    assert all(
        told_of in " ".join(texts[form].split()) for form in ("terminal", "markdown", "html")
    )
    assert "broken by the caller: MA-80, MA-81" in texts["html"]  # not that clauses are open
    assert "<script>alert" not in texts["html"] + texts["markdown"]
    verdicts = {form: getattr(derive, f"from_{form}")(texts[form]) for form in files}
    verdicts["terminal"] = derive.from_terminal(screen(told, verbose=True))
    assert all(found == verdicts["json"] for found in verdicts.values())
    assert verdicts["json"][1] == 1
    assert not any(id_ in ("MA-80", "MA-81") for _, id_ in verdicts["json"][0])


# --- Never our own misuse -------------------------------------------------------------------------


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.name)
def test_our_own_recordings_tell_nothing_of_callers(
    contract: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As we record them, and as a proxy between would: the gate errs on purpose in every call."""
    path, heard = tmp_path / "own.har", tmp_path / "heard.har"
    with mock_target([contract]) as target:
        result = verify([contract], target, Options(profile="smoke"))
    write_recording(result, path)
    document = json.loads(path.read_text("utf-8"))
    entries = [
        {k: v for k, v in e.items() if k != "_contracts"} for e in document["log"]["entries"]
    ]
    assert any(e["request"]["method"] == "POST" for e in entries)
    heard.write_text(har(entries), "utf-8")
    for recording in (path, heard):
        again = judge_recording(recording, [contract], Options())
        assert [r.judgement.duties for r in again.results] == [()]
        assert "Callers" not in screen(record(again, decide(again.judgements())))
        with pytest.raises(UsageError, match="--caller"):
            judge_recording(recording, [contract], Options(caller=True))
    assert main(["judge", str(path), "--contract", contract.name, "--caller"]) == 2
    assert "--caller" in capsys.readouterr().err
    # The same calls by somebody else would tell.
    others = json.loads(json.dumps(entries).replace('"cancel-contracts"', '"another"'))
    heard.write_text(har(others), "utf-8")
    (told,) = judge_recording(heard, [contract], Options()).results
    assert told.judgement.duties


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Entry:
    """A recording of a run on one contract."""
    (contract,) = (c for c in CONTRACTS if c.name == "security-action")
    path = tmp_path_factory.mktemp("own") / "own.har"
    with mock_target([contract]) as target:
        write_recording(verify([contract], target, Options(profile="smoke")), path)
    found: Entry = json.loads(path.read_text("utf-8"))
    return found


@given(data=st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_part_of_our_own_recording_tells_nothing_of_callers(
    own: Entry, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    entries = data.draw(st.lists(st.sampled_from(own["log"]["entries"]), min_size=1, max_size=8))
    path = tmp_path_factory.mktemp("part") / "part.har"
    path.write_text(json.dumps({"log": own["log"] | {"entries": entries}}), "utf-8")
    for result in judge_recording(path, CONTRACTS, Options()).results:
        assert result.judgement.duties == ()


# --- In spec files --------------------------------------------------------------------------------

ROW = {
    "id": "MA-900", "level": "must", "party": "caller", "says": "So it is.",
    "source": {"page": "a page", "section": "a section"}, "expect": {"credentials": "bearer"},
}  # fmt: skip


def written(folder: Path, row: Entry, **life: Any) -> Path:
    path = next(p for p in shipped() if p.stem == "machine-action")
    document = document_of(path)
    document["x-clauses"].append(row)
    document["x-lifecycle"] |= life
    (folder / "machine-action.yaml").write_text(text_of(document), "utf-8")
    return folder / "machine-action.yaml"


def test_a_clause_of_callers_is_none_of_the_servers(tmp_path: Path) -> None:
    contract = load(written(tmp_path, ROW))
    assert contract.clause("MA-900") is None
    assert contract.duties[-1].id == "MA-900"
    assert contract.knows("MA-900")
    plain = next(c for c in CONTRACTS if c.name == contract.name)
    assert replace(contract, duties=()).clauses[-1].id == plain.clauses[-1].id


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"party": "callers"}, "party: must be \"caller\""),
        ({"given": {"resource": "cancellable"}}, "what callers owe has no `given`"),
        ({"expect": {"credential": "bearer"}}, "did you mean 'credentials'?"),
        ({"expect": {"status": 200}}, "expect has no facet 'status'"),
        ({"expect": {"media-type": "sometimes"}}, "must be one of always, with-body"),
        ({"expect": {}}, "must"),
        ({"expect": {"own-body": "/who"}}, "x-lifecycle names no schema of it (owners)"),
        ({"id": "MA-01"}, "the id stands twice"),
        ({"id": "MA-81"}, "the id stands twice"),
    ],
)  # fmt: skip
def test_what_a_clause_of_callers_cannot_say(changes: Entry, told: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        load(written(tmp_path, ROW | changes))
    assert told in str(raised.value)


def test_a_servers_clause_needs_its_situation_still(tmp_path: Path) -> None:
    row = {k: v for k, v in ROW.items() if k != "party"} | {"expect": {"status": 200}}
    with pytest.raises(UsageError, match="'given' is a required property"):
        load(written(tmp_path, row))


def test_owners_name_a_schema_that_is_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="x-lifecycle/owners: no schema is named 'Nobodys'"):
        load(written(tmp_path, ROW, owners="Nobodys"))
