"""Faults of what becomes of a resource: which states, which effect, and again."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from servers.entities import DATE, Resource
from servers.faults import breaks, values
from servers.front import Response
from servers.pages import PAGES
from servers.service import Call, Service

FINAL = {short: page.final for short, page in PAGES.items()}


# --- Which states --------------------------------------------------------------------------------


@breaks("SA-32 MA-08 AP-11")
class FinalStatesAreCancelled(Service):
    def cancellable(self, state: str) -> bool:
        return True


@breaks("SA-32", values("also", *FINAL["SA"]))
@breaks("MA-08", values("also", "Succeeded", "Failed"))
@breaks("AP-11", values("also", *FINAL["AP"][:-1]))
class OneFinalStateIsCancelled(Service):
    also = ""

    def cancellable(self, state: str) -> bool:
        return state == self.also or super().cancellable(state)


@breaks("SA-23", values("but", *PAGES["SA"].cancellable))
@breaks("MA-07", values("but", *PAGES["MA"].cancellable))
@breaks("AP-07", values("but", "accepted"), beside="AP-01")
@breaks("AP-08", values("but", "pendingApproval"), beside="AP-01")
@breaks("AP-09", values("but", "pendingNotBefore"), beside="AP-01")
@breaks("AP-10", values("but", "pendingApprovalEscalated"), beside="AP-01")
class OneCancellableStateIsRefused(Service):
    but = ""

    def cancellable(self, state: str) -> bool:
        return state != self.but and super().cancellable(state)


@breaks("MA-08 AP-11")
class FinalStateAnsweredAsDone(Service):
    def not_cancellable(self, call: Call) -> Response:
        return self.success(call)


@breaks("MA-09")
class TimeOutAnsweredAsDone(Service):
    def not_cancellable(self, call: Call) -> Response:
        assert call.resource is not None
        timed_out = call.resource.state == "TimeOut"
        return self.success(call) if timed_out else super().not_cancellable(call)


@breaks("SA-32 SA-40 MA-08 MA-48 AP-11 AP-62")
class FinalStateAnswered500(Service):
    def not_cancellable(self, call: Call) -> Response:
        return self.refuse(500, "InternalServerError", "Something went wrong.")


# --- Which effect --------------------------------------------------------------------------------


@breaks("SA-23 MA-33 AP-37")
class NoEffect(Service):
    def perform(self, call: Call) -> None:
        pass

    def success(self, call: Call) -> Response:
        answer = super().success(call)
        return replace(answer, body=answer.body.replace(b'"Pending"', b'"Cancelled"'))


@breaks("SA-23")
class NoEffectUnderAChangingCoat(NoEffect):
    looks = 0

    def entity(self, resource: Resource) -> dict[str, Any]:
        self.looks += 1
        return super().entity(resource) | {"views": self.looks, "@odata.etag": f'W/"{self.looks}"'}


@breaks("SA-23")
class NoEffectWhileTimePasses(NoEffect):
    begun = time.monotonic()

    def entity(self, resource: Resource) -> dict[str, Any]:
        passed = int((time.monotonic() - self.begun) * 5)
        return super().entity(resource) | {"runningFifths": passed}


@breaks("SA-23 MA-07 AP-08")
class NoEffectInOneState(Service):
    def cancel(self, resource: Resource, call: Call) -> None:
        if resource.state != self.page.cancellable[1]:
            super().cancel(resource, call)


@breaks("SA-09 MA-15 AP-54")
class NoEffectForApplicationsAndOwners(Service):
    def cancel(self, resource: Resource, call: Call) -> None:
        if call.caller.admin:
            super().cancel(resource, call)


@breaks("MA-33", values("leads_to", "Failed", "Succeeded", "InProgress"))
@breaks("AP-37", values("leads_to", "denied", "delivered"))
class WrongStateAfter(Service):
    leads_to = ""

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        resource.state = self.leads_to


@breaks("SA-05 MA-06 AP-06")
class NeighbourCancelledToo(Service):
    def perform(self, call: Call) -> None:
        for resource in self.resources.values():
            if self.cancellable(resource.state):
                self.cancel(resource, call)


@breaks("SA-05 MA-06 AP-06")
class NeighbourCancelledInstead(Service):
    def perform(self, call: Call) -> None:
        assert call.resource is not None
        open_ = [r for r in self.resources.values() if self.cancellable(r.state)]
        other = next((r for r in open_ if r is not call.resource), call.resource)
        self.cancel(other, call)


@breaks("AP-54")
class AllOfTheOwnerCancelled(Service):
    def perform(self, call: Call) -> None:
        super().perform(call)
        for resource in self.resources.values():
            if resource.owner == call.caller.name and not call.caller.admin:
                self.cancel(resource, call)


@breaks("MA-06")
class NeighbourGetsTheComment(Service):
    def perform(self, call: Call) -> None:
        super().perform(call)
        for resource in self.resources.values():
            resource.comment = call.comment


@breaks("SA-32 MA-08 AP-11")
class RefusedButCancelled(Service):
    def not_cancellable(self, call: Call) -> Response:
        assert call.resource is not None
        self.cancel(call.resource, call)
        return super().not_cancellable(call)


@breaks("MA-08 MA-19 AP-11 AP-16 AP-25")
class RefusedAndPerformedLater(Service):
    """A worker goes through all that was asked for. It is done when somebody has looked."""

    def refused(self, call: Call, refusal: Response) -> Response:
        if (resource := self.find(call.id)) is not None:
            resource.waiting = call  # type: ignore[attr-defined]
        return super().refused(call, refusal)

    def entity(self, resource: Resource) -> dict[str, Any]:
        found = super().entity(resource)
        if call := resource.__dict__.pop("waiting", None):
            self.cancel(resource, call)
        return found


@breaks("MA-33 MA-04 AP-37 AP-04")
class CancelledForAWhile(Service):
    """What was cancelled shows as cancelled once, and then as it was before."""

    def entity(self, resource: Resource) -> dict[str, Any]:
        if resource.cancelled_by is not None:
            looks = resource.__dict__["looks"] = resource.__dict__.get("looks", 0) + 1
            if looks > 1:
                resource.state = self.page.cancellable[0]
        return super().entity(resource)


@breaks("MA-08")
class RefusedButCommentWritten(Service):
    def not_cancellable(self, call: Call) -> Response:
        assert call.resource is not None
        call.resource.comment, call.resource.cancelled_by = call.comment, call.caller.name
        return super().not_cancellable(call)


@breaks("MA-19")
class ForbiddenButCommentWritten(Service):
    checks = ("caller", "existence", "content", "permission", "ownership", "state")

    def check_permission(self, call: Call) -> Response | None:
        assert call.resource is not None
        call.resource.comment = call.comment
        return super().check_permission(call)


@breaks("SA-12 MA-21 AP-19", {"401": {"hook": "caller"}})
@breaks("SA-10 MA-19 AP-16", {"403": {"hook": "permission"}})
@breaks("SA-08 AP-14", {"personal": {"hook": "caller"}})
@breaks("AP-25", {"another user's": {"hook": "ownership"}})
@breaks("MA-27 AP-29", {"bad body": {"hook": "content"}})
@breaks("MA-22", {"media type": {"hook": "content"}})
class RefusedYetPerformed(Service):
    """The effect comes first, the check after."""

    hook = ""

    def refused(self, call: Call, refusal: Response) -> Response:
        if (resource := self.find(call.id)) and self.cancellable(resource.state):
            call.resource = resource
            if getattr(self, f"check_{self.hook}")(call) is not None:
                self.cancel(resource, call)
        return refusal


@breaks("AP-39")
class WritesOtherProperties(Service):
    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        if isinstance(call.document, dict) and "justification" in call.document:
            resource.shown["justification"] = call.document["justification"]


# --- Again and again -----------------------------------------------------------------------------


class Again(Service):
    """What a call on a cancelled resource does."""

    def not_cancellable(self, call: Call) -> Response:
        assert call.resource is not None
        if call.resource.state == self.page.cancelled:
            return self.again(call, call.resource)
        return super().not_cancellable(call)

    def again(self, call: Call, resource: Resource) -> Response:
        raise NotImplementedError


@breaks("SA-24 MA-39 AP-38")
class SecondCancelResurrects(Again):
    def again(self, call: Call, resource: Resource) -> Response:
        resource.state = self.page.cancellable[0]
        return self.success(call)


@breaks("SA-24 MA-39 AP-38", values("status", 409, 404))
class SecondCancelRefusedAndDeletes(Again):
    status = 409

    def again(self, call: Call, resource: Resource) -> Response:
        self.resources.pop(resource.id)
        return self.refuse(self.status, "Gone", "It is no more.")


@breaks("SA-24 SA-40 MA-39 MA-48 AP-38 AP-62")
class SecondCancelFails(Again):
    def again(self, call: Call, resource: Resource) -> Response:
        return self.refuse(503, "ServiceUnavailable", "Try again.")


@breaks("SA-18 AP-31", beside="SA-24 AP-38")
class SecondCancelIsNotEmpty(Again):
    def again(self, call: Call, resource: Resource) -> Response:
        return self.told({"message": "already cancelled"})


@breaks("MA-39", {"accepted": {"refuses": False}, "refused": {"refuses": True}})
class SecondCancelOverwrites(Again):
    refuses = False

    def again(self, call: Call, resource: Resource) -> Response:
        self.cancel(resource, call)
        refusal = self.refuse(409, "NotCancellable", "It is cancelled.")
        return refusal if self.refuses else self.success(call)


@breaks("MA-39")
class SecondCancelMovesTheTime(Again):
    def again(self, call: Call, resource: Resource) -> Response:
        resource.cancelled_at = f"2031-01-01T00:00:{self.calls % 60:02d}Z"
        return self.success(call)


@breaks("MA-43 AP-47")
class CancelledStateResurrects(Again):
    def again(self, call: Call, resource: Resource) -> Response:
        if resource.cancelled_at == DATE:
            resource.state = self.page.cancellable[0]
        return self.refuse(409, "NotCancellable", "It is cancelled.")


@breaks("SA-20 MA-34 AP-35", values("status", 404, 200))
class UnknownIdCreates(Service):
    status = 404

    def unknown(self, call: Call) -> Response:
        if call.request.method == "POST":
            self.resources[call.id] = Resource(call.id, self.page.cancelled, "admin")
        if self.status == 200:
            return self.empty(200)
        return super().unknown(call)


@breaks("SA-23 MA-33 AP-37")
class CancelDeletes(Service):
    def perform(self, call: Call) -> None:
        super().perform(call)
        self.resources.pop(call.id)
