"""Faults in what a call leaves out or leaves alone: nulls, words for nothing, dates, permissions."""

from __future__ import annotations

from servers.entities import Resource
from servers.faults import breaks
from servers.front import Response
from servers.service import Call, Service


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
