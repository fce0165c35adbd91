"""Faults in what nobody compares, in what is said to whom, and in what shows later."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from servers.entities import Resource
from servers.faults import breaks
from servers.front import Request, Response
from servers.pages import Page
from servers.service import Call, Service
from servers.tokens import Tokens
from servers.variants_habits import ShowsWhoAsked

LATER = 2.8  # seconds until it shows

# Properties of the three entities that a cancel has no business with, and what becomes of them.
LOST: dict[str, dict[str, Any]] = {
    "MA": {"machineId": "f" * 40, "type": "Offboard", "requestor": "someone@else.example"},
    "SA": {"name": "allowIp", "vendorInformation": {"provider": "Other", "vendor": "Other"}},
    "AP": {"requestType": "AdminRemove", "justification": "Cancelled"},
}


def each(short: str) -> dict[str, dict[str, Any]]:
    return {name: {"name": name, "becomes": value} for name, value in LOST[short].items()}


# --- The whole entity ----------------------------------------------------------------------------


@breaks("MA-69", each("MA"))
@breaks("SA-52", each("SA"))
@breaks("AP-72", each("AP"))
class CancelRewrites(Service):
    """A cancel writes another value where it has no business."""

    name, becomes = "", None

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        resource.shown[self.name] = self.becomes


@breaks("AP-72", {"justification": {"names": ("justification",)}})
@breaks("MA-69", {"commands": {"names": ("commands",)}})
class CancelDrops(Service):
    """What was cancelled is read from another table, which lacks a column."""

    names: tuple[str, ...] = ()

    def entity(self, resource: Resource) -> dict[str, Any]:
        found = super().entity(resource)
        if resource.state != self.page.cancelled:
            return found
        return {k: v for k, v in found.items() if k not in self.names}


@breaks("MA-69 AP-72", beside="MA-08 AP-11")
class RefusalRewrites(Service):
    """A refused call leaves its mark in a text of the resource's own."""

    def refused(self, call: Call, refusal: Response) -> Response:
        if (resource := self.find(call.id)) is not None and refusal.status in (403, 409):
            resource.shown |= {
                "requestorComment" if self.page.short == "MA" else "justification": "refused"
            }
        return super().refused(call, refusal)


@breaks("MA-08")
class RefusalNamesACanceller(Service):
    """Who asked is written down as who cancelled, of what has ended."""

    def not_cancellable(self, call: Call) -> Response:
        assert call.resource is not None
        if call.resource.state != self.page.cancelled:
            call.resource.cancelled_by = call.caller.name
        return super().not_cancellable(call)


@breaks("MA-33", {
    "machine": {"name": "machineId", "says": "0" * 40}, "type": {"name": "type", "says": "Unisolate"},
    "who": {"name": "cancellationRequestor", "says": "system"},
    "when": {"name": "cancellationDateTimeUtc", "says": "2024-10-21T11:31:02Z"},
})  # fmt: skip
class AnswerDisagrees(Service):
    """The answer tells of a property what the GET does not."""

    name = says = ""

    def success(self, call: Call) -> Response:
        assert call.resource is not None
        return self.told(self.entity(call.resource) | {self.name: self.says})


@breaks("MA-71", {"years before": {"hours": -300_000}, "days ahead": {"hours": 72}})
class DatesOutOfOrder(Service):
    hours = 0

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        when = datetime.now(UTC) + timedelta(hours=self.hours)
        resource.cancelled_at = when.strftime("%Y-%m-%dT%H:%M:%SZ")


@breaks("MA-72")
class TwoCallersUnderOneName(Service):
    """An application is written down under the name of the last user."""

    last = ""

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        if call.caller.application and self.last:
            resource.cancelled_by = self.last
        elif not call.caller.application:
            self.last = call.caller.name


# --- Later ---------------------------------------------------------------------------------------


