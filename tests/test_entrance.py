"""What the way in takes: a route under another path, one resource at a time, another caller."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest
from cancel_contracts.assignment import Options
from cancel_contracts.gate import decide
from cancel_contracts.replay import judge_recording, write_recording
from cancel_contracts.verify import verify
from sampling import EVERY
from servers.front import Request, Response, Written
from servers.pages import PAGES, Page
from servers.provider import PROVIDER
from servers.service import Service
from servers.tokens import Tokens
from servers.trial import conforming, contract_of, judge, target_of
from servers.variants_handler import EmptiesTheStore, OneResource
from servers.variants_rules import ApplicationsOnly

pytestmark = pytest.mark.slow


def few(short: str) -> tuple[str, ...]:
    """Return the clauses that are judged where the way in is what is tried."""
    return tuple(clause.id for clause in contract_of(PAGES[short]).clauses[::4])


class Counted(Service):
    """Counts what comes, by kind."""

    def __init__(self, page: Page, tokens: Tokens) -> None:
        super().__init__(page, tokens)
        self.came: Counter[str] = Counter()

    def answer(self, request: Request) -> Response:
        path = unquote(request.target.partition("?")[0])
        on_route = path.rstrip("/").endswith(f"/{self.page.verb}")  # in whatever spelling
        kind = "provider_states" if path == PROVIDER else "cancel" if on_route else "observe"
        self.came[kind] += 1
        return super().answer(request)


@pytest.mark.parametrize(
    ("short", "kinds", "only"),
    [
        ("MA", (), ("MA-19",)),
        ("SA", (ApplicationsOnly,), few("SA")),
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


@pytest.mark.parametrize("short", ["SA", "AP"])
def test_what_finding_the_way_in_took_stays_within_the_budget(short: str) -> None:
    """The plan may have no call to spare: what no clause needs is left out. The third contract is
    held to it in tests/test_independent_variants.py.
    """
    service = conforming(short, EmptiesTheStore)
    with Written(service) as running:
        target = target_of(service, running.url)
        result = verify([contract_of(service.page)], target, Options(), environ={})
        service.stopped.set()
    outcome = decide(result.judgements())
    assert outcome.exit_code == 0, outcome.sentence
    assert result.results[0].requests()["cancel"] <= 100


class FirstCallLimited(Service):
    """The first calls on the route, wherever it is looked for, are answered 429."""

    limited = 1
    turned_away = 0

    def answer(self, request: Request) -> Response:
        on_route = request.target.endswith(f"/{self.page.verb}")
        if on_route and request.method == "POST" and self.turned_away < self.limited:
            self.turned_away += 1
            refusal = self.refuse(429, "TooManyRequests", "Try again later.")
            return Response(429, refusal.body, (("Retry-After", "0"), *refusal.headers))
        return super().answer(request)


LIMITED: list[tuple[str, tuple[type[Service], ...], bool]] = [
    ("SA", (), True),  # the base URL leaves out /beta: 429, and then 404
    ("MA", (), True),
    ("SA", (ApplicationsOnly,), False),  # 429, and then 403
    ("SA", (ApplicationsOnly, EmptiesTheStore), True),
    ("MA", (EmptiesTheStore,), False),  # 429, and then 404 for want of the resource
]


@pytest.mark.parametrize(
    ("short", "kinds", "bare", "limited"),
    [
        (short, kinds, bare, limited)
        for number, (short, kinds, bare) in enumerate(LIMITED)
        for limited in (1, 2)
        if EVERY or limited == 1 + number % 2
    ],
)
def test_the_way_in_is_told_by_the_answer_that_stands_not_by_a_429(
    short: str, kinds: tuple[type[Service], ...], bare: bool, limited: int, tmp_path: Path
) -> None:
    service = conforming(short, type("Mixed", (Counted, FirstCallLimited, *kinds), {}))
    assert isinstance(service, Counted)
    service.limited = limited  # type: ignore[attr-defined]
    contract = contract_of(service.page)
    with Written(service) as running:
        target = target_of(service, running.url)
        target = replace(target, base_url=running.url) if bare else target
        result = verify([contract], target, Options(only=few(short)), environ={})
        service.stopped.set()
    outcome = decide(result.judgements())
    assert outcome.exit_code == 0, outcome.sentence
    assert result.results[0].requests() == service.came
    # The recording has the whole way in, and comes to the same counts and verdicts.
    har = tmp_path / "run.har"
    write_recording(result, har)
    again = judge_recording(har, [contract], Options())
    assert again.results[0].requests() == service.came
    words = [[(v.clause.id, v.word) for j in r.judgements() for v in j.verdicts]
             for r in (result, again)]  # fmt: skip
    assert words[0] == words[1]


def test_whoever_is_limited_for_good_is_not_taken_for_somebody_without_a_right() -> None:
    service = conforming("SA", FirstCallLimited, limited=1000)
    outcome = judge(service)
    assert outcome.exit_code == 4
    assert "429" in outcome.sentence, outcome.sentence
    assert "credentials" not in outcome.sentence


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
