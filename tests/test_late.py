"""What is done late is told where no page names the state after a cancel, too."""

from __future__ import annotations

from typing import Any

import pytest
from cancel_contracts.contract.model import Contract
from cancel_contracts.exchange import Exchange
from cancel_contracts.journal import Exchanges
from cancel_contracts.judge.late import Ends, ends
from cancel_contracts.sight.observation import Observation
from cancel_contracts.sight.sight import Sight
from servers.entities import Resource
from servers.joint_entity import QueuedBeforeItIsRefused
from servers.service import Service
from servers.trial import conforming, judge
from test_sight import ANY_CHANGE, NAMED, Step, entity, feed

FIRST, LAST = ANY_CHANGE.lifecycle.cancellable
CANCELLED, OTHER = ANY_CHANGE.lifecycle.final[-1], ANY_CHANGE.lifecycle.final[0]


def seen(
    *rows: tuple[str, int, str], contract: Contract = ANY_CHANGE, **more: Any
) -> tuple[Ends, list[tuple[Observation, Observation]]]:
    """Return what shows at the end of a run, and the first and the last look of each resource: of
    rows of a state, the answer to a call and the state in the end.
    """
    exchanges = Exchanges()
    sight = Sight(contract, exchanges)
    calls: list[Exchange] = []
    for number, (state, status, end) in enumerate(rows, 1):
        at = contract.lifecycle.shows[0]
        start, done = entity(contract, **{at: state}), entity(contract, **{at: end}, **more)
        after = done if status < 300 else start
        steps: list[Step] = [
            ("look", start, number), ("call", status, number + 0.1), ("look", after, number + 0.2)
        ]  # fmt: skip
        call = feed(sight, exchanges, number, f"r{number}", steps)
        assert call is not None
        calls.append(call)
        feed(sight, exchanges, number, f"r{number}", [("look", done, 90 + number)], position=2)
    shown = [(sight.scene(call.scenario).looks["target"]) for call in calls]
    return ends(contract.lifecycle, exchanges, sight), [(row[0], row[-1]) for row in shown]


OLDER, DONE = (FIRST, 403, FIRST), (FIRST, 204, CANCELLED)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([OLDER, DONE, (FIRST, 403, CANCELLED)], True),
        ([OLDER, (LAST, 204, CANCELLED), (FIRST, 401, CANCELLED)], True),
        # One in its state may be younger, where an older one stands in another.
        ([(LAST, 403, LAST), DONE, (FIRST, 403, CANCELLED), OLDER], True),
        # It came to an end that is none of a cancel, or moved on to what can be cancelled.
        ([OLDER, DONE, (FIRST, 403, OTHER)], False),
        ([OLDER, DONE, (FIRST, 403, LAST)], False),
        # All come to that end: those that stood longer first, or all in that state.
        ([DONE, (FIRST, 403, CANCELLED), OLDER], False),
        ([(LAST, 403, LAST), DONE, (FIRST, 403, CANCELLED)], False),
        # Nothing tells what a cancel leads to.
        ([OLDER, (FIRST, 403, CANCELLED)], False),
        ([OLDER, (FIRST, 204, FIRST), (FIRST, 403, CANCELLED)], False),
    ],
)
def test_what_shows_a_cancel_in_the_end_while_older_ones_stand_was_cancelled(
    rows: list[tuple[str, int, str]], told: bool
) -> None:
    found, looks = seen(*rows)
    place = next(n for n, row in enumerate(rows) if row[0] != row[2] and row[1] > 300)
    assert found.done(*looks[place]) is told
    others = [look for n, look in enumerate(looks) if rows[n][0] == rows[n][2]]
    assert not any(found.done(*look) for look in others), "it stands"


def test_where_a_page_names_the_state_it_alone_tells() -> None:
    life = NAMED.lifecycle
    state, after = life.cancellable[0], life.after[0]
    rows = [(state, 403, state), (state, 200, after), (state, 403, after)]
    found, looks = seen(*rows, contract=NAMED)
    assert not found.cancelled
    assert not found.done(*looks[-1])


@pytest.mark.parametrize(
    ("before", "after", "fewer"),
    [
        ([{"s": 1}, {"s": 2}], [{"s": 1}], ["states"]),
        ([{"s": 1}], None, ["states"]),
        ([{"s": 1}], [{"s": 1}, {"s": 2}], []),
        ([{"s": 1}], [{"s": 3}], []),
        ([], None, []),
        (None, [{"s": 1}], []),
    ],
)
def test_a_list_that_is_shorter_in_the_end_does_not_last(
    before: Any, after: Any, fewer: list[str]
) -> None:
    exchanges = Exchanges()
    sight = Sight(ANY_CHANGE, exchanges)
    at = ANY_CHANGE.lifecycle.shows[0]
    done = {at: CANCELLED, "states": before, "views": [1, 2]}
    steps: list[Step] = [("look", entity(ANY_CHANGE), 1), ("call", 204, 2), ("look", done, 3)]
    call = feed(sight, exchanges, 1, "r1", steps)
    assert call is not None
    end: Step = ("look", done | {"states": after, "views": [1]}, 9)
    feed(sight, exchanges, 1, "r1", [end], position=2)
    assert sight.effect(call)[0] == "cancelled"
    assert sight.shortened(call) == fewer
    assert (sight.lost(call) is not None) == bool(fewer)


class EndsInTurn(Service):
    """What can be cancelled comes to its end by itself, what has stood longest first, and shows then
    what a cancel leads to.
    """

    standing = 8  # of the youngest

    def entity(self, resource: Resource) -> dict[str, Any]:
        found = super().entity(resource)
        young = [*self.resources.values()][-self.standing :]
        if resource not in young and self.cancellable(resource.state):
            found["status"] = self.page.cancelled
        return found


@pytest.mark.slow
def test_what_comes_to_its_end_by_itself_was_not_cancelled() -> None:
    only = ("SA-03", "SA-04", "SA-05", "SA-10", "SA-12", "SA-150")
    soon = {"effect_seconds": 0.3, "sweep_seconds": 0.1}
    outcome = judge(conforming("SA", EndsInTurn), only=only, options=soon)
    assert outcome.exit_code == 0, str(outcome)
    service = conforming("SA", QueuedBeforeItIsRefused, code=403, seconds=0.6)
    outcome = judge(service, only=only, options=soon | {"sweep_seconds": 1.2})
    assert {"SA-10", "SA-150"} <= set(outcome.violated), str(outcome)
