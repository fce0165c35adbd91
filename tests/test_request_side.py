"""The request side of HTTP: forms of a call that a server must take, or may not mind."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest
from cancel_contracts.contract.compose import Composition
from cancel_contracts.contract.credentials import BEARER, Scheme
from cancel_contracts.contract.ids import respelled
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.exchange import Form, Situation
from cancel_contracts.run.content import Names, spelled_otherwise
from cancel_contracts.run.requests import cancel_request, masked
from servers.front import Request, Response
from servers.service import Service
from servers.trial import conforming, judge

MACHINE = next(c for c in map(load, shipped()) if c.name == "machine-action")
TOKEN = "a-token-that-nobody-may-see"
ONLY = ("MA-01", "MA-21", "MA-68")


def request(**facts: Any) -> Any:
    situation = Situation(state="Pending", **facts)
    carried = BEARER.carry(TOKEN)
    sent = cancel_request(
        MACHINE, "http://127.0.0.1:1", situation, "an-id", Names(), carried, "a-request"
    )
    return sent, masked(sent, carried, "admin")


def test_names_go_out_in_lower_case_and_values_as_they_are() -> None:
    sent, kept = request(extra="lower-case")
    usual, _ = request()
    assert [(n.lower(), v) for n, v in usual.headers] == list(sent.headers)
    assert "authorization" in dict(sent.headers)
    assert TOKEN not in str(kept.headers), "the token is masked under any spelling of the name"
    assert dict(kept.headers)["authorization"] == "Bearer <admin>"


def test_a_scheme_in_lower_case_is_that_of_whoever_calls_and_the_token_is_masked() -> None:
    sent, kept = request(extra="lower-case-scheme")
    assert dict(sent.headers)["Authorization"] == f"bearer {TOKEN}"
    assert dict(kept.headers)["Authorization"] == "bearer <admin>"
    for scheme, text in ((Scheme("SharedKey"), "sharedkey t"), (Scheme("", name="X-Key"), "t")):
        carried = scheme.respelled(scheme.carry("t"), str.lower)
        assert carried.headers == ((scheme.name, text),)
    beginning_alike = BEARER.placed("Bearers t")
    assert BEARER.respelled(beginning_alike, str.lower) == beginning_alike


@pytest.mark.parametrize(
    ("id_", "encoded", "cased"),
    [
        ("9a3f-c", "%39a3f%2Dc", "9A3F-C"),
        ("1234567890", "%31234567890", "1234567890"),
        ("Apar.Xy~7_b", "%41par.Xy~7_b", "aPAR.xY~7_B"),
        ("a%2Fb-%C3%A9", "%61%2Fb%2D%C3%A9", "A%2FB-%C3%A9"),
        ("~ID_1~", "~ID_1~", "~ID_1~"),
    ],
)
def test_an_id_in_another_spelling(id_: str, encoded: str, cased: str) -> None:
    assert respelled(id_, "encoded") == encoded
    assert unquote(encoded) == unquote(id_)
    assert respelled(id_, "cased") == cased
    assert respelled(id_, "") == id_
    sent = cancel_request(
        MACHINE, "http://127.0.0.1:1", Situation(state="Pending", extra="id-encoded"), id_,
        Names(), BEARER.carry(TOKEN), "a-request",
    )  # fmt: skip
    assert sent.url == f"http://127.0.0.1:1/api/machineactions/{encoded}/cancel"


def test_expect_goes_with_content_alone() -> None:
    """RFC 9110, section 10.1.1: a client must not expect where it sends no content."""
    composition = Composition(MACHINE)
    call = Situation(state="Pending", extra="expect")
    assert composition.can_meet(call)
    for facts in ({"method": "GET"}, {"method": "OPTIONS"}, {"body": Form("none")}):
        assert not composition.can_meet(Situation(state="Pending", extra="expect", **facts))


class ExpectIsLeftAlone(Service):
    """Answers whoever expects 100 that it expects nothing."""

    def answer(self, request: Request) -> Response:
        if "expect" in request.headers:
            return self.refuse(417, "ExpectationFailed", "Send it at once.")
        return super().answer(request)


class ExpectWithoutEffect(Service):
    """Takes what comes with an expectation for a question."""

    def post(self, request: Request, id_: str) -> Response:
        if "expect" not in request.headers:
            return super().post(request, id_)
        resource = self.find(id_)
        before = dict(vars(resource)) if resource else {}
        answer = super().post(request, id_)
        if resource is not None:
            vars(resource).update(before)
        return answer


def test_json_in_another_spelling_is_the_same_and_has_octets_and_escapes() -> None:
    said = {"Comment": "größer \U0001f6d1 \ud800", "to": ["é"]}
    body = json.dumps(said).encode()
    spelled = spelled_otherwise(body, 2)
    assert json.loads(spelled) == said
    assert [*json.loads(spelled)] == ["to", "Comment"]
    assert "rößer".encode() in spelled
    assert rb"\ud83d\uded1 \ud800" in spelled
    assert spelled_otherwise(b"{not json}", 2) == b"{not json}"


class NamesAsTheyAreWritten(Service):
    """Knows Authorization as it is written in the page, and no other way."""

    def bearer(self, request: Request) -> Any:
        return super().bearer(request) if "Authorization" in request.names else None


DEEP = {"effect_seconds": 0.3, "profile": "deep", "max_requests": 20}


@pytest.mark.slow
def test_a_form_that_is_not_taken_is_caught() -> None:
    told = judge(
        conforming("MA", NamesAsTheyAreWritten), only=ONLY, options={"effect_seconds": 0.3}
    )
    assert "MA-68" in told.violated, str(told)
    told = judge(conforming("MA", ExpectWithoutEffect), only=("MA-109",), options=DEEP)
    assert "MA-109" in told.violated, str(told)


@pytest.mark.slow
def test_an_expectation_may_be_declined() -> None:
    outcome = judge(conforming("MA", ExpectIsLeftAlone), only=("MA-01", "MA-109"), options=DEEP)
    assert (outcome.exit_code, outcome.violated) == (0, {}), str(outcome)
    assert "MA-109" in outcome.upheld


class ContinuesTwice(Service):
    """Tells whoever waits to go on before each answer, as a server may."""

    def encode(self, response: Response, request: Request, close: bool) -> bytes:
        told = b"HTTP/1.1 100 Continue\r\n\r\n" if "expect" in request.headers else b""
        return told + super().encode(response, request, close)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Service, ContinuesTwice])
def test_a_server_that_takes_it_passes(kind: type[Service]) -> None:
    outcome = judge(conforming("MA", kind), only=ONLY)
    assert (outcome.exit_code, outcome.violated) == (0, {}), str(outcome)
