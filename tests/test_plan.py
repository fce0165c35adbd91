"""--plan is exact for the target at hand: what its ids and identities allow, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sampling
from cancel_contracts.assignment import Assignment, Options, assign
from cancel_contracts.builtin import mock_target
from cancel_contracts.cli import main
from cancel_contracts.contract.compose import Composition, composed
from cancel_contracts.contract.given import asked, listed
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Contract
from cancel_contracts.forecast import forecast
from cancel_contracts.gate import gap
from cancel_contracts.identity.identities import Identities
from cancel_contracts.needs import Gap
from cancel_contracts.plan.plan import Profile, make, selectable
from cancel_contracts.plan.steps import Acquire, at_once, in_a_row, on_one_connection
from cancel_contracts.plan.supply import Supply, needed
from cancel_contracts.redact.secrets import Redactor
from cancel_contracts.targets.file import Target
from cancel_contracts.verify import Result, verify
from servers.front import Request, Response, Written
from servers.pages import PAGES, SEVEN
from servers.service import Call, Service
from servers.tokens import Opaque
from servers.trial import contract_of
from test_steps import ANONYMOUS, FIRST, SECOND, STATE

Capture = pytest.CaptureFixture[str]
CONTRACTS = [*map(load, shipped())]
EVERY = frozenset(Opaque(PAGES["MA"]).book)


def run(
    service: Service,
    ids: Mapping[str, int] | None = None,
    only: tuple[str, ...] = (),
    **more: Any,
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
        options = Options(effect_seconds=1.5, only=only)
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


IDS: tuple[Mapping[str, int] | None, ...] = (
    None, {}, {"Pending": 7}, {"Pending": 200, "Succeeded": 9},
)  # fmt: skip
NAMES = (("admin",), ("admin", "app", "expired"), tuple(EVERY))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("names", "ids"),
    [
        (names, ids)
        for row, names in enumerate(NAMES)
        for column, ids in enumerate(IDS)
        if sampling.EVERY or (row + column) % 2 == 0
    ],
)
def test_what_is_planned_is_what_is_sent(
    names: tuple[str, ...], ids: Mapping[str, int] | None
) -> None:
    assignment, result = run(lent(*names), ids)
    assert result.results[0].requests() == assignment.cost()
    # What is left out is known beforehand, and nothing else is.
    assert result.results[0].journal.missing == assignment.plan.left_out
    violated = [id_ for id_, word in words(result).items() if word == "violated"]
    assert violated == []


@pytest.mark.slow
def test_as_many_ids_as_the_plan_asks_for_do() -> None:
    names = tuple(EVERY)
    handled = {**lent(*names).tokens.target(), "provider_states": "http://127.0.0.1:9/states"}
    target = Target("target.yaml", handled, "http://127.0.0.1:9")
    (assignment,) = assign([contract_of(PAGES["MA"])], target, Options())  # as many as it asks for
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


# --- Plans that touch nothing ----------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["smoke", "gate", "deep"])
@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: str(contract.name))
def test_a_plan_that_touches_nothing_names_nothing_that_exists(
    contract: Contract, profile: Profile
) -> None:
    """Whatever is selected, all of it or one clause alone: pairs of facts add no resource."""
    selections = [contract.clauses, *([clause] for clause in sampling.every(contract.clauses, 3))]
    for limit in (None, 3, 500):
        for clauses in selections if limit is None else selections[:1]:
            plan = make(contract, clauses, profile, max_requests=limit, harmless=True)
            named = {call.resource for scenario in plan.scenarios for call in scenario.calls}
            assert named <= {"unknown", "odd"}, [clause.id for clause in clauses]
            assert plan.cost(observes=True, handler=True)["provider_states"] == 0
            assert plan.property_calls == plan.walk_calls == 0
    assert make(contract, contract.clauses, profile, harmless=True).scenarios


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: str(contract.name))
def test_a_clause_about_an_unknown_id_alone_takes_one_call(contract: Contract) -> None:
    alone = {"resource": "unknown"}
    asked = [c for c in contract.clauses if c.given == alone and c.profile == "gate"]
    assert asked
    for clause in asked:
        (scenario,) = make(contract, [clause], "gate").scenarios
        assert [call.resource for call in scenario.calls] == ["unknown"]


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: str(contract.name))
def test_smoke_selects_only_what_it_can_exercise(contract: Contract) -> None:
    chosen = [c for c in contract.clauses if selectable(c, "smoke", contract)]
    assert chosen
    assert not [c.id for c in chosen if c.expect.get("whole")]
    for clause in chosen:
        named = listed(clause.given.get("resource", "unknown" if clause.given.get("any") else ""))
        assert {"unknown", "odd"} & set(named), clause.id


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: str(contract.name))
def test_what_is_left_to_deep_is_asked_by_it_alone(contract: Contract) -> None:
    first = contract.clauses[0]
    left = replace(first, profile="deep")
    profiles: tuple[Profile, ...] = ("smoke", "gate", "deep")
    for profile in profiles:
        assert selectable(left, profile, contract) == (profile == "deep")
        assert selectable(first, "gate", contract)


# --- The ids of a target file ----------------------------------------------------------------------


def too_few(state: str, owner: str | None) -> Gap:
    return Gap(f"too few {state} of {owner}")


@pytest.mark.parametrize(
    ("scenarios", "count"),
    [
        ([in_a_row(FIRST)], 1),
        ([in_a_row(FIRST), in_a_row(FIRST)], 2),
        ([in_a_row(FIRST, SECOND, neighbour=FIRST)], 2),
        # The neighbour is left as it was: the next one takes it.
        ([in_a_row(FIRST, neighbour=FIRST), in_a_row(FIRST)], 2),
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
    assert supply.fit(in_a_row(FIRST, neighbour=FIRST)) == in_a_row(FIRST)
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


# What is open where the target offers no identity with a single permission.
PERMISSIONS = ("MA-15", "MA-16", "MA-17", "MA-18", "MA-19", "MA-74")


class Heard(Service):
    """Counts the calls of applications."""

    applications = 0

    def post(self, request: Request, id_: str) -> Response:
        caller = self.bearer(request)
        self.applications += bool(caller and caller.application)
        return super().post(request, id_)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [NoApplications, ApplicationsUnperformed])
def test_an_application_that_is_not_served_is_found_without_tokens_of_single_permissions(
    kind: type[Service],
) -> None:
    _, result = run(lent("admin", "app", kind=kind), only=PERMISSIONS)
    violated = {id_ for id_, word in words(result).items() if word == "violated"}
    assert "MA-15" in violated
    _, result = run(lent("admin", kind=kind), only=PERMISSIONS)  # nobody to ask as
    assert "violated" not in words(result).values()


@pytest.mark.slow
def test_an_application_with_every_permission_shows_of_none_that_it_suffices_alone() -> None:
    service = lent("admin", "app", kind=Heard)
    _, result = run(service, only=PERMISSIONS)
    assert isinstance(service, Heard)
    assert service.applications > 0
    (verdict,) = [v for j in result.judgements() for v in j.verdicts if v.clause.id == "MA-15"]
    assert verdict.word == "not-exercised"
    assert gap(verdict)
    # Whoever has single ones is asked as these.
    single = sorted(SEVEN)[1]
    service = lent("admin", "app", single, kind=Heard)
    _, result = run(service, only=PERMISSIONS)
    assert words(result)["MA-15"] == "not-exercised"
    everyone = lent(*EVERY, kind=Heard)
    _, result = run(everyone, only=PERMISSIONS)
    assert words(result)["MA-15"] == "upheld"


@pytest.mark.slow
@pytest.mark.parametrize(
    "limits",
    [{"profile": "smoke"}, {"states": False}, {"states": False, "profile": "deep"}],
    ids=str,
)
@pytest.mark.parametrize("short", PAGES)
def test_a_plan_that_may_touch_nothing_has_no_call_beside_on_what_exists(
    short: str, limits: dict[str, Any]
) -> None:
    """Whatever is selected: calls that only make facts meet are held to it too."""
    contract = contract_of(PAGES[short])
    some = [[clause] for clause in sampling.every(contract.clauses, 3)]
    for clauses in (list(contract.clauses), *some):
        plan = make(contract, clauses, **{"profile": "gate", **limits})
        ids = [clause.id for clause in clauses]
        calls = [call for scenario in plan.scenarios for call in scenario.calls]
        assert {call.resource for call in calls} <= {"unknown", "odd"}, ids
        assert (plan.property_calls, plan.walk_calls) == (0, 0), ids


NEAR = "neighbour: unchanged"
READINGS = (
    "expect:\n      readings:\n        unauthorised: {status: 401, effect: none, neighbour: unchanged}\n"
    "        forbidden: {status: 403, effect: none, neighbour: unchanged}"
)


@pytest.mark.parametrize(
    ("changes", "id_", "asked_for"),
    [
        ({}, "PJ-1", 2),  # one for each state
        ({"resource: printed": "resource: [printed, stopped]", "4xx": f"4xx, {NEAR}"}, "PJ-2", 2),
        ({"status: 401": f"status: 401, {NEAR}"}, "PJ-4", 1),
        (
            {
                "expect: {status: 401, effect: none}": READINGS,
                "x-clauses:": "x-dialects:\n  unauthorised: {of: refusal, says: it is 401}\n"
                "  forbidden: {of: refusal, says: it is 403}\nx-clauses:",
            },
            "PJ-4",
            1,
        ),
    ],
    ids=["two states", "final ones", "who is refused", "in a reading"],
)
def test_a_neighbour_stands_wherever_a_clause_asks_for_one(
    changes: Mapping[str, str], id_: str, asked_for: int, tmp_path: Path
) -> None:
    """What no plan brings about would leave the clause open on every target."""
    text = Path(__file__).with_name("print_job_spec.txt").read_text("utf-8")
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = tmp_path / "print-job.yaml"
    path.write_text(text, "utf-8")
    contract = load(path)
    clause = next(c for c in contract.clauses if c.id == id_)
    wanted = asked(contract, clause)
    assert len(wanted) == asked_for
    composition = Composition(contract)
    for clauses in (contract.clauses, [clause]):
        plan = make(contract, clauses, "gate")
        beside = [call for s in plan.scenarios if s.pair for call in s.calls]
        assert all(any(composition.shows(c, s) for c in beside) for s in wanted)
    with mock_target([contract]) as target:
        found = words(verify([contract], target, Options()))
    assert found[id_] == "upheld", found


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.name)
def test_whoever_may_not_see_it_asks_again_for_what_was_cancelled(contract: Contract) -> None:
    """Without permission and without a token."""
    plan = make(contract, contract.clauses, "gate")
    again = [call.identity for s in plan.scenarios for call in s.calls if call.call == "second"]
    assert {"no-permission", "anonymous"} <= set(again)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.name)
def test_the_ordinary_calls_neighbour_stands_in_the_last_state_that_is_served(
    contract: Contract,
) -> None:
    first = make(contract, contract.clauses, "gate").scenarios[0]
    states = [s.state for s in first.steps if isinstance(s, Acquire)]
    cancellable = contract.lifecycle.cancellable
    assert states == [cancellable[0], cancellable[-1]]


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.name)
def test_the_same_question_has_the_same_plan_and_any_other_its_own(contract: Contract) -> None:
    clauses = contract.clauses
    plan = make(contract, clauses, "gate")
    assert make(contract, list(clauses), "gate") is plan
    others = (
        make(contract, clauses[:3], "gate"),
        make(contract, clauses, "gate", harmless=True),
        make(contract, clauses, "gate", max_requests=9),
        make(contract, clauses, "gate", lacks={"app": Gap("x"), "anonymous": Gap("y")}),
    )
    assert len({plan.scenarios, *(other.scenarios for other in others)}) == 5


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.name)
def test_what_was_read_before_changes_nothing(contract: Contract) -> None:
    """A contract's composition is shared by all that plan and judge."""
    shared = composed(contract)
    calls = [*dict.fromkeys(s for c in contract.clauses for s in asked(contract, c))]
    for call in calls[:: 1 if sampling.EVERY else 4]:
        fresh = Composition(contract)
        for status in (200, 404, 429, None):
            assert shared.speaking(call, status) == fresh.speaking(call, status)
        assert shared.facts(call) == fresh.facts(call)
        assert (shared.served(call), shared.refused(call)) == (
            fresh.served(call),
            fresh.refused(call),
        )


