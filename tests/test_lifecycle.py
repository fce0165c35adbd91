"""What `x-lifecycle` says of the resource: read, refused where it fits nothing, and seen in looks."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from cancel_contracts import gate
from cancel_contracts.assignment import Options
from cancel_contracts.builtin import mock_target
from cancel_contracts.contract.lifecycle import hurried
from cancel_contracts.contract.load import load
from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.places import closed, opened, place, ways
from cancel_contracts.errors import UsageError
from cancel_contracts.exchange import Exchange, Received, Sent, Situation
from cancel_contracts.journal import Exchanges
from cancel_contracts.plan.plan import make
from cancel_contracts.plan.waits import most_looks, pauses
from cancel_contracts.sight.observation import is_cancelled, is_open, marks, shown
from cancel_contracts.sight.sight import Sight
from cancel_contracts.targets.file import Target
from cancel_contracts.verify import verify
from hypothesis import given, settings
from hypothesis import strategies as st
from servers.timed import Answer, Keys
from yaml_text import document_of, text_of

pytestmark = pytest.mark.slow

SPECS = Path(__file__).parent / "cases" / "specs"
RUN: dict[str, Any] = document_of(SPECS / "workflow-run.yaml")
KEY: dict[str, Any] = document_of(SPECS / "access-key.yaml")
RUNS, KEYS = load(SPECS / "workflow-run.yaml"), load(SPECS / "access-key.yaml")
Change = Callable[[dict[str, Any]], object]


def written(tmp_path: Path, document: dict[str, Any], change: Change) -> Path:
    """Write a spec with a change made to it."""
    document = copy.deepcopy(document)
    change(document)
    path = tmp_path / "changed.yaml"
    path.write_text(text_of(document), "utf-8")
    return path


def life(**keys: Any) -> Change:
    """Change keys of x-lifecycle; None takes one away."""

    def change(document: dict[str, Any]) -> None:
        document["x-lifecycle"] |= keys
        for name in [name for name, value in keys.items() if value is None]:
            del document["x-lifecycle"][name]

    return change


# --- What is refused -----------------------------------------------------------------------------

ONE = {"queued": {"/run/status": "queued"}}
REFUSED: dict[str, tuple[dict[str, Any], Change, str]] = {
    "a place that no schema shows": (
        RUN, life(shows=["/run/stauts"]), "shows: no schema shows '/run/stauts'; did you mean"),
    "a state at the top that lies deeper": (
        RUN, life(shows=["status"]), "x-lifecycle/shows: no schema shows 'status'"),
    "a place below one that has no parts": (
        RUN, life(leaves={"/run/branch/name": "x"}), "leaves: no schema shows '/run/branch/name'"),
    "what is no pointer": (RUN, life(shows=["/run/a~b"]), "shows: '/run/a~b' is no JSON pointer"),
    "values of no state": (
        RUN, life(states={**RUN["x-lifecycle"]["states"], "canceled": {"/run/status": "x"}}),
        "no state is named 'canceled'; did you mean 'cancelled'?"),
    "a state that shows nowhere": (
        RUN, life(final=["succeeded", "failed", "skipped", "cancelled"]),
        "nothing tells where 'skipped' shows; give `shows`, or its values in `states`"),
    "no state that shows anywhere": (RUN, life(states=None), "nothing tells where"),
    "two states that are one": (
        RUN, life(states={**RUN["x-lifecycle"]["states"], "failed": {"/run/status": "completed"}}),
        "what shows 'succeeded' shows 'failed' too"),
    "a state that shows whatever else does": (
        KEY, life(states={"active": {}, "paused": {"owner": "x"}}, final=["paused", "gone"]),
        "what shows 'paused' shows 'active' too"),
    "a value that the schema refuses": (
        RUN, life(states={**RUN["x-lifecycle"]["states"], **{"queued": {"/run/status": "waiting"}}}),
        '"waiting" at /run/status does not fit the schema of the GET'),
    "a value left that the schema refuses": (
        RUN, life(leaves={"billable": "no"}), '"no" at billable does not fit'),
    "gone before a cancel": (KEY, life(cancellable=["active", "gone"], final=["gone"]), "gone"),
    "gone on the way": (KEY, life(through=["gone"], after=["gone"]), "through"),
    "gone with values": (KEY, life(states={"active": {}, "gone": {"owner": "x"}}), "has no values"),
    "what is gone and holds something": (
        KEY, life(leaves={"owner": "x"}), "leaves: what is gone holds nothing"),
    "a state on the way that is the end": (
        RUN, life(through=["cancelled"]), "through: 'cancelled' is what a cancel leads to"),
    "no time": (RUN, life(within=0), "x-lifecycle/within"),
    "a time that never ends": (RUN, life(within=math.inf), "x-lifecycle/within"),
    "a time that is no number": (RUN, life(within=math.nan), "x-lifecycle/within: is no number"),
    "a state that YAML reads as yes": (
        KEY, life(states={True: {}}), "x-lifecycle/states: is read as yes or no where a text"),
    "a place that YAML reads as a number": (
        KEY, life(states={"active": {1: "x"}}), "states/active: is read as a number where a text"),
    "a value left at a place that is none": (
        RUN, life(leaves={False: "x"}), "x-lifecycle/leaves: is read as yes or no"),
    "time in words": (RUN, life(within="5 s"), "x-lifecycle/within"),
    "no end": (KEY, life(after=[], final=[]), "no state tells what a cancel leads to"),
    "a final state that is asked for and not named": (
        KEY, lambda d: (life(final=[])(d), d["x-clauses"][1].update(given={"resource": "final"})),
        "asks for a final state, and x-lifecycle names none"),
    "a place that is left alone and is none": (
        RUN, lambda d: d["x-clauses"][0]["expect"].update(keeps=["/run/numbre"]),
        "keeps '/run/numbre', which no schema shows; did you mean '/run/number'?"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_fits_nothing_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    document, change, told = REFUSED[name]
    path = written(tmp_path, document, change)
    with pytest.raises(UsageError) as err:
        load(path)
    assert told in str(err.value)
    assert str(err.value).startswith(f"{path}:")
    assert "\n" not in str(err.value)


def test_an_example_stands_for_a_schema_that_is_not_there(tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        media = document["paths"]["/keys/{key}"]["get"]["responses"]["200"]["content"]
        media["application/json"] = {"example": {"id": "", "meta": {"phase": "active"}}}
        life(states=None, shows=["/meta/phase"])(document)

    def both(document: dict[str, Any]) -> None:
        change(document)
        life(shows=["phase"])(document)

    assert load(written(tmp_path, KEY, change)).lifecycle.shows == ("/meta/phase",)
    with pytest.raises(UsageError, match=r"no schema shows 'phase'"):
        load(written(tmp_path, KEY, both))


def test_a_pointer_of_one_name_is_that_name(tmp_path: Path) -> None:
    path = written(tmp_path, RUN, life(touches=["/billable"], leaves={"/run/reason": "x"}))
    assert load(path).lifecycle.touches == ("billable",)
    assert "billable" not in load(path).lasting


# --- Places --------------------------------------------------------------------------------------

NAMES = st.text("ab/~", min_size=1, max_size=3)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=3))
ENTITIES = st.dictionaries(
    NAMES,
    st.recursive(LEAVES, lambda v: st.dictionaries(NAMES, v, min_size=1, max_size=3), max_leaves=8),
    max_size=4,
)


@settings(max_examples=25, deadline=None)
@given(ENTITIES, st.data())
def test_what_is_opened_closes_to_what_it_was(entity: dict[str, Any], data: st.DataObject) -> None:
    entity = {name: value for name, value in entity.items() if not name.startswith("/")}
    deep = [
        f"/{a.replace('~', '~0').replace('/', '~1')}/{b.replace('~', '~0').replace('/', '~1')}"
        for a, inner in entity.items()
        if isinstance(inner, dict)
        for b in inner
    ]
    along = ways(data.draw(st.lists(st.sampled_from(deep), max_size=3))) if deep else frozenset()
    view = opened(entity, along)
    assert closed(view, along) == entity
    assert not along & view.keys()


def test_places_are_spelled_in_one_way() -> None:
    assert (place("status"), place("/status"), place("/a~1b")) == ("status", "status", "a/b")
    assert place("/a/b") == "/a/b"
    assert ways(["x", "/a/b/c", "/a/d"]) == {"/a", "/a/b"}
    with pytest.raises(ValueError, match="no JSON pointer"):
        place("/a/~")


# --- States --------------------------------------------------------------------------------------


def run_of(status: Any, conclusion: Any = None, **more: Any) -> dict[str, Any]:
    return {"run": {"status": status, "conclusion": conclusion, **more}}


def seen(entity: dict[str, Any]) -> dict[str, Any]:
    return opened(entity, RUNS.lifecycle.ways)


@pytest.mark.parametrize(
    ("entity", "states"),
    [
        (run_of("queued"), {"queued"}),
        ({"run": {"status": "QUEUED"}}, {"queued"}),  # null may be left out
        (run_of("completed", "cancelled"), {"canceled"}),
        (run_of("completed", "canceled"), {"canceled"}),
        (run_of("completed"), set()),
        (run_of("running", "cancelled"), set()),
        ({"run": None}, set()),
        ({"status": "queued"}, set()),
    ],
)
def test_a_state_shows_where_all_its_values_do(entity: dict[str, Any], states: set[str]) -> None:
    assert shown(RUNS.lifecycle, seen(entity)) == states
    assert is_cancelled(RUNS.lifecycle, seen(entity)) == (states == {"canceled"})
    assert is_open(RUNS.lifecycle, seen(entity)) == (states == {"queued"})


def test_true_is_not_one_and_no_text(tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        named = {"on": {"enabled": True}, "off": {"enabled": False}}
        schema = document["paths"]["/keys/{key}"]["get"]["responses"]["200"]["content"]
        schema["application/json"]["schema"]["properties"]["enabled"] = {}
        document["x-clauses"] = document["x-clauses"][-1:]
        life(states=named, cancellable=["on"], final=["off"], after=["off"])(document)

    lifecycle = load(written(tmp_path, KEY, change)).lifecycle
    values: Sequence[Any] = (True, False, 1, 0, "true", None)
    told = [set(shown(lifecycle, {"enabled": value})) for value in values]
    assert told == [{"on"}, {"off"}, set(), set(), set(), set()]
    assert marks(lifecycle, {}) == ()  # where nothing stands, nobody knows


# --- Effects in time -----------------------------------------------------------------------------

Step = tuple[str, Any, float]  # look or call; what shows (None: 404), or the status; when
BEFORE, BETWEEN = run_of("running"), run_of("cancelling")
DONE = {**run_of("completed", "cancelled", reason="by a caller"), "billable": False}


def fed(contract: Contract, *steps: Step) -> tuple[Sight, Exchange]:
    """Return what was seen of one resource, and the call on it."""
    exchanges, call, position = Exchanges(), None, 0
    sight = Sight(contract, exchanges)
    for kind, value, at in steps:
        position += kind == "call"
        status = value if kind == "call" else 404 if value is None else 200
        body = json.dumps(value).encode() if kind == "look" and value is not None else b""
        exchange = Exchange(
            "c", 1, position, "cancel" if kind == "call" else "observe",
            Situation(state=contract.lifecycle.cancellable[0]), "admin", "r",
            Sent(contract.lifecycle.method if kind == "call" else "GET", "http://x"), started=at,
            received=Received(status, body=body),
        )  # fmt: skip
        exchanges.append(exchange)
        sight.note(exchange)
        call = exchange if kind == "call" else call
    assert call is not None
    return sight, call


def after(*looks: tuple[Any, float]) -> tuple[Step, ...]:
    return ("look", BEFORE, 0.0), ("call", 202, 1.0), *(("look", what, at) for what, at in looks)


@pytest.mark.parametrize(
    ("within", "looks", "effect"),
    [
        (1.0, [(BETWEEN, 1.1), (DONE, 1.9)], "cancelled"),
        (1.0, [(BEFORE, 1.1), (DONE, 1.9)], "cancelled"),
        (1.0, [(BETWEEN, 1.1), (BETWEEN, 2.0), (DONE, 3.0)], "not"),
        (1.0, [(BETWEEN, 1.9), (DONE, 3.0)], "cancelled"),  # when it came nobody saw
        (10.0, [(BETWEEN, 2.0), (DONE, 9.0)], "cancelled"),  # eight seconds after the call
        (7.0, [(BETWEEN, 2.0), (BETWEEN, 8.5), (DONE, 9.0)], "not"),
        (1.0, [({**DONE, "billable": True}, 2.5)], "not"),
        (1.0, [(run_of("completed", "cancelled", reason=None), 2.5)], "not"),
        (1.0, [({"id": "r"}, 2.5)], "unknown"),
    ],
)
def test_an_effect_shows_within_its_time(
    within: float, looks: list[tuple[Any, float]], effect: str, tmp_path: Path
) -> None:
    sight, call = fed(load(written(tmp_path, RUN, life(within=within))), *after(*looks))
    assert sight.effect(call)[0] == effect


@pytest.mark.parametrize(
    ("looks", "due"),
    [([(BETWEEN, 1.5)], "not"), ([(BETWEEN, 2.1)], None), ([(DONE, 1.5)], None), ([], None)],
)
def test_what_is_due_is_looked_for_until_its_time_is_over(
    looks: list[tuple[Any, float]], due: str | None
) -> None:
    sight, call = fed(RUNS, *after(*looks))
    assert sight.due(call) == due


@pytest.mark.parametrize(
    ("steps", "effect"),
    [
        ([("look", {"id": "r"}, 0.0), ("call", 204, 1.0), ("look", None, 1.1)], "cancelled"),
        ([("look", {"id": "r"}, 0.0), ("call", 204, 1.0), ("look", {"id": "r"}, 1.1)], "not"),
        ([("call", 204, 1.0), ("look", None, 1.1)], "unknown"),  # it may never have been there
        ([("look", None, 0.0), ("call", 204, 1.0), ("look", None, 1.1)], "unknown"),
    ],
)
def test_gone_is_an_effect_on_what_was_there(steps: list[Step], effect: str) -> None:
    sight, call = fed(KEYS, *steps)
    assert sight.effect(call)[0] == effect


def test_a_state_between_is_no_change_yet_where_no_page_names_the_end(tmp_path: Path) -> None:
    contract = load(written(tmp_path, RUN, life(after=[], leaves=None, within=None)))
    for last, effect in ((BETWEEN, "not"), (run_of("completed", "failure"), "cancelled")):
        sight, call = fed(contract, *after((BETWEEN, 1.1), (last, 2.0)))
        assert sight.effect(call)[0] == effect


def test_a_target_may_be_quicker_than_its_page_and_not_slower() -> None:
    given = (None, 0.25, 0.6, 9.0, math.nan)
    assert [hurried(RUNS, seconds).lifecycle.within for seconds in given] == [
        0.6, 0.25, 0.6, 0.6, 0.6
    ]  # fmt: skip
    assert hurried(KEYS, 0.25) is KEYS


def test_pauses_grow_and_their_looks_are_counted() -> None:
    waits = pauses(8.0)
    assert [next(waits) for _ in range(8)] == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]
    assert [next(pauses(None)) for _ in range(2)] == [0.25, 0.25]
    assert (most_looks(0.05), most_looks(1.0), most_looks(8.0)) == (1, 5, 9)
    plan = make(RUNS, RUNS.clauses, "gate")
    assert plan.late_looks == 26  # five runs that are spent, and six neighbours
    assert make(KEYS, KEYS.clauses, "gate").late_looks == 0


# --- What cannot be seen -------------------------------------------------------------------------


def verified(contract: Contract) -> dict[str, tuple[str, str]]:
    """Return what the suite says of a faithful mock: a word and the reason, by clause."""
    with mock_target([contract]) as target:
        result = verify([contract], target, Options(effect_seconds=0.2), environ={})
    assert gate.decide(result.judgements()).exit_code != 1
    return {v.clause.id: (v.word, v.reason or "") for j in result.judgements() for v in j.verdicts}


@pytest.mark.parametrize("document", [RUN, KEY])
def test_without_a_get_effects_are_not_exercised_and_said_to_be(
    document: dict[str, Any], tmp_path: Path
) -> None:
    found = verified(load(written(tmp_path, document, life(observe=None, within=None))))
    assert {word for word, _ in found.values()} == {"not-exercised"}
    assert all(reason.startswith("observe: ") for _, reason in found.values()), found
    reasons = [reason for id_, (_, reason) in found.items() if id_[-1] in "123458"]
    assert all("x-lifecycle names no GET that shows it" in reason for reason in reasons)


def test_a_state_that_the_get_does_not_show_is_not_exercised(tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        del document["paths"]["/keys/{key}"]["get"]["responses"]["200"]["content"]
        life(states=None, shows=["/meta/phase"], after=["revoked"], final=["revoked"])(document)
        document["x-clauses"] = [document["x-clauses"][at] for at in (0, 3)]

    contract = load(written(tmp_path, KEY, change))
    with AlwaysThere() as service:
        target = Target("target.yaml", service.target(), service.url + "/v1")
        result = verify([contract], target, Options(effect_seconds=0.2), environ={})
    found = {v.clause.id: (v.word, v.reason) for j in result.judgements() for v in j.verdicts}
    told = ("not-exercised", "observe: the GET shows nothing at /meta/phase")
    assert found == {"AK-1": told, "AK-4": told}


def with_entity(document: dict[str, Any]) -> None:
    """Let a success show the run, as it is when it is answered."""
    operation = document["paths"]["/runs/{run}/cancel"]["post"]
    schema = {"$ref": "#/components/schemas/Run"}
    operation["responses"]["202"]["content"] = {"application/json": {"schema": schema}}
    deep = document["components"]["schemas"]["Run"]["properties"]["run"]["properties"]
    deep["stoppedBy"] = {"type": ["string", "null"]}
    life(sets=["/run/stoppedBy"])(document)
    told = {"body": "entity", "entity": ["id", "state", "set", "agrees"]}
    document["x-clauses"][0]["expect"] |= told


def test_what_a_success_shows_may_be_on_the_way(tmp_path: Path) -> None:
    contract = load(written(tmp_path, RUN, with_entity))
    assert {word for word, _ in verified(contract).values()} == {"upheld"}
    faults = ("entity-without-state", "entity-with-unknown-state", "dates-not-set")
    assert caught(contract, *faults) == {fault: {"WR-1"} for fault in faults}


def caught(contract: Contract, *faults: str) -> dict[str, set[str]]:
    """Return the clauses that each fault of the mock violates."""
    found = {}
    for fault in faults:
        with mock_target([contract], faults=[fault]) as target:
            result = verify([contract], target, Options(effect_seconds=0.2), environ={})
        verdicts = [v for j in result.judgements() for v in j.verdicts]
        found[fault] = {v.clause.id for v in verdicts if v.word == "violated"}
    return found


class AlwaysThere(Keys):
    """A key shows no state."""

    def look(self, row: dict[str, Any] | None) -> Answer:
        return super().look(row and {**row, "at": None})
