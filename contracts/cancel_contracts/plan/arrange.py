"""Arrange: which scenarios the calls of a plan are made in. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from cancel_contracts.contract.compose import Composition, with_value
from cancel_contracts.contract.credentials import ANYBODY, IDENTITIES, needs_token
from cancel_contracts.contract.extras import leaves_out_id
from cancel_contracts.exchange import Situation
from cancel_contracts.plan.beside import everywhere, neighbours
from cancel_contracts.plan.chains import Chain, chains, follows
from cancel_contracts.plan.cover import Cover
from cancel_contracts.plan.kept import (
    deepest_first,
    followed,
    kept_rows,
    odd_ones,
    of_one_connection,
    on_one,
    refused_and_served,
    strangers_of,
)
from cancel_contracts.plan.steps import Scenario, in_a_row, on_one_connection


def arranged(
    composition: Composition,
    found: Cover,
    seconds: Sequence[Situation],
    kept: Sequence[Situation],
    near: Sequence[Situation],
    *,
    deep: bool = False,
    thirds: int = 0,
) -> list[Scenario]:
    """Return the scenarios of calls, the ordinary one first: it finds the way in. In `deep` others
    stand beside more of them. So many second calls are made once more, as `thirds`.
    """
    ordinary = composition.ordinary
    act = ordinary.method
    others = [call for call in found.calls if call.call != "reused"]
    pairs: list[Scenario] = []
    for call in found.calls:
        if call.call == "reused":
            # Whatever is served may be what the connection carried before.
            served = (s for s in others if composition.served(s) and s != ordinary)
            # There nothing stands beside a resource: what alone shows that stays where it is.
            anybodys = [s for s in served if s.owner is None]
            often = Counter(s.state for s in anybodys)  # in a state where others are served as well
            left = [s for s in anybodys if not _alone(composition, s, others, near)]
            left.sort(key=lambda s: -often[s.state])
            first = next((s for s in left if not _followed(composition, s, others, seconds)), None)
            if first is not None:
                others.remove(first)
            first = first or replace(call, call="first")
            if call.owner is not None:
                call = with_value(call, "caller", ordinary)
            nothing = [refused for refused in kept if refused.resource == "unknown"]
            own = [with_value(s, "resource", call) for s in kept if s not in nothing]
            # Whoever may not see it is not to see that it was cancelled: sent as others are, for
            # what one is told is compared with what another is.
            again = [
                replace(_plainly(composition, refused), call="second") for refused in reversed(own)
            ]
            then = [*own, call, *again]
            pairs.append(on_one_connection(first, *nothing, then=then, act=act))
    # Behind somebody who may do more, on one connection: in `deep` that is a history.
    strangers = [] if deep else strangers_of(composition, others)[-1:]
    others = [call for call in others if call not in strangers]
    rows = chains(composition, [call for call in others if call != ordinary], seconds)
    rows = _plain_before_seconds(composition, rows)
    rows += [(call,) for call in strangers]
    rows = [_told_last(composition, row, near) for row in rows]
    seconded = [row for row in rows if row[-1].call == "second"][:thirds]
    rows = [(*row, row[-1]) if row in seconded else row for row in rows]
    if ordinary in others:
        # What is to stand to the end is made early: whatever strikes others shows there.
        rows.sort(
            key=lambda row: row[-1].resource != "cancellable" or not composition.refused(row[-1])
        )
        rows.insert(0, (ordinary,))
    beside = neighbours(composition, rows, near)
    beside = everywhere(composition, rows, beside) if deep else beside
    # The first look tells whether a GET shows anything at all.
    stands = {*beside.values()}  # and is looked at there
    free = [row for row in rows[1:] if row not in beside and stands.isdisjoint(row)]
    blind = _unseen(composition, free)
    last = set(rows) if deep else _last(composition, rows)
    lone = [row for row in rows if row not in beside and row not in (blind, (ordinary,))]
    some = (odd_ones(lone), refused_and_served(composition, lone))
    joined = [of_one for of_one in some if len(of_one) > 1]
    rows = [row for row in rows if not any(row in of_one for of_one in joined)]
    on_kept = kept_rows(composition, rows)
    # Behind ids of nothing a connection serves what is there; and behind who may those who may not.
    of_nothing = next((row for row in on_kept if row[0].resource == "unknown"), None)
    apart = [row for row in rows if row[0] in strangers]
    behind = [blind, *apart] if blind and of_nothing else []
    rows = [row for row in rows if row not in behind]
    made: list[Scenario] = []
    for row in rows:
        # Where any change is an effect, a second look tells what changes by itself.
        twice = not made and not composition.contract.lifecycle.after
        by, unseen = beside.get(row), row == blind
        # What stands beside others no call is to touch: it is looked at in the end.
        open_ = not (composition.served(row[-1]) or composition.refused(row[-1]))
        calls = deepest_first(composition, row) if row in on_kept else row
        row_of = partial(
            in_a_row, *calls, act=act, neighbour=by, twice=twice, last=row in last, unseen=unseen
        )
        # If a refusal strikes what stands beside, a look after the call that is served shows it.
        told = (c for c in row if any(composition.shows(c, s) for s in near))
        silent = {*filter(composition.refused, row)} - {*told} if by and not deep else ()
        scenario = row_of(sentinel=by is not None and (deep or not open_), silent=silent)
        if row in on_kept:
            scenario = on_one(scenario, first=on_kept.index(row) % 2 == 0)
        if behind and row == of_nothing:
            calls = tuple(call for call, *_ in behind)
            scenario = followed(scenario, calls, last=last, act=act)
        made.append(scenario)
    looked = ([row in last for row in of_one] for of_one in joined)
    shared = (of_one_connection(*two, act) for two in zip(joined, looked, strict=True))
    return [*made[:1], *shared, *made[1:], *pairs]


def _plain_before_seconds(composition: Composition, rows: Sequence[Chain]) -> list[Chain]:
    """Return the rows such that what a second call follows holds nothing that nobody asks for, as
    far as another call by the same caller can: where that has it without effect, the second hides
    it.
    """
    found, plain = list(rows), composition.ordinary.extra
    for at, row in enumerate(rows):
        first = row[-2] if row[-1].call == "second" else row[-1]
        if row[-1].call != "second" or first.extra == plain or not composition.served(first):
            continue
        who = (first.identity, first.owner)
        for place, other in enumerate(found):
            last = other[-1]
            alike = last.call == "first" and last.extra == plain and composition.served(last)
            two = replace(first, extra=plain), replace(last, extra=first.extra)
            if alike and (last.identity, last.owner) == who and all(map(composition.can_meet, two)):
                found[at] = (*row[:-2], two[0], row[-1])
                found[place] = (*other[:-1], two[1])
                break
    return found


def _plainly(composition: Composition, call: Situation) -> Situation:
    """Return a call that is refused for its caller with nothing else that is odd."""
    if composition.standing(call, "caller").kind == "refused":
        for aspect in ("body", "extra"):
            call = with_value(call, aspect, composition.ordinary)
    return call


def _alone(
    composition: Composition,
    call: Situation,
    calls: Sequence[Situation],
    near: Sequence[Situation],
) -> bool:
    """Whether no other call shows a situation in which another resource is to stand beside."""
    shown = [s for s in near if composition.shows(call, s)]
    rest = [other for other in calls if other != call]
    return any(not any(composition.shows(other, s) for other in rest) for s in shown)


def _followed(
    composition: Composition,
    call: Situation,
    calls: Sequence[Situation],
    seconds: Sequence[Situation],
) -> bool:
    """Whether a second call needs this one before it: no other could take its place."""
    following = sum(follows(composition, second, call) for second in seconds)
    alike = (c for c in calls if (c.state, c.owner) == (call.state, call.owner))
    ordinary = composition.ordinary
    return following >= sum(composition.served(c) and c != ordinary for c in alike)


def _told_last(composition: Composition, row: Chain, near: Sequence[Situation]) -> Chain:
    """Return a row of calls on what names nothing such that one that a clause about neighbours asks
    for comes last: there alone they are looked at.
    """
    if row[0].resource != "unknown":
        return row
    told = [c for c in row if any(composition.shows(c, s) for s in near if s.resource == "unknown")]
    return (*(c for c in row if c not in told[:1]), *told[:1])


def _unseen(composition: Composition, rows: Sequence[Chain]) -> Chain | None:
    """Return the row whose resource nobody looks at before the call, for a server may know only
    what was asked for; None where the effect is another state than before, or that it is gone.
    """
    life = composition.contract.lifecycle
    if not life.after or life.vanishes:
        return None
    # What a second call keeps is told by a look before the first.
    once = [r for r in rows if r[-1].call == "first" and composition.served(r[0])]
    anybodys = (row for row in once if row[0].owner is None)
    plain = (row for row in once if "body" not in composition.facts(row[0]))
    return next(anybodys, next(plain, None))


def refused_between(composition: Composition, wanted: Sequence[Situation]) -> list[Situation]:
    """Return what is to be refused on a kept connection, between calls that are served: an id of
    nothing, a body, and callers, with a body even where none is documented, for it may stay unread.
    Made beside the plan's own: no clause is left open where the server closes before.
    """
    unknown = (s for s in wanted if s.resource == "unknown" and composition.refused(s))
    # Where something is served that nobody looks at before, that comes behind ids of nothing.
    alone = not composition.contract.lifecycle.after
    nothing = [s for s in unknown if alone and composition.facts(s) == ["resource"]]
    bodies = [s for s in wanted if composition.facts(s) == ["body"] and composition.refused(s)]
    # The longest of those that are written out: of a buffer that is used again its end may be left.
    bodies.sort(key=lambda s: -len(s.body.text))
    callers = [s for s in wanted if composition.facts(s) == ["caller"] and composition.refused(s)]
    own = [s for s in callers if s.owner is None]
    # Whoever has no credentials, and whoever has no permission, where these are asked for.
    own.sort(key=lambda s: s.identity not in ("anonymous", "no-permission"))
    without = [s for s in own if not needs_token(s.identity)]
    # What tells no name of its own is told none: not that of the call before.
    unnamed = next((e for e in _neutral_extras(composition) if leaves_out_id(e)), "none")
    bare = [replace(s, extra=unnamed) for s in without[:1]]
    callers = [*bare, *[s for s in own if s not in without][:1]]
    sent = [s for s in wanted if composition.facts(s) == ["body"] and s.body.text.startswith("{")]
    if sent and not composition.contract.bodies:
        # With what nobody asks for: left unread it may be the next request, whoever sent it.
        callers = [with_value(s, "body", sent[0]) for s in callers]
        nothing = [with_value(s, "body", sent[0]) for s in nothing]
    return [*nothing[:1], *bodies[:1], *callers]


def _neutral_extras(composition: Composition) -> list[str]:
    found = composition.standings.items()
    return [name for (aspect, name), s in found if aspect == "extra" and s.kind == "neutral"]


def _last(composition: Composition, rows: Sequence[Chain]) -> set[Chain]:
    """Return the rows whose resources are looked at once more when the run ends: those that can be
    cancelled and that nothing was to cancel, and of others one for every kind of caller, of what is
    served one in every state; one in each state that has ended; and one that was called for again.
    """
    found, met = set[Chain](), set[tuple[str | None, ...]]()

    def tells_less(row: Chain) -> tuple[bool, bool]:
        # An open call by the same caller, than one that is served; nobody's, of what has ended.
        return not composition.served(row[-1]), not needs_token(row[-1].identity)

    for row in sorted(rows, key=tells_less):
        call = row[-1]
        of = row[-2] if call.call == "second" else call
        # Of those whose token is odd, and no page decides about it, one stands for the others; who
        # is served with one is the primary with something more.
        odd = IDENTITIES.get(of.identity, ANYBODY).need == "mint"
        taken = {"open": "odd", "neutral": "primary"} if odd else {}
        who = taken.get(composition.standing(of, "caller").kind, of.identity.partition(":")[0])
        caller = (of.resource, who, of.owner)
        kinds: set[tuple[str | None, ...]] = set()
        if call.resource == "final":
            kinds.add((call.state,))
        else:
            kinds.add((*caller, of.state) if composition.served(of) else caller)
        # Where a body decides whether an owner may, what is wrong with it may be found too late.
        alone = len(row) == 1 and of.by_owner and not composition.served(of)
        kinds |= {("body", of.body.text)} if alone and "body" in composition.facts(of) else set()
        kinds |= {(call.call,)} if call.call == "second" else set()
        kept = call.resource == "cancellable" and composition.refused(call)
        if call.resource != "odd" and (kept or not kinds <= met):
            found.add(row)
        met |= {*kinds, caller}
    return found
