"""The way in: where the route begins, whether two resources stand side by side, and who may make
ordinary calls. Pure: questions on the answers so far, each of which asks for another try.

All are asked only where the first ordinary call was turned away, so that a conforming target that
is described well never meets them.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

from cancel_contracts.exchange import Exchange, Situation
from cancel_contracts.parse import success


@dataclass(frozen=True)
class Way:
    """How ordinary calls are made: what goes before the route, how many resources at a time, and
    who calls where it is not the primary identity.
    """

    prefix: str = ""
    single: bool = False
    caller: str | None = None


@dataclass(frozen=True)
class Told:
    """What the first call was answered that stands (a 429 that was waited out does not), or None,
    and whether a GET had shown the resource before it.
    """

    status: int | None
    seen: bool = False

    @classmethod
    def by(cls, exchanges: Sequence[Exchange], first: Situation) -> Told:
        """Return what the exchanges of a scenario tell, whose first call is `first`."""
        answers = [x for x in exchanges if x.kind == "cancel" and x.situation == first]
        seen = any(x.kind == "observe" and x.status == 200 for x in exchanges[:1])
        stands = answers[-1] if answers and not answers[-1].put_off else None
        return cls(stands.status if stands else None, seen)

    @property
    def absent(self) -> bool:
        return self.status in (404, None)

    @property
    def served(self) -> bool:
        return success(self.status)


@dataclass(frozen=True)
class Options:
    """What may be tried: the path of the vendor's own base URL, one resource in place of two, and
    an identity beside the primary one.
    """

    prefix: str = ""
    single: bool = False
    caller: str | None = None


@dataclass(frozen=True)
class Chosen:
    """The way to go and, where another caller was found, the one on which the primary identity was
    refused.
    """

    way: Way
    refused: Way | None = None


Search = Generator[Way, Told, Chosen]


def search(options: Options) -> Search:
    """Yield the ways to try, be sent what each told, and return the one to go."""
    way = Way()
    told = yield way
    # A mock may serve /beta/... at a base_url given without it: the page's example has the prefix.
    if told.status == 404 and options.prefix:
        other = replace(way, prefix=options.prefix)
        answer = yield other
        if not answer.absent:
            way, told = other, answer
    way, told = yield from _place(way, told, options)
    # A page may document both kinds of token and its later editions one: either reading conforms.
    if told.status in (401, 403) and options.caller:
        other = replace(way, caller=options.caller)
        answer = yield other
        other, answer = yield from _place(other, answer, options)
        if answer.served:
            return Chosen(other, way)
    return Chosen(way)


def _place(way: Way, told: Told, options: Options) -> Generator[Way, Told, tuple[Way, Told]]:
    """Where a resource is not found, see whether it is while no other one was set up after it.

    A handler may put the whole target into a state, and so end what it has set up before. Whether
    it does, or one call failed by chance, is told by trying two once more.
    """
    if told.status != 404 or told.seen or not options.single or way.single:
        return way, told
    other = replace(way, single=True)
    answer = yield other
    if answer.absent:
        return way, told
    again = yield way
    return (other, answer) if again.status == 404 else (way, told)
