"""The suite catches what breaks the contract, by the clause that it breaks: independent servers.

So that it stays quick, each runs on one contract, and only the clauses that it concerns, with few
calls first, or the whole gate where the calls of others bring it about; of those that break for one
fact one of a family is met. MATRIX=all runs every one on every contract where it can occur,
as a whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from cancel_contracts.plan.plan import GATE_CALLS
from cancel_contracts.transport.client import Timeouts
from sampling import EVERY
from servers import (
    faults_answers,
    faults_entity,
    faults_state,
    faults_wire,
    joint_entity,
    joint_requests,
)
from servers.faults import Fault
from servers.joint_pairs import ForeignAudienceInTheLastState
from servers.joint_requests import AudienceBeginsAlike
from servers.pages import PAGES
from servers.register import GENERAL, registered
from servers.service import Service
from servers.trial import conforming, contract_of, judge
from servers.variants_handler import EmptiesTheStore, OneResource

pytestmark = pytest.mark.slow
# An effect that is due shows at once in these servers, or never.
AT_ONCE = {"effect_seconds": 0.3}
IMPATIENT = AT_ONCE | {"timeouts": Timeouts(connect=2.0, read=0.6, total=0.8)}
BESIDE_THE_HANDLER = (
    faults_state.FinalStatesAreCancelled,
    faults_state.NoEffect,
    faults_state.RefusedButCancelled,
    faults_state.CancelDeletes,
    faults_wire.SecondCallOnAConnectionHangs,
)
LATER = 0.6  # seconds until what is done later is done here
# Calls that are tried in turn, fewer before more: None is as many as the profile makes. After them
# other clauses, whose calls bring a fault about, are asked as well.
CALLS: dict[str, tuple[int | None, ...]] = {"gate": (10, None), "deep": (20, 60)}
# Clauses whose calls bring a fault about, where its own do not: asked beside them first, in place of
# a whole gate. One that does no longer costs that gate, and nothing else.
BROUGHT_ABOUT_BY = {
    "address of the owner in a refusal": "AP-194",
    "another answer to plain clients: no Accept": "MA-68",
    "another answer to plain clients: no User-Agent": "AP-71",
    "answer forgets some of it: where it ran": "MA-07",
    "answer forgets some of it: who asked for it": "MA-07",
    "batch cancels the rest": "SA-08 SA-198",
    "body in the last states success": "SA-198 AP-209",
    "body of the refused call counts": "MA-30",
    "callers cross": "MA-15",
    "cancelled by another fails": "MA-207 MA-39",
    "cancelled ones lose their date": "MA-07",
    "chunked answer is an empty object": "MA-18 MA-54",
    "comment of a later state is lost: in progress": "MA-47 MA-07 MA-54",
    "comment of another in an error": "MA-130 MA-52",
    "ended ones are cancelled later": "SA-01",
    "ended ones end now: Completed, for an application": "SA-09",
    "errors name the caller before": "MA-36 MA-47 MA-15",
    "every seventh call answered 401": "AP-71",
    "every seventh call breaks off: close": "MA-42",
    "expired token on a kept connection": "MA-63",
    "final state for an application told in html": "SA-09",
    "forbidden list the granted": "AP-52 AP-76 AP-209",
    "fourth call on one resource reopens": "SA-24 SA-54",
    "last date stays: of the running": "SA-51 SA-152",
    "limit is asked after the work: second": "SA-191",
    "limit is asked after the work: third": "AP-13",
    "locked by a refusal": "MA-07 MA-74",
    "look then cancel fails": "AP-13 AP-14 AP-15",
    "names nobody: of the running": "MA-07",
    "names nobody: of those that wait": "MA-07",
    "no comment is that of the start: in progress": "MA-07",
    "one of two columns: by an administrator, of what waits for approval": "AP-209 AP-22 AP-57",
    "one of two columns: by an owner": "AP-54",
    "one of two columns: by an owner, in a word of its own": "AP-54",
    "one of two columns: by an owner, in no word": "AP-54",
    "one of two columns: by an owner, of the status": "AP-54",
    "one of two columns: in chunks": "AP-75",
    "refusal forgets the others": "SA-10",
    "refused body is read again": "MA-27 MA-64",
    "repeat ends it now: of an application": "SA-09",
    "repeat ends it now: of an owner": "AP-17",
    "reported as open again": "SA-23",
    "role is enough but in the last state: actions": "SA-23 SA-09",
    "role is enough but in the last state: offboard": "MA-48",
    "running ones finish": "AP-10",
    "second by an application writes anew": "MA-207",
    "third answer on a connection is the first": "MA-63",
    "two callers under one name": "MA-207 MA-28",
    "unread body is the next request": "AP-194",
    "unread form is the next request": "MA-22",
}

# Of the faults there each breaks for one fact.
SINGLE = {module.__name__ for module in (*GENERAL, faults_entity)}


def spread() -> Iterator[tuple[Fault, str]]:
    met = Counter[type[Service]]()
    for index, fault in enumerate(registered()):
        shorts = [*fault.clauses]
        if EVERY:
            yield from ((fault, short) for short in shorts)
            continue
        met[fault.service] += 1
        if fault.service.__module__ in SINGLE and met[fault.service] > 1:
            continue
        if fault.profile == "deep":  # the smallest is planned soonest
            yield fault, min(shorts, key=lambda short: len(contract_of(PAGES[short]).clauses))
        else:
            yield fault, shorts[index % len(shorts)]


CASES = [pytest.param(fault, short, id=f"{fault.name}-{short}") for fault, short in spread()]


@pytest.mark.parametrize(("fault", "short"), CASES)
def test_fault_is_caught_by_the_clause_it_breaks(fault: Fault, short: str) -> None:
    options: dict[str, Any] = IMPATIENT if fault.hangs else AT_ONCE
    attributes = dict(fault.attributes)
    if issubclass(fault.service, joint_entity.Later):  # when all looks but the last are made
        attributes |= {"seconds": LATER}
        options = options | {"sweep_seconds": 2 * LATER}
    chosen = () if EVERY else fault.only(short)
    brought = BROUGHT_ABOUT_BY.get(fault.name, "").split()
    aside = [id_ for id_ in brought if id_.startswith(f"{short}-")]
    attempts = [(chosen, calls) for calls in CALLS[fault.profile]] if chosen else []
    if aside and not EVERY:
        few = CALLS["deep"][0] if fault.profile == "deep" else None
        attempts.insert(0, ((*chosen, *aside), few))
    attempts.append(((), GATE_CALLS if chosen and fault.profile == "deep" else None))
    for only, calls in attempts:
        service = conforming(short, fault.service, **attributes)
        asked = options | {"profile": fault.profile, "max_requests": calls}
        outcome = judge(service, only=only, options=asked)
        if not {*fault.clauses[short]} - {*outcome.violated} and outcome.exit_code == 1:
            break
    missed = [id_ for id_ in fault.clauses[short] if id_ not in outcome.violated]
    assert (outcome.exit_code, missed) == (1, []), str(outcome)


@pytest.mark.parametrize(("short", "id_"), [("SA", "SA-36"), ("MA", "MA-44"), ("AP", "AP-50")])
@pytest.mark.parametrize("kind", [AudienceBeginsAlike, ForeignAudienceInTheLastState])
def test_another_audience_is_warned_of(kind: type[Service], short: str, id_: str) -> None:
    """A server that takes tokens for any API is none that breaks a promise of the page."""
    deep = {"profile": "deep", "max_requests": CALLS["deep"][-1]}
    only = (id_, {"SA": "SA-04", "MA": "MA-34", "AP": "AP-05"}[short])
    outcome = judge(conforming(short, kind), only=only, options=AT_ONCE | deep)
    assert (outcome.exit_code, set(outcome.warned)) == (0, {id_}), str(outcome)


@pytest.mark.parametrize("handler", [OneResource, EmptiesTheStore])
@pytest.mark.parametrize("fault", BESIDE_THE_HANDLER, ids=lambda fault: fault.__name__)
def test_a_fault_is_caught_with_one_resource_at_a_time(
    handler: type[Service], fault: type[Service]
) -> None:
    only = ("MA-01", "MA-08", "MA-33", "MA-55")
    service = conforming("MA", type("Faulty", (fault, handler), {}))
    outcome = judge(service, only=only, options=IMPATIENT)
    assert outcome.exit_code == 1, str(outcome)
    sound = judge(conforming("MA", handler), only=only)
    assert sound.exit_code == 0, str(sound)


@pytest.mark.parametrize("short", ["SA", "MA"])
def test_roles_that_users_have_are_warned_of_where_roles_are_served(short: str) -> None:
    """Libraries of the vendor take either claim: no server is failed for that."""
    service = conforming(short, joint_requests.RolesCountForUsers)
    options = AT_ONCE | {"profile": "deep", "max_requests": 10}
    outcome = judge(service, only=(f"{short}-122",), options=options)
    assert (outcome.exit_code, set(outcome.warned)) == (0, {f"{short}-122"}), str(outcome)


@pytest.mark.parametrize(
    ("more", "warned"), [({"status": 404}, True), ({"@odata.context": "$metadata"}, False)]
)
def test_more_beside_the_error_is_warned_of_and_annotations_are_not(
    more: dict[str, object], warned: bool
) -> None:
    service = conforming("SA", faults_answers.EnvelopeWithMoreAtItsRoot, more=more)
    outcome = judge(service, only=("SA-25", "SA-48"))
    assert (outcome.exit_code, outcome.violated) == (0, {}), str(outcome)
    assert ("SA-48" in outcome.warned) == warned
