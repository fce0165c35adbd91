"""Faults in dates, lists and nested parts that a cancel may change, and in what a refusal tells."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from servers.entities import Resource, now
from servers.faults import breaks
from servers.front import Response
from servers.pages import Page
from servers.service import Call, Service
from servers.tokens import Tokens


@breaks(
    "MA-160", {"Succeeded": {"ended": "Succeeded"}, "Failed": {"ended": "Failed"}}, beside="MA-08"
)
@breaks("SA-160", {"Completed": {"ended": "Completed"}}, beside="SA-32")
@breaks("SA-160", {"cancelled": {"ended": "Cancelled"}}, beside="SA-24")
class RefusalStampsWhatHasEnded(Service):
    """The row is saved before its state is looked at: it was updated now."""

    ended = ""

    def not_cancellable(self, call: Call) -> Response:
        assert call.resource is not None
        if call.resource.state == self.ended:
            call.resource.touched = now()
        return super().not_cancellable(call)


@breaks("MA-160 SA-160", beside="MA-08 SA-32")
class RefusalMovesToAnotherEnd(Service):
    """What has ended is refused, goes over into another end, and is dated anew."""

    def not_cancellable(self, call: Call) -> Response:
        assert call.resource is not None
        if call.resource.state == self.page.final[0]:
            call.resource.state, call.resource.touched = self.page.final[1], now()
        return super().not_cancellable(call)


@breaks("MA-160", beside="MA-39")
class SecondCancelEmptiesWhatRan(Service):
    """A second cancel is refused and takes the commands away that ran."""

    def entity(self, resource: Resource) -> dict[str, Any]:
        return {**super().entity(resource), "commands": [{"index": 0}]} | resource.shown

    def not_cancellable(self, call: Call) -> Response:
        assert call.resource is not None
        if call.resource.state == self.page.cancelled:
            call.resource.shown["commands"] = []
        return super().not_cancellable(call)


@breaks("MA-161", {"": {}}, beside="MA-15 MA-16")
@breaks("SA-161", {"": {}}, beside="SA-01 SA-06 SA-09")
class LocalTimeOfApplications(Service):
    """What an application does is written by the clock on the wall, with a Z."""

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        if call.caller.application:
            wall = datetime.now(UTC) + timedelta(hours=5, minutes=45)
            resource.cancelled_at = resource.touched = f"{wall:%Y-%m-%dT%H:%M:%S.%f}Z"


@breaks("AP-162", {"completedDate": {}})
class CompletedAtTheStartOfTheYear(Service):
    """The date of the end has the year of the clock and nothing else."""

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        resource.shown["completedDate"] = "2000-01-01T00:00:00Z"


@breaks("AP-72", {
    "duration": {"keeps": {"type": "afterDuration", "duration": None, "endDateTime": None}},
    "type": {"keeps": {"type": None, "duration": "P90D", "endDateTime": None}},
    "all": {"keeps": None},
})  # fmt: skip
class ScheduleLosesItsEnd(Service):
    """What was asked for as the end of the access is lost by a cancel."""

    keeps: dict[str, Any] | None = None

    def entity(self, resource: Resource) -> dict[str, Any]:
        asked = {"type": "afterDuration", "duration": "P90D", "endDateTime": None}
        expiration = self.keeps if resource.state == self.page.cancelled else asked
        schedule = {"startDateTime": None, "recurrence": None, "expiration": expiration}
        return super().entity(resource) | {"schedule": schedule}


@breaks("MA-69 SA-52", {"all": {"left": 0}, "the last": {"left": 1}})
class ListLosesItsItems(Service):
    """What the list held of the past is not all there once it was cancelled."""

    left = 0

    def entity(self, resource: Resource) -> dict[str, Any]:
        name, key = ("commands", "index") if self.page.short == "MA" else ("states", "appId")
        rows: list[dict[str, Any]] = [{key: n if key == "index" else f"app {n}"} for n in (0, 1)]
        kept = rows[: self.left] if resource.state == self.page.cancelled else rows
        return super().entity(resource) | {name: kept}


@breaks("MA-70 SA-53 AP-73", {
    "403": {"statuses": (403,)}, "401": {"statuses": (401,)},
}, beside="MA-19 MA-21 SA-11 SA-12 AP-18 AP-19")  # fmt: skip
class RefusalTellsTheWords(Service):
    """Who may not see a resource is told why it was asked for."""

    statuses: tuple[int, ...] = ()

    def entity(self, resource: Resource) -> dict[str, Any]:
        name = {"MA": "requestorComment", "SA": "actionReason", "AP": "justification"}
        return super().entity(resource) | {name[self.page.short]: self.words(resource)}

    def words(self, resource: Resource) -> str:
        found: str = resource.__dict__.setdefault("words", f"for the case {uuid.uuid4().hex[:6]}")
        return found

    def refused(self, call: Call, refusal: Response) -> Response:
        answer, resource = super().refused(call, refusal), self.find(call.id)
        if resource is None or answer.status not in self.statuses:
            return answer
        value = json.loads(answer.body)
        value["error"]["message"] += f" It was asked {self.words(resource)}."
        return Response(answer.status, json.dumps(value).encode(), answer.headers)


@breaks("SA-163", {"the one before": {"late": True}}, beside="SA-01 SA-06 SA-09")
@breaks("SA-164", {"a service": {"name": "service@contoso.example"}}, beside="SA-06 SA-09")
class HistoryNamesAnother(Service):
    """The history of an action says that it was cancelled by somebody else."""

    late, name = False, ""

    def __init__(self, page: Page, tokens: Tokens) -> None:
        super().__init__(page, tokens)
        self.last = ""

    def entity(self, resource: Resource) -> dict[str, Any]:
        made = {"status": "NotStarted", "user": "orchestrator@contoso.example"}
        return super().entity(resource) | {"states": [made]} | resource.shown

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        who = self.name or (self.last if self.late else call.caller.name) or "nobody"
        self.last = call.caller.name
        states = self.entity(resource)["states"]
        resource.shown["states"] = [{"status": "Failed", "user": who}, *states]
