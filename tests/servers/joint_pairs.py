"""Faults where two facts meet or what went before counts: each alone is served as it should be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from servers.entities import Resource
from servers.faults import breaks
from servers.front import Request, Response
from servers.pages import Page
from servers.service import Call, Service
from servers.tokens import Tokens


def third_or_last(page: Page) -> str:
    return page.cancellable[min(2, len(page.cancellable) - 1)]


class Looks(Service):
    """Says of a call what is known of it before it is judged."""

    def subject(self, call: Call) -> Resource | None:
        return call.resource or self.find(call.id)

    def in_last_state(self, call: Call) -> bool:
        subject = self.subject(call)
        return subject is not None and subject.state == self.page.cancellable[-1]


# --- Pairs ---------------------------------------------------------------------------------------


@breaks("MA-15", {"offboard": {"role": "Machine.Offboard"}}, deep=True)
@breaks("SA-01", {"actions": {"role": "SecurityActions.ReadWrite.All"}})
class RoleIsEnoughButInTheLastState(Looks):
    """An application of one role that counts is refused from the last of the states."""

    role = ""

    def check_state(self, call: Call) -> Response | None:
        if call.caller.application and self.in_last_state(call) and (
            call.caller.permissions & self.page.application == {self.role}
        ):  # fmt: skip
            return self.refuse(403, "Forbidden", "The role does not reach that far.")
        return super().check_state(call)


class ForeignAudienceInTheLastState(Looks):
    """A cache of validated tokens leaves the audience out, for what is in the last state."""

    def check_caller(self, call: Call) -> Response | None:
        if self.in_last_state(call):
            addressed = self.tokens.addressed  # type: ignore[attr-defined]
            self.tokens.addressed = lambda claims: True  # type: ignore[attr-defined]
            try:
                return super().check_caller(call)
            finally:
                self.tokens.addressed = addressed  # type: ignore[attr-defined]
        return super().check_caller(call)


@breaks("SA-08 AP-14", deep=True)
class PersonalAccountInTheLastState(Looks):
    def check_caller(self, call: Call) -> Response | None:
        refusal = super().check_caller(call)
        if refusal is not None and call.caller.personal and self.in_last_state(call):
            return None
        return refusal


@breaks("AP-21", beside="AP-10")
class OwnerEscalatedBodyUnread(Looks):
    """The owner's body is not read where the approval was escalated."""

    def own_cancellation(self, call: Call) -> bool:
        return self.in_last_state(call) or super().own_cancellation(call)


@breaks("AP-203", deep=True)
class SubjectAccessOfAnothersInOneState(Looks):
    """The small permission is enough for what is another's, while it has not begun."""

    def check_permission(self, call: Call) -> Response | None:
        small = "EntitlementMgmt-SubjectAccess.ReadWrite" in call.caller.permissions
        subject = self.subject(call)
        if small and subject is not None and subject.state == third_or_last(self.page):
            call.caller = replace(call.caller, admin=True)
            return None
        return super().check_permission(call)


@breaks("MA-28", {"in progress": {}})
class CommentOfALaterStateIsLost(Looks):
    def cancel(self, resource: Resource, call: Call) -> None:
        late = resource.state == "InProgress"
        super().cancel(resource, call)
        if late and call.request.chunked:
            resource.comment = None


@breaks("MA-22", beside="MA-07")
@breaks("AP-137", deep=True)
class FormTakenInTheLastState(Looks):
    """A content negotiator of an older version serves what is in the last state."""

    def media(self, call: Call) -> str:
        found = super().media(call)
        return "application/json" if self.in_last_state(call) and found else found


@breaks("MA-34 AP-35", beside="MA-54 AP-59")
@breaks("SA-20", deep=True)
class ChunkedUnknownIdIsDone(Service):
    def unknown(self, call: Call) -> Response:
        if call.request.chunked:
            return self.empty(200)
        return super().unknown(call)