class Later(Service):
    """Does something some seconds after a call, from a thread of its own."""

    seconds = LATER

    def in_a_while(self, act: Any, *arguments: Any) -> None:
        def run() -> None:
            with self.lock:
                act(*arguments)

        timer = threading.Timer(self.seconds, run)
        timer.daemon = True
        timer.start()


@breaks("SA-03 MA-33 AP-37")
class TimeToLive(Later):
    """What is cancelled is swept away."""

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        self.in_a_while(self.resources.pop, resource.id, None)


@breaks("SA-03 MA-33 AP-37")
class RolledBack(Later):
    """A transaction that nobody committed."""

    def cancel(self, resource: Resource, call: Call) -> None:
        before = dict(vars(resource))
        super().cancel(resource, call)
        self.in_a_while(vars(resource).update, before)


@breaks("SA-12 MA-21 AP-19", {"401": {"code": 401}})
@breaks("SA-10 MA-19 AP-14", {"403": {"code": 403}})
@breaks("SA-04 MA-05 AP-05", {"405": {"code": 405}})
class QueuedBeforeItIsRefused(Later):
    """The queue has taken it before the answer says no."""

    code = 0

    def later(self, request: Request, id_: str, refusal: Response) -> None:
        resource = self.find(id_)
        if refusal.status == self.code and resource and self.cancellable(resource.state):
            self.in_a_while(self.cancel, resource, Call(request, id_))

    def refused(self, call: Call, refusal: Response) -> Response:
        self.later(call.request, call.id, refusal)
        return super().refused(call, refusal)

    def other_method(self, request: Request, id_: str) -> Response:
        refusal = super().other_method(request, id_)
        self.later(request, id_, refusal)
        return refusal


@breaks("SA-03")
class ReportedAsOpenAgain(Later):
    """A late report of the state alone; who cancelled, and when, stays."""

    def cancel(self, resource: Resource, call: Call) -> None:
        before = resource.state
        super().cancel(resource, call)
        self.in_a_while(setattr, resource, "state", before)


@breaks("SA-32")
class EndedOnesAreCancelledLater(Later):
    """The queue has taken what has ended before the answer says no."""

    def not_cancellable(self, call: Call) -> Response:
        assert call.resource is not None
        if call.resource.state != self.page.cancelled:
            self.in_a_while(self.cancel, call.resource, call)
        return super().not_cancellable(call)


@breaks("SA-24 MA-08 AP-11")
class EndedOnesComeToLife(Later):
    """A retry of what has ended is scheduled where somebody asks to cancel it."""

    def not_cancellable(self, call: Call) -> Response:
        assert call.resource is not None
        self.in_a_while(setattr, call.resource, "state", self.page.cancellable[-1])
        return super().not_cancellable(call)


@breaks("SA-34 MA-14 AP-49", {"third": {"each": 3}, "second": {"each": 2}})
class LimitIsAskedAfterTheWork(Service):
    """Each so many-th call is done, and answered as one too many."""

    each, done = 0, 0

    def success(self, call: Call) -> Response:
        self.done += 1
        return super().success(call) if self.done % self.each else self.limit("0")


# --- Canaries ------------------------------------------------------------------------------------


@breaks("SA-53 MA-70 AP-73")
class ErrorsNameTheCallerBefore(Service):
    before = ""

    def post(self, request: Request, id_: str) -> Response:
        answer = super().post(request, id_)
        caller = self.bearer(request)
        if answer.status == 404 and self.before and caller and caller.name != self.before:
            answer = self.refuse(404, "ResourceNotFound", f"Not found. See {self.before}'s call.")
        self.before = caller.name if caller else self.before
        return answer


@breaks("SA MA AP")
class ForbiddenListTheGranted(Service):
    """A 403 lists tokens that would have passed."""

    seen = ""

    def check_permission(self, call: Call) -> Response | None:
        refusal = super().check_permission(call)
        if refusal is None:
            self.seen = call.request.headers.get("authorization", "")
            return None
        known = f"Try {self.seen}" if self.seen else "No."
        return self.refuse(403, "Forbidden", known)


