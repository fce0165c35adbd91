"""Calls at once: what some order of them explains passes, what none explains does not."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import pytest
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.exchange import Exchange, Received, Sent, Situation
from cancel_contracts.journal import Exchanges, Journal
from cancel_contracts.judge.context import Context
from cancel_contracts.judge.facets import Finding
from cancel_contracts.judge.race import race
from cancel_contracts.plan.plan import make
from cancel_contracts.plan.single import one_at_a_time
from cancel_contracts.plan.steps import Acquire, AtOnce, Scenario, at_once
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sampling import only_of_all
from servers.entities import Resource
from servers.front import Request, Response
from servers.service import Call, Service
from servers.trial import conforming, judge

pytestmark = pytest.mark.slow

CONTRACTS = {path.stem: load(path) for path in shipped()}
MACHINE = CONTRACTS["machine-action"]
ORDINARY = Situation(state="Pending")
AT_ONCE = replace(ORDINARY, call="concurrent")
CALLERS = ("admin", "app", "user")

# --- The model ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class History:
    """Calls at once as a server that serves one after the other answers them. `order` is whose turn
    it is; `again` how one after the first is answered; `shy` leaves out of an answer what it wrote.
    """

    callers: tuple[str, ...]
    order: tuple[int, ...]
    again: int
    put_off: frozenset[int]
    shy: frozenset[int]


@st.composite
def histories(draw: st.DrawFn) -> History:
    callers = draw(st.lists(st.sampled_from(CALLERS), min_size=2, max_size=8))
    order = draw(st.permutations(range(len(callers))))
    off = draw(st.frozensets(st.sampled_from(order[1:]), max_size=len(callers) - 2))
    return History(
        tuple(callers), tuple(order), draw(st.sampled_from([200, 409, 412, 423, 400])), off,
        draw(st.frozensets(st.integers(0, 7))),
    )  # fmt: skip


def exchange(position: int, status: int, *, who: str = "admin", **facts: Any) -> Exchange:
    sent = {"Comment": f"text {position} of {who}"}
    x = Exchange(
        MACHINE.name, 1, position, "cancel", AT_ONCE, who, "an-id",
        Sent("POST", "http://127.0.0.1/", (), json.dumps(sent).encode()), started=5.0,
    )  # fmt: skip
    return replace(x, received=Received(status), **facts)


def entity(who: str | None, text: str | None) -> dict[str, Any]:
    state = "Cancelled" if who else "Pending"
    found: dict[str, Any] = {"id": "an-id", "status": state}
    if who:
        found |= {"cancellationRequestor": f"{who}@example", "cancellationComment": text}
    return found


def showing(x: Exchange, value: dict[str, Any]) -> Exchange:
    status = x.status or 200
    return replace(x, received=Received(status, body=json.dumps(value).encode()))


def look(position: int, value: dict[str, Any]) -> Exchange:
    return showing(replace(exchange(position, 200), kind="observe"), value)


def told(history: History) -> list[Exchange]:
    """Return what came of the calls, in the order in which they were sent."""
    first = history.order[0]
    writer = history.callers[first]
    text = f"text {first + 1} of {writer}"
    found = []
    for at, who in enumerate(history.callers):
        status = 200 if at == first else 429 if at in history.put_off else history.again
        x = exchange(at + 1, status, who=who)
        if status == 200 and at not in history.shy:
            x = showing(x, entity(writer, text))
        found.append(x)
    return found


def findings(calls: list[Exchange], end: dict[str, Any], again: int = 409) -> dict[int, Any]:
    """Return what is found of the calls, between a look before and one after them."""
    second = replace(ORDINARY, call="second")
    row = [
        look(0, entity(None, None)), *calls, look(max(x.position for x in calls), end),
        *(replace(exchange(n, 200, who=who), scenario=10 + n, situation=ORDINARY,
                  received=showing(exchange(n, 200), entity(who, "x")).received)
          for n, who in enumerate(CALLERS, 1)),
        replace(exchange(1, 200), scenario=20, situation=ORDINARY),
        replace(exchange(2, again), scenario=20, situation=second, started=6.0),
    ]  # fmt: skip
    context = Context(MACHINE, Journal(MACHINE.name, Exchanges(row)))
    return race(context, calls, "serializable")


def bad(found: dict[int, Any]) -> list[Finding]:
    return [f for f in found.values() if isinstance(f, Finding) and not f.ok]


few = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@few
@given(histories())
def test_what_a_server_answers_one_after_the_other_is_explained(history: History) -> None:
    calls, first = told(history), history.order[0]
    end = entity(history.callers[first], f"text {first + 1} of {history.callers[first]}")
    found = findings(calls, end, history.again)
    assert not bad(found)
    answered = len(calls) - len(history.put_off)
    judged = [f for f in found.values() if isinstance(f, Finding)]
    assert len(judged) == (answered if answered > 1 else 0)


@few
@given(histories(), st.sampled_from(["open", "text", "caller", "nobody", "claim", "twice"]))
def test_what_no_order_explains_is_found(history: History, wrong: str) -> None:
    history = replace(history, put_off=frozenset(), shy=frozenset())
    calls, first = told(history), history.order[0]
    who, loser = history.callers[first], history.order[1]
    text = f"text {first + 1} of {who}"
    end = entity(who, text)
    match wrong:
        case "open":
            end = entity(None, None)
        case "text":
            end = entity(who, "a text of nobody")
        case "caller":
            end = entity("somebody", text)
        case "nobody":
            calls = [replace(x, received=Received(409)) for x in calls]
        case "claim":
            claimed = entity(
                history.callers[loser], f"text {loser + 1} of {history.callers[loser]}"
            )
            calls[first] = showing(calls[first], claimed)
        case "twice":
            calls[loser] = showing(calls[first], entity(who, text))
            history = replace(history, again=409)
    found = findings(calls, end, history.again)
    assert len(bad(found)) == len(found) == len(calls), wrong


def test_what_was_put_off_may_be_what_took_effect() -> None:
    calls = [exchange(1, 200), exchange(2, 503, who="app"), exchange(3, 409)]
    retry = Received(503, headers=(("Retry-After", "1"),))
    calls[1] = replace(calls[1], received=retry)
    by_the_other = entity("app", "text 2 of app")
    assert not bad(findings(calls, by_the_other, 200))
    assert bad(findings([calls[0], calls[2]], by_the_other, 200))


def test_one_call_on_a_resource_while_others_are_called_is_served() -> None:
    alone = exchange(1, 200)
    assert not bad(findings([alone], entity("admin", "text 1 of admin")))
    assert bad(findings([exchange(1, 409)], entity(None, None)))


def test_whoever_was_to_be_refused_and_was_served_may_have_come_first() -> None:
    def found(*calls: Exchange, end: dict[str, Any]) -> list[Finding]:
        row = [look(0, entity(None, None)), *calls, look(9, end)]
        context = Context(MACHINE, Journal(MACHINE.name, Exchanges(row)))
        return bad(race(context, [x for x in calls if x.identity != "stranger"], "serializable"))

    lost = [exchange(1, 409), exchange(2, 409, who="app")]
    served, refused = (exchange(3, status, who="stranger") for status in (200, 403))
    by_it = entity("stranger", "text 3 of stranger")
    assert not found(*lost, served, end=by_it)
    assert not found(exchange(1, 200), lost[1], served, end=by_it)
    assert len(found(*lost, refused, end=by_it)) == 2
    assert len(found(*lost, served, end=entity(None, None))) == 2
    assert len(found(*lost, served, end=entity("stranger", "a text of nobody"))) == 2


# --- The plan -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CONTRACTS)
def test_what_goes_beside_a_crowd_is_done_after_it_where_one_resource_is_kept(name: str) -> None:
    """It is one call of the plan, and costs no call, no look and no set-up more."""
    contract = CONTRACTS[name]
    scenarios = make(contract, contract.clauses, "gate").scenarios
    crowd = next(s for s in scenarios if s.races)
    alone = one_at_a_time(crowd)
    (own,) = (step.calls for step in alone.steps if isinstance(step, AtOnce))
    assert sorted(map(str, alone.calls)) == sorted(map(str, crowd.calls))
    assert {call.situation.call for call in own} == {"concurrent"}
    assert alone.calls[-1] == crowd.calls[-1 - len(own)]
    told = {"observes": True, "handler": True}
    assert alone.cost(**told) == crowd.cost(**told)
    kept = [step.slot for step in alone.steps if isinstance(step, Acquire)]
    assert kept == [0, 1], "the second is set up when the first is done with"


def test_a_second_resource_is_done_without_where_there_is_none() -> None:
    crowd = at_once(AT_ONCE, AT_ONCE, others=[[AT_ONCE]])
    assert len(crowd.calls) == 3
    alone: Scenario = one_at_a_time(crowd)
    assert (len(alone.calls), alone.pair) == (2, False)
    assert crowd.without([1]) == alone == at_once(AT_ONCE, AT_ONCE)


# --- Servers --------------------------------------------------------------------------------------


class Meeting(Service):
    """Calls meet: each waits a moment between being read and being judged."""

    seconds = 0.2

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.busy: Counter[str] = Counter()
        self.met_by: list[tuple[str, Request]] = []
        self.door = threading.Lock()

    def others(self, call: Call) -> list[Request]:
        """Return what else was sent to the resource, the last first."""
        sent = [request for id_, request in self.met_by if id_ == call.id]
        return [request for request in reversed(sent) if request is not call.request]

    def post(self, request: Request, id_: str) -> Response:
        with self.door:
            self.busy[id_] += 1
            self.met_by.append((id_, request))
            place = self.busy[id_]
        try:
            return self.met(request, id_, place)
        finally:
            with self.door:
                self.busy[id_] -= 1

    def met(self, request: Request, id_: str, place: int) -> Response:
        time.sleep(self.seconds * place)  # the first to come is the first to be served
        return super().post(request, id_)


class ThirdFails(Meeting):
    def met(self, request: Request, id_: str, place: int) -> Response:
        answer = super().met(request, id_, place)
        return self.refuse(500, "Busy", "Too many.") if place > 2 else answer


class ThirdBringsBack(Meeting):
    def met(self, request: Request, id_: str, place: int) -> Response:
        answer = super().met(request, id_, place)
        if place > 2:
            time.sleep(self.seconds)
            with self.lock:
                if (resource := self.find(id_)) is not None:
                    resource.state = self.page.cancellable[0]
        return answer


class TextOfTheLast(Meeting):
    """What is written is what came last, whoever is served."""

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        for request in self.others(call)[:1]:
            last = Call(request, call.id, call.caller)
            self.json(last)
            resource.comment = last.comment


class CallerOfAnother(Meeting):
    """Somebody else who came has cancelled it, whoever is served."""

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        for request in self.others(call):
            if (other := self.bearer(request)) and other.name != call.caller.name:
                resource.cancelled_by = other.name


class EveryoneWins(Meeting):
    """Decides of all before it acts."""

    def check_state(self, call: Call) -> Response | None:
        refusal = super().check_state(call)
        return None if self.busy[call.id] > 1 else refusal


class Locks(Meeting):
    """Refuses who comes while another one is served; nobody waits."""

    status = 423

    def met(self, request: Request, id_: str, place: int) -> Response:
        if place > 1 and self.bearer(request):
            return self.refuse(self.status, "Locked", "It is being changed.")
        return super().met(request, id_, place)


class AnswersAsDone(Meeting):
    """Whoever comes after the first is told that it is done, as in a row."""

    def check_state(self, call: Call) -> Response | None:
        done = call.resource is not None and call.resource.state == self.page.cancelled
        return self.success(call) if done else super().check_state(call)


class ClosesAndCrawls(Meeting):
    """Serves one after the other, slowly, and closes each connection."""

    seconds = 0.1

    def met(self, request: Request, id_: str, place: int) -> Response:
        with self.door:
            pass
        answer = super().met(request, id_, place)
        return replace(answer, hang_up="close")


FAULTS = (ThirdFails, ThirdBringsBack, TextOfTheLast, CallerOfAnother, EveryoneWins)
ORDER = ("MA-01", "MA-15", "MA-33", "MA-39", "MA-53", "MA-72")


@pytest.mark.parametrize("kind", FAULTS)
def test_what_goes_wrong_where_three_meet_is_caught(kind: type[Service]) -> None:
    outcome = judge(conforming("MA", kind), only=ORDER, options={"effect_seconds": 0.3})
    assert "MA-53" in outcome.violated, str(outcome)


@pytest.mark.parametrize("kind", [ThirdFails, EveryoneWins])
def test_it_is_caught_where_nothing_is_written(kind: type[Service]) -> None:
    outcome = judge(conforming("SA", kind), only=("SA-01", "SA-18", "SA-33"))
    assert "SA-33" in outcome.violated, str(outcome)


@pytest.mark.parametrize(
    ("kind", "choices"),
    [
        (Meeting, {}),
        (Locks, {}),
        *only_of_all((Locks, {"status": 409}), (Locks, {"status": 412})),
        (AnswersAsDone, {}),
        (ClosesAndCrawls, {}),
    ],
)
def test_a_server_that_serves_in_some_order_passes(
    kind: type[Service], choices: dict[str, Any]
) -> None:
    outcome = judge(conforming("MA", kind, **choices), only=ORDER)
    assert (outcome.exit_code, outcome.violated) == (0, {}), str(outcome)
    assert "MA-53" in outcome.upheld
