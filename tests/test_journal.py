"""The journal: what is old is packed, and reads as what was put in."""

from __future__ import annotations

import os
import tracemalloc
import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest
from cancel_contracts.assignment import Options
from cancel_contracts.builtin import mock_target
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.exchange import Exchange
from cancel_contracts.journal import OPEN, PACK, Exchanges, Journal
from cancel_contracts.judge.judge import Judge, Judgement
from cancel_contracts.verify import verify

pytestmark = pytest.mark.slow

CONTRACT = load(shipped()[1])
GROWTH_BYTES = 2000  # an exchange: 100,000 of them within 200 MiB
COUNT = int(os.environ.get("JOURNAL_EXCHANGES", "700"))


@pytest.fixture(scope="module")
def made() -> list[Exchange]:
    """The exchanges of a gate on the mock."""
    with mock_target([CONTRACT]) as target:
        return list(verify([CONTRACT], target, Options()).results[0].journal.exchanges)


def again(made: list[Exchange], count: int) -> Iterator[Exchange]:
    """Return so many exchanges: the same scenarios on other resources, one round after another."""
    span = max(x.scenario for x in made) + 1
    for number in range(count):
        round_, place = divmod(number, len(made))
        x = made[place]
        new = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{round_}{x.resource}"))
        sent = replace(x.sent, url=x.sent.url.replace(x.resource, new))
        received = x.received and replace(
            x.received,
            body=x.received.body.replace(x.resource.encode(), new.encode()),
            wire=x.received.wire.replace(x.resource.encode(), new.encode()),
        )
        yield replace(
            x, scenario=x.scenario + round_ * span, started=x.started + round_ * 100.0,
            resource=new, sent=sent, received=received,
        )  # fmt: skip


def test_what_is_packed_reads_as_it_was(made: list[Exchange]) -> None:
    count = OPEN + 3 * PACK + 5
    plain = list(again(made, count))
    kept = Exchanges(plain)
    assert len(kept) == count
    assert list(kept) == plain
    assert kept[0] == plain[0]
    assert kept[-1] == plain[-1]
    assert kept[PACK - 1 : PACK + 2] == plain[PACK - 1 : PACK + 2]
    for number in (plain[0].scenario, plain[-1].scenario):
        assert kept.of_scenario(number) == [x for x in plain if x.scenario == number]
    assert kept.kinds.total() == count
    with pytest.raises(IndexError):
        kept[count]
    with pytest.raises(IndexError):
        kept[-count - 1]


def told(judgement: Judgement) -> dict[str, tuple[str, int, int]]:
    return {v.clause.id: (v.word, v.exercised, v.deviations) for v in judgement.verdicts}


def test_a_long_journal_is_judged_like_a_short_one_in_little_memory(made: list[Exchange]) -> None:
    clauses = [c for c in CONTRACT.clauses if "distinct" not in c.expect]  # here all are repeated
    judge = Judge(CONTRACT, clauses)
    short = judge.judge(Journal(CONTRACT.name, Exchanges(made), minted=True))
    rounds = max(2, COUNT // len(made))
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        long = Journal(CONTRACT.name, Exchanges(again(made, rounds * len(made))), minted=True)
        after = judge.judge(long)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    once = told(short)
    for id_, (word, exercised, deviations) in told(after).items():
        assert (word, exercised, deviations) == (
            once[id_][0], once[id_][1] * rounds, once[id_][2] * rounds,
        )  # fmt: skip
    assert (peak - before) / len(long.exchanges) < GROWTH_BYTES + OPEN * 8000 / max(3000, COUNT)
