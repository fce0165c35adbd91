"""The facets that no single exchange can answer for: one code throughout, quota, unique values,
races.

Each is a pure function (context, exchanges, argument) -> {index: Finding} over the clause's
exchanges, which it passes through once or twice and never holds.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from cancel_contracts.exchange import RECORDED, Exchange
from cancel_contracts.judge.context import Context
from cancel_contracts.judge.entity import returned_entity, sent_object
from cancel_contracts.judge.facets import Finding, answer
from cancel_contracts.observation import describe, took_effect

Findings = dict[int, Finding]
Overall = Callable[[Context, Sequence[Exchange], Any], Findings]


def constant(_: Context, exchanges: Sequence[Exchange], __: Any) -> Findings:
    """The rarer status is the deviation."""
    codes = Counter(x.status for x in exchanges if x.status is not None)
    if not codes:
        return {}
    usual, count = codes.most_common(1)[0]
    expected = f"{usual}, as {count} of {sum(codes.values())}"
    return {
        i: Finding(x.status == usual, expected, answer(x))
        for i, x in enumerate(exchanges)
        if x.status is not None
    }


def quota(context: Context, exchanges: Sequence[Exchange], _: Any) -> Findings:
    """Calls within the quota are granted: a 429 does not come before it is spent.

    One 429 may have other causes (other callers, the server's load) and passes where the same call
    succeeds after
    the wait it asked for. One that stands, after calls that were granted, is a limit below the
    documented one.
    """
    window = context.contract.quotas[0]
    found: Findings = {}
    granted = 0
    moments: list[float] = []
    for i, x in enumerate(exchanges):
        moments.append(x.started)
        if x.status is None:
            continue
        if x.status == 429 and x.identity == RECORDED:
            continue  # who else was calling, and what came before, no recording tells
        if x.status != 429 or x.situation.identity == "throttled":
            granted += x.status != 429
            found[i] = Finding(True, f"{window} granted", answer(x))
            continue
        recent = sum(1 for moment in moments if x.started - moment < window.seconds)
        served = context.served.get(x.situation)
        late = x.situation.call != "concurrent"  # of two at once the other may have come first
        stands = served is None or (late and served <= x.started)
        if granted and stands and recent <= window.calls:
            actual = f"{answer(x)}, at call {recent} within {window.seconds} s"
            found[i] = Finding(False, f"{window} granted", actual)
    return found


def distinct(_: Context, exchanges: Sequence[Exchange], pointer: str) -> Findings:
    """No two answers show the same value at a JSON pointer; an answer without it tells nothing."""
    seen: dict[str, int] = {}
    found: Findings = {}
    for i, x in enumerate(exchanges):
        value: Any = returned_entity(x)
        for part in pointer.strip("/").split("/"):
            value = value.get(part) if isinstance(value, dict) else None
        if value is None:
            continue
        text = json.dumps(value, sort_keys=True)
        repeated = text in seen
        seen.setdefault(text, i)
        actual = f"{text} again" if repeated else text
        found[i] = Finding(not repeated, f"a {pointer} of its own", actual)
    return found


# What an answer may hold of the call itself: ids, numbers, times, nonces.
OWN = re.compile(r"[\w+/=.:~-]*[0-9][\w+/=.:~-]*|[\w+/=.:~-]{16,}")


def alike(_: Context, exchanges: Sequence[Exchange], parts: Sequence[str]) -> Findings:
    """What is answered of one resource is answered of any: the rarer answer gives away which
    exist.

    Within one identity, part by part. What belongs to the call itself is left out.
    """
    told: dict[str, list[tuple[int, Exchange]]] = defaultdict(list)
    for i, x in enumerate(exchanges):
        if x.received is not None and x.status is not None and not x.received.unrecorded:
            told[x.situation.identity].append((i, x))
    found: Findings = {}
    for row in told.values():
        found |= {i: Finding(True, "one answer, whatever the id names", answer(x)) for i, x in row}
        for part in parts:
            shown = [(i, _PARTS[part](x)) for i, x in row]
            usual, count = Counter(text for _, text in shown).most_common(1)[0]
            expected = f"{part} {usual}, as {count} of {len(row)}, whatever the id names"
            for i, text in shown:
                if text != usual:
                    found[i] = Finding(False, expected, f"{part} {text}")
    return found


def _member(exchange: Exchange, name: str) -> str:
    error: Any = (returned_entity(exchange) or {}).get("error")
    return str(error.get(name) if isinstance(error, dict) else None)


def _challenges(exchange: Exchange) -> str:
    return "; ".join(
        exchange.received.headers_named("www-authenticate") if exchange.received else []
    )


def _impersonal(text: str, exchange: Exchange) -> str:
    return OWN.sub("#", text.replace(exchange.resource, "#"))


_PARTS: dict[str, Callable[[Exchange], str]] = {
    "status": lambda x: str(x.status),
    "code": lambda x: _member(x, "code"),
    "message": lambda x: _impersonal(_member(x, "message"), x),
    "challenge": lambda x: _impersonal(_challenges(x), x),
}


def race(context: Context, exchanges: Sequence[Exchange], _: Any) -> Findings:
    """Two simultaneous calls end as some order of the two would: one succeeds, and the other is
    answered as a
    second call in a row is."""
    once_only = bool(context.seconds) and all(code // 100 == 4 for code in context.seconds)
    pairs: dict[int, list[tuple[int, Exchange]]] = defaultdict(list)
    for i, x in enumerate(exchanges):
        pairs[x.scenario].append((i, x))
    found: Findings = {}
    for pair in pairs.values():
        if len(pair) == 2 and all(x.status not in (None, 429) for _, x in pair):
            for i, x in pair:
                found[i] = _outcome(context, [y for _, y in pair], x, once_only)
    return found


def _outcome(context: Context, pair: list[Exchange], x: Exchange, once_only: bool) -> Finding:
    won = [y for y in pair if y.status is not None and y.status // 100 == 2]
    actual = " and ".join(answer(y) for y in pair)
    if not won:
        return Finding(False, "one of two simultaneous calls succeeds", actual)
    if once_only and len(won) == 2:
        return Finding(False, "one succeeds and the other is refused, as it is in a row", actual)
    life = context.contract.lifecycle
    looks = context.later(pair[-1])
    end = looks[-1] if looks else None
    if end is not None and context.observable:
        if took_effect(life, context.before(pair[0]), end, context.volatile) is False:
            expected = "the resource is cancelled"
            return Finding(False, expected, f"{actual}; the GET shows {describe(life, end)}")
    for name, source in life.records.items():
        claims = [e.get(name) for y in won if (e := returned_entity(y)) is not None and name in e]
        sent = [sent_object(y).get(source) for y in won]
        kept = end.entity.get(name) if end and end.entity and name in end.entity else None
        if len(claims) == 2 and claims[0] != claims[1]:
            return Finding(False, f"one {name} for both", f"{claims[0]!r} and {claims[1]!r}")
        if kept is not None and sent and kept not in sent:
            return Finding(False, f"{name} of a call that succeeded", f"{kept!r}")
    return Finding(True, "the outcome of some order", actual)


OVERALL: dict[str, Overall] = {
    "constant": constant,
    "quota": quota,
    "distinct": distinct,
    "alike": alike,
    "race": race,
}