@breaks("SA-04 MA-05 AP-05", {"delete": {"verb": "DELETE"}, "put": {"verb": "PUT"}}, deep=True)
class MethodTakenOnWhatEnded(Service):
    """An administrative route of old: it takes away what has ended."""

    verb = ""

    def other_method(self, request: Request, id_: str) -> Response:
        resource, caller = self.find(id_), self.bearer(request)
        if request.method == self.verb and caller and resource is not None:
            if not self.cancellable(resource.state):
                self.resources.pop(id_)
        return super().other_method(request, id_)


@breaks("SA-04 MA-05 AP-05", deep=True)
class PatchByNobodyIsDone(Service):
    """PATCH without a token reaches a handler that has no check."""

    def other_method(self, request: Request, id_: str) -> Response:
        resource = self.find(id_)
        if request.method == "PATCH" and "authorization" not in request.headers and resource:
            self.cancel(resource, Call(request, id_))
        return super().other_method(request, id_)


@breaks("SA-20 MA-34 AP-35", deep=True)
class HeadOfAnUnknownIdFails(Service):
    def other_method(self, request: Request, id_: str) -> Response:
        if request.method == "HEAD" and self.find(id_) is None:
            return Response(500)
        return super().other_method(request, id_)


@breaks("SA-18")
@breaks("AP-31", beside="AP-20", deep=True)
class BodyInTheLastStatesSuccess(Looks):
    """Applications and owners are answered with the entity, from the last of the states."""

    def success(self, call: Call) -> Response:
        assert call.resource is not None
        last = call.resource.__dict__.get("began") == self.page.cancellable[-1]
        if last and not call.caller.admin:
            return self.told(self.entity(call.resource))
        return super().success(call)

    def cancel(self, resource: Resource, call: Call) -> None:
        resource.__dict__.setdefault("began", resource.state)
        super().cancel(resource, call)


@breaks("AP-31 MA-31", {"no Accept": {"marks": "accept"}, "no User-Agent": {"marks": "user-agent"}})
class AnotherAnswerToPlainClients(Service):
    """What no clause about the answer names decides it: which header lines are left out."""

    marks = ""

    def success(self, call: Call) -> Response:
        plain = self.marks not in call.request.headers
        return self.told({}, self.success_status) if plain else super().success(call)


@breaks("MA-30")
class ChunkedAnswerIsAnEmptyObject(Service):
    def success(self, call: Call) -> Response:
        nobody = call.caller.application and call.request.chunked
        return self.told({}) if nobody else super().success(call)


@breaks("SA-25 MA-35 AP-40", beside="AP-59")
class FinalStateForAnApplicationToldInHtml(Looks):
    def not_cancellable(self, call: Call) -> Response:
        if call.request.chunked or call.caller.application:
            return Response(409, b"<h1>Conflict</h1>", (("Content-Type", "text/html"),))
        return super().not_cancellable(call)


# --- Histories -----------------------------------------------------------------------------------


@breaks("SA-01 MA-01 AP-01")
class LockedByARefusal(Service):
    """A lock that is taken before the checks is not given back where one of them says no."""

    def __init__(self, page: Page, tokens: Tokens) -> None:
        super().__init__(page, tokens)
        self.locked: set[str] = set()

    def refused(self, call: Call, refusal: Response) -> Response:
        if refusal.status in (400, 403, 415):
            self.locked.add(call.id)
        return super().refused(call, refusal)

    def check_state(self, call: Call) -> Response | None:
        if call.id in self.locked:
            return self.refuse(423, "Locked", "Somebody is at it.")
        return super().check_state(call)


@breaks("MA-70 AP-27", beside="AP-01", deep=True)
class BodyOfTheRefusedCallCounts(Service):
    """What was read of a refused call fills what the next one leaves out."""

    left: Any = None

    def refused(self, call: Call, refusal: Response) -> Response:
        if isinstance(call.document, dict):
            self.left = call.document
        return super().refused(call, refusal)

    def json(self, call: Call) -> bool:
        good = super().json(call)
        if not good and self.left is not None and not call.request.body:
            call.document, self.left = self.left, None
            return True
        return good

    def check_machine(self, call: Call) -> Response | None:
        refusal = super().check_machine(call)
        if refusal is None and self.left is not None and not call.comment:
            call.document, self.left = self.left, None
        return refusal


