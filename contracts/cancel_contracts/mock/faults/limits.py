"""Faults of limits and of time: quotas, answers wrong now and then, answers that never come."""

from __future__ import annotations

from cancel_contracts.contract.model import Contract
from cancel_contracts.mock import entry, identity, kit, leeway, shape
from cancel_contracts.mock.call import Call
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, always, breaks

THROTTLED = kit.refused("throttled")
ON_LIMIT = {"identity": "throttled", "answer": "429 403"}  # the statuses that tell of limits
EVERY = 7  # which call a flaky server spoils
HANGS_AT = 5  # which call a hanging server keeps: one, since each costs a time-out
GRANTED = 4  # calls that a stingy server grants
ANY_CALL = (breaks("status answered"),)


def stingy(desk: Desk) -> None:
    """Grant a handful of calls, and refuse the rest, whoever waits as told included."""
    granted = [0]

    def act(_: Desk, call: Call) -> None:
        if call.caller.sub != identity.THROTTLED:
            granted[0] += 1
        if granted[0] > GRANTED:
            raise desk.limited("1")

    kit.before("throttle", act)(desk)


def at_that_call(desk: Desk, call: Call) -> bool:
    return call.number == HANGS_AT


def told_otherwise(contract: Contract) -> bool:
    """A limit is told by another status than 429."""
    return bool(set(contract.limit_statuses) - {429})


def fault(
    family: str,
    name: str,
    says: str,
    broken: tuple[Breaks, ...],
    change: Change,
    applies: Applies = always,
) -> Fault:
    return Fault(name, family, says, broken, applies, change)


FAULTS: tuple[Fault, ...] = (
    fault("quota", "429-without-retry-after", "A 429 does not say when to come back.",
          (breaks("header", "retry-after", **ON_LIMIT),),
          kit.edit(THROTTLED, kit.drop("Retry-After"))),
    fault("quota", "429-with-wordy-retry-after", "The Retry-After of a 429 is no time.",
          (breaks("header", "retry-after", **ON_LIMIT),),
          kit.edit(THROTTLED, kit.header("Retry-After", "in a while"))),
    fault("quota", "429-without-envelope", "A 429 is an HTML page.",
          (breaks("error", "envelope", **ON_LIMIT), breaks("body", "documented", **ON_LIMIT)),
          kit.edit(THROTTLED, kit.payload(b"<h1>Too many requests</h1>", "text/html")),
          lambda c: leeway.told_in_json(shape.limit_status(c))(c)),
    fault("quota", "429-at-the-5th-call", "The limit strikes at the fifth call.",
          (breaks("quota"),), stingy, entry.quota),
    fault("quota", "429-yet-performed", "A call is refused by the limit, and done.",
          (breaks("effect", **ON_LIMIT),), kit.edit(THROTTLED, kit.performed), entry.observable),
    fault("quota", "limit-told-by-429", "A limit is told by 429, where another code is documented.",
          (breaks("status", identity="throttled", answer="429"),),
          kit.edit(THROTTLED, kit.status(429)), told_otherwise),
    fault("quota", "limit-told-as-any-refusal", "A refusal by the limit does not say that it is.",
          (breaks("header", "retry-after documented", identity="throttled"),
           breaks("status", identity="throttled", answer="403")),
          kit.edit(THROTTLED, kit.drop("Retry-After", "x-ratelimit-remaining")), told_otherwise),
    fault("flaky", "every-7th-call-answered-500", "Every seventh call is answered 500.",
          ANY_CALL, kit.refuse("method", kit.nth(EVERY), 500)),
    fault("flaky", "every-7th-call-reset", "Every seventh call is reset.",
          ANY_CALL, kit.together(kit.refuse("method", kit.nth(EVERY), 500, "flaky"),
                                 kit.edit(kit.refused("flaky"), kit.wire("reset-at-once")))),
    fault("flaky", "every-7th-call-answered-401", "Every seventh call is answered 401.",
          (breaks("status"),),
          kit.refuse("method", kit.nth(EVERY), 401, "flaky", identity.CHALLENGE)),
    fault("slow", "hangs-before-the-head", "One call is never answered.",
          (breaks("answered"),), kit.edit(at_that_call, kit.wire("hang-before-head"))),
    fault("slow", "hangs-in-the-body", "The body of one answer never ends.",
          (breaks("answered wire"),), kit.edit(at_that_call, kit.wire("hang-in-body"))),
)  # fmt: skip
