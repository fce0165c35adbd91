"""One call as somebody else recorded it, and what it did to its resource. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from cancel_contracts.exchange import Caller, Received, Sent
from cancel_contracts.foreign.route import Route
from cancel_contracts.parse import success

ROUNDING_SECONDS = 0.001  # moments of a recording are in whole milliseconds
# Some recorders tell no lengths, and of a call the moment of its answer: two that lie this close
# may have been made at once.
UNTIMED_SECONDS = 1.0
# RFC 9110 sections 15.6.4 and 15.6.5, and the vendor's lists of errors: temporary, send it again.
TEMPORARY = (503, 504, 509)


@dataclass(frozen=True)
class Left:
    """Why a call is set aside, as follows its count. `may_have_acted`: the server may have taken it
    all the same, so that what it did is not known.
    """

    why: str
    may_have_acted: bool = True


WORKER = Left("answered by a service worker")


@dataclass(frozen=True)
class Heard:
    """A call: on which route, when (seconds, from any moment on), what came of it.

    `left` says why it is not judged. Without a route it may have been a call on any resource. Its
    length is 0 where nobody told it.
    """

    where: Route | None
    sent: Sent
    received: Received | None
    started: float
    seconds: float = 0.0
    left: Left | None = None
    caller: Caller = field(default_factory=Caller)

    @property
    def ended(self) -> float:
        return self.started + self.seconds

    @property
    def cancels(self) -> bool:
        return self.where is not None and self.where.kind == "cancel"

    @property
    def status(self) -> int:
        """The status of an answer that counts, or 0."""
        return self.received.status if self.received and self.left is None else 0

    @property
    def resource(self) -> tuple[str, str, str]:
        """Where it was: contract, host, id. Two hosts may have a resource of one id each."""
        assert self.where is not None
        host = urlsplit(self.sent.url).netloc.rpartition("@")[2].casefold()
        id_ = "/".join((*self.where.within, self.where.id))
        return (self.where.contract.name, host, id_.casefold())

    @property
    def latest(self) -> float:
        """When it had ended at the latest, where it is not told how long it took."""
        return self.started + (self.seconds or UNTIMED_SECONDS)

    def overlaps(self, other: Heard) -> bool:
        """Whether two calls were made at once; of two cancels, whether they may have been."""
        both = self.cancels and other.cancels
        end = min(self.latest, other.latest) if both else min(self.ended, other.ended)
        return end - max(self.started, other.started) > ROUNDING_SECONDS

    def acts(self) -> bool | None:
        """Whether it has cancelled its resource, or None where that is not known.

        Only a success does (RFC 9110 section 15.3). A refusal, a preflight and a 503 that says when
        to come again leave things as they were.
        """
        if self.left is not None:
            return None if self.left.may_have_acted else False
        if self.sent.method in ("OPTIONS", "HEAD") or 300 <= self.status < 500:
            return False
        act = self.where.contract.method if self.where else None
        if self.sent.method == act and success(self.status):
            return True
        return False if self.asks_to_come_again() else None

    def asks_to_come_again(self) -> bool:
        if self.received is None or self.status != 503:
            return False
        return self.received.header("retry-after") is not None

    def put_off(self, later: Sequence[Heard]) -> bool:
        """Whether this is a server error that says itself that it is temporary, or shows so: the
        same call was served later, or may have been.
        """
        if self.asks_to_come_again():
            return True
        return self.status in TEMPORARY and any(
            call.status < 500
            for call in later
            if call.where is None or (call.cancels and call.sent.method == self.sent.method)
        )


def once(calls: Sequence[Heard]) -> list[Heard]:
    """Return the calls without those that are recorded twice: as the page made them and as its
    service worker passed them on, or in two recordings that were joined. `calls` are in order.
    """
    kept: list[Heard] = []
    recent: list[int] = []  # places in `kept` of calls that may still go on
    for call in calls:
        recent = [at for at in recent if kept[at].ended >= call.started]
        twin = next((at for at in recent if _same(kept[at], call)), None)
        if twin is None:
            recent.append(len(kept))
            kept.append(call)
        elif _told(call) > _told(kept[twin]):
            kept[twin] = replace(call, started=kept[twin].started)
    return kept


def _told(call: Heard) -> tuple[bool, int]:
    """Return how much of a call is told."""
    left = len(call.received.unrecorded) if call.received else 9
    return call.left is None, -left - len(call.sent.unrecorded)


def _same(a: Heard, b: Heard) -> bool:
    """Whether two entries, one of which begins while the other goes on, tell of one call: all that
    both tell is equal, down to the answer's Date and ids.
    """
    if a.where is None or b.where is None or a.sent.method != b.sent.method:
        return False
    if a.where.kind != b.where.kind or a.sent.url != b.sent.url:
        return False
    if WORKER in (a.left, b.left):
        return True
    if a.left != b.left or a.received is None or b.received is None:
        return False
    if _differs(a.sent, b.sent) or _differs(a.received, b.received):
        return False
    first, second = ({k.lower(): v for k, v in x.headers} for x in (a.received, b.received))
    alike = all(first[name] == second[name] for name in first.keys() & second.keys())
    return a.received.status == b.received.status and alike


def _differs(a: Sent | Received, b: Sent | Received) -> bool:
    """Whether two bodies differ, both of which were recorded."""
    return a.body != b.body and "body" not in (*a.unrecorded, *b.unrecorded)