@breaks("SA-10 MA-19 AP-16", deep=True)
class TrustsWhomItRefusedTwice(Service):
    """A counter of refusals that turns over."""

    def __init__(self, page: Page, tokens: Tokens) -> None:
        super().__init__(page, tokens)
        self.refusals: dict[tuple[str, str], int] = {}

    def check_permission(self, call: Call) -> Response | None:
        refusal = super().check_permission(call)
        if refusal is not None:
            key = call.caller.name, call.id
            self.refusals[key] = self.refusals.get(key, 0) + 1
            if self.refusals[key] % 3 == 0:
                return None
        return refusal


@breaks("SA-40 MA-48 AP-62")
class CancelledByAnotherFails(Service):
    """A second cancel fails where another one made the first."""

    def not_cancellable(self, call: Call) -> Response:
        assert call.resource is not None
        if call.resource.cancelled_by not in (None, call.caller.name, "someone"):
            return self.refuse(500, "InternalServerError", "Owner mismatch.")
        return super().not_cancellable(call)


@breaks("MA-43")
class CancelledByAnotherIsRenamed(Service):
    """Whoever asks last is who cancelled, and the comment stays."""

    def not_cancellable(self, call: Call) -> Response:
        assert call.resource is not None
        if call.resource.cancelled_by not in (None, call.caller.name):
            call.resource.cancelled_by = call.caller.name
        return super().not_cancellable(call)


@breaks("SA MA AP")
class FourthCallOnOneResourceReopens(Service):
    def __init__(self, page: Page, tokens: Tokens) -> None:
        super().__init__(page, tokens)
        self.asked: dict[str, int] = {}

    def post(self, request: Request, id_: str) -> Response:
        answer = super().post(request, id_)
        self.asked[id_] = self.asked.get(id_, 0) + 1
        if self.asked[id_] == 4 and (resource := self.find(id_)):
            resource.state = self.page.cancellable[0]
        return answer


@breaks("SA MA")
class EveryFifthSuccessIsForgotten(Service):
    done = 0

    def cancel(self, resource: Resource, call: Call) -> None:
        self.done += 1
        before = resource.state
        super().cancel(resource, call)
        if self.done % 5 == 0 and call.caller.application:
            resource.state = before
            resource.cancelled_at = resource.cancelled_by = resource.comment = None
            resource.touched = "2024-10-21T11:25:48.3308187Z"


@breaks("SA MA AP")
class LookThenCancelFails(Service):
    """A resource that was looked at three times is taken for busy."""

    def show(self, request: Request, id_: str) -> Response:
        if (resource := self.find(id_)) is not None:
            resource.__dict__["looks"] = resource.__dict__.get("looks", 0) + 1
        return super().show(request, id_)

    def check_state(self, call: Call) -> Response | None:
        assert call.resource is not None
        if call.resource.__dict__.get("looks", 0) >= 3 and self.cancellable(call.resource.state):
            return self.refuse(409, "Busy", "It is being looked at.")
        return super().check_state(call)


# --- Kept connections ----------------------------------------------------------------------------


@breaks("SA-10 MA-19 AP-16", beside="SA-19")
class ConnectionRemembersItsPermissions(Service):
    """Whoever calls on a connection that an administrator opened may do what an administrator may."""

    def check_caller(self, call: Call) -> Response | None:
        refusal = super().check_caller(call)
        if refusal is None:
            known = call.request.connection.setdefault("caller", call.caller)
            if known.admin:
                call.caller = replace(known, name=call.caller.name)
        return refusal


@breaks("SA-180 MA-180 AP-180")
class ExpiredTokenOnAKeptConnection(Service):
    """The clock is read when a connection opens."""

    def check_caller(self, call: Call) -> Response | None:
        kept = call.request.connection
        timely = self.tokens.timely  # type: ignore[attr-defined]
        if kept.get("opened"):
            self.tokens.timely = lambda claims: True  # type: ignore[attr-defined]
        try:
            refusal = super().check_caller(call)
        finally:
            self.tokens.timely = timely  # type: ignore[attr-defined]
        kept["opened"] = refusal is None or kept.get("opened", False)
        return refusal


