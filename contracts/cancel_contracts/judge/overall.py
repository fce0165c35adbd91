"""The facets that no single exchange can answer for: one code throughout, quota, unique values.

Each is a pure function (context, exchanges, argument) -> {index: Finding or Gap} over the clause's
exchanges, which it passes through once or twice and never holds. What is not in it tells nothing.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from math import inf
from typing import Any
from urllib.parse import urlsplit

from cancel_contracts.contract.model import Clause, Contract
from cancel_contracts.exchange import RECORDED, Exchange, Situation
from cancel_contracts.judge.callers import ALONE, CALLERS, Findings, Overall
from cancel_contracts.judge.context import Context
from cancel_contracts.judge.dated import DATED
from cancel_contracts.judge.entity import returned_object
from cancel_contracts.judge.facets import Finding, answer
from cancel_contracts.judge.others import OWN
from cancel_contracts.judge.race import race
from cancel_contracts.judge.twice import left_alike
from cancel_contracts.needs import choice, inconclusive
from cancel_contracts.parse import NO_JSON, http_date, pointed
from cancel_contracts.windows import within

# So much of a quota, granted within one window, tells that the quota is there.
SHARE = 3
TICK_SECONDS = 0.05  # clocks are not finer: a wait that was kept may seem this much too short


def constant(context: Context, exchanges: Sequence[Exchange], of: str) -> Findings:
    """The rarer status is the deviation, or the rarer way that a cancel leaves a state in."""
    if of == "state":
        return left_alike(context, exchanges)
    codes = Counter(x.status for x in exchanges if x.status is not None)
    if codes.total() < 2:
        return dict.fromkeys(range(len(exchanges)), ALONE)
    usual, count = codes.most_common(1)[0]
    expected = f"{usual}, as {count} of {sum(codes.values())}"
    return {
        i: Finding(x.status == usual, expected, answer(x))
        for i, x in enumerate(exchanges)
        if x.status is not None
    }


def quota(context: Context, exchanges: Sequence[Exchange], _: Any) -> Findings:
    """Calls within the quota are granted: a 429 does not come before a window is spent.

    The calls of this run are all that is known. So a 429 violates nothing but where it stands: the
    call was made again after the wait that the target itself had asked for, that wait is not longer
    than the shortest window (else a longer one, or no quota at all, is behind it), and by our own
    count every window still has room. Where that is not known, other callers or another window may
    explain it. What has been granted shows a quota once it comes to a good part of one.
    """
    windows = sorted(context.contract.quotas, key=lambda q: q.seconds)
    began = [
        (x.started, i, x.status is not None and not x.limited) for i, x in enumerate(exchanges)
    ]
    began.sort()
    counts = [within([at for at, _, _ in began], window.seconds) for window in windows]
    granted = [at for at, _, served in began if served]
    shortest = windows[0]
    enough = max(within(granted, shortest.seconds), default=0) * SHARE >= shortest.calls
    few = choice(f"too few calls within {shortest.seconds} s to tell of {shortest}")
    due: dict[Situation, float] = {}  # when a call that was refused might be made again
    found: Findings = {}
    for at, (_, i, _) in enumerate(began):
        if (x := exchanges[i]).status is None:
            continue
        spent = any(row[at] > window.calls for row, window in zip(counts, windows, strict=True))
        if not x.limited or x.situation.identity == "throttled" or spent:
            found[i] = Finding(True, f"{shortest} granted", answer(x)) if enough else few
        elif not _served_after(context, x):
            actual = f"{answer(x)}, at call {counts[0][at]} within {shortest.seconds} s"
            wait = _wait(x)
            short = wait is not None and wait <= shortest.seconds
            stands = due.get(x.situation, inf) <= x.started + TICK_SECONDS
            stands &= bool(granted) and granted[0] < x.started
            stands &= x.identity != RECORDED  # who else was calling no recording tells
            if short and stands:
                found[i] = Finding(False, f"{shortest} granted", actual)
            else:
                told = f"answered {actual}: another limit, or other callers, may be behind it"
                found[i] = inconclusive(told)
            if short and wait is not None:
                over = x.started + x.seconds + wait
                due[x.situation] = min(over, due.get(x.situation, inf))
    return found


def _served_after(context: Context, exchange: Exchange) -> bool:
    """Whether such a call was served as well, later or, of two at once, beside it."""
    served = context.served.get(exchange.situation)
    late = exchange.situation.call != "concurrent"  # of two at once the other may have come first
    return served is not None and (not late or served > exchange.started)


def _wait(exchange: Exchange) -> float | None:
    """Return how long an answer asks to wait, by its own clock; None where it does not say."""
    received = exchange.received
    if received is None:
        return None
    asked, date = received.come_again, http_date(received.header("date") or "")
    if isinstance(asked, datetime):
        return (asked - date).total_seconds() if date else None
    return asked


def distinct(_: Context, exchanges: Sequence[Exchange], pointer: str) -> Findings:
    """No two answers show the same value at a JSON pointer; one without it tells nothing."""
    seen: dict[str, int] = {}
    found: Findings = {}
    for i, x in enumerate(exchanges):
        value = pointed(returned_object(x), pointer)
        if value is NO_JSON or value is None:
            continue
        text = json.dumps(value, sort_keys=True)
        repeated = text in seen
        seen.setdefault(text, i)
        actual = f"{text} again" if repeated else text
        found[i] = Finding(not repeated, f"a {pointer} of its own", actual)
    return found if len(found) > 1 else dict.fromkeys(found, ALONE)


def alike(context: Context, exchanges: Sequence[Exchange], parts: Sequence[str]) -> Findings:
    """What is answered of one resource is answered of any: the rarer answer gives away which
    exist.

    Within one identity and what is sent beside it (a language, an origin), part by part. What
    belongs to the call itself is left out.
    """
    told: dict[tuple[str, str, int], list[tuple[int, Exchange]]] = defaultdict(list)
    for i, x in enumerate(exchanges):
        if x.situation.call == "repeated":
            continue
        if x.received is not None and x.status is not None and not x.received.unrecorded:
            # Where the status itself may tell, what is told with each is compared.
            status = 0 if "status" in parts else x.status
            told[x.situation.identity, x.situation.extra, status].append((i, x))
    found: Findings = _repeated(context, exchanges, parts)
    for row in told.values():
        found |= {i: Finding(True, "one answer, whatever the id names", answer(x)) for i, x in row}
        for part in parts:
            shown = [(i, _PARTS[part](context, x)) for i, x in row]
            usual, count = Counter(text for _, text in shown).most_common(1)[0]
            expected = f"{part} {usual}, as {count} of {len(row)}, whatever the id names"
            for i, text in shown:
                if text != usual:
                    found[i] = Finding(False, expected, f"{part} {text}")
    return found


def _repeated(context: Context, exchanges: Sequence[Exchange], parts: Sequence[str]) -> Findings:
    """A request that is sent again is answered as before: in its status, and part by part."""
    found: Findings = {}
    for i, x in enumerate(exchanges):
        if x.situation.call != "repeated" or x.received is None or x.unanswered:
            continue
        before = context.repeats(x)
        if before is None or before.received is None:
            found[i] = inconclusive("the request that it repeats was not answered")
            continue
        if before.received.unrecorded or x.received.unrecorded:
            continue
        for part in dict.fromkeys(["status", *parts]):
            was, now = _PARTS[part](context, before), _PARTS[part](context, x)
            if was != now:
                found[i] = Finding(False, f"{part} {was}, as before", f"{part} {now}")
                break
        else:
            found[i] = Finding(True, "answered as before", answer(x))
    return found


def _body(exchange: Exchange) -> str:
    """Return what a body says: its JSON, in whatever spelling, else its octets."""
    received = exchange.received
    value = received.json() if received else NO_JSON
    if value is NO_JSON:
        return repr(received.body if received else b"")
    return json.dumps(value, sort_keys=True)


def _member(exchange: Exchange, name: str) -> str:
    """Return a member of an error: of the object `error`, else of the answer's own."""
    whole = returned_object(exchange) or {}
    error = whole["error"] if isinstance(whole.get("error"), dict) else whole
    value = error.get(name)
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _challenges(exchange: Exchange) -> str:
    return "; ".join(
        exchange.received.headers_named("www-authenticate") if exchange.received else []
    )


