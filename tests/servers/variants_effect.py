"""Conforming differences of what a cancel leaves behind, and of what the GET shows of it."""

from __future__ import annotations

import json
import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from servers.entities import Resource
from servers.front import Request, Response
from servers.pages import Page
from servers.service import Call, Service
from servers.tokens import Tokens

# --- Effects -------------------------------------------------------------------------------------


class OneSecondLate(Service):
    """The GET lags behind, as a read replica does."""

    def entity(self, resource: Resource) -> dict[str, Any]:
        found = super().entity(resource)
        if resource.cancelled_at is None:
            resource.shown["lag"] = found
        return {k: v for k, v in found.items() if k != "lag"}

    def show(self, request: Request, id_: str) -> Response:
        with self.lock:
            resource = self.find(id_)
            stale = resource.shown.get("lag") if resource else None
            since = getattr(resource, "since", None)
            if since is not None and time.monotonic() - since < 1.0 and stale:
                return self.told({k: v for k, v in stale.items() if k != "lag"})
            return super().show(request, id_)

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        resource.since = time.monotonic()  # type: ignore[attr-defined]


class Idempotent(Service):
    """Who asks for what is already so is answered as done."""

    def not_cancellable(self, call: Call) -> Response:
        assert call.resource is not None
        if call.resource.state == self.page.cancelled:
            return self.success(call)
        return super().not_cancellable(call)


class FinalAnsweredDone(Service):
    def not_cancellable(self, call: Call) -> Response:
        return self.success(call)


class TouchesOnlyTheDate(Service):
    def cancel(self, resource: Resource, call: Call) -> None:
        before = resource.state
        super().cancel(resource, call)
        resource.shown["status"] = before


class NotesAState(Service):
    """The status stays; the list of states grows, as the resource's page lets it."""

    def entity(self, resource: Resource) -> dict[str, Any]:
        return {"states": []} | super().entity(resource)

    def cancel(self, resource: Resource, call: Call) -> None:
        before = resource.state
        super().cancel(resource, call)
        states = [{"appId": "x", "status": "Failed", "updatedDateTime": resource.touched}]
        resource.touched = "2024-10-21T11:25:48.3308187Z"
        resource.shown |= {"status": before, "states": states}


class NotesRefusals(Service):
    """The time of a refused call is noted. That is no effect."""

    def refused(self, call: Call, refusal: Response) -> Response:
        if call.resource is not None:
            call.resource.touched = datetime.now(UTC).isoformat()
        return refusal


class ListsWhoDidIt(Service):
    """The history grows by who cancels, and by whoever carries it out. The newest stands first."""

    def entity(self, resource: Resource) -> dict[str, Any]:
        made = {"status": "NotStarted", "user": "orchestrator@contoso.example"}
        return super().entity(resource) | {"states": [made]} | resource.shown

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        added = [
            {"status": resource.state, "user": f"{call.caller.name}@contoso.example"},
            {"status": resource.state, "user": "orchestrator@contoso.example"},
        ]
        resource.shown["states"] = [*added, *self.entity(resource)["states"]]


class OwnClock(Service):
    """The dates are by a clock that is wrong by 37 minutes; the Date of an answer is a proxy's."""

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        moment = datetime.now(UTC) - timedelta(minutes=37)
        resource.cancelled_at = resource.touched = f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"


class WordsOfTheHouse(Service):
    """Where nobody says why, the house does; no cancel moves the date of the last change."""

    def entity(self, resource: Resource) -> dict[str, Any]:
        silent = resource.cancelled_at is not None and resource.comment is None
        words = (
            {"cancellationComment": "None was given."} if silent and self.page.short == "MA" else {}
        )
        return super().entity(resource) | words

    def cancel(self, resource: Resource, call: Call) -> None:
        touched = resource.touched
        super().cancel(resource, call)
        resource.touched = touched


class SaysWhoMayNot(Service):
    """Who is refused is told who they are, at length, and what the house is called. Every resource
    was asked for by the same person.
    """

    def entity(self, resource: Resource) -> dict[str, Any]:
        name = {"MA": "requestorComment", "SA": "actionReason", "AP": "justification"}
        text = "asked for by Ms Alexandra Example of Contoso"
        return super().entity(resource) | {name[self.page.short]: text}

    def refused(self, call: Call, refusal: Response) -> Response:
        answer = super().refused(call, refusal)
        if answer.status != 403:
            return answer
        value = json.loads(answer.body)
        value["error"]["message"] += " It was asked for by Ms Alexandra Example of Contoso."
        return Response(answer.status, json.dumps(value).encode(), answer.headers)


class NeverTheSame(Service):
    looks = 0

    def entity(self, resource: Resource) -> dict[str, Any]:
        self.looks += 1
        return super().entity(resource) | {"@odata.etag": f'W/"{self.looks}"', "views": self.looks}


class OneOfTwoNodes(Service):
    """Who answers is told, and is anybody's guess."""

    def __init__(self, page: Page, tokens: Tokens) -> None:
        super().__init__(page, tokens)
        self.dice = random.Random(11)  # the first looks are alike

    def entity(self, resource: Resource) -> dict[str, Any]:
        return super().entity(resource) | {"servedBy": f"node {self.dice.randrange(2)}"}


class TellsWhenItLooked(Service):
    """To the second, here counted in looks: the same twice, and then another."""

    looks = 0

    def entity(self, resource: Resource) -> dict[str, Any]:
        self.looks += 1
        moment = f"2024-10-21T11:{self.looks // 180 % 60:02}:{self.looks // 3 % 60:02}Z"
        return super().entity(resource) | {"servedAt": moment, "cache": [{"filled": moment}]}


class EndsAs(Service):
    """No page says what a cancelled security action shows."""

    shows = "Failed"

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        resource.shown["status"] = self.shows


class TimeOutCancellable(Service):
    def cancellable(self, state: str) -> bool:
        return state == "TimeOut" or super().cancellable(state)


class TakesItsTime(Service):
    """A cancel shows as Cancelling first. No page names the state of a cancelled security action."""

    def entity(self, resource: Resource) -> dict[str, Any]:
        found = super().entity(resource)
        if resource.state == self.page.cancelled and resource.shown.pop("looks", 1):
            resource.shown["looks"] = 0
            found["status"] = "Cancelling"
        return {key: value for key, value in found.items() if key != "looks"}


class RunsAlong(Service):
    """A running action says for how long it has been running."""

    begun = time.monotonic()

    def entity(self, resource: Resource) -> dict[str, Any]:
        seconds = (time.monotonic() - self.begun) * 10
        return super().entity(resource) | {"runningTenths": int(seconds)}
