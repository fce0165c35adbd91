"""Faults of what becomes of a resource: states, effects, neighbours, methods, races."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from servers.faults import breaks, values
from servers.front import Request, Response
from servers.pages import PAGES
from servers.service import DATE, Call, Resource, Service

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
            late = super().__getattribute__(f"check_{self.hook}")(call)
            if late is not None:
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


# --- Methods -------------------------------------------------------------------------------------

OTHERS = ("GET", "HEAD", "PUT", "PATCH", "DELETE")


@breaks("SA-04 MA-05 AP-05", values("method", *OTHERS))
class MethodIsTaken(Service):
    method = ""

    def other_method(self, request: Request, id_: str) -> Response:
        resource = self.find(id_)
        if request.method != self.method or resource is None:
            return super().other_method(request, id_)
        self.cancel(resource, call := Call(request, id_, resource=resource))
        return self.success(call)


@breaks("SA-04 MA-05 AP-05", values("method", *OTHERS))
class MethodAnswered200(Service):
    method = ""

    def other_method(self, request: Request, id_: str) -> Response:
        taken = request.method == self.method
        return Response(200) if taken else super().other_method(request, id_)


@breaks("SA-04 MA-05 AP-05", values("method", "GET", "PUT", "DELETE"))
class MethodRefusedYetPerformed(Service):
    method = ""

    def other_method(self, request: Request, id_: str) -> Response:
        resource = self.find(id_)
        if request.method == self.method and resource and self.cancellable(resource.state):
            self.cancel(resource, Call(request, id_))
        return super().other_method(request, id_)


@breaks("SA-40 MA-48 AP-62", values("method", *OTHERS, "OPTIONS"), beside="SA-04 SA-29 MA-05 MA-42 AP-05 AP-44")
class MethodAnswered501(Service):
    """As http.server does for a method that it was not told of."""

    method = ""

    def other_method(self, request: Request, id_: str) -> Response:
        if request.method == self.method:
            return Response(501, b"", (("Connection", "close"),))
        return super().other_method(request, id_)


@breaks("SA-41 MA-49 AP-32", beside="SA-04 MA-05 AP-05")
class HeadHasABody(Service):
    def encode(self, response: Response, request: Request, close: bool) -> bytes:
        data = super().encode(response, request, close)
        return data + response.body if request.method == "HEAD" else data


@breaks("SA-29 MA-42 AP-44")
class OptionsPerforms(Service):
    def other_method(self, request: Request, id_: str) -> Response:
        resource = self.find(id_)
        if request.method == "OPTIONS" and resource:
            self.cancel(resource, Call(request, id_))
            return Response(204)
        return super().other_method(request, id_)


# --- Races ---------------------------------------------------------------------------------------


class Raced(Service):
    """Two calls that come within 50 ms of each other both pass the checks before either takes effect."""

    def post(self, request: Request, id_: str) -> Response:
        call = Call(request, id_)
        with self.lock:
            refusals = [r for n in self.checks if (r := getattr(self, f"check_{n}")(call))][:1] \
                if self.find(id_) else [super().post(request, id_)]  # fmt: skip
            crowd = self.waiting.setdefault(id_, [])
            crowd.append(call)
        if refusals:
            return refusals[0]
        time.sleep(0.05)
        with self.lock:
            return self.race(call, len(crowd) > 1, crowd[0] is call)

    def __init__(self, page: Any, tokens: Any) -> None:
        super().__init__(page, tokens)
        self.waiting: dict[str, list[Call]] = {}

    def race(self, call: Call, crowded: bool, first: bool) -> Response:
        self.perform(call)
        return self.success(call)


@breaks("SA-33 MA-53 AP-48")
class BothOfTwoTakeEffect(Raced):
    pass


@breaks("SA-33 MA-53 AP-48")
class BothOfTwoAreRefused(Raced):
    def race(self, call: Call, crowded: bool, first: bool) -> Response:
        if not crowded:
            return super().race(call, crowded, first)
        return self.refuse(409, "Conflict", "Busy.")


@breaks("SA-33 SA-40 MA-53 MA-48 AP-48 AP-62")
class OneOfTwoFails(Raced):
    def race(self, call: Call, crowded: bool, first: bool) -> Response:
        if not crowded or first:
            return super().race(call, crowded, first)
        return self.refuse(500, "InternalServerError", "Deadlock.")


@breaks("MA-53 AP-48")
class TwoLeaveAMixedState(Raced):
    def race(self, call: Call, crowded: bool, first: bool) -> Response:
        if not crowded:
            return super().race(call, crowded, first)
        assert call.resource is not None
        answer = super().race(call, crowded, first) if first else self.not_cancellable(call)
        call.resource.state = self.page.cancellable[1]
        return answer