# Of the connection and of how an answer is framed on it (RFC 9110 7.6.1, RFC 9112 6); of the time,
# the limits and the session of a call: what one answer has of these another may lack.
_FRAMING = re.compile(
    r"connection|keep-alive|content-length|transfer-encoding|trailer|age|date|set-cookie"
    r"|retry-after|server-timing|traceparent|tracestate|.*rate-?limit.*|.*-(?:time|runtime|duration)"
    r"|.*(?:request|correlation|trace|span|activity|diagnostic)s?-?id"
)


def _headers(context: Context, exchange: Exchange) -> str:
    """Return the names of the header fields, those of the connection apart, each with the states
    of a resource that its value names.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for name, value in exchange.received.headers if exchange.received else ():
        if not _FRAMING.fullmatch(name.lower()):
            found[name.lower()] |= context.contract.lifecycle.named_in(value)
    return ", ".join(
        f"{name} ({', '.join(sorted(states))})" if states else name
        for name, states in sorted(found.items())
    )


def _impersonal(text: str, exchange: Exchange) -> str:
    if query := urlsplit(exchange.sent.url).query:
        text = text.replace(f"?{query}", "")
    return OWN.sub("#", text.replace(exchange.resource, "#"))


_PARTS: dict[str, Callable[[Context, Exchange], str]] = {
    "status": lambda _, x: str(x.status),
    "code": lambda _, x: _member(x, "code"),
    "message": lambda _, x: _impersonal(_member(x, "message"), x),
    "challenge": lambda _, x: _impersonal(_challenges(x), x),
    "headers": _headers,
    "body": lambda _, x: _body(x),
}


OVERALL: dict[str, Overall] = {
    **CALLERS,
    **DATED,
    "constant": constant,
    "quota": quota,
    "distinct": distinct,
    "alike": alike,
    "race": race,
}


def calls_to_tell(contract: Contract, clause: Clause) -> int:
    """Return how many calls it takes at least to tell of a clause; 0 where one scenario may."""
    found = {facet for row in (clause.expect, *clause.readings.values()) for facet in row}
    if "quota" in found:
        return min(contract.quotas, key=lambda q: q.seconds).calls // SHARE + 1
    return 2 if found & OVERALL.keys() - {"race"} else 0  # calls at once are of one scenario
