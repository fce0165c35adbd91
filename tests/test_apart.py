"""A call in which several facts met and that was not served is asked anew, fact by fact."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache

import pytest
from cancel_contracts.assignment import Options
from cancel_contracts.exchange import Situation
from cancel_contracts.verify import Result, verify
from sampling import only_of_all
from servers.front import Request, Response, Written
from servers.service import Call, Service
from servers.trial import conforming, contract_of, target_of


class LowerCaseAlone(Service):
    """Knows a media type in lower case alone."""

    def check_state(self, call: Call) -> Response | None:
        upper = call.request.headers.get("content-type", "").isupper()
        return self.refuse(415, "X", "What is it?") if upper else super().check_state(call)


class NoChunks(Service):
    """Knows no body that comes in chunks."""

    def check_state(self, call: Call) -> Response | None:
        chunked = call.request.chunked
        return self.refuse(411, "X", "How long?") if chunked else super().check_state(call)


class NoChunksBeforeAll(Service):
    """Looks at the form of a call before it looks at who calls."""

    checks = ("form", *Service.checks)

    def check_form(self, call: Call) -> Response | None:
        return self.refuse(411, "X", "How long?") if call.request.chunked else None


class NoCharsetBeforeAll(NoChunksBeforeAll):
    def check_form(self, call: Call) -> Response | None:
        charset = "charset" in call.request.headers.get("content-type", "")
        return self.refuse(415, "X", "In what?") if charset else None


class NoChunksAndUnknownDone(NoChunksBeforeAll):
    """And takes whatever names nothing for done, to which nobody can send chunks."""

    def check_existence(self, call: Call) -> Response | None:
        refusal = super().check_existence(call)
        return Response(204) if refusal and not call.request.chunked else refusal


class ChunksOfNobodyPerformed(NoChunksBeforeAll):
    """Refuses chunks, and does what they ask for where nobody is named."""

    def check_form(self, call: Call) -> Response | None:
        refusal = super().check_form(call)
        if (
            refusal
            and "authorization" not in call.request.headers
            and (found := self.find(call.id))
        ):
            self.cancel(found, call)
        return refusal


class NoPermissionAsked(Service):
    """Looks at no permission, so that a call which another call is to follow is served."""

    def check_permission(self, call: Call) -> Response | None:
        return None


class NothingServed(Service):
    """Serves no call at all."""

    def post(self, request: Request, id_: str) -> Response:
        return self.refuse(403, "Forbidden", "Not today.")


class GivesUp(Service):
    """Each call that it refuses leaks a connection to its store, of which it has some."""

    refusals = 0

    def post(self, request: Request, id_: str) -> Response:
        if self.refusals > 8:
            return self.refuse(503, "ServiceUnavailable", "No connection is left.")
        return super().post(request, id_)

    def refused(self, call: Call, refusal: Response) -> Response:
        self.refusals += refusal.status == 400
        return super().refused(call, refusal)


def run(service: Service, **options: object) -> Result:
    with Written(service) as front:
        try:
            target = target_of(service, front.url)
            return verify([contract_of(service.page)], target, Options(**options), environ={})  # type: ignore[arg-type]
        finally:
            service.stopped.set()


def calls(result: Result) -> list[Situation]:
    return [
        x.situation
        for x in result.results[0].journal.exchanges
        if x.kind == "cancel" and not x.way_in
    ]


@cache
def whole(short: str, kind: type[Service] = Service) -> Result:
    """Return the run of a whole gate, which is made once."""
    return run(conforming(short, kind))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("short", "kind", "clause"),
    [
        ("MA", LowerCaseAlone, "MA-45"),
        ("MA", NoChunks, "MA-54"),
        ("MA", NoChunksBeforeAll, "MA-54"),
        ("MA", NoCharsetBeforeAll, "MA-45"),
        *only_of_all(("AP", LowerCaseAlone, "AP-58")),
    ],
)
def test_one_fact_is_to_blame_and_no_other_is_left_open(
    short: str, kind: type[Service], clause: str
) -> None:
    kept, broken = whole(short), whole(short, kind)  # type: ignore[arg-type]
    verdicts = {v.clause.id: v.word for v in broken.judgements()[0].verdicts}
    usual = {v.clause.id: v.word for v in kept.judgements()[0].verdicts}
    changed = {id_: word for id_, word in verdicts.items() if word != usual[id_]}
    assert changed == {clause: "violated"}


@pytest.mark.slow
def test_what_is_wrong_beside_a_declined_form_is_found_all_the_same() -> None:
    verdicts = run(conforming("MA", NoChunksAndUnknownDone)).judgements()[0].verdicts
    assert {"MA-34", "MA-54"} <= {v.clause.id for v in verdicts if v.word == "violated"}


@pytest.mark.slow
def test_what_a_declined_form_does_all_the_same_is_held_against_who_may_not() -> None:
    verdicts = run(conforming("MA", ChunksOfNobodyPerformed)).judgements()[0].verdicts
    violated = {v.clause.id for v in verdicts if v.word == "violated"}
    assert "MA-54" in violated
    assert violated & {"MA-21", "MA-100"}, "it took effect"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("short", "clauses"),
    [
        ("SA", {"SA-10", "SA-11", "SA-100", "SA-150"}),
        ("MA", {"MA-19"}),
        ("AP", {"AP-16", "AP-18", "AP-194"}),
    ],
)
def test_what_follows_a_call_that_was_served_wrongly_is_not_held_against_it(
    short: str, clauses: set[str]
) -> None:
    verdicts = run(conforming(short, NoPermissionAsked)).judgements()[0].verdicts
    musts = [v for v in verdicts if v.clause.level == "must"]  # it echoes no client-request-id
    assert {v.clause.id for v in musts if v.word == "violated"} == clauses


@pytest.mark.slow
def test_what_conforms_is_asked_nothing_more_and_what_serves_nothing_neither() -> None:
    planned = calls(whole("MA"))
    assert len(calls(whole("MA", LowerCaseAlone))) > len(planned)
    nothing = calls(whole("MA", NothingServed))
    more = Counter(nothing) - Counter(planned)
    assert {x.call for x in more} <= {"reused"}, "made again on a connection of its own"
    assert {replace(x, call="first") for x in more} <= set(nothing)


@pytest.mark.slow
@pytest.mark.parametrize("short", ["AP", *only_of_all("MA")])
def test_what_is_asked_anew_has_drawn_what_it_was_drawn_for(short: str) -> None:
    result = run(conforming(short, GivesUp))
    assert result.results[0].crashes == ()
    open_ = [form for call in calls(result) for form in call.drawn if not form.text]
    assert open_ == []


@pytest.mark.slow
def test_no_more_calls_are_made_than_may_be() -> None:
    planned = calls(whole("MA"))
    result = run(conforming("MA", LowerCaseAlone), max_requests=len(planned))
    more = Counter(calls(result)) - Counter(planned)
    assert {x.call for x in more} <= {"reused"}, "what a kept connection led astray is on top"
    assert len(calls(result)) - more.total() == len(planned)
