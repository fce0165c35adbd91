"""Across contracts: a cancel of one kind of thing touches, and finds, none of another kind."""

from __future__ import annotations

from typing import Any

import pytest
from cancel_contracts.assignment import Options
from cancel_contracts.builtin import mock_target
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.exchange import Form
from cancel_contracts.gate import decide
from cancel_contracts.mock.catalogue import find
from cancel_contracts.plan.plan import make
from cancel_contracts.plan.steps import Acquire, Name, Observe, ObserveLast
from cancel_contracts.prove import trial
from cancel_contracts.run.deep import under
from cancel_contracts.targets.file import Target
from cancel_contracts.verify import Result, verify
from servers.front import Written
from servers.provider import PROVIDER
from servers.together import AnyCollectionWillDo, Together
from servers.trial import conforming, contract_of

CONTRACTS = [load(path) for path in shipped()]


def run(*faults: str, only: tuple[str, ...] = (), **options: Any) -> Result:
    with mock_target(CONTRACTS, faults, quotas=False) as target:
        return verify(CONTRACTS, target, Options(only=only, **options))


def violated(result: Result) -> dict[str, str]:
    rows = [v for judgement in result.judgements() for v in judgement.verdicts]
    return {v.clause.id: v.violations[0].actual for v in rows if v.word == "violated"}


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.name)
def test_what_stands_beside_the_first_call_is_looked_at_in_the_end(contract: Any) -> None:
    first = make(contract, contract.clauses, "gate").scenarios[0]
    near = [s.slot for s in first.steps if isinstance(s, Acquire) and s.beside is not None]
    assert [s.slot for s in first.steps if isinstance(s, ObserveLast)][-1:] == near
    alone = first.without(near)
    assert not [s for s in alone.steps if isinstance(s, ObserveLast) and s.slot in near]


def test_an_id_of_elsewhere_is_called_and_not_looked_for_before() -> None:
    steps = under(CONTRACTS[0], "an-id").steps
    assert steps[0] == Name(0, Form("unknown", "an-id"))
    assert not any(isinstance(step, Observe) and step.given for step in steps)


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["across-strikes-all", "across-strikes-at-a-404"])
def test_what_is_struck_across_contracts_is_seen_in_the_end(fault: str) -> None:
    found = violated(run(fault, only=("AP-06", "AP-35", "MA-06", "MA-34", "SA-05", "SA-20")))
    assert set(found) >= {"AP-06", "MA-06"}, found
    assert "in the end, after the calls on all others" in found["MA-06"]


@pytest.mark.slow
def test_an_id_of_another_contract_is_found_by_none() -> None:
    unknown = ("AP-35", "MA-34", "SA-20")
    # What stays until the end stands beside the ordinary call: its id is the one to find elsewhere.
    only = (*unknown, "AP-06", "MA-06", "SA-05")
    asked: dict[str, Any] = {"profile": "deep", "max_requests": 24, "only": only}
    kept = run(**asked)
    assert decide(kept.judgements()).exit_code == 0, violated(kept)
    assert violated(run("across-finds-another-kind", **asked)).keys() & set(unknown)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "told"), [(Together, set()), (AnyCollectionWillDo, {"MA-34"})])
def test_an_independent_server_is_asked_for_ids_of_its_other_collections(
    kind: type[Together], told: set[str]
) -> None:
    services = [conforming(short) for short in ("AP", "MA")]
    contracts = [contract_of(service.page) for service in services]
    with Written(kind(*services)) as running:
        at = {c.name: running.url + s.page.prefix for c, s in zip(contracts, services, strict=True)}
        raw: dict[str, Any] = {
            "provider_states": running.url + PROVIDER,
            "contracts": {name: {"base_url": url} for name, url in at.items()},
            **services[0].tokens.target(),
        }
        only = ("AP-35", "MA-34", "AP-06", "MA-06")
        options = Options(profile="deep", max_requests=24, only=only, effect_seconds=0.3)
        result = verify(contracts, Target("target.yaml", raw, running.url), options, environ={})
    assert set(violated(result)) >= told
    assert decide(result.judgements()).exit_code == (1 if told else 0), violated(result)


@pytest.mark.slow
def test_a_conforming_server_of_all_three_passes() -> None:
    some = tuple(clause.id for contract in CONTRACTS for clause in contract.clauses[::3])
    result = run(only=some, jobs=2)
    assert decide(result.judgements()).exit_code == 0, violated(result)


@pytest.mark.slow
def test_prove_tries_what_goes_across_beside_the_other_contracts() -> None:
    """On security-action nothing that stands beside is struck: the others see it."""
    contract = next(c for c in CONTRACTS if c.name == "security-action")
    met = trial(contract, find("across-strikes-all"))
    assert met.hole is None
    assert {"AP-06", "MA-06"} & set(met.kills)
