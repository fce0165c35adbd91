"""How many scenarios go at a time: measured, grown and shrunk, and one where a target asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest
from cancel_contracts.run import pool as rooms
from cancel_contracts.run.attempt import Stop
from cancel_contracts.run.pool import MOST, Pool
from cancel_contracts.run.wait_budget import WaitBudget

SECONDS = 10.0  # more than any of it takes


class Crowd:
    """Work that counts how much of it goes on at once, and can be held back."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self.go = threading.Event()
        self._lock = threading.Lock()
        self.come = threading.Semaphore(0)

    def work(self, item: int) -> int:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.come.release()
        assert self.go.wait(SECONDS)
        with self._lock:
            self.now -= 1
        return item * item


def run(pool: Pool, crowd: Crowd, items: Sequence[int], most: int) -> tuple[list[int], int]:
    """Return what came of the items, and how many were under way once no more began."""
    made: list[int] = []
    thread = threading.Thread(target=lambda: made.extend(pool.map(crowd.work, items, most)))
    thread.start()
    assert crowd.come.acquire(timeout=SECONDS)
    while crowd.come.acquire(timeout=0.2):
        pass
    under_way = crowd.now
    crowd.go.set()
    thread.join(SECONDS)
    return made, under_way


@pytest.mark.parametrize(
    ("seconds", "worth"),
    [(0.0005, 1), (0.002, 1), (0.014, 1), (0.016, 2), (0.04, 5), (0.12, MOST), (3.0, MOST)],
)
def test_the_longer_the_way_the_more_scenarios(seconds: float, worth: int) -> None:
    pool = Pool()
    assert pool.measured(seconds) == worth
    assert (pool.most, pool.wide) == (worth, worth > 1)


@pytest.mark.parametrize(
    ("seconds", "doubt"),
    [
        ([0.1] * 3, True),
        ([0.1] * 4, False),
        ([0.02] * 19, True),
        ([0.02] * 20, False),
        ([0.1, 0.1, 0.1, 0.02], True),
        ([0.1, 0.001], False),
        ([], False),
    ],
)
def test_a_busy_machine_is_not_taken_for_a_long_way(seconds: list[float], doubt: bool) -> None:
    assert rooms.in_doubt(seconds) is doubt


@pytest.mark.parametrize("seconds", [0.0005, 0.12])
@pytest.mark.parametrize("jobs", [1, 3])
def test_jobs_are_fixed_whatever_is_measured(seconds: float, jobs: int) -> None:
    pool = Pool(jobs)
    assert pool.measured(seconds) == jobs
    for _ in range(99):
        pool.heard(1.0)
    assert run(pool, Crowd(), range(9), 9) == ([n * n for n in range(9)], jobs)


def test_what_comes_of_it_has_the_order_of_the_items_and_no_more_go_than_may() -> None:
    pool = Pool(5)
    assert run(pool, Crowd(), range(12), 3) == ([n * n for n in range(12)], 3)
    assert run(pool, Crowd(), range(2), 3) == ([0, 1], 2)
    assert list(pool.map(str, [], 3)) == []


def test_one_at_a_time_is_done_when_it_is_asked_for() -> None:
    began: list[int] = []
    made = Pool(4).map(lambda n: began.append(n) or n, [1, 2, 3], 1)  # type: ignore[func-returns-value]
    assert began == []
    assert (next(made), began) == (1, [1])


def test_the_room_grows_while_calls_take_what_they_took_alone() -> None:
    pool = Pool()
    pool.measured(0.12)
    rooms_seen = []
    for _ in range(80):
        pool.heard(1.1)
        rooms_seen.append(pool._room)
    assert sorted(set(rooms_seen)) == [2, 4, 8, 16]
    assert rooms_seen == sorted(rooms_seen)


@pytest.mark.parametrize(("ratio", "room"), [(1.5, 4), (1.9, 1), (16.0, 1)])
def test_the_room_shrinks_where_a_target_gets_slower_for_it(ratio: float, room: int) -> None:
    pool = Pool()
    pool.measured(0.12)
    for _ in range(4):
        pool.heard(1.0)
    assert pool._room == 4
    for _ in range(99):
        pool.heard(ratio)
    assert pool._room == room


def test_one_quick_call_in_a_window_tells_that_the_others_are_slow_by_themselves() -> None:
    pool = Pool()
    pool.measured(0.12)
    for ratio in [5.0, 5.0, 5.0, 1.0] * 20:
        pool.heard(ratio)
    assert pool._room == MOST


@pytest.mark.parametrize("jobs", [None, 6])
def test_who_is_put_off_waits_for_the_others_and_is_alone_from_then_on(jobs: int | None) -> None:
    pool, stop = Pool(jobs), Stop()
    pool.measured(1.0)
    for _ in range(99):
        pool.heard(1.0)
    patience = WaitBudget(5.0, stop, pool.alone)
    lock, now, seen = threading.Lock(), [0], dict[int, int]()
    entered = threading.Barrier(4)

    def work(item: int) -> None:
        with lock:
            now[0] += 1
        if item < 4:
            entered.wait(SECONDS)  # four are under way, and each is put off
            with lock:
                now[0] -= 1
            assert patience.wait(0.01)
            with lock:
                now[0] += 1
        seen[item] = now[0]
        time.sleep(0.01)
        assert now[0] == 1
        with lock:
            now[0] -= 1

    list(pool.map(work, range(8), 4))
    assert seen == dict.fromkeys(range(8), 1)
    assert not pool.wide
    assert pool.measured(1.0) == (jobs or MOST)
    assert not pool.wide, "it stays so, also for the next contract"


def test_what_was_waited_for_the_others_is_waited_already() -> None:
    waited: list[float] = []

    class Ticks(Stop):
        def wait(self, seconds: float) -> bool:
            waited.append(seconds)
            return False

    patience = WaitBudget(6.0, Ticks(), lambda: 2.0)
    assert patience.wait(5.0)
    assert patience.wait(1.0), "the other waits have taken longer than was asked"
    assert not patience.wait(3.5)
    assert waited == [3.0, 0.0]


def test_within_the_pool_nothing_is_entered_again() -> None:
    pool = Pool(1)
    assert list(pool.map(lambda n: list(pool.map(abs, [-n], 4)), [1, 2], 1)) == [[1], [2]]


def test_outside_of_the_pool_nobody_is_waited_for() -> None:
    pool = Pool(3)
    assert pool.alone() == 0.0
    assert pool.wide
    assert rooms.MOST >= 2, "a race is two requests"


def test_who_asks_again_and_again_to_be_alone_lets_those_go_first_that_stepped_aside() -> None:
    """One that steps aside within its work holds what it has: another may wait for just that."""
    pool, held, tries = Pool(jobs=2), threading.Event(), [0]
    both = threading.Barrier(2)

    def holds(_: int) -> None:
        held.set()
        both.wait(SECONDS)  # both are within
        both.wait(SECONDS)  # and one at a time is to go on
        pool.give_way()
        held.clear()

    def waits(_: int) -> None:
        both.wait(SECONDS)
        pool.narrow()
        both.wait(SECONDS)
        time.sleep(0.1)  # by then the other has stepped aside
        while held.is_set() and tries[0] < 1000:
            tries[0] += 1
            pool.alone()

    works = (holds, waits)
    assert list(pool.map(lambda n: works[n](n), [0, 1], 2)) == [None, None]
    assert tries[0] < 1000
    assert not held.is_set()
