"""Requests of other shapes: methods, parameters, schemes and forms, on servers of their own."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cancel_contracts import foreign, gate
from cancel_contracts.assignment import Options
from cancel_contracts.contract.credentials import Scheme
from cancel_contracts.contract.load import load
from cancel_contracts.exchange import Caller
from cancel_contracts.har.caller import caller_of
from cancel_contracts.replay import judge_recording, write_recording
from cancel_contracts.report.record import record
from cancel_contracts.schemas import shape
from cancel_contracts.targets.file import Target
from cancel_contracts.verify import Result, verify
from recordings import entry, har
from servers.front import Request, Response, Written
from servers.shapes import STATES, Builds, Sessions, Shaped, Thing

SPECS = Path(__file__).with_name("cases") / "specs"
BUILDS, SESSIONS = (load(SPECS / f"{name}.yaml") for name in ("build-stop", "session-revoke"))
TOKENS = {"build-stop": "admin:swordfish", "session-revoke": "a-key-of-an-admin"}


def judged(service: Shaped, only: tuple[str, ...] = (), **more: Any) -> Result:
    """Return what the suite says of a server that keeps one of the contracts."""
    contract = BUILDS if isinstance(service, Builds) else SESSIONS
    with Written(service) as front:
        raw: Mapping[str, Any] = {
            "base_url": front.url,
            "provider_states": front.url + STATES,
            "identities": {"admin": {"token": TOKENS[contract.name]}},
            **more,
        }
        try:
            target = Target("target.yaml", raw, front.url)
            return verify([contract], target, Options(only=only), environ={})
        finally:
            service.stopped.set()


def violated(result: Result) -> set[str]:
    return {v.clause.id for j in result.judgements() for v in j.verdicts if v.word == "violated"}


@pytest.mark.slow
@pytest.mark.parametrize("service", [Builds, Sessions])
def test_a_server_of_that_shape_conforms(service: type[Shaped]) -> None:
    result = judged(service())
    assert gate.decide(result.judgements()).exit_code == 0, violated(result)


# --- what goes out --------------------------------------------------------------------------------


def test_each_call_carries_what_the_operation_asks_for() -> None:
    """A required query or header parameter is sent, with GETs too; a key of each call is its own."""
    service = Builds()
    judged(service, ("BS-1",))
    stops = [r for r in service.seen if r.target.partition("?")[0].endswith("/stop")]
    looks = [r for r in service.seen if r not in stops]
    assert {r.method for r in stops} == {"PUT"}
    assert {r.method for r in looks} == {"GET"}
    assert all("?api-version=2024-05-01" in r.target for r in service.seen)
    assert all(r.target.startswith("/projects/a%20project/builds/3043") for r in service.seen)
    keys = [r.headers["idempotency-key"] for r in stops]
    assert all(key.startswith("key-") for key in keys)
    assert len(set(keys)) == len(keys) > 1
    assert not any("notify" in r.target for r in service.seen), "optional, and nobody asked for it"
    assert all("idempotency-key" not in r.headers for r in looks)


def test_a_target_file_overrides_a_parameter() -> None:
    class Elsewhere(Builds):
        project, versions = "own/project", ("2025-01-01",)

    own = {"project": "own/project", "api-version": "2025-01-01", "notify": True}
    service = Elsewhere()
    result = judged(service, ("BS-1", "BS-5"), contracts={"build-stop": {"parameters": own}})
    assert gate.decide(result.judgements()).exit_code == 0, violated(result)
    assert all(r.target.startswith("/projects/own%2Fproject/") for r in service.seen)
    assert any("notify=true" in r.target for r in service.seen)


def test_a_form_goes_out_as_its_media_type_has_it() -> None:
    service = Sessions()
    judged(service, ("SR-1",))
    sent = {r.body for r in service.seen if r.method == "DELETE"}
    assert sent == {b"reason=left+%26+gone%2C+gr%C3%B6%C3%9Ftenteils&everywhere=true"}
    kinds = {r.headers["content-type"] for r in service.seen if r.method == "DELETE"}
    assert kinds == {"application/x-www-form-urlencoded"}
    assert all("authorization" not in r.headers for r in service.seen)


def test_unknown_ids_are_of_the_schema_of_the_parameter() -> None:
    numbers, sessions = Builds(), Sessions()
    judged(numbers, ("BS-3",))
    judged(sessions, ("SR-3",))
    unknown = {
        r.target.split("/")[4].partition("?")[0] for r in numbers.seen
    } - numbers.things.keys()
    assert unknown
    assert all(id_.isdecimal() for id_ in unknown)
    named = {r.target.split("/")[2].partition("?")[0] for r in sessions.seen}
    assert all(BUILDS.id.fits(id_) for id_ in unknown)
    assert all(SESSIONS.id.fits(id_) for id_ in named)


# --- wrong servers --------------------------------------------------------------------------------


class NoVersion(Builds):
    """A call without a version is served."""

    def versioned(self, query: Mapping[str, str]) -> bool:
        return query.get("api-version", "2024-05-01") in self.versions


class AnyVersion(Builds):
    """Whatever version is asked for is served."""

    def versioned(self, query: Mapping[str, str]) -> bool:
        return "api-version" in query


class OneVersion(Builds):
    """The newer version is refused."""

    versions = ("2024-05-01",)


class NoKey(Builds):
    """A call without a key is served."""

    def keyed(self, request: Request) -> bool:
        return True


class KeyKept(Builds):
    """The key of a call is looked for in the query."""

    def keyed(self, request: Request) -> bool:
        return "idempotency-key" in request.target


class AnyProject(Builds):
    """The project in the path does not matter."""

    def within(self, project: str) -> bool:
        return True


class PostStops(Builds):
    """POST stops a build as well."""

    methods = ("PUT", "POST")


class AnyPassword(Builds):
    """The user alone is looked at."""

    def known(self, request: Request) -> bool:
        return super().known(request) or "Basic YWRtaW46" in str(request.headers)


class CaseOfTheScheme(Builds):
    """The scheme is read as the page writes it, and in no other case."""

    def known(self, request: Request) -> bool:
        return super().known(request) and "Basic " in request.headers["authorization"]


class KeyAnywhere(Sessions):
    """The key may stand in a header."""

    def known(self, request: Request, query: Mapping[str, str]) -> bool:
        key = request.headers.get("api_key", query.get("api_key"))
        return key == "a-key-of-an-admin"


class KeyInACookie(Sessions):
    """The key may stand in a cookie."""

    def known(self, request: Request, query: Mapping[str, str]) -> bool:
        cookie = request.headers.get("cookie", "")
        return super().known(request, query) or "api_key=a-key-of-an-admin" in cookie


class KeyInAnyCase(Sessions):
    """The case of the key does not count."""

    def known(self, request: Request, query: Mapping[str, str]) -> bool:
        return query.get("api_key", "").lower() == "a-key-of-an-admin"


class PlusIsPlus(Sessions):
    """A plus in a form stays one."""

    def reason(self, body: bytes) -> str | None:
        return super().reason(body.replace(b"+", b"%2B"))


class AnyForm(Sessions):
    """What a form holds is not looked at."""

    def reason(self, body: bytes) -> str | None:
        return super().reason(body) or ""


class FormAsJson(Sessions):
    """A form is refused, for it is no JSON."""

    def reason(self, body: bytes) -> str | None:
        return None if body[:1] != b"{" else ""


class NothingRevoked(Sessions):
    """DELETE says that it is done, and does nothing."""

    def route(self, request: Request, parts: tuple[str, ...], query: Mapping[str, str]) -> Response:
        before = {id_: Thing(**vars(thing)) for id_, thing in self.things.items()}
        response = super().route(request, parts, query)
        self.things = before
        return response


class IdAsText(Builds):
    """The id is a text, where the schema says that it is a number."""

    def route(self, request: Request, parts: tuple[str, ...], query: Mapping[str, str]) -> Response:
        response = super().route(request, parts, query)
        body = re.sub(rb'"id": (\d+)', rb'"id": "\1"', response.body)
        return replace(response, body=body)


class IdOfAnother(Builds):
    """The answer names the next build."""

    def route(self, request: Request, parts: tuple[str, ...], query: Mapping[str, str]) -> Response:
        response = super().route(request, parts, query)
        if request.method == "GET":
            return response
        body = re.sub(rb'"id": (\d+)', lambda m: b'"id": %d' % (int(m[1]) + 1), response.body)
        return replace(response, body=body)


WRONG: list[tuple[type[Shaped], str]] = [
    (NoVersion, "BS-5"), (AnyVersion, "BS-5"), (OneVersion, "BS-6"), (NoKey, "BS-7"),
    (KeyKept, "BS-1"), (AnyProject, "BS-8"), (PostStops, "BS-9"), (AnyPassword, "BS-11"),
    (CaseOfTheScheme, "BS-12"), (KeyAnywhere, "SR-7"), (KeyInACookie, "SR-7"),
    (KeyInAnyCase, "SR-7"), (PlusIsPlus, "SR-9"), (AnyForm, "SR-5"), (FormAsJson, "SR-1"),
    (NothingRevoked, "SR-1"), (IdAsText, "BS-1"), (IdOfAnother, "BS-1"),
]  # fmt: skip


@pytest.mark.parametrize(("service", "clause"), WRONG, ids=lambda x: getattr(x, "__name__", x))
def test_a_server_that_goes_wrong_is_caught(service: type[Shaped], clause: str) -> None:
    assert clause in violated(judged(service(), (clause,)))


# --- recordings -----------------------------------------------------------------------------------

API = "https://builds.example/v1/projects/{}/builds/{}{}?api-version=2024-05-01&trace=1"
AUTH = {"Authorization": "Basic YWRtaW46c3dvcmRmaXNo", "Idempotency-Key": "key-12345"}


def build(phase: str, id_: int = 7) -> dict[str, Any]:
    return {"id": id_, "phase": phase}


def recorded(folder: Path, *entries: Any) -> dict[str, str]:
    """Return the verdicts of the clauses that a recording tells of."""
    path = folder / "traffic.har"
    path.write_text(har(entries), "utf-8")
    result = judge_recording(path, [BUILDS, SESSIONS], Options())
    verdicts = (v for j in result.judgements() for v in j.verdicts)
    return {v.clause.id: v.word for v in verdicts if v.word != "not-exercised"}


def test_a_route_has_an_id_and_what_it_is_within() -> None:
    """Two projects may have a build of one number each; DELETE and GET may share a path."""
    for method, action, kind in (("PUT", "/stop", "cancel"), ("GET", "", "observe")):
        found = foreign.route([BUILDS], method, API.format("a%20b", 7, action))
        assert found is not None
        assert (found.kind, found.id, found.within) == (kind, "7", ("a b",))
    url = "https://sessions.example/sessions/ses_00000001?api_key=x"
    kinds = {
        method: found.kind if (found := foreign.route([SESSIONS], method, url)) else None
        for method in ("DELETE", "GET", "HEAD", "PATCH")
    }
    assert kinds == {"DELETE": "cancel", "GET": "observe", "HEAD": None, "PATCH": "cancel"}
    assert foreign.route([BUILDS], "PUT", "https://builds.example/projects/7/stop") is None


def shown(phase: str, at: float, project: str = "a") -> dict[str, Any]:
    return entry("GET", API.format(project, 7, ""), 200, build(phase), at, asked=AUTH)


def stop(status: int, at: float, url: str = API.format("a", 7, "/stop")) -> dict[str, Any]:
    told = build("stopped") if status == 200 else {"error": {}}
    return entry("PUT", url, status, told, at, asked=AUTH)


def test_a_recording_of_a_put_is_judged(tmp_path: Path) -> None:
    good = [shown("building", 1), stop(200, 2), shown("stopped", 9)]
    assert recorded(tmp_path, *good).get("BS-1") != "violated"
    bad = [shown("building", 1), stop(200, 2), shown("building", 9)]
    assert recorded(tmp_path, *bad)["BS-1"] == "violated"
    ended = [shown("built", 1), stop(200, 2), shown("stopped", 9)]
    assert recorded(tmp_path, *ended)["BS-2"] == "violated"


def test_builds_of_one_number_in_two_projects_are_two(tmp_path: Path) -> None:
    """What is seen of one says nothing of the other."""
    traffic = [shown("building", 1), stop(200, 2), shown("building", 9, "another")]
    assert recorded(tmp_path, *traffic).get("BS-1") != "violated"


def test_a_required_query_parameter_that_is_not_there_is_told(tmp_path: Path) -> None:
    bare = API.format("a", 7, "/stop").partition("?")[0]
    assert recorded(tmp_path, shown("building", 1), stop(200, 2, bare))["BS-5"] == "violated"
    assert "BS-5" not in recorded(tmp_path, shown("building", 1), stop(200, 2))
    refused = [shown("building", 1), stop(400, 2, bare), shown("building", 9)]
    assert recorded(tmp_path, *refused).get("BS-1") is None


@pytest.mark.parametrize("as_params", [False, True])
def test_a_recording_of_a_form_is_judged(tmp_path: Path, as_params: bool) -> None:
    url = "https://sessions.example/sessions/ses_00000001?api_key=x"

    def traffic(kept: str) -> list[Any]:
        looks = (
            entry("GET", url, 200, {"id": "ses_00000001", "state": state, "reason": reason}, at)
            for at, state, reason in ((1, "open", ""), (9, "revoked", kept))
        )
        before, after = looks
        revoke = entry("DELETE", url, 204, None, 2)
        told: dict[str, Any] = {"mimeType": "application/x-www-form-urlencoded"}
        told |= {"params": [{"name": "reason", "value": "a&b c"}]} if as_params else {}
        told |= {"text": "" if as_params else "reason=a%26b+c"}
        revoke["request"]["postData"] = told
        return [before, revoke, after]

    assert recorded(tmp_path, *traffic("a&b c"))["SR-9"] == "upheld"
    assert recorded(tmp_path, *traffic("a&b+c"))["SR-9"] == "violated"


WHO = {
    "query": Scheme("", "query", "key"), "cookie": Scheme("", "cookie", "sid"),
    "header": Scheme("", "header", "X-Functions"), "Basic": Scheme("Basic"),
}  # fmt: skip


@pytest.mark.parametrize("name", WHO)
def test_callers_are_told_apart_by_the_credentials_of_the_scheme(name: str) -> None:
    def carried(token: str, other: str = "") -> Caller:
        sent = WHO[name].carry(token)
        headers = (("User-Agent", "sdk"), ("Cookie", f"seen={other}"), *sent.headers)
        return caller_of(headers, WHO[name], f"https://x.example/a?trace={other}&{sent.query}")

    one, same, two = carried("tokenA"), carried("tokenA", "later"), carried("tokenB")
    assert one.key == same.key != two.key
    assert "token" not in one.key


def test_a_key_in_a_recording_goes_no_further(tmp_path: Path) -> None:
    """Wherever the answer repeats it."""
    secret = "a-key-that-stood-in-the-query"
    url = f"https://sessions.example/sessions/ses_00000001?api_key={secret}"
    told = {"error": {"code": "x", "message": f"your key {secret} is not good"}}
    open_ = {"id": "ses_00000001", "state": "open", "reason": ""}
    traffic = [entry("GET", url, 200, open_, 1), entry("DELETE", url, 200, told, 2)]
    (tmp_path / "traffic.har").write_text(har(traffic), "utf-8")
    result = judge_recording(tmp_path / "traffic.har", [SESSIONS], Options())
    text = json.dumps(record(result, gate.decide(result.judgements())))
    assert "is not good" in text
    assert secret not in text


@pytest.mark.parametrize(
    ("service", "only", "says"),
    [
        (NoVersion, ("BS-1", "BS-5"), "cancels a waiting resource, without api-version"),
        (AnyProject, ("BS-8",), "with another project"),
        (KeyInAnyCase, ("SR-1", "SR-7"), "with a token in the other case"),
    ],
)
def test_reports_and_recordings_tell_of_it_and_hold_no_secret(
    service: type[Shaped], only: tuple[str, ...], says: str, tmp_path: Path
) -> None:
    result = judged(service(), only)
    found = record(result, gate.decide(result.judgements()))
    assert not shape("report").errors(found)
    assert found["contracts"][0]["method"] == ("PUT" if service is not KeyInAnyCase else "DELETE")
    write_recording(result, tmp_path / "run.har")
    texts = (json.dumps(found), (tmp_path / "run.har").read_text("utf-8"))
    assert says in texts[0]
    for text in texts:
        for secret in ("swordfish", "YWRtaW46c3dvcmRmaXNo", "a-key-of-an", "A-KEY-OF-AN"):
            assert secret not in text
    again = judge_recording(tmp_path / "run.har", [BUILDS, SESSIONS], Options())

    def words(of: Result) -> dict[str, str]:
        return {v.clause.id: v.word for j in of.judgements() for v in j.verdicts}

    assert words(again) == words(result)
    assert "violated" in words(again).values()


# --- odd servers that are right -------------------------------------------------------------------


class VersionBeforeLogin(Builds):
    """Parameters are looked at before anything else."""

    def route(self, request: Request, parts: tuple[str, ...], query: Mapping[str, str]) -> Response:
        stops = request.method == "PUT" and request.target.partition("?")[0].endswith("/stop")
        if stops and not (self.versioned(query) and self.keyed(request)):
            return self.refuse(400)
        return super().route(request, parts, query)


class KeysRemembered(Builds):
    """A key that comes again has the answer that it had."""

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[str, Response] = {}

    def route(self, request: Request, parts: tuple[str, ...], query: Mapping[str, str]) -> Response:
        key = request.headers.get("idempotency-key", "") + request.method + request.target
        if "idempotency-key" not in request.headers:
            return super().route(request, parts, query)
        return self.told.setdefault(key, super().route(request, parts, query))


class NamesInAnyCase(Sessions):
    """The names of a form are read in any case."""

    def reason(self, body: bytes) -> str | None:
        return super().reason(body.replace(b"Reason=", b"reason="))


@pytest.mark.slow
@pytest.mark.parametrize("service", [VersionBeforeLogin, KeysRemembered, NamesInAnyCase])
def test_an_odd_server_that_is_right_conforms(service: type[Shaped]) -> None:
    result = judged(service())
    assert gate.decide(result.judgements()).exit_code == 0, violated(result)
