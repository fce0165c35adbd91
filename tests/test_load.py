"""Passes under load, without the engine that makes users: what is judged, kept and refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import cycle
from uuid import UUID

import pytest
from cancel_contracts import serial
from cancel_contracts.assignment import Options, assign
from cancel_contracts.builtin import mock_target
from cancel_contracts.contract.extras import USED_ID
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Contract
from cancel_contracts.errors import UsageError
from cancel_contracts.gate import decide
from cancel_contracts.identity.identities import Identities
from cancel_contracts.ledger.ledger import Ledger
from cancel_contracts.load import passes
from cancel_contracts.load.handed import TWICE, Handed, joined
from cancel_contracts.load.passes import Pass, Work
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.store import Resource
from cancel_contracts.redact.secrets import Redactor
from cancel_contracts.run.attempt import Stop
from cancel_contracts.targets.file import Target
from cancel_contracts.verify import Result
from sampling import only_of_all
from test_mock_support import MACHINE, PACKAGE, SECURITY

CONTRACTS = {c.name: c for c in map(load, shipped())}
CONTRACT = CONTRACTS[SECURITY.name]
USERS = 2  # of one contract, each with as many calls under way as a plan has
OPTIONS = Options(effect_seconds=0.2)


FEW = ("SA-01", "SA-16", "SA-20", "SA-34")  # clauses, of which a fault breaks one


@contextmanager
def working(
    *faults: str, variants: Sequence[str] = (), quotas: bool = False, only: tuple[str, ...] = ()
) -> Iterator[Work]:
    with mock_target([CONTRACT], faults, variants, quotas=quotas) as target:
        yield work_on(target, only=only)


def work_on(target: Target, contract: Contract = CONTRACT, only: tuple[str, ...] = ()) -> Work:
    (assignment,) = assign([contract], target, replace(OPTIONS, only=only))
    identities = Identities(contract, assignment.endpoint, Redactor())
    return Work(assignment, OPTIONS, identities, Ledger(), Stop())


def performed(one: Pass) -> list[str]:
    """Perform a pass to its end; return the clauses that it fails by."""
    found = []
    while not one.over:
        found += [failure.clause.id for failure in one.step()[1]]
    return found + [failure.clause.id for failure in one.end()]


def result(work: Work, handed: Sequence[Handed]) -> Result:
    target = Target("here", {}, work.assignment.endpoint.base_url)
    return joined(
        target, OPTIONS, [work.assignment], [work.identities], handed, Redactor(), 0.0, 1.0,
        refused=work.refused,
    )  # fmt: skip


@pytest.mark.slow
def test_two_passes_over_a_right_mock_come_to_one_verdict() -> None:
    with working() as work:
        assert performed(work.begin()) == performed(work.begin()) == []
    rows = [serial.load(Handed, serial.dump(one), "0") for one in work.handed]
    assert rows == work.handed, "what a worker sends is what a master reads"
    whole = result(work, rows)
    assert decide(whole.judgements()).exit_code == 0
    (one,) = whole.results
    assert one.journal.exchanges.kinds["cancel"] == 2 * sum(
        len(s.calls) for s in work.plan.scenarios
    )
    first, second = (
        {v for x in p.exchanges for k, v in x.sent.headers if k.lower() == "client-request-id"}
        - {USED_ID}  # which calls that are to come with one that was used before have
        for p in rows
    )
    assert first
    assert not first & second, "what marks a call is no other pass's"


@pytest.mark.slow
@pytest.mark.parametrize("name", [PACKAGE.name, *only_of_all(SECURITY.name)])
def test_users_at_the_same_time_find_nothing_on_a_right_mock(name: str) -> None:
    """tests/test_locust.py has users in several processes, on the third contract."""
    contract = CONTRACTS[name]
    with mock_target([contract], quotas=False) as target, ThreadPoolExecutor(USERS) as users:
        work = work_on(target, contract)
        assert list(users.map(performed, [work.begin() for _ in range(USERS)])) == [[]] * USERS
    assert decide(result(work, work.handed).judgements()).exit_code == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "broken"),
    [
        ("success-without-effect", {"SA-09", "SA-14", "SA-33", "SA-47"}),
        ("second-cancel-answered-500", {"SA-16", "SA-24", "SA-33", "SA-40"}),
    ],
)
def test_a_call_that_violates_is_told_at_once_and_again_in_the_whole(
    fault: str, broken: set[str]
) -> None:
    with working(fault, only=(*sorted(broken), *FEW)) as work:
        failed = performed(work.begin())
    assert {*failed} >= broken
    (judgement,) = result(work, work.handed).judgements()
    violated = {v.clause.id for v in judgement.verdicts if v.word == "violated"}
    assert violated >= {*failed}


@pytest.mark.slow
def test_a_quota_that_users_share_is_no_failure_of_one_of_them() -> None:
    """One pass cannot count what others call: the whole alone judges a 429."""
    machine = CONTRACTS[MACHINE.name]
    with mock_target([machine], quotas=False) as target:
        work = work_on(target, machine)
    shared = {c.id for c in work.plan.clauses} - {c.id for c in work.judge.clauses}
    assert shared == {c.id for c in machine.clauses if "quota" in c.expect} != set()


@pytest.mark.parametrize(("users", "resources"), [(1, 1), (2, 3)])
def test_a_handler_that_keeps_few_resources_bears_no_load(
    users: int, resources: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gives one user the same one twice, or two users one."""
    turns, create = cycle(range(resources)), Desk.create

    def again(desk: Desk, state: str, owner: str | None, id_: str | None = None) -> Resource:
        return create(desk, state, owner, id_ or str(UUID(int=next(turns))))

    monkeypatch.setattr(Desk, "create", again)
    with working() as work:
        those = [work.begin() for _ in range(users)]
        while not work.refused and not those[0].over:
            for one in those:
                one.step()
        for one in those:
            one.end()
    assert work.refused == TWICE
    outcome = decide(result(work, work.handed).judgements())
    assert (outcome.exit_code, outcome.sentence) == (4, TWICE)


