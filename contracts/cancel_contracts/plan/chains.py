"""Chains: calls that one resource serves one after the other, with a look between each.

Calls that are to be refused leave a resource as it is, so several stand before the one that may
cancel it: what a refusal leaves behind shows, and fewer set-ups and looks are needed. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import product

from cancel_contracts.contract.compose import Composition
from cancel_contracts.exchange import Situation

FEW = 6  # refusals that none of is kept apart where others are
TOGETHER = 3  # refusals before one call that is served, where there are as many
LONGEST = 12  # calls on one resource: what goes wrong in one should not reach many
BEYOND_ASCII = "\\u"  # in a text as JSON
Chain = tuple[Situation, ...]


def chains(
    composition: Composition, calls: Iterable[Situation], seconds: Sequence[Situation] = ()
) -> list[Chain]:
    """Return the calls in chains, in the order of their last. `seconds` follow a call that served
    their like, one each; one that finds none follows an ordinary call of its own.
    """
    found: list[Chain] = []
    lots: dict[tuple[str | None, str | None], list[Situation]] = {}
    for call in calls:
        if call.resource == "odd" or "{neighbour}" in call.body.text:
            found.append((call,))
        else:
            # An id of nothing is nobody's.
            lots.setdefault((call.state, call.owner if call.state else None), []).append(call)
    left = list(seconds)
    for at, second in enumerate(seconds):
        lot = lots.setdefault((second.state, second.owner), [])
        first = replace(second, call="first")
        alike = sum(follows(composition, other, first) for other in seconds[: at + 1])
        if follows(composition, second, first) and sum(map(composition.served, lot)) < alike:
            lot.append(first)
    refusals = [sum(map(composition.refused, lot)) for lot in lots.values()]
    few, turn = FEW if max(refusals, default=0) > FEW else 0, 0
    for lot, many in zip(lots.values(), refusals, strict=True):
        found += _lot(composition, lot, left, few, turn, quoted=any(map(_quoted, found)))
        turn += many > FEW
    found += [(replace(second, call="first"), second) for second in left]
    return found


def _lot(
    composition: Composition,
    calls: Sequence[Situation],
    seconds: list[Situation],
    few: int,
    turn: int,
    *,
    quoted: bool,
) -> list[Chain]:
    """Return the chains of calls on resources in one state and of one owner.

    Half of what is to be refused stands before what is served, several one after the other: what
    refusals leave behind shows there. The other half stands alone: what a refusal does later shows
    there. Up to `few` all stand before. The first of several that are served meets its resource as
    it was made. `quoted`: another lot has a second call after a text beyond ASCII.
    """
    staying = [call for call in calls if _stays(composition, call)]
    ends = [call for call in calls if call not in staying]
    # What a second call is refused with may quote what the first has left: octets beyond ASCII.
    beyond = "" if quoted else BEYOND_ASCII
    ends.sort(key=lambda call: (not composition.served(call), beyond not in call.body.text))
    before, alone = _halves(composition, staying, turn)
    if not ends or sum(map(len, (before, alone))) <= few:
        both = sorted((*before, *alone), key=lambda call: _rank(composition, call))
        before, alone = (both, []) if ends else ([], both)
    dealt = _dealt(composition, before, ends)
    then: dict[int, Situation] = {}
    # One that meets its resource as it was made is followed by none, where others are. What is
    # quoted may be beyond ASCII; and what one has cancelled somebody else rather cancels again.
    places = sorted(range(len(ends)), key=lambda place: not dealt[place])
    for plain, anybody, place in product((False, True), (False, True), places):
        end, fits = ends[place], (s for s in seconds if follows(composition, s, ends[place]))
        second = next((s for s in fits if anybody or s.identity != end.identity), None)
        if second is not None and place not in then and (plain or beyond in end.body.text):
            seconds.remove(second)
            then[place] = second
    found: list[Chain] = []
    for place, (own, end) in enumerate(zip(dealt, ends, strict=True)):
        alone = [*own[LONGEST - 2 :], *alone]
        after = [then[place]] if place in then else []
        found.append((*own[: LONGEST - 2], end, *after))
    found = _amiss_first(composition, found)
    return found + [tuple(alone[at : at + LONGEST]) for at in range(0, len(alone), LONGEST)]


def _quoted(row: Chain) -> bool:
    """Whether a second call follows a text beyond ASCII, which what it is told may quote."""
    return row[-1].call == "second" and BEYOND_ASCII in row[-2].body.text


def _stays(composition: Composition, call: Situation) -> bool:
    """Whether what is called for stays as it is: the call is refused, or that has ended."""
    ended = call.resource == "final" and composition.standing(call, "resource").lasts
    return ended or composition.refused(call)


def _amiss_first(composition: Composition, rows: list[Chain]) -> list[Chain]:
    """Return the rows with every other call that an owner asks amiss, as far as pages leave open
    whether it is served, before one that serves the same owner: what a server keeps of what it
    refused shows there. Where it is performed, the run has another resource for the next.
    """
    host = next((row for row in rows if any(_of_owner(composition, c, True) for c in row)), None)
    if host is None:
        return rows
    amiss = [row for row in rows if len(row) == 1 and _of_owner(composition, row[0], False)][1::2]
    amiss = amiss[: LONGEST - len(host)]
    at = next(at for at, call in enumerate(host) if _of_owner(composition, call, True))
    joined = (*host[:at], *(row[0] for row in amiss), *host[at:])
    return [joined if row == host else row for row in rows if row not in amiss]


def _of_owner(composition: Composition, call: Situation, served: bool) -> bool:
    """Whether an owner's own call is served, or else neither that nor to be refused."""
    if not call.by_owner or composition.standing(call, "caller").kind != "neutral":
        return False
    return composition.served(call) == served and not composition.refused(call)