# --- what a plan says will stay open --------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("machine-action", "admin"),
        ("machine-action", "many"),
        ("machine-action", "no states"),
        ("security-action", "many"),
    ],
)
def test_what_a_plan_says_will_stay_open_stays_open(name: str, offered: str) -> None:
    contract = next(c for c in map(load, shipped()) if c.name == name)
    with mock_target([contract]) as mock:
        who = Identities(contract, mock.endpoint(contract), Redactor(), {})
        names = ["admin"] if offered == "admin" else ["admin", "app", "user", "expired"]
        tokens = {n: {"token": who.credentials(n).secret} for n in names}
        raw = {"base_url": mock.base_url, "identities": tokens}
        if offered == "no states":
            raw["mint"] = mock.raw["mint"]
        else:
            raw["provider_states"] = mock.raw["provider_states"]
            raw["not_testable"] = {"no-permission": "they all have some"}
        target = Target("target.yaml", raw, mock.base_url)
        (assignment,) = assign([contract], target, Options())
        (made,) = verify([contract], target, Options()).results
    told = {v.clause.id for v in forecast(assignment).verdicts if gap(v)}
    assert told == {v.clause.id for v in made.judgement.verdicts if gap(v)}
    assert told


def test_the_plan_names_what_stays_open_and_what_is_lacking(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "target.yaml"
    path.write_text(
        "base_url: http://127.0.0.1:9\nprovider_states: http://127.0.0.1:9\nserves: [machine-action]\n"
        "identities: {admin: {token: abcdefghijkl}}\nnot_testable: {expired: never}\n",
        encoding="utf-8",
    )
    assert main(["verify", "--target", str(path), "--plan"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "6 must-clauses will stay open: MA-15, MA-16, MA-17, MA-18, MA-19, MA-74" in told
    assert "no token is given for Machine.Isolate, " in told
    assert "3 must-clauses are excused: MA-21, MA-142, MA-63" in told
    assert "security-action" not in told
