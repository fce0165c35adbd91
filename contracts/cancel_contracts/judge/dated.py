"""Whether the dates that a cancel sets are those of now. Pure.

What the server's clock shows is its own affair: all its dates are off by as much. What is told is a
date that is off by hours from the Date of the very answer, and one that is off otherwise than the
others are; and one that a cancel leaves as it was, where others move it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from cancel_contracts.exchange import RECORDED, Exchange
from cancel_contracts.judge.callers import ALONE, Findings, Overall, added_at
from cancel_contracts.judge.context import Context
from cancel_contracts.judge.entity import returned_entity, settled
from cancel_contracts.judge.facets import Finding
from cancel_contracts.judge.moments import DOUBT_SECONDS, answered, dated, moment, tells_zone
from cancel_contracts.needs import Gap
from cancel_contracts.sight.observation import marks

SKEW_SECONDS = 300  # by which the clocks of a house may differ (RFC 4120 section 1.6, Kerberos)
# Zones are off by whole quarters of an hour. So long an answer may have taken.
ZONE_SECONDS, ZONE_LEEWAY_SECONDS = 900, 10
MANY = 3  # dates that tell what is usual
STALE_SECONDS = 60  # clocks of a column may be as coarse

Told = tuple[int, str, float, bool]  # index, text, seconds after the answer, by its Date


def now(context: Context, exchanges: Sequence[Exchange], _: Any) -> Findings:
    """What a cancel changes of the dates of what was done last it sets to now, and each does."""
    rows: dict[tuple[str, bool], list[Told]] = defaultdict(list)
    moved, stale = Counter[str](), defaultdict[str, dict[int, str]](dict)
    for i, x in enumerate(exchanges):
        at = answered(context, x)
        if at is None or not x.succeeded or x.identity == RECORDED:
            continue
        by_date, new = dated(x) is not None, [*_set(context, x)]
        moved.update({name for name, text in new if moment(text) is not None})
        for name, text in _left(context, x, {name for name, _ in new}):
            if (then := moment(text)) is not None and (at - then).total_seconds() > STALE_SECONDS:
                stale[name][i] = text
        for name, text in new:
            if (then := moment(text)) is not None:
                off = (then - at).total_seconds()
                rows[name, tells_zone(text)].append((i, text, off, by_date))
    life = context.contract.lifecycle
    found: Findings = {}
    leeway = SKEW_SECONDS + (life.within or 0)
    for (name, zoned), row in rows.items():
        # Without a zone a date is in that of the others, where these tell one.
        others, told_zone = rows.get((name, True), row), zoned or (name, True) in rows
        offs, told = [off for _, _, off, _ in others], len(others) >= MANY
        usual = _usual(offs, leeway)
        # What a list says is in the zone of the resource's own dates, where these tell one.
        stamps = life.stamps if name in life.listed and zoned else ()
        own = [off for stamp in stamps for _, _, off, _ in rows.get((stamp, True), ())]
        clock = _usual(own, leeway) if len(own) >= MANY else None
        for i, text, off, by_date in row:
            wrong = told_zone and by_date and _of_another_zone(off)
            # What is years off throughout is no clock's: a stub's, written once.
            wrong |= told and leeway < abs(off - usual) and abs(usual) <= DOUBT_SECONDS
            wrong |= clock is not None and _of_another_zone(off - clock)
            expected = f"{name} is when it was cancelled"
            actual = f"{text}, {abs(off):.0f} s {'before' if off < 0 else 'after'} the answer"
            if wrong:
                found[i] = Finding(False, expected, actual)
            else:
                known: Finding | Gap = Finding(True, expected, actual) if told else ALONE
                found.setdefault(i, known)
    for name, texts in stale.items():
        if moved[name] >= MANY:
            expected = f"{name} is when it was cancelled, as at {moved[name]} other cancels"
            found |= {i: Finding(False, expected, f"still {text}") for i, text in texts.items()}
    return found


def _set(context: Context, exchange: Exchange) -> Iterator[tuple[str, Any]]:
    """Yield the dates that a call has set, as the answer and the GET show them."""
    life, before = context.contract.lifecycle, context.sight.before(exchange)
    look = settled(context, exchange)
    was = None if before is None else before.entity
    shown = None if look is None or isinstance(look, Gap) else look.entity
    for entity in (returned_entity(context, exchange), shown):
        for name in life.stamps:
            new = was is not None and entity is not None and was.get(name) != entity.get(name)
            if entity is not None and (new or (was is None and name in life.sets)):
                yield name, entity.get(name)
        if entity is not None and was is not None:
            for at in life.listed:
                former = {*added_at(at, {}, was)}  # of an item that is changed the date may stay
                new = {t: then for t in added_at(at, was, entity) if (then := moment(t))}
                if fresh := new.keys() - former:
                    yield at, max(fresh, key=lambda text: new[text])


def _left(context: Context, exchange: Exchange, new: set[str]) -> Iterator[tuple[str, Any]]:
    """Yield the dates that a call has left as they were, though it did something."""
    life, before = context.contract.lifecycle, context.sight.before(exchange)
    after = settled(context, exchange)
    if before is None or before.entity is None or after is None or isinstance(after, Gap):
        return
    shown = after.entity or {}
    if new or marks(life, before.entity) != marks(life, shown):
        for name in life.stamps:
            if name not in new and before.entity.get(name) == shown.get(name):
                yield name, shown.get(name)


def _usual(offs: Sequence[float], leeway: float) -> float:
    """Return what most dates are off by; of two that as many are off by, the lesser."""
    offs = sorted(offs)
    return min(offs, key=lambda off: (-_within(offs, off, leeway), abs(off)))


def _within(offs: Sequence[float], off: float, leeway: float) -> int:
    """Return how many of sorted numbers are near one."""
    return bisect_right(offs, off + leeway) - bisect_left(offs, off - leeway)


def _of_another_zone(off: float) -> bool:
    """Whether a date is hours off, as one is that was written in the time of another zone."""
    zones = round(off / ZONE_SECONDS)
    near = abs(off - zones * ZONE_SECONDS) <= ZONE_LEEWAY_SECONDS
    return zones != 0 and near and abs(off) <= DOUBT_SECONDS


DATED: dict[str, Overall] = {"dated": now}