def _dealt(
    composition: Composition, before: Sequence[Situation], ends: Sequence[Situation]
) -> list[list[Situation]]:
    """Return the refusals that stand before each of the calls that may cancel: up to TOGETHER
    before each that is served, of callers who are known first, the rest before what is open.
    """
    served = sum(map(composition.served, ends))
    # One alone in its state is met as it was made, where the ordinary call does not show that.
    shown = any(end.owner or end.state == composition.ordinary.state for end in ends[:1])
    first = int(len(ends) > 1 and not (served == 1 and shown))
    others = range(served or first, len(ends))
    rows = range(first, min(served, first + -(-len(before) // TOGETHER)))
    of = [[call for call in before if _rank(composition, call) == rank] for rank in range(3)]
    most = len(rows)
    before = [*of[0][:most], *of[1][: 2 * most], *of[0][most:], *of[1][2 * most :], *of[2]]
    found: list[list[Situation]] = [[] for _ in ends]
    together = TOGETHER * most if others else len(before)
    for calls, places in ((before[:together], rows), (before[together:], others)):
        for at, call in enumerate(calls):
            found[places[at % len(places)]].append(call)
    return found


def _halves(
    composition: Composition, refused: Sequence[Situation], turn: int
) -> tuple[list[Situation], list[Situation]]:
    """Deal refusals out to two halves, each kind to both, in turn; what is asked amiss first to the
    second. Of callers who are known two together: a server may count them.
    """
    halves: tuple[list[Situation], list[Situation]] = ([], [])
    for rank, size in ((0, 1), (1, 2), (2, 1)):
        row = [call for call in refused if _rank(composition, call) == rank]
        for place, at in enumerate(range(0, len(row), size), turn + (rank == 0)):
            halves[place % 2].extend(row[at : at + size])
    return halves


def _rank(composition: Composition, call: Situation) -> int:
    """Order refusals: of what somebody asks who may, of who may not, of who is not known. What a
    server keeps of somebody's call, or of having asked who may, it keeps for those that follow.
    """
    standing = composition.standing(call, "caller")
    if standing.kind != "refused":
        return 0
    return 1 if 403 in standing.statuses else 2


def follows(composition: Composition, second: Situation, call: Situation) -> bool:
    """Whether a second call follows from a call: one on the same state that is served."""
    same = (call.state, call.owner) == (second.state, second.owner)
    return same and composition.served(call)
