"""A clause is upheld only where each of its facets was judged in each situation it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cancel_contracts.assignment import Options
from cancel_contracts.builtin import mock_target
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Contract
from cancel_contracts.gate import Outcome, decide, figures
from cancel_contracts.judge.judge import Verdict
from cancel_contracts.verify import Result, verify
from sampling import only_of_all
from servers.front import Written
from servers.service import Service
from servers.tokens import Opaque
from servers.trial import conforming, contract_of, judge, target_of
from servers.variants_rules import LaterForensics, Minimal, ShortGet, SubjectAccess
from servers.variants_wire import AlwaysCloses

pytestmark = pytest.mark.slow

CONTRACTS = {c.name: c for c in map(load, shipped())}
PRINT_JOB = Path(__file__).with_name("print_job_spec.txt")
OBSERVE = {"observe": "the mock has no GET"}


def run(
    contracts: list[Contract],
    faults: tuple[str, ...] = (),
    variants: tuple[str, ...] = (),
    excused: Mapping[str, str] | None = None,
    **options: Any,
) -> tuple[Result, Outcome]:
    with mock_target(contracts, faults, variants, excused) as target:
        result = verify(contracts, target, Options(**options))
    return result, decide(result.judgements(), stale_excuses=result.stale_excuses())


def verdicts(result: Result) -> dict[str, Verdict]:
    return {v.clause.id: v for j in result.judgements() for v in j.verdicts}


@pytest.fixture
def print_job(tmp_path: Path) -> Contract:
    path = tmp_path / "print-job.yaml"
    path.write_text(PRINT_JOB.read_text("utf-8"), "utf-8")
    return load(path)


# --- Without a GET --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("machine-action", "late-forbidden-performed"),
        ("security-action", "success-without-effect"),
        *only_of_all(("access-package-assignment-request", "late-forbidden-performed")),
    ],
)
def test_what_only_a_get_would_show_is_open_without_one(name: str, fault: str) -> None:
    contract = CONTRACTS[name]
    result, outcome = run([contract], (fault,), ("no-get-route",))
    assert outcome.exit_code == 4, outcome.sentence
    assert outcome.excuses == {name: {"observe": "no GET shows it"}}
    of = {v.clause.id: v for v in verdicts(result).values() if "effect" in v.clause.expect}
    assert of
    for id_, verdict in of.items():
        assert verdict.word != "upheld", id_
        assert [gap.need and gap.need.kind for gap in verdict.gaps] == ["observe"], id_

    result, outcome = run([contract], (fault,), ("no-get-route",), OBSERVE)
    assert outcome.exit_code == 0, "the user has said so"
    told = figures(verdicts(result).values())
    assert told.judged < told.selected
    assert list(told.excused) == ["observe"]
    assert len(told.excused["observe"]) == told.selected - told.judged


@pytest.mark.parametrize(
    "name", ["access-package-assignment-request", *only_of_all("machine-action")]
)
def test_a_refusal_that_was_performed_shows_in_the_next_answer_too(name: str) -> None:
    """A call that is to be served follows refused ones on one resource: it is turned away."""
    result, outcome = run([CONTRACTS[name]], ("forbidden-yet-performed",), ("no-get-route",))
    assert outcome.exit_code == 1, outcome.sentence
    for id_, verdict in verdicts(result).items():
        if verdict.word == "violated":
            facets = {facet for evidence in verdict.violations for facet in evidence.facets}
            assert not facets & {"effect", "whole", "neighbour"}, id_
        elif "effect" in verdict.clause.expect:
            assert verdict.word != "upheld", id_


def test_an_effect_is_no_answer_to_another_call() -> None:
    """Any change is the effect of a cancel whose result no page names: it takes a GET to see it."""
    result, _ = run([CONTRACTS["security-action"]], (), ("no-get-route",))
    found = verdicts(result)
    assert found["SA-01"].word == "upheld", "that is told by the answer"
    for id_ in ("SA-23", "SA-24", "SA-33"):
        assert (found[id_].word, found[id_].reason) == ("not-exercised", "observe: no GET shows it")


def test_a_contract_of_ones_own_is_judged_so_too(print_job: Contract) -> None:
    for faults in ((), ("success-without-effect",), ("forbidden-yet-performed",)):
        _, outcome = run([print_job], faults, ("no-get-route",))
        assert outcome.exit_code == 4, (faults, outcome.sentence)
    _, outcome = run([print_job])
    assert outcome.exit_code == 0, outcome.sentence


def test_each_item_of_a_list_has_to_be_judged(print_job: Contract, tmp_path: Path) -> None:
    """`entity: [id, agrees]`: the answer tells the one, only a GET the other."""
    spec = next(p for p in shipped() if p.stem == "machine-action").read_text("utf-8")
    old = "    expect: {entity: [id, state]}\n"
    assert spec.count(old) == 1
    path = tmp_path / "machine-action.yaml"
    path.write_text(spec.replace(old, "    expect: {entity: [id, agrees]}\n"), "utf-8")
    contract = load(path)
    blind, _ = run([contract], (), ("no-get-route",), only=("MA-31",))
    seen, _ = run([contract], (), (), only=("MA-31",))
    assert verdicts(blind)["MA-31"].reason == "observe: no GET shows it"
    assert not verdicts(blind)["MA-31"].conditional, "the answer came: somebody is to be told"
    assert verdicts(seen)["MA-31"].word == "upheld"


@pytest.mark.parametrize(
    ("short", "kind"),
    [
        # tests/test_independent_variants.py has more: a GET that refuses an unknown id, one resource
        # at a time, effects that show late, limits in a race.
        ("MA", Minimal),  # the answer leaves the comment out, and the GET has it
        ("SA", ShortGet),  # the GET has nothing of what is to be kept
    ],
)
def test_what_an_answer_tells_nothing_of_by_its_nature_is_no_gap(
    short: str, kind: type[Service]
) -> None:
    outcome = judge(conforming(short, kind))
    assert outcome.exit_code == 0, str(outcome)


# --- What one call cannot show --------------------------------------------------------------------


@pytest.mark.parametrize(("short", "id_"), [("SA", "SA-19"), ("MA", "MA-55"), ("AP", "AP-33")])
def test_a_connection_has_carried_a_call_or_nothing_is_known(short: str, id_: str) -> None:
    keeps, closes = conforming(short), conforming(short, AlwaysCloses)
    assert id_ in judge(keeps, only=[id_]).upheld
    outcome = judge(closes, only=[id_])
    assert (outcome.exit_code, outcome.open, outcome.violated) == (0, {}, {}), str(outcome)
    assert id_ not in outcome.upheld, "it never carried a second call"


def test_one_call_does_not_tell_that_all_are_alike() -> None:
    contract = CONTRACTS["access-package-assignment-request"]
    result, outcome = run([contract], only=("AP-34",))
    found = verdicts(result)["AP-34"]
    assert (found.word, found.reason) == ("not-exercised", "one call alone does not tell")
    assert outcome.exit_code == 0, "and nobody is blamed for that"
    result, _ = run([contract], only=("AP-34", "AP-07", "AP-08"))
    assert verdicts(result)["AP-34"].word == "upheld"


# --- Readings -------------------------------------------------------------------------------------


@pytest.mark.parametrize("omit", [(), ("Machine.CollectForensic",)])
def test_a_spelling_that_nobody_has_a_token_of_is_not_known_to_be_followed(
    omit: tuple[str, ...],
) -> None:
    """A refusal of the one spelling is no sign that the other one is accepted."""
    service = conforming("MA", LaterForensics, signed=False)
    assert isinstance(service.tokens, Opaque)
    service.tokens.omit = frozenset(omit)
    with Written(service) as front:
        target = target_of(service, front.url)
        del target.raw["not_testable"]["mint"]
        chosen = Options(only=("MA-18",))
        result = verify([contract_of(service.page)], target, chosen, environ={})
        service.stopped.set()
    outcome = decide(result.judgements())
    (judgement,) = result.judgements()
    assert judgement.readings == {}
    assert judgement.verdicts[0].word == "not-exercised"
    assert outcome.exit_code == 4
    lines = outcome.excuses["machine-action"]
    assert set(lines) == ({"mint", *omit} if omit else {"mint"}), "the need is named"
    assert "Machine.CollectForensics" in lines["mint"]


@pytest.mark.parametrize(
    ("kind", "follows"), [(Service, "collect-forensic"), (LaterForensics, "collect-forensics")]
)
def test_the_spelling_that_was_accepted_is_followed(kind: type[Service], follows: str) -> None:
    service = conforming("MA", kind)
    with Written(service) as front:
        target = target_of(service, front.url)
        result = verify([contract_of(service.page)], target, Options(only=("MA-18",)), environ={})
        service.stopped.set()
    (judgement,) = result.judgements()
    assert judgement.readings["forensics-permission"] == follows
    assert judgement.verdicts[0].word == "upheld"


def test_a_permission_that_is_accepted_is_said_to_be() -> None:
    for kind, follows in ((Service, "full-permission"), (SubjectAccess, "subject-access")):
        service = conforming("AP", kind)
        with Written(service) as front:
            target = target_of(service, front.url)
            options = Options(only=("AP-17", "AP-30"))
            result = verify([contract_of(service.page)], target, options, environ={})
            service.stopped.set()
        (judgement,) = result.judgements()
        assert judgement.readings["least-permission"] == follows
        assert judgement.readings["success-status"] == "prose"
