"""What the gate draws: texts, bodies and ids that stand on no list, at no call more."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from cancel_contracts import gate
from cancel_contracts.assignment import Options
from cancel_contracts.contract.compose import Composition
from cancel_contracts.contract.given import kind_of
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Contract
from cancel_contracts.exchange import Form, Situation
from cancel_contracts.plan.plan import Plan, make, selectable
from cancel_contracts.plan.vary import leaves_open, varied
from cancel_contracts.run.draw import filled
from cancel_contracts.run.strategies import pool
from cancel_contracts.verify import Result, verify
from hypothesis import strategies
from servers.front import Response, Written
from servers.service import Call, Service
from servers.trial import conforming, contract_of, target_of

pytestmark = pytest.mark.slow

CONTRACTS = [load(path) for path in shipped()]
MACHINE = next(c for c in CONTRACTS if c.name == "machine-action")
each = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.name)


def plan(contract: Contract) -> Plan:
    clauses = [c for c in contract.clauses if selectable(c, "gate", contract)]
    return make(contract, clauses, "gate")


def drawn(made: Plan) -> list[Form]:
    return [form for s in made.scenarios for call in s.calls for form in call.drawn]


@each
def test_a_plan_is_filled_with_what_is_drawn_at_no_call_more(contract: Contract) -> None:
    bare, made = plan(contract), filled(plan(contract), 0)
    calls = [call for s in made.scenarios for call in s.calls]
    assert not any(map(leaves_open, calls))
    assert [kind_of(call) for call in calls] == [c for s in bare.scenarios for c in s.calls]
    assert made.cost(observes=True, handler=True) == bare.cost(observes=True, handler=True)
    words = {form.word for form in drawn(made)}
    assert words >= {"raw", "invalid"}
    assert ("valid" in words) == bool(contract.bodies)


@each
def test_equal_seeds_draw_alike_and_others_otherwise(contract: Contract) -> None:
    one, again, other = (drawn(filled(plan(contract), seed)) for seed in (0, 0, 7))
    assert one == again
    assert len(set(one) - set(other)) >= len(set(one)) - 1


def test_every_text_that_is_written_out_has_a_served_call_and_the_rest_is_drawn() -> None:
    composition = Composition(MACHINE)
    calls = [call for s in filled(plan(MACHINE), 0).scenarios for call in s.calls]
    clause = MACHINE.clause("MA-28")
    assert clause is not None
    for body in clause.given["body"]:
        form = Form("text") if body == "text" else Form("json", json.dumps(body["json"]))
        served = [c for c in calls if kind_of(c).body == form and composition.served(c)]
        assert served, form
    texts = {call.body for call in calls if call.body.word == "text"}
    assert len(texts) >= 20
    for form in texts:
        said = json.loads(form.text)["Comment"].removesuffix(" {unique}")
        assert said.strip(), "blanks alone may be taken for nothing"
        assert (
            said.isprintable() or any(c in said for c in "\xad\u2028\u2029") or not said.isascii()
        )


def test_what_no_clause_lets_be_drawn_stays() -> None:
    package = next(c for c in CONTRACTS if c.name.startswith("access"))
    calls = [Situation(body=Form("json", '{"Comment": "x"}'))] * 2
    assert varied(Composition(package), calls) == calls


@each
def test_a_drawn_id_is_one_segment_and_no_text(contract: Contract) -> None:
    for seed in range(3):
        (form,) = (f for f in drawn(filled(plan(contract), seed)) if f.word == "raw")
        octets = unquote_to_bytes(form.text)
        assert octets[:1] == b"\xff"
        assert octets.decode("utf-8", "ignore").encode() != octets


# --- Against servers ------------------------------------------------------------------------------


class FilledBodyAnswered500(Service):
    """Chokes on a list or an object that holds anything but a Comment."""

    def check_content(self, call: Call) -> Response | None:
        if self.json(call) or isinstance(call.document, list):
            if call.document and "Comment" not in call.document:
                return self.refuse(500, "InternalServerError", "Something went wrong.")
        return super().check_content(call)


class GreekLost(Service):
    """Keeps a comment in a column that knows neither Greek nor what is like it."""

    def cancel(self, resource: Any, call: Call) -> None:
        super().cancel(resource, call)
        if resource.comment:
            kept = (c if ord(c) < 0x0180 or ord(c) > 0x1FFF else "?" for c in resource.comment)
            resource.comment = "".join(kept)


class IllEncodedTwiceAnswered200(Service):
    """Takes an id of no UTF-8 for any, where it has more than two such octets."""

    def check_existence(self, call: Call) -> Response | None:
        if call.id.count("\ufffd") > 2:
            return self.told({"id": call.id}) if self.success_status == 200 else self.empty(204)
        return super().check_existence(call)


def run(service: Service, **options: Any) -> Result:
    with Written(service) as front:
        try:
            target = target_of(service, front.url)
            chosen = Options(effect_seconds=0.3, **options)
            return verify([contract_of(service.page)], target, chosen, environ={})
        finally:
            service.stopped.set()


def violations(result: Result) -> dict[str, Any]:
    rows = result.judgements()[0].verdicts
    return {v.clause.id: v.violations for v in rows if v.word == "violated"}


def test_what_violates_is_shown_at_its_smallest_within_the_budget() -> None:
    result = run(conforming("SA", FilledBodyAnswered500), only=("SA-01", "SA-15", "SA-40"))
    found = violations(result)["SA-40"]
    assert len(json.loads(found[0].exchange.sent.body)) == 1, "one member is enough"
    planned = len(plan_of_only(result).scenarios)
    assert planned < result.results[0].requests()["cancel"] <= planned + 20
    tight = run(
        conforming("SA", FilledBodyAnswered500), only=("SA-01", "SA-15"), max_requests=planned
    )
    assert tight.results[0].requests()["cancel"] <= planned


def test_what_is_drawn_does_not_depend_on_what_else_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "".join(f'W{n} = "sesame-{n}"\n' for n in range(200))
    (tmp_path / "local_words.py").write_text(words, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    before = pool(strategies.text(), bool, "seed", 200)
    monkeypatch.setitem(sys.modules, "local_words", importlib.import_module("local_words"))
    assert pool(strategies.text(), bool, "seed", 200) == before


def plan_of_only(result: Result) -> Plan:
    only = [v.clause for v in result.judgements()[0].verdicts]
    return make(result.results[0].contract, only, "gate")


@pytest.mark.parametrize(
    ("short", "kind", "clause", "only"),
    [
        ("MA", GreekLost, "MA-28", ()),
        ("MA", IllEncodedTwiceAnswered200, "MA-47", ("MA-47",)),
        ("SA", IllEncodedTwiceAnswered200, "SA-21", ("SA-21",)),
        ("AP", IllEncodedTwiceAnswered200, "AP-36", ("AP-36",)),
    ],
)
def test_a_deviation_that_stands_on_no_list_is_caught(
    short: str, kind: type[Service], clause: str, only: tuple[str, ...]
) -> None:
    assert clause in violations(run(conforming(short, kind), only=only))


def test_a_conforming_server_passes_with_any_seed() -> None:
    for seed in (1, 2):
        result = run(
            conforming("MA"), seed=seed, only=("MA-23", "MA-27", "MA-28", "MA-47", "MA-57")
        )
        assert gate.decide(result.judgements()).exit_code == 0
        assert result.results[0].journal.exchanges.drawn.total() > 3
