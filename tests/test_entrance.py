"""What the way in takes: a route under another path, one resource at a time, another caller."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from cancel_contracts.gate import decide
from cancel_contracts.verify import Options, verify
from servers.front import Request, Response, Written
from servers.pages import Page
from servers.provider import PROVIDER
from servers.service import Service
from servers.tokens import Tokens
from servers.trial import conforming, contract_of, judge, target_of
from servers.variants_handler import EmptiesTheStore, OneResource
from servers.variants_rules import ApplicationsOnly


class Counted(Service):
    """Counts what comes, by kind."""

    def __init__(self, page: Page, tokens: Tokens) -> None:
        super().__init__(page, tokens)
        self.came: Counter[str] = Counter()

    def answer(self, request: Request) -> Response:
        path = request.target.partition("?")[0]
        on_route = path.endswith(f"/{self.page.verb}")
        kind = "provider_states" if path == PROVIDER else "cancel" if on_route else "observe"
        self.came[kind] += 1
        return super().answer(request)


@pytest.mark.parametrize(
    ("short", "kinds", "only"),
    [
        ("MA", (), ("MA-19",)),
        ("SA", (ApplicationsOnly,), ()),
        ("MA", (EmptiesTheStore,), ("MA-01", "MA-06")),
        ("SA", (ApplicationsOnly, EmptiesTheStore), ()),
        ("AP", (), ("AP-01", "AP-06")),
    ],
)
def test_what_finding_the_way_in_took_is_counted_too(
    short: str, kinds: tuple[type[Service], ...], only: tuple[str, ...]
) -> None:
    service = conforming(short, type("Mixed", (Counted, *kinds), {}))
    assert isinstance(service, Counted)
    with Written(service) as running:
        # The page's path begins with /beta, which a user may leave out.
        target = replace(target_of(service, running.url), base_url=running.url)
        result = verify([contract_of(service.page)], target, Options(only=only), environ={})
        service.stopped.set()
    assert decide(result.judgements()).exit_code == 0
    assert result.results[0].requests() == service.came


class FirstCallNotFound(Service):
    def post(self, request: Request, id_: str) -> Response:
        return self.unrouted(request) if self.calls == 1 else super().post(request, id_)


@pytest.mark.parametrize("observable", [True, False])
def test_one_call_that_is_not_found_by_chance_is_held_against_the_server(
    observable: bool,
) -> None:
    excused = {} if observable else {"observe": "no GET"}
    service = conforming("MA", FirstCallNotFound, observable=observable)
    outcome = judge(service, excused=excused)
    assert outcome.exit_code == 1, str(outcome)
    assert "MA-01" in outcome.violated, str(outcome)


@pytest.mark.parametrize("handler", [OneResource, EmptiesTheStore])
def test_without_a_get_a_handler_with_one_resource_at_a_time_will_do(
    handler: type[Service],
) -> None:
    outcome = judge(conforming("MA", handler, observable=False), excused={"observe": "no GET"})
    assert (outcome.exit_code, outcome.violated) == (0, {}), str(outcome)
