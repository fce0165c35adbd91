"""The command line over independent servers, described by a target file as a user would write it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from cancel_contracts.cli import main
from cancel_contracts.contract.load import load, shipped
from servers.front import Front, Stdlib10, Stdlib11, Written
from servers.pages import PAGES
from servers.provider import PROVIDER
from servers.service import Service
from servers.tokens import Opaque
from servers.trial import conforming

pytestmark = pytest.mark.slow

FRONTS: dict[str, type[Front]] = {"SA": Stdlib10, "MA": Stdlib11, "AP": Written}


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def started(stack: ExitStack, short: str, service: Service) -> str:
    stack.callback(service.stopped.set)
    return stack.enter_context(FRONTS[short](service)).url


def written_down(path: Path, target: dict[str, Any]) -> str:
    path.write_text(yaml.safe_dump(target, sort_keys=False), encoding="utf-8")
    return str(path)


def three(stack: ExitStack, **services: Service) -> dict[str, Any]:
    """Return a target of three servers: opaque tokens, and JWTs that we may mint for one."""
    contracts: dict[str, Any] = {}
    for short, page in PAGES.items():
        service = services.get(short) or conforming(short, signed=short == "MA")
        url = started(stack, short, service)
        contracts[page.contract] = {
            "base_url": url + page.prefix,
            "provider_states": url + PROVIDER,
            **service.tokens.target(),
        }
    return {"contracts": contracts}


def test_three_servers_in_one_target_file_conform(
    stack: ExitStack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = written_down(tmp_path / "target.yaml", three(stack))
    chosen = [f"--only={clause.id}" for path in shipped() for clause in load(path).clauses[::3]]
    code = main(["verify", "--target", target, *chosen])
    told = capsys.readouterr()
    assert code == 0, told.out + told.err
    assert "opq." not in told.out + told.err, "no token ever stands in an output"


def test_one_faulty_server_of_three_ends_1_and_names_the_clause(
    stack: ExitStack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    faulty = conforming("AP", signed=False, success_status=202)
    target = written_down(tmp_path / "target.yaml", three(stack, AP=faulty))
    chosen = ["AP-30", "SA-16", "MA-29"]
    code = main(["verify", "--target", target, *(x for id_ in chosen for x in ("--only", id_))])
    told = capsys.readouterr().out
    assert code == 1, told
    assert "AP-30" in told


def test_base_url_without_the_version_prefix_is_found(
    stack: ExitStack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service = conforming("SA", signed=False)
    url = started(stack, "SA", service)
    about = {"provider_states": url + PROVIDER, **service.tokens.target()}
    target = written_down(tmp_path / "target.yaml", about)
    code = main(["verify", url, "--target", target, "--contract", PAGES["SA"].contract])
    told = capsys.readouterr()
    assert code == 0, told.out + told.err


def test_ids_in_the_target_file_do_instead_of_a_handler(
    stack: ExitStack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service = conforming("MA", signed=False)
    page = PAGES["MA"]
    url = started(stack, "MA", service)
    ids = {
        state: made(service, state, 120 if state in page.cancellable else 8)
        for state in states("MA")
    }
    about = {"base_url": url, **service.tokens.target()}
    about["contracts"] = {page.contract: {"provider_states": ids}}
    target = written_down(tmp_path / "target.yaml", about)
    code = main(["verify", "--target", target, "--contract", page.contract])
    told = capsys.readouterr()
    assert code == 0, told.out + told.err


def states(short: str) -> tuple[str, ...]:
    return (*PAGES[short].cancellable, *PAGES[short].final)


def made(service: Service, state: str, count: int) -> list[str]:
    return [service.make(state, "admin").id for _ in range(count)]


def test_a_target_that_offers_fewer_identities_ends_4_and_prints_the_excuses(
    stack: ExitStack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service = conforming("SA", signed=False)
    assert isinstance(service.tokens, Opaque)
    service.tokens.omit = frozenset({"personal", "expired"})
    url = started(stack, "SA", service)
    about = {
        "base_url": url + "/beta",
        "provider_states": url + PROVIDER,
        **service.tokens.target(),
    }
    chosen = [x for id_ in ("SA-01", "SA-08", "SA-12") for x in ("--only", id_)]
    arguments = ["verify", *chosen, "--contract", PAGES["SA"].contract, "--target"]
    code = main([*arguments, written_down(tmp_path / "target.yaml", about)])
    told = capsys.readouterr().out
    assert code == 4, told
    about["not_testable"] = {"SA-08": "no personal accounts here", "SA-12": "tokens do not expire"}
    code = main([*arguments, written_down(tmp_path / "excused.yaml", about)])
    assert code == 0, capsys.readouterr().out
    assert "SA-08" in told
    assert "SA-12" in told
