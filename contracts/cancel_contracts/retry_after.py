"""Retry-After: how long an answer asks to wait. Pure.

RFC 9110 section 10.2.3 knows whole seconds and HTTP-dates; the vendor's own sample has a fraction
of a second (2.128).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")


def seconds(value: str, now: datetime) -> float | None:
    """Return the seconds from `now` that a value asks to wait, or None where it is no time."""
    if NUMBER.fullmatch(value.strip()):
        return float(value)
    if (moment := http_date(value)) is None:
        return None
    return max(0.0, (moment - now).total_seconds())


def http_date(value: str) -> datetime | None:
    """Return the moment that an HTTP-date names; without a zone it is UTC."""
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