@breaks("SA-53 MA-70 AP-73", beside="SA-21")
class TokenInAHeader(Service):
    """A header for debugging holds the token."""

    def refused(self, call: Call, refusal: Response) -> Response:
        token = call.request.headers.get("authorization", "-").encode("ascii", "replace").decode()
        return replace(refusal, headers=(*refusal.headers, ("X-Debug-Auth", token)))


@breaks("MA-70")
class CommentOfAnotherInAnError(Service):
    def unknown(self, call: Call) -> Response:
        kept = [r.comment for r in self.resources.values() if r.comment]
        return self.refuse(404, "ResourceNotFound", f"Not found. Last: {kept[-1] if kept else ''}")


@breaks("AP-73", beside="AP-25 AP-140", deep=True)
class OwnerNamedToAnother(Service):
    def check_ownership(self, call: Call) -> Response | None:
        refusal = super().check_ownership(call)
        if refusal is None or call.resource is None:
            return refusal
        return self.refuse(403, "UnAuthorized", f"The request is of {call.resource.owner}.")


@breaks("AP-73")
class AddressOfTheOwnerInARefusal(ShowsWhoAsked):
    def check_ownership(self, call: Call) -> Response | None:
        refusal = super().check_ownership(call)
        if refusal is None or call.resource is None:
            return refusal
        return self.refuse(403, "UnAuthorized", f"Ask {self.asked_by(call.resource)} for it.")


@breaks("SA-54 MA-74 AP-76", {"message": {"code": "Forbidden"}, "code": {"code": "Gone"}})
class ForbiddenLearnWhatExists(Service):
    """Both are refused with 403, in other words."""

    code = "Forbidden"

    def check_permission(self, call: Call) -> Response | None:
        refusal = super().check_permission(call)
        if refusal is None or self.find(call.id) is not None:
            return refusal
        return self.refuse(403, self.code, "The caller lacks the permission for nothing.")


@breaks("SA-54 MA-74 AP-76")
class ForbiddenLearnTheState(Service):
    """The word of the 403 depends on the state that the resource is in."""

    def check_permission(self, call: Call) -> Response | None:
        refusal, found = super().check_permission(call), self.find(call.id)
        if refusal is None or found is None:
            return refusal
        return self.refuse(403, "Forbidden", f"No permission for what is {found.state}.")


# --- More at once --------------------------------------------------------------------------------


@breaks("SA-33 MA-53 AP-48", {"three": {"room": 2}})
@breaks("SA-33 MA-53 AP-48", {"five": {"room": 4}}, deep=True)
class NoRoomForMore(Service):
    """A pool that is used up answers with a failure."""

    room = 0

    def __init__(self, page: Page, tokens: Tokens) -> None:
        super().__init__(page, tokens)
        self.inside, self.counter = 0, threading.Lock()

    def post(self, request: Request, id_: str) -> Response:
        with self.counter:
            self.inside += 1
            full = self.inside > self.room
        try:
            time.sleep(0.1 if self.inside > 1 else 0.02)
            return self.refuse(500, "PoolExhausted", "No room.") if full else (
                super().post(request, id_))  # fmt: skip
        finally:
            with self.counter:
                self.inside -= 1


@breaks("SA-33 MA-53 AP-48", deep=True)
class AnswersCross(Service):
    """A field of the service that should be a variable: calls at once take each other's id."""

    current = ""

    def post(self, request: Request, id_: str) -> Response:
        self.current = id_
        time.sleep(0.05)
        return super().post(request, self.current)


@breaks("MA-53", deep=True)
class CallersCross(Service):
    current: Any = None

    def check_caller(self, call: Call) -> Response | None:
        refusal = super().check_caller(call)
        type(self).current = call.caller if refusal is None else self.current
        return refusal

    def post(self, request: Request, id_: str) -> Response:
        found = self.bearer(request)
        if found is not None:
            self.current = found
        time.sleep(0.12)  # until the others have come, on a busy machine too
        return super().post(request, id_)

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        resource.cancelled_by = self.current.name if self.current else None
