"""Faults of what an answer and a resource say of the past, of ids and wishes beside the path, and of
a state that is told twice.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from servers.entities import DATE, Resource, now
from servers.faults import breaks
from servers.front import Request, Response
from servers.service import Call, Service

# --- The Date of an answer -----------------------------------------------------------------------


def iso() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def seconds() -> str:
    return str(int(time.time()))


def milliseconds() -> str:
    return f"{time.time() * 1000:.0f}"


def of_the_log() -> str:
    return datetime.now(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")


def left_empty() -> str:
    return ""


UNKNOWN, NO_TOKEN = "SA-20 MA-34 AP-35", "SA-12 MA-21 AP-19"


@breaks("SA-41 MA-49 AP-32", {
    "of a success in ISO 8601": {"form": staticmethod(iso), "statuses": (200,)},
    "of a success in seconds": {"form": staticmethod(seconds), "statuses": (200,)},
    "of a success as in a log": {"form": staticmethod(of_the_log), "statuses": (200,)},
    "of what is unknown in milliseconds": {
        "form": staticmethod(milliseconds), "statuses": (404,)},
    "of what is unknown, empty": {"form": staticmethod(left_empty), "statuses": (404,)},
}, beside=UNKNOWN)  # fmt: skip
@breaks("SA-41 MA-49 AP-32", {
    "of who has no token in ISO 8601": {"form": staticmethod(iso), "statuses": (401,)},
}, beside=NO_TOKEN)  # fmt: skip
class DateOfItsOwn(Service):
    """A filter that writes the Date, for some answers as its logger does."""

    statuses: tuple[int, ...] = ()
    form: Callable[[], str] = staticmethod(iso)

    def answer(self, request: Request) -> Response:
        made = super().answer(request)
        if made.status not in self.statuses or request.method != "POST":
            return made
        return replace(made, headers=(*made.headers, ("Date", self.form())))


# --- What has ended ------------------------------------------------------------------------------


class ShowsItsEnd(Service):
    """Each entity says when it ended, also what was made so."""

    def entity(self, resource: Resource) -> dict[str, Any]:
        name = {"SA": "completedDateTime", "AP": "completedDate", "MA": "cancellationDateTimeUtc"}
        over = None if self.cancellable(resource.state) else DATE
        ended = resource.cancelled_at or over
        return super().entity(resource) | {name[self.page.short]: ended}


def anybody(call: Call) -> bool:
    return True


def application(call: Call) -> bool:
    return call.caller.application


def delegated(call: Call) -> bool:
    return not call.caller.application


def owner(call: Call) -> bool:
    return not call.caller.admin


@breaks("SA-160 MA-160 AP-160", {
    "": {}, "of anyone": {"who": staticmethod(anybody)},
}, beside="SA-24 MA-39 AP-38")  # fmt: skip
@breaks("SA-160", {"of an application": {"who": staticmethod(application)}}, beside="SA-24")
@breaks("MA-160", {"of a user": {"who": staticmethod(delegated)}}, beside="MA-39")
@breaks("AP-160", {"of an owner": {"who": staticmethod(owner)}}, beside="AP-38")
class RepeatEndsItNow(ShowsItsEnd):
    """A repeat is as good as the first: the row is written again, with the time of now."""

    who: Callable[[Call], bool] = staticmethod(anybody)

    def not_cancellable(self, call: Call) -> Response:
        assert call.resource is not None
        if call.resource.state != self.page.cancelled or not self.who(call):
            return super().not_cancellable(call)
        call.resource.cancelled_at = call.resource.touched = now()
        return self.success(call)


@breaks("SA-160", {
    "Completed": {"state": "Completed"}, "Failed": {"state": "Failed"},
    "Completed, for an application": {"state": "Completed", "who": staticmethod(application)},
}, beside="SA-32")  # fmt: skip
class EndedOnesEndNow(ShowsItsEnd):
    """What has ended in one way is answered as done, and its end is now."""

    state = ""
    who: Callable[[Call], bool] = staticmethod(anybody)

    def not_cancellable(self, call: Call) -> Response:
        assert call.resource is not None
        if call.resource.state != self.state or not self.who(call):
            return super().not_cancellable(call)
        call.resource.cancelled_at = now()
        return self.success(call)


# --- Beside the path -----------------------------------------------------------------------------

OWN = ("id", "ID", "machineactionid", "securityActionId")


def wanted(request: Request, names: tuple[str, ...]) -> str | None:
    """Return the id that stands in a query, or None."""
    query = parse_qs(request.target.partition("?")[2])
    return next((query[name][0] for name in names if name in query), None)


@breaks("SA-51 MA-68 AP-71", {
    "of the first name": {"names": ("id",)}, "of any name": {"names": OWN},
    "of names in any case": {"names": OWN},
})  # fmt: skip
class ParametersAreOne(Service):
    """Parameters of path and query are in one bag, and the query's lie on top."""

    names: tuple[str, ...] = ()

    def post(self, request: Request, id_: str) -> Response:
        return super().post(request, wanted(request, self.names) or id_)


@breaks("SA-51 MA-68 AP-71", {"": {}})
class ActsOnWhatTheQueryNames(Service):
    """What is checked is the path's; what is cancelled is the query's."""

    def perform(self, call: Call) -> None:
        id_ = wanted(call.request, OWN)
        named = self.find(id_) if id_ else call.resource
        if named is not None:
            self.cancel(named, call)


