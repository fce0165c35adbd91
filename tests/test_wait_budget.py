"""One budget for every 429 of a contract's run: of calls, of GETs, of the handler, of create calls.

Nothing here is timed: what is asked to be waited is counted where the waiting is done.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cancel_contracts.cli import main
from cancel_contracts.run.attempt import Stop
from servers.front import Request, Response, Written
from servers.hostile import place_of
from servers.service import Service
from servers.trial import conforming, target_of
from test_provision import Tenant, described

Capture = pytest.CaptureFixture[str]
MAX_WAIT = 3.0
ONLY = ("MA-07", "MA-34", "MA-49")


class Waits:
    """Counts in place of waiting."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds: list[float] = []
        monkeypatch.setattr(Stop, "wait", self._wait)

    def _wait(self, seconds: float) -> bool:
        if seconds == self.asked:  # not the pause between two looks
            self.seconds.append(seconds)
        return False

    asked = 0.75  # a fraction, as the vendor's sample has it, and no other wait's


def throttling(kind: type[Service], *places: str) -> type[Service]:
    class Throttles(kind):  # type: ignore[misc,valid-type]
        """Puts off every other request of some places."""

        turns: dict[str, int]

        def answer(self, request: Request) -> Response:
            place = place_of(request, "cancel")
            turns = self.__dict__.setdefault("turns", {})
            turns[place] = turns.get(place, 0) + 1
            if place in places and turns[place] % 2:
                told = json.dumps({"error": {"code": "TooManyRequests", "message": "Slow down."}})
                media = ("Content-Type", "application/json")
                return Response(429, told.encode(), (media, ("Retry-After", str(Waits.asked))))
            honest: Response = super().answer(request)
            return honest

    return Throttles


ROWS = {
    "GETs": ("look",),
    "the handler": ("setup",),
    "tear-downs": ("teardown",),
    "calls": ("cancel",),
    "all of them": ("look", "setup", "teardown", "cancel"),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", ROWS)
def test_no_run_waits_longer_than_it_may(
    what: str, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = Waits(monkeypatch)
    service = conforming("MA", throttling(Service, *ROWS[what]))
    with Written(service) as front:
        target = target_of(service, front.url)
        raw = {**target.raw, "base_url": target.base_url}
        (tmp_path / "target.yaml").write_text(json.dumps(raw), "utf-8")
        argv = ["verify", "--target", str(tmp_path / "target.yaml"), "--contract", "machine-action"]
        code = main([*argv, "--max-wait", str(MAX_WAIT)])
        service.stopped.set()
    assert sum(waits.seconds) <= MAX_WAIT
    assert sum(waits.seconds) > MAX_WAIT - Waits.asked, "the budget is there to be used"
    assert code in (0, 4), capsys.readouterr().out  # a server that throttles breaks no promise


def test_create_calls_share_the_budget(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = Waits(monkeypatch)
    service = conforming("MA", throttling(Tenant, "create", "look"), starts_in=None, creates=[])
    with Written(service) as front:
        (tmp_path / "target.yaml").write_text(json.dumps(described(service, front.url)), "utf-8")
        argv = ["verify", "--target", str(tmp_path / "target.yaml"), "--contract", "machine-action"]
        code = main([*argv, *(x for id_ in ONLY for x in ("--only", id_)), "--max-wait", "3"])
        service.stopped.set()
    assert 0 < sum(waits.seconds) <= MAX_WAIT
    assert code == 4, capsys.readouterr().out