@pytest.mark.slow
def test_one_resource_in_two_processes_at_a_time_tells_nothing() -> None:
    with working(only=FEW) as work:
        performed(work.begin())
    (one,) = work.handed
    assert decide(result(work, [one, one]).judgements()).sentence == TWICE
    later = tuple(replace(x, started=x.started + 100) for x in one.exchanges)
    again = replace(one, exchanges=later)
    assert decide(result(work, [one, again]).judgements()).sentence != TWICE


@pytest.mark.slow
def test_what_is_kept_is_bounded_but_for_what_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "KEPT", 1)
    with working("second-cancel-answered-500", only=FEW) as work:
        for _ in range(3):
            performed(work.begin())
    assert len(work.handed) == 1
    assert work.unkept > len(work.handed[0].exchanges)
    work.violated.clear()  # as if it had not been seen before
    work.hand_in(work.handed[0], {"new"})
    assert len(work.handed) == 2


def test_a_load_that_ends_early_leaves_clauses_open_and_says_why() -> None:
    with working() as work:
        one = work.begin()
        one.step()
        one.end()
    outcome = decide(result(work, work.handed).judgements())
    assert outcome.exit_code == 4
    assert not outcome.excuses, "there is nothing to excuse: it was not asked yet"
    (row,) = result(work, work.handed).results
    assert row.journal.stopped == "the load ended before every scenario was performed"


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ({"base_url": "http://127.0.0.1:9"}, "has no provider-state handler"),
        (
            {"base_url": "https://graph.microsoft.com", "provider_states": "http://127.0.0.1:9/"},
            "is a host of the vendor",
        ),
        (
            {"base_url": "http://203.0.113.9", "provider_states": "http://127.0.0.1:9/"},
            "is neither loopback nor private",
        ),
    ],
)
def test_what_cannot_be_put_under_load_is_refused(raw: dict[str, str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        work_on(Target("target.yaml", raw, raw["base_url"]))
