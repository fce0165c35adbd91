"""Dates on the wire: the moment that a text names, and when a call was answered. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise, product
from typing import Any

from cancel_contracts.contract.states import Lifecycle
from cancel_contracts.exchange import Exchange
from cancel_contracts.judge.context import Context
from cancel_contracts.judge.facets import Finding
from cancel_contracts.parse import http_date

LONGEST_DATE = 64  # characters
DOUBT_SECONDS = 26 * 3600  # of a clock that is off, and of a zone that is not told
DATE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")


def moment(value: Any) -> datetime | None:
    """Return the moment that an ISO 8601 text names, in UTC where it tells no zone, or None where
    nobody can tell.
    """
    if not isinstance(value, str) or len(value) > LONGEST_DATE or not DATE.match(value):
        return None
    text = re.sub(r"(\.\d{6})\d+", r"\1", value)  # the wire shows up to seven digits
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def tells_zone(text: str) -> bool:
    """Whether a date ends in Z or an offset."""
    return re.search(r"(?:[Zz]|[+-]\d\d(?::?\d\d)?)$", text) is not None


def comparable(one: str, other: str) -> bool:
    """Whether two dates are of one clock: both tell their zone, or neither does."""
    return tells_zone(one) == tells_zone(other)


def same_moment(one: Any, other: Any) -> bool:
    """Whether two texts name one moment, a second more or less for what is rounded."""
    a, b = moment(one), moment(other)
    return a is not None and b is not None and abs((a - b).total_seconds()) < 1


def dated(exchange: Exchange) -> datetime | None:
    """Return the Date of an answer (RFC 9110 section 6.6.1), or None."""
    return http_date((exchange.received and exchange.received.header("date")) or "")


def answered(context: Context, exchange: Exchange) -> datetime | None:
    """Return when a call was answered: as its Date says, else by our clock; None where neither
    tells.
    """
    if exchange.received is not None and exchange.received.header("date"):
        return dated(exchange)
    began = context.journal.began
    return None if began is None else datetime.fromtimestamp(began + exchange.started, UTC)


def in_order(
    life: Lifecycle, entity: Mapping[str, Any], was: Mapping[str, Any], now: datetime | None
) -> Finding | None:
    """Tell whether the dates of an entity come in their order; None where nothing tells. What else
    a call sets to now, beside what the entity `was` before it, is not before the first of them.
    """
    dated = [(n, entity[n], m) for n in life.moments if (m := moment(entity.get(n)))]
    # What was set at another time before may have been set by another clock.
    new = {n for n in life.stamps if n in was and was[n] != entity.get(n)} - {*life.moments}
    first = [row for row in dated[:1] if not any(_before(was, name, row[0]) for name in new)]
    set_ = [(name, entity[name], m) for name in sorted(new) if (m := moment(entity.get(name)))]
    told = None
    for (one, text, earlier), (other, then, later) in (*pairwise(dated), *product(first, set_)):
        if not comparable(text, then):
            continue  # one of the two tells its zone, the other does not
        expected = f"{one} is not after {other}"
        if (earlier - later).total_seconds() >= 1:
            return Finding(False, expected, f"{earlier.isoformat()}, {later.isoformat()}")
        told = Finding(True, expected, "in order")
    if now is not None and dated and (dated[-1][2] - now).total_seconds() > DOUBT_SECONDS:
        expected = f"{dated[-1][0]} is not to come, when it is {now.isoformat()}"
        return Finding(False, expected, dated[-1][2].isoformat())
    return told


def _before(entity: Mapping[str, Any], one: str, other: str) -> bool:
    """Whether one date of an entity is before another."""
    a, b = moment(entity.get(one)), moment(entity.get(other))
    return a is not None and b is not None and a < b