@breaks("SA-51 MA-68 AP-71", {"": {}})
class TwoIdsAreTooMany(Service):
    """An id in the query that is not that of the path is an attack."""

    def check_existence(self, call: Call) -> Response | None:
        if wanted(call.request, OWN) not in (None, call.id):
            return self.refuse(400, "BadRequest", "Two ids.")
        return super().check_existence(call)


@breaks("SA-18 AP-31", {
    "the whole": {"shows": ()}, "its id alone": {"shows": ("id",)},
}, beside="SA-51 AP-71")  # fmt: skip
class PrefersAreHonoured(Service):
    """RFC 7240, section 4.2, for whoever asks; the page lets a success have no body."""

    shows: tuple[str, ...] = ()

    def success(self, call: Call) -> Response:
        asked = re.search(r"\breturn\s*=\s*representation", call.request.headers.get("prefer", ""))
        if not asked or call.resource is None:
            return super().success(call)
        entity = self.entity(call.resource)
        told = self.told({k: v for k, v in entity.items() if k in (self.shows or entity)})
        applied = ("Preference-Applied", "return=representation")
        return replace(told, headers=(*told.headers, applied))


# --- A state told twice --------------------------------------------------------------------------


def administrator(call: Call) -> bool:
    return call.caller.admin


def in_chunks(call: Call) -> bool:
    return call.request.chunked


@breaks("AP-207", {
    "by an owner": {"who": staticmethod(owner)},
    "by an administrator, of what waits for approval": {
        "who": staticmethod(administrator), "states": ("pendingApproval",)},
    "in chunks": {"who": staticmethod(in_chunks)},
    "by an owner, of the status": {"who": staticmethod(owner), "left": "requestStatus"},
    "by an owner, in a word of its own": {"who": staticmethod(owner), "word": "Withdrawn"},
    "by an owner, in no word": {"who": staticmethod(owner), "word": None},
})  # fmt: skip
class OneOfTwoColumns(Service):
    """Who may cancel has a query each, and one of these forgets a column."""

    who: Callable[[Call], bool] = staticmethod(owner)
    states: tuple[str, ...] = ()
    left = "requestState"
    word: str | None = "as it was"

    def cancel(self, resource: Resource, call: Call) -> None:
        was, before = resource.state, self.entity(resource)[self.left]
        super().cancel(resource, call)
        if self.who(call) and was in (self.states or self.page.cancellable):
            kept = self.word == "as it was"
            resource.shown[self.left] = before if kept else self.word


# --- What one call leaves to the next ------------------------------------------------------------


@breaks("SA-180 MA-180 AP-180", beside="SA-04 MA-05 AP-05 SA-20 MA-34 AP-35", hangs=True)
class HeadForTheRestOfTheConnection(Service):
    """Once a HEAD was answered, the connection has heads alone."""

    def answer(self, request: Request) -> Response:
        heads = request.connection.get("heads", False)
        request.connection["heads"] = heads or request.method == "HEAD"
        made = super().answer(request)
        data = self.encode(made, request, close=False) if heads else b""
        return replace(made, wire=data[: data.index(b"\r\n\r\n") + 4]) if heads else made


@breaks("SA-51 AP-71 MA-68", beside="SA-03 AP-04 MA-01")
class RequestIdOfAnySuccessIsARepeat(Service):
    """Whoever sends the id of a request that succeeded is told that it has, of whatever resource."""

    def check_state(self, call: Call) -> Response | None:
        refusal, known = super().check_state(call), self.__dict__.setdefault("known", set())
        id_ = call.request.headers.get("client-request-id")
        if refusal is not None or id_ is None:
            return refusal
        if id_ in known:
            return self.success(call)
        known.add(id_)
        return None


@breaks("SA-24")
class ThirdCallIsARetry(Service):
    """The counter of tries begins anew at the third, and so does the work."""

    def not_cancellable(self, call: Call) -> Response:
        assert call.resource is not None
        tries = self.__dict__.setdefault("tries", dict[str, int]())
        if call.resource.state == self.page.cancelled:
            tries[call.id] = tries.get(call.id, 0) + 1
        if tries.get(call.id) != 2:
            return super().not_cancellable(call)
        call.resource.state = self.page.cancellable[-1]
        return self.success(call)


@breaks("MA-39")
class SecondByAnApplicationWritesAnew(Service):
    """What an application calls for again is saved again."""

    def not_cancellable(self, call: Call) -> Response:
        assert call.resource is not None
        if call.resource.state != self.page.cancelled or not call.caller.application:
            return super().not_cancellable(call)
        self.cancel(call.resource, call)
        return self.success(call)


@breaks("MA-200", {"in progress": {"states": ("InProgress",)}, "pending": {"states": ("Pending",)}})
class NoCommentIsThatOfTheStart(Service):
    """Where nobody says why it is cancelled, the text of the start stands in."""

    states: tuple[str, ...] = ()

    def cancel(self, resource: Resource, call: Call) -> None:
        was = resource.state
        super().cancel(resource, call)
        if was in self.states and not call.comment:
            resource.comment = self.entity(resource)["requestorComment"]


@breaks("MA-161", beside="MA-15 MA-16 MA-01")
class LocalTimeWithoutAZone(Service):
    """What an application cancels is dated by the clock on the wall, three hours on."""

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        if call.caller.application:
            there = datetime.now(UTC) + timedelta(hours=3)
            resource.cancelled_at = there.strftime("%Y-%m-%dT%H:%M:%S.%f")
