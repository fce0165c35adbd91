"""A server is blamed for what it did, not for where a call has led or how often it was asked."""

from __future__ import annotations

import uuid
from dataclasses import replace
from email.utils import formatdate
from itertools import count
from pathlib import Path
from secrets import token_urlsafe

import pytest
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.exchange import Exchange, Form, Received, Sent, Situation
from cancel_contracts.journal import Journal
from cancel_contracts.judge.context import Context
from cancel_contracts.judge.facets import Finding, header
from servers.faults_existence import Whispers
from servers.front import Request, Response
from servers.service import Call, Service
from servers.trial import conforming, judge

COUNT = count()
POSTED = next(c for c in map(load, shipped()) if c.method == "POST")
REVOKED = load(Path(__file__).with_name("cases") / "specs" / "session-revoke.yaml")


@pytest.mark.parametrize(
    ("method", "allow", "ok"),
    [
        ("GET", "POST, OPTIONS", True),
        ("GET", "OPTIONS", False),
        ("GET", "GET, POST", False),
        ("POST", "GET, HEAD", True),
        ("POST", "POST", False),
        ("POST", None, False),
        ("POST", "GET, DELETE", True),
        ("POST", "POST, DELETE", False),
    ],
)
def test_a_post_that_an_odd_id_leads_elsewhere_may_be_405(
    method: str, allow: str | None, ok: bool
) -> None:
    headers = () if allow is None else (("Allow", allow),)
    sent = Sent(method, "http://127.0.0.1/things/a%2Fb/cancel")
    situation = Situation(resource="odd", id=Form("encoded-slash"), method=method)
    received = Received(405, headers=headers)
    exchange = Exchange("c", 1, 1, "cancel", situation, "admin", "", sent, received=received)
    found = header(Context(POSTED, Journal("c")), exchange, "allow")
    assert isinstance(found, Finding)
    assert found.ok is ok, found
    # Of a contract whose act is another, POST is what is refused.
    found = header(Context(REVOKED, Journal("c")), exchange, "allow")
    assert isinstance(found, Finding)
    assert found.ok is ("DELETE" in (allow or "") and method not in (allow or ""))


class NeverMakes(Service):
    """The handler is busy and stays so."""

    asked = 0

    def provide(self, request: Request) -> Response:
        self.asked += 1
        return self.limit("0")


def test_a_handler_that_is_busy_throughout_refuses_no_state() -> None:
    service = conforming("SA", NeverMakes)
    assert isinstance(service, NeverMakes)
    outcome = judge(service)
    assert (outcome.exit_code, outcome.violated) == (4, {}), str(outcome)
    assert "429 again and again" in outcome.open["SA-01"], "and no line excuses it"
    assert service.asked == 3 * 4, "three set-ups were tried, each four times"


class OwnWords(Whispers):
    """Each 401 holds what belongs to its call alone: the id, a time, a nonce, a trace."""

    def slip(self, call: Call, refusal: Response) -> Response:
        moment = f"{formatdate(usegmt=True)} #{next(COUNT)}"
        told = f"{call.id} needs a token. Trace {uuid.uuid4()}, {moment}, {token_urlsafe(16)}."
        body = self.refuse(401, "InvalidAuthenticationToken", told).body
        challenge = f'Bearer realm="api", nonce="{token_urlsafe(16)}"'
        return Response(401, body, (("WWW-Authenticate", challenge), *refusal.headers[1:]))


class FramedByTheRoute(Whispers):
    """Frames its 401 in chunks where the id names something: how an answer is cut is no word."""

    def slip(self, call: Call, refusal: Response) -> Response:
        return replace(refusal, chunked=self.find(call.id) is not None)


class QuotesTheUrl(Whispers):
    """Each 401 holds the URL that it was asked at, its query too."""

    target = ""

    def answer(self, request: Request) -> Response:
        self.target = request.target
        return super().answer(request)

    def slip(self, call: Call, refusal: Response) -> Response:
        body = self.refuse(401, "InvalidAuthenticationToken", f"No token: {self.target}").body
        return Response(401, body, refusal.headers)


class CallersLanguage(Whispers):
    """A 401 is in the language that is asked for, and says so; a proxy's caller is told of it."""

    def slip(self, call: Call, refusal: Response) -> Response:
        german = "de" in call.request.headers.get("accept-language", "")
        text, more = ("Kein Zugriff.", [("Content-Language", "de")]) if german else ("No.", [])
        body = self.refuse(401, "InvalidAuthenticationToken", text).body
        return Response(401, body, (*refusal.headers, *more))


@pytest.mark.parametrize("kind", [OwnWords, FramedByTheRoute, QuotesTheUrl, CallersLanguage])
@pytest.mark.parametrize(("short", "clause"), [("SA", "SA-44"), ("MA", "MA-62"), ("AP", "AP-65")])
def test_what_belongs_to_one_call_gives_nothing_away(
    short: str, clause: str, kind: type[Whispers]
) -> None:
    outcome = judge(conforming(short, kind), only=[clause])
    assert (outcome.exit_code, outcome.violated) == (0, {}), str(outcome)
    assert clause in outcome.upheld
