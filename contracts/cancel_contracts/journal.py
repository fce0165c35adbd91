"""The journal: the exchanges of one contract in the order they were sent, and what kept others from
being sent.

Append-only. The latest exchanges stand as they are; older ones are packed, so that a run of a
hundred thousand fits into the memory of a small one. No I/O, no knowledge of clauses.
"""

from __future__ import annotations

import pickle
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import overload

from cancel_contracts.exchange import Exchange, Form, Situation
from cancel_contracts.needs import Gap

OPEN = 4096  # exchanges that stand as they are: more than any gate makes
PACK = 64  # exchanges that are packed together, for they resemble each other
UNPACKED = 8  # packs that are kept unpacked: neighbours in time are asked for together


class Exchanges(Sequence[Exchange]):
    """A list of exchanges that can be appended to. Reading a packed one gives an equal copy."""

    def __init__(self, exchanges: Iterable[Exchange] = ()) -> None:
        self._packs: list[bytes] = []
        self._open: list[Exchange] = []
        self._places: dict[int, list[int]] = defaultdict(list)  # by scenario
        self.kinds: Counter[str] = Counter()
        self.drawn: Counter[Form] = Counter()  # bodies and ids that were drawn, by cancel calls
        self._unpack = lru_cache(UNPACKED)(self._read)
        for exchange in exchanges:
            self.append(exchange)

    def append(self, exchange: Exchange) -> None:
        self._places[exchange.scenario].append(len(self))
        self.kinds[exchange.kind] += 1
        if exchange.kind == "cancel":
            self.drawn.update(exchange.situation.drawn)
        self._open.append(exchange)
        if len(self._open) >= OPEN + PACK:
            data = pickle.dumps(self._open[:PACK], pickle.HIGHEST_PROTOCOL)
            self._packs.append(zlib.compress(data, 1))
            del self._open[:PACK]

    def of_scenario(self, number: int) -> list[Exchange]:
        """Return the exchanges of one scenario, in order."""
        return [self[at] for at in self._places.get(number, ())]

    def scenarios(self) -> list[int]:
        """Return the numbers of the scenarios in the order they began."""
        return list(self._places)

    def _read(self, pack: int) -> list[Exchange]:
        found: list[Exchange] = pickle.loads(zlib.decompress(self._packs[pack]))  # noqa: S301 - ours
        return found

    def __len__(self) -> int:
        return len(self._packs) * PACK + len(self._open)

    @overload
    def __getitem__(self, at: int) -> Exchange: ...

    @overload
    def __getitem__(self, at: slice) -> list[Exchange]: ...

    def __getitem__(self, at: int | slice) -> Exchange | list[Exchange]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        if at < 0:
            at += len(self)
        pack, place = divmod(at, PACK)
        if 0 <= pack < len(self._packs):
            return self._unpack(pack)[place]
        if at < 0:
            raise IndexError(at)
        return self._open[at - len(self._packs) * PACK]

    def __iter__(self) -> Iterator[Exchange]:
        for pack in range(len(self._packs)):
            yield from self._unpack(pack)
        yield from self._open


@dataclass
class Journal:
    """What was sent to one contract's routes and what came back.

    `missing` says of a situation what was lacking to bring it about; `stopped` says why
    sending ended early.
    """

    contract: str
    exchanges: Exchanges = field(default_factory=Exchanges)
    missing: dict[Situation, Gap] = field(default_factory=dict)
    broken: dict[Situation, str] = field(default_factory=dict)
    stopped: str | None = None
    single: bool = False  # the target keeps one resource at a time: there is no neighbour
    minted: bool = False  # the identities' claims are known, because the suite signed them
    began: float | None = None  # when the run did, by our clock, in seconds since 1970
    setups: int = 0  # provider-state calls made, tear-down included
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Tell something beside the verdicts, once."""
        if text not in self.notes:
            self.notes.append(text)
