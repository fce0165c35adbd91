"""--plan is exact for the target at hand: what its ids and identities allow, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from cancel_contracts.assignment import Assignment, Options, assign
from cancel_contracts.cli import main
from cancel_contracts.gate import gap
from cancel_contracts.needs import Gap
from cancel_contracts.plan.steps import at_once, in_a_row, on_one_connection
from cancel_contracts.plan.supply import Supply, needed
from cancel_contracts.targets.file import Target
from cancel_contracts.verify import Result, verify
from servers.front import Request, Response, Written
from servers.pages import PAGES, SEVEN
from servers.service import Call, Service
from servers.tokens import Opaque
from servers.trial import contract_of
from test_steps import ANONYMOUS, FIRST, SECOND, STATE

Capture = pytest.CaptureFixture[str]
EVERY = frozenset(Opaque(PAGES["MA"]).book)


def run(
    service: Service, ids: Mapping[str, int] | None = None, **more: Any
) -> tuple[Assignment, Result]:
    """Verify a service whose target file gives so many ids by state, or names its handler."""
    contract = contract_of(service.page)
    with Written(service) as running:
        raw: dict[str, Any] = {**service.tokens.target(), **more}
        if ids is None:
            raw["provider_states"] = running.url + "/_pact/provider-states"
        else:
            given = {s: [service.make(s, "admin").id for _ in range(n)] for s, n in ids.items()}
            raw["contracts"] = {contract.name: {"provider_states": given}}
        target = Target("target.yaml", raw, running.url + service.page.prefix)
        options = Options(effect_seconds=1.5)
        (assignment,) = assign([contract], target, options)
        result = verify([contract], target, options, environ={})
        service.stopped.set()
    return assignment, result


def lent(*names: str, kind: type[Service] = Service, short: str = "MA") -> Service:
    """Return a service whose target file gives tokens of these identities alone."""
    page = PAGES[short]
    return kind(page, Opaque(page, omit=frozenset(Opaque(page).book) - set(names)))


def words(result: Result) -> dict[str, str]:
    return {v.clause.id: v.word for j in result.judgements() for v in j.verdicts}


@pytest.mark.parametrize("names", [("admin",), ("admin", "app", "expired"), tuple(EVERY)])
@pytest.mark.parametrize("ids", [None, {}, {"Pending": 7}, {"Pending": 200, "Succeeded": 9}])
def test_what_is_planned_is_what_is_sent(
    names: tuple[str, ...], ids: Mapping[str, int] | None
) -> None:
    assignment, result = run(lent(*names), ids)
    assert result.results[0].requests() == assignment.cost()
    # What is left out is known beforehand, and nothing else is.
    assert result.results[0].journal.missing == assignment.plan.left_out
    violated = [id_ for id_, word in words(result).items() if word == "violated"]
    assert violated == []


def test_as_many_ids_as_the_plan_asks_for_do() -> None:
    names = tuple(EVERY)
    assignment, _ = run(lent(*names))  # a handler makes as many as it is asked for
    assert assignment.plan.needed["Pending"] > 9
    full, result = run(lent(*names), dict(assignment.plan.needed))
    reasons = {g.reason for g in full.plan.left_out.values()}
    assert not [r for r in reasons if "too few" in r or "no id in" in r], reasons
    assert result.results[0].requests() == full.cost()
    fewer = {**assignment.plan.needed, "Pending": assignment.plan.needed["Pending"] // 2}
    short, result = run(lent(*names), fewer)
    assert any("too few" in g.reason for g in short.plan.left_out.values())
    assert result.results[0].requests() == short.cost()


def test_the_plan_says_what_it_takes(capsys: Capture) -> None:
    """The figures of a target without identities, and of the mock, which mints them all."""
    assert main(["verify", "--contract", "machine-action", "--plan"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "resources needed: " in out


# --- The ids of a target file ----------------------------------------------------------------------


def too_few(state: str, owner: str | None) -> Gap:
    return Gap(f"too few {state} of {owner}")


@pytest.mark.parametrize(
    ("scenarios", "count"),
    [
        ([in_a_row(FIRST)], 1),
        ([in_a_row(FIRST), in_a_row(FIRST)], 2),
        ([in_a_row(FIRST, SECOND, neighbour=True)], 2),
        # The neighbour is left as it was: the next one takes it.
        ([in_a_row(FIRST, neighbour=True), in_a_row(FIRST)], 2),
        ([in_a_row(ANONYMOUS)] * 5, 1),
        ([in_a_row(ANONYMOUS), in_a_row(FIRST), in_a_row(ANONYMOUS)], 2),
        ([at_once(FIRST, FIRST)], 1),
        ([on_one_connection(FIRST, FIRST)], 2),
    ],
)
def test_calls_that_must_be_refused_share_an_id(scenarios: list[Any], count: int) -> None:
    assert needed(scenarios) == {STATE: count}
    enough, scarce = Supply({STATE: count}, too_few), Supply({STATE: count - 1}, too_few)
    assert [enough.fit(s) for s in scenarios] == scenarios
    fitted = [scarce.fit(s) for s in scenarios]
    assert fitted != scenarios


def test_a_neighbour_that_is_not_to_be_had_is_done_without() -> None:
    supply = Supply({STATE: 1}, too_few)
    assert supply.fit(in_a_row(FIRST, neighbour=True)) == in_a_row(FIRST)
    assert isinstance(supply.fit(in_a_row(FIRST)), Gap)


def test_a_resource_that_another_scenario_takes_too_is_not_looked_at_in_the_end() -> None:
    supply = Supply({STATE: 2}, too_few)
    rows = [in_a_row(ANONYMOUS, last=True), in_a_row(FIRST, last=True), in_a_row(FIRST, last=True)]
    fitted = [supply.fit(row) for row in rows]
    assert fitted == rows
    assert supply.look_last(rows) == [in_a_row(ANONYMOUS), in_a_row(FIRST), rows[2]]


# --- Applications ----------------------------------------------------------------------------------


class NoApplications(Service):
    """Applications are refused, whatever they may."""

    def check_permission(self, call: Call) -> Response | None:
        if call.caller.application:
            return self.refuse(403, "Forbidden", "No applications.")
        return super().check_permission(call)


class ApplicationsUnperformed(Service):
    def perform(self, call: Call) -> None:
        if not call.caller.application:
            super().perform(call)


class Heard(Service):
    """Counts the calls of applications."""

    applications = 0

    def post(self, request: Request, id_: str) -> Response:
        caller = self.bearer(request)
        self.applications += bool(caller and caller.application)
        return super().post(request, id_)


@pytest.mark.parametrize("kind", [NoApplications, ApplicationsUnperformed])
def test_an_application_that_is_not_served_is_found_without_tokens_of_single_permissions(
    kind: type[Service],
) -> None:
    _, result = run(lent("admin", "app", kind=kind))
    violated = {id_ for id_, word in words(result).items() if word == "violated"}
    assert "MA-15" in violated
    _, result = run(lent("admin", kind=kind))  # nobody to ask as
    assert "violated" not in words(result).values()


def test_an_application_with_every_permission_shows_of_none_that_it_suffices_alone() -> None:
    service = lent("admin", "app", kind=Heard)
    _, result = run(service)
    assert isinstance(service, Heard)
    assert service.applications > 0
    (verdict,) = [v for j in result.judgements() for v in j.verdicts if v.clause.id == "MA-15"]
    assert verdict.word == "not-exercised"
    assert gap(verdict)
    # Whoever has single ones is asked as these.
    single = sorted(SEVEN)[1]
    service = lent("admin", "app", single, kind=Heard)
    _, result = run(service)
    assert words(result)["MA-15"] == "not-exercised"
    everyone = lent(*EVERY, kind=Heard)
    _, result = run(everyone)
    assert words(result)["MA-15"] == "upheld"
