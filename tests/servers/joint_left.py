"""Faults in what a call leaves out or leaves alone: nulls, words for nothing, dates, permissions."""

from __future__ import annotations

from dataclasses import replace

from servers.entities import Resource, now
from servers.faults import breaks
from servers.front import Request, Response
from servers.joint_entity import Later
from servers.pages import Page
from servers.service import Call, Service
from servers.tokens import Tokens


@breaks("MA-33", {
    "where it ran": {"began": "InProgress", "unread": ("machineId",)},
    "who asked for it": {"began": "Pending", "unread": ("requestor", "requestorComment")},
})  # fmt: skip
class AnswerForgetsSomeOfIt(Service):
    """The answer is mapped from the row that was written, and some columns were not read."""

    began = ""
    unread: tuple[str, ...] = ()

    def cancel(self, resource: Resource, call: Call) -> None:
        call.document = {**(call.document or {}), "was": resource.state}
        super().cancel(resource, call)

    def success(self, call: Call) -> Response:
        assert call.resource is not None
        if call.document["was"] != self.began:
            return super().success(call)
        return self.told(self.entity(call.resource) | dict.fromkeys(self.unread))


@breaks("MA-200", {
    "of JavaScript": {"word": "undefined"},
    "of Python": {"word": "None"},
    "of a database": {"word": "NULL"},
}, beside="MA-25")  # fmt: skip
class NothingIsAWord(Service):
    """What no comment is goes through a text."""

    word = ""

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        if resource.comment is None:
            resource.comment = self.word


@breaks("MA-161 SA-161", {
    "of the running": {"states": ("InProgress", "Running")},
    "of those that wait": {"states": ("Pending", "NotStarted")},
}, beside="MA-07 MA-28 SA-20 SA-01")  # fmt: skip
class LastDateStays(Service):
    """One of two queries sets the date of the last change."""

    states: tuple[str, ...] = ()

    def cancel(self, resource: Resource, call: Call) -> None:
        was, touched = resource.state, resource.touched
        super().cancel(resource, call)
        if was in self.states:
            resource.touched = touched


@breaks(
    "MA-72", {"of the running": {"state": "InProgress"}, "of those that wait": {"state": "Pending"}}
)
class NamesNobody(Service):
    """One of two tables has no column for who cancelled."""

    state = ""

    def cancel(self, resource: Resource, call: Call) -> None:
        was = resource.state
        super().cancel(resource, call)
        if was == self.state:
            resource.cancelled_by = None


@breaks("MA-201 SA-201 AP-201", deep=True)
class NoBodyNoPermission(Service):
    """What has no body is taken for a question, and whoever has a token may ask."""

    def check_permission(self, call: Call) -> Response | None:
        said = self.media(call) == "application/json"
        if said and not call.request.body:
            return None
        return super().check_permission(call)

    def check_ownership(self, call: Call) -> Response | None:
        return None if not call.request.body else super().check_ownership(call)


@breaks("SA-204 MA-204 AP-204", deep=True)
class OverBeforeTheToken(Service):
    """What is over is answered before a bearer token is looked into."""

    def check_caller(self, call: Call) -> Response | None:
        resource, bearer = self.find(call.id), call.request.headers.get("authorization", "")
        if resource and not self.cancellable(resource.state) and bearer.count(".") > 1:
            call.resource = resource
            return self.not_cancellable(call)
        return super().check_caller(call)


@breaks("SA-10 MA-19 AP-16", beside="SA-103 MA-103 AP-103", deep=True)
class SlashNeedsNoPermission(Service):
    """The policy stands at the route; with a slash at its end there is another one."""

    def answer(self, request: Request) -> Response:
        path = request.target.partition("?")[0]
        if path.endswith("/cancel/") or path.endswith("/cancelSecurityAction/"):
            request = replace(
                request, target=path[:-1], headers={**request.headers, "x-route": "other"}
            )
        return super().answer(request)

    def check_permission(self, call: Call) -> Response | None:
        other = "x-route" in call.request.headers
        return None if other else super().check_permission(call)


@breaks("SA-18 AP-31", beside="SA-103 AP-103", deep=True)
class SaysOkToBrowsers(Service):
    """Whoever does not ask for JSON is told in words that all is well."""

    def success(self, call: Call) -> Response:
        accept = call.request.headers.get("accept", "*/*")
        if "json" in accept or "*" in accept:
            return super().success(call)
        return Response(self.success_status, b"OK", (("Content-Type", "text/plain"),))


@breaks("AP-54", beside="AP-21 AP-22 AP-25 AP-26")
class RemembersWhomItRefused(Service):
    """A refusal for the body is kept for a minute, by caller and resource."""

    def __init__(self, page: Page, tokens: Tokens) -> None:
        super().__init__(page, tokens)
        self.kept: dict[tuple[str, str], Response] = {}

    def check_content(self, call: Call) -> Response | None:
        key = (call.caller.name, call.id)
        if key not in self.kept and (refusal := super().check_content(call)) is not None:
            self.kept[key] = refusal
        return self.kept.get(key)


@breaks("SA-11", beside="SA-10 SA-05")
class BatchCancelsTheRest(Later):
    """Some time after one that runs was cancelled, all that run are."""

    def cancel(self, resource: Resource, call: Call) -> None:
        runs = resource.state == "Running"
        super().cancel(resource, call)
        if runs:
            self.in_a_while(self.strike)

    def strike(self) -> None:
        for other in self.resources.values():
            if other.state == "Running":
                other.state, other.touched = self.page.cancelled, now()
