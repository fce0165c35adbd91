"""Calls at once: whether some order of them explains all that was answered and what shows after.

Linearizability, resource by resource (Herlihy and Wing, 1990: a whole is where each part is), with
the lifecycle for the sequential model: the first call that is served cancels, with its text and in
its caller's name, and what it wrote stands; one after it is refused, or answered as done where a
second call in a row is. So an order is told by its first call, and there are as many to try as
there are calls. Pure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cancel_contracts.exchange import Exchange
from cancel_contracts.judge.callers import Findings
from cancel_contracts.judge.context import Context
from cancel_contracts.judge.entity import returned_entity
from cancel_contracts.judge.facets import SHOWN_BYTES, Finding, answer
from cancel_contracts.judge.sent import sent_object
from cancel_contracts.needs import NO_GET, Gap, choice, inconclusive
from cancel_contracts.parse import refusal
from cancel_contracts.sight.observation import describe

PUT_OFF = choice("of calls at once all but one were answered 429 each time")
Names = Mapping[str, str]  # how whoever cancelled is named, by identity


def race(context: Context, exchanges: Sequence[Exchange], _: Any) -> Findings:
    """Simultaneous calls on a resource end as some order of them would."""
    groups: dict[int, list[int]] = defaultdict(list)
    for i, x in enumerate(exchanges):
        groups[x.scenario].append(i)
    names = _names(context)
    found: Findings = {}
    for number, row in groups.items():
        together = [
            x for x in context.sight.scene(number).calls if x.situation.call == "concurrent"
        ]
        # The clause may not speak of all: one that the limit refused says nothing of a race.
        told = [exchanges[i] for i in row if exchanges[i].status and not exchanges[i].put_off]
        # What was put off or went unanswered may have taken effect, or not.
        maybe = [x for x in together if x.status is None or x.put_off]
        # Whoever was to be refused and was served may have come first: another clause says so.
        others = [x for x in together if x.succeeded and x not in told]
        if len(told) + (len(together) == 1) < 2:
            limited = any(x.put_off for x in together)
            gap = PUT_OFF if limited else inconclusive("one of two calls went unanswered")
            found |= dict.fromkeys(row, gap)
            continue
        outcome = _outcome(context, told, maybe, others, names)
        found |= {i: outcome for i in row if exchanges[i] in told}
    return found


def _names(context: Context) -> Names:
    """Return the name under which each identity's cancels stand that were made by themselves."""
    prop = context.contract.lifecycle.caller
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    for x in context.journal.exchanges if prop else ():
        alone = x.kind == "cancel" and x.succeeded and x.situation.call == "first"
        value = (returned_entity(context, x) or {}).get(prop or "") if alone else None
        if isinstance(value, str):
            rows[x.identity][value] += 1
    return {who: row.most_common(1)[0][0] for who, row in rows.items()}


def _outcome(
    context: Context,
    told: list[Exchange],
    maybe: list[Exchange],
    others: list[Exchange],
    names: Names,
) -> Finding | Gap:
    won = [x for x in told if x.succeeded] or others
    actual = " and ".join(answer(x) for x in told)
    if not won:
        if maybe:
            return PUT_OFF
        one = f"one of {len(told)} simultaneous calls succeeds" if len(told) > 1 else "it succeeds"
        return Finding(False, one, actual)
    once_only = bool(context.seconds) and all(map(refusal, context.seconds))
    life, sight = context.contract.lifecycle, context.sight
    # Where the effect may take its time, each may have come before it.
    if once_only and len(won) > 1 and life.within is None and not life.through:
        return Finding(False, "one succeeds and others are refused, as in a row", actual)
    looks = sight.later(told[-1])
    end = looks[-1] if looks and sight.observable else None
    effect = sight.took_effect(sight.before(told[0]), end) if end else "unknown"
    if end is not None and effect == "not":
        shows = f"{actual}; the GET shows {describe(life, end)}"
        return Finding(False, "the resource is cancelled", shows)
    claims = [*_claims(context, won), *_kept(context, end.entity if end else None)]
    orders = [_contradicted(context, first, claims, names) for first in (*won, *maybe, *others)]
    if None not in orders:
        return Finding(False, "what one of them wrote stands alone", str(orders[0]))
    return NO_GET if effect == "unknown" else Finding(True, "the outcome of some order", actual)


Claim = tuple[str, Any, str]  # a property, its value, and where it stands


def _claims(context: Context, won: Sequence[Exchange]) -> Iterator[Claim]:
    """Yield what the successes say was written."""
    life = context.contract.lifecycle
    for x in won:
        entity = returned_entity(context, x) or {}
        for name in (*life.records, *([life.caller] if life.caller else [])):
            if (value := entity.get(name)) is not None:
                yield name, value, "an answer"


def _kept(context: Context, entity: Mapping[str, Any] | None) -> Iterator[Claim]:
    """Yield what the last look says was written."""
    life = context.contract.lifecycle
    for name in (*life.records, *([life.caller] if life.caller else [])):
        if entity and (value := entity.get(name)) is not None:
            yield name, value, "the GET"


def _contradicted(
    context: Context, first: Exchange, claims: Sequence[Claim], names: Names
) -> str | None:
    """Return what contradicts an order in which this call is the first, or None."""
    life = context.contract.lifecycle
    sent = sent_object(context.contract, first)
    known = life.records if "body" not in first.sent.unrecorded else {}
    wrote = {name: sent.get(source) for name, source in known.items()}
    if life.caller and first.identity in names:
        wrote[life.caller] = names[first.identity]
    for name, value, where in claims:
        own = wrote.get(name)
        if isinstance(own, str) and value != own:
            return f"{where} says {name} {value!r:.{SHOWN_BYTES}}, not {own!r:.{SHOWN_BYTES}}"
    return None
