"""Effects that take their time, states of several values, resources that are gone: independent
servers that keep the specs of tests/cases/specs, some in odd ways, and some that do not.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
from cancel_contracts import gate
from cancel_contracts.assignment import Options
from cancel_contracts.contract.load import load
from cancel_contracts.contract.model import Contract
from cancel_contracts.exchange import Exchange, Received, Sent, Situation
from cancel_contracts.foreign import Heard, Route
from cancel_contracts.foreign import exchanges as foreign
from cancel_contracts.journal import Exchanges, Journal
from cancel_contracts.judge.judge import judge
from cancel_contracts.replay import judge_recording, write_recording
from cancel_contracts.report import figures
from cancel_contracts.report.lifecycle import transitions
from cancel_contracts.targets.file import Target
from cancel_contracts.verify import Result, verify
from servers.timed import Answer, Keys, Runs, Service
from yaml_text import document_of, text_of

pytestmark = pytest.mark.slow

SPECS = Path(__file__).parent / "cases" / "specs"
RUNS, KEYS = load(SPECS / "workflow-run.yaml"), load(SPECS / "access-key.yaml")


def run(
    service: Service,
    excused: Mapping[str, str] | None = None,
    contract: Contract | None = None,
    **options: Any,
) -> Result:
    contract = contract or (RUNS if service.collection == Runs.collection else KEYS)
    with service:
        raw = {**service.target(), "not_testable": dict(excused or {})}
        target = Target("target.yaml", raw, service.url + "/v1")
        return verify([contract], target, Options(effect_seconds=0.2, **options), environ={})


def words(result: Result) -> dict[str, str]:
    return {v.clause.id: v.word for j in result.judgements() for v in j.verdicts}


def violated(result: Result) -> set[str]:
    assert gate.decide(result.judgements()).exit_code in (0, 1), words(result)
    return {id_ for id_, word in words(result).items() if word == "violated"}


# --- Servers that conform ------------------------------------------------------------------------


class AtOnce(Runs):
    takes = 0.0


class AsBefore(Runs):
    """Until it has ended, nothing is seen of a cancel."""

    def under_way(self, row: dict[str, Any]) -> str:
        return str(row["state"])

    def cancel(self, row: dict[str, Any] | None) -> Answer:
        began = row is not None and row["at"] is not None
        return (409, self.error) if began else super().cancel(row)


class Slow(Runs):
    takes = 0.4


class AcceptsAgain(Runs):
    """While a cancel is under way, another one is accepted."""

    def refuse(self, row: dict[str, Any]) -> Answer:
        return super().refuse(row) if self.phase(row) != "cancelling" else (202, None)


class WithoutNulls(Runs):
    """What is null is left out, and states are spelled in another way."""

    def entity(self, row: dict[str, Any], phase: str) -> dict[str, Any]:
        whole = super().entity(row, phase)
        deep = {k: v for k, v in whole["run"].items() if v is not None}
        return {**whole, "run": {**deep, "status": deep["status"].upper()}}


class MovesOn(Runs):
    """A queued run is soon a running one."""

    def entity(self, row: dict[str, Any], phase: str) -> dict[str, Any]:
        seen = row["seen"] = row.get("seen", 0) + 1
        return super().entity(row, "running" if phase == "queued" and seen > 1 else phase)


class OneRun(Runs):
    """Each set-up ends the one before."""

    def provide(self, asked: dict[str, Any]) -> Answer:
        if asked["action"] == "setup":
            self.rows.clear()
        return super().provide(asked)


class OneKey(OneRun, Keys):
    collection, verb, method, success = Keys.collection, "", Keys.method, Keys.success
    cancel, look = Keys.cancel, Keys.look


class Gone410(Keys):
    gone = 410


class SeenForAWhile(Keys):
    """A key that was deleted is shown a while longer."""

    def look(self, row: dict[str, Any] | None) -> Answer:
        late = row is not None and row["at"] is not None and time.monotonic() < row["at"] + 0.1
        return super().look({**row, "at": None} if row and late else row)


class ForgetsTheKey(Keys):
    """A key that was revoked is forgotten by the handler too."""

    def tear_down(self, params: dict[str, Any]) -> Answer:
        row = self.rows.pop(params["id"])
        return (200, {}) if self.there(row) else (404, self.error)


@pytest.mark.parametrize(
    "kind",
    [
        Runs,
        AtOnce,
        AsBefore,
        Slow,
        AcceptsAgain,
        WithoutNulls,
        MovesOn,
        Keys,
        Gone410,
        SeenForAWhile,
        ForgetsTheKey,
        OneRun,
        OneKey,
    ],
    ids=lambda kind: kind.__name__,
)
def test_a_server_that_conforms_upholds_every_clause(kind: type[Service]) -> None:
    result = run(kind())
    assert set(words(result).values()) == {"upheld"}, words(result)
    assert result.faults_of_the_run == ()


def test_where_no_get_tells_a_second_call_waits_until_the_first_has_to_be_over() -> None:
    """Else a server that accepts another one meanwhile would be told to break its promise."""
    service = AcceptsAgain()
    result = run(service, {"observe": "no GET"})
    assert service.looks == 0
    found = {v.clause.id: (v.word, v.reason) for j in result.judgements() for v in j.verdicts}
    assert found["WR-1"] == ("not-exercised", "observe: no GET shows it")
    assert {word for word, _ in found.values()} == {"not-exercised"}
    seconds = [x for x in result.results[0].journal.exchanges if x.situation.call == "second"]
    assert {x.status for x in seconds} == {401, 409}


@pytest.mark.parametrize("kind", [Slow, Keys], ids=lambda kind: kind.__name__)
def test_a_recording_is_judged_as_the_run_was(kind: type[Service], tmp_path: Path) -> None:
    result = run(kind())
    write_recording(result, tmp_path / "run.har")
    contract = RUNS if kind is Slow else KEYS
    assert words(judge_recording(tmp_path / "run.har", [contract], Options())) == words(result)


@pytest.mark.parametrize(
    ("contract", "lines"),
    [(RUNS, ["cancelled", "via cancelling", "within 0.6 s"]), (KEYS, ["gone"])],
)
def test_a_report_tells_what_shows_on_the_way(contract: Contract, lines: list[str]) -> None:
    found = transitions(judge(contract, Journal(contract.name), []), Journal(contract.name))
    assert figures.lifecycle({"lifecycle": found})["after"]["lines"] == lines


def test_a_second_call_that_came_too_soon_is_not_judged() -> None:
    """In what somebody else recorded, the first may still have been under way."""
    told = [judged_second(at) for at in (1.2, 2.6)]
    assert told == [
        ("not-exercised", "the call before it may still have been under way (within)"),
        ("violated", None),
    ]


def judged_second(at: float) -> tuple[str, str | None]:
    """Judge a second call that was answered 202 at a moment, the first at 1.0."""
    exchanges = Exchanges()
    for position, call, started in ((1, "first", 1.0), (2, "second", at)):
        situation = Situation(state="queued", call=call)
        exchanges.append(
            Exchange(
                RUNS.name, 1, position, "cancel", situation, "admin", "r",
                Sent("POST", "http://x"), received=Received(202, body=b""), started=started,
            )
        )  # fmt: skip
    clause = next(c for c in RUNS.clauses if c.id == "WR-5")
    (verdict,) = judge(RUNS, Journal(RUNS.name, exchanges), [clause]).verdicts
    return verdict.word, verdict.reason


# --- Servers that do not -------------------------------------------------------------------------


class NeverEnds(Runs):
    takes = 3600.0


class TooLate(Runs):
    takes = 3.0


class Back(Runs):
    """It is cancelling for a while, and then as it was."""

    def phase(self, row: dict[str, Any]) -> str:
        found = super().phase(row)
        return str(row["state"]) if found == "cancelled" and row["at"] else found


class EndsOtherwise(Runs):
    def phase(self, row: dict[str, Any]) -> str:
        found = super().phase(row)
        return "failed" if found == "cancelled" and row["at"] else found


class OneOfTwo(Runs):
    """The run is completed, and nothing tells how."""

    def entity(self, row: dict[str, Any], phase: str) -> dict[str, Any]:
        whole = super().entity(row, phase)
        if row["at"]:
            whole["run"]["conclusion"] = None
        return whole


class OtherOfTwo(Runs):
    """The run is told to be cancelled, and goes on."""

    def entity(self, row: dict[str, Any], phase: str) -> dict[str, Any]:
        whole = super().entity(row, phase)
        if row["at"] and phase == "cancelled":
            whole["run"]["status"] = row["state"]
        return whole


class LeavesAnother(Runs):
    def entity(self, row: dict[str, Any], phase: str) -> dict[str, Any]:
        whole = super().entity(row, phase)
        if row["at"] and phase == "cancelled":
            whole["run"]["reason"] = "timed out"
        return whole


class StillBillable(Runs):
    def entity(self, row: dict[str, Any], phase: str) -> dict[str, Any]:
        return {**super().entity(row, phase), "billable": True}


class LosesTheBranch(Runs):
    """What lies beside the state is another once it is cancelled."""

    def entity(self, row: dict[str, Any], phase: str) -> dict[str, Any]:
        whole = super().entity(row, phase)
        if row["at"] and phase == "cancelled":
            whole["run"]["branch"] = "main"
        return whole


class SecondReopens(Runs):
    def refuse(self, row: dict[str, Any]) -> Answer:
        row["at"] = None
        return 409, self.error


class StrikesLate(Runs):
    """Everything else that runs is cancelled with it, as late."""

    def cancel(self, row: dict[str, Any] | None) -> Answer:
        told = super().cancel(row)
        if told[0] == self.success:
            for other in self.rows.values():
                other["at"] = other["at"] or (row or other)["at"]
        return told


class Shown(Keys):
    """A key that was revoked is there as before."""

    def look(self, row: dict[str, Any] | None) -> Answer:
        return super().look(row and {**row, "at": None})


class Deleted(Keys):
    """A key that was revoked is there, marked so."""

    def look(self, row: dict[str, Any] | None) -> Answer:
        status, entity = super().look(row and {**row, "at": None})
        return status, {**entity, "revoked": True}


class DeletesAll(Keys):
    def cancel(self, row: dict[str, Any] | None) -> Answer:
        told = super().cancel(row)
        for other in self.rows.values() if told[0] == self.success else ():
            other["at"] = other["at"] or time.monotonic()
        return told


class ForbiddenYetDeleted(Keys):
    def answer(self, method: str, target: str, fields: dict[str, str], body: bytes) -> Answer:
        told = super().answer(method, target, fields, body)
        if told[0] == 401 and (row := self.rows.get(target.split("/")[-1])):
            self.cancel(row)
        return told


class ComesBack(Keys):
    """A second call brings a key back, though it is refused."""

    def cancel(self, row: dict[str, Any] | None) -> Answer:
        again = row is not None and row["at"] is not None
        told = super().cancel(row)
        if row is not None and again:
            row["at"] = None
        return told


class Rises(Keys):
    """A call on a key that was gone long ago brings it to be."""

    def cancel(self, row: dict[str, Any] | None) -> Answer:
        told = super().cancel(row)
        if row is not None and row["state"] == "gone":
            row["state"] = "active"
        return told


@pytest.mark.parametrize(
    ("kind", "clauses"),
    [
        (NeverEnds, {"WR-1"}),
        (TooLate, {"WR-1"}),
        (Back, {"WR-1"}),
        (EndsOtherwise, {"WR-1"}),
        (OneOfTwo, {"WR-1"}),
        (OtherOfTwo, {"WR-1"}),
        (LeavesAnother, {"WR-1"}),
        (StillBillable, {"WR-1"}),
        (LosesTheBranch, {"WR-1"}),
        (SecondReopens, {"WR-5"}),
        (StrikesLate, {"WR-1"}),
        (Shown, {"AK-1"}),
        (Deleted, {"AK-1"}),
        (DeletesAll, {"AK-1"}),
        (ForbiddenYetDeleted, {"AK-4"}),
        (ComesBack, {"AK-3"}),
        (Rises, {"AK-2"}),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_a_server_that_does_not_is_found_out(kind: type[Service], clauses: set[str]) -> None:
    result = run(kind())
    assert clauses <= violated(result), words(result)


@pytest.mark.parametrize(
    ("kind", "clause"),
    [(SecondReopens, "WR-5"), (StrikesLate, "WR-1"), (LosesTheBranch, "WR-1"), (OneOfTwo, "WR-1")],
    ids=lambda value: value.__name__ if isinstance(value, type) else value,
)
def test_an_effect_that_takes_its_time_hides_nothing(kind: type[Runs], clause: str) -> None:
    slow: type[Runs] = type("Slow" + kind.__name__, (kind,), {"takes": 0.4})
    assert clause in violated(run(slow()))


class RefusedYetBegun(Runs):
    """What another method asks for is refused, begins a while after, and goes on for long."""

    def answer(self, method: str, target: str, fields: dict[str, str], body: bytes) -> Answer:
        told = super().answer(method, target, fields, body)
        row = self.rows.get(target.split("/")[-2])
        # Nothing follows a DELETE on what it names: no other refused call could have done it.
        if told[0] == 405 and method == "DELETE" and row is not None:
            row["begins"] = time.monotonic() + 0.2
        return told

    def phase(self, row: dict[str, Any]) -> str:
        if row["at"] is None and time.monotonic() >= row.get("begins", math.inf):
            return "cancelling"
        return super().phase(row)


class MovesOnLate(Runs):
    """A queued run is a running one when it is looked at for the third time."""

    def entity(self, row: dict[str, Any], phase: str) -> dict[str, Any]:
        seen = row["seen"] = row.get("seen", 0) + 1
        return super().entity(row, "running" if phase == "queued" and seen > 2 else phase)


def test_what_can_be_cancelled_is_not_taken_for_a_cancel_under_way() -> None:
    """A page may have the states of before show for a while."""
    lifecycle = replace(RUNS.lifecycle, through=("running", "cancelling"))
    contract = replace(RUNS, lifecycle=lifecycle)
    result = run(MovesOnLate(), contract=contract, sweep_seconds=0.1)
    assert set(words(result).values()) == {"upheld"}, words(result)


def test_what_was_refused_is_not_under_way_in_the_end() -> None:
    assert violated(run(RefusedYetBegun(), sweep_seconds=0.3)) == {"WR-8"}


# --- What is torn down ---------------------------------------------------------------------------


class ForgetsAll(Keys):
    """The handler knows nothing of what it has set up."""

    def tear_down(self, params: dict[str, Any]) -> Answer:
        return 404, self.error


def test_what_was_not_deleted_has_to_be_torn_down() -> None:
    result = run(ForgetsAll())
    told = [text for text in result.faults_of_the_run if "tear-down" in text]
    assert len(told) == len(result.faults_of_the_run) > 0


class Creates(Keys):
    """Keys are made by a call of its own."""

    def answer(self, method: str, target: str, fields: dict[str, str], body: bytes) -> Answer:
        if (method, target) != ("POST", "/v1/keys"):
            return super().answer(method, target, fields, body)
        return self.provide({"action": "setup", "params": {"state": "active"}})


def test_a_delete_leaves_nothing_to_undo(tmp_path: Path) -> None:
    document = document_of(SPECS / "access-key.yaml")
    document["x-provision"] = [
        {
            "state": "active",
            "does": "makes a key",
            "source": {"page": "keys", "section": "create"},
            "create": {"method": "POST", "path": "/keys", "body": {}},
            "undo": {"says": "delete it", "call": "cancel"},
        }
    ]
    path = tmp_path / "access-key.yaml"
    path.write_text(text_of(document), "utf-8")
    contract, service = load(path), Creates()
    with service:
        raw = {
            "identities": service.target()["identities"],
            "contracts": {"access-key": {"provision": {}}},
        }
        target = Target("target.yaml", raw, service.url + "/v1")
        result = verify([contract], target, Options(effect_seconds=0.2), environ={})
    assert result.faults_of_the_run == ()
    assert service.rows
    assert not any(map(service.there, service.rows.values()))
    assert words(result)["AK-1"] == "upheld"
    refused = [x for x in result.results[0].journal.exchanges if x.status == 404]
    assert result.results[0].requests()["provider_states"] < 2 * len(service.rows), refused


# --- What others have recorded -------------------------------------------------------------------


def told(contract: Contract, *rows: tuple[str, int, Any, float]) -> dict[str, str]:
    """Judge calls that somebody else recorded on one resource: method, status, what is shown, when
    (seconds). Return the verdicts that are not open.
    """
    heard = []
    for method, status, shows, started in rows:
        kind: Literal["cancel", "observe"] = "observe" if method == "GET" else "cancel"
        body = b"" if shows is None else json.dumps(shows).encode()
        sent, received = Sent(method, "http://x/keys/k"), Received(status, body=body)
        heard.append(Heard(Route(contract, kind, "k"), sent, received, started, 0.01))
    exchanges, _ = foreign(heard)
    verdicts = judge(contract, Journal(contract.name, Exchanges(exchanges)), contract.clauses)
    return {v.clause.id: v.word for v in verdicts.verdicts if v.word != "not-exercised"}


ACTIVE = {"id": "k", "owner": "ann"}
RUNNING = {"run": {"status": "running", "conclusion": None}}
ON_THE_WAY = {"run": {"status": "cancelling", "conclusion": None}}
ENDED = {
    "run": {"status": "completed", "conclusion": "cancelled", "reason": "by a caller"},
    "billable": False,
}


@pytest.mark.parametrize(
    ("contract", "rows", "violated"),
    [
        (KEYS, [("GET", 200, ACTIVE, 0), ("DELETE", 204, None, 1), ("GET", 404, None, 2)], set()),
        (KEYS, [("GET", 200, ACTIVE, 0), ("DELETE", 204, None, 1), ("GET", 410, None, 9)], set()),
        (KEYS, [("GET", 200, ACTIVE, 0), ("DELETE", 204, None, 1), ("GET", 200, ACTIVE, 9)],
         {"AK-1"}),
        # As soon as that nothing is told by it.
        (KEYS, [("GET", 200, ACTIVE, 0), ("DELETE", 204, None, 1), ("GET", 200, ACTIVE, 2)], set()),
        (RUNS, [("GET", 200, RUNNING, 0), ("POST", 202, None, 1), ("GET", 200, ON_THE_WAY, 1.2),
                ("GET", 200, ENDED, 1.5)], set()),
        (RUNS, [("GET", 200, RUNNING, 0), ("POST", 202, None, 1), ("GET", 200, ON_THE_WAY, 1.2),
                ("POST", 202, None, 1.3), ("GET", 200, ENDED, 5)], set()),
        (RUNS, [("GET", 200, RUNNING, 0), ("POST", 202, None, 1), ("GET", 200, ON_THE_WAY, 1.2),
                ("GET", 200, ON_THE_WAY, 2)], {"WR-1"}),
        (RUNS, [("GET", 200, RUNNING, 0), ("POST", 202, None, 1), ("GET", 200, ON_THE_WAY, 1.2)],
         set()),
    ],
)  # fmt: skip
def test_what_others_recorded_is_judged_by_the_time_that_an_effect_has(
    contract: Contract, rows: list[tuple[str, int, Any, float]], violated: set[str]
) -> None:
    found = told(contract, *rows)
    assert {id_ for id_, word in found.items() if word == "violated"} == violated, found


def test_what_others_recorded_upholds_that_a_key_is_gone() -> None:
    bare = replace(KEYS.clauses[0], expect={"status": 204, "effect": "cancelled"})
    rows = [("GET", 200, ACTIVE, 0.0), ("DELETE", 204, None, 1.0), ("GET", 404, None, 2.0)]
    assert told(replace(KEYS, clauses=(bare,)), *rows) == {"AK-1": "upheld"}
