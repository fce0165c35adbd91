"""Effects that take their time, states of several values, resources that are gone: independent
servers that keep the specs of tests/cases/specs, some in odd ways, and some that do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cancel_contracts import gate
from cancel_contracts.assignment import Options
from cancel_contracts.contract.load import load
from cancel_contracts.exchange import Exchange, Received, Sent, Situation
from cancel_contracts.journal import Exchanges, Journal
from cancel_contracts.judge.judge import judge
from cancel_contracts.replay import judge_recording, write_recording
from cancel_contracts.targets.file import Target
from cancel_contracts.verify import Result, verify
from servers.timed import Answer, Keys, Runs, Service

SPECS = Path(__file__).parent / "cases" / "specs"
RUNS, KEYS = load(SPECS / "workflow-run.yaml"), load(SPECS / "access-key.yaml")


def run(service: Service, excused: Mapping[str, str] | None = None, **options: Any) -> Result:
    contract = RUNS if service.collection == Runs.collection else KEYS
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
