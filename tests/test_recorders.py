"""One service, recorded by each recorder as it does: a conforming one is blamed for nothing, and of
one that breaks the contract is seen what the recorder keeps.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from recorders import RECORDERS, Call, Entry, Recorder
from recordings import DEFENDER, GRAPH, error, judge, machine_action, security_action

pytestmark = pytest.mark.slow

OK, AGAIN = '{"Comment": "stop it"}', '{"Comment": "again"}'
RETRY = {"Retry-After": "1"}
BEARER = {"WWW-Authenticate": 'Negotiate, Bearer realm="", error="invalid_token"'}


class Told:
    """The calls of one scenario, on a resource of its own."""

    def __init__(self, number: int) -> None:
        self.id = f"{number:08x}-1111-4111-8111-111111111111"
        self.calls: list[Call] = []
        self.at = number * 100.0

    def look(self, state: str, at: float, comment: str = "stop it", **more: Any) -> None:
        text = json.dumps(machine_action(state, self.id, comment))
        url = f"{DEFENDER}/{self.id}"
        self.calls.append(Call("GET", url, 200, text, at=self.at + at, **more))

    def cancel(
        self, at: float, status: int = 200, sent: str = OK, kept: str = "stop it", **more: Any
    ) -> None:
        body = (
            machine_action("Cancelled", self.id, kept) if status == 200 else error(target=f"t{at}")
        )
        method, text = more.pop("method", "POST"), more.pop("answered", json.dumps(body))
        url = f"{DEFENDER}/{self.id}/cancel"
        self.calls.append(Call(method, url, status, text, sent, at=self.at + at, **more))

    def security(self, method: str, at: float, answered: Any, status: int = 200) -> None:
        url = f"{GRAPH}/{self.id}" + ("" if method == "GET" else "/cancelSecurityAction")
        text = "" if answered is None else json.dumps(answered)
        self.calls.append(Call(method, url, status, text, at=self.at + at))


def success(on: Told) -> None:
    on.look("Pending", 0)
    on.cancel(2)
    on.look("Cancelled", 9)


def refused_first(on: Told) -> None:
    on.look("Pending", 0)
    on.cancel(1, 400, sent="{}")
    on.cancel(1.2, 401, headers=BEARER)
    on.cancel(2)
    on.look("Cancelled", 9)


def preflight(on: Told) -> None:
    on.look("Pending", 0)
    on.cancel(1, 204, method="OPTIONS", sent="", answered="")
    on.cancel(2)
    on.look("Cancelled", 9)


def throttled(on: Told) -> None:
    on.look("Pending", 0)
    on.cancel(1)
    on.cancel(2, 429, headers=RETRY)
    on.cancel(4)
    on.look("Cancelled", 9)


def unavailable(on: Told) -> None:
    on.look("Pending", 0)
    on.cancel(1, 503, headers=RETRY)
    on.cancel(2, 504)
    on.cancel(3)
    on.look("Cancelled", 9)


def broken_off(on: Told) -> None:
    """What broke off has cancelled, with a comment of its own."""
    on.look("Pending", 0)
    on.cancel(1, 0, sent='{"Comment": "first"}', answered="", trouble="net::ERR_ABORTED")
    on.cancel(2, kept="first")
    on.look("Cancelled", 9, "first")


def never_left(on: Told) -> None:
    on.look("Pending", 0)
    on.cancel(1, 0, answered="", trouble="net::ERR_INTERNET_DISCONNECTED")
    on.cancel(2)
    on.look("Cancelled", 9)


def second_refused(on: Told) -> None:
    on.look("Pending", 0)
    on.cancel(2)
    on.look("Cancelled", 9)
    on.cancel(12, 400)
    on.look("Cancelled", 19)


def second_served(on: Told) -> None:
    on.look("Pending", 0)
    on.cancel(2)
    on.look("Cancelled", 9)
    on.cancel(12, sent=AGAIN)
    on.look("Cancelled", 19)


def at_once(on: Told) -> None:
    """Two at once, the later one done first; then one that is refused, for whatever reason."""
    on.look("Pending", 0)
    on.cancel(2, seconds=0.9, kept="again", headers={"request-id": "1"})
    on.cancel(2.1, seconds=0.9, sent=AGAIN, kept="again", headers={"request-id": "2"})
    on.look("Cancelled", 9, "again")
    on.cancel(12, 400, sent="{}")
    on.look("Cancelled", 19, "again")


def early(on: Told) -> None:
    on.look("Pending", 0)
    on.cancel(2)
    on.look("Pending", 2.5)


def ended(on: Told) -> None:
    on.look("Succeeded", 0)
    on.cancel(2, 400)
    on.look("Succeeded", 9)


def without_a_body(on: Told) -> None:
    on.security("GET", 0, security_action("Running", on.id))
    on.security("POST", 2, None)
    on.security("GET", 9, security_action("Cancelled", on.id))


CONFORMING = [
    success, refused_first, preflight, throttled, unavailable, broken_off, never_left,
    second_refused, second_served, at_once, early, ended, without_a_body,
]  # fmt: skip


def recorded(recorder: Recorder, scenarios: Sequence[Any]) -> list[Entry]:
    found = []
    for number, scenario in enumerate(scenarios):
        told = Told(number)
        scenario(told)
        found += [recorder(call) for call in told.calls]
    return found


@pytest.mark.parametrize("recorder", RECORDERS, ids=lambda x: x.__name__)
def test_a_conforming_service_is_blamed_for_nothing(recorder: Recorder, tmp_path: Path) -> None:
    keeps = RECORDERS[recorder]
    found = judge(tmp_path, recorded(recorder, CONFORMING))
    assert found.violated == []
    assert found.exit_code == 4
    assert "MA-48" in found.upheld
    assert ("MA-30" in found.upheld) is keeps.bodies
    assert ("MA-33" in found.upheld) is (keeps.bodies and keeps.order)


def test_each_scenario_is_judged_by_itself(tmp_path: Path) -> None:
    for scenario in CONFORMING:
        assert judge(tmp_path, recorded(next(iter(RECORDERS)), [scenario])).violated == []


def from_a_cache(on: Told) -> None:
    """The cache shows what was; the action has been cancelled since."""
    on.look("Pending", 0)
    on.cancel(2)
    on.look("Pending", 20, cached=True)


@pytest.mark.parametrize("name", ["chrome", "chrome_har", "firefox", "safari"])
def test_a_browser_that_looked_into_its_cache_has_seen_nothing(name: str, tmp_path: Path) -> None:
    recorder = next(r for r in RECORDERS if r.__name__ == name)
    found = judge(tmp_path, recorded(recorder, [from_a_cache]))
    assert found.violated == []
    assert "1 answered from a cache" in found.told


def answers_500(on: Told) -> None:
    on.look("Pending", 0)
    on.cancel(2, 500)


def answers_202(on: Told) -> None:
    on.look("Pending", 0)
    on.cancel(2, 202)


def has_no_effect(on: Told) -> None:
    on.look("Pending", 0)
    on.cancel(2)
    on.look("Pending", 30)


def no_challenge(on: Told) -> None:
    on.look("Pending", 0)
    on.cancel(2, 401)


def a_body_where_none_belongs(on: Told) -> None:
    on.security("POST", 2, {"value": "x" * 20})


# what is wrong -> the clause that says so, and what of the recording it takes to see it
WRONG: dict[Any, tuple[str, str]] = {
    answers_500: ("MA-48", ""),
    answers_202: ("MA-29", ""),
    has_no_effect: ("MA-33", "bodies order"),
    no_challenge: ("MA-50", "headers"),
    a_body_where_none_belongs: ("SA-18", "bodies"),
}


@pytest.mark.parametrize("recorder", RECORDERS, ids=lambda x: x.__name__)
def test_what_breaks_the_contract_is_seen_where_it_is_recorded(
    recorder: Recorder, tmp_path: Path
) -> None:
    keeps = RECORDERS[recorder]
    found = judge(tmp_path, recorded(recorder, list(WRONG)))
    for clause, needs in WRONG.values():
        seen = all(getattr(keeps, need) for need in needs.split())
        assert (clause in found.violated) is seen, clause
