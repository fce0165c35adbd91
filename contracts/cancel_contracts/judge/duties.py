"""What callers owe: clauses of `party: caller`, held against what others were heard to call. Pure.

Each word of contract/duties.py is a function (contract, calls, argument) that yields what a call
tells. What a recording may have left out, or another caller may have done, tells nothing: a caller
is blamed for what was seen alone. Who calls is told by equal credentials and an equal User-Agent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from cancel_contracts.contract.entity_schema import problem_of
from cancel_contracts.contract.model import Clause, Contract
from cancel_contracts.contract.places import closed
from cancel_contracts.exchange import Exchange, Overheard, struck_out
from cancel_contracts.judge.accumulator import Evidence
from cancel_contracts.judge.facets import NOT_RECORDED, SHOWN_BYTES, Finding, count_bytes
from cancel_contracts.judge.judge import Verdict
from cancel_contracts.judge.sent import sent_value
from cancel_contracts.needs import Gap
from cancel_contracts.parse import NO_JSON, http_date, pointed, retry_after
from cancel_contracts.sight.observation import is_open, observe

ROUNDING_SECONDS = 0.001  # moments of a recording are in whole milliseconds
NO_CREDENTIALS = Gap("not recorded: the recording lacks credentials, or has another's form of them")
WHOSE = Gap("no call of a user without a directory role, on what a GET shows to be the user's own")
NO_WAIT = Gap("no call was put off with a Retry-After and made again")
NO_BODY = Gap("no call had a body")
NO_SUCCESS = Gap("no call succeeded")
# Roles that every member or guest of a tenant has (Entra's built-in roles and their defaults).
ORDINARY = frozenset({
    "b79fbf4d-3ef9-4689-8143-76b194e85509", "a0b1b346-4d5e-4e8e-98f8-753987be4970",
    "10dae51f-b6af-4016-8d66-8c2a99b929b3", "2af84b1e-32c8-42b7-82bc-daa82404023b",
})  # fmt: skip

Heard = Sequence[Overheard]
Told = Iterator[tuple[Overheard, Finding | Gap]]


def judged(contract: Contract, heard: Heard) -> tuple[Verdict, ...]:
    """Return a verdict for each duty. `heard` are the calls and looks of others, in any order."""
    ordered = sorted(heard, key=lambda one: one.exchange.started)
    return tuple(_verdict(contract, clause, ordered) for clause in contract.duties)


def _verdict(contract: Contract, clause: Clause, heard: Heard) -> Verdict:
    good: list[Evidence] = []
    bad: list[Evidence] = []
    gaps: dict[Gap, None] = {}
    for word, wanted in clause.expect.items():
        for one, told in JUDGES[word](contract, heard, wanted):
            if isinstance(told, Gap):
                gaps[told] = None
                continue
            evidence = Evidence(one.exchange, told.expected, told.actual, (word,) * (not told.ok))
            (good if told.ok else bad).append(evidence)
    number = len(good) + len(bad)
    if bad:
        return Verdict(clause, "violated", number, tuple(bad), deviating=len(bad))
    if good:
        return Verdict(clause, "upheld", number, upheld_by=good[0])
    why = next(iter(gaps), Gap("no call was recorded"))
    return Verdict(clause, "not-exercised", reason=why.reason, gaps=(why,))


def _cancels(contract: Contract, heard: Heard) -> list[Overheard]:
    return [
        one
        for one in heard
        if one.exchange.kind == "cancel" and one.exchange.sent.method == contract.method
    ]


def _field(exchange: Exchange, name: str) -> str | None:
    return next((value for key, value in exchange.sent.headers if key.lower() == name), None)


def sends(contract: Contract, heard: Heard, __: Any) -> Told:
    """Nothing is sent where the page asks for no body."""
    for one in _cancels(contract, heard):
        sent = one.exchange.sent
        if "body" in sent.unrecorded:
            yield one, NOT_RECORDED
            continue
        size = 0 if _field(one.exchange, "content-length") == "0" else len(sent.body)
        yield one, Finding(not size, "no content", f"{count_bytes(size)} of content")


def media_type(contract: Contract, heard: Heard, wanted: str) -> Told:
    """The content is named as the operation's, whatever its parameters; with `always` an empty one
    too.
    """
    for one in _cancels(contract, heard):
        sent = one.exchange.sent
        if wanted == "with-body" and not sent.body:
            yield one, NOT_RECORDED if "body" in sent.unrecorded else NO_BODY
            continue
        found = _field(one.exchange, "content-type")
        if "headers" in sent.unrecorded or struck_out(found or ""):
            yield one, NOT_RECORDED
            continue
        ok = found is not None and found.partition(";")[0].strip().lower() == contract.media
        told = "absent" if found is None else repr(found)[:SHOWN_BYTES]
        yield one, Finding(ok, f"Content-Type {contract.media}", f"Content-Type {told}")


def credentials(contract: Contract, heard: Heard, __: Any) -> Told:
    """Authorization has the scheme Bearer (RFC 6750 section 2.1; RFC 9110 section 11.1: in any
    case).

    Recorders leave the field out. That a call had none is told by a 401, where the same recording
    holds the field of other calls on that host.
    """
    calls = _cancels(contract, heard)
    shown = {one.resource[1] for one in heard if one.caller.scheme not in ("", "none")}
    for one in calls:
        scheme = one.caller.scheme
        absent = one.exchange.status == 401 and one.resource[1] in shown
        if scheme == "" or (scheme == "none" and not absent):
            yield one, NO_CREDENTIALS
            continue
        told = {"none": "no Authorization", "bare": "a token without its scheme"}
        actual = told.get(scheme, f"the scheme {scheme.capitalize()}")
        yield (
            one,
            Finding(scheme == "bearer", "a token in Authorization, by the scheme Bearer", actual),
        )


def _later(calls: Heard, at: int) -> Iterator[tuple[int, Overheard]]:
    """Yield the calls that the same caller made on the same resource once this one was answered."""
    first = calls[at]
    for place in range(at + 1, len(calls)):
        one = calls[place]
        alike = one.resource == first.resource and one.caller.key == first.caller.key
        if alike and one.exchange.started >= first.ended:
            yield place, one


def waited(contract: Contract, heard: Heard, __: Any) -> Told:
    """RFC 9110 section 10.2.3. The time runs from the answer, which was made when the call began at
    the earliest.
    """
    calls = _cancels(contract, heard)
    for at, first in enumerate(calls):
        seconds = _asked(first.exchange)
        again = next(_later(calls, at), None)
        if not seconds or again is None:
            continue
        one = again[1]
        passed = one.exchange.started - first.exchange.started
        expected = f"no call for {seconds:g} s after a {first.exchange.status}"
        ok = passed >= seconds - ROUNDING_SECONDS
        yield one, Finding(ok, expected, f"called again {passed:.1f} s after it")
    for one in calls[:1]:
        yield one, NO_WAIT


def _asked(exchange: Exchange) -> float | None:
    """Return how many seconds an answer that puts a call off asks to wait, or None."""
    received = exchange.received
    text = received.header("retry-after") if received and exchange.put_off else None
    if received is None or text is None or (told := retry_after(text)) is None:
        return None
    if isinstance(told, float):
        return told
    made = http_date(received.header("date") or "")
    return (told - made).total_seconds() if made else None


def repeats(contract: Contract, heard: Heard, __: Any) -> Told:
    """What succeeded is not asked for again, unless a look shows that it is open still."""
    calls = _cancels(contract, heard)
    for at, first in enumerate(calls):
        if not first.exchange.succeeded:
            continue
        again = next(_later(calls, at), None)
        expected = "no cancel of what was cancelled"
        if again is None:
            yield first, Finding(True, expected, "none followed")
            continue
        one = again[1]
        passed = one.exchange.started - first.ended
        if not _seen_open(contract, heard, first, one):
            told = f"called again {passed:.1f} s after a {first.exchange.status}"
            yield one, Finding(False, expected, told)
    for one in calls[:1]:
        yield one, NO_SUCCESS


def _seen_open(contract: Contract, heard: Heard, first: Overheard, again: Overheard) -> bool:
    """Whether a look after the first call shows a state that can be cancelled."""
    looks = (
        observe(one.exchange, contract.lifecycle)
        for one in heard
        if one.exchange.kind == "observe"
        and one.resource == first.resource
        and first.exchange.started <= one.exchange.started <= again.exchange.started
    )
    entities = (look.entity for look in looks if look is not None)
    return any(e is not None and is_open(contract.lifecycle, e) for e in entities)


def own_body(contract: Contract, heard: Heard, pointer: str) -> Told:
    """The body of an owner who is no administrator.

    A token that names no role beyond everybody's may yet be that of somebody who manages the
    resource by a right of the service's own: a body that will not do counts where it was refused.
    """
    calls = _cancels(contract, heard)
    for one in calls:
        exchange, caller = one.exchange, one.caller
        ordinary = caller.roles is not None and ORDINARY.issuperset(caller.roles)
        if (
            not ordinary
            or not caller.subject
            or _owner(contract, heard, one, pointer) != caller.subject
        ):
            continue
        if "body" in exchange.sent.unrecorded:
            yield one, NOT_RECORDED
            continue
        value = sent_value(contract, exchange)
        problem: Any = "no JSON"
        if value is not NO_JSON:
            problem = problem_of(contract.owners_schema, value)
        refused = exchange.status in (400, 403, 422)
        if problem is None or (problem and refused):
            told = f"{problem}; answered {exchange.status}" if problem else "fits"
            yield one, Finding(not problem, "the body that owners send", told)
    for one in calls[:1]:
        yield one, WHOSE


def _owner(contract: Contract, heard: Heard, call: Overheard, pointer: str) -> str | None:
    """Return whose a resource is, as a look at it shows."""
    for one in heard:
        if one.exchange.kind != "observe" or one.resource != call.resource:
            continue
        life = contract.lifecycle
        seen = observe(one.exchange, life)
        whole = closed(seen.entity, life.ways) if seen and seen.entity is not None else None
        found = pointed(whole, pointer)
        if isinstance(found, str):
            return found
    return None


JUDGES: Mapping[str, Callable[[Contract, Heard, Any], Told]] = {
    "sends": sends,
    "own-body": own_body,
    "media-type": media_type,
    "credentials": credentials,
    "retry-after": waited,
    "repeats": repeats,
}