@breaks("MA-54")
@breaks("AP-180", beside="AP-29", deep=True)
class RefusedBodyIsReadAgain(Service):
    """A body that was refused is put before the next one on the connection."""

    def check_content(self, call: Call) -> Response | None:
        kept = call.request.connection
        call.request = replace(call.request, body=kept.pop("rest", b"") + call.request.body)
        return super().check_content(call)

    def refused(self, call: Call, refusal: Response) -> Response:
        if refusal.status == 400:
            call.request.connection["rest"] = call.request.body
        return super().refused(call, refusal)


@breaks("SA-180 MA-180 AP-180")
class ThirdAnswerOnAConnectionIsTheFirst(Service):
    def answer(self, request: Request) -> Response:
        made = super().answer(request)
        if request.target.endswith("/" + self.page.verb):
            kept = request.connection.setdefault("answers", [])
            kept.append(made)
            return kept[0] if len(kept) == 3 else made
        return made


@breaks("SA-180 MA-180 AP-180")
class UnreadBodyIsTheNextRequest(Service):
    """What was sent with a call that is refused for its caller stays on the connection."""

    statuses: tuple[int, ...] = (401, 403)

    def answer(self, request: Request) -> Response:
        if request.connection.pop("unread", False):
            return Response(400, b"Bad Request", (("Content-Type", "text/plain"),), hang_up="close")
        made = super().answer(request)
        request.connection["unread"] = made.status in self.statuses and bool(request.body)
        return made


@breaks("MA-180")
class UnreadFormIsTheNextRequest(UnreadBodyIsTheNextRequest):
    """A body of another media type is not read."""

    statuses = (415,)


@breaks("SA-180 MA-180 AP-180", deep=True)
class FourthRequestDoneAndHungUpOn(Service):
    """A worker ends after three requests, without a word, in the middle of the fourth."""

    def answer(self, request: Request) -> Response:
        turn = request.connection["turn"] = request.connection.get("turn", 0) + 1
        made = super().answer(request)
        done = turn == 4 and request.method == "POST" and 200 <= made.status < 300
        return Response(200, wire=b"", hang_up="close") if done else made


# --- Other callers -------------------------------------------------------------------------------


@breaks("AP-06", beside="AP-17")  # on the other two nobody owns anything
class SameOwnerOnly(Service):
    """A cancel strikes the newest of whatever other owner there is."""

    def perform(self, call: Call) -> None:
        super().perform(call)
        assert call.resource is not None
        others = [r for r in self.resources.values() if r.owner != call.resource.owner]
        for resource in [r for r in others if self.cancellable(r.state)][-1:]:
            self.cancel(resource, call)


@breaks("SA-05 MA-06 AP-06", beside="MA-18")
class RefusalForgetsTheOthers(Service):
    """A refused caller's other resources are dropped from the list."""

    def refused(self, call: Call, refusal: Response) -> Response:
        if refusal.status == 403:
            for id_ in [i for i, r in self.resources.items() if self.cancellable(r.state)]:
                if id_ != call.id:
                    self.resources.pop(id_)
                    break
        return super().refused(call, refusal)


@breaks("SA-52 MA-69 AP-72", beside="AP-08")
class CancelledOnesLoseTheirDate(Service):
    """Each cancel rewrites the dates of those before."""

    def perform(self, call: Call) -> None:
        super().perform(call)
        for resource in self.resources.values():
            if resource is not call.resource and resource.state == self.page.cancelled:
                resource.shown["createdDateTime"] = None
                resource.shown["creationDateTimeUtc"] = None


@breaks("SA-05 MA-06 AP-06", beside="SA-23")
class RunningOnesFinish(Service):
    """Each cancel marks all that is running as done."""

    def perform(self, call: Call) -> None:
        super().perform(call)
        for resource in self.resources.values():
            if resource.state == self.page.cancellable[-1]:
                resource.state = self.page.final[0]
